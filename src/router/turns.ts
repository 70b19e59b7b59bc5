/** Whose turn it is: what becomes of calls that wait when a callee is free, comes or goes. */

import type { Call as CallMessage } from '../protocol/messages.ts'
import { NO_SUCH_PROCEDURE } from '../protocol/names.ts'
import { told } from '../protocol/validate.ts'
import type { Call } from './call.ts'
import { choose, FULL } from './choice.ts'
import type { Refusal } from './deliver.ts'
import type { CallQueue, Queues } from './queue.ts'
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
    if (registration.queue?.size) this.#stirred.add(registration)
  }

  /** Lets the queues go on, when what stirred them has been told to all whom it concerns. */
  advance(): void {
    if (this.#stirred.size === 0) return
    for (const registration of this.#stirred) {
      this.#stirred.delete(registration)
      const { endpoints, queue } = registration
      if (!queue) continue
      if (endpoints.length > 0) this.#serve(registration, queue)
      else for (const call of queue) this.#move(call)
    }
  }

  #serve(registration: Registration, queue: CallQueue): void {
    for (const call of queue) {
      const endpoint = choose(registration, call.declined)
      if (endpoint !== FULL) this.#leave(call, (message) => this.#way.invoke(call, endpoint, message))
      // Who was declined by one waits for others than the rest does.
      else if (!call.declined) return
    }
  }

  /** Nobody is left to wait for: the call is as one that comes now. */
  #move(call: Call): void {
    const { procedure } = call
    const registration = this.#registrations.patterns.best(procedure)
    this.#leave(call, (message) =>
      registration
        ? this.#way.route(call, registration, message)
        : [NO_SUCH_PROCEDURE, `the last callee of ${told(procedure)} is gone`],
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
