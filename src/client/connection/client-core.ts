/** The private machinery of a client: its state, its session, its run, and the operations on them. */

import type { ClientAuth } from '../../auth/contract.ts'
import { thrown, unsent, usage, WampError } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { CANCELED, NOT_JOINED, STOPPED, TIMEOUT } from '../../protocol/names.ts'
import type { Roles } from '../../protocol/options.ts'
import type { ClientRole } from '../../protocol/words.ts'
import type { Serializer } from '../../serializer/serializer.ts'
import type { Table } from '../../session/handler-table.ts'
import type { Connector } from '../../session/link.ts'
import type { SessionEnd } from '../../session/session.ts'
import type { Backoff } from '../base/backoff.ts'
import { Load, type LoadLimits } from '../base/load.ts'
import { canceled, type Deferred, deferred, limit, type Waiting } from '../base/waiting.ts'
import { watched } from '../base/watched-promise.ts'
import type { Passthru } from '../codec/passthru-link.ts'
import { DurableHandles, type Handle, type HandleRecord, type HandlesHost } from '../handles/durable-handles.ts'
import type { Gap } from '../handles/handle.ts'
import type { Interceptor } from '../roles/interceptor.ts'
import type { OnError } from '../roles/invocation.ts'
import type { Role, RoleHost } from '../roles/role.ts'
import type { ClientSession, ClientSessionOwner, Dropped, SessionInfo } from '../session/client-session.ts'
import { ownError } from '../session/requests.ts'
import { endOf } from './join.ts'
import type { Liveness } from './liveness.ts'
import { type Retry, Run, stoppedBy } from './reconnect.ts'

export type ClientState = 'stopped' | 'connecting' | 'ready' | 'reconnecting'

export interface ClientEvents {
  /** Every change of `client.state`. */
  state: (state: ClientState) => void
  /** The client has joined, and every handle has been requested again. */
  ready: (session: SessionInfo) => void
  /** The session ended unexpectedly. */
  lost: (cause: WampError) => void
  /** Another attempt follows in `delay` milliseconds. */
  retry: (retry: { readonly attempt: number; readonly delay: number; readonly cause: WampError }) => void
  /** The client has stopped: by `stop()`, or for a cause that another attempt cannot cure. */
  stopped: (cause?: WampError) => void
  /** A handle was refused on a rejoin, and is requested again; or the router revoked it, and it is closed. */
  failed: (handle: Handle, error: WampError) => void
  /**
   * The error of a handler, or of a procedure with its URI. A WampError that a procedure throws is an answer and not
   * reported, unless its `sent` is false: this library threw it for what the procedure could not send, such as a wrong
   * option. Without a listener, the error is printed by `console.error`, unless `onError` has seen it.
   */
  error: (error: unknown, procedure?: Uri) => void
  /** An operation was carried out, but not as its options say. Without a listener, `console.warn` prints the first of a session. */
  warning: (warning: WampError) => void
  /** A subscription is active again after a loss, and what was published meanwhile has not arrived. */
  gap: (handle: Handle, gap: Gap) => void
}

/** The options of a client, checked and complete. */
export interface Settings {
  readonly connector: Connector
  readonly realm: Uri
  readonly agent: string
  readonly roles: readonly Role[]
  /** The same roles as HELLO announces them. */
  readonly announced: Roles
  readonly established: Table<ClientSession>
  readonly serializers: readonly Serializer[] | undefined
  readonly codecs: Passthru | undefined
  readonly reconnect: boolean | Backoff | Retry
  readonly liveness: false | Liveness
  readonly connectTimeout: number
  readonly limits: LoadLimits | undefined
  readonly auth: readonly ClientAuth[]
  readonly onError: OnError | undefined
  /** Undefined if there are none. */
  readonly interceptors: readonly Interceptor[] | undefined
  /** True if the first operation that needs a session starts the client. */
  readonly startsItself: boolean
}

/** The part of the public client that this machinery needs. */
export interface CoreHost {
  readonly name: string
  emit(event: string, ...args: unknown[]): boolean
  /** Makes the handles that the client's class declares. */
  declared(core: ClientCore): readonly HandleRecord[]
}

/** The options of an operation that waits for a session. */
export interface WaitingForSession extends Waiting {
  readonly waitForReady?: boolean | undefined
}

export class ClientCore implements ClientSessionOwner, HandlesHost, RoleHost {
  readonly settings: Settings
  readonly dropped: Dropped = { answers: 0, events: 0, invalidEvents: 0, parts: 0 }
  readonly load: Load
  readonly handles = new DurableHandles(this)
  /** Operations that wait for a session. */
  readonly waiting = new Set<Deferred<ClientSession>>()
  /** A promise for each link that has not closed yet. */
  readonly links = new Set<Promise<void>>()
  /** The authentication methods of the next attempt. */
  auth: readonly ClientAuth[]
  state: ClientState = 'stopped'
  session: ClientSession | undefined
  run: Run | undefined
  readonly #host: CoreHost
  readonly #reportedErrors = new WeakSet<object>()
  /** The last session with a warning on the console: one is enough where every publication has the same. */
  #warnedIn: ClientSession | undefined

  constructor(settings: Settings, host: CoreHost) {
    this.settings = settings
    this.load = new Load(settings.limits)
    this.auth = settings.auth
    this.#host = host
  }

  /** The session, if messages can be sent. */
  get open(): ClientSession | undefined {
    return this.session?.sendable ? this.session : undefined
  }

  /** `check` throws for invalid options. */
  start({ signal, timeout = 10_000 }: Waiting, check: () => void): Promise<void> {
    let run: Run | undefined
    const started = async () => {
      check()
      if (signal?.aborted) throw canceled(signal, false)
      const begins = !this.#running
      run = this.#running ?? this.#begin()
      if (run.ready && this.open) return
      await this.#waitForSession({ signal, timeout }, (error) => this.#notStarted(error, begins))
    }
    return this.#reported(started(), () => !run || run.ending)
  }

  /** The run, unless it is ending. */
  get #running(): Run | undefined {
    return this.run?.ending ? undefined : this.run
  }

  #begin(): Run {
    const own = this.#host.declared(this)
    const before = this.run
    const run = new Run(this, this.#host.name)
    this.run = run
    run.begin(before, own)
    return run
  }

  /** The wait of a `start()` has ended. The run that it began ends too, if its signal aborted or only one attempt is made. */
  #notStarted(error: WampError, begins: boolean): WampError {
    const run = this.#running
    if (!run) return error
    const timedOut = error.uri === TIMEOUT
    // If it was ready before, the last cause is that of the loss.
    const cause = (timedOut && !run.ready && run.last) || error
    if (timedOut && this.settings.reconnect) {
      const text = `${cause.message}; ${this.#host.name} keeps trying until stop()`
      return new WampError(cause.uri, [text], {}, { sent: false, cause })
    }
    if (timedOut || begins) run.end(cause)
    return cause
  }

  async stop(): Promise<void> {
    const { run, handles } = this
    if (!run) {
      handles.stop(stoppedBy(this.#host.name))
      return
    }
    // Also one that another `stop()` lets finish its work.
    for (let each: Run | undefined = run; each; each = each.before) each.end()
    await run.done
  }

  /** Adds the record of a new handle, which `make` returns; resolves to the handle when the router has granted it. */
  add<H extends Handle>(make: () => HandleRecord & { readonly handle: H }, waiting: Waiting): Promise<H> {
    let record: HandleRecord | undefined
    const added = async () => {
      const made = make()
      record = made
      const granted = this.handles.add(made, waiting)
      if (this.settings.startsItself && !this.#running) this.#begin()
      return granted
    }
    return this.#reported(added(), () => !record || record.state === 'closed')
  }

  /** Sends on the next session, for an operation that finds none. The error of a call names its procedure. */
  later<T>(send: (session: ClientSession) => Promise<T>, options: WaitingForSession, procedure?: Uri): Promise<T> {
    return this.quietly(this.#next(options, procedure).then(send))
  }

  /** The same outcome. An unhandled rejection is left to the platform, unless `stop()` was the cause. */
  quietly<T>(promise: Promise<T>): Promise<T> {
    return watched(promise, (error, handled) => {
      this.#reportedErrors.add(Object(error))
      if (!handled && !isDeliberate(error)) void Promise.reject(error)
    })
  }

  async #next(
    { waitForReady, signal, timeout }: WaitingForSession,
    procedure: Uri | undefined,
  ): Promise<ClientSession> {
    try {
      if (signal?.aborted) throw canceled(signal, false)
      if (this.settings.startsItself) {
        const run = this.#running ?? this.#begin()
        if (!run.ready) {
          // Waits like a `start()`, unless it has a limit of its own; its end affects no other operation.
          const ended = (error: WampError) => (timeout === undefined ? this.#notStarted(error, false) : error)
          return await this.#waitForSession({ signal, timeout: timeout ?? 10_000 }, ended)
        }
      }
      if (this.open) return this.open
      if (!waitForReady || !this.#running) throw this.notJoined(this.run ? 'has no session at the moment' : undefined)
      return await this.#waitForSession({ signal, timeout })
    } catch (error) {
      this.#reportedErrors.add(Object(error))
      throw await ownError(error, procedure)
    }
  }

  async #waitForSession(waiting: Waiting, failed = (error: WampError) => error): Promise<ClientSession> {
    const session = deferred<ClientSession>()
    this.waiting.add(session)
    const release = limit(waiting, false, (error) => session.reject(failed(error)))
    try {
      return await session.promise
    } finally {
      release()
      this.waiting.delete(session)
    }
  }

  /** A promise that nobody is forced to handle: an unhandled final failure is reported once. */
  #reported<T>(promise: Promise<T>, isFinal: () => boolean): Promise<T> {
    return watched(promise, (error, handled) => {
      if (handled) this.#reportedErrors.add(Object(error))
      else if (isFinal() && !isDeliberate(error)) this.report(error)
    })
  }

  /** Reports an error by the event `error`, or else on the console, unless it was reported elsewhere. */
  report(error: unknown): void {
    if (this.#reportedErrors.has(Object(error))) return
    this.#reportedErrors.add(Object(error))
    this.raised(error)
  }

  notJoined(text = 'has not joined a realm: await start() first'): WampError {
    return unsent(NOT_JOINED, `${this.#host.name} ${text}`)
  }

  /** @throws WampError `wampy.error.usage` for a role that the client does not play */
  mayPlay(role: ClientRole): void {
    if (!this.settings.announced[role]) {
      throw usage(`${this.#host.name} does not play the role ${role}: see its option "roles"`)
    }
  }

  become(state: ClientState): void {
    if (this.state === state) return
    this.state = state
    this.tell('state', state)
  }

  /** Emits an event; true if it has listeners. */
  tell(event: keyof ClientEvents, ...args: unknown[]): boolean {
    try {
      return this.#host.emit(event, ...args)
    } catch (error) {
      this.raised(error)
      return true
    }
  }

  raised(error: unknown, procedure?: Uri): void {
    // `onError` has seen the error of a procedure.
    let heard = procedure !== undefined && this.settings.onError !== undefined
    try {
      heard = this.#host.emit('error', error, ...(procedure === undefined ? [] : [procedure])) || heard
    } catch (broken) {
      printError(broken)
    }
    if (!heard) printError(error, procedure)
  }

  warned(warning: WampError): void {
    if (this.tell('warning', warning) || this.#warnedIn === this.session) return
    this.#warnedIn = this.session
    console.warn(warning.message)
  }

  joined(session: ClientSession): void {
    for (const role of this.settings.roles) session.states.set(role, role.open?.(this))
  }

  ended(session: ClientSession, end: SessionEnd): void {
    for (const role of this.settings.roles)
      if (session.states.has(role)) role.ended?.(session.states.get(role), end.text)
    if (this.session !== session) return
    const { run } = this
    this.handles.lost()
    if (!run || run.ending) return
    this.session = undefined
    if (!run.ready) return
    this.become('reconnecting')
    this.tell('lost', endOf(end))
  }
}

/** Prints a thrown value, which may be impossible to print. */
function printError(error: unknown, procedure?: Uri): void {
  // The name is quoted, and no format: behind a pattern its caller has chosen it.
  const heading = procedure === undefined ? [] : ['%s failed:', JSON.stringify(procedure)]
  try {
    console.error(...heading, error)
  } catch {
    console.error(...heading, thrown(error).message)
  }
}

/** True for the error of an operation that the user stopped or canceled. */
function isDeliberate(error: unknown): boolean {
  return WampError.is(error) && (error.uri === STOPPED || error.uri === CANCELED)
}
