/** Two ends of a link in one process that pass messages, not bytes. */

import { BEYOND, isSayable } from '../protocol/integer-limit.ts'
import type { Message } from '../protocol/messages.ts'
import type { Dict, List } from '../protocol/options.ts'
import { kept, type Payload, type PayloadSource } from '../protocol/payload.ts'
import { plain } from '../protocol/plain.ts'
import { KIND_DICT, layoutOf } from '../protocol/validate.ts'
import { BROKEN, cutReason } from '../transport/inbox.ts'
import { Lane } from '../transport/lane.ts'
import type { Link, LinkSink } from './link.ts'

/**
 * Joins two ends in memory. Each end receives a copy of what the other sends, in a later turn of the event loop.
 *
 * @example
 * const [a, b] = linked()
 * router.attach(b)
 */
export function linked(): [Link, Link] {
  const toA = new Lane<Message>()
  const toB = new Lane<Message>()
  return [new Linked(toA, toB), new Linked(toB, toA)]
}

class Linked implements Link {
  readonly backlog = 0
  readonly local = true
  readonly #in: Lane<Message>
  readonly #out: Lane<Message>

  constructor(incoming: Lane<Message>, outgoing: Lane<Message>) {
    this.#in = incoming
    this.#out = outgoing
  }

  open(sink: LinkSink): void {
    this.#in.open({ item: (message) => sink.message(message), closed: (info) => sink.closed(info) })
  }

  send(message: Message): void {
    if (!this.#in.closed) this.#out.push(copyMessage(message))
  }

  pause(): void {
    this.#in.pause()
  }

  resume(): void {
    this.#in.resume()
  }

  close(code = 1000, reason = ''): void {
    if (this.#in.closed) return
    const info = { code, reason: cutReason(reason) }
    this.#out.end(info)
    this.#in.finish(info)
  }

  terminate(): void {
    this.#out.end(BROKEN)
    this.#in.cut()
  }
}

/** A copy of a message that its receiver may keep and change: dictionaries and payload are copied by the rule of `plain`. */
function copyMessage(message: Message): Message {
  const { name, kinds, most, payload } = layoutOf(message[0])
  const copy: unknown[] = [...message]
  for (let i = 1; i <= kinds.length; i++) {
    if (kinds[i - 1] === KIND_DICT && copy[i] !== undefined) copy[i] = plain(copy[i], `${name}[${i}]`, unfitForJson)
  }
  if (payload && copy[most] !== undefined) copy[most] = carryPayload(copy[most] as Payload)
  return copy as unknown as Message
}

function carryPayload(payload: Payload): Payload {
  // Checked bytes are passed on unchanged: a router needs nothing else, and a client decodes values of its own.
  if (payload.source) return new Carried(payload, payload.source)
  const { args, kwargs } = payload
  return {
    args: args && (plain(args, 'args', unfitForJson) as List),
    kwargs: kwargs && (plain(kwargs, 'kwargs', unfitForJson) as Dict),
  }
}

/** What JSON, the serializer of most links, cannot carry: what works in memory works on a wire. */
function unfitForJson(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'bigint' && !isSayable(value)) return BEYOND
  return typeof value === 'string' && value.charCodeAt(0) === 0 ? 'text that begins with NUL' : undefined
}

function copyValues<T extends List | Dict | undefined>(values: T, place: string): T {
  return values === undefined ? values : (plain(values, place) as T)
}

class Carried implements Payload {
  readonly source: PayloadSource
  readonly #payload: Payload
  #args: { readonly value: List | undefined } | undefined
  #kwargs: { readonly value: Dict | undefined } | undefined

  constructor(payload: Payload, source: PayloadSource) {
    this.#payload = payload
    this.source = source
  }

  kept(): Payload {
    const alone = kept(this.#payload)
    return alone === this.#payload ? this : (alone as Payload)
  }

  get args(): List | undefined {
    this.#args ??= { value: copyValues(this.#payload.args, 'args') }
    return this.#args.value
  }

  get kwargs(): Dict | undefined {
    this.#kwargs ??= { value: copyValues(this.#payload.kwargs, 'kwargs') }
    return this.#kwargs.value
  }
}
