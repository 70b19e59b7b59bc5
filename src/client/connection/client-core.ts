/** What a client is behind its public face: its state, its session and run, and what it does with them. */

import { unsent, usage, type WampError } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { NOT_JOINED } from '../../protocol/names.ts'
import type { Roles } from '../../protocol/options.ts'
import type { ClientRole } from '../../protocol/words.ts'
import type { Serializer } from '../../serializer/serializer.ts'
import type { Connector } from '../../session/link.ts'
import type { SessionEnd } from '../../session/session.ts'
import type { Table } from '../../session/table.ts'
import type { Backoff } from '../base/backoff.ts'
import { canceled, type Deferred, deferred, limit, type Waiting, within } from '../base/waiting.ts'
import type { Passthru } from '../codec/passthru-link.ts'
import { DurableHandles, type Handle, type HandleRecord, type HandlesHost } from '../handles/durable-handles.ts'
import type { OnError } from '../roles/invocation.ts'
import type { Role, RoleHost } from '../roles/role.ts'
import type { ClientSession, ClientSessionOwner, Dropped, SessionInfo } from '../session/client-session.ts'
import { endOf } from './join.ts'
import type { Liveness } from './liveness.ts'
import { type Retry, Run, stoppedBy } from './reconnect.ts'

export type ClientState = 'stopped' | 'connecting' | 'ready' | 'reconnecting'

export interface ClientEvents {
  /** Every change of `client.state`. */
  state: (state: ClientState) => void
  /** Joined, and every handle has been asked for again. */
  ready: (session: SessionInfo) => void
  /** The session ended, and nobody here had asked for it. */
  lost: (cause: WampError) => void
  /** Another attempt follows in `delay` milliseconds. */
  retry: (retry: { readonly attempt: number; readonly delay: number; readonly cause: WampError }) => void
  /** The end, by `stop()` or by a cause that another attempt cannot mend. */
  stopped: (cause?: WampError) => void
  /** The router refused on a rejoin what it had granted before, and is asked again; or revoked it: the handle is closed. */
  failed: (handle: Handle, error: WampError) => void
  /** What a handler or a procedure threw. Without a listener, what no caller is told goes to the console. */
  error: (error: unknown) => void
}

/** The options of a client, checked and complete. */
export interface Settings {
  readonly connector: Connector
  readonly realm: Uri
  readonly agent: string
  readonly roles: readonly Role[]
  /** Those roles as HELLO announces them. */
  readonly announced: Roles
  readonly established: Table<ClientSession>
  readonly serializers: readonly Serializer[] | undefined
  readonly codecs: Passthru | undefined
  readonly reconnect: boolean | Backoff | Retry
  readonly liveness: false | Liveness
  readonly connectTimeout: number
  readonly onError: OnError | undefined
  /** Whether the first operation that needs a session starts the client. */
  readonly startsItself: boolean
}

/** What the machine needs of the client before it. */
export interface CoreHost {
  readonly name: string
  emit(event: string, ...args: unknown[]): boolean
  /** Makes the handles that the client's class declares. */
  declared(core: ClientCore): readonly HandleRecord[]
}

/** How an operation waits for a session. */
export interface WaitingForSession extends Waiting {
  readonly waitForReady?: boolean | undefined
}

export class ClientCore implements ClientSessionOwner, HandlesHost, RoleHost {
  readonly settings: Settings
  readonly dropped: Dropped = { answers: 0, events: 0, parts: 0 }
  readonly handles = new DurableHandles(this)
  /** Operations that wait for a session to send on. */
  readonly waiting = new Set<Deferred<ClientSession>>()
  /** One for each link that is not closed yet. */
  readonly links = new Set<Promise<void>>()
  state: ClientState = 'stopped'
  session: ClientSession | undefined
  run: Run | undefined
  readonly #host: CoreHost
  #stopped = false

  constructor(settings: Settings, host: CoreHost) {
    this.settings = settings
    this.#host = host
  }

  get onError(): OnError | undefined {
    return this.settings.onError
  }

  /** The session, if it can be sent on. */
  get open(): ClientSession | undefined {
    return this.session?.sendable ? this.session : undefined
  }

  start(options: Waiting): Promise<void> {
    return attempt(() => {
      if (options.signal?.aborted) throw canceled(options.signal, false)
      const { run } = this
      if (!run || run.ending) return this.#begin(options).outcome
      const { outcome, ready } = run
      run.heard = true
      if (!ready && !options.signal && !options.timeout) return outcome
      // Coming back after a loss: waits as a first start does.
      const limited = ready
        ? this.next({ timeout: 10_000, ...options, waitForReady: true }).then(() => {})
        : within(outcome, options)
      limited.catch(() => {})
      return limited
    })
  }

  #begin(options: Waiting, heard = true): Run {
    const own = this.#host.declared(this)
    const before = this.run?.done
    const run = new Run(this, this.#host.name, heard)
    this.run = run
    this.#stopped = false
    run.begin(before, own, options)
    return run
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const { run, handles } = this
    if (!run) return handles.stop(stoppedBy(this.#host.name), true)
    run.end(undefined)
    await run.done
  }

  /** Not so once it has been ready, or was stopped. */
  get #startable(): boolean {
    const { run } = this
    return this.settings.startsItself && !this.#stopped && !(run?.ready && !run.ending)
  }

  /** Takes in the record of a new handle; resolves to the handle when the router has granted it. */
  add<H extends Handle>(record: HandleRecord & { readonly handle: H }, waiting: Waiting): Promise<H> {
    const granted = this.handles.add(record, waiting)
    if (this.run || !this.#startable) return granted
    // A `start()` in the same turn, which may have options, goes first.
    queueMicrotask(() => {
      if (this.run || !this.#startable || record.state === 'closed') return
      attempt(() => this.#begin({}, false).outcome).catch((error) => this.handles.stop(error, false))
    })
    return granted
  }

  /** The session to send on, where there is none at the moment; waits for it only if told to. */
  async next(options: WaitingForSession): Promise<ClientSession> {
    const { waitForReady, signal, timeout } = options
    if (signal?.aborted) throw canceled(signal, false)
    // Each call waits as long as it likes; none of them ends the start for the others.
    if (this.#startable) await within(this.start({}), options)
    const { open, run, waiting: all } = this
    if (open) return open
    if (!waitForReady || !run || run.ending) {
      throw this.notJoined(run ? 'has no session at the moment' : undefined)
    }
    const waiting = deferred<ClientSession>()
    all.add(waiting)
    const release = limit({ signal, timeout }, false, waiting.reject)
    try {
      return await waiting.promise
    } finally {
      release()
      all.delete(waiting)
    }
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

  tell(event: keyof ClientEvents, ...args: unknown[]): void {
    try {
      this.#host.emit(event, ...args)
    } catch (error) {
      this.raised(error, false)
    }
  }

  raised(error: unknown, answered: boolean): void {
    let heard = answered
    try {
      heard = this.#host.emit('error', error) || answered
    } catch (thrown) {
      console.error(thrown)
    }
    if (!heard) console.error(error)
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

/** Runs what may throw at once, so that it rejects instead; the promise is the very one that was returned. */
export function attempt<T>(run: () => Promise<T>): Promise<T> {
  try {
    return run()
  } catch (error) {
    return Promise.reject(error)
  }
}
