/** Call canceling: the three modes, the messages that each sends, and messages that cross. */

import { describe, expect, test } from 'vitest'
import { CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, RESULT, UNREGISTER, YIELD } from 'wampy-ts/testing'
import { able, refused, register } from './rpc.ts'
import { dropped, ID, open, type Peer, WAYS, type World } from './support.ts'

interface Pair extends World {
  readonly callee: Peer
  readonly caller: Peer
}

/** A pending call, with request id 7 and invocation id 1. */
function underWay(options: object = {}, ...without: string[]): Pair {
  const world = open()
  const [callee, caller] = [able(world, ...without), able(world)]
  register(callee)
  caller.says([CALL, 7, options, 'com.add', [1]])
  expect(callee.take()).toEqual([[INVOCATION, 1, ID, expect.anything(), [1]]])
  return { ...world, callee, caller }
}

const canceled = refused(CALL, 7, 'canceled')
const interrupt = (mode: string): unknown[][] => [[INTERRUPT, 1, { mode }]]

/** Messages that a callee may send after the end of a call; the router drops them. */
const LATE: [string, unknown[]][] = [
  ['YIELD', [YIELD, 1, {}, ['late']]],
  ['progressive YIELD', [YIELD, 1, { progress: true }, ['late']]],
  ['ERROR', [ERROR, INVOCATION, 1, {}, 'wamp.error.canceled']],
]

describe('mode skip', () => {
  test('answers the caller at once and sends nothing to the callee', () => {
    const { callee, caller } = underWay()
    expect(caller.says([CANCEL, 7, { mode: 'skip' }])).toEqual(canceled)
    expect(callee.take()).toEqual([])
  })

  test.each(LATE)('a late %s is dropped', (_, late) => {
    const { callee, caller, router } = underWay()
    caller.says([CANCEL, 7, { mode: 'skip' }])
    expect(callee.says(late)).toEqual([])
    expect(callee.end).toBeUndefined()
    expect(caller.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 0, dropped: { late: 1 } })
  })
})

describe('mode kill', () => {
  test('interrupts the callee and passes its error on to the caller', () => {
    const { callee, caller, router } = underWay()
    expect(caller.says([CANCEL, 7, { mode: 'kill' }])).toEqual([])
    expect(callee.take()).toEqual(interrupt('kill'))
    expect(router.stats().calls).toBe(1)
    callee.says([ERROR, INVOCATION, 1, { _a: 1 }, 'wamp.error.canceled', ['stopped'], { after: 3 }])
    expect(caller.take()).toEqual([[ERROR, CALL, 7, { _a: 1 }, 'wamp.error.canceled', ['stopped'], { after: 3 }]])
    expect(router.stats().calls).toBe(0)
  })

  test('passes a result on if the callee finished first', () => {
    const { callee, caller } = underWay()
    caller.says([CANCEL, 7, { mode: 'kill' }])
    callee.says([YIELD, 1, {}, [3]])
    expect(caller.take()).toEqual([[RESULT, 7, {}, [3]]])
  })

  test('passes partial results on until then', () => {
    const { callee, caller } = underWay({ receive_progress: true })
    caller.says([CANCEL, 7, { mode: 'kill' }])
    callee.says([YIELD, 1, { progress: true }, ['part']], [ERROR, INVOCATION, 1, {}, 'wamp.error.canceled'])
    expect(caller.take()).toEqual([
      [RESULT, 7, { progress: true }, ['part']],
      [ERROR, CALL, 7, {}, 'wamp.error.canceled'],
    ])
  })

  test.each(Object.entries(WAYS))(
    'the callee leaves by %s instead of answering: the caller receives an error',
    (_, go) => {
      const { callee, caller } = underWay()
      caller.says([CANCEL, 7, { mode: 'kill' }])
      go(callee)
      expect(caller.take()).toEqual(canceled)
    },
  )

  test.each(Object.entries(WAYS))(
    'the caller leaves by %s before the answer: the callee is not interrupted twice',
    (_, go) => {
      const { callee, caller, router } = underWay()
      caller.says([CANCEL, 7, { mode: 'kill' }])
      callee.take()
      go(caller)
      expect(callee.says([ERROR, INVOCATION, 1, {}, 'wamp.error.canceled'])).toEqual([])
      expect(callee.end).toBeUndefined()
      expect(router.stats()).toMatchObject({ calls: 0, dropped: { late: 1 } })
    },
  )

  test('passes an answer that declines the call on to the caller without re-routing', () => {
    const { callee, caller } = underWay()
    caller.says([CANCEL, 7, { mode: 'kill' }])
    callee.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    expect(caller.take()).toEqual([[ERROR, CALL, 7, {}, 'wamp.error.unavailable']])
  })
})

describe.each([[{ mode: 'killnowait' }], [{}]])('mode killnowait, as %j', (options) => {
  test('interrupts the callee and answers the caller at once', () => {
    const { callee, caller, router } = underWay()
    expect(caller.says([CANCEL, 7, options])).toEqual(canceled)
    expect(callee.take()).toEqual(interrupt('killnowait'))
    expect(router.stats().calls).toBe(0)
  })

  test.each(LATE)('a late %s is dropped', (_, late) => {
    const { callee, caller, router } = underWay()
    caller.says([CANCEL, 7, options])
    callee.take()
    expect(callee.says(late)).toEqual([])
    expect(callee.end).toBeUndefined()
    expect(caller.take()).toEqual([])
    expect(router.stats().dropped.late).toBe(1)
  })
})

describe('a callee that did not announce call_canceling', () => {
  test.each(['skip', 'kill', 'killnowait'])('receives no INTERRUPT; %s answers the caller at once', (mode) => {
    const { callee, caller } = underWay({}, 'call_canceling')
    expect(caller.says([CANCEL, 7, { mode }])).toEqual(canceled)
    expect(callee.says([YIELD, 1, {}])).toEqual([])
    expect(caller.take()).toEqual([])
  })

  test('is interrupted if it announced the spelling call_cancelling, which the specification also uses', () => {
    const world = open()
    const callee = world.join({}, { roles: { callee: { features: { call_cancelling: true } } } })
    register(callee)
    const caller = able(world)
    caller.says([CALL, 7, {}, 'com.add'])
    callee.take()
    caller.says([CANCEL, 7, { mode: 'kill' }])
    expect(callee.take()).toEqual(interrupt('kill'))
    callee.says([YIELD, 1, {}])
  })
})

describe('CANCEL', () => {
  test('that crosses the result changes nothing and gets no answer', () => {
    const { callee, caller, router } = underWay()
    callee.says([YIELD, 1, {}, [3]])
    expect(caller.says([CANCEL, 7, { mode: 'kill' }])).toEqual([[RESULT, 7, {}, [3]]])
    expect(callee.take()).toEqual([])
    expect(router.stats().dropped.cancels).toBe(1)
  })

  test('for an unknown call changes nothing', () => {
    const { callee, caller, router } = underWay()
    expect(caller.says([CANCEL, 8, {}])).toEqual([])
    expect(callee.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 1, dropped: { cancels: 1 } })
  })

  test.each(['skip', 'kill', 'killnowait'])('is effective once: kill, then %s', (mode) => {
    const { callee, caller, router } = underWay()
    expect(caller.says([CANCEL, 7, { mode: 'kill' }], [CANCEL, 7, { mode }])).toEqual([])
    expect(callee.take()).toEqual(interrupt('kill'))
    expect(router.stats().dropped.cancels).toBe(1)
  })

  test('cancels only calls of the same session', () => {
    const { callee, caller, join } = underWay()
    const other = join()
    expect(other.says([CANCEL, 7, {}])).toEqual([])
    expect(callee.take()).toEqual([])
    callee.says([YIELD, 1, {}, [3]])
    expect(caller.take()).toEqual([[RESULT, 7, {}, [3]]])
  })

  test('frees the id for another call, which late answers do not reach', () => {
    const { callee, caller } = underWay()
    caller.says([CANCEL, 7, {}], [CALL, 7, {}, 'com.add', [2]])
    caller.take()
    callee.says([YIELD, 1, {}, ['old']], [YIELD, 2, {}, ['new']])
    expect(caller.take()).toEqual([[RESULT, 7, {}, ['new']]])
  })

  test('reaches a callee that has unregistered meanwhile', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    const registration = register(callee)
    caller.says([CALL, 7, {}, 'com.add'])
    callee.says([UNREGISTER, 2, registration])
    expect(caller.says([CANCEL, 7, { mode: 'killnowait' }])).toEqual(canceled)
    expect(callee.take()).toEqual(interrupt('killnowait'))
  })

  test('works for a session that calls itself', () => {
    const peer = able(open())
    register(peer)
    peer.says([CALL, 7, {}, 'com.add'])
    expect(peer.says([CANCEL, 7, { mode: 'killnowait' }])).toEqual([...interrupt('killnowait'), ...canceled])
  })
})

describe('a caller that leaves', () => {
  test.each(Object.entries(WAYS))(
    'by %s: its interruptible callees are interrupted, and their answers are dropped',
    (_, go) => {
      const { callee, caller, router } = underWay()
      go(caller)
      expect(callee.take()).toEqual(interrupt('killnowait'))
      expect(callee.says([YIELD, 1, {}])).toEqual([])
      expect(router.stats()).toMatchObject({ calls: 0, dropped: { late: 1 } })
    },
  )

  test.each(Object.entries(WAYS))('by %s: a callee that cannot be interrupted receives nothing', (_, go) => {
    const { callee, caller } = underWay({}, 'call_canceling')
    go(caller)
    expect(callee.says([YIELD, 1, {}])).toEqual([])
  })

  test.each(Object.entries(WAYS))('by %s, having called itself: nothing is sent', (_, go) => {
    const world = open()
    const peer = able(world)
    register(peer)
    peer.says([CALL, 7, {}, 'com.add'])
    go(peer)
    expect(peer.take().filter(([code]) => code === INTERRUPT)).toEqual([])
    expect(world.router.stats().calls).toBe(0)
  })
})

test('if a callee turns out to be gone when it is interrupted, the caller gets one answer', async () => {
  const world = open({ limits: { backlog: 1000 } })
  for (const mode of ['kill', 'killnowait']) {
    const [callee, caller] = [able(world), able(world)]
    register(callee, `com.${mode}`)
    caller.says([CALL, 7, {}, `com.${mode}`])
    callee.backlog = 5000
    const answers = caller.says([CANCEL, 7, { mode }])
    await dropped()
    expect([...answers, ...caller.take()]).toEqual(canceled)
    expect(callee.end).toBe('terminated')
  }
  expect(world.router.stats()).toMatchObject({ calls: 0, registrations: 0, dropped: { sessions: 2 } })
})

test('INTERRUPT carries the id of the invocation, not that of the call', () => {
  const { callee, caller } = underWay()
  callee.says([YIELD, 1, {}])
  caller.says([CALL, 100, {}, 'com.add'])
  caller.says([CANCEL, 100, { mode: 'kill' }])
  expect(callee.take()).toEqual([
    [INVOCATION, 2, ID, {}],
    [INTERRUPT, 2, { mode: 'kill' }],
  ])
})
