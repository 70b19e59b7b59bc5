/** What a client is made with, checked once. */

import { unsent, usage, type WampError } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { DEFAULT_REALM, INVALID_URI } from '../protocol/names.ts'
import type { Roles } from '../protocol/options.ts'
import { isUri } from '../protocol/uri.ts'
import { AGENT } from '../protocol/version.ts'
import type { ClientRole } from '../protocol/words.ts'
import type { Serializer } from '../serializer/serializer.ts'
import type { Connector } from '../session/link.ts'
import { leaving } from '../session/session.ts'
import { type Table, table } from '../session/table.ts'
import type { Backoff } from './base/backoff.ts'
import type { Passthru } from './codec/passthru-link.ts'
import type { Liveness } from './connection/liveness.ts'
import { callee, type Invocation } from './roles/callee.ts'
import { caller } from './roles/caller.ts'
import { publisher } from './roles/publisher.ts'
import type { Role } from './roles/role.ts'
import { subscriber } from './roles/subscriber.ts'
import type { ClientSession } from './session/client-session.ts'
import { refusals } from './session/requests.ts'
import { WampRouter } from './wamp-router.ts'

/** The name of a role of a client. */
export type RoleName = ClientRole

/** Decides after every loss and every attempt that failed: a delay in milliseconds, or false to stop. */
export type Retry = (attempt: number, cause: WampError) => number | false

/** Returns what the caller is told: a WampError as it is, anything else as `wamp.error.runtime_error` with its message. */
export type OnError = (error: unknown, invocation: Invocation) => unknown

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
  /** How it comes back after a loss, the first attempt to connect included; false for never. */
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
  /** Milliseconds that one attempt to connect and to join may take. Default 10 000. */
  readonly connectTimeout?: number
}

const ROLES: readonly Role[] = [caller, callee, publisher, subscriber]

const announced = (roles: readonly Role[]): Roles =>
  Object.fromEntries(roles.map(({ name, features }) => [name, { features }]))

/** The `roles` dictionary of HELLO with all four roles of a client. */
export const DEFAULT_ROLES: Roles = /* @__PURE__ */ announced(ROLES)

export interface Settings {
  readonly connector: Connector
  readonly realm: Uri
  readonly agent: string
  readonly roles: Roles
  readonly established: Table<ClientSession>
  readonly serializers: readonly Serializer[] | undefined
}

/** @throws WampError `wampy.error.usage` or `wamp.error.invalid_uri` that says which option was wrong */
export function settle(options: ClientOptions): Settings {
  const connector = connectorOf(options.router)
  const realm = options.realm ?? connector.realm ?? DEFAULT_REALM
  if (typeof realm !== 'string' || !isUri(realm)) throw unsent(INVALID_URI, `"${realm}" is no URI of a realm`)
  const given = options.roles ?? DEFAULT_ROLES
  const names: readonly string[] = Array.isArray(given) ? given : Object.keys(given)
  for (const name of names) {
    if (!ROLES.some((role) => role.name === name)) {
      throw usage(`a client plays ${ROLES.map((role) => role.name).join(', ')}, not "${name}"`)
    }
  }
  const roles = ROLES.filter(({ name }) => names.includes(name))
  if (!roles.length) throw usage('a client plays at least one role')
  const { serializers } = options
  if (serializers && !serializers.length) throw usage('a client speaks at least one serializer')
  return {
    connector,
    realm,
    agent: options.name ? `${AGENT} (${options.name})` : AGENT,
    roles: announced(roles),
    // The caller's always: whatever roles a client plays, liveness may ask by CALL.
    established: table<ClientSession>(leaving, refusals, ...new Set([caller, ...roles].map((role) => role.handlers))),
    serializers,
  }
}

function connectorOf(router: Connector | string | undefined): Connector {
  if (router === undefined) return new WampRouter()
  if (typeof router === 'string') return new WampRouter({ url: router })
  if (typeof router?.connect === 'function') return router
  throw usage('router must be a WampRouter, a URL, or a Router of this process')
}
