/** Two transports joined in memory, frame by frame; a fence lets a test decide when each frame arrives. */

import { checkRules, FLAG, type OptionRules, STRING } from '../protocol/option-rules.ts'
import { cutReason } from './inbox.ts'
import { Lane } from './lane.ts'
import type { Frame, Transport, TransportSink } from './transport.ts'

export interface WiresOptions {
  /** The subprotocol of both ends: `wamp.2.json` by default. */
  readonly protocol?: string | undefined
  /** Keeps every frame, and the end, at a fence until it is released. */
  readonly hold?: boolean | undefined
}

const WIRES_RULES: OptionRules<WiresOptions> = { protocol: STRING, hold: FLAG }

/** The frames that travel towards one end. */
export interface Direction {
  /** The frames that have not arrived yet. */
  readonly held: readonly Frame[]
  /** Lets the next `count` frames pass the fence: by default all that wait. The end counts as one. */
  release(count?: number): void
}

export interface Wires {
  readonly a: Transport
  readonly b: Transport
  readonly toA: Direction
  readonly toB: Direction
  /** Lets everything that waits now pass, in both directions. */
  release(): void
}

/**
 * Two ends of one connection in memory.
 *
 * @example
 * const { a, b, toB } = wires({ hold: true })
 * a.send('first')
 * a.send('second')
 * toB.release(1)
 * @throws WampError `wampy.error.usage` that names an unknown option or one of a wrong type
 */
export function wires(options: WiresOptions = {}): Wires {
  checkRules('wires', options, WIRES_RULES)
  const { protocol = 'wamp.2.json', hold = false } = options
  const toA = new Lane<Frame>(hold)
  const toB = new Lane<Frame>(hold)
  return {
    a: new Wire(protocol, toA, toB),
    b: new Wire(protocol, toB, toA),
    toA: directionOf(toA),
    toB: directionOf(toB),
    release() {
      toA.release()
      toB.release()
    },
  }
}

function directionOf(lane: Lane<Frame>): Direction {
  return {
    get held() {
      return [...lane.waiting]
    },
    release: (count) => lane.release(count),
  }
}

class Wire implements Transport {
  readonly protocol: string
  readonly #in: Lane<Frame>
  readonly #out: Lane<Frame>

  constructor(protocol: string, incoming: Lane<Frame>, outgoing: Lane<Frame>) {
    this.protocol = protocol
    this.#in = incoming
    this.#out = outgoing
  }

  get backlog(): number {
    return this.#out.waiting.reduce((sum, frame) => sum + frame.length, 0)
  }

  open(sink: TransportSink): void {
    this.#in.open({ item: (frame) => sink.frame(frame), closed: (info) => sink.closed(info) })
  }

  send(frame: Frame): void {
    // A copy, because the sender may reuse its buffer.
    if (!this.#in.closed) this.#out.push(typeof frame === 'string' ? frame : new Uint8Array(frame))
  }

  pause(): void {
    this.#in.pause()
  }

  resume(): void {
    this.#in.resume()
  }

  close(code = 1000, reason = ''): void {
    if (this.#in.closed) return
    const info = { code, reason: cutReason(reason) }
    this.#out.end(info)
    this.#in.finish(info)
  }

  terminate(): void {
    this.#out.end({ code: 1006, reason: '' })
    this.#in.cut()
  }
}
