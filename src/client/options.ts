/** The options of clients, checked once. */

import type { ClientAuth } from '../auth/contract.ts'
import { unsent, usage } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { DEFAULT_REALM, DEFAULT_URL, INVALID_URI } from '../protocol/names.ts'
import {
  checkRules,
  DURATION,
  dictOf,
  FLAG,
  FUNCTION,
  isText,
  LIMIT,
  type OptionRule,
  type OptionRules,
  SERIALIZERS,
  STRING,
} from '../protocol/option-rules.ts'
import { isUri } from '../protocol/uri.ts'
import { isDict } from '../protocol/validate.ts'
import { AGENT } from '../protocol/version.ts'
import { CLIENT_ROLES, type ClientRole, isOneOf } from '../protocol/words.ts'
import type { Serializer } from '../serializer/serializer.ts'
import { table } from '../session/handler-table.ts'
import type { Connector } from '../session/link.ts'
import { leaving } from '../session/session.ts'
import type { Backoff } from './base/backoff.ts'
import type { LoadLimits } from './base/load.ts'
import type { Passthru } from './codec/passthru-link.ts'
import type { ClientCore, Settings } from './connection/client-core.ts'
import type { Liveness } from './connection/liveness.ts'
import type { Retry } from './connection/reconnect.ts'
import type { HandleRecord } from './handles/durable-handles.ts'
import { caller } from './roles/caller.ts'
import type { Interceptor } from './roles/interceptor.ts'
import type { OnError } from './roles/invocation.ts'
import type { Role } from './roles/role.ts'
import type { ClientSession } from './session/client-session.ts'
import { refusals } from './session/requests.ts'
import { WampRouter } from './wamp-router.ts'

/** The name of a role of a client. */
export type RoleName = ClientRole

export interface ClientOptions {
  /** The name of this client in HELLO and in errors. Default: the name of its class. */
  readonly name?: string
  /** A WampRouter, its URL, or a Router in this process. Default: `ws://localhost:8080/ws`. */
  readonly router?: Connector | string
  /** Default: the realm of the router, otherwise `realm1`. */
  readonly realm?: Uri
  /** The roles to play: a list, or a dictionary as in HELLO, of which only the keys matter. Default: all roles of the class. */
  readonly roles?: readonly RoleName[] | Readonly<Partial<Record<RoleName, unknown>>>
  /** Offered in this order. Default: JSON alone. */
  readonly serializers?: readonly Serializer[]
  /** Payload passthru mode: `passthru(...)` with the codecs of payloads. */
  readonly codecs?: Passthru
  /**
   * Reconnection after a loss and after a failed first attempt, until `stop()`; false for one attempt only. A function
   * returns the delay in milliseconds, or false to give up.
   */
  readonly reconnect?: boolean | Backoff | Retry
  /** Detection of dead connections; false to turn it off. */
  readonly liveness?: false | Liveness
  /**
   * Called with the error of a procedure before the caller receives it. A returned error is sent instead; undefined leaves
   * the error unchanged. The event `error` still reports the original. If the function throws, the caller only learns that
   * the procedure failed.
   */
  readonly onError?: OnError
  /** The prefix of method names in URIs; overrides the prefix of the class. */
  readonly prefix?: string
  /** Milliseconds for one attempt to connect and join, 0 for no limit. Default 10 000. */
  readonly connectTimeout?: number
  /**
   * The greatest unfinished work that a router may cause. Beyond it, the client ends its session with
   * `wampy.error.limit_exceeded` and reconnects as after a loss.
   */
  readonly limits?: LoadLimits
  /**
   * Authentication methods of `wampy-ts/auth`, offered in this order; the router chooses the first that it accepts.
   * Default: none, an anonymous session.
   *
   * @example
   * auth: [cryptosign({ key }), ticket('joe', async () => token())]
   */
  readonly auth?: readonly ClientAuth[]
  /**
   * Functions around each call, publication, invocation and event of this client; the first one is the outermost.
   *
   * @example
   * interceptors: [{ call: (request, next) => next({ ...request, options: { timeout: 5000, ...request.options } }) }]
   */
  readonly interceptors?: readonly Interceptor[]
}

const BACKOFF = dictOf<Backoff>('reconnect', {
  initial: DURATION,
  max: DURATION,
  factor: ['a number from 1', (value) => typeof value === 'number' && value >= 1],
})

const LIMITS = dictOf<LoadLimits>('limits', { messages: LIMIT, bytes: LIMIT })

const LIVENESS = dictOf<Liveness>('liveness', { idle: DURATION, answer: DURATION })

const INTERCEPTOR = dictOf<Interceptor>('interceptors', {
  call: FUNCTION,
  invocation: FUNCTION,
  publish: FUNCTION,
  event: FUNCTION,
})

const CLIENT_AUTH: OptionRule = [
  '',
  (value) => {
    checkAuth(value)
    return true
  },
]

/** @throws WampError `wampy.error.usage` */
export function checkAuth(methods: unknown): void {
  if (Array.isArray(methods) && methods.every((method) => typeof Object(method).offer === 'function')) return
  // The value may contain a secret.
  throw usage("auth must be a list of methods of wampy-ts/auth, such as [ticket('joe', password)]")
}

/** The rules of the options that all clients have. */
const CLIENT_RULES: OptionRules<ClientOptions> = {
  name: STRING,
  router: [
    'a WampRouter, a URL, or a Router of this process',
    (value) => isText(value) || typeof Object(value).connect === 'function',
  ],
  realm: STRING,
  roles: ['a list of roles or a dictionary of them', (value) => Array.isArray(value) || isDict(value)],
  serializers: SERIALIZERS,
  codecs: FUNCTION,
  reconnect: [
    'true, false, a function or options such as { initial: 250 }',
    (value) => FLAG[1](value) || FUNCTION[1](value) || BACKOFF[1](value),
  ],
  liveness: ['false or options such as { idle: 20000 }', (value) => value === false || LIVENESS[1](value)],
  onError: FUNCTION,
  prefix: STRING,
  connectTimeout: DURATION,
  limits: LIMITS,
  auth: CLIENT_AUTH,
  interceptors: ['a list such as [{ call: ... }]', (value) => Array.isArray(value) && value.every(INTERCEPTOR[1])],
}

/** The differences between the classes of clients. */
export interface ClientKind {
  /** The name of the class, whatever a minifier makes of it. */
  readonly name: string
  /** The class. Not named within itself: esbuild renames a class that is, and users see the name. */
  type(): unknown
  /** The rules of the options that only this class has. */
  readonly rules?: Readonly<Record<string, OptionRule>>
  readonly roles: readonly Role[]
  /** True if the first operation that needs a session starts the client. */
  readonly startsItself: boolean
  /** Makes the handles that a client's class declares. */
  declared(client: object, core: ClientCore, options: ClientOptions): readonly HandleRecord[]
}

// In the options, which a subclass passes on unseen: a constructor's second parameter would be seen by users.
const KIND = /* @__PURE__ */ Symbol('kind')

/**
 * The user's options, as a class of clients passes them to its base.
 *
 * @throws WampError `wampy.error.usage` that names the invalid option
 */
export function withKind<Options extends ClientOptions>(
  options: Options,
  kind: ClientKind,
  target: { readonly name: string },
): Options {
  const own = target !== kind.type()
  checkRules(own ? target.name : kind.name, options, { ...CLIENT_RULES, ...kind.rules } as OptionRules<Options>, {
    example: `router: '${DEFAULT_URL}'`,
    instead: { url: `write router: '${DEFAULT_URL}'` },
    advice: own ? ' (a subclass takes its own options out before super())' : '',
  })
  return { ...options, [KIND]: kind }
}

export function kindOf(options: ClientOptions & { readonly [KIND]?: ClientKind }): ClientKind {
  const kind = options[KIND]
  if (!kind) throw usage('Client is the base of clients: make a WampClient or an RpcClient')
  return kind
}

/** @throws WampError `wampy.error.usage` or `wamp.error.invalid_uri` that names the invalid option */
export function settle(options: ClientOptions, kind: ClientKind, name: string): Settings {
  const connector = connectorOf(options.router)
  const realm = options.realm ?? connector.realm ?? DEFAULT_REALM
  if (!isUri(realm)) throw unsent(INVALID_URI, `"${realm}" is not a valid realm`)
  const roles = rolesOf(options.roles, kind, name)
  return {
    connector,
    realm,
    agent: options.name ? `${AGENT} (${options.name})` : AGENT,
    roles,
    announced: Object.fromEntries(roles.map(({ name, features }) => [name, { features }])),
    // Always with the caller's handlers: liveness sends a CALL, whatever the roles of the client.
    established: table<ClientSession>(leaving, refusals, ...new Set([caller, ...roles].map((role) => role.handlers))),
    serializers: options.serializers,
    codecs: options.codecs,
    reconnect: options.reconnect ?? true,
    liveness: options.liveness ?? {},
    connectTimeout: options.connectTimeout ?? 10_000,
    limits: options.limits,
    auth: options.auth ?? [],
    onError: options.onError,
    interceptors: options.interceptors,
    startsItself: kind.startsItself,
  }
}

/** The requested roles. A dictionary as in HELLO may name roles that the client lacks, as `DEFAULT_ROLES` does. */
function rolesOf(given: ClientOptions['roles'], { roles }: ClientKind, client: string): readonly Role[] {
  if (!given) return roles
  const listed: unknown = Array.isArray(given)
  const names: readonly string[] = listed ? (given as readonly string[]) : Object.keys(given)
  const played = roles.filter(({ name }) => names.includes(name))
  for (const name of names) {
    if (!isOneOf(CLIENT_ROLES, name)) throw usage(`a client plays ${CLIENT_ROLES.join(', ')}, not "${name}"`)
    if (listed && !played.some((role) => role.name === name)) {
      throw usage(`${client} is an RpcClient, which is not a ${name}: use WampClient`)
    }
  }
  if (!played.length) throw usage('a client plays at least one role')
  return played
}

function connectorOf(router: Connector | string | undefined): Connector {
  if (router === undefined) return new WampRouter()
  return typeof router === 'string' ? new WampRouter({ url: router }) : router
}
