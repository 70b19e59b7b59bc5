/** Writes a binary frame into one buffer that grows and is used again. */

import { MAX_ID } from '../protocol/ids.ts'
import { BYTES, DICT, LIST, TEXT } from './cursor.ts'
import type { Format } from './format.ts'

const INITIAL = 4096
/** A buffer that grew beyond this is given back after the frame. */
const KEPT = 1 << 20
/** Up to here a loop beats a call of the platform. */
const SHORT = 64
/** The greatest head of a text. */
const HEAD = 5

const encoder = new TextEncoder()

export class Writer {
  readonly #format: Format
  #bytes = new Uint8Array(INITIAL)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  constructor(format: Format) {
    this.#format = format
  }

  reset(): void {
    this.#at = 0
    if (this.#bytes.length > KEPT) this.#become(new Uint8Array(INITIAL))
  }

  /** What was written, as a frame of its own. */
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

  /** The lower 64 bits, so also a negative number's two's complement. */
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

  /** Bytes as they are, of a frame or of a value. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start
    this.#room(size)
    if (size > SHORT) this.#bytes.set(bytes.subarray(start, end), this.#at)
    else for (let i = 0; i < size; i++) this.#bytes[this.#at + i] = bytes[start + i] as number
    this.#at += size
  }

  bytes(bytes: Uint8Array): void {
    this.#format.writeHead(this, BYTES, bytes.length)
    this.raw(bytes, 0, bytes.length)
  }

  text(text: string): void {
    if (text.length > SHORT || !this.#ascii(text)) this.#utf8(text)
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

  /** Writes behind the place of the greatest head, and moves the text to its own when its size is known. */
  #utf8(text: string): void {
    this.#room(HEAD + text.length * 3)
    const from = this.#at + HEAD
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(from))
    this.#format.writeHead(this, TEXT, written)
    if (this.#at !== from) this.#bytes.copyWithin(this.#at, from, from + written)
    this.#at += written
  }

  number(value: number): void {
    // -0 is a whole number only as long as nobody divides by it.
    if (Number.isInteger(value) && Math.abs(value) <= MAX_ID && !Object.is(value, -0))
      this.#format.writeInteger(this, value)
    else this.#format.writeFloat(this, value)
  }

  /** Writes what `plain` made, without tags if `plainly`; `beyond` is told of an integer that the format cannot say. */
  value(value: unknown, plainly: boolean, beyond: (value: bigint) => Error): void {
    const format = this.#format
    if (typeof value === 'string') this.text(value)
    else if (typeof value === 'number') this.number(value)
    else if (typeof value === 'boolean' || value === null) format.writeSimple(this, value)
    else if (typeof value === 'bigint') {
      if (value >= -MAX_ID && value <= MAX_ID) format.writeInteger(this, Number(value))
      else if (!format.writeBig(this, value, plainly)) throw beyond(value)
    } else if (value instanceof Uint8Array) this.bytes(value)
    else if (Array.isArray(value)) {
      format.writeHead(this, LIST, value.length)
      for (const item of value) this.value(item, plainly, beyond)
    } else {
      const dict = value as Record<string, unknown>
      const keys = Object.keys(dict)
      format.writeHead(this, DICT, keys.length)
      for (const key of keys) {
        this.text(key)
        this.value(dict[key], plainly, beyond)
      }
    }
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
