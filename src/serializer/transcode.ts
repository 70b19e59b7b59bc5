/** Transcodes a checked payload into another format item by item, without decoding its values, which take many times its memory. */

import { MAX_TRANSCODED } from '../protocol/fixed-limits.ts'
import { refused } from '../protocol/plain.ts'
import { textDecoder } from '../protocol/text.ts'
import {
  BIG,
  BREAK,
  BYTES,
  type Cursor,
  DICT,
  EXTENSION,
  FALSE,
  FLOAT,
  INDEFINITE,
  INTEGER,
  type ItemKind,
  LIST,
  TAG_ITEM,
  TEXT,
  TRUE,
  UNDEFINED,
} from './cursor.ts'

/** Writes items to a frame. A returned string is the reason the format cannot represent the item. */
export interface Sink {
  /** Begins a list or dictionary of at most this many items, or an INDEFINITE number; returns its start. */
  begin(kind: typeof LIST | typeof DICT, size: number): number
  /** Ends the list or dictionary that began at `start`, with `size` items written. */
  end(kind: typeof LIST | typeof DICT, start: number, stated: number, size: number): void
  /** Called before item or key number `index`, counted from 0. */
  next(index: number): void
  key(utf8: Uint8Array, start: number, end: number): void
  utf8(utf8: Uint8Array, start: number, end: number): string | undefined
  octets(bytes: Uint8Array, start: number, end: number): void
  numeric(value: number | bigint): string | undefined
  simple(value: boolean | null): void
}

const NO_BYTES = new Uint8Array(0)

/** Throws `invalid_argument` for too many values. */
export function refuseMany(values: number): void {
  if (values > MAX_TRANSCODED)
    throw refused('a payload', `of more than ${MAX_TRANSCODED} values, from another serializer`)
}

/** Transcodes the payload at a cursor. Throws `invalid_argument`, which names the place, for an item that the format cannot represent. */
export class Transcoder {
  readonly #cursor: Cursor
  readonly #sink: Sink
  /** The path of the item: its index in each list, or -1 minus the offset of its key in the frame. */
  readonly #path: number[] = []
  #depth = 0
  /** The text or bytes read last, from `#start` on: in the frame, or joined from chunks. */
  #bytes: Uint8Array
  #start = 0
  #joined = NO_BYTES

  /** `values` is the number of values of the payload. */
  constructor(cursor: Cursor, sink: Sink, values: number) {
    refuseMany(values)
    this.#cursor = cursor
    this.#sink = sink
    this.#bytes = cursor.bytes
  }

  args(): void {
    this.#sink.next(1)
    const kind = this.#cursor.head()
    if (kind === LIST) {
      this.#element(kind, 'args')
      return
    }
    // Payload transparency: one item that stands for the whole payload.
    const start = this.#sink.begin(LIST, 1)
    this.#element(kind, 'args[0]')
    this.#sink.end(LIST, start, 1, 1)
  }

  kwargs(): void {
    this.#sink.next(1)
    this.#element(this.#cursor.head(), 'kwargs')
  }

  #element(kind: ItemKind, place: string): void {
    const said = this.#item(kind)
    if (typeof said === 'string') throw refused(this.#place(place), said)
    if (!said) this.#sink.simple(null)
  }

  /** False if the item is undefined; a string is the reason it cannot be represented. */
  #item(kind: ItemKind): boolean | string {
    const cursor = this.#cursor
    const sink = this.#sink
    switch (kind) {
      case UNDEFINED:
        return false
      case INTEGER:
      case FLOAT:
        return sink.numeric(cursor.number) ?? true
      case BIG:
        return sink.numeric(cursor.big) ?? true
      case TEXT: {
        const size = this.#read()
        return sink.utf8(this.#bytes, this.#start, this.#start + size) ?? true
      }
      case BYTES:
      case EXTENSION: {
        const size = this.#read()
        sink.octets(this.#bytes, this.#start, this.#start + size)
        return true
      }
      case LIST:
        return this.#list(cursor.size)
      case DICT:
        return this.#dict(cursor.size)
      case TAG_ITEM:
        return this.#tagged()
      default:
        sink.simple(kind === TRUE ? true : kind === FALSE ? false : null)
        return true
    }
  }

  #list(stated: number): true | string {
    const sink = this.#sink
    const depth = this.#depth++
    const start = sink.begin(LIST, stated)
    let size = 0
    for (; size !== stated; size++) {
      const kind = this.#cursor.head()
      if (kind === BREAK) break
      this.#path[depth] = size
      sink.next(size)
      const said = this.#item(kind)
      if (typeof said === 'string') return said
      if (!said) sink.simple(null)
    }
    sink.end(LIST, start, stated, size)
    this.#depth = depth
    return true
  }

  #dict(stated: number): true | string {
    const cursor = this.#cursor
    const sink = this.#sink
    const depth = this.#depth++
    const start = sink.begin(DICT, stated)
    let size = 0
    for (let left = stated; left !== 0; left--) {
      const at = cursor.at
      if (cursor.head() === BREAK) break
      this.#path[depth] = -1 - at
      const length = this.#read()
      const next = cursor.at
      const kind = cursor.head()
      if (kind === UNDEFINED || (kind === TAG_ITEM && this.#isNone(next))) continue
      sink.next(size++)
      sink.key(this.#bytes, this.#start, this.#start + length)
      // Looking at a tag moved the cursor past it.
      if (kind === TAG_ITEM) {
        cursor.at = next
        cursor.head()
      }
      const said = this.#item(kind)
      if (typeof said === 'string') return said
    }
    sink.end(DICT, start, stated, size)
    this.#depth = depth
    return true
  }

  /** True if the tags from `at` on enclose undefined. */
  #isNone(at: number): boolean {
    const cursor = this.#cursor
    cursor.at = at
    let kind = cursor.head()
    while (kind === TAG_ITEM) kind = cursor.head()
    return kind === UNDEFINED
  }

  #tagged(): boolean | string {
    const { at, number: tag } = this.#cursor
    const kind = this.#cursor.head()
    if (kind !== BYTES || !this.#cursor.isBignum(tag)) return this.#item(kind)
    this.#cursor.at = at
    return this.#sink.numeric(this.#cursor.bignum(tag)) ?? true
  }

  /** Reads the text or bytes whose head has been read; returns the size. */
  #read(): number {
    const cursor = this.#cursor
    const { size } = cursor
    if (size !== INDEFINITE) {
      this.#bytes = cursor.bytes
      this.#start = cursor.at
      cursor.at += size
      return size
    }
    this.#start = 0
    let length = 0
    while (cursor.head() !== BREAK) {
      const from = cursor.at
      cursor.at += cursor.size
      if (length + cursor.size > this.#joined.length) {
        const grown = new Uint8Array((length + cursor.size) * 2)
        grown.set(this.#joined.subarray(0, length))
        this.#joined = grown
      }
      for (let i = from; i < cursor.at; i++) this.#joined[length++] = cursor.bytes[i] as number
    }
    this.#bytes = this.#joined
    return length
  }

  #place(place: string): string {
    let text = place
    for (const step of this.#path.slice(0, this.#depth)) {
      if (step >= 0) text += `[${step}]`
      else {
        this.#cursor.at = -1 - step
        this.#cursor.head()
        const length = this.#read()
        text += `.${textDecoder().decode(this.#bytes.subarray(this.#start, this.#start + length))}`
      }
    }
    return text
  }
}
