/** Handles: read-only views with state, end and events, which their users cannot break. */

import { describe, expect, test } from 'vitest'
import { CANCELED, type Gap, getEvents, REVOKED, type Registration, type Subscription } from 'wampy-ts'
import {
  ERROR,
  EVENT,
  openWorld,
  REGISTER,
  SUBSCRIBE,
  UNREGISTER,
  UNREGISTERED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
} from 'wampy-ts/testing'
import {
  type Answer,
  clientOf,
  eventsOf,
  failure,
  gate,
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

const answering: Answer = (message, peer) => {
  granting(message, peer)
  if (message[0] === UNSUBSCRIBE) peer.send([UNSUBSCRIBED, message[1]])
  if (message[0] === UNREGISTER) peer.send([UNREGISTERED, message[1]])
}

const revoking = (handle: Subscription) => [UNSUBSCRIBED, 0, { subscription: handle.id, reason: 'because' }]

/** `state` and `closed` events of a handle from now on. */
function heardOf(handle: Subscription | Registration): unknown[] {
  const heard: unknown[] = []
  handle.on('state', (state) => heard.push(state)).on('closed', (error) => heard.push(['closed', error]))
  return heard
}

describe('a handle is read-only', () => {
  test('neither fields nor methods nor options can be changed; the client keeps the original values', async () => {
    const router = welcoming(answering)
    const client = clientOf(router, { reconnect: { initial: 1 } })
    await client.start()
    const given = { match: 'prefix', _mine: 1 } as const
    const subscription = await client.subscribe('a.', () => {}, given)
    const registration = await client.register('a.b', () => {}, { invoke: 'last' })
    for (const handle of [subscription, registration]) {
      const { state, id, uri, options } = handle
      for (const field of [
        'state',
        'id',
        'uri',
        'error',
        'options',
        'closed',
        'on',
        'unsubscribe',
        'unregister',
        'x',
      ]) {
        expect(
          Reflect.set(handle, field, () => {}),
          field,
        ).toBe(false)
        expect(Reflect.defineProperty(handle, field, { value: () => {} }), field).toBe(false)
      }
      expect(() => Object.assign(handle.options, { match: 5 })).toThrow(TypeError)
      expect([handle.state, handle.id, handle.uri, handle.options]).toEqual([state, id, uri, options])
    }
    Object.assign(given, { match: 'wildcard', get_retained: 5 })
    const ready = next(client, 'ready')
    router.peers[0]?.terminate()
    await ready
    expect(router.peers[1]?.received.slice(1)).toEqual([
      [SUBSCRIBE, 1, { match: 'prefix', _mine: 1 }, 'a.'],
      [REGISTER, 2, { invoke: 'last' }, 'a.b'],
    ])
    await subscription.unsubscribe()
    await registration.unregister()
    expect([subscription.state, registration.state]).toEqual(['closed', 'closed'])
  })

  test('a loop over events ends with its subscription, even if its user tampers with the handle', async () => {
    const { client, peer } = await joined(answering)
    const events = client.events('a.t')
    const handle = await events.subscription
    expect(() => Object.assign(handle, { closed: () => {} })).toThrow(TypeError)
    const waiting = failure(events.next())
    peer.send(revoking(handle))
    expect(await waiting).toEqual(uri(REVOKED))
    const left = client.events('a.t')
    Reflect.set(await left.subscription, 'unsubscribe', async () => {})
    await left.return?.()
    await until(() => peer.received.some(([code]) => code === UNSUBSCRIBE))
    expect(client.subscriptions).toEqual([])
  })
})

describe('closed', () => {
  test('resolves to undefined when the handle is ended by its user, before or after it is read', async () => {
    const { client } = await joined(answering)
    for (const handle of [await client.subscribe('a.t', () => {}), await client.register('a.b', () => {})]) {
      const before = handle.closed
      await ('unsubscribe' in handle ? handle.unsubscribe() : handle.unregister())
      expect([await before, await handle.closed]).toEqual([undefined, undefined])
    }
  })

  test('resolves to the error if the router revoked the handle', async () => {
    const { client, peer } = await joined(answering)
    const handle = await client.subscribe('a.t', () => {})
    peer.send(revoking(handle))
    expect(await handle.closed).toMatchObject({ uri: REVOKED, details: { reason: 'because' } })
    expect(await handle.closed).toBe(handle.error)
  })

  test('stays pending through a loss and a stop, which do not end a handle', async () => {
    const router = welcoming(answering)
    const client = clientOf(router, { reconnect: { initial: 1 } })
    await client.start()
    const handle = await client.subscribe('a.t', () => {})
    let closed = false
    void handle.closed.then(() => {
      closed = true
    })
    const ready = next(client, 'ready')
    router.peers[0]?.terminate()
    await ready
    await client.stop()
    expect([handle.state, closed]).toEqual(['pending', false])
    await handle.unsubscribe()
    await handle.closed
    expect(closed).toBe(true)
  })
})

describe('events of a handle', () => {
  test('report every state, and the end', async () => {
    stopTheClock()
    let refusing = false
    const router = welcoming((message, peer) => {
      if (!refusing) return answering(message, peer)
      peer.send([ERROR, message[0], message[1], {}, 'wamp.error.procedure_already_exists'])
    })
    const client = clientOf(router, { reconnect: { initial: 1 }, liveness: false })
    await client.start()
    const handle = await client.register('a.b', () => {})
    const heard = heardOf(handle)
    refusing = true
    router.peers[0]?.terminate()
    await pass(100)
    expect([handle.state, handle.error]).toEqual(['failed', uri('wamp.error.procedure_already_exists')])
    refusing = false
    await pass(1000)
    expect([handle.state, handle.error]).toEqual(['active', undefined])
    await handle.unregister()
    expect(heard).toEqual(['pending', 'failed', 'active', 'closed', ['closed', undefined]])
  })

  test('report a revocation before the client does', async () => {
    const { client, peer } = await joined(answering)
    const handle = await client.subscribe('a.t', () => {})
    const heard = heardOf(handle)
    client.on('failed', (failed) => heard.push(['failed', failed.state]))
    peer.send(revoking(handle))
    await until(() => heard.length === 3)
    expect(heard).toEqual(['closed', ['closed', uri(REVOKED)], ['failed', 'closed']])
  })

  test('reach a listener once with once, and no longer after it is removed', async () => {
    const router = welcoming(answering)
    const client = clientOf(router, { reconnect: { initial: 1 } })
    await client.start()
    const handle = await client.subscribe('a.t', () => {})
    const heard: string[] = []
    const removed = (state: string) => heard.push(`removed ${state}`)
    handle.once('state', (state) => heard.push(`once ${state}`)).on('state', removed)
    handle.off('state', removed)
    const ready = next(client, 'ready')
    router.peers[0]?.terminate()
    await ready
    expect([handle.state, heard]).toEqual(['active', ['once pending']])
  })

  test('survive a listener that throws, which the client reports', async () => {
    const { client } = await joined(answering)
    const handle = await client.subscribe('a.t', () => {})
    const events = eventsOf(client)
    const error = new Error('mine')
    handle.on('state', () => {
      throw error
    })
    const heard = heardOf(handle)
    await handle.unsubscribe()
    expect([events, heard.at(-1), client.subscriptions]).toEqual([[['error', error]], ['closed', undefined], []])
  })

  test('may end the handle from a listener', async () => {
    const router = welcoming(answering)
    const client = clientOf(router, { reconnect: { initial: 1 } })
    await client.start()
    const handle = await client.subscribe('a.t', () => {})
    let ended: Promise<void> | undefined
    handle.on('state', (state) => {
      if (state === 'active') ended = handle.unsubscribe()
    })
    const ready = next(client, 'ready')
    router.peers[0]?.terminate()
    await ready
    await ended
    expect(router.peers[1]?.received.at(-1)?.[0]).toBe(UNSUBSCRIBE)
    expect(client.subscriptions).toEqual([])
  })
})

describe('a gap', () => {
  test('is reported by the handle and the client when a subscription is active again, with the last publication before it', async () => {
    const router = welcoming(answering)
    const client = clientOf(router, { reconnect: { initial: 1 } })
    await client.start()
    const heard: unknown[] = []
    const first = await client.subscribe('a.t', () => {})
    const second = await client.subscribe('a.u', () => {})
    await client.register('a.b', () => {})
    for (const handle of [first, second]) handle.on('gap', (gap) => heard.push([handle.uri, handle.state, gap]))
    client.on('gap', (handle, gap) => heard.push([handle, gap]))
    router.peers[0]?.send([EVENT, first.id, 4711, {}], [EVENT, first.id, 4712, {}])
    const before = Date.now()
    const ready = next(client, 'ready')
    router.peers[0]?.terminate()
    await ready
    const since = expect.any(Number)
    expect(heard).toEqual([
      ['a.t', 'active', { after: 4712, since }],
      [first, { after: 4712, since }],
      ['a.u', 'active', { after: undefined, since }],
      [second, { after: undefined, since }],
    ])
    const [, , { since: lost }] = heard[0] as [string, string, Gap]
    expect(lost).toBeGreaterThanOrEqual(before)
    expect(lost).toBeLessThanOrEqual(Date.now())
  })

  test('begins with the first loss, even if more sessions are lost before it ends; a stop begins one too', async () => {
    stopTheClock()
    const router = welcoming((message, peer) => {
      if (router.peers.length !== 2) answering(message, peer)
      else peer.send([ERROR, SUBSCRIBE, message[1], {}, 'com.example.no'])
    })
    const client = clientOf(router, { reconnect: { initial: 1 }, liveness: false })
    await client.start()
    const gaps: Gap[] = []
    client.on('gap', (_, gap) => gaps.push(gap))
    const handle = await client.subscribe('a.t', () => {})
    const lost = Date.now()
    router.peers[0]?.terminate()
    await pass(500)
    expect([handle.state, gaps]).toEqual(['failed', []])
    router.peers[1]?.terminate()
    await pass(500)
    expect([handle.state, gaps]).toEqual(['active', [{ after: undefined, since: lost }]])
    await client.stop()
    await pass(1000)
    await client.start()
    expect(gaps[1]).toEqual({ after: undefined, since: lost + 1000 })
  })

  test('is not reported for a new subscription, even if its first attempt ended with the session', async () => {
    const router = welcoming((message, peer) => {
      if (router.peers.length > 1) answering(message, peer)
    })
    const client = clientOf(router, { reconnect: { initial: 1 } })
    await client.start()
    const gaps: unknown[] = []
    client.on('gap', (...gap) => gaps.push(gap))
    const subscribed = client.subscribe('a.t', () => {})
    await until(() => router.peers[0]?.received.length === 2)
    router.peers[0]?.terminate()
    expect((await subscribed).state).toBe('active')
    expect(gaps).toEqual([])
  })

  test('allows a page to fetch the missed events from the event history', async () => {
    await using world = await openWorld({ router: { controlOthers: true, history: [{ uri: 'a.t', limit: 10 }] } })
    const [alice] = await world.join('alice')
    const away = gate()
    let attempts = 0
    const bob = clientOf(
      {
        name: 'bob',
        async connect() {
          if (++attempts > 1) await away.opened
          return world.router.connect()
        },
      },
      { reconnect: { initial: 1 } },
    )
    await bob.start()
    const heard: unknown[] = []
    const handle = await bob.subscribe('a.t', ([n]) => heard.push(n))
    const fetched = new Promise<unknown[]>((resolve) => {
      handle.on('gap', async ({ after }) => {
        const missed = await getEvents(bob, handle, { after_publication: after })
        resolve(missed.map(({ args }) => args[0]))
      })
    })
    const send = (n: number) => alice.publish('a.t', [n], {}, { acknowledge: true })
    await send(1)
    await until(() => heard.length === 1)
    const lost = next(bob, 'lost')
    await alice.call('wamp.session.kill', [bob.session.id])
    await lost
    await send(2)
    await send(3)
    away.open()
    expect(await fetched).toEqual([2, 3])
    expect(heard).toEqual([1])
    await bob.stop()
  })
})

test('a request that was refused on many rejoins is repeated soon on the next session', async () => {
  stopTheClock()
  let refusing = true
  const router = welcoming((message, peer) => {
    if (router.peers.length === 1 || !refusing) return answering(message, peer)
    peer.send([ERROR, REGISTER, message[1], {}, 'wamp.error.procedure_already_exists'])
  })
  const client = clientOf(router, { reconnect: { initial: 100, max: 100 }, liveness: false })
  await client.start()
  const handle = await client.register('a.b', () => {})
  // In one session the delays grow,
  router.peers[0]?.terminate()
  await pass(20_000, 1000)
  const asked = () => router.peers.at(-1)?.received.filter(([code]) => code === REGISTER).length
  expect(asked()).toBeLessThan(8)
  // and in the next they begin anew.
  router.peers.at(-1)?.terminate()
  await pass(200)
  expect([handle.state, asked()]).toEqual(['failed', 1])
  refusing = false
  await pass(1100)
  expect(handle.state).toBe('active')
})

test('a handle that is ended before it is granted rejects its promise, and is closed', async () => {
  const { client, peer } = await joined()
  const asked = failure(client.subscribe('a.t', () => {}))
  const [handle] = client.subscriptions
  const heard = heardOf(handle as Subscription)
  const ended = handle?.unsubscribe()
  expect(await asked).toEqual(uri(CANCELED))
  peer.send([33, 1, 900])
  await until(() => peer.received.at(-1)?.[0] === UNSUBSCRIBE)
  peer.send([UNSUBSCRIBED, 2])
  await ended
  expect(heard).toEqual(['closed', ['closed', undefined]])
})
