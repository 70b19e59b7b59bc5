/** Every operation that waits ends by its signal and by its timeout, and its late answer is ignored. */

import { describe, expect, test } from 'vitest'
import { CANCELED, type HandleTimeout, TIMEOUT, type Waiting, type WampClient } from 'wampy-ts'
import {
  ABORT,
  CALL,
  ERROR,
  EVENT,
  PUBLISH,
  PUBLISHED,
  REGISTER,
  REGISTERED,
  RESULT,
  type Scripted,
  SUBSCRIBE,
  SUBSCRIBED,
  UNREGISTER,
  UNREGISTERED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
  type WireMessage,
} from 'wampy-ts/testing'
import { type Answer, eventsOf, failure, joined, leavesNothing, pass, stopTheClock, until, uri } from './support.ts'

leavesNothing()

interface Operation {
  run(client: WampClient, waiting: Waiting): Promise<unknown>
  /** The request that the operation sends. */
  readonly code: number
  /** Its answer, when it comes too late. */
  late(request: unknown): WireMessage
}

/** Handles for unsubscribe and unregister, granted before the test. */
const granted = async (client: WampClient, peer: Scripted) => {
  const subscription = client.subscribe('com.example.t', () => {})
  await until(() => peer.received.length === 2)
  peer.send([SUBSCRIBED, 1, 900])
  const registration = client.register('com.example.f', () => {})
  await until(() => peer.received.length === 3)
  peer.send([REGISTERED, 2, 901])
  return { subscription: await subscription, registration: await registration }
}

const operations: Record<string, Operation> = {
  call: {
    run: (client, waiting) => client.call('com.example.f', [], {}, { ...waiting }),
    code: CALL,
    late: (request) => [RESULT, request, {}, ['late']],
  },
  callRaw: {
    run: (client, waiting) => client.callRaw('com.example.f', [], {}, { ...waiting }),
    code: CALL,
    late: (request) => [ERROR, CALL, request, {}, 'com.example.late'],
  },
  'publish with acknowledge': {
    run: (client, waiting) => client.publish('com.example.t', [], {}, { acknowledge: true, ...waiting }),
    code: PUBLISH,
    late: (request) => [PUBLISHED, request, 7],
  },
  'publish that is refused': {
    run: (client, waiting) => client.publish('com.example.t', [], {}, { acknowledge: true, ...waiting }),
    code: PUBLISH,
    late: (request) => [ERROR, PUBLISH, request, {}, 'com.example.late'],
  },
  unsubscribe: {
    run: (client, waiting) => client.subscriptions[0]!.unsubscribe(waiting),
    code: UNSUBSCRIBE,
    late: (request) => [UNSUBSCRIBED, request],
  },
  unregister: {
    run: (client, waiting) => client.registrations[0]!.unregister(waiting),
    code: UNREGISTER,
    late: (request) => [UNREGISTERED, request],
  },
}

const fence: Answer = ([code, request, , uri], peer) => {
  if (code === CALL && uri === 'com.example.fence') peer.send([RESULT, request, {}, ['here']])
}

for (const [name, { run, code, late }] of Object.entries(operations)) {
  describe(name, () => {
    const begun = async () => {
      const all = await joined(fence, { liveness: false })
      if (code === UNSUBSCRIBE || code === UNREGISTER) await granted(all.client, all.peer)
      const last = () => all.peer.received.filter((message) => message[0] === code).at(-1)
      return { ...all, last }
    }

    const survives = async ({ client, peer, last }: Awaited<ReturnType<typeof begun>>) => {
      peer.send(late(last()?.[1]))
      expect(await client.call('com.example.fence')).toBe('here')
      expect(client.state).toBe('ready')
      expect(peer.received.some(([received]) => received === ABORT)).toBe(false)
    }

    test('an operation ends by its signal, with the reason as the cause, and ignores the late answer', async () => {
      const at = await begun()
      const controller = new AbortController()
      const waiting = failure(run(at.client, { signal: controller.signal }))
      await until(() => at.last() !== undefined)
      controller.abort('enough')
      expect(await waiting).toMatchObject({ uri: CANCELED, cause: 'enough', sent: true })
      await survives(at)
    })

    test('an operation ends by its timeout, and ignores the late answer', async () => {
      stopTheClock()
      const at = await begun()
      let over = false
      const waiting = failure(run(at.client, { timeout: 500 })).finally(() => {
        over = true
      })
      await until(() => at.last() !== undefined)
      await pass(499)
      expect(over).toBe(false)
      await pass(1)
      expect(await waiting).toMatchObject({
        uri: TIMEOUT,
        message: expect.stringContaining('no answer within 500 ms'),
        sent: true,
      })
      await survives(at)
    })

    test('an operation with a signal that is already aborted sends nothing and changes nothing', async () => {
      const at = await begun()
      const before = at.client.subscriptions.length + at.client.registrations.length
      const error = await failure(run(at.client, { signal: AbortSignal.abort('why') }))
      expect(error).toMatchObject({ uri: CANCELED, cause: 'why', sent: false })
      await at.client.call('com.example.fence')
      expect(at.peer.received.filter(([sent, , , uri]) => sent === code && uri !== 'com.example.fence')).toEqual([])
      expect(at.client.subscriptions.length + at.client.registrations.length).toBe(before)
    })

    test('an operation with a timeout of Infinity waits', async () => {
      stopTheClock()
      const at = await begun()
      let over = false
      const waiting = run(at.client, { timeout: Number.POSITIVE_INFINITY }).finally(() => {
        over = true
      })
      await until(() => at.last() !== undefined)
      await pass(100_000, 10_000)
      expect(over).toBe(false)
      at.peer.send(late(at.last()?.[1]))
      await waiting.catch(() => {})
    })

    test('an operation removes its listener from the signal when it is answered', async () => {
      const at = await begun()
      const { signal } = new AbortController()
      let listeners = 0
      const add = signal.addEventListener.bind(signal)
      const remove = signal.removeEventListener.bind(signal)
      signal.addEventListener = ((...args: Parameters<typeof add>) => {
        listeners++
        add(...args)
      }) as never
      signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
        listeners--
        remove(...args)
      }) as never
      const waiting = run(at.client, { signal, timeout: 60_000 })
      await until(() => at.last() !== undefined)
      expect(listeners).toBe(1)
      at.peer.send(late(at.last()?.[1]))
      await waiting.catch(() => {})
      expect(listeners).toBe(0)
    })
  })
}

describe('subscribe and register', () => {
  const kinds = {
    subscribe: {
      run: (client: WampClient, heard: unknown[], waiting: Waiting) =>
        client.subscribe('com.example.t', (args) => heard.push(args), { ...waiting }),
      ask: SUBSCRIBE,
      grant: SUBSCRIBED,
      undo: UNSUBSCRIBE,
      undone: UNSUBSCRIBED,
      message: [EVENT, 77, 1, {}, ['late']],
    },
    register: {
      run: (client: WampClient, heard: unknown[], waiting: Waiting) =>
        client.register('com.example.f', (args) => heard.push(args), { ...waiting }),
      ask: REGISTER,
      grant: REGISTERED,
      undo: UNREGISTER,
      undone: UNREGISTERED,
      message: undefined,
    },
  }

  for (const [name, { run, ask, grant, undo, undone, message }] of Object.entries(kinds)) {
    test(`${name}: a signal withdraws it, and a later grant is returned to the router`, async () => {
      const { client, peer } = await joined(undefined, { liveness: false })
      const controller = new AbortController()
      const heard: unknown[] = []
      const asked = failure(run(client, heard, { signal: controller.signal }))
      await until(() => peer.received.length === 2)
      controller.abort()
      expect(await asked).toMatchObject({ uri: CANCELED })
      expect([client.subscriptions, client.registrations]).toEqual([[], []])
      expect(peer.received[1]?.[0]).toBe(ask)
      peer.send([grant, 1, 77], ...(message ? [message] : []))
      await until(() => peer.received.length === 3)
      expect(peer.received[2]).toEqual([undo, 2, 77])
      peer.send([undone, 2])
      expect(heard).toEqual([])
      await client.stop()
      expect(peer.received.some(([code]) => code === ABORT)).toBe(false)
    })

    test(`${name}: a timeout ends only the wait, and its error has the handle`, async () => {
      stopTheClock()
      const { client, peer } = await joined(undefined, { liveness: false })
      const asked = failure(run(client, [], { timeout: 100 }))
      await until(() => peer.received.length === 2)
      await pass(100)
      const [handle] = [...client.subscriptions, ...client.registrations]
      const error = (await asked) as HandleTimeout
      expect(error).toMatchObject({ uri: TIMEOUT, message: expect.stringContaining('the client goes on asking') })
      expect(error.handle).toBe(handle)
      expect(handle?.state).toBe('pending')
      peer.send([grant, 1, 77])
      await until(() => handle?.state === 'active')
      const ended = handle && ('unsubscribe' in handle ? handle.unsubscribe() : handle.unregister())
      await until(() => peer.received.length === 3)
      expect(peer.received[2]).toEqual([undo, 2, 77])
      peer.send([undone, 2])
      await ended
    })

    test(`${name}: a refusal after its timeout closes the handle, and is reported once`, async () => {
      stopTheClock()
      const { client, peer } = await joined(undefined, { liveness: false })
      const events = eventsOf(client)
      const asked = failure(run(client, [], { timeout: 100 }))
      await until(() => peer.received.length === 2)
      await pass(100)
      const { handle } = (await asked) as HandleTimeout
      peer.send([ERROR, ask, 1, {}, 'com.example.no'])
      expect(await handle.closed).toEqual(uri('com.example.no'))
      expect([events, handle.state]).toEqual([[['error', handle.error]], 'closed'])
    })

    test(`${name}: a refusal after its end is ignored`, async () => {
      const { client, peer } = await joined()
      const controller = new AbortController()
      const asked = failure(run(client, [], { signal: controller.signal }))
      await until(() => peer.received.length === 2)
      controller.abort()
      await asked
      peer.send([ERROR, ask, 1, {}, 'com.example.no'])
      const later = run(client, [], {})
      await until(() => peer.received.length === 3)
      peer.send([grant, 2, 78])
      await later
      expect(client.state).toBe('ready')
    })

    test(`${name}: with a signal that is already aborted it leaves no handle behind`, async () => {
      const { client, peer } = await joined()
      expect(await failure(run(client, [], { signal: AbortSignal.abort() }))).toMatchObject({ uri: CANCELED })
      expect([client.subscriptions, client.registrations]).toEqual([[], []])
      await client.stop()
      expect(peer.received.map(([code]) => code)).not.toContain(ask)
    })

    test(`${name}: a signal that aborts after the grant ends it`, async () => {
      const { client, peer } = await joined()
      const controller = new AbortController()
      const asked = run(client, [], { signal: controller.signal })
      await until(() => peer.received.length === 2)
      peer.send([grant, 1, 77])
      const handle = await asked
      controller.abort()
      expect(handle.state).toBe('closed')
      expect(await handle.closed).toBeUndefined()
      await until(() => peer.received.length === 3)
      expect(peer.received[2]).toEqual([undo, 2, 77])
      peer.send([undone, 2])
    })

    test(`${name}: the listener on its signal is released with the handle`, async () => {
      const { client, peer } = await joined(([code, request], at) => {
        if (code === ask) at.send([grant, request, 77])
        if (code === undo) at.send([undone, request])
      })
      const { signal } = new AbortController()
      let listeners = 0
      const { addEventListener: add, removeEventListener: remove } = signal
      signal.addEventListener = (...given: unknown[]) => {
        listeners++
        add.apply(signal, given as never)
      }
      signal.removeEventListener = (...given: unknown[]) => {
        listeners--
        remove.apply(signal, given as never)
      }
      const handle = await run(client, [], { signal })
      expect(listeners).toBe(1)
      await ('unsubscribe' in handle ? handle.unsubscribe() : handle.unregister())
      expect(listeners).toBe(0)
      await run(client, [], { signal })
      const code = ask === SUBSCRIBE ? UNSUBSCRIBED : UNREGISTERED
      peer.send([code, 0, { [ask === SUBSCRIBE ? 'subscription' : 'registration']: 77 }])
      await until(() => listeners === 0)
    })
  }
})

test('unsubscribe ends by its timeout even if the handle is just being restored', async () => {
  stopTheClock()
  const { client, router, peer } = await joined(undefined, { reconnect: { initial: 1, max: 1 } })
  const { subscription, registration } = await granted(client, peer)
  peer.terminate()
  await until(() => client.state === 'reconnecting')
  await pass(10)
  await until(() => router.peers[1]?.received.length === 3)
  const controller = new AbortController()
  const late = failure(subscription.unsubscribe({ timeout: 100 }))
  const aborted = failure(registration.unregister({ signal: controller.signal }))
  controller.abort()
  expect(await aborted).toMatchObject({ uri: CANCELED })
  await pass(100)
  expect(await late).toMatchObject({ uri: TIMEOUT })
  router.peers[1]?.send([SUBSCRIBED, 1, 50], [REGISTERED, 2, 51])
  await until(() => router.peers[1]?.received.length === 5)
  expect(router.peers[1]?.received.slice(3)).toEqual([
    [UNSUBSCRIBE, 3, 50],
    [UNREGISTER, 4, 51],
  ])
})

test('late answers are counted, except those to probes', async () => {
  const { client, peer } = await joined(fence)
  const controller = new AbortController()
  const call = failure(client.call('com.example.f', [], {}, { signal: controller.signal }))
  await until(() => peer.received.length === 2)
  controller.abort()
  await call
  peer.send([RESULT, 1, {}], [ERROR, CALL, 99, {}, 'a.b'], [EVENT, 5, 5, {}])
  await client.call('com.example.fence')
  expect(client.dropped).toEqual({ answers: 2, events: 1, invalidEvents: 0, parts: 0 })
})

test('timeout and signal are not sent, every other option of a call is', async () => {
  const { client, peer } = await joined()
  const call = client.call(
    'com.example.f',
    [],
    {},
    {
      timeout: 60_000,
      signal: new AbortController().signal,
      waitForReady: true,
      disclose_me: true,
      _x: 1,
    },
  )
  await until(() => peer.received.length === 2)
  expect(peer.received[1]).toEqual([CALL, 1, { disclose_me: true, _x: 1 }, 'com.example.f', [], {}])
  peer.send([RESULT, 1, {}])
  await call
})
