/** Delivery in memory: in a later turn of the event loop, in order, and never inside the sender's call. */

import { BROKEN } from './inbox.ts'
import type { CloseInfo } from './transport.ts'

type Schedule = (task: () => void) => void

let channel: Schedule | undefined

/** Runs a task in a later turn, in order, without the delay that timers have in a page. */
export function later(task: () => void): void {
  // Looked up each time: a test may have put a fake clock here, and takes it away again.
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
  // Where a process ends when nothing is open, a port that listens would keep it.
  const { unref } = port1 as { unref?: () => void }
  unref?.call(port1)
  return (task) => {
    tasks.push(task)
    port2.postMessage(0)
  }
}

/** Who a lane leads to. */
export interface LaneSink<T> {
  item(item: T): void
  /** Called exactly once, and last. */
  closed(info: CloseInfo): void
}

/** One direction between two ends in memory. Waits until somebody listens, and where it is fenced, for `release`. */
export class Lane<T> {
  #items: T[] = []
  /** What was delivered of them: to shift a long list costs as much as it is long. */
  #first = 0
  #sink: LaneSink<T> | undefined
  #end: CloseInfo | undefined
  #over = false
  #told = false
  #scheduled = false
  #paused = false
  /** How many items, the end among them, may pass; what is not fenced lets everything pass. */
  #free: number

  constructor(fenced = false) {
    this.#free = fenced ? 0 : Number.POSITIVE_INFINITY
  }

  /** Whether its receiver has closed, or heard of the end. */
  get closed(): boolean {
    return this.#over
  }

  /** What was sent and has not been delivered. */
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

  /** The sender closed: the receiver hears of it after what was sent before. */
  end(info: CloseInfo): void {
    if (this.#end) return
    this.#end = info
    this.#schedule()
  }

  /** The receiver closed: it hears nothing more but the end, whatever the fence says. */
  finish(info: CloseInfo): void {
    if (this.#over) return
    this.#over = true
    this.#forget()
    this.#end = info
    this.#free = Number.POSITIVE_INFINITY
    this.#schedule()
  }

  /** The receiver terminated: it hears of the end at once. */
  cut(): void {
    if (this.#told) return
    this.#over = true
    this.#forget()
    this.#end = BROKEN
    if (this.#sink) this.#tell(this.#sink)
  }

  open(sink: LaneSink<T>): void {
    this.#sink = sink
    this.#schedule()
  }

  /** Delivers nothing until `resume` but the end, which then does not wait for what was sent before. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  /** Lets the next `count` pass that wait at the fence. */
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
    if (!sink || this.#told) return
    if (this.#paused && this.#end) this.#forget()
    // What is sent meanwhile waits for the next turn.
    let count = Math.min(this.#size, this.#free)
    try {
      for (; count > 0 && this.#size > 0 && !this.#paused; count--) {
        this.#free--
        sink.item(this.#items[this.#first++] as T)
      }
      if (this.#size === 0 && this.#end && this.#free > 0) this.#tell(sink)
    } finally {
      this.#items.splice(0, this.#first)
      this.#first = 0
      // Also where a sink threw: what comes behind is not lost.
      if (this.#size > 0 || (this.#end && !this.#told)) this.#schedule()
    }
  }

  #forget(): void {
    this.#items = []
    this.#first = 0
  }

  #tell(sink: LaneSink<T>): void {
    if (this.#told) return
    this.#told = true
    this.#over = true
    sink.closed(this.#end ?? BROKEN)
  }
}
