/** Calls that wait until one of their callees is free: a bounded queue for each registration that may have one. */

import type { CallMessage, Uri } from '../../protocol/messages.ts'
import type { MatchPolicy } from '../../protocol/options.ts'
import { kept } from '../../protocol/payload.ts'
import { checkPatterns } from '../match/pattern-options.ts'
import { Patterns } from '../match/patterns.ts'
import { weightOf } from '../member/payload-size.ts'
import type { Call } from './call.ts'
import type { Registration } from './registrations.ts'

/** How many calls may wait for registrations whose callees all have as many as their `concurrency` allows. */
export interface CallQueueOptions {
  /** The procedure, or pattern of procedures, as its callees register it. */
  readonly uri: Uri
  /** Default `exact`. */
  readonly match?: MatchPolicy | undefined
  /** For one registration. */
  readonly limit: number
}

const byOrder = (one: Call, other: Call): number => one.order - other.order

/** The calls that wait for one registration, in the order in which they came. */
export class CallQueue {
  readonly limit: number
  #calls = new Set<Call>()
  /** The last one. */
  #last = -1
  #sorted = true
  /** How many were declined, which wait for others than the rest does. */
  #declined = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get size(): number {
    return this.#calls.size
  }

  /** Whether what one waits for is what all wait for. */
  get alike(): boolean {
    return this.#declined === 0
  }

  add(call: Call): void {
    // One that comes from another queue, or back from a callee, has its turn before those that came later.
    if (call.order < this.#last) this.#sorted = false
    else this.#last = call.order
    if (call.declined) this.#declined++
    this.#calls.add(call)
  }

  delete(call: Call): void {
    if (this.#calls.delete(call) && call.declined) this.#declined--
  }

  [Symbol.iterator](): IterableIterator<Call> {
    if (!this.#sorted) {
      this.#calls = new Set([...this.#calls].sort(byOrder))
      this.#sorted = true
    }
    return this.#calls.values()
  }
}

/** The calls of several queues as if they waited in one. */
export function merged(queues: readonly CallQueue[]): Call[] {
  return queues.flatMap((queue) => [...queue]).sort(byOrder)
}

/** The place of a call in a queue. Only this file changes it. */
export interface QueuePlace {
  /** The registration of which it waits for a callee to be free. */
  readonly registration: Registration
  /** The CALL, kept for longer than the frame it came in. */
  readonly message: CallMessage
  /** The later parts received so far. */
  readonly parts: readonly CallMessage[]
}

interface OpenPlace extends QueuePlace {
  readonly parts: CallMessage[]
  weight: number
}

/** All the queues of a realm: which registrations have one, what all of them hold, and which of them may go on. */
export class Queues {
  readonly #rules = new Patterns<CallQueueOptions & { readonly id: number; readonly match: MatchPolicy }>()
  readonly #bytes: number
  readonly #stirred = new Set<Registration>()
  #weight = 0
  #size = 0

  /** `bytes` is what may be held of payloads. */
  constructor(rules: readonly CallQueueOptions[], bytes: number) {
    this.#bytes = bytes
    for (const [id, { uri, match = 'exact', limit }] of rules.entries()) this.#rules.add({ id, uri, match, limit })
  }

  /** Calls that wait. */
  get size(): number {
    return this.#size
  }

  /** Something changed for the calls that wait for this registration, if any do. */
  stir(registration: Registration): void {
    if (registration.queue) this.#stirred.add(registration)
  }

  get stirred(): boolean {
    return this.#stirred.size > 0
  }

  /** The queues that were stirred; from here on they are not. */
  take(): CallQueue[] {
    // The calls that waited may all be gone.
    const queues = [...this.#stirred].flatMap(({ queue }) => queue ?? [])
    this.#stirred.clear()
    return queues
  }

  /** Gives a call its place, or returns undefined if there is no room. */
  add(call: Call, registration: Registration, message: CallMessage): QueuePlace | undefined {
    const queue = registration.queue ?? this.#open(registration.uri)
    const weight = weightOfPart(message)
    if (!queue || queue.size >= queue.limit || this.#weight + weight > this.#bytes) return undefined
    this.#weight += weight
    this.#size++
    registration.queue = queue
    queue.add(call)
    const held: OpenPlace = { registration, message: keptPart(message), parts: [], weight }
    return held
  }

  /** Keeps another part of a call that waits. Returns false if there is no room. */
  hold(waiting: QueuePlace, part: CallMessage): boolean {
    const held = waiting as OpenPlace
    const weight = weightOfPart(part)
    if (this.#weight + weight > this.#bytes) return false
    this.#weight += weight
    held.weight += weight
    held.parts.push(keptPart(part))
    return true
  }

  /** It waits no longer. */
  delete(call: Call, waiting: QueuePlace): void {
    const { registration, weight } = waiting as OpenPlace
    registration.queue?.delete(call)
    if (registration.queue?.size === 0) registration.queue = undefined
    this.#size--
    this.#weight -= weight
  }

  /** None where calls do not wait. */
  #open(uri: Uri): CallQueue | undefined {
    const rule = this.#rules.best(uri)
    return rule && new CallQueue(rule.limit)
  }
}

function weightOfPart([, , , procedure, data]: CallMessage): number {
  return weightOf(data, procedure)
}

function keptPart([code, request, options, procedure, data]: CallMessage): CallMessage {
  return [code, request, options, procedure, kept(data)]
}

/** @throws WampError `wampy.error.usage` for an option `callQueue` that cannot be */
export function checkCallQueue(callQueue: unknown, strict: boolean): void {
  checkPatterns('callQueue', 'procedure', callQueue, strict)
}
