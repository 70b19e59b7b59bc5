/** Revocation by the router: the handle is closed with the reason, and is not restored. */

import { describe, expect, test } from 'vitest'
import { getRegisteredEntrypoints, REVOKED, rpc, WampClient } from 'wampy-ts'
import {
  ERROR,
  EVENT,
  INVOCATION,
  openWorld,
  REGISTER,
  SUBSCRIBE,
  UNREGISTER,
  UNREGISTERED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
} from 'wampy-ts/testing'
import { clientOf, eventsOf, gate, granting, joined, leavesNothing, next, until, uri, welcoming } from './support.ts'

leavesNothing()

describe('by a scripted router', () => {
  test('of a registration: running calls are answered, new ones are refused', async () => {
    const { client, peer } = await joined(granting)
    const answer = gate<string>()
    const handle = await client.register('a.b', () => answer.opened)
    const { id } = handle
    peer.send([INVOCATION, 1, id, {}])
    const failed = next(client, 'failed')
    peer.send([UNREGISTERED, 0, { registration: id, reason: 'not you any more' }], [INVOCATION, 2, id, {}])
    const [told, error] = await failed
    expect(told).toBe(handle)
    expect(error).toMatchObject({
      uri: REVOKED,
      message: 'the router revoked a.b: not you any more',
      details: { reason: 'not you any more' },
    })
    expect([handle.state, handle.error, client.registrations]).toEqual(['closed', error, []])
    answer.open('still')
    await until(() => peer.received.length === 4)
    expect(peer.received.slice(2)).toMatchObject([
      [ERROR, INVOCATION, 2, {}, 'wamp.error.no_such_procedure', [`registration ${id} is gone`]],
      [70, 1, {}, ['still']],
    ])
    await handle.unregister()
    expect(peer.received).toHaveLength(4)
  })

  test('right behind the grant rejects the promise, and sends no UNREGISTER or UNSUBSCRIBE', async () => {
    const { client, peer } = await joined(([code, request], it) => {
      if (code === REGISTER) it.send([65, request, 900], [UNREGISTERED, 0, { registration: 900, reason: 'too late' }])
      if (code === SUBSCRIBE) it.send([33, request, 901], [UNSUBSCRIBED, 0, { subscription: 901 }])
    })
    const message = 'the router revoked a.b: too late'
    await expect(client.register('a.b', () => 1)).rejects.toMatchObject({ uri: REVOKED, message })
    await expect(client.subscribe('a.t', () => {})).rejects.toMatchObject({ uri: REVOKED })
    expect([client.registrations, client.subscriptions]).toEqual([[], []])
    await client.stop()
    expect(peer.received.map(([code]) => code)).toEqual([1, REGISTER, SUBSCRIBE, 6])
  })

  test('of a subscription ends all handles that share it', async () => {
    const { client, peer } = await joined(([code, request], it) => code === SUBSCRIBE && it.send([33, request, 900]))
    const heard: unknown[] = []
    const handles = await Promise.all([1, 2].map((n) => client.subscribe('a.t', ([x]) => heard.push([n, x]))))
    const events = eventsOf(client)
    peer.send([EVENT, 900, 1, {}, ['before']], [UNSUBSCRIBED, 0, { subscription: 900 }], [EVENT, 900, 2, {}, ['after']])
    await until(() => client.dropped.events === 1)
    expect(heard).toEqual([
      [1, 'before'],
      [2, 'before'],
    ])
    expect(events).toEqual(
      handles.map((handle) => ['failed', handle, expect.objectContaining({ message: 'the router revoked a.t' })]),
    )
    expect(handles.map(({ state }) => state)).toEqual(['closed', 'closed'])
  })

  test('of an unknown or missing id is not a violation', async () => {
    const { client, peer } = await joined(granting)
    await client.register('a.b', () => {})
    const events = eventsOf(client)
    peer.send([UNREGISTERED, 0, { registration: 77 }], [UNREGISTERED, 0, {}], [UNSUBSCRIBED, 0, { subscription: true }])
    await client.subscribe('a.t', () => {})
    expect([client.state, events, client.registrations.length]).toEqual(['ready', [], 1])
  })

  test('that crosses unregister or unsubscribe lets both resolve', async () => {
    const { client, peer } = await joined(([code, request], it) => {
      if (code === REGISTER || code === SUBSCRIBE) it.send([code + 1, request, 900])
      if (code === UNREGISTER) {
        it.send(
          [UNREGISTERED, 0, { registration: 900 }],
          [ERROR, UNREGISTER, request, {}, 'wamp.error.no_such_registration'],
        )
      }
      if (code === UNSUBSCRIBE) {
        it.send(
          [UNSUBSCRIBED, 0, { subscription: 900 }],
          [ERROR, UNSUBSCRIBE, request, {}, 'wamp.error.no_such_subscription'],
        )
      }
    })
    const events = eventsOf(client)
    const registration = await client.register('a.b', () => {})
    const subscription = await client.subscribe('a.t', () => {})
    await registration.unregister()
    await subscription.unsubscribe()
    expect([registration.state, subscription.state, events]).toEqual(['closed', 'closed', []])
    expect(peer.received.length).toBe(5)
  })

  test('is final: the next join does not restore the handle', async () => {
    const router = welcoming(granting)
    const client = clientOf(router, { reconnect: { initial: 1 } })
    await client.start()
    const revoked = await client.register('a.revoked', () => {})
    await client.register('a.kept', () => {})
    const failed = next(client, 'failed')
    router.peers[0]?.send([UNREGISTERED, 0, { registration: revoked.id as number }])
    await failed
    const ready = next(client, 'ready')
    router.peers[0]?.terminate()
    await ready
    expect(router.peers[1]?.received.filter(([code]) => code === REGISTER).map((message) => message[3])).toEqual([
      'a.kept',
    ])
  })
})

describe('through a router', () => {
  test('an administrator removes a procedure from its service', async () => {
    class Service extends WampClient {
      @rpc one(): number {
        return 1
      }
      @rpc two(): number {
        return 2
      }
    }
    await using world = await openWorld({ router: { controlOthers: true } })
    const [admin] = await world.join('admin')
    await using service = new Service({ router: world.connector('service') })
    await service.start()
    const [one] = service.registrations
    const id = one?.id as number
    const failed = next(service, 'failed')
    await admin.call('wamp.registration.remove_callee', [id, service.session.id, 'a.reason'])
    expect(await failed).toEqual([one, uri(REVOKED)])
    expect(getRegisteredEntrypoints().has(id)).toBe(false)
    expect([service.registrations.map((handle) => handle.uri), await admin.call('two')]).toEqual([['two'], 2])
    await service.stop()
    await service.start()
    expect(await admin.call('one')).toBe(1)
  })

  test('a session takes over a procedure by force_reregister', async () => {
    await using world = await openWorld({ router: { controlOthers: true } })
    const [old, young] = await world.join('old', 'young')
    const handle = await old.register('a.b', () => 'old')
    const failed = next(old, 'failed')
    await young.register('a.b', () => 'young', { force_reregister: true })
    expect((await failed)[0]).toBe(handle)
    expect(await old.call('a.b')).toBe('young')
  })
})
