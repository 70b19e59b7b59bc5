/** WAMP in JSON: text frames, bytes as NUL and base64 (Advanced Profile, Binary Data in JSON), integers of any size exact. */

import { violation } from '../protocol/error.ts'
import { MAX_DEPTH } from '../protocol/fixed-limits.ts'
import { MAX_ID } from '../protocol/ids.ts'
import { BEYOND, isSayable } from '../protocol/integer-limit.ts'
import type { Message } from '../protocol/messages.ts'
import type { Dict, List } from '../protocol/options.ts'
import type { Payload, PayloadSource } from '../protocol/payload.ts'
import { isEmptyDict, isRecord, plain, refused } from '../protocol/plain.ts'
import {
  checkElements,
  checkLength,
  checkPayloadElements,
  formatValue,
  isTransparent,
  layoutOf,
} from '../protocol/validate.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { changed, closingQuote, isRounded, parseExactly } from './exact-integers.ts'
import type { Frame, Serializer } from './serializer.ts'

export const json: Serializer = { name: 'json', binary: false, encode, decode }

// ---- decoding ----

function decode(frame: Frame): Message {
  if (typeof frame !== 'string') throw violation('json travels in text frames')
  // The message itself is one level above its elements.
  if (isDeeper(frame, MAX_DEPTH + 1)) throw violation(TOO_NESTED)
  const message = decodeElements(frame)
  const layout = layoutOf(message[0])
  const { most } = layout
  if (message.length > most) {
    const first = message[most]
    const args = (Array.isArray(first) || !isTransparent(layout, message) ? first : [first]) as List
    const kwargs = message[most + 1] as Dict | undefined
    if (args === null && kwargs) {
      // nexus sends null for absent args before kwargs; peers that accept only a list must not receive that.
      const start = startOf(frame, most)
      return decode(frame.slice(0, start) + frame.slice(start).replace('null', '[]'))
    }
    checkPayloadElements(layout, args, kwargs)
    message[most] = new ParsedPayload(frame, most, [args, kwargs])
    message.length = most + 1
  }
  // The code, the length and the elements were checked against the layout table.
  return message as unknown as Message
}

/** Parses a message and checks the elements before its payload. */
export function decodeElements(text: string): unknown[] {
  let message = parsedList(text)
  const layout = layoutOf(message[0])
  checkLength(layout, message.length)
  const { most } = layout
  for (let i = 1; i < most; i++) {
    if (isRounded(message[i])) {
      message = parseExactly(text) as unknown[]
      break
    }
  }
  checkElements(layout, message)
  for (let i = 1; i < most; i++) {
    if (typeof message[i] === 'object') decodeBinaryStrings(message[i], `${layout.name}[${i}]`)
  }
  return message
}

/** The offset at which element `place` of a message begins. */
function startOf(frame: string, place: number): number {
  return seek(frame, frame.indexOf('[') + 1, place, MAX_DEPTH) as number
}

function parsedList(frame: string): unknown[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(frame)
  } catch {
    throw notJson()
  }
  if (Array.isArray(parsed)) return parsed
  throw violation(`a message is a list, got ${formatValue(parsed)}`)
}

export const TOO_NESTED = `a message is nested at most ${MAX_DEPTH} levels deep`

export const notJson = (): Error => violation('a message must be JSON')

/** True if lists and dictionaries are nested deeper than `limit`. */
function isDeeper(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  // Most frames have fewer brackets than allowed levels, and the engine's own search counts them quickly.
  let openers = 0
  for (const bracket of '[{') {
    for (let at = text.indexOf(bracket); at >= 0 && openers <= limit; at = text.indexOf(bracket, at + 1)) openers++
  }
  if (openers <= limit) return false
  return seek(text, 0, 0, limit) === undefined
}

/** The offset behind the given number of commas outside any inner bracket; undefined if the text is nested too deeply. */
export function seek(text: string, start: number, commas: number, limit: number): number | undefined {
  let depth = 0
  let left = commas
  let at = start
  for (; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 34: // "
        at = closingQuote(text, at)
        break
      case 91: // [
      case 123: // {
        if (++depth > limit) return undefined
        break
      case 93: // ]
      case 125: // }
        depth--
        break
      case 44: // ,
        if (depth === 0 && --left === 0) return at + 1
    }
  }
  return at
}

/** Turns every string of NUL and base64 into bytes, in place; inside an envelope, at `place`, the key `__proto__` is rejected. */
function decodeBinaryStrings(value: unknown, place?: string): unknown {
  // A NUL before text that is not base64 leaves the string as it is (the specification is silent).
  return changed(value, (text) => (text.charCodeAt(0) === 0 ? (fromBase64(text.slice(1)) ?? text) : text), place)
}

/** args and kwargs as JSON.parse made them; bytes and bigints are restored on the first read. */
class ParsedPayload implements Payload {
  readonly #frame: string
  readonly #place: number
  #values: [args: List, kwargs?: Dict | undefined]
  #source: PayloadSource | undefined
  #opened = false

  constructor(frame: string, place: number, values: [args: List, kwargs?: Dict | undefined]) {
    this.#frame = frame
    this.#place = place
    this.#values = values
  }

  get args(): List {
    return this.#open()[0]
  }

  get kwargs(): Dict | undefined {
    return this.#open()[1]
  }

  get source(): PayloadSource {
    const frame = this.#frame
    this.#source ??= {
      serializer: 'json',
      frame,
      start: startOf(frame, this.#place),
      end: frame.lastIndexOf(']'),
      count: this.#values[1] === undefined ? 1 : 2,
      reparse: again,
    }
    return this.#source
  }

  #open(): [args: List, kwargs?: Dict | undefined] {
    if (this.#opened) return this.#values
    this.#opened = true
    const { start, end } = this.source
    const text = this.#frame.slice(start, end)
    // JSON has one spelling for a digit, so a rounded number shows as a long run of digits.
    if (/\d{16}/.test(text) && isRounded(this.#values)) this.#values = parseExactly(`[${text}]`) as [List, Dict?]
    // JSON can contain NUL only as this escape: searching for it is far cheaper than visiting every value.
    if (text.includes('\\u0000')) decodeBinaryStrings(this.#values)
    return this.#values
  }
}

/** Parses the text of a payload: `[1,2],{"a":3}`. */
export function again(text: string): Payload {
  const frame = `[0,${text}]`
  return new ParsedPayload(frame, 1, JSON.parse(frame).slice(1))
}

// ---- encoding ----

function encode(message: Message): string {
  const layout = layoutOf(message[0])
  const { most } = layout
  const elements: readonly unknown[] = message
  let text = `[${message[0]}`
  for (let i = 1; i < most; i++) {
    const element = elements[i]
    if (typeof element === 'number') text += `,${element}`
    else if (typeof element === 'string') text += `,${JSON.stringify(element)}`
    else if (element !== undefined) text += `,${encodeValue(element, `${layout.name}[${i}]`)}`
  }
  const payload = layout.payload ? (elements[most] as Payload | undefined) : undefined
  return payload ? `${text}${encodePayload(payload)}]` : `${text}]`
}

/** args and kwargs, each after a comma: the text they arrived in if it is there, otherwise their values. */
function encodePayload(payload: Payload): string {
  const { source } = payload
  if (source?.serializer === 'json') return `,${source.frame.slice(source.start, source.end)}`
  if (source?.inJson) return source.inJson()
  const { args, kwargs } = payload
  if (kwargs === undefined) return args === undefined ? '' : `,${encodeValue(args, 'args')}`
  return `,${encodeValue(args ?? [], 'args')},${encodeValue(kwargs, 'kwargs')}`
}

function encodeValue(value: unknown, place: string): string {
  if (isEmptyDict(value)) return '{}'
  try {
    if (isOrdinary(value, 0)) {
      const text = JSON.stringify(value)
      // So JSON writes half a surrogate pair, and a backslash before these letters: `plain` knows which.
      if (!text.includes('\\ud')) return text
    }
  } catch {
    // A getter throws: `plain` names its place.
  }
  return jsonOf(plain(value, place), place)
}

/**
 * True if JSON.stringify writes a value as `plain` requires. Looking first is far cheaper than a replacer; if the answer
 * is false, the slow path converts the value or names the place that is at fault.
 */
function isOrdinary(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return value.charCodeAt(0) !== 0
    case 'number':
      return Math.abs(value) <= MAX_ID
    case 'boolean':
    case 'undefined':
      return true
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (depth >= MAX_DEPTH) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isOrdinary(value[i], depth + 1)) return false
    return true
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function' || !isRecord(value)) return false
  for (const key in value) {
    if (key === '__proto__' || !isOrdinary((value as Record<string, unknown>)[key], depth + 1)) return false
  }
  return true
}

/** Writes a value that `plain` returned as JSON. */
function jsonOf(value: unknown, place: string): string {
  if (value instanceof Uint8Array) return `"\\u0000${toBase64(value)}"`
  if (Array.isArray(value)) return `[${value.map((item, i) => jsonOf(item, `${place}[${i}]`)).join()}]`
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}:${jsonOf(item, `${place}.${key}`)}`,
    )
    return `{${parts.join()}}`
  }
  if (typeof value === 'bigint') {
    if (isSayable(value)) return String(value)
    throw refused(place, BEYOND)
  }
  if (isOrdinary(value, 0)) return JSON.stringify(value)
  // The other end would decode it as bytes.
  if (typeof value === 'string') throw refused(place, 'text that begins with NUL')
  if (!Number.isFinite(value)) throw refused(place, String(value))
  // Written as plain digits it would be decoded as a bigint.
  return (value as number).toExponential()
}
