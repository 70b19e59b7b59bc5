/** Event history: the events kept for the configured topics, read by `wamp.subscription.get_events`. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CALL, CANCEL, ERROR, EVENT, PUBLISH, PUBLISHED, RESULT, UNSUBSCRIBE, UNSUBSCRIBED } from 'wampy-ts/testing'
import { payload } from '../../src/protocol/payload.ts'
import {
  type HistoryEvent,
  type HistoryQuery,
  type HistoryStore,
  MemoryHistory,
  select,
} from '../../src/router/pubsub/history.ts'
import { Router, type RouterOptions } from '../../src/router/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { ask, ID, open, type Peer, subscribe, TEXT, WAYS, type World } from './support.ts'

afterEach(() => vi.useRealTimers())

const GET = 'wamp.subscription.get_events'
const EXACT = [{ uri: 'com.topic', limit: 100 }]

function remembering(options: RouterOptions = { history: EXACT }): { me: Peer; id: number } & World {
  const world = open(options)
  const me = world.join()
  const { uri, match } = { match: 'exact', ...options.history?.[0] } as { uri: string; match: string }
  const id = ask(me, 'wamp.subscription.lookup', [uri, { match }])[1] as [number]
  return { ...world, me, id: id[0] }
}

/** The first argument of each event in the answer. */
function read(peer: Peer, id: number, kwargs?: object): unknown[] {
  const [code, events, { is_limit_reached } = {} as { is_limit_reached?: boolean }] = ask(peer, GET, [id], kwargs) as [
    number,
    { args?: unknown[] }[],
    { is_limit_reached?: boolean },
  ]
  expect(code).toBe(RESULT)
  expect(is_limit_reached).toEqual(expect.any(Boolean))
  return events.map(({ args }) => args?.[0])
}

function publish(peer: Peer, topic: string, value: unknown, options: object = {}): number {
  const [published] = peer.says([PUBLISH, 1, { acknowledge: true, ...options }, topic, [value]])
  expect(published).toEqual([PUBLISHED, 1, ID])
  return published?.[2] as number
}

/** Bytes of memory in use. */
function used(): number {
  // Only a collection shows which objects keep which alive; without it nothing is collected in time.
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}

const at = (text: string): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(text) })
}

test('an event is kept as published, with its time and its subscription', () => {
  const { me, id } = remembering()
  at('2026-01-02T03:04:05.678Z')
  const [[, , publication] = []] = me.says([
    PUBLISH,
    1,
    { acknowledge: true, disclose_me: true },
    'com.topic',
    [1, 'two'],
    { three: [3.5] },
  ])
  me.says([PUBLISH, 2, {}, 'com.topic'])
  const who = { publisher: me.id, publisher_authid: me.authid, publisher_authrole: 'anonymous' }
  const timestamp = '2026-01-02T03:04:05.678Z'
  expect(ask(me, GET, [id])).toEqual([
    RESULT,
    [
      { timestamp, subscription: id, publication, details: who, args: [1, 'two'], kwargs: { three: [3.5] } },
      { timestamp, subscription: id, publication: ID, details: {} },
    ],
    { is_limit_reached: false },
  ])
})

test('a topic without publications has no events', () => {
  const { me, id } = remembering()
  expect(ask(me, GET, [id])).toEqual([RESULT, [], { is_limit_reached: false }])
})

test('the subscription of a history exists without subscribers, under the id that subscribers receive', () => {
  const { me, id, join, router } = remembering()
  publish(me, 'com.topic', 1)
  expect(router.stats()).toMatchObject({ subscriptions: 0, history: 1 })
  const peer = join()
  expect(subscribe(peer, 'com.topic')).toBe(id)
  expect(router.stats().subscriptions).toBe(1)
  publish(me, 'com.topic', 2)
  expect(peer.take()).toEqual([[EVENT, id, ID, {}, [2]]])
  expect(peer.says([UNSUBSCRIBE, 9, id])).toEqual([[UNSUBSCRIBED, 9]])
  publish(me, 'com.topic', 3)
  expect(read(me, id)).toEqual([1, 2, 3])
  expect(router.stats()).toMatchObject({ subscriptions: 0, history: 3 })
})

test('the history of a pattern keeps the topic of each event', () => {
  const { me, id } = remembering({ history: [{ uri: 'com.', match: 'prefix', limit: 10 }] })
  publish(me, 'com.a', 1)
  publish(me, 'org.a', 2)
  publish(me, 'com.b', 3)
  expect(read(me, id)).toEqual([1, 3])
  const [, events] = ask(me, GET, [id]) as [number, { details: object }[]]
  expect(events.map(({ details }) => details)).toEqual([{ topic: 'com.a' }, { topic: 'com.b' }])
  expect(read(me, id, { topic: 'com.b' })).toEqual([3])
  expect(read(me, id, { topic: 'com.c' })).toEqual([])
})

test("the router's own publications are kept too, even without subscribers", () => {
  const { me, id, join } = remembering({ history: [{ uri: 'wamp.session.on_leave', limit: 10 }] })
  const peer = join()
  peer.lose()
  expect(read(me, id)).toEqual([peer.id])
})

test('the first and last subscriber of a history trigger the usual meta events, always under one id', () => {
  const { me, id, join } = remembering()
  const watcher = join()
  subscribe(watcher, 'wamp.subscription.on_', { match: 'prefix' })
  for (let i = 0; i < 2; i++) {
    expect(subscribe(me, 'com.topic')).toBe(id)
    me.says([UNSUBSCRIBE, 9, id])
    const events = watcher.take().map(([, , , details, args]) => [details, (args as unknown[])[1]])
    const topic = (name: string): object => ({ topic: `wamp.subscription.${name}` })
    expect(events).toEqual([
      [topic('on_create'), expect.objectContaining({ id })],
      [topic('on_subscribe'), id],
      [topic('on_unsubscribe'), id],
      [topic('on_delete'), id],
    ])
  }
})

test('a topic and the patterns that match it have separate histories', () => {
  const history = [
    { uri: 'com.topic', limit: 5 },
    { uri: 'com..', match: 'wildcard', limit: 5 },
    { uri: '.topic', match: 'wildcard', limit: 5 },
  ] as const
  const { me, id, router } = remembering({ history })
  publish(me, 'com.topic', 1)
  const [, [wild] = []] = ask(me, 'wamp.subscription.lookup', ['.topic', { match: 'wildcard' }]) as [number, number[]]
  expect([read(me, id), read(me, wild as number)]).toEqual([[1], [1]])
  expect(router.stats().history).toBe(2)
})

describe('queries', () => {
  const TIMES = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z', '2026-01-04T00:00:00Z']

  function four(): { me: Peer; id: number; ids: number[] } {
    const { me, id } = remembering()
    const ids = TIMES.map((time, i) => {
      at(time)
      return publish(me, 'com.topic', i)
    })
    return { me, id, ids }
  }

  test.each<[object, number[]]>([
    [{}, [0, 1, 2, 3]],
    [{ reverse: false }, [0, 1, 2, 3]],
    [{ reverse: true }, [3, 2, 1, 0]],
    [{ limit: 1 }, [0]],
    [{ limit: 3 }, [0, 1, 2]],
    [{ limit: 9 }, [0, 1, 2, 3]],
    [{ limit: 2, reverse: true }, [3, 2]],
    [{ from_time: TIMES[1] }, [1, 2, 3]],
    [{ after_time: TIMES[1] }, [2, 3]],
    [{ before_time: TIMES[2] }, [0, 1]],
    [{ until_time: TIMES[2] }, [0, 1, 2]],
    [{ after_time: TIMES[0], before_time: TIMES[3] }, [1, 2]],
    [{ from_time: TIMES[2], until_time: TIMES[1] }, []],
    [{ from_time: '2026-01-02T01:00:00+01:00' }, [1, 2, 3]],
    [{ from_time: '2026-01-01T23:00:00.000-01:00' }, [1, 2, 3]],
    [{ from_time: '2026-01-02t00:00:00z' }, [1, 2, 3]],
    [{ from_time: '2024-02-29T00:00:00.123456789Z' }, [0, 1, 2, 3]],
    [{ topic: 'com.topic' }, [0, 1, 2, 3]],
    [{ topic: 'com.other' }, []],
    [{ limit: null, reverse: null, from_time: null, topic: null, from_publication: null }, [0, 1, 2, 3]],
    [{ colour: 'blue' }, [0, 1, 2, 3]],
  ])('%j returns %j', (kwargs, found) => {
    const { me, id } = four()
    expect(read(me, id, kwargs)).toEqual(found)
  })

  test.each<[Record<string, number>, object, number[]]>([
    [{ from_publication: 1 }, {}, [1, 2, 3]],
    [{ after_publication: 1 }, {}, [2, 3]],
    [{ before_publication: 2 }, {}, [0, 1]],
    [{ until_publication: 2 }, {}, [0, 1, 2]],
    [{ from_publication: 1, before_publication: 3 }, {}, [1, 2]],
    [{ from_publication: 2, until_publication: 1 }, {}, []],
    [{ after_publication: 0 }, { limit: 2 }, [1, 2]],
    [{ before_publication: 3 }, { limit: 2, reverse: true }, [2, 1]],
    [{ from_publication: 1 }, { until_time: TIMES[2] }, [1, 2]],
  ])('by order of arrival, relative to a publication: %j with %j returns %j', (places, kwargs, found) => {
    const { me, id, ids } = four()
    const named = Object.fromEntries(Object.entries(places).map(([key, place]) => [key, ids[place]]))
    expect(read(me, id, { ...named, ...kwargs })).toEqual(found)
  })

  test.each<[object, number[]]>([
    [{ from_publication: 7 }, [0, 1, 2, 3]],
    [{ after_publication: 7 }, [0, 1, 2, 3]],
    [{ before_publication: 7 }, []],
    [{ until_publication: 7 }, []],
  ])('a discarded publication counts as older than all others: %j returns %j', (kwargs, found) => {
    const { me, id } = four()
    expect(read(me, id, kwargs)).toEqual(found)
  })

  test('pages can be read forwards and backwards', () => {
    const { me, id, ids } = four()
    expect(read(me, id, { limit: 3 })).toEqual([0, 1, 2])
    expect(read(me, id, { limit: 3, after_publication: ids[2] })).toEqual([3])
    expect(read(me, id, { limit: 3, reverse: true })).toEqual([3, 2, 1])
    expect(read(me, id, { limit: 3, reverse: true, before_publication: ids[1] })).toEqual([0])
  })

  test('the answer says whether the limit was reached', () => {
    const { me, id } = four()
    const cut = (kwargs: object): unknown => ask(me, GET, [id], kwargs)[2]
    expect(cut({ limit: 3 })).toEqual({ is_limit_reached: true })
    expect(cut({ limit: 5 })).toEqual({ is_limit_reached: false })
  })

  test('the limit may be the second argument, as in Crossbar.io', () => {
    const { me, id } = four()
    expect((ask(me, GET, [id, 2])[1] as unknown[]).length).toBe(2)
    expect((ask(me, GET, [id, 2], { limit: 3 })[1] as unknown[]).length).toBe(3)
  })

  test.each<[unknown[], object, RegExp]>([
    [[], {}, /args\[0\] must be an id, got undefined/],
    [['x'], {}, /args\[0\] must be an id, got "x"/],
    [[0], {}, /args\[0\] must be an id, got 0/],
    [[1.5], {}, /args\[0\]/],
    [[null], {}, /args\[0\]/],
    [[[1]], {}, /args\[0\] must be an id, got a list/],
    [[-1], {}, /args\[0\]/],
  ])('%j is not a valid subscription', (args, kwargs, text) => {
    expect(ask(four().me, GET, args, kwargs)).toEqual([
      ERROR,
      'wamp.error.invalid_argument',
      [expect.stringMatching(text)],
    ])
  })

  const bad = (key: string, values: unknown[]): [string, unknown][] => values.map((value) => [key, value])
  test.each([
    ...bad('limit', [0, -1, 1.5, '3', true, [], {}]),
    ...bad('reverse', [1, 'yes', []]),
    ...['from_time', 'after_time', 'before_time', 'until_time'].flatMap((key) =>
      bad(key, [
        1,
        true,
        '',
        'now',
        '2026-01-02',
        '2026-13-02T00:00:00Z',
        '2026-02-30T00:00:00Z',
        '2025-02-29T00:00:00Z',
        '2026-01-02T24:00:00Z',
        '2026-01-02T25:00:00Z',
        '2026-01-02T00:00:00+24:00',
        '2026-01-02T00:00:00',
        {},
      ]),
    ),
    ...bad('topic', [1, false, [], {}]),
    ...['from_publication', 'after_publication', 'before_publication', 'until_publication'].flatMap((key) =>
      bad(key, [0, -1, 1.5, '7', [], {}, 2 ** 54]),
    ),
  ])('%s: %j is refused, and the error names it', (key, value) => {
    const { me, id } = four()
    expect(ask(me, GET, [id], { [key]: value })).toEqual([
      ERROR,
      'wamp.error.invalid_argument',
      [expect.stringMatching(new RegExp(`^${key} must be `))],
    ])
  })

  test('a subscription without history and an unknown subscription have errors of their own', () => {
    const { me, id } = four()
    const other = subscribe(me, 'com.other')
    expect(ask(me, GET, [other])).toEqual([ERROR, 'wamp.error.history_unavailable', [TEXT]])
    expect(ask(me, GET, [id === 1 ? 2 : 1])).toEqual([ERROR, 'wamp.error.no_such_subscription', [TEXT]])
  })
})

test('random combinations of filters and pages return the same events as a plain implementation of the rules', () => {
  let seed = 11
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  const maybe = <Value>(value: () => Value): Value | undefined => (random(4) === 0 ? value() : undefined)
  for (let round = 0; round < 200; round++) {
    const size = random(12)
    // Clocks are set back and forth, ids are random.
    const events = Array.from({ length: size }, (_, i) => ({
      time: random(6),
      publication: ((i * 7) % 13) + 1,
      topic: `t${random(2)}`,
      details: {},
      payload: undefined,
      lists: { seen: random(5) > 0 } as object,
    }))
    const filters = {
      fromTime: maybe(() => random(6)),
      afterTime: maybe(() => random(6)),
      beforeTime: maybe(() => random(6)),
      untilTime: maybe(() => random(6)),
      topic: maybe(() => `t${random(2)}`),
      fromPublication: maybe(() => random(14) + 1),
      afterPublication: maybe(() => random(14) + 1),
      beforePublication: maybe(() => random(14) + 1),
      untilPublication: maybe(() => random(14) + 1),
      visible: ({ lists }: HistoryEvent) => (lists as { seen?: boolean }).seen === true,
    }
    const at = (id: number | undefined): number => events.findIndex(({ publication }) => publication === id)
    const wanted = events.filter((event, i) => {
      const { time, topic } = event
      const { fromPublication, afterPublication, beforePublication, untilPublication } = filters
      return (
        time >= (filters.fromTime ?? time) &&
        time > (filters.afterTime ?? -1) &&
        time < (filters.beforeTime ?? 9) &&
        time <= (filters.untilTime ?? time) &&
        topic === (filters.topic ?? topic) &&
        (fromPublication === undefined || i >= at(fromPublication)) &&
        (afterPublication === undefined || i > at(afterPublication)) &&
        (beforePublication === undefined || i < at(beforePublication)) &&
        (untilPublication === undefined || i <= at(untilPublication)) &&
        filters.visible(event)
      )
    })
    for (const reverse of [false, true]) {
      const limit = random(4) + 1
      const ordered = reverse ? wanted.slice().reverse() : wanted
      const page = (from: object): HistoryEvent[] => select(events, { ...filters, ...from, reverse, limit })
      expect(page({})).toEqual(ordered.slice(0, limit))
      // The position of a page replaces the bound on its side.
      if ((reverse ? filters.beforePublication : filters.afterPublication) !== undefined) continue
      const read: HistoryEvent[] = []
      for (let found = page({}); found.length > 0; ) {
        read.push(...found)
        const last = found.at(-1)?.publication
        found = page(reverse ? { beforePublication: last } : { afterPublication: last })
      }
      expect(read).toEqual(ordered)
    }
  }
})

describe('a reader does not receive events that its session was excluded from', () => {
  test('authid and authrole lists are applied to the reader, and filtered events do not count against the limit', () => {
    const { me, id, join } = remembering()
    const friend = join()
    publish(me, 'com.topic', 'open')
    publish(me, 'com.topic', 'friend', { eligible_authid: [friend.authid] })
    publish(me, 'com.topic', 'not friend', { exclude_authid: [friend.authid] })
    publish(me, 'com.topic', 'admins', { eligible_authrole: ['admin'] })
    publish(me, 'com.topic', 'not us', { exclude_authrole: ['anonymous'] })
    publish(me, 'com.topic', 'nobody', { eligible_authid: [] })
    publish(me, 'com.topic', 'last')
    expect(read(friend, id)).toEqual(['open', 'friend', 'last'])
    expect(read(join(), id)).toEqual(['open', 'not friend', 'last'])
    expect(read(friend, id, { limit: 2, reverse: true })).toEqual(['last', 'friend'])
  })

  test.each([{ exclude: [1] }, { exclude: [] }, { eligible: [1] }, { eligible: [] }])(
    '%j lists sessions: the event is not stored',
    (lists) => {
      const { me, id, router } = remembering()
      publish(me, 'com.topic', 'private', lists)
      expect(read(me, id)).toEqual([])
      expect(router.stats().history).toBe(0)
    },
  )

  test('even if the store does not filter by reader', () => {
    const events: HistoryEvent[] = []
    const store: HistoryStore = { size: 0, add: (event) => events.push(event), read: () => events }
    const { me, id } = remembering({ history: [{ uri: 'com.topic', limit: 1, store: () => store }] })
    publish(me, 'com.topic', 'nobody', { eligible_authid: [] })
    publish(me, 'com.topic', 'open')
    expect(read(me, id)).toEqual(['open'])
  })
})

describe('the store in memory', () => {
  const event = (n: number, data = payload([n])): HistoryEvent => ({
    time: n,
    publication: n + 1,
    topic: 't',
    details: {},
    payload: data,
    lists: {},
  })
  const ALL: HistoryQuery = {
    reverse: false,
    limit: Number.POSITIVE_INFINITY,
    fromTime: undefined,
    afterTime: undefined,
    beforeTime: undefined,
    untilTime: undefined,
    topic: undefined,
    fromPublication: undefined,
    afterPublication: undefined,
    beforePublication: undefined,
    untilPublication: undefined,
    visible: () => true,
  }
  const times = (store: MemoryHistory): number[] => store.read(ALL).map(({ time }) => time)

  test('keeps the newest events up to its limit', () => {
    const store = new MemoryHistory(3)
    for (let n = 0; n < 1000; n++) {
      store.add(event(n))
      expect(store.size).toBe(Math.min(n + 1, 3))
      expect(times(store)).toEqual([n - 2, n - 1, n].filter((time) => time >= 0))
    }
  })

  test('keeps no more bytes than its limit', () => {
    const store = new MemoryHistory(1000, 10_000)
    for (let n = 0; n < 100; n++) store.add(event(n, payload(['x'.repeat(4000)])))
    expect(times(store)).toEqual([98, 99])
    store.add(event(100, payload(['x'.repeat(20_000)])))
    expect(store.size).toBe(0)
    store.add(event(101))
    expect(times(store)).toEqual([101])
  })

  test('`select` does not modify its input', () => {
    const events = Object.freeze([event(0), event(1)])
    expect(select(events, { ...ALL, reverse: true }).map(({ time }) => time)).toEqual([1, 0])
  })

  test('discards the oldest event, and is separate for each realm', () => {
    const { join, router } = open({ realms: ['one', 'two'], history: [{ uri: 'com.topic', limit: 2 }] })
    const [here, there] = [join({}, {}, 'one'), join({}, {}, 'two')]
    for (let n = 0; n < 5; n++) publish(here, 'com.topic', n)
    const id = subscribe(here, 'com.topic')
    expect(read(here, id)).toEqual([3, 4])
    expect(read(there, subscribe(there, 'com.topic'))).toEqual([])
    expect([router.stats('one').history, router.stats('two').history, router.stats().history]).toEqual([2, 0, 2])
  })

  test('does not keep a network chunk alive', () => {
    const { join, id } = remembering()
    const peer = join({ serializer: cbor })
    const frame = cbor.encode([PUBLISH, 1, {}, 'com.topic', payload(['hello'])]) as Uint8Array
    const chunk = new Uint8Array(100_000)
    chunk.set(frame, 10)
    peer.says(chunk.subarray(10, 10 + frame.length))
    chunk.fill(0)
    expect(read(join(), id)).toEqual(['hello'])
  })

  test.each([
    ['JSON', json],
    ['CBOR', cbor],
  ])(
    'does not keep the decoded values of events that arrived in %s, which take more memory than the bytes',
    (_, serializer) => {
      const { me, id, join } = remembering()
      const peer = join({ serializer })
      const before = used()
      for (let n = 0; n < 10; n++) {
        const data = payload([Array.from({ length: 100_000 }, () => ({}))])
        peer.says(serializer.encode([PUBLISH, 1, {}, 'com.topic', data]) as string)
      }
      expect(ask(me, GET, [id])[1]).toHaveLength(10)
      expect(used() - before).toBeLessThan(20 * 2 ** 20)
    },
  )

  test('does not keep the rest of a text frame alive', () => {
    const { me, id } = remembering()
    const before = used()
    for (let n = 0; n < 30; n++) {
      me.says(`[16,1,{"_x":"${String(n % 10).repeat(2 ** 20)}"},"com.topic",["a payload of some length, number ${n}"]]`)
    }
    expect(used() - before).toBeLessThan(15 * 2 ** 20)
    expect(read(me, id)).toHaveLength(30)
  })

  test('a very long answer is cut, and is_limit_reached is set', () => {
    const { me, id } = remembering()
    for (let n = 0; n < 6; n++) publish(me, 'com.topic', 'x'.repeat(2 ** 20))
    const [, events, kwargs] = ask(me, GET, [id]) as [number, unknown[], object]
    expect([events.length, kwargs]).toEqual([3, { is_limit_reached: true }])
  })
})

describe("a store of one's own", () => {
  test('is created for each realm and called with the query', async () => {
    const made: string[] = []
    const queries: HistoryQuery[] = []
    const memory = new MemoryHistory(10)
    const store = (realm: string): HistoryStore => {
      made.push(realm)
      return {
        get size() {
          return memory.size
        },
        add: (event) => memory.add(event),
        read: async (query) => {
          queries.push(query)
          return memory.read(query)
        },
      }
    }
    const { me, id, router } = remembering({ history: [{ uri: 'com.topic', limit: 10, store }] })
    publish(me, 'com.topic', 1)
    expect(router.stats().history).toBe(1)
    expect(me.says([CALL, 7, {}, GET, [id], { limit: 5, reverse: true, from_time: '1970-01-01T00:00:01Z' }])).toEqual(
      [],
    )
    // The answer comes later, and the session is served meanwhile.
    expect(me.says([PUBLISH, 8, { acknowledge: true }, 'com.other'])).toEqual([[PUBLISHED, 8, ID]])
    await vi.waitFor(() =>
      expect(me.take()).toEqual([[RESULT, 7, {}, [expect.anything()], { is_limit_reached: false }]]),
    )
    expect(made).toEqual(['realm1'])
    expect(queries).toMatchObject([{ limit: 5, reverse: true, fromTime: 1000 }])
  })

  test('that fails causes an error for the reader, and none for the publisher', async () => {
    const store: HistoryStore = {
      size: 0,
      add: () => {
        throw new Error('disk full')
      },
      read: () => Promise.reject(new Error('disk gone')),
    }
    const { me, id, join, router } = remembering({ history: [{ uri: 'com.topic', limit: 10, store: () => store }] })
    const peer = join()
    subscribe(peer, 'com.topic')
    publish(me, 'com.topic', 1)
    expect(peer.take()).toEqual([[EVENT, id, ID, {}, [1]]])
    expect(router.stats().dropped.history).toBe(1)
    me.says([CALL, 7, {}, GET, [id]])
    await vi.waitFor(() => expect(me.take()).toEqual([[ERROR, CALL, 7, {}, 'wamp.error.runtime_error', ['disk gone']]]))
  })

  /** The answer of a router with this store to a reader of its history. */
  async function answered(store: object, options: RouterOptions = {}): Promise<unknown[]> {
    const history = [{ uri: 'com.topic', limit: 10, store: () => store as HistoryStore }]
    const { me, id } = remembering({ ...options, history })
    const said = me.says([CALL, 7, {}, GET, [id], { limit: 2 }])
    await vi.waitFor(() => expect(said.push(...me.take()), String(said.length)).toBeGreaterThan(0))
    return (said[0] as unknown[]).slice(said[0]?.[0] === ERROR ? 4 : 3)
  }

  const kept = (n: number): HistoryEvent => ({
    time: n,
    publication: n,
    topic: 'com.topic',
    details: {},
    payload: payload([n]),
    lists: {},
  })

  test('whose write fails later is counted, and the process survives', async () => {
    const store = { size: 0, add: () => Promise.reject(new Error('disk full')), read: () => [] }
    const { me, router } = remembering({ history: [{ uri: 'com.topic', limit: 10, store: () => store }] })
    publish(me, 'com.topic', 1)
    publish(me, 'com.topic', 2)
    await vi.waitFor(() => expect(router.stats().dropped.history).toBe(2))
  })

  test('may return any thenable', async () => {
    const found = [kept(1), kept(2)]
    // biome-ignore lint/suspicious/noThenProperty: as the query builders of databases do it
    const thenable = { then: (resolve: (events: unknown) => void) => void resolve(found) }
    expect(await answered({ size: 0, add() {}, read: () => thenable })).toEqual([
      [expect.objectContaining({ publication: 1, args: [1] }), expect.objectContaining({ publication: 2, args: [2] })],
      { is_limit_reached: true },
    ])
  })

  test('that ignores the limit has its answer cut to it', async () => {
    const read = (): HistoryEvent[] => [kept(1), kept(2), kept(3)]
    for (const store of [
      { size: 3, add() {}, read },
      { size: 3, add() {}, read: async () => read() },
    ]) {
      const [events, kwargs] = (await answered(store)) as [unknown[], object]
      expect([events.length, kwargs]).toEqual([2, { is_limit_reached: true }])
    }
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a dictionary', {}],
    ['a list of null', [null]],
    ['an event without a valid time', [{ ...kept(1), time: Number.NaN }]],
    ['an event that no serializer can represent', [{ ...kept(1), payload: payload([() => 1]) }]],
  ])('that returns %s, at once or later, causes an error for the reader', async (_, found) => {
    for (const read of [() => found, async () => found]) {
      expect(await answered({ size: 0, add() {}, read })).toEqual([expect.stringMatching(/^wamp\.error\./), [TEXT]])
    }
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['NaN', Number.NaN],
    ['a negative number', -1],
    ['a promise', Promise.resolve(3)],
  ])('whose size is %s counts as empty', (_, size) => {
    const store = { size, add() {}, read: () => [] } as unknown as HistoryStore
    expect(remembering({ history: [{ uri: 'com.topic', limit: 1, store: () => store }] }).router.stats().history).toBe(
      0,
    )
  })

  test('that throws on reading its size counts as empty', () => {
    const store: HistoryStore = {
      get size(): number {
        throw new Error('no connection')
      },
      add() {},
      read: () => [],
    }
    expect(remembering({ history: [{ uri: 'com.topic', limit: 1, store: () => store }] }).router.stats().history).toBe(
      0,
    )
  })

  test.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['an incomplete store', () => ({ add() {} })],
    ['a promise', async () => new MemoryHistory(1)],
    [
      'an error',
      () => {
        throw new Error('no connection')
      },
    ],
  ])('is refused if its factory yields %s', (_, store) => {
    const history = [{ uri: 'com.topic', limit: 1, store: store as () => HistoryStore }]
    expect(() => new Router({ history })).toThrow(
      expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringMatching(/^history: the store of/) }),
    )
  })

  test('is asked for no more events than fit into an answer, and by no more calls than a session may have', async () => {
    const asked: number[] = []
    const answers: ((events: HistoryEvent[]) => void)[] = []
    const store: HistoryStore = {
      size: 0,
      add() {},
      read: ({ limit }) => {
        asked.push(limit)
        return new Promise((resolve) => answers.push(resolve))
      },
    }
    const history = [{ uri: 'com.topic', limit: 1, store: () => store }]
    const { me, id } = remembering({ history, limits: { calls: 2 } })
    expect(me.says([CALL, 7, {}, GET, [id]], [CALL, 8, {}, GET, [id], { limit: 1e9 }])).toEqual([])
    expect(ask(me, GET, [id])).toEqual([ERROR, 'wampy.error.limit_exceeded', [TEXT]])
    expect(asked).toEqual([16_384, 16_384])
    for (const answer of answers) answer([])
    await vi.waitFor(() => expect(me.take()).toHaveLength(2))
  })

  test('that never answers can be abandoned by the reader: by timeout or by cancel', async () => {
    const store: HistoryStore = { size: 0, add() {}, read: () => new Promise(() => {}) }
    const { me, id } = remembering({ history: [{ uri: 'com.topic', limit: 1, store: () => store }] })
    expect(me.says([CALL, 7, {}, GET, [id]], [CANCEL, 7, { mode: 'kill' }])).toEqual([
      [ERROR, CALL, 7, {}, 'wamp.error.canceled', [TEXT]],
    ])
    me.says([CALL, 8, { timeout: 1 }, GET, [id]])
    await vi.waitFor(() => expect(me.take()).toEqual([[ERROR, CALL, 8, {}, 'wamp.error.timeout', [TEXT]]]))
  })

  test.each(Object.entries(WAYS))('the reader leaves by %s before it answers', async (_, go) => {
    let answer: (events: HistoryEvent[]) => void = () => {}
    const store: HistoryStore = { size: 0, add: () => {}, read: () => new Promise((resolve) => (answer = resolve)) }
    const { me, id, router } = remembering({ history: [{ uri: 'com.topic', limit: 10, store: () => store }] })
    me.says([CALL, 7, {}, GET, [id]])
    go(me)
    me.take()
    answer([])
    await Promise.resolve()
    await Promise.resolve()
    expect(me.take()).toEqual([])
    expect(router.stats().sessions).toBe(0)
  })
})

test.each<[unknown, RegExp]>([
  ['com.topic', /history must be a list/],
  [['com.topic'], /history\[0\] must be \{ uri, match, limit \}, got "com.topic"/],
  [[{ uri: 'a..b', limit: 1 }], /history\[0\].uri: "a..b" is not a valid topic for match: exact/],
  [[{ uri: 'a', limit: 0 }], /history\[0\].limit must be a whole number from 1, got 0/],
  [[{ uri: 'a' }], /history\[0\].limit/],
  [[{ uri: 'a', limit: 1, match: 'regex' }], /history\[0\].match must be exact, prefix or wildcard, got "regex"/],
  [[{ uri: 'a', limit: 1, bytes: 0 }], /history\[0\].bytes must be a number above 0/],
  [[{ uri: 'a', limit: 1, store: {} }], /history\[0\].store must be a function/],
  [[{ uri: 'a', limit: 1, ttl: 3 }], /history\[0\] has no option "ttl", but uri, match, limit, bytes, store/],
  [
    [
      { uri: 'a', limit: 1 },
      { uri: 'a', limit: 2, match: 'exact' },
    ],
    /history\[1\]: "a" is listed twice/,
  ],
])('a router with history %j is refused', (history, text) => {
  expect(() => new Router({ history } as RouterOptions)).toThrow(
    expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringMatching(text) }),
  )
})
