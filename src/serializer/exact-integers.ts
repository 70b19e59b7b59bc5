/** JSON whose integers beyond 2^53 become bigints instead of rounded numbers. */

import { violation } from '../protocol/error.ts'
import { MAX_DIGITS } from '../protocol/fixed-limits.ts'
import { MAX_ID } from '../protocol/ids.ts'

/** True if a number may have lost digits when it was parsed. */
export function isRounded(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) >= MAX_ID
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.some(isRounded)
  // Also correct for null.
  for (const key in value) if (isRounded((value as Record<string, unknown>)[key])) return true
  return false
}

/** An integer as all serializers return it: a number from -2^53 to 2^53, otherwise a bigint. */
export function integer(value: bigint): number | bigint {
  return value >= -MAX_ID && value <= MAX_ID ? Number(value) : value
}

/**
 * Parses text that `JSON.parse` has accepted before and whose depth is known to be small. Long integers pass through it
 * as strings with the prefix `n`, and all other strings with the prefix `s`, so that the two cannot be confused: only the
 * newest engines show a reviver the digits of a number.
 */
export function parseExactly(text: string): unknown {
  const token = /"|-?\d[\d.eE+-]*/g
  let marked = ''
  let done = 0
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const { 0: piece, index } = found
    if (piece === '"') {
      token.lastIndex = closingQuote(text, index) + 1
      AFTER_KEY.lastIndex = token.lastIndex
      if (AFTER_KEY.test(text)) continue
      marked += `${text.slice(done, index)}"s`
      done = index + 1
    } else if (LONG_INTEGER.test(piece)) {
      marked += `${text.slice(done, index)}"n${piece}"`
      done = token.lastIndex
    }
  }
  return changed(JSON.parse(marked + text.slice(done)), (marked) =>
    marked[0] === 'n' ? integer(BigInt(marked.slice(1))) : marked.slice(1),
  )
}

/**
 * Replaces every string in a value. Lists and dictionaries are changed in place, which is much faster than a reviver.
 * Inside an envelope, at `place`, the key `__proto__` is rejected.
 */
export function changed(value: unknown, change: (text: string) => unknown, place?: string): unknown {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) {
    // `for in` would make a text of each index.
    for (let i = 0; i < value.length; i++) value[i] = changed(value[i], change, place)
    return value
  }
  // Also correct for null. An own key `__proto__`, which JSON.parse makes, stays an own key.
  const dict = value as Record<string, unknown>
  for (const key in dict) {
    if (place && key === '__proto__') throw violation(`${place} must not have the key __proto__`)
    dict[key] = changed(dict[key], change, place)
  }
  return value
}

const AFTER_KEY = /\s*:/y
const LONG_INTEGER = new RegExp(`^-?\\d{16,${MAX_DIGITS}}$`)

/** The end of the JSON string that opens at `at`; the length of the text if it does not end. */
export function closingQuote(text: string, at: number): number {
  for (let quote = at; ; ) {
    quote = text.indexOf('"', quote + 1)
    if (quote < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++
    if (slashes % 2 === 0) return quote
  }
}
