/** A router and its listeners made from a configuration, which can be reloaded. */

import { resolve } from 'node:path'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { anonymousAuth } from '../auth/anonymous.ts'
import type { AuthMethod } from '../auth/contract.ts'
import { LoginCookies } from '../auth/cookie.ts'
import { cryptosignAuth } from '../auth/cryptosign.ts'
import { jwtAuth } from '../auth/jwt.ts'
import { fromProcedure, type Principals } from '../auth/principals.ts'
import { scramAuth } from '../auth/scram.ts'
import { ticketAuth } from '../auth/ticket.ts'
import { tlsAuth } from '../auth/tls.ts'
import { wampcraAuth } from '../auth/wampcra.ts'
import { type RawSocketServed, type RawSocketServeOptions, serveRawSocket } from '../node/rawsocket-serve.ts'
import { type Served, type ServeOptions, serve } from '../node/serve.ts'
import type { TlsRenewal } from '../node/tls-server.ts'
import { WampError } from '../protocol/error.ts'
import { checkRules, type OptionRules, STRING } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'
import type { RoleRules } from '../router/rights/rules.ts'
import { Router, type RouterOptions } from '../router/router.ts'
import { cbor } from '../serializer/cbor.ts'
import { json } from '../serializer/json.ts'
import { msgpack } from '../serializer/msgpack.ts'
import type { Serializer } from '../serializer/serializer.ts'
import { problemsError } from './config-problems.ts'
import {
  CONFIG,
  CRA_USER,
  CROSSBAR_SCRAM_USER,
  CRYPTOSIGN_USER,
  type RouterConfig,
  SCRAM_USER,
  TICKET_USER,
  TLS_USER,
} from './keys.ts'
import { readSecret, readText, type SecretSource, type Sources } from './secrets.ts'
import type { Place, Problem, Shape } from './shapes.ts'
import { type Users, unknownRole, usersFrom } from './users.ts'

export interface FromConfigOptions {
  /** The folder that relative paths start from. Default: the working directory. */
  readonly folder?: string | undefined
}

const FROM_CONFIG_RULES: OptionRules<FromConfigOptions> = { folder: STRING }

/** The effects of a reload. */
export interface ReloadReport {
  /** Sessions that were ended, because their user was removed or has another role. */
  readonly ended: number
  /** The top-level keys whose changes take effect only with a restart. */
  readonly needsRestart: readonly string[]
}

/** A router that listens as its configuration says. */
export interface ConfiguredRouter {
  readonly router: Router
  /** The addresses of its listeners. */
  readonly urls: readonly string[]
  /**
   * Follows the users, roles and certificates of another configuration. Sessions whose user was removed or has another role
   * are ended, and all others stay.
   *
   * @throws WampError `wampy.error.usage` with every mistake; then nothing has changed
   */
  reload(config: RouterConfig): ReloadReport
  /** Lets calls in progress finish, ends every session and stops listening. */
  close(): Promise<void>
}

const SERIALIZERS: Readonly<Record<string, Serializer>> = { json, cbor, msgpack }

type Items<L> = NonNullable<L> extends readonly (infer Item)[] ? Item : never
type RealmConfig = Items<RouterConfig['realms']>
type ListenerConfig = Items<RouterConfig['listeners']>
type AuthConfig = NonNullable<RealmConfig['auth']>
type TlsConfig = NonNullable<Extract<ListenerConfig, { type: 'websocket' }>['tls']>

/** The methods with users: the shape of a user, its secret, and the method itself. */
const USER_METHODS: Readonly<
  Record<
    string,
    { readonly user: Shape; readonly secret?: string; make(users: Principals<never>, key?: string): AuthMethod }
  >
> = {
  ticket: { user: TICKET_USER, secret: 'ticket', make: (users) => ticketAuth(users) },
  wampcra: { user: CRA_USER, secret: 'secret', make: (users) => wampcraAuth(users) },
  'wamp-scram': { user: SCRAM_USER, make: (users) => scramAuth(users) },
  scram: { user: CROSSBAR_SCRAM_USER, make: (users) => scramAuth(users, { dialect: 'crossbar' }) },
  cryptosign: { user: CRYPTOSIGN_USER, make: (users, key) => cryptosignAuth(users, { key }) },
  tls: { user: TLS_USER, make: (users) => tlsAuth(users) },
}

/** What a configuration says, with its files read and its secrets resolved. */
interface Prepared {
  readonly options: RouterOptions
  /** The tables of users, by realm and method. */
  readonly users: ReadonlyMap<string, Users>
  readonly cookies: LoginCookies | undefined
  /** The TLS options of each listener. */
  readonly tls: readonly (SecureContextOptions | undefined)[]
}

/**
 * The mistakes of a configuration, each with its place and its cure; none if a router can be made of it. Files that it names
 * are read, and nothing listens.
 */
export function checkConfig(config: unknown, options: FromConfigOptions = {}): readonly Problem[] {
  return prepare(config, options).problems
}

/**
 * Makes a router of a configuration, and listens.
 *
 * @example
 * const { router, urls, close } = await routerFromConfig(JSON.parse(await readFile('router.json', 'utf8')))
 * @throws WampError `wampy.error.usage` with every mistake, a line for each; `wampy.error.listen_failed`
 */
export async function routerFromConfig(
  config: RouterConfig,
  options: FromConfigOptions = {},
): Promise<ConfiguredRouter> {
  checkRules('routerFromConfig', options, FROM_CONFIG_RULES)
  const { prepared, problems } = prepare(config, options)
  if (!prepared) throw problemsError(problems)
  const router = new Router(prepared.options)
  const open: (Served | RawSocketServed)[] = []
  const closeAll = async (): Promise<void> => {
    await Promise.all(open.map((each) => each.close()))
  }
  const listeners = config.listeners ?? []
  try {
    for (const [index, listener] of listeners.entries()) {
      open.push(await listen(router, listener, prepared, index, options.folder))
    }
  } catch (error) {
    await closeAll()
    throw error
  }
  let present = config
  let rules = rulesOf(prepared)
  return {
    router,
    urls: open
      .flatMap((each) => [each.url, 'longPollUrl' in each ? each.longPollUrl : undefined])
      .filter((url) => url !== undefined),
    reload(next) {
      const { prepared: wanted, problems: mistakes } = prepare(next, options)
      if (!wanted) throw problemsError(mistakes)
      const report = { needsRestart: restartKeys(present, next) }
      for (const [name, users] of prepared.users) {
        const by = wanted.users.get(name)
        if (by) users.replace(by)
      }
      const others = rulesOf(wanted)
      // A new realm needs a restart, and one that is gone keeps its rules until then.
      rules = others && Object.fromEntries(router.realms.map((name) => [name, others[name] ?? rules?.[name] ?? []]))
      router.setAuthorize(rules)
      if (!report.needsRestart.includes('listeners')) {
        for (const [index, tls] of wanted.tls.entries()) if (tls) open[index]?.renewTls(renewalOf(tls))
      }
      const ended = endRemoved(router, prepared)
      present = next
      return { ...report, ended }
    },
    async close() {
      await router.close({ drain: config.drain ?? 5000 })
      await closeAll()
    },
  }
}

const rulesOf = ({ options }: Prepared): Readonly<Record<string, readonly RoleRules[]>> | undefined =>
  options.authorize as Readonly<Record<string, readonly RoleRules[]>> | undefined

/** What of the options of TLS a listener takes while it listens. */
function renewalOf({ cert, key, ca, passphrase }: SecureContextOptions): TlsRenewal {
  return { cert, key, ...(ca !== undefined && { ca }), ...(passphrase !== undefined && { passphrase }) }
}

/** The top-level keys that differ in more than users, roles and the files of TLS. */
function restartKeys(present: RouterConfig, next: RouterConfig): string[] {
  const names = new Set([...Object.keys(present), ...Object.keys(next)])
  names.delete('$schema')
  return [...names].filter((name) => lasting(present, name) !== lasting(next, name))
}

/** A key without what a reload follows. */
function lasting(config: RouterConfig, name: string): string {
  const followed = new Set(
    name === 'realms' ? ['users', 'roles'] : name === 'listeners' ? ['cert', 'key', 'ca', 'passphrase'] : [],
  )
  return (
    JSON.stringify(config[name as keyof RouterConfig], (key, value) => (followed.has(key) ? undefined : value)) ?? ''
  )
}

/** Ends the sessions whose user is in no table any more, or has another role. */
function endRemoved(router: Router, { users, cookies }: Prepared): number {
  const roleOf = (realm: string, authmethod: string, authid: string): string | undefined => {
    for (const [name, user] of Object.entries(users.get(`${realm} ${authmethod}`)?.table() ?? {})) {
      const {
        role = 'user',
        authid: own = name,
        realms,
      } = user as { role?: string; authid?: string; realms?: string[] }
      if (own === authid && (!realms || realms.includes(realm))) return role
    }
    return undefined
  }
  const methodsOf = (realm: string): string[] =>
    [...users.keys()].filter((key) => key.startsWith(`${realm} `)).map((key) => key.slice(realm.length + 1))
  /** True for a login by a table that does not contain it any more. */
  const isGone = (realm: string, methods: readonly string[], authid: string, authrole: string): boolean =>
    !methods.some((method) => roleOf(realm, method, authid) === authrole)
  cookies?.forgetWhere(
    ({ authid, authrole, authprovider }, realm) =>
      authprovider === 'static' && isGone(realm, methodsOf(realm), authid, authrole),
  )
  return router.endSessions(
    ({ realm, authid, authrole, authmethod, authprovider }) => {
      if (authprovider === 'cookie') return isGone(realm, methodsOf(realm), authid, authrole)
      return (
        authprovider === 'static' &&
        users.has(`${realm} ${authmethod}`) &&
        isGone(realm, [authmethod], authid, authrole)
      )
    },
    { reason: 'wamp.close.killed', text: 'the user was removed or has another role' },
  )
}

function prepare(
  given: unknown,
  { folder = process.cwd() }: FromConfigOptions,
): { readonly prepared: Prepared | undefined; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const report = (problem: Problem): void => void problems.push(problem)
  CONFIG.check(given, [], report)
  // What follows relies on the shapes.
  if (problems.length > 0) return { prepared: undefined, problems }
  const config = given as RouterConfig
  const {
    realms = [],
    listeners = [],
    $schema: _,
    listeners: __,
    log: ___,
    drain: ____,
    realms: _____,
    ...rest
  } = config
  const sources = { folder, report }
  if (realms.length === 0)
    report({ at: ['realms'], text: 'must have at least one realm, such as { "name": "realm1" }' })
  if (listeners.length === 0)
    report({ at: ['listeners'], text: 'must have at least one listener, such as { "type": "websocket" }' })
  for (const index of twice(realms.map(({ name }) => name ?? ''))) {
    report({
      at: ['realms', index, 'name'],
      text: `is ${formatValue(realms[index]?.name)}, as that of an earlier realm: give it another name`,
    })
  }

  const users = new Map<string, Users>()
  const cookies = cookiesOf(realms, report)
  const auth: Record<string, AuthMethod[]> = {}
  for (const [index, realm] of realms.entries()) {
    checkRoles(realm, ['realms', index, 'roles'], report)
    if (realm.auth) auth[realm.name as string] = methodsFrom(realm, ['realms', index, 'auth'], sources, users, cookies)
  }
  const withRoles = realms.findIndex(({ roles }) => roles)
  for (const [index, { roles }] of realms.entries()) {
    if (withRoles >= 0 && !roles)
      report({
        at: ['realms', index],
        text: `needs the key roles, because realms[${withRoles}] has it: list what its roles may do`,
      })
  }
  const tls = listeners.map((listener, index) =>
    'tls' in listener && listener.tls ? tlsFrom(listener.tls, ['listeners', index, 'tls'], sources) : undefined,
  )
  checkListeners(listeners, cookies !== undefined, report)

  const names = realms.map(({ name }) => name as string)
  const options = {
    ...rest,
    realms: names,
    ...(Object.keys(auth).length > 0 && {
      auth: Object.fromEntries(names.map((name) => [name, auth[name] ?? [anonymousAuth()]])),
    }),
    ...(withRoles >= 0 && {
      authorize: Object.fromEntries(realms.map(({ name, roles = [] }) => [name, roles.map(withRights)])),
    }),
  } as RouterOptions
  if (problems.length === 0) {
    try {
      // Patterns and limits have rules of their own. A router that listens to nothing holds nothing.
      new Router(options)
    } catch (error) {
      report({ at: [], text: `is not one of a router: ${WampError.is(error) ? error.message : String(error)}` })
    }
  }
  return { problems, prepared: problems.length > 0 ? undefined : { options, users, cookies, tls } }
}

/** A role without rules may do nothing. */
const withRights = (role: NonNullable<RealmConfig['roles']>[number]): object =>
  role.authorizer === undefined ? { permissions: [], ...role } : role

/** The indexes of values that an earlier place has too. */
function twice(values: readonly string[]): number[] {
  return [...values.keys()].filter((index) => values.indexOf(values[index] as string) < index)
}

function checkRoles({ roles, auth }: RealmConfig, at: Place, report: Sources['report']): void {
  if (!roles) return
  const names = roles.map(({ name }) => name as string)
  for (const index of twice(names)) {
    report({
      at: [...at, index, 'name'],
      text: `is ${formatValue(names[index])}, as that of an earlier role: put their rules into one`,
    })
  }
  for (const [index, { permissions, authorizer }] of roles.entries()) {
    if (permissions && authorizer !== undefined)
      report({ at: [...at, index], text: 'has permissions and an authorizer: keep one of them' })
  }
  const named = [
    ...(auth?.anonymous ? [{ role: auth.anonymous.role ?? 'anonymous', method: 'anonymous' }] : []),
    ...(auth?.jwt && auth.jwt.roleClaim === undefined ? [{ role: auth.jwt.role ?? 'user', method: 'jwt' }] : []),
  ]
  for (const { role, method } of named) {
    if (!names.includes(role)) report(unknownRole(role, [...at.slice(0, -1), 'auth', method, 'role'], names))
  }
}

/** The cookies of all realms, which share one: a login counts only in its own. */
function cookiesOf(realms: readonly RealmConfig[], report: Sources['report']): LoginCookies | undefined {
  const having = realms.map((realm, index) => ({ cookie: realm.auth?.cookie, index })).filter(({ cookie }) => cookie)
  const [first, ...others] = having
  for (const { cookie, index } of others) {
    if (JSON.stringify(cookie) !== JSON.stringify(first?.cookie))
      report({
        at: ['realms', index, 'auth', 'cookie'],
        text: `must be as that of realms[${first?.index}]: browsers get one cookie for all realms`,
      })
  }
  return first && new LoginCookies(first.cookie)
}

function methodsFrom(
  { name: realm, auth = {}, roles }: RealmConfig,
  at: Place,
  sources: Sources,
  all: Map<string, Users>,
  cookies: LoginCookies | undefined,
): AuthMethod[] {
  const { report } = sources
  const methods: AuthMethod[] = []
  const names = Object.keys(auth) as (keyof AuthConfig)[]
  if (names.length === 0)
    report({ at, text: 'names no method, so that nobody could join: { "anonymous": {} } accepts everybody' })
  if (auth.jwt && auth.ticket)
    report({ at: [...at, 'jwt'], text: 'cannot be beside ticket: a token is presented as a ticket' })
  if (auth.anonymous) methods.push(anonymousAuth({ role: auth.anonymous.role }))
  if (auth.cookie && cookies) methods.push(cookies.auth)
  if (auth.jwt) {
    const { role, roleClaim, secret: source, issuer = '', audience = '', jwksUrl, algorithms } = auth.jwt
    const place = [...at, 'jwt']
    if ((jwksUrl === undefined) === (source === undefined))
      report({ at: place, text: 'needs one of the keys jwksUrl and secret' })
    const secret = source === undefined ? undefined : readSecret(source as SecretSource, [...place, 'secret'], sources)
    const key = secret === undefined ? undefined : new TextEncoder().encode(secret)
    if ((jwksUrl === undefined) !== (key === undefined)) {
      methods.push(
        jwtAuth({
          issuer,
          audience,
          jwksUrl,
          algorithms,
          key,
          principal: ({ sub, ...claims }) =>
            sub === undefined
              ? undefined
              : { authid: sub, role: roleClaim === undefined ? role : String(claims[roleClaim]) },
        }),
      )
    }
  }
  for (const [name, { user, secret, make }] of Object.entries(USER_METHODS)) {
    const method = auth[name as keyof AuthConfig] as AuthConfig['cryptosign']
    if (!method) continue
    const place = [...at, name]
    const { users: given, procedure, realm: home, key } = method
    if ((given === undefined) === (procedure === undefined)) {
      report({ at: place, text: 'needs one of the keys users and procedure' })
      continue
    }
    const own = key === undefined ? undefined : readSecret(key as SecretSource, [...place, 'key'], sources)
    if (procedure !== undefined) {
      methods.push(make(fromProcedure(procedure, { realm: home }) as Principals<never>, own))
      continue
    }
    const context = { ...sources, secret, roles: roles?.map((role) => role.name as string) }
    const users = usersFrom(given as Parameters<typeof usersFrom>[0], user, [...place, 'users'], context)
    if (!users) continue
    all.set(`${realm} ${name}`, users)
    methods.push(make(users as Principals<never>, own))
  }
  return methods
}

/** The options of TLS, whose files have been read; a problem if they do not fit together. */
function tlsFrom(tls: TlsConfig, at: Place, sources: Sources): SecureContextOptions | undefined {
  const cert = readText(tls.cert ?? '', [...at, 'cert'], sources)
  const key = readText(tls.key ?? '', [...at, 'key'], sources)
  const ca = tls.ca === undefined ? undefined : readText(tls.ca, [...at, 'ca'], sources)
  const passphrase =
    tls.passphrase === undefined
      ? undefined
      : readSecret(tls.passphrase as SecretSource, [...at, 'passphrase'], sources)
  if (cert === undefined || key === undefined || (tls.ca !== undefined && ca === undefined)) return undefined
  const options: SecureContextOptions = {
    cert,
    key,
    ...(ca !== undefined && { ca }),
    ...(passphrase !== undefined && { passphrase }),
    minVersion: tls.minVersion ?? 'TLSv1.2',
  }
  try {
    createSecureContext(options)
  } catch (error) {
    sources.report({
      at,
      text: `cannot be used: ${(error as Error).message}; check that cert and key are PEM files of one pair`,
    })
    return undefined
  }
  return options
}

function checkListeners(listeners: readonly ListenerConfig[], cookies: boolean, report: Sources['report']): void {
  const places = listeners.map((listener) => {
    if (listener.type === 'unix') return `unix ${listener.path}`
    const { host = '127.0.0.1', port = 8080 } = listener
    return port === 0 ? '' : `${host} ${port}`
  })
  for (const index of twice(places)) {
    const key = listeners[index]?.type === 'unix' ? 'path' : 'port'
    if (places[index] !== '')
      report({ at: ['listeners', index, key], text: 'is that of an earlier listener: choose another one' })
  }
  for (const [index, listener] of listeners.entries()) {
    if (listener.type === 'websocket' && cookies && (listener.origins === '*' || listener.origins?.includes('*')))
      report({
        at: ['listeners', index, 'origins'],
        text: 'must list the origins of your pages, because a cookie authenticates them',
      })
    if ('tls' in listener && listener.tls?.requestCert && listener.tls.ca === undefined)
      report({
        at: ['listeners', index, 'tls'],
        text: 'needs the key ca with requestCert: the certificates that sign those of clients',
      })
  }
}

function listen(
  router: Router,
  listener: ListenerConfig,
  { tls, cookies }: Prepared,
  index: number,
  folder = process.cwd(),
): Promise<Served | RawSocketServed> {
  const { serializers = ['json', 'cbor', 'msgpack'] } = listener
  const chosen = serializers.map((name) => SERIALIZERS[name] as Serializer)
  if (listener.type === 'unix') {
    const { type: _, path = '', mode, ...rest } = listener
    const options = {
      ...rest,
      serializers: chosen,
      path: resolve(folder, path),
      mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    }
    return serveRawSocket(router, options as RawSocketServeOptions)
  }
  const requestCert = listener.tls?.requestCert ?? false
  const secured = tls[index] && { ...tls[index], requestCert, rejectUnauthorized: false }
  if (listener.type === 'rawsocket') {
    const { type: _, ...rest } = listener
    return serveRawSocket(router, { ...rest, serializers: chosen, tls: secured } as RawSocketServeOptions)
  }
  const { type: _, compress, ...rest } = listener
  const options = { ...rest, serializers: chosen, tls: secured, cookies, perMessageDeflate: compress }
  return serve(router, options as ServeOptions)
}
