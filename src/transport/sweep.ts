/** Notices peers that are dead though nothing closed the connection: pings after silence, and ends what stays silent. */

import { LONGEST_TIMER } from '../protocol/durations.ts'
import { DURATION, type OptionRules } from '../protocol/option-rules.ts'
import type { Transport } from './transport.ts'

/** Silence is counted in this many steps per ping timeout. */
const STEPS_PER_TIMEOUT = 4

export interface SweepOptions {
  /** Milliseconds of silence after which a peer is pinged: 20,000 by default, 0 for never. */
  readonly pingInterval?: number | undefined
  /** Milliseconds without a sign of life after that ping until the connection is ended: 10,000 by default, 0 for never. */
  readonly pingTimeout?: number | undefined
}

export const SWEEP_RULES: OptionRules<SweepOptions> = { pingInterval: DURATION, pingTimeout: DURATION }

/** One connection under watch. */
export class WatchedPeer {
  readonly transport: Transport
  silentSteps = 0

  constructor(transport: Transport) {
    this.transport = transport
  }

  /** Something came from the peer. */
  readonly received = (): void => {
    this.silentSteps = 0
  }
}

// One timer for all connections, and none of them counts time: a process that was stopped or busy for a while must
// read what arrived meanwhile before it judges anybody.
export class Sweep {
  readonly #watched = new Set<WatchedPeer>()
  readonly #quiet: number
  readonly #ends: boolean
  readonly #timer: ReturnType<typeof setInterval> | undefined

  constructor({ pingInterval = 20_000, pingTimeout = 10_000 }: SweepOptions = {}) {
    // What no timer can wait for is as good as never.
    this.#ends = pingTimeout > 0 && pingTimeout <= LONGEST_TIMER
    const step = this.#ends ? pingTimeout / STEPS_PER_TIMEOUT : pingInterval
    this.#quiet = Math.ceil(pingInterval / step)
    if (!(pingInterval > 0 && pingInterval <= LONGEST_TIMER)) return
    this.#timer = setInterval(() => this.#sweep(), step)
    // In Node it would keep the process; a page's timers are numbers.
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
        // Its answers are not read. But a connection that is gone breaks by what is written to it.
        watched.silentSteps = 0
        watched.transport.ping?.(() => {})
        continue
      }
      watched.silentSteps++
      if (watched.silentSteps === this.#quiet + 1) watched.transport.ping?.(() => {})
      else if (watched.silentSteps > this.#quiet + STEPS_PER_TIMEOUT && this.#ends) watched.transport.terminate()
    }
  }
}
