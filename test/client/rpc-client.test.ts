/** RpcClient: it starts by itself, builds URIs from names, and may be inspected without sending a call. */

import { format, inspect, isDeepStrictEqual } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  CANCELED,
  type Connector,
  NOT_JOINED,
  RpcClient,
  type RpcClientOptions,
  rpc,
  STOPPED,
  TIMEOUT,
  USAGE,
  WampClient,
  WampError,
} from 'wampy-ts'
import { CALL, HELLO, openWorld, PUBLISH, RESULT, SUBSCRIBE, type WireMessage } from 'wampy-ts/testing'
import {
  failure,
  granting,
  leavesNothing,
  next,
  pass,
  stopTheClock,
  until,
  uri,
  WELCOMED,
  type Welcome,
  welcoming,
} from './support.ts'

leavesNothing()

class DateService extends WampClient {
  static prefix = 'com.example'
  @rpc getTodaysDate(): string {
    return '2016-05-15'
  }
  @rpc('com.example.sum') add(a: number, b: number): number {
    return a + b
  }
}

/** A client of a router that answers every call with its URI and arguments. */
function echoing<Service = unknown>(options: RpcClientOptions<Service> = {}, welcome?: Welcome) {
  const router = welcoming(([code, request, , procedure, args, kwargs], peer) => {
    if (code === CALL) peer.send([RESULT, request, {}, [[procedure, args, ...(kwargs ? [kwargs] : [])]]])
  }, welcome)
  const client = new RpcClient<Service>({ router, ...options })
  onTestFinished(() => client.stop())
  const calls = () => router.peers.flatMap(({ received }) => received.filter(([code]) => code === CALL))
  return { router, client, calls }
}

describe('the first call', () => {
  test('starts a client that is not started', async () => {
    const { client, router } = echoing()
    expect(await client.rpc.getTodaysDate()).toEqual(['getTodaysDate', []])
    expect(client.state).toBe('ready')
    expect(router.peers).toHaveLength(1)
  })

  test('starts it through call and callRaw as well', async () => {
    for (const call of [
      (client: RpcClient) => client.call('a.b', [1]),
      (client: RpcClient) => client.callRaw('a.b', [1]).then(({ args }) => args[0]),
    ]) {
      const { client } = echoing()
      expect(await call(client)).toEqual(['a.b', [1]])
    }
  })

  test('and concurrent ones share one session', async () => {
    const { client, router, calls } = echoing()
    const results = await Promise.all([client.rpc.a(), client.rpc.b(), client.call('c', []), client.start()])
    expect(results).toEqual([['a', []], ['b', []], ['c', []], undefined])
    expect(router.peers).toHaveLength(1)
    expect(router.peers[0]?.received.filter(([code]) => code === HELLO)).toHaveLength(1)
    expect(calls()).toHaveLength(3)
  })

  test('and one that follows during the start share the session', async () => {
    const { client, router } = echoing({}, () => undefined)
    const first = client.rpc.a()
    await until(() => router.peers[0]?.received.length === 1)
    expect(client.state).toBe('connecting')
    const second = client.rpc.b()
    router.peers[0]?.send(WELCOMED)
    expect([await first, await second]).toEqual([
      ['a', []],
      ['b', []],
    ])
    expect(router.peers).toHaveLength(1)
  })

  test('is rejected with the reason if the start fails, and the next one tries again', async () => {
    const { client, router } = echoing({ reconnect: false }, (attempt) =>
      attempt === 1 ? [3, {}, 'com.example.full'] : WELCOMED,
    )
    expect(await failure(client.rpc.a())).toEqual(uri('com.example.full'))
    expect(await client.rpc.a()).toEqual(['a', []])
    expect(router.peers).toHaveLength(2)
  })

  test('may end by its signal or timeout without ending the start for others', async () => {
    stopTheClock()
    const { client, router } = echoing({}, () => undefined)
    const controller = new AbortController()
    const canceled = failure(client.with({ signal: controller.signal }).rpc.a())
    const late = failure(client.with({ timeout: 100 }).rpc.b())
    const patient = client.rpc.c()
    await until(() => router.peers[0]?.received.length === 1)
    controller.abort()
    expect(await canceled).toMatchObject({ uri: CANCELED, sent: false })
    await pass(100)
    expect(await late).toMatchObject({ uri: TIMEOUT, sent: false })
    expect(client.state).toBe('connecting')
    router.peers[0]?.send(WELCOMED)
    expect(await patient).toEqual(['c', []])
  })

  test('after stop() starts the client again, as a component that is mounted twice needs it', async () => {
    const { client, router } = echoing()
    await client.rpc.a()
    const stopped = client.stop()
    // During the stop, and after it.
    expect(await client.rpc.a()).toEqual(['a', []])
    await stopped
    await client.stop()
    expect(await client.rpc.a()).toEqual(['a', []])
    expect(router.peers).toHaveLength(3)
    await client.stop()
    await client.publish('a.t')
    expect(client.state).toBe('ready')
  })

  test('waits for its own timeout while the client is connecting, by default 10 seconds', async () => {
    stopTheClock()
    let reachable = false
    const { router } = echoing()
    const connector: Connector = {
      name: 'later',
      async connect(...given) {
        if (reachable) return router.connect(...given)
        throw new WampError('wampy.error.connection_failed', ['nobody is there'])
      },
    }
    const client = new RpcClient({ router: connector, liveness: false })
    onTestFinished(() => client.stop())
    const short = failure(client.with({ timeout: 500 }).rpc.a())
    const usual = failure(client.rpc.a())
    const long = client.with({ timeout: 60_000 }).rpc.a()
    await pass(500)
    expect(await short).toMatchObject({ uri: TIMEOUT, sent: false })
    await pass(9500)
    expect(await usual).toMatchObject({
      uri: 'wampy.error.connection_failed',
      message: 'nobody is there; RpcClient keeps trying until stop()',
      sent: false,
    })
    reachable = true
    await pass(40_000, 1000)
    expect(await long).toEqual(['a', []])
  })

  test('is rejected if stop() follows before it is sent', async () => {
    const { client, calls } = echoing()
    const call = failure(client.rpc.a())
    await client.stop()
    expect(await call).toMatchObject({ uri: STOPPED, sent: false })
    expect(calls()).toEqual([])
  })

  test('does not wait while the connection is lost', async () => {
    const { client, router } = echoing({ reconnect: () => 1_000_000 })
    await client.rpc.a()
    const lost = next(client, 'lost')
    router.peers[0]?.terminate()
    await lost
    expect(await failure(client.rpc.a())).toMatchObject({ uri: NOT_JOINED, sent: false })
  })
})

describe('the first subscription or publication', () => {
  test.each<[string, (client: RpcClient) => Promise<unknown>, WireMessage]>([
    ['subscribe', (client) => client.subscribe('a.t', () => {}), [SUBSCRIBE, 1, {}, 'a.t']],
    ['events', (client) => client.events('a.t').subscription, [SUBSCRIBE, 1, {}, 'a.t']],
    ['publish', (client) => client.publish('a.t', [1]), [PUBLISH, 1, {}, 'a.t', [1]]],
  ])('%s starts a client that is not started', async (_name, begin, sent) => {
    const router = welcoming(granting)
    const client = new RpcClient({ router })
    onTestFinished(() => client.stop())
    await begin(client)
    await until(() => router.peers[0]?.received.length === 2)
    expect(router.peers[0]?.received[1]).toEqual(sent)
    await until(() => client.state === 'ready')
  })

  test('starts one session, with the options of a start() in the same turn', async () => {
    stopTheClock()
    const router = welcoming(granting, () => undefined)
    const client = new RpcClient({ router, connectTimeout: 60_000 })
    onTestFinished(() => client.stop())
    const subscribed = [client.subscribe('a.t', () => {}), client.subscribe('a.u', () => {})]
    const started = client.start({ timeout: 20_000 })
    await pass(15_000, 1000)
    expect(client.state).toBe('connecting')
    router.peers[0]?.send(WELCOMED)
    await Promise.all([started, ...subscribed])
    expect(router.peers).toHaveLength(1)
  })

  test('starts nothing if its arguments are invalid', async () => {
    const { client, router } = echoing()
    expect(await failure(client.subscribe('not a topic', () => {}))).toEqual(uri('wamp.error.invalid_uri'))
    expect(await failure(client.subscribe('a.t', 5 as never))).toEqual(uri(USAGE))
    expect(await failure(client.subscribe('a.t', () => {}, { signal: AbortSignal.abort() }))).toEqual(uri(CANCELED))
    expect(await failure(client.with({ signal: AbortSignal.abort() }).rpc.a())).toEqual(uri(CANCELED))
    expect(await failure(client.with({ cancelMode: 'soon' as never }).rpc.a())).toEqual(uri(USAGE))
    expect(await failure(client.with({ timeout: Number.NaN }).rpc.a())).toEqual(uri(USAGE))
    expect([client.state, router.peers]).toEqual(['stopped', []])
  })

  test('is rejected with the reason if the start fails, even unawaited; the next one tries again', async () => {
    const router = welcoming(granting, (attempt) => (attempt < 3 ? [3, {}, 'com.example.full'] : WELCOMED))
    const client = new RpcClient({ router, reconnect: false })
    onTestFinished(() => client.stop())
    expect(await failure(client.subscribe('a.t', () => {}))).toEqual(uri('com.example.full'))
    const reported = next(client, 'error')
    void client.subscribe('a.t', () => {})
    expect(await reported).toEqual([uri('com.example.full')])
    await until(() => client.state === 'stopped')
    await client.subscribe('a.t', () => {})
    expect(client.subscriptions).toHaveLength(1)
  })

  test('is rejected if stop() follows at once, and no connection is made', async () => {
    const { client, router } = echoing()
    const both = [client.subscribe('a.t', () => {}), client.subscribe('a.u', () => {})].map(failure)
    // Unawaited: its user stopped on purpose.
    void client.subscribe('a.t', () => {})
    await client.stop()
    expect(await Promise.all(both)).toEqual([uri(STOPPED), uri(STOPPED)])
    expect([client.state, router.peers]).toEqual(['stopped', []])
  })

  test('is restored when the client is started again, and waits for that after stop()', async () => {
    await using world = await openWorld()
    await using client = new RpcClient({ router: world.router })
    const [publisher] = await world.join('publisher')
    const heard: unknown[] = []
    await client.subscribe('a.t', () => heard.push('first'))
    await client.stop()
    const second = client.subscribe('a.t', () => heard.push('second'))
    // The sequence of StrictMode.
    void client.start()
    void client.stop()
    await client.start()
    const third = client.subscribe('a.t', () => heard.push('third'))
    expect(await failure(second)).toEqual(uri(STOPPED))
    await third
    await publisher.publish('a.t', [], {}, { acknowledge: true })
    await client.call('wamp.session.count')
    expect(heard).toEqual(['first', 'third'])
  })
})

describe('a path of names', () => {
  test('without a class is the URI, under the prefix, at any depth', async () => {
    const { client } = echoing()
    expect(await client.rpc.com.example.add(1, 2)).toEqual(['com.example.add', [1, 2]])
    const { client: prefixed } = echoing({ prefix: 'com.example' })
    expect(await prefixed.rpc.add(1)).toEqual(['com.example.add', [1]])
    expect(await prefixed.rpc.deep.er()).toEqual(['com.example.deep.er', []])
    const { client: dotted } = echoing({ prefix: 'com.example.' })
    expect(await dotted.rpc.add()).toEqual(['com.example.add', []])
  })

  test('of a class uses its URIs and prefix; the prefix option overrides', async () => {
    const { client } = echoing({ service: DateService })
    expect(await client.rpc.getTodaysDate()).toEqual(['com.example.getTodaysDate', []])
    expect(await client.rpc.add(1, 2)).toEqual(['com.example.sum', [1, 2]])
    const { client: moved } = echoing({ service: DateService, prefix: 'org.moved' })
    expect(await moved.rpc.getTodaysDate()).toEqual(['org.moved.getTodaysDate', []])
    expect(await moved.rpc.add(1, 2)).toEqual(['com.example.sum', [1, 2]])
  })

  test('may include names of function members', async () => {
    const { client } = echoing()
    for (const name of ['name', 'length', 'call', 'apply', 'bind', 'arguments', 'caller', 'hasOwnProperty', 'start']) {
      expect(await client.rpc[name]()).toEqual([name, []])
    }
  })

  test('that is not a valid URI is refused before anything is sent', async () => {
    const { client, calls } = echoing()
    expect(await failure(client.rpc['not a name']())).toEqual(uri('wamp.error.invalid_uri'))
    expect(await failure((client.rpc as unknown as () => Promise<unknown>)())).toEqual(uri('wamp.error.invalid_uri'))
    expect(calls()).toEqual([])
  })

  test('may be stored, and called later, any number of times', async () => {
    const { client } = echoing()
    const { add } = client.rpc.com.example
    expect([await add(1), await add(2)]).toEqual([
      ['com.example.add', [1]],
      ['com.example.add', [2]],
    ])
    expect(client.rpc.com.example).toBe(client.rpc.com.example)
  })

  test('cannot be assigned, defined or deleted', () => {
    const { client } = echoing()
    const open = client.rpc as unknown as Record<string, unknown>
    expect(() => {
      open['add'] = () => {}
    }).toThrow(TypeError)
    expect(() => Object.defineProperty(open, 'add', { value: 1 })).toThrow(TypeError)
    expect(() => delete open['add']).toThrow(TypeError)
  })
})

describe('with()', () => {
  test('sets kwargs and options of a call', async () => {
    const { client, calls } = echoing({ service: DateService })
    await client.with({ kwargs: { unit: 'cm' }, disclose_me: true, timeout: 60_000 }).rpc.add(1, 2)
    expect(calls()).toEqual([[CALL, 1, { disclose_me: true }, 'com.example.sum', [1, 2], { unit: 'cm' }]])
    await client.rpc.add(3, 4)
    expect(calls()[1]).toEqual([CALL, 2, {}, 'com.example.sum', [3, 4]])
  })

  test('ends a call by its signal and its timeout', async () => {
    stopTheClock()
    const router = welcoming()
    const client = new RpcClient({ router })
    onTestFinished(() => client.stop())
    await client.start()
    const controller = new AbortController()
    const canceled = failure(client.with({ signal: controller.signal }).rpc.a())
    const late = failure(client.with({ timeout: 100 }).rpc.b())
    await until(() => router.peers[0]?.received.length === 3)
    controller.abort()
    expect(await canceled).toMatchObject({ uri: CANCELED, sent: true })
    await pass(100)
    expect(await late).toMatchObject({ uri: TIMEOUT, sent: true })
  })
})

describe('inspecting the proxy sends no call', () => {
  const looks: Record<string, (rpc: never) => unknown> = {
    'await, before it is started': async (rpc) => await (rpc as unknown),
    'Promise.resolve': (rpc) => Promise.resolve(rpc),
    'return from an async function': (rpc) => (async () => rpc)(),
    'console.log': (rpc) => format('%o %O %s %j', rpc, rpc, rpc, rpc),
    'util.inspect': (rpc) => inspect(rpc),
    'util.inspect with proxies': (rpc) => inspect(rpc, { showProxy: true, depth: 5, showHidden: true }),
    'JSON.stringify': (rpc) => JSON.stringify({ rpc, list: [rpc] }),
    'a template': (rpc) => `${rpc}`,
    String: (rpc) => String(rpc),
    'comparing with a text': (rpc) => (rpc as unknown as string) < 'rpc',
    typeof: (rpc) => typeof rpc,
    'Object.keys': (rpc) => Object.keys(rpc),
    in: (rpc) => 'then' in (rpc as object),
    'for in': (rpc) => {
      for (const key in rpc as object) throw new Error(key)
    },
    'spread into an object': (rpc) => ({ ...(rpc as object) }),
    'a test matcher': (rpc) => expect({ rpc }).not.toEqual({ rpc: 5 }),
    'toEqual with itself': (rpc) => expect(rpc).toEqual(rpc),
    isDeepStrictEqual: (rpc) => isDeepStrictEqual(rpc, {}),
    instanceof: (rpc) => (rpc as object) instanceof Promise,
    Boolean: (rpc) => !rpc,
  }
  for (const [name, look] of Object.entries(looks)) {
    test(name, async () => {
      const { client, router, calls } = echoing()
      for (const path of [client.rpc, client.rpc.com, client.rpc.com.example.add]) {
        const seen = look(path as never)
        if (name !== 'await, before it is started') await seen
      }
      expect(router.peers).toEqual([])
      await client.start()
      await client.call('fence')
      expect(calls()).toHaveLength(1)
    })
  }

  test('names that frameworks probe are undefined', () => {
    const { client } = echoing()
    const open = client.rpc as unknown as Record<string | symbol, unknown>
    const deep = open['com'] as typeof open
    for (const name of [
      'then',
      'catch',
      'finally',
      'toJSON',
      '$$typeof',
      '__v_isRef',
      '__v_isReactive',
      '__v_isReadonly',
      '__v_raw',
      '__v_skip',
      '__esModule',
      '__proto__',
      'nodeType',
      'asymmetricMatch',
      'constructor',
      'prototype',
      '@@__IMMUTABLE_ITERABLE__@@',
      Symbol.iterator,
      Symbol.asyncIterator,
      Symbol.toPrimitive,
      Symbol.toStringTag,
      Symbol.for('nodejs.util.inspect.custom'),
      Symbol('any'),
    ]) {
      expect(open[name], String(name)).toBeUndefined()
      expect(deep[name], String(name)).toBeUndefined()
    }
  })

  test('its text shows the path', () => {
    const { client } = echoing()
    expect(`${client.rpc.com.example}`).toBe('rpc com.example')
  })

  test('the client itself may be logged, compared and awaited', async () => {
    const { client, router } = echoing()
    format('%o %O', client, client)
    inspect(client, { depth: 10, showHidden: true, getters: false })
    expect(await (client as unknown)).toBe(client)
    expect(client).toEqual(client)
    expect(router.peers).toEqual([])
  })
})

test('a service class is called by its types through a router', async () => {
  await using world = await openWorld({ link: 'wires' })
  await using service = new DateService({ router: world.connector('service') })
  await service.start()
  await using client = new RpcClient({ service: DateService, router: world.connector('client') })
  const date: string = await client.rpc.getTodaysDate()
  const sum: number = await client.rpc.add(1, 2)
  expect([date, sum]).toEqual(['2016-05-15', 3])
})
