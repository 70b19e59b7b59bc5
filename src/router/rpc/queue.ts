/** Calls that wait until one of their callees is free: a bounded queue for each registration that may have one. */

import type { Call as CallMessage, Uri } from '../../protocol/messages.ts'
import type { MatchPolicy } from '../../protocol/options.ts'
import { kept } from '../../protocol/payload.ts'
import { wrongRules } from '../match/pattern-options.ts'
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

/** All the queues of a realm: which registrations have one, and what all of them hold. */
export class Queues {
  readonly #rules = new Patterns<CallQueueOptions & { readonly id: number; readonly match: MatchPolicy }>()
  readonly #bytes: number
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

  /** Lets a call wait. Says whether there was room. */
  add(call: Call, registration: Registration, message: CallMessage): boolean {
    const queue = registration.queue ?? this.#open(registration.uri)
    const weight = weightOfPart(message)
    if (!queue || queue.size >= queue.limit || this.#weight + weight > this.#bytes) return false
    this.#weight += weight
    this.#size++
    registration.queue = queue
    call.waits = registration
    call.weight += weight
    call.message = keptPart(message)
    queue.add(call)
    return true
  }

  /** Another part of a call that waits. Says whether there was room. */
  hold(call: Call, message: CallMessage): boolean {
    const weight = weightOfPart(message)
    if (this.#weight + weight > this.#bytes) return false
    this.#weight += weight
    call.weight += weight
    call.parts ??= []
    call.parts.push(keptPart(message))
    return true
  }

  /** It waits no longer. Gives back its further parts. */
  delete(call: Call): readonly CallMessage[] {
    const { waits, parts = [], weight } = call
    if (!waits) return []
    waits.queue?.delete(call)
    if (waits.queue?.size === 0) waits.queue = undefined
    this.#size--
    this.#weight -= weight
    call.waits = undefined
    call.parts = undefined
    call.weight = 0
    return parts
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

/** What is wrong with the router's option `callQueue`, if anything is. */
export function wrongCallQueue(rules: unknown, strict: boolean): string | undefined {
  return wrongRules('callQueue', 'procedure', rules, strict)
}
