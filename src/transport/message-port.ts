/** A MessagePort as a transport: between a page and a worker, between tabs and a SharedWorker, between threads of Node. */

import { usage, WampError } from '../protocol/error.ts'
import { CONNECTION_FAILED } from '../protocol/names.ts'
import { formatValue } from '../protocol/validate.ts'
import { BROKEN, cutReason, Inbox } from './inbox.ts'
import { later } from './later.ts'
import { holdLock, watchLock } from './lock.ts'
import type { CloseInfo, Dial, Frame, Prepared, Transport, TransportSink } from './transport.ts'

/** What is used of a MessagePort, the browser's or Node's. */
export interface PortLike {
  postMessage(message: unknown, transfer?: never): void
  addEventListener(type: 'message' | 'messageerror' | 'close', listener: (event: never) => void): void
  start(): void
  close(): void
}

/** What can be sent a port: a Worker, the port of a SharedWorker, a MessagePort. */
export interface PortTarget {
  postMessage(message: unknown, transfer: never): void
  start?(): void
}

/** A SharedWorker, whose port is meant. */
export interface PortOwner {
  readonly port: PortTarget
}

/** What is sent to a worker's scope: everything else goes over the port that it brings. */
export interface Knock {
  readonly wampy: 'dial'
  readonly port: PortLike
  readonly protocols: readonly string[]
  /** The Web Lock that the caller holds as long as it lives, where it can. */
  readonly lock: string | undefined
}

export function isKnock(data: unknown): data is Knock {
  const { wampy, port, protocols } = (data ?? {}) as Partial<Knock>
  const offers = Array.isArray(protocols) && protocols.every((each) => typeof each === 'string')
  return wampy === 'dial' && typeof port?.postMessage === 'function' && offers
}

/** What goes over a port. Bytes are counted and acknowledged, since a port does not tell what waits in it. */
type Packet =
  | readonly ['open', protocol: string, lock?: string]
  | readonly ['refuse', why: string]
  | readonly ['frame', frame: Frame]
  | readonly ['taken', bytes: number]
  | readonly ['ping']
  | readonly ['pong']
  | readonly ['close', code: number, reason: string]

/**
 * A dial for the option `dial` of a WampRouter, to a worker in which `acceptPorts` waits. It may be given a worker, or
 * a function that makes one for every attempt to connect.
 *
 * @example
 * new WampRouter({ name: 'the worker', dial: portDial(() => new SharedWorker('/router.js')) })
 */
export function portDial(target: PortTarget | PortOwner | (() => PortTarget | PortOwner)): Dial {
  const port: unknown = Object((target as Partial<PortOwner>)?.port ?? target)
  if (typeof target !== 'function' && typeof (port as Partial<PortTarget>).postMessage !== 'function') {
    throw usage(`portDial takes a worker, a port, or a function that makes one, got ${formatValue(target)}`)
  }
  return async (_url, protocols, signal) => {
    signal.throwIfAborted()
    const made = typeof target === 'function' ? target() : target
    return new Promise((resolve, reject) => {
      knock(made, protocols, signal, resolve, reject).catch(reject)
    })
  }
}

async function knock(
  made: PortTarget | PortOwner,
  protocols: readonly string[],
  signal: AbortSignal,
  resolve: (transport: Transport) => void,
  reject: (error: unknown) => void,
): Promise<void> {
  const worker = 'port' in made ? made.port : made
  const { port1, port2 } = new MessageChannel()
  const port = port1 as unknown as PortLike
  const failed = (why: string): WampError => new WampError(CONNECTION_FAILED, [`could not reach the worker: ${why}`])
  const { addEventListener, removeEventListener } = made as Partial<EventTarget>
  let over = false
  let transport: PortTransport | undefined
  let release = (): void => {}
  let forget = (): void => {}
  const settle = (): void => {
    signal.removeEventListener('abort', abort)
    removeEventListener?.call(made, 'error', broke)
  }
  const end = (error: unknown): void => {
    over = true
    settle()
    forget()
    release()
    port.close()
    // Nothing happens where it has resolved.
    reject(error)
  }
  const abort = (): void => end(signal.reason)
  const broke = (): void => end(failed('its script could not be loaded, or threw'))
  // Before anything is awaited: a worker may fail at once.
  signal.addEventListener('abort', abort)
  addEventListener?.call(made, 'error', broke)
  // Without its lock a page that lives counts as dead at the other end.
  const own = await holdLock(() => transport?.lost())
  release = own.release
  if (over) {
    release()
    return
  }
  const dialed = new PortTransport(port, '', {
    answered(packet) {
      if (packet[0] === 'refuse') return end(failed(stringOrEmpty(packet[1])))
      if (packet[0] !== 'open' || !protocols.includes(packet[1])) return end(failed('it answered something else'))
      settle()
      dialed.protocol = packet[1]
      forget = watchLock(stringOrEmpty(packet[2]) || undefined, () => dialed.lost()) ?? forget
      resolve(dialed)
    },
    ended: () => end(failed('it closed the port')),
  })
  transport = dialed
  try {
    const message: Knock = { wampy: 'dial', port: port2 as unknown as PortLike, protocols, lock: own.lock }
    worker.postMessage(message, [port2] as never)
    worker.start?.()
  } catch (error) {
    end(error)
  }
}

export interface PortEvents {
  /** The longest frame that is taken; without it any. */
  readonly maxPayload?: number
  /** The first packet, where this side dialed. */
  answered?(packet: Packet): void
  /** Anything came. */
  received?(): void
  /** The transport is over. */
  ended(): void
}

/** How long to wait, where a lock says that the peer is gone, for what it sent before. */
const GRACE = 250

export class PortTransport implements Transport {
  protocol: string
  readonly framing = 'port'
  readonly #port: PortLike
  readonly #events: PortEvents
  readonly #inbox = new Inbox()
  #waiting: boolean
  #over = false
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
    // Node says so, and browsers begin to; elsewhere a lock tells, or a ping that is not answered.
    port.addEventListener('close', () => this.#end(BROKEN))
    port.start()
  }

  get backlog(): number {
    return this.#backlog
  }

  open(sink: TransportSink): void {
    this.#inbox.open(sink)
  }

  /** Tells who dialed what was chosen, and the lock that this side holds as long as it lives. */
  accept(lock?: string): void {
    this.#post(lock === undefined ? ['open', this.protocol] : ['open', this.protocol, lock])
  }

  /** A lock was released: the peer is gone, or about to say so, or believes that of this side. */
  lost(): void {
    setTimeout(() => {
      // It may live all the same, and must not take this for an open connection.
      this.#post(['close', BROKEN.code, 'a lock was released'])
      this.#end(BROKEN)
    }, GRACE)
  }

  send(frame: Frame): void {
    if (this.#inbox.closed) return
    this.#backlog += frame.length
    this.#post(['frame', ownBuffer(frame)])
  }

  /** Each receiver gets a copy anyway: what is saved is the encoding. */
  prepare(frame: Frame): Prepared {
    return ownBuffer(frame)
  }

  write(prepared: Prepared): void {
    this.send(prepared as Frame)
  }

  /** A port delivers what is in it. The peer is not told that it was taken, so its backlog grows. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#taken > 0) this.#tellTaken()
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
    if (!this.#over) this.#port.postMessage(packet)
  }

  #receive(packet: Packet): void {
    if (this.#over) return
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
        // What is no number, or below nothing, took nothing.
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
    // Bytes that are shared could change after they were checked.
    if (typeof frame !== 'string' && !(frame instanceof Uint8Array && frame.buffer instanceof ArrayBuffer)) {
      this.#fail(1003, 'a frame is text or bytes')
      return
    }
    const { maxPayload: most = Number.POSITIVE_INFINITY } = this.#events
    if (frame.length > most) {
      this.#fail(1009, `a message may have ${most} bytes`)
      return
    }
    // One word for all that comes in a row.
    if (this.#taken === 0) later(() => this.#tellTaken())
    this.#taken += frame.length
    this.#inbox.frame(frame)
  }

  #tellTaken(): void {
    if (this.#paused || this.#taken === 0) return
    this.#post(['taken', this.#taken])
    this.#taken = 0
  }

  /** Ends what the peer broke, and says why. */
  #fail(code: number, reason: string): void {
    this.#post(['close', code, reason])
    this.#end({ code, reason })
  }

  #end(info: CloseInfo): void {
    if (this.#over) return
    this.#over = true
    this.#port.close()
    this.#inbox.end(info)
    this.#events.ended()
  }
}

/** A port carries anything: only text is taken for text. */
function stringOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Text, or bytes in a buffer of their own: a view would be copied with all that it is a view of. */
function ownBuffer(frame: Frame): Frame {
  return typeof frame === 'string' || frame.length === frame.buffer.byteLength ? frame : new Uint8Array(frame)
}
