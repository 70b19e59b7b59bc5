/**
 * Fair turns: while connections whose messages take long fill a turn of the event loop, they are read a few at a time, so
 * that the messages of all others wait for a few of them and not for all. Long messages that arrive together would also be
 * complete together, in one turn: those are read first of which the most has arrived. After a long turn they all rest for
 * a moment.
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
/** A shorter chunk is a message or two, in which the collection of garbage may have taken part of the time. */
const SMALL_CHUNK = 4096
const HEAVY_SMALL = 5
/** What a chunk of a long message counts, in milliseconds: its work comes with the last one. */
const PART = 2
/** Milliseconds of a turn after which heavy connections rest, if there are others, and for how long. */
const LONG_TURN = 40
const REST = 20

interface Waiting {
  /** Milliseconds of its last chunk. */
  readonly time: number
  /** Bytes of a long message that has not arrived in whole. */
  readonly arriving: number
}

export class FairTurns {
  /** The connections that wait, in the order in which they began to. */
  readonly #waiting = new Map<Delayable, Waiting>()
  /** The connections that are read and were heavy the last time: each may have its long message complete next. */
  readonly #heavy = new Map<Delayable, Waiting>()
  #spent = 0
  #scheduled = false
  /** True if something arrived on another connection since the last rest. */
  #others = false

  /**
   * Watches a connection. All other listeners for its data must have been added before. `part` returns the bytes of a long
   * message that has not arrived in whole, otherwise 0.
   */
  watch(socket: Duplex, transport: Delayable, part: () => number = () => 0): void {
    let begin = 0
    socket.prependListener('data', () => {
      begin = performance.now()
      this.#heavy.delete(transport)
    })
    socket.on('data', (chunk: Buffer) => {
      const time = performance.now() - begin
      const arriving = part()
      const heavy = time > (chunk.length < SMALL_CHUNK ? HEAVY_SMALL : HEAVY)
      if (heavy || arriving > 0) this.#took(transport, arriving > 0 ? Math.max(PART, time) : time, arriving)
      else this.#others = true
    })
    socket.on('close', () => {
      this.#waiting.delete(transport)
      this.#heavy.delete(transport)
    })
  }

  #took(transport: Delayable, time: number, arriving: number): void {
    this.#spent += time
    this.#heavy.set(transport, { time, arriving })
    if (this.#spent > TURN) this.#delayHeavy()
    else if (this.#waiting.size > 0) this.#delay(transport)
    this.#schedule()
  }

  /** The turn is full: whatever arrives on a heavy connection waits for the next one. */
  #delayHeavy(): void {
    for (const transport of this.#heavy.keys()) this.#delay(transport)
  }

  #delay(transport: Delayable): void {
    this.#waiting.set(transport, this.#heavy.get(transport) as Waiting)
    this.#heavy.delete(transport)
    transport.delay()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#next)
  }

  /** The turn is over: some of the connections that wait are read in the next one. */
  readonly #next = (): void => {
    const isLong = this.#spent > LONG_TURN
    this.#spent = 0
    // A call of another connection takes several turns, of which only one should be long.
    if (isLong && this.#others) {
      this.#others = false
      setTimeout(this.#next, REST)
      return
    }
    this.#scheduled = false
    const waiting = [...this.#waiting]
    // Both kinds have a turn, or one could starve the other.
    this.#proceed(waiting.filter(([, { arriving }]) => arriving === 0))
    const parts = waiting.filter(([, { arriving }]) => arriving > 0)
    this.#proceed(parts.sort(([, one], [, other]) => other.arriving - one.arriving))
    if (this.#waiting.size > 0) this.#schedule()
  }

  #proceed(order: readonly (readonly [Delayable, Waiting])[]): void {
    let left = TURN
    for (const [transport, waiting] of order) {
      if (left <= 0) return
      left -= waiting.time
      this.#waiting.delete(transport)
      this.#heavy.set(transport, waiting)
      transport.proceed()
    }
  }
}
