/** Values on the command line: JSON with every digit of an integer, bytes as in WAMP's JSON, and `-` for stdin. */

import { buffer } from 'node:stream/consumers'
import type { Dict } from '../protocol/options.ts'
import { formatValue, isDict } from '../protocol/validate.ts'
import { fromBase64, toBase64 } from '../serializer/base64.ts'
import { parseExactly } from '../serializer/exact-integers.ts'
import { usageFailure } from './failure.ts'

/** A paragraph for the help of commands that take values. */
export const VALUES = `Arguments are JSON; an argument that is not valid JSON is text, so 1 is a number, '"1"' and one are text.
Bytes are text of NUL and base64, as in WAMP's JSON: '"\\u0000AQID"'. After -- nothing is an option.
One argument, or the value of --kwargs, may be -: it is read from standard input, by the same rules; a line end after text
is removed, and input that is not UTF-8 is bytes. A single dash as text is '"-"'.`

export const kwargsOption = {
  type: 'string',
  value: 'json',
  help: `keyword arguments: '{"unit":"cm"}', or - for standard input`,
} as const

/** The payload that the operands and `--kwargs` state. */
export interface PayloadArguments {
  readonly args: unknown[]
  readonly kwargs: Dict | undefined
}

/** @throws Failure (exit code 2) for `--kwargs` that are not a JSON object, and for a second `-` */
export async function readPayload(operands: readonly string[], kwargs: string | undefined): Promise<PayloadArguments> {
  const dashes = [...operands, kwargs].filter((each) => each === STDIN).length
  if (dashes > 1) throw usageFailure(`standard input can be read once: "-" was given ${dashes} times`)
  const input = dashes ? await buffer(process.stdin) : undefined
  return {
    args: operands.map((each) => (each === STDIN && input ? parseInput(input) : parseArgument(each))),
    kwargs: parseKwargs(kwargs === STDIN && input ? input.toString() : kwargs),
  }
}

const STDIN = '-'

function parseInput(input: Buffer): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(input)
  } catch {
    return new Uint8Array(input)
  }
  const value = parseJson(text)
  return value === undefined ? text.replace(/\r?\n$/, '') : value
}

/** Parses an argument: JSON, else text. */
export function parseArgument(text: string): unknown {
  const value = parseJson(text)
  return value === undefined ? text : value
}

function parseKwargs(text: string | undefined): Dict | undefined {
  if (text === undefined) return undefined
  const value = parseJson(text)
  if (isDict(value)) return value
  const got = value === undefined ? `invalid JSON: ${text.trim()}` : formatValue(value)
  throw usageFailure(`--kwargs must be a JSON object, such as '{"unit":"cm"}', got ${got}`)
}

/** Returns undefined for invalid JSON. */
function parseJson(text: string): unknown {
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
