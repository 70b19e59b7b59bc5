/** Calls whose results come in parts. */

import { describe, expect, test } from 'vitest'
import { CALL, ERROR, INTERRUPT, INVOCATION, RESULT, YIELD } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { able, refused, register } from './rpc.ts'
import { ID, open, type Peer, WAYS, type World } from './support.ts'

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

describe('progressive results', () => {
  test('are requested from a callee that announced them, and arrive at once and in order', () => {
    const { callee, caller, registration } = pair()
    caller.says([CALL, 7, { receive_progress: true }, 'com.add', [1]])
    expect(callee.take()).toEqual([[INVOCATION, 1, registration, { receive_progress: true }, [1]]])
    callee.says([YIELD, 1, { progress: true }, ['a'], { n: 1 }])
    expect(caller.take()).toEqual([[RESULT, 7, { progress: true }, ['a'], { n: 1 }]])
    callee.says([YIELD, 1, { progress: true }], [YIELD, 1, { progress: true }, []])
    expect(caller.take()).toEqual([
      [RESULT, 7, { progress: true }],
      [RESULT, 7, { progress: true }, []],
    ])
    callee.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([[RESULT, 7, {}]])
  })

  test('are requested from a callee that did not announce canceling', () => {
    const { callee, caller } = pair(open(), ['call_canceling'])
    caller.says([CALL, 7, { receive_progress: true }, 'com.add'])
    expect(callee.says([YIELD, 1, { progress: true }, [1]])).toEqual([[INVOCATION, 1, ID, { receive_progress: true }]])
    expect(caller.take()).toEqual([[RESULT, 7, { progress: true }, [1]]])
  })

  test('are not requested from a callee that did not announce them, nor if the caller did not', () => {
    const { callee, caller } = pair(open(), ['progressive_call_results'])
    caller.says([CALL, 7, { receive_progress: true }, 'com.add'])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, {}]])
    const other = pair()
    other.caller.says([CALL, 7, { receive_progress: false }, 'com.add'])
    expect(other.callee.take()).toEqual([[INVOCATION, 1, ID, {}]])
  })

  test('that were not requested are dropped and counted, and the call continues', () => {
    const { callee, caller, router } = pair()
    caller.says([CALL, 7, {}, 'com.add'])
    callee.says([YIELD, 1, { progress: true }, [1]], [YIELD, 1, { progress: false }, [2]])
    expect(caller.take()).toEqual([[RESULT, 7, {}, [2]]])
    expect(router.stats().dropped.partial).toBe(1)
  })

  test('may end in an error, and nothing follows the end', () => {
    const { callee, caller, router } = pair()
    caller.says([CALL, 7, { receive_progress: true }, 'com.add'])
    callee.says(
      [YIELD, 1, { progress: true }],
      [ERROR, INVOCATION, 1, {}, 'com.error'],
      [YIELD, 1, { progress: true }],
      [YIELD, 1, {}],
    )
    expect(caller.take()).toEqual([
      [RESULT, 7, { progress: true }],
      [ERROR, CALL, 7, {}, 'com.error'],
    ])
    expect(router.stats().dropped.late).toBe(2)
  })

  test.each(Object.entries(WAYS))(
    'the caller leaves by %s: the callee is interrupted, and later parts are dropped',
    (_, go) => {
      const { callee, caller, router } = pair()
      caller.says([CALL, 7, { receive_progress: true }, 'com.add'])
      callee.says([YIELD, 1, { progress: true }])
      go(caller)
      expect(callee.says([YIELD, 1, { progress: true }])).toEqual([[INTERRUPT, 1, KILLNOWAIT]])
      expect(router.stats()).toMatchObject({ calls: 0, dropped: { late: 1 } })
    },
  )

  test.each(Object.entries(WAYS))(
    'the caller leaves by %s: parts of a callee without canceling are dropped',
    (_, go) => {
      const { callee, caller, router } = pair(open(), ['call_canceling'])
      caller.says([CALL, 7, { receive_progress: true }, 'com.add'])
      callee.take()
      go(caller)
      expect(callee.says([YIELD, 1, { progress: true }], [YIELD, 1, {}])).toEqual([])
      expect(callee.end).toBeUndefined()
      expect(router.stats()).toMatchObject({ calls: 0, dropped: { late: 2 } })
    },
  )

  test.each(Object.entries(WAYS))('the callee leaves by %s between parts: the caller receives an error', (_, go) => {
    const { callee, caller } = pair()
    caller.says([CALL, 7, { receive_progress: true }, 'com.add'])
    callee.says([YIELD, 1, { progress: true }, [1]])
    go(callee)
    expect(caller.take()).toEqual([[RESULT, 7, { progress: true }, [1]], ...refused(CALL, 7, 'canceled')])
  })

  test("a part that the caller's serializer cannot represent ends the call on both sides", () => {
    const world = open()
    const callee = world.join(
      { serializer: cbor },
      { roles: { callee: { features: { call_canceling: true, progressive_call_results: true } } } },
    )
    const caller = able(world)
    register(callee)
    caller.says([CALL, 7, { receive_progress: true }, 'com.add'])
    callee.take()
    const nan = { args: [Number.NaN], kwargs: undefined }
    const said = callee.says(cbor.encode([YIELD, 1, { progress: true }, nan] as unknown as Message))
    expect(said).toEqual([[INTERRUPT, 1, KILLNOWAIT]])
    expect(caller.take()).toEqual(refused(CALL, 7, 'invalid_argument'))
    expect(world.router.stats().calls).toBe(0)
  })
})
