/** The dealer of a realm: its features, and the parts that handle its messages. */

import { CALL, CANCEL, ERROR, REGISTER, UNREGISTER, YIELD } from '../../protocol/codes.ts'
import type { Handlers, Uri } from '../../protocol/messages.ts'
import type { Features } from '../../protocol/words.ts'
import type { Patterns } from '../match/patterns.ts'
import type { Destination } from '../member/destination.ts'
import type { RealmRole, RoleRealm } from '../member/role.ts'
import { type Outcome, TOO_LATE } from '../rights/decide.ts'
import { Calls, type CallsDropped, NO_CALLS_DROPPED } from './calls.ts'
import { Queues } from './queue.ts'
import { type DealerRegistration, type RegistrationOptions, Registrations } from './registrations.ts'
import { Routing } from './routing.ts'
import { Turns } from './turns.ts'

export type DealerOptions = RegistrationOptions

export interface DealerStats {
  readonly registrations: number
  /** Unanswered calls. */
  readonly calls: number
  /** The queued calls among them. */
  readonly queued: number
  readonly dropped: CallsDropped
}

export const NO_DEALER: DealerStats = { registrations: 0, calls: 0, queued: 0, dropped: NO_CALLS_DROPPED }

export class Dealer implements RealmRole {
  readonly name = 'dealer'
  readonly features = {
    call_canceling: true,
    call_reroute: true,
    call_timeout: true,
    call_trustlevels: true,
    caller_identification: true,
    pattern_based_registration: true,
    payload_passthru_mode: true,
    progressive_call_invocations: true,
    progressive_call_results: true,
    registration_revocation: true,
    shared_registration: true,
  } satisfies Features<'dealer'>
  readonly handlers: Handlers<Destination>
  readonly #queues: Queues
  readonly #registrations: Registrations
  readonly #routing: Routing
  readonly #calls: Calls
  readonly #turns: Turns

  constructor(options: DealerOptions, realm: RoleRealm) {
    const queues = new Queues(options.callQueue, options.limits.queuedBytes, options.forward)
    const registrations = new Registrations(options, realm, queues)
    const routing = new Routing(options, realm, queues, (call) => {
      this.#calls.expire(call)
      this.#turns.advance()
    })
    const turns = new Turns(routing, queues, registrations)
    const later = (work: () => void): void => {
      work()
      turns.advance()
    }
    const calls = new Calls(options, realm, registrations, routing, later)
    this.#queues = queues
    this.#registrations = registrations
    this.#routing = routing
    this.#calls = calls
    this.#turns = turns
    // Any message may free a callee: the queues advance after it has been handled.
    const then =
      <M>(handle: (message: M, from: Destination) => void) =>
      (message: M, from: Destination): void => {
        handle(message, from)
        turns.advance()
      }
    this.handlers = {
      [REGISTER]: then((message, from) => {
        const [, , options, procedure] = message
        const { match = 'exact' } = options
        const decided = realm.rights.always ?? realm.rights.decide('register', procedure, match, options, from)
        const register = (outcome: Outcome): void => registrations.register(message, from, outcome)
        if (!(decided instanceof Promise)) register(decided)
        else
          from.hold(REGISTER, decided, (outcome) => later(() => register(outcome)), TOO_LATE, {
            action: 'register',
            uri: procedure,
          })
      }),
      [UNREGISTER]: then((message, from) => registrations.unregister(message, from)),
      [CALL]: then((message, from) => calls.call(message, from)),
      [CANCEL]: then((message, from) => calls.cancel(message, from)),
      [YIELD]: then((message, from) => calls.yield(message, from)),
      [ERROR]: then((message, from) => calls.error(message, from)),
    }
  }

  stats(): DealerStats {
    return {
      registrations: this.patterns.size,
      calls: this.#routing.size,
      queued: this.#queues.size,
      dropped: { ...this.#calls.dropped },
    }
  }

  drain(): void {
    this.#calls.draining = true
  }

  get patterns(): Patterns<DealerRegistration> {
    return this.#registrations.patterns
  }

  /** Lets a destination serve a procedure under `wamp.`, the router's namespace; it takes precedence over registrations. */
  provide(procedure: Uri, callee: Destination): void {
    this.#calls.provide(procedure, callee)
  }

  /** Removes a callee from a registration, and notifies it if it announced revocation. Returns false if it was not a callee. */
  revoke(registration: DealerRegistration, callee: Destination, reason?: string): boolean {
    const was = this.#registrations.revoke(registration, callee, reason)
    this.#turns.advance()
    return was
  }

  *left(member: Destination): Generator<void> {
    const removal = this.#registrations.left(member)
    const { done } = removal.next()
    this.#calls.left(member)
    this.#turns.advance()
    if (!done) yield* removal
  }
}
