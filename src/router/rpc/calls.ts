/** The way of a call to a callee and of its answers back, and all the ways in which it may end before. */

import { CALL, ERROR, INTERRUPT, INVOCATION, RESULT } from '../../protocol/codes.ts'
import { violation } from '../../protocol/error.ts'
import { nextId } from '../../protocol/ids.ts'
import type * as messages from '../../protocol/messages.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import * as names from '../../protocol/names.ts'
import type { InterruptOptions, ResultDetails } from '../../protocol/options.ts'
import { isReserved, isUri } from '../../protocol/uri.ts'
import { formatValue, nameOf } from '../../protocol/validate.ts'
import { attempt, NOTHING, type Refusal, refuse } from '../member/deliver.ts'
import type { Dropped } from '../member/limits.ts'
import type { Member } from '../member/member.ts'
import { inPassthru, PASSTHRU, passthruOf } from '../member/passthru.ts'
import { disclosure } from '../member/policy.ts'
import type { Provided } from '../meta/provided.ts'
import { sayAnswer, sayFailure } from './answer.ts'
import { type Call, callOf } from './call.ts'
import { choose, FULL } from './choose-callee.ts'
import { Deadlines } from './deadlines.ts'
import { detailsOf, interruptible, lacking } from './invocation.ts'
import type { Queues } from './queue.ts'
import type { Endpoint, Registration, RegistrationOptions, Registrations } from './registrations.ts'
import { Turns, type Way } from './turns.ts'

const KILL: InterruptOptions = Object.freeze({ mode: 'kill' })
const KILLNOWAIT: InterruptOptions = Object.freeze({ mode: 'killnowait' })
// Which no CANCEL asked for.
const EXPIRED: InterruptOptions = Object.freeze({ mode: 'killnowait', reason: names.TIMEOUT })
const PARTIAL: ResultDetails = Object.freeze({ progress: true })
const UNREADABLE: Refusal = [
  names.FEATURE_NOT_SUPPORTED,
  'the result is in payload passthru mode, which was not announced',
]

export class Calls implements Way {
  /** What the router serves itself. */
  readonly provided = new Map<Uri, Provided>()
  readonly #options: RegistrationOptions
  readonly #registrations: Registrations
  readonly #dropped: Dropped
  readonly #queues: Queues
  readonly turns: Turns
  readonly #deadlines = new Deadlines<Call>((call) => {
    this.#stop(call, EXPIRED)
    refuse(call.caller, CALL, call.request, [names.TIMEOUT, `no answer within ${call.timeout} ms`])
    this.turns.advance()
  })
  #size = 0
  #order = 0

  constructor(options: RegistrationOptions, registrations: Registrations, queues: Queues, dropped: Dropped) {
    this.#options = options
    this.#registrations = registrations
    this.#queues = queues
    this.turns = new Turns(this, queues, registrations)
    this.#dropped = dropped
  }

  /** Calls that wait for their answer. */
  get size(): number {
    return this.#size
  }

  /** Those among them that wait for a callee to be free. */
  get queued(): number {
    return this.#queues.size
  }

  call(message: messages.Call, caller: Member): void {
    const [, request, options, procedure] = message
    const underWay = caller.calls.get(request)
    if (underWay) this.#continue(underWay, message)
    else if (!this.#isLate(message, caller)) {
      const refusal = this.#begin(message, caller)
      if (!refusal) return
      // More parts may be on their way, of which nobody must hear.
      if (options.progress) caller.unfinish(request, procedure)
      refuse(caller, CALL, request, refusal)
    }
  }

  cancel([, request, { mode = 'killnowait' }]: messages.Cancel, caller: Member): void {
    const call = caller.calls.get(request)
    if (!call || call.canceled) {
      // It has crossed the answer, or is said twice.
      this.#dropped.cancels++
      if (call && mode !== 'kill' && caller.deviations.forgetsCanceled) this.#stop(call, undefined)
      return
    }
    const callee = call.endpoint?.callee
    if (mode === 'kill' && callee && interruptible(callee)) {
      call.canceled = true
      call.message = undefined
      callee.send([INTERRUPT, call.invocation, KILL])
      return
    }
    this.#stop(call, mode === 'skip' ? undefined : KILLNOWAIT)
    if (mode !== 'kill' && caller.deviations.forgetsCanceled) return
    refuse(caller, CALL, request, [names.CANCELED, 'the caller canceled the call'])
  }

  yield([code, invocation, options, data]: messages.Yield, callee: Member): void {
    const passthru = inPassthru(options, callee, 'callee', 'YIELD[2]')
    const partial = options.progress === true
    const call = this.#pending(code, invocation, callee, !partial)
    if (!call) return
    if (partial && !call.details.receive_progress) {
      this.#dropped.partial++
      return
    }
    const { caller, request } = call
    if (partial) {
      call.message = undefined
      this.#deadlines.again(call)
    } else this.#settle(call)
    const said = partial ? PARTIAL : NOTHING
    const details = passthru ? { ...said, ...passthruOf(options) } : said
    const failed =
      passthru && !caller.announces('caller', PASSTHRU) ? UNREADABLE : attempt(caller, [RESULT, request, details, data])
    if (!failed) return
    if (partial) this.#stop(call, KILLNOWAIT)
    refuse(caller, CALL, request, failed)
  }

  error(message: messages.ErrorMessage, callee: Member): void {
    const [code, type, invocation, details, uri, data] = message
    if (type !== INVOCATION) throw violation(`a client answers INVOCATION with ERROR, not ${nameOf(type)}`)
    inPassthru(details, callee, 'callee', 'ERROR[3]')
    const call = this.#pending(code, invocation, callee, true)
    if (!call) return
    if (uri === names.UNAVAILABLE && call.message) {
      this.#reroute(call, call.message)
      return
    }
    this.#settle(call)
    const failed: Refusal | undefined = isUri(uri, this.#options.strict)
      ? attempt(call.caller, [ERROR, CALL, call.request, details, uri, data])
      : [names.INVALID_URI, `the callee failed with ${formatValue(uri)}, which is no error URI`]
    if (failed) refuse(call.caller, CALL, call.request, failed)
  }

  left(member: Member): void {
    // What their callees answer later is dropped.
    for (const call of member.calls.values()) this.#stop(call, KILLNOWAIT)
    for (const call of member.invocations.values()) {
      if (call.over) continue
      this.#settle(call)
      refuse(call.caller, CALL, call.request, [names.CANCELED, 'the callee left before it answered'])
    }
    member.invocations.clear()
  }

  #begin(message: messages.Call, caller: Member): Refusal | undefined {
    const [, , options, procedure] = message
    if (options.progress && !caller.announces('caller', 'progressive_call_invocations')) {
      throw violation('CALL[2].progress is true, but HELLO did not announce progressive_call_invocations')
    }
    inPassthru(options, caller, 'caller', 'CALL[2]')
    const reserved = isReserved(procedure)
    const provided = reserved ? this.provided.get(procedure) : undefined
    if (provided) return this.#serve(provided, message, caller)
    // Nobody else serves what belongs to the router, whatever a pattern would match.
    const registration = reserved ? undefined : this.#registrations.patterns.best(procedure)
    const { strict, limits, policy } = this.#options
    // A procedure that somebody registered is a legal one, but a pattern may match what is none.
    if (registration?.match !== 'exact' && !isUri(procedure, strict)) {
      return [names.INVALID_URI, `${formatValue(procedure)} is no procedure`]
    }
    if (!registration) return [names.NO_SUCH_PROCEDURE, `no callee is registered for ${formatValue(procedure)}`]
    if (caller.calls.size >= limits.calls) return tooMany(limits.calls)
    if (options.disclose_me && policy.disclose !== 'asked') {
      const disclosed = disclosure(policy, 'call', procedure, caller, true)
      if (typeof disclosed !== 'boolean') return disclosed
    }
    const call = this.#open(message, caller)
    const refusal = this.route(call, registration, message)
    if (refusal) this.#settle(call)
    return refusal
  }

  #open(message: messages.Call, caller: Member): Call {
    const call = callOf(message, caller, this.#order++)
    caller.calls.set(call.request, call)
    this.#size++
    return call
  }

  /** Calls what the router serves itself. */
  #serve(provided: Provided, message: messages.Call, caller: Member): Refusal | undefined {
    const [, request, options, , data] = message
    if (options.progress || options.ppt_scheme !== undefined) {
      return [names.FEATURE_NOT_SUPPORTED, 'the router takes no call in parts and no payload in passthru mode']
    }
    // It may be answered later.
    const { calls } = this.#options.limits
    if (caller.calls.size >= calls) return tooMany(calls)
    let answer: ReturnType<Provided>
    try {
      answer = provided(data?.args ?? [], data?.kwargs ?? {}, caller)
    } catch (error) {
      return sayFailure(caller, request, error)
    }
    if (!(answer instanceof Promise)) return sayAnswer(caller, request, answer)
    const call = this.#open(message, caller)
    this.#deadlines.begin(call, false)
    const end = (say: () => Refusal | undefined): void => {
      if (call.over) return
      this.#settle(call)
      const unsaid = say()
      if (unsaid) refuse(caller, CALL, request, unsaid)
    }
    answer.then(
      (value) => end(() => sayAnswer(caller, request, value)),
      (error) => end(() => sayFailure(caller, request, error)),
    )
    return undefined
  }

  /** Gives the call to whom the policy chooses, or lets it wait for that one. */
  route(call: Call, registration: Registration, message: messages.Call): Refusal | undefined {
    const endpoint = choose(registration, call.declined)
    if (endpoint !== FULL) return this.invoke(call, endpoint, message)
    if (!this.#queues.add(call, registration, message)) {
      return [names.MAX_CONCURRENCY_REACHED, `${formatValue(call.procedure)} takes no more calls now`]
    }
    // Nobody else keeps the time while it waits.
    this.#deadlines.begin(call, false)
    return undefined
  }

  invoke(call: Call, endpoint: Endpoint | undefined, message: messages.Call): Refusal | undefined {
    if (!endpoint) return [names.NO_AVAILABLE_CALLEE, `no callee of ${formatValue(call.procedure)} is available`]
    const { callee } = endpoint
    const lack = lacking(message[2], callee)
    if (lack) return lack
    const before = callee.invoked
    const invocation = nextId(before)
    const timeout = this.#deadlines.begin(call, endpoint.keepsTime)
    const details = detailsOf(message, call.caller, endpoint, timeout, this.#options.policy)
    call.endpoint = endpoint
    call.invocation = invocation
    call.details = details
    call.message = endpoint.declines ? message : undefined
    callee.invoked = invocation
    callee.invocations.set(invocation, call)
    endpoint.running++
    const failed = attempt(callee, this.#invocation(call, endpoint, message))
    if (failed) callee.invoked = before
    return failed
  }

  #invocation(call: Call, { registration }: Endpoint, [, , options, , data]: messages.Call): messages.Invocation {
    const details = options.progress ? { ...call.details, progress: true } : call.details
    return [INVOCATION, call.invocation, registration.id, details, data]
  }

  /** Another part of a call goes to the callee of the first, with what was said then (Progressive Call Invocations). */
  #continue(call: Call, message: messages.Call): void {
    const [, request, { progress }, procedure] = message
    if (!call.open) throw violation(`CALL[1] is ${request}, the id of a call that waits for its answer`)
    if (procedure !== call.procedure) {
      throw violation(
        `CALL[3] must be ${formatValue(call.procedure)} in all parts of the call, got ${formatValue(procedure)}`,
      )
    }
    call.open = progress === true
    if (call.canceled) {
      this.#dropped.parts++
      return
    }
    this.pass(call, message)
  }

  pass(call: Call, message: messages.Call): void {
    const failed = this.#add(call, message)
    if (!failed) return
    this.#stop(call, KILLNOWAIT)
    refuse(call.caller, CALL, call.request, failed)
  }

  /** Another part goes where the first one is. */
  #add(call: Call, message: messages.Call): Refusal | undefined {
    const { endpoint } = call
    if (endpoint) {
      call.message = undefined
      return attempt(endpoint.callee, this.#invocation(call, endpoint, message))
    }
    if (this.#queues.hold(call, message)) return undefined
    return [names.MAX_CONCURRENCY_REACHED, `no more of a call of ${formatValue(call.procedure)} can wait now`]
  }

  /** Whether it is a part of a call that is over, of which the caller could not know. */
  #isLate([, request, { progress }, procedure]: messages.Call, caller: Member): boolean {
    const known = caller.unfinished?.get(request)
    if (known === undefined) return false
    if (!progress) caller.unfinished?.delete(request)
    if (known !== procedure) {
      if (this.#options.strict) throw violation(`CALL[3] must be ${formatValue(known)} in all parts of the call`)
      caller.unfinished?.delete(request)
      return false
    }
    this.#dropped.parts++
    return true
  }

  /** Its callee will not have it: another one may, as if that one were not there (Call Re-Routing). */
  #reroute(call: Call, message: messages.Call): void {
    const { callee, registration } = call.endpoint as Endpoint
    this.#release(call)
    call.endpoint = undefined
    call.declined ??= new Set()
    call.declined.add(callee)
    this.end(call, this.route(call, registration, message))
  }

  end(call: Call, refusal: Refusal | undefined): void {
    if (!refusal) return
    this.#settle(call)
    refuse(call.caller, CALL, call.request, refusal)
  }

  /** The call that an answer belongs to. A late answer is legal: the callee could not know that the call was over. */
  #pending(code: messages.Code, invocation: Id, callee: Member, final: boolean): Call | undefined {
    const call = callee.invocations.get(invocation)
    if (call && !call.over) return call
    if (invocation > callee.invoked) {
      throw violation(`${nameOf(code)} answers invocation ${invocation}; the last one was ${callee.invoked}`)
    }
    if (call && final) this.#release(call)
    this.#dropped.late++
    return undefined
  }

  /** Ends a call that its callee has not answered; with a reason for it to stop, if it can be told. */
  #stop(call: Call, reason: InterruptOptions | undefined): void {
    if (call.over) return
    const { endpoint, invocation } = call
    this.#settle(call)
    if (!endpoint) return
    const { callee } = endpoint
    if (reason && interruptible(callee)) {
      if (!call.canceled) callee.send([INTERRUPT, invocation, reason])
    } else if (endpoint.concurrency > 0 && callee.realm) {
      // Who is not told goes on with it, and so is as busy as before until it answers.
      callee.invocations.set(invocation, call)
      endpoint.running++
    }
  }

  #settle(call: Call): void {
    if (call.over) return
    const { caller, request } = call
    call.over = true
    call.message = undefined
    this.#queues.delete(call)
    this.#deadlines.end(call)
    this.#release(call)
    caller.calls.delete(request)
    this.#size--
    if (call.open) caller.unfinish(request, call.procedure)
  }

  #release({ endpoint, invocation }: Call): void {
    if (!endpoint?.callee.invocations.delete(invocation)) return
    endpoint.running--
    if (endpoint.concurrency > 0) this.turns.stir(endpoint.registration)
  }
}

function tooMany(calls: number): Refusal {
  return [names.LIMIT_EXCEEDED, `a session may have ${calls} calls under way`]
}
