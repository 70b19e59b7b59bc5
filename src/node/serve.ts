/** Puts a router on a port: WebSocket on a server of its own, or beside the other handlers of an existing one. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type ServerOptions as SecureServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type PerMessageDeflateOptions, WebSocketServer } from 'ws'
import { WampError } from '../protocol/error.ts'
import { LISTEN_FAILED, USAGE } from '../protocol/names.ts'
import { cbor } from '../serializer/cbor.ts'
import { json } from '../serializer/json.ts'
import { msgpack } from '../serializer/msgpack.ts'
import type { Serializer } from '../serializer/serializer.ts'
import { type Attachable, framed } from '../session/link.ts'
import type { Transport } from '../transport/transport.ts'
import { gathered } from './gather.ts'

export interface ServeOptions {
  /** 8080 by default; 0 picks a free one. */
  readonly port?: number | undefined
  /** 127.0.0.1 by default, which only this machine reaches; 0.0.0.0 is every interface. */
  readonly host?: string | undefined
  /** `/ws` by default. On a port of its own `/` answers too. */
  readonly path?: string | undefined
  /** An existing `http` or `https` server to stand beside; it is not closed, and its other upgrades are left alone. */
  readonly server?: Server | undefined
  /** Key and certificate, for `wss` on a port of its own. */
  readonly tls?: SecureServerOptions | undefined
  /** JSON, CBOR and MessagePack by default. The client's order of preference decides. */
  readonly serializers?: readonly Serializer[] | undefined
  /** The longest message that is taken, in bytes: 16 MiB by default. */
  readonly maxPayload?: number | undefined
  /** Off by default: it costs memory for each connection, and gathered writes. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined
  /** Milliseconds of silence after which a client is pinged: 20,000 by default, 0 for never. */
  readonly pingInterval?: number | undefined
  /** Milliseconds without a sign of life after that ping until the connection is ended: 10,000 by default, 0 for never. */
  readonly pingTimeout?: number | undefined
  /** More are answered with 503. No limit by default. */
  readonly maxConnections?: number | undefined
}

export interface Served {
  /** Where clients on this machine connect: `ws://127.0.0.1:8080/ws`. */
  readonly url: string
  /** 0 while an existing server does not listen yet. */
  readonly port: number
  /** Stops listening and ends the connections; resolves when the port is free. To say GOODBYE first, close the router. */
  close(): Promise<void>
}

/** How long a client may take to answer the closing handshake. */
const CLOSE_TIMEOUT = 2_000
/** Silence is counted in this many steps per ping timeout. */
const STEPS = 4

/**
 * Serves a router on a port.
 *
 * @example
 * const { url, close } = await serve(new Router(), { port: 8080 })
 */
export async function serve(router: Attachable, options: ServeOptions = {}): Promise<Served> {
  const { server: existing, tls, host = '127.0.0.1', port = 8080, path = '/ws' } = options
  const { pingInterval = 20_000, pingTimeout = 10_000, maxConnections = Number.POSITIVE_INFINITY } = options
  const serializers = new Map(
    (options.serializers ?? [json, cbor, msgpack]).map((each) => [`wamp.2.${each.name}`, each]),
  )
  const spoken = [...serializers.keys()].join(', ')
  if (!path.startsWith('/')) throw new WampError(USAGE, [`a path begins with a slash, got ${path}`])
  if (existing && tls)
    throw new WampError(USAGE, ['an existing server has TLS of its own: pass server or tls, not both'])

  const connections = new Set<Connection>()
  const sockets = new Set<Socket>()
  let closing: Promise<void> | undefined

  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: options.maxPayload ?? 16 * 2 ** 20,
    perMessageDeflate: options.perMessageDeflate ?? false,
    handleProtocols: (offers) => choose(offers) ?? false,
  })

  function choose(offers: Iterable<string>): string | undefined {
    for (const offer of offers) if (serializers.has(offer)) return offer
    return undefined
  }

  /** Why a handshake is refused, if it is. */
  function objection(request: IncomingMessage): [status: number, text: string] | undefined {
    if (closing) return [503, 'the router is closing']
    if (connections.size >= maxConnections) return [503, `the limit of ${maxConnections} connections is reached`]
    const offered = request.headers['sec-websocket-protocol']
    if (choose(offersOf(request))) return undefined
    const came = offered === undefined ? 'none was offered' : `got ${offered.slice(0, 200)}`
    return [400, `Sec-WebSocket-Protocol must offer one of ${spoken}; ${came}`]
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const wanted = pathOf(request)
    if (wanted !== path && (existing || wanted !== '/')) {
      // Another listener may know this path, and answers then.
      const alone = !existing || existing.listenerCount('upgrade') === 1
      if (alone) refuse(socket, 404, `there is no router at ${wanted}, but at ${path}`)
      return
    }
    const objected = objection(request)
    if (objected) {
      refuse(socket, ...objected)
      return
    }
    const serializer = serializers.get(choose(offersOf(request)) ?? '') as Serializer
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const transport = gathered(webSocket, socket)
      const connection: Connection = {
        transport,
        quiet: 0,
        gone: new Promise((resolve) => webSocket.on('close', resolve)),
      }
      connections.add(connection)
      webSocket.on('close', () => connections.delete(connection))
      socket.on('data', () => {
        connection.quiet = 0
      })
      try {
        router.attach(framed(transport, serializer))
      } catch {
        transport.close(1011, 'the router could not take the connection')
      }
    })
  }

  const server = existing ?? own(tls, (request, response) => answer(request, response, path))
  server.on('upgrade', upgrade)
  // One timer for all connections, and none of them counts time: a process that was stopped or busy for a while must
  // read what arrived meanwhile before it judges anybody.
  const step = pingTimeout > 0 ? pingTimeout / STEPS : pingInterval
  const quiet = Math.ceil(pingInterval / step)
  const timer = pingInterval > 0 ? setInterval(sweep, step) : undefined
  timer?.unref()

  function sweep(): void {
    for (const connection of connections) {
      connection.quiet++
      if (connection.quiet === quiet + 1) connection.transport.ping?.(() => {})
      else if (connection.quiet > quiet + STEPS && pingTimeout > 0) connection.transport.terminate()
    }
  }

  async function end(): Promise<void> {
    clearInterval(timer)
    const freed = existing ? undefined : new Promise((resolve) => server.close(resolve))
    const leaving = [...connections]
    for (const { transport } of leaving) transport.close(1001, 'the router is closing')
    await within(CLOSE_TIMEOUT, Promise.all(leaving.map(({ gone }) => gone)))
    for (const { transport } of connections) transport.terminate()
    server.off('upgrade', upgrade)
    await Promise.all(leaving.map(({ gone }) => gone))
    if (existing) return
    for (const socket of sockets) socket.destroy()
    await freed
  }

  if (!existing) {
    // Also those that never say anything, which `server.close` would wait for.
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    try {
      await listen(server, port, host)
    } catch (error) {
      clearInterval(timer)
      throw error
    }
  }

  const portOf = (): number => {
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }
  return {
    get port() {
      return portOf()
    },
    get url() {
      return `${'setSecureContext' in server ? 'wss' : 'ws'}://${hostOf(server)}:${portOf()}${path}`
    },
    close: () => {
      closing ??= end()
      return closing
    },
  }
}

interface Connection {
  readonly transport: Transport
  readonly gone: Promise<unknown>
  /** How many steps of the timer it has been silent. */
  quiet: number
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

function own(tls: SecureServerOptions | undefined, answer: Answer): Server {
  if (!tls) return createServer(answer)
  try {
    return createSecureServer(tls, answer) as Server
  } catch (error) {
    const text = `cannot use this key and certificate for TLS: ${(error as Error).message}`
    throw new WampError(LISTEN_FAILED, [text], {}, { cause: error })
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(new WampError(LISTEN_FAILED, [whyNot(error, port, host)], {}, { cause: error }))
    }
    server.once('error', fail)
    try {
      server.listen(port, host, () => {
        server.off('error', fail)
        // A connection that could not be accepted is its own trouble, not the router's.
        server.on('error', () => {})
        resolve()
      })
    } catch (error) {
      fail(error as Error)
    }
  })
}

function whyNot(error: NodeJS.ErrnoException, port: number, host: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop what listens there, or choose another port (0 picks a free one)`
    case 'EACCES':
      return `port ${port} on ${host} may not be opened by this user: choose one from 1024 on`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: use 127.0.0.1, or 0.0.0.0 for every interface`
    default:
      return `cannot listen on port ${port} of ${host}: ${error.message}`
  }
}

/** Where a client on this machine reaches a server: an address that stands for every interface is none. */
function hostOf(server: Server): string {
  const address = server.address()
  if (typeof address !== 'object' || !address || address.address === '::') return 'localhost'
  if (address.address === '0.0.0.0') return '127.0.0.1'
  return address.family === 'IPv6' ? `[${address.address}]` : address.address
}

function offersOf(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((offer) => offer.trim())
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/'
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

/** What a browser that was pointed at the router shows. */
function answer(request: IncomingMessage, response: ServerResponse, path: string): void {
  const here = [path, '/'].includes(pathOf(request))
  response.writeHead(here ? 426 : 404, {
    'Content-Type': 'text/plain',
    Connection: 'close',
    ...(here && { Upgrade: 'websocket' }),
  })
  response.end(`This is a WAMP router. Connect to ${path} with a WebSocket.\n`)
}

function refuse(socket: Duplex, status: number, text: string): void {
  const head = ['Connection: close', 'Content-Type: text/plain', `Content-Length: ${Buffer.byteLength(text) + 1}`]
  socket.on('error', () => socket.destroy())
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${head.join('\r\n')}\r\n\r\n${text}\n`)
}

const REASONS: Record<number, string> = { 400: 'Bad Request', 404: 'Not Found', 503: 'Service Unavailable' }

async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
