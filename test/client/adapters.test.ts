/** The adapter interfaces, implemented here with public types only: a dial, a transport, a WebSocket class. */

import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type CloseInfo,
  CONNECTION_FAILED,
  type Dial,
  type Frame,
  json,
  RpcClient,
  rpc,
  type Serializer,
  type Transport,
  type TransportSink,
  WampClient,
  WampError,
  WampRouter,
  type WebSocketClass,
  webSocketDial,
} from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { dial as nodeDial, serve } from 'wampy-ts/node'
import { framed, Router } from 'wampy-ts/router'
import WebSocket from 'ws'
import { clientOf, failure, leavesNothing, next, until, uri } from './support.ts'

leavesNothing()

/** One end of a pipe between two objects, like a MessagePort or a data channel. */
class Pipe implements Transport {
  readonly backlog = 0
  other!: Pipe
  #sink: TransportSink | undefined
  #held: Frame[] = []
  #end: CloseInfo | undefined
  #closing = false

  constructor(readonly protocol: string) {}

  static pair(protocol: string): [Pipe, Pipe] {
    const [a, b] = [new Pipe(protocol), new Pipe(protocol)]
    a.other = b
    b.other = a
    return [a, b]
  }

  open(sink: TransportSink): void {
    this.#sink = sink
    for (const frame of this.#held.splice(0)) sink.frame(frame)
    if (this.#end) sink.closed(this.#end)
  }

  send(frame: Frame): void {
    if (this.#closing) return
    queueMicrotask(() => this.other.#arrive(frame))
  }

  close(code = 1000, reason = ''): void {
    this.#finish({ code, reason })
    queueMicrotask(() => this.other.#finish({ code, reason }))
  }

  terminate(): void {
    this.close(1006)
  }

  #arrive(frame: Frame): void {
    if (this.#closing) return
    if (this.#sink) this.#sink.frame(frame)
    else this.#held.push(frame)
  }

  #finish(info: CloseInfo): void {
    if (this.#closing) return
    this.#closing = true
    this.#end = info
    this.#sink?.closed(info)
  }
}

const SERIALIZERS: Serializer[] = [json, cbor, msgpack]

/** A dial to a router of this process over pipes, which records its arguments. */
function piping(router: Router, speaks: readonly string[] = ['json']) {
  const asked: { url: string; protocols: readonly string[] }[] = []
  const pipes: Pipe[] = []
  const dial: Dial = async (url, protocols, signal) => {
    signal.throwIfAborted()
    asked.push({ url, protocols })
    const chosen = protocols.find((protocol) => speaks.some((name) => protocol === `wamp.2.${name}`))
    if (!chosen) throw new WampError(CONNECTION_FAILED, ['nothing in common'])
    const [ours, theirs] = Pipe.pair(chosen)
    const serializer = SERIALIZERS.find(({ name }) => chosen === `wamp.2.${name}`) as Serializer
    router.attach(framed(theirs, serializer))
    pipes.push(ours)
    return ours
  }
  return { dial, asked, pipes }
}

class DateService extends WampClient {
  @rpc getTodaysDate(): string {
    return '2016-05-15'
  }
}

describe('a user-defined dial', () => {
  test('carries calls, and receives the address and the offered subprotocols', async () => {
    const router = new Router()
    const { dial, asked } = piping(router)
    const at = new WampRouter({ url: 'ws://example.com/ws', dial })
    await using service = new DateService({ router: at })
    await service.start()
    await using client = new RpcClient<DateService>({ router: at })
    expect(await client.rpc.getTodaysDate()).toBe('2016-05-15')
    expect(asked[0]).toEqual({ url: 'ws://example.com/ws', protocols: ['wamp.2.json'] })
  })

  test('is dialed again after a loss', async () => {
    const router = new Router()
    const { dial, pipes } = piping(router)
    const service = new DateService({ router: new WampRouter({ dial }), reconnect: { initial: 1 } })
    onTestFinished(() => service.stop())
    await service.start()
    const ready = next(service, 'ready')
    pipes[0]?.terminate()
    await ready
    expect(pipes).toHaveLength(2)
    expect(router.stats()).toMatchObject({ sessions: 1, registrations: 1 })
  })

  test('chooses among the offered serializers, in order of preference', async () => {
    const router = new Router()
    for (const [serializers, speaks, chosen] of [
      [[json], ['json', 'cbor'], 'wamp.2.json'],
      [[cbor, msgpack, json], ['json', 'cbor', 'msgpack'], 'wamp.2.cbor'],
      [[cbor, msgpack, json], ['json', 'msgpack'], 'wamp.2.msgpack'],
      [[msgpack, json], ['json'], 'wamp.2.json'],
    ] as const) {
      const { dial, asked, pipes } = piping(router, speaks)
      await using client = new WampClient({ router: new WampRouter({ dial }), serializers })
      await client.start()
      expect(asked[0]?.protocols).toEqual(serializers.map(({ name }) => `wamp.2.${name}`))
      expect(pipes[0]?.protocol).toBe(chosen)
      await client.register('com.example.echo', ([value]) => value)
      const value = { bytes: new Uint8Array([1, 2]), text: 'ü', big: 2 ** 53 }
      expect(await client.call('com.example.echo', [value])).toEqual(value)
    }
  })

  test('that chooses a subprotocol that was not offered is refused, and its transport is closed', async () => {
    const [ours, theirs] = Pipe.pair('wamp.2.flatbuffers')
    const closed = new Promise((resolve) => theirs.open({ frame() {}, closed: resolve }))
    const client = clientOf(new WampRouter({ dial: async () => ours }), { reconnect: false })
    await expect(client.start()).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: expect.stringMatching(/chose the subprotocol wamp.2.flatbuffers, which was not offered \(wamp.2.json\)/),
    })
    await closed
  })

  test('that rejects with any value fails the connection', async () => {
    for (const reason of [new Error('no route'), 'no route']) {
      const dial: Dial = () => Promise.reject(reason)
      const client = clientOf(new WampRouter({ dial }), { reconnect: false })
      const error = (await failure(client.start())) as WampError
      expect(error).toMatchObject({ uri: CONNECTION_FAILED, cause: reason })
      expect(error.message).toMatch(/no route/)
    }
  })

  test('that throws synchronously fails the connection as well', async () => {
    const dial = (() => {
      throw new Error('broken')
    }) as Dial
    const client = clientOf(new WampRouter({ dial }), { reconnect: false })
    expect(await failure(client.start())).toEqual(uri(CONNECTION_FAILED))
  })
})

describe('over real sockets', () => {
  const open = async (options: Parameters<typeof serve>[1] = {}) => {
    const router = new Router()
    const served = await serve(router, { port: 0, ...options })
    onTestFinished(async () => {
      await router.close()
      await served.close()
    })
    return { router, url: served.url }
  }

  test('a user-defined WebSocket class is used', async () => {
    const { url } = await open()
    let made = 0
    class Counting extends WebSocket {
      constructor(address: string, protocols?: string | string[]) {
        super(address, protocols)
        made++
      }
    }
    await using client = new WampClient({ router: new WampRouter({ url, webSocket: Counting as WebSocketClass }) })
    await client.start()
    expect(made).toBe(1)
    expect(client.state).toBe('ready')
  })

  test('a class with only the members of the W3C interface is enough', async () => {
    const { url } = await open()
    class Bare {
      readonly #socket: WebSocket
      onopen: (() => void) | null = null
      onmessage: ((event: { data: unknown }) => void) | null = null
      onerror: ((event: unknown) => void) | null = null
      onclose: ((event: { code: number; reason: string }) => void) | null = null

      constructor(address: string, protocols?: string | string[]) {
        this.#socket = new WebSocket(address, protocols)
        this.#socket.onopen = () => this.onopen?.()
        this.#socket.onmessage = ({ data }) => this.onmessage?.({ data })
        this.#socket.onerror = (event) => this.onerror?.(event)
        this.#socket.onclose = ({ code, reason }) => this.onclose?.({ code, reason })
      }
      get binaryType(): string {
        return this.#socket.binaryType
      }
      set binaryType(type: string) {
        this.#socket.binaryType = type as 'arraybuffer'
      }
      get protocol(): string {
        return this.#socket.protocol
      }
      get readyState(): number {
        return this.#socket.readyState
      }
      get bufferedAmount(): number {
        return this.#socket.bufferedAmount
      }
      send(data: string | Uint8Array): void {
        this.#socket.send(data)
      }
      close(code?: number, reason?: string): void {
        this.#socket.close(code, reason)
      }
    }
    const dial = webSocketDial({ webSocket: Bare as unknown as WebSocketClass })
    for (const serializer of SERIALIZERS) {
      await using client = new WampClient({ router: new WampRouter({ url, dial }), serializers: [serializer] })
      await client.start()
      await client.register('com.example.echo', ([value]) => value)
      expect(await client.call('com.example.echo', [new Uint8Array([7])])).toEqual(new Uint8Array([7]))
    }
  })

  test('the serializer is negotiated with the router', async () => {
    const { url } = await open({ serializers: [msgpack, json] })
    const chosen: string[] = []
    const dial: Dial = async (...args) => {
      const transport = await webSocketDial()(...args)
      chosen.push(transport.protocol)
      return transport
    }
    for (const serializers of [
      [cbor, msgpack],
      [json, msgpack],
      [msgpack, json],
    ]) {
      await using client = new WampClient({ router: new WampRouter({ url, dial }), serializers })
      await client.start()
    }
    expect(chosen).toEqual(['wamp.2.msgpack', 'wamp.2.json', 'wamp.2.msgpack'])
    const stranger = clientOf(url, { serializers: [cbor], reconnect: false })
    await expect(stranger.start()).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: expect.stringMatching(/speaks wamp\.2\.cbor/),
    })
  })

  test('the dial of wampy-ts/node sends headers', async () => {
    const { url, router } = await open()
    await using client = new WampClient({
      router: new WampRouter({ url, dial: nodeDial({ headers: { cookie: 'a=b' } }) }),
    })
    await client.start()
    expect(router.stats().sessions).toBe(1)
  })

  test('a wrong path, or a server that is not a router, fails with a hint', async () => {
    const { url } = await open()
    const nowhere = clientOf(url.replace('/ws', '/elsewhere'), { reconnect: false })
    await expect(nowhere.start()).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: expect.stringMatching(
        /the server answered 404 Not Found; check that a router listens there, at this path/,
      ),
    })
  })

  test('the socket is closed by stop()', async () => {
    const { url, router } = await open()
    const client = clientOf(url)
    await client.start()
    await client.stop()
    await until(() => router.links === 0)
  })
})

test('a client connects to the Router of its process without encoding to bytes', async () => {
  const router = new Router({ realms: ['com.example.realm'] })
  await using service = new DateService({ router, realm: 'com.example.realm' })
  await service.start()
  await using client = new RpcClient<DateService>({ router, realm: 'com.example.realm' })
  expect(await client.rpc.getTodaysDate()).toBe('2016-05-15')
})
