/** Delivery in memory: in a later turn of the event loop, in order, and never within the sender's call. */

import { BROKEN } from './inbox.ts'
import type { CloseInfo } from './transport.ts'

type Schedule = (task: () => void) => void

let channel: Schedule | undefined

/** Runs a task in a later turn, in order, without the delay of timers in a page. */
export function later(task: () => void): void {
  // Looked up each time: a test may install a fake clock and remove it again.
  const { setImmediate } = globalThis as { setImmediate?: Schedule }
  if (setImmediate) setImmediate(task)
  else if (typeof MessageChannel === 'undefined') setTimeout(task)
  else {
    channel ??= newChannel()
    channel(task)
  }
}

function newChannel(): Schedule {
  const { port1, port2 } = new MessageChannel()
  const tasks: (() => void)[] = []
  port1.onmessage = () => tasks.shift()?.()
  // An open port would keep a process of Node alive.
  const { unref } = port1 as { unref?: () => void }
  unref?.call(port1)
  return (task) => {
    tasks.push(task)
    port2.postMessage(0)
  }
}

/** The receiver of a lane. */
export interface LaneSink<T> {
  item(item: T): void
  /** Called exactly once, and last. */
  closed(info: CloseInfo): void
}

/** One direction between two ends in memory. Items wait until a sink is open, and at a fence for `release`. */
export class Lane<T> {
  #items: T[] = []
  /** The number of delivered items: `shift` takes time proportional to the length of the list. */
  #first = 0
  #sink: LaneSink<T> | undefined
  #end: CloseInfo | undefined
  #closed = false
  #endDelivered = false
  #scheduled = false
  #paused = false
  /** The number of items that may pass, counting the end as one; without a fence it is infinite. */
  #free: number

  constructor(fenced = false) {
    this.#free = fenced ? 0 : Number.POSITIVE_INFINITY
  }

  /** True once the receiver has closed or has received the end. */
  get closed(): boolean {
    return this.#closed
  }

  /** Items that were sent and not yet delivered. */
  get waiting(): readonly T[] {
    return this.#items.slice(this.#first)
  }

  get #size(): number {
    return this.#items.length - this.#first
  }

  push(item: T): void {
    if (this.#end) return
    this.#items.push(item)
    this.#schedule()
  }

  /** The sender closed: the end is delivered after the items sent before. */
  end(info: CloseInfo): void {
    if (this.#end) return
    this.#end = info
    this.#schedule()
  }

  /** The receiver closed: only the end is delivered, even through a closed fence. */
  finish(info: CloseInfo): void {
    if (this.#closed) return
    this.#closed = true
    this.#clear()
    this.#end = info
    this.#free = Number.POSITIVE_INFINITY
    this.#schedule()
  }

  /** The receiver terminated: the end is delivered at once. */
  cut(): void {
    if (this.#endDelivered) return
    this.#closed = true
    this.#clear()
    this.#end = BROKEN
    if (this.#sink) this.#deliverEnd(this.#sink)
  }

  open(sink: LaneSink<T>): void {
    this.#sink = sink
    this.#schedule()
  }

  /** Delivers nothing but the end until `resume`; the end then does not wait for the items sent before it. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  /** Lets the next `count` items that wait at the fence pass. */
  release(count = Number.POSITIVE_INFINITY): void {
    this.#free = Math.min(this.#free + count, this.#size + (this.#end ? 1 : 0))
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#sink || this.#free === 0 || (this.#paused && !this.#end)) return
    this.#scheduled = true
    later(this.#drain)
  }

  readonly #drain = (): void => {
    this.#scheduled = false
    const sink = this.#sink
    if (!sink || this.#endDelivered) return
    if (this.#paused && this.#end) this.#clear()
    // Items sent meanwhile wait for the next turn.
    let count = Math.min(this.#size, this.#free)
    try {
      for (; count > 0 && this.#size > 0 && !this.#paused; count--) {
        this.#free--
        sink.item(this.#items[this.#first++] as T)
      }
      if (this.#size === 0 && this.#end && this.#free > 0) this.#deliverEnd(sink)
    } finally {
      this.#items.splice(0, this.#first)
      this.#first = 0
      // Also if a sink threw: the items behind must not be lost.
      if (this.#size > 0 || (this.#end && !this.#endDelivered)) this.#schedule()
    }
  }

  #clear(): void {
    this.#items = []
    this.#first = 0
  }

  #deliverEnd(sink: LaneSink<T>): void {
    if (this.#endDelivered) return
    this.#endDelivered = true
    this.#closed = true
    sink.closed(this.#end ?? BROKEN)
  }
}
