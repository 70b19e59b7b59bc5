/** How long a call may take: a timer for each call that asks for one, from the call or its last partial result on. */

import { LONGEST_TIMER } from '../../protocol/durations.ts'

// One function for all timers: a call makes no closure.
const fire = (deadline: { fire(): void }): void => deadline.fire()

export class Deadline<Item> {
  /** In milliseconds. */
  readonly timeout: number
  readonly #item: Item
  readonly #expired: (item: Item) => void
  /** When a callee began to keep the time. */
  #began: number | undefined
  /** What is left when the timer fires. */
  #rest = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(timeout: number, item: Item, expired: (item: Item) => void) {
    this.timeout = timeout
    this.#item = item
    this.#expired = expired
  }

  /** Begins to keep the time, or goes on. Returns how long the callee has, where it keeps the time itself; else 0. */
  begin(forwarded: boolean): number {
    if (this.#timer !== undefined) return 0
    const now = performance.now()
    // Of a call that another callee declined, some time is gone.
    const gone = this.#began === undefined ? 0 : now - this.#began
    const left = Math.max(1, Math.ceil(this.timeout - gone))
    if (forwarded) {
      this.#began ??= now
      return left
    }
    this.#set(left)
    return 0
  }

  /** Something came: what comes next has as long again. */
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
