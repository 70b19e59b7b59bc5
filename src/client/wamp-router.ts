/** The address of a router, and the link to it; the only file with the defaults of an address. */

import { unsent, usage, type WampError } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { CONNECTION_FAILED, DEFAULT_URL } from '../protocol/names.ts'
import { checkRules, FLAG, FUNCTION, type OptionRules, STRING } from '../protocol/option-rules.ts'
import { json } from '../serializer/json.ts'
import { type Serializer, subprotocolOf } from '../serializer/serializer.ts'
import { type Connector, Framed, type Link } from '../session/link.ts'
import type { Dial } from '../transport/transport.ts'
import { toWebSocket, withoutSecrets } from '../transport/url.ts'
import { type WebSocketClass, webSocketDial } from '../transport/websocket.ts'

/** Missing parts come from Crossbar.io's quick start: `ws://localhost:8080/ws`. */
export interface WampRouterOptions {
  /** Its name in error messages. */
  readonly name?: string
  readonly host?: string
  /** 1 to 65535. */
  readonly port?: number | string
  readonly path?: string
  /** True for TLS: `wss://`. */
  readonly tls?: boolean
  /**
   * The whole address instead of its parts: `wss://example.com/ws`, or an address that `dial` understands. `http:` and
   * `https:` stand for `ws:` and `wss:`. In a page or a worker it may be relative to the address of that: `/ws`.
   */
  readonly url?: string
  /** The realm that its clients join unless they name one. */
  readonly realm?: Uri
  /** Another transport. */
  readonly dial?: Dial
  /** A WebSocket class to use instead of the platform's. */
  readonly webSocket?: WebSocketClass
}

const ADDRESS_RULES: OptionRules<WampRouterOptions> = {
  name: STRING,
  host: STRING,
  port: ['a number from 1 to 65535', (port) => typeof port === 'number' || typeof port === 'string'],
  path: STRING,
  tls: FLAG,
  url: STRING,
  realm: STRING,
  dial: FUNCTION,
  webSocket: FUNCTION,
}

/**
 * Where a router is.
 *
 * @throws WampError `wampy.error.usage` for an address that cannot be one
 */
export class WampRouter implements Connector {
  readonly name: string
  readonly url: string
  readonly realm: Uri | undefined
  readonly #dial: Dial

  constructor(options: WampRouterOptions = {}) {
    checkRules('WampRouter', options, ADDRESS_RULES, { example: `url: '${DEFAULT_URL}'` })
    this.url = address(options)
    this.name = options.name ?? withoutSecrets(this.url)
    this.realm = options.realm
    this.#dial = options.dial ?? webSocketDial(options.webSocket && { webSocket: options.webSocket })
  }

  get __v_skip(): true {
    return true
  }

  async connect(serializers: readonly Serializer[] = [json], signal: AbortSignal): Promise<Link> {
    if (this.url[0] === '/') throw illegal(this.url)
    const offers = serializers.map(subprotocolOf)
    const transport = await this.#dial(this.url, offers, signal)
    const serializer = serializers[offers.indexOf(transport.protocol)]
    if (serializer) return new Framed(transport, serializer)
    transport.close()
    throw unsent(
      CONNECTION_FAILED,
      `the server chose the subprotocol ${transport.protocol}, which was not offered (${offers.join(', ')})`,
    )
  }
}

function address({ url, host, port, path, tls, dial }: WampRouterOptions): string {
  if (url !== undefined) {
    if (host !== undefined || port !== undefined || path !== undefined || tls !== undefined) {
      throw usage('a WampRouter takes url, or host, port, path and tls')
    }
    const whole = inPage(url)
    // Another transport has schemes of its own, which it checks when it dials.
    if (dial && URL_SCHEME.test(whole)) return whole
    // Server rendering makes clients for a page, which never dial.
    return !dial && whole[0] === '/' ? whole : checkedUrl(toWebSocket(whole), url)
  }
  const number = port === undefined ? 8080 : Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65535) {
    throw usage(`port must be a number from 1 to 65535, got "${port}"`)
  }
  const name = host ?? 'localhost'
  if (/[/?#@\\]/.test(name)) throw illegal(name)
  const bracketed = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
  const place = path === undefined ? '/ws' : path.startsWith('/') ? path : `/${path}`
  const whole = `${tls ? 'wss' : 'ws'}://${bracketed}:${number}${place}`
  return checkedUrl(whole, host ?? whole)
}

const URL_SCHEME = /^[a-z][a-z\d+.-]*:./i

/** A relative URL as the page or the worker would load it; unchanged if it is not relative, or outside of a page. */
function inPage(url: string): string {
  try {
    // A first segment with a colon is a mistaken host.
    return /^$|^[^/?]*:/.test(url) ? url : new URL(url, location.href).href
  } catch {
    return url
  }
}

function checkedUrl(url: string, given: string): string {
  if (/^wss?:\/\/[^/?#\s]+/i.test(url) && URL.canParse?.(url) !== false) return url
  throw illegal(given)
}

function illegal(given: string): WampError {
  return usage(`"${withoutSecrets(given)}" is not an address of a router, such as ${DEFAULT_URL}, in a page /ws`)
}
