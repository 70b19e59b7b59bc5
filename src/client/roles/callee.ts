/** The callee: handles of registered procedures, and the invocations that run. */

import { INTERRUPT, INVOCATION, REGISTER, REGISTERED, UNREGISTER, UNREGISTERED } from '../../protocol/codes.ts'
import { violation, WampError } from '../../protocol/error.ts'
import type { Id, InvocationMessage, RegisteredMessage, UnregisteredMessage, Uri } from '../../protocol/messages.ts'
import { NO_SUCH_PROCEDURE, PROCEDURE_ALREADY_EXISTS } from '../../protocol/names.ts'
import type { Dict, InvocationDetails, List, WireRegisterOptions as WireOptions } from '../../protocol/options.ts'
import { BUFFER } from '../base/part-stream.ts'
import type { Waiting } from '../base/waiting.ts'
import { checkOptions } from '../checks.ts'
import { type DurableHandles, HandleRecord } from '../handles/durable-handles.ts'
import { type DurableHandle, HandleView } from '../handles/handle.ts'
import { type Entrypoint, enter, leave } from '../service/entrypoints.ts'
import type { ClientSession } from '../session/client-session.ts'
import { granted } from '../session/requests.ts'
import { answerError, type Invocation, InvocationOf, Running, remember } from './invocation.ts'
import type { Role } from './role.ts'

export { Invocation } from './invocation.ts'
export { Result } from './result.ts'

/** Options of a registration: ours, and any key of REGISTER.Options as WAMP spells it. */
export interface RegisterOptions extends Waiting, WireOptions {
  /**
   * How many parts of a call may wait for a procedure that reads its `input` slowly, or not at all. Default 65 536. One
   * more, and the call has failed with `wampy.error.limit_exceeded`: its input throws that, and its signal aborts.
   */
  readonly buffer?: number | undefined
}

/**
 * Its value, or that of its promise, is the result: one positional result, or a `Result` for more. Of an async
 * generator, what it yields is progress and what it returns is the result. What it throws reaches the caller: a
 * WampError as it is, anything else as `wamp.error.runtime_error` with its message.
 */
export type Endpoint = (args: List, kwargs: Dict, details: InvocationDetails, invocation: Invocation) => unknown

/** A registered procedure: durable until `unregister()`. Read-only. */
export interface Registration extends DurableHandle<WireOptions> {
  /** Ends it; again does nothing. Resolves when the router knows, or at once where there is no session. */
  unregister(waiting?: Waiting): Promise<void>
}

class RegistrationView extends HandleView<WireOptions> implements Registration {
  unregister(waiting?: Waiting): Promise<void> {
    return this.end(waiting)
  }
}

/** A registration as the client keeps it. */
export class RegistrationRecord extends HandleRecord<WireOptions> {
  readonly handle: Registration = new RegistrationView(this)
  readonly endpoint: Endpoint
  /** How many parts of a call may wait to be read. */
  readonly buffer: number
  /** The class and method behind it, where a service declared it. */
  readonly entrypoint: Entrypoint | undefined

  constructor(
    owner: DurableHandles,
    procedure: Uri,
    endpoint: Endpoint,
    { buffer = BUFFER, ...options }: WireOptions & { readonly buffer?: number | undefined },
    entrypoint?: Entrypoint,
  ) {
    super(owner, procedure, options)
    checkOptions({ buffer })
    this.buffer = buffer
    this.endpoint = endpoint
    this.entrypoint = entrypoint
  }

  async ask(session: ClientSession): Promise<void> {
    const shared = await session.requests.ask<boolean, RegisteredMessage>({
      code: REGISTER,
      message: (id) => [REGISTER, id, this.options, this.uri],
      // Inside the reply: an INVOCATION may follow in the same read.
      settle: ([, , id]) => {
        if (session.registrations.has(id)) return true
        session.registrations.set(id, this)
        this.id = id
        enter(id, this.entrypoint)
        return false
      },
    })
    // A router gives one session one place in a shared registration; two endpoints could not be told apart.
    if (shared) {
      throw new WampError(PROCEDURE_ALREADY_EXISTS, [`this client has registered ${this.uri} already`])
    }
  }

  async leave(session: ClientSession, waiting: Waiting): Promise<void> {
    const { id } = this
    if (id === undefined) return
    this.id = undefined
    // It goes on answering until the router has confirmed: what was called before then is still served.
    await session.requests.ask<void, UnregisteredMessage>(
      {
        code: UNREGISTER,
        message: (request) => [UNREGISTER, request, id],
        settle: () => {
          session.registrations.delete(id)
          leave(id, this.entrypoint)
        },
      },
      waiting,
    )
  }
}

export const callee: Role = {
  name: 'callee',
  features: {
    call_canceling: true,
    call_reroute: true,
    call_timeout: true,
    call_trustlevels: true,
    caller_identification: true,
    pattern_based_registration: true,
    progressive_call_invocations: true,
    progressive_call_results: true,
    registration_revocation: true,
    shared_registration: true,
  },
  handlers: {
    [REGISTERED]: granted,
    [UNREGISTERED]: (message, session) => {
      const [, request, details = {}] = message
      if (request) return granted(message, session)
      const id = details['registration'] as Id
      const revoked = session.registrations.get(id)
      session.registrations.delete(id)
      leave(id, revoked?.entrypoint)
      if (revoked) session.owner.handles.revoke(revoked, details)
    },
    [INVOCATION]: (message, session) => invoke(message, session),
    // It may have crossed the answer.
    [INTERRUPT]: ([, id, options], session) => session.running.get(id)?.interrupt(options),
  },
}

function invoke(message: InvocationMessage, session: ClientSession): void {
  const [, id, registration, details, data] = message
  const underWay = session.running.get(id)
  if (underWay) {
    if (underWay.part(details, data)) return
    throw violation(`INVOCATION for request ${id}, which is not answered yet`)
  }
  if (session.late.has(id)) {
    if (!details.progress) session.late.delete(id)
    session.dropped.parts++
    return
  }
  const found = session.registrations.get(registration)
  if (!found) {
    if (details.progress) remember(session, id)
    answerError(session, id, new WampError(NO_SUCH_PROCEDURE, [`registration ${registration} is gone`]))
    return
  }
  const running = new Running(session, message, found)
  const invocation = new InvocationOf(running, found.uri, details, data)
  running.run(invocation, () => found.endpoint(invocation.args, invocation.kwargs, details, invocation))
}
