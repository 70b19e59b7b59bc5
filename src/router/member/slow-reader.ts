/**
 * The losses of a slow reader. A session whose backlog exceeds `limits.backlog` bytes loses events, each counted as
 * `dropped.slow`, but no answers and no invocations. Above twice the limit its session is ended, counted as
 * `dropped.sessions`: a peer that does not read must not cost more memory. It is also ended if its backlog stays above the
 * limit for `limits.stalled` milliseconds and does not become shorter: a peer that sends is alive, but may never read.
 */

import { LONGEST_TIMER } from '../../protocol/durations.ts'

/** True if events for a session with this backlog are dropped. */
export function isBehind(backlog: number, limit: number): boolean {
  return backlog > limit
}

/** True if a session with this backlog is ended. */
export function isTooFarBehind(backlog: number, limit: number): boolean {
  return backlog > 2 * limit
}

/** The part of a session that its stall is measured by. */
export interface Reader {
  /** True if its backlog exceeds its limit. */
  readonly lagging: boolean
  /** Bytes accepted and not yet written. */
  readonly unread: number
  /** Called once, if the reader has read nothing for the whole time. */
  stalled(): void
}

/** Watches a reader that is behind; it stops by itself when the reader is no longer behind, or has stalled. */
export class StallWatch {
  readonly #reader: Reader
  readonly #within: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(reader: Reader, within: number) {
    this.#reader = reader
    this.#within = Math.min(within, LONGEST_TIMER)
  }

  /** Begins to measure, unless it does already. */
  start(): void {
    this.#timer ??= setTimeout(this.#check, this.#within, this.#reader.unread)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  readonly #check = (before: number): void => {
    this.#timer = undefined
    if (!this.#reader.lagging) return
    if (this.#reader.unread < before) this.start()
    else this.#reader.stalled()
  }
}
