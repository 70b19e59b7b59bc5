/** The callee: registrations, and the invocations of their procedures. */

import { INTERRUPT, INVOCATION, REGISTER, REGISTERED, UNREGISTER, UNREGISTERED } from '../../protocol/codes.ts'
import { violation, WampError } from '../../protocol/error.ts'
import type { Id, InvocationMessage, RegisteredMessage, UnregisteredMessage, Uri } from '../../protocol/messages.ts'
import { NO_SUCH_PROCEDURE, PROCEDURE_ALREADY_EXISTS, UNAVAILABLE } from '../../protocol/names.ts'
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
import { type InvocationRequest, through } from './interceptor.ts'
import { answerError, type Invocation, InvocationOf, type Invocations, Running, remember } from './invocation.ts'
import { type Role, type RoleHost, stateOf } from './role.ts'

export { Invocation } from './invocation.ts'
export { Result } from './result.ts'

/** The options of a registration: those of this library, and any key of REGISTER.Options in WAMP's spelling. */
export interface RegisterOptions extends Waiting, WireOptions {
  /**
   * The number of parts of a call that may wait for a slow reader of `input`. Default 65 536. One more part fails the call
   * with `wampy.error.limit_exceeded`: its input throws, and its signal aborts.
   */
  readonly buffer?: number | undefined
}

/**
 * A procedure. Its return value, or that of its promise, is the result: one positional result, or a `Result` for more.
 * The yielded values of an async generator are progressive results, and its return value is the result. An error reaches
 * the caller: a WampError unchanged, anything else as `wamp.error.runtime_error` with its message.
 */
export type Endpoint = (args: List, kwargs: Dict, details: InvocationDetails, invocation: Invocation) => unknown

/** A registered procedure: durable until `unregister()`. Read-only. */
export interface Registration extends DurableHandle<WireOptions> {
  /** Ends the registration; further calls do nothing. Resolves when the router has confirmed, or at once without a session. */
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
  /** The number of parts of a call that may wait to be read. */
  readonly buffer: number
  /** The class and method of a declared registration. */
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
    // It is for the next session.
    if (stateOf(session, callee).draining) throw await session.finished.promise
    const shared = await session.requests.ask<boolean, RegisteredMessage>({
      code: REGISTER,
      message: (id) => [REGISTER, id, this.options, this.uri],
      // Done inside the reply: an INVOCATION may follow in the same read.
      settle: ([, , id]) => {
        const { registrations } = stateOf(session, callee)
        if (registrations.has(id)) return true
        registrations.set(id, this)
        this.id = id
        enter(id, this.entrypoint)
        return false
      },
    })
    // A session has one place in a shared registration: two procedures could not be distinguished.
    if (shared) {
      throw new WampError(PROCEDURE_ALREADY_EXISTS, [`this client has registered ${this.uri} already`])
    }
  }

  async leave(session: ClientSession, waiting: Waiting): Promise<void> {
    const { id } = this
    if (id === undefined) return
    this.id = undefined
    // It answers until the router has confirmed: earlier calls are still served.
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

/** The callee's state of a session. */
interface CalleeState extends Invocations {
  readonly handles: DurableHandles
  readonly interceptors: RoleHost['settings']['interceptors']
  readonly registrations: Map<Id, RegistrationRecord>
  /** True if new invocations are refused. */
  draining: boolean
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
    // The INTERRUPT may have crossed the answer.
    [INTERRUPT]: ([, id, options], session) => stateOf(session, callee).running.get(id)?.interrupt(options),
  },
  open: ({ handles, settings: { onError, interceptors } }: RoleHost) => ({
    handles,
    onError,
    interceptors,
    registrations: new Map(),
    running: new Map(),
    draining: false,
    late: new Set(),
  }),
  ended({ registrations, running }, text) {
    for (const invocation of running.values()) invocation.lost(text)
    for (const [id, { entrypoint }] of registrations) leave(id, entrypoint)
  },
}

/**
 * Refuses new invocations for the rest of a session and unregisters; the handles stay for the next one. Returns the
 * invocations in progress; undefined if the client is not a callee.
 */
export function retire(session: ClientSession): Invocations['running'] | undefined {
  if (!session.states.has(callee)) return undefined
  const state = stateOf(session, callee)
  state.draining = true
  for (const record of state.handles.all) if (record instanceof RegistrationRecord) void pause(record, session)
  return state.running
}

async function pause(record: RegistrationRecord, session: ClientSession): Promise<void> {
  await record.asking
  // The connection may be lost first.
  await record.leave(session, {}).catch(() => {})
  if (record.state !== 'closed') record.become('pending')
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
  if (!found || state.draining) {
    if (details.progress) remember(state, id)
    // The dealer offers what is unavailable here to another callee.
    const error = state.draining
      ? new WampError(UNAVAILABLE, ['the callee is about to leave'])
      : new WampError(NO_SUCH_PROCEDURE, [`registration ${registration} is gone`])
    answerError(session, id, error)
    return
  }
  const running = new Running(session, state, message, found)
  const invocation = new InvocationOf(running, found.uri, details, data)
  const { interceptors } = state
  running.run(invocation, () => {
    if (!interceptors) return found.endpoint(invocation.args, invocation.kwargs, details, invocation)
    const { procedure, args, kwargs } = invocation
    const request: InvocationRequest = { procedure, args, kwargs, details, invocation, registration: found.handle }
    return through(interceptors, 'invocation', request, (given) => {
      const seen =
        given === request ? invocation : new InvocationOf(running, found.uri, given.details ?? details, given)
      return found.endpoint(seen.args, seen.kwargs, seen.details, seen)
    })
  })
}
