/** Writes a binary frame into one buffer that grows and is reused. */

import { MAX_ID } from '../protocol/ids.ts'
import { BEYOND } from '../protocol/integer-limit.ts'
import { textEncoder } from '../protocol/text.ts'
import type { Format } from './binary-format.ts'
import { BYTES, DICT, INDEFINITE, LIST, TEXT } from './cursor.ts'
import type { Sink } from './transcode.ts'

const INITIAL_SIZE = 4096
/** A buffer that grew beyond this is released after the frame. */
const MAX_KEPT_SIZE = 1 << 20
/** Up to this size a loop is faster than a call of the platform. */
const SHORT_COPY = 64
/** The length of the longest head of a text. */
const TEXT_HEAD = 5

export class Writer implements Sink {
  readonly #format: Format
  #bytes = new Uint8Array(INITIAL_SIZE)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  constructor(format: Format) {
    this.#format = format
  }

  reset(): void {
    this.#at = 0
    if (this.#bytes.length > MAX_KEPT_SIZE) this.#become(new Uint8Array(INITIAL_SIZE))
  }

  /** Everything written, as a frame of its own. */
  frame(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  u8(value: number): void {
    if (this.#at === this.#bytes.length) this.#room(1)
    this.#bytes[this.#at++] = value
  }

  u16(value: number): void {
    this.u8(value >> 8)
    this.u8(value)
  }

  u32(value: number): void {
    this.u16(value >>> 16)
    this.u16(value)
  }

  /** Writes the lower 64 bits, which is the two's complement of a negative number. */
  u64(value: bigint): void {
    this.#room(8)
    this.#view.setBigUint64(this.#at, value)
    this.#at += 8
  }

  f64(value: number): void {
    this.#room(8)
    this.#view.setFloat64(this.#at, value)
    this.#at += 8
  }

  /** Writes bytes unchanged. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start
    this.#room(size)
    if (size > SHORT_COPY) this.#bytes.set(bytes.subarray(start, end), this.#at)
    else for (let i = 0; i < size; i++) this.#bytes[this.#at + i] = bytes[start + i] as number
    this.#at += size
  }

  text(text: string): void {
    if (text.length > SHORT_COPY || !this.#ascii(text)) this.#utf8(text)
  }

  #ascii(text: string): boolean {
    const start = this.#at
    this.#format.writeHead(this, TEXT, text.length)
    this.#room(text.length)
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) {
        this.#at = start
        return false
      }
      this.#bytes[this.#at++] = code
    }
    return true
  }

  /** Writes text behind room for the longest head, and moves it when its size is known. */
  #utf8(text: string): void {
    this.#room(TEXT_HEAD + text.length * 3)
    const from = this.#at + TEXT_HEAD
    const { written } = textEncoder().encodeInto(text, this.#bytes.subarray(from))
    this.#format.writeHead(this, TEXT, written)
    if (this.#at !== from) this.#bytes.copyWithin(this.#at, from, from + written)
    this.#at += written
  }

  number(value: number): void {
    // -0 would lose its sign as an integer.
    if (Number.isInteger(value) && Math.abs(value) <= MAX_ID && !Object.is(value, -0))
      this.#format.writeInteger(this, value)
    else this.#format.writeFloat(this, value)
  }

  /**
   * Writes a value that `plain` or our JSON parser returned, without tags if `plainly`. `cannot` is called for an integer
   * that the format cannot represent and, if `parsed` from JSON, for Infinity (an integer that is too long) and for a
   * dictionary with the key `__proto__`.
   */
  value(value: unknown, plainly: boolean, parsed: boolean, cannot: (value: unknown, what: string) => Error): void {
    const format = this.#format
    if (typeof value === 'string') this.text(value)
    else if (typeof value === 'number') {
      if (parsed && !Number.isFinite(value)) throw cannot(value, BEYOND)
      this.number(value)
    } else if (typeof value === 'boolean' || value === null) format.writeSimple(this, value)
    else if (typeof value === 'bigint') {
      const what = this.#big(value, plainly)
      if (what) throw cannot(value, what)
    } else if (value instanceof Uint8Array) this.octets(value, 0, value.length)
    else if (Array.isArray(value)) {
      format.writeHead(this, LIST, value.length)
      for (let i = 0; i < value.length; i++) this.value(value[i], plainly, parsed, cannot)
    } else {
      const dict = value as Record<string, unknown>
      const keys = Object.keys(dict)
      format.writeHead(this, DICT, keys.length)
      for (const key of keys) {
        if (parsed && key === '__proto__') throw cannot(value, 'a reserved key')
        this.text(key)
        this.value(dict[key], plainly, parsed, cannot)
      }
    }
  }

  #big(value: bigint, plainly: boolean): string | undefined {
    if (value >= -MAX_ID && value <= MAX_ID) this.#format.writeInteger(this, Number(value))
    else if (!this.#format.writeBig(this, value, plainly)) return `an integer beyond what ${this.#format.name} can say`
    return undefined
  }

  // ---- as the sink of a transcoder ----

  begin(kind: typeof LIST | typeof DICT, size: number): number {
    const start = this.#at
    this.#format.writeHead(this, kind, size === INDEFINITE ? 0 : size)
    return start
  }

  end(kind: typeof LIST | typeof DICT, start: number, stated: number, size: number): void {
    if (size === (stated === INDEFINITE ? 0 : stated)) return
    // Both heads are written behind the items first, to measure them.
    const end = this.#at
    this.#format.writeHead(this, kind, stated === INDEFINITE ? 0 : stated)
    const from = start + this.#at - end
    this.#at = end
    this.#format.writeHead(this, kind, size)
    const to = start + this.#at - end
    if (from !== to) this.#bytes.copyWithin(to, from, end)
    this.#at = start
    this.#format.writeHead(this, kind, size)
    this.#at = end + to - from
  }

  next(): void {}

  key(utf8: Uint8Array, start: number, end: number): void {
    this.utf8(utf8, start, end)
  }

  utf8(utf8: Uint8Array, start: number, end: number): undefined {
    this.#format.writeHead(this, TEXT, end - start)
    this.raw(utf8, start, end)
  }

  octets(bytes: Uint8Array, start: number, end: number): void {
    this.#format.writeHead(this, BYTES, end - start)
    this.raw(bytes, start, end)
  }

  numeric(value: number | bigint): string | undefined {
    if (typeof value === 'bigint') return this.#big(value, false)
    this.number(value)
    return undefined
  }

  simple(value: boolean | null): void {
    this.#format.writeSimple(this, value)
  }

  #room(size: number): void {
    const needed = this.#at + size
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#become(grown)
  }

  #become(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
