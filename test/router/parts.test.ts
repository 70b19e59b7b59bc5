/** Calls in parts, and their answers in parts. */

import { describe, expect, test } from 'vitest'
import { CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, RESULT, YIELD } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { able, refused, register } from './rpc.ts'
import { ID, open, type Peer, violates, WAYS, type World } from './support.ts'

interface Pair extends World {
  readonly callee: Peer
  readonly caller: Peer
  readonly registration: number
}

function pair(world: World = open(), callee: string[] = [], caller: string[] = []): Pair {
  const [one, two] = [able(world, ...callee), able(world, ...caller)]
  return { ...world, callee: one, caller: two, registration: register(one) }
}

const KILLNOWAIT = { mode: 'killnowait' }

/** A pending call whose first part was sent, with request id 7 and invocation id 1. */
function opened(world: World = open(), options: object = {}): Pair {
  const made = pair(world)
  made.caller.says([CALL, 7, { progress: true, ...options }, 'com.add', ['a']])
  expect(made.callee.take()).toEqual([
    [INVOCATION, 1, made.registration, expect.objectContaining({ progress: true }), ['a']],
  ])
  return made
}

describe('a call in parts', () => {
  test('is one invocation under one id, whose last part has no progress: true', () => {
    const { callee, caller, registration, router } = opened()
    caller.says([CALL, 7, { progress: true }, 'com.add', ['b'], { c: 1 }])
    caller.says([CALL, 7, { progress: true }, 'com.add'])
    caller.says([CALL, 7, {}, 'com.add', ['d']])
    expect(callee.take()).toEqual([
      [INVOCATION, 1, registration, { progress: true }, ['b'], { c: 1 }],
      [INVOCATION, 1, registration, { progress: true }],
      [INVOCATION, 1, registration, {}, ['d']],
    ])
    expect(router.stats().calls).toBe(1)
    callee.says([YIELD, 1, {}, [3]])
    expect(caller.take()).toEqual([[RESULT, 7, {}, [3]]])
    expect(router.stats().calls).toBe(0)
  })

  test('with progressive results streams both ways, in any interleaving', () => {
    const { callee, caller } = opened(open(), { receive_progress: true })
    callee.says([YIELD, 1, { progress: true }, [1]], [YIELD, 1, { progress: true }, [2]])
    expect(
      caller.says([CALL, 7, { progress: true }, 'com.add', ['b']], [CALL, 7, { progress: false }, 'com.add', ['c']]),
    ).toEqual([
      [RESULT, 7, { progress: true }, [1]],
      [RESULT, 7, { progress: true }, [2]],
    ])
    expect(callee.take()).toEqual([
      [INVOCATION, 1, ID, { receive_progress: true, progress: true }, ['b']],
      [INVOCATION, 1, ID, { receive_progress: true }, ['c']],
    ])
    callee.says([YIELD, 1, { progress: true }, [3]], [YIELD, 1, {}])
    expect(caller.take()).toEqual([
      [RESULT, 7, { progress: true }, [3]],
      [RESULT, 7, {}],
    ])
  })

  test('has the options of its first part, and ignores those of later ones', () => {
    const { callee, caller } = opened(open(), { disclose_me: true, ppt_scheme: 'x_a' })
    const changed = { progress: true, disclose_me: false, receive_progress: true, timeout: 5, ppt_scheme: 'x_b', _x: 1 }
    caller.says([CALL, 7, changed, 'com.add'], [CALL, 7, { _x: 1 }, 'com.add'])
    const first = {
      caller: caller.id,
      caller_authid: expect.any(String),
      caller_authrole: 'anonymous',
      ppt_scheme: 'x_a',
    }
    expect(callee.take()).toEqual([
      [INVOCATION, 1, ID, { ...first, progress: true }],
      [INVOCATION, 1, ID, first],
    ])
  })

  test('stays with the callee of its first part, even if the registration is shared or was given up', () => {
    const world = open()
    const [one, two, caller] = [able(world), able(world), able(world)]
    const id = register(one, 'com.add', { invoke: 'roundrobin' })
    register(two, 'com.add', { invoke: 'roundrobin' })
    caller.says([CALL, 7, { progress: true }, 'com.add'], [CALL, 7, { progress: true }, 'com.add'])
    expect(one.take()).toHaveLength(2)
    expect(one.says([66, 1, id])).toEqual([[67, 1]])
    caller.says([CALL, 7, {}, 'com.add'])
    expect(one.take()).toEqual([[INVOCATION, 1, id, {}]])
    expect(two.take()).toEqual([])
    one.says([YIELD, 1, {}])
  })

  test('may be answered before its last part; later parts are dropped without an answer', () => {
    const { callee, caller, router } = opened()
    callee.says([YIELD, 1, {}, ['enough']])
    expect(caller.says([CALL, 7, { progress: true }, 'com.add'], [CALL, 7, {}, 'com.add'])).toEqual([
      [RESULT, 7, {}, ['enough']],
    ])
    expect(callee.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 0, dropped: { parts: 2 } })
    // The last part has arrived: the id is free.
    caller.says([CALL, 7, {}, 'com.add'])
    expect(callee.take()).toEqual([[INVOCATION, 2, ID, {}]])
    callee.says([YIELD, 2, {}])
  })

  test.each([
    ['fails', (pair: Pair) => pair.callee.says([ERROR, INVOCATION, 1, {}, 'com.error'])],
    ['is canceled', (pair: Pair) => pair.caller.says([CANCEL, 7, { mode: 'killnowait' }])],
    ['is skipped', (pair: Pair) => pair.caller.says([CANCEL, 7, { mode: 'skip' }])],
    ['loses its callee', (pair: Pair) => pair.callee.lose()],
  ])('%s: its later parts are dropped', (_, end) => {
    const made = opened()
    end(made)
    made.caller.take()
    made.callee.take()
    expect(made.caller.says([CALL, 7, { progress: true }, 'com.add'], [CALL, 7, {}, 'com.add'])).toEqual([])
    expect(made.callee.take()).toEqual([])
    expect(made.router.stats()).toMatchObject({ calls: 0, dropped: { parts: 2 } })
  })

  test('sends no more parts to a callee that has been interrupted', () => {
    const { callee, caller, router } = opened()
    caller.says([CANCEL, 7, { mode: 'kill' }], [CALL, 7, { progress: true }, 'com.add'], [CALL, 7, {}, 'com.add'])
    expect(callee.take()).toEqual([[INTERRUPT, 1, { mode: 'kill' }]])
    callee.says([ERROR, INVOCATION, 1, {}, 'wamp.error.canceled'])
    expect(caller.take()).toEqual([[ERROR, CALL, 7, {}, 'wamp.error.canceled']])
    expect(router.stats().dropped.parts).toBe(2)
  })

  test.each([
    ['is not registered', 'com.nothing', 'no_such_procedure'],
    ['is not a valid URI', 'com..a', 'invalid_uri'],
    ['belongs to the router', 'wamp.session.count', 'feature_not_supported'],
  ])('to a procedure that %s is refused once, whatever parts follow', (_, procedure, error) => {
    const caller = able(open())
    const part = [CALL, 7, { progress: true }, procedure]
    expect(caller.says(part, part, [CALL, 7, {}, procedure])).toEqual(refused(CALL, 7, error))
  })

  test.each(['progressive_call_invocations', 'call_canceling'])('to a callee without %s is refused', (feature) => {
    const { callee, caller, router } = pair(open(), [feature])
    const part = [CALL, 7, { progress: true }, 'com.add']
    expect(caller.says(part, part)).toEqual(refused(CALL, 7, 'feature_not_supported'))
    expect(callee.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 0, dropped: { parts: 1 } })
  })

  test('by a caller that did not announce the feature is a violation', () => {
    const { callee, caller } = pair(open(), [], ['progressive_call_invocations'])
    expect(caller.says([CALL, 7, { progress: true }, 'com.add'])).toEqual(violates(/progressive_call_invocations/))
    expect(callee.take()).toEqual([])
  })

  test('must name the same procedure in all parts', () => {
    const { caller } = opened()
    expect(caller.says([CALL, 7, { progress: true }, 'com.sub'])).toEqual(violates(/CALL\[3\] must be "com.add"/))
  })

  test.each([{}, { progress: true }])('ends with its last part: one more, %j, is a violation', (options) => {
    const { caller } = opened()
    expect(caller.says([CALL, 7, {}, 'com.add'], [CALL, 7, options, 'com.add'])).toEqual(violates(/CALL\[1\] is 7/))
  })

  test.each([{}, { progress: true }])(
    'must be in parts from the first: %j after a plain call is a violation',
    (options) => {
      const { caller } = pair()
      expect(caller.says([CALL, 7, {}, 'com.add'], [CALL, 7, options, 'com.add'])).toEqual(violates(/CALL\[1\] is 7/))
    },
  )

  test.each(Object.entries(WAYS))('the caller leaves by %s between parts: the callee is interrupted', (_, go) => {
    const { callee, caller, router } = opened()
    go(caller)
    expect(callee.take()).toEqual([[INTERRUPT, 1, KILLNOWAIT]])
    expect(callee.says([YIELD, 1, {}])).toEqual([])
    expect(router.stats().calls).toBe(0)
  })

  test.each(Object.entries(WAYS))('the callee leaves by %s between parts: the caller receives an error', (_, go) => {
    const { callee, caller } = opened()
    go(callee)
    expect(caller.take()).toEqual(refused(CALL, 7, 'canceled'))
  })

  test("a part that the callee's serializer cannot represent ends the call on both sides", () => {
    const world = open()
    const callee = able(world)
    const caller = world.join(
      { serializer: cbor },
      { roles: { caller: { features: { progressive_call_invocations: true } } } },
    )
    register(callee)
    const part = (value: unknown): Uint8Array =>
      cbor.encode([CALL, 7, { progress: true }, 'com.add', { args: [value] }] as unknown as Message) as Uint8Array
    caller.says(part(1))
    callee.take()
    expect(caller.says(part(Number.NaN))).toEqual(refused(CALL, 7, 'invalid_argument'))
    expect(callee.take()).toEqual([[INTERRUPT, 1, KILLNOWAIT]])
    expect(caller.says(part(2))).toEqual([])
    expect(world.router.stats()).toMatchObject({ calls: 0, dropped: { parts: 1 } })
  })
})

describe('in strict mode, with ids in sequence', () => {
  function strict(): { callee: Peer; caller: Peer } {
    const world = open({ strict: true })
    const [callee, caller] = [able(world), able(world)]
    callee.says([64, 1, {}, 'com.add'])
    caller.says([CALL, 1, { progress: true }, 'com.add'])
    callee.take()
    return { callee, caller }
  }

  test('a part has the id of its first part, among other requests', () => {
    const { callee, caller } = strict()
    caller.says([CALL, 2, {}, 'com.add'], [CALL, 1, { progress: true }, 'com.add'], [CALL, 3, {}, 'com.add'])
    expect(caller.says([CALL, 1, {}, 'com.add'])).toEqual([])
    expect(callee.take().map(([, invocation]) => invocation)).toEqual([2, 1, 3, 1])
  })

  test('a late part may have an old id as well', () => {
    const { callee, caller } = strict()
    callee.says([YIELD, 1, {}])
    caller.take()
    expect(caller.says([CALL, 1, { progress: true }, 'com.add'], [CALL, 1, {}, 'com.add'])).toEqual([])
    expect(caller.says([CALL, 1, { progress: true }, 'com.add'])).toEqual(violates(/must be 2/))
  })

  test('an id ahead of the sequence, or that of a call without parts, is a violation', () => {
    expect(strict().caller.says([CALL, 3, { progress: true }, 'com.add'])).toEqual(violates(/must be 2/))
    expect(strict().caller.says([CALL, 2, {}, 'com.add'], [CALL, 2, {}, 'com.add'])).toEqual(violates(/must be 3/))
  })

  test('a late part must name the procedure of its call', () => {
    const { callee, caller } = strict()
    callee.says([YIELD, 1, {}])
    caller.take()
    expect(caller.says([CALL, 1, { progress: true }, 'com.sub'])).toEqual(violates(/must be the same in all parts/))
  })
})

test('the memory of unfinished calls is bounded', () => {
  const world = open({ limits: { calls: 3 } })
  const [callee, caller] = [able(world), able(world)]
  register(callee)
  for (let request = 1; request <= 5; request++) {
    caller.says([CALL, request, { progress: true }, 'com.add'])
    callee.says([YIELD, request, {}])
  }
  caller.take()
  callee.take()
  for (const request of [3, 4, 5]) caller.says([CALL, request, {}, 'com.add'])
  expect(callee.take()).toEqual([])
  expect(world.router.stats().dropped.parts).toBe(3)
  caller.says([CALL, 1, {}, 'com.add'])
  expect(callee.take()).toHaveLength(1)
})

test('the id of an unfinished call may be used for a call of another procedure', () => {
  const { callee, caller } = opened()
  register(callee, 'com.sub')
  callee.says([YIELD, 1, {}])
  caller.says([CALL, 7, {}, 'com.sub'])
  expect(callee.take()).toEqual([[INVOCATION, 2, ID, {}]])
  callee.says([YIELD, 2, {}])
})
