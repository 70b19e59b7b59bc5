/** JSON whose integers beyond 2^53 become bigints instead of rounded numbers. */

import { violation } from '../protocol/error.ts'
import { MAX_ID } from '../protocol/ids.ts'

/**
 * Integers with more digits are read as what JSON.parse makes of them, Infinity, and are not written, in any format:
 * going from one base to another costs more than the length, so that a peer could buy seconds with a megabyte. Python
 * draws its line here too.
 */
const MAX_DIGITS = 4300
export const BOUND = 10n ** BigInt(MAX_DIGITS)
/** Why such an integer is not written. */
export const BEYOND = 'an integer of thousands of digits'

/** Whether an integer has few enough digits to be read and written. */
export function isSayable(value: bigint): boolean {
  return value < BOUND && value > -BOUND
}

/** Whether a number may have lost digits when it was parsed. */
export function isRounded(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) >= MAX_ID
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.some(isRounded)
  // Also right for null.
  for (const key in value) if (isRounded((value as Record<string, unknown>)[key])) return true
  return false
}

/** An integer as both binary formats and JSON give it to the application: a number up to 2^53 either way, else a bigint. */
export function integer(value: bigint): number | bigint {
  return value >= -MAX_ID && value <= MAX_ID ? Number(value) : value
}

/**
 * Parses text which `JSON.parse` has accepted before, and whose depth is known to be small. Long integers go through it
 * as text behind an `n`, and so that nothing is taken for one, other text behind an `s`: a reviver sees the digits of a
 * number only in the newest engines.
 */
export function parseExactly(text: string): unknown {
  const token = /"|-?\d[\d.eE+-]*/g
  let marked = ''
  let done = 0
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const { 0: piece, index } = found
    if (piece === '"') {
      token.lastIndex = closingQuote(text, index) + 1
      KEY.lastIndex = token.lastIndex
      if (KEY.test(text)) continue
      marked += `${text.slice(done, index)}"s`
      done = index + 1
    } else if (LONG.test(piece)) {
      marked += `${text.slice(done, index)}"n${piece}"`
      done = token.lastIndex
    }
  }
  return changed(JSON.parse(marked + text.slice(done)), (marked) =>
    marked[0] === 'n' ? integer(BigInt(marked.slice(1))) : marked.slice(1),
  )
}

/**
 * A value in which all text became something else; lists and dictionaries are changed in place, much faster than by a
 * reviver. Within an envelope, at `place`, it refuses the key `__proto__`.
 */
export function changed(value: unknown, change: (text: string) => unknown, place?: string): unknown {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object') return value
  // Also right for null, and for lists. An own key `__proto__`, which JSON.parse makes, stays an own key.
  const dict = value as Record<string, unknown>
  for (const key in dict) {
    if (place && key === '__proto__') throw violation(`${place} must not have the key __proto__`)
    dict[key] = changed(dict[key], change, place)
  }
  return value
}

const KEY = /\s*:/y
const LONG = new RegExp(`^-?\\d{16,${MAX_DIGITS}}$`)

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
