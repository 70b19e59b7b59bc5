/** Call queues: calls that wait for a free callee, in a bounded queue for each registration that may have one. */

import type { CallMessage, Uri } from '../../protocol/messages.ts'
import type { MatchPolicy, WireCallOptions } from '../../protocol/options.ts'
import { kept } from '../../protocol/payload.ts'
import { checkPatterns } from '../match/pattern-options.ts'
import { Patterns } from '../match/patterns.ts'
import type { Forwarding } from '../member/forwarding.ts'
import { passthruOf } from '../member/passthru.ts'
import { weightOf } from '../member/payload-size.ts'
import type { Call } from './call.ts'
import type { DealerRegistration } from './registrations.ts'

/** The call queue of registrations: calls wait there while all callees have reached their `concurrency`. */
export interface CallQueueOptions {
  /** The procedure, or the pattern of procedures, as its callees register it. */
  readonly uri: Uri
  /** Default `exact`. */
  readonly match?: MatchPolicy | undefined
  /** The greatest number of queued calls of one registration. */
  readonly limit: number
}

const byOrder = (one: Call, other: Call): number => one.order - other.order

/** The queued calls of one registration, in order of arrival. */
export class CallQueue {
  readonly limit: number
  #calls = new Set<Call>()
  /** The last call. */
  #last = -1
  #sorted = true
  /** Number of queued calls that some callee declined; these must wait for a different callee. */
  #declined = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get size(): number {
    return this.#calls.size
  }

  /** True if no queued call has excluded a callee, so that if one of them cannot proceed, none can. */
  get alike(): boolean {
    return this.#declined === 0
  }

  add(call: Call): void {
    // A call from another queue, or back from a callee, keeps its turn before calls that arrived later.
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

/** Merges the calls of several queues in order of arrival. */
export function callsByArrival(queues: readonly CallQueue[]): Call[] {
  return queues.flatMap((queue) => [...queue]).sort(byOrder)
}

/** The place of a call in a queue. Only this file changes it. */
export interface QueuePlace {
  /** The registration for whose callees it waits. */
  readonly registration: DealerRegistration
  /** The CALL, with a payload that does not keep its frame alive. */
  readonly message: CallMessage
  /** The later parts received so far. */
  readonly parts: readonly CallMessage[]
}

interface OpenPlace extends QueuePlace {
  readonly parts: CallMessage[]
  weight: number
}

/** All call queues of a realm: their registrations, their total size, and those that may advance. */
export class Queues {
  readonly #rules = new Patterns<CallQueueOptions & { readonly id: number; readonly match: MatchPolicy }>()
  readonly #bytes: number
  readonly #forward: Forwarding
  readonly #stirred = new Set<DealerRegistration>()
  #weight = 0
  #size = 0

  /** `bytes` is the limit for all queued payloads. */
  constructor(rules: readonly CallQueueOptions[], bytes: number, forward: Forwarding) {
    this.#bytes = bytes
    this.#forward = forward
    for (const [id, { uri, match = 'exact', limit }] of rules.entries()) this.#rules.add({ id, uri, match, limit })
  }

  /** The number of queued calls. */
  get size(): number {
    return this.#size
  }

  /** Marks the queue of a registration, if it has one, as ready to advance. */
  stir(registration: DealerRegistration): void {
    if (registration.queue) this.#stirred.add(registration)
  }

  get stirred(): boolean {
    return this.#stirred.size > 0
  }

  /** Takes the marked queues; their marks are cleared. */
  take(): CallQueue[] {
    // All queued calls may have ended meanwhile.
    const queues = [...this.#stirred].flatMap(({ queue }) => queue ?? [])
    this.#stirred.clear()
    return queues
  }

  /** Queues a call; returns undefined if there is no room. */
  add(call: Call, registration: DealerRegistration, message: CallMessage): QueuePlace | undefined {
    const queue = registration.queue ?? this.#open(registration.uri)
    const weight = weightOfPart(message, this.#forward)
    if (!queue || queue.size >= queue.limit || this.#weight + weight > this.#bytes) return undefined
    this.#weight += weight
    call.caller.account?.charge('queues', weight)
    this.#size++
    registration.queue = queue
    queue.add(call)
    const held: OpenPlace = { registration, message: keptCall(message, this.#forward), parts: [], weight }
    return held
  }

  /** Queues a further part of a queued call; returns false if there is no room. */
  hold({ caller }: Call, waiting: QueuePlace, part: CallMessage): boolean {
    const held = waiting as OpenPlace
    const weight = weightOfPart(part, this.#forward)
    if (this.#weight + weight > this.#bytes) return false
    this.#weight += weight
    caller.account?.charge('queues', weight)
    held.weight += weight
    held.parts.push(keptCall(part, this.#forward))
    return true
  }

  /** Removes a call from its queue. */
  delete(call: Call, waiting: QueuePlace): void {
    const { registration, weight } = waiting as OpenPlace
    registration.queue?.delete(call)
    if (registration.queue?.size === 0) registration.queue = undefined
    this.#size--
    this.#weight -= weight
    call.caller.account?.charge('queues', -weight)
  }

  /** Undefined if calls of this registration are not queued. */
  #open(uri: Uri): CallQueue | undefined {
    const rule = this.#rules.best(uri)
    return rule && new CallQueue(rule.limit)
  }
}

function weightOfPart([, , options, procedure, data]: CallMessage, forward: Forwarding): number {
  return weightOf(data, procedure, forward.of(options))
}

/** A CALL for later: its payload does not keep its frame alive, and of its options only those remain that routing reads. */
export function keptCall([code, request, options, procedure, data]: CallMessage, forward: Forwarding): CallMessage {
  return [code, request, { ...readOptions(options), ...forward.of(options) }, procedure, kept(data)]
}

function readOptions(options: WireCallOptions): WireCallOptions {
  const { receive_progress, progress, timeout, disclose_me } = options
  return {
    ...(receive_progress !== undefined && { receive_progress }),
    ...(progress !== undefined && { progress }),
    ...(timeout !== undefined && { timeout }),
    ...(disclose_me !== undefined && { disclose_me }),
    ...(options.ppt_scheme !== undefined && passthruOf(options)),
  }
}

/** @throws WampError `wampy.error.usage` for an invalid option `callQueue` */
export function checkCallQueue(callQueue: unknown, strict: boolean): void {
  checkPatterns('callQueue', 'procedure', callQueue, strict)
}
