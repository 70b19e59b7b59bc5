/** WAMP in JSON for routers: the payload of a long message is checked, not parsed, because a router only passes it on. */

import { violation } from '../protocol/error.ts'
import { MAX_DEPTH, MAX_ENVELOPE } from '../protocol/fixed-limits.ts'
import type { Message } from '../protocol/messages.ts'
import type { Dict, List } from '../protocol/options.ts'
import type { Payload, PayloadSource } from '../protocol/payload.ts'
import { checkLength, checkPayloadElements, isTransparent, layoutOf } from '../protocol/validate.ts'
import { again, decodeElements, json, notJson, seek, TOO_NESTED } from './json.ts'
import { JsonScan, TOO_DEEP } from './json-scan.ts'
import type { Frame, Serializer } from './serializer.ts'

/** Shorter messages are parsed as a whole, which is quicker. */
const LONG_FRAME = 16_384

const routedJson: Serializer = { ...json, decode }

/** A serializer as a router uses it. */
export function forRouter(serializer: Serializer): Serializer {
  return serializer === json ? routedJson : serializer
}

function decode(frame: Frame): Message {
  if (typeof frame !== 'string' || frame.length < LONG_FRAME) return json.decode(frame)
  const layout = layoutOf(messageCodeIn(frame))
  const { most } = layout
  const start = seek(frame, frame.indexOf('[') + 1, most, MAX_DEPTH)
  if (start === undefined) throw violation(TOO_NESTED)
  const hasPayload = start < frame.length
  if ((hasPayload ? start : frame.length) > MAX_ENVELOPE) {
    throw violation(`${layout.name} may have at most ${MAX_ENVELOPE} characters besides its payload`)
  }
  if (!hasPayload) return json.decode(frame)
  const message = decodeElements(`${frame.slice(0, start - 1)}]`)
  const scan = new JsonScan(frame, MAX_DEPTH)
  const items: { at: number; end: number }[] = []
  let at = scan.space(start)
  for (;;) {
    const end = scan.value(at)
    if (end < 0) throw end === TOO_DEEP ? violation(TOO_NESTED) : notJson()
    items.push({ at, end })
    checkLength(layout, most + items.length)
    const next = scan.space(end)
    if (frame[next] === ']') {
      if (scan.space(next + 1) !== frame.length) throw notJson()
      break
    }
    if (frame[next] !== ',') throw notJson()
    at = scan.space(next + 1)
  }
  const [args, kwargs] = items as [(typeof items)[number], (typeof items)[number]?]
  if (frame[args.at] === 'n' && kwargs) {
    // nexus sends null for absent args before kwargs; peers that accept only a list must not receive that.
    return decode(`${frame.slice(0, args.at)}[]${frame.slice(args.end)}`)
  }
  const shapes: Readonly<Record<string, unknown>> = { '[': [], '{': {}, n: null, t: true, f: false, '"': '' }
  const shape = ({ at: from }: { at: number }): unknown => {
    const character = frame[from] as string
    return character in shapes ? shapes[character] : 0
  }
  const transparent = frame[args.at] !== '[' && isTransparent(layout, message)
  checkPayloadElements(layout, transparent ? [] : (shape(args) as List), kwargs && (shape(kwargs) as Dict))
  const end = (kwargs ?? args).end
  message[most] = new ScannedPayload(frame, args.at, end, kwargs ? 2 : 1, scan.values)
  return message as unknown as Message
}

/** The first element, which the layout of the message follows from. */
function messageCodeIn(frame: string): unknown {
  const [, code = ''] = /^\s*\[\s*([^,\]\s]{1,32})/.exec(frame) ?? []
  try {
    return JSON.parse(code)
  } catch {
    throw notJson()
  }
}

/** args and kwargs in the text they came in. */
class ScannedPayload implements Payload {
  readonly source: PayloadSource
  readonly #frame: string
  #parsed: Payload | undefined

  constructor(frame: string, start: number, end: number, count: 1 | 2, values: number) {
    this.#frame = frame
    this.source = { serializer: 'json', frame, start, end, count, values, reparse: again }
  }

  get args(): List {
    const { args } = this.#read() as { readonly args: unknown }
    // Payload transparency: one item stands for the whole payload.
    return Array.isArray(args) ? args : [args]
  }

  get kwargs(): Dict | undefined {
    return this.#read().kwargs
  }

  #read(): Payload {
    const { start, end } = this.source
    this.#parsed ??= again(this.#frame.slice(start, end))
    return this.#parsed
  }
}
