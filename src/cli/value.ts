/** Values as the shell sees them: JSON with every digit of an integer, and bytes as WAMP says them in JSON. */

import type { Dict } from '../protocol/options.ts'
import { formatValue, isDict } from '../protocol/validate.ts'
import { fromBase64, toBase64 } from '../serializer/base64.ts'
import { parseExactly } from '../serializer/exact.ts'
import { Failure } from './failure.ts'

/** For the help of commands that take some. */
export const VALUES = `Arguments are JSON; what is not valid JSON is text, so 1 is a number, '"1"' and one are text.
Bytes are text of NUL and base64, as in WAMP's JSON: '"\\u0000AQID"'. Behind -- nothing is an option.`

/** An argument: JSON, else text. */
export function argument(text: string): unknown {
  const value = parsed(text)
  return value === undefined ? text : value
}

export const kwargsOption = { type: 'string', value: 'json', help: `keyword arguments: '{"unit":"cm"}'` } as const

/** @throws Failure for what is no dictionary in JSON */
export function kwargs(text: string | undefined): Dict | undefined {
  if (text === undefined) return undefined
  const value = parsed(text)
  if (isDict(value)) return value
  const came = value === undefined ? `what is not valid JSON: ${text}` : formatValue(value)
  throw new Failure(`--kwargs must be a JSON object, such as '{"unit":"cm"}', got ${came}`)
}

/** Undefined for what is not JSON. */
function parsed(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return withBytes(/\d{16}/.test(text) ? parseExactly(text) : value)
}

function withBytes(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('\0') ? (fromBase64(value.slice(1)) ?? value) : value
  if (Array.isArray(value)) return value.map(withBytes)
  if (!isDict(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withBytes(item)]))
}

/** A value in one line of JSON. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'bigint':
      return String(value)
    case 'object':
      break
    default:
      return JSON.stringify(value) ?? 'null'
  }
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return `"\\u0000${toBase64(value)}"`
  if (Array.isArray(value)) return `[${value.map(shown).join()}]`
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${shown(item)}`)
    .join()}}`
}
