/** A draining stop: no new invocations, time for the work in progress, and then GOODBYE. */

import { describe, expect, test } from 'vitest'
import { CANCELED, NO_SUCH_PROCEDURE, STOPPED, USAGE, type WampClient, type WampError } from 'wampy-ts'
import { Router } from 'wampy-ts/router'
import {
  ERROR,
  GOODBYE,
  INVOCATION,
  openWorld,
  PUBLISH,
  PUBLISHED,
  REGISTER,
  REGISTERED,
  type Scripted,
  UNREGISTER,
  UNREGISTERED,
} from 'wampy-ts/testing'
import {
  clientOf,
  eventsOf,
  failure,
  gate,
  granting,
  joined,
  leavesNothing,
  pass,
  stopTheClock,
  until,
  uri,
  welcoming,
} from './support.ts'

leavesNothing()

const codes = (peer: Scripted) => peer.received.map(([code]) => code)

/** Resolves to the value if the promise is settled, else to 'pending'. */
const now = (promise: Promise<unknown>) =>
  Promise.race([promise, new Promise((resolve) => setImmediate(resolve, 'pending'))])

/** A service in its world with one call in progress, which `finish` answers. */
async function busy(link: 'linked' | 'wires' | 'websocket' = 'wires', options = {}) {
  const world = await openWorld({ link })
  const [caller] = await world.join('caller')
  const service = clientOf(world.connector('service'), options)
  await service.start()
  const begun = gate()
  const { open: finish, opened } = gate<unknown>()
  const registration = await service.register('slow', () => {
    begun.open()
    return opened
  })
  const call = caller.call('slow')
  call.catch(() => {})
  await begun.opened
  return { world, caller, service, registration, call, finish }
}

describe.each(['linked', 'wires', 'websocket'] as const)('over %s', (link) => {
  test('a call in progress is answered, and new calls are refused', async () => {
    const { world, caller, service, call, finish } = await busy(link)
    const stopped = service.stop({ drain: true })
    await until(() => world.router.stats().registrations === 0)
    expect(await failure(caller.call('slow'))).toEqual(uri(NO_SUCH_PROCEDURE))
    expect([service.state, await now(stopped)]).toEqual(['ready', 'pending'])
    finish('done')
    await stopped
    expect(await call).toBe('done')
    expect([service.state, world.router.stats().sessions]).toEqual(['stopped', 1])
    await world[Symbol.asyncDispose]()
  })

  test('progressive results in progress end by themselves, and so does a progressive input', async () => {
    await using world = await openWorld({ link })
    const [caller] = await world.join('caller')
    const service = clientOf(world.connector('service'))
    await service.start()
    const more = gate()
    await service.register('count', async function* () {
      yield 1
      await more.opened
      yield 2
      return 3
    })
    const begun = gate()
    await service.register('sum', async (_args, _kwargs, _details, { input }) => {
      begun.open()
      let sum = 0
      for await (const part of input) sum += part
      return sum
    })
    const counting = caller.progress<number>('count')
    const first = await counting.next()
    const summing = caller.call('sum', [], undefined, {
      input: (async function* () {
        yield 20
        await more.opened
        yield 22
      })(),
    })
    await begun.opened
    const stopped = service.stop({ drain: true })
    await until(() => world.router.stats().registrations === 0)
    more.open()
    const rest: number[] = []
    for await (const part of counting) rest.push(part)
    expect([first.value, ...rest, await counting.result, await summing]).toEqual([1, 2, 3, 42])
    await stopped
  })

  test('no call is lost by a service that leaves while another one stays', async () => {
    await using world = await openWorld({ link })
    const [caller] = await world.join('caller')
    const services: WampClient[] = []
    for (const name of ['leaving', 'staying']) {
      const service = clientOf(world.connector(name), { name })
      await service.start()
      const answer = async () => {
        await new Promise((resolve) => setImmediate(resolve))
        return name
      }
      await service.register('work', answer, { invoke: 'roundrobin' })
      services.push(service)
    }
    const [leaving, staying] = services
    const answers: unknown[] = []
    let going = true
    const calls = Array.from({ length: 4 }, async () => {
      while (going) answers.push(await caller.call('work'))
    })
    await until(() => answers.includes('leaving'))
    await leaving?.stop({ drain: true })
    const before = answers.length
    await until(() => answers.length > before + 20)
    going = false
    await Promise.all(calls)
    expect(new Set(answers.slice(before + 4))).toEqual(new Set(['staying']))
    await staying?.stop()
  })
})

describe('the work in progress', () => {
  test('may call and publish as before', async () => {
    await using world = await openWorld()
    const [other] = await world.join('other')
    await other.register('double', ([x]) => 2 * (x as number))
    const heard = gate<unknown>()
    await other.subscribe('done', ([x]) => heard.open(x))
    const service = clientOf(world.connector('service'))
    await service.start()
    const [begun, may] = [gate(), gate()]
    await service.register('work', async () => {
      begun.open()
      await may.opened
      const doubled = await service.call('double', [21])
      await service.publish('done', [doubled], undefined, { acknowledge: true })
      return doubled
    })
    const call = other.call('work')
    await begun.opened
    const stopped = service.stop({ drain: true })
    await until(() => world.router.stats().registrations === 1)
    may.open()
    expect([await call, await heard.opened]).toEqual([42, 42])
    await stopped
  })

  test('a publication is acknowledged before GOODBYE, and so are publications that follow from it', async () => {
    const { client, peer } = await joined()
    const published = (async () => {
      await client.publish('a', [], undefined, { acknowledge: true })
      return client.publish('b', [], undefined, { acknowledge: true })
    })()
    const stopped = client.stop({ drain: true })
    await until(() => codes(peer).includes(PUBLISH))
    peer.send([PUBLISHED, 1, 11])
    await until(() => codes(peer).filter((code) => code === PUBLISH).length === 2)
    expect(codes(peer)).not.toContain(GOODBYE)
    peer.send([PUBLISHED, 2, 12])
    expect(await published).toBe(12)
    await stopped
    expect(codes(peer).at(-1)).toBe(GOODBYE)
  })

  test.each(['are awaited', 'are abandoned with the connection'])(
    'bytes that a slow reader has not taken %s',
    async (how) => {
      let backlog = 1
      const router = new Router()
      const client = clientOf({
        name: 'slow',
        async connect() {
          const link = await router.connect()
          Object.defineProperty(link, 'backlog', { get: () => backlog })
          return link
        },
      })
      await client.start()
      stopTheClock()
      const stopped = client.stop({ drain: 60_000 })
      await pass(30_000, 10_000)
      expect([await now(stopped), client.state]).toEqual(['pending', 'ready'])
      // A WebSocket counts them even after its end.
      if (how === 'are awaited') backlog = 0
      else await router.close()
      await pass(10)
      await stopped
    },
  )

  test('an invocation that crosses UNREGISTER is refused with wamp.error.unavailable, so that another callee may serve it', async () => {
    const { client, peer } = await joined((message, to) => {
      if (message[0] !== UNREGISTER) granting(message, to)
    })
    let runs = 0
    await client.register('work', () => ++runs)
    const stopped = client.stop({ drain: true })
    await until(() => codes(peer).includes(UNREGISTER))
    peer.send([INVOCATION, 1, 1001, {}], [INVOCATION, 2, 1001, { progress: true }], [INVOCATION, 2, 1001, {}])
    const [, id] = peer.received.find(([code]) => code === UNREGISTER) as [number, number]
    peer.send([UNREGISTERED, id], [INVOCATION, 3, 1001, {}])
    await stopped
    const refused = peer.received.filter(([code]) => code === ERROR)
    const refusal = (request: number) => [
      ERROR,
      INVOCATION,
      request,
      {},
      'wamp.error.unavailable',
      ['the callee is about to leave'],
    ]
    expect(refused).toEqual([refusal(1), refusal(2), refusal(3)])
    expect([runs, client.dropped.parts]).toEqual([0, 1])
  })
})

describe('registrations', () => {
  test('handles stay, and start() registers them again', async () => {
    const { world, service, registration, call, finish } = await busy()
    const other = await service.register('other', () => 'other')
    expect(registration.state).toBe('active')
    const stopped = service.stop({ drain: true })
    await other.unregister()
    await until(() => registration.state === 'pending')
    expect(registration.id).toBeUndefined()
    finish('done')
    await stopped
    expect([registration.state, other.state, service.registrations]).toEqual(['pending', 'closed', [registration]])
    await service.start()
    expect([registration.state, await call]).toEqual(['active', 'done'])
    await service.stop()
    await world[Symbol.asyncDispose]()
  })

  test('a registration that is granted meanwhile is unregistered at once', async () => {
    const { client, peer } = await joined((message, to) => {
      if (message[0] === UNREGISTER) to.send([UNREGISTERED, message[1]])
    })
    const registered = client.register('work', () => 'done')
    await until(() => codes(peer).includes(REGISTER))
    const stopped = client.stop({ drain: true })
    peer.send([REGISTERED, 1, 7])
    await until(() => codes(peer).includes(UNREGISTER))
    await stopped
    expect(peer.received.find(([code]) => code === UNREGISTER)).toEqual([UNREGISTER, 2, 7])
    expect((await registered).state).toBe('pending')
  })

  test('a registration made meanwhile waits for the next session', async () => {
    const { world, caller, service, finish } = await busy()
    const stopped = service.stop({ drain: true })
    const never = failure(service.register('later', () => 'later'))
    expect(await failure(caller.call('later'))).toEqual(uri(NO_SUCH_PROCEDURE))
    finish('done')
    await stopped
    expect(await never).toEqual(uri(STOPPED))
    await world[Symbol.asyncDispose]()
  })

  test('a registration that was refused on a rejoin is not tried again', async () => {
    stopTheClock()
    const router = welcoming((message, peer) => {
      if (message[0] === REGISTER && router.peers.length > 1) {
        peer.send([ERROR, REGISTER, message[1], {}, 'wamp.error.procedure_already_exists'])
      } else granting(message, peer)
    })
    const client = clientOf(router, { reconnect: { initial: 10, max: 10 }, liveness: false })
    await client.start()
    const registration = await client.register('work', () => 'done')
    const publishing = gate()
    router.peers[0]?.terminate()
    await until(() => client.state === 'reconnecting')
    await pass(100, 10)
    expect(registration.state).toBe('failed')
    const [, peer] = router.peers as [Scripted, Scripted]
    void client.publish('a', [], undefined, { acknowledge: true }).then(() => publishing.open())
    const stopped = client.stop({ drain: true })
    await pass(5000, 500)
    expect(codes(peer).filter((code) => code === REGISTER)).toHaveLength(1)
    const [, id] = peer.received.find(([code]) => code === PUBLISH) as [number, number]
    peer.send([PUBLISHED, id, 1])
    await publishing.opened
    await pass(10)
    await stopped
  })
})

describe('a drain ends', () => {
  test.each([
    [true, 8000],
    [300, 300],
  ])('with drain: %s after %i ms, and the call in progress fails', async (drain, time) => {
    const { world, service, call } = await busy()
    stopTheClock()
    const stopped = service.stop({ drain })
    await pass(time - 50, time - 50)
    expect(await now(stopped)).toBe('pending')
    await pass(60)
    await stopped
    expect(await failure(call)).toEqual(uri(CANCELED))
    await world[Symbol.asyncDispose]()
  })

  test.each([{}, { drain: false }, { drain: 0 }, { drain: undefined }])(
    'at once for stop() with %o',
    async (options) => {
      const { world, service, call } = await busy()
      await service.stop(options)
      expect(await failure(call)).toEqual(uri(CANCELED))
      await world[Symbol.asyncDispose]()
    },
  )

  test('at once without work', async () => {
    const { client, peer } = await joined()
    await client.stop({ drain: 60_000 })
    expect(codes(peer)).toEqual([1, GOODBYE])
  })

  test('when stop() is called again', async () => {
    const { world, service, call } = await busy()
    const drained = service.stop({ drain: true })
    await until(() => world.router.stats().registrations === 0)
    await service.stop()
    await drained
    expect(await failure(call)).toEqual(uri(CANCELED))
    await world[Symbol.asyncDispose]()
  })

  test('with a loss, and no attempt follows', async () => {
    let attempts = 0
    const { router, client, peer } = await joined((message, to) => granting(message, to), {
      reconnect: () => attempts++,
    })
    const interrupted = gate<unknown>()
    const begun = gate()
    await client.register('work', (_args, _kwargs, _details, { signal }) => {
      begun.open()
      signal.addEventListener('abort', () => interrupted.open(signal.reason))
      return new Promise(() => {})
    })
    peer.send([INVOCATION, 1, 1001, {}])
    await begun.opened
    const events = eventsOf(client)
    const stopped = client.stop({ drain: 60_000 })
    await until(() => codes(peer).includes(UNREGISTER))
    peer.terminate()
    await stopped
    expect(await interrupted.opened).toEqual(uri(CANCELED))
    expect([attempts, router.peers.length, events]).toEqual([
      0,
      1,
      [
        ['state', 'stopped'],
        ['stopped', undefined],
      ],
    ])
  })

  test('with GOODBYE of the router', async () => {
    const { world, service, call } = await busy()
    const stopped = service.stop({ drain: 60_000 })
    await world.router.close()
    await stopped
    expect(await failure(call)).toBeDefined()
    expect(service.state).toBe('stopped')
  })

  test.each(['connecting', 'reconnecting'])('at once while it is %s', async (state) => {
    const router = new Router()
    let attempts = state === 'connecting' ? 1 : 0
    const client = clientOf(
      {
        name: 'a router',
        async connect(_, signal) {
          if (attempts++ === 0) return router.connect()
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        },
      },
      { reconnect: () => 1 },
    )
    const started = client.start()
    started.catch(() => {})
    if (state === 'reconnecting') {
      await started
      await router.close()
    }
    await until(() => client.state === state && attempts === 2)
    await client.stop({ drain: 60_000 })
    expect([client.state, attempts]).toEqual(['stopped', 2])
  })

  test('never begins if the option has a wrong type', async () => {
    const client = clientOf(new Router())
    await client.start()
    for (const drain of ['soon', -1, 0.5, Number.NaN, null] as never[]) {
      const error = (await failure(client.stop({ drain }))) as WampError
      expect(error).toEqual(uri(USAGE))
      expect(error.message).toMatch(/^the option drain must be true, false or milliseconds, got /)
    }
    expect(client.state).toBe('ready')
  })
})

describe('start() during a drain', () => {
  test('joins again when the work is done', async () => {
    const { world, caller, service, call, finish } = await busy()
    const { id } = service.session
    const stopped = service.stop({ drain: true })
    await until(() => world.router.stats().registrations === 0)
    let ready = false
    const started = service.start().then(() => {
      ready = true
    })
    expect(await now(started)).toBe('pending')
    finish('done')
    expect(await call).toBe('done')
    await Promise.all([started, stopped])
    expect([service.state, ready, service.session.id === id]).toEqual(['ready', true, false])
    expect(world.router.stats().sessions).toBe(2)
    const again = caller.call('slow')
    expect(await again).toBe('done')
    await service.stop()
    await world[Symbol.asyncDispose]()
  })

  test('grants a handle that was added after it', async () => {
    const { world, caller, service, finish } = await busy()
    void service.stop({ drain: true })
    void service.start()
    const added = service.register('later', () => 'later')
    expect(await failure(caller.call('later'))).toEqual(uri(NO_SUCH_PROCEDURE))
    finish('done')
    await added
    expect(await caller.call('later')).toBe('later')
    await service.stop()
    await world[Symbol.asyncDispose]()
  })

  test('leaves the work alone if it is aborted', async () => {
    const { world, service, call, finish } = await busy()
    const stopped = service.stop({ drain: true })
    const controller = new AbortController()
    const started = failure(service.start({ signal: controller.signal }))
    controller.abort()
    expect(await started).toEqual(uri(CANCELED))
    expect(await now(stopped)).toBe('pending')
    finish('done')
    expect(await call).toBe('done')
    await stopped
    expect(service.state).toBe('stopped')
    await world[Symbol.asyncDispose]()
  })

  test('ends together with the drain by another stop()', async () => {
    const { world, service, call } = await busy()
    const drained = service.stop({ drain: 60_000 })
    const started = failure(service.start())
    await service.stop()
    await drained
    expect([await started, await failure(call), service.state]).toEqual([uri(STOPPED), uri(CANCELED), 'stopped'])
    await world[Symbol.asyncDispose]()
  })
})
