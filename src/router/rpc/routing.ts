/** Routes calls to callees and settles them: the only code that changes a `Call`. */

import { CALL, INTERRUPT, INVOCATION } from '../../protocol/codes.ts'
import { nextId } from '../../protocol/ids.ts'
import type * as messages from '../../protocol/messages.ts'
import * as names from '../../protocol/names.ts'
import type { CancelMode, WireInterruptOptions } from '../../protocol/options.ts'
import { formatValue } from '../../protocol/validate.ts'
import type { Destination } from '../member/destination.ts'
import { weightOf } from '../member/payload-size.ts'
import { NO_DETAILS, Refusal, sendError, trySend } from '../member/refusal.ts'
import type { RoleRealm } from '../member/role.ts'
import type { Decision } from '../rights/decide.ts'
import type { Call } from './call.ts'
import { chooseCallee, FULL } from './choose-callee.ts'
import { Deadline } from './deadline.ts'
import { recordOf } from './dealer-record.ts'
import { detailsOf, interruptible, lacking } from './invocation-details.ts'
import { keptCall, type Queues } from './queue.ts'
import type { CalleeEndpoint, DealerRegistration, RegistrationOptions } from './registrations.ts'

export const KILL: WireInterruptOptions = Object.freeze({ mode: 'kill' })
export const KILLNOWAIT: WireInterruptOptions = Object.freeze({ mode: 'killnowait' })
/** The INTERRUPT that follows a CANCEL of each mode, if the caller does not wait for the callee. */
export const AFTER_CANCEL: Readonly<Record<CancelMode, WireInterruptOptions | undefined>> = {
  skip: undefined,
  kill: KILLNOWAIT,
  killnowait: KILLNOWAIT,
}
/** The INTERRUPT after a timeout, for which there was no CANCEL. */
export const EXPIRED: WireInterruptOptions = Object.freeze({ mode: 'killnowait', reason: names.TIMEOUT })

type Changing<Record> = { -readonly [Key in keyof Record]: Record[Key] }

/** Bytes of an unanswered call without its message, in the tables of its two ends. */
const costOfCall = ({ procedure }: Call): number => 512 + procedure.length

export class Routing {
  readonly #options: RegistrationOptions
  readonly #realm: RoleRealm
  readonly #queues: Queues
  readonly #expired: (call: Call) => void
  #size = 0
  #order = 0

  /** `expired` is called for a call that was not answered in time; it must settle the call. */
  constructor(options: RegistrationOptions, realm: RoleRealm, queues: Queues, expired: (call: Call) => void) {
    this.#options = options
    this.#realm = realm
    this.#queues = queues
    this.#expired = expired
  }

  /** The number of unanswered calls. */
  get size(): number {
    return this.#size
  }

  /** Records a call: from now on it is answered exactly once. */
  open(
    [, request, options, procedure]: messages.CallMessage,
    caller: Destination,
    registration: DealerRegistration,
    decision: Decision,
  ): Call {
    const { uri: realm, observers } = this.#realm
    const call: Changing<Call> = {
      order: this.#order++,
      caller,
      request,
      procedure,
      registered: registration.uri,
      decision,
      since: observers.answered ? performance.now() : undefined,
      deadline: undefined,
      endpoint: undefined,
      invocation: 0,
      details: NO_DETAILS,
      open: options.progress === true,
      canceled: false,
      settled: false,
      message: undefined,
      declinable: false,
      weight: 0,
      declined: undefined,
      waiting: undefined,
    }
    // A greater value, such as a bigint from a binary format, means no more to a callee.
    const timeout = Math.min(Number(options.timeout ?? 0), Number.MAX_SAFE_INTEGER)
    if (timeout > 0) call.deadline = new Deadline<Call>(timeout, call, this.#expired)
    recordOf(caller).calls.set(request, call)
    this.#weigh(call, costOfCall(call))
    this.#size++
    observers.called?.({ realm, session: caller.id, request, procedure, registration: registration.id || undefined })
    return call
  }

  /** Sends a call to the callee that the invoke policy chooses, or queues it. */
  route(call: Changing<Call>, registration: DealerRegistration, message: messages.CallMessage): Refusal | undefined {
    const endpoint = chooseCallee(registration, call.declined)
    if (endpoint !== FULL) return this.invoke(call, endpoint, message)
    const waiting = this.#queues.add(call, registration, message)
    if (!waiting)
      return new Refusal(names.MAX_CONCURRENCY_REACHED, `${formatValue(call.procedure)} takes no more calls now`)
    call.waiting = waiting
    call.message = waiting.message
    // Nobody else enforces the timeout while the call is queued.
    call.deadline?.begin(false)
    return undefined
  }

  invoke(
    call: Changing<Call>,
    endpoint: CalleeEndpoint | undefined,
    message?: messages.CallMessage,
  ): Refusal | undefined {
    if (!endpoint || !message)
      return new Refusal(names.NO_AVAILABLE_CALLEE, `no callee of ${formatValue(call.procedure)} is available`)
    const { callee } = endpoint
    const { forward } = this.#options
    const lack = lacking(message[2], callee)
    if (lack) return lack
    const record = recordOf(callee)
    const before = record.invoked
    const invocation = nextId(before)
    const timeout = call.deadline?.begin(endpoint.keepsTime) ?? 0
    call.endpoint = endpoint
    call.invocation = invocation
    call.details = detailsOf(message, call.caller, endpoint, timeout, call.decision, forward)
    call.declinable = endpoint.declines
    const keeps = endpoint.declines && endpoint.registration.invoke !== 'single'
    call.message = keeps ? keptCall(message, forward) : undefined
    this.#weigh(call, costOfCall(call) + (call.message ? weightOf(message[4]) : 0))
    record.invoked = invocation
    record.invocations.set(invocation, call)
    endpoint.running++
    const failed = trySend(callee, invocationOf(call, endpoint, message))
    if (failed) record.invoked = before
    return failed
  }

  /** Sends a further part of a call after the first one: to its callee, or into the queue. */
  pass(call: Changing<Call>, part: messages.CallMessage): void {
    const { endpoint, waiting } = call
    let failed: Refusal | undefined
    if (endpoint) {
      this.#commit(call)
      failed = trySend(endpoint.callee, invocationOf(call, endpoint, part))
    } else if (!waiting || !this.#queues.hold(call, waiting, part)) {
      failed = new Refusal(
        names.MAX_CONCURRENCY_REACHED,
        `no room to queue another part of a call of ${formatValue(call.procedure)}`,
      )
    }
    if (failed) this.stop(call, KILLNOWAIT, failed)
  }

  /** Notes whether the caller has more parts to send. */
  opened(call: Changing<Call>, open: boolean): void {
    call.open = open
  }

  /** Notes a progressive result: the call cannot be re-routed any more, and its timeout starts again. */
  progressed(call: Changing<Call>): void {
    this.#commit(call)
    call.deadline?.again()
  }

  /** Interrupts the callee; its answer to that settles the call. */
  interrupt(call: Changing<Call>, callee: Destination): void {
    call.canceled = true
    this.#commit(call)
    callee.send([INTERRUPT, call.invocation, KILL])
  }

  /** The call stays with its callee: it can be declined no more. */
  #commit(call: Changing<Call>): void {
    call.declinable = false
    if (!call.message) return
    call.message = undefined
    if (call.endpoint) this.#weigh(call, costOfCall(call))
  }

  #weigh(call: Changing<Call>, weight: number): void {
    if (weight === call.weight) return
    call.caller.account?.charge('calls', weight - call.weight)
    call.weight = weight
  }

  /** Re-routes a call that its callee declined, as if that callee were absent (Call Re-Routing). */
  reroute(call: Changing<Call>, { callee, registration }: CalleeEndpoint): void {
    const { message } = call
    this.release(call)
    call.endpoint = undefined
    call.declined ??= new Set()
    call.declined.add(callee)
    // A registration for one callee has no other one.
    const failed = message ? this.route(call, registration, message) : this.invoke(call, undefined)
    if (failed) this.fail(call, failed)
  }

  /** Takes a call from its queue and routes it. */
  resume(call: Changing<Call>, go: (message: messages.CallMessage) => Refusal | undefined): void {
    const { waiting } = call
    if (!waiting) return
    this.#leaveQueue(call)
    const failed = go(waiting.message)
    if (failed) this.fail(call, failed)
    for (const part of waiting.parts) {
      if (call.settled) return
      this.pass(call, part)
    }
  }

  /** Settles an unanswered call: with an INTERRUPT for its callee and an ERROR for its caller. */
  stop(call: Changing<Call>, reason: WireInterruptOptions | undefined, answer: Refusal | undefined): void {
    if (call.settled) return
    const { endpoint, invocation } = call
    this.settle(call)
    if (endpoint) this.#letGo(call, endpoint, invocation, reason)
    if (answer) this.fail(call, answer)
  }

  #letGo(call: Call, endpoint: CalleeEndpoint, invocation: number, reason: WireInterruptOptions | undefined): void {
    const { callee } = endpoint
    const record = recordOf(callee)
    if (reason && interruptible(callee)) {
      if (!call.canceled) callee.send([INTERRUPT, invocation, reason])
    } else if (endpoint.concurrency > 0 && !record.ended) {
      // A callee that cannot be interrupted continues, and stays busy until it answers.
      record.invocations.set(invocation, call)
      endpoint.running++
    }
  }

  /** Settles a call with an ERROR of the router. */
  fail(call: Changing<Call>, refusal: Refusal): void {
    this.settle(call)
    sendError(call.caller, CALL, call.request, refusal)
    this.report(call, 'error', refusal.uri)
  }

  /** Reports the outcome of a call. */
  report(call: Call, outcome: 'result' | 'error' | 'abandoned', error?: string): void {
    const { uri: realm, observers } = this.#realm
    const { caller, request, procedure, registered, endpoint, since } = call
    observers.answered?.({
      realm,
      session: caller.id,
      request,
      procedure,
      registered,
      callee: endpoint?.callee.id || undefined,
      outcome,
      error,
      duration: since === undefined ? undefined : performance.now() - since,
    })
  }

  /** Removes a call from all tables. The code that calls this answers the caller, and reports it with `report`. */
  settle(call: Changing<Call>): void {
    if (call.settled) return
    const { caller, request } = call
    call.settled = true
    call.declinable = false
    call.message = undefined
    this.#weigh(call, 0)
    this.#leaveQueue(call)
    call.deadline?.end()
    this.release(call)
    const record = recordOf(caller)
    record.calls.delete(request)
    this.#size--
    if (call.open) record.unfinish(request, call.procedure, this.#options.limits.calls)
  }

  /** Frees the callee of a call. */
  release({ endpoint, invocation }: Call): void {
    if (!endpoint || !recordOf(endpoint.callee).invocations.delete(invocation)) return
    endpoint.running--
    if (endpoint.concurrency > 0) this.#queues.stir(endpoint.registration)
  }

  #leaveQueue(call: Changing<Call>): void {
    const { waiting } = call
    if (!waiting) return
    call.waiting = undefined
    this.#queues.delete(call, waiting)
  }
}

function invocationOf(
  { invocation, details }: Call,
  { registration }: CalleeEndpoint,
  [, , options, , data]: messages.CallMessage,
): messages.InvocationMessage {
  return [INVOCATION, invocation, registration.id, options.progress ? { ...details, progress: true } : details, data]
}
