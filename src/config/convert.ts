/** Translates the common part of a Crossbar.io configuration, and lists what it leaves out. */

import { deriveCraKey } from '../auth/wampcra.ts'
import { usage } from '../protocol/error.ts'
import { isDict } from '../protocol/validate.ts'
import type { RouterConfig } from './keys.ts'
import type { Place, Problem } from './shapes.ts'

export interface Converted {
  readonly config: RouterConfig
  /** The parts without a counterpart, and what differs. */
  readonly leftOut: readonly Problem[]
}

type Dict = Readonly<Record<string, unknown>>
type Made = Record<string, unknown>

/** Secrets such as `$JOE_TICKET` are environment variables, as in Crossbar.io. */
const secretFrom = (value: unknown): unknown =>
  typeof value === 'string' && /^\$[A-Z0-9_]+$/.test(value) ? { env: value.slice(1) } : value

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const asDict = (value: unknown): Dict => (isDict(value) ? value : {})

/** @throws WampError `wampy.error.usage` for what is not a configuration with a router */
export async function convertCrossbar(given: unknown): Promise<Converted> {
  if (!isDict(given) || !Array.isArray(given['workers'])) {
    throw usage('this is not a configuration of Crossbar.io: it has no list of workers')
  }
  const conversion = new Conversion()
  conversion.rest(given, [], ['version', 'workers', '$schema'])
  for (const [index, worker] of given['workers'].entries()) await conversion.worker(asDict(worker), ['workers', index])
  return conversion.result()
}

class Conversion {
  readonly #leftOut: Problem[] = []
  readonly #realms: Made[] = []
  readonly #listeners: Made[] = []
  readonly #history: Made[] = []
  /** The methods of all transports: here a realm has them, whatever the listener. */
  readonly #auth: Made = {}
  #anonymous = false

  result(): Converted {
    if (this.#realms.length === 0) throw usage('this configuration has no router worker with a realm')
    const auth = { ...(this.#anonymous && { anonymous: { role: 'anonymous' } }), ...this.#auth }
    const realms = this.#realms.map((realm) => ({ ...realm, auth }))
    const config = {
      realms,
      listeners: this.#listeners,
      ...(this.#history.length > 0 && { history: this.#history }),
    }
    return { config: config as unknown as RouterConfig, leftOut: this.#leftOut }
  }

  /** Lists the keys that are not among those that are translated. */
  rest(value: Dict, at: Place, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) this.#omit([...at, key], 'has no counterpart')
    }
  }

  #omit(at: Place, text: string): void {
    this.#leftOut.push({ at, text })
  }

  async worker(worker: Dict, at: Place): Promise<void> {
    if (worker['type'] !== 'router') {
      this.#omit(at, `is a worker of the type ${String(worker['type'])}: run it beside the router`)
      return
    }
    this.rest(worker, at, ['type', 'id', 'realms', 'transports'])
    for (const [index, realm] of asList(worker['realms']).entries())
      this.#realm(asDict(realm), [...at, 'realms', index])
    for (const [index, transport] of asList(worker['transports']).entries()) {
      await this.#transport(asDict(transport), [...at, 'transports', index])
    }
  }

  #realm(realm: Dict, at: Place): void {
    this.rest(realm, at, ['id', 'name', 'roles', 'store'])
    const roles = asList(realm['roles']).map((role, index) => this.#role(asDict(role), [...at, 'roles', index]))
    this.#realms.push({ name: realm['name'], roles })
    const store = asDict(realm['store'])
    this.rest(store, [...at, 'store'], ['type', 'event-history', 'limit'])
    for (const each of asList(store['event-history']).map(asDict)) {
      this.#history.push({
        uri: each['uri'],
        ...(each['match'] !== undefined && { match: each['match'] }),
        limit: each['limit'] ?? store['limit'] ?? 1000,
      })
    }
    if (store['type'] !== undefined && store['type'] !== 'memory') {
      this.#omit([...at, 'store', 'type'], `is ${String(store['type'])}: events are kept in memory`)
    }
  }

  #role(role: Dict, at: Place): Made {
    this.rest(role, at, ['id', 'name', 'permissions', 'authorizer'])
    const { name, authorizer } = role
    if (authorizer !== undefined) return { name, authorizer }
    const permissions = asList(role['permissions']).map((each, index) => {
      const permission = asDict(each)
      const place = [...at, 'permissions', index]
      this.rest(permission, place, ['uri', 'match', 'allow', 'disclose', 'cache'])
      const { uri, match, allow, disclose } = permission
      return {
        uri,
        ...(match !== undefined && { match }),
        ...(allow !== undefined && { allow }),
        ...(disclose !== undefined && { disclose }),
      }
    })
    return { name, permissions }
  }

  async #transport(transport: Dict, at: Place): Promise<void> {
    const { type } = transport
    const endpoint = this.#endpoint(asDict(transport['endpoint']), [...at, 'endpoint'])
    if (type === 'websocket') {
      this.rest(transport, at, ['type', 'id', 'endpoint', 'url', 'auth', 'options', 'serializers', 'debug', 'cookie'])
      await this.#listener(endpoint, at, { ...this.#webSocket(transport, at), rawSocket: false }, transport)
    } else if (type === 'rawsocket') {
      this.rest(transport, at, [
        'type',
        'id',
        'endpoint',
        'auth',
        'serializers',
        'max_message_size',
        'debug',
        'options',
      ])
      const { max_message_size: most } = { ...asDict(transport['options']), ...transport } as Dict
      const made = { ...this.#serializers(transport, at), ...(most !== undefined && { maxPayload: most }) }
      await this.#listener(endpoint, at, { ...made, type: 'rawsocket' }, transport)
    } else if (type === 'web') {
      this.rest(transport, at, ['type', 'id', 'endpoint', 'paths', 'options'])
      await this.#web(endpoint, asDict(transport['paths']), [...at, 'paths'], at, false)
    } else if (type === 'universal') {
      this.rest(transport, at, ['type', 'id', 'endpoint', 'rawsocket', 'websocket', 'web'])
      const raw = transport['rawsocket'] !== undefined
      if (raw) await this.#authOf(asDict(transport['rawsocket']), [...at, 'rawsocket'])
      const sockets = Object.fromEntries(
        Object.entries(asDict(transport['websocket'])).map(([path, each]) => [
          path,
          { ...asDict(each), type: 'websocket' },
        ]),
      )
      const web = asDict(transport['web'])
      this.rest(web, [...at, 'web'], ['paths'])
      await this.#web(endpoint, { ...asDict(web['paths']), ...sockets }, [...at, 'websocket'], at, raw)
    } else this.#omit(at, `is a transport of the type ${String(type)}`)
  }

  /** The services of a port for HTTP: one WebSocket path and long polls, beside one another. */
  async #web(endpoint: Made, paths: Dict, place: Place, at: Place, rawSocket: boolean): Promise<void> {
    let socket: Made | undefined
    let longPoll: Made | undefined
    for (const [path, each] of Object.entries(paths)) {
      const service = asDict(each)
      const here = [...place, path]
      if (service['type'] === 'websocket' && !socket) {
        this.rest(service, here, ['type', 'url', 'auth', 'options', 'serializers', 'debug', 'cookie'])
        socket = { ...this.#webSocket(service, here), path: `/${path.replace(/^\//, '')}` }
        await this.#authOf(service, here)
      } else if (service['type'] === 'websocket')
        this.#omit(here, 'is a second WebSocket path of one port: give it a listener of its own')
      else if (service['type'] === 'longpoll') {
        longPoll = { path: `/${path.replace(/^\//, '')}` }
        this.rest(service, here, ['type', 'options'])
      } else this.#omit(here, `is a web service of the type ${String(service['type'])}: serve it by a web server`)
    }
    if (!socket && !longPoll && !rawSocket) {
      this.#omit(at, 'has no path for WAMP')
      return
    }
    this.#open(endpoint, { ...(socket ?? { type: 'websocket' }), rawSocket, ...(longPoll && { longPoll }) }, at)
  }

  async #listener(endpoint: Made, at: Place, made: Made, transport: Dict): Promise<void> {
    await this.#authOf(transport, at)
    this.#open(endpoint, made, at)
  }

  #open(endpoint: Made, made: Made, at: Place): void {
    if (endpoint['path'] === undefined) {
      this.#listeners.push({ ...made, ...endpoint })
      return
    }
    if (made['type'] !== 'rawsocket') {
      this.#omit([...at, 'endpoint'], 'is WebSocket on a unix socket: clients use RawSocket there')
    }
    const { type: _, path: __, rawSocket: ___, longPoll: ____, origins: _____, compress: ______, ...common } = made
    this.#listeners.push({ type: 'unix', ...endpoint, ...common })
  }

  #endpoint(endpoint: Dict, at: Place): Made {
    if (endpoint['type'] === 'unix') {
      this.rest(endpoint, at, ['type', 'path'])
      return { path: endpoint['path'] }
    }
    this.rest(endpoint, at, ['type', 'port', 'interface', 'tls', 'backlog', 'version', 'shared'])
    const tls = asDict(endpoint['tls'])
    this.rest(tls, [...at, 'tls'], ['key', 'certificate', 'ca_certificates'])
    const [ca, ...others] = asList(tls['ca_certificates'])
    if (others.length > 0) this.#omit([...at, 'tls', 'ca_certificates'], 'has several files: put them into one')
    return {
      port: endpoint['port'],
      // Without an interface Crossbar.io listens on all of them.
      host: endpoint['interface'] ?? '0.0.0.0',
      ...(endpoint['tls'] !== undefined && {
        tls: { cert: tls['certificate'], key: tls['key'], ...(ca !== undefined && { ca, requestCert: true }) },
      }),
    }
  }

  #webSocket(transport: Dict, at: Place): Made {
    const options = asDict(transport['options'])
    this.rest(
      options,
      [...at, 'options'],
      [
        'allowed_origins',
        'max_message_size',
        'max_frame_size',
        'auto_ping_interval',
        'auto_ping_timeout',
        'auto_ping_size',
        'compression',
        'enable_webstatus',
        'allow_null_origin',
        'fail_by_drop',
        'open_handshake_timeout',
        'close_handshake_timeout',
      ],
    )
    const {
      allowed_origins: origins,
      max_message_size: most,
      auto_ping_interval: interval,
      auto_ping_timeout: timeout,
      open_handshake_timeout: handshake,
    } = options
    return {
      type: 'websocket',
      ...this.#serializers(transport, at),
      ...(Array.isArray(origins) && { origins: origins.includes('*') ? '*' : origins }),
      ...(Number(most) > 0 && { maxPayload: most }),
      ...(interval !== undefined && { pingInterval: interval }),
      ...(timeout !== undefined && { pingTimeout: timeout }),
      ...(Number(handshake) > 0 && { helloTimeout: handshake }),
      ...(options['compression'] !== undefined && { compress: true }),
    }
  }

  #serializers(transport: Dict, at: Place): Made {
    if (!Array.isArray(transport['serializers'])) return {}
    const known = transport['serializers'].filter((name) => ['json', 'cbor', 'msgpack'].includes(String(name)))
    if (known.length < transport['serializers'].length) {
      this.#omit([...at, 'serializers'], 'has others than json, cbor and msgpack')
    }
    return known.length > 0 ? { serializers: known } : {}
  }

  async #authOf({ auth }: Dict, at: Place): Promise<void> {
    if (!isDict(auth)) {
      // As in Crossbar.io.
      this.#anonymous = true
      return
    }
    for (const [method, value] of Object.entries(auth)) {
      const place = [...at, 'auth', method]
      const made = await this.#method(method, asDict(value), place)
      if (!made) continue
      const [name, settings] = made
      const before = this.#auth[name] as Made | undefined
      if (before?.['users'] && settings['users']) {
        this.#auth[name] = { ...before, users: { ...asDict(before['users']), ...asDict(settings['users']) } }
      } else if (before && JSON.stringify(before) !== JSON.stringify(settings)) {
        this.#omit(place, 'differs from that of an earlier transport: a realm has one of each method')
      } else this.#auth[name] = settings
    }
  }

  async #method(method: string, value: Dict, at: Place): Promise<[name: string, settings: Made] | undefined> {
    const { type = 'static', authenticator, 'authenticator-realm': realm } = value
    if (method === 'anonymous') return ['anonymous', { role: value['role'] ?? 'anonymous' }]
    if (method === 'cookie') {
      const store = asDict(value['store'])
      if (store['type'] !== undefined && store['type'] !== 'memory')
        this.#omit([...at, 'store'], 'keeps cookies on disk: here a restart forgets the logins')
      return ['cookie', {}]
    }
    if (!['ticket', 'wampcra', 'scram', 'cryptosign', 'tls'].includes(method)) {
      this.#omit(at, 'is a method without a counterpart')
      return undefined
    }
    if (type === 'dynamic' && authenticator !== undefined) {
      return [method, { procedure: authenticator, ...(realm !== undefined && { realm }) }]
    }
    if (type !== 'static') {
      this.#omit(at, `is of the type ${String(type)}: write it as a procedure, or in a program with the library`)
      return undefined
    }
    const users: Made = {}
    for (const [name, principal] of Object.entries(asDict(value['users'] ?? value['principals']))) {
      users[name] = await this.#user(method, asDict(principal), [...at, name])
    }
    return [method, { users }]
  }

  async #user(method: string, { realm, ...user }: Dict, at: Place): Promise<Made> {
    const made: Made = { ...user, ...(realm !== undefined && { realms: [realm] }) }
    if (method === 'ticket') made['ticket'] = secretFrom(user['ticket'])
    if (method === 'wampcra') {
      const secret = secretFrom(user['secret'])
      made['secret'] = secret
      // Crossbar.io has the password there even with a salt, and derives the key itself.
      if (typeof secret === 'string' && typeof user['salt'] === 'string') {
        const { salt, iterations = 1000, keylen = 32 } = user as { salt: string; iterations?: number; keylen?: number }
        Object.assign(made, { iterations, keylen, secret: await deriveCraKey(secret, { salt, iterations, keylen }) })
      } else if (isDict(secret) && user['salt'] !== undefined) {
        this.#omit(
          [...at, 'secret'],
          'is a password in an environment variable with a salt: here it must be the derived key',
        )
      }
    }
    return made
  }
}
