/** A MessagePort as a transport: between a page and a worker, between tabs and a SharedWorker, between threads of Node. */

import { usage, WampError } from '../protocol/error.ts'
import { CONNECTION_FAILED } from '../protocol/names.ts'
import { formatValue } from '../protocol/validate.ts'
import { BROKEN, cutReason, Inbox } from './inbox.ts'
import { later } from './lane.ts'
import type { CloseInfo, Dial, Frame, Prepared, Transport, TransportSink } from './transport.ts'
import { holdLock, watchLock } from './web-lock.ts'

/** The part of a MessagePort that is used, of the browser's or Node's. */
export interface PortLike {
  postMessage(message: unknown, transfer?: never): void
  addEventListener(type: 'message' | 'messageerror' | 'close', listener: (event: never) => void): void
  start(): void
  close(): void
}

/** A receiver of ports: a Worker, the port of a SharedWorker, a MessagePort. */
export interface PortTarget {
  postMessage(message: unknown, transfer: never): void
  start?(): void
}

/** A SharedWorker; its port is used. */
export interface PortOwner {
  readonly port: PortTarget
}

/** The message to a worker's scope that opens a connection: everything else goes over the port in it. */
export interface DialRequest {
  readonly wampy: 'dial'
  readonly port: PortLike
  readonly protocols: readonly string[]
  /** The Web Lock that the dialing side holds while it is alive, if it has locks. */
  readonly lock: string | undefined
}

export function isDialRequest(data: unknown): data is DialRequest {
  const { wampy, port, protocols } = (data ?? {}) as Partial<DialRequest>
  const offers = Array.isArray(protocols) && protocols.every((each) => typeof each === 'string')
  return wampy === 'dial' && typeof port?.postMessage === 'function' && offers
}

/** A packet on a port. Bytes are counted and acknowledged, because a port does not report its backlog. */
type Packet =
  | readonly ['open', protocol: string, lock?: string]
  | readonly ['refuse', reason: string]
  | readonly ['frame', frame: Frame]
  | readonly ['taken', bytes: number]
  | readonly ['ping']
  | readonly ['pong']
  | readonly ['close', code: number, reason: string]

/**
 * A dial for the option `dial` of a WampRouter, to a worker that runs `acceptPorts`. It takes a worker, or a function that
 * returns one for each attempt to connect.
 *
 * @example
 * new WampRouter({ name: 'the worker', dial: portDial(() => new SharedWorker('/router.js')) })
 */
export function portDial(target: PortTarget | PortOwner | (() => PortTarget | PortOwner)): Dial {
  const port: unknown = Object((target as Partial<PortOwner>)?.port ?? target)
  if (typeof target !== 'function' && typeof (port as Partial<PortTarget>).postMessage !== 'function') {
    throw usage(`portDial expects a worker, a port, or a function that returns one, got ${formatValue(target)}`)
  }
  return async (_url, protocols, signal) => {
    signal.throwIfAborted()
    const made = typeof target === 'function' ? target() : target
    return new Promise((resolve, reject) => {
      openPort(made, protocols, signal, resolve, reject).catch(reject)
    })
  }
}

async function openPort(
  made: PortTarget | PortOwner,
  protocols: readonly string[],
  signal: AbortSignal,
  resolve: (transport: Transport) => void,
  reject: (error: unknown) => void,
): Promise<void> {
  const worker = 'port' in made ? made.port : made
  const { port1, port2 } = new MessageChannel()
  const port = port1 as unknown as PortLike
  const failed = (reason: string): WampError =>
    new WampError(CONNECTION_FAILED, [`could not reach the worker: ${reason}`])
  const { addEventListener, removeEventListener } = made as Partial<EventTarget>
  let ended = false
  let transport: PortTransport | undefined
  let release = (): void => {}
  let forget = (): void => {}
  const settle = (): void => {
    signal.removeEventListener('abort', abort)
    removeEventListener?.call(made, 'error', broke)
  }
  const end = (error: unknown): void => {
    ended = true
    settle()
    forget()
    release()
    port.close()
    // No effect if the promise has resolved.
    reject(error)
  }
  const abort = (): void => end(signal.reason)
  const broke = (): void => end(failed('its script could not be loaded, or threw'))
  // Before the first await: a worker may fail at once.
  signal.addEventListener('abort', abort)
  addEventListener?.call(made, 'error', broke)
  // If its lock is revoked, the other end takes this live page for dead.
  const own = await holdLock(() => transport?.lost())
  release = own.release
  if (ended) {
    release()
    return
  }
  const dialed = new PortTransport(port, '', {
    answered(packet) {
      if (packet[0] === 'refuse') return end(failed(stringOrEmpty(packet[1])))
      if (packet[0] !== 'open' || !protocols.includes(packet[1])) return end(failed('it sent an unexpected answer'))
      settle()
      dialed.protocol = packet[1]
      forget = watchLock(stringOrEmpty(packet[2]) || undefined, () => dialed.lost()) ?? forget
      resolve(dialed)
    },
    ended: () => end(failed('it closed the port')),
  })
  transport = dialed
  try {
    const message: DialRequest = { wampy: 'dial', port: port2 as unknown as PortLike, protocols, lock: own.lock }
    worker.postMessage(message, [port2] as never)
    worker.start?.()
  } catch (error) {
    end(error)
  }
}

export interface PortEvents {
  /** The greatest length of an incoming frame; no limit by default. */
  readonly maxPayload?: number
  /** Called with the first packet, if this side dialed. */
  answered?(packet: Packet): void
  /** Called for every packet. */
  received?(): void
  /** Called when the transport has ended. */
  ended(): void
}

/** Milliseconds to wait for packets sent before the release of the peer's lock. */
const GRACE = 250

export class PortTransport implements Transport {
  protocol: string
  readonly framing = 'port'
  readonly #port: PortLike
  readonly #events: PortEvents
  readonly #inbox = new Inbox()
  #waiting: boolean
  #ended = false
  #pings: (() => void)[] = []
  #backlog = 0
  #taken = 0
  #paused = false

  constructor(port: PortLike, protocol: string, events: PortEvents) {
    this.protocol = protocol
    this.#port = port
    this.#events = events
    this.#waiting = events.answered !== undefined
    port.addEventListener('message', ({ data }: { data: unknown }) => {
      if (Array.isArray(data)) this.#receive(data as unknown as Packet)
    })
    port.addEventListener('messageerror', () => this.terminate())
    // Node fires this event, and browsers begin to; elsewhere a lock or an unanswered ping reveals the end.
    port.addEventListener('close', () => this.#end(BROKEN))
    port.start()
  }

  get backlog(): number {
    return this.#backlog
  }

  open(sink: TransportSink): void {
    this.#inbox.open(sink)
  }

  /** Sends the dialing side the chosen subprotocol, and the lock that this side holds while it is alive. */
  accept(lock?: string): void {
    this.#post(lock === undefined ? ['open', this.protocol] : ['open', this.protocol, lock])
  }

  /** A lock was released: the peer is gone, is about to close, or takes this side for gone. */
  lost(): void {
    setTimeout(() => {
      // A peer that is alive must not take this for an open connection.
      this.#post(['close', BROKEN.code, 'a lock was released'])
      this.#end(BROKEN)
    }, GRACE)
  }

  send(frame: Frame): void {
    if (this.#inbox.closed) return
    this.#backlog += frame.length
    this.#post(['frame', ownBuffer(frame)])
  }

  /** Each receiver gets a copy anyway: only the encoding is saved. */
  prepare(frame: Frame): Prepared {
    return ownBuffer(frame)
  }

  write(prepared: Prepared): void {
    this.send(prepared as Frame)
  }

  /** A port cannot be paused. Instead its bytes are not acknowledged, so the peer's backlog grows. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#taken > 0) this.#acknowledge()
  }

  ping(answered: () => void): void {
    if (this.#inbox.closed) return
    this.#pings.push(answered)
    this.#post(['ping'])
  }

  close(code = 1000, reason = ''): void {
    if (this.#inbox.closed) return
    this.#inbox.mute()
    const info = { code, reason: cutReason(reason) }
    this.#post(['close', code, info.reason])
    later(() => this.#end(info))
  }

  terminate(): void {
    this.#inbox.mute()
    this.#end(BROKEN)
  }

  #post(packet: Packet): void {
    if (!this.#ended) this.#port.postMessage(packet)
  }

  #receive(packet: Packet): void {
    if (this.#ended) return
    this.#events.received?.()
    if (this.#waiting) {
      this.#waiting = false
      this.#events.answered?.(packet)
      return
    }
    switch (packet[0]) {
      case 'frame':
        this.#take(packet[1])
        break
      case 'taken':
        // Anything but a positive number is ignored.
        if (Number.isFinite(packet[1]) && packet[1] > 0) this.#backlog = Math.max(0, this.#backlog - packet[1])
        break
      case 'ping':
        this.#post(['pong'])
        break
      case 'pong':
        for (const answered of this.#pings.splice(0)) answered()
        break
      case 'close':
        this.#end({
          code: Number.isInteger(packet[1]) ? packet[1] : BROKEN.code,
          reason: cutReason(stringOrEmpty(packet[2])),
        })
    }
  }

  #take(frame: unknown): void {
    // Shared bytes could change after they were checked.
    if (typeof frame !== 'string' && !(frame instanceof Uint8Array && frame.buffer instanceof ArrayBuffer)) {
      this.#fail(1003, 'a frame must be text or bytes')
      return
    }
    const { maxPayload = Number.POSITIVE_INFINITY } = this.#events
    if (frame.length > maxPayload) {
      this.#fail(1009, `a message may have at most ${maxPayload} bytes, got ${frame.length}`)
      return
    }
    // One acknowledgement for all frames of a turn.
    if (this.#taken === 0) later(() => this.#acknowledge())
    this.#taken += frame.length
    this.#inbox.frame(frame)
  }

  #acknowledge(): void {
    if (this.#paused || this.#taken === 0) return
    this.#post(['taken', this.#taken])
    this.#taken = 0
  }

  /** Ends the transport after a violation by the peer, and sends the reason. */
  #fail(code: number, reason: string): void {
    this.#post(['close', code, reason])
    this.#end({ code, reason })
  }

  #end(info: CloseInfo): void {
    if (this.#ended) return
    this.#ended = true
    this.#port.close()
    this.#inbox.end(info)
    this.#events.ended()
  }
}

/** Returns '' for anything but text: a port carries values of any type. */
function stringOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Returns text, or bytes in a buffer of their own: the copy of a view would include its whole buffer. */
function ownBuffer(frame: Frame): Frame {
  return typeof frame === 'string' || frame.length === frame.buffer.byteLength ? frame : new Uint8Array(frame)
}
