/** What comes in parts, in order, for a reader in its own time: progress, the input of a call, events. */

import type { ClientSession } from './client-session.ts'
import { type Deferred, deferred } from './waiting.ts'

/** An iteration fed from outside. It may end with an error, which the reader gets behind the parts that came before. */
export class Parts<T> implements AsyncIterableIterator<T, undefined> {
  readonly #ended: () => void
  readonly #items: T[] = []
  readonly #readers: Deferred<IteratorResult<T, undefined>>[] = []
  #error: unknown
  #open = true

  /** `ended` is called once, when nothing more is taken in: by `end`, or because the reader has left its loop. */
  constructor(ended: () => void = () => {}) {
    this.#ended = ended
  }

  /** Whether parts are still taken in. */
  get open(): boolean {
    return this.#open
  }

  /** Parts that nobody has read yet. */
  get size(): number {
    return this.#items.length
  }

  push(item: T): void {
    if (!this.#open) return
    const reader = this.#readers.shift()
    if (reader) reader.resolve({ done: false, value: item })
    else this.#items.push(item)
  }

  /** Takes out the part that has waited longest. */
  drop(): void {
    this.#items.shift()
  }

  /** No more parts. Those that wait are still read, unless told otherwise, and then the error is. */
  end(error?: unknown, atOnce = false): void {
    if (!this.#open) return
    this.#open = false
    this.#error = error
    if (atOnce) this.#items.length = 0
    for (const reader of this.#readers.splice(0)) this.#finish(reader)
    this.#ended()
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const reader = deferred<IteratorResult<T, undefined>>()
    if (this.#items.length) reader.resolve({ done: false, value: this.#items.shift() as T })
    else if (this.#open) this.#readers.push(reader)
    else this.#finish(reader)
    return reader.promise
  }

  /** The reader has left its loop. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.end()
    this.#items.length = 0
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
  { link }: ClientSession,
  items: AsyncIterator<unknown, Final> | Iterator<unknown, Final>,
  wanted: () => boolean,
  send: (item: unknown) => void,
): Promise<IteratorResult<unknown, Final>> {
  for (let sent = 1; ; sent++) {
    const item = await items.next()
    if (item.done || !wanted()) return item
    send(item.value)
    // An iteration that never waits would let nobody else have a turn, not even the message that ends it.
    let turn = sent % 64 === 0
    while (wanted() && (turn || link.backlog > ENOUGH)) {
      turn = false
      await new Promise((resolve) => setTimeout(resolve))
    }
    if (!wanted()) return item
  }
}
