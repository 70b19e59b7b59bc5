/** Bounds the work that is done at a time: further work waits for its turn, up to a number. */

import { WampError } from '../protocol/error.ts'
import { UNAVAILABLE } from '../protocol/names.ts'

export class Slots {
  #free: number
  readonly #most: number
  readonly #waiting = new Set<() => void>()

  /** @param most works that may wait; one more is refused with `wamp.error.unavailable`, so that another callee may do it */
  constructor(count: number, most: number) {
    this.#free = count
    this.#most = most
  }

  /** Does a work when it is its turn; one whose signal aborts before that is not done. */
  async use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await this.#turn(signal)
    else this.#free--
    try {
      return await work()
    } finally {
      const [next] = this.#waiting
      // The slot passes to the next one, so that nobody takes it in between.
      if (next) next()
      else this.#free++
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#most) throw new WampError(UNAVAILABLE, ['too many calls wait for their turn'])
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(go)
        signal.removeEventListener('abort', give)
      }
      const go = (): void => {
        leave()
        resolve()
      }
      const give = (): void => {
        leave()
        reject(signal.reason)
      }
      this.#waiting.add(go)
      signal.addEventListener('abort', give)
    })
  }
}
