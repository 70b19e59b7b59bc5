/** A common interface for all clients in these tests: ours, the published `autobahn` and `wampy`. */

import type { Dict, List, Serializer } from 'wampy-ts'
import { json, Result, WampClient, WampError } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { Socket } from './socket.ts'

// autobahn 26 takes the platform's, which Node 20 lacks; the tests inspect the sockets on every version.
Object.assign(globalThis, { WebSocket: Socket })
const { default: autobahn } = await import('autobahn')
const { Wampy } = await import('wampy')
const { CborSerializer } = await import('wampy/CborSerializer.js')
const { JsonSerializer } = await import('wampy/JsonSerializer.js')
const { MsgpackSerializer } = await import('wampy/MsgpackSerializer.js')

// It logs every connection that closes.
autobahn.log.warn = () => {}

export const FORMATS = ['json', 'cbor', 'msgpack'] as const
export type Format = (typeof FORMATS)[number]
export const LIBRARIES = ['wampy-ts', 'autobahn', 'wampy'] as const
export type Library = (typeof LIBRARIES)[number]

/** args and kwargs; both present, even if the library omits an absent one. */
export interface Data {
  readonly args: List
  readonly kwargs: Dict
}

export type Procedure = (data: Data) => Data | Promise<Data>

export interface PublishOptions {
  readonly acknowledge?: boolean
  readonly exclude_me?: boolean
}

/** A joined client. Failures are WampErrors on both sides, whatever the library's own errors are. */
export interface Peer {
  readonly library: Library
  call(procedure: string, args?: List, kwargs?: Dict): Promise<Data>
  /** Resolves to a function that ends it. */
  register(procedure: string, endpoint: Procedure): Promise<() => Promise<unknown>>
  /** Resolves to the id of an acknowledged publication. */
  publish(topic: string, args?: List, kwargs?: Dict, options?: PublishOptions): Promise<number | undefined>
  /** Resolves to a function that ends it. */
  subscribe(topic: string, handler: (data: Data) => void): Promise<() => Promise<unknown>>
  /** Leaves with GOODBYE. */
  leave(): Promise<void>
  /** Resolves to the reason when the router ended the session. */
  readonly ended: Promise<string | undefined>
  /** Protocol errors that the library reported. */
  readonly complaints: unknown[]
}

/** Credentials of a client of a library other than ours. */
export interface Login {
  readonly authmethods: readonly string[]
  readonly authid?: string
  readonly authextra?: Dict
  /** The signature for a CHALLENGE, by the library itself. */
  readonly answer?: (method: string, extra: Dict) => string | Promise<string>
}

/** A client of a library that the tests know only by name, and its socket. */
export interface Foreign extends Peer {
  readonly socket: Socket
}

export const OURS: Record<Format, Serializer> = { json, cbor, msgpack }

export const THEIRS = {
  autobahn: {
    json: autobahn.serializer.JSONSerializer,
    cbor: autobahn.serializer.CBORSerializer,
    msgpack: autobahn.serializer.MsgpackSerializer,
  },
  wampy: { json: JsonSerializer, cbor: CborSerializer, msgpack: MsgpackSerializer },
} as const

export function join(library: Library, url: string, format: Format = 'json', realm = 'realm1'): Promise<Peer> {
  return library === 'wampy-ts' ? joinOurs(url, format, realm) : joinForeign(library, url, format, undefined, realm)
}

/** Joins with a library other than ours. */
export function joinForeign(
  library: Exclude<Library, 'wampy-ts'>,
  url: string,
  format: Format = 'json',
  login?: Login,
  realm = 'realm1',
): Promise<Foreign> {
  return library === 'autobahn' ? joinAutobahn(url, format, realm, login) : joinWampy(url, format, realm, login)
}

async function joinOurs(url: string, format: Format, realm: string): Promise<Peer> {
  const client = new WampClient({ router: url, realm, serializers: [OURS[format]], reconnect: false })
  const complaints: unknown[] = []
  client.on('error', (error) => {
    if (!WampError.is(error)) complaints.push(error)
  })
  const ended = new Promise<string | undefined>((resolve) => client.on('stopped', (cause) => resolve(cause?.uri)))
  await client.start()
  return {
    library: 'wampy-ts',
    complaints,
    ended,
    call: (procedure, args, kwargs) => client.callRaw(procedure, args, kwargs),
    register: async (procedure, endpoint) => {
      const registration = await client.register(procedure, async (args, kwargs) => {
        const { args: results, kwargs: named } = await endpoint({ args, kwargs })
        return new Result(results, Object.keys(named).length > 0 ? named : undefined)
      })
      return () => registration.unregister()
    },
    publish: (topic, args, kwargs, options) => client.publish(topic, args, kwargs, { ...options }),
    subscribe: async (topic, handler) => {
      const subscription = await client.subscribe(topic, (args, kwargs) => handler({ args, kwargs }))
      return () => subscription.unsubscribe()
    },
    leave: () => client.stop(),
  }
}

async function joinAutobahn(url: string, format: Format, realm: string, login?: Login): Promise<Foreign> {
  const complaints: unknown[] = []
  const { answer, ...offered } = login ?? {}
  const connection = new autobahn.Connection({
    url,
    realm,
    serializers: [new THEIRS.autobahn[format]()],
    max_retries: 0,
    use_es6_promises: true,
    on_user_error: () => {},
    on_internal_error: (error) => complaints.push(error),
    ...offered,
    ...(answer && { onchallenge: (_, method, extra) => answer(method, extra) }),
  })
  let close: (reason: string | undefined) => void
  const ended = new Promise<string | undefined>((resolve) => {
    close = resolve
  })
  const session = await new Promise<import('autobahn').Session>((resolve, reject) => {
    connection.onopen = resolve
    connection.onclose = (reason, details) => {
      reject(new WampError(details.reason ?? reason, [details.message]))
      close(details.reason ?? undefined)
    }
    connection.open()
  })
  const socket = Socket.last as Socket
  return {
    library: 'autobahn',
    complaints,
    ended,
    socket,
    call: (procedure, args, kwargs) =>
      session.call(procedure, args, kwargs).then((result) => {
        if (result instanceof autobahn.Result) return data(result.args, result.kwargs)
        return data(result === null ? [] : [result])
      }, rethrown),
    register: async (procedure, endpoint) => {
      const registration = await session
        .register(procedure, async (args, kwargs) => {
          try {
            const result = await endpoint(data(args, kwargs))
            return new autobahn.Result(result.args, result.kwargs)
          } catch (error) {
            if (!WampError.is(error)) throw error
            throw new autobahn.Error(error.uri, error.args, error.kwargs)
          }
        })
        .catch(rethrown)
      return () => session.unregister(registration)
    },
    publish: async (topic, args, kwargs, options) => {
      const published = await session.publish(topic, args, kwargs, { ...options })?.catch(rethrown)
      return published && Number(published.id)
    },
    subscribe: async (topic, handler) => {
      const subscription = await session.subscribe(topic, (args, kwargs) => handler(data(args, kwargs))).catch(rethrown)
      return () => session.unsubscribe(subscription)
    },
    leave: async () => {
      if (connection.isConnected) connection.close()
      await ended
    },
  }

  function rethrown(error: { error: string; args?: List; kwargs?: Dict }): never {
    throw new WampError(error.error, ...values(error.args, error.kwargs))
  }
}

async function joinWampy(url: string, format: Format, realm: string, login?: Login): Promise<Foreign> {
  const complaints: unknown[] = []
  // It sends none of them without the others.
  const { answer = () => '', authid = 'unused', ...offered } = login ?? {}
  let close: (reason: string | undefined) => void
  const ended = new Promise<string | undefined>((resolve) => {
    close = resolve
  })
  const wampy = new Wampy(url, {
    realm,
    serializer: new THEIRS.wampy[format](),
    ws: Socket as never,
    autoReconnect: false,
    onError: (error) => void complaints.push(error),
    // It does not report the reason.
    onClose: () => close(undefined),
    ...(login && { ...(offered as { authmethods?: string[] }), authid, onChallenge: answer as never }),
  })
  await wampy.connect().catch(rethrown)
  const socket = Socket.last as Socket
  return {
    library: 'wampy',
    complaints,
    ended,
    socket,
    call: async (procedure, args, kwargs) => {
      const result = await wampy.call(procedure, payload(args, kwargs)).catch(rethrown)
      return data(result.argsList, result.argsDict)
    },
    register: async (procedure, endpoint) => {
      await wampy
        .register(procedure, async ({ argsList, argsDict }) => {
          try {
            const result = await endpoint(data(argsList, argsDict))
            return payload(result.args, Object.keys(result.kwargs).length > 0 ? result.kwargs : undefined)
          } catch (error) {
            if (!WampError.is(error)) throw error
            throw { error: error.uri, ...payload(error.args, error.kwargs) }
          }
        })
        .catch(rethrown)
      return () => wampy.unregister(procedure)
    },
    // It always requests an acknowledgement.
    publish: async (topic, args, kwargs) =>
      Number((await wampy.publish(topic, payload(args, kwargs)).catch(rethrown)).publicationId),
    subscribe: async (topic, handler) => {
      const { subscriptionKey } = await wampy
        .subscribe(topic, ({ argsList, argsDict }) => handler(data(argsList, argsDict)))
        .catch(rethrown)
      return () => wampy.unsubscribe(subscriptionKey)
    },
    leave: async () => {
      await wampy.disconnect()
    },
  }

  function payload(args: List = [], kwargs?: Dict) {
    return { argsList: [...args], ...(kwargs && { argsDict: { ...kwargs } }) }
  }

  function rethrown(error: { errorUri?: string; argsList?: List; argsDict?: Dict; details?: Dict }): never {
    if (!error.errorUri) throw error
    const { argsList = error.details && [error.details['message']], argsDict } = error
    throw new WampError(error.errorUri, ...values(argsList, argsDict))
  }
}

function data(args?: List, kwargs?: Dict): Data {
  const [list, dict] = values(args, kwargs)
  return { args: list, kwargs: dict }
}

function values(args: List = [], kwargs: Dict = {}): [List, Dict] {
  return [plain(args) as List, plain(kwargs) as Dict]
}

/** Some codecs decode every integer of 64 bits to a bigint, and bytes to a Buffer. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
