/** `client.events(topic)`: events in a loop, its bounded buffer, and its end. */

import { describe, expect, test } from 'vitest'
import { CANCELED, LIMIT_EXCEEDED, REVOKED, STOPPED, TIMEOUT } from 'wampy-ts'
import {
  ERROR,
  EVENT,
  openWorld,
  type Scripted,
  SUBSCRIBE,
  SUBSCRIBED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
} from 'wampy-ts/testing'
import {
  type Answer,
  clientOf,
  failure,
  granting,
  joined,
  leavesNothing,
  next,
  pass,
  stopTheClock,
  until,
  uri,
  welcoming,
} from './support.ts'

leavesNothing()

const sent = (peer: Scripted | undefined, code: number) =>
  peer?.received.filter(([received]) => received === code) ?? []

const answering: Answer = (message, peer) => {
  granting(message, peer)
  if (message[0] === UNSUBSCRIBE) peer.send([UNSUBSCRIBED, message[1]])
}

describe('a loop over events', () => {
  test('subscribes at once, yields each event in full, and unsubscribes when it is left', async () => {
    const { client, peer } = await joined(answering)
    const events = client.events('a.t', { match: 'prefix', get_retained: true })
    const { id, state } = await events.subscription
    expect(sent(peer, SUBSCRIBE)).toEqual([[SUBSCRIBE, 1, { match: 'prefix', get_retained: true }, 'a.t']])
    expect([state, client.subscriptions.length]).toEqual(['active', 1])
    peer.send([EVENT, id, 7, { topic: 'a.t.x', retained: true }, [1], { k: 2 }], [EVENT, id, 8, { topic: 'a.t' }])
    const got: unknown[] = []
    for await (const event of events) {
      got.push(event)
      if (got.length === 2) break
    }
    expect(got).toEqual([
      {
        args: [1],
        kwargs: { k: 2 },
        topic: 'a.t.x',
        publication: 7,
        details: { topic: 'a.t.x', retained: true, publication: 7, subscription: id },
      },
      {
        args: [],
        kwargs: {},
        topic: 'a.t',
        publication: 8,
        details: { topic: 'a.t', publication: 8, subscription: id },
      },
    ])
    await until(() => sent(peer, UNSUBSCRIBE).length === 1)
    expect(client.subscriptions).toEqual([])
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  test('that throws unsubscribes too, and so does one that is left before SUBSCRIBED', async () => {
    const { client, peer } = await joined()
    const thrown = client.events('a.t')
    await until(() => sent(peer, SUBSCRIBE).length === 1)
    await thrown.return?.()
    peer.send([SUBSCRIBED, 1, 900])
    await until(() => sent(peer, UNSUBSCRIBE).length === 1)
    expect(peer.received.at(-1)).toEqual([UNSUBSCRIBE, 2, 900])
    peer.send([UNSUBSCRIBED, 2])
  })

  test('throws the refusal of the router, and the timeout of its subscription', async () => {
    stopTheClock()
    const { client, peer } = await joined(undefined, { liveness: false })
    const refused = client.events('a.t')
    await until(() => sent(peer, SUBSCRIBE).length === 1)
    peer.send([ERROR, SUBSCRIBE, 1, {}, 'wamp.error.not_authorized'])
    expect(await failure(refused.next())).toEqual(uri('wamp.error.not_authorized'))
    expect(await refused.next()).toEqual({ done: true, value: undefined })
    expect(await failure(refused.subscription)).toEqual(uri('wamp.error.not_authorized'))
    const late = failure(client.events('a.t', { timeout: 500 }).next())
    await pass(500)
    expect(await late).toEqual(uri(TIMEOUT))
    expect(await failure(client.events('not a topic').next())).toEqual(uri('wamp.error.invalid_uri'))
    peer.send([SUBSCRIBED, 2, 900])
    await until(() => sent(peer, UNSUBSCRIBE).length === 1)
  })

  test('ends by its signal, before and after SUBSCRIBED', async () => {
    const { client, peer } = await joined(answering)
    const controller = new AbortController()
    const events = client.events('a.t', { signal: controller.signal })
    await events.subscription
    const waiting = failure(events.next())
    controller.abort('enough')
    expect(await waiting).toMatchObject({ uri: CANCELED, cause: 'enough' })
    await until(() => sent(peer, UNSUBSCRIBE).length === 1)
    expect(await failure(client.events('a.t', { signal: AbortSignal.abort() }).next())).toEqual(uri(CANCELED))
    expect(sent(peer, SUBSCRIBE)).toHaveLength(1)
  })

  test.each([
    ['oldest', [3, 4, 5], undefined, 2],
    ['newest', [1, 2, 3], undefined, 2],
    ['error', [1, 2, 3], LIMIT_EXCEEDED, 1],
  ] as const)('that is too slow drops by its overflow option: %s', async (overflow, kept, error, dropped) => {
    const { client, peer } = await joined(answering)
    const events = client.events('a.t', { buffer: 3, overflow })
    const { id } = await events.subscription
    for (let n = 1; n <= 5; n++) peer.send([EVENT, id, n, {}, [n]])
    await until(() => client.dropped.events >= dropped)
    const got: unknown[] = []
    for (let n = 0; n < 3; n++) got.push((await events.next()).value?.args[0])
    expect(got).toEqual(kept)
    if (error) expect(await failure(events.next())).toEqual(uri(error))
    else await events.return?.()
    await until(() => sent(peer, UNSUBSCRIBE).length === 1)
  })

  test('buffers a thousand events by default', async () => {
    const { client, peer } = await joined(answering)
    const events = client.events('a.t')
    const { id } = await events.subscription
    for (let n = 1; n <= 1001; n++) peer.send([EVENT, id, n, {}, [n]])
    await until(() => client.dropped.events === 1)
    expect((await events.next()).value?.args).toEqual([2])
    await events.return?.()
  })

  test('throws an error on a revocation, and ends normally when its handle is unsubscribed', async () => {
    const { client, peer } = await joined(answering)
    const revoked = client.events('a.t')
    const { id } = await revoked.subscription
    peer.send([EVENT, id, 1, {}, ['before']], [UNSUBSCRIBED, 0, { subscription: id, reason: 'because' }])
    expect((await revoked.next()).value?.args).toEqual(['before'])
    expect(await failure(revoked.next())).toMatchObject({ uri: REVOKED, details: { reason: 'because' } })
    const ended = client.events('a.u')
    const handle = await ended.subscription
    const waiting = ended.next()
    await handle.unsubscribe()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  test('survives a loss, and ends with stop()', async () => {
    const router = welcoming(answering)
    const client = clientOf(router, { reconnect: { initial: 1 } })
    const stopped = client.events('a.t')
    await client.start()
    const { id } = await stopped.subscription
    router.peers[0]?.send([EVENT, id, 1, {}, ['before']])
    await until(() => client.state === 'ready')
    expect((await stopped.next()).value?.args).toEqual(['before'])
    router.peers[0]?.terminate()
    await next(client, 'ready')
    router.peers[1]?.send([EVENT, client.subscriptions[0]?.id, 2, {}, ['after']])
    expect((await stopped.next()).value?.args).toEqual(['after'])
    const waiting = stopped.next()
    await client.stop()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(client.subscriptions).toEqual([])
  })

  test('ends with the cause for which its client stopped, and normally if stop() comes before SUBSCRIBED', async () => {
    const { client, peer } = await joined(granting, { reconnect: () => false })
    const events = client.events('a.t')
    await events.subscription
    const waiting = failure(events.next())
    peer.terminate()
    expect(await waiting).toEqual(uri('wampy.error.connection_lost'))
    const router = welcoming()
    const never = clientOf(router)
    const pending = never.events('a.t')
    void never.start()
    await until(() => sent(router.peers[0], SUBSCRIBE).length === 1)
    await never.stop()
    expect(await pending.next()).toEqual({ done: true, value: undefined })
    expect(await failure(pending.subscription)).toEqual(uri(STOPPED))
  })
})

test('works through a router, also if the publisher is faster than the loop', async () => {
  await using world = await openWorld({ link: 'wires' })
  const [alice, bob] = await world.join('alice', 'bob')
  const events = alice.events('com.example.t', { buffer: 2 })
  await events.subscription
  for (let n = 1; n <= 5; n++) await bob.publish('com.example.t', [n], {}, { acknowledge: true })
  await until(() => alice.dropped.events === 3)
  const got: unknown[] = []
  for await (const { args, topic } of events) {
    got.push([topic, ...args])
    if (got.length === 2) break
  }
  expect(got).toEqual([
    ['com.example.t', 4],
    ['com.example.t', 5],
  ])
  await until(() => world.router.stats().subscriptions === 0)
})

test('includes an event that arrives right behind SUBSCRIBED', async () => {
  const { client } = await joined(([code, request], peer) => {
    if (code === SUBSCRIBE) peer.send([SUBSCRIBED, request, 900], [EVENT, 900, 1, {}, ['at once']])
    if (code === UNSUBSCRIBE) peer.send([UNSUBSCRIBED, request])
  })
  for await (const { args } of client.events('a.t')) {
    expect(args).toEqual(['at once'])
    break
  }
})
