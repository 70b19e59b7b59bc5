/** What a client is made with, checked once. */

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
import type { Passthru } from './codec/passthru-link.ts'
import type { ClientCore, Settings } from './connection/client-core.ts'
import type { Liveness } from './connection/liveness.ts'
import type { Retry } from './connection/reconnect.ts'
import type { HandleRecord } from './handles/durable-handles.ts'
import { caller } from './roles/caller.ts'
import type { OnError } from './roles/invocation.ts'
import type { Role } from './roles/role.ts'
import type { ClientSession } from './session/client-session.ts'
import { refusals } from './session/requests.ts'
import { WampRouter } from './wamp-router.ts'

/** The name of a role of a client. */
export type RoleName = ClientRole

export interface ClientOptions {
  /** What this client calls itself towards the router and in errors. Default: the name of its class. */
  readonly name?: string
  /** A WampRouter, its URL, or a Router in this process. Default: `ws://localhost:8080/ws`. */
  readonly router?: Connector | string
  /** Default: the router's, else `realm1`. */
  readonly realm?: Uri
  /** Which roles are played: a list, or a dictionary as in HELLO whose keys count. Default: all four. */
  readonly roles?: readonly RoleName[] | Readonly<Partial<Record<RoleName, unknown>>>
  /** Offered in this order. Default: JSON alone. */
  readonly serializers?: readonly Serializer[]
  /** Payload passthru mode: `passthru(...)` with what encodes and decodes payloads. */
  readonly codecs?: Passthru
  /**
   * How it comes back after a loss, and after a failed first attempt, until `stop()`; false for one attempt only. A function
   * returns false to give up, or milliseconds.
   */
  readonly reconnect?: boolean | Backoff | Retry
  /** How a dead connection is noticed; false for not at all. */
  readonly liveness?: false | Liveness
  /**
   * Sees what a procedure threw before its caller is told: what it returns is sent in its place, and nothing leaves it
   * as it is. The event `error` tells what was thrown all the same. Where it throws itself, the caller learns no more
   * than that the procedure failed.
   */
  readonly onError?: OnError
  /** Put before the names of methods; over the class's own. */
  readonly prefix?: string
  /** Milliseconds that one attempt to connect and to join may take, 0 for no limit. Default 10 000. */
  readonly connectTimeout?: number
}

const BACKOFF = dictOf<Backoff>('reconnect', {
  initial: DURATION,
  max: DURATION,
  factor: ['a number from 1', (value) => typeof value === 'number' && value >= 1],
})

const LIVENESS = dictOf<Liveness>('liveness', { idle: DURATION, answer: DURATION })

/** What the options of every client must be. */
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
}

/** What distinguishes the classes of clients. */
export interface ClientKind {
  /** The name of the class, whatever a minifier makes of it. */
  readonly name: string
  /** The class. Not named within itself: esbuild renames a class that is, and users see the name. */
  type(): unknown
  /** What the options must be that only this class has. */
  readonly rules?: Readonly<Record<string, OptionRule>>
  readonly roles: readonly Role[]
  /** Whether the first operation that needs a session starts the client. */
  readonly startsItself: boolean
  /** Makes the handles that a client's class declares. */
  declared(client: object, core: ClientCore, options: ClientOptions): readonly HandleRecord[]
}

// In the options, which a subclass passes on unseen: a constructor's second parameter would be seen by users.
const KIND = /* @__PURE__ */ Symbol('kind')

/**
 * The options of a user, as a class of clients passes them to its base.
 *
 * @throws WampError `wampy.error.usage` that names the option that cannot be
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

/** @throws WampError `wampy.error.usage` or `wamp.error.invalid_uri` that says which option was wrong */
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
    // The caller's always: whatever roles a client plays, liveness may ask by CALL.
    established: table<ClientSession>(leaving, refusals, ...new Set([caller, ...roles].map((role) => role.handlers))),
    serializers: options.serializers,
    codecs: options.codecs,
    reconnect: options.reconnect ?? true,
    liveness: options.liveness ?? {},
    connectTimeout: options.connectTimeout ?? 10_000,
    onError: options.onError,
    startsItself: kind.startsItself,
  }
}

/** The roles that are asked for. A dictionary as in HELLO may name more than the client has, as `DEFAULT_ROLES` does. */
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
