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
import { ID, open, type Peer, slowly, TEXT, WAYS, type World } from './support.ts'

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

describe('a session with very many subscriptions and registrations', () => {
  const MANY = 20_000

  /** A peer with as many of both, without its answers. */
  function gatherer({ join }: World): Peer {
    const peer = join()
    for (let i = 0; i < MANY; i++) {
      peer.says([REGISTER, 2 * i + 1, {}, `com.${i}.procedure`], [SUBSCRIBE, 2 * i + 2, {}, `com.${i}.topic`])
    }
    return peer
  }

  const large = () => open({ limits: { subscriptions: MANY, registrations: MANY, sessionBytes: 2 ** 30 } })
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0))

  test('leaves in several turns, in which others are served', async () => {
    const world = large()
    const { router } = world
    const peer = gatherer(world)
    const seen = { unregistered: 0, unsubscribed: 0, left: 0 }
    let early = 0
    router.observe({
      unregistered: () => void seen.unregistered++,
      unsubscribed: () => void seen.unsubscribed++,
      left: () => {
        seen.left++
        early = 2 * MANY - seen.unregistered - seen.unsubscribed
      },
    })
    const other = world.join()
    peer.lose()
    const sizes: number[] = []
    for (;;) {
      const { registrations, subscriptions } = router.stats()
      const [answer] = other.says([CALL, sizes.length + 1, {}, 'wamp.session.count'])
      expect(answer).toEqual([RESULT, sizes.length + 1, {}, [seen.left ? 1 : 2]])
      sizes.push(registrations + subscriptions)
      if (seen.left) break
      await turn()
    }
    expect(sizes.length).toBeGreaterThan(2)
    expect(sizes.at(-1)).toBe(0)
    expect(seen).toEqual({ unregistered: MANY, unsubscribed: MANY, left: 1 })
    // It is announced when nothing of it is left.
    expect(early).toBe(0)
    expect(router.stats().bytes).toMatchObject({ subscriptions: 0, registrations: 0 })
  })

  test('serves no calls any more, and its procedures are free', async () => {
    const world = large()
    const { router } = world
    const peer = gatherer(world)
    const [caller, heir] = [world.join(), world.join()]
    peer.lose()
    const last = MANY - 1
    expect(router.stats().registrations).toBeGreaterThan(10)
    expect(caller.says([CALL, 1, {}, `com.${last}.procedure`])).toEqual([
      [ERROR, CALL, 1, {}, 'wamp.error.no_such_procedure', [TEXT]],
    ])
    expect(
      heir.says([REGISTER, 1, {}, `com.${last}.procedure`], [REGISTER, 2, {}, `com.${last - 1}.procedure`]),
    ).toEqual([
      [REGISTERED, 1, ID],
      [REGISTERED, 2, ID],
    ])
    while (router.stats().sessions > 2) await turn()
    expect(router.stats().registrations).toBe(2)
    caller.says([CALL, 2, {}, `com.${last - 1}.procedure`])
    expect(heir.take()).toEqual([[INVOCATION, ID, ID, {}]])
  })

  test('its calls in flight, and calls that wait for it, are settled at once', async () => {
    const world = open({
      limits: { registrations: MANY, sessionBytes: 2 ** 30 },
      callQueue: [{ uri: 'com.busy', limit: 10 }],
    })
    const { router, join } = world
    const peer = join()
    for (let i = 0; i < MANY - 1; i++) peer.says([REGISTER, i + 1, {}, `com.${i}.procedure`])
    peer.says([REGISTER, MANY, { concurrency: 1 }, 'com.busy'])
    const caller = join()
    caller.says([CALL, 1, {}, 'com.busy'], [CALL, 2, {}, 'com.busy'], [CALL, 3, {}, 'com.7.procedure'])
    peer.take()
    peer.lose()
    expect(router.stats()).toMatchObject({ calls: 0, queued: 0 })
    expect(caller.take().map(([, , request, , error]) => [request, error])).toEqual(
      expect.arrayContaining([
        [1, 'wamp.error.canceled'],
        [2, 'wamp.error.no_such_procedure'],
        [3, 'wamp.error.canceled'],
      ]),
    )
    while (router.stats().sessions > 1) await turn()
  })

  test('shares the turns with others that leave, and delays no small departure', async () => {
    const world = open()
    const { router, join } = world
    const many = Array.from({ length: 4 }, () => {
      const peer = join()
      for (let i = 0; i < 2000; i++) peer.says([SUBSCRIBE, i + 1, {}, `com.${peer.id}.${i}`])
      return peer
    })
    const small = join()
    small.says([SUBSCRIBE, 1, {}, 'com.small'])
    let removed = 0
    router.observe({ unsubscribed: () => void removed++ })
    slowly()
    for (const peer of many) peer.lose()
    small.lose()
    // As many as are removed at once, of each.
    expect(removed).toBe(4 * 1000 + 1)
    expect(router.stats().sessions).toBe(4)
    while (router.stats().sessions > 0) {
      const before = removed
      await turn()
      expect(removed - before).toBeLessThanOrEqual(2 * 50)
    }
    expect(removed).toBe(4 * 2000 + 1)
  })
})
