/** The Advanced Profile between our client, autobahn and wampy through our router, as far as each supports it. */

import { describe, expect, test } from 'vitest'
import { packed, passthru, WampError } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { type Actor, type Event, Inbox, openStage, type Stage } from './actors.ts'
import { FORMATS, LIBRARIES, type Library, plain } from './peers.ts'
import { NESTED, UNICODE } from './samples.ts'

const FOREIGN = ['autobahn', 'wampy'] as const
const PAIRS = LIBRARIES.flatMap((one) => LIBRARIES.map((other) => [one, other] as const))

describe.each(FORMATS)('%s', (format) => {
  describe('progressive call results', () => {
    // wampy announces that it receives them, and not that it sends them.
    test.each(PAIRS)('%s receives, in order and before the result, the progress of %s', async (one, other) => {
      await using stage = await openStage(format)
      const [caller, callee] = [await stage.join(one), await stage.join(other)]
      await callee.register('com.count', ({ args: [count], progress }) => {
        for (let i = 1; i <= (count as number); i++) progress?.(i, UNICODE)
        return 'done'
      })
      const parts: unknown[] = []
      const result = await caller.ask('com.count', [50], {}, { onProgress: ({ args }) => parts.push(args) })
      expect(result).toBe('done')
      expect(parts).toEqual(Array.from({ length: 50 }, (_, i) => [i + 1, UNICODE]))
    })

    test.each(PAIRS)('%s receives only the result from %s if it did not request progress', async (one, other) => {
      await using stage = await openStage(format)
      const [caller, callee] = [await stage.join(one), await stage.join(other)]
      await callee.register('com.count', ({ progress }) => (progress ? 'asked' : 'not asked'))
      expect(await caller.ask('com.count')).toBe('not asked')
    })

    test.each(FOREIGN)('%s receives the yields of our async generator', async (library) => {
      await using stage = await openStage(format)
      const [caller, ours] = [await stage.join(library), await stage.joinOurs()]
      await ours.register('com.count', async function* ([count]) {
        for (let i = 1; i <= (count as number); i++) yield i
        return 'done'
      })
      const parts: unknown[] = []
      const result = await caller.ask('com.count', [5], {}, { onProgress: ({ args }) => parts.push(...args) })
      expect([...parts, result]).toEqual([1, 2, 3, 4, 5, 'done'])
    })
  })

  describe('canceling', () => {
    /** A procedure of ours that never returns, unless it is interrupted. */
    async function held(callee: Actor) {
      const [invoked, interrupted] = [new Inbox<AbortSignal>(), new Inbox<unknown>()]
      await callee.register('com.hold', ({ signal }) => {
        return new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => {
            interrupted.push(signal.reason)
            reject(new WampError('com.error.stopped', ['as you wish']))
          })
          invoked.push(signal as AbortSignal)
          finish = () => resolve('late')
        })
      })
      let finish = (): void => {}
      return { invoked, interrupted, finish: () => finish() }
    }

    test.each(LIBRARIES)('kill by %s aborts the signal of our procedure, and receives its answer', async (library) => {
      await using stage = await openStage(format)
      const [caller, callee] = [await stage.join(library), await stage.join('wampy-ts')]
      const { invoked, interrupted } = await held(callee)
      const calling = caller.call('com.hold', [], {}, { cancelMode: 'kill' })
      await invoked.next()
      calling.cancel()
      await expect(calling.result).rejects.toMatchObject({ uri: 'com.error.stopped', args: ['as you wish'] })
      expect(await interrupted.next()).toMatchObject({ uri: 'wamp.error.canceled' })
    })

    // autobahn forgets the call at once in these modes, and would close the connection on an answer.
    const rejection = (library: Library) => ({ uri: library === 'autobahn' ? 'Cancelled' : 'wamp.error.canceled' })

    test.each(LIBRARIES)(
      'killnowait by %s aborts the signal of our procedure, and ends the call at once',
      async (library) => {
        await using stage = await openStage(format)
        const [caller, callee] = [await stage.join(library), await stage.join('wampy-ts')]
        const { invoked, interrupted } = await held(callee)
        const calling = caller.call('com.hold', [], {}, { cancelMode: 'killnowait' })
        await invoked.next()
        calling.cancel()
        await expect(calling.result).rejects.toMatchObject(rejection(library))
        expect(await interrupted.next()).toMatchObject({ uri: 'wamp.error.canceled' })
        expect(await caller.ask('wamp.session.count')).toBe(2)
      },
    )

    test.each(LIBRARIES)('skip by %s ends the call, and our procedure continues', async (library) => {
      await using stage = await openStage(format)
      const [caller, callee] = [await stage.join(library), await stage.join('wampy-ts')]
      const { invoked, interrupted, finish } = await held(callee)
      const calling = caller.call('com.hold', [], {}, { cancelMode: 'skip' })
      const signal = await invoked.next()
      calling.cancel()
      await expect(calling.result).rejects.toMatchObject(rejection(library))
      // It would arrive behind an INTERRUPT.
      await callee.register('com.echo', ({ args }) => args[0])
      expect(await caller.ask('com.echo', [1])).toBe(1)
      expect([signal.aborted, interrupted.waiting]).toEqual([false, []])
      finish()
      expect(await caller.ask('com.echo', [2])).toBe(2)
    })

    test.each(
      FOREIGN.flatMap((callee) => (['skip', 'kill', 'killnowait'] as const).map((mode) => [mode, callee] as const)),
    )(
      '%s at %s, which cannot be interrupted, acts as skip: the late answer is dropped',
      async (cancelMode, library) => {
        await using stage = await openStage(format)
        const [caller, callee] = [await stage.join('wampy-ts'), await stage.join(library)]
        const invoked = new Inbox<() => void>()
        await callee.register('com.hold', () => new Promise((resolve) => invoked.push(() => resolve('late'))))
        await callee.register('com.echo', ({ args }) => args[0])
        const calling = caller.call('com.hold', [], {}, { cancelMode })
        const finish = await invoked.next()
        calling.cancel()
        await expect(calling.result).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
        finish()
        expect(await caller.ask('com.echo', [1])).toBe(1)
        expect(await caller.ask('com.echo', [2])).toBe(2)
      },
    )
  })

  describe('call timeouts', () => {
    test.each(PAIRS)('a call of %s by its option timeout, served by %s, ends in time', async (one, other) => {
      await using stage = await openStage(format)
      const [caller, callee] = [await stage.join(one), await stage.join(other)]
      await callee.register('com.never', () => new Promise(() => {}))
      await expect(caller.ask('com.never', [], {}, { timeout: 20 })).rejects.toMatchObject({
        uri: 'wamp.error.timeout',
      })
    })
  })

  describe('pattern-based registration', () => {
    test.each(PAIRS)('a call of %s reaches the best pattern of %s, with its procedure', async (one, other) => {
      await using stage = await openStage(format)
      const [caller, callee] = [await stage.join(one), await stage.join(other)]
      const answer =
        (name: string) =>
        ({ details }: { details: { procedure?: unknown } }) =>
          `${name} ${details.procedure}`
      await callee.register('com.app', answer('prefix'), { match: 'prefix' })
      await callee.register('com..get', answer('wildcard'), { match: 'wildcard' })
      expect(await caller.ask('com.app.a.b')).toBe('prefix com.app.a.b')
      expect(await caller.ask('com.other.get')).toBe('wildcard com.other.get')
      expect(await caller.ask('com.app.get')).toBe('prefix com.app.get')
      await expect(caller.ask('com.other.set')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    })
  })

  describe('pattern-based subscription', () => {
    test.each(PAIRS)('a publication of %s reaches both patterns of %s, with its topic', async (one, other) => {
      await using stage = await openStage(format)
      const [publisher, subscriber] = [await stage.join(one), await stage.join(other)]
      const [prefix, wildcard] = [new Inbox<Event>(), new Inbox<Event>()]
      await subscriber.subscribe('com.app', prefix.push, { match: 'prefix' })
      await subscriber.subscribe('com..changed', wildcard.push, { match: 'wildcard' })
      await publisher.publish('com.app.a.b', [1])
      await publisher.publish('com.other.changed', [2])
      await publisher.publish('org.app.changed', ['nobody hears'])
      await publisher.publish('com.app.changed', [3])
      const read = async (inbox: Inbox<Event>) => {
        const { args, details } = await inbox.next()
        return [args[0], details['topic']]
      }
      expect([await read(prefix), await read(prefix)]).toEqual([
        [1, 'com.app.a.b'],
        [3, 'com.app.changed'],
      ])
      expect([await read(wildcard), await read(wildcard)]).toEqual([
        [2, 'com.other.changed'],
        [3, 'com.app.changed'],
      ])
    })
  })

  describe('shared registration', () => {
    const expected = {
      roundrobin: [0, 1, 2, 0, 1, 2],
      first: [0, 0, 0, 0, 0, 0],
      last: [2, 2, 2, 2, 2, 2],
    }

    test.each(
      LIBRARIES.flatMap((library) => (['roundrobin', 'first', 'last'] as const).map((it) => [it, library] as const)),
    )('%s across all three libraries, called by %s', async (invoke, library) => {
      await using stage = await openStage(format)
      for (const [i, each] of LIBRARIES.entries()) {
        const callee = await stage.join(each)
        await callee.register('com.which', () => i, { invoke })
      }
      const caller = await stage.join(library)
      const answers: unknown[] = []
      for (let i = 0; i < 6; i++) answers.push(await caller.ask('com.which'))
      expect(answers).toEqual(expected[invoke])
    })

    test.each(LIBRARIES)('random across all three libraries, called by %s', async (library) => {
      await using stage = await openStage(format)
      for (const each of LIBRARIES) {
        const callee = await stage.join(each)
        await callee.register('com.which', () => each, { invoke: 'random' })
      }
      const caller = await stage.join(library)
      const answers = await Promise.all(Array.from({ length: 150 }, () => caller.ask('com.which')))
      expect(new Set(answers)).toEqual(new Set(LIBRARIES))
    })
  })

  describe('concurrency and takeover', () => {
    // wampy omits both from its options.
    test("autobahn's option concurrency limits concurrent calls", async () => {
      await using stage = await openStage(format)
      const [caller, callee] = [await stage.join('wampy'), await stage.join('autobahn')]
      const invoked = new Inbox<() => void>()
      await callee.register('com.slow', () => new Promise((resolve) => invoked.push(() => resolve('done'))), {
        concurrency: 1,
        invoke: 'roundrobin',
      })
      const first = caller.ask('com.slow')
      const finish = await invoked.next()
      await expect(caller.ask('com.slow')).rejects.toMatchObject({ uri: 'crossbar.error.max_concurrency_reached' })
      finish()
      expect(await first).toBe('done')
    })

    test('autobahn takes a procedure over by force_reregister, also from wampy, and is notified when it loses it', async () => {
      await using stage = await openStage(format)
      const [one, other, caller] = [
        await stage.join('wampy'),
        await stage.join('autobahn'),
        await stage.join('autobahn'),
      ]
      await one.register('com.mine', () => 'one')
      const lost = await other.register('com.mine', () => 'other', { force_reregister: true })
      expect(await caller.ask('com.mine')).toBe('other')
      await caller.register('com.mine', () => 'caller', { force_reregister: true })
      await lost.revoked
      expect(await one.ask('com.mine')).toBe('caller')
    })
  })

  describe('caller and publisher identification', () => {
    test.each(PAIRS)('%s is disclosed to %s only if it requests that', async (one, other) => {
      await using stage = await openStage(format)
      const [speaker, listener] = [await stage.join(one), await stage.join(other)]
      await listener.register('com.who', ({ details }) => details['caller'] ?? 'nobody')
      expect(await speaker.ask('com.who', [], {}, { disclose_me: true })).toBe(speaker.id)
      expect(await speaker.ask('com.who')).toBe('nobody')
      const inbox = new Inbox<Event>()
      await listener.subscribe('com.news', inbox.push)
      await speaker.publish('com.news', [], { disclose_me: true })
      await speaker.publish('com.news')
      expect((await inbox.next()).details['publisher']).toBe(speaker.id)
      expect((await inbox.next()).details['publisher']).toBe(undefined)
    })
  })

  test('autobahn can disclose itself in all calls and publications of a session', async () => {
    await using stage = await openStage(format)
    const [session, ours] = [await stage.joinAutobahn(), await stage.joinOurs()]
    await ours.register('com.who', (_args, _kwargs, { caller }) => caller)
    const publishers = new Inbox<unknown>()
    await ours.subscribe('com.news', (_args, _kwargs, { publisher }) => publishers.push(publisher))
    session.caller_disclose_me = true
    session.publisher_disclose_me = true
    expect(await session.call('com.who')).toBe(Number(session.id))
    await session.publish('com.news')
    expect(await publishers.next()).toBe(Number(session.id))
  })

  test("wampy's result and error handlers end the call before the procedure returns", async () => {
    await using stage = await openStage(format)
    const [wampy, ours] = [await stage.joinWampy(), await stage.joinOurs()]
    await wampy.register('com.work', ({ argsList = [], result_handler, error_handler }) => {
      if (argsList[0] === 'fail') error_handler({ error: 'com.error.work', argsList: ['no'], argsDict: { code: 1 } })
      else result_handler({ argsList: ['done'] })
    })
    expect(await ours.call('com.work')).toBe('done')
    await expect(ours.call('com.work', ['fail'])).rejects.toMatchObject({ uri: 'com.error.work', kwargs: { code: 1 } })
    // It sends a second, empty result, which is dropped.
    expect(await ours.call('com.work')).toBe('done')
  })

  describe('black- and whitelisting', () => {
    test.each(LIBRARIES)('each list of %s excludes or includes the sessions that it names', async (one) => {
      await using stage = await openStage(format)
      const publisher = await stage.join(one)
      const names = async (actor: Actor) =>
        (await actor.ask('wamp.session.get', [actor.id])) as { authid: string; authrole: string }
      const hearing: { id: number; authid: string; heard: unknown[]; end: Inbox<Event> }[] = []
      for (const library of LIBRARIES) {
        const actor = await stage.join(library)
        const [heard, end]: [unknown[], Inbox<Event>] = [[], new Inbox<Event>()]
        await actor.subscribe('com.news', ({ args }) => heard.push(args[0]))
        await actor.subscribe('com.end', end.push)
        hearing.push({ id: actor.id, authid: (await names(actor)).authid, heard, end })
      }
      const { authrole } = await names(publisher)
      const [a, b, c] = hearing as [(typeof hearing)[0], (typeof hearing)[0], (typeof hearing)[0]]
      await publisher.publish('com.news', ['exclude a'], { exclude: [a.id] })
      await publisher.publish('com.news', ['eligible a, b'], { eligible: [a.id, b.id] })
      await publisher.publish('com.news', ['not b of these'], { eligible: [a.id, b.id], exclude: [b.id] })
      await publisher.publish('com.news', ['exclude authid b'], { exclude_authid: [b.authid] })
      await publisher.publish('com.news', ['eligible authid c'], { eligible_authid: [c.authid] })
      await publisher.publish('com.news', ['exclude authrole'], { exclude_authrole: [authrole] })
      await publisher.publish('com.news', ['eligible authrole'], { eligible_authrole: [authrole] })
      await publisher.publish('com.news', ['eligible another authrole'], { eligible_authrole: ['com.nobody'] })
      await publisher.publish('com.end')
      for (const { end } of hearing) await end.next()
      expect(a.heard).toEqual(['eligible a, b', 'not b of these', 'exclude authid b', 'eligible authrole'])
      expect(b.heard).toEqual(['exclude a', 'eligible a, b', 'eligible authrole'])
      expect(c.heard).toEqual(['exclude a', 'exclude authid b', 'eligible authid c', 'eligible authrole'])
    })
  })

  describe('event retention', () => {
    // wampy reads `retain` and does not send it.
    const retaining = PAIRS.filter(([publisher]) => publisher !== 'wampy')

    test.each(retaining)('the last event that %s retained reaches %s when it subscribes', async (one, other) => {
      await using stage = await openStage(format)
      const [publisher, subscriber] = [await stage.join(one), await stage.join(other)]
      await publisher.publish('com.state', ['old'], { retain: true })
      await publisher.publish('com.state', ['now'], { retain: true })
      const inbox = new Inbox<Event>()
      await subscriber.subscribe('com.state', inbox.push, { get_retained: true })
      expect(await inbox.next()).toMatchObject({ args: ['now'], details: { retained: true } })
      await publisher.publish('com.state', ['live'])
      const { args, details } = await inbox.next()
      expect([args, details['retained'] ?? false]).toEqual([['live'], false])
    })
  })

  describe('meta procedures', () => {
    test.each(FOREIGN)('%s queries sessions', async (library) => {
      await using stage = await openStage(format)
      const [asking, other] = [await stage.join(library), await stage.join('wampy-ts')]
      expect(await asking.ask('wamp.session.count')).toBe(2)
      expect(new Set((await asking.ask('wamp.session.list')) as number[])).toEqual(new Set([asking.id, other.id]))
      expect(await asking.ask('wamp.session.get', [other.id])).toMatchObject({ session: other.id })
      await expect(asking.ask('wamp.session.get', [1])).rejects.toMatchObject({ uri: 'wamp.error.no_such_session' })
    })

    test.each(FOREIGN)('%s queries registrations', async (library) => {
      await using stage = await openStage(format)
      const [asking, callee] = [await stage.join(library), await stage.join('wampy-ts')]
      const exact = await callee.register('com.exact', () => 1)
      const prefix = await asking.register('com.some', () => 2, { match: 'prefix' })
      expect(await asking.ask('wamp.registration.list')).toEqual({
        exact: [exact.id],
        prefix: [prefix.id],
        wildcard: [],
      })
      expect(await asking.ask('wamp.registration.lookup', ['com.exact'])).toBe(exact.id)
      expect(await asking.ask('wamp.registration.lookup', ['com.some', { match: 'prefix' }])).toBe(prefix.id)
      expect(await asking.ask('wamp.registration.match', ['com.some.thing'])).toBe(prefix.id)
      expect(await asking.ask('wamp.registration.get', [prefix.id])).toMatchObject({
        id: prefix.id,
        uri: 'com.some',
        match: 'prefix',
        invoke: 'single',
      })
      expect(await asking.ask('wamp.registration.list_callees', [exact.id])).toEqual([callee.id])
      expect(await asking.ask('wamp.registration.count_callees', [exact.id])).toBe(1)
    })

    test.each(FOREIGN)('%s queries subscriptions', async (library) => {
      await using stage = await openStage(format)
      const [asking, other] = [await stage.join(library), await stage.join('wampy-ts')]
      const exact = await other.subscribe('com.exact', () => {})
      expect((await asking.subscribe('com.exact', () => {})).id).toBe(exact.id)
      const wildcard = await asking.subscribe('com..some', () => {}, { match: 'wildcard' })
      expect(await asking.ask('wamp.subscription.list')).toEqual({
        exact: [exact.id],
        prefix: [],
        wildcard: [wildcard.id],
      })
      expect(await asking.ask('wamp.subscription.lookup', ['com..some', { match: 'wildcard' }])).toBe(wildcard.id)
      expect(await asking.ask('wamp.subscription.match', ['com.exact'])).toEqual([exact.id])
      expect(await asking.ask('wamp.subscription.get', [wildcard.id])).toMatchObject({
        id: wildcard.id,
        uri: 'com..some',
        match: 'wildcard',
      })
      const subscribers = (await asking.ask('wamp.subscription.list_subscribers', [exact.id])) as number[]
      expect(new Set(subscribers)).toEqual(new Set([asking.id, other.id]))
      expect(await asking.ask('wamp.subscription.count_subscribers', [exact.id])).toBe(2)
    })

    test.each(FOREIGN)("%s and our client can end each other's session with a reason", async (library) => {
      await using stage = await openStage(format)
      const [theirs, ours] = [await stage.join(library), await stage.joinOurs()]
      const stopped = new Promise<WampError | undefined>((resolve) => ours.on('stopped', resolve))
      await theirs.ask('wamp.session.kill', [ours.session.id], { reason: 'com.reason', message: 'enough' })
      expect(await stopped).toMatchObject({ uri: 'com.reason', message: 'enough' })
      const other = await stage.join('wampy-ts')
      await other.ask('wamp.session.kill', [theirs.id])
      expect(await other.ask('wamp.session.count')).toBe(1)
    })
  })

  describe('meta events', () => {
    test.each(FOREIGN)('%s receives events about sessions that join and leave', async (library) => {
      await using stage = await openStage(format)
      const watcher = await stage.join(library)
      const [joined, gone] = [new Inbox<Event>(), new Inbox<Event>()]
      await watcher.subscribe('wamp.session.on_join', joined.push)
      await watcher.subscribe('wamp.session.on_leave', gone.push)
      const other = await stage.join('wampy-ts')
      expect((await joined.next()).args).toMatchObject([{ session: other.id }])
      other.go()
      expect((await gone.next()).args[0]).toBe(other.id)
    })

    test.each(FOREIGN)(
      '%s receives events about registrations and subscriptions, from creation to deletion',
      async (library) => {
        await using stage = await openStage(format)
        const [watcher, ours] = [await stage.join(library), await stage.joinOurs()]
        const inbox = new Inbox<unknown[]>()
        const of = (table: string, names: string[]) =>
          Promise.all(
            names.map((name) => watcher.subscribe(`wamp.${table}.${name}`, ({ args }) => inbox.push([name, ...args]))),
          )
        await of('registration', ['on_create', 'on_register', 'on_unregister', 'on_delete'])
        await of('subscription', ['on_create', 'on_subscribe', 'on_unsubscribe', 'on_delete'])
        const session = ours.session.id
        const registration = await ours.register('com.procedure', () => 1)
        const registered = registration.id
        expect(await inbox.next()).toMatchObject(['on_create', session, { id: registered, uri: 'com.procedure' }])
        expect(await inbox.next()).toEqual(['on_register', session, registered])
        await registration.unregister()
        expect(await inbox.next()).toEqual(['on_unregister', session, registered])
        expect(await inbox.next()).toEqual(['on_delete', session, registered])
        const subscription = await ours.subscribe('com.topic', () => {})
        const subscribed = subscription.id
        expect(await inbox.next()).toMatchObject(['on_create', session, { id: subscribed, uri: 'com.topic' }])
        expect(await inbox.next()).toEqual(['on_subscribe', session, subscribed])
        await subscription.unsubscribe()
        expect(await inbox.next()).toEqual(['on_unsubscribe', session, subscribed])
        expect(await inbox.next()).toEqual(['on_delete', session, subscribed])
      },
    )
  })

  describe('testaments', () => {
    test.each(FOREIGN)('a testament of %s is published when its connection is lost', async (library) => {
      await using stage = await openStage(format)
      const [mortal, heir] = [await stage.join(library), await stage.join('wampy-ts')]
      const inbox = new Inbox<Event>()
      await heir.subscribe('com.will', inbox.push)
      await mortal.ask('wamp.session.add_testament', ['com.will', ['forgotten'], {}])
      await mortal.ask('wamp.session.flush_testaments')
      await mortal.ask('wamp.session.add_testament', ['com.will', ['kept', UNICODE], { n: 1 }])
      mortal.go()
      expect(await inbox.next()).toMatchObject({ args: ['kept', UNICODE], kwargs: { n: 1 } })
      expect(inbox.waiting).toEqual([])
    })
  })

  describe('event history', () => {
    test.each(FOREIGN)('%s reads events published before it joined', async (library) => {
      await using stage = await openStage(format, { history: [{ uri: 'com.news', limit: 3 }] })
      const ours = await stage.join('wampy-ts')
      const ids: number[] = []
      for (let i = 0; i < 5; i++) ids.push(await ours.publish('com.news', [i]))
      const asking = await stage.join(library)
      const subscription = await asking.ask('wamp.subscription.lookup', ['com.news'])
      const { args } = await asking.call('wamp.subscription.get_events', [subscription]).result
      expect(args).toMatchObject([2, 3, 4].map((i) => ({ publication: ids[i], args: [i] })))
      const last = await asking.call('wamp.subscription.get_events', [subscription], { limit: 1, reverse: true }).result
      expect(last.args).toMatchObject([{ publication: ids[4], args: [4] }])
    })
  })

  describe('revocation', () => {
    test('autobahn learns why its registration and its subscription were revoked', async () => {
      await using stage = await openStage(format)
      const [theirs, ours] = [await stage.join('autobahn'), await stage.join('wampy-ts')]
      const registration = await theirs.register('com.procedure', () => 1)
      const subscription = await theirs.subscribe('com.topic', () => {})
      await ours.ask('wamp.registration.remove_callee', [registration.id, theirs.id, 'com.reason.one'])
      expect(await registration.revoked).toBe('com.reason.one')
      await ours.ask('wamp.subscription.remove_subscriber', [subscription.id, theirs.id, 'com.reason.two'])
      expect(await subscription.revoked).toBe('com.reason.two')
      await expect(ours.ask('com.procedure')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    })
  })

  describe('payload passthru mode', () => {
    const SERIALIZERS = { cbor, msgpack }
    const sent = { argsList: [...NESTED, UNICODE], argsDict: { unicode: UNICODE } }
    const schemes = ['mqtt', 'x_mine'] as const
    const keys = { ppt_cipher: 'x_cipher', ppt_keyid: 'key 1' }
    // Its JSON carries no bytes.
    const carried = FORMATS.filter((serializer) => format !== 'json' || serializer === 'json')
    const theirs = schemes.flatMap((scheme) => carried.map((serializer) => [scheme, serializer] as const))
    // In JSON its packed payload is text, where the specification requires bytes.
    const both = schemes.flatMap((scheme) =>
      (format === 'json' ? [] : (['cbor', 'msgpack'] as const)).map((serializer) => [scheme, serializer] as const),
    )

    const further = [
      ['x_mine', 'native'],
      ['mqtt', undefined],
      ...(format === 'json' ? [] : [['wamp', 'cbor'] as const]),
    ] as const

    test.each([...theirs, ...further])('%s in %s between two wampy clients', async (ppt_scheme, ppt_serializer) => {
      await using stage = await openStage(format)
      const [one, other] = [await stage.joinWampy(), await stage.joinWampy()]
      const options = { ppt_scheme, ...(ppt_serializer && { ppt_serializer }), ...keys }
      await other.register('com.echo', ({ argsList = [], argsDict = {} }) => ({ argsList, argsDict, options }))
      const result = await one.call('com.echo', sent, options)
      expect(plain(result)).toMatchObject({ ...sent, details: options })
      const inbox = new Inbox<object>()
      await other.subscribe('com.news', inbox.push)
      await one.publish('com.news', sent, options)
      expect(plain(await inbox.next())).toMatchObject({ ...sent, details: options })
    })

    test.each(both)('%s in %s between wampy and our client', async (ppt_scheme, ppt_serializer) => {
      await using stage = await openStage(format)
      const codecs = passthru(packed(ppt_scheme, SERIALIZERS[ppt_serializer], (uri) => uri.startsWith('com.')))
      const [theirs, ours] = [await stage.joinWampy(), await stage.joinOurs(codecs)]
      const options = { ppt_scheme, ppt_serializer }
      const { argsList, argsDict } = sent
      const seen: unknown[] = []
      await ours.register('com.ours', (args, kwargs, details) => {
        seen.push(args, kwargs, details.ppt_scheme)
        return args.length
      })
      expect(plain((await theirs.call('com.ours', sent, options)).argsList)).toEqual([argsList.length])
      expect(seen).toEqual([argsList, argsDict, ppt_scheme])
      await theirs.register('com.theirs', (data) => ({
        argsList: data.argsList as unknown[],
        argsDict: data.argsDict as Record<string, unknown>,
        options,
      }))
      const back = await ours.callRaw('com.theirs', argsList, argsDict)
      expect(back).toMatchObject({ args: argsList, kwargs: argsDict })

      const [toOurs, toTheirs] = [new Inbox<unknown>(), new Inbox<object>()]
      await ours.subscribe('com.news', (args, kwargs) => toOurs.push([args, kwargs]))
      await theirs.subscribe('com.news', toTheirs.push)
      await theirs.publish('com.news', sent, options)
      expect(await toOurs.next()).toEqual([argsList, argsDict])
      await ours.publish('com.news', argsList, argsDict)
      expect(plain(await toTheirs.next())).toMatchObject(sent)
    })
  })

  // wampy does not announce them in HELLO.
  describe('progressive call invocations', () => {
    const callees = {
      'wampy-ts': async (stage: Stage) => {
        const ours = await stage.joinOurs()
        await ours.register('com.sum', async function* ([first], _kwargs, _details, invocation) {
          let sum = first as number
          for await (const value of invocation.input) {
            sum += value as number
            yield sum
          }
          return sum
        })
      },
      wampy: async (stage: Stage) => {
        const wampy = await stage.joinWampy()
        let sum = 0
        await wampy.register('com.sum', ({ argsList = [], details }) => {
          sum += Number(argsList[0] ?? 0)
          return { argsList: [sum], options: { progress: details['progress'] === true } }
        })
      },
    }

    test.each(['wampy-ts', 'wampy'] as const)('a call in parts by wampy is the input of %s', async (callee) => {
      await using stage = await openStage(format)
      await callees[callee](stage)
      const wampy = await stage.joinWampy()
      const parts: unknown[] = []
      const { result, sendData } = wampy.progressiveCall('com.sum', [1], {
        progress_callback: ({ argsList = [] }) => void parts.push(...argsList),
      })
      sendData([10])
      sendData([100])
      sendData([1000], { progress: false })
      expect((await result).argsList).toEqual([1111])
      expect(parts.slice(-2)).toEqual(callee === 'wampy' ? [11, 111] : [111, 1111])
      const unasked = wampy.progressiveCall('com.sum', [1])
      unasked.sendData([2], { progress: false })
      expect((await unasked.result).argsList).toEqual([callee === 'wampy' ? 1114 : 3])
    })

    test('a call in parts by our client is the input of wampy', async () => {
      await using stage = await openStage(format)
      await callees.wampy(stage)
      const ours = await stage.joinOurs()
      expect(await ours.call('com.sum', [1], {}, { input: [10, 100] })).toBe(111)
    })
  })

  test('custom options of wampy are not a violation', async () => {
    await using stage = await openStage(format)
    const [one, other] = [await stage.joinWampy(), await stage.joinWampy()]
    const options = { _mine: { a: [1] } }
    await other.register('com.echo', ({ argsList = [] }) => ({ argsList, options }), options)
    expect((await one.call('com.echo', [1], options)).argsList).toEqual([1])
    const inbox = new Inbox<object>()
    await other.subscribe('com.news', inbox.push, options)
    await one.publish('com.news', [2], options)
    expect(await inbox.next()).toMatchObject({ argsList: [2] })
  })
})
