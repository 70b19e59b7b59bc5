/** The durable client: it joins, comes back after a loss, and brings its subscriptions and registrations with it. */

import { EventEmitter } from 'eventemitter3'
import { unsent, usage } from '../protocol/error.ts'
import type { Id, ResultMessage, Uri } from '../protocol/messages.ts'
import { NOT_JOINED } from '../protocol/names.ts'
import type { Dict, List, MatchPolicy } from '../protocol/options.ts'
import { isPattern, isUri } from '../protocol/uri.ts'
import { canceled, deferred, limit, type Waiting, within } from './base/waiting.ts'
import { checkFunction, checkOptions, checkPassthru, checkPayload, checkUri } from './checks.ts'
import type { Passthru } from './codec/passthru-link.ts'
import { Run, stoppedBy } from './connection/reconnect.ts'
import { type ClientEvents, type ClientState, Core } from './core.ts'
import type { DurableHandles, Handle, HandleRecord } from './handles/durable-handles.ts'
import { type Events, type EventsOptions, events } from './handles/events.ts'
import { type ClientOptions, type RoleName, settle } from './options.ts'
import { type Endpoint, type RegisterOptions, type Registration, RegistrationRecord } from './roles/callee.ts'
import { type CallOptions, type CallResult, call, first, type Progress, progress, whole } from './roles/caller.ts'
import { type PublishOptions, publish } from './roles/publisher.ts'
import { type EventHandler, type SubscribeOptions, type Subscription, SubscriptionRecord } from './roles/subscriber.ts'
import { declarations } from './service/service.ts'
import type { ClientSession, Dropped, SessionInfo } from './session/client-session.ts'

export type { ClientEvents, ClientState } from './core.ts'

export interface StartOptions extends Waiting {}

/** Options of a subscription or registration as they go on the wire. */
type WireOptions = Dict & { readonly match?: MatchPolicy }

const NONE: CallOptions & PublishOptions = {}

// Node before 20.5 and some browsers lack the symbol; what lowers `await using` falls back to the same one.
const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose)

/**
 * A client of a WAMP router, in all four roles. A subclass with `@rpc` and `@subscribe` methods is a service:
 * `start()` joins the realm and registers them.
 *
 * @throws WampError `wampy.error.usage` for options that cannot work
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: it has the method, under a name that declarations cannot hold
export class WampClient extends EventEmitter<ClientEvents> {
  readonly name: string
  /** What came and found nobody: counted, since the start of this client. */
  readonly dropped: Dropped
  /** The option of that name. */
  readonly codecs: Passthru | undefined
  readonly #core: Core
  #stopped = false

  constructor(options: ClientOptions = {}) {
    super()
    this.#core = new Core(options, settle(options), (event, ...args) =>
      (this.emit as (event: string, ...args: unknown[]) => boolean).call(this, event, ...args),
    )
    this.dropped = this.#core.dropped
    this.codecs = options.codecs
    this.name = options.name ?? new.target.name
  }

  /** Vue must not wrap a client in a proxy, which would break its private fields. */
  get __v_skip(): true {
    return true
  }

  get state(): ClientState {
    return this.#core.state
  }

  /** @throws WampError `wampy.error.not_joined` while there is no session */
  get session(): SessionInfo {
    const { session } = this.#core
    if (!session) throw unsent(NOT_JOINED, `${this.name} has not joined a realm: await start() first`)
    return session.info
  }

  /** The handles that are not given up, those of a service's `@subscribe` methods among them. */
  get subscriptions(): Subscription[] {
    return [...this.#core.handles.all].filter((record) => record instanceof SubscriptionRecord).map(handleOf)
  }

  /** The handles that are not given up, those of a service's `@rpc` methods among them. */
  get registrations(): Registration[] {
    return [...this.#core.handles.all].filter((record) => record instanceof RegistrationRecord).map(handleOf)
  }

  /**
   * Joins the realm and registers what the class declares. Keeps trying until `timeout` (default 10 000 ms), then
   * rejects with the last cause and leaves nothing running. Resolves at once where it is ready; may follow `stop()`.
   *
   * @throws WampError the router's refusal (of the realm, of a registration), `wamp.error.timeout`,
   *   `wampy.error.connection_failed`, `wampy.error.stopped`, `wamp.error.canceled`, `wampy.error.usage`
   */
  start(options: StartOptions = {}): Promise<void> {
    return attempt(() => {
      checkOptions(options)
      if (options.signal?.aborted) throw canceled(options.signal, false)
      const { run } = this.#core
      if (!run || run.ending) return this.#begin(options).outcome
      const { outcome, ready } = run
      run.heard = true
      if (!ready && !options.signal && !options.timeout) return outcome
      // Coming back after a loss: waits as a first start does.
      const limited = ready
        ? this.#joined({ timeout: 10_000, ...options, waitForReady: true }).then(() => {})
        : within(outcome, options)
      limited.catch(() => {})
      return limited
    })
  }

  #begin(options: StartOptions, heard = true): Run {
    const core = this.#core
    const { procedures, topics } = declarations(this, core.options.prefix)
    this.#mayPlay('callee', procedures.length > 0)
    this.#mayPlay('subscriber', topics.length > 0)
    const before = core.run?.done
    const run = new Run(core, this.name, heard)
    core.run = run
    this.#stopped = false
    run.begin(
      before,
      [
        ...procedures.map((it) => new RegistrationRecord(core.handles, it.uri, it.endpoint, it.options, it.entrypoint)),
        ...topics.map((it) => new SubscriptionRecord(core.handles, it.uri, it.handler, it.options)),
      ],
      options,
    )
    return run
  }

  /**
   * Says GOODBYE, waits a bounded time for the router, and leaves no socket and no timer. What waits is rejected.
   * Resolves when all that is done; in any state, and any number of times. Handles stay, and `start()` brings them back.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    const { run, handles } = this.#core
    if (!run) return handles.stop(stoppedBy(this.name), true)
    run.end(undefined)
    await run.done
  }

  /**
   * Calls a procedure and resolves to its first positional result; undefined where it returned nothing.
   *
   * @throws WampError what the procedure threw or the router answered; `wampy.error.not_joined`,
   *   `wampy.error.connection_lost` (`sent` says whether it may have run), `wamp.error.canceled`, `wamp.error.timeout`,
   *   `wamp.error.invalid_argument` for what cannot travel, `wamp.error.invalid_uri`
   */
  call<T = unknown>(procedure: Uri, args?: List, kwargs?: Dict, options: CallOptions = NONE): Promise<T> {
    return this.#send('caller', call, procedure, args, kwargs, options, first as (result: ResultMessage) => T)
  }

  /** As `call`, but resolves to all that came: `{ args, kwargs, details }`. */
  callRaw(procedure: Uri, args?: List, kwargs?: Dict, options: CallOptions = NONE): Promise<CallResult> {
    return this.#send('caller', call, procedure, args, kwargs, options, whole)
  }

  /**
   * As `call`, for a procedure that says something before its result: an iteration over the first positional value of
   * each part. `result` is what the procedure returns in the end; who leaves the loop cancels the call.
   *
   * @example
   * const copying = client.progress<number>('com.example.copy', ['a', 'b'])
   * for await (const percent of copying) show(percent)
   * await copying.result
   * @throws WampError `wampy.error.usage` for an option of a wrong type; the loop and `result` throw what `call` would
   */
  progress<Part = unknown, Final = unknown>(
    procedure: Uri,
    args?: List,
    kwargs?: Dict,
    options: CallOptions = NONE,
  ): Progress<Part, Final> {
    checkOptions(options)
    return progress((all) => this.call<Final>(procedure, args, kwargs, all), procedure, options, this.dropped)
  }

  /**
   * Publishes an event. Resolves to undefined when it has been handed over, or with `acknowledge: true` to the
   * publication's id when the broker has taken it.
   *
   * @throws WampError as `call`; refusals by the router only with `acknowledge: true`
   */
  publish(topic: Uri, args?: List, kwargs?: Dict, options: PublishOptions = NONE): Promise<Id | undefined> {
    return this.#send('publisher', publish, topic, args, kwargs, options, undefined)
  }

  /**
   * Subscribes a handler to a topic, for as long as the handle is not given up: it comes back after a loss. Waits for
   * the next join where there is no session, `timeout` at most (default 30 000 ms); one that gave up is withdrawn.
   *
   * @throws WampError the router's refusal, `wamp.error.timeout`, `wamp.error.canceled`, `wampy.error.stopped`
   */
  subscribe(topic: Uri, handler: EventHandler, options: SubscribeOptions = NONE): Promise<Subscription> {
    return this.#handle('subscriber', SubscriptionRecord, topic, 'handler', handler, options)
  }

  /**
   * Subscribes to a topic, from now until its loop ends: `for await (const { args } of client.events('com.example.t'))`.
   * Comes back after a loss, as any subscription; `stop()` ends the loop. What a slow reader has no room for (`buffer`,
   * default 1000 events) is dropped by the policy `overflow`, and counted in `dropped.events`.
   *
   * @throws WampError `wampy.error.usage` for an option that cannot be; the loop throws what `subscribe` would
   */
  events(topic: Uri, options: EventsOptions = NONE): Events {
    return events(this, topic, options)
  }

  /** Registers a procedure, for as long as the handle is not given up; waits as `subscribe`. */
  register(procedure: Uri, endpoint: Endpoint, options: RegisterOptions = NONE): Promise<Registration> {
    return this.#handle('callee', RegistrationRecord, procedure, 'endpoint', endpoint, options)
  }

  // Its type is in the interface below, by the name that users know.
  async [asyncDispose as typeof Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Whether the first operation that needs a session starts it. */
  protected get startsItself(): boolean {
    return false
  }

  /** Not so once it has been ready, or `stop()` was called. */
  get #startable(): boolean {
    const { run } = this.#core
    return this.startsItself && !this.#stopped && !(run?.ready && !run.ending)
  }

  /** Sends a message on the session there is, or on the next one, if told to wait for that. */
  async #send<Options extends CallOptions, How, T>(
    role: RoleName,
    send: (
      session: ClientSession,
      uri: Uri,
      args: List | undefined,
      kwargs: Dict | undefined,
      options: Options,
      how: How,
    ) => Promise<T>,
    uri: Uri,
    args: List | undefined,
    kwargs: Dict | undefined,
    options: Options,
    how: How,
  ): Promise<T> {
    this.#mayPlay(role)
    checkUri(uri, isUri(uri))
    checkPayload(args, kwargs)
    checkPassthru(options, this.codecs)
    const { open } = this.#core
    if (open) return send(open, uri, args, kwargs, options, how)
    const began = Date.now()
    const session = await this.#joined(options)
    return send(session, uri, args, kwargs, restOf(options, began), how)
  }

  #handle<H extends Handle, Task>(
    role: RoleName,
    Kind: new (
      owner: DurableHandles,
      uri: Uri,
      task: Task,
      options: WireOptions,
    ) => HandleRecord & { readonly handle: H },
    uri: Uri,
    what: string,
    task: Task,
    options: WireOptions & Waiting,
  ): Promise<H> {
    return attempt(() => {
      this.#mayPlay(role)
      checkOptions(options)
      checkUri(uri, isPattern(uri, options.match))
      checkFunction(what, task)
      const core = this.#core
      const { signal, timeout, ...wire } = options
      const record = new Kind(core.handles, uri, task, wire)
      const granted = core.handles.add(record, { signal, timeout })
      if (core.run || !this.#startable) return granted
      // A `start()` in the same turn, which may have options, goes first.
      queueMicrotask(() => {
        if (core.run || !this.#startable || record.state === 'closed') return
        attempt(() => this.#begin({}, false).outcome).catch((error) => core.handles.stop(error, false))
      })
      return granted
    })
  }

  /** The session to send on, where there is none at the moment; waits for it only if told to. */
  async #joined(options: CallOptions): Promise<ClientSession> {
    const { waitForReady, signal, timeout } = options
    if (signal?.aborted) throw canceled(signal, false)
    // Each call waits as long as it likes; none of them ends the start for the others.
    if (this.#startable) await within(this.start(), options)
    const { open, run, waiting: all } = this.#core
    if (open) return open
    if (!waitForReady || !run || run.ending) {
      const text = run ? 'has no session at the moment' : 'has not joined a realm: await start() first'
      throw unsent(NOT_JOINED, `${this.name} ${text}`)
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

  #mayPlay(role: RoleName, asked = true): void {
    if (asked && !this.#core.settings.roles[role]) {
      throw usage(`${this.name} does not play the role ${role}: see its option "roles"`)
    }
  }
}

export interface WampClient {
  /** `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What users see of a record. */
function handleOf<H extends Handle>({ handle }: { readonly handle: H }): H {
  return handle
}

/** The same options with the time that is left of their timeout. */
function restOf<O extends Waiting>(options: O, began: number): O {
  const { timeout } = options
  return timeout ? { ...options, timeout: Math.max(1, timeout - (Date.now() - began)) } : options
}

/** Runs what may throw at once, so that it rejects instead; the promise is the very one that was returned. */
function attempt<T>(run: () => Promise<T>): Promise<T> {
  try {
    return run()
  } catch (error) {
    return Promise.reject(error)
  }
}
