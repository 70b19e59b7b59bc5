/** A dead connection that nothing closed is noticed, and a live one is left alone. */

import { describe, expect, test, vi } from 'vitest'
import { CONNECTION_LOST, DEFAULT_URL, type Liveness, WampRouter } from 'wampy-ts'
import { Router } from 'wampy-ts/router'
import { ABORT, CALL, ERROR, EVENT, HELLO, RESULT, wires } from 'wampy-ts/testing'
import {
  type Answer,
  clientOf,
  failure,
  joined,
  leavesNothing,
  next,
  Page,
  pass,
  stopTheClock,
  until,
  uri,
  WELCOMED,
} from './support.ts'

leavesNothing()

const probes = ({ received }: { received: readonly (readonly unknown[])[] }) =>
  received.filter(([code, , , procedure]) => code === CALL && procedure === 'wamp.session.count')

const refusing: Answer = ([code, request], peer) =>
  code === CALL && peer.send([ERROR, CALL, request, {}, 'wamp.error.no_such_procedure'])

async function watched(answer: Answer | undefined, liveness?: Liveness | false) {
  stopTheClock()
  return joined(answer, liveness === undefined ? {} : { liveness })
}

describe('if the transport cannot ping', () => {
  test('20 seconds of silence cause a CALL of wamp.session.count, and 10 more without an answer a loss', async () => {
    const { client, peer } = await watched(undefined)
    await pass(19_900)
    expect(probes(peer)).toEqual([])
    await pass(5100)
    expect(probes(peer)).toEqual([[CALL, 1, {}, 'wamp.session.count']])
    const lost = next(client, 'lost')
    await pass(9900)
    expect(client.state).toBe('ready')
    await pass(200)
    expect((await lost)[0]).toMatchObject({ uri: CONNECTION_LOST, message: expect.stringMatching(/no answer within/) })
    expect((await peer.closed).code).toBe(1006)
  })

  test('any answer, even a refusal, keeps an idle connection alive', async () => {
    const { client, peer } = await watched(refusing)
    let lost = false
    client.on('lost', () => {
      lost = true
    })
    await pass(300_000, 500)
    expect(lost).toBe(false)
    expect(probes(peer).length).toBeGreaterThan(8)
    expect(probes(peer).length).toBeLessThanOrEqual(15)
    expect(client.dropped.answers).toBe(0)
  })

  test('an answer that comes just in time counts', async () => {
    const { client, peer } = await watched(undefined)
    for (let round = 1; round < 5; round++) {
      while (probes(peer).length < round) await pass(500)
      await pass(9500)
      peer.send([RESULT, probes(peer).at(-1)?.[1], {}, [1]])
      await pass(1000)
      expect(client.state).toBe('ready')
    }
  })

  test('any message counts as well: a busy connection is not probed', async () => {
    const { client, peer } = await watched(undefined)
    for (let second = 0; second < 60; second += 4) {
      await pass(4000, 1000)
      peer.send([EVENT, 5, 5, {}])
    }
    expect(probes(peer)).toEqual([])
    expect(client.state).toBe('ready')
  })

  test('pending calls are rejected when the loss is noticed', async () => {
    const { client } = await watched(undefined)
    const call = failure(client.call('com.example.f'))
    await pass(36_000, 500)
    expect(await call).toMatchObject({ uri: CONNECTION_LOST, sent: true })
  })

  test('the client reconnects by itself', async () => {
    stopTheClock()
    const { client, router } = await joined(undefined, { reconnect: true })
    const ready = next(client, 'ready')
    await pass(36_000, 500)
    await ready
    expect(router.peers).toHaveLength(2)
  })

  test('both times are options', async () => {
    const { client, peer } = await watched(undefined, { idle: 1000, answer: 200 })
    const lost = next(client, 'lost')
    await pass(1600, 50)
    expect(probes(peer)).toHaveLength(1)
    await lost
  })

  test('an idle of Infinity never probes, and does not spin', async () => {
    const { client, peer } = await watched(undefined, { idle: Number.POSITIVE_INFINITY })
    await pass(600_000, 5000)
    expect(probes(peer)).toEqual([])
    expect(client.state).toBe('ready')
  })

  test('false turns the probes off', async () => {
    const { client, peer } = await watched(undefined, false)
    await pass(600_000, 5000)
    expect(probes(peer)).toEqual([])
    expect(client.state).toBe('ready')
  })

  test('a client without the role of caller accepts the answer', async () => {
    stopTheClock()
    const { client, peer } = await joined(
      ([code, request], to) => code === CALL && to.send([RESULT, request, {}, [1]]),
      {
        roles: ['subscriber'],
      },
    )
    await pass(60_000, 500)
    expect(probes(peer).length).toBeGreaterThan(0)
    expect(peer.received.some(([code]) => code === ABORT)).toBe(false)
    expect(client.state).toBe('ready')
  })

  test('stop() clears the timers', async () => {
    const { client } = await watched(undefined)
    await client.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('a transport that can ping is pinged instead', async () => {
  stopTheClock()
  let answer = true
  let pings = 0
  const { a, b } = wires()
  b.open({ frame: (frame) => JSON.parse(String(frame))[0] === HELLO && b.send(JSON.stringify(WELCOMED)), closed() {} })
  a.ping = (answered) => {
    pings++
    if (answer) setTimeout(answered, 50)
  }
  const router = new WampRouter({ url: DEFAULT_URL, dial: async () => a })
  const client = clientOf(router, { reconnect: false })
  await client.start()
  await pass(200_000, 500)
  expect(client.state).toBe('ready')
  expect(pings).toBeGreaterThan(4)
  answer = false
  const lost = next(client, 'lost')
  await pass(36_000, 500)
  await lost
})

test('a link within the process is not probed', async () => {
  stopTheClock()
  const router = new Router()
  const client = clientOf(router)
  await client.start()
  expect(vi.getTimerCount()).toBe(0)
})

describe('in a page', () => {
  test('returning to the foreground probes at once; going to the background does not', async () => {
    const page = new Page()
    const { peer } = await watched(refusing)
    page.show('hidden')
    await pass(100)
    expect(probes(peer)).toHaveLength(0)
    page.show('visible')
    await until(() => probes(peer).length === 1)
  })

  test('returning to the network probes at once, and no answer is a loss', async () => {
    const page = new Page()
    const { client, peer } = await watched(undefined)
    page.window.dispatchEvent(new Event('online'))
    await until(() => probes(peer).length === 1)
    const lost = next(client, 'lost')
    await pass(10_100, 500)
    expect(await lost).toEqual([uri(CONNECTION_LOST)])
  })

  test('several events in a row probe once', async () => {
    const page = new Page()
    const { peer } = await watched(undefined)
    for (let i = 0; i < 5; i++) {
      page.window.dispatchEvent(new Event('online'))
      page.show('visible')
    }
    await pass(100)
    expect(probes(peer)).toHaveLength(1)
  })

  test('stop() removes the listeners', async () => {
    const page = new Page()
    const { client } = await watched(undefined)
    expect(page.listeners).toBeGreaterThan(0)
    await client.stop()
    expect(page.listeners).toBe(0)
  })

  test('a loss removes them as well, and the next session adds its own', async () => {
    const page = new Page()
    stopTheClock()
    const { client, router, peer } = await joined(undefined, { reconnect: { initial: 100 } })
    const before = page.listeners
    const lost = next(client, 'lost')
    peer.terminate()
    await lost
    await pass(200)
    expect(router.peers).toHaveLength(2)
    expect(client.state).toBe('ready')
    expect(page.listeners).toBe(before)
  })
})
