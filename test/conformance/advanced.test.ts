/** The Advanced Profile between clients: calls and events, without bytes in between and over real sockets. */

import { describe, expect, test } from 'vitest'
import { CANCELED, type Invocation, TIMEOUT, UNAVAILABLE, WampError } from 'wampy-ts'
import { CALL, INVOCATION, openWorld, PUBLISH, REGISTER, SUBSCRIBE } from 'wampy-ts/testing'
import { failure, gate, leavesNothing, until, uri } from '../client/support.ts'
import { extremes } from './worlds.ts'

leavesNothing()

describe.each(extremes)('calls over %s', (_, options) => {
  test('caller identification: requested by the caller, or by the callee', async () => {
    await using world = await openWorld(options)
    const [caller, callee] = await world.join('caller', 'callee')
    const who = (_args: unknown, _kwargs: unknown, _details: unknown, it: Invocation) => [
      it.caller ?? null,
      it.callerAuthid ?? null,
      it.callerAuthrole ?? null,
    ]
    await callee.register('a.who', who)
    await callee.register('a.curious', who, { disclose_caller: true })
    const { id, authid, authrole } = caller.session
    expect(await caller.call('a.who')).toEqual([null, null, null])
    expect(await caller.call('a.who', [], {}, { disclose_me: true })).toEqual([id, authid, authrole])
    expect(await caller.call('a.curious')).toEqual([id, authid, authrole])
    expect(world.log.sent('caller').filter(([code]) => code === CALL)[1]?.[2]).toEqual({ disclose_me: true })
    expect(world.log.sent('callee').filter(([code]) => code === REGISTER)[1]?.[2]).toEqual({ disclose_caller: true })
  })

  test('a router that never discloses refuses a request for it', async () => {
    await using world = await openWorld({ ...options, router: { disclose: 'never' } })
    const [alice] = await world.join('alice')
    await alice.register('a.who', () => 1)
    const refused = uri('wamp.error.option_disallowed.disclose_me')
    expect(await failure(alice.call('a.who', [], {}, { disclose_me: true }))).toEqual(refused)
    expect(await failure(alice.publish('a.t', [], {}, { disclose_me: true, acknowledge: true }))).toEqual(refused)
  })

  test('trust levels of calls and of events', async () => {
    await using world = await openWorld({ ...options, router: { trustlevel: (action) => (action === 'call' ? 2 : 3) } })
    const [caller, callee] = await world.join('caller', 'callee')
    await callee.register('a.b', (_args, _kwargs, details, it) => [details.trustlevel, it.details.trustlevel])
    const events = callee.events('a.t')
    await events.subscription
    await caller.publish('a.t')
    expect(await caller.call('a.b')).toEqual([2, 2])
    expect((await events.next()).value?.details.trustlevel).toBe(3)
    await events.return?.()
  })

  test('patterns: the called procedure is sent, and the best match answers', async () => {
    await using world = await openWorld(options)
    const [caller, callee] = await world.join('caller', 'callee')
    const name =
      (what: string) => (_args: unknown, _kwargs: unknown, details: { procedure?: string }, it: Invocation) => [
        what,
        it.procedure,
        details.procedure ?? null,
      ]
    await callee.register('com.a', name('exact'))
    await callee.register('com', name('prefix'), { match: 'prefix' })
    await callee.register('com.ab', name('longer'), { match: 'prefix' })
    await callee.register('.x.', name('wildcard'), { match: 'wildcard' })
    expect(await caller.call('com.a')).toEqual(['exact', 'com.a', null])
    expect(await caller.call('com.b')).toEqual(['prefix', 'com.b', 'com.b'])
    expect(await caller.call('com.abc')).toEqual(['longer', 'com.abc', 'com.abc'])
    expect(await caller.call('org.x.y')).toEqual(['wildcard', 'org.x.y', 'org.x.y'])
  })

  test('shared registrations, and a callee that declines', async () => {
    await using world = await openWorld(options)
    const [caller, one, two] = await world.join('caller', 'one', 'two')
    let busy = false
    await one.register('a.b', () => 'one', { invoke: 'roundrobin' })
    const last = await two.register(
      'a.b',
      () => {
        if (busy) throw new WampError(UNAVAILABLE)
        return 'two'
      },
      { invoke: 'roundrobin' },
    )
    const calls = async () => [await caller.call('a.b'), await caller.call('a.b')].sort()
    expect(await calls()).toEqual(['one', 'two'])
    busy = true
    expect(await calls()).toEqual(['one', 'one'])
    await one.stop()
    expect(await failure(caller.call('a.b'))).toEqual(uri('wamp.error.no_available_callee'))
    await last.unregister()
    expect(await failure(caller.call('a.b'))).toEqual(uri('wamp.error.no_such_procedure'))
  })

  test('a callee with concurrency 1 receives queued calls in turn, if the router queues them', async () => {
    await using world = await openWorld({ ...options, router: { callQueue: [{ uri: 'a.b', limit: 2 }] } })
    const [caller, callee] = await world.join('caller', 'callee')
    const ran: unknown[] = []
    const steps = [gate(), gate()] as const
    await callee.register(
      'a.b',
      async ([n]) => {
        ran.push(n)
        await steps[n as 0 | 1]?.opened
        return n
      },
      { concurrency: 1 },
    )
    const stop = new AbortController()
    const first = caller.call('a.b', [0])
    const canceled = failure(caller.call('a.b', ['never'], {}, { signal: stop.signal }))
    const second = failure(caller.call('a.b', [1]))
    expect(await failure(caller.call('a.b', ['too many']))).toEqual(uri('crossbar.error.max_concurrency_reached'))
    expect(world.router.stats()).toMatchObject({ calls: 3, queued: 2 })
    stop.abort()
    expect(await canceled).toEqual(uri(CANCELED))
    steps[0].open()
    expect(await first).toBe(0)
    await until(() => ran.length === 2)
    const lost = failure(caller.call('a.b', ['late']))
    await until(() => world.router.stats().queued === 1)
    await callee.stop()
    expect(await second).toEqual(uri(CANCELED))
    expect(await lost).toEqual(uri('wamp.error.no_such_procedure'))
    expect(ran).toEqual([0, 1])
  })

  test('progress, both ways, with a cancel in the middle', async () => {
    await using world = await openWorld(options)
    const [caller, callee] = await world.join('caller', 'callee')
    const ended = gate<unknown>()
    await callee.register('a.double', async function* (_args, _kwargs, _details, { input, signal }) {
      signal.addEventListener('abort', () => ended.open(signal.reason))
      for await (const n of input) yield (n as number) * 2
      return 'all'
    })
    async function* upTo(last: number): AsyncGenerator<number, void> {
      for (let n = 1; n <= last; n++) yield n
    }
    const whole = caller.progress<number>('a.double', [], {}, { input: upTo(100) })
    let sum = 0
    for await (const n of whole) sum += n
    expect([sum, await whole.result]).toEqual([10_100, 'all'])
    const half = caller.progress<number>('a.double', [], {}, { input: upTo(Number.POSITIVE_INFINITY) })
    for await (const n of half) if (n === 100) break
    expect(await ended.opened).toEqual(uri(CANCELED))
    expect(await failure(half.result)).toEqual(uri(CANCELED))
    expect(world.router.stats().calls).toBe(0)
  })

  test('a timeout that restarts with each part', async () => {
    await using world = await openWorld(options)
    const [caller, callee] = await world.join('caller', 'callee')
    await callee.register('a.b', async function* () {
      yield 1
      await new Promise(() => {})
    })
    const loop = caller.progress('a.b', [], {}, { timeout: 400 })
    expect((await loop.next()).value).toBe(1)
    expect(await failure(loop.next())).toEqual(uri(TIMEOUT))
    expect(world.log.received('callee').find(([code]) => code === INVOCATION)?.[3]).toEqual({ receive_progress: true })
  })
})

describe.each(extremes)('events over %s', (_, options) => {
  test('publisher exclusion and the six lists, for which a single item is enough', async () => {
    await using world = await openWorld(options)
    const names = ['alice', 'bob', 'carol'] as const
    const clients = await world.join(...names)
    const [alice, bob, carol] = clients
    const heard: string[] = []
    for (const [i, client] of clients.entries()) {
      await client.subscribe('a.t', ([n]) => heard.push(`${names[i]} ${n}`))
    }
    const { id, authid } = bob.session
    const publications = [
      {},
      { exclude_me: false },
      { exclude: id },
      { eligible: [id] },
      { eligible: id, exclude_authid: authid },
      { eligible_authid: authid },
      { exclude_authrole: carol.session.authrole },
      { eligible_authrole: carol.session.authrole, exclude: [] },
      { eligible: [] },
    ]
    for (const [n, publication] of publications.entries()) {
      await alice.publish('a.t', [n], {}, { acknowledge: true, ...publication })
    }
    // Each gets an answer behind all its events.
    for (const client of clients) await client.call('wamp.session.count')
    expect(heard.sort()).toEqual(
      ['alice 1', 'bob 0', 'bob 1', 'bob 3', 'bob 5', 'bob 7', 'carol 0', 'carol 1', 'carol 2', 'carol 7'].sort(),
    )
    const wire = world.log.sent('alice').filter(([code]) => code === PUBLISH)
    expect(wire[2]?.[2]).toEqual({ acknowledge: true, exclude: [id] })
    expect(wire[4]?.[2]).toEqual({ acknowledge: true, eligible: [id], exclude_authid: [authid] })
    expect(wire[8]?.[2]).toEqual({ acknowledge: true, eligible: [] })
  })

  test('publisher identification', async () => {
    await using world = await openWorld(options)
    const [publisher, subscriber] = await world.join('publisher', 'subscriber')
    const events = subscriber.events('a.t')
    await events.subscription
    await publisher.publish('a.t', ['in the dark'])
    await publisher.publish('a.t', [], {}, { disclose_me: true })
    const { id, authid, authrole } = publisher.session
    expect((await events.next()).value?.details.publisher).toBe(undefined)
    expect((await events.next()).value?.details).toMatchObject({
      publisher: id,
      publisher_authid: authid,
      publisher_authrole: authrole,
    })
    await events.return?.()
  })

  test('patterns, each with a subscription of its own and the topic of the event', async () => {
    await using world = await openWorld(options)
    const [publisher, subscriber] = await world.join('publisher', 'subscriber')
    const heard: unknown[] = []
    for (const [topic, match] of [
      ['com.a.b', 'exact'],
      ['com.a', 'prefix'],
      ['com..b', 'wildcard'],
    ] as const) {
      await subscriber.subscribe(topic, (_args, _kwargs, details) => heard.push([match, details.topic]), { match })
    }
    await publisher.publish('com.a.b', [], {}, { acknowledge: true })
    await publisher.publish('com.x.b', [], {}, { acknowledge: true })
    await until(() => heard.length === 4)
    expect(heard.sort()).toEqual([
      ['exact', 'com.a.b'],
      ['prefix', 'com.a.b'],
      ['wildcard', 'com.a.b'],
      ['wildcard', 'com.x.b'],
    ])
    expect(world.log.sent('subscriber').filter(([code]) => code === SUBSCRIBE)[1]?.[2]).toEqual({ match: 'prefix' })
  })

  test('a retained event reaches a later subscriber', async () => {
    await using world = await openWorld(options)
    const [publisher, subscriber] = await world.join('publisher', 'subscriber')
    await publisher.publish('a.t', ['kept'], {}, { retain: true, acknowledge: true })
    const events = subscriber.events('a.t', { get_retained: true })
    expect((await events.next()).value).toMatchObject({ args: ['kept'], details: { retained: true } })
    await publisher.publish('a.t', ['fresh'])
    expect((await events.next()).value?.details.retained).toBe(undefined)
    await events.return?.()
  })
})
