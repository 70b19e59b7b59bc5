/** Event history: the request, the conversion of its answer, and reading page by page. */

import { describe, expect, test, vi } from 'vitest'
import {
  type EventHistoryOptions,
  eventHistory,
  getEvents,
  passthru,
  RpcClient,
  type Subscription,
  WampClient,
} from 'wampy-ts'
import { e2ee, Keyring } from 'wampy-ts/e2ee'
import { CALL, ERROR, openWorld, RESULT, UNSUBSCRIBE, UNSUBSCRIBED, type WireMessage } from 'wampy-ts/testing'
import { keyOf } from '../e2ee/support.ts'
import { failure, granting, joined, leavesNothing, uri } from './support.ts'

leavesNothing()

const ACKNOWLEDGED = { acknowledge: true } as const
const TIME = '2026-11-22T12:00:00.000Z'

/** A client at a scripted router that has subscription 77 to `a.t`, and returns these pages in turn. */
async function asking(...pages: (readonly [args: unknown[], kwargs?: object] | WireMessage)[]) {
  const asked: unknown[] = []
  const { client } = await joined((message, peer) => {
    granting(message, peer)
    const [code, request, , procedure, args, kwargs] = message
    if (code === UNSUBSCRIBE) peer.send([UNSUBSCRIBED, request])
    if (code !== CALL) return
    asked.push([procedure, args, kwargs])
    if (procedure === 'wamp.subscription.lookup') peer.send([RESULT, request, {}, [77]])
    else if (procedure === 'wamp.subscription.get')
      peer.send([RESULT, request, {}, [{ id: 78, uri: 'a.', match: 'prefix' }]])
    else {
      const page = pages.shift() ?? [[]]
      if (page[0] === ERROR) peer.send([ERROR, CALL, request, ...page.slice(1)])
      else peer.send([RESULT, request, {}, ...page])
    }
  })
  return { client, asked }
}

const event = (publication: number, more: object = {}) => ({
  timestamp: TIME,
  subscription: 77,
  publication,
  details: {},
  args: [publication],
  ...more,
})

const publications = (events: readonly { publication: number }[]) => events.map(({ publication }) => publication)

describe('the request', () => {
  const get = 'wamp.subscription.get_events'

  test('for a topic looks up its subscription and sends all filters', async () => {
    const { client, asked } = await asking()
    const time = new Date(TIME)
    const options: EventHistoryOptions = {
      match: 'prefix',
      reverse: true,
      limit: 10,
      topic: 'a.b',
      from_time: time,
      after_time: TIME,
      before_time: time,
      until_time: TIME,
      from_publication: 1,
      after_publication: 2,
      before_publication: 3,
      until_publication: 4,
    }
    expect(await getEvents(client, 'a.', options)).toEqual([])
    const { match: _, ...said } = options
    expect(asked).toEqual([
      ['wamp.subscription.lookup', ['a.', { match: 'prefix' }], {}],
      [get, [77], { ...said, from_time: TIME, before_time: TIME }],
    ])
  })

  test('for an id takes the details from the router, and for a handle from the client', async () => {
    const { client, asked } = await asking()
    const handle = await client.subscribe('a.t', () => {})
    await getEvents(client, 78)
    await getEvents(client, handle)
    // Like a handle of another copy of the library.
    await getEvents(client, { id: handle.id, uri: 'a.t', options: {} } as Subscription)
    await getEvents(client, handle.id as number)
    expect(asked).toEqual([
      ['wamp.subscription.get', [78], {}],
      [get, [78], { limit: 1000 }],
      [get, [1001], { limit: 1000 }],
      [get, [1001], { limit: 1000 }],
      [get, [1001], { limit: 1000 }],
    ])
  })

  test('for a closed handle looks up its topic', async () => {
    const { client, asked } = await asking()
    const handle = await client.subscribe('a.', () => {}, { match: 'prefix' })
    await handle.unsubscribe()
    await getEvents(client, handle)
    expect(asked[0]).toEqual(['wamp.subscription.lookup', ['a.', { match: 'prefix' }], {}])
  })

  test('is not sent for an invalid topic or a limit of 0', async () => {
    const { client, asked } = await asking()
    for (const of of ['not a topic', null, true]) {
      expect(await failure(getEvents(client, of as string))).toEqual(uri('wamp.error.invalid_uri'))
    }
    expect(await getEvents(client, 77, { limit: 0, signal: new AbortController().signal })).toEqual([])
    expect(asked).toEqual([['wamp.subscription.get', [77], {}]])
  })
})

describe('pages', () => {
  test('are requested as the events are read, oldest first', async () => {
    const { client, asked } = await asking(
      [[event(9), event(5)], { is_limit_reached: true }],
      [[event(7)], { is_limit_reached: true }],
      [[]],
    )
    const seen: number[] = []
    for await (const { publication, args, topic, timestamp, details } of eventHistory(client, 'a.t', { page: 2 })) {
      expect([args, topic, timestamp]).toEqual([[publication], 'a.t', TIME])
      expect(details).toEqual({ topic: 'a.t', publication, subscription: 77 })
      seen.push(publication)
      // No page is requested ahead of the reader.
      expect(asked).toHaveLength(seen.length < 3 ? 2 : 3)
    }
    expect(seen).toEqual([9, 5, 7])
    expect(asked.slice(1).map((call) => (call as unknown[])[2])).toEqual([
      { limit: 2 },
      { limit: 2, after_publication: 5 },
      { limit: 2, after_publication: 7 },
    ])
  })

  test('are read newest first, up to a limit, if the router does not report is_limit_reached', async () => {
    const { client, asked } = await asking([[event(9), event(5)]], [[event(7)]])
    const options = { reverse: true, page: 2, limit: 3, before_publication: 11 }
    expect(publications(await getEvents(client, 'a.t', options))).toEqual([9, 5, 7])
    expect(asked.slice(1).map((call) => (call as unknown[])[2])).toEqual([
      { reverse: true, limit: 2, before_publication: 11 },
      { reverse: true, limit: 1, before_publication: 5 },
    ])
  })

  test('end with the last one, whichever signal marks it', async () => {
    for (const page of [[[event(1)]], [[event(1), event(2)], { is_limit_reached: false }]] as const) {
      const { client, asked } = await asking(page as never)
      await getEvents(client, 'a.t', { page: 2 })
      expect(asked).toHaveLength(2)
    }
  })

  test('of Crossbar.io are one list, newest first, with keys of their own', async () => {
    const kept = (publication: number) => ({
      time_ns: 1_795_348_800_000_000_000,
      session_id: 4711,
      topic: 'a.t',
      publication,
      args: null,
      kwargs: { n: publication },
    })
    const { client, asked } = await asking([[[kept(9), kept(5)]]])
    const events = await getEvents(client, 'a.t', { limit: 2 })
    expect(events).toEqual(
      [5, 9].map((publication) => ({
        args: [],
        kwargs: { n: publication },
        details: { topic: 'a.t', publication, subscription: 77 },
        topic: 'a.t',
        publication,
        timestamp: '2026-11-22T12:00:00.000Z',
      })),
    )
    expect(asked).toHaveLength(2)
    const none = await asking([[[]]])
    expect(await getEvents(none.client, 'a.t')).toEqual([])
  })

  test('that are malformed end the reading with an error', async () => {
    for (const [page, text] of [
      [[[event(1), event(1)]], 'repeats'],
      [[[event(1), 5]], 'has a publication and a time, got 5'],
      [[[{ publication: 1, args: [] }]], 'has a publication and a time'],
      [[[event(1, { args: 'text' })]], 'has a publication'],
      [[[event(0)]], 'has a publication'],
    ] as const) {
      const { client } = await asking(page as never)
      const error = { uri: 'wamp.error.protocol_violation', message: expect.stringContaining(text) }
      expect(await failure(getEvents(client, 'a.t'))).toMatchObject(error)
      expect(client.state).toBe('ready')
    }
    const page = [[event(1)], { is_limit_reached: true }] as never
    const { client } = await asking(page, page)
    expect(await failure(getEvents(client, 'a.t'))).toMatchObject({ message: expect.stringContaining('repeats') })
  })
})

describe('an unreadable history', () => {
  test('throws the reason: no history on this router, none for this topic, or an unknown topic', async () => {
    const none = await asking([ERROR, {}, 'wamp.error.no_such_procedure'])
    expect(await failure(getEvents(none.client, 'a.t'))).toMatchObject({
      uri: 'wamp.error.feature_not_supported',
      message: 'the router has no wamp.subscription.get_events',
    })
    await using world = await openWorld()
    const [client] = await world.join('client')
    const handle = await client.subscribe('a.t', () => {})
    expect(await failure(getEvents(client, handle))).toEqual(uri('wamp.error.history_unavailable'))
    expect(await failure(getEvents(client, 'a.other'))).toMatchObject({
      uri: 'wamp.error.no_such_subscription',
      message: expect.stringContaining('a.other (exact)'),
    })
    expect(await failure(getEvents(client, 4711))).toEqual(uri('wamp.error.no_such_subscription'))
  })

  test('ends by its signal, and starts an RpcClient like any call', async () => {
    await using world = await openWorld({ router: { history: [{ uri: 'a.t', limit: 5 }] } })
    await using client = new RpcClient({ router: world.router })
    expect(await failure(getEvents(client, 'a.t', { signal: AbortSignal.abort() }))).toEqual(uri('wamp.error.canceled'))
    expect(await getEvents(client, 'a.t', { timeout: 10_000 })).toEqual([])
    await using stopped = new WampClient({ router: world.router })
    expect(await failure(getEvents(stopped, 'a.t'))).toEqual(uri('wampy.error.not_joined'))
  })
})

describe('through a router', () => {
  test('a history is read in pages, in either direction, by topic and by pattern', async () => {
    const history = [
      { uri: 'a.t', limit: 50 },
      { uri: 'a.', match: 'prefix' as const, limit: 50 },
    ]
    await using world = await openWorld({ link: 'websocket', router: { history } })
    const [writer, reader] = await world.join('writer', 'reader')
    const ids: unknown[] = []
    for (let n = 0; n < 12; n++) {
      ids.push(await writer.publish(n % 2 ? 'a.t' : 'a.u', [n], { bytes: new Uint8Array([n]) }, ACKNOWLEDGED))
    }
    const odd = [1, 3, 5, 7, 9, 11]
    const args = (events: readonly { args: readonly unknown[] }[]) => events.map(({ args }) => args[0])
    expect(args(await getEvents(reader, 'a.t', { page: 4 }))).toEqual(odd)
    expect(args(await getEvents(reader, 'a.t', { page: 4, reverse: true, limit: 5 }))).toEqual([11, 9, 7, 5, 3])
    const all = await getEvents(reader, 'a.', { match: 'prefix', page: 5 })
    expect(args(all)).toEqual(Array.from({ length: 12 }, (_, n) => n))
    expect(all.map(({ topic }) => topic)).toEqual(all.map((_, n) => (n % 2 ? 'a.t' : 'a.u')))
    expect(publications(all)).toEqual(ids)
    expect(all[3]?.kwargs).toEqual({ bytes: new Uint8Array([3]) })
    const some = { match: 'prefix', topic: 'a.t', after_publication: ids[3], until_publication: ids[7] } as never
    expect(args(await getEvents(reader, 'a.', some))).toEqual([5, 7])
    const now = { from_time: new Date(Date.now() + 60_000) }
    expect(await getEvents(reader, 'a.t', now)).toEqual([])
  })

  test('encrypted events are decrypted like live ones; an unreadable event is omitted and reported', async () => {
    const history = [
      { uri: 'a.secret.', match: 'prefix' as const, limit: 50 },
      { uri: 'a.secret.t', limit: 50 },
    ]
    await using world = await openWorld({ router: { history } })
    const codecs = (byte: number) =>
      passthru(e2ee(new Keyring([{ uri: 'a.secret.', match: 'prefix', keys: [{ id: `k${byte}`, key: keyOf(byte) }] }])))
    const client = (byte?: number) =>
      new WampClient({ router: world.router, ...(byte && { codecs: codecs(byte) }), reconnect: false })
    await using writer = client(1)
    await using reader = client(1)
    await using other = client(2)
    await using open = client()
    await Promise.all([writer, reader, other, open].map((each) => each.start()))
    await writer.publish('a.secret.t', ['first'], { n: 1 }, ACKNOWLEDGED)
    // Unencrypted though a key is required, and with an unknown key.
    await open.publish('a.secret.t', ['forged'], {}, ACKNOWLEDGED)
    await other.publish('a.secret.t', ['strange'], {}, ACKNOWLEDGED)
    await writer.publish('a.secret.t', ['last'], {}, ACKNOWLEDGED)
    const errors: unknown[] = []
    reader.on('error', (error) => errors.push(error))
    const subscription = await open.call('wamp.subscription.lookup', ['a.secret.t'])
    for (const [of, options] of [
      ['a.secret.t', {}],
      ['a.secret.', { match: 'prefix', page: 1 }],
      [subscription as number, {}],
    ] as const) {
      errors.length = 0
      const events = await getEvents(reader, of, options)
      expect(events.map(({ args, kwargs, topic }) => [args, kwargs, topic])).toEqual([
        [['first'], { n: 1 }, 'a.secret.t'],
        [['last'], {}, 'a.secret.t'],
      ])
      expect(errors).toEqual([uri('wampy.error.payload_unreadable'), uri('wampy.error.payload_unreadable')])
    }
    expect(reader.dropped.events).toBe(6)
    // Without a codec they are bytes, with the keys in their details.
    const [first] = await getEvents(open, 'a.secret.t')
    expect([first?.args[0], first?.details.ppt_keyid]).toEqual([expect.any(Uint8Array), 'k1'])
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    expect(await getEvents(other, 'a.secret.t')).toHaveLength(1)
    expect(told).toHaveBeenCalledTimes(3)
    told.mockRestore()
  })
})
