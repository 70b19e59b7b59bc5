/** Either side may leave at any step, in any way: the other is notified as required, and nothing stays behind. */

import { describe, expect, test } from 'vitest'
import {
  CALL,
  ERROR,
  EVENT,
  INVOCATION,
  PUBLISH,
  REGISTER,
  REGISTERED,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  UNREGISTER,
  UNSUBSCRIBE,
  YIELD,
} from 'wampy-ts/testing'
import type { RouterStats } from '../../src/router/stats.ts'
import { ID, open, type Peer, TEXT, WAYS, type World } from './support.ts'

const EMPTY: Partial<RouterStats> = { sessions: 0, subscriptions: 0, registrations: 0, calls: 0 }

/** A callee of two procedures, and a caller with a pending call to each. */
function underWay(world: World = open()): { callee: Peer; caller: Peer } & World {
  const [callee, caller] = [world.join(), world.join()]
  callee.says([REGISTER, 1, {}, 'com.one'], [REGISTER, 2, {}, 'com.two'])
  caller.says([CALL, 10, {}, 'com.one'], [CALL, 11, {}, 'com.two'])
  callee.take()
  return { ...world, callee, caller }
}

const canceled = (request: number): unknown[] => [ERROR, CALL, request, {}, 'wamp.error.canceled', [TEXT]]

describe.each(Object.entries(WAYS))('by %s', (_, go) => {
  test('the callee leaves during calls: each caller receives an error', () => {
    const { callee, caller, join, router } = underWay()
    const other = join()
    other.says([CALL, 10, {}, 'com.one'])
    go(callee)
    expect(caller.take()).toEqual([canceled(10), canceled(11)])
    expect(other.take()).toEqual([canceled(10)])
    expect(router.stats()).toMatchObject({ sessions: 2, registrations: 0, calls: 0 })
  })

  test('the callee leaves with some calls answered: the other callers receive an error', () => {
    const { callee, caller } = underWay()
    callee.says([YIELD, 2, {}, ['two']])
    go(callee)
    expect(caller.take()).toEqual([[RESULT, 11, {}, ['two']], canceled(10)])
  })

  test('the callee leaves before a call: the procedure does not exist, and another session may register it', () => {
    const { callee, caller, join } = underWay()
    go(callee)
    caller.take()
    expect(caller.says([CALL, 12, {}, 'com.one'])).toEqual([
      [ERROR, CALL, 12, {}, 'wamp.error.no_such_procedure', [TEXT]],
    ])
    const next = join()
    next.says([REGISTER, 1, {}, 'com.one'])
    caller.says([CALL, 13, {}, 'com.one'])
    expect(next.take()).toEqual([[INVOCATION, 1, ID, {}]])
  })

  test('the caller leaves during calls: the callee receives nothing, and its answers are dropped', () => {
    const { callee, caller, router } = underWay()
    go(caller)
    expect(router.stats().calls).toBe(0)
    expect(callee.says([YIELD, 1, {}], [ERROR, INVOCATION, 2, {}, 'com.error'])).toEqual([])
    expect(callee.end).toBeUndefined()
    expect(router.stats().dropped.late).toBe(2)
  })

  test('the caller leaves and comes back: answers to its former calls do not reach it', () => {
    const { callee, caller, join } = underWay()
    go(caller)
    const back = join()
    back.says([CALL, 10, {}, 'com.one'])
    callee.says([YIELD, 1, {}, ['old']], [YIELD, 3, {}, ['new']])
    expect(back.take()).toEqual([[RESULT, 10, {}, ['new']]])
  })

  test('both leave, in either order, during calls', () => {
    const { callee, caller, router } = underWay()
    go(callee)
    go(caller)
    expect(router.stats()).toMatchObject(EMPTY)
    const again = underWay()
    go(again.caller)
    go(again.callee)
    expect(again.router.stats()).toMatchObject(EMPTY)
  })

  test('a session that calls itself leaves', () => {
    const { join, router } = open()
    const peer = join()
    peer.says([REGISTER, 1, {}, 'com.one'], [CALL, 2, {}, 'com.one'], [CALL, 3, {}, 'com.one'])
    go(peer)
    expect(router.stats()).toMatchObject(EMPTY)
  })

  test('two sessions that call one another leave', () => {
    const { callee, caller, router } = underWay()
    caller.says([REGISTER, 1, {}, 'com.three'])
    callee.says([CALL, 1, {}, 'com.three'])
    go(caller)
    expect(callee.take()).toContainEqual(canceled(1))
    go(callee)
    expect(router.stats()).toMatchObject(EMPTY)
  })

  test('a subscriber leaves: others still receive events, and the topic ends with its last subscriber', () => {
    const { join, router } = open()
    const [alice, bob, carol] = [join(), join(), join()]
    alice.says([SUBSCRIBE, 1, {}, 'com.one'], [SUBSCRIBE, 2, {}, 'com.two'])
    const [[, , id] = []] = bob.says([SUBSCRIBE, 1, {}, 'com.one'])
    go(alice)
    expect(router.stats()).toMatchObject({ sessions: 2, subscriptions: 1 })
    carol.says([PUBLISH, 1, {}, 'com.one'], [PUBLISH, 2, {}, 'com.two'])
    expect(bob.take()).toEqual([[EVENT, id, ID, {}]])
    go(bob)
    expect(router.stats().subscriptions).toBe(0)
    expect(carol.says([SUBSCRIBE, 3, {}, 'com.one'])).toEqual([[SUBSCRIBED, 3, ID]])
  })

  test('messages that arrive after the end of their session are ignored', () => {
    const { callee, caller, router } = underWay()
    go(callee)
    caller.take()
    callee.says([YIELD, 1, {}, ['late']], [REGISTER, 3, {}, 'com.three'], [SUBSCRIBE, 4, {}, 'com.topic'])
    expect(caller.take()).toEqual([])
    expect(router.stats()).toMatchObject({ sessions: 1, subscriptions: 0, registrations: 0 })
  })

  test('a peer without a session leaves', () => {
    const { connect, router } = open()
    go(connect())
    expect(router.links).toBe(0)
  })
})

test('a thousand short sessions leave nothing behind', () => {
  const { join, router } = open()
  const callee = join()
  callee.says([REGISTER, 1, {}, 'com.one'])
  const ways = Object.values(WAYS)
  for (let i = 0; i < 1000; i++) {
    const peer = join()
    peer.says([SUBSCRIBE, 1, {}, `com.topic${i}`], [REGISTER, 2, {}, `com.own${i}`], [CALL, 3, {}, 'com.one'])
    ways[i % ways.length]?.(peer)
  }
  expect(router.stats()).toMatchObject({ sessions: 1, subscriptions: 0, registrations: 1, calls: 0 })
  expect(router.links).toBe(1)
})

interface Actor {
  readonly peer: Peer
  next: number
  /** Its pending calls. */
  readonly waiting: Set<number>
  invoked: number
  readonly owned: number[]
}

/** Every answer must belong to a pending call. */
function hear(actor: Actor, messages: unknown[][]): void {
  for (const [code, second, third] of messages as number[][]) {
    if (code === INVOCATION) actor.invoked = second as number
    if (code === RESULT) expect(actor.waiting.delete(second as number)).toBe(true)
    if (code === ERROR && second === CALL) expect(actor.waiting.delete(third as number)).toBe(true)
    if (code === REGISTERED || code === SUBSCRIBED) actor.owned.push(third as number)
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'in random sequences every call gets one answer and nothing stays behind: %i',
  (start) => {
    let seed = start
    const random = (below: number): number => {
      seed = (seed * 48271) % 2147483647
      return seed % below
    }
    const { join, router } = open()
    let actors: Actor[] = []
    for (let step = 0; step < 1500; step++) {
      if (actors.length < 5) actors.push({ peer: join(), next: 1, waiting: new Set(), invoked: 0, owned: [] })
      const one = actors[random(actors.length)] as Actor
      const uri = `com.u${random(4)}`
      const id = one.next++
      const owned = one.owned[random(one.owned.length + 1)] ?? 1
      const choice = random(60)
      if (choice === 0) {
        Object.values(WAYS)[random(4)]?.(one.peer)
        actors = actors.filter((actor) => actor !== one)
      } else if (choice < 25) {
        one.waiting.add(id)
        hear(one, one.peer.says([CALL, id, {}, uri, [id]]))
      } else if (choice < 40) {
        if (one.invoked > 0) hear(one, one.peer.says([YIELD, 1 + random(one.invoked), {}, [id]]))
      } else if (choice < 50) hear(one, one.peer.says([REGISTER, id, {}, uri]))
      else if (choice < 52) hear(one, one.peer.says([UNREGISTER, id, owned]))
      else if (choice < 55) hear(one, one.peer.says([SUBSCRIBE, id, {}, uri]))
      else if (choice < 57) hear(one, one.peer.says([UNSUBSCRIBE, id, owned]))
      else hear(one, one.peer.says([PUBLISH, id, { exclude_me: false }, uri]))
      for (const actor of actors) hear(actor, actor.peer.take())
      const calls = actors.reduce((sum, actor) => sum + actor.waiting.size, 0)
      expect(router.stats()).toMatchObject({ sessions: actors.length, calls })
    }
    for (const { peer } of actors) peer.lose()
    expect(router.stats()).toMatchObject(EMPTY)
  },
)
