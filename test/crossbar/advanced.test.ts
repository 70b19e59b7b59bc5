/** The Advanced Profile of our client against Crossbar.io, as far as it supports it. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  addTestament,
  type CancelMode,
  type ClientOptions,
  flushTestaments,
  getEvents,
  type PublishOptions,
  packed,
  passthru,
  RpcClient,
  type Subscription,
  WampClient,
  WampError,
} from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { Inbox } from '../interop/actors.ts'
import { type Crossbar, REMEMBERING, startCrossbar } from './crossbar.ts'

let crossbar: Crossbar
beforeAll(async () => {
  crossbar = await startCrossbar()
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())

interface Joined extends AsyncDisposable {
  readonly clients: WampClient[]
}

/** Clients that have joined, and leave at the end. */
async function joined(count: number, options: ClientOptions = {}): Promise<Joined> {
  const make = () => new WampClient({ reconnect: false, ...options, router: crossbar.url })
  const clients = Array.from({ length: count }, make)
  await Promise.all(clients.map((client) => client.start()))
  return {
    clients,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.stop()))
    },
  }
}

type Two = [WampClient, WampClient]
type Three = [WampClient, WampClient, WampClient]

const ACKNOWLEDGED = { acknowledge: true } as const

describe('progressive call results', () => {
  async function* count([to]: readonly unknown[]) {
    for (let i = 1; i <= (to as number); i++) yield i
    return 'done'
  }

  test('the yields of a generator arrive in a loop, followed by its result', async () => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    await callee.register('com.count', count)
    const counting = caller.progress<number>('com.count', [50])
    const parts: number[] = []
    for await (const part of counting) parts.push(part)
    expect(parts).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    expect(await counting.result).toBe('done')
  })

  test('onProgress receives the parts of invocation.progress; without it only the result is sent', async () => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    await callee.register('com.tell', (_args, _kwargs, _details, invocation) => [
      invocation.wantsProgress,
      invocation.progress([1], { half: true }),
    ])
    const parts: unknown[] = []
    const onProgress = (args: unknown, kwargs: unknown) => parts.push([args, kwargs])
    expect(await caller.call('com.tell', [], {}, { onProgress })).toEqual([true, true])
    expect(await caller.call('com.tell')).toEqual([false, false])
    expect(parts).toEqual([[[1], { half: true }]])
  })
})

describe('canceling', () => {
  // The answer does not reach the caller: in any mode Crossbar.io answers `wamp.error.canceled`.
  test.each([
    ['kill', 'and waits for it', false],
    ['killnowait', 'and does not wait for it', true],
  ] as const)('%s aborts the signal of the procedure %s', async (cancelMode, _text, early) => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    const [invoked, interrupted] = [new Inbox<boolean>(), new Inbox<{ reason: unknown; answer: () => void }>()]
    await callee.register('com.hold', (_args, _kwargs, _details, { signal }) => {
      return new Promise((_resolve, reject) => {
        const answer = () => reject(new WampError('com.error.stopped'))
        signal.addEventListener('abort', () => interrupted.push({ reason: signal.reason, answer }))
        invoked.push(true)
      })
    })
    const stop = new AbortController()
    let settled = false
    const failed = caller.call('com.hold', [], {}, { signal: stop.signal, cancelMode }).catch((error) => {
      settled = true
      return error
    })
    await invoked.next()
    stop.abort()
    const { reason, answer } = await interrupted.next()
    expect(reason).toMatchObject({ uri: 'wamp.error.canceled' })
    // This arrives after a possible answer.
    expect(await caller.call('wamp.session.count')).toBe(2)
    expect(settled).toBe(early)
    answer()
    expect(await failed).toMatchObject({ uri: 'wamp.error.canceled' })
    expect(await caller.call('wamp.session.count')).toBe(2)
  })

  test('skip lets the procedure continue, and its late answer is dropped', async () => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    const invoked = new Inbox<{ signal: AbortSignal; finish: () => void }>()
    await callee.register('com.hold', (_args, _kwargs, _details, { signal }) => {
      return new Promise((resolve) => invoked.push({ signal, finish: () => resolve('late') }))
    })
    await callee.register('com.echo', (args) => args[0])
    const stop = new AbortController()
    const cancelMode: CancelMode = 'skip'
    const failed = caller.call('com.hold', [], {}, { signal: stop.signal, cancelMode }).catch((error) => error)
    const { signal, finish } = await invoked.next()
    stop.abort()
    expect(await failed).toMatchObject({ uri: 'wamp.error.canceled' })
    expect(await caller.call('com.echo', [1])).toBe(1)
    expect(signal.aborted).toBe(false)
    finish()
    expect(await caller.call('com.echo', [2])).toBe(2)
  })

  test('leaving a progress loop cancels the call', async () => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    const interrupted = new Inbox<unknown>()
    await callee.register('com.endless', (_args, _kwargs, _details, invocation) => {
      return new Promise((_resolve, reject) => {
        invocation.signal.addEventListener('abort', () => {
          interrupted.push(invocation.signal.reason)
          reject(invocation.signal.reason)
        })
        invocation.progress([1])
      })
    })
    for await (const part of caller.progress('com.endless')) {
      expect(part).toBe(1)
      break
    }
    expect(await interrupted.next()).toMatchObject({ uri: 'wamp.error.canceled' })
  })
})

describe('call timeouts', () => {
  test("a call times out by the client's own timer, since Crossbar.io does not announce timeouts", async () => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    expect(caller.session.roles['dealer']?.features?.['call_timeout'] ?? false).toBe(false)
    await callee.register('com.never', () => new Promise(() => {}))
    await expect(caller.call('com.never', [], {}, { timeout: 20 })).rejects.toMatchObject({ uri: 'wamp.error.timeout' })
  })
})

describe('pattern-based registration', () => {
  test('prefix and wildcard receive matching calls with their procedure', async () => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    await callee.register('com.app.', (_args, _kwargs, _details, { procedure }) => `prefix ${procedure}`, {
      match: 'prefix',
    })
    await callee.register('com..get', (_args, _kwargs, _details, { procedure }) => `wildcard ${procedure}`, {
      match: 'wildcard',
    })
    await callee.register('com.app.exact', () => 'exact')
    expect(await caller.call('com.app.a.b')).toBe('prefix com.app.a.b')
    expect(await caller.call('com.other.get')).toBe('wildcard com.other.get')
    expect(await caller.call('com.app.exact')).toBe('exact')
    await expect(caller.call('com.other.set')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
  })
})

describe('pattern-based subscription', () => {
  test('prefix and wildcard receive matching events with their topic', async () => {
    await using world = await joined(2)
    const [publisher, subscriber] = world.clients as Two
    const [prefix, wildcard] = [new Inbox<unknown>(), new Inbox<unknown>()]
    await subscriber.subscribe('com.app.', (args, _kwargs, { topic }) => prefix.push([args[0], topic]), {
      match: 'prefix',
    })
    await subscriber.subscribe('com..changed', (args, _kwargs, { topic }) => wildcard.push([args[0], topic]), {
      match: 'wildcard',
    })
    await publisher.publish('com.app.a.b', [1], {}, ACKNOWLEDGED)
    await publisher.publish('com.other.changed', [2], {}, ACKNOWLEDGED)
    await publisher.publish('org.app.changed', ['nobody hears'], {}, ACKNOWLEDGED)
    await publisher.publish('com.app.changed', [3], {}, ACKNOWLEDGED)
    expect([await prefix.next(), await prefix.next()]).toEqual([
      [1, 'com.app.a.b'],
      [3, 'com.app.changed'],
    ])
    expect([await wildcard.next(), await wildcard.next()]).toEqual([
      [2, 'com.other.changed'],
      [3, 'com.app.changed'],
    ])
  })
})

describe('shared registration', () => {
  const answersOf = async (invoke: 'roundrobin' | 'first' | 'last' | 'random', count: number) => {
    await using world = await joined(4)
    const [caller, ...callees] = world.clients as [WampClient, ...WampClient[]]
    for (const [i, callee] of callees.entries()) await callee.register('com.which', () => i, { invoke })
    const answers: unknown[] = []
    for (let i = 0; i < count; i++) answers.push(await caller.call('com.which'))
    return answers
  }

  test('roundrobin calls the callees in turn', async () => {
    const answers = (await answersOf('roundrobin', 9)) as number[]
    // The first callee is not specified.
    expect(answers.map((answer) => (answer - (answers[0] as number) + 3) % 3)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
  })

  test('first and last always call the same callee, random calls each of them', async () => {
    expect(await answersOf('first', 4)).toEqual([0, 0, 0, 0])
    expect(await answersOf('last', 4)).toEqual([2, 2, 2, 2])
    expect(new Set(await answersOf('random', 100))).toEqual(new Set([0, 1, 2]))
  })

  test('a different policy is refused', async () => {
    await using world = await joined(2)
    const [one, other] = world.clients as Two
    await one.register('com.which', () => 1, { invoke: 'first' })
    await expect(other.register('com.which', () => 2, { invoke: 'last' })).rejects.toMatchObject({
      uri: 'wamp.error.procedure_exists_with_different_invocation_policy',
    })
  })
})

describe('concurrency', () => {
  test('a call beyond the concurrency of the callee is refused, until another one has ended', async () => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    const invoked = new Inbox<() => void>()
    await callee.register('com.hold', () => new Promise((resolve) => invoked.push(() => resolve('done'))), {
      concurrency: 1,
    })
    const first = caller.call('com.hold')
    const finish = await invoked.next()
    await expect(caller.call('com.hold')).rejects.toMatchObject({ uri: 'crossbar.error.max_concurrency_reached' })
    finish()
    expect(await first).toBe('done')
    const second = caller.call('com.hold')
    const again = await invoked.next()
    again()
    expect(await second).toBe('done')
  })
})

describe('registration revocation', () => {
  test('force_reregister takes the procedure over, and closes the handle of its former callee', async () => {
    await using world = await joined(3)
    const [caller, one, other] = world.clients as Three
    const lost = await one.register('com.mine', () => 'one')
    expect(await caller.call('com.mine')).toBe('one')
    await other.register('com.mine', () => 'other', { force_reregister: true })
    expect(await caller.call('com.mine')).toBe('other')
    await expect.poll(() => lost.state, { interval: 5 }).toBe('closed')
    expect(lost.error).toMatchObject({ uri: 'wampy.error.revoked' })
  })

  // A failure means that Crossbar.io was fixed: then the handle closes, as that of a subscription does below.
  test('wamp.registration.remove_callee fails in Crossbar.io 26.10, for any caller', async () => {
    await using world = await joined(2)
    const [caller, callee] = world.clients as Two
    const kept = await callee.register('com.mine', () => 'one')
    await expect(
      caller.call('wamp.registration.remove_callee', [kept.id, callee.session.id, 'com.reason']),
    ).rejects.toThrow("'NoneType' object has no attribute 'forward_for'")
    expect(kept.error).toBe(undefined)
  })

  test('wamp.subscription.remove_subscriber closes the handle', async () => {
    await using world = await joined(2)
    const [caller, subscriber] = world.clients as Two
    const lost = await subscriber.subscribe('com.news', () => {})
    await caller.call('wamp.subscription.remove_subscriber', [lost.id, subscriber.session.id])
    await expect.poll(() => lost.state, { interval: 5 }).toBe('closed')
    expect(lost.error).toMatchObject({ uri: 'wampy.error.revoked' })
    expect(subscriber.subscriptions).toEqual([])
  })
})

describe('caller and publisher identification', () => {
  test('the role discloses session, authid and authrole', async () => {
    await using world = await joined(2)
    const [one, other] = world.clients as Two
    await other.register('com.who', (_args, _kwargs, _details, it) => [it.caller, it.callerAuthid, it.callerAuthrole])
    const { id, authid, authrole } = one.session
    expect(await one.call('com.who')).toEqual([id, authid, authrole])
    const inbox = new Inbox<unknown>()
    await other.subscribe('com.news', (_args, _kwargs, details) =>
      inbox.push([details.publisher, details.publisher_authid, details.publisher_authrole]),
    )
    await one.publish('com.news', [], {}, ACKNOWLEDGED)
    expect(await inbox.next()).toEqual([id, authid, authrole])
  })
})

describe('black- and whitelisting, and publisher exclusion', () => {
  test('each list excludes or includes the sessions that it names', async () => {
    await using world = await joined(3)
    const [publisher, a, b] = world.clients as Three
    const heard: [unknown[], unknown[]] = [[], []]
    const end = new Inbox<number>()
    for (const [i, client] of [a, b].entries()) {
      await client.subscribe('com.news', (args) => heard[i]?.push(args[0]))
      await client.subscribe('com.end', () => end.push(i))
    }
    const publish = (text: string, options: PublishOptions) =>
      publisher.publish('com.news', [text], {}, { ...options, ...ACKNOWLEDGED })
    const authrole = a.session.authrole as string
    await publish('exclude a', { exclude: a.session.id })
    await publish('eligible a', { eligible: [a.session.id] })
    await publish('exclude authid b', { exclude_authid: b.session.authid })
    await publish('eligible authid b', { eligible_authid: [b.session.authid as string] })
    await publish('exclude authrole', { exclude_authrole: authrole })
    await publish('eligible authrole', { eligible_authrole: [authrole] })
    await publisher.publish('com.end', [], {}, ACKNOWLEDGED)
    await end.next()
    await end.next()
    expect(heard).toEqual([
      ['eligible a', 'exclude authid b', 'eligible authrole'],
      ['exclude a', 'eligible authid b', 'eligible authrole'],
    ])
  })

  test('exclude_me: false delivers the event to its publisher as well', async () => {
    await using world = await joined(1)
    const [client] = world.clients as unknown as [WampClient]
    const inbox = new Inbox<unknown>()
    await client.subscribe('com.news', (args) => inbox.push(args[0]))
    await client.publish('com.news', ['not mine'], {}, ACKNOWLEDGED)
    const id = await client.publish('com.news', ['mine'], {}, { ...ACKNOWLEDGED, exclude_me: false })
    expect(id).toEqual(expect.any(Number))
    expect(await inbox.next()).toBe('mine')
  })
})

describe('event retention', () => {
  test('the last retained event reaches a subscriber that requests it', async () => {
    await using world = await joined(2)
    const [publisher, subscriber] = world.clients as Two
    // Crossbar.io keeps only publications with `retain` for a topic without subscribers.
    const topic = `com.state.x${publisher.session.id}`
    await publisher.publish(topic, ['old'], {}, { ...ACKNOWLEDGED, retain: true })
    await publisher.publish(topic, ['now'], {}, { ...ACKNOWLEDGED, retain: true })
    const inbox = new Inbox<unknown>()
    await subscriber.subscribe(topic, (args, _kwargs, { retained = false }) => inbox.push([args[0], retained]), {
      get_retained: true,
    })
    expect(await inbox.next()).toEqual(['now', true])
    await publisher.publish(topic, ['live'], {}, ACKNOWLEDGED)
    expect(await inbox.next()).toEqual(['live', false])
    // A second handler shares the subscription, and receives the retained event alone.
    await subscriber.subscribe(topic, (args, _kwargs, { retained = false }) => inbox.push([args[0], retained, 2]), {
      get_retained: true,
    })
    expect(await inbox.next()).toEqual(['now', true, 2])
    await publisher.publish(topic, ['on'], {}, ACKNOWLEDGED)
    expect([await inbox.next(), await inbox.next()]).toEqual([
      ['on', false],
      ['on', false, 2],
    ])
  })
})

describe('meta API', () => {
  test('entrypoints lists callable procedures', async () => {
    await using world = await joined(1)
    const [callee] = world.clients as [WampClient]
    await using asking = new RpcClient({ router: crossbar.url })
    const exact = await callee.register('com.exact', () => 1)
    const prefix = await callee.register('com.some.', () => 1, { match: 'prefix', invoke: 'roundrobin' })
    const created = expect.any(String)
    const entries = (await asking.entrypoints()).filter(({ uri }) => uri.startsWith('com.'))
    expect(entries).toHaveLength(2)
    expect(entries).toContainEqual(
      expect.objectContaining({ id: exact.id, uri: 'com.exact', match: 'exact', invoke: 'single', created }),
    )
    expect(entries).toContainEqual(
      expect.objectContaining({ id: prefix.id, uri: 'com.some.', match: 'prefix', invoke: 'roundrobin', created }),
    )
  })

  test('sessions, callees and subscribers are counted, listed and described', async () => {
    await using world = await joined(2)
    const [asking, other] = world.clients as Two
    const ids = [asking.session.id, other.session.id]
    expect(await asking.call('wamp.session.count')).toBe(2)
    expect(new Set(await asking.call<number[]>('wamp.session.list'))).toEqual(new Set(ids))
    expect(await asking.call('wamp.session.get', [other.session.id])).toMatchObject({
      session: other.session.id,
      authid: other.session.authid,
      authrole: other.session.authrole,
    })
    const registration = await other.register('com.procedure', () => 1)
    expect(await asking.call('wamp.registration.lookup', ['com.procedure'])).toBe(registration.id)
    expect(await asking.call('wamp.registration.match', ['com.procedure'])).toBe(registration.id)
    expect(await asking.call('wamp.registration.count_callees', [registration.id])).toBe(1)
    expect(await asking.call('wamp.registration.list_callees', [registration.id])).toEqual([other.session.id])
    const subscription = await other.subscribe('com.topic', () => {})
    expect(await asking.call('wamp.subscription.lookup', ['com.topic'])).toBe(subscription.id)
    expect(await asking.call('wamp.subscription.count_subscribers', [subscription.id])).toBe(1)
    expect(await asking.call('wamp.subscription.list_subscribers', [subscription.id])).toEqual([other.session.id])
  })

  test('meta events report sessions, registrations and subscriptions', async () => {
    await using world = await joined(1)
    const [watching] = world.clients as unknown as [WampClient]
    const inbox = new Inbox<unknown[]>()
    for (const topic of ['session.on_join', 'session.on_leave', 'registration.on_create', 'registration.on_delete']) {
      await watching.subscribe(`wamp.${topic}`, (args) => inbox.push([topic, ...args]))
    }
    await using others = await joined(1)
    const [other] = others.clients as unknown as [WampClient]
    const { id } = other.session
    expect(await inbox.next()).toMatchObject(['session.on_join', { session: id }])
    const registration = await other.register('com.procedure', () => 1)
    const registered = registration.id
    expect(await inbox.next()).toMatchObject(['registration.on_create', id, { id: registered, uri: 'com.procedure' }])
    await registration.unregister()
    expect(await inbox.next()).toEqual(['registration.on_delete', id, registered])
    await other.stop()
    expect((await inbox.next()).slice(0, 2)).toEqual(['session.on_leave', id])
  })

  test('wamp.session.kill ends a session with its reason', async () => {
    await using world = await joined(2)
    const [one, other] = world.clients as Two
    const stopped = new Promise<WampError | undefined>((resolve) => other.on('stopped', resolve))
    await one.call('wamp.session.kill', [other.session.id], { reason: 'com.reason', message: 'enough' })
    expect((await stopped)?.uri).toBe('com.reason')
  })
})

describe('testaments', () => {
  test('a testament is published when its session has ended, unless it was flushed', async () => {
    await using world = await joined(2)
    const [mortal, heir] = world.clients as Two
    const inbox = new Inbox<unknown>()
    await heir.subscribe('com.will', (args, kwargs) => inbox.push([args, kwargs]))
    await addTestament(mortal, 'com.will', ['forgotten'])
    await addTestament(mortal, 'com.will', ['forgotten too'], {}, { scope: 'detached' })
    await flushTestaments(mortal)
    await flushTestaments(mortal, { scope: 'detached' })
    const publish_options = { eligible: heir.session.id, acknowledge: true }
    await addTestament(mortal, 'com.will', ['kept'], { n: 1 }, { publish_options })
    await mortal.stop()
    expect(await inbox.next()).toEqual([['kept'], { n: 1 }])
    expect(inbox.waiting).toEqual([])
  })
})

describe('event history', () => {
  test('returns the last events of a topic with a store', async () => {
    await using world = await joined(2, { realm: REMEMBERING })
    const [publisher, asking] = world.clients as Two
    const ids: unknown[] = []
    const inbox = new Inbox<unknown>()
    // It stores an event once per subscriber.
    await asking.subscribe('com.remembered', (args) => inbox.push(args[0]))
    for (let i = 0; i < 5; i++) ids.push(await publisher.publish('com.remembered', [i], {}, ACKNOWLEDGED))
    for (let i = 0; i < 5; i++) expect(await inbox.next()).toBe(i)
    const [subscription] = asking.subscriptions
    const past = (...kept: number[]) =>
      kept.map((i) => ({
        topic: 'com.remembered',
        publication: ids[i],
        args: [i],
        timestamp: expect.stringMatching(/^20.*Z$/),
      }))
    for (const of of ['com.remembered', subscription as Subscription, subscription?.id as number]) {
      expect(await getEvents(asking, of)).toMatchObject(past(2, 3, 4))
    }
    expect(await getEvents(asking, 'com.remembered', { limit: 2 })).toMatchObject(past(3, 4))
    // It accepts only a limit.
    await expect(getEvents(asking, 'com.remembered', { reverse: true })).rejects.toThrow('unexpected keyword argument')
  })
})

describe('payload passthru mode', () => {
  test('a payload that must be encoded is not sent to Crossbar.io, which does not announce the mode', async () => {
    const codecs = passthru(packed('x_mine', cbor, () => true))
    await using world = await joined(1, { serializers: [cbor], codecs })
    const [client] = world.clients as unknown as [WampClient]
    const refused = { uri: 'wamp.error.feature_not_supported', sent: false }
    await expect(client.call('com.procedure', ['secret'])).rejects.toMatchObject(refused)
    await expect(client.publish('com.topic', ['secret'])).rejects.toMatchObject(refused)
    await expect(addTestament(client, 'com.topic', ['secret'])).rejects.toMatchObject(refused)
  })
})

describe('progressive call invocations', () => {
  test('an input is not sent to Crossbar.io, which does not accept calls in parts', async () => {
    await using world = await joined(1)
    const [client] = world.clients as unknown as [WampClient]
    await expect(client.call('com.sum', [], {}, { input: [1, 2] })).rejects.toMatchObject({
      uri: 'wamp.error.feature_not_supported',
      sent: false,
    })
  })
})
