/** Callers, callees, publishers and subscribers together, without bytes in between and over real sockets. */

import { describe, expect, test } from 'vitest'
import { RpcClient, rpc, subscribe, WampClient } from 'wampy-ts'
import { GOODBYE, openWorld } from 'wampy-ts/testing'
import { failure, leavesNothing, next, until, uri } from '../client/support.ts'
import { extremes } from './worlds.ts'

leavesNothing()

describe.each(extremes)('over %s', (_, options) => {
  test('a session begins with HELLO and ends with GOODBYE, which is answered', async () => {
    await using world = await openWorld(options)
    const [client] = await world.join('client')
    const { id } = client.session
    await client.stop()
    const [hello, goodbye] = world.log.sent('client')
    const [welcome, answer] = world.log.received('client')
    expect([hello?.slice(0, 2), welcome?.slice(0, 2)]).toEqual([
      [1, 'realm1'],
      [2, id],
    ])
    expect([goodbye, answer]).toEqual([
      [GOODBYE, {}, 'wamp.close.close_realm'],
      [GOODBYE, {}, 'wamp.close.goodbye_and_out'],
    ])
  })

  test('an unknown realm is refused', async () => {
    await using world = await openWorld(options)
    expect(await failure(world.client('client', { realm: 'com.example.nowhere' }))).toEqual(
      uri('wamp.error.no_such_realm'),
    )
  })

  test('sessions of one realm receive nothing from another realm', async () => {
    await using world = await openWorld({ ...options, router: { realms: ['com.one', 'com.two'] } })
    const one = await world.client('one', { realm: 'com.one' })
    const two = await world.client('two', { realm: 'com.two' })
    const heard: unknown[] = []
    await one.register('com.example.f', () => 1)
    await one.subscribe('com.example.t', () => heard.push('one'))
    expect(await failure(two.call('com.example.f'))).toEqual(uri('wamp.error.no_such_procedure'))
    await two.publish('com.example.t', [], {}, { acknowledge: true })
    await one.call('com.example.f')
    expect(heard).toEqual([])
    await two.register('com.example.f', () => 2)
    expect([await one.call('com.example.f'), await two.call('com.example.f')]).toEqual([1, 2])
  })

  test('a callee leaves during a call: its caller receives an error', async () => {
    await using world = await openWorld(options)
    const [caller, callee] = await world.join('caller', 'callee')
    let called!: () => void
    const running = new Promise<void>((resolve) => {
      called = resolve
    })
    await callee.register('com.example.never', () => {
      called()
      return new Promise(() => {})
    })
    const call = failure(caller.call('com.example.never'))
    await running
    await callee.stop()
    expect(await call).toMatchObject({ uri: 'wamp.error.canceled' })
    expect(await failure(caller.call('com.example.never'))).toEqual(uri('wamp.error.no_such_procedure'))
  })

  test('a caller leaves during a call: its callee is unaffected', async () => {
    await using world = await openWorld(options)
    const [caller, callee, other] = await world.join('caller', 'callee', 'other')
    let finish!: (value: string) => void
    let called!: () => void
    const running = new Promise<void>((resolve) => {
      called = resolve
    })
    await callee.register('com.example.slow', () => {
      called()
      return new Promise((resolve) => {
        finish = resolve
      })
    })
    await callee.register('com.example.fine', () => 'fine')
    const call = failure(caller.call('com.example.slow'))
    await running
    await caller.stop()
    expect(await call).toMatchObject({ uri: 'wampy.error.stopped', sent: true })
    finish('too late')
    expect(await other.call('com.example.fine')).toBe('fine')
    expect(callee.state).toBe('ready')
  })

  test('an answer to an abandoned call is dropped', async () => {
    await using world = await openWorld(options)
    const [caller, callee] = await world.join('caller', 'callee')
    const finish: ((value: string) => void)[] = []
    await callee.register('com.example.slow', () => new Promise((resolve) => finish.push(resolve)))
    await callee.register('com.example.fine', () => 'fine')
    const controller = new AbortController()
    const call = failure(caller.call('com.example.slow', [], {}, { signal: controller.signal }))
    while (!finish.length) await caller.call('com.example.fine')
    controller.abort()
    expect(await call).toEqual(uri('wamp.error.canceled'))
    finish[0]?.('too late')
    expect(await caller.call('com.example.fine')).toBe('fine')
    expect(caller.dropped.answers).toBe(1)
  })

  test('a graceful close of the router is a loss: pending requests are rejected', async () => {
    await using world = await openWorld(options)
    const [caller, callee] = await world.join('caller', 'callee')
    let called!: () => void
    const running = new Promise<void>((resolve) => {
      called = resolve
    })
    await callee.register('com.example.never', () => {
      called()
      return new Promise(() => {})
    })
    const call = failure(caller.call('com.example.never'))
    const lost = next(caller, 'lost')
    await running
    await world.router.close()
    expect(await lost).toEqual([uri('wamp.close.system_shutdown')])
    expect(await call).toMatchObject({ sent: true })
    await until(() => caller.state === 'stopped')
  })

  test('invocations from one caller arrive in the order of its calls, across procedures', async () => {
    await using world = await openWorld(options)
    const [caller, callee] = await world.join('caller', 'callee')
    const order: unknown[] = []
    for (const name of ['a', 'b', 'c']) {
      await callee.register(`com.example.${name}`, async ([n]) => {
        order.push(n)
      })
    }
    const calls = Array.from({ length: 90 }, (_, i) => caller.call(`com.example.${'abc'[i % 3]}`, [i]))
    await Promise.all(calls)
    expect(order).toEqual(Array.from({ length: 90 }, (_, i) => i))
  })

  test('a service and its typed client, with events both ways', async () => {
    class Chat extends WampClient {
      static prefix = 'com.example.chat'
      readonly lines: string[] = []
      @rpc async say(line: string): Promise<number> {
        this.lines.push(line)
        await this.publish('com.example.chat.said', [line])
        return this.lines.length
      }
      @rpc read(): string[] {
        return this.lines
      }
      @subscribe('com.example.chat.clear') onClear(): void {
        this.lines.length = 0
      }
    }
    await using world = await openWorld(options)
    await using service = new Chat({ router: world.connector('service') })
    await service.start()
    await using client = new RpcClient({ service: Chat, router: world.connector('client') })
    const heard: unknown[] = []
    await client.start()
    await client.subscribe('com.example.chat.said', ([line]) => heard.push(line))
    expect(await client.rpc.say('hello')).toBe(1)
    expect(await client.rpc.say('world')).toBe(2)
    expect(await client.rpc.read()).toEqual(['hello', 'world'])
    await client.publish('com.example.chat.clear', [], {}, { acknowledge: true })
    expect(await client.rpc.read()).toEqual([])
    expect(heard).toEqual(['hello', 'world'])
  })

  test('a client with many subscriptions and registrations leaves none of them behind', async () => {
    await using world = await openWorld(options)
    const [client] = await world.join('client')
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        await client.subscribe(`com.example.t${i}`, () => {})
        await client.register(`com.example.f${i}`, () => i)
      }),
    )
    expect(world.router.stats()).toMatchObject({ subscriptions: 100, registrations: 100 })
    await client.stop()
    expect(world.router.stats()).toMatchObject({ sessions: 0, subscriptions: 0, registrations: 0 })
  })
})
