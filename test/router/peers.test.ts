/** Quirks of known libraries: which ones the router tolerates for which peer; a strict router tolerates none. */

import { describe, expect, test } from 'vitest'
import { CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, REGISTER, RESULT, YIELD } from 'wampy-ts/testing'
import type { RouterOptions } from '../../src/router/router.ts'
import { able, refused, register } from './rpc.ts'
import { ID, open, type Peer, violates, type World } from './support.ts'

const on = (...features: string[]) => ({ features: Object.fromEntries(features.map((feature) => [feature, true])) })

describe('wampy.js', () => {
  /** The HELLO of wampy.js 8.0.2. */
  const WAMPY = {
    agent: 'Wampy.js v8.0.2',
    roles: {
      publisher: on(
        'subscriber_blackwhite_listing',
        'publisher_exclusion',
        'publisher_identification',
        'payload_passthru_mode',
      ),
      subscriber: on(
        'pattern_based_subscription',
        'publication_trustlevels',
        'publisher_identification',
        'payload_passthru_mode',
      ),
      caller: on(
        'caller_identification',
        'progressive_call_results',
        'call_canceling',
        'call_timeout',
        'payload_passthru_mode',
      ),
      callee: on(
        'caller_identification',
        'call_trustlevels',
        'pattern_based_registration',
        'shared_registration',
        'payload_passthru_mode',
      ),
    },
  }
  const OTHERS: [string, RouterOptions, object][] = [
    ['another agent', {}, { ...WAMPY, agent: 'Another Wampy.js v8.0.2' }],
    ['no agent', {}, { roles: WAMPY.roles }],
    ['wampy.js at a strict router', { strict: true }, WAMPY],
  ]

  test('as caller may make a call in parts without announcing it', () => {
    const world = open()
    const [callee, wampy] = [able(world), world.join({}, WAMPY)]
    register(callee)
    wampy.says([CALL, 1, { progress: true }, 'com.add', [1]], [CALL, 1, { progress: false }, 'com.add', [2]])
    expect(callee.take()).toEqual([
      [INVOCATION, 1, ID, { progress: true }, [1]],
      [INVOCATION, 1, ID, {}, [2]],
    ])
    callee.says([YIELD, 1, {}, [3]])
    expect(wampy.take()).toEqual([[RESULT, 1, {}, [3]]])
  })

  test.each(OTHERS)('and %s may not', (_, options, details) => {
    const world = open(options)
    const peer = world.join({}, details)
    expect(peer.says([CALL, 1, { progress: true }, 'com.add', [1]])).toEqual(violates(/progressive_call_invocations/))
  })

  test('as callee receives calls in parts and sends partial results, and receives no INTERRUPT', () => {
    const world = open()
    const [wampy, caller] = [world.join({}, WAMPY), able(world)]
    register(wampy)
    const options = { progress: true, receive_progress: true }
    caller.says([CALL, 1, options, 'com.add', [1]])
    expect(wampy.take()).toEqual([[INVOCATION, 1, ID, options, [1]]])
    wampy.says([YIELD, 1, { progress: true }, [1]])
    expect(caller.says([CALL, 1, {}, 'com.add', [2]])).toEqual([[RESULT, 1, { progress: true }, [1]]])
    expect(wampy.take()).toEqual([[INVOCATION, 1, ID, { receive_progress: true }, [2]]])
    wampy.says([YIELD, 1, {}, [3]])
    expect(caller.take()).toEqual([[RESULT, 1, {}, [3]]])
    caller.says([CALL, 2, options, 'com.add', [1]])
    expect(wampy.take()).toEqual([[INVOCATION, 2, ID, options, [1]]])
    expect(caller.says([CANCEL, 2, { mode: 'kill' }])).toEqual(refused(CALL, 2, 'canceled'))
    expect(wampy.says([YIELD, 2, {}, [1]])).toEqual([])
    expect(wampy.end).toBeUndefined()
    expect(world.router.stats()).toMatchObject({ calls: 0, dropped: { late: 1 } })
  })

  test.each(OTHERS)('and %s does not', (_, options, details) => {
    const world = open(options)
    const [peer, caller] = [world.join({}, details), able(world)]
    peer.says([REGISTER, 1, {}, 'com.add'])
    expect(caller.says([CALL, 1, { progress: true }, 'com.add', [1]])).toEqual(
      refused(CALL, 1, 'feature_not_supported'),
    )
    caller.says([CALL, 2, { receive_progress: true }, 'com.add', [1]])
    expect(peer.take()).toEqual([[INVOCATION, 1, ID, {}, [1]]])
    peer.says([YIELD, 1, { progress: true }, [1]], [YIELD, 1, {}, [2]])
    expect(caller.take()).toEqual([[RESULT, 2, {}, [2]]])
    expect(world.router.stats().dropped.partial).toBe(1)
  })

  test('without the role of callee is assumed to have none of its features', () => {
    const world = open()
    const { caller, publisher, subscriber } = WAMPY.roles
    const wampy = world.join({}, { ...WAMPY, roles: { caller, publisher, subscriber } })
    register(wampy)
    expect(able(world).says([CALL, 1, { progress: true }, 'com.add'])).toEqual(
      refused(CALL, 1, 'feature_not_supported'),
    )
  })
})

describe('autobahn-js', () => {
  /** The HELLO of autobahn-js 26.3.1. */
  const AUTOBAHN = {
    roles: {
      caller: on('caller_identification', 'call_canceling', 'progressive_call_results'),
      callee: on(
        'caller_identification',
        'pattern_based_registration',
        'shared_registration',
        'progressive_call_results',
        'registration_revocation',
      ),
      publisher: on('publisher_identification', 'subscriber_blackwhite_listing', 'publisher_exclusion'),
      subscriber: on('publisher_identification', 'pattern_based_subscription', 'subscription_revocation'),
    },
  }
  const more = (role: keyof typeof AUTOBAHN.roles, features: object) => ({
    roles: { ...AUTOBAHN.roles, [role]: { features } },
  })
  const OTHERS: [string, RouterOptions, object][] = [
    ['one with an agent', {}, { ...AUTOBAHN, agent: 'another' }],
    ['one that announces more', {}, more('caller', { ...AUTOBAHN.roles.caller.features, call_timeout: true })],
    ['one that announces less', {}, more('publisher', {})],
    ['one that announces as much of something else', {}, more('subscriber', on('a', 'b', 'c').features)],
    [
      'one that denies a feature',
      {},
      more('callee', { ...AUTOBAHN.roles.callee.features, shared_registration: false }),
    ],
    ['one of another role', {}, { roles: { ...AUTOBAHN.roles, observer: {} } }],
    ['autobahn-js at a strict router', { strict: true }, AUTOBAHN],
  ]

  /** A pending call of the peer, with request id 1 and invocation id 1. */
  function underWay(options: RouterOptions, details: object): World & { peer: Peer; callee: Peer } {
    const world = open(options)
    const [callee, peer] = [able(world), world.join({}, details)]
    callee.says([REGISTER, 1, {}, 'com.add'])
    peer.says([CALL, 1, {}, 'com.add'])
    callee.take()
    return { ...world, peer, callee }
  }

  test.each([{}, { mode: 'skip' }, { mode: 'killnowait' }])(
    'does not receive the end of a call that it forgets on canceling it, by %j',
    (options) => {
      const { router, peer, callee } = underWay({}, AUTOBAHN)
      expect(peer.says([CANCEL, 1, options])).toEqual([])
      expect(callee.take()).toEqual(options.mode === 'skip' ? [] : [[INTERRUPT, 1, { mode: 'killnowait' }]])
      callee.says([ERROR, INVOCATION, 1, {}, 'wamp.error.canceled'])
      expect(peer.take()).toEqual([])
      expect(router.stats()).toMatchObject({ calls: 0, dropped: { late: 1 } })
    },
  )

  test("does not receive the callee's last answer if a second CANCEL gave up waiting for it", () => {
    const { router, peer, callee } = underWay({}, AUTOBAHN)
    peer.says([CANCEL, 1, { mode: 'kill' }])
    expect(peer.says([CANCEL, 1, {}])).toEqual([])
    expect(callee.take()).toEqual([[INTERRUPT, 1, { mode: 'kill' }]])
    callee.says([ERROR, INVOCATION, 1, {}, 'com.error.stopped'])
    expect(peer.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 0, dropped: { cancels: 1, late: 1 } })
  })

  test("receives the callee's last answer if it waits for that", () => {
    const { peer, callee } = underWay({}, AUTOBAHN)
    expect(peer.says([CANCEL, 1, { mode: 'kill' }])).toEqual([])
    callee.says([ERROR, INVOCATION, 1, {}, 'com.error.stopped'])
    expect(peer.take()).toEqual([[ERROR, CALL, 1, {}, 'com.error.stopped']])
    const world = open()
    const [uninterruptible, other] = [able(world, 'call_canceling'), world.join({}, AUTOBAHN)]
    register(uninterruptible)
    other.says([CALL, 1, {}, 'com.add'])
    expect(other.says([CANCEL, 1, { mode: 'kill' }])).toEqual(refused(CALL, 1, 'canceled'))
  })

  test.each(OTHERS)('%s receives the answer', (_, options, details) => {
    const { peer } = underWay(options, details)
    expect(peer.says([CANCEL, 1, {}])).toEqual(refused(CALL, 1, 'canceled'))
  })
})
