/** start() and stop() in any order and number: at most one session, and nothing left behind. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  CANCELED,
  CONNECTION_FAILED,
  type Connector,
  NO_SUCH_REALM,
  NOT_JOINED,
  PROCEDURE_ALREADY_EXISTS,
  rpc,
  STOPPED,
  subscribe,
  TIMEOUT,
  USAGE,
  WampClient,
  WampError,
} from 'wampy-ts'
import { Router } from 'wampy-ts/router'
import { GOODBYE, HELLO, linked, openWorld, REGISTER, SUBSCRIBE, scriptedRouter, WELCOME } from 'wampy-ts/testing'
import {
  clientOf,
  eventsOf,
  failure,
  granting,
  leavesNothing,
  next,
  pass,
  stopTheClock,
  until,
  uri,
  WELCOMED,
  welcoming,
} from './support.ts'

leavesNothing()

/** A router that cannot be reached for the first `times` attempts. */
function unreachable(times: number, then: Connector = new Router()): Connector & { attempts: number } {
  return {
    name: 'far away',
    attempts: 0,
    async connect(serializers, signal) {
      if (this.attempts++ < times) throw new WampError(CONNECTION_FAILED, [`attempt ${this.attempts} failed`])
      return then.connect(serializers, signal)
    },
  }
}

describe('in any order', () => {
  test('start, stop, start without awaiting, as StrictMode does, ends in one session', async () => {
    const router = new Router()
    const client = clientOf(router)
    void client.start()
    void client.stop()
    await client.start()
    expect(client.state).toBe('ready')
    expect(router.stats().sessions).toBe(1)
    await client.stop()
    await until(() => router.links === 0)
  })

  test('start, stop, start with a session in between ends in one session', async () => {
    const router = new Router()
    const client = clientOf(router)
    await client.start()
    const { id } = client.session
    const stopped = client.stop()
    const started = client.start()
    await Promise.all([stopped, started])
    expect(client.session.id).not.toBe(id)
    expect(router.stats().sessions).toBe(1)
  })

  test('stop resolves when the link is closed, even if a start follows it', async () => {
    let closed = false
    const router = welcoming()
    const client = clientOf({
      name: 'watched',
      async connect(serializers, signal) {
        const link = await router.connect(serializers, signal)
        const [open, close] = [link.open.bind(link), link.close.bind(link)]
        // A peer that is slow to close.
        link.close = () => void setImmediate(() => setImmediate(close))
        link.open = (sink) =>
          open({
            message: (message) => sink.message(message),
            failed: (error) => sink.failed(error),
            closed: (info) => {
              closed = true
              sink.closed(info)
            },
          })
        return link
      },
    })
    await client.start()
    const stopped = client.stop()
    void client.start()
    await stopped
    expect(closed).toBe(true)
  })

  test('in random sequences the last call decides', async () => {
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return Math.floor((seed / 2 ** 31) * below)
    }
    const router = new Router()
    for (let round = 0; round < 150; round++) {
      const client = new WampClient({ router })
      const settled: Promise<unknown>[] = []
      let last = 'stop'
      for (let step = random(8); step >= 0; step--) {
        const what = ['start', 'stop', 'turn', 'tick'][random(4)] as string
        if (what === 'start') settled.push(client.start().catch(uriOf))
        else if (what === 'stop') settled.push(client.stop())
        else if (what === 'turn') await new Promise((resolve) => setImmediate(resolve))
        else await Promise.resolve()
        if (what === 'start' || what === 'stop') last = what
      }
      const outcomes = await Promise.all(settled)
      for (const outcome of outcomes) expect([undefined, STOPPED]).toContain(outcome)
      expect(client.state).toBe(last === 'start' ? 'ready' : 'stopped')
      expect(router.stats().sessions).toBe(last === 'start' ? 1 : 0)
      await client.stop()
    }
    expect(router.links).toBe(0)
  })

  const uriOf = (error: unknown) => (error as WampError).uri

  test('two starts make one session, and both resolve', async () => {
    const router = welcoming()
    const client = clientOf(router)
    await Promise.all([client.start(), client.start()])
    await client.start()
    expect(router.peers).toHaveLength(1)
    expect(router.peers[0]?.received.filter(([code]) => code === HELLO)).toHaveLength(1)
  })

  test('a second start with a shorter timeout is rejected alone', async () => {
    stopTheClock()
    const router = scriptedRouter(() => {})
    const client = clientOf(router, { connectTimeout: 60_000 })
    const first = failure(client.start({ timeout: 5000 }))
    const second = failure(client.start({ timeout: 100 }))
    const third = new AbortController()
    const fourth = failure(client.start({ signal: third.signal }))
    await until(() => router.peers.length === 1)
    await vi.advanceTimersByTimeAsync(100)
    expect(await second).toEqual(uri(TIMEOUT))
    third.abort()
    expect(await fourth).toEqual(uri(CANCELED))
    expect(client.state).toBe('connecting')
    await vi.advanceTimersByTimeAsync(4900)
    expect(await first).toEqual(uri(TIMEOUT))
    expect(client.state).toBe('connecting')
  })

  test('start while reconnecting resolves when ready, or rejects at its timeout', async () => {
    stopTheClock()
    const router = welcoming(undefined, (attempt) => (attempt === 2 ? undefined : WELCOMED))
    const client = clientOf(router, { liveness: false, connectTimeout: 3000 })
    await client.start()
    const retry = next(client, 'retry')
    router.peers[0]?.terminate()
    await retry
    let over = false
    const waiting = client.start().finally(() => {
      over = true
    })
    const late = failure(client.start({ timeout: 1000 }))
    await pass(1000)
    expect(await late).toEqual(uri(TIMEOUT))
    expect([client.state, over]).toEqual(['reconnecting', false])
    await pass(4000)
    await waiting
    expect(client.state).toBe('ready')
    expect(router.peers).toHaveLength(3)
  })

  test('start while reconnecting is rejected by stop(), quietly if it is not awaited', async () => {
    const router = welcoming()
    const client = clientOf(router, { reconnect: () => 1_000_000 })
    await client.start()
    const retry = next(client, 'retry')
    router.peers[0]?.terminate()
    await retry
    void client.start()
    const heard = failure(client.start())
    await client.stop()
    expect(await heard).toEqual(uri(STOPPED))
  })

  test('stop works at any microtask between the connection and the session', async () => {
    for (const moment of ['connected', 'connected to one that is silent', 'welcomed']) {
      for (let steps = 0; steps < 25; steps++) {
        const router = new Router()
        const soon = async () => {
          for (let step = 0; step < steps; step++) await Promise.resolve()
          void client.stop()
        }
        const client: WampClient = clientOf({
          name: 'watched',
          async connect(...given) {
            const link = await (moment.endsWith('silent') ? scriptedRouter(() => {}) : router).connect(...given)
            const open = link.open.bind(link)
            if (moment === 'welcomed') {
              link.open = (sink) =>
                open({
                  ...sink,
                  failed: (error) => sink.failed(error),
                  closed: (info) => sink.closed(info),
                  message: (message) => {
                    sink.message(message)
                    if (message[0] === WELCOME) void soon()
                  },
                })
            } else void soon()
            return link
          },
        })
        await client.start().catch(() => {})
        await client.stop()
        expect(client.state).toBe('stopped')
        await until(() => router.links === 0)
      }
    }
  })

  test('stop without start, and twice, does nothing', async () => {
    const client = clientOf(new Router())
    const events = eventsOf(client)
    await client.stop()
    await client.stop()
    expect(client.state).toBe('stopped')
    expect(events).toEqual([])
  })

  test('a failed start may be followed by a successful one', async () => {
    const router = unreachable(1)
    const client = clientOf(router, { reconnect: false })
    await expect(client.start()).rejects.toMatchObject({ uri: CONNECTION_FAILED, message: 'attempt 1 failed' })
    expect(client.state).toBe('stopped')
    await client.start()
    expect(client.state).toBe('ready')
  })

  test('an event listener may stop the client, at every transition', async () => {
    for (const state of ['connecting', 'ready'] as const) {
      const router = new Router()
      const client = clientOf(router)
      client.on('state', (now) => {
        if (now === state) void client.stop()
      })
      expect(await failure(client.start())).toEqual(uri(STOPPED))
      await client.stop()
      await until(() => router.links === 0)
    }
  })

  test('an event listener may start it again after it has stopped', async () => {
    const client = clientOf(new Router())
    await client.start()
    client.once('stopped', () => void client.start())
    const ready = next(client, 'ready')
    await client.stop()
    await ready
    expect(client.state).toBe('ready')
  })

  test('a procedure may stop its own service while it runs', async () => {
    await using world = await openWorld()
    class Suicidal extends WampClient {
      @rpc async leave(): Promise<string> {
        await this.stop()
        return 'too late'
      }
    }
    const service = new Suicidal({ router: world.router })
    await service.start()
    const [caller] = await world.join('caller')
    expect(await failure(caller.call('leave'))).toEqual(uri(CANCELED))
    expect(service.state).toBe('stopped')
  })

  test('await using stops it', async () => {
    const router = new Router()
    {
      await using client = new WampClient({ router })
      await client.start()
      expect(router.stats().sessions).toBe(1)
    }
    expect(router.stats().sessions).toBe(0)
  })
})

describe('stop ends a client in every state', () => {
  const stopped = async (client: WampClient, started: Promise<unknown>) => {
    const events = eventsOf(client)
    await client.stop()
    expect(client.state).toBe('stopped')
    expect(await started).toEqual(uri(STOPPED))
    expect(events.at(-1)).toEqual(['stopped', undefined])
    expect(() => client.session).toThrow(uri(NOT_JOINED) as never)
  }

  test("while it connects: the dial's signal aborts", async () => {
    let dialSignal: AbortSignal | undefined
    const client = clientOf({
      name: 'far away',
      connect: (_, signal) =>
        new Promise((_, reject) => {
          dialSignal = signal
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
    })
    const started = failure(client.start())
    await until(() => dialSignal !== undefined)
    await stopped(client, started)
    expect(dialSignal?.aborted).toBe(true)
  })

  test('while it connects, with a dial that ignores the signal: a late transport is closed', async () => {
    let arrive!: (link: ReturnType<typeof linked>[0]) => void
    const client = clientOf({ name: 'deaf', connect: () => new Promise((resolve) => (arrive = resolve)) })
    const started = failure(client.start())
    await until(() => arrive !== undefined)
    await stopped(client, started)
    const [ours, theirs] = linked()
    const closed = new Promise((resolve) => theirs.open({ message() {}, failed() {}, closed: resolve }))
    arrive(ours)
    await closed
  })

  test('while it waits for WELCOME', async () => {
    const router = scriptedRouter(() => {})
    const client = clientOf(router)
    const started = failure(client.start())
    await until(() => router.peers[0]?.received.length === 1)
    await stopped(client, started)
    await router.peers[0]?.closed
  })

  test('while it waits for REGISTERED', async () => {
    const router = welcoming()
    class Service extends WampClient {
      @rpc date(): void {}
    }
    const client = new Service({ router })
    const started = failure(client.start())
    await until(() => router.peers[0]?.received.some(([code]) => code === REGISTER) ?? false)
    await stopped(client, started)
    expect(client.registrations).toEqual([])
    await router.peers[0]?.closed
  })

  test('while it waits for its next attempt: no timer is left', async () => {
    stopTheClock()
    const client = clientOf(unreachable(Number.POSITIVE_INFINITY))
    const started = failure(client.start({ timeout: 0 }))
    await next(client, 'retry')
    await stopped(client, started)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('while it is reconnecting', async () => {
    stopTheClock()
    const router = welcoming()
    const client = clientOf(router)
    await client.start()
    const retry = next(client, 'retry')
    router.peers[0]?.terminate()
    await retry
    expect(client.state).toBe('reconnecting')
    await client.stop()
    expect(client.state).toBe('stopped')
    expect(vi.getTimerCount()).toBe(0)
    expect(router.peers).toHaveLength(1)
  })

  test('while a router does not answer GOODBYE: after a limited time', async () => {
    stopTheClock()
    const router = scriptedRouter(([code], peer) => code === HELLO && peer.send(WELCOMED))
    const client = clientOf(router)
    await client.start()
    const done = client.stop()
    await until(() => router.peers[0]?.received.some(([code]) => code === GOODBYE) ?? false)
    await vi.advanceTimersByTimeAsync(5000)
    await done
    expect(vi.getTimerCount()).toBe(0)
    await router.peers[0]?.closed
  })

  test('and sends GOODBYE, if there is a session', async () => {
    const router = welcoming()
    const client = clientOf(router)
    await client.start()
    await client.stop()
    expect(router.peers[0]?.received.at(-1)).toEqual([GOODBYE, {}, 'wamp.close.close_realm'])
  })
})

describe('a start that fails', () => {
  test('rejects after its timeout with the last cause, and the client keeps trying, as the error says', async () => {
    stopTheClock()
    const router = unreachable(8)
    const client = clientOf(router, { name: 'clock' })
    const events = eventsOf(client)
    const started = failure(client.start({ timeout: 3000 }))
    await vi.advanceTimersByTimeAsync(3000)
    const { attempts } = router
    expect(attempts).toBeGreaterThan(2)
    expect(await started).toMatchObject({
      uri: CONNECTION_FAILED,
      message: `attempt ${attempts} failed; clock keeps trying until stop()`,
      cause: { message: `attempt ${attempts} failed` },
      sent: false,
    })
    expect(client.state).toBe('connecting')
    await pass(120_000, 1000)
    expect([client.state, router.attempts]).toEqual(['ready', 9])
    await client.stop()
    expect(vi.getTimerCount()).toBe(0)
    expect(events.filter(([name]) => name === 'stopped' || name === 'error')).toEqual([['stopped', undefined]])
  })

  test('with reconnect: false tries once, and rejects after its timeout at the latest', async () => {
    stopTheClock()
    const refusing = unreachable(Number.POSITIVE_INFINITY)
    const once = clientOf(refusing, { reconnect: false })
    expect(await failure(once.start())).toMatchObject({ uri: CONNECTION_FAILED, message: 'attempt 1 failed' })
    expect([once.state, refusing.attempts]).toEqual(['stopped', 1])
    const silent = scriptedRouter(() => {})
    const client = clientOf(silent, { reconnect: false, connectTimeout: 60_000 })
    const started = failure(client.start({ timeout: 1000 }))
    await until(() => silent.peers.length === 1)
    await pass(1000)
    expect(await started).toEqual(uri(TIMEOUT))
    await silent.peers[0]?.closed
    await until(() => client.state === 'stopped')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('rejects after 10 seconds by default', async () => {
    stopTheClock()
    const client = clientOf(unreachable(Number.POSITIVE_INFINITY))
    let over = false
    const started = failure(client.start()).finally(() => {
      over = true
    })
    await vi.advanceTimersByTimeAsync(9999)
    expect(over).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await started
  })

  test('with a timeout of 0 or of Infinity never rejects', async () => {
    for (const timeout of [0, Number.POSITIVE_INFINITY]) {
      stopTheClock()
      const router = unreachable(10)
      const client = clientOf(router)
      const started = client.start({ timeout })
      await pass(300_000, 1000)
      await started
      expect(router.attempts).toBe(11)
      await client.stop()
      vi.useRealTimers()
    }
  })

  test('has the error timeout if no attempt has failed by then', async () => {
    stopTheClock()
    const router = scriptedRouter(() => {})
    const client = clientOf(router)
    const started = failure(client.start({ timeout: 1000 }))
    await until(() => router.peers.length === 1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await started).toMatchObject({
      uri: TIMEOUT,
      message: 'no answer within 1000 ms; WampClient keeps trying until stop()',
    })
    expect(client.state).toBe('connecting')
  })

  test('tries again when an attempt took longer than connectTimeout', async () => {
    stopTheClock()
    const router = welcoming(undefined, (attempt) => (attempt > 1 ? WELCOMED : undefined))
    const client = clientOf(router, { connectTimeout: 500 })
    const started = client.start()
    await until(() => router.peers[0]?.received.length === 1)
    await pass(1500)
    await started
    expect(router.peers).toHaveLength(2)
    await router.peers[0]?.closed
  })

  test('is ended by its signal, and rejects with its reason as the cause', async () => {
    const router = scriptedRouter(() => {})
    const client = clientOf(router)
    const controller = new AbortController()
    const started = failure(client.start({ signal: controller.signal }))
    await until(() => router.peers[0]?.received.length === 1)
    controller.abort('enough')
    expect(await started).toMatchObject({ uri: CANCELED, cause: 'enough' })
    await client.stop()
    expect(client.state).toBe('stopped')
  })

  test('with a signal that is already aborted starts nothing', async () => {
    const router = welcoming()
    const client = clientOf(router)
    expect(await failure(client.start({ signal: AbortSignal.abort() }))).toMatchObject({ uri: CANCELED, sent: false })
    expect(router.peers).toEqual([])
    expect(client.state).toBe('stopped')
  })

  test('is not caused by a signal that aborts after the start has succeeded', async () => {
    const controller = new AbortController()
    const client = clientOf(new Router())
    await client.start({ signal: controller.signal })
    controller.abort()
    expect(client.state).toBe('ready')
  })

  for (const reason of [
    NO_SUCH_REALM,
    'wamp.error.authentication_denied',
    'wamp.error.authentication_failed',
    'wamp.error.authentication_required',
    'wamp.error.no_matching_auth_method',
    // Of Crossbar.io.
    'wamp.error.no_auth_method',
    'wamp.error.not_authorized',
    'wamp.error.authorization_failed',
    'wamp.error.no_such_role',
    'wamp.error.no_such_principal',
    'wamp.error.invalid_uri',
  ]) {
    test(`for ${reason} does not try again`, async () => {
      const router = scriptedRouter((_, peer) => peer.send([3, { message: 'no' }, reason]))
      const client = clientOf(router)
      const events = eventsOf(client)
      const error = await failure(client.start())
      expect(error).toMatchObject({ uri: reason, message: 'no' })
      await until(() => client.state === 'stopped')
      expect(router.peers).toHaveLength(1)
      expect(events).toEqual([
        ['state', 'connecting'],
        ['state', 'stopped'],
        ['stopped', error],
      ])
    })
  }

  test('for another reason tries again', async () => {
    const router = welcoming(undefined, (attempt) => (attempt === 1 ? [3, {}, 'wamp.close.system_shutdown'] : WELCOMED))
    const client = clientOf(router, { reconnect: { initial: 1 } })
    const retry = next(client, 'retry')
    await client.start()
    expect((await retry)[0].cause).toEqual(uri('wamp.close.system_shutdown'))
  })

  test('for a realm that the real router does not have reports that', async () => {
    const client = clientOf(new Router(), { realm: 'nowhere' })
    await expect(client.start()).rejects.toMatchObject({
      uri: NO_SUCH_REALM,
      message: expect.stringMatching(/nowhere/),
    })
  })

  test('without a WebSocket class does not try again', async () => {
    let attempts = 0
    const client = clientOf({
      name: 'nowhere',
      async connect() {
        attempts++
        throw new WampError(USAGE, ['there is no WebSocket here'])
      },
    })
    await expect(client.start()).rejects.toMatchObject({ uri: USAGE })
    expect(attempts).toBe(1)
  })

  test('is not an unhandled rejection if stop() ended it', async () => {
    const client = clientOf(scriptedRouter(() => {}))
    void client.start()
    void client.start()
    await client.stop()
  })
})

describe('a service whose procedure is refused', () => {
  class DateService extends WampClient {
    @rpc today(): string {
      return '2016-05-15'
    }
    @rpc tomorrow(): string {
      return '2016-05-16'
    }
    @subscribe('com.example.tick') onTick(): void {}
  }

  test('does not start, and leaves neither session nor registration nor handle', async () => {
    await using world = await openWorld()
    const [other] = await world.join('other')
    const taken = await other.register('tomorrow', () => 'mine')
    const service = new DateService({ router: world.router })
    onTestFinished(() => service.stop())
    const events = eventsOf(service)
    expect(await failure(service.start())).toEqual(uri(PROCEDURE_ALREADY_EXISTS))
    await until(() => service.state === 'stopped')
    expect(world.router.stats()).toMatchObject({ sessions: 1, registrations: 1, subscriptions: 0 })
    expect([service.registrations, service.subscriptions]).toEqual([[], []])
    expect(events.map(([name]) => name)).toEqual(['state', 'state', 'stopped'])
    await taken.unregister()
    await service.start()
    expect(service.registrations).toHaveLength(2)
    await service.stop()
  })

  test('or whose @subscribe method is refused does not start either', async () => {
    const router = welcoming((message, peer) => {
      if (message[0] === SUBSCRIBE) peer.send([8, SUBSCRIBE, message[1], {}, 'wamp.error.not_authorized'])
      else granting(message, peer)
    })
    const service = new DateService({ router })
    expect(await failure(service.start())).toEqual(uri('wamp.error.not_authorized'))
    await until(() => service.state === 'stopped')
  })

  test('tries again if the connection is lost before the router has answered', async () => {
    const router = welcoming((message, peer) => {
      if (router.peers.length === 1) peer.terminate()
      else granting(message, peer)
    })
    const service = new DateService({ router, reconnect: { initial: 1 } })
    onTestFinished(() => service.stop())
    await service.start()
    expect(router.peers).toHaveLength(2)
    expect(service.registrations.map(({ state }) => state)).toEqual(['active', 'active'])
  })
})

describe('the session', () => {
  test('is defined from start to stop, with its identity', async () => {
    const router = new Router({ realms: ['com.example.realm'] })
    const client = clientOf(router, { realm: 'com.example.realm', name: 'Joe' })
    expect(() => client.session).toThrow('Joe has not joined a realm: await start() first')
    await client.start()
    expect(client.session).toMatchObject({ id: expect.any(Number), realm: 'com.example.realm', authrole: 'anonymous' })
    expect(client.session.authid).toEqual(expect.any(String))
    await client.stop()
    expect(() => client.session).toThrow(uri(NOT_JOINED) as never)
  })

  test('has the realm of WELCOME, if that names another', async () => {
    const router = welcoming(undefined, () => [2, 1, { realm: 'assigned', authid: 'joe', authrole: 'user', roles: {} }])
    const client = clientOf(router)
    await client.start()
    expect(client.session).toMatchObject({ realm: 'assigned', authid: 'joe', authrole: 'user' })
  })
})
