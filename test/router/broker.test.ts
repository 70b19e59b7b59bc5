/** The Basic Profile of PubSub, message by message. */

import { describe, expect, test } from 'vitest'
import { ERROR, EVENT, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED } from 'wampy-ts/testing'
import { ID, open, type Peer, TEXT } from './support.ts'

function subscribe(peer: Peer, topic: string, request = 1): number {
  const [answer] = peer.says([SUBSCRIBE, request, {}, topic])
  expect(answer).toEqual([SUBSCRIBED, request, ID])
  return answer?.[2] as number
}

const refused = (type: number, request: number, uri: string, text = TEXT): unknown[][] => [
  [ERROR, type, request, {}, `wamp.error.${uri}`, [text]],
]

test('an event reaches every subscriber except the publisher, once, under one publication id', () => {
  const { join } = open()
  const [alice, bob, carol] = [join(), join(), join()]
  const id = subscribe(alice, 'com.topic')
  expect(subscribe(bob, 'com.topic')).toBe(id)
  expect(subscribe(carol, 'com.topic')).toBe(id)
  expect(carol.says([PUBLISH, 2, {}, 'com.topic', [1, 'two'], { three: 3 }])).toEqual([])
  const [event] = alice.take()
  expect(event).toEqual([EVENT, id, ID, {}, [1, 'two'], { three: 3 }])
  expect(bob.take()).toEqual([event])
  expect(carol.take()).toEqual([])
})

test.each([[[]], [[[]]], [[[1]]], [[[], {}]], [[[], { a: 1 }]], [[['x'], {}]]])(
  'payload %j is passed on unchanged',
  (data) => {
    const { join } = open()
    const [alice, bob] = [join(), join()]
    const id = subscribe(alice, 'com.topic')
    bob.says([PUBLISH, 1, {}, 'com.topic', ...data])
    expect(alice.take()).toEqual([[EVENT, id, ID, {}, ...data]])
  },
)

test('integers beyond the safe range of JavaScript are passed on exactly', () => {
  const { join } = open()
  const [alice, bob] = [join(), join()]
  subscribe(alice, 'com.topic')
  const texts: unknown[] = []
  alice.send = (frame) => texts.push(frame)
  bob.says('[16,1,{},"com.topic",[18446744073709551617, 1.10, "\\u00e9"]]')
  expect(texts).toEqual([expect.stringContaining('18446744073709551617')])
})

describe('acknowledgement', () => {
  test('is sent if requested, whether or not the topic has subscribers', () => {
    const { join } = open()
    const [alice, bob] = [join(), join()]
    expect(bob.says([PUBLISH, 1, { acknowledge: true }, 'com.topic'])).toEqual([[PUBLISHED, 1, ID]])
    subscribe(alice, 'com.topic')
    const [published] = bob.says([PUBLISH, 2, { acknowledge: true }, 'com.topic']) as [unknown[]]
    expect(published).toEqual([PUBLISHED, 2, ID])
    expect(alice.take()).toEqual([[EVENT, ID, published[2], {}]])
  })

  test('is not sent otherwise', () => {
    const peer = open().join()
    expect(peer.says([PUBLISH, 1, {}, 'com.topic'], [PUBLISH, 2, { acknowledge: false }, 'com.topic'])).toEqual([])
  })
})

describe('exclude_me', () => {
  test('false delivers the event to its publisher as well', () => {
    const peer = open().join()
    const id = subscribe(peer, 'com.topic')
    expect(peer.says([PUBLISH, 2, { exclude_me: false }, 'com.topic', [1]])).toEqual([[EVENT, id, ID, {}, [1]]])
  })

  test('true is the default', () => {
    const peer = open().join()
    subscribe(peer, 'com.topic')
    expect(peer.says([PUBLISH, 2, {}, 'com.topic'], [PUBLISH, 3, { exclude_me: true }, 'com.topic'])).toEqual([])
  })
})

describe('subscribing', () => {
  test('twice returns the same id and does not duplicate events', () => {
    const { join, router } = open()
    const [alice, bob] = [join(), join()]
    const id = subscribe(alice, 'com.topic', 1)
    expect(subscribe(alice, 'com.topic', 2)).toBe(id)
    expect(router.stats().subscriptions).toBe(1)
    bob.says([PUBLISH, 1, {}, 'com.topic'])
    expect(alice.take()).toHaveLength(1)
    expect(alice.says([UNSUBSCRIBE, 3, id])).toEqual([[UNSUBSCRIBED, 3]])
    expect(router.stats().subscriptions).toBe(0)
  })

  test('different topics have different ids', () => {
    const peer = open().join()
    expect(subscribe(peer, 'com.one')).not.toBe(subscribe(peer, 'com.two', 2))
  })

  test.each(['', '.', 'a.', '.a', 'a..b', 'a b', 'a\tb', 'a#', '#'])('to %j is refused', (topic) => {
    expect(open().join().says([SUBSCRIBE, 1, {}, topic])).toEqual(refused(SUBSCRIBE, 1, 'invalid_uri'))
  })

  test.each([
    'a',
    'com.example.topic',
    'Com.Example.onTick',
    'com.exämple.日本',
    'a-b.c_d.1',
    'constructor',
    '__proto__',
  ])('to %j works', (topic) => {
    const { join } = open()
    const [alice, bob] = [join(), join()]
    const id = subscribe(alice, topic)
    bob.says([PUBLISH, 1, {}, topic])
    expect(alice.take()).toEqual([[EVENT, id, ID, {}]])
  })

  test.each(['wamp.session.on_join', 'wamp'])('to %s, which belongs to the router, is legal', (topic) => {
    subscribe(open().join(), topic)
  })

  test('with match exact is the same as without match', () => {
    const peer = open().join()
    const id = subscribe(peer, 'com.topic')
    expect(peer.says([SUBSCRIBE, 2, { match: 'exact' }, 'com.topic'])).toEqual([[SUBSCRIBED, 2, id]])
  })
})

describe('unsubscribing', () => {
  test('stops the events for this session only', () => {
    const { join } = open()
    const [alice, bob, carol] = [join(), join(), join()]
    const id = subscribe(alice, 'com.topic')
    subscribe(bob, 'com.topic')
    expect(alice.says([UNSUBSCRIBE, 2, id])).toEqual([[UNSUBSCRIBED, 2]])
    carol.says([PUBLISH, 1, {}, 'com.topic'])
    expect(alice.take()).toEqual([])
    expect(bob.take()).toHaveLength(1)
  })

  test('accepts the options that some clients send', () => {
    const peer = open().join()
    expect(peer.says([UNSUBSCRIBE, 2, subscribe(peer, 'com.topic'), {}])).toEqual([[UNSUBSCRIBED, 2]])
  })

  test('twice, or from an unknown subscription or one of another session, is refused', () => {
    const { join } = open()
    const [alice, bob] = [join(), join()]
    const id = subscribe(alice, 'com.topic')
    expect(bob.says([UNSUBSCRIBE, 1, id])).toEqual(refused(UNSUBSCRIBE, 1, 'no_such_subscription'))
    expect(bob.says([UNSUBSCRIBE, 2, 7])).toEqual(refused(UNSUBSCRIBE, 2, 'no_such_subscription'))
    alice.says([UNSUBSCRIBE, 2, id])
    expect(alice.says([UNSUBSCRIBE, 3, id])).toEqual(refused(UNSUBSCRIBE, 3, 'no_such_subscription'))
  })

  test('can be followed by subscribing again', () => {
    const { join } = open()
    const [alice, bob] = [join(), join()]
    alice.says([UNSUBSCRIBE, 2, subscribe(alice, 'com.topic')])
    const id = subscribe(alice, 'com.topic', 3)
    bob.says([PUBLISH, 1, {}, 'com.topic'])
    expect(alice.take()).toEqual([[EVENT, id, ID, {}]])
  })
})

describe('a publication that is refused', () => {
  const cases: [string, object, string][] = [
    ['invalid_uri', {}, 'a..b'],
    ['invalid_uri', {}, ''],
    ['invalid_uri', {}, 'wamp.session.on_join'],
    ['invalid_uri', {}, 'wamp'],
  ]

  test.each(cases)(
    '%s with %j to %j is answered by an ERROR if acknowledgement was requested',
    (uri, options, topic) => {
      const { join, router } = open()
      const [alice, bob] = [join(), join()]
      subscribe(alice, 'com.topic')
      const [key = TEXT] = Object.keys(options).map((key) => expect.stringContaining(key))
      expect(bob.says([PUBLISH, 1, { ...options, acknowledge: true }, topic])).toEqual(refused(PUBLISH, 1, uri, key))
      expect(alice.take()).toEqual([])
      expect(router.stats().dropped.publications).toBe(0)
    },
  )

  test.each(cases)('%s with %j to %j is dropped and counted without an answer if it was not', (_, options, topic) => {
    const { join, router } = open()
    const [alice, bob] = [join(), join()]
    subscribe(alice, 'com.topic')
    expect(bob.says([PUBLISH, 1, options, topic])).toEqual([])
    expect(alice.take()).toEqual([])
    expect(bob.end).toBeUndefined()
    expect(router.stats().dropped.publications).toBe(1)
  })

  test('does not reach the subscribers of a topic of the router', () => {
    const { join } = open()
    const [alice, bob] = [join(), join()]
    subscribe(alice, 'wamp.session.on_join')
    expect(bob.says([PUBLISH, 1, { acknowledge: true }, 'wamp.session.on_join'])).toEqual(
      refused(PUBLISH, 1, 'invalid_uri'),
    )
    expect(alice.take()).toEqual([])
  })

  test('does not include wampum.topic, which only begins with the same letters', () => {
    const peer = open().join()
    expect(peer.says([PUBLISH, 1, { acknowledge: true }, 'wampum.topic'])).toEqual([[PUBLISHED, 1, ID]])
  })
})

test('the sharding options, which no specification defines, are ignored', () => {
  const peer = open().join()
  expect(peer.says([SUBSCRIBE, 1, { nkey: 'k' }, 'com.topic'])).toEqual([[SUBSCRIBED, 1, ID]])
  expect(peer.says([PUBLISH, 2, { rkey: 'k', exclude_me: false }, 'com.topic'])).toEqual([[EVENT, ID, ID, {}]])
})

test('events of one publisher arrive in order, across topics', () => {
  const { join } = open()
  const [alice, bob] = [join(), join()]
  subscribe(alice, 'com.one')
  subscribe(alice, 'com.two', 2)
  bob.says(...Array.from({ length: 50 }, (_, i) => [PUBLISH, i + 1, {}, i % 3 ? 'com.one' : 'com.two', [i]]))
  expect(alice.take().map(([, , , , args]) => (args as number[])[0])).toEqual(Array.from({ length: 50 }, (_, i) => i))
})

test('SUBSCRIBED is sent before the first event', () => {
  const peer = open().join()
  expect(
    peer.says([SUBSCRIBE, 1, {}, 'com.topic'], [PUBLISH, 2, { exclude_me: false }, 'com.topic']).map(([code]) => code),
  ).toEqual([SUBSCRIBED, EVENT])
})
