/** Accepts RawSocket connections for a router: on a port or socket file of their own, or passed on by `serve`. */

import { chmod } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer, type TlsOptions } from 'node:tls'
import { usage } from '../protocol/error.ts'
import { RAWSOCKET_HANDSHAKE } from '../protocol/fixed-limits.ts'
import { ANY_OBJECT, checkRules, LIMIT, type OptionRules, PORT, STRING } from '../protocol/option-rules.ts'
import { cbor } from '../serializer/cbor.ts'
import { json } from '../serializer/json.ts'
import { msgpack } from '../serializer/msgpack.ts'
import type { Attachable } from '../session/link.ts'
import { factsOf, socketInfo } from './connection-info.ts'
import { CONNECTION_RULES, type ConnectionOptions, Connections, checkAttachable } from './connections.ts'
import { addressOf, closeOf, listenOn, socketsOf, warnIfOpen } from './listen.ts'
import {
  fourOctets,
  greeting,
  limitOf,
  protocolOf,
  readRequest,
  refusal,
  TOO_MANY_CONNECTIONS,
  UNSUPPORTED_SERIALIZER,
} from './rawsocket-handshake.ts'
import { RawSocket } from './rawsocket-transport.ts'
import { RenewableTls, type TlsRenewal, withTlsDefaults } from './tls-server.ts'

export interface RawSocketServeOptions extends ConnectionOptions {
  /** 8080 by default; 0 picks a free one. */
  readonly port?: number | undefined
  /** 127.0.0.1 by default, for this machine only; 0.0.0.0 is every interface. */
  readonly host?: string | undefined
  /** A unix socket instead of a port. The file that a dead process left behind is replaced. */
  readonly path?: string | undefined
  /** The permissions of the unix socket, such as 0o600. The process's own by default. */
  readonly mode?: number | undefined
  /** Key and certificate, for `rss`. TLS 1.2 at least, unless `minVersion` says otherwise. */
  readonly tls?: TlsOptions | undefined
  /** The greatest length of an incoming message, in bytes, rounded down to a power of two: 16 MiB, the maximum, by default. */
  readonly maxPayload?: number | undefined
}

const RAW_SOCKET_SERVE_RULES: OptionRules<RawSocketServeOptions> = {
  ...CONNECTION_RULES,
  port: PORT,
  host: STRING,
  path: STRING,
  mode: ['the permissions of a file, such as 0o600', (value) => Number.isInteger(value) && Number(value) >= 0],
  tls: ANY_OBJECT,
  maxPayload: LIMIT,
}

/** A router on a port or a unix socket. */
export interface RawSocketServed {
  /** Where clients on this machine connect: `rs://127.0.0.1:8080`, or `unix:/run/router.sock`. */
  readonly url: string
  /** 0 for a unix socket. */
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
 * Serves a router to RawSocket clients only. (A port that `serve` opened accepts them as well.)
 *
 * @example
 * const { url, close } = await serveRawSocket(new Router(), { path: '/run/router.sock' })
 */
export async function serveRawSocket(
  router: Attachable,
  options: RawSocketServeOptions = {},
): Promise<RawSocketServed> {
  checkAttachable('serveRawSocket', router)
  checkRules('serveRawSocket', options, RAW_SOCKET_SERVE_RULES)
  const { port = 8080, host = '127.0.0.1', path, tls, mode } = options
  if (path !== undefined && (options.port !== undefined || options.host !== undefined)) {
    throw usage('a router listens on a path, or on a port of a host, not on both')
  }
  const connections = new Connections(router, options.serializers ?? [json, cbor, msgpack], options)
  const take = (socket: Socket): void => {
    acceptRawSocket(socket, Buffer.alloc(0), connections, options.maxPayload)
  }
  let server: Server
  try {
    server = tls ? createSecureServer(withTlsDefaults(tls), take) : createServer({ noDelay: true }, take)
  } catch (error) {
    await connections.end()
    throw usage(`tls: ${(error as Error).message}`, error)
  }
  const certificate = new RenewableTls(server, tls)
  // A failed handshake does not concern the server.
  server.on('tlsClientError', () => {})
  const sockets = socketsOf(server)
  connections.accept(server)
  try {
    await listenOn(server, path === undefined ? { port, host } : { path })
    if (path !== undefined && mode !== undefined) await chmod(path, mode)
    warnIfOpen(server, router)
  } catch (error) {
    await connections.end()
    throw error
  }
  const end = async (): Promise<void> => {
    const freed = new Promise((resolve) => server.close(resolve))
    await connections.end()
    for (const socket of sockets) socket.destroy()
    await freed
  }
  let closing: Promise<void> | undefined
  const { host: at, port: number } = addressOf(server)
  return {
    port: number,
    url: path === undefined ? `${tls ? 'rss' : 'rs'}://${at}:${number}` : `unix:${path}`,
    renewTls: (renewal) => certificate.renew(renewal),
    close: () => {
      closing ??= end()
      return closing
    },
  }
}

/** Performs the handshake with a client, of which `first` was read already, and attaches it to the router. */
export function acceptRawSocket(socket: Socket, first: Buffer, connections: Connections, maxPayload = 2 ** 24): void {
  const limit = limitOf(maxPayload)
  // A connection that breaks before the handshake is ignored.
  const ignore = (): void => {}
  const broken = (): void => void socket.destroy()
  socket.on('error', ignore)
  socket.on('end', broken)
  socket.setTimeout(RAWSOCKET_HANDSHAKE, () => {
    connections.turnedAway(`no handshake within ${RAWSOCKET_HANDSHAKE} ms`)
    broken()
  })
  fourOctets(socket, first, (octets, rest) => {
    socket.off('end', broken)
    const wanted = readRequest(octets)
    if (wanted === undefined) {
      socket.destroy()
      return
    }
    const refuse = (error: number): void => {
      socket.end(refusal(error))
      socket.resume()
    }
    if (typeof wanted === 'number') return refuse(wanted)
    const protocol = connections.choose([protocolOf(wanted.serializer) ?? ''], false)
    if (protocol === undefined) return refuse(UNSUPPORTED_SERIALIZER)
    const facts = factsOf(socket)
    const ended = closeOf(socket)
    if (connections.refuse(socket, facts.address, ended)) return refuse(TOO_MANY_CONNECTIONS)
    socket.setTimeout(0)
    socket.setNoDelay(true)
    socket.write(greeting({ limit, serializer: wanted.serializer }))
    const transport = new RawSocket(socket, { protocol, ours: limit, theirs: wanted.limit }, rest, true)
    connections.attach(transport, socketInfo('rawsocket', protocol, socket), facts, ended, socket)
    socket.resume()
  })
}
