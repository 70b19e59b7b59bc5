/** Calls that wait for a free callee, and all ways in which that wait may end. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  CALL,
  CANCEL,
  ERROR,
  INTERRUPT,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  UNREGISTER,
  UNREGISTERED,
  YIELD,
} from 'wampy-ts/testing'
import { WampError } from '../../src/protocol/error.ts'
import type { Message } from '../../src/protocol/messages.ts'
import { type CallQueueOptions, Router, type RouterLimits } from '../../src/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { able, refused, register } from './rpc.ts'
import { dropped, ID, open, type Peer, TEXT, violates, WAYS, type World } from './support.ts'

const FULL = 'crossbar.error.max_concurrency_reached'
const ALL: CallQueueOptions[] = [{ uri: '', match: 'prefix', limit: 100 }]
const ONE = { concurrency: 1 }

const queueing = (rules = ALL, limits: Partial<RouterLimits> = {}): World => open({ callQueue: rules, limits })
const call = (request: number, options: object = {}, procedure = 'com.add'): unknown[] => [
  CALL,
  request,
  options,
  procedure,
  [request],
]
/** The first argument of each of these INVOCATIONs. */
const said = (from: Peer | unknown[][]): unknown[] =>
  ('take' in from ? from.take() : from).map(([, , , , args]) => (args as unknown[])[0])

/** A callee with concurrency 1 and one running call, request 1, and two queued calls. */
function waiting(options: object = {}, ...without: string[]): World & { callee: Peer; caller: Peer; id: number } {
  const world = queueing()
  const [callee, caller] = [able(world, ...without), able(world)]
  const id = register(callee, 'com.add', ONE)
  expect(caller.says(call(1), call(2, options), call(3))).toEqual([])
  expect(callee.take()).toEqual([[INVOCATION, 1, id, {}, [1]]])
  expect(world.router.stats()).toMatchObject({ calls: 3, queued: 2 })
  return { ...world, callee, caller, id }
}

describe('a call for which all callees are full', () => {
  test('is queued, and runs after the calls that were queued before it, across callers', () => {
    const { callee, caller, join, id, router } = waiting()
    const other = join()
    other.says(call(1, {}))
    expect(callee.says([YIELD, 1, {}, ['one']])).toEqual([[INVOCATION, 2, id, {}, [2]]])
    expect(caller.take()).toEqual([[RESULT, 1, {}, ['one']]])
    expect(callee.says([ERROR, INVOCATION, 2, {}, 'com.error'])).toEqual([[INVOCATION, 3, id, {}, [3]]])
    expect(callee.says([YIELD, 3, {}])).toEqual([[INVOCATION, 4, id, {}, [1]]])
    callee.says([YIELD, 4, {}, ['other']])
    expect(caller.take()).toEqual([
      [ERROR, CALL, 2, {}, 'com.error'],
      [RESULT, 3, {}],
    ])
    expect(other.take()).toEqual([[RESULT, 1, {}, ['other']]])
    expect(router.stats()).toMatchObject({ calls: 0, queued: 0 })
  })

  test('reaches its callee as a new call would, with the procedure of a pattern and the requested options', () => {
    const world = queueing()
    const [callee, caller] = [able(world), able(world)]
    const id = register(callee, 'com.', { match: 'prefix', ...ONE })
    caller.says(call(1), [CALL, 2, { receive_progress: true, disclose_me: true, _x: 1 }, 'com.sub', [2], { a: 3 }])
    callee.take()
    expect(callee.says([YIELD, 1, {}])).toEqual([
      [
        INVOCATION,
        2,
        id,
        {
          procedure: 'com.sub',
          receive_progress: true,
          caller: caller.id,
          caller_authid: TEXT,
          caller_authrole: 'anonymous',
        },
        [2],
        { a: 3 },
      ],
    ])
    callee.says([YIELD, 2, { progress: true }], [YIELD, 2, {}])
    expect(caller.take()).toEqual([
      [RESULT, 1, {}],
      [RESULT, 2, { progress: true }],
      [RESULT, 2, {}],
    ])
  })

  test('is refused if the queue is full, or if the procedure has no queue', () => {
    const world = queueing([
      { uri: 'com.add', limit: 1 },
      { uri: 'org.', match: 'prefix', limit: 2 },
      { uri: '..x', match: 'wildcard', limit: 1 },
    ])
    const [callee, caller] = [able(world), able(world)]
    let request = 0
    for (const [procedure, room] of [
      ['com.add', 1],
      ['com.sub', 0],
      ['org.add', 2],
      ['a.b.x', 1],
    ] as const) {
      register(callee, procedure, ONE)
      for (let i = 0; i <= room; i++) expect(caller.says(call(++request, {}, procedure))).toEqual([])
      expect(caller.says(call(++request, {}, procedure))).toEqual(refused(CALL, request, FULL))
    }
    expect(world.router.stats()).toMatchObject({ calls: 8, queued: 4 })
  })

  test('is queued only within the limit of bytes, which includes its parts', () => {
    const world = queueing(ALL, { queuedBytes: 2000 })
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', ONE)
    const long = (request: number, length: number): unknown[] => [CALL, request, {}, 'com.add', ['x'.repeat(length)]]
    caller.says(long(1, 5000))
    expect(caller.says(long(2, 5000))).toEqual(refused(CALL, 2, FULL))
    expect(caller.says(long(3, 1000))).toEqual([])
    expect(caller.says(long(4, 1000))).toEqual(refused(CALL, 4, FULL))
    const part = [CALL, 5, { progress: true }, 'com.add']
    expect(caller.says(part, part, part)).toEqual(refused(CALL, 5, FULL))
    expect(caller.says(part, [CALL, 5, {}, 'com.add'])).toEqual([])
    expect(world.router.stats()).toMatchObject({ calls: 2, queued: 1, dropped: { parts: 2 } })
    // Removed calls make room.
    caller.says([CANCEL, 3, {}])
    caller.take()
    expect(caller.says(long(6, 1000))).toEqual([])
  })

  test('counts among the pending calls of its session', () => {
    const world = queueing(ALL, { calls: 2 })
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', ONE)
    expect(caller.says(call(1), call(2), call(3))).toEqual(refused(CALL, 3, 'wampy.error.limit_exceeded'))
    expect(able(world).says(call(1))).toEqual([])
  })

  test('occupies its id', () => {
    const { caller } = waiting()
    expect(caller.says(call(2))).toEqual(violates(/CALL\[1\] is 2/))
  })

  test('runs together with others if several slots become free', () => {
    const world = queueing()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', { concurrency: 2 })
    caller.says(...[1, 2, 3, 4, 5].map((request) => call(request)))
    expect(said(callee)).toEqual([1, 2])
    expect(said(callee.says([YIELD, 2, {}], [YIELD, 1, {}]))).toEqual([3, 4])
  })

  test("from another serializer than its callee's arrives unchanged", () => {
    const world = queueing()
    const callee = able(world)
    const caller = world.join({ serializer: cbor })
    register(callee, 'com.add', ONE)
    const encoded = (request: number, value: unknown): Uint8Array =>
      cbor.encode([CALL, request, {}, 'com.add', { args: [value] }] as unknown as Message) as Uint8Array
    caller.says(encoded(1, 1), encoded(2, Number.NaN), encoded(3, 'x'))
    callee.take()
    // A call that the callee's serializer cannot represent ends when it would run, and the next one runs.
    expect(callee.says([YIELD, 1, {}])).toEqual([[INVOCATION, 2, ID, {}, ['x']]])
    expect(caller.take()).toEqual([[RESULT, 1, {}], ...refused(CALL, 2, 'invalid_argument')])
  })
})

describe('a queued call to a shared registration', () => {
  const shared = (invoke: string, count: number): { callees: Peer[]; caller: Peer; ids: number[]; world: World } => {
    const world = queueing()
    const callees = Array.from({ length: count }, () => able(world))
    const ids = callees.map((callee) => register(callee, 'com.add', { invoke, ...ONE }))
    return { world, callees, caller: able(world), ids }
  }

  test.each(['roundrobin', 'random'])('%s: goes to the first free callee', (invoke) => {
    const { callees, caller } = shared(invoke, 3)
    caller.says(...[1, 2, 3, 4, 5].map((request) => call(request)))
    for (const callee of callees) expect(said(callee)).toHaveLength(1)
    const [one, two, three] = callees as [Peer, Peer, Peer]
    expect(said(three.says([YIELD, 1, {}]))).toEqual([4])
    expect(said(one.says([YIELD, 1, {}]))).toEqual([5])
    expect(two.take()).toEqual([])
  })

  test.each([
    ['first', 0],
    ['last', 1],
  ])('%s: waits for the callee of its policy', (invoke, at) => {
    const { callees, caller, world } = shared(invoke, 2)
    caller.says(call(1), call(2), call(3))
    expect(said(callees[at] as Peer)).toEqual([1])
    // The first or the last callee at that time.
    callees[at]?.lose()
    expect(caller.take()).toEqual(refused(CALL, 1, 'canceled'))
    expect(said(callees[1 - at] as Peer)).toEqual([2])
    expect(world.router.stats().queued).toBe(1)
    if (invoke === 'last') {
      const newer = able(world)
      const [, invocation] = newer.says([REGISTER, 1, { invoke, concurrency: 5 }, 'com.add'])
      expect(invocation).toEqual([INVOCATION, 1, ID, {}, [3]])
    }
  })

  test('goes to a new callee, after its REGISTERED', () => {
    const { caller, ids, world } = shared('roundrobin', 1)
    caller.says(call(1), call(2), call(3), call(4))
    const newer = able(world)
    expect(newer.says([REGISTER, 1, { invoke: 'roundrobin', concurrency: 2 }, 'com.add'])).toEqual([
      [REGISTERED, 1, ids[0]],
      [INVOCATION, 1, ids[0], {}, [2]],
      [INVOCATION, 2, ids[0], {}, [3]],
    ])
    expect(world.router.stats().queued).toBe(1)
  })

  test('is not lost when one of several callees leaves, in any way', () => {
    for (const go of [...Object.values(WAYS), (peer: Peer, id: number) => peer.says([UNREGISTER, 9, id])]) {
      const { callees, caller, ids, world } = shared('roundrobin', 2)
      caller.says(call(1), call(2), call(3))
      const [one, two] = callees as [Peer, Peer]
      one.take()
      two.take()
      go(one, ids[0] as number)
      expect(world.router.stats().queued).toBe(1)
      caller.take()
      expect(said(two.says([YIELD, 1, {}]))).toEqual([3])
    }
  })
})

describe('a queued call ends', () => {
  const stopTheClock = (): void => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
  }

  test.each(['skip', 'kill', 'killnowait'])('when it is canceled, %s: no other peer receives anything', (mode) => {
    const { callee, caller, router } = waiting()
    expect(caller.says([CANCEL, 2, { mode }])).toEqual(refused(CALL, 2, 'canceled'))
    expect(router.stats()).toMatchObject({ calls: 2, queued: 1 })
    expect(callee.says([YIELD, 1, {}])).toEqual([[INVOCATION, 2, ID, {}, [3]]])
    expect(caller.take()).toEqual([[RESULT, 1, {}]])
  })

  test('at its timeout, which began with the call', () => {
    stopTheClock()
    const { callee, caller, router } = waiting({ timeout: 100 })
    vi.advanceTimersByTime(99)
    expect(caller.take()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(caller.take()).toEqual(refused(CALL, 2, 'timeout'))
    expect(callee.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 2, queued: 1 })
  })

  test('at its timeout even if the callee keeps timeouts itself, once it has been sent there', () => {
    stopTheClock()
    const world = queueing()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', { ...ONE, forward_timeout: true })
    caller.says(call(1), call(2, { timeout: 100 }))
    callee.take()
    vi.advanceTimersByTime(60)
    expect(callee.says([YIELD, 1, {}])).toEqual([[INVOCATION, 2, ID, {}, [2]]])
    caller.take()
    vi.advanceTimersByTime(40)
    expect(caller.take()).toEqual(refused(CALL, 2, 'timeout'))
    expect(callee.take()).toEqual([[INTERRUPT, 2, { mode: 'killnowait', reason: 'wamp.error.timeout' }]])
  })

  test('at its timeout, which frees a callee for the next call', () => {
    stopTheClock()
    const world = queueing()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', ONE)
    caller.says(call(1, { timeout: 100 }), call(2))
    callee.take()
    vi.advanceTimersByTime(100)
    expect(caller.take()).toEqual(refused(CALL, 1, 'timeout'))
    expect(callee.take().map(([code, id]) => [code, id])).toEqual([
      [INTERRUPT, 1],
      [INVOCATION, 2],
    ])
  })

  test.each(Object.entries(WAYS))(
    "when its caller leaves by %s, and the caller's running call frees its callee",
    (_, go) => {
      const { callee, caller, join, router } = waiting()
      const other = join()
      other.says(call(9))
      go(caller)
      expect(router.stats()).toMatchObject({ calls: 1, queued: 0 })
      expect(callee.take()).toEqual([
        [INTERRUPT, 1, { mode: 'killnowait' }],
        [INVOCATION, 2, ID, {}, [9]],
      ])
    },
  )

  test.each(Object.entries(WAYS))('when the last callee leaves by %s', (_, go) => {
    const { callee, caller, router } = waiting()
    go(callee)
    expect(caller.take()).toEqual([
      ...refused(CALL, 1, 'canceled'),
      ...refused(CALL, 2, 'no_such_procedure'),
      ...refused(CALL, 3, 'no_such_procedure'),
    ])
    expect(router.stats()).toMatchObject({ calls: 0, queued: 0 })
  })

  test('when the last callee unregisters, which still finishes its running calls', () => {
    const { callee, caller, id } = waiting()
    expect(callee.says([UNREGISTER, 5, id])).toEqual([[UNREGISTERED, 5]])
    expect(caller.take()).toEqual([...refused(CALL, 2, 'no_such_procedure'), ...refused(CALL, 3, 'no_such_procedure')])
    callee.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([[RESULT, 1, {}]])
  })

  test('when the last callee is removed by the meta API', () => {
    const { callee, caller, join, id } = waiting()
    const admin = join()
    expect(admin.says([CALL, 1, {}, 'wamp.registration.remove_callee', [id, callee.id]])).toEqual([[RESULT, 1, {}]])
    expect(callee.take()).toEqual([[UNREGISTERED, 0, { registration: id }]])
    expect(caller.take().map(([, , request]) => request)).toEqual([2, 3])
  })

  test('when the router closes', async () => {
    const { caller, callee, router } = waiting()
    const closed = router.close()
    expect(router.stats()).toMatchObject({ sessions: 0, calls: 0, queued: 0 })
    for (const peer of [caller, callee]) peer.says([6, {}, 'wamp.close.goodbye_and_out'])
    await closed
  })

  test('when its caller is also the callee, and leaves', () => {
    const world = queueing()
    const peer = able(world)
    register(peer, 'com.add', ONE)
    peer.says(call(1), call(2))
    peer.lose()
    expect(world.router.stats()).toMatchObject({ calls: 0, queued: 0 })
  })
})

describe('a queued call moves to another registration', () => {
  test('when its procedure is taken over by force_reregister: after REGISTERED, in order', () => {
    const { caller, join, id, callee } = waiting()
    const newer = join()
    const [registered, ...rest] = newer.says([REGISTER, 1, { force_reregister: true }, 'com.add'])
    expect(registered).toEqual([REGISTERED, 1, ID])
    expect(registered?.[2]).not.toBe(id)
    expect(rest).toEqual([
      [INVOCATION, 1, registered?.[2], {}, [2]],
      [INVOCATION, 2, registered?.[2], {}, [3]],
    ])
    expect(callee.take()).toEqual([[UNREGISTERED, 0, { registration: id, reason: 'wamp.error.unregistered' }]])
    expect(caller.take()).toEqual([])
  })

  test('when a pattern matches its procedure after the exact registration ended, and is queued there', () => {
    const { caller, callee, join, id, router } = waiting()
    const other = join()
    const pattern = register(other, 'com.', { match: 'prefix', ...ONE })
    callee.says([UNREGISTER, 5, id])
    expect(other.take()).toEqual([[INVOCATION, 1, pattern, { procedure: 'com.add' }, [2]]])
    expect(router.stats()).toMatchObject({ calls: 3, queued: 1 })
    expect(other.says([YIELD, 1, {}])).toEqual([[INVOCATION, 2, pattern, { procedure: 'com.add' }, [3]]])
    expect(caller.take()).toEqual([[RESULT, 2, {}]])
  })

  test('in the order of the calls, across the queues they come from', () => {
    const world = queueing()
    const [callee, other, caller] = [able(world), able(world), able(world)]
    for (const procedure of ['com.add', 'com.sub']) register(callee, procedure, ONE)
    register(other, 'com.', { match: 'prefix', ...ONE })
    caller.says(call(1, {}, 'com.add'), call(2, {}, 'com.sub'), call(3, {}, 'com.sub'), call(4, {}, 'com.add'))
    caller.says(call(5, {}, 'com.sub'), call(6, {}, 'com.x'), call(7, {}, 'com.x'), call(8, {}, 'com.add'))
    expect(said(other)).toEqual([6])
    callee.lose()
    caller.take()
    const order = [1, 2, 3, 4, 5].map((invocation) => said(other.says([YIELD, invocation, {}]))[0])
    expect(order).toEqual([3, 4, 5, 7, 8])
    other.lose()
  })

  test('but not to another registration of the callee that leaves', () => {
    const { caller, callee } = waiting()
    register(callee, 'com.', { match: 'prefix' })
    callee.lose()
    expect(caller.take().map(([, , , , uri]) => uri)).toEqual([
      'wamp.error.canceled',
      'wamp.error.no_such_procedure',
      'wamp.error.no_such_procedure',
    ])
  })
})

describe('a queued call in parts', () => {
  const parts = (): ReturnType<typeof waiting> => {
    const made = waiting({ progress: true })
    made.caller.says(
      [CALL, 2, { progress: true }, 'com.add', ['b'], { c: 1 }],
      [CALL, 2, { progress: true }, 'com.add'],
      [CALL, 2, {}, 'com.add', ['d']],
    )
    expect(made.callee.take()).toEqual([])
    return made
  }

  test('sends all of its parts, in order, when it runs', () => {
    const { callee, caller, id } = parts()
    expect(callee.says([YIELD, 1, {}])).toEqual([
      [INVOCATION, 2, id, { progress: true }, [2]],
      [INVOCATION, 2, id, { progress: true }, ['b'], { c: 1 }],
      [INVOCATION, 2, id, { progress: true }],
      [INVOCATION, 2, id, {}, ['d']],
    ])
    callee.says([YIELD, 2, {}])
    expect(caller.take()).toEqual([
      [RESULT, 1, {}],
      [RESULT, 2, {}],
    ])
  })

  test('accepts further parts afterwards', () => {
    const { callee, caller, id } = waiting({ progress: true })
    expect(callee.says([YIELD, 1, {}])).toEqual([[INVOCATION, 2, id, { progress: true }, [2]]])
    caller.says([CALL, 2, {}, 'com.add', ['last']])
    expect(callee.take()).toEqual([[INVOCATION, 2, id, {}, ['last']]])
  })

  test('is one call, and ends with its last part', () => {
    const { caller } = parts()
    expect(caller.says([CALL, 2, {}, 'com.add'])).toEqual(violates(/CALL\[1\] is 2/))
  })

  test('is refused if its callee does not accept parts, and the next call runs', () => {
    const { callee, caller } = waiting({ progress: true }, 'progressive_call_invocations')
    caller.says([CALL, 2, { progress: true }, 'com.add'])
    expect(callee.says([YIELD, 1, {}])).toEqual([[INVOCATION, 2, ID, {}, [3]]])
    expect(caller.take()).toEqual([[RESULT, 1, {}], ...refused(CALL, 2, 'feature_not_supported')])
    // Parts that follow are late.
    expect(caller.says([CALL, 2, {}, 'com.add'])).toEqual([])
  })

  test('moves to another registration with all of its parts', () => {
    const { caller, callee, join, id, router } = parts()
    const other = able({ join } as World)
    register(other, 'com.', { match: 'prefix', ...ONE })
    caller.says(call(4, {}, 'com.x'))
    other.take()
    callee.says([UNREGISTER, 5, id])
    expect(other.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 4, queued: 2 })
    expect(other.says([YIELD, 1, {}]).map(([, invocation, , , args]) => [invocation, args])).toEqual([
      [2, [2]],
      [2, ['b']],
      [2, undefined],
      [2, ['d']],
    ])
  })
})

describe('a declined call', () => {
  test('waits for the other callees, ahead of the calls that never had one', () => {
    const world = queueing()
    const [one, two, caller] = [able(world), able(world), able(world)]
    for (const callee of [one, two]) register(callee, 'com.add', { invoke: 'roundrobin', ...ONE })
    caller.says(call(1), call(2), call(3))
    one.take()
    two.take()
    // The callee that declined is free for another call.
    expect(said(one.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable']))).toEqual([3])
    expect(world.router.stats()).toMatchObject({ calls: 3, queued: 1 })
    expect(one.says([YIELD, 2, {}])).toEqual([])
    expect(said(two.says([YIELD, 1, {}]))).toEqual([1])
  })

  test('is canceled without a message to the callee that declined it', () => {
    const world = queueing()
    const [one, two, caller] = [able(world), able(world), able(world)]
    for (const callee of [one, two]) register(callee, 'com.add', { invoke: 'first', ...ONE })
    caller.says(call(1))
    one.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    caller.says(call(2))
    one.says([ERROR, INVOCATION, 2, {}, 'wamp.error.unavailable'])
    one.take()
    expect(world.router.stats().queued).toBe(1)
    expect(caller.says([CANCEL, 2, { mode: 'kill' }])).toEqual(refused(CALL, 2, 'canceled'))
    expect(one.take()).toEqual([])
    two.says([YIELD, 1, {}])
  })

  test('is refused when the only callee it waits for is gone', () => {
    const world = queueing()
    const [one, two, caller] = [able(world), able(world), able(world)]
    for (const callee of [one, two]) register(callee, 'com.add', { invoke: 'roundrobin', ...ONE })
    caller.says(call(1), call(2))
    one.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    two.lose()
    expect(caller.take()).toEqual([...refused(CALL, 2, 'canceled'), ...refused(CALL, 1, 'no_available_callee')])
  })
})

test('a callee that cannot be interrupted keeps its slot until it answers', () => {
  const { callee, caller, router } = waiting({}, 'call_canceling')
  expect(caller.says([CANCEL, 1, { mode: 'killnowait' }])).toEqual(refused(CALL, 1, 'canceled'))
  expect(callee.take()).toEqual([])
  expect(router.stats()).toMatchObject({ calls: 2, queued: 2 })
  expect(said(callee.says([YIELD, 1, {}]))).toEqual([2])
  expect(caller.take()).toEqual([])
})

test('if a callee turns out to be gone when a queued call runs, each caller gets one answer', async () => {
  const world = queueing(ALL, { backlog: 1000 })
  const [callee, caller] = [able(world), able(world)]
  register(callee, 'com.add', ONE)
  caller.says(call(1), call(2), call(3))
  callee.backlog = 5000
  callee.says([YIELD, 1, {}])
  await dropped()
  expect(caller.take()).toEqual([
    [RESULT, 1, {}],
    ...refused(CALL, 2, 'canceled'),
    ...refused(CALL, 3, 'no_such_procedure'),
  ])
  expect(world.router.stats()).toMatchObject({ calls: 0, queued: 0, dropped: { sessions: 1 } })
})

test.each<[unknown, RegExp]>([
  [{ limit: 1 }, /must be a list of procedures/],
  [[7], /callQueue\[0\] must be \{ uri, match, limit \}/],
  [[{ uri: 'com.a', limit: 1, size: 1 }], /has no option "size", but uri, match, limit$/],
  [[{ uri: 'com.a', match: 'some', limit: 1 }], /match must be/],
  [[{ uri: 'com.', limit: 1 }], /"com\." is not a valid procedure for match: exact/],
  [[{ uri: 'com.a', limit: 0 }], /limit must be a whole number from 1, got 0/],
  [[{ uri: 'com.a' }], /limit must be a whole number from 1, got undefined/],
  [
    [
      { uri: 'com.a', limit: 1 },
      { uri: 'com.a', limit: 2 },
    ],
    /"com\.a" is listed twice/,
  ],
])('callQueue: %j is not a valid option', (callQueue, text) => {
  let thrown: unknown
  try {
    new Router({ callQueue: callQueue as CallQueueOptions[] })
  } catch (error) {
    thrown = error
  }
  expect(WampError.is(thrown) && thrown.uri).toBe('wampy.error.usage')
  expect((thrown as Error).message).toMatch(text)
})
