/** Timeouts of calls: a timer for each call that has one, from the call or its last progressive result on. */

import { LONGEST_TIMER } from '../../protocol/durations.ts'

// One function for all timers, so that a call allocates no closure.
const fire = (deadline: { fire(): void }): void => deadline.fire()

export class Deadline<Item> {
  /** In milliseconds. */
  readonly timeout: number
  readonly #item: Item
  readonly #expired: (item: Item) => void
  /** The time at which a callee began to enforce the timeout. */
  #began: number | undefined
  /** Milliseconds left when the timer fires. */
  #rest = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(timeout: number, item: Item, expired: (item: Item) => void) {
    this.timeout = timeout
    this.#item = item
    this.#expired = expired
  }

  /** Starts or continues the timer. Returns the callee's remaining time if it enforces the timeout itself, otherwise 0. */
  begin(forwarded: boolean): number {
    if (this.#timer !== undefined) return 0
    const now = performance.now()
    // A call that another callee declined has used some of its time.
    const gone = this.#began === undefined ? 0 : now - this.#began
    const left = Math.max(1, Math.ceil(this.timeout - gone))
    if (forwarded) {
      this.#began ??= now
      return left
    }
    this.#set(left)
    return 0
  }

  /** A progressive result arrived: the timeout starts again. */
  again(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#set(this.timeout)
  }

  end(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The timer fired. */
  fire(): void {
    if (this.#rest > 0) this.#set(this.#rest)
    else {
      this.#timer = undefined
      this.#expired(this.#item)
    }
  }

  #set(time: number): void {
    const now = Math.min(time, LONGEST_TIMER)
    this.#rest = time - now
    this.#timer = setTimeout(fire, now, this)
  }
}
