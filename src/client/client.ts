/** The base of all clients: it joins, reconnects with its handles, calls, publishes and subscribes. */

import { EventEmitter } from 'eventemitter3'
import type { ClientAuth } from '../auth/contract.ts'
import type { Id, ResultMessage, Uri } from '../protocol/messages.ts'
import { LOGOUT } from '../protocol/names.ts'
import type { Dict, List } from '../protocol/options.ts'
import { isPattern, isUri } from '../protocol/uri.ts'
import type { ClientRole } from '../protocol/words.ts'
import type { Waiting } from './base/waiting.ts'
import { checkFunction, checkOptions, checkPassthru, checkPayload, checkUri } from './checks.ts'
import type { Passthru } from './codec/passthru-link.ts'
import { ClientCore, type ClientEvents, type ClientState } from './connection/client-core.ts'
import { type Events, type EventsOptions, events } from './functions/events.ts'
import { type ClientOptions, checkAuth, kindOf, settle } from './options.ts'
import { type CallOptions, type CallResult, call, first, type Progress, progress, whole } from './roles/caller.ts'
import { type EitherRequest, type Interceptor, resultOf, through } from './roles/interceptor.ts'
import { type PublishOptions, publish } from './roles/publisher.ts'
import { type EventHandler, type SubscribeOptions, type Subscription, SubscriptionRecord } from './roles/subscriber.ts'
import type { EventArgs, EventKwargs, PublicationOf, Topic, TopicPattern, TopicToken } from './service/topic.ts'
import { type ServiceView, type ServiceViews, viewOf } from './service/view.ts'
import type { ClientSession, Dropped, SessionInfo } from './session/client-session.ts'

export interface StartOptions extends Waiting {}

/** Sends a CALL or a PUBLISH; `how` reads the RESULT. */
type Send<Options, How, T> = (
  session: ClientSession,
  uri: Uri,
  args: List | undefined,
  kwargs: Dict | undefined,
  options: Options,
  how: How,
) => Promise<T>

const NONE: CallOptions & PublishOptions = {}

// Node before 20.5 and some browsers lack the symbol; compilers of `await using` fall back to the same one.
const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose)

/** The cores of clients, for code outside this class. */
const cores = /* @__PURE__ */ new WeakMap<Client, ClientCore>()

/** The private machinery of a client. */
export function coreOf(client: Client): ClientCore {
  return cores.get(client) as ClientCore
}

/**
 * What every client has: `WampClient`, with all four roles and service declarations, and `RpcClient`, which calls,
 * publishes and subscribes. Functions over a client accept it.
 *
 * @throws WampError `wampy.error.usage` for options that cannot work
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: it has the method, under a name that declarations cannot hold
export abstract class Client extends EventEmitter<ClientEvents> {
  readonly name: string
  /** Counters of dropped messages since this client was created. */
  readonly dropped: Dropped
  /** The option of that name. */
  readonly codecs: Passthru | undefined
  readonly #core: ClientCore
  readonly #views: ServiceViews = new WeakMap()

  protected constructor(options: ClientOptions) {
    super()
    const kind = kindOf(options)
    this.name = options.name ?? new.target.name
    this.#core = new ClientCore(settle(options, kind, this.name), {
      name: this.name,
      emit: (event, ...args) =>
        (this.emit as (event: string, ...args: unknown[]) => boolean).call(this, event, ...args),
      declared: (core) => kind.declared(this, core, options),
    })
    cores.set(this, this.#core)
    this.dropped = this.#core.dropped
    this.codecs = options.codecs
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
    if (!session) throw this.#core.notJoined()
    return session.info
  }

  /**
   * The authentication methods of the next attempt to join, by default those of the option. Assigning others changes the
   * credentials: the present session keeps its own until it ends.
   *
   * @example
   * client.auth = [ticket(name, password)]
   * await client.start()
   * @throws WampError `wampy.error.usage` for anything but a list of methods of `wampy-ts/auth`
   */
  get auth(): readonly ClientAuth[] {
    return this.#core.auth
  }

  set auth(methods: readonly ClientAuth[]) {
    checkAuth(methods)
    this.#core.auth = methods
  }

  /** The handles that are not closed, including those of a service's `@subscribe` methods. */
  get subscriptions(): Subscription[] {
    return this.#core.handles.of(SubscriptionRecord)
  }

  /**
   * Joins the realm and registers what the class declares. Waits for that until `timeout` (default 10 000 ms, 0 for ever),
   * then rejects with the last cause; the client keeps trying until `stop()`, unless its option `reconnect` is false. A
   * `signal` that aborts before ends the attempts, too. Resolves at once where it is ready; may follow `stop()`. Nobody is
   * forced to handle the promise: a final failure is then reported by the event `error`, or else on the console.
   *
   * @throws WampError the router's refusal (of the realm, of a registration), `wamp.error.timeout`,
   *   `wampy.error.connection_failed`, `wampy.error.stopped`, `wamp.error.canceled`, `wampy.error.usage`
   */
  start(options: StartOptions = {}): Promise<void> {
    return this.#core.start(options, () => checkOptions(options))
  }

  /**
   * Sends GOODBYE, waits for the router within a limit, and releases every socket and timer. Pending operations reject.
   * May be called in any state, any number of times. Handles stay, and `start()` restores them.
   */
  async stop(): Promise<void> {
    await this.#core.stop()
  }

  /**
   * Forgets the credentials and stops, as `stop()`; a router that remembers the login by a cookie forgets it too. To log in
   * again, assign `auth` and `start()`.
   */
  async logout(): Promise<void> {
    this.#core.auth = []
    this.#core.session?.goodbye(LOGOUT)
    await this.stop()
  }

  /**
   * Calls a procedure and resolves to its first positional result: null if it returned nothing, undefined if its result has
   * no positional values.
   *
   * @throws WampError what the procedure threw or the router answered; `wampy.error.not_joined`,
   *   `wampy.error.connection_lost` (`sent` says whether it may have run), `wamp.error.canceled`, `wamp.error.timeout`,
   *   `wamp.error.invalid_argument` for what cannot travel, `wamp.error.invalid_uri`
   */
  call<T = unknown>(procedure: Uri, args?: List, kwargs?: Dict, options: CallOptions = NONE): Promise<T> {
    return this.#send('caller', call, procedure, args, kwargs, options, first as (result: ResultMessage) => T)
  }

  /** As `call`, but resolves to the whole result: `{ args, kwargs, details }`. */
  callRaw(procedure: Uri, args?: List, kwargs?: Dict, options: CallOptions = NONE): Promise<CallResult> {
    return this.#send('caller', call, procedure, args, kwargs, options, whole)
  }

  /**
   * As `call`, for a procedure with progressive results: iterates over the first positional value of each. `result`
   * resolves to the final result. Leaving the loop cancels the call.
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
    return progress((all) => this.call<Final>(procedure, args, kwargs, all), procedure, options, this.#core)
  }

  /**
   * Publishes an event. Resolves to undefined when it has been sent, or with `acknowledge: true` to the publication id
   * when the broker has accepted it.
   *
   * @throws WampError as `call`; refusals by the router only with `acknowledge: true`
   */
  publish<Of extends Uri | Topic>(topic: Of, ...payload: PublicationOf<Of, PublishOptions>): Promise<Id | undefined>
  // biome-ignore lint/suspicious/noExplicitAny: the compiler compares no other type with that of the overload
  publish(topic: any, args?: any, kwargs?: any, options: any = NONE): Promise<Id | undefined> {
    const token: TopicToken | undefined = topic
    return token?.publish
      ? token.publish(this, args, kwargs, options)
      : this.#send('publisher', publish, topic, args, kwargs, options, undefined)
  }

  /**
   * Subscribes a handler to a topic, for as long as the handle is not closed: it comes back after a loss, and is made
   * whenever the router appears. `timeout` (default 30 000 ms) ends only the wait for the first grant: then the error is a
   * `HandleTimeout`, with the handle. `signal` ends the subscription at any time, also when it was granted. Nobody is
   * forced to handle the promise, as with `start()`.
   *
   * @throws WampError the router's refusal, `wamp.error.timeout`, `wamp.error.canceled`, `wampy.error.stopped`
   */
  subscribe<Of extends Uri | TopicPattern>(
    topic: Of,
    handler: EventHandler<EventArgs<Of>, EventKwargs<Of>>,
    options?: SubscribeOptions,
  ): Promise<Subscription>
  subscribe(topic: Uri | TopicPattern, handler: EventHandler, options: SubscribeOptions = NONE): Promise<Subscription> {
    const token = topic as TopicToken | undefined
    if (token?.subscribe) return token.subscribe(this, handler, options)
    return this.#core.add(() => {
      this.#core.mayPlay('subscriber')
      checkOptions(options)
      checkUri(topic, isPattern(topic as Uri, options.match))
      checkFunction('handler', handler)
      const { signal: _, timeout: __, ...wire } = options
      return new SubscriptionRecord(this.#core.handles, topic as Uri, handler, wire)
    }, options)
  }

  /**
   * Subscribes to a topic, from now until its loop ends: `for await (const { args } of client.events('com.example.t'))`.
   * The subscription returns after a loss, as any other; `stop()` ends the loop. Events beyond `buffer` (default 1000) of a
   * slow reader are dropped by the policy `overflow` and counted in `dropped.events`.
   *
   * @throws WampError `wampy.error.usage` for an option that cannot be; the loop throws what `subscribe` would
   */
  events<Of extends Uri | TopicPattern>(
    topic: Of,
    options: EventsOptions = NONE,
  ): Events<EventArgs<Of>, EventKwargs<Of>> {
    return events(this, topic, options, this.#core.load) as Events<EventArgs<Of>, EventKwargs<Of>>
  }

  /**
   * A service over this client's session, typed by its class: `client.service(Shop).rpc.price('tea')`. Its URIs are those
   * that the class declares, below its prefix or that of the options. The same arguments return the same object.
   *
   * @throws WampError `wampy.error.usage` for anything but a class
   */
  service<Service>(
    // biome-ignore lint/suspicious/noExplicitAny: a class may be constructed from anything
    service: abstract new (...args: any[]) => Service,
    options?: { readonly prefix?: string | undefined },
  ): ServiceView<Service>
  /**
   * A service known by its type and prefix: `client.service<Shop>('com.example.shop')`. A URI is the prefix and the method's
   * name, or the name alone without a prefix; a type import suffices, and keeps the service's code out of a page.
   *
   * @throws WampError `wampy.error.usage` for anything but a string
   */
  service<Service = unknown>(prefix?: string): ServiceView<Service>
  service(service: unknown, options?: { readonly prefix?: string | undefined }): ServiceView<unknown> {
    return viewOf(this, this.#views, service, options?.prefix)
  }

  // Its type is in the interface below, under its public name.
  async [asyncDispose as typeof Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /**
   * Sends a message on the current session, or on the next one if the options wait for that; first through the
   * interceptors, if there are any. Without them it returns the very promise of the request, so that `stop()` can end it
   * quietly.
   */
  #send<Options extends CallOptions, How extends ((result: ResultMessage) => T) | undefined, T>(
    role: ClientRole,
    send: Send<Options, How, T>,
    uri: Uri,
    args: List | undefined,
    kwargs: Dict | undefined,
    options: Options,
    how: How,
    interceptors: readonly Interceptor[] | undefined | false = this.#core.settings.interceptors,
  ): Promise<T> {
    if (interceptors) {
      const [kind, name] = how ? (['call', 'procedure'] as const) : (['publish', 'topic'] as const)
      const request = { [name]: uri, args: args ?? [], kwargs: kwargs ?? {}, options } as unknown as EitherRequest
      const last = ({ [name]: to, args, kwargs = {}, options = NONE }: EitherRequest) => {
        const named = Object.keys(kwargs).length ? kwargs : undefined
        return this.#send(
          role,
          send as never,
          to,
          args.length ? args : undefined,
          named,
          options as Options,
          how && whole,
          false,
        )
      }
      const outcome = through(interceptors, kind, request, last)
      return this.#core.quietly(outcome.then((value) => (how ? how(resultOf(value)) : value)) as Promise<T>)
    }
    try {
      this.#core.mayPlay(role)
      checkUri(uri, isUri(uri))
      checkPayload(args, kwargs)
      checkPassthru(options, this.codecs)
      const { open } = this.#core
      if (open) return send(open, uri, args, kwargs, options, how)
    } catch (error) {
      return Promise.reject(error)
    }
    const began = performance.now()
    return this.#core.later(
      (session) => send(session, uri, args, kwargs, restOf(options, began), how),
      options,
      role === 'caller' ? uri : undefined,
    )
  }
}

export interface Client {
  /** `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The same options, with the rest of their timeout. */
function restOf<O extends Waiting>(options: O, began: number): O {
  const { timeout } = options
  return timeout ? { ...options, timeout: Math.max(1, timeout - (performance.now() - began)) } : options
}
