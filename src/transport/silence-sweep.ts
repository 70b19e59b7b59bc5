/** Detects dead peers whose connection was never closed: pings after silence, and terminates connections that stay silent. */

import { LONGEST_TIMER } from '../protocol/durations.ts'
import { DURATION, type OptionRules } from '../protocol/option-rules.ts'
import type { Transport } from './transport.ts'

/** The number of steps per ping timeout, in which silence is counted. */
const STEPS_PER_TIMEOUT = 4

export interface SweepOptions {
  /** Milliseconds of silence after which a peer is pinged: 20,000 by default, 0 for never. */
  readonly pingInterval?: number | undefined
  /** Milliseconds of silence after that ping until the connection is terminated: 10,000 by default, 0 for never. */
  readonly pingTimeout?: number | undefined
}

export const SWEEP_RULES: OptionRules<SweepOptions> = { pingInterval: DURATION, pingTimeout: DURATION }

/** One watched connection. */
export class WatchedPeer {
  readonly transport: Transport
  silentSteps = 0

  constructor(transport: Transport) {
    this.transport = transport
  }

  /** Called when the peer has sent anything. */
  readonly received = (): void => {
    this.silentSteps = 0
  }
}

// One timer for all connections, which counts steps instead of time: a process that was suspended or busy must read the
// bytes that arrived meanwhile before it terminates a connection.
export class Sweep {
  readonly #watched = new Set<WatchedPeer>()
  readonly #pingAfter: number
  readonly #ends: boolean
  readonly #timer: ReturnType<typeof setInterval> | undefined

  constructor({ pingInterval = 20_000, pingTimeout = 10_000 }: SweepOptions = {}) {
    // A duration beyond the longest timer means never.
    this.#ends = pingTimeout > 0 && pingTimeout <= LONGEST_TIMER
    const step = this.#ends ? pingTimeout / STEPS_PER_TIMEOUT : pingInterval
    this.#pingAfter = Math.ceil(pingInterval / step)
    if (!(pingInterval > 0 && pingInterval <= LONGEST_TIMER)) return
    this.#timer = setInterval(() => this.#sweep(), step)
    // In Node the timer would keep the process alive; a page's timers are numbers.
    const { unref } = this.#timer as { unref?: () => void }
    unref?.call(this.#timer)
  }

  watch(transport: Transport): WatchedPeer {
    const watched = new WatchedPeer(transport)
    this.#watched.add(watched)
    return watched
  }

  forget(watched: WatchedPeer): void {
    this.#watched.delete(watched)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sweep(): void {
    for (const watched of this.#watched) {
      if (watched.transport.paused) {
        // Its answers are not read, but a write to a lost connection reveals the loss.
        watched.silentSteps = 0
        watched.transport.ping?.(() => {})
        continue
      }
      watched.silentSteps++
      if (watched.silentSteps === this.#pingAfter + 1) watched.transport.ping?.(() => {})
      else if (watched.silentSteps > this.#pingAfter + STEPS_PER_TIMEOUT && this.#ends) watched.transport.terminate()
    }
  }
}
