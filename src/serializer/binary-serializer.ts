/** A binary serializer made from a format: it walks the envelope, checks the payload and leaves it in the frame. */

import { violation } from '../protocol/error.ts'
import { MAX_ENVELOPE } from '../protocol/fixed-limits.ts'
import type { Message } from '../protocol/messages.ts'
import type { Dict, List } from '../protocol/options.ts'
import type { Payload, PayloadSource } from '../protocol/payload.ts'
import { isEmptyDict, plain, refused } from '../protocol/plain.ts'
import {
  checkElements,
  checkLength,
  checkPayloadElements,
  formatValue,
  isTransparent,
  type Layout,
  layoutOf,
} from '../protocol/validate.ts'
import type { Format } from './binary-format.ts'
import { BREAK, Cursor, DICT, FLOAT, INDEFINITE, INTEGER, type ItemKind, LIST, NULL } from './cursor.ts'
import { JsonSink } from './json-sink.ts'
import type { Frame, Serializer } from './serializer.ts'
import { refuseMany, type Sink, Transcoder } from './transcode.ts'
import { Writer } from './writer.ts'

export function binary(format: Format): Serializer {
  // A frame is read in one go, and no application code runs meanwhile: one cursor is enough.
  const cursor = new Cursor(format)
  // A value's `toJSON` may send another message while this one is being written.
  let spare: Writer | undefined

  function decode(frame: Frame): Message {
    if (typeof frame === 'string') throw violation(`${format.name} travels in binary frames`)
    cursor.open(frame, 0)
    try {
      return readMessage(cursor, format, frame)
    } finally {
      cursor.close()
    }
  }

  function encode(message: Message): Uint8Array {
    const writer = spare ?? new Writer(format)
    spare = undefined
    try {
      writer.reset()
      writeMessage(writer, format, message)
      return writer.frame()
    } finally {
      spare = writer
    }
  }

  return { name: format.name, binary: true, encode, decode }
}

// ---- decoding ----

function readMessage(cursor: Cursor, format: Format, frame: Uint8Array): Message {
  const whole = cursor.head()
  if (whole !== LIST) throw violation(`a message is a list, got ${formatValue(readElement(cursor, whole, 0))}`)
  const { size } = cursor
  const message: unknown[] = []
  let layout: Layout | undefined
  let length = 0
  let start = 0
  let end = 0
  for (; length !== size; length++) {
    const at = cursor.at
    const kind = cursor.head()
    if (kind === BREAK && size === INDEFINITE) break
    if (!layout) {
      layout = layoutOf(readElement(cursor, kind, at))
      if (size !== INDEFINITE) checkLength(layout, size)
      message.push(layout.code)
    } else if (length < layout.most) {
      message.push(readElement(cursor, kind, at))
    } else if (kind === NULL && length === layout.most && size === length + 2) {
      // nexus sends null for absent args before kwargs; peers that accept only a list must not receive that.
      const mended = new Uint8Array(frame)
      mended[at] = format.emptyList
      cursor.open(mended, 0)
      return readMessage(cursor, format, mended)
    } else {
      if (size === INDEFINITE) checkLength(layout, length + 1)
      if (length === layout.most) start = at
      checkPart(cursor, kind, layout, at, length === layout.most, message)
      end = cursor.at
    }
  }
  if (!layout) throw violation('a message begins with its code, got an empty list')
  checkLength(layout, length)
  checkElements(layout, message)
  if (!cursor.done) throw violation(`${layout.name} must be all that is in its frame`)
  if (end > 0) {
    const count = length - layout.most === 1 ? 1 : 2
    message.push(new UnreadPayload(cursor, format.name, frame, start, end, count, cursor.values))
  }
  // The code, the length and the elements were checked against the layout table.
  return message as unknown as Message
}

/** Reads an element of the envelope that begins at `at`; its head has been read. */
function readElement(cursor: Cursor, kind: ItemKind, at: number): unknown {
  if (kind === INTEGER || kind === FLOAT) return cursor.number
  if (kind === DICT && cursor.size === 0) return {}
  cursor.checkRest(kind, 1, true)
  if (cursor.at > MAX_ENVELOPE) throw violation(`a message may have at most ${MAX_ENVELOPE} bytes besides its payload`)
  cursor.at = at
  return cursor.value()
}

/** Checks args or kwargs that begin at `at`; the head has been read. */
function checkPart(
  cursor: Cursor,
  kind: ItemKind,
  layout: Layout,
  at: number,
  isArgs: boolean,
  message: readonly unknown[],
): void {
  cursor.checkRest(kind, 1, false)
  if (kind === (isArgs ? LIST : DICT) || (isArgs && isTransparent(layout, message))) return
  cursor.at = at
  const value = cursor.value()
  checkPayloadElements(layout, isArgs ? value : [], isArgs ? undefined : (value ?? null))
  // A tagged list does not count as a list.
  throw violation(`${layout.name}: ${isArgs ? 'args must be a list' : 'kwargs must be a dictionary'}, got a tag`)
}

// No application code runs while a payload is transcoded: one cursor is enough.
const inJson = new JsonSink()

/** args and kwargs that are still in the bytes they arrived in, with the description of those bytes. */
class UnreadPayload implements Payload, PayloadSource {
  readonly serializer: string
  readonly frame: Uint8Array
  readonly start: number
  readonly end: number
  readonly count: 1 | 2
  readonly values: number
  readonly #cursor: Cursor
  #args: List | undefined
  #kwargs: Dict | undefined

  constructor(
    cursor: Cursor,
    serializer: string,
    frame: Uint8Array,
    start: number,
    end: number,
    count: 1 | 2,
    values: number,
  ) {
    this.#cursor = cursor
    this.values = values
    this.serializer = serializer
    this.frame = frame
    this.start = start
    this.end = end
    this.count = count
  }

  get source(): PayloadSource {
    return this
  }

  get args(): List {
    return this.#args ?? this.#read()
  }

  get kwargs(): Dict | undefined {
    if (!this.#args) this.#read()
    return this.#kwargs
  }

  transcode(sink: unknown): void {
    sayTo(sink as Sink, this.#cursor, this)
  }

  inJson(): string {
    try {
      this.transcode(inJson)
      return inJson.text()
    } finally {
      inJson.reset()
    }
  }

  kept(): Payload {
    return new KeptBytes(this.#cursor, this)
  }

  #read(): List {
    const cursor = this.#cursor
    cursor.open(this.frame, this.start)
    const first = cursor.value()
    const args: List = Array.isArray(first) ? first : [first]
    if (this.count === 2) this.#kwargs = cursor.value() as Dict
    cursor.close()
    this.#args = args
    return args
  }
}

/** Only the bytes of a payload: values may take fifty times the memory, so they are decoded each time they are read. */
class KeptBytes implements Payload {
  readonly source: UnreadPayload
  readonly #cursor: Cursor

  constructor(cursor: Cursor, { serializer, frame, start, end, count, values }: UnreadPayload) {
    const size = end - start
    this.#cursor = cursor
    if (frame.buffer.byteLength <= 1.25 * size) {
      this.source = new UnreadPayload(cursor, serializer, frame, start, end, count, values)
    } else {
      // Buffer's own `slice` returns another view.
      const bytes = new Uint8Array(frame.subarray(start, end))
      this.source = new UnreadPayload(cursor, serializer, bytes, 0, size, count, values)
    }
  }

  get args(): List {
    return this.#read().args
  }

  get kwargs(): Dict | undefined {
    return this.#read().kwargs
  }

  #read(): UnreadPayload {
    const { serializer, frame, start, end, count, values } = this.source
    return new UnreadPayload(this.#cursor, serializer, frame, start, end, count, values)
  }
}

/** Transcodes a payload into another format. */
function sayTo(sink: Sink, cursor: Cursor, { frame, start, count, values }: UnreadPayload): void {
  cursor.open(frame, start)
  try {
    const transcoder = new Transcoder(cursor, sink, values)
    transcoder.args()
    if (count === 2) transcoder.kwargs()
  } finally {
    cursor.close()
  }
}

// ---- encoding ----

function writeMessage(writer: Writer, format: Format, message: Message): void {
  const layout = layoutOf(message[0])
  const elements: readonly unknown[] = message
  const payload = layout.payload ? (elements[layout.most] as Payload | undefined) : undefined
  const from = payload?.source
  const source = from?.serializer === format.name ? from : undefined
  const count = from ? from.count : payload ? countOf(payload) : 0
  let before = Math.min(layout.most, elements.length)
  while (elements[before - 1] === undefined) before--
  format.writeHead(writer, LIST, before + count)
  for (let i = 0; i < before; i++) {
    const element = elements[i]
    if (typeof element === 'number') writer.number(element)
    else if (typeof element === 'string') writer.text(element)
    else writeValue(writer, element, `${layout.name}[${i}]`, true)
  }
  if (source) writer.raw(source.frame as Uint8Array, source.start, source.end)
  else if (from?.transcode) from.transcode(writer)
  else if (payload && count > 0) {
    refuseMany(from?.values ?? 0)
    // Values that our own JSON parser made are written without a copy.
    const write = from?.reparse ? writeParsed : writeValue
    write(writer, payload.args ?? [], 'args', false)
    if (count === 2) write(writer, payload.kwargs, 'kwargs', false)
  }
}

function countOf(payload: Payload): 0 | 1 | 2 {
  if (payload.kwargs !== undefined) return 2
  return payload.args === undefined ? 0 : 1
}

function writeValue(writer: Writer, value: unknown, place: string, plainly: boolean): void {
  if (isEmptyDict(value)) {
    writer.begin(DICT, 0)
    return
  }
  const copy = plain(value, place)
  writer.value(copy, plainly, false, (it, what) => refused(`${place}${pathOfRefused(it, copy)}`, what))
}

/** Writes values that our own JSON parser made: they may have the key `__proto__`, and Infinity for an integer with too many digits. */
function writeParsed(writer: Writer, value: unknown, place: string): void {
  writer.value(value, false, true, (it, what) => {
    return refused(`${place}${pathOfRefused(it, value)}${typeof it === 'object' ? '.__proto__' : ''}`, what)
  })
}

/** Finds the place of a refused value. Looking for it only then keeps the writer free of bookkeeping. */
function pathOfRefused(it: unknown, value: unknown): string | undefined {
  if (value === it) return ''
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const place = pathOfRefused(it, value[i])
      if (place !== undefined) return `[${i}]${place}`
    }
    return undefined
  }
  for (const key in value) {
    const place = pathOfRefused(it, (value as Record<string, unknown>)[key])
    if (place !== undefined) return `.${key}${place}`
  }
  return undefined
}
