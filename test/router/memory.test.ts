/** The limits on bytes: of one session, and of all sessions and stores together. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CALL, ERROR, INVOCATION, PUBLISH, REGISTER, REGISTERED, SUBSCRIBE, SUBSCRIBED, YIELD } from 'wampy-ts/testing'
import type { DroppedEvent, LeftEvent } from '../../src/router/observe/events.ts'
import type { RouterOptions } from '../../src/router/router.ts'
import { able, register } from './rpc.ts'
import { aborts, ask, ID, NOTHING_KEPT, open, type Peer, TEXT, type World } from './support.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** The check runs in a later turn of the event loop. */
const checked = (): void => void vi.advanceTimersByTime(1)

const RETAIN = { acknowledge: true, retain: true }
const text = (size: number): string => 'x'.repeat(size)

/** A world whose router reports what it drops and who leaves. */
function observed(options: RouterOptions): World & { drops: DroppedEvent[]; ends: LeftEvent[] } {
  const world = open(options)
  const drops: DroppedEvent[] = []
  const ends: LeftEvent[] = []
  world.router.observe({ dropped: (event) => drops.push(event), left: (event) => ends.push(event) })
  return { ...world, drops, ends }
}

/** Lets a peer have a backlog that a write of the router finds. */
function lag(peer: Peer, backlog: number): void {
  peer.backlog = backlog
  peer.says([SUBSCRIBE, 9, {}, 'com.lag'])
}

describe('router.stats().bytes', () => {
  test('has the bytes of each kind, their sum and the limit', () => {
    const { router, join } = open({ limits: { memory: 10_000_000 } })
    expect(router.stats().bytes).toEqual({ ...NOTHING_KEPT, retained: 0, histories: 0, total: 0, limit: 10_000_000 })
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, {}, 'com.a'], [SUBSCRIBE, 2, {}, 'com.b'])
    caller.says([CALL, 1, {}, 'com.a'], [PUBLISH, 2, RETAIN, 'com.c', [text(1000)]])
    ask(caller, 'wamp.session.add_testament', ['com.d', [text(2000)], {}])
    lag(caller, 100_000)
    const { total, limit, ...kinds } = router.stats().bytes
    expect(total).toBe(Object.values(kinds).reduce((sum, bytes) => sum + bytes))
    expect(kinds).toMatchObject({ backlogs: 100_000, held: 0, queues: 0, histories: 0 })
    expect(kinds.retained).toBeGreaterThan(1000)
    expect(kinds.testaments).toBeGreaterThan(2000)
    for (const kind of ['sessions', 'calls', 'subscriptions', 'registrations'] as const) {
      expect(kinds[kind], kind).toBeGreaterThan(0)
    }
    expect(router.stats('realm1').bytes).toEqual(router.stats().bytes)
    // A backlog shrinks without a message.
    caller.backlog = 0
    expect(router.stats().bytes.backlogs).toBe(0)
  })

  test('counts held messages, queued calls and histories', async () => {
    let allow = (_: boolean): void => {}
    const { router, join } = open({
      history: [{ uri: 'com.h', limit: 10 }],
      callQueue: [{ uri: 'com.q', limit: 10 }],
      authorize: ({ uri }) => (uri === 'com.ask' ? new Promise((resolve) => (allow = resolve)) : true),
    })
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, { concurrency: 1 }, 'com.q'])
    caller.says([CALL, 1, {}, 'com.q'], [CALL, 2, {}, 'com.q', [text(3000)]], [PUBLISH, 3, {}, 'com.h', [text(1000)]])
    expect(router.stats().bytes.queues).toBeGreaterThan(3000)
    expect(router.stats().bytes.histories).toBeGreaterThan(1000)
    caller.says([PUBLISH, 4, {}, 'com.ask'], [PUBLISH, 5, {}, 'com.b', [text(2000)]])
    expect(router.stats().bytes.held).toBeGreaterThan(2000)
    allow(true)
    await vi.advanceTimersByTimeAsync(0)
    expect(router.stats().bytes.held).toBe(0)
    callee.says([YIELD, 1, {}])
    expect(router.stats().bytes.queues).toBe(0)
  })

  test('counts the message of a pending call that another callee could take, and only that', () => {
    const world = open()
    const [one, caller] = [able(world), able(world)]
    register(one, 'com.single')
    register(one, 'com.shared', { invoke: 'roundrobin' })
    caller.says([CALL, 1, {}, 'com.single', [text(50_000)]])
    const single = world.router.stats().bytes.calls
    expect(single).toBeLessThan(2000)
    caller.says([CALL, 2, {}, 'com.shared', [text(50_000)]])
    expect(world.router.stats().bytes.calls).toBeGreaterThan(50_000)
    // A progressive result: the callee has taken it.
    caller.says([CALL, 3, { receive_progress: true }, 'com.shared', [text(50_000)]])
    one.says([YIELD, 3, { progress: true }], [YIELD, 2, {}])
    expect(world.router.stats().bytes.calls).toBeLessThan(4000)
  })

  test('a subscription that its first subscriber leaves is still counted, until the last one has left', () => {
    const { router, join } = open()
    const [one, two] = [join(), join()]
    const uri = `com.${'a'.repeat(4000)}`
    one.says([SUBSCRIBE, 1, {}, uri])
    const [[, , id] = []] = two.says([SUBSCRIBE, 1, {}, uri])
    const both = router.stats().bytes.subscriptions
    one.lose()
    expect(router.stats().bytes.subscriptions).toBeGreaterThan(4000)
    expect(router.stats().bytes.subscriptions).toBeLessThan(both)
    two.says([34, 2, id])
    expect(router.stats().bytes.subscriptions).toBe(0)
  })
})

describe('above limits.memory', () => {
  test('only the session that costs the most is ended, counted and reported', () => {
    const world = observed({ limits: { memory: 1_000_000 } })
    const { router, join, drops, ends } = world
    const peers = [join(), join(), join()] as const
    lag(peers[0], 100_000)
    lag(peers[1], 600_000)
    lag(peers[2], 400_000)
    expect(router.stats().sessions).toBe(3)
    checked()
    expect(peers.map(({ end }) => end)).toEqual([undefined, 'terminated', undefined])
    expect(router.stats()).toMatchObject({ sessions: 2, dropped: { memory: 1, sessions: 0 } })
    expect(drops).toEqual([{ realm: 'realm1', reason: 'memory', session: peers[1].id, uri: undefined, count: 1 }])
    expect(ends).toEqual([
      expect.objectContaining({
        session: peers[1].id,
        by: 'router',
        reason: 'wampy.error.limit_exceeded',
        text: expect.stringMatching(/together may cost 1000000 bytes.*mostly backlogs/),
      }),
    ])
    expect(router.stats().bytes.total).toBeLessThan(1_000_000)
  })

  test('a session that reads receives the reason', () => {
    const { join, router } = open({ limits: { memory: 200_000 } })
    const [one, two] = [join(), join()]
    for (let i = 1; i < 100; i++) one.says([SUBSCRIBE, i, {}, `com.${i}.${'a'.repeat(1500)}`])
    checked()
    expect(one.take()).toEqual(aborts('wampy.error.limit_exceeded', /mostly subscriptions/))
    expect(one.end).toBe('closed')
    expect(two.says([SUBSCRIBE, 1, {}, 'com.a'])).toEqual([[SUBSCRIBED, 1, ID]])
    expect(router.stats().dropped.memory).toBe(1)
  })

  test('subscriptions that many sessions share are freed by ending those that made them, and no other session', () => {
    const { join, router } = open({ limits: { memory: 400_000 } })
    const honest = join()
    honest.says([SUBSCRIBE, 1, {}, 'com.a'])
    const many = Array.from({ length: 5 }, () => join())
    for (let i = 1; i < 100; i++) {
      for (const peer of many) peer.says([SUBSCRIBE, i, {}, `com.${i}.${'a'.repeat(4000)}`])
      checked()
    }
    expect(honest.end).toBeUndefined()
    expect(router.stats().bytes.total).toBeLessThan(450_000)
  })

  test('a backlog that is read in the same turn has no consequence', () => {
    const { join, router } = open({ limits: { memory: 1_000_000 } })
    const peer = join()
    lag(peer, 2_000_000)
    peer.backlog = 0
    checked()
    expect(peer.end).toBeUndefined()
    expect(router.stats().dropped.memory).toBe(0)
  })

  test('the oldest retained events are discarded if they cost the most', () => {
    const { join, router, drops } = observed({ limits: { memory: 1_000_000 } })
    const publisher = join()
    for (let i = 0; i < 11; i++) publisher.says([PUBLISH, i + 1, RETAIN, `com.${i}`, [text(100_000)]])
    checked()
    expect(drops.map(({ reason, uri }) => [reason, uri])).toEqual([
      ['memory', 'com.0'],
      ['memory', 'com.1'],
      ['memory', 'com.2'],
    ])
    expect(router.stats()).toMatchObject({ retained: 8, sessions: 1, dropped: { memory: 3 } })
  })

  test('the oldest events of a history are discarded if they cost the most', () => {
    const { join, router, drops } = observed({
      limits: { memory: 1_000_000 },
      history: [{ uri: 'com.h', limit: 100 }],
    })
    const publisher = join()
    for (let i = 0; i < 11; i++) publisher.says([PUBLISH, i + 1, {}, 'com.h', [text(100_000)]])
    checked()
    expect(router.stats()).toMatchObject({ history: 8, sessions: 1, dropped: { memory: 3, history: 0 } })
    expect(drops).toHaveLength(3)
  })

  test('the sessions of the owner are never ended', async () => {
    const { router, join } = open({ limits: { memory: 100_000 } })
    const link = await router.connect()
    const got: unknown[] = []
    link.open({ message: (message) => got.push(message), failed: () => {}, closed: () => {} })
    link.send([1, 'realm1', { roles: { subscriber: {} } }])
    for (let i = 1; i < 100; i++) link.send([SUBSCRIBE, i, {}, `com.${i}.${'a'.repeat(1500)}`])
    await vi.advanceTimersByTimeAsync(10)
    expect(got).toHaveLength(100)
    expect(join().end).toBeUndefined()
    link.close()
    await vi.advanceTimersByTimeAsync(10)
  })

  test('frames that several slow readers hold together are divided among them', () => {
    const { join, router } = open({ limits: { memory: 100_000_000 } })
    const publisher = join()
    const readers = Array.from({ length: 10 }, () => join({ prepares: true }))
    for (const reader of readers) reader.says([SUBSCRIBE, 1, {}, 'com.a'])
    for (const reader of readers) {
      const write = reader.write.bind(reader)
      reader.backlog = 20_000
      reader.write = (frame) => {
        reader.backlog += frame.length
        write(frame)
      }
    }
    for (let i = 0; i < 100; i++) publisher.says([PUBLISH, i + 2, {}, 'com.a', [text(10_000)]])
    // Ten readers have 1 MB each, and it is the same megabyte.
    expect(readers[0]?.backlog).toBeGreaterThan(1_000_000)
    expect(router.stats().bytes.backlogs).toBeGreaterThan(1_000_000)
    expect(router.stats().bytes.backlogs).toBeLessThan(2_000_000)
    expect(router.stats().dropped).toMatchObject({ slow: 0, memory: 0 })
    for (const reader of readers) expect(reader.take()).toHaveLength(100)
  })
})

describe('limits.sessionBytes', () => {
  test('refuses requests that would raise the cost of a session, and none of other sessions', () => {
    const { join } = open({ limits: { sessionBytes: 30_000 } })
    const [one, two] = [join(), join()]
    const exceeded = [expect.stringMatching(/a session may cost at most 30000 bytes/)]
    const long = 'a'.repeat(4000)
    const answers = Array.from({ length: 6 }, (_, i) => one.says([SUBSCRIBE, i + 1, {}, `${long}${i}`])[0])
    expect(answers.map((answer) => answer?.[0])).toEqual([SUBSCRIBED, SUBSCRIBED, ERROR, ERROR, ERROR, ERROR])
    expect(answers[5]).toEqual([ERROR, SUBSCRIBE, 6, {}, 'wampy.error.limit_exceeded', exceeded])
    expect(one.says([REGISTER, 7, {}, long])).toEqual([
      [ERROR, REGISTER, 7, {}, 'wampy.error.limit_exceeded', exceeded],
    ])
    expect(ask(one, 'wamp.session.add_testament', ['com.a', [text(20_000)], {}])).toEqual([
      ERROR,
      'wampy.error.limit_exceeded',
      exceeded,
    ])
    expect(two.says([REGISTER, 1, {}, long])).toEqual([[REGISTERED, 1, ID]])
    expect(one.says([CALL, 8, {}, long])).toEqual([[ERROR, CALL, 8, {}, 'wampy.error.limit_exceeded', [TEXT]]])
    expect(two.take()).toEqual([])
    // A smaller request still has room.
    two.says([REGISTER, 2, {}, 'b'])
    one.says([CALL, 9, {}, 'b'])
    expect(two.take()).toEqual([[INVOCATION, 1, ID, {}]])
  })
})
