/** Call re-routing: a callee declines with `wamp.error.unavailable`, and another one receives the call. */

import { describe, expect, test } from 'vitest'
import { CALL, CANCEL, ERROR, INVOCATION, RESULT, YIELD } from 'wampy-ts/testing'
import { able, refused, register } from './rpc.ts'
import { ID, open, type Peer, WAYS, type World } from './support.ts'

function shared(invoke: string, count: number, world: World = open()): World & { callees: Peer[]; caller: Peer } {
  const callees = Array.from({ length: count }, () => able(world))
  for (const callee of callees) register(callee, 'com.add', { invoke })
  return { ...world, callees, caller: able(world) }
}

/** Declines the call at its current callee, this number of times, and returns the callees in that order. */
function decline(callees: Peer[], times: number): number[] {
  return Array.from({ length: times }, () => {
    for (const [at, callee] of callees.entries()) {
      const [message] = callee.take()
      if (!message) continue
      expect(message).toEqual([INVOCATION, ID, ID, {}, [1], { a: 2 }])
      callee.says([ERROR, INVOCATION, message[1], {}, 'wamp.error.unavailable'])
      return at
    }
    return -1
  })
}

const call = (request: number): unknown[] => [CALL, request, {}, 'com.add', [1], { a: 2 }]

describe('a declined call', () => {
  test.each([
    ['roundrobin', [0, 1, 2]],
    ['first', [0, 1, 2]],
    ['last', [2, 1, 0]],
  ])('%s passes it to the next callee, until none is left', (invoke, order) => {
    const { callees, caller, router } = shared(invoke, 3)
    caller.says(call(7))
    expect(decline(callees, 4)).toEqual([...order, -1])
    expect(caller.take()).toEqual(refused(CALL, 7, 'no_available_callee'))
    expect(router.stats().calls).toBe(0)
  })

  test('random passes it to each of the others once', () => {
    const { callees, caller } = shared('random', 5)
    caller.says(call(7))
    expect(decline(callees, 5).sort()).toEqual([0, 1, 2, 3, 4])
    expect(caller.take()).toEqual(refused(CALL, 7, 'no_available_callee'))
  })

  test('roundrobin continues behind the new callee with the calls that follow', () => {
    const { callees, caller } = shared('roundrobin', 3)
    caller.says(call(7))
    expect(decline(callees, 1)).toEqual([0])
    callees[1]?.says([YIELD, 1, {}])
    caller.says(call(8))
    expect(callees[2]?.take()).toHaveLength(1)
    callees[2]?.says([YIELD, 1, {}])
  })

  test('single has no other callee', () => {
    const { callees, caller } = shared('single', 1)
    caller.says(call(7))
    decline(callees, 1)
    expect(caller.take()).toEqual(refused(CALL, 7, 'no_available_callee'))
  })

  test('is answered by the callee that accepts it', () => {
    const { callees, caller } = shared('first', 2)
    caller.says(call(7))
    decline(callees, 1)
    callees[1]?.says([YIELD, 1, {}, [3]])
    expect(caller.take()).toEqual([[RESULT, 7, {}, [3]]])
    // A later answer of the first callee is late.
    expect(callees[0]?.says([YIELD, 1, {}, [4]])).toEqual([])
    expect(caller.take()).toEqual([])
  })

  test('can be canceled, and can lose its callee, like any other call', () => {
    const { callees, caller } = shared('first', 3)
    caller.says(call(7), call(8))
    decline(callees, 1)
    caller.says([CANCEL, 7, { mode: 'skip' }])
    expect(caller.take()).toEqual([])
    for (const callee of callees) callee.lose()
    expect(caller.take()).toEqual(refused(CALL, 8, 'canceled'))
  })

  test.each(Object.entries(WAYS))('has no other callee if the rest left by %s', (_, go) => {
    const { callees, caller } = shared('last', 2)
    caller.says(call(7))
    go(callees[0] as Peer)
    decline(callees.slice(1), 1)
    expect(caller.take()).toEqual(refused(CALL, 7, 'no_available_callee'))
  })

  test('has no other callee if its only one unregistered meanwhile', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    const id = register(callee, 'com.add', { invoke: 'first' })
    caller.says(call(7))
    callee.says([66, 1, id], [ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    expect(caller.take()).toEqual(refused(CALL, 7, 'no_available_callee'))
  })

  test('reaches the next callee with the details that it may receive', () => {
    const world = open()
    const [one, two, caller] = [able(world), able(world, 'progressive_call_results'), able(world)]
    register(one, 'com.', { match: 'prefix', invoke: 'first' })
    register(two, 'com.', { match: 'prefix', invoke: 'first', disclose_caller: true })
    caller.says([CALL, 7, { receive_progress: true }, 'com.x'])
    expect(one.take()).toEqual([[INVOCATION, 1, ID, { procedure: 'com.x', receive_progress: true }]])
    one.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    expect(two.take()).toEqual([
      [
        INVOCATION,
        1,
        ID,
        { procedure: 'com.x', caller: caller.id, caller_authid: expect.any(String), caller_authrole: 'anonymous' },
      ],
    ])
  })

  test('is refused if all other callees are full', () => {
    const world = open()
    const [one, two, caller] = [able(world), able(world), able(world)]
    register(one, 'com.add', { invoke: 'roundrobin' })
    register(two, 'com.add', { invoke: 'roundrobin', concurrency: 1 })
    caller.says(call(1), call(2), call(3))
    one.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    expect(caller.take()).toEqual(refused(CALL, 1, 'crossbar.error.max_concurrency_reached'))
    two.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    expect(one.take().map(([, invocation]) => invocation)).toEqual([3])
    expect(caller.says(call(4))).toEqual([])
  })
})

describe('the error is passed on unchanged', () => {
  const unavailable = [ERROR, INVOCATION, 1, { _a: 1 }, 'wamp.error.unavailable', ['later'], { seconds: 3 }]
  const passed = [[ERROR, CALL, 7, { _a: 1 }, 'wamp.error.unavailable', ['later'], { seconds: 3 }]]

  test('from a callee that did not announce call_reroute', () => {
    const world = open()
    const [one, two, caller] = [able(world, 'call_reroute'), able(world), able(world)]
    for (const callee of [one, two]) register(callee, 'com.add', { invoke: 'first' })
    caller.says(call(7))
    one.says(unavailable)
    expect(caller.take()).toEqual(passed)
    expect(two.take()).toEqual([])
  })

  test('after a partial result', () => {
    const { callees, caller } = shared('first', 2)
    caller.says([CALL, 7, { receive_progress: true }, 'com.add'])
    callees[0]?.says([YIELD, 1, { progress: true }], unavailable)
    expect(caller.take().slice(1)).toEqual(passed)
  })

  test('after a further part of the call', () => {
    const { callees, caller } = shared('first', 2)
    caller.says([CALL, 7, { progress: true }, 'com.add'], [CALL, 7, { progress: true }, 'com.add'])
    callees[0]?.says(unavailable)
    expect(caller.take()).toEqual(passed)
  })

  test('of a call that was canceled', () => {
    const { callees, caller } = shared('first', 2)
    caller.says(call(7), [CANCEL, 7, { mode: 'kill' }])
    callees[0]?.says(unavailable)
    expect(caller.take()).toEqual(passed)
  })
})

test('a call in parts that is declined after its first continues with another callee', () => {
  const { callees, caller } = shared('first', 2)
  caller.says([CALL, 7, { progress: true }, 'com.add', ['a']])
  callees[0]?.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
  caller.says([CALL, 7, {}, 'com.add', ['b']])
  expect(callees[1]?.take()).toEqual([
    [INVOCATION, 1, ID, { progress: true }, ['a']],
    [INVOCATION, 1, ID, {}, ['b']],
  ])
  callees[1]?.says([YIELD, 1, {}])
})
