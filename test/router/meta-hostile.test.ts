/** Any arguments to the procedures of the router get an answer, never a crash, and never data of other callers. */

import { describe, expect, test } from 'vitest'
import { CALL, ERROR, RESULT } from 'wampy-ts/testing'
import { ask, open, type Peer, subscribe } from './support.ts'

const ID_FIRST = [
  'session.get',
  'session.kill',
  'registration.get',
  'registration.list_callees',
  'registration.count_callees',
  'registration.remove_callee',
  'subscription.get',
  'subscription.list_subscribers',
  'subscription.count_subscribers',
  'subscription.remove_subscriber',
  'subscription.get_events',
]
const TEXT_FIRST = [
  'session.kill_by_authid',
  'session.kill_by_authrole',
  'session.add_testament',
  'registration.lookup',
  'registration.match',
  'subscription.lookup',
  'subscription.match',
]
const FREE = [
  'session.count',
  'session.list',
  'session.kill_all',
  'session.flush_testaments',
  'registration.list',
  'subscription.list',
]
const ALL = [...ID_FIRST, ...TEXT_FIRST, ...FREE].map((name) => `wamp.${name}`)

const NO_ID = [null, true, '', '7', 'x', 0, -1, 1.5, 2 ** 54, [], [1], {}, { id: 1 }, '\u0000AAEC']
const NO_TEXT = [null, true, 0, 7, 1.5, [], ['x'], {}, { uri: 'x' }, '\u0000AAEC']

const invalid = (place: string): unknown[] => [
  ERROR,
  'wamp.error.invalid_argument',
  [expect.stringMatching(new RegExp(`^${place.replace(/[[\]]/g, '\\$&')} must be `))],
]

function crowd(): { peer: Peer; other: Peer; alive: () => void } {
  const { join } = open({ history: [{ uri: 'com.topic', limit: 5 }] })
  const [peer, other] = [join(), join()]
  subscribe(other, 'com.topic')
  return {
    peer,
    other,
    alive: () => {
      expect([peer.end, other.end]).toEqual([undefined, undefined])
      expect(ask(peer, 'wamp.session.count')).toEqual([RESULT, [2]])
      expect(other.take()).toEqual([])
    },
  }
}

describe('the first argument', () => {
  test.each(ID_FIRST)('of %s must be an id', (name) => {
    const { peer, alive } = crowd()
    for (const value of NO_ID) expect(ask(peer, `wamp.${name}`, [value, 1])).toEqual(invalid('args[0]'))
    expect(ask(peer, `wamp.${name}`)).toEqual(invalid('args[0]'))
    alive()
  })

  test.each(TEXT_FIRST)('of %s must be text', (name) => {
    const { peer, alive } = crowd()
    for (const value of NO_TEXT) expect(ask(peer, `wamp.${name}`, [value])).toEqual(invalid('args[0]'))
    expect(ask(peer, `wamp.${name}`)).toEqual(invalid('args[0]'))
    alive()
  })

  test.each(['session.count', 'session.list'])('of %s must be a list of texts', (name) => {
    const { peer, alive } = crowd()
    for (const value of [true, 0, 'anonymous', {}, [1], ['anonymous', null], [[]]]) {
      expect(ask(peer, `wamp.${name}`, [value])).toEqual(invalid('args[0]'))
    }
    alive()
  })
})

test.each(['registration.lookup', 'subscription.lookup'])('the options of %s must be valid', (name) => {
  const { peer, alive } = crowd()
  for (const value of [true, 0, 'prefix', []]) {
    expect(ask(peer, `wamp.${name}`, ['com.topic', value])).toEqual(invalid('args[1]'))
  }
  for (const match of [true, 0, '', 'regex', [], {}, 'EXACT']) {
    expect(ask(peer, `wamp.${name}`, ['com.topic', { match }])).toEqual(invalid('args[1].match'))
  }
  alive()
})

test.each(['registration.remove_callee', 'subscription.remove_subscriber'])(
  'session and reason of %s must be valid',
  (name) => {
    const { peer, other, alive } = crowd()
    for (const value of NO_ID) {
      expect(ask(peer, `wamp.${name}`, [1, value])).toEqual(invalid('args[1]'))
    }
    for (const reason of [true, 0, [], {}]) {
      expect(ask(peer, `wamp.${name}`, [1, other.id, reason])).toEqual(invalid('reason'))
    }
    alive()
  },
)

test.each(['kill', 'kill_by_authid', 'kill_by_authrole', 'kill_all'])(
  'reason and message of %s must be valid',
  (name) => {
    const { peer, other, alive } = crowd()
    const args = { kill: [other.id], kill_by_authid: [other.authid], kill_by_authrole: ['anonymous'] }[name] ?? []
    for (const value of [true, 0, [], {}, '\u0000AAEC']) {
      expect(ask(peer, `wamp.session.${name}`, args, { reason: value })).toEqual(invalid('reason'))
      expect(ask(peer, `wamp.session.${name}`, args, { message: value })).toEqual(invalid('message'))
    }
    alive()
  },
)

test('any arguments to any procedure get exactly one answer, and the router survives', () => {
  const { join, router } = open({ history: [{ uri: 'com.topic', limit: 5 }], limits: { testaments: 10 } })
  const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown
  const values = [
    null,
    true,
    0,
    1,
    -1,
    2 ** 53,
    1e300,
    '',
    'com.topic',
    'wamp.session.count',
    'constructor',
    '\u0000AAEC',
    [],
    ['anonymous'],
    {},
    { match: 'prefix' },
    { constructor: 1, toString: 2, hasOwnProperty: null },
    deep,
    'x'.repeat(100_000),
  ]
  const keys = [
    'reason',
    'message',
    'scope',
    'publish_options',
    'limit',
    'reverse',
    'from_time',
    'topic',
    'from_publication',
  ]
  let seed = 1
  const pick = <Item>(items: readonly Item[]): Item => {
    seed = (seed * 48271) % 2147483647
    return items[seed % items.length] as Item
  }
  let peer = join()
  subscribe(peer, 'com.topic')
  for (let i = 1; i <= 6000; i++) {
    const args = Array.from({ length: pick([0, 1, 2, 3, 4]) }, () => pick(values))
    const kwargs = Object.fromEntries(Array.from({ length: pick([0, 0, 1, 2]) }, () => [pick(keys), pick(values)]))
    const answers = peer.says([CALL, i, {}, pick(ALL), args, kwargs])
    expect(answers).toHaveLength(1)
    expect([RESULT, ERROR]).toContain(answers[0]?.[0])
    if (answers[0]?.[0] === ERROR) {
      expect(answers[0]?.[4]).toMatch(/^wamp\.error\.(invalid_argument|invalid_uri|no_such_\w+)$|limit_exceeded$/)
    }
    if (i % 500 === 0) {
      peer.lose()
      peer = join()
    }
  }
  expect(router.stats()).toMatchObject({ sessions: 1, calls: 0, registrations: 0 })
})
