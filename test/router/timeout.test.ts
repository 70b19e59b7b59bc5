/** Call timeouts, kept by the dealer or by a callee that asked for that. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, RESULT, YIELD } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { able, refused, register } from './rpc.ts'
import { ID, open, type Peer, WAYS, type World } from './support.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

/** A pending call, with request id 7 and invocation id 1. */
function underWay(
  options: object,
  registered: object = {},
  ...without: string[]
): World & { callee: Peer; caller: Peer } {
  const world = open()
  const [callee, caller] = [able(world, ...without), able(world)]
  register(callee, 'com.add', registered)
  vi.clearAllTimers()
  caller.says([CALL, 7, options, 'com.add'])
  return { ...world, callee, caller }
}

const timedOut = refused(CALL, 7, 'timeout')
const EXPIRED = [INTERRUPT, 1, { mode: 'killnowait', reason: 'wamp.error.timeout' }]

describe('a timeout that the dealer keeps', () => {
  test('is not sent to the callee; at its end the caller gets an error and the callee an INTERRUPT', () => {
    const { callee, caller, router } = underWay({ timeout: 100 })
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, {}]])
    vi.advanceTimersByTime(99)
    expect(caller.take()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(caller.take()).toEqual(timedOut)
    expect(callee.take()).toEqual([EXPIRED])
    expect(router.stats().calls).toBe(0)
    expect(callee.says([YIELD, 1, {}])).toEqual([])
    expect(caller.take()).toEqual([])
    expect(router.stats().dropped.late).toBe(1)
  })

  test('sends nothing to a callee that cannot be interrupted', () => {
    const { callee, caller } = underWay({ timeout: 100 }, {}, 'call_canceling')
    callee.take()
    vi.advanceTimersByTime(100)
    expect(caller.take()).toEqual(timedOut)
    expect(callee.says([YIELD, 1, {}])).toEqual([])
  })

  test.each([
    ['a result', [YIELD, 1, {}]],
    ['an error', [ERROR, INVOCATION, 1, {}, 'com.error']],
  ])('ends with %s', (_, answer) => {
    const { callee, caller } = underWay({ timeout: 100 })
    callee.says(answer)
    expect(caller.take()).toHaveLength(1)
    vi.advanceTimersByTime(1000)
    expect(caller.take()).toEqual([])
    expect(callee.take()).toEqual([])
  })

  test('restarts with every partial result', () => {
    const { callee, caller } = underWay({ timeout: 100, receive_progress: true })
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(99)
      callee.says([YIELD, 1, { progress: true }, [i]])
    }
    expect(caller.take()).toHaveLength(5)
    vi.advanceTimersByTime(100)
    expect(caller.take()).toEqual(timedOut)
    expect(callee.take()).toEqual([EXPIRED])
  })

  test('does not restart with an unrequested partial result, nor with a part of the call', () => {
    const { callee, caller } = underWay({ timeout: 100, progress: true })
    vi.advanceTimersByTime(60)
    callee.says([YIELD, 1, { progress: true }])
    caller.says([CALL, 7, { progress: true, timeout: 1000 }, 'com.add'])
    vi.advanceTimersByTime(40)
    expect(caller.take()).toEqual(timedOut)
    expect(caller.says([CALL, 7, {}, 'com.add'])).toEqual([])
  })

  test.each([{ timeout: 0 }, {}])('is absent for %j', (options) => {
    const { callee, caller } = underWay(options)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(10 ** 9)
    callee.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([[RESULT, 7, {}]])
  })

  test('may exceed the longest timer', () => {
    const { callee, caller } = underWay({ timeout: 2 ** 31 + 500 })
    callee.take()
    vi.advanceTimersByTime(2 ** 31 + 499)
    expect(caller.take()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(caller.take()).toEqual(timedOut)
    callee.lose()
  })

  test.each(['9007199254740993', '9223372036854775807', '1e300'])('may be %s, which means for ever', (timeout) => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.kept', { forward_timeout: true })
    register(callee, 'com.add')
    caller.says(`[48,1,{"timeout":${timeout}},"com.kept"]`, `[48,2,{"timeout":${timeout}},"com.add"]`)
    expect(callee.take()).toEqual([
      [INVOCATION, 1, ID, { timeout: Number.MAX_SAFE_INTEGER }],
      [INVOCATION, 2, ID, {}],
    ])
    vi.advanceTimersByTime(2 ** 33)
    callee.says([YIELD, 1, {}], [YIELD, 2, {}])
    expect(caller.take()).toEqual([
      [RESULT, 1, {}],
      [RESULT, 2, {}],
    ])
  })

  test('may be a bigint of a binary format', () => {
    const world = open()
    const callee = able(world)
    const caller = world.join({ serializer: cbor })
    register(callee)
    caller.says(cbor.encode([CALL, 7, { timeout: 2n ** 63n }, 'com.add'] as unknown as Message))
    callee.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([[RESULT, 7, {}]])
  })

  test.each(['skip', 'killnowait'])('ends when the call is canceled, %s', (mode) => {
    const { caller } = underWay({ timeout: 100 })
    caller.says([CANCEL, 7, { mode }])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends a call that its callee does not end on INTERRUPT, without a second INTERRUPT', () => {
    const { callee, caller } = underWay({ timeout: 100 })
    caller.says([CANCEL, 7, { mode: 'kill' }])
    callee.take()
    vi.advanceTimersByTime(100)
    expect(caller.take()).toEqual(timedOut)
    expect(callee.says([ERROR, INVOCATION, 1, {}, 'wamp.error.canceled'])).toEqual([])
  })

  test.each(Object.entries(WAYS))('ends when either side leaves by %s', (_, go) => {
    for (const side of ['caller', 'callee'] as const) {
      const pair = underWay({ timeout: 60_000 })
      go(pair[side])
      // The remaining timer may wait for the link to close.
      vi.advanceTimersByTime(10_000)
      expect(vi.getTimerCount()).toBe(0)
    }
  })

  test('leaves no timer for a refused call', () => {
    const world = open()
    expect(able(world).says([CALL, 7, { timeout: 100 }, 'com.nothing'])).toEqual(refused(CALL, 7, 'no_such_procedure'))
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a timeout that the callee keeps', () => {
  test('is sent to it, and not kept by the dealer', () => {
    const { callee, caller } = underWay({ timeout: 100 }, { forward_timeout: true })
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, { timeout: 100 }]])
    expect(vi.getTimerCount()).toBe(0)
    callee.says([ERROR, INVOCATION, 1, {}, 'wamp.error.timeout'])
    expect(caller.take()).toEqual([[ERROR, CALL, 7, {}, 'wamp.error.timeout']])
  })

  test('is absent if the call has none', () => {
    const { callee } = underWay({}, { forward_timeout: true })
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, {}]])
  })

  test('is kept by the dealer if the callee did not announce call_timeout', () => {
    const { callee, caller } = underWay({ timeout: 100 }, { forward_timeout: true }, 'call_timeout')
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, {}]])
    vi.advanceTimersByTime(100)
    expect(caller.take()).toEqual(timedOut)
  })
})

describe('a declined call', () => {
  function two(first: object, second: object): { one: Peer; other: Peer; caller: Peer } {
    const world = open()
    const [one, other, caller] = [able(world), able(world), able(world)]
    register(one, 'com.add', { invoke: 'first', ...first })
    register(other, 'com.add', { invoke: 'first', ...second })
    vi.clearAllTimers()
    caller.says([CALL, 7, { timeout: 100 }, 'com.add'])
    vi.advanceTimersByTime(30)
    one.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    return { one, other, caller }
  }

  test('has no more time for having been declined', () => {
    const { other, caller } = two({}, {})
    expect(other.take()).toEqual([[INVOCATION, 1, ID, {}]])
    vi.advanceTimersByTime(70)
    expect(caller.take()).toEqual(timedOut)
  })

  test("stays with the dealer's timer, even if the next callee could keep it", () => {
    const { other, caller } = two({}, { forward_timeout: true })
    expect(other.take()).toEqual([[INVOCATION, 1, ID, {}]])
    vi.advanceTimersByTime(70)
    expect(caller.take()).toEqual(timedOut)
  })

  test('has the remaining time if the first callee kept the timeout', () => {
    const { other, caller } = two({ forward_timeout: true }, {})
    expect(other.take()).toEqual([[INVOCATION, 1, ID, {}]])
    vi.advanceTimersByTime(69)
    expect(caller.take()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(caller.take()).toEqual(timedOut)
  })

  test('sends the remaining time to the next callee', () => {
    const { other } = two({ forward_timeout: true }, { forward_timeout: true })
    expect(other.take()).toEqual([[INVOCATION, 1, ID, { timeout: 70 }]])
  })
})
