/** Whose turn it is: what becomes of calls that wait when a callee is free, comes or goes. */

import type { Call as CallMessage } from '../../protocol/messages.ts'
import { NO_SUCH_PROCEDURE } from '../../protocol/names.ts'
import { formatValue } from '../../protocol/validate.ts'
import type { Refusal } from '../member/deliver.ts'
import type { Call } from './call.ts'
import { choose, FULL } from './choose-callee.ts'
import { merged, type Queues } from './queue.ts'
import type { Endpoint, Registration, Registrations } from './registrations.ts'

/** The way of a call, as it is resumed. */
export interface Way {
  /** To whom the policy chooses, or into the queue. */
  route(call: Call, registration: Registration, message: CallMessage): Refusal | undefined
  /** To this callee. */
  invoke(call: Call, endpoint: Endpoint | undefined, message: CallMessage): Refusal | undefined
  /** Another part goes behind the first. */
  pass(call: Call, part: CallMessage): void
  /** Ends it, where there is a reason. */
  end(call: Call, refusal: Refusal | undefined): void
}

export class Turns {
  readonly #way: Way
  readonly #queues: Queues
  readonly #registrations: Registrations
  /** Whose queues may go on. */
  readonly #stirred = new Set<Registration>()

  constructor(way: Way, queues: Queues, registrations: Registrations) {
    this.#way = way
    this.#queues = queues
    this.#registrations = registrations
  }

  /** Something changed for those who wait for this registration, if any do. */
  stir(registration: Registration): void {
    if (registration.queue) this.#stirred.add(registration)
  }

  /** Lets the queues go on, when what stirred them has been told to all whom it concerns. */
  advance(): void {
    while (this.#stirred.size > 0) {
      // Those that waited may all be gone.
      const queues = [...this.#stirred].flatMap(({ queue }) => queue ?? [])
      this.#stirred.clear()
      const [first] = queues
      // Calls of one caller must come to one callee in their order, whatever they waited for.
      if (first) this.#serve(queues.length === 1 ? first : merged(queues))
    }
  }

  #serve(calls: Iterable<Call>): void {
    const full = new Set<Registration>()
    for (const call of calls) {
      const { declined, waits: registration } = call
      // It may have been served, or have ended, in telling somebody of another.
      if (!registration || (!declined && full.has(registration))) continue
      if (registration.endpoints.length === 0) {
        this.#move(call)
        continue
      }
      const endpoint = choose(registration, declined)
      if (endpoint !== FULL) this.#leave(call, (message) => this.#way.invoke(call, endpoint, message))
      else if (!declined) {
        if (calls === registration.queue && registration.queue.alike) return
        full.add(registration)
      }
    }
  }

  /** Nobody is left to wait for: the call is as one that comes now. */
  #move(call: Call): void {
    const { procedure } = call
    const registration = this.#registrations.patterns.best(procedure)
    this.#leave(call, (message) =>
      registration
        ? this.#way.route(call, registration, message)
        : [NO_SUCH_PROCEDURE, `the last callee of ${formatValue(procedure)} is gone`],
    )
  }

  #leave(call: Call, go: (message: CallMessage) => Refusal | undefined): void {
    const parts = this.#queues.delete(call)
    this.#way.end(call, go(call.message as CallMessage))
    for (const part of parts) {
      if (call.over) return
      this.#way.pass(call, part)
    }
  }
}
