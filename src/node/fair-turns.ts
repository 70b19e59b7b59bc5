/**
 * Fair turns: while connections whose messages take long fill a turn of the event loop, they are read a few at a time, so
 * that the messages of all others wait for a few of them and not for all.
 */

import type { Duplex } from 'node:stream'

/** A transport of which reading can be put off, whatever its router pauses. */
export interface Delayable {
  delay(): void
  proceed(): void
}

/** Milliseconds that heavy connections together may take in one turn. */
const TURN = 10
/** Milliseconds for one chunk above which its connection is heavy: about fifty small messages. */
const HEAVY = 0.25

export class FairTurns {
  /** Milliseconds of the last chunk of each connection that waits, in the order of their turns. */
  readonly #waiting = new Map<Delayable, number>()
  #spent = 0
  #scheduled = false

  /** Watches a connection. All other listeners for its data must have been added before. */
  watch(socket: Duplex, transport: Delayable): void {
    let begin = 0
    socket.prependListener('data', () => {
      begin = performance.now()
    })
    socket.on('data', () => {
      const time = performance.now() - begin
      if (time > HEAVY) this.#took(transport, time)
    })
    socket.on('close', () => this.#waiting.delete(transport))
  }

  #took(transport: Delayable, time: number): void {
    this.#spent += time
    if (this.#spent > TURN || this.#waiting.size > 0) {
      this.#waiting.set(transport, time)
      transport.delay()
    }
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#next)
  }

  /** The turn is over: the connections that have waited longest are read in the next one. */
  readonly #next = (): void => {
    this.#scheduled = false
    this.#spent = 0
    let left = TURN
    for (const [transport, time] of this.#waiting) {
      if (left <= 0) break
      left -= time
      this.#waiting.delete(transport)
      transport.proceed()
    }
    if (this.#waiting.size > 0) this.#schedule()
  }
}
