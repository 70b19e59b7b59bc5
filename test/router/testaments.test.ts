/** Testaments: publications that a session leaves for its end, in whatever way it ends. */

import { describe, expect, test } from 'vitest'
import { CALL, ERROR, EVENT, GOODBYE, REGISTER, RESULT } from 'wampy-ts/testing'
import { cbor } from '../../src/serializer/cbor.ts'
import { ask, ID, open, type Peer, ROLES, subscribe, TEXT, WAYS } from './support.ts'

const ADD = 'wamp.session.add_testament'
const FLUSH = 'wamp.session.flush_testaments'
const invalid = (text: RegExp): unknown[] => [ERROR, 'wamp.error.invalid_argument', [expect.stringMatching(text)]]

function pair(options = {}): { dying: Peer; heir: Peer; id: number } & ReturnType<typeof open> {
  const world = open(options)
  const [dying, heir] = [world.join(), world.join()]
  return { ...world, dying, heir, id: subscribe(heir, 'com.will') }
}

describe.each(Object.entries(WAYS))('by %s', (_, go) => {
  test('a session ends: detached testaments are published first, then destroyed ones, each in order', () => {
    const { dying, heir, id, router } = pair()
    expect(ask(dying, ADD, ['com.will', ['destroyed 1'], {}])).toEqual([RESULT])
    expect(ask(dying, ADD, ['com.will', ['detached 1'], {}], { scope: 'detached' })).toEqual([RESULT])
    expect(ask(dying, ADD, ['com.will', ['destroyed 2'], { a: 1 }], { scope: 'destroyed' })).toEqual([RESULT])
    expect(ask(dying, ADD, ['com.will', ['detached 2'], {}], { scope: 'detached' })).toEqual([RESULT])
    expect(router.stats().testaments).toBe(4)
    expect(heir.take()).toEqual([])
    go(dying)
    expect(heir.take()).toEqual([
      [EVENT, id, ID, {}, ['detached 1']],
      [EVENT, id, ID, {}, ['detached 2']],
      [EVENT, id, ID, {}, ['destroyed 1']],
      [EVENT, id, ID, {}, ['destroyed 2'], { a: 1 }],
    ])
    expect(router.stats().testaments).toBe(0)
  })

  test('a session does not receive its own, even with exclude_me: false', () => {
    const { dying, heir, router } = pair()
    subscribe(dying, 'com.will')
    ask(dying, ADD, ['com.will', [1], {}], { publish_options: { exclude_me: false } })
    go(dying)
    expect(heir.take()).toHaveLength(1)
    expect(dying.take().filter(([code]) => code === EVENT)).toEqual([])
    expect(router.stats()).toMatchObject({ subscriptions: 1, testaments: 0 })
  })

  test("they follow the errors of the session's calls, and precede on_leave", () => {
    const { dying, heir } = pair()
    dying.says([REGISTER, 1, {}, 'com.served'])
    subscribe(heir, 'wamp.session.on_leave')
    heir.says([CALL, 1, {}, 'com.served'])
    dying.take()
    ask(dying, ADD, ['com.will', ['last word'], {}])
    go(dying)
    expect(heir.take()).toEqual([
      [ERROR, CALL, 1, {}, 'wamp.error.canceled', [TEXT]],
      [EVENT, ID, ID, {}, ['last word']],
      [EVENT, ID, ID, {}, [dying.id, dying.authid, 'anonymous']],
    ])
  })
})

test('a killed session: they are published, before the answer', () => {
  const { dying, heir, id } = pair()
  ask(dying, ADD, ['com.will', [1], {}])
  expect(heir.says([CALL, 5, {}, 'wamp.session.kill', [dying.id]])).toEqual([
    [EVENT, id, ID, {}, [1]],
    [RESULT, 5, {}],
  ])
  expect(dying.take()).toEqual([[GOODBYE, {}, 'wamp.close.killed']])
})

test('kill_all: they are not published', () => {
  const { dying, heir, router } = pair()
  ask(dying, ADD, ['com.will', [1], {}])
  expect(ask(heir, 'wamp.session.kill_all')).toEqual([RESULT, [1]])
  expect(heir.take()).toEqual([])
  expect(router.stats().testaments).toBe(0)
})

test('the router closes: they are published to the remaining sessions', async () => {
  const { dying, heir, router } = pair()
  ask(dying, ADD, ['com.will', [1], {}])
  const closed = router.close()
  expect(heir.take().map(([code]) => code)).toEqual([EVENT, GOODBYE])
  dying.lose()
  heir.lose()
  await closed
})

test('publish options apply: audience and disclosure', () => {
  const { dying, heir, join, router } = pair()
  const other = join()
  subscribe(other, 'com.will')
  const publish_options = { eligible: [heir.id], disclose_me: true, acknowledge: true, retain: true }
  ask(dying, ADD, ['com.will', [], { only: 'you' }], { publish_options })
  dying.lose()
  const who = { publisher: dying.id, publisher_authid: dying.authid, publisher_authrole: 'anonymous' }
  expect(heir.take()).toEqual([[EVENT, ID, ID, who, [], { only: 'you' }]])
  expect(other.take()).toEqual([])
  expect(router.stats().retained).toBe(0)
})

test.each(['detached', 'destroyed'])(
  'scope %s: the lists filter the receivers of every kind of subscription',
  (scope) => {
    const { dying, heir, id, join } = pair()
    const other = join()
    const wide = subscribe(heir, 'com.', { match: 'prefix' })
    for (const pattern of ['', 'com.will']) subscribe(other, pattern, { match: 'prefix' })
    other.take()
    const lists = [
      { eligible_authid: [heir.authid] },
      { exclude_authid: [other.authid], disclose_me: true },
      { eligible: [heir.id, other.id], exclude: [other.id] },
      { eligible_authrole: [] },
      { exclude_authrole: ['anonymous'] },
    ]
    for (const [i, publish_options] of lists.entries()) {
      expect(ask(dying, ADD, ['com.will', [i], {}], { publish_options, scope })).toEqual([RESULT])
    }
    dying.lose()
    const who = { publisher: dying.id, publisher_authid: dying.authid, publisher_authrole: 'anonymous' }
    const topic = 'com.will'
    expect(heir.take()).toEqual([
      [EVENT, id, ID, {}, [0]],
      [EVENT, wide, ID, { topic }, [0]],
      [EVENT, id, ID, who, [1]],
      [EVENT, wide, ID, { ...who, topic }, [1]],
      [EVENT, id, ID, {}, [2]],
      [EVENT, wide, ID, { topic }, [2]],
    ])
    const told = other.take().map(([, , , details]) => (details as { topic: string }).topic)
    expect(told).not.toContain('com.will')
    expect(told).toContain('wamp.session.on_leave')
  },
)

test('a testament may be retained for later subscribers', () => {
  const { dying, join } = pair()
  ask(dying, ADD, ['com.state', ['offline'], {}], { publish_options: { retain: true } })
  dying.lose()
  expect(join().says([32, 1, { get_retained: true }, 'com.state'])).toEqual([
    [33, 1, ID],
    [EVENT, ID, ID, { retained: true }, ['offline']],
  ])
})

test('payload passthru mode works if the publisher announced it', () => {
  const { join, heir } = pair()
  const dying = join({}, { roles: { ...ROLES, publisher: { features: { payload_passthru_mode: true } } } })
  const publish_options = { ppt_scheme: 'x_own' }
  expect(ask(dying, ADD, ['com.will', ['\u0000AAEC'], {}], { publish_options })).toEqual([RESULT])
  dying.lose()
  expect(heir.take()).toEqual([[EVENT, ID, ID, { ppt_scheme: 'x_own' }, ['\u0000AAEC']]])
})

test.each<[unknown[], unknown[]]>([
  [['com.will'], []],
  [['com.will', [], {}], []],
  [['com.will', null, null], []],
  [['com.will', [1]], [[1]]],
  [
    ['com.will', [], { a: 1 }],
    [[], { a: 1 }],
  ],
  [['com.will', [null], {}], [[null]]],
])('%j publishes %j', (args, data) => {
  const { dying, heir } = pair()
  expect(ask(dying, ADD, args)).toEqual([RESULT])
  dying.lose()
  expect(heir.take()).toEqual([[EVENT, ID, ID, {}, ...data]])
})

test('bytes and large integers arrive unchanged, in any serializer', () => {
  const { join, heir } = pair()
  const dying = join({ serializer: cbor })
  expect(dying.says([CALL, 1, {}, ADD, { args: ['com.will', [new Uint8Array([1, 2]), 2n ** 60n], {}] }])).toEqual([
    [RESULT, 1, {}],
  ])
  const texts: unknown[] = []
  heir.send = (frame) => texts.push(frame)
  dying.lose()
  expect(texts).toEqual([expect.stringMatching(/\["\\u0000AQI=",1152921504606846976\]/)])
})

describe('flushing', () => {
  test('discards those of one scope, of this session only', () => {
    const { dying, heir, join, router } = pair()
    const other = join()
    ask(other, ADD, ['com.will', ['of another'], {}])
    ask(dying, ADD, ['com.will', ['destroyed'], {}])
    ask(dying, ADD, ['com.will', ['detached'], {}], { scope: 'detached' })
    expect(ask(dying, FLUSH)).toEqual([RESULT])
    expect(router.stats().testaments).toBe(2)
    dying.lose()
    expect(heir.take()).toEqual([[EVENT, ID, ID, {}, ['detached']]])
    other.lose()
    expect(heir.take()).toEqual([[EVENT, ID, ID, {}, ['of another']]])
  })

  test('works with none, with the default scope and repeatedly', () => {
    const { dying, heir } = pair()
    expect(ask(dying, FLUSH)).toEqual([RESULT])
    ask(dying, ADD, ['com.will', [1], {}], { scope: 'detached' })
    expect(ask(dying, FLUSH, [], { scope: 'detached' })).toEqual([RESULT])
    ask(dying, ADD, ['com.will', [2], {}], { scope: null })
    dying.lose()
    expect(heir.take()).toEqual([[EVENT, ID, ID, {}, [2]]])
  })

  test.each([1, 'both', '', [], {}, false])('scope %j is refused', (scope) => {
    const { dying } = pair()
    expect(ask(dying, FLUSH, [], { scope })).toEqual(invalid(/^scope must be destroyed or detached/))
    expect(ask(dying, ADD, ['com.will'], { scope })).toEqual(invalid(/^scope must be destroyed or detached/))
  })
})

describe('a testament is refused', () => {
  test.each<[unknown[], object, RegExp]>([
    [[], {}, /^args\[0\] must be text, got undefined/],
    [[1], {}, /^args\[0\] must be text, got 1/],
    [[null], {}, /^args\[0\]/],
    [['com.will', 1], {}, /^args\[1\] must be a list/],
    [['com.will', {}], {}, /^args\[1\] must be a list, got a dictionary/],
    [['com.will', 'x'], {}, /^args\[1\]/],
    [['com.will', [], []], {}, /^args\[2\] must be a dictionary, got a list/],
    [['com.will', [], 'x'], {}, /^args\[2\]/],
    [['com.will'], { publish_options: [] }, /^publish_options must be a dictionary/],
    [['com.will'], { publish_options: 'x' }, /^publish_options/],
    [['com.will'], { publish_options: { exclude: 'x' } }, /^publish_options.exclude must be a list of ids/],
    [['com.will'], { publish_options: { retain: 1 } }, /^publish_options.retain must be true or false/],
    [['com.will'], { publish_options: { ppt_scheme: 'x_a' } }, /^publish_options.ppt_scheme is given/],
  ])('for %j with %j, and the error names the argument', (args, kwargs, text) => {
    const { dying, router } = pair()
    expect(ask(dying, ADD, args, kwargs)).toEqual(invalid(text))
    expect(router.stats().testaments).toBe(0)
  })

  test.each(['', 'a..b', 'a b', 'wamp.session.on_leave', 'wamp'])('for topic %j', (topic) => {
    expect(ask(pair().dying, ADD, [topic, [], {}])).toEqual([ERROR, 'wamp.error.invalid_uri', [TEXT]])
  })

  test('beyond the number that a session may have, until it flushes', () => {
    const { dying } = pair({ limits: { testaments: 2 } })
    ask(dying, ADD, ['com.will'])
    ask(dying, ADD, ['com.will'], { scope: 'detached' })
    const refused = [ERROR, 'wampy.error.limit_exceeded', [expect.stringMatching(/2 testaments/)]]
    expect(ask(dying, ADD, ['com.will'])).toEqual(refused)
    ask(dying, FLUSH)
    expect(ask(dying, ADD, ['com.will'])).toEqual([RESULT])
  })

  test('beyond the bytes that a session may have, until it flushes', () => {
    const { dying } = pair({ limits: { testamentBytes: 5000 } })
    const big = ['x'.repeat(3000)]
    expect(ask(dying, ADD, ['com.will', big])).toEqual([RESULT])
    expect(ask(dying, ADD, ['com.will', big])).toEqual([
      ERROR,
      'wampy.error.limit_exceeded',
      [expect.stringMatching(/5000 bytes/)],
    ])
    ask(dying, FLUSH)
    expect(ask(dying, ADD, ['com.will', big])).toEqual([RESULT])
  })

  test('for a disclosure that the router does not allow: on adding, or silently when it is published', () => {
    let rule: 'asked' | 'never' = 'never'
    const { dying, heir, router } = pair({ disclose: () => rule })
    const publish_options = { disclose_me: true }
    expect(ask(dying, ADD, ['com.will'], { publish_options })).toEqual([
      ERROR,
      'wamp.error.option_disallowed.disclose_me',
      [TEXT],
    ])
    rule = 'asked'
    expect(ask(dying, ADD, ['com.will'], { publish_options })).toEqual([RESULT])
    ask(dying, ADD, ['com.will', ['plain']])
    rule = 'never'
    dying.lose()
    expect(heir.take()).toEqual([[EVENT, ID, ID, {}, ['plain']]])
    expect(router.stats().dropped.publications).toBe(1)
  })
})

describe('a testament that a serializer of the router cannot carry', () => {
  const add = (request: number): string => `[48,${request},{},"${ADD}",["com.will",[1],{"__proto__":{"a":1}}],{}]`

  test('is refused when it is added', () => {
    const { dying, router } = pair()
    expect(dying.says(add(6))).toEqual([
      [ERROR, CALL, 6, {}, 'wamp.error.invalid_argument', [expect.stringMatching(/json .*__proto__/)]],
    ])
    expect(router.stats().testaments).toBe(0)
  })

  test('is refused for another serializer than that of its session', () => {
    const { join } = pair()
    const dying = join({ serializer: cbor })
    const will = [CALL, 6, {}, ADD, { args: ['com.will', [Number.NaN], {}] }]
    expect(dying.says(will)[0]?.slice(0, 5)).toEqual([ERROR, CALL, 6, {}, 'wamp.error.invalid_argument'])
  })

  test('and others keep their values, in bytes and integers of any size', () => {
    const { join, heir } = pair()
    const dying = join({ serializer: cbor })
    const values = [new Uint8Array([1, 2]), 2n ** 60n, -0.5, { a: [null, true] }]
    dying.says([CALL, 6, {}, ADD, { args: ['com.will', values, {}] }])
    dying.lose()
    expect(heir.take()).toEqual([[EVENT, ID, ID, {}, ['\0AQI=', Number(2n ** 60n), -0.5, { a: [null, true] }]]])
  })
})
