/** The embeddable router: its realms, its links and its options. */

import type { AuthMethod, ConnectionFacts } from '../auth/contract.ts'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { usage } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { DEFAULT_REALM, KILLED, LIMIT_EXCEEDED, SYSTEM_SHUTDOWN } from '../protocol/names.ts'
import {
  checkRules,
  DURATION,
  dictOf,
  FLAG,
  FUNCTION,
  LIMIT,
  type OptionRule,
  type OptionRules,
  STRING,
} from '../protocol/option-rules.ts'
import type { Dict } from '../protocol/options.ts'
import { plain } from '../protocol/plain.ts'
import { isUri } from '../protocol/uri.ts'
import { formatValue, isDict } from '../protocol/validate.ts'
import { AGENT } from '../protocol/version.ts'
import { DISCLOSURES, isOneOf, ROUTER_ROLES, type RouterRole } from '../protocol/words.ts'
import type { Serializer } from '../serializer/serializer.ts'
import { lenient, type Table } from '../session/handler-table.ts'
import type { Attachable, Connector, Hosting, Link, TransportInfo } from '../session/link.ts'
import { linked } from '../session/linked.ts'
import { LINGER } from '../session/session.ts'
import { ANONYMOUS, admission, type Gate } from './admit.ts'
import { LoginAttempts, type LoginLimits } from './attempts.ts'
import { CUSTOM_KEY, Forwarding, TRACE_KEYS } from './member/forwarding.ts'
import { HEAP_SHARE, Ledger } from './member/ledger.ts'
import { LIMITS, type RouterLimits } from './member/limits.ts'
import { type Host, Member, refusedJoin } from './member/member.ts'
import { isRateList, RATES_EXPECTED, type Rates, type RoleRate } from './member/rates.ts'
import { Traffic } from './member/traffic.ts'
import type { JoinedEvent, RouterObserver } from './observe/events.ts'
import { checkedObserver, Observation, Observers } from './observe/observers.ts'
import { openRealm } from './open-realm.ts'
import { checkHistory, type HistoryOptions } from './pubsub/history.ts'
import type { Realm } from './realm.ts'
import type { Authorize, Disclose, Disclosure, Policy, TrustLevel } from './rights/decide.ts'
import { isRoleList, type RoleRights, type RoleRules, rightsFrom } from './rights/rules.ts'
import { type CallQueueOptions, checkCallQueue } from './rpc/queue.ts'
import { type RouterStats, sumOf } from './stats.ts'

export type { RouterRole } from '../protocol/words.ts'

export interface RouterOptions {
  /** Default `['realm1']`; a session for any other realm is refused. */
  readonly realms?: readonly Uri[] | undefined
  /** Default both. */
  readonly roles?: readonly RouterRole[] | undefined
  /**
   * Requires URIs of `a-z`, `0-9` and `_`, request ids in sequence, and peers that keep to the features in their HELLO,
   * including libraries that are known not to. Default false.
   */
  readonly strict?: boolean | undefined
  /** The `agent` in WELCOME. Default `wampy-ts/` and the version. */
  readonly agent?: string | undefined
  /** The limits of one session and of a realm. */
  readonly limits?: Partial<RouterLimits> | undefined
  /**
   * The authentication methods of `wampy-ts/auth/router`, of all realms or by realm, in no particular order: the first
   * of the client's methods that the realm has and its connection can use. A realm without an entry accepts nobody.
   * Default: anonymous sessions.
   *
   * @example
   * auth: { realm1: [wampcraAuth(users), anonymousAuth({ role: 'guest' })] }
   */
  readonly auth?: readonly AuthMethod[] | Readonly<Record<Uri, readonly AuthMethod[]>> | undefined
  /** How failed logins are slowed down, by address and by authid; false: not at all. */
  readonly loginLimits?: LoginLimits | false | undefined
  /**
   * Decides what a session may do. It is called once for each call, registration, publication and subscription,
   * including those of the meta API, and for a testament when it is added. It returns true, false or
   * `{ allow, disclose, trustlevel }`, or a promise of one of these; meanwhile the session's later messages are held in
   * order, and other sessions are not delayed. False refuses with `wamp.error.not_authorized`. An authorizer that throws,
   * rejects, returns anything else or takes longer than `limits.decision` refuses with `wamp.error.authorization_failed`.
   * A client that the authorizer itself uses must connect to `router.trusted`, whose sessions need no decision.
   *
   * Instead of a function, a list of roles with rules in the vocabulary of Crossbar.io, or such a list for each realm: a
   * role that is not listed may do nothing. Default: everything is allowed that does not affect other sessions.
   *
   * @example
   * authorize: ({ session, action, uri }) => action === 'subscribe' || rights.get(session.authid).includes(uri)
   * @example
   * authorize: [{ name: 'user', permissions: [{ uri: 'com.example.', match: 'prefix', allow: { call: true } }] }]
   */
  readonly authorize?: Authorize | readonly RoleRules[] | Readonly<Record<Uri, readonly RoleRules[]>> | undefined
  /**
   * Lets every session end others, remove their subscriptions and registrations, and take registrations over. For tests
   * and for other suites. Default false: that needs a decision with `control`.
   */
  readonly controlOthers?: boolean | undefined
  /**
   * Discloses callers and publishers to callees and subscribers: if `disclose_me` asks for it (`asked`, the default),
   * `always`, or `never`, which refuses `disclose_me`. A function decides for each call and publication; if it throws,
   * nobody is disclosed. The answer of `authorize` takes precedence.
   *
   * @example
   * disclose: (action, uri) => (uri.startsWith('com.example.audit.') ? 'always' : 'asked')
   */
  readonly disclose?: Disclosure | Disclose | undefined
  /**
   * The trust level of a caller or publisher, sent to callees and subscribers as `trustlevel`. The answer of `authorize`
   * takes precedence. Default: none is sent.
   */
  readonly trustlevel?: TrustLevel | undefined
  /**
   * The topics, or patterns of topics, whose events each realm keeps for `wamp.subscription.get_events`. Each is listed
   * by the subscription meta API from the start, so that its id can be looked up before anybody subscribes.
   *
   * @example
   * history: [{ uri: 'com.example.news', limit: 100 }, { uri: 'com.example.log.', match: 'prefix', limit: 10_000 }]
   */
  readonly history?: readonly HistoryOptions[] | undefined
  /**
   * The procedures, or patterns of procedures, whose calls are queued when every callee has reached its `concurrency`,
   * instead of failing with `crossbar.error.max_concurrency_reached`. Each registration has a queue of its own; a call
   * that finds it full fails as it would without a queue.
   *
   * @example
   * callQueue: [{ uri: 'com.example.render', limit: 100 }, { uri: '', match: 'prefix', limit: 1000 }]
   */
  readonly callQueue?: readonly CallQueueOptions[] | undefined
  /**
   * How many messages and bytes each session of a role may send per second, in all realms or by realm. Beyond that its
   * connection is not read until the average is met again: its messages wait at its peer, none is dropped, and the posts of
   * a long poll are answered later. A role without a rate is not limited, unless `*` has one; nor are sessions of
   * `router.trusted` and links of custom adapters that cannot be paused. Counted in `stats().throttled`.
   *
   * @example
   * rates: [{ role: 'guest', messages: 100, bytes: 1_000_000 }, { role: '*', messages: 10_000, burst: 5 }]
   */
  readonly rates?: readonly RoleRate[] | Readonly<Record<Uri, readonly RoleRate[]>> | undefined
  /**
   * Custom keys of WAMP (`_` and at least three of `a-z`, `0-9`, `_`) that callees and subscribers receive: from the options
   * of a call in the details of its invocation, from those of a publication in the details of its events, also of
   * retained and stored ones. Values are texts of at most 512 characters; others are dropped and counted in
   * `stats().dropped.keys`. Default `['_traceparent', '_tracestate']`, the trace context of `wampy-ts/otel`; an empty list
   * forwards nothing.
   */
  readonly forward?: readonly string[] | undefined
}

/** How a router closes. */
export interface CloseOptions {
  /** The reason in GOODBYE. Default `wamp.close.system_shutdown`. */
  readonly reason?: Uri | undefined
  /** Milliseconds for the calls in progress. Default 0: they are not waited for. */
  readonly drain?: number | undefined
}

const CLOSE_RULES: OptionRules<CloseOptions> = {
  reason: ['a URI', (value) => typeof value === 'string' && isUri(value)],
  drain: DURATION,
}

/** The rules of the options; a strict router requires more of URIs. */
const rulesOf = (strict: boolean): OptionRules<RouterOptions> => ({
  realms: ['a list of URIs of realms', (realm) => typeof realm === 'string' && isUri(realm, strict), 'each'],
  roles: [`a list of ${ROUTER_ROLES.join(' and ')}, or one of them`, (role) => isOneOf(ROUTER_ROLES, role), 'each'],
  strict: FLAG,
  agent: STRING,
  limits: dictOf('limits', LIMIT_RULES),
  auth: AUTH_METHODS,
  loginLimits: ['false or limits such as { free: 5 }', (value) => value === false || LOGIN[1](value)],
  authorize: [
    'a function, or a list of roles with their rules',
    (value) =>
      typeof value === 'function' || isRoleList(value) || (isDict(value) && Object.values(value).every(isRoleList)),
  ],
  controlOthers: FLAG,
  disclose: [
    `${DISCLOSURES.join(', ')} or a function`,
    (value) => typeof value === 'function' || isOneOf(DISCLOSURES, value),
  ],
  trustlevel: FUNCTION,
  history: checkedBy((value) => checkHistory(value, strict)),
  rates: [RATES_EXPECTED, (value) => (isDict(value) ? Object.values(value).every(isRateList) : isRateList(value))],
  callQueue: checkedBy((value) => checkCallQueue(value, strict)),
  forward: [
    'a list of custom keys, such as ["_traceparent"]',
    (value) => Array.isArray(value) && value.every((key) => typeof key === 'string' && CUSTOM_KEY.test(key)),
  ],
})

const LOGIN = dictOf<LoginLimits>('loginLimits', {
  free: LIMIT,
  delay: DURATION,
  maxDelay: DURATION,
  maxLock: DURATION,
})

const isAuthMethod = (method: unknown): boolean => {
  const { name, authenticate } = Object(method) as Partial<AuthMethod>
  return typeof name === 'string' && typeof authenticate === 'function'
}
const isAuthList = (list: unknown): boolean => Array.isArray(list) && list.every(isAuthMethod)

const AUTH_METHODS: OptionRule = [
  'a list of methods of wampy-ts/auth/router, or a dictionary of such lists by realm',
  (value) => isAuthList(value) || (isDict(value) && Object.values(value).every(isAuthList)),
]

const LIMIT_RULES = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, LIMIT])) as OptionRules<RouterLimits>

/** A rule whose check throws a specific error. */
function checkedBy(check: (value: unknown) => void): OptionRule {
  return [
    '',
    (value) => {
      check(value)
      return true
    },
  ]
}

const REFUSED: Table<Member> = lenient()

/**
 * A WAMP router with a Broker and a Dealer, or one of them. It listens to nothing by itself: `serve` of
 * `wampy-ts/node` brings it connections, a client in the same process takes it as its `router`.
 *
 * @example
 * const router = new Router({ realms: ['realm1'] })
 * const client = new WampClient({ router })
 */
export class Router implements Attachable, Connector {
  /** Its name in the errors of a client in this process. */
  readonly name = 'the router in this process'
  /** True if a cookie authenticates sessions: servers then refuse pages of unlisted origins. */
  readonly usesCookies: boolean
  /** False without the option `auth`: servers then warn of listening beyond this machine. */
  readonly authenticates: boolean
  /** True once `close` has been called: no session joins any more. */
  closing = false
  readonly #realms = new Map<Uri, Realm>()
  readonly #members = new Set<Member>()
  /** Observers of events before a session is in a realm. */
  readonly #observers = new Observers()
  readonly #host: Host
  readonly #admission: Table<Member>
  /** The serializers of its links, and of those that its servers will attach. */
  readonly #serializers = new Set<Serializer>()
  readonly #methods: Methods
  /** True if the option `limits.memory` was given. */
  readonly #fixedMemory: boolean
  #closing: Promise<void> | undefined
  #emptied: (() => void) | undefined

  constructor(options: RouterOptions = {}) {
    const { realms, agent, ...of } = checkedOptions(options)
    const { strict, limits } = of
    const ledger = new Ledger(limits.memory)
    this.#fixedMemory = options.limits?.memory !== undefined
    const { auth, loginLimits = {} } = options
    const methods = methodsOf(auth, realms)
    this.#methods = methods
    this.authenticates = auth !== undefined
    this.usesCookies = [...methods.values()].flat().some((method) => method !== ANONYMOUS && method.usesCookies)
    for (const uri of realms) {
      const { authorize, guarded } = this.#rules(options.authorize, uri, realms)
      this.#realms.set(
        uri,
        openRealm(uri, {
          ...of,
          rates: ratesIn(options.rates, uri, realms),
          ledger,
          serializers: this.#serializers,
          policy: { ...of.policy, authorize, guarded },
        }),
      )
    }
    this.#admission = admission({
      agent,
      strict,
      limits,
      realms: this.#realms,
      methods: (realm) => methods.get(realm) ?? [],
      attempts: loginLimits === false ? undefined : new LoginAttempts(loginLimits),
      callerOf:
        (home) =>
        (signal) =>
        async (procedure, args, realm = home) => {
          const { calls } = this.#realms.get(realm) ?? {}
          if (!calls) throw usage(`the router has no realm ${formatValue(realm)} with a dealer`)
          return calls.call(procedure, args, limits.decision, signal)
        },
      promised: new Set(),
    })
    this.#host = {
      strict,
      limits,
      ledger,
      traffic: new Traffic(),
      refused: (member, end) => refusedJoin(this.#observers, member, end),
      gone: (member) => {
        this.#members.delete(member)
        if (this.#members.size === 0) this.#emptied?.()
      },
    }
  }

  /** The first realm, which a client in this process joins if it names none. */
  get realm(): Uri | undefined {
    return this.realms[0]
  }

  /** The URIs of its realms. */
  get realms(): Uri[] {
    return [...this.#realms.keys()]
  }

  /** Links that are attached and not yet closed, with or without a session. */
  get links(): number {
    return this.#members.size
  }

  /**
   * Accepts the other end of a link, on which a session may begin. The session meta API shows `info` as `transport`; to
   * show less, pass a server `{ attach: (link, { type }, facts) => router.attach(link, { type }, facts) }`. `facts` are for
   * the authentication methods and never shown.
   *
   * @throws WampError `wampy.error.usage` for an `info` without a type, `wamp.error.invalid_argument` for one that
   *   cannot travel
   */
  attach(link: Link, info?: TransportInfo, facts?: ConnectionFacts): void {
    this.#attach(link, info, false, facts)
  }

  /**
   * A server calls this before it attaches links: the router may then fill a quarter of the heap, unless the option
   * `limits.memory` says otherwise, and keeps only events that all of these serializers can carry.
   */
  hosted({ heap, serializers = [] }: Hosting): void {
    for (const serializer of serializers) this.#serializers.add(serializer)
    if (heap !== undefined && !this.#fixedMemory) this.#host.ledger.limit = Math.floor(heap * HEAP_SHARE)
  }

  /** A server reports a connection that it refused or closed before it became a link. It is observed as `refused`. */
  turnedAway(text: string): void {
    const none = { realm: undefined, session: undefined, uri: undefined, transport: undefined }
    this.#observers.refused?.({ ...none, action: 'join', error: LIMIT_EXCEEDED, text })
  }

  #attach(link: Link, info: TransportInfo | undefined, trusted: boolean, facts?: ConnectionFacts): void {
    if (link.serializer) this.#serializers.add(link.serializer)
    const member = new Member(link, this.#host, shown(info), trusted, facts)
    this.#members.add(member)
    member.start(this.closing ? REFUSED : this.#admission)
    if (this.closing) member.abort(SYSTEM_SHUTDOWN, 'this router is closed')
  }

  /** Opens a link for a client in this process, without a wire. */
  async connect(): Promise<Link> {
    const [ours, theirs] = linked()
    this.attach(ours, { type: 'linked' })
    return theirs
  }

  /**
   * Connects clients of the router's owner in this process. Their sessions need no decision, so that `authorize` can use
   * such a client.
   *
   * @example
   * const rights = new RpcClient({ router: router.trusted })
   */
  get trusted(): Connector {
    return {
      name: this.name,
      realm: this.realm,
      connect: async () => {
        const [ours, theirs] = linked()
        this.#attach(ours, { type: 'linked' }, true)
        return theirs
      },
    }
  }

  /** The statistics of one realm, or of all realms together. */
  stats(realm?: Uri): RouterStats {
    const shared = { bytes: this.#host.ledger.stats(), messages: this.#host.traffic.stats() }
    if (realm === undefined) {
      return { ...sumOf([this.#observers, ...this.#realms.values()].map((each) => each.stats())), ...shared }
    }
    const found = this.#realms.get(realm)
    if (!found) throw usage(`this router has no realm ${formatValue(realm)}, but ${this.realms.join(', ')}`)
    return { ...found.stats(), ...shared }
  }

  /**
   * Reports the events of all realms to an observer until the returned function is called. There may be any number of
   * observers.
   *
   * @example
   * const stop = router.observe({ refused: ({ action, error, text }) => console.warn(action, error, text) })
   * @throws WampError `wampy.error.usage` if the argument is not an observer
   */
  observe(observer: RouterObserver): () => void {
    const observation = new Observation(checkedObserver(observer))
    const all = [this.#observers, ...[...this.#realms.values()].map(({ observers }) => observers)]
    for (const observers of all) observers.add(observation)
    return () => {
      observation.active = false
      for (const observers of all) observers.delete(observation)
    }
  }

  /**
   * Follows other rules from now on, as the option `authorize` states them: for calls and publications that follow, new
   * subscriptions and registrations, and the events that a subscription by pattern receives.
   *
   * @throws WampError `wampy.error.usage` for rules that are not valid; those of before then stay
   */
  setAuthorize(authorize: RouterOptions['authorize']): void {
    checkRules('setAuthorize', { authorize }, { authorize: rulesOf(false).authorize })
    const all = [...this.#realms].map(([uri, realm]) => ({ realm, ...this.#rules(authorize, uri, this.realms) }))
    for (const { realm, authorize, guarded } of all) realm.rights.replace(authorize, guarded)
  }

  #rules(given: RouterOptions['authorize'], uri: Uri, realms: readonly Uri[]): Pick<Policy, 'authorize' | 'guarded'> {
    const authorize = authorizerOf(given, uri, realms)
    return { authorize, guarded: [...guardedIn(uri, this.#methods), ...authorizersOf(authorize)] }
  }

  /**
   * Ends the sessions for which the function returns true, by GOODBYE, and returns their number.
   *
   * @example
   * router.endSessions(({ authid }) => authid === 'joe')
   */
  endSessions(
    matches: (session: JoinedEvent) => boolean,
    { reason = KILLED, text = '' }: { readonly reason?: Uri | undefined; readonly text?: string | undefined } = {},
  ): number {
    const ended = [...this.#realms].flatMap(([realm, { members }]) =>
      [...members.values()].filter(({ principal, id: session, transport, sendable }) => {
        if (!principal || !sendable) return false
        const { authid, authrole, authmethod, authprovider } = principal
        return matches({ realm, session, authid, authrole, authmethod, authprovider, transport })
      }),
    )
    for (const member of ended) member.goodbye(reason, text)
    return ended.length
  }

  /** Forgets the remembered answers of authorizers, because the rights have changed. */
  forgetDecisions(): void {
    for (const { rights } of this.#realms.values()) rights.forget()
  }

  /**
   * Refuses new sessions and sends GOODBYE to every session. Resolves when all links have closed; a peer that does not
   * answer cannot delay this for long. With `drain`, calls in progress are finished first: for so many milliseconds, new
   * calls are refused with `wamp.error.unavailable`, and events are delivered as before.
   *
   * @throws WampError `wampy.error.usage` for options that are not valid
   */
  close(options: Uri | CloseOptions = {}): Promise<void> {
    const given = typeof options === 'string' ? { reason: options } : options
    checkRules('close', given, CLOSE_RULES)
    const { reason = SYSTEM_SHUTDOWN, drain = 0 } = given
    this.closing = true
    this.#closing ??= this.#close(reason, drain)
    return this.#closing
  }

  async #close(reason: Uri, drain: number): Promise<void> {
    // A session that has not joined is not served any more.
    for (const member of this.#members) if (!member.realm) member.abort(reason, 'the router is closing')
    if (drain > 0 && this.stats().calls > 0) await this.#drained(drain)
    await this.#left(reason)
  }

  /** Resolves when no call is unanswered, or after so many milliseconds. */
  #drained(most: number): Promise<void> {
    for (const realm of this.#realms.values()) realm.drain()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        stop()
        resolve()
      }
      const timer = setTimeout(done, Math.min(most, LONGEST_TIMER))
      // The answer has been sent, and its call not yet been forgotten.
      const stop = this.observe({
        answered: () => queueMicrotask(() => this.stats().calls === 0 && done()),
      })
    })
  }

  #left(reason: Uri): Promise<void> {
    return new Promise((resolve) => {
      // A deadline, for an adapter that never reports its end.
      const timer = setTimeout(resolve, 3 * LINGER)
      this.#emptied = () => {
        clearTimeout(timer)
        resolve()
      }
      for (const member of this.#members) {
        if (member.realm) member.goodbye(reason, 'the router is closing')
        else member.abort(reason, 'the router is closing')
      }
      if (this.#members.size === 0) this.#emptied()
    })
  }
}

type Methods = ReadonlyMap<Uri, Readonly<ReturnType<Gate['methods']>>>

/** The authentication methods of each realm. */
function methodsOf(auth: RouterOptions['auth'], realms: readonly Uri[]): Methods {
  const unknown = Array.isArray(auth) || !auth ? undefined : Object.keys(auth).find((realm) => !realms.includes(realm))
  if (unknown !== undefined) throw usage(`Router: auth names ${formatValue(unknown)}, which is not one of its realms`)
  return new Map(
    realms.map((realm) => {
      if (!auth) return [realm, [ANONYMOUS]]
      const methods = Array.isArray(auth) ? auth : (auth as Readonly<Record<Uri, readonly AuthMethod[]>>)[realm]
      const names = methods?.map(({ name }) => name) ?? []
      const twice = names.find((name, at) => names.indexOf(name) !== at)
      if (twice !== undefined)
        throw usage(`Router: auth has two methods ${formatValue(twice)} for ${formatValue(realm)}`)
      return [realm, methods ?? []]
    }),
  )
}

/** What decides in one realm. */
function authorizerOf(
  authorize: RouterOptions['authorize'],
  realm: Uri,
  realms: readonly Uri[],
): Authorize | RoleRights | undefined {
  if (authorize === undefined || typeof authorize === 'function') return authorize
  if (Array.isArray(authorize)) return rightsFrom(authorize)
  const table = authorize as Readonly<Record<Uri, readonly RoleRules[]>>
  const unknown = Object.keys(table).find((each) => !realms.includes(each))
  if (unknown !== undefined)
    throw usage(`Router: authorize names ${formatValue(unknown)}, which is not one of its realms`)
  return rightsFrom(table[realm] ?? [])
}

/** The rates by role in one realm. */
function ratesIn(rates: RouterOptions['rates'], realm: Uri, realms: readonly Uri[]): Rates | undefined {
  if (!rates) return undefined
  const byRealm = Array.isArray(rates) ? undefined : (rates as Readonly<Record<Uri, readonly RoleRate[]>>)
  const unknown = Object.keys(byRealm ?? {}).find((each) => !realms.includes(each))
  if (unknown !== undefined) throw usage(`Router: rates names ${formatValue(unknown)}, which is not one of its realms`)
  const list = (byRealm ? byRealm[realm] : (rates as readonly RoleRate[])) ?? []
  return list.length === 0 ? undefined : new Map(list.map((rate) => [rate.role, rate]))
}

/** The procedures that authorize, which not every session may register. */
function authorizersOf(authorize: Authorize | RoleRights | undefined): readonly Uri[] {
  if (!authorize || typeof authorize === 'function') return []
  return [...authorize.values()].filter((rights) => typeof rights === 'string')
}

/** The procedures of a realm that authenticate the sessions of any realm. */
function guardedIn(uri: Uri, methods: Methods): readonly Uri[] {
  return [...methods].flatMap(([realm, list]) =>
    list.flatMap((method) => {
      const authenticator = method === ANONYMOUS ? undefined : method.authenticator
      return authenticator && (authenticator.realm ?? realm) === uri ? [authenticator.procedure] : []
    }),
  )
}

/** A copy of the description of a connection. */
function shown(info: TransportInfo | undefined): Dict | undefined {
  if (info === undefined) return undefined
  if (isDict(info) && typeof info['type'] === 'string') return plain(info, 'info') as Dict
  throw usage(`info must be { type: 'websocket', ... }, got ${formatValue(info)}`)
}

interface Checked {
  readonly realms: readonly Uri[]
  readonly roles: readonly RouterRole[]
  readonly strict: boolean
  readonly agent: string
  readonly limits: RouterLimits
  readonly policy: Omit<Policy, 'authorize' | 'guarded' | 'ask' | 'isMember'>
  readonly history: readonly HistoryOptions[]
  readonly callQueue: readonly CallQueueOptions[]
  readonly forward: Forwarding
}

// Also needed with TypeScript: a typo in a spread object or a parsed configuration passes the compiler.
function checkedOptions(options: RouterOptions): Checked {
  checkRules('Router', options, rulesOf(isDict(options) && options['strict'] === true))
  const { realms = [DEFAULT_REALM], roles = ROUTER_ROLES, strict = false, agent = AGENT } = options
  const {
    controlOthers = false,
    disclose = 'asked',
    trustlevel,
    history = [],
    callQueue = [],
    forward = TRACE_KEYS,
  } = options
  const limits: Record<string, number> = { ...LIMITS }
  for (const [name, value] of Object.entries(options.limits ?? {})) if (value !== undefined) limits[name] = value
  const policy = { controlOthers, disclose, trustlevel }
  return {
    realms,
    roles,
    strict,
    agent,
    limits: limits as unknown as RouterLimits,
    policy,
    history,
    callQueue,
    forward: new Forwarding(forward),
  }
}
