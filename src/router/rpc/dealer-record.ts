/** The dealer's record of a destination: its registrations, its calls and its unanswered invocations. */

import type { Id, Uri } from '../../protocol/messages.ts'
import type { Destination } from '../member/destination.ts'
import type { Call } from './call.ts'
import type { CalleeEndpoint } from './registrations.ts'

export class DealerRecord {
  /** Its endpoints, by registration id. */
  readonly registrations = new Map<Id, CalleeEndpoint>()
  /** Its unanswered calls, by request id. */
  readonly calls = new Map<Id, Call>()
  /** Its unanswered invocations, by invocation id. */
  readonly invocations = new Map<Id, Call>()
  /** The last invocation id sent to it. */
  invoked: Id = 0
  /** True when it has left: nothing is recorded any more. */
  ended = false
  /** Procedures of its calls that were settled before their last part arrived, by request id. */
  #unfinished: Map<Id, Uri> | undefined

  /** Notes a settled call of which more parts may arrive; they must not be taken for a new call with the same id. */
  unfinish(request: Id, procedure: Uri, limit: number): void {
    this.#unfinished ??= new Map()
    // A caller cannot have more unfinished calls than its limit of calls.
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

  /** No more parts of the call will arrive. */
  finish(request: Id): void {
    this.#unfinished?.delete(request)
  }

  /** True if a CALL with this id continues an earlier one (Progressive Call Invocations). */
  continues(request: Id): boolean {
    return this.calls.get(request)?.open === true || this.#unfinished?.has(request) === true
  }
}

/** The record of a destination, created with its first request. */
export function recordOf(destination: Destination): DealerRecord {
  destination.rpc ??= new DealerRecord()
  return destination.rpc
}
