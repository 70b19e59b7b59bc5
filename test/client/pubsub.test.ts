/** Publisher and subscriber: handlers that share a subscription, races, and errors of handlers. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Dict, type EventDetails, INVALID_ARGUMENT, type List, WampError } from 'wampy-ts'
import {
  ABORT,
  CALL,
  ERROR,
  EVENT,
  openWorld,
  PUBLISH,
  PUBLISHED,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
} from 'wampy-ts/testing'
import {
  type Answer,
  clientOf,
  failure,
  joined,
  joinedTo,
  leavesNothing,
  next,
  until,
  uri,
  welcoming,
} from './support.ts'

leavesNothing()

/** One subscription per topic and match, like a router; and a fence. */
function broker(): Answer {
  const topics: string[] = []
  return ([code, request, options, topic], peer) => {
    if (code === SUBSCRIBE) {
      const key = `${(options as { match?: string }).match ?? 'exact'} ${topic}`
      if (!topics.includes(key)) topics.push(key)
      peer.send([SUBSCRIBED, request, 100 + topics.indexOf(key)])
    } else if (code === UNSUBSCRIBE) peer.send([UNSUBSCRIBED, request])
    else if (code === CALL) peer.send([RESULT, request, {}])
    else if (code === PUBLISH && (options as { acknowledge?: boolean }).acknowledge) peer.send([PUBLISHED, request, 5])
  }
}

const fence = 'com.example.fence'
const unsubscribes = (received: readonly (readonly unknown[])[]) => received.filter(([code]) => code === UNSUBSCRIBE)

describe('an event', () => {
  test('reaches its handler with args, kwargs and details', async () => {
    await using world = await openWorld()
    const [alice, bob] = await world.join('alice', 'bob')
    const heard: unknown[] = []
    const subscription = await bob.subscribe('com.example.tick', (...event) => heard.push(event))
    const publication = await alice.publish('com.example.tick', [1, 'two'], { three: 3 }, { acknowledge: true })
    await bob.call('com.example.nothing').catch(() => {})
    const details = { topic: 'com.example.tick', publication, subscription: subscription.id }
    expect(heard).toEqual([[[1, 'two'], { three: 3 }, details]])
  })

  test('without a payload has empty args and kwargs', async () => {
    const { client, peer } = await joined(broker())
    const heard: unknown[] = []
    await client.subscribe('com.example.t', (args, kwargs) => heard.push([args, kwargs]))
    peer.send([EVENT, 100, 1, {}], [EVENT, 100, 1, {}, []], [EVENT, 100, 1, {}, [], {}])
    await client.call(fence)
    expect(heard).toEqual([
      [[], {}],
      [[], {}],
      [[], {}],
    ])
  })

  test('of a pattern carries the published topic', async () => {
    const { client, peer } = await joined(broker())
    const heard: EventDetails[] = []
    await client.subscribe('com.example.', (_args, _kwargs, details) => heard.push(details), { match: 'prefix' })
    peer.send([EVENT, 100, 1, { topic: 'com.example.x', publisher: 5 }])
    await client.call(fence)
    expect(heard).toEqual([{ topic: 'com.example.x', publisher: 5, publication: 1, subscription: 100 }])
  })

  test('right behind SUBSCRIBED, in the same turn, reaches its handler', async () => {
    const { client, peer } = await joined()
    const heard: unknown[] = []
    const subscribed = client.subscribe('com.example.t', (args) => heard.push(...args))
    await until(() => peer.received.length === 2)
    peer.send([SUBSCRIBED, 1, 100], [EVENT, 100, 1, {}, ['first']], [EVENT, 100, 2, {}, ['second']])
    await subscribed
    await until(() => heard.length === 2)
    expect(heard).toEqual(['first', 'second'])
  })

  test('that crosses UNSUBSCRIBE is dropped, and counted', async () => {
    const { client, peer } = await joined(broker())
    const heard: unknown[] = []
    const subscription = await client.subscribe('com.example.t', () => heard.push(1))
    const done = subscription.unsubscribe()
    peer.send([EVENT, 100, 1, {}])
    await done
    peer.send([EVENT, 100, 2, {}])
    await client.call(fence)
    expect(heard).toEqual([])
    expect(client.dropped.events).toBe(2)
    expect(client.state).toBe('ready')
  })

  test('does not reach its own publisher, unless exclude_me is false', async () => {
    await using world = await openWorld()
    const [alice] = await world.join('alice')
    const heard: unknown[] = []
    await alice.subscribe('com.example.t', (args) => heard.push(...args))
    await alice.publish('com.example.t', ['not me'], {}, { acknowledge: true })
    await alice.publish('com.example.t', ['me too'], {}, { acknowledge: true, exclude_me: false })
    await alice.call('com.example.nothing').catch(() => {})
    expect(heard).toEqual(['me too'])
  })
})

describe('two handlers on one topic', () => {
  test('share one subscription: UNSUBSCRIBE is sent when the last one is removed', async () => {
    const { client, peer } = await joined(broker())
    const heard: string[] = []
    const one = await client.subscribe('com.example.t', () => heard.push('one'))
    const two = await client.subscribe('com.example.t', () => heard.push('two'))
    expect(one.id).toBe(two.id)
    peer.send([EVENT, 100, 1, {}])
    await client.call(fence)
    await one.unsubscribe()
    peer.send([EVENT, 100, 2, {}])
    await client.call(fence)
    expect(heard).toEqual(['one', 'two', 'two'])
    expect(unsubscribes(peer.received)).toEqual([])
    await two.unsubscribe()
    expect(unsubscribes(peer.received)).toEqual([[UNSUBSCRIBE, 5, 100]])
  })

  test('may be the same function twice', async () => {
    const { client, peer } = await joined(broker())
    let count = 0
    const handler = () => count++
    const one = await client.subscribe('com.example.t', handler)
    await client.subscribe('com.example.t', handler)
    peer.send([EVENT, 100, 1, {}])
    await client.call(fence)
    expect(count).toBe(2)
    await one.unsubscribe()
    peer.send([EVENT, 100, 2, {}])
    await client.call(fence)
    expect(count).toBe(3)
  })

  test('under different match policies have different subscriptions', async () => {
    const { client, peer } = await joined(broker())
    const exact = await client.subscribe('com.example.t', () => {})
    const prefix = await client.subscribe('com.example.t', () => {}, { match: 'prefix' })
    expect([exact.id, prefix.id]).toEqual([100, 101])
    await exact.unsubscribe()
    expect(unsubscribes(peer.received)).toEqual([[UNSUBSCRIBE, 3, 100]])
  })

  test('one unsubscribes while the SUBSCRIBE of the other is pending: the other keeps its events', async () => {
    const { client, peer } = await joined()
    const heard: string[] = []
    const first = client.subscribe('com.example.t', () => heard.push('one'))
    await until(() => peer.received.length === 2)
    peer.send([SUBSCRIBED, 1, 100])
    const one = await first
    const second = client.subscribe('com.example.t', () => heard.push('two'))
    await one.unsubscribe()
    await until(() => peer.received.length === 3)
    peer.send([SUBSCRIBED, 2, 100], [EVENT, 100, 1, {}])
    const two = await second
    await until(() => heard.length > 0)
    expect(heard).toEqual(['two'])
    expect(unsubscribes(peer.received)).toEqual([])
    const done = two.unsubscribe()
    await until(() => unsubscribes(peer.received).length === 1)
    peer.send([UNSUBSCRIBED, 3])
    await done
  })

  test('one unsubscribes while the SUBSCRIBE of the other is pending and is refused: nothing is left', async () => {
    const { client, peer } = await joined()
    const first = client.subscribe('com.example.t', () => {})
    await until(() => peer.received.length === 2)
    peer.send([SUBSCRIBED, 1, 100])
    const one = await first
    const second = client.subscribe('com.example.t', () => {})
    const refused = expect(second).rejects.toMatchObject({ uri: 'com.example.no' })
    await one.unsubscribe()
    await until(() => peer.received.length === 3)
    expect(unsubscribes(peer.received)).toEqual([])
    peer.send([8, 32, 2, {}, 'com.example.no'])
    await refused
    await until(() => unsubscribes(peer.received).length === 1)
    expect(unsubscribes(peer.received)).toEqual([[UNSUBSCRIBE, 3, 100]])
    peer.send([UNSUBSCRIBED, 3])
  })

  test('one subscribes while the UNSUBSCRIBE of the other is pending: it gets a subscription of its own', async () => {
    await using world = await openWorld()
    const [alice, bob] = await world.join('alice', 'bob')
    const heard: string[] = []
    const one = await bob.subscribe('com.example.t', () => heard.push('one'))
    const gone = one.unsubscribe()
    const two = await bob.subscribe('com.example.t', () => heard.push('two'))
    await gone
    await alice.publish('com.example.t', [], {}, { acknowledge: true })
    await bob.call('com.example.nothing').catch(() => {})
    expect(heard).toEqual(['two'])
    expect(world.router.stats().subscriptions).toBe(1)
    await two.unsubscribe()
    expect(world.router.stats().subscriptions).toBe(0)
  })

  test('both unsubscribe at once: one UNSUBSCRIBE', async () => {
    const { client, peer } = await joined(broker())
    const handles = await Promise.all(['one', 'two'].map(() => client.subscribe('com.example.t', () => {})))
    await Promise.all(handles.map((handle) => handle.unsubscribe()))
    expect(unsubscribes(peer.received)).toHaveLength(1)
  })

  test('after many random subscribes and unsubscribes client and router agree', async () => {
    await using world = await openWorld()
    const [alice, bob] = await world.join('alice', 'bob')
    let seed = 3
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return Math.floor((seed / 2 ** 31) * below)
    }
    const heard = new Map<string, number>()
    const settled: Promise<unknown>[] = []
    for (let step = 0; step < 300; step++) {
      const topic = `com.example.t${random(3)}`
      const held = bob.subscriptions
      const handle = held[random(held.length)]
      if (handle && random(2)) settled.push(handle.unsubscribe())
      else {
        const name = `${topic} ${step}`
        const asked = bob.subscribe(topic, () => heard.set(name, (heard.get(name) ?? 0) + 1))
        settled.push(asked.catch(() => {}))
      }
      if (random(3) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(settled)
    const held = bob.subscriptions
    expect(world.router.stats().subscriptions).toBe(new Set(held.map(({ uri }) => uri)).size)
    for (const topic of [0, 1, 2]) await alice.publish(`com.example.t${topic}`, [], {}, { acknowledge: true })
    await bob.call('com.example.nothing').catch(() => {})
    expect(heard.size).toBe(held.length)
    expect([...heard.values()].every((times) => times === 1)).toBe(true)
    await Promise.all(held.map((handle) => handle.unsubscribe()))
    expect(world.router.stats().subscriptions).toBe(0)
  })
})

describe('a retained event', () => {
  test('reaches the handler that requested it, even if the subscription already existed', async () => {
    await using world = await openWorld()
    const [alice, bob] = await world.join('alice', 'bob')
    await alice.publish('com.example.t', ['kept'], {}, { retain: true, acknowledge: true })
    const heard: unknown[] = []
    const handler = (name: string) => (args: List, _kwargs: Dict, details: EventDetails) => {
      heard.push([name, args[0], details.retained])
    }
    const fenced = async () => {
      await bob.call('com.example.nothing').catch(() => {})
      return heard.splice(0)
    }
    await bob.subscribe('com.example.t', handler('one'), { get_retained: true })
    expect(await fenced()).toEqual([['one', 'kept', true]])
    await bob.subscribe('com.example.t', handler('two'))
    expect(await fenced()).toEqual([])
    const three = await bob.subscribe('com.example.t', handler('three'), { get_retained: true })
    expect(await fenced()).toEqual([['three', 'kept', true]])
    // The third one is not the latest any more.
    await three.unsubscribe()
    await Promise.all(['four', 'five'].map((it) => bob.subscribe('com.example.t', handler(it), { get_retained: true })))
    expect(await fenced()).toEqual([
      ['four', 'kept', true],
      ['five', 'kept', true],
    ])
    await alice.publish('com.example.t', ['live'], {}, { acknowledge: true })
    expect(await fenced()).toEqual(['one', 'two', 'four', 'five'].map((it) => [it, 'live', undefined]))
    expect(world.router.stats().subscriptions).toBe(1)
  })

  test('reaches each handler that requested it again after a loss; an unrequested one reaches all', async () => {
    const router = welcoming(([code, request, options], peer) => {
      if (code !== SUBSCRIBE) return
      peer.send([SUBSCRIBED, request, 100])
      if ((options as { get_retained?: true }).get_retained) peer.send([EVENT, 100, 7, { retained: true }])
    })
    const client = clientOf(router, { reconnect: { initial: 1 } })
    await client.start()
    const heard: string[] = []
    const wants = { get_retained: true }
    await client.subscribe('com.example.t', () => heard.push('one'), wants)
    await client.subscribe('com.example.t', () => heard.push('two'))
    await client.subscribe('com.example.t', () => heard.push('three'), wants)
    router.peers[0]?.terminate()
    await next(client, 'ready')
    await until(() => heard.length === 4)
    expect(heard.splice(0)).toEqual(['one', 'three', 'one', 'three'])
    for (const handle of client.subscriptions.filter(({ options }) => options.get_retained)) await handle.unsubscribe()
    await client.subscribe('com.example.t', () => heard.push('four'))
    router.peers[1]?.send([EVENT, 100, 8, { retained: true }])
    await until(() => heard.length === 2)
    expect(heard).toEqual(['two', 'four'])
    await client.stop()
  })
})

describe('a handle', () => {
  test('is in client.subscriptions until it is ended', async () => {
    const { client } = await joined(broker())
    const asked = client.subscribe('com.example.t', () => {}, { get_retained: true })
    expect(client.subscriptions.map(({ state }) => state)).toEqual(['pending'])
    const handle = await asked
    expect(client.subscriptions).toEqual([handle])
    expect(handle).toMatchObject({
      uri: 'com.example.t',
      options: { get_retained: true },
      state: 'active',
      id: 100,
    })
    await handle.unsubscribe()
    expect(client.subscriptions).toEqual([])
    expect(handle).toMatchObject({ state: 'closed', id: undefined })
  })

  test('may be ended any number of times, also after stop()', async () => {
    const { client, peer } = await joined(broker())
    const handle = await client.subscribe('com.example.t', () => {})
    await Promise.all([handle.unsubscribe(), handle.unsubscribe()])
    await handle.unsubscribe()
    expect(unsubscribes(peer.received)).toHaveLength(1)
    const other = await client.subscribe('com.example.t', () => {})
    await client.stop()
    await other.unsubscribe()
    await other.unsubscribe()
    expect(other.state).toBe('closed')
  })

  test('that is ended before it is granted rejects its promise', async () => {
    const { client, peer } = await joined()
    const asked = failure(client.subscribe('com.example.t', () => {}))
    await until(() => peer.received.length === 2)
    const gone = client.subscriptions[0]?.unsubscribe()
    expect(await asked).toEqual(uri('wamp.error.canceled'))
    peer.send([SUBSCRIBED, 1, 100])
    await until(() => peer.received.length === 3)
    expect(peer.received[2]).toEqual([UNSUBSCRIBE, 2, 100])
    peer.send([UNSUBSCRIBED, 2])
    await gone
  })

  test('that the router no longer knows can still be ended', async () => {
    const { client } = await joined((message, peer) => {
      if (message[0] === UNSUBSCRIBE) {
        peer.send([ERROR, UNSUBSCRIBE, message[1], {}, 'wamp.error.no_such_subscription'])
      } else broker()(message, peer)
    })
    const handle = await client.subscribe('com.example.t', () => {})
    await handle.unsubscribe()
    expect(handle.state).toBe('closed')
  })

  test('is ended, and its promise resolves, if the connection is lost before the router answers', async () => {
    const { client, peer } = await joined((message, to) => message[0] === SUBSCRIBE && broker()(message, to))
    const handle = await client.subscribe('com.example.t', () => {})
    const gone = handle.unsubscribe()
    await until(() => unsubscribes(peer.received).length === 1)
    peer.terminate()
    await gone
    expect(client.subscriptions).toEqual([])
  })
})

describe('an error thrown by a handler', () => {
  for (const [way, handler] of Object.entries({
    'at once': () => {
      throw new Error('boom')
    },
    'in its promise': async () => {
      throw new Error('boom')
    },
  })) {
    test(`${way}: is reported by the event error, and affects neither the session nor other handlers`, async () => {
      const { client, peer } = await joined(broker())
      const heard: unknown[] = []
      await client.subscribe('com.example.t', handler)
      await client.subscribe('com.example.t', (args) => heard.push(...args))
      const errors: unknown[] = []
      client.on('error', (error) => errors.push(error))
      peer.send([EVENT, 100, 1, {}, [1]], [EVENT, 100, 2, {}, [2]])
      await client.call(fence)
      expect(heard).toEqual([1, 2])
      expect(errors).toEqual([new Error('boom'), new Error('boom')])
      expect(client.state).toBe('ready')
    })
  }

  test('is printed on the console without a listener', async () => {
    const { client, peer } = await joined(broker())
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    await client.subscribe('com.example.t', () => {
      throw new Error('boom')
    })
    peer.send([EVENT, 100, 1, {}])
    await client.call(fence)
    expect(printed.mock.calls).toEqual([[new Error('boom')]])
    printed.mockRestore()
  })

  test('and an error of the listener of error do no harm', async () => {
    const { client, peer } = await joined(broker())
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    client.on('error', () => {
      throw new Error('worse')
    })
    await client.subscribe('com.example.t', () => {
      throw new Error('boom')
    })
    peer.send([EVENT, 100, 1, {}])
    await client.call(fence)
    expect(client.state).toBe('ready')
    expect(printed).toHaveBeenCalledWith(new Error('worse'))
    printed.mockRestore()
  })

  test('a handler may unsubscribe itself, and others, while it runs', async () => {
    const { client, peer } = await joined(broker())
    const heard: string[] = []
    const one = await client.subscribe('com.example.t', () => {
      heard.push('one')
      void one.unsubscribe()
      void two.unsubscribe()
    })
    const two = await client.subscribe('com.example.t', () => heard.push('two'))
    peer.send([EVENT, 100, 1, {}], [EVENT, 100, 2, {}])
    await client.call(fence)
    expect(heard).toEqual(['one'])
  })
})

describe('publish', () => {
  test('resolves to undefined without acknowledge, otherwise to the publication id', async () => {
    const { client, peer } = await joined(broker())
    expect(await client.publish('com.example.t', [1])).toBeUndefined()
    expect(await client.publish('com.example.t', [], { a: 1 }, { acknowledge: true, exclude: [5], _x: 1 })).toBe(5)
    expect(await client.publish('com.example.t')).toBeUndefined()
    await client.call(fence)
    expect(peer.received.slice(1, 4)).toEqual([
      [PUBLISH, 1, {}, 'com.example.t', [1]],
      [PUBLISH, 2, { acknowledge: true, exclude: [5], _x: 1 }, 'com.example.t', [], { a: 1 }],
      [PUBLISH, 3, {}, 'com.example.t'],
    ])
  })

  test('turns single values of the audience options into lists, and keeps absent and empty lists apart', async () => {
    const { client, peer } = await joined(broker())
    const lists = {
      exclude: 5,
      eligible: [],
      exclude_authid: 'ann',
      eligible_authid: ['bob'],
      eligible_authrole: 'user',
    }
    await client.publish('com.example.t', [], {}, { ...lists, exclude_authrole: undefined })
    await client.call(fence)
    expect(peer.received[1]?.[2]).toEqual({
      exclude: [5],
      eligible: [],
      exclude_authid: ['ann'],
      eligible_authid: ['bob'],
      eligible_authrole: ['user'],
    })
  })

  describe('to a broker that does not announce subscriber_blackwhite_listing', () => {
    const lists = [
      { eligible: [1] },
      { exclude: 1 },
      { eligible_authid: [] },
      { exclude_authid: ['ann'] },
      { eligible_authrole: 'user' },
      { exclude_authrole: ['user'], acknowledge: true },
    ] as const

    test.each(lists)('%j is reported by the event warning, and sent', async (options) => {
      const { client, peer } = await joinedTo([], broker())
      const warnings: WampError[] = []
      client.on('warning', (warning) => warnings.push(warning))
      await client.publish('com.example.t', [], {}, { ...options, exclude_me: false })
      await client.publish('com.example.t', [], {}, { exclude_me: false, eligible: undefined })
      await client.call(fence)
      expect(warnings).toMatchObject([
        {
          uri: 'wamp.error.feature_not_supported',
          message: expect.stringMatching(
            `^the broker ignores ${Object.keys(options)[0]} and sends com.example.t to all`,
          ),
        },
      ])
      expect(peer.received.filter(([code]) => code === PUBLISH)).toHaveLength(2)
    })

    test.each(lists)('%j with mandatory fails, and nothing is sent', async (options) => {
      const { client, peer } = await joinedTo([], broker())
      const failed = await failure(client.publish('com.example.t', [], {}, { ...options, mandatory: true }))
      expect(failed).toMatchObject({ uri: 'wamp.error.feature_not_supported', sent: false })
      await client.publish('com.example.t', [], {}, { mandatory: true })
      await client.call(fence)
      expect(peer.received.filter(([code]) => code === PUBLISH)).toEqual([[PUBLISH, 1, {}, 'com.example.t', [], {}]])
    })

    test('without a listener, the console is warned once in each session', async () => {
      const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
      onTestFinished(() => warned.mockRestore())
      const { client } = await joinedTo([], broker())
      await client.publish('com.example.t', [], {}, { eligible: [1], exclude: [2] })
      await client.publish('com.example.t', [], {}, { eligible: [1] })
      expect(warned.mock.calls).toEqual([[expect.stringContaining('ignores eligible, exclude and sends')]])
    })
  })

  test('kwargs alone are sent after an empty list', async () => {
    const { client, peer } = await joined(broker())
    await client.publish('com.example.t', undefined, { a: 1 })
    await client.call(fence)
    expect(peer.received[1]).toEqual([PUBLISH, 1, {}, 'com.example.t', [], { a: 1 }])
  })

  test('rejects on a refusal only if acknowledge was set', async () => {
    await using world = await openWorld()
    const [alice] = await world.join('alice')
    expect(await failure(alice.publish('wamp.mine', [], {}, { acknowledge: true }))).toBeInstanceOf(WampError)
    expect(await alice.publish('wamp.mine')).toBeUndefined()
    expect(alice.state).toBe('ready')
  })

  test('with a signal that is already aborted sends nothing', async () => {
    const { client, peer } = await joined(broker())
    const error = await failure(client.publish('com.example.t', [], {}, { signal: AbortSignal.abort('why') }))
    expect(error).toMatchObject({ uri: 'wamp.error.canceled', cause: 'why', sent: false })
    await client.call(fence)
    expect(peer.received.map(([code]) => code)).not.toContain(PUBLISH)
  })

  test('refuses a value that no serializer can represent, names its place, and sends nothing', async () => {
    const { client, peer } = await joined(broker())
    const error = await failure(client.publish('com.example.t', [{ user: { name: () => 'joe' } }]))
    expect(error).toMatchObject({ uri: INVALID_ARGUMENT, message: expect.stringContaining('args[0].user.name') })
    const kwargs = await failure(client.publish('com.example.t', [], { list: [1, Symbol('x')] }, { acknowledge: true }))
    expect(kwargs).toMatchObject({ uri: INVALID_ARGUMENT, message: expect.stringContaining('kwargs.list[1]') })
    await client.publish('com.example.t', [1])
    await client.call(fence)
    expect(peer.received.slice(1)).toEqual([
      [PUBLISH, 1, {}, 'com.example.t', [1]],
      [CALL, 2, {}, fence],
    ])
  })
})

test('events of one publisher arrive in the order of publication', async () => {
  await using world = await openWorld({ link: 'wires' })
  const [alice, bob] = await world.join('alice', 'bob')
  const heard: unknown[] = []
  await bob.subscribe('com.example.t', (args) => heard.push(...args))
  const numbers = Array.from({ length: 200 }, (_, i) => i)
  await Promise.all(numbers.map((i) => alice.publish('com.example.t', [i])))
  await alice.publish('com.example.t', [200], {}, { acknowledge: true })
  await bob.call('com.example.nothing').catch(() => {})
  expect(heard).toEqual([...numbers, 200])
})

test('a subscriber that its router aborts learns the reason', async () => {
  const { client, peer } = await joined(broker())
  const lost = next(client, 'lost')
  peer.send([ABORT, { message: 'too many events' }, 'com.example.limit'])
  expect((await lost)[0]).toMatchObject({ uri: 'com.example.limit', message: 'too many events' })
})
