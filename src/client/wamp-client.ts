/** The durable client: it joins, comes back after a loss, and brings its subscriptions and registrations with it. */

import { EventEmitter } from 'eventemitter3'
import { WampError } from '../protocol/error.ts'
import type { Id, Result as ResultMessage, Uri } from '../protocol/messages.ts'
import {
  CANCELED,
  CLOSE_REALM,
  CONNECTION_FAILED,
  INVALID_URI,
  NOT_JOINED,
  STOPPED,
  TIMEOUT,
  USAGE,
} from '../protocol/names.ts'
import type { Dict, List } from '../protocol/options.ts'
import { isPattern, isUri } from '../protocol/uri.ts'
import { isDict, told } from '../protocol/validate.ts'
import type { SessionEnd } from '../session/session.ts'
import { backoff } from './backoff.ts'
import { type Endpoint, type RegisterOptions, Registration } from './callee.ts'
import { type CallOptions, type CallResult, call, first, whole } from './caller.ts'
import { ClientSession, type Dropped, type SessionInfo } from './client-session.ts'
import { endOf, join } from './join.ts'
import { awake, watch } from './liveness.ts'
import { type ClientOptions, type RoleName, type Settings, settle } from './options.ts'
import { type PublishOptions, publish } from './publisher.ts'
import { declarations } from './service.ts'
import { type EventHandler, type SubscribeOptions, Subscription } from './subscriber.ts'
import { canceled, type Deferred, deferred, LONGEST, limit, type Waiting, within } from './waiting.ts'
import type { Wish } from './wish.ts'

export type ClientState = 'stopped' | 'connecting' | 'ready' | 'reconnecting'

export interface ClientEvents {
  /** Every change of `client.state`. */
  state: (state: ClientState) => void
  /** Joined, and every wish has been asked for again. */
  ready: (session: SessionInfo) => void
  /** The session ended, and nobody here had asked for it. */
  lost: (cause: WampError) => void
  /** Another attempt follows in `delay` milliseconds. */
  retry: (retry: { readonly attempt: number; readonly delay: number; readonly cause: WampError }) => void
  /** The end, by `stop()` or by a cause that another attempt cannot mend. */
  stopped: (cause?: WampError) => void
  /** The router refused on a rejoin what it had granted before. It is tried again. */
  failed: (handle: Subscription | Registration, error: WampError) => void
  /** What a handler or a procedure threw. Without a listener, what no caller is told goes to the console. */
  error: (error: unknown) => void
}

export interface StartOptions extends Waiting {}

/** Milliseconds after which a session counts as one that lasted. */
const STABLE = 5000

const NONE: CallOptions & PublishOptions = {}

// Another attempt would get the same answer.
const FATAL =
  /^wamp(\.error\.(no_such_(realm|role|principal)|not_authorized|authenti|authorization|no_matching_auth_method|invalid_uri)|y\.error\.usage$)/

// Node before 20.5 and some browsers lack the symbol; what lowers `await using` falls back to the same one.
const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose)

/** From one `start()` to its end. */
interface Run {
  readonly controller: AbortController
  readonly started: Deferred<void>
  /** What `start()` returns. */
  readonly outcome: Promise<void>
  done: Promise<void>
  /** Has been ready once. */
  ready: boolean
  /** Why it ended; none for `stop()`. */
  cause: WampError | undefined
  /** Why the last attempt failed. */
  last: WampError | undefined
  /** Ends the wait for the next attempt. */
  wake: () => void
}

/**
 * A client of a WAMP router, in all four roles. A subclass with `@rpc` and `@subscribe` methods is a service:
 * `start()` joins the realm and registers them.
 *
 * @throws WampError `wampy.error.usage` for options that cannot work
 */
export class WampClient extends EventEmitter<ClientEvents> {
  readonly name: string
  /** What came and found nobody: counted, since the start of this client. */
  readonly dropped: Dropped = { answers: 0, events: 0 }
  readonly #options: ClientOptions
  readonly #settings: Settings
  readonly #wishes = new Set<Subscription | Registration>()
  readonly #waiting = new Set<Deferred<ClientSession>>()
  /** One for each link that is not gone yet. */
  readonly #links = new Set<Promise<void>>()
  #state: ClientState = 'stopped'
  #session: ClientSession | undefined
  #run: Run | undefined
  #stopped = false

  constructor(options: ClientOptions = {}) {
    super()
    this.#options = options
    this.#settings = settle(options)
    this.name = options.name ?? new.target.name
  }

  /** Vue must not wrap a client in a proxy, which would break its private fields. */
  get __v_skip(): true {
    return true
  }

  get state(): ClientState {
    return this.#state
  }

  /** @throws WampError `wampy.error.not_joined` while there is no session */
  get session(): SessionInfo {
    if (!this.#session) throw new WampError(NOT_JOINED, [`${this.name} has not joined a realm: await start() first`])
    return this.#session.info
  }

  /** The handles that are not given up, those of a service's `@subscribe` methods among them. */
  get subscriptions(): Subscription[] {
    return [...this.#wishes].filter((wish) => wish instanceof Subscription)
  }

  /** The handles that are not given up, those of a service's `@rpc` methods among them. */
  get registrations(): Registration[] {
    return [...this.#wishes].filter((wish) => wish instanceof Registration)
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
      if (options.signal?.aborted) throw canceled(options.signal, false)
      if (!this.#run || this.#run.controller.signal.aborted) return this.#begin(options)
      const { outcome, ready } = this.#run
      if (!ready && !options.signal && !options.timeout) return outcome
      // Coming back after a loss: waits as a first start does.
      const limited = ready
        ? this.joined({ timeout: 10_000, ...options, waitForReady: true }).then(() => {})
        : within(outcome, options)
      limited.catch(() => {})
      return limited
    })
  }

  #begin({ signal, timeout = 10_000 }: StartOptions): Promise<void> {
    const { procedures, topics } = declarations(this, this.#options.prefix)
    this.#mayPlay('callee', procedures.length > 0)
    this.#mayPlay('subscriber', topics.length > 0)
    const before = this.#run?.done
    const started = deferred<void>()
    const run: Run = {
      controller: new AbortController(),
      started,
      outcome: started.promise.then(() => {}),
      done: Promise.resolve(),
      ready: false,
      cause: undefined,
      last: undefined,
      wake: () => {},
    }
    this.#run = run
    this.#stopped = false
    const release = limit({ signal, timeout }, false, (error) => {
      this.#end(run, (error.uri === TIMEOUT && run.last) || error)
    })
    started.promise.then(release, release)
    run.done = (async () => {
      await before
      const own = [
        ...procedures.map((it) => new Registration(this.#owner, it.uri, it.endpoint, it.options, it.entrypoint)),
        ...topics.map((it) => new Subscription(this.#owner, it.uri, it.handler, it.options)),
      ]
      for (const wish of own) {
        wish.first = deferred()
        // `start()` tells of a refusal.
        wish.first.promise.catch(() => {})
        this.#wishes.add(wish)
      }
      await this.#live(run, own)
      for (const wish of own) void this.#giveUp(wish, NONE)
    })()
    return run.outcome
  }

  /**
   * Says GOODBYE, waits a bounded time for the router, and leaves no socket and no timer. What waits is rejected.
   * Resolves when all that is done; in any state, and any number of times. Handles stay, and `start()` brings them back.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    const run = this.#run
    if (!run) return
    this.#end(run, undefined)
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
    return this.#call(first as (result: ResultMessage) => T, procedure, args, kwargs, options)
  }

  /** As `call`, but resolves to all that came: `{ args, kwargs, details }`. */
  callRaw(procedure: Uri, args?: List, kwargs?: Dict, options: CallOptions = NONE): Promise<CallResult> {
    return this.#call(whole, procedure, args, kwargs, options)
  }

  async #call<T>(
    settle: (result: ResultMessage) => T,
    procedure: Uri,
    args: List | undefined,
    kwargs: Dict | undefined,
    options: CallOptions,
  ): Promise<T> {
    this.#mayPlay('caller')
    checkUri(procedure, isUri(procedure))
    checkPayload(args, kwargs)
    const now = this.#open
    if (now) return call(now, settle, procedure, args, kwargs, options)
    const began = Date.now()
    const session = await this.joined(options)
    return call(session, settle, procedure, args, kwargs, restOf(options, began))
  }

  /**
   * Publishes an event. Resolves to undefined when it has been handed over, or with `acknowledge: true` to the
   * publication's id when the broker has taken it.
   *
   * @throws WampError as `call`; refusals by the router only with `acknowledge: true`
   */
  async publish(topic: Uri, args?: List, kwargs?: Dict, options: PublishOptions = NONE): Promise<Id | undefined> {
    this.#mayPlay('publisher')
    checkUri(topic, isUri(topic))
    checkPayload(args, kwargs)
    const now = this.#open
    if (now) return publish(now, topic, args, kwargs, options)
    const began = Date.now()
    const session = await this.joined(options)
    return publish(session, topic, args, kwargs, restOf(options, began))
  }

  /**
   * Subscribes a handler to a topic, for as long as the handle is not given up: it comes back after a loss. Waits for
   * the next join where there is no session, `timeout` at most (default 30 000 ms); one that gave up is withdrawn.
   *
   * @throws WampError the router's refusal, `wamp.error.timeout`, `wamp.error.canceled`, `wampy.error.stopped`
   */
  subscribe(topic: Uri, handler: EventHandler, options: SubscribeOptions = NONE): Promise<Subscription> {
    return attempt(() => {
      this.#mayPlay('subscriber')
      checkUri(topic, isPattern(topic, options.match))
      checkFunction('handler', handler)
      const { signal, timeout, ...wire } = options
      return this.#wish(new Subscription(this.#owner, topic, handler, wire), { signal, timeout })
    })
  }

  /** Registers a procedure, for as long as the handle is not given up; waits as `subscribe`. */
  register(procedure: Uri, endpoint: Endpoint, options: RegisterOptions = NONE): Promise<Registration> {
    return attempt(() => {
      this.#mayPlay('callee')
      checkUri(procedure, isPattern(procedure, options.match))
      checkFunction('endpoint', endpoint)
      const { signal, timeout, ...wire } = options
      return this.#wish(new Registration(this.#owner, procedure, endpoint, wire), { signal, timeout })
    })
  }

  /** `stop()`, for `await using`. */
  async [asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Whether it has not been ready since it was started, if it was, and `stop()` was not called since. */
  protected get startable(): boolean {
    const run = this.#run
    return !this.#stopped && !(run?.ready && !run.controller.signal.aborted)
  }

  /** The session to send on, where there is none at the moment; waits for it only if told to. */
  protected async joined({ waitForReady, signal, timeout }: CallOptions): Promise<ClientSession> {
    if (this.#open) return this.#open
    if (!waitForReady || !this.#run || this.#run.controller.signal.aborted) {
      const text = this.#run ? 'has no session at the moment' : 'has not joined a realm: await start() first'
      throw new WampError(NOT_JOINED, [`${this.name} ${text}`], {}, { sent: false })
    }
    if (signal?.aborted) throw canceled(signal, false)
    const waiting = deferred<ClientSession>()
    this.#waiting.add(waiting)
    const release = limit({ signal, timeout }, false, waiting.reject)
    try {
      return await waiting.promise
    } finally {
      release()
      this.#waiting.delete(waiting)
    }
  }

  /** The session, if it can be sent on. */
  get #open(): ClientSession | undefined {
    return this.#session?.sendable ? this.#session : undefined
  }

  #mayPlay(role: RoleName, asked = true): void {
    if (asked && !this.#settings.roles[role]) {
      throw new WampError(USAGE, [`${this.name} does not play the role ${role}: see its option "roles"`])
    }
  }

  // ---- one run: attempts, sessions, and the time between them

  async #live(run: Run, own: readonly Wish[]): Promise<void> {
    const { signal } = run.controller
    let retries = 0
    while (!signal.aborted) {
      this.#become(run.ready ? 'reconnecting' : 'connecting')
      let joined = Number.POSITIVE_INFINITY
      try {
        const session = await this.#join(run)
        await this.#replay(session, run, own)
        joined = Date.now()
        run.last = await this.#serve(session, run)
      } catch (error) {
        run.last = WampError.is(error) ? error : new WampError(CONNECTION_FAILED, [String(error)], {}, { cause: error })
      }
      if (signal.aborted) break
      // A session that ended as soon as it began is no reason to begin anew with short delays.
      retries = Date.now() - joined > STABLE ? 1 : retries + 1
      const delay = this.#delay(retries, run.last)
      if (delay === false) this.#end(run, run.last)
      else await this.#pause(run, { attempt: retries, delay, cause: run.last })
    }
    this.#session?.goodbye(CLOSE_REALM)
    await Promise.all(this.#links)
    this.#session = undefined
    if (this.#run === run) this.#run = undefined
    this.#become('stopped')
    this.#tell('stopped', run.cause)
  }

  #end(run: Run, cause: WampError | undefined): void {
    if (run.controller.signal.aborted) return
    run.cause = cause
    run.controller.abort()
    run.wake()
    const stopped = cause ?? new WampError(STOPPED, [`${this.name} was stopped`], {}, { sent: false })
    // Who stops on purpose need not be told that what it stopped did not finish.
    if (!cause) run.outcome.catch(() => {})
    run.started.reject(stopped)
    for (const wish of this.#wishes) {
      if (wish.first) this.#withdraw(wish, stopped, true)
    }
    for (const waiting of this.#waiting) waiting.reject(stopped)
    this.#session?.requests.fail(new WampError(stopped.uri, stopped.args, {}, { sent: true, cause }))
    this.#session?.goodbye(CLOSE_REALM)
  }

  /** Connects and joins within the time of one attempt, or rejects with nothing left open. */
  async #join(run: Run): Promise<ClientSession> {
    const { connector, serializers } = this.#settings
    const attempt = new AbortController()
    const release = limit(
      { signal: run.controller.signal, timeout: this.#options.connectTimeout ?? 10_000 },
      false,
      (error) => attempt.abort(error),
    )
    try {
      // A dial that does not listen to its signal is not waited for.
      const dialed = connector.connect(serializers, attempt.signal)
      const link = await within(dialed, attempt, (late) => late.terminate())
      const session = new ClientSession(link, this.#owner)
      const gone = session.gone.promise.then(() => void this.#links.delete(gone))
      this.#links.add(gone)
      try {
        await join(session, this.#settings, attempt.signal)
      } catch (error) {
        await session.gone.promise
        throw error
      }
      this.#session = session
      if (run.controller.signal.aborted) session.goodbye(CLOSE_REALM)
      return session
    } catch (error) {
      throw attempt.signal.reason ?? error
    } finally {
      release()
    }
  }

  /** Asks for every wish; on the first join a refusal of what the class declares is the end. */
  async #replay(session: ClientSession, run: Run, own: readonly Wish[]): Promise<void> {
    const release = limit({ timeout: this.#options.connectTimeout ?? 10_000 }, true, () =>
      session.drop('the router did not answer what was asked on joining'),
    )
    const answers = await Promise.all(
      [...this.#wishes].map(async (wish) => ({ wish, refusal: await this.#ask(wish, session) })),
    )
    release()
    if (session.over) throw endOf(await session.finished.promise)
    const refused = run.ready ? undefined : answers.find(({ wish, refusal }) => refusal && own.includes(wish))
    if (refused) this.#end(run, refused.refusal)
  }

  /** Ready, until the session is over; resolves to why. */
  async #serve(session: ClientSession, run: Run): Promise<WampError> {
    if (!run.controller.signal.aborted) {
      run.ready = true
      const release = watch(session, this.#options.liveness ?? {})
      session.finished.promise.then(release)
      this.#become('ready')
      for (const waiting of this.#waiting) waiting.resolve(session)
      run.started.resolve()
      this.#tell('ready', session.info)
    }
    return endOf(await session.finished.promise)
  }

  #delay(attempt: number, cause: WampError): number | false {
    const { reconnect = true } = this.#options
    if (typeof reconnect === 'function') {
      try {
        const delay = reconnect(attempt, cause)
        if (delay === false || delay >= 0) return delay
        throw new WampError(USAGE, [`reconnect must return milliseconds or false, got ${told(delay)}`])
      } catch (error) {
        this.#raised(error, false)
        return false
      }
    }
    if (reconnect === false || FATAL.test(cause.uri)) return false
    return backoff(attempt, reconnect === true ? {} : reconnect)
  }

  async #pause(run: Run, retry: { attempt: number; delay: number; cause: WampError }): Promise<void> {
    this.#become(run.ready ? 'reconnecting' : 'connecting')
    this.#tell('retry', retry)
    if (run.controller.signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => run.wake(), Math.min(retry.delay, LONGEST))
      // A page that comes back to the network or to the foreground does not wait.
      const release = awake(() => run.wake())
      run.wake = () => {
        clearTimeout(timer)
        release()
        resolve()
      }
    })
  }

  // ---- wishes

  readonly #owner = {
    dropped: this.dropped,
    giveUp: (wish: Wish, waiting: Waiting) => this.#giveUp(wish as Subscription | Registration, waiting),
    raised: (error: unknown, answered: boolean) => this.#raised(error, answered),
    ended: (session: ClientSession, end: SessionEnd) => this.#lost(session, end),
  }

  #wish<W extends Subscription | Registration>(wish: W, { signal, timeout = 30_000 }: Waiting): Promise<W> {
    if (signal?.aborted) throw canceled(signal, false)
    const waiting = deferred<void>()
    wish.first = waiting
    this.#wishes.add(wish)
    const release = limit({ signal, timeout }, false, (error) => this.#withdraw(wish, error))
    if (this.#open) void this.#ask(wish, this.#open)
    waiting.promise.then(release, release)
    const granted = waiting.promise.then(() => wish)
    wish.outcome = granted
    return granted
  }

  /** Asks the router for a wish; resolves to the refusal, or to undefined where it was granted or the session is over. */
  #ask(wish: Subscription | Registration, session: ClientSession): Promise<WampError | undefined> {
    clearTimeout(wish.retry)
    // Before the user hears of the answer, and may give the wish up.
    const answered = () => {
      if (wish.asking === asking) wish.asking = undefined
    }
    const asking = wish.ask(session).then(
      async () => {
        answered()
        if (wish.state === 'closed') {
          await wish.leave(session, NONE).catch(() => {})
          return undefined
        }
        wish.state = 'active'
        wish.error = undefined
        wish.refusals = 0
        wish.first?.resolve()
        wish.first = undefined
        return undefined
      },
      (error: WampError) => {
        answered()
        if (!session.sendable || wish.state === 'closed') return undefined
        if (wish.first) this.#withdraw(wish, error)
        else this.#refused(wish, session, error)
        return error
      },
    )
    wish.asking = asking
    return asking
  }

  /** The router took back what it had granted: the handle says so, and it is asked for again. */
  #refused(wish: Subscription | Registration, session: ClientSession, error: WampError): void {
    const told = wish.state === 'failed'
    wish.state = 'failed'
    wish.error = error
    wish.retry = setTimeout(() => void this.#ask(wish, session), backoff(++wish.refusals, { initial: 1000 }))
    if (!told) this.#tell('failed', wish, error)
  }

  #withdraw(wish: Subscription | Registration, error: WampError, quietly = false): void {
    const { first: waiting } = wish
    wish.first = undefined
    // Who stops on purpose need not be told that what it stopped did not finish.
    if (quietly) wish.outcome?.catch(() => {})
    void this.#giveUp(wish, NONE).catch(() => {})
    waiting?.reject(error)
  }

  async #giveUp(wish: Subscription | Registration, waiting: Waiting): Promise<void> {
    if (wish.state === 'closed') return
    // Nothing was done: the handle stays as it is.
    if (waiting.signal?.aborted) throw canceled(waiting.signal, false)
    wish.state = 'closed'
    this.#wishes.delete(wish)
    clearTimeout(wish.retry)
    wish.first?.reject(new WampError(CANCELED, [`${wish.uri} was given up`], {}, { sent: false }))
    wish.first = undefined
    const session = this.#session
    if (wish.asking) await within(wish.asking, waiting)
    else if (session?.sendable) {
      try {
        await wish.leave(session, waiting)
      } catch (error) {
        // Gone with its session, or unknown to the router: either way it is not held any more.
        if (!session.over && !/^wamp\.error\.no_such_/.test((error as WampError).uri)) throw error
      }
    }
  }

  // ---- what sessions and handlers tell

  #lost(session: ClientSession, end: SessionEnd): void {
    if (this.#session !== session) return
    const run = this.#run
    for (const wish of this.#wishes) {
      clearTimeout(wish.retry)
      wish.id = undefined
      wish.state = 'pending'
    }
    if (!run || run.controller.signal.aborted) return
    this.#session = undefined
    if (!run.ready) return
    this.#become('reconnecting')
    this.#tell('lost', endOf(end))
  }

  #become(state: ClientState): void {
    if (this.#state === state) return
    this.#state = state
    this.#tell('state', state)
  }

  #tell(event: keyof ClientEvents, ...args: unknown[]): void {
    try {
      ;(this.emit as (event: string, ...args: unknown[]) => boolean).call(this, event, ...args)
    } catch (error) {
      this.#raised(error, false)
    }
  }

  #raised(error: unknown, answered: boolean): void {
    let heard = answered
    try {
      heard = this.emit('error', error) || answered
    } catch (thrown) {
      console.error(thrown)
    }
    if (!heard) console.error(error)
  }
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

function checkUri(uri: unknown, legal: boolean): void {
  if (typeof uri === 'string' && legal) return
  const text = `${told(uri)} is no URI: expected components without white space or "#", joined by dots`
  throw new WampError(INVALID_URI, [text], {}, { sent: false })
}

function checkPayload(args: unknown, kwargs: unknown): void {
  if (args !== undefined && !Array.isArray(args)) {
    throw new WampError(USAGE, [`args must be a list, such as [1, 2], got ${told(args)}`], {}, { sent: false })
  }
  if (kwargs !== undefined && !isDict(kwargs)) {
    throw new WampError(
      USAGE,
      [`kwargs must be a dictionary, such as { unit: 'cm' }, got ${told(kwargs)}`],
      {},
      { sent: false },
    )
  }
}

function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw new WampError(USAGE, [`the ${what} must be a function, got ${told(value)}`])
}
