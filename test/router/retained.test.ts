/** Retained events: the last event of a topic reaches later subscribers, except those that its lists exclude. */

import { describe, expect, test } from 'vitest'
import { ERROR, EVENT, HELLO, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE } from 'wampy-ts/testing'
import type { WireEventDetails } from '../../src/protocol/options.ts'
import { payload } from '../../src/protocol/payload.ts'
import { Ledger } from '../../src/router/member/ledger.ts'
import { LIMITS } from '../../src/router/member/limits.ts'
import type { Member } from '../../src/router/member/member.ts'
import { RetainedEvents } from '../../src/router/pubsub/retained.ts'
import type { RouterOptions } from '../../src/router/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { dropped, ID, open, type Peer, ROLES, subscribe, TEXT, WAYS, type World } from './support.ts'

const RETAIN = { retain: true }
const GET = { get_retained: true }

/** Subscribes, and returns the messages behind SUBSCRIBED. */
function recall(peer: Peer, topic: string, options: object = {}): unknown[][] {
  const [subscribed, ...events] = peer.says([SUBSCRIBE, 1, { ...GET, ...options }, topic])
  expect(subscribed).toEqual([SUBSCRIBED, 1, ID])
  for (const event of events) expect(event.slice(0, 2)).toEqual([EVENT, subscribed?.[2]])
  return events
}

function retaining(options: RouterOptions = {}): { publisher: Peer } & World {
  const world = open(options)
  return { ...world, publisher: world.join() }
}

test('the last event follows SUBSCRIBED, as published and marked as retained', () => {
  const { publisher, join, router } = retaining()
  publisher.says([PUBLISH, 1, RETAIN, 'com.topic', ['old']])
  const [[, , publication] = []] = publisher.says([
    PUBLISH,
    2,
    { ...RETAIN, acknowledge: true },
    'com.topic',
    ['new'],
    { a: 1 },
  ])
  publisher.says([PUBLISH, 3, {}, 'com.topic', ['not retained']])
  expect(recall(join(), 'com.topic')).toEqual([[EVENT, ID, publication, { retained: true }, ['new'], { a: 1 }]])
  expect(router.stats().retained).toBe(1)
})

test('current subscribers receive it like any other event', () => {
  const { publisher, join } = retaining()
  const peer = join()
  subscribe(peer, 'com.topic', GET)
  publisher.says([PUBLISH, 1, RETAIN, 'com.topic', [1]])
  expect(peer.take()).toEqual([[EVENT, ID, ID, {}, [1]]])
})

test.each([[[]], [[[]]], [[[], {}]], [[['x'], { b: [1.5] }]]])('payload %j is kept unchanged', (data) => {
  const { publisher, join } = retaining()
  publisher.says([PUBLISH, 1, RETAIN, 'com.topic', ...data])
  expect(recall(join(), 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ...data]])
})

test('only a subscriber with get_retained receives it', () => {
  const { publisher, join } = retaining()
  publisher.says([PUBLISH, 1, RETAIN, 'com.topic'])
  expect(recall(join(), 'com.topic', { get_retained: false })).toEqual([])
  subscribe(join(), 'com.topic')
  expect(recall(join(), 'com.other')).toEqual([])
})

test('a current subscriber may request it again', () => {
  const { publisher, join } = retaining()
  const peer = join()
  const id = subscribe(peer, 'com.topic')
  publisher.says([PUBLISH, 1, RETAIN, 'com.topic', [1]])
  peer.take()
  expect(peer.says([SUBSCRIBE, 2, GET, 'com.topic'])).toEqual([
    [SUBSCRIBED, 2, id],
    [EVENT, id, ID, { retained: true }, [1]],
  ])
})

test('it outlives its publisher and its subscribers, and can be received any number of times', () => {
  const { publisher, join, router } = retaining()
  publisher.says([PUBLISH, 1, RETAIN, 'com.topic', [1]])
  publisher.lose()
  for (let i = 0; i < 3; i++) {
    const peer = join()
    expect(recall(peer, 'com.topic')).toHaveLength(1)
    peer.lose()
  }
  expect(router.stats()).toMatchObject({ sessions: 0, subscriptions: 0, retained: 1 })
})

test('a publication that is refused is not retained', () => {
  const { publisher, join, router } = retaining({ disclose: 'never' })
  expect(publisher.says([PUBLISH, 1, { ...RETAIN, acknowledge: true }, 'wamp.session.on_join'])).toEqual([
    [ERROR, PUBLISH, 1, {}, 'wamp.error.invalid_uri', [TEXT]],
  ])
  publisher.says([PUBLISH, 2, { ...RETAIN, disclose_me: true }, 'com.topic'])
  expect(recall(join(), 'com.topic')).toEqual([])
  expect(router.stats().retained).toBe(0)
})

test('the details of its publisher are kept', () => {
  const { join } = retaining({ trustlevel: () => 2 })
  const publisher = join({}, { roles: { ...ROLES, publisher: { features: { payload_passthru_mode: true } } } })
  const options = { ...RETAIN, disclose_me: true, ppt_scheme: 'x_own', ppt_keyid: 'k' }
  publisher.says([PUBLISH, 1, options, 'com.topic', ['\u0000AAEC']])
  publisher.lose()
  const details = {
    retained: true,
    trustlevel: 2,
    ppt_scheme: 'x_own',
    ppt_keyid: 'k',
    publisher: publisher.id,
    publisher_authid: publisher.authid,
    publisher_authrole: 'anonymous',
  }
  expect(recall(join(), 'com.topic')).toEqual([[EVENT, ID, ID, details, ['\u0000AAEC']]])
})

describe('for pattern subscriptions', () => {
  test('each matching topic sends its event, with the topic', () => {
    const { publisher, join } = retaining()
    for (const topic of ['com.a', 'com.b', 'com.b.c', 'org.a']) publisher.says([PUBLISH, 1, RETAIN, topic, [topic]])
    const events = (topics: string[]): unknown[] =>
      topics.map((topic) => [EVENT, ID, ID, { retained: true, topic }, [topic]])
    expect(recall(join(), 'com.', { match: 'prefix' })).toEqual(events(['com.a', 'com.b', 'com.b.c']))
    expect(recall(join(), 'com.b', { match: 'prefix' })).toEqual(events(['com.b', 'com.b.c']))
    expect(recall(join(), '.a', { match: 'wildcard' })).toEqual(events(['com.a', 'org.a']))
    expect(recall(join(), 'com..', { match: 'wildcard' })).toEqual(events(['com.b.c']))
    expect(
      recall(join(), '', { match: 'prefix' }).filter(([, , , details]) => (details as WireEventDetails).retained),
    ).toHaveLength(4)
    expect(recall(join(), '', { match: 'wildcard' })).toEqual([])
  })

  test('events that this session was excluded from are not sent', () => {
    const { publisher, join } = retaining()
    publisher.says([PUBLISH, 1, { ...RETAIN, eligible_authid: ['somebody'] }, 'com.a', ['secret']])
    publisher.says([PUBLISH, 2, RETAIN, 'com.b', ['open']])
    expect(recall(join(), 'com.', { match: 'prefix' })).toEqual([
      [EVENT, ID, ID, { retained: true, topic: 'com.b' }, ['open']],
    ])
  })
})

describe('a subscriber does not receive an event that its session was excluded from', () => {
  test.each([
    { eligible_authid: ['somebody'] },
    { eligible_authid: [] },
    { eligible_authrole: ['admin'] },
    { exclude_authrole: ['anonymous'] },
    { eligible_authrole: ['anonymous'], exclude_authrole: ['anonymous'] },
  ])('%j: it receives the last event for everyone instead, if there is one', (lists) => {
    const { publisher, join } = retaining()
    publisher.says([PUBLISH, 1, { ...RETAIN, ...lists }, 'com.topic', ['secret']])
    expect(recall(join(), 'com.topic')).toEqual([])
    publisher.says([PUBLISH, 2, RETAIN, 'com.topic', ['open']])
    publisher.says([PUBLISH, 3, { ...RETAIN, ...lists }, 'com.topic', ['secret again']])
    expect(recall(join(), 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['open']]])
  })

  test('an eligible session receives the newest of both', () => {
    const { publisher, join } = retaining()
    const friend = join()
    publisher.says([PUBLISH, 1, RETAIN, 'com.topic', ['open']])
    publisher.says([PUBLISH, 2, { ...RETAIN, eligible_authid: [friend.authid] }, 'com.topic', ['for you']])
    expect(recall(friend, 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['for you']]])
    expect(recall(join(), 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['open']]])
    publisher.says([PUBLISH, 3, RETAIN, 'com.topic', ['newer']])
    friend.take()
    expect(recall(friend, 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['newer']]])
  })

  test.each([{ exclude: [1] }, { exclude: [] }, { eligible: [1] }])(
    '%j lists sessions: the event is not kept',
    (lists) => {
      const { publisher, join, router } = retaining()
      publisher.says([PUBLISH, 1, RETAIN, 'com.topic', ['open']])
      publisher.says([PUBLISH, 2, { ...RETAIN, ...lists }, 'com.topic', ['private']])
      expect(recall(join(), 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['open']]])
      expect(router.stats().retained).toBe(1)
    },
  )

  test('a publisher receives its own event only if it was published with exclude_me: false', () => {
    const { publisher, join } = retaining()
    publisher.says([PUBLISH, 1, RETAIN, 'com.topic', [1]])
    publisher.says([PUBLISH, 2, { ...RETAIN, exclude_me: false }, 'com.other', [2]])
    expect(recall(publisher, 'com.topic')).toEqual([])
    expect(recall(publisher, 'com.other')).toEqual([[EVENT, ID, ID, { retained: true }, [2]]])
    expect(recall(join(), 'com.topic')).toHaveLength(1)
  })

  test('a publisher receives the last open event instead of its own restricted one', () => {
    const { publisher, join } = retaining()
    join().says([PUBLISH, 1, RETAIN, 'com.topic', ['open']])
    publisher.says([PUBLISH, 1, { ...RETAIN, eligible_authrole: ['anonymous'] }, 'com.topic', ['restricted']])
    expect(recall(publisher, 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['open']]])
    expect(recall(join(), 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['restricted']]])
  })
})

describe('the store is bounded', () => {
  test('in topics: the topic that was silent longest is discarded', () => {
    const { publisher, join, router } = retaining({ limits: { retained: 3 } })
    for (const topic of ['a', 'b', 'c', 'a', 'd']) publisher.says([PUBLISH, 1, RETAIN, `com.${topic}`])
    expect(router.stats().retained).toBe(3)
    const topics = recall(join(), 'com.', { match: 'prefix' }).map(
      ([, , , details]) => (details as WireEventDetails).topic,
    )
    expect(topics).toEqual(['com.c', 'com.a', 'com.d'])
  })

  test('in bytes: an event that is too large is refused, and the one before it stays', () => {
    const { publisher, join, router } = retaining({ limits: { retainedBytes: 5000 } })
    publisher.says([PUBLISH, 1, RETAIN, 'com.a', ['x']], [PUBLISH, 2, RETAIN, 'com.b', ['x']])
    expect(publisher.says([PUBLISH, 3, { ...RETAIN, acknowledge: true }, 'com.a', ['x'.repeat(5000)]])).toEqual([
      [ERROR, PUBLISH, 3, {}, 'wampy.error.limit_exceeded', [expect.stringMatching(/at most 5000 bytes/)]],
    ])
    publisher.says([PUBLISH, 4, RETAIN, 'com.a', ['x'.repeat(5000)]])
    expect(router.stats().dropped.publications).toBe(1)
    expect(recall(join(), 'com.a')).toHaveLength(1)
    publisher.says([PUBLISH, 5, RETAIN, 'com.c', ['x'.repeat(4600)]])
    expect(recall(join(), 'com.b')).toEqual([])
    expect(recall(join(), 'com.c')).toHaveLength(1)
    expect(router.stats().retained).toBe(1)
  })

  test('and the count of bytes stays right, whatever is added and removed', () => {
    const store = new RetainedEvents({ retained: 5, retainedBytes: 10_000 }, new Ledger(LIMITS.memory), () => {})
    let seed = 7
    const random = (below: number): number => {
      seed = (seed * 48271) % 2147483647
      return seed % below
    }
    for (let i = 0; i < 2000; i++) {
      const data = random(5)
        ? payload(['x'.repeat(random(3000)), [1, { deep: new Uint8Array(random(100)) }]])
        : undefined
      const options = random(3) ? {} : { eligible_authid: ['a'] }
      store.keep({ topic: `t${random(8)}`, publication: i + 1, details: {}, payload: data }, options, 1)
      expect(store.size).toBeLessThanOrEqual(5)
    }
    // Ten thousand bytes hold an event of nine thousand only if the count is right.
    store.keep({ topic: 'last', publication: 1, details: {}, payload: payload(['x'.repeat(9000)]) }, {}, 1)
    expect([...store.of('last', 'exact', { id: 2 } as Member)]).toHaveLength(1)
    expect(store.size).toBe(1)
  })
})

describe('a kept event does not keep a network chunk alive', () => {
  test.each(['a view of much more', 'a Buffer of the pool'])('%s is copied', (how) => {
    const { join } = retaining()
    const publisher = join({ serializer: cbor })
    const frame = cbor.encode([PUBLISH, 1, RETAIN, 'com.topic', payload(['hello'], { n: 2n ** 60n })]) as Uint8Array
    const chunk = new Uint8Array(100_000)
    chunk.set(frame, 50_000)
    publisher.says(
      how.startsWith('a Buffer')
        ? Buffer.from(chunk.buffer, 50_000, frame.length)
        : chunk.subarray(50_000, 50_000 + frame.length),
    )
    chunk.fill(0)
    const reader = join({ serializer: cbor })
    expect(recall(reader, 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['hello'], { n: 2n ** 60n }]])
    const text = join()
    expect(recall(text, 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, ['hello'], { n: 2 ** 60 }]])
  })
})

test('an event that arrived as text is decoded exactly for a binary subscriber, each time', () => {
  const { publisher, join } = retaining()
  publisher.says('[16,1,{"retain":true},"com.topic",[1152921504606846977,"\\u0000AAEC"],{"a":[1.5]}]')
  const event = [EVENT, ID, ID, { retained: true }, [1152921504606846977n, new Uint8Array([0, 1, 2])], { a: [1.5] }]
  for (let i = 0; i < 2; i++) expect(recall(join({ serializer: cbor }), 'com.topic')).toEqual([event])
  const texts: unknown[] = []
  const reader = join()
  reader.send = (frame) => texts.push(frame)
  recall(join(), 'com.topic')
  reader.says([SUBSCRIBE, 1, GET, 'com.topic'])
  expect(texts[1]).toMatch(/\[1152921504606846977,"\\u0000AAEC"\],\{"a":\[1.5\]\}\]$/)
})

test('an event from a client in the same process is kept as a copy', async () => {
  const { router, join } = retaining()
  const link = await router.connect()
  const heard: unknown[] = []
  link.open({ message: (message) => heard.push(message), failed: () => {}, closed: () => {} })
  link.send([HELLO, 'realm1', { roles: ROLES }])
  const value = { list: [1, 2n ** 60n] }
  link.send([PUBLISH, 1, { retain: true, acknowledge: true }, 'com.topic', payload([value])])
  value.list.push(3)
  await expect.poll(() => heard.length).toBe(2)
  expect(recall(join(), 'com.topic')).toEqual([[EVENT, ID, ID, { retained: true }, [{ list: [1, 2 ** 60] }]]])
  link.close()
  await expect.poll(() => router.stats().sessions).toBe(2)
})

describe('races', () => {
  test('a subscriber that is too far behind does not receive it, counted, and keeps its session', () => {
    const { publisher, join, router } = retaining({ limits: { backlog: 1000 } })
    publisher.says([PUBLISH, 1, RETAIN, 'com.topic'])
    const peer = join()
    peer.backlog = 1500
    expect(recall(peer, 'com.topic')).toEqual([])
    expect(router.stats().dropped.slow).toBe(1)
  })

  test('a subscriber that turns out to be gone when it is answered leaves nothing behind', async () => {
    const { publisher, join, router } = retaining({ limits: { backlog: 1000 } })
    publisher.says([PUBLISH, 1, RETAIN, 'com.topic'])
    const peer = join()
    peer.backlog = 2001
    expect(peer.says([SUBSCRIBE, 1, GET, 'com.topic'])).toEqual([])
    await dropped()
    expect(peer.end).toBe('terminated')
    expect(router.stats()).toMatchObject({ sessions: 1, subscriptions: 0 })
  })

  test("a payload that one subscriber's serializer cannot represent is counted, and the others receive it", () => {
    const { publisher, join, router } = retaining()
    publisher.says('[16,1,{"retain":true},"com.big",[123456789012345678901234567890]]')
    publisher.says([PUBLISH, 2, RETAIN, 'com.small', [1]])
    expect(recall(join({ serializer: msgpack }), 'com.', { match: 'prefix' })).toEqual([
      [EVENT, ID, ID, { retained: true, topic: 'com.small' }, [1]],
    ])
    expect(router.stats().dropped.unsendable).toBe(1)
  })

  test.each(Object.entries(WAYS))('a subscriber leaves by %s right after subscribing', (_, go) => {
    const { publisher, join, router } = retaining()
    publisher.says([PUBLISH, 1, RETAIN, 'com.topic'])
    const peer = join()
    expect(recall(peer, 'com.topic')).toHaveLength(1)
    go(peer)
    expect(router.stats()).toMatchObject({ subscriptions: 0, retained: 1 })
  })

  test('UNSUBSCRIBE right behind SUBSCRIBE: the retained event is sent between the answers', () => {
    const { publisher, join } = retaining()
    publisher.says([PUBLISH, 1, RETAIN, 'com.topic'])
    const peer = join()
    const id = subscribe(peer, 'com.topic')
    expect(peer.says([SUBSCRIBE, 2, GET, 'com.topic'], [UNSUBSCRIBE, 3, id]).map(([code]) => code)).toEqual([
      33, 36, 35,
    ])
  })
})

test('a retained publication is acknowledged like any other', () => {
  const { publisher } = retaining()
  expect(publisher.says([PUBLISH, 1, { ...RETAIN, acknowledge: true }, 'com.topic'])).toEqual([[PUBLISHED, 1, ID]])
})

describe('an event that a serializer of the router cannot carry', () => {
  // CBOR and MessagePack refuse this key, JSON passes it on.
  const frame = (request: number, options: object): string =>
    `[16,${request},${JSON.stringify(options)},"com.topic",[{"__proto__":{"a":1}}]]`

  test('is refused if it is to be retained, though its publisher could send it', () => {
    const { publisher, join, router } = retaining()
    join({ serializer: cbor })
    const seen: unknown[] = []
    router.observe({ published: (event) => seen.push(event) })
    expect(publisher.says(frame(1, { ...RETAIN, acknowledge: true }))).toEqual([
      [ERROR, PUBLISH, 1, {}, 'wamp.error.invalid_argument', [expect.stringMatching(/cbor .*__proto__/)]],
    ])
    expect(router.stats().retained).toBe(0)
    expect(seen).toEqual([])
    expect(recall(join(), 'com.topic')).toEqual([])
  })

  test('is refused too if a server announced the serializer, and no link has used it yet', () => {
    const { publisher, router } = retaining()
    router.hosted({ serializers: [cbor] })
    expect(publisher.says(frame(1, { ...RETAIN, acknowledge: true }))[0]?.[0]).toBe(ERROR)
  })

  test('is delivered to those that can receive it if it is not retained', () => {
    const { publisher, join, router } = retaining()
    const [able, unable] = [join(), join({ serializer: cbor })]
    subscribe(able, 'com.topic')
    subscribe(unable, 'com.topic')
    expect(publisher.says(frame(1, { acknowledge: true }))[0]?.[0]).toBe(PUBLISHED)
    expect(able.take()).toHaveLength(1)
    expect(unable.take()).toEqual([])
    expect(router.stats().dropped.unsendable).toBe(1)
  })
})
