/** After a loss the client rejoins, and restores its subscriptions and registrations before it reports `ready`. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  CONNECTION_FAILED,
  CONNECTION_LOST,
  type Connector,
  NOT_JOINED,
  rpc,
  STOPPED,
  subscribe,
  USAGE,
  WampClient,
  WampError,
} from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { CALL, ERROR, EVENT, GOODBYE, HELLO, PUBLISH, REGISTER, REGISTERED, SUBSCRIBE } from 'wampy-ts/testing'
import {
  clientOf,
  eventsOf,
  failure,
  granting,
  leavesNothing,
  next,
  pass,
  stopTheClock,
  until,
  uri,
  WELCOMED,
  welcoming,
} from './support.ts'

leavesNothing()

const soon = { reconnect: { initial: 1, max: 1 } }

describe('the events of each transition', () => {
  test('from start to stop, with a loss between', async () => {
    const router = welcoming()
    const client = clientOf(router, soon)
    const events = eventsOf(client)
    await client.start()
    const back = next(client, 'ready')
    router.peers[0]?.terminate()
    await back
    await client.stop()
    const session = {
      id: 4711,
      realm: 'realm1',
      roles: { broker: { features: { subscriber_blackwhite_listing: true } }, dealer: {} },
    }
    const cause = expect.objectContaining({ uri: CONNECTION_LOST, message: 'the connection was closed (1006)' })
    expect(events).toEqual([
      ['state', 'connecting'],
      ['state', 'ready'],
      ['ready', expect.objectContaining(session)],
      ['state', 'reconnecting'],
      ['lost', cause],
      ['retry', { attempt: 1, delay: expect.any(Number), cause }],
      ['state', 'ready'],
      ['ready', expect.objectContaining(session)],
      ['state', 'stopped'],
      ['stopped', undefined],
    ])
  })

  test('a failed first attempt is reported by retry, and not by lost', async () => {
    const router = welcoming(undefined, (attempt) => (attempt < 3 ? [3, {}, 'com.example.full'] : WELCOMED))
    const client = clientOf(router, soon)
    const events = eventsOf(client)
    await client.start()
    expect(events.map(([name, what]) => (name === 'state' ? what : name))).toEqual([
      'connecting',
      'retry',
      'retry',
      'ready',
      'ready',
    ])
    expect(
      events.filter(([name]) => name === 'retry').map(([, what]) => (what as { attempt: number }).attempt),
    ).toEqual([1, 2])
  })

  test('with reconnect: false a loss stops the client with the cause', async () => {
    const router = welcoming()
    const client = clientOf(router, { reconnect: false })
    await client.start()
    const events = eventsOf(client)
    const stopped = next(client, 'stopped')
    router.peers[0]?.terminate()
    expect(await stopped).toEqual([uri(CONNECTION_LOST)])
    expect(events.map(([name]) => name)).toEqual(['state', 'lost', 'state', 'stopped'])
    expect(client.state).toBe('stopped')
  })

  test('a listener that throws does no harm, and is reported by the event error', async () => {
    const router = welcoming()
    const client = clientOf(router, soon)
    const errors: unknown[] = []
    client.on('error', (error) => errors.push(error))
    for (const name of ['state', 'ready', 'lost', 'retry', 'stopped'] as const) {
      client.on(name, () => {
        throw new Error(`in ${name}`)
      })
    }
    await client.start()
    const back = next(client, 'ready')
    router.peers[0]?.terminate()
    await until(() => router.peers.length === 2 && client.state === 'ready')
    await client.stop()
    void back
    expect(new Set(errors.map((error) => (error as Error).message))).toEqual(
      new Set(['in state', 'in ready', 'in lost', 'in retry', 'in stopped']),
    )
  })
})

describe('after a loss', () => {
  for (const [way, end] of Object.entries({
    'a broken connection': (peer: { terminate(): void }) => peer.terminate(),
    'a closed connection': (peer: { close(): void }) => peer.close(),
    'a GOODBYE of the router': (peer: { send(...messages: unknown[][]): void }) =>
      peer.send([GOODBYE, { message: 'restarting' }, 'wamp.close.system_shutdown']),
    'an ABORT of the router': (peer: { send(...messages: unknown[][]): void }) =>
      peer.send([3, {}, 'com.example.oops']),
    'a message that is none': (peer: { send(...messages: unknown[][]): void }) => peer.send([99]),
  })) {
    test(`${way}: the client joins again`, async () => {
      const router = welcoming()
      const client = clientOf(router, soon)
      await client.start()
      const [lost, ready] = [next(client, 'lost'), next(client, 'ready')]
      end(router.peers[0] as never)
      await lost
      await ready
      expect(router.peers).toHaveLength(2)
      expect(client.state).toBe('ready')
    })
  }

  test('the GOODBYE of a router is answered', async () => {
    const router = welcoming()
    const client = clientOf(router, soon)
    await client.start()
    const ready = next(client, 'ready')
    router.peers[0]?.send([GOODBYE, { message: 'restarting' }, 'wamp.close.system_shutdown'])
    await ready
    expect(router.peers[0]?.received.at(-1)).toEqual([GOODBYE, {}, 'wamp.close.goodbye_and_out'])
  })

  test('for a fatal reason the client stops', async () => {
    const router = welcoming()
    const client = clientOf(router, soon)
    await client.start()
    const stopped = next(client, 'stopped')
    router.peers[0]?.send([GOODBYE, {}, 'wamp.error.not_authorized'])
    expect(await stopped).toEqual([uri('wamp.error.not_authorized')])
    expect(router.peers).toHaveLength(1)
  })

  test('from a real router that is closed and served again on its port the client recovers', async () => {
    const first = new Router()
    const served = await serve(first, { port: 0 })
    const { port } = served
    const client = clientOf(served.url, { reconnect: { initial: 5, max: 50 } })
    const heard: unknown[] = []
    await client.start()
    await client.subscribe('com.example.tick', (args) => heard.push(...args))
    await client.register('com.example.add', ([a, b]) => (a as number) + (b as number))
    const lost = next(client, 'lost')
    await first.close()
    await served.close()
    await lost
    const second = new Router()
    const ready = next(client, 'ready')
    const again = await serve(second, { port })
    onTestFinished(async () => {
      await client.stop()
      await again.close()
    })
    await ready
    expect(second.stats()).toMatchObject({ subscriptions: 1, registrations: 1 })
    const other = clientOf(second)
    await other.start()
    expect(await other.call('com.example.add', [1, 2])).toBe(3)
    await other.publish('com.example.tick', ['tock'], {}, { acknowledge: true })
    await other.call('com.example.add', [1, 2])
    expect(heard).toEqual(['tock'])
    await other.stop()
  })
})

describe('a rejoin', () => {
  test('restores subscriptions and registrations with their options, all granted before ready', async () => {
    let answers: (() => void)[] | undefined
    const router = welcoming((message, peer) => {
      if (answers) answers.push(() => granting(message, peer))
      else granting(message, peer)
    })
    const client = clientOf(router, soon)
    await client.start()
    const options = { match: 'prefix', get_retained: true, _custom: [1, 2] } as const
    const subscription = await client.subscribe('com.example.', () => {}, { ...options, timeout: 5000 })
    const registration = await client.register('com.example.f', () => {}, { invoke: 'roundrobin', _x: { y: 1 } })
    answers = []
    let ready = false
    client.once('ready', () => {
      ready = true
    })
    router.peers[0]?.terminate()
    await until(() => answers?.length === 2)
    expect([subscription.state, registration.state]).toEqual(['pending', 'pending'])
    expect(router.peers[1]?.received.slice(1)).toEqual([
      [SUBSCRIBE, 1, options, 'com.example.'],
      [REGISTER, 2, { invoke: 'roundrobin', _x: { y: 1 } }, 'com.example.f'],
    ])
    answers[0]?.()
    await until(() => subscription.state === 'active')
    expect([ready, client.state]).toEqual([false, 'reconnecting'])
    answers[1]?.()
    await until(() => ready)
    expect([registration.state, registration.id]).toEqual(['active', 1002])
  })

  test('restores the methods of a service', async () => {
    class Service extends WampClient {
      readonly heard: unknown[] = []
      @rpc('com.example.date') date(): string {
        return '2016-05-15'
      }
      @subscribe('com.example.tick') onTick(at: number): void {
        this.heard.push(at)
      }
    }
    const router = welcoming(granting)
    const service = new Service({ router, ...soon })
    onTestFinished(() => service.stop())
    await service.start()
    const ready = next(service, 'ready')
    router.peers[0]?.terminate()
    await ready
    const peer = router.peers[1]
    expect(peer?.received.slice(1)).toEqual([
      [REGISTER, 1, {}, 'com.example.date'],
      [SUBSCRIBE, 2, {}, 'com.example.tick'],
    ])
    peer?.send([EVENT, 1002, 1, {}, [5]], [68, 1, 1001, {}])
    await until(() => peer?.received.length === 4)
    expect(peer?.received.at(-1)).toEqual([70, 1, {}, ['2016-05-15']])
    expect(service.heard).toEqual([5])
  })

  test('repeats requests granted by a session that ended in the same read', async () => {
    const router = welcoming((message, peer) => {
      granting(message, peer)
      if (router.peers.length === 1) peer.send([GOODBYE, {}, 'wamp.close.system_shutdown'])
    })
    const client = clientOf(router, soon)
    await client.start()
    const ready = next(client, 'ready')
    const handle = await client.register('com.example.f', () => {})
    expect([handle.state, handle.id]).toEqual(['pending', undefined])
    await ready
    expect([handle.state, handle.id]).toEqual(['active', 1001])
  })

  test('restores handles after stop() and start() as well', async () => {
    const router = welcoming(granting)
    const client = clientOf(router)
    await client.start()
    const subscription = await client.subscribe('com.example.tick', () => {})
    await client.stop()
    expect(subscription.state).toBe('pending')
    await client.start()
    expect(subscription.state).toBe('active')
    expect(router.peers[1]?.received[1]).toEqual([SUBSCRIBE, 1, {}, 'com.example.tick'])
  })

  test('does not restore ended handles, even if they were ended without a connection', async () => {
    stopTheClock()
    const router = welcoming(granting)
    const client = clientOf(router)
    await client.start()
    const gone = await client.subscribe('com.example.gone', () => {})
    const kept = await client.subscribe('com.example.kept', () => {})
    const [retry, ready] = [next(client, 'retry'), next(client, 'ready')]
    router.peers[0]?.terminate()
    await retry
    await gone.unsubscribe()
    await pass(1000)
    await ready
    expect(router.peers[1]?.received.slice(1)).toEqual([[SUBSCRIBE, 1, {}, 'com.example.kept']])
    expect(client.subscriptions).toEqual([kept])
    expect([gone.state, kept.state]).toEqual(['closed', 'active'])
  })

  test('returns a subscription to the router if it was ended while being restored', async () => {
    let hold = false
    const router = welcoming((message, peer) => {
      if (message[0] === 34) peer.send([35, message[1]])
      else if (!hold) granting(message, peer)
    })
    const client = clientOf(router, soon)
    await client.start()
    const heard: unknown[] = []
    const subscription = await client.subscribe('com.example.tick', (args) => heard.push(args))
    hold = true
    router.peers[0]?.terminate()
    await until(() => router.peers[1]?.received.length === 2)
    const done = subscription.unsubscribe()
    router.peers[1]?.send([33, 1, 77], [EVENT, 77, 1, {}, ['too late']])
    await done
    expect(router.peers[1]?.received.at(-1)).toEqual([34, 2, 77])
    expect(heard).toEqual([])
    expect(client.subscriptions).toEqual([])
  })

  test('restarts request ids at 1', async () => {
    const router = welcoming(([code, request], peer) => code === CALL && peer.send([50, request, {}, [request]]))
    const client = clientOf(router, soon)
    await client.start()
    expect([await client.call('a.b'), await client.call('a.b')]).toEqual([1, 2])
    const ready = next(client, 'ready')
    router.peers[0]?.terminate()
    await ready
    expect(await client.call('a.b')).toBe(1)
  })
})

describe('a handle that is refused on a rejoin', () => {
  const ALREADY = 'wamp.error.procedure_already_exists'

  test('does not delay ready: it is in state failed, is tried again, and becomes active', async () => {
    stopTheClock()
    let refusing = false
    const router = welcoming((message, peer) => {
      if (refusing && message[0] === REGISTER) peer.send([ERROR, REGISTER, message[1], {}, ALREADY, ['taken']])
      else granting(message, peer)
    })
    const client = clientOf(router)
    await client.start()
    const registration = await client.register('com.example.f', () => 1)
    const subscription = await client.subscribe('com.example.t', () => {})
    const events = eventsOf(client)
    refusing = true
    router.peers[0]?.terminate()
    await until(() => client.state === 'reconnecting')
    await pass(300)
    expect(client.state).toBe('ready')
    expect(registration).toMatchObject({ state: 'failed', error: { uri: ALREADY, message: 'taken' }, id: undefined })
    expect(subscription.state).toBe('active')
    const reported = events.filter(([name]) => name === 'failed' || name === 'ready')
    expect(reported.map(([name]) => name)).toEqual(['failed', 'ready'])
    expect(reported[0]).toEqual(['failed', registration, uri(ALREADY)])
    const asked = () => router.peers[1]?.received.filter(([code]) => code === REGISTER).length as number
    await pass(10_000)
    expect(asked()).toBeGreaterThanOrEqual(4)
    expect(asked()).toBeLessThan(12)
    refusing = false
    await pass(20_000)
    expect(registration).toMatchObject({ state: 'active', error: undefined })
    const times = asked()
    await pass(100_000)
    expect(asked()).toBe(times)
    expect(events.filter(([name]) => name === 'failed')).toHaveLength(1)
  })

  test('is not tried again once it is ended, and needs no UNREGISTER', async () => {
    stopTheClock()
    let refusing = false
    const router = welcoming((message, peer) => {
      if (refusing) peer.send([ERROR, message[0], message[1], {}, ALREADY])
      else granting(message, peer)
    })
    const client = clientOf(router, { liveness: false })
    await client.start()
    const registration = await client.register('com.example.f', () => 1)
    refusing = true
    const failed = next(client, 'failed')
    router.peers[0]?.terminate()
    await pass(300)
    await failed
    const before = router.peers[1]?.received.length
    await registration.unregister()
    await pass(60_000, 1000)
    expect(router.peers[1]?.received).toHaveLength(before as number)
    expect(registration.state).toBe('closed')
  })

  test('is not tried while the connection is lost again, nor after stop()', async () => {
    stopTheClock()
    let refusing = false
    const router = welcoming((message, peer) => {
      if (refusing) peer.send([ERROR, message[0], message[1], {}, ALREADY])
      else granting(message, peer)
    })
    const client = clientOf(router)
    await client.start()
    await client.register('com.example.f', () => 1)
    refusing = true
    const failed = next(client, 'failed')
    router.peers[0]?.terminate()
    await pass(300)
    await failed
    await client.stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('of a service does not stop it either: only the first start rejects', async () => {
    class Service extends WampClient {
      @rpc date(): void {}
    }
    let refusing = false
    const router = welcoming((message, peer) => {
      if (refusing) peer.send([ERROR, message[0], message[1], {}, ALREADY])
      else granting(message, peer)
    })
    const service = new Service({ router, ...soon })
    onTestFinished(() => service.stop())
    await service.start()
    refusing = true
    const [failed, ready] = [next(service, 'failed'), next(service, 'ready')]
    router.peers[0]?.terminate()
    expect((await failed)[0]).toBe(service.registrations[0])
    await ready
    expect(service.state).toBe('ready')
  })

  test('a router that does not answer requests on joining is abandoned after connectTimeout', async () => {
    stopTheClock()
    let deaf = false
    const router = welcoming((message, peer) => {
      if (!deaf) granting(message, peer)
    })
    const client = clientOf(router, { connectTimeout: 2000 })
    await client.start()
    await client.subscribe('com.example.t', () => {})
    deaf = true
    router.peers[0]?.terminate()
    await until(() => client.state === 'reconnecting')
    await pass(500)
    expect(router.peers).toHaveLength(2)
    deaf = false
    const ready = next(client, 'ready')
    await pass(3000)
    await ready
    expect(router.peers).toHaveLength(3)
  })

  test('with a connectTimeout of 0 it is awaited as long as it takes', async () => {
    stopTheClock()
    const held: (() => void)[] = []
    const router = welcoming((message, peer) => {
      if (router.peers.length === 1) granting(message, peer)
      else held.push(() => granting(message, peer))
    })
    const client = clientOf(router, { connectTimeout: 0 })
    await client.start()
    await client.subscribe('com.example.t', () => {})
    router.peers[0]?.terminate()
    await until(() => client.state === 'reconnecting')
    await pass(60_000, 1000)
    expect(held).toHaveLength(1)
    const ready = next(client, 'ready')
    held[0]?.()
    await ready
  })
})

describe('pending requests when the connection is lost', () => {
  test('are rejected at once, calls and acknowledged publications, with sent: true', async () => {
    const router = welcoming()
    const client = clientOf(router)
    await client.start()
    const pending = [
      failure(client.call('com.example.f', [1])),
      failure(client.callRaw('com.example.f')),
      failure(client.publish('com.example.t', [1], {}, { acknowledge: true })),
    ]
    await until(() => router.peers[0]?.received.length === 4)
    let retried = false
    client.once('retry', () => {
      retried = true
    })
    const lost = next(client, 'lost')
    router.peers[0]?.terminate()
    await lost
    for (const each of pending) {
      expect(await each).toMatchObject({ uri: CONNECTION_LOST, sent: true })
      expect(await each).toBeInstanceOf(WampError)
    }
    expect(retried).toBe(true)
    await client.stop()
    expect(router.peers).toHaveLength(1)
  })

  test('are rejected by a GOODBYE of the router too, with its reason as the cause', async () => {
    const router = welcoming()
    const client = clientOf(router, { reconnect: false })
    await client.start()
    const call = failure(client.call('com.example.f'))
    await until(() => router.peers[0]?.received.length === 2)
    router.peers[0]?.send([GOODBYE, {}, 'wamp.close.system_shutdown'])
    expect(await call).toMatchObject({ uri: CONNECTION_LOST, sent: true, cause: { uri: 'wamp.close.system_shutdown' } })
  })

  test('are rejected by stop() with sent: true, because they may have run', async () => {
    const router = welcoming()
    const client = clientOf(router)
    await client.start()
    const call = failure(client.call('com.example.f'))
    await until(() => router.peers[0]?.received.length === 2)
    await client.stop()
    expect(await call).toMatchObject({ uri: STOPPED, sent: true })
  })

  test('are not sent again after the rejoin', async () => {
    const router = welcoming(([code, request, , procedure], peer) => {
      if (code === CALL && procedure === 'com.example.fence') peer.send([50, request, {}])
    })
    const client = clientOf(router, soon)
    await client.start()
    const ready = next(client, 'ready')
    const lost = [client.call('com.example.pay'), client.publish('com.example.t', [], {}, { acknowledge: true })]
    await until(() => router.peers[0]?.received.length === 3)
    router.peers[0]?.terminate()
    await Promise.all(lost.map(failure))
    await ready
    await client.call('com.example.fence')
    expect(router.peers[1]?.received.map(([code]) => code)).toEqual([HELLO, CALL])
    expect(router.peers[1]?.received[1]?.[3]).toBe('com.example.fence')
  })
})

describe('without a session', () => {
  test('a call and a publication are rejected at once with sent: false, and are not sent later', async () => {
    const router = welcoming(([code, request], peer) => code === CALL && peer.send([50, request, {}]))
    const client = clientOf(router)
    for (const operation of [
      () => client.call('com.example.pay'),
      () => client.callRaw('com.example.pay'),
      () => client.publish('com.example.t'),
      () => client.publish('com.example.t', [], {}, { acknowledge: true }),
    ]) {
      expect(await failure(operation())).toMatchObject({
        uri: NOT_JOINED,
        sent: false,
        message: 'WampClient has not joined a realm: await start() first',
      })
    }
    const started = client.start()
    expect(await failure(client.call('com.example.pay'))).toMatchObject({ uri: NOT_JOINED, sent: false })
    await started
    await client.call('com.example.fence')
    expect(router.peers[0]?.received.map((message) => message[3])).toEqual([undefined, 'com.example.fence'])
  })

  test('waitForReady waits for the next session', async () => {
    const router = welcoming(([code, request], peer) => {
      if (code === CALL) peer.send([50, request, {}, ['done']])
      if (code === PUBLISH) peer.send([17, request, 5])
    })
    const client = clientOf(router, soon)
    const started = client.start()
    const first = client.call('com.example.f', [], {}, { waitForReady: true })
    await started
    expect(await first).toBe('done')
    const lost = next(client, 'lost')
    router.peers[0]?.terminate()
    await lost
    const call = client.call('com.example.f', [], {}, { waitForReady: true })
    const publication = client.publish('com.example.t', [], {}, { waitForReady: true, acknowledge: true })
    expect([await call, await publication]).toEqual(['done', 5])
    const sent = router.peers[1]?.received.slice(1)
    expect(sent?.map(([code, , options]) => [code, options])).toEqual([
      [CALL, {}],
      [PUBLISH, { acknowledge: true }],
    ])
  })

  test('waitForReady ends with stop(), with its signal, and with its timeout, which includes the wait', async () => {
    stopTheClock()
    const router = welcoming(undefined, (attempt) => (attempt === 1 ? WELCOMED : undefined))
    const client = clientOf(router)
    await client.start()
    const lost = next(client, 'lost')
    router.peers[0]?.terminate()
    await lost
    const controller = new AbortController()
    const { signal } = controller
    const options = { waitForReady: true }
    const stopped = failure(client.call('a.b', [], {}, options))
    const aborted = failure(client.call('a.b', [], {}, { ...options, signal }))
    const late = failure(client.publish('a.b', [], {}, { ...options, timeout: 500 }))
    controller.abort()
    expect(await aborted).toMatchObject({ uri: 'wamp.error.canceled', sent: false })
    await pass(500)
    expect(await late).toMatchObject({ uri: 'wamp.error.timeout', sent: false })
    await client.stop()
    expect(await stopped).toMatchObject({ uri: STOPPED, sent: false })
    expect(await failure(client.call('a.b', [], {}, options))).toMatchObject({ uri: NOT_JOINED, sent: false })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a timeout is unaffected by a change of the system clock', async () => {
    stopTheClock()
    const router = welcoming()
    const connect: Connector['connect'] = async (...given) => {
      await new Promise((resolve) => setTimeout(resolve, 600))
      return router.connect(...given)
    }
    const client = clientOf({ name: 'slow', connect }, { liveness: false })
    const started = client.start()
    const call = failure(client.call('a.b', [], {}, { waitForReady: true, timeout: 1000 }))
    vi.setSystemTime(Date.now() - 3_600_000)
    await pass(600)
    await started
    await pass(400)
    expect(await call).toMatchObject({ uri: 'wamp.error.timeout', sent: true })
  })

  test('a timeout includes the wait for the session and the wait for the answer', async () => {
    stopTheClock()
    const router = welcoming()
    const client = clientOf(
      {
        name: 'slow',
        connect: async (...given) => {
          await new Promise((resolve) => setTimeout(resolve, 600))
          return router.connect(...given)
        },
      },
      { liveness: false },
    )
    const started = client.start()
    let over = false
    const call = failure(client.call('a.b', [], {}, { waitForReady: true, timeout: 1000 })).finally(() => {
      over = true
    })
    await pass(900)
    await started
    expect(over).toBe(false)
    await pass(100)
    expect(await call).toMatchObject({ uri: 'wamp.error.timeout', sent: true })
  })

  test('subscribe and register wait for the next join', async () => {
    const router = welcoming(granting)
    const client = clientOf(router)
    const asked = [client.subscribe('com.example.t', () => {}), client.register('com.example.f', () => {})]
    await client.start()
    const handles = await Promise.all(asked)
    expect(handles.map(({ state }) => state)).toEqual(['active', 'active'])
    expect(router.peers[0]?.received.map(([code]) => code)).toEqual([HELLO, SUBSCRIBE, REGISTER])
  })

  test('subscribe during stop() waits for the next start, as StrictMode needs it', async () => {
    const router = welcoming(granting)
    const client = clientOf(router)
    await client.start()
    const stopped = client.stop()
    const subscribed = client.subscribe('com.example.t', () => {})
    const called = failure(client.call('a.b'))
    const started = client.start()
    const handle = await subscribed
    await Promise.all([stopped, started])
    expect(handle.state).toBe('active')
    expect(await called).toMatchObject({ sent: false })
    expect(router.peers[0]?.received.map(([code]) => code)).toEqual([HELLO, GOODBYE])
  })

  test('a subscription waits 30 seconds for its grant, and is still made later', async () => {
    stopTheClock()
    const router = welcoming(granting)
    const client = clientOf(router, { liveness: false })
    let over = false
    const subscribed = failure(client.subscribe('com.example.t', () => {})).finally(() => {
      over = true
    })
    await pass(29_999, 1000)
    expect(over).toBe(false)
    await pass(1)
    const [handle] = client.subscriptions
    expect(await subscribed).toMatchObject({ uri: 'wamp.error.timeout', sent: false, handle })
    await client.start()
    expect(router.peers[0]?.received[1]).toEqual([SUBSCRIBE, 1, {}, 'com.example.t'])
    expect(handle?.state).toBe('active')
  })

  test('stop() rejects a waiting registration, and withdraws it', async () => {
    const router = welcoming()
    const client = clientOf(router)
    await client.start()
    const subscribed = failure(client.subscribe('com.example.t', () => {}))
    await client.stop()
    expect(await subscribed).toMatchObject({ uri: STOPPED })
    expect(client.subscriptions).toEqual([])
    void client.subscribe('com.example.unheard', () => {}).catch(() => {})
    await client.stop()
  })

  test('a refused first registration rejects, and is withdrawn', async () => {
    const router = welcoming(([code, request], peer) =>
      peer.send([ERROR, code, request, { _d: 1 }, 'a.no', ['why'], { k: 1 }]),
    )
    const client = clientOf(router)
    await client.start()
    const error = await failure(client.register('com.example.f', () => {}))
    expect(error).toMatchObject({ uri: 'a.no', message: 'why', args: ['why'], kwargs: { k: 1 }, details: { _d: 1 } })
    expect(client.registrations).toEqual([])
  })
})

describe('the delay before an attempt', () => {
  test('grows up to the maximum, even if every attempt takes long to fail', async () => {
    stopTheClock()
    const router = welcoming(undefined, () => undefined)
    const client = clientOf(router, { connectTimeout: 8000, reconnect: { initial: 100, max: 1600 } })
    const delays: number[] = []
    client.on('retry', ({ attempt, delay }) => {
      expect(attempt).toBe(delays.length + 1)
      delays.push(delay)
    })
    const started = failure(client.start({ timeout: 0 }))
    await pass(80_000, 500)
    expect(delays.length).toBeGreaterThan(6)
    for (const [i, delay] of delays.entries()) {
      const due = Math.min(1600, 100 * 2 ** i)
      expect(delay).toBeGreaterThanOrEqual(due / 2)
      expect(delay).toBeLessThanOrEqual(due)
    }
    await client.stop()
    await started
  })

  test('restarts after a long session, and not after a short one', async () => {
    stopTheClock()
    const router = welcoming()
    const client = clientOf(router, { reconnect: { initial: 100 }, liveness: false })
    const attempts: number[] = []
    client.on('retry', ({ attempt }) => attempts.push(attempt))
    await client.start()
    for (const lasted of [0, 0, 6000, 0]) {
      if (lasted) await pass(lasted)
      router.peers.at(-1)?.terminate()
      await until(() => client.state === 'reconnecting')
      await pass(3000)
      expect(client.state).toBe('ready')
    }
    expect(attempts).toEqual([1, 2, 1, 2])
  })

  test('may be computed by a function from the attempt and the cause; false stops', async () => {
    const asked: unknown[] = []
    const router = welcoming(undefined, () => [3, {}, 'wamp.error.no_such_realm'])
    const client = clientOf(router, {
      reconnect: (attempt, cause) => {
        asked.push([attempt, cause.uri])
        return attempt < 3 ? 0 : false
      },
    })
    expect(await failure(client.start())).toEqual(uri('wamp.error.no_such_realm'))
    expect(asked).toEqual([1, 2, 3].map((attempt) => [attempt, 'wamp.error.no_such_realm']))
    expect(router.peers).toHaveLength(3)
  })

  test('a function that throws or does not return a number stops the client and is reported by the event error', async () => {
    for (const reconnect of [
      () => {
        throw new Error('boom')
      },
      () => undefined as never,
      () => Number.NaN,
      () => -1,
    ]) {
      const router = welcoming(undefined, () => [3, {}, 'com.example.full'])
      const client = clientOf(router, { reconnect })
      const error = next(client, 'error')
      expect(await failure(client.start())).toEqual(uri('com.example.full'))
      expect(router.peers).toHaveLength(1)
      const [reported] = await error
      expect(reported instanceof WampError ? reported.uri : (reported as Error).message).toMatch(
        new RegExp(`^(boom|${USAGE})$`),
      )
    }
  })

  test('may be Infinity, which waits without spinning', async () => {
    stopTheClock()
    const router = welcoming(undefined, () => [3, {}, 'com.example.full'])
    const client = clientOf(router, { reconnect: () => Number.POSITIVE_INFINITY })
    const started = failure(client.start({ timeout: 0 }))
    await next(client, 'retry')
    await pass(600_000, 10_000)
    expect(router.peers).toHaveLength(1)
    await client.stop()
    await started
  })

  test('is cut short when a page returns to the network', async () => {
    stopTheClock()
    const listeners = new Map<string, () => void>()
    vi.stubGlobal('addEventListener', (name: string, listener: () => void) => listeners.set(name, listener))
    vi.stubGlobal('removeEventListener', (name: string) => listeners.delete(name))
    onTestFinished(() => {
      vi.unstubAllGlobals()
    })
    const router = welcoming(undefined, (attempt) => (attempt === 1 ? [3, {}, 'com.example.full'] : WELCOMED))
    const client = clientOf(router, { reconnect: { initial: 1_000_000, max: 1_000_000 }, liveness: false })
    const started = client.start({ timeout: 0 })
    await next(client, 'retry')
    await until(() => listeners.has('online'))
    listeners.get('online')?.()
    await started
    expect(client.state).toBe('ready')
    expect(listeners.size).toBe(0)
  })

  test('connection_failed has the cause in its message, and nothing was sent', async () => {
    const client = clientOf('ws://127.0.0.1:1/ws', { reconnect: false })
    const error = (await failure(client.start())) as WampError
    expect(error.uri).toBe(CONNECTION_FAILED)
    expect(error.message).toMatch(/127\.0\.0\.1:1.*ECONNREFUSED.*check that a router listens there/)
  })
})

test('a late REGISTERED for a request before the loss does not confuse the next session', async () => {
  const router = welcoming()
  const client = clientOf(router, soon)
  await client.start()
  const registered = client.register('com.example.f', () => 1)
  await until(() => router.peers[0]?.received.length === 2)
  router.peers[0]?.terminate()
  await until(() => router.peers[1]?.received.length === 2)
  expect(router.peers[1]?.received[1]).toEqual([REGISTER, 1, {}, 'com.example.f'])
  router.peers[0]?.send([REGISTERED, 1, 5])
  router.peers[1]?.send([REGISTERED, 1, 6])
  expect((await registered).id).toBe(6)
})
