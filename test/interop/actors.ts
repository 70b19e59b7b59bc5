/** A common interface for the Advanced Profile in the three libraries: options, details, progress and canceling. */

import type { CancelMode, Dict, List, Passthru, PublishOptions, RegisterOptions, SubscribeOptions } from 'wampy-ts'
import { Result, WampClient, WampError } from 'wampy-ts'
import type { RouterOptions } from 'wampy-ts/router'
import { type Data, type Format, type Library, OURS, plain, THEIRS } from './peers.ts'
import { Socket } from './socket.ts'
import { openWorld } from './world.ts'

const { default: autobahn } = await import('autobahn')
const { Wampy } = await import('wampy')

/** The arguments of a procedure: `progress` if the library can send something before the result. */
export interface Invoked extends Data {
  readonly details: Dict
  readonly progress: ((...args: unknown[]) => void) | undefined
  /** Only our client has one. */
  readonly signal: AbortSignal | undefined
}

export interface Event extends Data {
  readonly details: Dict
}

export interface Calling {
  readonly result: Promise<Data>
  /** The mode comes from the options. */
  cancel(): void
}

export interface CallOptions {
  readonly disclose_me?: boolean
  readonly timeout?: number
  readonly cancelMode?: CancelMode
  readonly onProgress?: (data: Data) => void
}

export type Endpoint = (invoked: Invoked) => unknown

export interface Held {
  readonly id: number
  /** Resolves to the reason when the router revoked it, if the library reports that. */
  readonly revoked: Promise<string | undefined>
}

/** A joined client of one of the libraries. */
export interface Actor {
  readonly id: number
  call(procedure: string, args?: List, kwargs?: Dict, options?: CallOptions): Calling
  /** The first positional result. */
  ask(procedure: string, args?: List, kwargs?: Dict, options?: CallOptions): Promise<unknown>
  /** The return value of the endpoint is the one positional result. */
  register(procedure: string, endpoint: Endpoint, options?: RegisterOptions): Promise<Held>
  /** Acknowledged; resolves to the publication's id. */
  publish(topic: string, args?: List, options?: PublishOptions): Promise<number>
  subscribe(topic: string, handler: (event: Event) => void, options?: SubscribeOptions): Promise<Held>
  /** Leaves: our client with GOODBYE, the others by cutting the connection. */
  go(): void
}

/** A router, and functions that join it. */
export interface Stage extends AsyncDisposable {
  readonly url: string
  join(library: Library, codecs?: Passthru): Promise<Actor>
  joinOurs(codecs?: Passthru): Promise<WampClient>
  joinWampy(): Promise<InstanceType<typeof Wampy>>
  joinAutobahn(): Promise<import('autobahn').Session>
}

export async function openStage(format: Format, options: RouterOptions = {}): Promise<Stage> {
  const world = await openWorld({ controlOthers: true, ...options })
  const leaving: (() => Promise<unknown>)[] = []
  const complaints: unknown[] = []
  const { url } = world

  async function joinOurs(codecs?: Passthru): Promise<WampClient> {
    const client = new WampClient({
      router: url,
      serializers: [OURS[format]],
      reconnect: false,
      ...(codecs && { codecs }),
    })
    client.on('error', (error) => {
      if (!WampError.is(error)) complaints.push(error)
    })
    await client.start()
    leaving.push(() => client.stop())
    return client
  }

  async function joinWampy(): Promise<InstanceType<typeof Wampy>> {
    const wampy = new Wampy(url, {
      realm: 'realm1',
      serializer: new THEIRS.wampy[format](),
      payloadSerializers: {
        json: new THEIRS.wampy.json(),
        cbor: new THEIRS.wampy.cbor(),
        msgpack: new THEIRS.wampy.msgpack(),
      },
      ws: Socket as never,
      autoReconnect: false,
    })
    await wampy.connect()
    const socket = Socket.last as Socket
    leaving.push(async () => {
      if (socket.readyState === socket.OPEN) await wampy.disconnect()
    })
    return wampy
  }

  async function joinAutobahn(): Promise<import('autobahn').Session> {
    const connection = new autobahn.Connection({
      url,
      realm: 'realm1',
      serializers: [new THEIRS.autobahn[format]()],
      max_retries: 0,
      // Its own promises, because the platform's have no progress.
      use_es6_promises: false,
      on_user_error: () => {},
      on_internal_error: (error) => complaints.push(error),
    })
    const closed = new Promise<void>((resolve) => {
      connection.onclose = () => resolve()
    })
    const session = await new Promise<import('autobahn').Session>((resolve) => {
      connection.onopen = resolve
      connection.open()
    })
    leaving.push(async () => {
      if (connection.isConnected) connection.close()
      await closed
    })
    return session
  }

  return {
    url,
    joinOurs,
    joinWampy,
    joinAutobahn,
    async join(library, codecs) {
      if (library === 'wampy-ts') return ours(await joinOurs(codecs))
      if (library === 'wampy') return wampyActor(await joinWampy(), Socket.last as Socket)
      return autobahnActor(await joinAutobahn(), Socket.last as Socket)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(leaving.map((leave) => leave()))
      await world[Symbol.asyncDispose]()
      if (complaints.length > 0) throw new Error('complaints of the protocol', { cause: complaints })
    },
  }
}

const never = new Promise<undefined>(() => {})

function ours(client: WampClient): Actor {
  const call: Actor['call'] = (procedure, args, kwargs, { onProgress, ...options } = {}) => {
    const stop = new AbortController()
    const calling = client.callRaw(procedure, args, kwargs, {
      ...options,
      ...(onProgress && { onProgress: (args, kwargs) => onProgress({ args, kwargs }) }),
      signal: stop.signal,
    })
    return {
      result: calling.then(({ args, kwargs }) => ({ args, kwargs })),
      cancel: () => stop.abort(),
    }
  }
  return {
    id: client.session.id,
    call,
    ask: (...all) => call(...all).result.then(({ args }) => args[0]),
    register: async (procedure, endpoint, options) => {
      const registration = await client.register(
        procedure,
        async (args, kwargs, details, invocation) =>
          new Result([
            await endpoint({
              args,
              kwargs,
              details,
              progress: invocation.wantsProgress ? (...parts) => void invocation.progress(parts) : undefined,
              signal: invocation.signal,
            }),
          ]),
        options,
      )
      return { id: registration.id as number, revoked: never }
    },
    publish: async (topic, args, options) =>
      (await client.publish(topic, args, {}, { ...options, acknowledge: true })) as number,
    subscribe: async (topic, handler, options) => {
      const held = await client.subscribe(
        topic,
        (args, kwargs, details) => handler({ args, kwargs, details: { ...details } }),
        options,
      )
      return { id: held.id as number, revoked: never }
    },
    go: () => void client.stop(),
  }
}

function autobahnActor(session: import('autobahn').Session, socket: Socket): Actor {
  const call: Actor['call'] = (procedure, args, kwargs, { onProgress, cancelMode: mode, ...options } = {}) => {
    const asked = { ...options, ...(onProgress && { receive_progress: true }) }
    const calling = session.call(procedure, args, kwargs, asked)
    return {
      // A promise of the platform, because its own warn of rejections that are handled later.
      result: new Promise((resolve, reject) => {
        calling.then(
          (result) => resolve(dataOf(result)),
          (error) => reject(new WampError(error.error, [...error.args], error.kwargs)),
          (part) => onProgress?.(dataOf(part)),
        )
      }),
      cancel: () => calling.cancel({ mode }),
    }
  }
  return {
    id: Number(session.id),
    call,
    ask: (...all) => call(...all).result.then(({ args }) => args[0]),
    register: async (procedure, endpoint, options) => {
      const registration = await session.register(
        procedure,
        async (args, kwargs, details) => {
          const progress = details['progress'] as ((args: List) => void) | null
          try {
            return new autobahn.Result([
              await endpoint({
                ...data(args, kwargs),
                details: plain({ ...details, progress: undefined }) as Dict,
                progress: progress ? (...parts) => progress(parts) : undefined,
                signal: undefined,
              }),
            ])
          } catch (error) {
            if (!WampError.is(error)) throw error
            throw new autobahn.Error(error.uri, error.args, error.kwargs)
          }
        },
        options,
      )
      const revoked = new Promise<string | undefined>((resolve) => void registration.on_unregister.then(resolve))
      return { id: Number(registration.id), revoked }
    },
    publish: async (topic, args, options) => {
      const published = await session.publish(topic, args, {}, { ...options, acknowledge: true })
      return Number(published?.id)
    },
    subscribe: async (topic, handler, options) => {
      const held = await session.subscribe(
        topic,
        (args, kwargs, details) => handler({ ...data(args, kwargs), details: plain({ ...details }) as Dict }),
        options,
      )
      const revoked = new Promise<string | undefined>((resolve) => void held.on_unsubscribe.then(resolve))
      return { id: Number(held.id), revoked }
    },
    go: () => socket.terminate(),
  }

  function dataOf(result: unknown): Data {
    if (result instanceof autobahn.Result) return data(result.args, result.kwargs)
    return data(result === null ? [] : [result])
  }
}

function wampyActor(wampy: InstanceType<typeof Wampy>, socket: Socket): Actor {
  const call: Actor['call'] = (procedure, args = [], kwargs = {}, given = {}) => {
    const { onProgress, cancelMode: mode = 'killnowait', ...options } = given
    const progress_callback = ({ argsList, argsDict }: { argsList?: unknown[]; argsDict?: Record<string, unknown> }) =>
      onProgress?.(data(argsList, argsDict))
    const calling = wampy.call(
      procedure,
      { argsList: [...args], argsDict: { ...kwargs } },
      { ...options, ...(onProgress && { progress_callback }) },
    )
    const { reqId } = wampy.getOpStatus()
    return {
      result: calling.then(({ argsList, argsDict }) => data(argsList, argsDict), rethrown),
      cancel: () => void wampy.cancel(reqId, { mode }),
    }
  }
  return {
    id: Number(wampy.getSessionId()),
    call,
    ask: (...all) => call(...all).result.then(({ args }) => args[0]),
    register: async (procedure, endpoint, options) => {
      const { registrationId } = await wampy.register(
        procedure,
        async ({ argsList, argsDict, details, result_handler }) => {
          const result = await endpoint({
            ...data(argsList, argsDict),
            details: plain(details) as Dict,
            progress: details['receive_progress']
              ? (...parts) => result_handler({ argsList: parts, options: { progress: true } })
              : undefined,
            signal: undefined,
          })
          return { argsList: [result] }
        },
        { ...options } as Record<string, unknown>,
      )
      return { id: Number(registrationId), revoked: never }
    },
    publish: async (topic, args = [], options = {}) => {
      const { publicationId } = await wampy
        .publish(topic, { argsList: [...args] }, { ...options } as Record<string, unknown>)
        .catch(rethrown)
      return Number(publicationId)
    },
    subscribe: async (topic, handler, options) => {
      const { subscriptionId } = await wampy.subscribe(
        topic,
        ({ argsList, argsDict, details }) => handler({ ...data(argsList, argsDict), details: plain(details) as Dict }),
        { ...options } as Record<string, unknown>,
      )
      return { id: Number(subscriptionId), revoked: never }
    },
    go: () => socket.terminate(),
  }

  function rethrown(error: { errorUri?: string; argsList?: List; argsDict?: Dict }): never {
    if (!error.errorUri) throw error
    throw new WampError(error.errorUri, [...(error.argsList ?? [])], error.argsDict)
  }
}

function data(args: List = [], kwargs: Dict = {}): Data {
  return { args: plain(args) as List, kwargs: plain(kwargs) as Dict }
}

/** Values in order of arrival, awaited if necessary. */
export class Inbox<T> {
  readonly waiting: T[] = []
  #wake: ((item: T) => void) | undefined

  readonly push = (item: T): void => {
    const wake = this.#wake
    this.#wake = undefined
    if (wake) wake(item)
    else this.waiting.push(item)
  }

  next(): Promise<T> {
    if (this.waiting.length > 0) return Promise.resolve(this.waiting.shift() as T)
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
