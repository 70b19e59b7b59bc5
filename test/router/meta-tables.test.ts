/** The registration and the subscription meta API: existing entries, their holders, and the events on changes. */

import { describe, expect, test, vi } from 'vitest'
import {
  CALL,
  ERROR,
  EVENT,
  INVOCATION,
  REGISTER,
  REGISTERED,
  RESULT,
  SUBSCRIBE,
  UNREGISTER,
  UNSUBSCRIBE,
} from 'wampy-ts/testing'
import { ask, dropped, ID, open, type Peer, ROLES, slowly, subscribe, TEXT, WAYS, type World } from './support.ts'

const CREATED = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const OTHER = 4711

function register(peer: Peer, procedure: string, options: object = {}): number {
  const [answer] = peer.says([REGISTER, 1, options, procedure])
  expect(answer).toEqual([REGISTERED, 1, ID])
  return answer?.[2] as number
}

/** The two APIs differ only in their terms. */
const KINDS = [
  ['registration', 'callees', register, UNREGISTER, { invoke: 'roundrobin' }],
  ['subscription', 'subscribers', subscribe, UNSUBSCRIBE, {}],
] as const

describe.each(KINDS)('%s', (kind, holders, take, leave, shared) => {
  const meta = (name: string): string => `wamp.${kind}.${name}`
  const unknown = [ERROR, `wamp.error.no_such_${kind}`, [TEXT]]

  /** Two peers that hold one entry of each of the three policies and share the exact one. */
  function held(): { one: Peer; two: Peer; exact: number; prefix: number; wildcard: number; watcher: Peer } {
    const { join } = open()
    const [one, two, watcher] = [join(), join(), join()]
    const exact = take(one, 'com.a.b', shared)
    expect(take(two, 'com.a.b', shared)).toBe(exact)
    const prefix = take(one, 'com.a', { match: 'prefix' })
    const wildcard = take(two, 'com..b', { match: 'wildcard' })
    return { one, two, exact, prefix, wildcard, watcher }
  }

  test('list returns the ids by policy, without those of the router itself', () => {
    const empty = open().join()
    expect(ask(empty, meta('list'))).toEqual([RESULT, [{ exact: [], prefix: [], wildcard: [] }]])
    const { watcher, exact, prefix, wildcard } = held()
    expect(ask(watcher, meta('list'))).toEqual([RESULT, [{ exact: [exact], prefix: [prefix], wildcard: [wildcard] }]])
  })

  test('lookup finds by URI and policy', () => {
    const { watcher, exact, prefix, wildcard } = held()
    const lookup = (...args: unknown[]): unknown => ask(watcher, meta('lookup'), args)
    expect(lookup('com.a.b')).toEqual([RESULT, [exact]])
    expect(lookup('com.a.b', null)).toEqual([RESULT, [exact]])
    expect(lookup('com.a.b', {})).toEqual([RESULT, [exact]])
    expect(lookup('com.a.b', { match: 'exact' })).toEqual([RESULT, [exact]])
    expect(lookup('com.a', { match: 'prefix' })).toEqual([RESULT, [prefix]])
    expect(lookup('com..b', { match: 'wildcard' })).toEqual([RESULT, [wildcard]])
    expect(lookup('com.a.b', { match: 'prefix' })).toEqual([RESULT, [null]])
    expect(lookup('com.x')).toEqual([RESULT, [null]])
    expect(lookup('')).toEqual([RESULT, [null]])
    expect(lookup('a..b')).toEqual([RESULT, [null]])
    expect(lookup('__proto__')).toEqual([RESULT, [null]])
  })

  test('get returns the details', () => {
    const { watcher, exact, prefix, wildcard } = held()
    const got = (id: number): unknown => (ask(watcher, meta('get'), [id])[1] as unknown[])[0]
    const invoke = (policy: string): object => (kind === 'registration' ? { invoke: policy } : {})
    expect(got(exact)).toEqual({
      id: exact,
      created: CREATED,
      uri: 'com.a.b',
      match: 'exact',
      ...invoke('roundrobin'),
    })
    expect(got(prefix)).toEqual({ id: prefix, created: CREATED, uri: 'com.a', match: 'prefix', ...invoke('single') })
    expect(got(wildcard)).toMatchObject({ id: wildcard, uri: 'com..b', match: 'wildcard' })
    expect(ask(watcher, meta('get'), [OTHER])).toEqual(unknown)
  })

  test(`list_${holders} and count_${holders} return the sessions that hold it`, () => {
    const { one, two, watcher, exact, prefix } = held()
    expect(ask(watcher, meta(`list_${holders}`), [exact])).toEqual([RESULT, [[one.id, two.id]]])
    expect(ask(watcher, meta(`count_${holders}`), [exact])).toEqual([RESULT, [2]])
    expect(ask(watcher, meta(`list_${holders}`), [prefix])).toEqual([RESULT, [[one.id]]])
    one.lose()
    expect(ask(watcher, meta(`list_${holders}`), [exact])).toEqual([RESULT, [[two.id]]])
    expect(ask(watcher, meta(`count_${holders}`), [exact])).toEqual([RESULT, [1]])
    for (const name of ['list', 'count']) {
      expect(ask(watcher, meta(`${name}_${holders}`), [prefix])).toEqual(unknown)
      expect(ask(watcher, meta(`${name}_${holders}`), [OTHER])).toEqual(unknown)
    }
  })

  describe('events', () => {
    const on = kind === 'registration' ? ['on_register', 'on_unregister'] : ['on_subscribe', 'on_unsubscribe']

    const REMOVE = meta(kind === 'registration' ? 'remove_callee' : 'remove_subscriber')
    const revocable = { features: { [`${kind}_revocation`]: true } }
    const ABLE = { roles: { ...ROLES, callee: revocable, subscriber: revocable } }
    type Held = { one: Peer; id: number; watcher: Peer }

    /** The events that a watcher of all four topics received, by name, with their arguments. */
    function told(watcher: Peer): unknown[] {
      return watcher.take().map(([code, , , details, args]) => {
        expect(code).toBe(EVENT)
        return [(details as { topic: string }).topic.replace(meta(''), ''), ...(args as unknown[])]
      })
    }

    function watched(): { join: () => Peer; watcher: Peer } {
      const { join } = open()
      const watcher = join()
      subscribe(watcher, meta('on_'), { match: 'prefix' })
      return { join, watcher }
    }

    test('are published on creation, on taking, on leaving and on deletion, with the session and the id', () => {
      const { join, watcher } = watched()
      const [one, two] = [join(), join()]
      const id = take(one, 'com.a', shared)
      const details = { id, created: CREATED, uri: 'com.a', match: 'exact' }
      const invoke = kind === 'registration' ? { invoke: 'roundrobin' } : {}
      expect(told(watcher)).toEqual([
        ['on_create', one.id, { ...details, ...invoke }],
        [on[0], one.id, id],
      ])
      take(two, 'com.a', shared)
      expect(told(watcher)).toEqual([[on[0], two.id, id]])
      one.says([leave, 5, id])
      expect(told(watcher)).toEqual([[on[1], one.id, id]])
      two.says([leave, 5, id])
      expect(told(watcher)).toEqual([
        [on[1], two.id, id],
        ['on_delete', two.id, id],
      ])
    })

    test.each(Object.entries(WAYS))('are published for all that a session held when it leaves by %s', (_, go) => {
      const { join, watcher } = watched()
      const [one, two] = [join(), join()]
      const id = take(one, 'com.a', shared)
      take(two, 'com.a', shared)
      const own = take(two, 'com.b.', { match: 'prefix' })
      told(watcher)
      go(two)
      expect(told(watcher)).toEqual([
        [on[1], two.id, id],
        [on[1], two.id, own],
        ['on_delete', two.id, own],
      ])
      go(one)
      expect(told(watcher)).toEqual([
        [on[1], one.id, id],
        ['on_delete', one.id, id],
      ])
    })

    test('are published each under its own topic', () => {
      const { join } = open()
      const watcher = join()
      const topics = ['on_create', on[0], on[1], 'on_delete']
      const ids = topics.map((name) => subscribe(watcher, meta(name as string)))
      const one = join()
      const id = take(one, 'com.a')
      one.says([leave, 5, id])
      expect(watcher.take()).toEqual([
        [EVENT, ids[0], ID, {}, [one.id, expect.objectContaining({ id, uri: 'com.a' })]],
        [EVENT, ids[1], ID, {}, [one.id, id]],
        [EVENT, ids[2], ID, {}, [one.id, id]],
        [EVENT, ids[3], ID, {}, [one.id, id]],
      ])
    })

    test('are not published for a repeated or refused request', () => {
      const { join, watcher } = watched()
      const one = join()
      take(one, 'com.a', shared)
      told(watcher)
      take(one, 'com.a', shared)
      one.says([kind === 'registration' ? REGISTER : SUBSCRIBE, 3, {}, 'a..b'], [leave, 4, OTHER])
      expect(told(watcher)).toEqual([])
    })

    test.each<[string, (held: Held) => void, boolean]>([
      ['answered', ({ one }) => one.says([kind === 'registration' ? REGISTER : SUBSCRIBE, 3, {}, 'com.b']), true],
      ['answered that it is out', ({ one, id }) => one.says([leave, 3, id]), false],
      ['put out', ({ one, id, watcher }) => watcher.says([CALL, 3, {}, REMOVE, [id, one.id]]), false],
    ])('are complete for a holder that turns out to be gone in being %s', async (_, part, more) => {
      const { join } = open({ limits: { backlog: 1000 } })
      const [watcher, one] = [join(), join({}, ABLE)]
      const id = take(one, 'com.a')
      subscribe(watcher, 'wamp.', { match: 'prefix' })
      one.backlog = 2001
      const heard = watcher.send.bind(watcher)
      const topics: unknown[] = []
      watcher.send = (frame) => {
        const [code, , , details] = JSON.parse(frame as string) as [number, number, number, { topic?: string }]
        if (code === EVENT) topics.push(details.topic)
        heard(frame)
      }
      part({ one, id, watcher })
      await dropped()
      expect(one.end).toBe('terminated')
      const [came, went] = [
        [meta('on_create'), meta(on[0] as string)],
        [meta(on[1] as string), meta('on_delete')],
      ]
      expect(topics).toEqual([...(more ? [...came, ...went] : []), ...went, 'wamp.session.on_leave'])
    })
  })
})

test('registration.match returns the registration that a call would reach', () => {
  const { join } = open()
  const peer = join()
  const exact = register(peer, 'com.a.b')
  const prefix = register(peer, 'com.a', { match: 'prefix' })
  const wildcard = register(peer, 'org..b', { match: 'wildcard' })
  const match = (procedure: string): unknown => ask(peer, 'wamp.registration.match', [procedure])
  expect(match('com.a.b')).toEqual([RESULT, [exact]])
  expect(match('com.a.c')).toEqual([RESULT, [prefix]])
  expect(match('org.a.b')).toEqual([RESULT, [wildcard]])
  expect(match('net.a')).toEqual([RESULT, [null]])
  register(peer, '', { match: 'prefix' })
  register(peer, '..', { match: 'wildcard' })
  for (const uri of ['wamp.session.count', 'wamp.a.b', 'wamp', 'a..b', '', '.', 'a b']) {
    expect(match(uri)).toEqual([RESULT, [null]])
    expect(peer.says([CALL, 9, {}, uri]).at(-1)?.[0]).not.toBe(INVOCATION)
  }
})

test('subscription.match returns all subscriptions that an event would reach', () => {
  const { join } = open()
  const peer = join()
  const exact = subscribe(peer, 'com.a.b')
  const prefix = subscribe(peer, 'com.a', { match: 'prefix' })
  const wildcard = subscribe(peer, 'com..b', { match: 'wildcard' })
  const match = (topic: string): unknown => ask(peer, 'wamp.subscription.match', [topic])
  const [, [ids] = []] = match('com.a.b') as [number, number[][]]
  expect(ids?.slice().sort()).toEqual([exact, prefix, wildcard].sort())
  expect(match('com.x.b')).toEqual([RESULT, [[wildcard]]])
  expect(match('net.a')).toEqual([RESULT, [null]])
  const all = subscribe(peer, '', { match: 'prefix' })
  for (const topic of ['a..b', '', 'a b']) expect(match(topic)).toEqual([RESULT, [null]])
  // The router's own events reach a subscriber to everything.
  expect(match('wamp.session.on_join')).toEqual([RESULT, [[all]]])
})

test.each(['registration', 'subscription'])('strict: %s.match returns nothing for an invalid URI', (kind) => {
  const peer = open({ strict: true }).join()
  const request = (id: number, uri: string): unknown => peer.says([CALL, id, {}, `wamp.${kind}.match`, [uri]])
  peer.says([REGISTER, 1, { match: 'prefix' }, ''], [SUBSCRIBE, 2, { match: 'prefix' }, ''])
  expect(request(3, 'com.Loud')).toEqual([[RESULT, 3, {}, [null]]])
  expect(request(4, 'com.quiet')).toEqual([[RESULT, 4, {}, [expect.anything()]]])
})

test('a subscriber to everything receives the events of its own subscription, after SUBSCRIBED', () => {
  const { join } = open()
  const peer = join()
  expect(peer.says([SUBSCRIBE, 1, { match: 'prefix' }, '']).map(([code]) => code)).toEqual([33, EVENT, EVENT])
})

test('subscriptions to topics under wamp. cause no meta events', () => {
  const { join } = open()
  const [watcher, peer] = [join(), join()]
  subscribe(watcher, 'wamp.subscription.', { match: 'prefix' })
  const id = subscribe(peer, 'wamp.session.on_join')
  subscribe(peer, 'wamp.', { match: 'prefix' })
  peer.says([UNSUBSCRIBE, 3, id])
  peer.lose()
  expect(watcher.take()).toEqual([])
})

test('a client cannot register under wamp., and unknown procedures there are refused', () => {
  const { join } = open()
  const peer = join()
  for (const uri of ['wamp.session.count', 'wamp.mine', 'wamp']) {
    expect(peer.says([REGISTER, 1, {}, uri])).toEqual([[ERROR, REGISTER, 1, {}, 'wamp.error.invalid_uri', [TEXT]]])
  }
  register(peer, '', { match: 'prefix' })
  expect(peer.says([CALL, 2, {}, 'wamp.session.explode'])).toEqual([
    [ERROR, CALL, 2, {}, 'wamp.error.no_such_procedure', [TEXT]],
  ])
  expect(ask(peer, 'wamp.session.count')).toEqual([RESULT, [1]])
})

test('a router with one role has no meta API', () => {
  const dealer = open({ roles: ['dealer'] }).join()
  expect(ask(dealer, 'wamp.session.count')).toEqual([ERROR, 'wamp.error.no_such_procedure', [TEXT]])
  const broker = open({ roles: ['broker'] })
  const watcher = broker.join()
  subscribe(watcher, 'wamp.session.on_join')
  broker.join()
  expect(watcher.take()).toEqual([])
})

describe('a long list', () => {
  /** Each holder has so few that it leaves in one turn. */
  const HOLDERS = 5
  const EACH = 900

  /** Takes all of them with one message code, and returns their ids. */
  function filled({ join }: World, code: number): { holders: Peer[]; ids: unknown[] } {
    const ids: unknown[] = []
    const holders = Array.from({ length: HOLDERS }, () => join())
    for (const [h, holder] of holders.entries()) {
      for (let i = 0; i < EACH; i++) ids.push(holder.says([code, i + 1, {}, `com.number.${h}.${i}`])[0]?.[2])
    }
    return { holders, ids }
  }

  test.each([
    ['wamp.subscription.list', SUBSCRIBE],
    ['wamp.registration.list', REGISTER],
  ])('%s is collected in several turns, and shows one moment', async (procedure, code) => {
    const world = open()
    const [caller, other] = [world.join(), world.join()]
    const { holders, ids } = filled(world, code)
    const sessions = HOLDERS + 2
    slowly()
    expect(caller.says([CALL, 1, {}, procedure], [CALL, 2, {}, 'wamp.session.count'])).toEqual([])
    // Others are served meanwhile, and change what is listed.
    expect(other.says([CALL, 1, {}, 'wamp.session.count'])).toEqual([[RESULT, 1, {}, [sessions]]])
    holders[0]?.says([code === SUBSCRIBE ? UNSUBSCRIBE : UNREGISTER, EACH + 1, ids[0]])
    other.says([code, 2, {}, 'com.later'])
    const answers: unknown[][] = []
    await vi.waitUntil(() => answers.push(...caller.take()) >= 2, { interval: 1 })
    // The caller's next call was answered behind the list.
    expect(answers).toEqual([
      [RESULT, 1, {}, [{ exact: ids, prefix: [], wildcard: [] }]],
      [RESULT, 2, {}, [sessions]],
    ])
  })

  test.each([
    ['wamp.subscription.list_subscribers', SUBSCRIBE, {}],
    ['wamp.registration.list_callees', REGISTER, { invoke: 'random' }],
  ])('%s is collected in several turns as well', async (procedure, code, options) => {
    const { join } = open()
    const caller = join()
    const holders = Array.from({ length: 1500 }, () => join())
    const shared = holders.map((holder) => holder.says([code, 1, options, 'com.shared'])[0]?.[2])
    slowly()
    expect(caller.says([CALL, 1, {}, procedure, [shared[0]]])).toEqual([])
    holders[0]?.lose()
    const answers: unknown[][] = []
    await vi.waitUntil(() => answers.push(...caller.take()) >= 1, { interval: 1 })
    expect(answers).toEqual([[RESULT, 1, {}, [holders.map(({ id }) => id)]]])
  })

  test('is not collected for a caller that leaves meanwhile', async () => {
    const world = open()
    const { router } = world
    const caller = world.join()
    filled(world, SUBSCRIBE)
    slowly()
    caller.says([CALL, 1, {}, 'wamp.subscription.list'])
    caller.lose()
    await vi.waitUntil(() => router.stats().calls === 0, { interval: 1 })
    expect(router.stats().sessions).toBe(HOLDERS)
  })
})
