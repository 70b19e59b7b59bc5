/** Resumes queued calls when a callee becomes free, is added or is removed. */

import { NO_SUCH_PROCEDURE } from '../../protocol/names.ts'
import { formatValue } from '../../protocol/validate.ts'
import { Refusal } from '../member/refusal.ts'
import type { Call } from './call.ts'
import { chooseCallee, FULL } from './choose-callee.ts'
import { callsByArrival, type Queues } from './queue.ts'
import type { DealerRegistration, Registrations } from './registrations.ts'
import type { Routing } from './routing.ts'

export class Turns {
  readonly #routing: Routing
  readonly #queues: Queues
  readonly #registrations: Registrations

  constructor(routing: Routing, queues: Queues, registrations: Registrations) {
    this.#routing = routing
    this.#queues = queues
    this.#registrations = registrations
  }

  /** Advances the marked queues, after the event that marked them has been reported. */
  advance(): void {
    while (this.#queues.stirred) {
      const queues = this.#queues.take()
      const [first] = queues
      // Calls of one caller must reach one callee in order, whatever they waited for.
      if (first) this.#serve(queues.length === 1 ? first : callsByArrival(queues))
    }
  }

  #serve(calls: Iterable<Call>): void {
    const full = new Set<DealerRegistration>()
    for (const call of calls) {
      const { declined, waiting } = call
      // The call may have been routed or settled while another one was reported.
      if (!waiting) continue
      const { registration } = waiting
      if (!declined && full.has(registration)) continue
      if (registration.endpoints.length === 0) {
        this.#move(call)
        continue
      }
      const endpoint = chooseCallee(registration, declined)
      if (endpoint !== FULL) this.#routing.resume(call, (message) => this.#routing.invoke(call, endpoint, message))
      else if (!declined) {
        if (calls === registration.queue && registration.queue.alike) return
        full.add(registration)
      }
    }
  }

  /** The registration is gone: the call is routed like a new one. */
  #move(call: Call): void {
    const { procedure } = call
    const registration = this.#registrations.best(procedure)
    this.#routing.resume(call, (message) =>
      registration
        ? this.#routing.route(call, registration, message)
        : new Refusal(NO_SUCH_PROCEDURE, `the last callee of ${formatValue(procedure)} is gone`),
    )
  }
}
