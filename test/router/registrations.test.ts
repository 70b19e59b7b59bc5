/** Pattern-based and shared registrations: which registration receives a call, and which of its callees. */

import { describe, expect, test } from 'vitest'
import {
  CALL,
  ERROR,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  UNREGISTER,
  UNREGISTERED,
  YIELD,
} from 'wampy-ts/testing'
import { able, refused, register } from './rpc.ts'
import { ID, open, type Peer, WAYS } from './support.ts'

describe('a pattern', () => {
  test('receives matching calls with their procedure; an exact registration receives no procedure', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    const prefix = register(callee, 'com.a', { match: 'prefix' })
    const wildcard = register(callee, 'com..add', { match: 'wildcard' })
    const exact = register(callee, 'com.a.x', { match: 'exact' })
    caller.says(
      [CALL, 1, {}, 'com.a-b', [1]],
      [CALL, 2, {}, 'com.b.add'],
      [CALL, 3, {}, 'com.a.x'],
      [CALL, 4, {}, 'com.a.add'],
    )
    expect(callee.take()).toEqual([
      [INVOCATION, 1, prefix, { procedure: 'com.a-b' }, [1]],
      [INVOCATION, 2, wildcard, { procedure: 'com.b.add' }],
      [INVOCATION, 3, exact, {}],
      [INVOCATION, 4, prefix, { procedure: 'com.a.add' }],
    ])
  })

  test('takes over when the closer match is removed', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    const records = ['wildcard com..c', 'prefix com.', 'prefix com.b', 'exact com.b.c'].map((text) => {
      const [match, uri] = text.split(' ') as [string, string]
      return register(callee, uri, { match })
    })
    for (let request = 1; request <= 5; request++) {
      const expected = records.at(-1)
      const said = caller.says([CALL, request, {}, 'com.b.c'])
      if (expected === undefined) expect(said).toEqual(refused(CALL, request, 'no_such_procedure'))
      else {
        expect(callee.take()).toEqual([[INVOCATION, request, expected, expect.anything()]])
        callee.says([UNREGISTER, 100 + request, records.pop()])
      }
    }
  })

  test('under each policy is a registration of its own', () => {
    const world = open()
    const peers = [able(world), able(world), able(world)]
    const ids = ['exact', 'prefix', 'wildcard'].map((match, i) => register(peers[i] as Peer, 'com.a', { match }))
    expect(new Set(ids).size).toBe(3)
    expect(peers[0]?.says([REGISTER, 9, { match: 'prefix' }, 'com.a'])).toEqual(
      refused(REGISTER, 9, 'procedure_already_exists'),
    )
  })

  test('does not receive calls of invalid URIs', () => {
    const world = open()
    register(able(world), '', { match: 'prefix' })
    register(able(world), '..', { match: 'wildcard' })
    for (const procedure of ['', '..', 'a.', 'a b', 'a#']) {
      expect(able(world).says([CALL, 1, {}, procedure])).toEqual(refused(CALL, 1, 'invalid_uri'))
    }
  })

  test('does not receive calls under wamp., whether or not the procedure exists', () => {
    const world = open()
    const callee = able(world)
    register(callee, '', { match: 'prefix' })
    register(callee, '..', { match: 'wildcard' })
    const caller = able(world)
    expect(caller.says([CALL, 1, {}, 'wamp.session.count'])).toEqual([[RESULT, 1, {}, [2]]])
    expect(caller.says([CALL, 2, {}, 'wamp.session.nothing'])).toEqual(refused(CALL, 2, 'no_such_procedure'))
    expect(callee.take()).toEqual([])
  })
})

test.each([
  ['exact', ''],
  ['exact', 'com..a'],
  ['exact', 'com.'],
  ['prefix', '.com'],
  ['prefix', 'com..a'],
  ['prefix', 'com. '],
  ['wildcard', 'com#'],
  ['wildcard', 'com. .a'],
  ['exact', 'wamp.a'],
  ['prefix', 'wamp'],
  ['prefix', 'wamp.'],
  ['prefix', 'wamp.session'],
  ['wildcard', 'wamp..count'],
])('%s %j cannot be registered', (match, procedure) => {
  expect(open().join().says([REGISTER, 1, { match }, procedure])).toEqual(refused(REGISTER, 1, 'invalid_uri'))
})

test.each([
  ['prefix', ''],
  ['prefix', 'com.'],
  ['prefix', 'com.a'],
  ['prefix', 'wamp2'],
  ['wildcard', ''],
  ['wildcard', '.'],
  ['wildcard', 'com..a'],
  ['wildcard', '.a'],
])('%s %j can be registered', (match, procedure) => {
  const world = open()
  expect(world.join().says([REGISTER, 1, { match }, procedure])).toEqual([[REGISTERED, 1, ID]])
  const strict = open({ strict: true })
  expect(strict.join().says([REGISTER, 1, { match }, procedure.toUpperCase()])).toEqual(
    /[a-z]/.test(procedure) ? refused(REGISTER, 1, 'invalid_uri') : [[REGISTERED, 1, ID]],
  )
})

/** The callees of one shared procedure, and the callees that a number of calls reach, each answered at once. */
function shared(invoke: string, count: number): { callees: Peer[]; caller: Peer; calls(count: number): number[] } {
  const world = open()
  const callees = Array.from({ length: count }, () => able(world))
  const ids = callees.map((callee) => register(callee, 'com.add', { invoke }))
  expect(new Set(ids).size).toBe(1)
  const caller = able(world)
  let request = 0
  const calls = (times: number): number[] =>
    Array.from({ length: times }, () => {
      caller.says([CALL, ++request, {}, 'com.add'])
      const at = callees.findIndex((callee) => {
        const [message] = callee.take()
        if (message?.[0] !== INVOCATION) return false
        callee.says([YIELD, message[1], {}])
        return true
      })
      expect(caller.take()).toEqual([[RESULT, request, {}]])
      return at
    })
  return { callees, caller, calls }
}

const leave = (peer: Peer | undefined): void => peer?.lose()

describe('a shared registration', () => {
  test('roundrobin rotates in the order of registration', () => {
    expect(shared('roundrobin', 3).calls(7)).toEqual([0, 1, 2, 0, 1, 2, 0])
  })

  test.each([
    [0, [2, 1, 2, 1]],
    [1, [2, 0, 2, 0]],
    [2, [0, 1, 0, 1]],
  ])('roundrobin keeps its position when callee %i leaves', (goes, then) => {
    const { callees, calls } = shared('roundrobin', 3)
    expect(calls(2)).toEqual([0, 1])
    leave(callees[goes])
    expect(calls(4)).toEqual(then)
  })

  test('first and last choose the oldest and the newest remaining callee', () => {
    const first = shared('first', 3)
    expect(first.calls(2)).toEqual([0, 0])
    leave(first.callees[0])
    expect(first.calls(2)).toEqual([1, 1])
    const last = shared('last', 3)
    expect(last.calls(2)).toEqual([2, 2])
    leave(last.callees[2])
    expect(last.calls(2)).toEqual([1, 1])
  })

  test('random reaches each callee', () => {
    expect(new Set(shared('random', 3).calls(200))).toEqual(new Set([0, 1, 2]))
  })

  test('has one place per session, however often it registers', () => {
    const world = open()
    const [one, two, caller] = [able(world), able(world), able(world)]
    const id = register(one, 'com.add', { invoke: 'roundrobin' })
    expect(register(one, 'com.add', { invoke: 'roundrobin' })).toBe(id)
    register(two, 'com.add', { invoke: 'roundrobin' })
    caller.says([CALL, 1, {}, 'com.add'], [CALL, 2, {}, 'com.add'])
    expect([one.take().length, two.take().length]).toEqual([1, 1])
    expect(one.says([UNREGISTER, 5, id], [UNREGISTER, 6, id])).toEqual([
      [UNREGISTERED, 5],
      ...refused(UNREGISTER, 6, 'no_such_registration'),
    ])
    expect(world.router.stats().registrations).toBe(1)
  })

  test.each([
    ['single', 'single'],
    ['single', 'roundrobin'],
    ['roundrobin', 'single'],
    ['roundrobin', 'random'],
    ['first', 'last'],
  ])('%s cannot be joined with %s, by any session', (invoke, other) => {
    const world = open()
    const [one, two] = [able(world), able(world)]
    register(one, 'com.add', { invoke })
    for (const peer of [one, two]) {
      expect(peer.says([REGISTER, 2, { invoke: other }, 'com.add'])).toEqual(
        refused(REGISTER, 2, 'procedure_already_exists'),
      )
    }
  })

  test('ends with its last callee, and may begin anew with another policy and id', () => {
    const world = open()
    const [one, two, caller] = [able(world), able(world), able(world)]
    const id = register(one, 'com.add', { invoke: 'random' })
    register(two, 'com.add', { invoke: 'random' })
    one.says([UNREGISTER, 1, id])
    expect(caller.says([CALL, 1, {}, 'com.add'])).toEqual([])
    two.says([UNREGISTER, 1, id])
    expect(caller.says([CALL, 2, {}, 'com.add'])).toEqual(refused(CALL, 2, 'no_such_procedure'))
    expect(register(caller, 'com.add', { invoke: 'last' })).not.toBe(id)
    two.says([YIELD, 1, {}])
  })

  test('by pattern sends the procedure to each callee', () => {
    const world = open()
    const [one, two, caller] = [able(world), able(world), able(world)]
    const options = { match: 'prefix', invoke: 'roundrobin' }
    const id = register(one, 'com.', options)
    register(two, 'com.', options)
    caller.says([CALL, 1, {}, 'com.x'], [CALL, 2, {}, 'com.y'])
    expect(one.take()).toEqual([[INVOCATION, 1, id, { procedure: 'com.x' }]])
    expect(two.take()).toEqual([[INVOCATION, 1, id, { procedure: 'com.y' }]])
  })

  test.each(Object.entries(WAYS))('loses only the calls of a callee that leaves by %s', (_, go) => {
    const { callees, caller } = shared('roundrobin', 2)
    caller.says([CALL, 100, {}, 'com.add'], [CALL, 101, {}, 'com.add'])
    go(callees[0] as Peer)
    expect(caller.take()).toEqual(refused(CALL, 100, 'canceled'))
    callees[1]?.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([[RESULT, 101, {}]])
  })
})

const FULL = 'crossbar.error.max_concurrency_reached'

describe('concurrency', () => {
  test.each(['single', 'first', 'last'])('%s: one call too many is refused, and an answer makes room', (invoke) => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', { invoke, concurrency: 2 })
    expect(caller.says([CALL, 1, {}, 'com.add'], [CALL, 2, {}, 'com.add'], [CALL, 3, {}, 'com.add'])).toEqual(
      refused(CALL, 3, FULL),
    )
    callee.says([YIELD, 1, { progress: true }])
    expect(caller.says([CALL, 4, {}, 'com.add'])).toEqual(refused(CALL, 4, FULL))
    callee.says([ERROR, INVOCATION, 1, {}, 'com.error'])
    caller.take()
    expect(caller.says([CALL, 5, {}, 'com.add'], [CALL, 6, {}, 'com.add'])).toEqual(refused(CALL, 6, FULL))
  })

  test.each(['first', 'last'])('%s does not fall back to another callee', (invoke) => {
    const world = open()
    const [one, two, caller] = [able(world), able(world), able(world)]
    for (const callee of [one, two]) register(callee, 'com.add', { invoke, concurrency: 1 })
    expect(caller.says([CALL, 1, {}, 'com.add'], [CALL, 2, {}, 'com.add'])).toEqual(refused(CALL, 2, FULL))
  })

  test('roundrobin skips full callees, and refuses when all are full', () => {
    const world = open()
    const [one, two, three, caller] = [able(world), able(world), able(world), able(world)]
    register(one, 'com.add', { invoke: 'roundrobin', concurrency: 1 })
    register(two, 'com.add', { invoke: 'roundrobin', concurrency: 3 })
    register(three, 'com.add', { invoke: 'roundrobin', concurrency: 1 })
    for (let request = 1; request <= 5; request++) caller.says([CALL, request, {}, 'com.add', [request]])
    const got = [one, two, three].map((peer) => peer.take().map((message) => message[4]))
    expect(got).toEqual([[[1]], [[2], [4], [5]], [[3]]])
    expect(caller.says([CALL, 6, {}, 'com.add'])).toEqual(refused(CALL, 6, FULL))
    three.says([YIELD, 1, {}])
    caller.take()
    expect(caller.says([CALL, 7, {}, 'com.add'])).toEqual([])
    expect(three.take()).toEqual([[INVOCATION, 2, ID, {}]])
  })

  test('random chooses a free callee', () => {
    const world = open()
    const peers = [able(world), able(world), able(world)]
    const caller = able(world)
    for (const callee of peers) register(callee, 'com.add', { invoke: 'random', concurrency: 1 })
    expect(caller.says(...[1, 2, 3].map((request) => [CALL, request, {}, 'com.add']))).toEqual([])
    expect(peers.map((peer) => peer.take().length)).toEqual([1, 1, 1])
    expect(caller.says([CALL, 4, {}, 'com.add'])).toEqual(refused(CALL, 4, FULL))
  })

  test('0 means no limit', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', { concurrency: 0 })
    expect(caller.says(...Array.from({ length: 50 }, (_, i) => [CALL, i + 1, {}, 'com.add']))).toEqual([])
  })

  test('a callee that cannot be interrupted stays busy until it answers', () => {
    const world = open()
    const [callee, caller, gone] = [able(world, 'call_canceling'), able(world), able(world)]
    register(callee, 'com.add', { concurrency: 2 })
    gone.says([CALL, 1, {}, 'com.add'])
    gone.lose()
    caller.says([CALL, 1, {}, 'com.add'], [49, 1, { mode: 'kill' }])
    caller.take()
    expect(caller.says([CALL, 2, {}, 'com.add'])).toEqual(refused(CALL, 2, FULL))
    callee.says([YIELD, 1, { progress: true }])
    expect(caller.says([CALL, 3, {}, 'com.add'])).toEqual(refused(CALL, 3, FULL))
    callee.says([YIELD, 1, {}], [ERROR, INVOCATION, 2, {}, 'com.error'])
    expect(caller.says([CALL, 4, {}, 'com.add'], [CALL, 5, {}, 'com.add'])).toEqual([])
    expect(world.router.stats()).toMatchObject({ calls: 2, dropped: { late: 3 } })
    callee.lose()
  })

  test.each(Object.entries(WAYS))(
    'a callee that cannot be interrupted may leave by %s before it answers: the caller gets no second answer',
    (_, go) => {
      const world = open()
      const [callee, caller] = [able(world, 'call_canceling'), able(world)]
      register(callee, 'com.add', { concurrency: 2 })
      caller.says([CALL, 1, {}, 'com.add'], [49, 1, { mode: 'skip' }])
      caller.take()
      go(callee)
      expect(caller.take()).toEqual([])
      expect(world.router.stats().calls).toBe(0)
    },
  )

  test('an interrupted callee is free at once', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', { concurrency: 1 })
    caller.says([CALL, 1, {}, 'com.add'], [49, 1, { mode: 'killnowait' }])
    caller.take()
    expect(caller.says([CALL, 2, {}, 'com.add'])).toEqual([])
  })
})
