/** Writes JSON from a binary payload, into bytes: a string concatenated from millions of pieces takes far more memory. */

import { MAX_ID } from '../protocol/ids.ts'
import { BEYOND, isSayable } from '../protocol/integer-limit.ts'
import { textDecoder } from '../protocol/text.ts'
import { DICT, type LIST } from './cursor.ts'
import type { Sink } from './transcode.ts'

const INITIAL_TEXT_SIZE = 4096
/** A buffer that grew beyond this is released. */
const MAX_KEPT_TEXT = 1 << 20
const COMMA = 44
const QUOTE = 34
const BACKSLASH = 92
const ALPHABET = octetsOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const HEX_DIGITS = octetsOf('0123456789abcdef')
const NUL_TEXT = octetsOf('\\u0000')
const NULL_TEXT = octetsOf('null')
const TRUE_TEXT = octetsOf('true')
const FALSE_TEXT = octetsOf('false')
/** The letters that JSON puts behind a backslash for control characters, by character. */
const SHORT_ESCAPES: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 98, 116, 110, 0, 102, 114]

function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export class JsonSink implements Sink {
  #bytes = new Uint8Array(INITIAL_TEXT_SIZE)
  #at = 0

  reset(): void {
    this.#at = 0
    if (this.#bytes.length > MAX_KEPT_TEXT) this.#bytes = new Uint8Array(INITIAL_TEXT_SIZE)
  }

  /** Everything written so far. */
  text(): string {
    return textDecoder().decode(this.#bytes.subarray(0, this.#at))
  }

  begin(kind: typeof LIST | typeof DICT): number {
    this.#u8(kind === DICT ? 123 : 91)
    return this.#at
  }

  end(kind: typeof LIST | typeof DICT): void {
    this.#u8(kind === DICT ? 125 : 93)
  }

  next(index: number): void {
    if (index > 0) this.#u8(COMMA)
  }

  key(utf8: Uint8Array, start: number, end: number): void {
    this.#quoted(utf8, start, end)
    this.#u8(58)
  }

  utf8(utf8: Uint8Array, start: number, end: number): string | undefined {
    // The other end would decode it as bytes.
    if (start < end && utf8[start] === 0) return 'text that begins with NUL'
    this.#quoted(utf8, start, end)
    return undefined
  }

  /** Writes bytes as NUL and base64. */
  octets(bytes: Uint8Array, start: number, end: number): void {
    this.#room(Math.ceil((end - start) / 3) * 4 + 8)
    this.#u8(QUOTE)
    this.#literal(NUL_TEXT)
    let i = start
    for (; i + 2 < end; i += 3) this.#base64(bytes[i] as number, bytes[i + 1] as number, bytes[i + 2] as number)
    if (i < end) {
      this.#base64(bytes[i] as number, i + 1 < end ? (bytes[i + 1] as number) : 0, 0)
      this.#bytes[this.#at - 1] = 61
      if (i + 1 === end) this.#bytes[this.#at - 2] = 61
    }
    this.#u8(QUOTE)
  }

  numeric(value: number | bigint): string | undefined {
    let text: string
    if (typeof value === 'bigint') {
      if (!isSayable(value)) return BEYOND
      text = String(value)
    } else if (!Number.isFinite(value)) return String(value)
    // -0 as JSON.stringify writes it; a large float written as plain digits would be decoded as a bigint.
    else text = Math.abs(value) <= MAX_ID ? String(value) : value.toExponential()
    this.#room(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i)
    return undefined
  }

  simple(value: boolean | null): void {
    this.#literal(value === null ? NULL_TEXT : value ? TRUE_TEXT : FALSE_TEXT)
  }

  #base64(a: number, b: number, c: number): void {
    const bytes = this.#bytes
    bytes[this.#at++] = ALPHABET[a >> 2] as number
    bytes[this.#at++] = ALPHABET[((a & 3) << 4) | (b >> 4)] as number
    bytes[this.#at++] = ALPHABET[((b & 15) << 2) | (c >> 6)] as number
    bytes[this.#at++] = ALPHABET[c & 63] as number
  }

  /** Escapes what JSON.stringify does: well-formed UTF-8 has no surrogates, so control characters, quotes and backslashes. */
  #quoted(utf8: Uint8Array, start: number, end: number): void {
    this.#room((end - start) * 6 + 2)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = QUOTE
    for (let i = start; i < end; i++) {
      const code = utf8[i] as number
      if (code >= 32 && code !== QUOTE && code !== BACKSLASH) bytes[at++] = code
      else {
        bytes[at++] = BACKSLASH
        const short = code >= 32 ? code : SHORT_ESCAPES[code]
        if (short) bytes[at++] = short
        else {
          for (let j = 1; j < 4; j++) bytes[at++] = NUL_TEXT[j] as number
          bytes[at++] = HEX_DIGITS[code >> 4] as number
          bytes[at++] = HEX_DIGITS[code & 15] as number
        }
      }
    }
    bytes[at++] = QUOTE
    this.#at = at
  }

  #u8(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  #literal(octets: Uint8Array): void {
    this.#room(octets.length)
    for (let i = 0; i < octets.length; i++) this.#bytes[this.#at++] = octets[i] as number
  }

  #room(size: number): void {
    const needed = this.#at + size
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
  }
}
