/** The callee: handles of registered procedures, and the invocations that run. */

import { ERROR, INVOCATION, REGISTER, REGISTERED, UNREGISTER, UNREGISTERED, YIELD } from '../protocol/codes.ts'
import { thrown, WampError } from '../protocol/error.ts'
import type { Id, Invocation as Message, Registered, Unregistered, Uri } from '../protocol/messages.ts'
import { CANCELED, NO_SUCH_PROCEDURE, PROCEDURE_ALREADY_EXISTS, RUNTIME_ERROR, USAGE } from '../protocol/names.ts'
import type { Dict, InvocationDetails, List, RegisterOptions as WireOptions } from '../protocol/options.ts'
import { type Payload, payload } from '../protocol/payload.ts'
import { isUri } from '../protocol/uri.ts'
import { isDict, told } from '../protocol/validate.ts'
import type { ClientSession } from './client-session.ts'
import { type Entrypoint, entrypoints } from './registry.ts'
import type { Role } from './role.ts'
import { isThenable, type Waiting } from './waiting.ts'
import { Wish, type WishOwner } from './wish.ts'

/** Options of a registration: ours, and any key of REGISTER.Options as WAMP spells it. */
export interface RegisterOptions extends Waiting, WireOptions {}

/** One call of a procedure, as the procedure sees it. */
export class Invocation {
  readonly args: List
  readonly kwargs: Dict
  readonly details: InvocationDetails
  /** The URI that was called. */
  readonly procedure: Uri
  #running: Running

  constructor(running: Running, procedure: Uri, details: InvocationDetails, data: Payload | undefined) {
    this.#running = running
    this.procedure = details.procedure ?? procedure
    this.details = details
    this.args = data?.args ?? []
    this.kwargs = data?.kwargs ?? {}
  }

  /** The caller's session, where it was disclosed. */
  get caller(): Id | undefined {
    return this.details.caller
  }

  /** Aborts when nobody waits for the result any more. */
  get signal(): AbortSignal {
    return this.#running.signal
  }
}

/** All that a procedure returns, where one positional result is not enough: `return new Result([1, 2], { unit: 'cm' })`. */
export class Result {
  readonly args: List
  readonly kwargs: Dict | undefined

  constructor(args: List = [], kwargs?: Dict) {
    if (!Array.isArray(args)) throw new WampError(USAGE, [`args must be a list, such as [1, 2], got ${told(args)}`])
    if (kwargs !== undefined && !isDict(kwargs)) {
      throw new WampError(USAGE, [`kwargs must be a dictionary, such as { unit: 'cm' }, got ${told(kwargs)}`])
    }
    this.args = args
    this.kwargs = kwargs
  }
}

/**
 * Its value, or that of its promise, is the result: one positional result, or a `Result` for more. What it throws
 * reaches the caller: a WampError as it is, anything else as `wamp.error.runtime_error` with its message.
 */
export type Endpoint = (args: List, kwargs: Dict, details: InvocationDetails, invocation: Invocation) => unknown

/** An invocation that has not been answered. */
export class Running {
  #controller: AbortController | undefined
  #reason: string | undefined

  // Made when first asked for: few procedures look at it.
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.abort(this.#reason)
    }
    return this.#controller.signal
  }

  abort(reason: string): void {
    this.#reason = reason
    this.#controller?.abort(new WampError(CANCELED, [reason]))
  }
}

/** A registered procedure: durable until `unregister()`. */
export class Registration extends Wish {
  readonly procedure: Uri
  readonly endpoint: Endpoint
  readonly options: WireOptions
  /** The class and method behind it, where a service declared it. */
  readonly entrypoint: Entrypoint | undefined

  constructor(owner: WishOwner, procedure: Uri, endpoint: Endpoint, options: WireOptions, entrypoint?: Entrypoint) {
    super(owner)
    this.procedure = procedure
    this.endpoint = endpoint
    this.options = options
    this.entrypoint = entrypoint
  }

  get uri(): Uri {
    return this.procedure
  }

  /** Ends it; again does nothing. Resolves when the router knows, or at once where there is no session. */
  unregister(waiting?: Waiting): Promise<void> {
    return this.giveUp(waiting)
  }

  async ask(session: ClientSession): Promise<void> {
    const shared = await session.requests.ask<boolean, Registered>({
      code: REGISTER,
      message: (id) => [REGISTER, id, this.options, this.procedure],
      // Inside the reply: an INVOCATION may follow in the same read.
      settle: ([, , id]) => {
        if (session.registrations.has(id)) return true
        session.registrations.set(id, this)
        this.id = id
        if (this.entrypoint) entrypoints().set(id, this.entrypoint)
        return false
      },
    })
    // A router gives one session one place in a shared registration; two endpoints could not be told apart.
    if (shared) {
      throw new WampError(PROCEDURE_ALREADY_EXISTS, [`this client has registered ${this.procedure} already`])
    }
  }

  async leave(session: ClientSession, waiting: Waiting): Promise<void> {
    const { id } = this
    if (id === undefined) return
    this.id = undefined
    // It goes on answering until the router has confirmed: what was called before then is still served.
    await session.requests.ask<void, Unregistered>(
      {
        code: UNREGISTER,
        message: (request) => [UNREGISTER, request, id],
        settle: () => {
          session.registrations.delete(id)
          entrypoints().delete(id)
        },
      },
      waiting,
    )
  }
}

export const callee: Role = {
  name: 'callee',
  features: {},
  handlers: {
    [REGISTERED]: (message, session) => session.requests.must(REGISTER, message[1], message),
    [UNREGISTERED]: (message, session) => session.requests.must(UNREGISTER, message[1], message),
    [INVOCATION]: (message, session) => invoke(message, session),
  },
}

function invoke([, id, registration, details, data]: Message, session: ClientSession): void {
  const found = session.registrations.get(registration)
  if (!found) {
    const gone = new WampError(NO_SUCH_PROCEDURE, [`registration ${registration} is gone`])
    answerError(session, id, gone)
    return
  }
  const running = new Running()
  session.running.set(id, running)
  try {
    const invocation = new Invocation(running, found.procedure, details, data)
    const result = found.endpoint(invocation.args, invocation.kwargs, details, invocation)
    if (isThenable(result)) {
      result.then(
        (value) => succeed(session, id, value),
        (error) => fail(session, id, error),
      )
    } else succeed(session, id, result)
  } catch (error) {
    fail(session, id, error)
  }
}

function succeed(session: ClientSession, id: Id, value: unknown): void {
  if (!session.running.delete(id)) return
  const data =
    value instanceof Result ? payload(value.args, value.kwargs) : payload(value === undefined ? undefined : [value])
  try {
    session.send([YIELD, id, {}, data])
  } catch (error) {
    // The result cannot travel; the caller must not wait for it.
    session.owner.raised(error, true)
    answerError(session, id, thrown(error))
  }
}

function fail(session: ClientSession, id: Id, value: unknown): void {
  if (!session.running.delete(id)) return
  if (!WampError.is(value)) session.owner.raised(value, true)
  answerError(session, id, thrown(value))
}

function answerError(session: ClientSession, id: Id, error: WampError): void {
  const { args, kwargs, message } = error
  // What is no URI, or no list, would be a violation of the protocol and end the session.
  const uri = typeof error.uri === 'string' && isUri(error.uri) ? error.uri : RUNTIME_ERROR
  const named = isDict(kwargs) && Object.keys(kwargs).length > 0
  const data = Array.isArray(args)
    ? payload(args.length || named ? args : undefined, named ? kwargs : undefined)
    : payload([message])
  try {
    session.send([ERROR, INVOCATION, id, {}, uri, data])
  } catch {
    session.send([ERROR, INVOCATION, id, {}, uri, payload([String(message)])])
  }
}
