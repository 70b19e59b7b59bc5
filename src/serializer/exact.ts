/** JSON whose integers beyond 2^53 become bigints instead of rounded numbers. */

import { MAX_ID } from '../protocol/ids.ts'

/**
 * Integers with more digits stay what JSON.parse makes of them, Infinity, and are not written: going from one base to
 * another costs more than the length, so that a peer could buy seconds with a megabyte. Python draws its line here too.
 */
const MAX_DIGITS = 4300
const BOUND = 10n ** BigInt(MAX_DIGITS)

/** Whether an integer has few enough digits to be written as decimal text. */
export function isSayable(value: bigint): boolean {
  return value < BOUND && value > -BOUND
}

/** Whether a number may have lost digits when it was parsed. */
export function isRounded(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) >= MAX_ID
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(isRounded)
  for (const key in value) if (isRounded((value as Record<string, unknown>)[key])) return true
  return false
}

/** An integer as both binary formats and JSON give it to the application: a number up to 2^53 either way, else a bigint. */
export function integer(value: bigint): number | bigint {
  return value >= -MAX_ID && value <= MAX_ID ? Number(value) : value
}

/**
 * Parses text which `JSON.parse` has accepted before: nothing is checked here, and the depth is known to be small.
 * The reviver of `JSON.parse` sees the digits only in the newest engines.
 */
export function parseExactly(text: string): unknown {
  return new Parser(text).value()
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): unknown {
    switch (this.#next()) {
      case '"':
        return this.#string()
      case '[':
        return this.#list()
      case '{':
        return this.#dict()
      case 't':
        this.#at += 4
        return true
      case 'f':
        this.#at += 5
        return false
      case 'n':
        this.#at += 4
        return null
      default:
        return this.#number()
    }
  }

  /** The next character that is not white space. */
  #next(): string {
    while (this.#text.charCodeAt(this.#at) <= 32) this.#at++
    return this.#text.charAt(this.#at)
  }

  #string(): string {
    const start = this.#at
    this.#at = closingQuote(this.#text, start) + 1
    return JSON.parse(this.#text.slice(start, this.#at))
  }

  #list(): unknown[] {
    const list: unknown[] = []
    this.#at++
    while (this.#next() !== ']') {
      list.push(this.value())
      if (this.#next() === ',') this.#at++
    }
    this.#at++
    return list
  }

  #dict(): Record<string, unknown> {
    const dict: Record<string, unknown> = {}
    this.#at++
    while (this.#next() !== '}') {
      const key = this.#string()
      this.#next()
      this.#at++
      const value = this.value()
      // As JSON.parse does: an own key, and the prototype stays.
      if (key === '__proto__') {
        Object.defineProperty(dict, key, { value, writable: true, enumerable: true, configurable: true })
      } else dict[key] = value
      if (this.#next() === ',') this.#at++
    }
    this.#at++
    return dict
  }

  #number(): number | bigint {
    const start = this.#at
    let whole = true
    for (; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at)
      if ((code >= 48 && code <= 57) || code === 45) continue
      // A point, an exponent and its sign.
      if (code !== 46 && code !== 101 && code !== 69 && code !== 43) break
      whole = false
    }
    const digits = this.#text.slice(start, this.#at)
    const value = Number(digits)
    return whole && Math.abs(value) >= MAX_ID && digits.length - (value < 0 ? 1 : 0) <= MAX_DIGITS
      ? integer(BigInt(digits))
      : value
  }
}

/** Where the JSON string that opens at `at` ends; the length of the text if it does not. */
export function closingQuote(text: string, at: number): number {
  for (let quote = at; ; ) {
    quote = text.indexOf('"', quote + 1)
    if (quote < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++
    if (slashes % 2 === 0) return quote
  }
}
