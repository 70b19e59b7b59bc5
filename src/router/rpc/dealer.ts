/** The dealer of a realm: what it announces, and which part of it handles which message. */

import { CALL, CANCEL, ERROR, REGISTER, UNREGISTER, YIELD } from '../../protocol/codes.ts'
import type { Handlers, Uri } from '../../protocol/messages.ts'
import type { Patterns } from '../match/patterns.ts'
import type { Dropped } from '../member/limits.ts'
import type { Member } from '../member/member.ts'
import type { Role } from '../member/role.ts'
import type { DealerObserver, Provided } from '../meta/provided.ts'
import { Calls } from './calls.ts'
import { Queues } from './queue.ts'
import { type Registration, type RegistrationOptions, Registrations } from './registrations.ts'

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
    const queues = new Queues(options.callQueue, options.limits.queuedBytes)
    const registrations: Registrations = new Registrations(options, (changed) => calls.turns.stir(changed))
    const calls = new Calls(options, registrations, queues, dropped)
    this.#registrations = registrations
    this.#calls = calls
    const then =
      <M>(handle: (message: M, member: Member) => void) =>
      (message: M, member: Member): void => {
        handle(message, member)
        calls.turns.advance()
      }
    this.handlers = {
      [REGISTER]: then((message, member) => registrations.register(message, member)),
      [UNREGISTER]: then((message, member) => registrations.unregister(message, member)),
      [CALL]: then((message, member) => calls.call(message, member)),
      [CANCEL]: then((message, member) => calls.cancel(message, member)),
      [YIELD]: then((message, member) => calls.yield(message, member)),
      [ERROR]: then((message, member) => calls.error(message, member)),
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

  /** Those among them that wait for a callee to be free. */
  get queued(): number {
    return this.#calls.queued
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
    const was = this.#registrations.revoke(registration, callee, reason)
    this.#calls.turns.advance()
    return was
  }

  left(member: Member): void {
    this.#registrations.left(member)
    this.#calls.left(member)
    this.#calls.turns.advance()
  }
}
