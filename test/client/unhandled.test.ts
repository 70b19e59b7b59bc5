/** Promises without a handler: no unhandled rejection if the client continues or was stopped; one report of a refusal. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Connector, RpcClient, STOPPED, TIMEOUT, WampClient, WampError } from 'wampy-ts'
import { ERROR, REGISTER, SUBSCRIBE } from 'wampy-ts/testing'
import {
  clientOf,
  eventsOf,
  failure,
  granting,
  joined,
  leavesNothing,
  pass,
  stopTheClock,
  until,
  uri,
  WELCOMED,
  welcoming,
} from './support.ts'

// Fails a test that has an unhandled rejection.
leavesNothing()

const unreachable: Connector = {
  name: 'nowhere',
  connect: async () => {
    throw new WampError('wampy.error.connection_failed', ['nobody is there'])
  },
}

/** The lines printed on the console. */
function consoleErrors(): unknown[] {
  const errors: unknown[] = []
  const spy = vi.spyOn(console, 'error').mockImplementation((...given) => void errors.push(...given))
  onTestFinished(() => spy.mockRestore())
  return errors
}

const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('while the client keeps trying, and after stop()', () => {
  test('start, subscribe, register and events end quietly', async () => {
    stopTheClock()
    const errors = consoleErrors()
    const client = clientOf(unreachable)
    const events = eventsOf(client)
    void client.subscribe('a.t', () => {}, { timeout: 100 })
    void client.register('a.b', () => {}, { timeout: 100 })
    void client.start({ timeout: 100 })
    void client.start({ timeout: 200 })
    const loop = client.events('a.u')
    await pass(60_000, 1000)
    expect([client.state, client.subscriptions.length, client.registrations.length]).toEqual(['connecting', 2, 1])
    void client.subscribe('a.v', () => {})
    void client.start()
    await client.stop()
    expect(await loop.next()).toEqual({ done: true, value: undefined })
    await turns()
    expect([errors, events.filter(([name]) => name === 'error')]).toEqual([[], []])
    expect([client.subscriptions, client.registrations]).toEqual([[], []])
  })

  test('calls, publications and handles that stop() ends are quiet', async () => {
    const errors = consoleErrors()
    const { client, peer } = await joined(granting)
    const [subscription, registration] = [
      await client.subscribe('a.t', () => {}),
      await client.register('a.b', () => {}),
    ]
    const count = peer.received.length
    void client.call('a.slow')
    void client.callRaw('a.slow')
    void client.publish('a.t', [], {}, { acknowledge: true })
    void client.progress('a.slow')
    void client.subscribe('a.u', () => {})
    void subscription.unsubscribe()
    void registration.unregister()
    const heard = failure(client.call('a.slow'))
    await until(() => peer.received.length === count + 8)
    await client.stop()
    expect(await heard).toMatchObject({ uri: STOPPED, sent: true })
    await turns()
    expect(errors).toEqual([])
  })

  test('calls that wait for a session are quiet, too', async () => {
    const client = new RpcClient({ router: unreachable })
    void client.rpc.a()
    void client.publish('a.t')
    const other = clientOf(unreachable)
    void other.start()
    void other.call('a.b', [], {}, { waitForReady: true })
    await turns()
    await Promise.all([client.stop(), other.stop()])
    await turns()
  })

  test('a refused call is an unhandled rejection like any other, also the first call of a client', async () => {
    const router = welcoming(([code, request], peer) => peer.send([ERROR, code, request, {}, 'com.example.no']))
    const client = new RpcClient({ router })
    onTestFinished(() => client.stop())
    const [leaves] = process.listeners('unhandledRejection')
    const unhandled: unknown[] = []
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (reason) => unhandled.push(reason))
    onTestFinished(() => {
      process.removeAllListeners('unhandledRejection')
      if (leaves) process.on('unhandledRejection', leaves)
    })
    void client.rpc.first()
    await until(() => unhandled.length === 1)
    void client.rpc.second()
    await until(() => unhandled.length === 2)
    await client.rpc.third().catch(() => {})
    await turns()
    expect(unhandled).toEqual([uri('com.example.no'), uri('com.example.no')])
  })
})

describe('a final refusal of an unawaited operation', () => {
  const refusing = () =>
    welcoming((message, peer) => {
      if (message[0] === SUBSCRIBE || message[0] === REGISTER) {
        peer.send([ERROR, message[0], message[1], {}, 'wamp.error.not_authorized'])
      }
    })
  const noRealm = () => welcoming(undefined, () => [3, {}, 'wamp.error.no_such_realm'])

  class Service extends WampClient {
    static rpc = ['one', 'two']
    one(): void {}
    two(): void {}
  }

  test.each<[string, () => Connector, (router: Connector) => WampClient, (client: WampClient) => void, string]>([
    [
      'of a subscription',
      refusing,
      clientOf,
      (it) => void [it.start(), it.subscribe('a.t', () => {})],
      'not_authorized',
    ],
    [
      'of a registration',
      refusing,
      clientOf,
      (it) => void [it.start(), it.register('a.t', () => {})],
      'not_authorized',
    ],
    ['of a realm', noRealm, clientOf, (it) => void it.start(), 'no_such_realm'],
    [
      'of a realm, with handles',
      noRealm,
      clientOf,
      (it) => void [it.subscribe('a.t', () => {}), it.start(), it.register('a.b', () => {}), it.start()],
      'no_such_realm',
    ],
    ['of a service', refusing, (router) => new Service({ router }), (it) => void it.start(), 'not_authorized'],
  ])('%s is reported once, by the event error or else on the console', async (_, make, clientAt, use, error) => {
    for (const listening of [true, false]) {
      const errors = consoleErrors()
      const client = clientAt(make())
      onTestFinished(() => client.stop())
      const events: unknown[] = []
      if (listening) client.on('error', (it) => events.push(it))
      use(client)
      await until(() => events.length + errors.length > 0)
      await turns()
      expect(listening ? events : errors).toEqual([uri(`wamp.error.${error}`)])
      expect(listening ? errors : events).toEqual([])
      await client.stop()
      vi.restoreAllMocks()
    }
  })

  test('is not reported if one of the promises is awaited, now or in an async function above', async () => {
    const errors = consoleErrors()
    const client = clientOf(noRealm())
    const events = eventsOf(client)
    const wrapped = async () => client.start()
    const outer = async () => wrapped()
    void client.subscribe('a.t', () => {})
    expect(await failure(outer())).toEqual(uri('wamp.error.no_such_realm'))
    await turns()
    expect([errors, events.filter(([name]) => name === 'error')]).toEqual([[], []])
  })

  test('is reported if the awaited promise has already ended', async () => {
    stopTheClock()
    const errors = consoleErrors()
    let reachable = false
    const router = noRealm()
    const client = clientOf({
      name: 'later',
      connect: (...given) => (reachable ? router : unreachable).connect(...given),
    })
    const events = eventsOf(client)
    const late = failure(client.start({ timeout: 100 }))
    await pass(100)
    expect(await late).toEqual(uri('wampy.error.connection_failed'))
    reachable = true
    await pass(10_000, 1000)
    expect(client.state).toBe('stopped')
    expect(events.filter(([name]) => name === 'error')).toEqual([['error', uri('wamp.error.no_such_realm')]])
    expect(errors).toEqual([])
  })

  test('on a rejoin is reported if the event stopped has no listener', async () => {
    const errors = consoleErrors()
    const realms = [WELCOMED, [3, {}, 'wamp.error.no_such_realm']]
    for (const listening of [true, false]) {
      const router = welcoming(undefined, (attempt) => realms[attempt - 1])
      const client = clientOf(router, { reconnect: { initial: 1 } })
      await client.start()
      if (listening) client.on('stopped', () => {})
      router.peers[0]?.terminate()
      await until(() => client.state === 'stopped')
      await turns()
      expect(errors).toEqual(listening ? [] : [uri('wamp.error.no_such_realm')])
    }
  })

  test('and misuse are not unhandled rejections', async () => {
    const errors = consoleErrors()
    const { client } = await joined()
    void client.subscribe('not a topic', () => {})
    void client.register('a.b', 5 as never)
    void client.start({ timeout: -1 })
    await turns()
    expect(errors).toEqual([uri('wamp.error.invalid_uri'), uri('wampy.error.usage'), uri('wampy.error.usage')])
  })
})

test('a page opened before its router is reachable gets its session and its subscriptions eventually', async () => {
  stopTheClock()
  let reachable = false
  const router = welcoming(granting)
  const client = clientOf(
    { name: 'later', connect: (...given) => (reachable ? router : unreachable).connect(...given) },
    { liveness: false },
  )
  void client.subscribe('com.example.time', () => {})
  void client.register('com.example.now', () => 0)
  void client.start()
  const asked = failure(client.subscribe('com.example.t', () => {}, { timeout: 50 }))
  await pass(300_000, 5000)
  expect(await asked).toEqual(uri(TIMEOUT))
  expect(client.state).toBe('connecting')
  reachable = true
  await pass(60_000, 5000)
  expect(client.state).toBe('ready')
  expect(client.subscriptions.map(({ uri, state }) => [uri, state])).toEqual([
    ['com.example.time', 'active'],
    ['com.example.t', 'active'],
  ])
  expect(client.registrations.map(({ state }) => state)).toEqual(['active'])
})
