/** The principals that a router knows, and their sources: a table, a file, a function, or a procedure. */

import { usage, WampError } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { AUTHENTICATION_FAILED, NO_SUCH_PRINCIPAL } from '../protocol/names.ts'
import type { Dict } from '../protocol/options.ts'
import { formatValue, isDict } from '../protocol/validate.ts'
import type { AuthMethod, AuthRequest, Identity } from './contract.ts'

/** What every principal may have, besides what its method needs. */
export interface PrincipalBase {
  /** The role of its sessions. Default `user`. */
  readonly role?: string | undefined
  /** The authid of its sessions, if it is not the name under which the principal was found. */
  readonly authid?: string | undefined
  /** The realms that it may join. Default: every realm that has the method. */
  readonly realms?: readonly Uri[] | undefined
  /** Sent only to the session itself, in its WELCOME. */
  readonly extra?: Dict | undefined
  /** Private data for `authorize`; never sent. */
  readonly internal?: unknown
}

/** What a method asks a source for. */
export interface PrincipalQuery
  extends Pick<AuthRequest, 'realm' | 'session' | 'authextra' | 'transport' | 'connection' | 'signal' | 'call'> {
  readonly authmethod: string
  /** What the client has presented, if the method lets the source verify it: `{ ticket }`. */
  readonly credentials?: Dict | undefined
}

/**
 * Finds a principal by its authid (for `cryptosign` its public key in hexadecimal digits). Undefined: there is none. An
 * error or a rejection refuses the session as an unknown principal does.
 */
export type PrincipalLookup<P> = (name: string, query: PrincipalQuery) => P | undefined | Promise<P | undefined>

/** A table whose content may change, such as `principalsFile` of `wampy-ts/node` returns. */
export interface PrincipalTable<P> extends PrincipalLookup<P> {
  /** Its present content, by name. */
  table(): Readonly<Record<string, P>>
}

/** The principals of a method: a table by name, a Map, a table that may change, or a function. */
export type Principals<P> =
  | Readonly<Record<string, P>>
  | ReadonlyMap<string, P>
  | PrincipalTable<P>
  | PrincipalLookup<P>

/** The entries of a table; undefined for principals that can only be looked up. */
export function entriesOf<P>(principals: Principals<P>): (() => Iterable<[string, P]>) | undefined {
  if (typeof principals === 'function') {
    return 'table' in principals ? () => Object.entries(principals.table()) : undefined
  }
  if (principals instanceof Map) return () => (principals as ReadonlyMap<string, P>).entries()
  return () => Object.entries(principals as Readonly<Record<string, P>>)
}

/** A procedure that finds principals. Only a session whose own principal is in a table may register it. */
export interface ProcedureLookup<P> extends PrincipalLookup<P> {
  readonly procedure: Uri
  /** Default: the realm that the session joins. */
  readonly realm: Uri | undefined
}

/**
 * Finds principals by a procedure, as the dynamic authenticators of Crossbar.io do. It is called with
 * `(realm, name, details)`, where `details` has `authmethod`, `session`, `transport`, `authextra` and what the client has
 * presented, such as `ticket`. It returns a role, or `{ role, authid?, realm?, realms?, extra? }` together with the secrets
 * that the method verifies, or null for an unknown principal. An error refuses the session, and so does its absence, and a
 * `realm` other than the one that the session asked for.
 *
 * @example
 * ticketAuth(fromProcedure('com.example.authenticate'))
 * @throws WampError `wampy.error.usage` if the procedure is not text
 */
export function fromProcedure<P extends PrincipalBase = PrincipalBase & Dict>(
  procedure: Uri,
  { realm }: { readonly realm?: Uri | undefined } = {},
): ProcedureLookup<P> {
  if (typeof procedure !== 'string')
    throw usage(`fromProcedure needs the URI of a procedure, got ${formatValue(procedure)}`)
  const find: PrincipalLookup<P> = async (name, query) => {
    const { authmethod, session, transport, authextra, credentials } = query
    const details = { authmethod, session, transport, authextra, ...credentials }
    const answer = await query.call(procedure, [query.realm, name, details], realm)
    if (typeof answer === 'string') return { role: answer } as P
    if (!isDict(answer)) return undefined
    const { realm: only, ...principal } = answer
    return { ...principal, ...(typeof only === 'string' && { realms: [only] }) } as unknown as P
  }
  return Object.assign(find, { procedure, realm })
}

/** The `authprovider` of a session: the origin of its principal. */
export type Provider = 'static' | 'function' | 'dynamic' | 'jwt' | 'cookie'

/** A source of principals as a method uses it. */
export interface Source<P> {
  /** The `authprovider` of the sessions. */
  readonly provider: Provider
  /** Undefined also if the source failed: the session is then refused as an unknown principal is. */
  find(name: string, request: AuthRequest, credentials?: Dict): Promise<P | undefined>
  /** A principal of the source, which shows what its secrets look like. */
  example: P | undefined
  /** The procedure, if it is one. */
  readonly authenticator: AuthMethod['authenticator']
}

/** @throws WampError `wampy.error.usage` for anything that is not a source of principals */
export function sourceFrom<P>(authmethod: string, principals: Principals<P>): Source<P> {
  const lookup = lookupFrom(authmethod, principals)
  const procedure = typeof principals === 'function' && 'procedure' in principals
  const entries = entriesOf(principals)
  const provider = entries ? 'static' : procedure ? 'dynamic' : 'function'
  const source: Source<P> = {
    provider,
    example: undefined,
    authenticator: procedure ? (principals as ProcedureLookup<P>) : undefined,
    async find(name, { realm, session, authextra, transport, connection, signal, call }, credentials) {
      try {
        const query = { realm, session, authextra, transport, connection, signal, call, authmethod, credentials }
        const found = await lookup(name, query)
        source.example = found ?? source.example
        return found
      } catch {
        // Its error may contain secrets, and must not tell a known principal from an unknown one.
        return undefined
      }
    },
  }
  for (const [, principal] of entries?.() ?? []) source.example ??= principal
  return source
}

function lookupFrom<P>(authmethod: string, principals: Principals<P>): PrincipalLookup<P> {
  if (typeof principals === 'function') return principals
  if (principals instanceof Map) return (name) => (principals as ReadonlyMap<string, P>).get(name)
  if (isDict(principals)) {
    const table = principals as Readonly<Record<string, P>>
    return (name) => (Object.hasOwn(table, name) ? table[name] : undefined)
  }
  throw usage(
    `${authmethod} needs its principals as a table by authid, a Map or a function, got ${formatValue(principals)}`,
  )
}

/** The refusal of an unknown principal or a wrong secret, which a client cannot tell apart. */
export function denied(): WampError {
  return new WampError(AUTHENTICATION_FAILED, ['the credentials are not valid here'])
}

/** The identity of a principal that has proved its secret. */
export function identityFrom(
  principal: PrincipalBase,
  name: string,
  { realm }: Pick<AuthRequest, 'realm'>,
  authprovider: Provider,
  authextra: Dict = {},
): Identity {
  const { role = 'user', authid = name, realms, extra, internal } = principal
  if (realms && !realms.includes(realm)) {
    throw new WampError(NO_SUCH_PRINCIPAL, [`${formatValue(authid)} may not join ${formatValue(realm)}`])
  }
  const all = { ...extra, ...authextra }
  return {
    authid,
    authrole: role,
    authprovider,
    internal,
    staticPrincipal: authprovider === 'static',
    ...(Object.keys(all).length > 0 && { authextra: all }),
  }
}
