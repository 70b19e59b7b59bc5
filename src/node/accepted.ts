/** Connections from their acceptance on: their number, and the time in which they must become a transport. */

import type { Server, Socket } from 'node:net'
import type { PerAddress } from './per-address.ts'
import { plainAddress } from './trusted-proxies.ts'

/** Milliseconds for a connection above the limit to send its request, which is refused with a reason. */
const FAREWELL = 500
/** The number of connections above the limit that are told the reason; any more are cut at once. */
const TOLD = 64

export class Accepted {
  readonly #limit: number
  readonly #perAddress: PerAddress
  readonly #requests: PerAddress
  readonly #turnedAway: (text: string) => void
  readonly #sockets = new Set<Socket>()
  /** Above the limit of their address, and told so. */
  readonly #told = new Set<Socket>()
  readonly #deadlines = new Map<object, NodeJS.Timeout>()

  /**
   * `timeout` is the time in milliseconds from the acceptance to a complete handshake; `turnedAway` is called with the
   * reason for each connection that is closed without an answer.
   */
  constructor(
    server: Server,
    limit: number,
    perAddress: PerAddress,
    timeout: number,
    turnedAway: (text: string) => void,
  ) {
    this.#limit = limit
    this.#perAddress = perAddress
    this.#requests = perAddress.ofRequests()
    this.#turnedAway = turnedAway
    const secure = 'setSecureContext' in server
    const excess = `the limit of ${limit} connections is reached`
    const late = `no handshake within ${timeout} ms`
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      const allowed = perAddress.enter(socket, plainAddress(socket.remoteAddress))
      socket.on('close', () => {
        this.#sockets.delete(socket)
        this.#told.delete(socket)
        this.settled(socket)
        perAddress.leave(socket)
        this.#requests.leave(socket)
      })
      if (this.#sockets.size > limit + TOLD) this.#cut(socket, excess)
      else if (!allowed && this.#told.size === TOLD) this.#cut(socket, perAddress.reason)
      else if (!allowed) {
        this.#told.add(socket)
        this.#watch(socket, Math.min(FAREWELL, timeout), perAddress.reason)
      } else if (this.full) this.#watch(socket, Math.min(FAREWELL, timeout), excess)
      else if (!secure) this.#watch(socket, timeout, late)
    })
    // After the handshake of TLS, which has a time limit of its own.
    if (secure)
      server.on('secureConnection', (socket: Socket) => {
        this.#watch(socket, timeout, late)
        // Another object than that of the connection.
        socket.on('close', () => this.settled(socket))
      })
  }

  /** True if there are more connections than allowed. */
  get full(): boolean {
    return this.#sockets.size > this.#limit
  }

  /** The connection has become a transport. */
  settled(socket: object): void {
    clearTimeout(this.#deadlines.get(socket))
    this.#deadlines.delete(socket)
  }

  /**
   * The connection has sent a whole request of HTTP, which has limits of its own; a polling client needs several. Returns
   * the reason why the request is refused, if it is.
   */
  requested(socket: Socket): string | undefined {
    this.settled(socket)
    this.#sockets.delete(socket)
    this.#told.delete(socket)
    this.#perAddress.leave(socket)
    if (this.#requests.enter(socket, plainAddress(socket.remoteAddress))) return undefined
    this.#turnedAway(this.#requests.reason)
    return this.#requests.reason
  }

  #cut(socket: Socket, text: string): void {
    this.#turnedAway(text)
    socket.destroy()
  }

  #watch(socket: Socket, time: number, reason: string): void {
    if (this.#deadlines.has(socket)) return
    // A deadline: a byte now and then does not move it.
    this.#deadlines.set(
      socket,
      setTimeout(() => this.#cut(socket, reason), time),
    )
  }
}
