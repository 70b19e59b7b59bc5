/** The dealer's handling of CALL, CANCEL, YIELD and ERROR. */

import { CALL, ERROR, INVOCATION, RESULT } from '../../protocol/codes.ts'
import { violation } from '../../protocol/error.ts'
import type * as messages from '../../protocol/messages.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import * as names from '../../protocol/names.ts'
import type { ResultDetails, WireCallOptions } from '../../protocol/options.ts'
import { isReserved } from '../../protocol/uri.ts'
import { formatValue, nameOf } from '../../protocol/validate.ts'
import type { Destination } from '../member/destination.ts'
import { inPassthru, PASSTHRU, passthruOf } from '../member/passthru.ts'
import { NO_DETAILS, Refusal, refuseCost, sendError, trySend } from '../member/refusal.ts'
import type { RoleRealm } from '../member/role.ts'
import { isAccepted, refuseLongUri, refuseUri } from '../member/uri-rule.ts'
import { type Decision, type Outcome, refuseDisclosure, TOO_LATE } from '../rights/decide.ts'
import type { Call } from './call.ts'
import { recordOf } from './dealer-record.ts'
import { interruptible } from './invocation-details.ts'
import {
  type DealerRegistration,
  ownRegistration,
  type RegistrationOptions,
  type Registrations,
} from './registrations.ts'
import { AFTER_CANCEL, EXPIRED, KILLNOWAIT, type Routing } from './routing.ts'

const PARTIAL: ResultDetails = Object.freeze({ progress: true })
/** The procedures of the router that affect other sessions. */
const CONTROLLING: ReadonlySet<Uri> = new Set([
  'wamp.session.kill',
  'wamp.session.kill_all',
  'wamp.session.kill_by_authid',
  'wamp.session.kill_by_authrole',
  'wamp.registration.remove_callee',
  'wamp.subscription.remove_subscriber',
])
const UNREADABLE = new Refusal(
  names.FEATURE_NOT_SUPPORTED,
  'the result is in payload passthru mode, which was not announced',
)

export interface CallsDropped {
  /** Answers to invocations whose call was settled. */
  readonly late: number
  /** Parts of calls that were settled. */
  readonly parts: number
  /** Progressive results that the caller had not asked for. */
  readonly partial: number
  /** Cancellations of calls that were settled or already canceled. */
  readonly cancels: number
  /** Calls of which a custom key was not forwarded, because its value is not text or too long. */
  readonly keys: number
}

export const NO_CALLS_DROPPED: CallsDropped = { late: 0, parts: 0, partial: 0, cancels: 0, keys: 0 }

/** Another router, or this one after its restart, may serve it. */
const CLOSING = new Refusal(names.UNAVAILABLE, 'the router is closing')

export class Calls {
  readonly dropped = { ...NO_CALLS_DROPPED }
  /** True if only callees with a call in progress may begin another one, which they may need to finish it. */
  draining = false
  /** The router's own procedures. */
  readonly #own = new Map<Uri, DealerRegistration>()
  readonly #options: RegistrationOptions
  readonly #realm: RoleRealm
  readonly #registrations: Registrations
  readonly #routing: Routing
  readonly #later: (work: () => void) => void

  /** `later` runs work that waited for a decision, as if its message had just arrived. */
  constructor(
    options: RegistrationOptions,
    realm: RoleRealm,
    registrations: Registrations,
    routing: Routing,
    later: (work: () => void) => void,
  ) {
    this.#options = options
    this.#realm = realm
    this.#registrations = registrations
    this.#routing = routing
    this.#later = later
  }

  /** Lets a destination serve one of the router's own procedures: it is not listed, and no client can register it. */
  provide(procedure: Uri, callee: Destination): void {
    this.#own.set(procedure, ownRegistration(procedure, callee))
  }

  call(message: messages.CallMessage, caller: Destination): void {
    const [, request, options, procedure] = message
    const underWay = caller.rpc?.calls.get(request)
    if (underWay) this.#continue(underWay, message)
    else if (!this.#isLate(message, caller)) {
      this.#inspect(options, caller)
      const { rights } = this.#realm
      const decided =
        refuseLongUri(procedure, 'procedure', this.#options) ??
        rights.always ??
        rights.decide('call', procedure, 'exact', options, caller)
      if (decided instanceof Promise) {
        caller.hold(CALL, decided, (later) => this.#later(() => this.#begin(message, caller, later)), TOO_LATE, {
          action: 'call',
          uri: procedure,
        })
      } else this.#begin(message, caller, decided)
    }
  }

  #begin(message: messages.CallMessage, caller: Destination, decided: Outcome): void {
    const [, request, options, procedure] = message
    const closing = this.draining && !caller.rpc?.invocations.size ? CLOSING : undefined
    const found = decided instanceof Refusal ? decided : (closing ?? this.#find(message, caller, decided))
    if (decided instanceof Refusal || found instanceof Refusal) {
      const refusal = found as Refusal
      // More parts may follow, which must not be taken for a new call.
      if (options.progress) recordOf(caller).unfinish(request, procedure, this.#options.limits.calls)
      sendError(caller, CALL, request, refusal)
      this.#refused(caller, procedure, refusal)
      return
    }
    if (this.#options.forward.drops(options)) this.#drop('keys', caller, procedure)
    const call = this.#routing.open(message, caller, found, decided)
    const failed = call.settled ? undefined : this.#routing.route(call, found, message)
    if (failed) this.#routing.fail(call, failed)
  }

  cancel([, request, { mode = 'killnowait' }]: messages.CancelMessage, caller: Destination): void {
    const call = caller.rpc?.calls.get(request)
    const { forgetsCanceled } = caller.deviations
    if (!call || call.canceled) {
      // The CANCEL crossed the answer, or is a duplicate.
      this.#drop('cancels', caller, call?.procedure)
      if (call && mode !== 'kill' && forgetsCanceled) this.#cancelSilently(call, undefined)
      return
    }
    const callee = call.endpoint?.callee
    if (mode === 'kill' && callee && interruptible(callee)) {
      this.#routing.interrupt(call, callee)
      return
    }
    const reason = AFTER_CANCEL[mode]
    if (mode !== 'kill' && forgetsCanceled) this.#cancelSilently(call, reason)
    else this.#routing.stop(call, reason, new Refusal(names.CANCELED, 'the caller canceled the call'))
  }

  yield([code, invocation, options, data]: messages.YieldMessage, callee: Destination): void {
    const passthru = inPassthru(options, callee, 'callee', 'YIELD[2]')
    const partial = options.progress === true
    const call = this.#pending(code, invocation, callee, !partial)
    if (!call) return
    if (partial && !call.details.receive_progress) {
      this.#drop('partial', callee, call.procedure)
      return
    }
    const { caller, request } = call
    if (partial) this.#routing.progressed(call)
    else this.#routing.settle(call)
    const said = partial ? PARTIAL : NO_DETAILS
    const details = passthru ? { ...said, ...passthruOf(options) } : said
    const failed =
      passthru && !caller.announces('caller', PASSTHRU) ? UNREADABLE : trySend(caller, [RESULT, request, details, data])
    if (failed && partial) this.#routing.stop(call, KILLNOWAIT, failed)
    else if (failed) this.#routing.fail(call, failed)
    else if (!partial) this.#routing.report(call, 'result')
  }

  error(message: messages.ErrorMessage, callee: Destination): void {
    const [code, type, invocation, details, uri, data] = message
    if (type !== INVOCATION) throw violation(`a client answers INVOCATION with ERROR, not ${nameOf(type)}`)
    inPassthru(details, callee, 'callee', 'ERROR[3]')
    const call = this.#pending(code, invocation, callee, true)
    if (!call) return
    if (uri === names.UNAVAILABLE && call.declinable && call.endpoint) {
      this.#routing.reroute(call, call.endpoint)
      return
    }
    this.#routing.settle(call)
    const failed: Refusal | undefined = isAccepted(uri, this.#options)
      ? trySend(call.caller, [ERROR, CALL, call.request, details, uri, data])
      : new Refusal(names.INVALID_URI, `the callee failed with ${formatValue(uri)}, which is not a valid error URI`)
    if (failed) this.#routing.fail(call, failed)
    else this.#routing.report(call, 'error', uri)
  }

  /** Settles a call that was not answered in time. */
  expire(call: Call): void {
    this.#routing.stop(call, EXPIRED, new Refusal(names.TIMEOUT, `no answer within ${call.deadline?.timeout} ms`))
  }

  left(member: Destination): void {
    const { rpc: record } = member
    if (!record) return
    record.ended = true
    // Later answers of their callees are dropped.
    for (const call of record.calls.values()) {
      this.#routing.stop(call, KILLNOWAIT, undefined)
      this.#routing.report(call, 'abandoned')
    }
    for (const call of record.invocations.values()) {
      if (!call.settled) this.#routing.fail(call, new Refusal(names.CANCELED, 'the callee left before it answered'))
    }
    record.invocations.clear()
  }

  /** Throws a violation for features that the caller did not announce. */
  #inspect(options: WireCallOptions, caller: Destination): void {
    if (options.progress && !caller.announces('caller', 'progressive_call_invocations')) {
      throw violation('CALL[2].progress is true, but HELLO did not announce progressive_call_invocations')
    }
    inPassthru(options, caller, 'caller', 'CALL[2]')
  }

  /** The registration that serves a call, or its refusal. */
  #find(
    [, , options, procedure]: messages.CallMessage,
    caller: Destination,
    decision: Decision,
  ): DealerRegistration | Refusal {
    const { limits } = this.#options
    // Only the router serves its own namespace, even if a pattern would match.
    const reserved = isReserved(procedure)
    const registration = reserved ? this.#own.get(procedure) : this.#registrations.best(procedure)
    if (reserved && !decision.control && !caller.trusted && CONTROLLING.has(procedure)) {
      return new Refusal(
        names.NOT_AUTHORIZED,
        `this session may not call ${formatValue(procedure)}, which affects others`,
      )
    }
    // An exactly registered procedure is known to be valid; a pattern can match invalid ones.
    const invalid = registration?.match === 'exact' ? undefined : refuseUri(procedure, 'procedure', this.#options)
    if (invalid) return invalid
    if (!registration)
      return new Refusal(names.NO_SUCH_PROCEDURE, `no callee is registered for ${formatValue(procedure)}`)
    if (recordOf(caller).calls.size >= limits.calls) {
      return new Refusal(names.LIMIT_EXCEEDED, `a session may have at most ${limits.calls} unanswered calls`)
    }
    const full = refuseCost(caller, procedure.length)
    if (full) return full
    return (!reserved && refuseDisclosure(decision, procedure, options.disclose_me === true)) || registration
  }

  /** Sends a further part of a call to the callee of the first, with its details (Progressive Call Invocations). */
  #continue(call: Call, message: messages.CallMessage): void {
    const [, request, { progress }, procedure] = message
    if (!call.open) throw violation(`CALL[1] is ${request}, the id of a call that waits for its answer`)
    if (procedure !== call.procedure) {
      throw violation(
        `CALL[3] must be ${formatValue(call.procedure)} in all parts of the call, got ${formatValue(procedure)}`,
      )
    }
    this.#routing.opened(call, progress === true)
    if (call.canceled) this.#drop('parts', call.caller, procedure)
    else this.#routing.pass(call, message)
  }

  /** True for a part of a settled call, whose caller could not know that yet. */
  #isLate([, request, { progress }, procedure]: messages.CallMessage, caller: Destination): boolean {
    const record = caller.rpc
    const known = record?.unfinished(request, procedure)
    if (!record || known === undefined) return false
    if (!progress) record.finish(request)
    if (known === 'other') {
      if (this.#options.strict) throw violation('CALL[3] must be the same in all parts of a call')
      record.finish(request)
      return false
    }
    this.#drop('parts', caller, procedure)
    return true
  }

  /** True if the caller forgot the call with its CANCEL and would not understand an ERROR. */
  #cancelSilently(call: Call, reason: typeof KILLNOWAIT | undefined): void {
    this.#routing.stop(call, reason, undefined)
    this.#routing.report(call, 'error', names.CANCELED)
  }

  /** The call of an answer. A late answer is legal: the callee could not know that the call was settled. */
  #pending(code: messages.Code, invocation: Id, callee: Destination, final: boolean): Call | undefined {
    const call = callee.rpc?.invocations.get(invocation)
    if (call && !call.settled) return call
    const invoked = callee.rpc?.invoked ?? 0
    if (invocation > invoked) {
      throw violation(`${nameOf(code)} answers invocation ${invocation}; the last one was ${invoked}`)
    }
    if (call && final) this.#routing.release(call)
    this.#drop('late', callee, call?.procedure)
    return undefined
  }

  #refused({ id: session }: Destination, uri: Uri, { uri: error, text }: Refusal): void {
    const { uri: realm, observers } = this.#realm
    observers.refused?.({ realm, session, action: 'call', uri, error, text, transport: undefined })
  }

  #drop(reason: keyof CallsDropped, { id: session }: Destination, uri: Uri | undefined): void {
    this.dropped[reason]++
    const { uri: realm, observers } = this.#realm
    observers.dropped?.({ realm, reason, session, uri, count: 1 })
  }
}
