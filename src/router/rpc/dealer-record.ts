/** What the dealer keeps of one destination: its registrations, its calls, and the invocations it has to answer. */

import type { Id, Uri } from '../../protocol/messages.ts'
import type { Destination } from '../member/destination.ts'
import type { Call } from './call.ts'
import type { Endpoint } from './registrations.ts'

export class DealerRecord {
  /** Its places in registrations, by their ids. */
  readonly registrations = new Map<Id, Endpoint>()
  /** Its calls that wait for an answer, by its request ids. */
  readonly calls = new Map<Id, Call>()
  /** The invocations it has not answered, by the ids the dealer gave them. */
  readonly invocations = new Map<Id, Call>()
  /** The last invocation id that the dealer gave it. */
  invoked: Id = 0
  /** It has left: nothing of it is kept any more. */
  gone = false
  /** Procedures of its calls that were over before it had sent the last part, by its request ids. */
  #unfinished: Map<Id, Uri> | undefined

  /** A call is over of which more parts may come: they must not be taken for another call under the same id. */
  unfinish(request: Id, procedure: Uri, limit: number): void {
    this.#unfinished ??= new Map()
    // A caller has no more on its way than it may have calls.
    if (this.#unfinished.size >= limit) {
      for (const oldest of this.#unfinished.keys()) {
        this.#unfinished.delete(oldest)
        break
      }
    }
    this.#unfinished.set(request, procedure)
  }

  unfinished(request: Id): Uri | undefined {
    return this.#unfinished?.get(request)
  }

  /** No more parts come of it. */
  finish(request: Id): void {
    this.#unfinished?.delete(request)
  }

  /** True if a CALL under this id is a further part of one (Progressive Call Invocations). */
  continues(request: Id): boolean {
    return this.calls.get(request)?.open === true || this.#unfinished?.has(request) === true
  }
}

/** The record of a destination, which begins with its first request. */
export function recordOf(destination: Destination): DealerRecord {
  destination.rpc ??= new DealerRecord()
  return destination.rpc
}
