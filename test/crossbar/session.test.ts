/** Our client through Crossbar.io: the console session of the documentation, and every role in every serializer. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ClientOptions,
  DEFAULT_REALM,
  DEFAULT_ROLES,
  getRegisteredEntrypoints,
  json,
  Result,
  RpcClient,
  rpc,
  subscribe,
  WampClient,
  WampError,
  WampRouter,
} from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { type Format, join } from '../interop/peers.ts'
import { BYTES, INTEGERS, NESTED, UNICODE } from '../interop/samples.ts'
import { type Crossbar, startCrossbar } from './crossbar.ts'

let crossbar: Crossbar
beforeAll(async () => {
  crossbar = await startCrossbar()
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())

const SERIALIZERS = { json, cbor, msgpack } as const
const FORMATS = Object.keys(SERIALIZERS) as Format[]

/** Clients that have joined. */
async function joined(format: Format, count: number, options: ClientOptions = {}): Promise<WampClient[]> {
  const make = () =>
    new WampClient({ reconnect: false, ...options, router: crossbar.url, serializers: [SERIALIZERS[format]] })
  const clients = Array.from({ length: count }, make)
  await Promise.all(clients.map((client) => client.start()))
  return clients
}

async function left(...clients: readonly WampClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.stop()))
}

class DateService extends WampClient {
  @rpc
  getTodaysDate(): string {
    return new Date().toISOString().slice(0, 10)
  }

  readonly ticks: unknown[] = []

  @subscribe('com.example.tick')
  onTick(count: number): void {
    this.ticks.push(count)
  }
}

test('the console session', async () => {
  const router = new WampRouter({
    name: 'Crossbar',
    host: crossbar.host,
    port: String(crossbar.port),
    realm: DEFAULT_REALM,
  })
  const service = new DateService({ name: 'Date Service', router, realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
  await service.start()
  expect(service.session.id).toBeGreaterThan(0)
  expect(Number.isSafeInteger(service.session.id)).toBe(true)
  expect(service.session).toMatchObject({ realm: 'realm1', authrole: 'anonymous' })

  const entrypoints = getRegisteredEntrypoints()
  const [id] = [...entrypoints.keys()]
  expect([...entrypoints.values()]).toEqual([[DateService, 'getTodaysDate']])
  expect(service.registrations[0]).toMatchObject({ id, uri: 'getTodaysDate', state: 'active' })

  const client = new RpcClient<DateService>({ name: 'Caller', router })
  expect(await client.rpc.getTodaysDate()).toBe(new Date().toISOString().slice(0, 10))
  await client.publish('com.example.tick', [1], undefined, { acknowledge: true })
  await expect.poll(() => service.ticks, { interval: 5 }).toEqual([1])

  await client.stop()
  await service.stop()
  expect(getRegisteredEntrypoints().size).toBe(0)
  expect([service.state, client.state]).toEqual(['stopped', 'stopped'])
})

test('a service starts again after a stop', async () => {
  const service = new DateService({ router: crossbar.url })
  const client = new RpcClient<DateService>({ router: crossbar.url })
  for (let i = 0; i < 2; i++) {
    await service.start()
    expect(await client.rpc.getTodaysDate()).toMatch(/^\d{4}-\d\d-\d\d$/)
    await service.stop()
    await expect(client.rpc.getTodaysDate()).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
  }
  await client.stop()
})

test('an unknown realm is fatal at start', async () => {
  const client = new WampClient({ router: crossbar.url, realm: 'com.example.nowhere' })
  const retries: unknown[] = []
  client.on('retry', (retry) => retries.push(retry))
  await expect(client.start()).rejects.toMatchObject({ uri: 'wamp.error.no_such_realm' })
  expect(retries).toEqual([])
  expect(client.state).toBe('stopped')
})

test('a path without WAMP: the error shows the answer of the server', async () => {
  const client = new WampClient({ router: `ws://${crossbar.host}:${crossbar.port}/`, reconnect: false })
  await expect(client.start()).rejects.toMatchObject({ uri: 'wampy.error.connection_failed' })
})

test('the order of preference determines the serializer', async () => {
  const client = new WampClient({ router: crossbar.url, serializers: [msgpack, json] })
  await client.start()
  await client.register('com.echo', (args) => new Result(args))
  // Only a binary serializer sends bytes as bytes; the result shows that the session works at all.
  expect(await client.call('com.echo', [BYTES])).toEqual(BYTES)
  await client.stop()
})

describe.each(FORMATS)('%s', (format) => {
  test('args and kwargs make a round trip', async () => {
    const [caller, callee] = (await joined(format, 2)) as [WampClient, WampClient]
    await callee.register('com.echo', (args, kwargs) => new Result(args, kwargs))
    const kwargs = { unit: 'cm', [UNICODE]: [UNICODE], nested: NESTED }
    expect(await caller.callRaw('com.echo', NESTED, kwargs)).toMatchObject({ args: NESTED, kwargs })
    expect(await caller.callRaw('com.echo')).toMatchObject({ args: [], kwargs: {} })
    expect(await caller.call('com.echo', ['first', 'second'])).toBe('first')
    expect(await caller.callRaw('com.echo', undefined, { only: true })).toMatchObject({
      args: [],
      kwargs: { only: true },
    })
    await left(caller, callee)
  })

  test('numbers of every size are exact, including 64 bits', async () => {
    const [caller, callee] = (await joined(format, 2)) as [WampClient, WampClient]
    const seen: unknown[] = []
    await callee.register('com.echo', (args) => {
      seen.push(args)
      return new Result(args)
    })
    const great = [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n]
    const sent = [...INTEGERS, ...great]
    expect((await caller.callRaw('com.echo', sent)).args).toEqual(sent)
    expect(seen).toEqual([sent])
    await left(caller, callee)
  })

  test('bytes arrive as bytes', async () => {
    const [caller, callee] = (await joined(format, 2)) as [WampClient, WampClient]
    const seen: unknown[] = []
    await callee.register('com.echo', (args, kwargs) => {
      seen.push(args, kwargs)
      return new Result(args, kwargs)
    })
    const sent = { args: [BYTES, new Uint8Array(0)], kwargs: { nested: [BYTES] } }
    expect(await caller.callRaw('com.echo', sent.args, sent.kwargs)).toMatchObject(sent)
    expect(seen).toEqual([sent.args, sent.kwargs])
    await left(caller, callee)
  })

  test('large payloads', async () => {
    const [caller, callee] = (await joined(format, 2)) as [WampClient, WampClient]
    await callee.register('com.echo', (args) => new Result(args))
    for (const size of [70_000, 1_200_000]) {
      const text = UNICODE.repeat(Math.ceil(size / UNICODE.length))
      expect((await caller.call('com.echo', [text])) === text).toBe(true)
    }
    await left(caller, callee)
  })

  test('errors: no callee, an error of the callee, a taken URI', async () => {
    const [caller, callee] = (await joined(format, 2)) as [WampClient, WampClient]
    await expect(caller.call('com.nobody')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    await callee.register('com.book', () => {
      throw new WampError('com.error.sold_out', ['no seats left', 3], { next: UNICODE })
    })
    await callee.register('com.boom', async () => {
      throw new Error('boom')
    })
    callee.on('error', () => {})
    await expect(caller.call('com.book')).rejects.toMatchObject({
      uri: 'com.error.sold_out',
      message: 'no seats left',
      args: ['no seats left', 3],
      kwargs: { next: UNICODE },
    })
    await expect(caller.call('com.boom')).rejects.toMatchObject({ uri: 'wamp.error.runtime_error', message: 'boom' })
    await expect(caller.register('com.book', () => 1)).rejects.toMatchObject({
      uri: 'wamp.error.procedure_already_exists',
    })
    await left(caller, callee)
  })

  test('an unregistered procedure no longer exists', async () => {
    const [caller, callee] = (await joined(format, 2)) as [WampClient, WampClient]
    const registration = await callee.register('com.echo', (args) => new Result(args))
    expect(await caller.call('com.echo', [1])).toBe(1)
    await registration.unregister()
    await expect(caller.call('com.echo', [1])).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    await left(caller, callee)
  })

  test('events: acknowledged, with kwargs, to two handlers of one topic, until both are removed', async () => {
    const [publisher, subscriber] = (await joined(format, 2)) as [WampClient, WampClient]
    const [one, two, end]: [unknown[], unknown[], unknown[]] = [[], [], []]
    const first = await subscriber.subscribe('com.news', (args, kwargs) => one.push([args, kwargs]))
    const second = await subscriber.subscribe('com.news', (args, kwargs, { publication, topic }) =>
      two.push([args, kwargs, publication, topic]),
    )
    expect(first.id).toBe(second.id)
    await subscriber.subscribe('com.end', (args) => end.push(...args))
    const publish = (...args: unknown[]) => publisher.publish('com.news', args, { n: 1 }, { acknowledge: true })
    const finish = async (mark: number) => {
      await publisher.publish('com.end', [mark])
      await expect.poll(() => end.at(-1), { interval: 5 }).toBe(mark)
    }

    const publication = await publish(UNICODE, BYTES)
    expect(Number.isInteger(publication) && (publication as number) >= 1).toBe(true)
    await finish(1)
    expect(one).toEqual([[[UNICODE, BYTES], { n: 1 }]])
    expect(two).toEqual([[[UNICODE, BYTES], { n: 1 }, publication, 'com.news']])

    await first.unsubscribe()
    await publish(2)
    await finish(2)
    expect([one.length, two.length]).toEqual([1, 2])

    await second.unsubscribe()
    await publish(3)
    await finish(3)
    expect([one.length, two.length]).toEqual([1, 2])
    expect(subscriber.dropped.events).toBe(0)
    await left(publisher, subscriber)
  })

  test('a publisher receives its own event only with exclude_me: false', async () => {
    const [client] = (await joined(format, 1)) as [WampClient]
    const heard: unknown[] = []
    await client.subscribe('com.news', (args) => heard.push(...args))
    await client.publish('com.news', ['excluded'], undefined, { acknowledge: true })
    await client.publish('com.news', ['included'], undefined, { acknowledge: true, exclude_me: false })
    await expect.poll(() => heard, { interval: 5 }).toEqual(['included'])
    await left(client)
  })

  test('many concurrent calls get each its own result', async () => {
    const [caller, callee] = (await joined(format, 2)) as [WampClient, WampClient]
    await callee.register('com.double', async ([value]) => (value as number) * 2)
    const numbers = Array.from({ length: 200 }, (_, i) => i)
    const results = await Promise.all(numbers.map((i) => caller.call('com.double', [i])))
    expect(results).toEqual(numbers.map((i) => i * 2))
    await left(caller, callee)
  })

  test('a callee leaves during a call: the caller receives an error', async () => {
    const [caller, callee] = (await joined(format, 2)) as [WampClient, WampClient]
    let invoked: () => void
    const running = new Promise<void>((resolve) => {
      invoked = resolve
    })
    await callee.register('com.never', () => {
      invoked()
      return new Promise(() => {})
    })
    const failed = expect(caller.call('com.never')).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
    await running
    await callee.stop()
    await failed
    await left(caller)
  })

  test('WAMP options are passed on: the caller and the publisher are disclosed', async () => {
    const [one, other] = (await joined(format, 2)) as [WampClient, WampClient]
    await other.register('com.who', (_args, _kwargs, details) => details.caller)
    expect(await one.call('com.who', [], {}, { disclose_me: true })).toBe(one.session.id)
    const publishers: unknown[] = []
    await other.subscribe('com.news', (_args, _kwargs, details) => publishers.push(details.publisher))
    await one.publish('com.news', [], {}, { disclose_me: true, acknowledge: true })
    await expect.poll(() => publishers, { interval: 5 }).toEqual([one.session.id])
    await left(one, other)
  })

  test('our client and autobahn exchange calls and events', async () => {
    const [ours] = (await joined(format, 1)) as [WampClient]
    const theirs = await join('autobahn', crossbar.url, format)
    await ours.register('com.ours', (args, kwargs) => new Result(args, kwargs))
    await theirs.register('com.theirs', (data) => data)
    await theirs.register('com.fails', () => {
      throw new WampError('com.error.theirs', ['no'], { code: 1 })
    })
    const sent = { args: [NESTED, INTEGERS, UNICODE], kwargs: { unicode: UNICODE } }
    expect(await theirs.call('com.ours', sent.args, sent.kwargs)).toMatchObject(sent)
    expect(await ours.callRaw('com.theirs', sent.args, sent.kwargs)).toMatchObject(sent)
    await expect(ours.call('com.fails')).rejects.toMatchObject({ uri: 'com.error.theirs', kwargs: { code: 1 } })

    const [toOurs, toTheirs]: [unknown[], unknown[]] = [[], []]
    await ours.subscribe('com.news', (args, kwargs) => toOurs.push({ args, kwargs }))
    await theirs.subscribe('com.news', (data) => toTheirs.push(data))
    await ours.publish('com.news', sent.args, sent.kwargs)
    await theirs.publish('com.news', sent.args, sent.kwargs)
    await expect.poll(() => [toOurs, toTheirs], { interval: 5 }).toEqual([[sent], [sent]])
    await theirs.leave()
    await left(ours)
    expect(theirs.complaints).toEqual([])
  })
})

test('a JSON caller and CBOR and MessagePack callees exchange bytes and large integers unchanged', async () => {
  const [caller] = (await joined('json', 1)) as [WampClient]
  for (const format of ['cbor', 'msgpack'] as const) {
    const [callee] = (await joined(format, 1)) as [WampClient]
    const seen: unknown[] = []
    await callee.register('com.echo', (args) => {
      seen.push(...args)
      return new Result(args)
    })
    const sent = [BYTES, 2n ** 63n - 1n, UNICODE]
    expect((await caller.callRaw('com.echo', sent)).args).toEqual(sent)
    expect(seen).toEqual(sent)
    await callee.stop()
  }
  await left(caller)
})

test('a draining service answers the call and the stream in progress, and other callees still receive their calls', async () => {
  const [caller, leaving, staying] = (await joined('json', 3)) as [WampClient, WampClient, WampClient]
  let finish = (_answer: string) => {}
  const begun = new Promise<void>((resolve) => {
    void leaving.register('com.example.draining.slow', () => {
      resolve()
      return new Promise((answer) => {
        finish = answer
      })
    })
  })
  let more = () => {}
  const may = new Promise<void>((resolve) => {
    more = resolve
  })
  await leaving.register('com.example.draining.count', async function* () {
    yield 1
    await may
    yield 2
    return 3
  })
  for (const service of [leaving, staying]) {
    await service.register('com.example.draining.shared', () => service === staying, { invoke: 'roundrobin' })
  }
  const slow = caller.call('com.example.draining.slow')
  const counting = caller.progress<number>('com.example.draining.count')
  const parts = [(await counting.next()).value]
  await begun

  const stopped = leaving.stop({ drain: true })
  await expect.poll(() => leaving.registrations.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
  await expect(caller.call('com.example.draining.slow')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
  const shares = await Promise.all(Array.from({ length: 6 }, () => caller.call('com.example.draining.shared')))
  expect(shares).toEqual(shares.map(() => true))
  more()
  finish('done')
  for await (const part of counting) parts.push(part)
  expect([await slow, parts, await counting.result]).toEqual(['done', [1, 2], 3])
  await stopped
  await left(caller, staying)
})
