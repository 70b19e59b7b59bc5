/** Serves a router: WebSocket, RawSocket and long polls, on a server of its own or on an existing one. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type ServerOptions as SecureServerOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { type PerMessageDeflateOptions, WebSocketServer } from 'ws'
import { usage, WampError } from '../protocol/error.ts'
import { LISTEN_FAILED } from '../protocol/names.ts'
import {
  ANY_OBJECT,
  checkRules,
  dictOf,
  FLAG,
  LIMIT,
  type OptionRules,
  PORT,
  STRING,
} from '../protocol/option-rules.ts'
import { cbor } from '../serializer/cbor.ts'
import { json } from '../serializer/json.ts'
import { msgpack } from '../serializer/msgpack.ts'
import type { Attachable } from '../session/link.ts'
import { CLOSE_TIMEOUT } from '../transport/transport.ts'
import { type CookieIssuer, knownTo, requestInfo } from './connection-info.ts'
import { CONNECTION_RULES, type ConnectionOptions, Connections, checkAttachable } from './connections.ts'
import { divertRawSocket, fail, handleBefore, isAllowedOrigin, ORIGINS, type Origins, pathOf } from './http-server.ts'
import { addressOf, closeOf, isExposed, listenOn, socketsOf, warnIfOpen } from './listen.ts'
import { LONG_POLL_RULES, type LongPollOptions, LongPolls } from './longpoll-serve.ts'
import { HEALTH_RULES, type HealthEndpoints, METRICS_ENDPOINT_RULES, type MetricsEndpoint, Probes } from './probes.ts'
import { acceptRawSocket } from './rawsocket-serve.ts'
import { gathered, sizeReporting } from './server-websocket.ts'
import { RenewableTls, type TlsRenewal, withTlsDefaults } from './tls-server.ts'
import { type OtherEnd, TRUSTED_PROXIES, TrustedProxies, type TrustedProxyList } from './trusted-proxies.ts'

export interface ServeOptions extends ConnectionOptions {
  /** 8080 by default; 0 picks a free one. */
  readonly port?: number | undefined
  /** 127.0.0.1 by default, for this machine only; 0.0.0.0 is every interface. */
  readonly host?: string | undefined
  /** `/ws` by default. A port of its own also accepts `/`. */
  readonly path?: string | undefined
  /** An existing `http` or `https` server to use; it is not closed, and its other paths are left alone. */
  readonly server?: Server | undefined
  /** Key and certificate, for `wss` on a port of its own. TLS 1.2 at least, unless `minVersion` says otherwise. */
  readonly tls?: SecureServerOptions | undefined
  /**
   * The origins of pages that may connect, such as `https://example.com`, besides those of the same host; `*` for all. By
   * default all over WebSocket, none by long polls, and none if a cookie authenticates or if a router without
   * authentication can be reached from other machines. Clients outside of pages send no origin and are always accepted.
   */
  readonly origins?: Origins | undefined
  /** The greatest length of an incoming message, in bytes: 16 MiB by default. */
  readonly maxPayload?: number | undefined
  /** Off by default: it costs memory for each connection, and prevents gathered writes. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined
  /** Whether the port accepts RawSocket clients too, recognized by their first octet. Default true on a port of its own. */
  readonly rawSocket?: boolean | undefined
  /** Whether clients without WebSocket may poll, by default below `<path>/lp`; or the options for it. Off by default. */
  readonly longPoll?: boolean | LongPollOptions | undefined
  /** Sets a cookie that remembers logins: `LoginCookies` of `wampy-ts/auth/router`. */
  readonly cookies?: CookieIssuer | undefined
  /**
   * The proxies in front of this server: their addresses and ranges, IPv4 or IPv6, or `loopback`. The address of a client
   * (the right-most one that is not a proxy's), the host that the origin of a page is compared with, and whether the client
   * came by TLS are then those of the headers `X-Forwarded-For`, `-Host` and `-Proto`, if the peer is one of the proxies.
   * None by default: the headers are ignored. RawSocket has no headers.
   *
   * @example
   * trustedProxies: ['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']
   */
  readonly trustedProxies?: TrustedProxyList | undefined
  /**
   * Shows the metrics of the router to everybody who reaches the server, in Prometheus' format, by default at `/metrics`.
   * Off by default. For a port of their own, use `metrics` of `wampy-ts/metrics`.
   */
  readonly metrics?: boolean | MetricsEndpoint | undefined
  /**
   * Answers `/healthz` with 200, and `/readyz` with 200, or 503 from `router.close()` on, so that a load balancer sends no
   * more clients. Off by default.
   */
  readonly health?: boolean | HealthEndpoints | undefined
}

const SERVE_RULES: OptionRules<ServeOptions> = {
  ...CONNECTION_RULES,
  port: PORT,
  host: STRING,
  path: STRING,
  server: ['a server of node:http or node:https', (value) => typeof Object(value).on === 'function'],
  tls: ANY_OBJECT,
  origins: ORIGINS,
  maxPayload: LIMIT,
  perMessageDeflate: ['true, false or an object', (value) => typeof value === 'boolean' || ANY_OBJECT[1](value)],
  rawSocket: FLAG,
  cookies: ['LoginCookies of wampy-ts/auth/router', (value) => typeof Object(value).issue === 'function'],
  trustedProxies: TRUSTED_PROXIES,
  longPoll: ['true, false or its options', (value) => typeof value === 'boolean' || LONG_POLL[1](value)],
  metrics: ['true, false or its options', (value) => typeof value === 'boolean' || METRICS_ENDPOINT[1](value)],
  health: ['true, false or its paths', (value) => typeof value === 'boolean' || HEALTH[1](value)],
}
const METRICS_ENDPOINT = dictOf('metrics', METRICS_ENDPOINT_RULES)
const HEALTH = dictOf('health', HEALTH_RULES)
const LONG_POLL = dictOf('longPoll', LONG_POLL_RULES)

export interface Served {
  /** The URL for clients on this machine: `ws://127.0.0.1:8080/ws`. */
  readonly url: string
  /** The URL for RawSocket clients on this machine, if they are accepted: `rs://127.0.0.1:8080`. */
  readonly rawSocketUrl?: string | undefined
  /** The URL for long polls from this machine, if they are accepted: `http://127.0.0.1:8080/ws/lp`. */
  readonly longPollUrl?: string | undefined
  /** 0 while an existing server does not listen yet. Keeps its value after the close. */
  readonly port: number
  /**
   * Replaces the key and certificate for new connections; those that are open stay. What is not given stays too, except that
   * `key` and `cert` replace a `pfx`, and the reverse.
   *
   * @example
   * process.on('SIGHUP', () => served.renewTls({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }))
   * @throws WampError `wampy.error.usage` if it cannot be used; the old one then stays in use
   */
  renewTls(renewal: TlsRenewal): void
  /** Stops listening and closes the connections; resolves when the port is free. To send GOODBYE first, close the router. */
  close(): Promise<void>
}

/**
 * Serves a router on a port.
 *
 * @example
 * const { url, close } = await serve(new Router(), { port: 8080 })
 * @throws WampError `wampy.error.usage` for invalid options, `wampy.error.listen_failed`
 */
export async function serve(router: Attachable, options: ServeOptions = {}): Promise<Served> {
  checkAttachable('serve', router)
  checkRules('serve', options, SERVE_RULES)
  const { server: existing, tls, host = '127.0.0.1', port = 8080, path = '/ws' } = options
  const { maxPayload = 16 * 2 ** 20, rawSocket = !existing } = options
  if (!/^\/[^?#]*$/.test(path)) throw usage(`a path must begin with a slash and have no query, got ${path}`)
  if (existing && tls) throw usage('an existing server has its own TLS: pass server or tls, not both')
  if (existing && rawSocket)
    throw usage('rawSocket needs a port that serve opens: with an existing server use serveRawSocket')

  const { origins = router.usesCookies ? [] : undefined, longPoll, cookies } = options
  const proxies = new TrustedProxies(options.trustedProxies)
  // The clients of a proxy on this machine may be anywhere.
  const isOpen = (): boolean => options.trustedProxies !== undefined || isExposed(server)
  const warn = (): void => warnIfOpen(server, router, isOpen())
  const polling = longPoll ? { origins, ...(longPoll === true ? {} : longPoll) } : undefined
  if (router.usesCookies && [origins, polling?.origins].some((each) => each?.includes('*'))) {
    throw usage(
      "origins: '*' would let every page act with the cookies of its visitors: list the origins of your pages",
    )
  }
  const setCookies = new WeakMap<IncomingMessage, string>()
  const server = existing ?? createOwnServer(tls)
  const certificate = new RenewableTls(server, tls)
  const connections = new Connections(router, options.serializers ?? [json, cbor, msgpack], options, proxies)
  const polls = polling && new LongPolls(connections, path, maxPayload, polling, cookies, proxies)
  const { metrics = false, health = false } = options
  const probes = metrics || health ? new Probes(router, metrics, health, () => connections.closing) : undefined
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload,
    WebSocket: sizeReporting(maxPayload),
    autoPong: false,
    // Not in its types yet.
    ...{ closeTimeout: CLOSE_TIMEOUT },
    perMessageDeflate: options.perMessageDeflate ?? false,
    handleProtocols: (offers) => connections.choose(offers) ?? false,
  })
  webSockets.on('headers', (headers, request) => {
    const header = setCookies.get(request)
    if (header !== undefined) headers.push(`Set-Cookie: ${header}`)
  })
  let closing: Promise<void> | undefined

  /** The reason why a handshake is refused; undefined if it is accepted. */
  function objection(
    request: IncomingMessage,
    socket: Duplex,
    { host, address }: OtherEnd,
  ): [status: number, text: string] | undefined {
    const refused = connections.refuse(socket, address, closeOf(socket))
    if (refused) return [503, refused]
    const others = router.authenticates === false && isOpen() ? [] : '*'
    if (!isAllowedOrigin(request.headers.origin, host, origins ?? others))
      return [403, 'pages of this origin may not connect here']
    const offered = request.headers['sec-websocket-protocol']
    if (connections.choose(offeredProtocols(request))) return undefined
    const received = offered === undefined ? 'none was offered' : `got ${offered.slice(0, 200)}`
    return [400, `Sec-WebSocket-Protocol must offer one of ${connections.protocolList}; ${received}`]
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const wanted = pathOf(request)
    if (wanted !== path && (existing || wanted !== '/')) {
      // Another listener may serve this path and will answer.
      const alone = !existing || existing.listenerCount('upgrade') === 1
      if (alone) refuseUpgrade(socket, 404, `there is no router at ${wanted}; it is at ${path}`)
      return
    }
    const otherEnd = proxies.otherEnd(socket, request)
    const objected = objection(request, socket, otherEnd)
    if (objected) {
      refuseUpgrade(socket, ...objected)
      return
    }
    const { facts, header } = knownTo(cookies, request, otherEnd, origins)
    if (header !== undefined) setCookies.set(request, header)
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const ended = new Promise((resolve) => webSocket.on('close', resolve))
      const transport = gathered(webSocket, socket)
      const info = requestInfo('websocket', transport.protocol, request, otherEnd)
      connections.attach(transport, info, { ...facts, maxMessage: maxPayload }, ended, socket)
    })
  }

  server.on('upgrade', upgrade)
  const take = (request: IncomingMessage, response: ServerResponse): boolean =>
    probes?.take(request, response) || polls?.take(request, response) || false
  const restoreHandlers = existing && (polls || probes) ? handleBefore(existing, take) : undefined
  if (!existing)
    server.on('request', (request, response) => {
      const refused = connections.requested(request.socket)
      if (refused !== undefined) {
        response.setHeader('Connection', 'close')
        fail(response, 503, refused)
      } else if (!take(request, response)) answerBrowser(request, response, path)
    })

  async function end(): Promise<void> {
    // First: polling clients must still get through, to receive the end.
    await connections.end()
    const freed = existing ? undefined : new Promise((resolve) => server.close(resolve))
    server.off('upgrade', upgrade)
    server.off('listening', warn)
    restoreHandlers?.()
    probes?.stop()
    for (const socket of sockets ?? []) socket.destroy()
    await freed
  }

  if (rawSocket) divertRawSocket(server, (socket, first) => acceptRawSocket(socket, first, connections, maxPayload))
  const sockets = existing ? undefined : socketsOf(server)
  if (!existing) connections.accept(server)
  if (!existing) {
    try {
      await listenOn(server, { port, host })
    } catch (error) {
      probes?.stop()
      await connections.end()
      throw error
    }
  }
  if (server.listening) warn()
  else server.once('listening', warn)

  const place = addressOf(server)
  const at = (scheme: string): string =>
    `${scheme}${'setSecureContext' in server ? 's' : ''}://${place.host}:${place.port}`
  return {
    get port() {
      return place.port
    },
    get url() {
      return `${at('ws')}${path}`
    },
    get rawSocketUrl() {
      return rawSocket ? at('rs') : undefined
    },
    get longPollUrl() {
      return polls && `${at('http')}${polls.path}`
    },
    renewTls: (renewal) => certificate.renew(renewal),
    close: () => {
      closing ??= end()
      return closing
    },
  }
}

/** For requests that never end; the time from the acceptance to a request is that of `helloTimeout`. */
const HTTP_LIMITS = { headersTimeout: 5000, requestTimeout: 30_000, connectionsCheckingInterval: 1000 }

function createOwnServer(tls: SecureServerOptions | undefined): Server {
  if (!tls) return createServer(HTTP_LIMITS)
  try {
    return createSecureServer(withTlsDefaults({ ...HTTP_LIMITS, ...tls }))
  } catch (error) {
    const text = `cannot use this key and certificate for TLS: ${(error as Error).message}`
    throw new WampError(LISTEN_FAILED, [text], {}, { cause: error })
  }
}

function offeredProtocols(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((offer) => offer.trim())
}

/** Answers a browser that opens the router's URL. */
function answerBrowser(request: IncomingMessage, response: ServerResponse, path: string): void {
  const here = [path, '/'].includes(pathOf(request))
  response.writeHead(here ? 426 : 404, {
    'Content-Type': 'text/plain',
    Connection: 'close',
    ...(here && { Upgrade: 'websocket' }),
  })
  response.end(`This is a WAMP router. Connect to ${path} with a WebSocket.\n`)
}

function refuseUpgrade(socket: Duplex, status: number, text: string): void {
  const head = ['Connection: close', 'Content-Type: text/plain', `Content-Length: ${Buffer.byteLength(text) + 1}`]
  socket.on('error', () => socket.destroy())
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${head.join('\r\n')}\r\n\r\n${text}\n`)
}

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
}
