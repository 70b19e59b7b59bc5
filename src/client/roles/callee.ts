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
import type { ClientSession } from '../session/client-session.ts'
import { granted } from '../session/requests.ts'
import { type Entrypoint, enter, leave } from './entrypoints.ts'
import { CALLEE_FEATURES } from './features.ts'
import { answerError, type Invocation, InvocationOf, type Invocations, Running, remember } from './invocation.ts'
import { type Role, type RoleHost, stateOf } from './role.ts'

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

  gap(): undefined {}

  async ask(session: ClientSession): Promise<void> {
    const shared = await session.requests.ask<boolean, RegisteredMessage>({
      code: REGISTER,
      message: (id) => [REGISTER, id, this.options, this.uri],
      // Inside the reply: an INVOCATION may follow in the same read.
      settle: ([, , id]) => {
        const { registrations } = stateOf(session, callee)
        if (registrations.has(id)) return true
        registrations.set(id, this)
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
          stateOf(session, callee).registrations.delete(id)
          leave(id, this.entrypoint)
        },
      },
      waiting,
    )
  }
}

/** What the callee keeps of a session. */
interface CalleeState extends Invocations {
  readonly handles: DurableHandles
  readonly registrations: Map<Id, RegistrationRecord>
}

export const callee: Role<CalleeState> = {
  name: 'callee',
  features: CALLEE_FEATURES,
  handlers: {
    [REGISTERED]: granted,
    [UNREGISTERED]: (message, session) => {
      const [, request, details = {}] = message
      if (request) return granted(message, session)
      const id = details['registration'] as Id
      const { handles, registrations } = stateOf(session, callee)
      const revoked = registrations.get(id)
      registrations.delete(id)
      leave(id, revoked?.entrypoint)
      if (revoked) handles.revoke(revoked, details)
    },
    [INVOCATION]: (message, session) => invoke(message, session),
    // It may have crossed the answer.
    [INTERRUPT]: ([, id, options], session) => stateOf(session, callee).running.get(id)?.interrupt(options),
  },
  open: ({ handles, onError }: RoleHost) => ({
    handles,
    onError,
    registrations: new Map(),
    running: new Map(),
    late: new Set(),
  }),
  ended({ registrations, running }, text) {
    for (const invocation of running.values()) invocation.lost(text)
    for (const [id, { entrypoint }] of registrations) leave(id, entrypoint)
  },
}

function invoke(message: InvocationMessage, session: ClientSession): void {
  const [, id, registration, details, data] = message
  const state = stateOf(session, callee)
  const underWay = state.running.get(id)
  if (underWay) {
    if (underWay.part(details, data)) return
    throw violation(`INVOCATION for request ${id}, which is not answered yet`)
  }
  if (state.late.has(id)) {
    if (!details.progress) state.late.delete(id)
    session.dropped.parts++
    return
  }
  const found = state.registrations.get(registration)
  if (!found) {
    if (details.progress) remember(state, id)
    answerError(session, id, new WampError(NO_SUCH_PROCEDURE, [`registration ${registration} is gone`]))
    return
  }
  const running = new Running(session, state, message, found)
  const invocation = new InvocationOf(running, found.uri, details, data)
  running.run(invocation, () => found.endpoint(invocation.args, invocation.kwargs, details, invocation))
}
