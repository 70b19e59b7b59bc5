/** Revocation: the router takes back a subscription or registration, and notifies its holder. */

import { describe, expect, test } from 'vitest'
import {
  CALL,
  ERROR,
  EVENT,
  INVOCATION,
  PUBLISH,
  REGISTER,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  UNREGISTERED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
  YIELD,
} from 'wampy-ts/testing'
import { ask, ID, open, type Peer, ROLES, subscribe, TEXT } from './support.ts'

const REMOVE_SUBSCRIBER = 'wamp.subscription.remove_subscriber'
const REMOVE_CALLEE = 'wamp.registration.remove_callee'
const ABLE = {
  roles: {
    ...ROLES,
    subscriber: { features: { subscription_revocation: true } },
    callee: { features: { registration_revocation: true } },
  },
}

describe('of a subscription', () => {
  function held(): { admin: Peer; able: Peer; plain: Peer; id: number } & ReturnType<typeof open> {
    const world = open()
    const [admin, able, plain] = [world.join(), world.join({}, ABLE), world.join()]
    const id = subscribe(able, 'com.topic')
    subscribe(plain, 'com.topic')
    return { ...world, admin, able, plain, id }
  }

  test.each<[unknown[], object]>([
    [[], {}],
    [[null], {}],
    [['too loud'], { reason: 'too loud' }],
  ])('with reason %j: sends %j to a session that announced revocation', (reason, said) => {
    const { admin, able, plain, id, router } = held()
    expect(ask(admin, REMOVE_SUBSCRIBER, [id, able.id, ...reason])).toEqual([RESULT])
    expect(able.take()).toEqual([[UNSUBSCRIBED, 0, { subscription: id, ...said }]])
    admin.says([PUBLISH, 1, {}, 'com.topic'])
    expect(able.take()).toEqual([])
    expect(plain.take()).toEqual([[EVENT, id, ID, {}]])
    expect(router.stats().subscriptions).toBe(1)
  })

  test('the reason may be a keyword argument', () => {
    const { admin, able, id } = held()
    expect(ask(admin, REMOVE_SUBSCRIBER, [id, able.id], { reason: 'too loud' })).toEqual([RESULT])
    expect(able.take()).toEqual([[UNSUBSCRIBED, 0, { subscription: id, reason: 'too loud' }]])
  })

  test('sends nothing to a session that did not announce it, and the subscription still ends', () => {
    const { admin, able, plain, id } = held()
    ask(admin, REMOVE_SUBSCRIBER, [id, plain.id])
    expect(plain.take()).toEqual([])
    admin.says([PUBLISH, 1, {}, 'com.topic'])
    expect([plain.take(), able.take()]).toEqual([[], [[EVENT, id, ID, {}]]])
  })

  test('publishes on_unsubscribe, and on_delete with the last subscriber', () => {
    const { admin, able, plain, id, router } = held()
    subscribe(admin, 'wamp.subscription.on_', { match: 'prefix' })
    const topic = (name: string): object => ({ topic: `wamp.subscription.${name}` })
    expect(admin.says([CALL, 1, {}, REMOVE_SUBSCRIBER, [id, plain.id]])).toEqual([
      [EVENT, ID, ID, topic('on_unsubscribe'), [plain.id, id]],
      [RESULT, 1, {}],
    ])
    expect(admin.says([CALL, 2, {}, REMOVE_SUBSCRIBER, [id, able.id]])).toEqual([
      [EVENT, ID, ID, topic('on_unsubscribe'), [able.id, id]],
      [EVENT, ID, ID, topic('on_delete'), [able.id, id]],
      [RESULT, 2, {}],
    ])
    expect(router.stats().subscriptions).toBe(1)
  })

  test('an UNSUBSCRIBE that crosses it is refused, and the session may subscribe again', () => {
    const { admin, able, id } = held()
    ask(admin, REMOVE_SUBSCRIBER, [id, able.id])
    expect(able.says([UNSUBSCRIBE, 5, id], [SUBSCRIBE, 6, {}, 'com.topic'])).toEqual([
      [UNSUBSCRIBED, 0, { subscription: id }],
      [ERROR, UNSUBSCRIBE, 5, {}, 'wamp.error.no_such_subscription', [TEXT]],
      [SUBSCRIBED, 6, id],
    ])
  })

  test('of an unknown subscription or session is refused', () => {
    const { admin, able, id, join } = held()
    const refused = (...args: unknown[]): unknown => ask(admin, REMOVE_SUBSCRIBER, args)[1]
    expect(refused(4711, able.id)).toBe('wamp.error.no_such_subscription')
    expect(refused(id, 4711)).toBe('wamp.error.no_such_session')
    expect(refused(id, join().id)).toBe('wamp.error.no_such_subscription')
    ask(admin, REMOVE_SUBSCRIBER, [id, able.id])
    expect(refused(id, able.id)).toBe('wamp.error.no_such_subscription')
  })

  test('of a subscription with history keeps the history', () => {
    const { join, router } = open({ history: [{ uri: 'com.topic', limit: 5 }] })
    const [admin, able] = [join(), join({}, ABLE)]
    const id = subscribe(able, 'com.topic')
    ask(admin, REMOVE_SUBSCRIBER, [id, able.id])
    admin.says([PUBLISH, 1, {}, 'com.topic'])
    expect(router.stats()).toMatchObject({ subscriptions: 0, history: 1 })
  })
})

describe('of a registration', () => {
  function served(): { admin: Peer; able: Peer; plain: Peer; id: number } & ReturnType<typeof open> {
    const world = open()
    const [admin, able, plain] = [world.join(), world.join({}, ABLE), world.join()]
    const [[, , id] = []] = able.says([REGISTER, 1, { invoke: 'roundrobin' }, 'com.proc'])
    plain.says([REGISTER, 1, { invoke: 'roundrobin' }, 'com.proc'])
    return { ...world, admin, able, plain, id: id as number }
  }

  test('notifies a session that announced it; the other callees stay registered', () => {
    const { admin, able, plain, id } = served()
    expect(ask(admin, REMOVE_CALLEE, [id, able.id, 'broken'])).toEqual([RESULT])
    expect(able.take()).toEqual([[UNREGISTERED, 0, { registration: id, reason: 'broken' }]])
    for (const request of [1, 2]) admin.says([CALL, request, {}, 'com.proc'])
    expect(plain.take().map(([code]) => code)).toEqual([INVOCATION, INVOCATION])
    expect(ask(admin, REMOVE_CALLEE, [id, plain.id])).toEqual([RESULT])
    expect(plain.take()).toEqual([])
    expect(ask(admin, 'com.proc')).toEqual([ERROR, 'wamp.error.no_such_procedure', [TEXT]])
    plain.says([YIELD, 1, {}, ['late']])
    expect(admin.take()).toEqual([[RESULT, 1, {}, ['late']]])
  })

  test('publishes on_unregister, and on_delete with the last callee', () => {
    const { admin, able, plain, id } = served()
    subscribe(admin, 'wamp.registration.on_', { match: 'prefix' })
    const topic = (name: string): object => ({ topic: `wamp.registration.${name}` })
    expect(admin.says([CALL, 1, {}, REMOVE_CALLEE, [id, plain.id]])).toEqual([
      [EVENT, ID, ID, topic('on_unregister'), [plain.id, id]],
      [RESULT, 1, {}],
    ])
    expect(admin.says([CALL, 2, {}, REMOVE_CALLEE, [id, able.id]])).toEqual([
      [EVENT, ID, ID, topic('on_unregister'), [able.id, id]],
      [EVENT, ID, ID, topic('on_delete'), [able.id, id]],
      [RESULT, 2, {}],
    ])
  })

  test('of an unknown registration or session is refused', () => {
    const { admin, able, id, join } = served()
    const refused = (...args: unknown[]): unknown => ask(admin, REMOVE_CALLEE, args)[1]
    expect(refused(4711, able.id)).toBe('wamp.error.no_such_registration')
    expect(refused(id, 4711)).toBe('wamp.error.no_such_session')
    expect(refused(id, join().id)).toBe('wamp.error.no_such_registration')
  })
})
