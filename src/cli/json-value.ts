/** Values as JSON, with every digit of an integer, and bytes as in WAMP's JSON. */

import { isDict } from '../protocol/validate.ts'
import { fromBase64, toBase64 } from '../serializer/base64.ts'
import { parseExactly } from '../serializer/exact-integers.ts'

/** Parses JSON, else text. */
export function parseArgument(text: string): unknown {
  const value = parseJson(text)
  return value === undefined ? text : value
}

/** Returns undefined for invalid JSON. */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return decodeBytes(/\d{16}/.test(text) ? parseExactly(text) : value)
}

function decodeBytes(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('\0') ? (fromBase64(value.slice(1)) ?? value) : value
  if (Array.isArray(value)) return value.map(decodeBytes)
  if (!isDict(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decodeBytes(item)]))
}

/** A part of JSON that may have a colour: `word` is true, false or null. */
export type JsonPart = 'key' | 'text' | 'bytes' | 'number' | 'word'

/** Formats a value as one line of JSON. */
export function formatJson(
  value: unknown,
  paint: (part: JsonPart, text: string) => string = (_, text) => text,
): string {
  switch (typeof value) {
    case 'bigint':
      return paint('number', String(value))
    case 'string':
      return paint('text', quote(value))
    case 'object':
      break
    default: {
      const text = JSON.stringify(value) ?? 'null'
      return paint(typeof value === 'number' && text !== 'null' ? 'number' : 'word', text)
    }
  }
  if (value === null) return paint('word', 'null')
  if (value instanceof Uint8Array) return paint('bytes', `"\\u0000${toBase64(value)}"`)
  if (Array.isArray(value)) return `[${value.map((item) => formatJson(item, paint)).join()}]`
  return `{${Object.entries(value)
    .map(([key, item]) => `${paint('key', quote(key))}:${formatJson(item, paint)}`)
    .join()}}`
}

/** JSON leaves some control characters as they are, which would move a terminal's cursor. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
