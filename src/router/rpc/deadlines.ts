/** How long calls may take: a timer for each call that asks for one, from the call or its last partial result on. */

/** What can run out of time. */
export interface Timed {
  /** In milliseconds; 0 is for ever. */
  readonly timeout: number
  /** When a callee began to keep the time. */
  began: number | undefined
  /** What is left when the timer fires. */
  rest: number
  timer: ReturnType<typeof setTimeout> | undefined
}

/** The longest time that a timer of the platform takes; with more it fires at once. */
const LONGEST = 2 ** 31 - 1

export class Deadlines<Item extends Timed> {
  readonly #fired: (item: Item) => void

  constructor(expired: (item: Item) => void) {
    this.#fired = (item) => {
      if (item.rest > 0) this.#set(item, item.rest)
      else {
        item.timer = undefined
        expired(item)
      }
    }
  }

  /** Begins to keep the time, or goes on. Gives back how long the callee has, where it keeps the time itself; else 0. */
  begin(item: Item, forwarded: boolean): number {
    if (item.timeout === 0 || item.timer !== undefined) return 0
    const now = performance.now()
    // Of a call that another callee declined, some time is gone.
    const gone = item.began === undefined ? 0 : now - item.began
    const left = Math.max(1, Math.ceil(item.timeout - gone))
    if (forwarded) {
      item.began ??= now
      return left
    }
    this.#set(item, left)
    return 0
  }

  /** Something came: what comes next has as long again. */
  again(item: Item): void {
    if (item.timer === undefined) return
    clearTimeout(item.timer)
    this.#set(item, item.timeout)
  }

  end(item: Item): void {
    if (item.timer === undefined) return
    clearTimeout(item.timer)
    item.timer = undefined
  }

  #set(item: Item, time: number): void {
    const now = Math.min(time, LONGEST)
    item.rest = time - now
    item.timer = setTimeout(this.#fired, now, item)
  }
}
