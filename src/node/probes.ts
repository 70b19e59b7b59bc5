/** What an operator's tools ask a server for over HTTP: its metrics, and whether it lives and is ready. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { EXPOSITION_TYPE } from '../operations/exposition.ts'
import { isMeasurable, METRICS_RULES, type Metrics, type MetricsOptions, metrics } from '../operations/metrics.ts'
import { usage } from '../protocol/error.ts'
import type { OptionRule, OptionRules } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'
import type { Attachable } from '../session/link.ts'
import { fail, pathOf, reply } from './http-server.ts'

export interface MetricsEndpoint extends MetricsOptions {
  /** `/metrics` by default. */
  readonly path?: string | undefined
  /** The `Metrics` of `wampy-ts/metrics` to show. By default new ones of the router, until the server closes. */
  readonly source?: { text(): string } | undefined
}

export interface HealthEndpoints {
  /** Answers 200 while the server answers at all: `/healthz` by default. */
  readonly live?: string | undefined
  /** Answers 503 while the router closes, 200 otherwise: `/readyz` by default. */
  readonly ready?: string | undefined
}

const PATH: OptionRule = ['a path such as "/status"', (value) => typeof value === 'string' && /^\/[^?#]*$/.test(value)]

export const METRICS_ENDPOINT_RULES: OptionRules<MetricsEndpoint> = {
  ...METRICS_RULES,
  path: PATH,
  source: ['metrics of wampy-ts/metrics', (value) => typeof Object(value).text === 'function'],
}

export const HEALTH_RULES: OptionRules<HealthEndpoints> = { live: PATH, ready: PATH }

type Responder = (response: ServerResponse) => void

export class Probes {
  readonly #paths = new Map<string, Responder>()
  readonly #own: Metrics | undefined

  /** `closing` returns true when the router accepts no more sessions. */
  constructor(
    router: Attachable,
    shown: boolean | MetricsEndpoint,
    health: boolean | HealthEndpoints,
    closing: () => boolean,
  ) {
    if (health) {
      const { live = '/healthz', ready = '/readyz' } = health === true ? {} : health
      this.#add(live, (response) => replyText(response, 'ok\n'))
      this.#add(ready, (response) => {
        if (closing()) fail(response, 503, 'the router is closing')
        else replyText(response, 'ready\n')
      })
    }
    if (shown) {
      const { path = '/metrics', source, ...options } = shown === true ? {} : shown
      // Last, because nothing may throw after the router is observed.
      this.#add(path, (response) => showMetrics(response, source ?? (this.#own as Metrics)))
      if (!source) this.#own = metrics(measured(router), options)
    }
  }

  /** Answers requests for its paths; returns false for others. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const respond = this.#paths.get(pathOf(request))
    if (!respond) return false
    response.on('error', () => {})
    response.setHeader('Cache-Control', 'no-store')
    if (request.method === 'GET' || request.method === 'HEAD') respond(response)
    else {
      response.setHeader('Allow', 'GET, HEAD')
      fail(response, 405, 'this path can only be read, by GET or HEAD')
    }
    return true
  }

  stop(): void {
    this.#own?.stop()
  }

  #add(path: string, respond: Responder): void {
    if (this.#paths.has(path)) throw usage(`serve: metrics and health must have different paths, got ${path} twice`)
    this.#paths.set(path, respond)
  }
}

function measured(router: Attachable): Attachable & Parameters<typeof metrics>[0] {
  if (isMeasurable(router)) return router
  throw usage(
    `serve: metrics needs a Router, got ${formatValue(router)}: for an object around it, pass metrics: { source: metrics(router) }`,
  )
}

function replyText(response: ServerResponse, text: string, type = 'text/plain; charset=utf-8'): void {
  reply(response, 200, type, Buffer.from(text))
}

/** A function of the program may be part of them, and fail. */
function showMetrics(response: ServerResponse, source: { text(): string }): void {
  let text: string
  try {
    text = source.text()
  } catch {
    fail(response, 500, 'the metrics could not be read')
    return
  }
  replyText(response, text, EXPOSITION_TYPE)
}
