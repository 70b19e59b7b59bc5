/** A hidden page has no session; a page that returns has its session at once; a worker sends regularly. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { CONNECTION_LOST, longPollDial, portDial, STOPPED, WampRouter } from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { acceptPorts, Router } from 'wampy-ts/router'
import { CALL, EVENT, GOODBYE, HELLO, RESULT, SUBSCRIBE, SUBSCRIBED } from 'wampy-ts/testing'
import {
  clientOf,
  eventsOf,
  failure,
  granting,
  joined,
  leavesNothing,
  next,
  Page,
  pass,
  stopTheClock,
  until,
  uri,
  WELCOMED,
  welcoming,
} from './support.ts'

leavesNothing()

const ways = {
  pagehide: { leave: (page: Page) => page.fire('pagehide'), back: (page: Page) => page.fire('pageshow') },
  freeze: {
    leave: (page: Page) => page.dispatchEvent(new Event('freeze')),
    back: (page: Page) => page.dispatchEvent(new Event('resume')),
  },
}

describe.each(Object.entries(ways))('by %s', (_, { leave, back }) => {
  test('the session ends with GOODBYE and its link is closed; both return with subscriptions and registrations', async () => {
    const page = new Page()
    const router = welcoming(granting)
    const client = clientOf(router, { reconnect: { initial: 1_000_000 } })
    await client.start()
    await client.subscribe('com.example.news', () => {})
    await client.register('com.example.f', () => 1)
    const events = eventsOf(client)
    leave(page)
    const [first] = router.peers
    await first?.closed
    expect(first?.received.at(-1)).toEqual([GOODBYE, { message: 'the page was left' }, 'wamp.close.close_realm'])
    const cause = expect.objectContaining({ uri: CONNECTION_LOST, message: 'the page was left' })
    expect(events).toEqual([
      ['state', 'reconnecting'],
      ['lost', cause],
    ])
    const ready = next(client, 'ready')
    back(page)
    await ready
    expect(router.peers).toHaveLength(2)
    expect(router.peers[1]?.received.map(([code, , , name]) => [code, name])).toEqual([
      [HELLO, undefined],
      [SUBSCRIBE, 'com.example.news'],
      [64, 'com.example.f'],
    ])
    expect(events.filter(([name]) => name === 'retry')).toEqual([])
  })

  test('no attempt is made until the page returns, however long that takes', async () => {
    const page = new Page()
    stopTheClock()
    const router = welcoming()
    const client = clientOf(router, { reconnect: { initial: 10, max: 10 } })
    await client.start()
    leave(page)
    await pass(3_600_000, 600_000)
    expect(router.peers).toHaveLength(1)
    back(page)
    await until(() => client.state === 'ready')
    expect(router.peers).toHaveLength(2)
  })
})

test('a page that is hidden and then frozen, and returns with both events, joins once', async () => {
  const page = new Page()
  const router = welcoming()
  const client = clientOf(router)
  await client.start()
  page.fire('pagehide')
  page.dispatchEvent(new Event('freeze'))
  page.dispatchEvent(new Event('resume'))
  page.fire('pageshow')
  page.show('visible')
  page.fire('online')
  await until(() => router.peers.length === 2 && client.state === 'ready')
  expect(router.peers[0]?.received.filter(([code]) => code === GOODBYE)).toHaveLength(1)
})

test('pending requests are rejected', async () => {
  const page = new Page()
  const { client } = await joined(undefined, { reconnect: true })
  const call = failure(client.call('com.example.f'))
  page.fire('pagehide')
  expect(await call).toMatchObject({ uri: CONNECTION_LOST, sent: true })
})

test('a page that is left while it joins or waits for an attempt begins anew when it returns', async () => {
  const page = new Page()
  stopTheClock()
  const router = welcoming(undefined, (attempt) =>
    attempt === 1 ? undefined : attempt === 2 ? [3, {}, 'com.example.full'] : WELCOMED,
  )
  const client = clientOf(router, { reconnect: { initial: 1000, max: 1000 } })
  const started = client.start()
  await until(() => router.peers[0]?.received.length === 1)
  page.fire('pagehide')
  await router.peers[0]?.closed
  page.fire('pageshow')
  await next(client, 'retry')
  expect(router.peers).toHaveLength(2)
  page.fire('pagehide')
  await pass(5000)
  expect(router.peers).toHaveLength(2)
  page.fire('pageshow')
  await started
  expect(router.peers).toHaveLength(3)
})

test('a client that must not reconnect stops with the cause', async () => {
  const page = new Page()
  const { client } = await joined()
  const stopped = next(client, 'stopped')
  page.fire('pagehide')
  expect(await stopped).toEqual([uri(CONNECTION_LOST)])
  page.fire('pageshow')
  expect(client.state).toBe('stopped')
})

test('stop() ends a client of a hidden page, and a page may be hidden during stop()', async () => {
  const page = new Page()
  const { client, peer } = await joined(undefined, { reconnect: true })
  const stopping = client.stop()
  page.fire('pagehide')
  await stopping
  await peer.closed
  expect(peer.received.filter(([code]) => code === GOODBYE)).toHaveLength(1)
  const second = await joined(undefined, { reconnect: true })
  page.fire('pagehide')
  const waiting = failure(second.client.call('com.example.f', [], {}, { waitForReady: true }))
  await second.client.stop()
  expect(await waiting).toMatchObject({ uri: STOPPED })
  expect(page.listeners).toBe(0)
})

test('a client of a router in the same page keeps its session', async () => {
  const page = new Page()
  const router = new Router()
  const client = clientOf(router)
  await client.start()
  const { id } = client.session
  page.fire('pagehide')
  page.fire('pageshow')
  await client.register('com.example.f', () => 1)
  expect(client.session.id).toBe(id)
  expect(router.stats().sessions).toBe(1)
})

describe('the router has no session of a hidden page', () => {
  async function leftAndBack(router: Router, way: WampRouter | string): Promise<void> {
    const page = new Page()
    const client = clientOf(way)
    await client.start()
    await client.register('com.example.f', () => 1)
    const began = performance.now()
    page.fire('pagehide')
    await expect.poll(() => router.stats()).toMatchObject({ sessions: 0, registrations: 0 })
    await expect.poll(() => router.links).toBe(0)
    expect(performance.now() - began).toBeLessThan(1500)
    page.fire('pageshow')
    await next(client, 'ready')
    expect(router.stats()).toMatchObject({ sessions: 1, registrations: 1 })
    await client.stop()
  }

  test.each(['websocket', 'longpoll', 'longpoll with a post under way'])('over %s', async (kind) => {
    const router = new Router()
    const served = await serve(router, { port: 0, longPoll: true })
    onTestFinished(() => served.close())
    if (kind === 'websocket') return leftAndBack(router, served.url)
    // A post that never ends must not delay the GOODBYE.
    const stuck: typeof fetch = (url, init) => {
      const left = /message":"the page/.test(String(init?.body))
      return left && kind !== 'longpoll' ? new Promise(() => {}) : fetch(url, init)
    }
    const dial = longPollDial({ fetch: stuck })
    await leftAndBack(router, new WampRouter({ url: served.longPollUrl as string, dial }))
  })

  test('over a port', async () => {
    const { port1, port2 } = new MessageChannel()
    const router = new Router()
    const accepting = acceptPorts(router, port2)
    onTestFinished(() => {
      accepting.close()
      port1.close()
    })
    await leftAndBack(router, new WampRouter({ name: 'a worker', dial: portDial(port1) }))
  })
})

describe('a burst of events', () => {
  const burst = async (page: Page, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      page.fire('online')
      page.show('visible')
      page.fire('pageshow')
      await pass(20, 10)
    }
  }

  test('causes one attempt at once, and then the usual delays', async () => {
    const page = new Page()
    stopTheClock()
    const router = welcoming(undefined, () => [3, {}, 'com.example.full'])
    const client = clientOf(router, { reconnect: { initial: 60_000, max: 600_000 } })
    const retries: number[] = []
    client.on('retry', ({ delay }) => retries.push(delay))
    client.start({ timeout: 0 }).catch(() => {})
    await until(() => retries.length === 1)
    await burst(page, 50)
    expect(router.peers).toHaveLength(2)
    expect(retries[1]).toBeGreaterThanOrEqual(30_000)
    // Much later the page returns again.
    await pass(10_000, 1000)
    expect(router.peers).toHaveLength(2)
    await burst(page, 50)
    expect(router.peers).toHaveLength(3)
  })

  test('restarts the delays, because a returning network may need a moment', async () => {
    const page = new Page()
    stopTheClock()
    const router = welcoming(undefined, () => [3, {}, 'com.example.full'])
    const client = clientOf(router, { reconnect: { initial: 1000, max: 1_000_000, factor: 10 } })
    const retries: number[] = []
    client.on('retry', ({ attempt }) => retries.push(attempt))
    client.start({ timeout: 0 }).catch(() => {})
    await pass(20_000, 1000)
    await until(() => retries.length === 3)
    page.fire('online')
    await until(() => retries.length === 4)
    expect(retries).toEqual([1, 2, 3, 1])
  })

  test('the load of a page does not count as a return', async () => {
    const page = new Page()
    const { peer } = await joined()
    page.fire('pageshow', false)
    await new Promise((resolve) => setImmediate(resolve))
    expect(peer.received).toHaveLength(1)
  })
})

describe('in a worker', () => {
  const inWorker = () => {
    vi.stubGlobal('WorkerGlobalScope', class {})
    onTestFinished(() => {
      vi.unstubAllGlobals()
    })
  }

  test('HELLO announces how often the client sends, and it does so, whatever it receives', async () => {
    inWorker()
    stopTheClock()
    const { client, peer } = await joined(([code, request], to) => {
      if (code === SUBSCRIBE) to.send([SUBSCRIBED, request, 7])
      if (code === CALL) to.send([RESULT, request, {}, [1]])
    })
    expect(peer.received[0]?.[2]).toMatchObject({ _speaks_every: 20_000 })
    await client.subscribe('com.example.news', () => {})
    const before = peer.received.length
    for (let second = 0; second < 120; second++) {
      peer.send([EVENT, 7, second + 1, {}])
      await pass(1000, 500)
    }
    expect(peer.received.length - before).toBeGreaterThanOrEqual(5)
    expect(client.state).toBe('ready')
  })

  test('HELLO announces the configured idle time, or nothing if liveness is off', async () => {
    inWorker()
    const announced = async (options: object) => (await joined(undefined, options)).peer.received[0]?.[2]
    expect(await announced({ liveness: { idle: 5000 } })).toMatchObject({ _speaks_every: 5000 })
    expect(await announced({ liveness: false })).not.toHaveProperty('_speaks_every')
    vi.unstubAllGlobals()
    expect(await announced({})).not.toHaveProperty('_speaks_every')
  })
})
