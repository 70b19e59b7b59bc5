/** WAMP in JSON: text frames, bytes as NUL and base64 (Advanced Profile, Binary Data in JSON), integers of any size exact. */

import { violation } from '../protocol/error.ts'
import { MAX_ID } from '../protocol/ids.ts'
import type { Message } from '../protocol/messages.ts'
import type { Dict, List } from '../protocol/options.ts'
import type { Payload, Source } from '../protocol/payload.ts'
import { isEmpty, isRecord, MAX_DEPTH, plain, refused } from '../protocol/plain.ts'
import { checkElements, checkLength, checkPayload, formatValue, isTransparent, layoutOf } from '../protocol/validate.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { BEYOND, changed, closingQuote, isRounded, isSayable, parseExactly } from './exact.ts'
import type { Frame, Serializer } from './serializer.ts'

export const json: Serializer = { name: 'json', binary: false, encode, decode }

// ---- in ----

function decode(frame: Frame): Message {
  if (typeof frame !== 'string') throw violation('json travels in text frames')
  // The list of the message is one level more than what it carries.
  if (isDeeper(frame, MAX_DEPTH + 1)) throw violation(`a message is nested at most ${MAX_DEPTH} levels deep`)
  let message = parsedList(frame)
  const layout = layoutOf(message[0])
  checkLength(layout, message.length)
  const { most } = layout
  for (let i = 1; i < most; i++) {
    if (isRounded(message[i])) {
      message = parseExactly(frame) as unknown[]
      break
    }
  }
  checkElements(layout, message)
  for (let i = 1; i < most; i++) {
    if (typeof message[i] === 'object') opened(message[i], `${layout.name}[${i}]`)
  }
  if (message.length > most) {
    const first = message[most]
    const args = (Array.isArray(first) || !isTransparent(layout, message) ? first : [first]) as List
    const kwargs = message[most + 1] as Dict | undefined
    if (args === null && kwargs) {
      // nexus's way to say no args before kwargs, which must not travel on to peers that take a list only.
      const start = startOf(frame, most)
      return decode(frame.slice(0, start) + frame.slice(start).replace('null', '[]'))
    }
    checkPayload(layout, args, kwargs)
    message[most] = new ParsedPayload(frame, most, [args, kwargs])
    message.length = most + 1
  }
  // Its code, length and elements were checked against the table.
  return message as unknown as Message
}

/** Where the element at `place` of a message begins. */
function startOf(frame: string, place: number): number {
  return seek(frame, frame.indexOf('[') + 1, place, MAX_DEPTH) as number
}

function parsedList(frame: string): unknown[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(frame)
  } catch {
    throw violation('a message must be JSON')
  }
  if (Array.isArray(parsed)) return parsed
  throw violation(`a message is a list, got ${formatValue(parsed)}`)
}

/** Whether lists and dictionaries are nested deeper than `limit`. */
function isDeeper(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  // Most frames have fewer brackets than levels are allowed, which the engine's own search finds out fast.
  let openers = 0
  for (const bracket of '[{') {
    for (let at = text.indexOf(bracket); at >= 0 && openers <= limit; at = text.indexOf(bracket, at + 1)) openers++
  }
  if (openers <= limit) return false
  return seek(text, 0, 0, limit) === undefined
}

/** Where text goes on behind so many commas that are within no further bracket; undefined where it is nested too deep. */
function seek(text: string, start: number, commas: number, limit: number): number | undefined {
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

/** A value in which every string of NUL and base64 has become bytes, changed in place; in an envelope, at `place`, without `__proto__`. */
function opened(value: unknown, place?: string): unknown {
  // NUL before what is not base64 stays text (the specification is silent).
  return changed(value, (text) => (text.charCodeAt(0) === 0 ? (fromBase64(text.slice(1)) ?? text) : text), place)
}

/** args and kwargs as JSON.parse made them; bytes and bigints appear when they are first read. */
class ParsedPayload implements Payload {
  readonly #frame: string
  readonly #place: number
  #values: [args: List, kwargs?: Dict | undefined]
  #source: Source | undefined
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

  get source(): Source {
    const frame = this.#frame
    this.#source ??= {
      serializer: 'json',
      frame,
      start: startOf(frame, this.#place),
      end: frame.lastIndexOf(']'),
      count: this.#values[1] === undefined ? 1 : 2,
      again,
    }
    return this.#source
  }

  #open(): [args: List, kwargs?: Dict | undefined] {
    if (this.#opened) return this.#values
    this.#opened = true
    const { start, end } = this.source
    const text = this.#frame.slice(start, end)
    // JSON says a digit in one way only, so a number that was rounded shows as a run of digits.
    if (/\d{16}/.test(text) && isRounded(this.#values)) this.#values = parseExactly(`[${text}]`) as [List, Dict?]
    // JSON can hold a NUL as this escape only: looking for it is far cheaper than looking at every value.
    if (text.includes('\\u0000')) opened(this.#values)
    return this.#values
  }
}

function again(text: string): Payload {
  const frame = `[0,${text}]`
  return new ParsedPayload(frame, 1, JSON.parse(frame).slice(1))
}

// ---- out ----

function encode(message: Message): string {
  const layout = layoutOf(message[0])
  const { most } = layout
  const elements: readonly unknown[] = message
  let text = `[${message[0]}`
  for (let i = 1; i < most; i++) {
    const element = elements[i]
    if (typeof element === 'number') text += `,${element}`
    else if (typeof element === 'string') text += `,${JSON.stringify(element)}`
    else if (element !== undefined) text += `,${written(element, `${layout.name}[${i}]`)}`
  }
  const payload = layout.payload ? (elements[most] as Payload | undefined) : undefined
  return payload ? `${text}${carried(payload)}]` : `${text}]`
}

/** args and kwargs with the comma before each: the text they came in, else their values. */
function carried(payload: Payload): string {
  const { source } = payload
  if (source?.serializer === 'json') return `,${source.frame.slice(source.start, source.end)}`
  if (source?.inJson) return source.inJson()
  const { args, kwargs } = payload
  if (kwargs === undefined) return args === undefined ? '' : `,${written(args, 'args')}`
  return `,${written(args ?? [], 'args')},${written(kwargs, 'kwargs')}`
}

function written(value: unknown, place: string): string {
  if (isEmpty(value)) return '{}'
  return isOrdinary(value, 0) ? JSON.stringify(value) : jsonOf(plain(value, place), place)
}

/**
 * Whether JSON.stringify says a value by the rule of `plain`. Looking first is far cheaper than a replacer, and where
 * the answer is no, the slow way finds out what is to be done or which place is to be named.
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

/** What `plain` made, as JSON. */
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
  // It would come out as bytes at the other end.
  if (typeof value === 'string') throw refused(place, 'text that begins with NUL')
  if (!Number.isFinite(value)) throw refused(place, String(value))
  // Said as digits it would come out as a bigint at the other end.
  return (value as number).toExponential()
}
