/** The limits per session, slow readers, and payloads that the receiver's serializer cannot represent. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { CALL, ERROR, EVENT, HELLO, INVOCATION, PUBLISH, REGISTER, RESULT, SUBSCRIBE, YIELD } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { aborts, ask, dropped, ID, open, ROLES, TEXT, violates } from './support.ts'

afterEach(() => vi.useRealTimers())

const exceeded = (type: number, request: number, limit: RegExp): unknown[][] => [
  [ERROR, type, request, {}, 'wampy.error.limit_exceeded', [expect.stringMatching(limit)]],
]

describe('limits', () => {
  test('of subscriptions: one more is refused, a repeated one is not, and unsubscribing makes room', () => {
    const peer = open({ limits: { subscriptions: 2 } }).join()
    const [, [, , id] = []] = peer.says([SUBSCRIBE, 1, {}, 'a'], [SUBSCRIBE, 2, {}, 'b'])
    expect(peer.says([SUBSCRIBE, 3, {}, 'c'])).toEqual(exceeded(SUBSCRIBE, 3, /2 subscriptions/))
    expect(peer.says([SUBSCRIBE, 4, {}, 'b'])).toEqual([[33, 4, id]])
    peer.says([34, 5, id])
    expect(peer.says([SUBSCRIBE, 6, {}, 'c'])).toEqual([[33, 6, ID]])
  })

  test('of registrations', () => {
    const peer = open({ limits: { registrations: 1 } }).join()
    peer.says([REGISTER, 1, {}, 'a'])
    expect(peer.says([REGISTER, 2, {}, 'b'])).toEqual(exceeded(REGISTER, 2, /1 registrations/))
  })

  test('of pending calls, in which an answer makes room', () => {
    const { join } = open({ limits: { calls: 2 } })
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, {}, 'a'])
    caller.says([CALL, 1, {}, 'a'], [CALL, 2, {}, 'a'])
    expect(caller.says([CALL, 3, {}, 'a'])).toEqual(exceeded(CALL, 3, /2 unanswered calls/))
    callee.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([[RESULT, 1, {}]])
    expect(caller.says([CALL, 4, {}, 'a'])).toEqual([])
  })

  test('of the length of a URI', () => {
    const peer = open({ limits: { uriLength: 10 } }).join()
    expect(peer.says([SUBSCRIBE, 1, {}, 'a'.repeat(10)])).toEqual([[33, 1, ID]])
    const long = 'a'.repeat(11)
    const tooLong = (type: number, request: number): unknown[][] => [
      [ERROR, type, request, {}, 'wamp.error.invalid_uri', [expect.stringMatching(/has 11 characters.*at most 10/)]],
    ]
    expect(peer.says([SUBSCRIBE, 2, {}, long])).toEqual(tooLong(SUBSCRIBE, 2))
    expect(peer.says([SUBSCRIBE, 2, { match: 'prefix' }, long])).toEqual(tooLong(SUBSCRIBE, 2))
    expect(peer.says([REGISTER, 3, {}, long])).toEqual(tooLong(REGISTER, 3))
    expect(peer.says([CALL, 4, {}, long])).toEqual(tooLong(CALL, 4))
    expect(peer.says([PUBLISH, 5, { acknowledge: true }, long])).toEqual(tooLong(PUBLISH, 5))
  })

  test('of the length of a URI that a callee or another message names', () => {
    const world = open({ limits: { uriLength: 30 } })
    const [callee, caller] = [world.join(), world.join()]
    const long = 'a'.repeat(31)
    callee.says([REGISTER, 1, {}, 'a'])
    caller.says([CALL, 1, {}, 'a'])
    callee.says([ERROR, INVOCATION, 1, {}, long])
    expect(caller.take()).toEqual([[ERROR, CALL, 1, {}, 'wamp.error.invalid_uri', [TEXT]]])
    expect(ask(caller, 'wamp.session.add_testament', [long, [], {}])[1]).toBe('wamp.error.invalid_uri')
    expect(ask(caller, 'wamp.session.kill', [callee.id], { reason: long })[1]).toBe('wamp.error.invalid_uri')
    expect(ask(caller, 'wamp.session.kill', [callee.id], { message: long })[1]).toBe('wamp.error.invalid_argument')
    const options = { publish_options: { eligible_authid: [long] } }
    expect(ask(caller, 'wamp.session.add_testament', ['a', [], {}], options)[1]).toBe('wamp.error.invalid_argument')
    expect(world.connect().says([HELLO, long, { roles: ROLES }])).toEqual(aborts('wamp.error.invalid_uri', /realm/))
  })

  test.each([
    [PUBLISH, { eligible_authrole: ['a', 'b'.repeat(31)] }],
    [PUBLISH, { ppt_scheme: 'x'.repeat(31) }],
    [CALL, { rkey: 'x'.repeat(31) }],
  ])('of the length of texts in the options of message %i', (code, options) => {
    const peer = open({ limits: { uriLength: 30 } }).join()
    expect(peer.says([code, 1, options, 'a'])).toEqual(violates(/texts of at most 30 characters/))
  })

  test('of the texts in HELLO, of which only the known ones count', () => {
    const world = open({ limits: { uriLength: 30 } })
    const long = 'x'.repeat(31)
    expect(world.connect().says([HELLO, 'realm1', { roles: ROLES, agent: long }])).toEqual(violates(/HELLO.2..agent/))
    expect(
      world.join({}, { x_custom: long, roles: { ...ROLES, [long]: {}, caller: { features: { [long]: true } } } }).id,
    ).toBeGreaterThan(0)
  })

  test('of the wildcard shapes with one number of components, per realm', () => {
    const { join } = open({ limits: { wildcardShapes: 1 } })
    const [one, two] = [join(), join()]
    for (const code of [REGISTER, SUBSCRIBE]) {
      one.says([code, 1, { match: 'wildcard' }, 'a.'], [code, 2, { match: 'wildcard' }, 'b.'])
      expect(two.says([code, 3, { match: 'wildcard' }, '.a'])).toEqual(exceeded(code, 3, /wildcard shapes .*limit 1/))
      expect(two.says([code, 4, { match: 'wildcard' }, 'c.'])).toEqual([[code + 1, 4, ID]])
      expect(two.says([code, 5, { match: 'wildcard' }, 'x..'])).toEqual([[code + 1, 5, ID]])
    }
  })

  test('apply per session, not per realm', () => {
    const { join } = open({ limits: { subscriptions: 1 } })
    join().says([SUBSCRIBE, 1, {}, 'a'])
    expect(join().says([SUBSCRIBE, 1, {}, 'b'])).toEqual([[33, 1, ID]])
  })
})

describe('a subscriber that does not read', () => {
  test('loses the events above the limit, counted, and no other subscriber does', () => {
    const { join, router } = open({ limits: { backlog: 1000 } })
    const [slow, quick, publisher] = [join(), join(), join()]
    slow.says([SUBSCRIBE, 1, {}, 'a'])
    quick.says([SUBSCRIBE, 1, {}, 'a'])
    slow.backlog = 1000
    publisher.says([PUBLISH, 1, {}, 'a', [1]])
    slow.backlog = 1001
    publisher.says([PUBLISH, 2, {}, 'a', [2]])
    slow.backlog = 0
    publisher.says([PUBLISH, 3, {}, 'a', [3]])
    const payloads = (messages: unknown[][]): unknown[] => messages.map(([, , , , args]) => args)
    expect(payloads(quick.take())).toEqual([[1], [2], [3]])
    expect(payloads(slow.take())).toEqual([[1], [3]])
    expect(router.stats().dropped.slow).toBe(1)
  })

  test('keeps its session, however many events it loses, and receives answers', () => {
    const { join, router } = open({ limits: { backlog: 1000 } })
    const [slow, publisher] = [join(), join()]
    slow.says([SUBSCRIBE, 1, {}, 'a'])
    slow.backlog = 2000
    for (let i = 1; i <= 100; i++) publisher.says([PUBLISH, i, {}, 'a'])
    expect(router.stats().dropped).toMatchObject({ slow: 100, sessions: 0 })
    expect(slow.says([CALL, 2, {}, 'x'])).toEqual([[ERROR, CALL, 2, {}, 'wamp.error.no_such_procedure', [TEXT]]])
  })
})

describe('a session twice as far behind as the limit', () => {
  test('is ended when the router has an answer for it', async () => {
    const { join, router } = open({ limits: { backlog: 1000 } })
    const peer = join()
    peer.backlog = 2001
    expect(peer.says([SUBSCRIBE, 1, {}, 'a'], [SUBSCRIBE, 2, {}, 'b'])).toEqual([])
    await dropped()
    expect(peer.end).toBe('terminated')
    expect(router.stats()).toMatchObject({ sessions: 0, subscriptions: 0, dropped: { sessions: 1 } })
  })

  test('as callee: its callers receive an error', async () => {
    const { join, router } = open({ limits: { backlog: 1000 } })
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, {}, 'a'])
    caller.says([CALL, 1, {}, 'a'])
    callee.backlog = 2001
    caller.says([CALL, 2, {}, 'a'])
    await dropped()
    expect(caller.take()).toEqual([
      [ERROR, CALL, 1, {}, 'wamp.error.canceled', [TEXT]],
      [ERROR, CALL, 2, {}, 'wamp.error.canceled', [TEXT]],
    ])
    expect(callee.end).toBe('terminated')
    expect(router.stats()).toMatchObject({ sessions: 1, registrations: 0, calls: 0, dropped: { sessions: 1 } })
  })

  test('as caller: the callee keeps its session', async () => {
    const { join, router } = open({ limits: { backlog: 1000 } })
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, {}, 'a'])
    caller.says([CALL, 1, {}, 'a'], [CALL, 2, {}, 'a'])
    callee.take()
    caller.backlog = 2001
    expect(callee.says([YIELD, 1, {}], [YIELD, 2, {}])).toEqual([])
    await dropped()
    expect(caller.end).toBe('terminated')
    expect(callee.end).toBeUndefined()
    expect(router.stats()).toMatchObject({ sessions: 1, calls: 0, dropped: { late: 0, sessions: 1 } })
  })
})

describe('a session that is behind', () => {
  function lagging(backlog: number) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { join, router } = open({ limits: { backlog: 1000, stalled: 500 } })
    const [slow, publisher] = [join(), join()]
    slow.says([SUBSCRIBE, 1, {}, 'a'])
    slow.backlog = backlog
    let request = 0
    const publish = () => publisher.says([PUBLISH, ++request, {}, 'a'])
    publish()
    return { slow, publish, router }
  }

  test('and reads nothing is ended after the limit, although it keeps sending', () => {
    const { slow, publish, router } = lagging(1500)
    for (let passed = 0; passed < 499; passed++) {
      vi.advanceTimersByTime(1)
      slow.says([PUBLISH, passed + 1, {}, 'b'])
      publish()
    }
    expect(slow.end).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(slow.end).toBe('terminated')
    expect(router.stats()).toMatchObject({ sessions: 1, subscriptions: 0, dropped: { sessions: 1 } })
  })

  test('keeps its session as long as its backlog becomes shorter', () => {
    const { slow, publish, router } = lagging(1900)
    for (const backlog of [1800, 1700, 1600]) {
      slow.backlog = backlog
      publish()
      vi.advanceTimersByTime(500)
      expect(slow.end).toBeUndefined()
    }
    vi.advanceTimersByTime(500)
    expect(slow.end).toBe('terminated')
    expect(router.stats().dropped.sessions).toBe(1)
  })

  test('keeps its session if it has caught up, and is measured anew when it is behind again', () => {
    const { slow, publish } = lagging(1500)
    slow.backlog = 1000
    vi.advanceTimersByTime(500)
    slow.backlog = 1500
    vi.advanceTimersByTime(500)
    expect(slow.end).toBeUndefined()
    publish()
    vi.advanceTimersByTime(499)
    expect(slow.end).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(slow.end).toBe('terminated')
  })

  test('has no timer left when it has gone', () => {
    const { slow } = lagging(1500)
    expect(vi.getTimerCount()).toBe(1)
    slow.lose()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('an event for many subscribers', () => {
  test('is encoded once for each kind of link', () => {
    const { join } = open()
    const texts = [join({ prepares: true }), join({ prepares: true }), join({ prepares: true })]
    const binaries = [join({ prepares: true, serializer: cbor }), join({ prepares: true, serializer: cbor })]
    const plain = join()
    const all = [...texts, ...binaries, plain]
    for (const peer of all) peer.says([SUBSCRIBE, 1, {}, 'a'])
    const publisher = join()
    publisher.says([PUBLISH, 1, {}, 'a', ['x'], { y: 1 }])
    for (const peer of all) expect(peer.take()).toEqual([[EVENT, ID, ID, {}, ['x'], { y: 1 }]])
    const total = (peers: typeof all, key: 'prepared' | 'written'): number =>
      peers.reduce((n, peer) => n + peer[key], 0)
    expect([total(texts, 'prepared'), total(texts, 'written')]).toEqual([1, 3])
    expect([total(binaries, 'prepared'), total(binaries, 'written')]).toEqual([1, 2])
    expect(total([plain], 'written')).toBe(0)
  })

  test('is not sent to its publisher, on prepared links either', () => {
    const { join } = open()
    const peers = [join({ prepares: true }), join({ prepares: true }), join({ prepares: true })] as const
    for (const peer of peers) peer.says([SUBSCRIBE, 1, {}, 'a'])
    expect(peers[0].says([PUBLISH, 2, {}, 'a'])).toEqual([])
    expect(peers[1].take()).toHaveLength(1)
    expect(peers[2].take()).toHaveLength(1)
  })
})

// CBOR can represent NaN, JSON cannot.
const nan = (...head: unknown[]): Uint8Array =>
  cbor.encode([...head, { args: [Number.NaN], kwargs: undefined }] as unknown as Message) as Uint8Array

describe("a payload that the receiver's serializer cannot represent", () => {
  test('in a call: the caller receives an error, the callee nothing, and its invocation ids have no gap', () => {
    const { join, router } = open()
    const [callee, caller] = [join(), join({ serializer: cbor })]
    callee.says([REGISTER, 1, {}, 'a'])
    expect(caller.says(nan(CALL, 1, {}, 'a'))).toEqual([
      [ERROR, CALL, 1, {}, 'wamp.error.invalid_argument', [expect.stringContaining('args[0]')]],
    ])
    expect(callee.take()).toEqual([])
    expect(router.stats().calls).toBe(0)
    caller.says([CALL, 2, {}, 'a'])
    expect(callee.says([YIELD, 1, {}])).toEqual([[INVOCATION, 1, ID, {}]])
    expect(caller.take()).toEqual([[RESULT, 2, {}]])
  })

  test.each([
    ['result', nan(YIELD, 1, {})],
    ['error', nan(ERROR, INVOCATION, 1, {}, 'com.error')],
  ])('in a %s: the caller receives an error', (_, answer) => {
    const { join, router } = open()
    const [callee, caller] = [join({ serializer: cbor }), join()]
    callee.says([REGISTER, 1, {}, 'a'])
    caller.says([CALL, 1, {}, 'a'])
    callee.take()
    expect(callee.says(answer)).toEqual([])
    expect(caller.take()).toEqual([
      [ERROR, CALL, 1, {}, 'wamp.error.invalid_argument', [expect.stringContaining('args[0]')]],
    ])
    expect(router.stats()).toMatchObject({ sessions: 2, calls: 0 })
  })

  test.each([false, true])(
    'in an event: the other subscribers receive it, the omitted ones are counted (prepared: %s)',
    (prepares) => {
      const { join, router } = open()
      const jsons = [join({ prepares }), join({ prepares })]
      const cbors = [join({ prepares, serializer: cbor }), join({ prepares, serializer: cbor })]
      for (const peer of [...jsons, ...cbors]) peer.says([SUBSCRIBE, 1, {}, 'a'])
      const publisher = join({ serializer: cbor })
      expect(publisher.says(nan(PUBLISH, 1, { acknowledge: true }, 'a'))).toEqual([[17, 1, ID]])
      for (const peer of cbors) expect(peer.take()).toEqual([[EVENT, ID, ID, {}, [Number.NaN]]])
      for (const peer of jsons) expect(peer.take()).toEqual([])
      expect(router.stats()).toMatchObject({ sessions: 5, dropped: { unsendable: 2 } })
    },
  )
})

test('bytes travel from CBOR to JSON and back', () => {
  const { join } = open()
  const [json, binary] = [join(), join({ serializer: cbor })]
  json.says([SUBSCRIBE, 1, {}, 'to.json'])
  binary.says([SUBSCRIBE, 1, {}, 'to.cbor'])
  const bytes = cbor.encode([PUBLISH, 2, {}, 'to.json', { args: [new Uint8Array([1, 2])], kwargs: undefined }])
  binary.says(bytes)
  expect(json.take()).toEqual([[EVENT, ID, ID, {}, ['\0AQI=']]])
  json.says([PUBLISH, 2, {}, 'to.cbor', ['\0AQI=']])
  expect(binary.take()).toEqual([[EVENT, ID, ID, {}, [new Uint8Array([1, 2])]]])
})
