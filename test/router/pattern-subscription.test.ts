/** Subscriptions by prefix and by wildcard: each that matches gets the event, with its topic. */

import { describe, expect, test } from 'vitest'
import { ERROR, EVENT, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED } from 'wampy-ts/testing'
import { ID, open, subscribe, TEXT, WAYS } from './support.ts'

const PREFIX = { match: 'prefix' }
const WILDCARD = { match: 'wildcard' }

test.each<[string, string, string[], string[]]>([
  ['prefix', 'com.app', ['com.app', 'com.app.x', 'com.apple', 'com.app.x.y'], ['com.ap', 'org.app', 'co']],
  ['prefix', 'com.app.', ['com.app.x', 'com.app.x.y'], ['com.app', 'com.apple']],
  ['prefix', '', ['com.app', 'x'], []],
  ['wildcard', 'com..x', ['com.a.x', 'com.x.x'], ['com.x', 'com.a.b.x', 'com.a.y', 'org.a.x']],
  ['wildcard', '.x', ['a.x', 'x.x'], ['x', 'a.b.x', 'a.y']],
  ['wildcard', 'x.', ['x.a'], ['x', 'x.a.b', 'y.a']],
  ['wildcard', '..', ['a.b.c'], ['a.b', 'a.b.c.d']],
  ['wildcard', 'com.app', ['com.app'], ['com.app.x', 'com.apple']],
  ['wildcard', '', ['x'], ['x.y']],
])('%s %j receives only matching topics', (match, pattern, heard, unheard) => {
  const { join } = open()
  const [alice, bob] = [join(), join()]
  const id = subscribe(alice, pattern, { match })
  for (const topic of [...heard, ...unheard]) bob.says([PUBLISH, 1, {}, topic, [1], { a: 2 }])
  expect(alice.take()).toEqual(heard.map((topic) => [EVENT, id, ID, { topic }, [1], { a: 2 }]))
})

test('each matching subscription gets an event of its own, under one publication id', () => {
  const { join } = open()
  const [alice, bob] = [join(), join()]
  const exact = subscribe(alice, 'com.app.x')
  const long = subscribe(alice, 'com.app.', PREFIX)
  const short = subscribe(alice, 'com.', PREFIX)
  const wild = subscribe(alice, 'com..x', WILDCARD)
  const [[, , publication] = []] = bob.says([PUBLISH, 1, { acknowledge: true }, 'com.app.x', ['hi']])
  const topic = 'com.app.x'
  expect(alice.take().sort()).toEqual(
    [
      [EVENT, exact, publication, {}, ['hi']],
      [EVENT, long, publication, { topic }, ['hi']],
      [EVENT, short, publication, { topic }, ['hi']],
      [EVENT, wild, publication, { topic }, ['hi']],
    ].sort(),
  )
})

test('the same URI under another policy is another subscription', () => {
  const { join, router } = open()
  const peer = join()
  const ids = [subscribe(peer, 'com.app'), subscribe(peer, 'com.app', PREFIX), subscribe(peer, 'com.app', WILDCARD)]
  expect(new Set(ids).size).toBe(3)
  expect(subscribe(peer, 'com.app', PREFIX)).toBe(ids[1])
  expect(subscribe(peer, 'com.app', { match: 'exact' })).toBe(ids[0])
  expect(router.stats().subscriptions).toBe(3)
  expect(peer.says([UNSUBSCRIBE, 9, ids[1]])).toEqual([[UNSUBSCRIBED, 9]])
  peer.says([PUBLISH, 10, { exclude_me: false }, 'com.app'])
  expect(router.stats().subscriptions).toBe(2)
})

test('the topic is sent along with the other details', () => {
  const { join } = open({ trustlevel: () => 4 })
  const [alice, bob] = [join(), join()]
  subscribe(alice, 'com.', PREFIX)
  bob.says([PUBLISH, 1, { disclose_me: true }, 'com.x'])
  expect(alice.take()).toEqual([
    [
      EVENT,
      ID,
      ID,
      {
        topic: 'com.x',
        trustlevel: 4,
        publisher: bob.id,
        publisher_authid: bob.authid,
        publisher_authrole: 'anonymous',
      },
    ],
  ])
})

describe('an invalid pattern', () => {
  test.each([
    ['prefix', 'a b'],
    ['prefix', '.a'],
    ['prefix', 'a..b'],
    ['prefix', 'a#'],
    ['wildcard', 'a b.'],
    ['wildcard', '.#'],
    ['exact', 'a.'],
    ['exact', ''],
    ['exact', 'a..b'],
  ])('%s %j is refused', (match, pattern) => {
    expect(open().join().says([SUBSCRIBE, 1, { match }, pattern])).toEqual([
      [ERROR, SUBSCRIBE, 1, {}, 'wamp.error.invalid_uri', [TEXT]],
    ])
  })

  test.each([
    ['prefix', 'Com.app.', 'com.app.'],
    ['wildcard', 'com..App', 'com..app'],
  ])('strict: %s %j is refused, %j is not', (match, wrong, right) => {
    const peer = open({ strict: true }).join()
    expect(peer.says([SUBSCRIBE, 1, { match }, wrong])).toEqual([
      [ERROR, SUBSCRIBE, 1, {}, 'wamp.error.invalid_uri', [TEXT]],
    ])
    expect(peer.says([SUBSCRIBE, 2, { match }, right])).toEqual([[SUBSCRIBED, 2, ID]])
  })
})

test.each(['a..b', '', 'a b', 'a.'])('a pattern that would match %j does not make it a valid topic', (topic) => {
  const { join } = open()
  const [alice, bob] = [join(), join()]
  subscribe(alice, '', PREFIX)
  for (const pattern of ['', '.', '..']) subscribe(alice, pattern, WILDCARD)
  expect(bob.says([PUBLISH, 1, { acknowledge: true }, topic])).toEqual([
    [ERROR, PUBLISH, 1, {}, 'wamp.error.invalid_uri', [TEXT]],
  ])
  expect(alice.take()).toEqual([])
})

test('events of one publisher arrive in order, across subscriptions', () => {
  const { join } = open()
  const [alice, bob] = [join(), join()]
  subscribe(alice, 'com.one')
  subscribe(alice, 'com.t', PREFIX)
  bob.says(...Array.from({ length: 50 }, (_, i) => [PUBLISH, i + 1, {}, i % 3 ? 'com.one' : 'com.two', [i]]))
  expect(alice.take().map(([, , , , args]) => (args as number[])[0])).toEqual(Array.from({ length: 50 }, (_, i) => i))
})

test('an event for many subscribers of a pattern is encoded once per kind of link', () => {
  const { join } = open()
  const peers = Array.from({ length: 5 }, () => join({ prepares: true }))
  for (const peer of peers) subscribe(peer, 'com.', PREFIX)
  join().says([PUBLISH, 1, {}, 'com.x'])
  expect(peers.map(({ prepared }) => prepared).reduce((a, b) => a + b)).toBe(1)
})

describe.each(Object.entries(WAYS))('by %s', (_, go) => {
  test('a subscriber leaves, and its patterns are removed', () => {
    const { join, router } = open()
    const [alice, bob] = [join(), join()]
    subscribe(alice, 'com.', PREFIX)
    subscribe(alice, '.x', WILDCARD)
    const id = subscribe(bob, 'com.', PREFIX)
    go(alice)
    expect(router.stats().subscriptions).toBe(1)
    expect(join().says([PUBLISH, 1, { acknowledge: true }, 'com.x'])).toEqual([[PUBLISHED, 1, ID]])
    expect(bob.take()).toEqual([[EVENT, id, ID, { topic: 'com.x' }]])
  })
})

test('an event that crosses UNSUBSCRIBE is the last one', () => {
  const { join } = open()
  const [alice, bob] = [join(), join()]
  const id = subscribe(alice, 'com.', PREFIX)
  bob.says([PUBLISH, 1, {}, 'com.x', [1]])
  expect(alice.says([UNSUBSCRIBE, 2, id])).toEqual([
    [EVENT, id, ID, { topic: 'com.x' }, [1]],
    [UNSUBSCRIBED, 2],
  ])
  bob.says([PUBLISH, 2, {}, 'com.x', [2]])
  expect(alice.take()).toEqual([])
})
