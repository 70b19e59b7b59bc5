/** Who serves which procedure, and the way of a call there and back. */

import {
  CALL,
  CANCEL,
  ERROR,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  UNREGISTER,
  UNREGISTERED,
  YIELD,
} from '../protocol/codes.ts'
import { violation } from '../protocol/error.ts'
import { nextId, randomId } from '../protocol/ids.ts'
import type * as messages from '../protocol/messages.ts'
import type { Handlers, Id, Uri } from '../protocol/messages.ts'
import * as names from '../protocol/names.ts'
import type { InvokePolicy, RegisterOptions } from '../protocol/options.ts'
import { isReserved, isUri } from '../protocol/uri.ts'
import { nameOf, told } from '../protocol/validate.ts'
import { attempt, NOTHING, type Refusal, refuse } from './deliver.ts'
import type { Dropped, RouterLimits } from './limits.ts'
import type { Member } from './member.ts'
import { type Pattern, Patterns } from './patterns.ts'
import type { Role } from './role.ts'
import { CALL_OPTIONS, REGISTER_OPTIONS, unsupported } from './unsupported.ts'

/** One procedure under one policy, and who serves it, oldest first; never empty. */
export interface Registration extends Pattern {
  readonly id: Id
  readonly invoke: InvokePolicy
  readonly callees: Member[]
}

/** A call under way. It stands in the tables of both its ends, and is over once it stands in neither. */
export interface Call {
  readonly caller: Member
  readonly request: Id
  readonly callee: Member
  readonly invocation: Id
}

export interface DealerOptions {
  readonly strict: boolean
  readonly limits: RouterLimits
}

const PASSTHRU: Refusal = [
  names.FEATURE_NOT_SUPPORTED,
  'the result is in payload passthru mode, which is not supported here',
]

export class Dealer implements Role {
  readonly name = 'dealer'
  readonly features = {}
  readonly handlers: Handlers<Member>
  readonly #options: DealerOptions
  readonly #dropped: Dropped
  readonly #patterns = new Patterns<Registration>()
  #calls = 0

  constructor(options: DealerOptions, dropped: Dropped) {
    this.#options = options
    this.#dropped = dropped
    this.handlers = {
      [REGISTER]: (message, member) => this.#register(message, member),
      [UNREGISTER]: (message, member) => this.#unregister(message, member),
      [CALL]: (message, member) => this.#call(message, member),
      [YIELD]: (message, member) => this.#yield(message, member),
      [ERROR]: (message, member) => this.#error(message, member),
      // Canceling is not announced; a CANCEL may also have crossed the RESULT, and gets no answer of its own.
      [CANCEL]: () => {
        this.#dropped.cancels++
      },
    }
  }

  get registrations(): number {
    return this.#patterns.size
  }

  /** Calls that wait for their answer. */
  get calls(): number {
    return this.#calls
  }

  left(member: Member): void {
    for (const registration of member.registrations.values()) this.#remove(registration, member)
    member.registrations.clear()
    // What its callees answer later is dropped.
    for (const call of member.calls.values()) this.#settle(call)
    for (const call of member.invocations.values()) {
      this.#settle(call)
      refuse(call.caller, CALL, call.request, [names.CANCELED, 'the callee left before it answered'])
    }
  }

  #register([, request, options, procedure]: messages.Register, member: Member): void {
    const refusal = this.#refuseRegister(options, procedure, member)
    if (refusal) {
      refuse(member, REGISTER, request, refusal)
      return
    }
    const registration: Registration = {
      id: randomId(),
      uri: procedure,
      match: 'exact',
      invoke: 'single',
      callees: [member],
    }
    this.#patterns.add(registration)
    member.registrations.set(registration.id, registration)
    member.send([REGISTERED, request, registration.id])
  }

  #refuseRegister(options: RegisterOptions, procedure: Uri, member: Member): Refusal | undefined {
    const { strict, limits } = this.#options
    if (!isUri(procedure, strict)) return [names.INVALID_URI, `${told(procedure)} is no procedure`]
    if (isReserved(procedure)) return [names.INVALID_URI, `${told(procedure)} belongs to the router`]
    const wrong = unsupported(options, REGISTER_OPTIONS)
    if (wrong) return [names.OPTION_NOT_ALLOWED, wrong]
    if (this.#patterns.get(procedure)) {
      return [names.PROCEDURE_ALREADY_EXISTS, `${told(procedure)} is registered already`]
    }
    if (procedure.length > limits.uriLength) {
      return [names.LIMIT_EXCEEDED, `a URI may have ${limits.uriLength} characters`]
    }
    if (member.registrations.size < limits.registrations) return undefined
    return [names.LIMIT_EXCEEDED, `a session may have ${limits.registrations} registrations`]
  }

  #unregister([, request, id]: messages.Unregister, member: Member): void {
    const registration = member.registrations.get(id)
    if (registration) {
      member.registrations.delete(id)
      this.#remove(registration, member)
      member.send([UNREGISTERED, request])
    } else {
      refuse(member, UNREGISTER, request, [names.NO_SUCH_REGISTRATION, `this session has no registration ${id}`])
    }
  }

  #call(message: messages.Call, caller: Member): void {
    const registration = this.#patterns.best(message[3])
    const refusal = this.#refuseCall(message, registration, caller)
    if (refusal) refuse(caller, CALL, message[1], refusal)
    else if (registration) this.#invoke(registration, registration.callees[0] as Member, caller, message)
  }

  #refuseCall(message: messages.Call, found: Registration | undefined, caller: Member): Refusal | undefined {
    const [, request, options, procedure] = message
    if (caller.calls.has(request)) throw violation(`CALL[1] is ${request}, the id of a call that waits for its answer`)
    const wrong = unsupported(options, CALL_OPTIONS)
    if (wrong) {
      if (options['progress'] === true && !caller.announces('caller', 'progressive_call_invocations')) {
        throw violation('CALL[2].progress is true, but HELLO did not announce progressive_call_invocations')
      }
      return [names.OPTION_NOT_ALLOWED, wrong]
    }
    if (!found) {
      // A procedure that somebody registered is a legal one.
      return isUri(procedure, this.#options.strict)
        ? [names.NO_SUCH_PROCEDURE, `no callee is registered for ${told(procedure)}`]
        : [names.INVALID_URI, `${told(procedure)} is no procedure`]
    }
    const { calls } = this.#options.limits
    return caller.calls.size < calls ? undefined : [names.LIMIT_EXCEEDED, `a session may have ${calls} calls under way`]
  }

  #invoke(registration: Registration, callee: Member, caller: Member, message: messages.Call): void {
    const before = callee.invoked
    const invocation = nextId(before)
    const call: Call = { caller, request: message[1], callee, invocation }
    callee.invoked = invocation
    // Before it is sent: the callee may be found to be gone in sending.
    callee.invocations.set(invocation, call)
    caller.calls.set(call.request, call)
    this.#calls++
    const failed = attempt(callee, [INVOCATION, invocation, registration.id, NOTHING, message[4]])
    if (!failed) return
    callee.invoked = before
    this.#settle(call)
    refuse(caller, CALL, call.request, failed)
  }

  #yield(message: messages.Yield, callee: Member): void {
    const call = this.#pending(message, message[1], callee)
    if (!call) return
    const options = message[2]
    if (options.progress) {
      this.#dropped.partial++
      return
    }
    this.#settle(call)
    const failed =
      options['ppt_scheme'] === undefined ? attempt(call.caller, [RESULT, call.request, NOTHING, message[3]]) : PASSTHRU
    if (failed) refuse(call.caller, CALL, call.request, failed)
  }

  #error(message: messages.ErrorMessage, callee: Member): void {
    const [, type, invocation, details, uri, payload] = message
    if (type !== INVOCATION) throw violation(`a client answers INVOCATION with ERROR, not ${nameOf(type)}`)
    const call = this.#pending(message, invocation, callee)
    if (!call) return
    this.#settle(call)
    const failed: Refusal | undefined = isUri(uri, this.#options.strict)
      ? attempt(call.caller, [ERROR, CALL, call.request, details, uri, payload])
      : [names.INVALID_URI, `the callee failed with ${told(uri)}, which is no error URI`]
    if (failed) refuse(call.caller, CALL, call.request, failed)
  }

  /** The call that an answer belongs to. A late answer is legal: the callee could not know that the caller had left. */
  #pending(message: messages.Message, invocation: Id, callee: Member): Call | undefined {
    const call = callee.invocations.get(invocation)
    if (call) return call
    if (invocation > callee.invoked) {
      throw violation(`${nameOf(message[0])} answers invocation ${invocation}; the last one was ${callee.invoked}`)
    }
    this.#dropped.late++
    return undefined
  }

  #settle({ caller, request, callee, invocation }: Call): void {
    if (!callee.invocations.delete(invocation)) return
    caller.calls.delete(request)
    this.#calls--
  }

  #remove(registration: Registration, member: Member): void {
    const { callees } = registration
    callees.splice(callees.indexOf(member), 1)
    if (callees.length === 0) this.#patterns.delete(registration)
  }
}
