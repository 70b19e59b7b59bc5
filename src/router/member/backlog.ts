/** The cost of a session's backlog: its bytes, the overhead of small frames, and its share of frames that others hold too. */

import type { Link } from '../../session/link.ts'
import type { Account } from './ledger.ts'

/** Shorter backlogs are on their way to a reader that keeps up; they are part of the constant cost of a session. */
const SHORT = 16_384
/** The overhead of a frame that waits to be written. */
const FRAME_RECORD = 256

export class Backlog {
  readonly #link: Link
  readonly #account: Account
  /** What is charged now. */
  #charged = 0
  /** Bytes that were added to the backlog since it was short, and their cost: their ratio is the cost of a byte. */
  #written = 0
  #cost = 0

  constructor(link: Link, account: Account) {
    this.#link = link
    this.#account = account
  }

  /** The greater of its bytes and their cost. */
  get weight(): number {
    const { backlog } = this.#link
    return backlog <= SHORT ? backlog : Math.max(backlog, this.#costOf(backlog))
  }

  /** True if the reader lags behind. */
  get isLong(): boolean {
    return this.#link.backlog > SHORT
  }

  /** Notes a write to a backlog that had `before` bytes; `holders` sessions hold the same frame. Returns true if it is long. */
  wrote(before: number, holders: number): boolean {
    const { backlog } = this.#link
    const long = backlog > SHORT
    if (!long && this.#charged === 0) return false
    const added = backlog - before
    if (added > 0) {
      this.#written += added
      this.#cost += added / holders + FRAME_RECORD
    }
    this.measure()
    return long
  }

  /** Charges what it costs now. */
  measure(): void {
    const { backlog } = this.#link
    const cost = backlog <= SHORT ? 0 : this.#costOf(backlog)
    if (cost === 0) {
      this.#written = 0
      this.#cost = 0
    }
    if (cost === this.#charged) return
    this.#account.charge('backlogs', cost - this.#charged)
    this.#charged = cost
  }

  #costOf(backlog: number): number {
    return this.#written === 0 ? backlog : Math.ceil(backlog * (this.#cost / this.#written))
  }
}
