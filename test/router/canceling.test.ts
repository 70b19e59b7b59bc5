/** Call canceling: three modes, what each sends to whom, and what may cross it. */

import { describe, expect, test } from 'vitest'
import { CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, RESULT, UNREGISTER, YIELD } from 'wampy-ts/testing'
import { able, refused, register } from './rpc.ts'
import { dropped, ID, open, type Peer, WAYS, type World } from './support.ts'

interface Pair extends World {
  readonly callee: Peer
  readonly caller: Peer
}

/** A call under way, with request id 7 and invocation id 1. */
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

/** What a callee may say after a call is over; nobody may hear of it. */
const LATE: [string, unknown[]][] = [
  ['YIELD', [YIELD, 1, {}, ['late']]],
  ['progressive YIELD', [YIELD, 1, { progress: true }, ['late']]],
  ['ERROR', [ERROR, INVOCATION, 1, {}, 'wamp.error.canceled']],
]

describe('mode skip', () => {
  test('answers the caller at once and tells the callee nothing', () => {
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
  test('interrupts the callee and tells the caller what it answers: an error', () => {
    const { callee, caller, router } = underWay()
    expect(caller.says([CANCEL, 7, { mode: 'kill' }])).toEqual([])
    expect(callee.take()).toEqual(interrupt('kill'))
    expect(router.stats().calls).toBe(1)
    callee.says([ERROR, INVOCATION, 1, { _a: 1 }, 'wamp.error.canceled', ['stopped'], { after: 3 }])
    expect(caller.take()).toEqual([[ERROR, CALL, 7, { _a: 1 }, 'wamp.error.canceled', ['stopped'], { after: 3 }]])
    expect(router.stats().calls).toBe(0)
  })

  test('or the result, where the work was done first', () => {
    const { callee, caller } = underWay()
    caller.says([CANCEL, 7, { mode: 'kill' }])
    callee.says([YIELD, 1, {}, [3]])
    expect(caller.take()).toEqual([[RESULT, 7, {}, [3]]])
  })

  test('lets partial results through until then', () => {
    const { callee, caller } = underWay({ receive_progress: true })
    caller.says([CANCEL, 7, { mode: 'kill' }])
    callee.says([YIELD, 1, { progress: true }, ['part']], [ERROR, INVOCATION, 1, {}, 'wamp.error.canceled'])
    expect(caller.take()).toEqual([
      [RESULT, 7, { progress: true }, ['part']],
      [ERROR, CALL, 7, {}, 'wamp.error.canceled'],
    ])
  })

  test.each(Object.entries(WAYS))('the callee goes by %s instead of answering: the caller is told', (_, go) => {
    const { callee, caller } = underWay()
    caller.says([CANCEL, 7, { mode: 'kill' }])
    go(callee)
    expect(caller.take()).toEqual(canceled)
  })

  test.each(Object.entries(WAYS))('the caller goes by %s before the answer: it is not interrupted twice', (_, go) => {
    const { callee, caller, router } = underWay()
    caller.says([CANCEL, 7, { mode: 'kill' }])
    callee.take()
    go(caller)
    expect(callee.says([ERROR, INVOCATION, 1, {}, 'wamp.error.canceled'])).toEqual([])
    expect(callee.end).toBeUndefined()
    expect(router.stats()).toMatchObject({ calls: 0, dropped: { late: 1 } })
  })

  test('an answer that declines is the answer', () => {
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
  test.each(['skip', 'kill', 'killnowait'])('hears nothing; %s answers the caller at once', (mode) => {
    const { callee, caller } = underWay({}, 'call_canceling')
    expect(caller.says([CANCEL, 7, { mode }])).toEqual(canceled)
    expect(callee.says([YIELD, 1, {}])).toEqual([])
    expect(caller.take()).toEqual([])
  })

  test('but call_cancelling, as the specification also spells it, did', () => {
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
  test('that crossed the result changes nothing, and gets no answer', () => {
    const { callee, caller, router } = underWay()
    callee.says([YIELD, 1, {}, [3]])
    expect(caller.says([CANCEL, 7, { mode: 'kill' }])).toEqual([[RESULT, 7, {}, [3]]])
    expect(callee.take()).toEqual([])
    expect(router.stats().dropped.cancels).toBe(1)
  })

  test('of what was never called changes nothing', () => {
    const { callee, caller, router } = underWay()
    expect(caller.says([CANCEL, 8, {}])).toEqual([])
    expect(callee.take()).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 1, dropped: { cancels: 1 } })
  })

  test.each(['skip', 'kill', 'killnowait'])('said twice is said once: kill, then %s', (mode) => {
    const { callee, caller, router } = underWay()
    expect(caller.says([CANCEL, 7, { mode: 'kill' }], [CANCEL, 7, { mode }])).toEqual([])
    expect(callee.take()).toEqual(interrupt('kill'))
    expect(router.stats().dropped.cancels).toBe(1)
  })

  test('cancels only what the same session called', () => {
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

  test('reaches a callee that unregistered meanwhile', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    const registration = register(callee)
    caller.says([CALL, 7, {}, 'com.add'])
    callee.says([UNREGISTER, 2, registration])
    expect(caller.says([CANCEL, 7, { mode: 'killnowait' }])).toEqual(canceled)
    expect(callee.take()).toEqual(interrupt('killnowait'))
  })

  test('by one that calls itself works', () => {
    const peer = able(open())
    register(peer)
    peer.says([CALL, 7, {}, 'com.add'])
    expect(peer.says([CANCEL, 7, { mode: 'killnowait' }])).toEqual([...interrupt('killnowait'), ...canceled])
  })
})

describe('a caller that goes', () => {
  test.each(Object.entries(WAYS))('by %s: who can be interrupted is, and its answer is dropped', (_, go) => {
    const { callee, caller, router } = underWay()
    go(caller)
    expect(callee.take()).toEqual(interrupt('killnowait'))
    expect(callee.says([YIELD, 1, {}])).toEqual([])
    expect(router.stats()).toMatchObject({ calls: 0, dropped: { late: 1 } })
  })

  test.each(Object.entries(WAYS))('by %s: who cannot is left alone', (_, go) => {
    const { callee, caller } = underWay({}, 'call_canceling')
    go(caller)
    expect(callee.says([YIELD, 1, {}])).toEqual([])
  })

  test.each(Object.entries(WAYS))('by %s, having called itself: nobody is interrupted', (_, go) => {
    const world = open()
    const peer = able(world)
    register(peer)
    peer.says([CALL, 7, {}, 'com.add'])
    go(peer)
    expect(peer.take().filter(([code]) => code === INTERRUPT)).toEqual([])
    expect(world.router.stats().calls).toBe(0)
  })
})

test('a callee that is found to be gone when it is interrupted: the caller gets one answer', async () => {
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

test('whatever the id, INTERRUPT names the invocation and not the call', () => {
  const { callee, caller } = underWay()
  callee.says([YIELD, 1, {}])
  caller.says([CALL, 100, {}, 'com.add'])
  caller.says([CANCEL, 100, { mode: 'kill' }])
  expect(callee.take()).toEqual([
    [INVOCATION, 2, ID, {}],
    [INTERRUPT, 2, { mode: 'kill' }],
  ])
})
