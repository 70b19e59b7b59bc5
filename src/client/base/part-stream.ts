/** A stream of parts, in order, for a reader at its own pace: progressive results, the input of a call, events. */

import { WampError } from '../../protocol/error.ts'
import { LIMIT_EXCEEDED } from '../../protocol/names.ts'
import type { Link } from '../../session/link.ts'
import type { Load } from './load.ts'
import { type Deferred, deferred } from './waiting.ts'

/** The default `buffer`: the number of parts that may wait for a slow reader. */
export const BUFFER = 65_536

/** The error for a reader that is too slow: no part is dropped in silence. */
export function overflow(buffer: number, what: string): WampError {
  return new WampError(LIMIT_EXCEEDED, [
    `more than ${buffer} ${what} wait to be read, or more bytes than the option limits: read faster, or with a larger buffer`,
  ])
}

interface Sized<T> {
  readonly item: T
  readonly bytes: number
}

/** An iteration fed from outside. It may end with an error, which the reader receives after the earlier parts. */
export class Parts<T> implements AsyncIterableIterator<T, undefined> {
  readonly #load: Load
  readonly #ended: () => void
  /** What came, in front of it what is next, the last first: taken off its end, however many wait. */
  #items: Sized<T>[] = []
  #next: Sized<T>[] = []
  readonly #readers: Deferred<IteratorResult<T, undefined>>[] = []
  #error: unknown
  #open = true

  /** `ended` is called once, when nothing more is taken in: by `end`, or because the reader has left its loop. */
  constructor(load: Load, ended: () => void = () => {}) {
    this.#load = load
    this.#ended = ended
  }

  /** True while parts are accepted. */
  get open(): boolean {
    return this.#open
  }

  /** The number of unread parts. */
  get size(): number {
    return this.#items.length + this.#next.length
  }

  /** Adds a part of the message that is being delivered; false if `room` parts wait already, or too many bytes. */
  push(item: T, room: number): boolean {
    if (!this.#open) return true
    const reader = this.#readers.shift()
    if (reader) reader.resolve({ done: false, value: item })
    // NaN leaves no room.
    else if (this.size < room && this.#load.fits) {
      const bytes = this.#load.latest
      this.#load.bytes += bytes
      this.#items.push({ item, bytes })
    } else return false
    return true
  }

  /** Removes the oldest part. */
  drop(): void {
    this.#take()
  }

  #take(): T {
    if (!this.#next.length) {
      this.#next = this.#items.reverse()
      this.#items = []
    }
    const { item, bytes } = this.#next.pop() as Sized<T>
    this.#load.bytes -= bytes
    return item
  }

  #forget(): void {
    while (this.size) this.#take()
  }

  /** Ends the stream. Waiting parts are still read, unless `atOnce` is set, and then the error. */
  end(error?: unknown, atOnce = false): void {
    if (!this.#open) return
    this.#open = false
    this.#error = error
    if (atOnce) this.#forget()
    for (const reader of this.#readers.splice(0)) this.#finish(reader)
    this.#ended()
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const reader = deferred<IteratorResult<T, undefined>>()
    if (this.size) reader.resolve({ done: false, value: this.#take() })
    else if (this.#open) this.#readers.push(reader)
    else this.#finish(reader)
    return reader.promise
  }

  /** The reader has left its loop. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.end()
    this.#forget()
    this.#error = undefined
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #finish({ resolve, reject }: Deferred<IteratorResult<T, undefined>>): void {
    const error = this.#error
    this.#error = undefined
    if (error === undefined) resolve({ done: true, value: undefined })
    else reject(error)
  }
}

/** Bytes on their way out beyond which no part is added. */
const ENOUGH = 2 ** 20

/** Sends each item as it comes, no faster than the link takes them, as long as they are wanted. Resolves to the last. */
export async function pump<Final>(
  link: Link,
  items: AsyncIterator<unknown, Final> | Iterator<unknown, Final>,
  wanted: () => boolean,
  send: (item: unknown) => void,
): Promise<IteratorResult<unknown, Final>> {
  for (let sent = 1; ; sent++) {
    const item = await items.next()
    if (item.done || !wanted()) return item
    send(item.value)
    // An iteration that never waits would block everything else, even the message that ends it.
    let turn = sent % 64 === 0
    while (wanted() && (turn || link.backlog > ENOUGH)) {
      turn = false
      await new Promise((resolve) => setTimeout(resolve))
    }
    if (!wanted()) return item
  }
}
