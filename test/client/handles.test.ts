/** Handles: read-only views whose state, end and events a user may watch, and nothing of which a user can break. */

import { describe, expect, test } from 'vitest'
import { CANCELED, REVOKED, type Registration, type Subscription } from 'wampy-ts'
import {
  ERROR,
  REGISTER,
  SUBSCRIBE,
  UNREGISTER,
  UNREGISTERED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
} from '../../src/protocol/codes.ts'
import {
  type Answer,
  clientOf,
  eventsOf,
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

describe('a handle cannot be written to', () => {
  test('no field, no method and no option; the client goes on with what it was given', async () => {
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

  test('so a loop over events ends with its subscription, whatever its user does to the handle', async () => {
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
  test('resolves to undefined when its user ends it, before or after it was asked for', async () => {
    const { client } = await joined(answering)
    for (const handle of [await client.subscribe('a.t', () => {}), await client.register('a.b', () => {})]) {
      const before = handle.closed
      await ('unsubscribe' in handle ? handle.unsubscribe() : handle.unregister())
      expect([await before, await handle.closed]).toEqual([undefined, undefined])
    }
  })

  test('resolves to the error if the router revoked it', async () => {
    const { client, peer } = await joined(answering)
    const handle = await client.subscribe('a.t', () => {})
    peer.send(revoking(handle))
    expect(await handle.closed).toMatchObject({ uri: REVOKED, details: { reason: 'because' } })
    expect(await handle.closed).toBe(handle.error)
  })

  test('waits through a loss and a stop, which do not end a handle', async () => {
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
  test('every state, and the end', async () => {
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

  test('a revocation; the client reports it behind the handle', async () => {
    const { client, peer } = await joined(answering)
    const handle = await client.subscribe('a.t', () => {})
    const heard = heardOf(handle)
    client.on('failed', (failed) => heard.push(['failed', failed.state]))
    peer.send(revoking(handle))
    await until(() => heard.length === 3)
    expect(heard).toEqual(['closed', ['closed', uri(REVOKED)], ['failed', 'closed']])
  })

  test('go to a listener once, or no more', async () => {
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

  test('a listener that throws is reported by the client and harms nothing', async () => {
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

  test('a listener may end the handle', async () => {
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

test('a handle that is ended before it was granted rejects its promise, and is closed', async () => {
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
