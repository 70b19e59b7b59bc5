/** The way of a call to its callee, and its end: the only code that changes a `Call`. */

import { CALL, INTERRUPT, INVOCATION } from '../../protocol/codes.ts'
import { nextId } from '../../protocol/ids.ts'
import type * as messages from '../../protocol/messages.ts'
import * as names from '../../protocol/names.ts'
import type { CancelMode, WireInterruptOptions } from '../../protocol/options.ts'
import { formatValue } from '../../protocol/validate.ts'
import type { Destination } from '../member/destination.ts'
import { attempt, NOTHING, Refusal, sendError } from '../member/refusal.ts'
import type { RoleRealm } from '../member/role.ts'
import type { Decision } from '../rights/decide.ts'
import type { Call } from './call.ts'
import { choose, FULL } from './choose-callee.ts'
import { Deadline } from './deadline.ts'
import { recordOf } from './dealer-record.ts'
import { detailsOf, interruptible, lacking } from './invocation-details.ts'
import type { Queues } from './queue.ts'
import type { Endpoint, Registration, RegistrationOptions } from './registrations.ts'

export const KILL: WireInterruptOptions = Object.freeze({ mode: 'kill' })
export const KILLNOWAIT: WireInterruptOptions = Object.freeze({ mode: 'killnowait' })
/** The INTERRUPT that follows a CANCEL of each mode, if the caller does not wait for the callee. */
export const AFTER_CANCEL: Readonly<Record<CancelMode, WireInterruptOptions | undefined>> = {
  skip: undefined,
  kill: KILLNOWAIT,
  killnowait: KILLNOWAIT,
}
/** Which no CANCEL asked for. */
export const EXPIRED: WireInterruptOptions = Object.freeze({ mode: 'killnowait', reason: names.TIMEOUT })

type Changing<Record> = { -readonly [Key in keyof Record]: Record[Key] }

export class Routing {
  readonly #options: RegistrationOptions
  readonly #realm: RoleRealm
  readonly #queues: Queues
  readonly #expired: (call: Call) => void
  #size = 0
  #order = 0

  /** `expired` is called for a call that was not answered in time; it must end the call. */
  constructor(options: RegistrationOptions, realm: RoleRealm, queues: Queues, expired: (call: Call) => void) {
    this.#options = options
    this.#realm = realm
    this.#queues = queues
    this.#expired = expired
  }

  /** Calls that wait for their answer. */
  get size(): number {
    return this.#size
  }

  /** From here on it will be answered. */
  open(
    [, request, options, procedure]: messages.CallMessage,
    caller: Destination,
    registration: Registration,
    decision: Decision,
  ): Call {
    const { uri: realm, observers } = this.#realm
    const call: Changing<Call> = {
      order: this.#order++,
      caller,
      request,
      procedure,
      decision,
      since: observers.answered ? performance.now() : undefined,
      deadline: undefined,
      endpoint: undefined,
      invocation: 0,
      details: NOTHING,
      open: options.progress === true,
      canceled: false,
      over: false,
      message: undefined,
      declined: undefined,
      waiting: undefined,
    }
    // What is greater, be it a bigint of a binary format, is told to a callee no better.
    const timeout = Math.min(Number(options.timeout ?? 0), Number.MAX_SAFE_INTEGER)
    if (timeout > 0) call.deadline = new Deadline<Call>(timeout, call, this.#expired)
    recordOf(caller).calls.set(request, call)
    this.#size++
    observers.called?.({ realm, session: caller.id, request, procedure, registration: registration.id || undefined })
    return call
  }

  /** Gives the call to the callee that the policy chooses, or lets it wait for that one. */
  route(call: Changing<Call>, registration: Registration, message: messages.CallMessage): Refusal | undefined {
    const endpoint = choose(registration, call.declined)
    if (endpoint !== FULL) return this.invoke(call, endpoint, message)
    const waiting = this.#queues.add(call, registration, message)
    if (!waiting)
      return new Refusal(names.MAX_CONCURRENCY_REACHED, `${formatValue(call.procedure)} takes no more calls now`)
    call.waiting = waiting
    call.message = waiting.message
    // Nobody else keeps the time while it waits.
    call.deadline?.begin(false)
    return undefined
  }

  invoke(call: Changing<Call>, endpoint: Endpoint | undefined, message: messages.CallMessage): Refusal | undefined {
    if (!endpoint)
      return new Refusal(names.NO_AVAILABLE_CALLEE, `no callee of ${formatValue(call.procedure)} is available`)
    const { callee } = endpoint
    const lack = lacking(message[2], callee)
    if (lack) return lack
    const record = recordOf(callee)
    const before = record.invoked
    const invocation = nextId(before)
    const timeout = call.deadline?.begin(endpoint.keepsTime) ?? 0
    call.endpoint = endpoint
    call.invocation = invocation
    call.details = detailsOf(message, call.caller, endpoint, timeout, call.decision)
    call.message = endpoint.declines ? message : undefined
    record.invoked = invocation
    record.invocations.set(invocation, call)
    endpoint.running++
    const failed = attempt(callee, invocationOf(call, endpoint, message))
    if (failed) record.invoked = before
    return failed
  }

  /** Sends another part of a call where the first one is: to its callee, or into the queue. */
  pass(call: Changing<Call>, part: messages.CallMessage): void {
    const { endpoint, waiting } = call
    let failed: Refusal | undefined
    if (endpoint) {
      call.message = undefined
      failed = attempt(endpoint.callee, invocationOf(call, endpoint, part))
    } else if (!waiting || !this.#queues.hold(waiting, part)) {
      failed = new Refusal(
        names.MAX_CONCURRENCY_REACHED,
        `no more of a call of ${formatValue(call.procedure)} can wait now`,
      )
    }
    if (failed) this.stop(call, KILLNOWAIT, failed)
  }

  /** The caller sent a part, which may not be the last one. */
  opened(call: Changing<Call>, open: boolean): void {
    call.open = open
  }

  /** A partial result came: the call cannot go to another callee any more, and has as long again. */
  progressed(call: Changing<Call>): void {
    call.message = undefined
    call.deadline?.again()
  }

  /** Asks the callee to stop; its answer to that ends the call. */
  interrupt(call: Changing<Call>, callee: Destination): void {
    call.canceled = true
    call.message = undefined
    callee.send([INTERRUPT, call.invocation, KILL])
  }

  /** Its callee declines it: another one may take it, as if that one were not there (Call Re-Routing). */
  reroute(call: Changing<Call>, { callee, registration }: Endpoint, message: messages.CallMessage): void {
    this.release(call)
    call.endpoint = undefined
    call.declined ??= new Set()
    call.declined.add(callee)
    const failed = this.route(call, registration, message)
    if (failed) this.fail(call, failed)
  }

  /** Takes a call out of its queue and lets it go on. */
  resume(call: Changing<Call>, go: (message: messages.CallMessage) => Refusal | undefined): void {
    const { waiting } = call
    if (!waiting) return
    this.#leaveQueue(call)
    const failed = go(waiting.message)
    if (failed) this.fail(call, failed)
    for (const part of waiting.parts) {
      if (call.over) return
      this.pass(call, part)
    }
  }

  /** Ends a call that its callee has not answered: with a reason for it to stop, and with an ERROR for its caller. */
  stop(call: Changing<Call>, reason: WireInterruptOptions | undefined, answer: Refusal | undefined): void {
    if (call.over) return
    const { endpoint, invocation } = call
    this.settle(call)
    if (endpoint) this.#letGo(call, endpoint, invocation, reason)
    if (answer) this.fail(call, answer)
  }

  #letGo(call: Call, endpoint: Endpoint, invocation: number, reason: WireInterruptOptions | undefined): void {
    const { callee } = endpoint
    const record = recordOf(callee)
    if (reason && interruptible(callee)) {
      if (!call.canceled) callee.send([INTERRUPT, invocation, reason])
    } else if (endpoint.concurrency > 0 && !record.gone) {
      // A callee that cannot be interrupted goes on with it, and so is as busy as before until it answers.
      record.invocations.set(invocation, call)
      endpoint.running++
    }
  }

  /** Ends a call with an ERROR of the router. */
  fail(call: Changing<Call>, refusal: Refusal): void {
    this.settle(call)
    sendError(call.caller, CALL, call.request, refusal)
    this.report(call, 'error', refusal.uri)
  }

  /** Reports how a call ended. */
  report(call: Call, outcome: 'result' | 'error' | 'abandoned', error?: string): void {
    const { uri: realm, observers } = this.#realm
    const { caller, request, procedure, endpoint, since } = call
    observers.answered?.({
      realm,
      session: caller.id,
      request,
      procedure,
      callee: endpoint?.callee.id || undefined,
      outcome,
      error,
      duration: since === undefined ? undefined : performance.now() - since,
    })
  }

  /** Takes a call out of all tables. Whoever calls this answers the caller, and reports that by `report`. */
  settle(call: Changing<Call>): void {
    if (call.over) return
    const { caller, request } = call
    call.over = true
    call.message = undefined
    this.#leaveQueue(call)
    call.deadline?.end()
    this.release(call)
    const record = recordOf(caller)
    record.calls.delete(request)
    this.#size--
    if (call.open) record.unfinish(request, call.procedure, this.#options.limits.calls)
  }

  /** Its callee is free of it. */
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
  { registration }: Endpoint,
  [, , options, , data]: messages.CallMessage,
): messages.InvocationMessage {
  return [INVOCATION, invocation, registration.id, options.progress ? { ...details, progress: true } : details, data]
}
