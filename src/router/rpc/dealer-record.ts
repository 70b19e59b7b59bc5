/** The dealer's record of a destination: its registrations, its calls and its unanswered invocations. */

import type { Id, Uri } from '../../protocol/messages.ts'
import type { Destination } from '../member/destination.ts'
import type { Call } from './call.ts'
import type { CalleeEndpoint } from './registrations.ts'

/** The number of settled calls whose further parts are recognised. */
const UNFINISHED = 4096

/** A number in the place of a URI, which a peer may choose as long as it likes. */
function markOf(procedure: Uri): number {
  let mark = procedure.length
  for (let at = 0; at < procedure.length; at++) mark = (Math.imul(mark, 31) + procedure.charCodeAt(at)) | 0
  return mark
}

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
  /** Marks of the procedures of its calls that were settled before their last part arrived, by request id. */
  #unfinished: Map<Id, number> | undefined

  /** Notes a settled call of which more parts may arrive; they must not be taken for a new call with the same id. */
  unfinish(request: Id, procedure: Uri, limit: number): void {
    this.#unfinished ??= new Map()
    // A caller that sends further parts has few such calls; one that sends none should cost nothing.
    if (this.#unfinished.size >= Math.min(limit, UNFINISHED)) {
      for (const oldest of this.#unfinished.keys()) {
        this.#unfinished.delete(oldest)
        break
      }
    }
    this.#unfinished.set(request, markOf(procedure))
  }

  /** True if such a call has this id; `same` if it was, most likely, to this procedure. */
  unfinished(request: Id, procedure: Uri): 'same' | 'other' | undefined {
    const mark = this.#unfinished?.get(request)
    if (mark === undefined) return undefined
    return mark === markOf(procedure) ? 'same' : 'other'
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
