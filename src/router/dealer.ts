/** The dealer of a realm: what it announces, and which part of it handles which message. */

import { CALL, CANCEL, ERROR, REGISTER, UNREGISTER, YIELD } from '../protocol/codes.ts'
import type { Handlers, Uri } from '../protocol/messages.ts'
import { Calls } from './calls.ts'
import type { Dropped } from './limits.ts'
import type { Member } from './member.ts'
import type { Patterns } from './patterns.ts'
import type { DealerObserver, Provided } from './provided.ts'
import { type Registration, type RegistrationOptions, Registrations } from './registrations.ts'
import type { Role } from './role.ts'

export type { Call } from './call.ts'
export type { Endpoint, Registration } from './registrations.ts'
export type DealerOptions = RegistrationOptions

export class Dealer implements Role {
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
  }
  readonly handlers: Handlers<Member>
  readonly #registrations: Registrations
  readonly #calls: Calls

  constructor(options: DealerOptions, dropped: Dropped) {
    const registrations = new Registrations(options)
    const calls = new Calls(options, registrations, dropped)
    this.#registrations = registrations
    this.#calls = calls
    this.handlers = {
      [REGISTER]: (message, member) => registrations.register(message, member),
      [UNREGISTER]: (message, member) => registrations.unregister(message, member),
      [CALL]: (message, member) => calls.call(message, member),
      [CANCEL]: (message, member) => calls.cancel(message, member),
      [YIELD]: (message, member) => calls.yield(message, member),
      [ERROR]: (message, member) => calls.error(message, member),
    }
  }

  get patterns(): Patterns<Registration> {
    return this.#registrations.patterns
  }

  get registrations(): number {
    return this.patterns.size
  }

  /** Calls that wait for their answer. */
  get calls(): number {
    return this.#calls.size
  }

  /** What the router serves itself under `wamp.`, which wins over what clients register. */
  get provided(): Map<Uri, Provided> {
    return this.#calls.provided
  }

  /** Hears what becomes of registrations. */
  set observer(observer: DealerObserver | undefined) {
    this.#registrations.observer = observer
  }

  /** Takes a callee out of a registration, and tells it if it can understand that. Says whether it was in. */
  revoke(registration: Registration, callee: Member, reason?: string): boolean {
    return this.#registrations.revoke(registration, callee, reason)
  }

  left(member: Member): void {
    this.#registrations.left(member)
    this.#calls.left(member)
  }
}
