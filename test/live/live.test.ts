/** The stores over a client: what they show, what they send, and that they leave nothing behind. */

import { describe, expect, test, vi } from 'vitest'
import { type Gap, REVOKED, RpcClient, WampError } from 'wampy-ts'
import {
  type Live,
  liveCall,
  liveConnection,
  liveEvents,
  liveStream,
  liveSubscription,
  type StreamState,
} from 'wampy-ts/live'
import { CALL, CANCEL, RESULT, SUBSCRIBE, scriptedRouter, UNSUBSCRIBE, UNSUBSCRIBED } from 'wampy-ts/testing'
import { clientOf, gate, granting, joinedTo, leavesNothing, until, uri, welcoming } from '../client/support.ts'
import { isFree, openStage } from './stage.ts'

leavesNothing()

/** Listens to a store; `values` has every value that it has shown. */
function listen<T>(store: Live<T>) {
  const values: T[] = []
  const leave = store.subscribe((value) => values.push(value))
  return { values, leave }
}

/** A few turns of the event loop, in which all that is on its way in memory arrives. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('any store', () => {
  test('works while it has listeners, and shows each of them the present value at once', async () => {
    await using stage = await openStage()
    const store = liveSubscription(stage.client, 'com.example.t', () => {})
    expect(store.get()).toEqual({ status: 'pending', error: undefined })
    await turns()
    expect(stage.sent(SUBSCRIBE)).toEqual([])
    const first = listen(store)
    const second = listen(store)
    expect(first.values).toEqual([{ status: 'pending', error: undefined }])
    await until(() => store.get().status === 'active')
    expect(store.get()).toBe(first.values.at(-1))
    first.leave()
    await turns()
    expect(second.values).toEqual([
      { status: 'pending', error: undefined },
      { status: 'active', error: undefined },
    ])
    expect(stage.sent(SUBSCRIBE, UNSUBSCRIBE)).toHaveLength(1)
    second.leave()
    second.leave()
    await until(() => isFree(stage))
    expect(stage.sent(SUBSCRIBE, UNSUBSCRIBE)).toHaveLength(2)
  })

  test('one that is left and listened to again in the same turn goes on', async () => {
    await using stage = await openStage()
    const store = liveSubscription(stage.client, 'com.example.t', () => {})
    const first = listen(store)
    first.leave()
    const second = listen(store)
    await until(() => store.get().status === 'active')
    second.leave()
    const third = listen(store)
    await turns()
    expect(stage.sent(SUBSCRIBE, UNSUBSCRIBE)).toEqual([[SUBSCRIBE, {}, 'com.example.t']])
    third.leave()
  })

  test('a function that listens twice is called twice, and leaves one at a time', async () => {
    await using stage = await openStage()
    const store = liveConnection(stage.client)
    let count = 0
    const listener = () => count++
    const leave = store.subscribe(listener)
    store.subscribe(listener)()
    await stage.client.start()
    expect(count).toBe(4)
    leave()
  })
})

describe('liveConnection', () => {
  test('is one store for each client, and one object for each change', async () => {
    await using stage = await openStage({ waits: true })
    const store = liveConnection(stage.client)
    expect(liveConnection(stage.client)).toBe(store)
    expect(store.get()).toBe(store.get())
    expect(store.get()).toMatchObject({ state: 'stopped', session: undefined })
    // Without a listener as well.
    await stage.client.start()
    expect(store.get()).toMatchObject({ state: 'ready', session: stage.client.session })
    expect(stage.held().listeners).toBe(0)
    const { values, leave } = listen(store)
    await turns()
    stage.cut()
    await until(() => store.get().state === 'reconnecting')
    await until(() => store.get().state === 'ready')
    await stage.client.stop()
    expect(values.map(({ state, attempt, cause }) => [state, attempt, cause?.uri])).toEqual([
      ['ready', undefined, undefined],
      ['reconnecting', undefined, undefined],
      ['reconnecting', undefined, 'wampy.error.connection_lost'],
      ['reconnecting', 1, 'wampy.error.connection_lost'],
      ['ready', undefined, undefined],
      ['stopped', undefined, undefined],
    ])
    const retry = values[3]!
    expect(Math.abs(retry.retryAt! - Date.now())).toBeLessThan(5000)
    leave()
    await until(() => stage.held().listeners === 0)
  })

  test('says why a client has stopped by itself', async () => {
    await using stage = await openStage({ realm: 'nowhere' })
    const store = liveConnection(stage.client)
    const { leave } = listen(store)
    await stage.client.start().catch(() => {})
    await until(() => store.get().state === 'stopped' && store.get().cause !== undefined)
    expect(store.get().cause).toMatchObject({ uri: 'wamp.error.no_such_realm' })
    leave()
  })

  test('shows the present state to the first listener, and another session as another value', async () => {
    await using stage = await openStage()
    const store = liveConnection(stage.client)
    await stage.client.start()
    const { values, leave } = listen(store)
    expect(values).toMatchObject([{ state: 'ready', session: stage.client.session }])
    leave()
    await turns()
    await stage.client.stop()
    await stage.client.start()
    expect(store.get().session).toBe(stage.client.session)
    expect(store.get().session).not.toBe(values[0]?.session)
  })

  test('a value that a listener of the client reads first is shown to the others as well', async () => {
    await using stage = await openStage()
    const store = liveConnection(stage.client)
    stage.client.on('state', () => void store.get())
    const { values, leave } = listen(store)
    await turns()
    await stage.client.start()
    await stage.client.stop()
    expect(values.map(({ state }) => state)).toEqual(['stopped', 'connecting', 'ready', 'stopped'])
    leave()
    stage.client.removeAllListeners('state')
  })

  test('a change between the first listener and the beginning of its work is shown', async () => {
    // In one of these microtasks the client becomes stopped behind the first, and before the second.
    for (let wait = 0; wait < 60; wait++) {
      const client = new RpcClient({ router: { name: 'nowhere', connect: () => new Promise(() => {}) } })
      const store = liveConnection(client)
      client.start().catch(() => {})
      await turns()
      const stopped = client.stop()
      for (let turn = 0; turn < wait; turn++) await undefined
      const { values, leave } = listen(store)
      await stopped
      await turns()
      expect(values.at(-1)?.state).toBe('stopped')
      leave()
      await turns()
      expect(client.eventNames()).toEqual([])
    }
  })
})

describe('liveSubscription', () => {
  test('without a topic it is idle', async () => {
    await using stage = await openStage()
    const { values, leave } = listen(liveSubscription(stage.client, null, () => {}))
    await turns()
    expect(values).toEqual([{ status: 'idle', error: undefined }])
    expect(stage.client.state).toBe('stopped')
    leave()
  })

  test('is pending before a client starts and after a loss, and reports the gap', async () => {
    await using stage = await openStage({ waits: true })
    const events: unknown[] = []
    const gaps: Gap[] = []
    const store = liveSubscription(stage.client, 'com.example.', ([n]) => events.push(n), {
      match: 'prefix',
      onGap: (gap) => gaps.push(gap),
    })
    const { values, leave } = listen(store)
    await turns()
    expect(store.get().status).toBe('pending')
    await stage.client.start()
    await until(() => store.get().status === 'active')
    expect(stage.sent(SUBSCRIBE)).toEqual([[SUBSCRIBE, { match: 'prefix' }, 'com.example.']])
    const publication = await stage.alice.publish('com.example.t', [1], {}, { acknowledge: true })
    await until(() => events.length === 1)
    stage.cut()
    await until(() => gaps.length === 1)
    expect(gaps[0]?.after).toBe(publication)
    await stage.alice.publish('com.example.t', [2])
    await until(() => events.length === 2)
    expect(values.map(({ status }) => status)).toEqual(['pending', 'active', 'pending', 'active'])
    leave()
    await until(() => stage.held().subscriptions === 0)
  })

  test('a refusal is its error, and another start of the client asks again', async () => {
    let allowed = false
    const refusing = welcoming(([code, request], peer) => {
      if (code === SUBSCRIBE) {
        peer.send(allowed ? [33, request, 7] : [8, SUBSCRIBE, request, {}, 'wamp.error.not_authorized'])
      }
    })
    const client = clientOf(refusing)
    await client.start()
    const store = liveSubscription(client, 'com.example.t', () => {})
    const { leave } = listen(store)
    await until(() => store.get().status === 'error')
    expect(store.get().error).toMatchObject({ uri: 'wamp.error.not_authorized' })
    expect(store.get().error).toBeInstanceOf(WampError)
    allowed = true
    await client.stop()
    await client.start()
    await until(() => store.get().status === 'active')
    expect(store.get().error).toBeUndefined()
    leave()
    await until(() => client.listenerCount('state') === 0)
  })

  test('a client that is stopped while it is asked leaves it pending, and does not start by itself', async () => {
    const opened = gate()
    await using stage = await openStage()
    const client = new RpcClient({
      router: {
        name: 'late',
        async connect() {
          await opened.opened
          return stage.world.router.connect()
        },
      },
    })
    const store = liveSubscription(client, 'com.example.t', () => {})
    const { values, leave } = listen(store)
    await until(() => client.state === 'connecting')
    await client.stop()
    opened.open()
    await turns()
    expect([client.state, store.get().status]).toEqual(['stopped', 'pending'])
    await client.start()
    await until(() => store.get().status === 'active')
    expect(values.map(({ status }) => status)).toEqual(['pending', 'active'])
    leave()
    await client.stop()
    expect(client.eventNames()).toEqual([])
  })

  test('a stop before the answer leaves it pending, and begins no other session', async () => {
    const router = welcoming()
    const client = new RpcClient({ router })
    const store = liveSubscription(client, 'com.example.t', () => {})
    const { leave } = listen(store)
    await until(() => router.peers[0]?.received.at(-1)?.[0] === SUBSCRIBE)
    await client.stop()
    await turns()
    expect([client.state, store.get().status, router.peers.length]).toEqual(['stopped', 'pending', 1])
    leave()
    await turns()
    expect(client.eventNames()).toEqual([])
  })

  test('stop and start in one turn lead to one subscription', async () => {
    for (const waits of [true, false]) {
      await using stage = await openStage({ waits })
      const store = liveSubscription(stage.client, 'com.example.t', () => {})
      const { leave } = listen(store)
      await turns()
      const first = stage.client.start()
      first.catch(() => {})
      const stopped = stage.client.stop()
      const again = stage.client.start()
      await stopped
      await again
      await until(() => store.get().status === 'active')
      expect(stage.held()).toMatchObject({ handles: 1, subscriptions: 1 })
      leave()
      await until(() => isFree(stage))
    }
  })

  test('a revocation by the router is its error', async () => {
    const router = welcoming(granting)
    const client = clientOf(router)
    await client.start()
    const store = liveSubscription(client, 'com.example.t', () => {})
    const { leave } = listen(store)
    await until(() => store.get().status === 'active')
    router.peers[0]?.send([UNSUBSCRIBED, 0, { subscription: client.subscriptions[0]?.id }])
    await until(() => store.get().status === 'error')
    expect(store.get().error).toMatchObject({ uri: REVOKED })
    leave()
    await turns()
    expect(client.eventNames()).toEqual([])
  })

  test('an error of the handler is reported by the client, and others still receive the event', async () => {
    await using stage = await openStage()
    const errors: unknown[] = []
    const seen: unknown[] = []
    const { leave } = listen(
      liveSubscription(stage.client, 'com.example.t', () => {
        throw new Error('broken')
      }),
    )
    const other = listen(liveSubscription(stage.client, 'com.example.t', ([n]) => seen.push(n)))
    stage.client.on('error', (error) => errors.push(error))
    await until(() => stage.client.subscriptions.filter(({ state }) => state === 'active').length === 2)
    await stage.alice.publish('com.example.t', [1])
    await until(() => seen.length === 1)
    expect(errors).toMatchObject([{ message: 'broken' }])
    leave()
    other.leave()
    stage.client.removeAllListeners('error')
  })
})

describe('liveEvents', () => {
  test('keeps the last events of a burst, oldest first, in few snapshots', async () => {
    await using stage = await openStage()
    const handled: number[] = []
    const store = liveEvents(stage.client, 'com.example.t', {
      limit: 300,
      select: ([n]) => {
        handled.push(n as number)
        return n as number
      },
    })
    const { values, leave } = listen(store)
    await until(() => store.get().status === 'active')
    const before = values.length
    for (let n = 0; n < 500; n++) void stage.alice.publish('com.example.t', [n])
    await until(() => store.get().latest === 499)
    const numbers = Array.from({ length: 500 }, (_, n) => n)
    expect(handled).toEqual(numbers)
    expect(store.get().events).toEqual(numbers.slice(200))
    expect(values.length - before).toBeLessThan(20)
    leave()
  })

  test('shows each event of a slow series, as it was received', async () => {
    await using stage = await openStage()
    const store = liveEvents(stage.client, 'com.example.t')
    const { values, leave } = listen(store)
    await until(() => store.get().status === 'active')
    for (let n = 1; n <= 3; n++) {
      const publication = await stage.alice.publish('com.example.t', [n], { n }, { acknowledge: true })
      await until(() => store.get().events.length === n)
      expect(store.get().latest).toMatchObject({ args: [n], kwargs: { n }, topic: 'com.example.t', publication })
    }
    expect(values.map(({ events }) => events.length)).toEqual([0, 0, 1, 2, 3])
    // Not one array that changes.
    expect(values[3]?.events).toHaveLength(2)
    leave()
  })

  test('drops what select returns undefined for, and forgets all by clear', async () => {
    await using stage = await openStage()
    const store = liveEvents(stage.client, 'com.example.t', {
      select: ([n]) => ((n as number) % 2 ? (n as number) : undefined),
    })
    const { leave } = listen(store)
    await until(() => store.get().status === 'active')
    for (const n of [1, 2, 3]) await stage.alice.publish('com.example.t', [n])
    await until(() => store.get().latest === 3)
    expect(store.get().events).toEqual([1, 3])
    store.get().clear()
    expect(store.get()).toMatchObject({ events: [], latest: undefined, status: 'active' })
    await stage.alice.publish('com.example.t', [5])
    await until(() => store.get().latest === 5)
    expect(store.get().events).toEqual([5])
    leave()
  })

  test('events of one frame make one snapshot, and none follows when it is left', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    await using stage = await openStage()
    const store = liveEvents(stage.client, 'com.example.t', { select: ([n]) => n })
    const { values, leave } = listen(store)
    await until(() => store.get().status === 'active')
    await stage.alice.publish('com.example.t', [1])
    await until(() => store.get().latest === 1)
    // Within the same frame.
    for (const n of [2, 3]) {
      await stage.alice.publish('com.example.t', [n])
      await turns()
    }
    expect(store.get().latest).toBe(1)
    await vi.advanceTimersByTimeAsync(20)
    expect(store.get().events).toEqual([1, 2, 3])
    await stage.alice.publish('com.example.t', [4])
    await turns()
    const before = values.length
    leave()
    await turns()
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(100)
    expect(values.length).toBe(before)
    expect(store.get().events).toEqual([1, 2, 3])
    // No longer listened to, it still forgets.
    store.get().clear()
    expect(store.get()).toMatchObject({ events: [], latest: undefined })
  })

  test('without a topic it is idle; a limit that cannot be is a usage error', async () => {
    await using stage = await openStage()
    expect(liveEvents(stage.client, null).get()).toMatchObject({ status: 'idle', events: [], latest: undefined })
    for (const limit of [0, -1, 1.5, Number.NaN, '7' as never]) {
      expect(() => liveEvents(stage.client, 'com.example.t', { limit })).toThrow(
        /events: limit must be a whole number from 1/,
      )
    }
  })
})

describe('liveCall', () => {
  test('calls once when it is listened to, and again by refetch, with the data of before meanwhile', async () => {
    await using stage = await openStage()
    let count = 0
    await stage.alice.register(
      'com.example.count',
      ([step], { more }) => (count += (step as number) + (more as number)),
    )
    const store = liveCall(stage.client, 'com.example.count', [1], { kwargs: { more: 10 } })
    const { values, leave } = listen(store)
    await until(() => store.get().status === 'success')
    store.get().refetch()
    await until(() => store.get().data === 22)
    expect(values.map(({ status, data }) => [status, data])).toEqual([
      ['pending', undefined],
      ['success', 11],
      ['pending', 11],
      ['success', 22],
    ])
    expect(stage.sent(CALL)).toEqual(Array(2).fill([CALL, {}, 'com.example.count', [1], { more: 10 }]))
    leave()
    await turns()
    store.get().refetch()
    await turns()
    expect(stage.sent(CALL)).toHaveLength(2)
    await until(() => isFree(stage))
  })

  test('waits for a client that starts late, and for one that was stopped before it sent the call', async () => {
    await using stage = await openStage({ waits: true })
    await stage.alice.register('com.example.f', () => 7)
    const store = liveCall(stage.client, 'com.example.f', [])
    const { values, leave } = listen(store)
    await turns()
    expect(store.get().status).toBe('pending')
    void stage.client.start()
    await stage.client.stop()
    await turns()
    expect(store.get().status).toBe('pending')
    await stage.client.start()
    await until(() => store.get().status === 'success')
    expect(values.map(({ status }) => status)).toEqual(['pending', 'success'])
    // A call that was answered is not made again.
    await stage.client.stop()
    await stage.client.start()
    await turns()
    expect(stage.sent(CALL)).toHaveLength(1)
    leave()
  })

  test('waits without a limit for a router that is away, unless it has a timeout', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
    const router = scriptedRouter(() => {})
    const client = new RpcClient({ router, reconnect: { initial: 1000 } })
    const store = liveCall(client, 'com.example.f', [])
    const limited = liveCall(client, 'com.example.f', [], { timeout: 3000 })
    const subscription = liveSubscription(client, 'com.example.t', () => {})
    const [one, other, third] = [listen(store), listen(limited), listen(subscription)]
    await vi.advanceTimersByTimeAsync(60_000)
    expect([store, limited, subscription].map((it) => it.get().status)).toEqual(['pending', 'error', 'pending'])
    expect(limited.get().error).toMatchObject({ uri: 'wamp.error.timeout' })
    one.leave()
    other.leave()
    third.leave()
    await vi.advanceTimersByTimeAsync(1)
    expect(subscription.get().status).toBe('pending')
    await client.stop()
    expect(client.eventNames()).toEqual([])
  })

  test('shows the error of the procedure, and the data of before', async () => {
    await using stage = await openStage()
    let fails = false
    await stage.alice.register('com.example.f', () => {
      if (fails) throw new WampError('com.example.error.sold_out', ['no tea'])
      return 'tea'
    })
    const store = liveCall(stage.client, 'com.example.f', [])
    const { leave } = listen(store)
    await until(() => store.get().status === 'success')
    fails = true
    store.get().refetch()
    await until(() => store.get().status === 'error')
    expect(store.get()).toMatchObject({ data: 'tea', error: { uri: 'com.example.error.sold_out', message: 'no tea' } })
    leave()
  })

  test('is canceled when it is left or made again, and its late answer is not shown', async () => {
    await using stage = await openStage()
    const gates = [gate<string>(), gate<string>(), gate<string>()]
    let calls = 0
    await stage.alice.register('com.example.f', () => gates[calls++]?.opened, { invoke: 'single' })
    const store = liveCall(stage.client, 'com.example.f', [])
    const { values, leave } = listen(store)
    await until(() => calls === 1)
    store.get().refetch()
    await until(() => calls === 2)
    gates[0]?.open('late')
    gates[1]?.open('in time')
    await until(() => store.get().status === 'success')
    expect(values.map(({ data }) => data)).toEqual([undefined, 'in time'])
    store.get().refetch()
    await until(() => calls === 3)
    leave()
    await until(() => stage.held().calls === 0)
    expect(stage.sent(CANCEL)).toEqual(Array(2).fill([CANCEL, { mode: 'killnowait' }]))
    gates[2]?.open('never shown')
    await turns()
    expect(values.at(-1)).toMatchObject({ status: 'pending', data: 'in time' })
    await until(() => isFree(stage))
  })

  test('waits for a client that is reconnecting', async () => {
    await using stage = await openStage({ waits: true })
    await stage.alice.register('com.example.f', () => 7)
    await stage.client.start()
    stage.cut()
    await until(() => stage.client.state === 'reconnecting')
    const store = liveCall(stage.client, 'com.example.f', [])
    const { values, leave } = listen(store)
    await until(() => store.get().status !== 'pending')
    expect(values.map(({ status }) => status)).toEqual(['pending', 'success'])
    leave()
  })

  test('its timeout also limits the wait for a client that is reconnecting', async () => {
    await using stage = await openStage({ waits: true, reconnect: { initial: 100_000, max: 100_000 } })
    await stage.client.start()
    stage.cut()
    await until(() => stage.client.state === 'reconnecting')
    const store = liveCall(stage.client, 'com.example.f', [], { timeout: 20 })
    const { leave } = listen(store)
    await until(() => store.get().status === 'error')
    expect(store.get().error).toMatchObject({ uri: 'wamp.error.timeout' })
    leave()
  })

  test('a result that wins against its cancellation is not shown, nor a part', async () => {
    await using stage = await openStage()
    const kill = { cancelMode: 'kill' } as const
    await stage.alice.register('com.example.f', async (_args, _kwargs, _details, invocation) => {
      await new Promise((resolve) => invocation.signal.addEventListener('abort', resolve))
      invocation.progress(['late part'])
      return 'late'
    })
    const call = liveCall(stage.client, 'com.example.f', [], kill)
    const stream = liveStream(stage.client, 'com.example.f', [], kill)
    const [one, other] = [listen(call), listen(stream)]
    await until(() => stage.held().calls === 2)
    one.leave()
    stream.get().cancel()
    await until(() => stage.held().calls === 0)
    await turns()
    expect(call.get()).toMatchObject({ status: 'pending', data: undefined })
    expect(stream.get()).toMatchObject({ status: 'canceled', parts: [], result: undefined })
    other.leave()
    await until(() => isFree(stage))
  })

  test('a loss during the call is its error', async () => {
    await using stage = await openStage()
    await stage.alice.register('com.example.f', () => new Promise(() => {}))
    const store = liveCall(stage.client, 'com.example.f', [])
    const { leave } = listen(store)
    await until(() => stage.held().calls === 1)
    stage.cut()
    await until(() => store.get().status === 'error')
    expect(store.get().error).toMatchObject({ uri: 'wampy.error.connection_lost', sent: true })
    leave()
  })

  test('without arguments it is idle; a URI that is not valid is its error', async () => {
    await using stage = await openStage()
    const idle = liveCall(stage.client, 'com.example.f', null)
    const one = listen(idle)
    idle.get().refetch()
    await turns()
    expect(idle.get()).toMatchObject({ status: 'idle', data: undefined, error: undefined })
    const wrong = liveCall(stage.client, 'no uri#', [])
    const other = listen(wrong)
    await until(() => wrong.get().status === 'error')
    expect(wrong.get().error).toEqual(uri('wamp.error.invalid_uri'))
    one.leave()
    other.leave()
  })
})

describe('liveStream', () => {
  async function counting(stage: Awaited<ReturnType<typeof openStage>>) {
    const hold = gate()
    let interrupted = 0
    await stage.alice.register('com.example.upto', async function* ([n]) {
      for (let i = 1; i <= (n as number); i++) yield i
      return 'all'
    })
    await stage.alice.register('com.example.endless', async (_args, _kwargs, _details, invocation) => {
      invocation.progress([1])
      invocation.signal.addEventListener('abort', () => interrupted++)
      await hold.opened
    })
    return { hold, interrupted: () => interrupted }
  }

  test('keeps the last parts, and has the final result with all of them', async () => {
    await using stage = await openStage()
    await counting(stage)
    const parts: number[] = []
    const store = liveStream<number, string>(stage.client, 'com.example.upto', [500], {
      limit: 10,
      onPart: (part) => parts.push(part),
    })
    const { values, leave } = listen(store)
    await until(() => store.get().status === 'done')
    expect(parts).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
    expect(store.get()).toMatchObject({ parts: parts.slice(-10), latest: 500, result: 'all', error: undefined })
    expect(values.length).toBeLessThan(50)
    expect(values.map(({ status }) => status)).toContain('active')
    const before = values.length
    store.get().cancel()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(values.length).toBe(before)
    expect(store.get().status).toBe('done')
    store.get().restart()
    expect(store.get()).toMatchObject({ status: 'pending', parts: [], latest: undefined, result: undefined })
    await until(() => store.get().status === 'done')
    expect(parts).toHaveLength(1000)
    expect(store.get().parts).toHaveLength(10)
    const short = liveStream(stage.client, 'com.example.upto', [2])
    const other = listen(short)
    for (const total of [2, 4]) {
      await until(() => short.get().status === 'done')
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(short.get()).toMatchObject({ status: 'done', parts: [1, 2] })
      if (total === 2) short.get().restart()
    }
    other.leave()
    leave()
    await until(() => isFree(stage))
  })

  test('cancel and leaving cancel the call', async () => {
    await using stage = await openStage()
    const { interrupted, hold } = await counting(stage)
    const store = liveStream(stage.client, 'com.example.endless', [])
    const { leave } = listen(store)
    await until(() => store.get().status === 'active')
    store.get().cancel()
    expect(store.get()).toMatchObject({ status: 'canceled', parts: [1], error: undefined })
    await until(() => interrupted() === 1)
    store.get().restart()
    await until(() => store.get().status === 'active')
    leave()
    await until(() => interrupted() === 2)
    await until(() => stage.held().calls === 0)
    hold.open()
    await until(() => isFree(stage))
  })

  test('canceled by the handler of a part, it stays canceled', async () => {
    await using stage = await openStage()
    await counting(stage)
    const store: Live<StreamState<number, string>> = liveStream<number, string>(
      stage.client,
      'com.example.upto',
      [500],
      { onPart: (part) => part === 1 && store.get().cancel() },
    )
    const { leave } = listen(store)
    await until(() => store.get().status === 'canceled')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(store.get()).toMatchObject({ status: 'canceled', parts: [1], result: undefined })
    leave()
    await until(() => isFree(stage))
  })

  test('a part that follows a cancellation is not shown', async () => {
    const { client } = await joinedTo(['call_canceling', 'progressive_call_results'], ([code, request], peer) => {
      if (code === CALL) peer.send([RESULT, request, { progress: true }, [1]])
      if (code === CANCEL) peer.send([RESULT, request, { progress: true }, [2]], [RESULT, request, {}, ['late']])
    })
    const parts: unknown[] = []
    const options = { cancelMode: 'kill', onPart: (part: unknown) => parts.push(part) } as const
    const store = liveStream(client, 'com.example.f', [], options)
    const { leave } = listen(store)
    await until(() => store.get().latest === 1)
    store.get().cancel()
    await turns()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([parts, store.get().parts, store.get().status]).toEqual([[1], [1], 'canceled'])
    leave()
  })

  test('shows the error after the parts', async () => {
    await using stage = await openStage()
    await stage.alice.register('com.example.f', async function* () {
      for (const part of [1, 2, 3]) {
        yield part
        await turns()
      }
      throw new WampError('com.example.error.broken')
    })
    const store = liveStream(stage.client, 'com.example.f', [])
    const { leave } = listen(store)
    await until(() => store.get().status === 'error')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(store.get()).toMatchObject({ status: 'error', parts: [1, 2, 3], error: { uri: 'com.example.error.broken' } })
    leave()
  })

  test('without arguments it is idle; a limit that cannot be is a usage error', async () => {
    await using stage = await openStage()
    expect(liveStream(stage.client, 'com.example.f', null).get()).toMatchObject({ status: 'idle', parts: [] })
    expect(() => liveStream(stage.client, 'com.example.f', [], { limit: 0 })).toThrow(/stream: limit must be/)
  })
})
