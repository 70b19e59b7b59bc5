/** WAMP over HTTP long polls (Advanced Profile, HTTP Longpoll Transport), on the router's side. */

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_OPEN_BODY } from '../protocol/fixed-limits.ts'
import { DURATION, type OptionRules, STRING } from '../protocol/option-rules.ts'
import type { Link } from '../session/link.ts'
import { type CookieIssuer, knownTo, requestInfo } from './connection-info.ts'
import type { Connections } from './connections.ts'
import { bodyOf, fail, isAllowedOrigin, ORIGINS, type Origins, pathOf, reply } from './http-server.ts'
import { Polled } from './longpoll-transport.ts'
import { TrustedProxies } from './trusted-proxies.ts'

export interface LongPollOptions {
  /** The base of the paths: `<path>/lp` by default, so `/ws/lp`. */
  readonly path?: string | undefined
  /** Pages of other origins that may poll, such as `https://example.com`; `*` for all. By default those of `serve`, or none. */
  readonly origins?: Origins | undefined
  /** Milliseconds, at least 1, until a poll is answered without a message: 10,000 by default, which Autobahn needs. */
  readonly hold?: number | undefined
  /** Milliseconds without a poll after which a client counts as lost: 30,000 by default, 0 for never. */
  readonly timeout?: number | undefined
}

export const LONG_POLL_RULES: OptionRules<LongPollOptions> = {
  path: STRING,
  origins: ORIGINS,
  hold: ['milliseconds from 1', (value) => typeof value === 'number' && value >= 1],
  timeout: DURATION,
}

export class LongPolls {
  readonly path: string
  readonly #connections: Connections
  readonly #maxPayload: number
  readonly #options: LongPollOptions
  readonly #proxies: TrustedProxies
  readonly #cookies: CookieIssuer | undefined
  readonly #transports = new Map<string, Polled>()

  constructor(
    connections: Connections,
    path: string,
    maxPayload: number,
    options: LongPollOptions,
    cookies?: CookieIssuer,
    proxies = new TrustedProxies(),
  ) {
    this.path = (options.path ?? `${path.replace(/\/$/, '')}/lp`).replace(/\/$/, '')
    this.#connections = connections
    this.#maxPayload = maxPayload
    this.#options = options
    this.#proxies = proxies
    this.#cookies = cookies
  }

  /** Answers requests below its path; returns false for others. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const path = pathOf(request)
    if (!path.startsWith(`${this.path}/`)) return false
    this.#answer(request, response, path.slice(this.path.length + 1).split('/')).catch(() => response.destroy())
    return true
  }

  async #answer(request: IncomingMessage, response: ServerResponse, steps: string[]): Promise<void> {
    // A client that hangs up is noticed by the transport.
    response.on('error', () => {})
    if (!this.#admit(request, response)) return fail(response, 403, 'pages of this origin may not poll here')
    if (request.method === 'OPTIONS') return reply(response, 204)
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST, OPTIONS')
      return fail(response, 405, 'a long poll must be a POST')
    }
    const [first = '', action, ...more] = steps
    if (first === 'open' && action === undefined) return this.#open(request, response)
    const transport = this.#transports.get(first)
    if (!transport || more.length > 0) return fail(response, 404, 'this transport does not exist, or has ended')
    switch (action) {
      case 'receive':
        request.resume()
        return transport.receive(response)
      case 'send':
        return transport.deliver(request, response)
      case 'close':
        request.resume()
        await transport.closeByClient()
        return reply(response, transport.accepted)
      default:
        return fail(response, 404, 'a transport has the actions send, receive and close')
    }
  }

  /** True if the page may poll; sets the headers that allow it in the browser. */
  #admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers
    response.setHeader('Cache-Control', 'no-store')
    if (origin === undefined) return true
    const { origins = [] } = this.#options
    const every = origins === '*'
    response.setHeader('Vary', 'Origin')
    if (!every && !origins.includes(origin)) {
      return isAllowedOrigin(origin, this.#proxies.otherEnd(request.socket, request).host, [])
    }
    response.setHeader('Access-Control-Allow-Origin', every ? '*' : origin)
    // Only for listed origins: if a proxy identifies users by a cookie, other pages must not act as them.
    if (!every) response.setHeader('Access-Control-Allow-Credentials', 'true')
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'POST')
      response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '')
      response.setHeader('Access-Control-Max-Age', '7200')
    }
    return true
  }

  async #open(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Not later: a connection that has broken has no address.
    const otherEnd = this.#proxies.otherEnd(request.socket, request)
    const body = await bodyOf(request, { left: MAX_OPEN_BODY })
    if (body === undefined) {
      this.#connections.turnedAway('the list of protocols is too long')
      return fail(response, 413, 'the list of protocols is too long')
    }
    const { protocolList: spoken } = this.#connections
    const offers = parseOffers(body)
    if (!offers) return fail(response, 400, 'expected JSON such as {"protocols": ["wamp.2.json"]}')
    const protocol = this.#connections.choose(offers)
    if (protocol === undefined) return fail(response, 400, `protocols must include one of ${spoken}`)
    const id = randomBytes(24).toString('base64url')
    const { hold = 10_000, timeout = 30_000 } = this.#options
    // The specification requires 202 and calls it "no content". Autobahn, recognized by its exact header, fails on 202.
    const isAutobahn = request.headers['content-type']?.toLowerCase() === 'application/json; charset=utf-8'
    const transport = new Polled({
      protocol,
      hold,
      timeout,
      maxPayload: this.#maxPayload,
      accepted: isAutobahn ? 204 : 202,
    })
    // Not earlier: other connections may have come while the body was read.
    const refused = this.#connections.refuse(transport, otherEnd.address, transport.ended)
    if (refused) {
      transport.terminate()
      return fail(response, 503, refused)
    }
    this.#transports.set(id, transport)
    transport.ended.then(() => this.#transports.delete(id))
    const info = requestInfo('longpoll', protocol, request, otherEnd)
    const { facts, header } = knownTo(this.#cookies, request, otherEnd, this.#options.origins)
    if (header !== undefined) response.setHeader('Set-Cookie', header)
    const limited = { ...facts, maxMessage: this.#maxPayload }
    this.#connections.attach(transport, info, limited, transport.ended, undefined, (link) =>
      reportFailures(link, transport),
    )
    const text = JSON.stringify({ protocol, transport: id })
    reply(response, 200, 'application/json', Buffer.from(text))
  }
}

/** Reports invalid messages to their transport, which names the error in the answer to the request. */
function reportFailures(link: Link, transport: Polled): void {
  const open = link.open.bind(link)
  link.open = (sink) =>
    open({
      message: (message) => sink.message(message),
      failed: (error) => {
        transport.failure = error.message
        sink.failed(error)
      },
      closed: (info) => sink.closed(info),
    })
}

function parseOffers(body: Buffer): string[] | undefined {
  try {
    const { protocols } = JSON.parse(body.toString()) as { protocols?: unknown }
    if (Array.isArray(protocols)) return protocols.filter((each) => typeof each === 'string')
  } catch {
    // The answer reports it.
  }
  return undefined
}
