/** The world of a test: it logs the wire, and reports leftovers. */

import { describe, expect, test } from 'vitest'
import { json, WampClient } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import {
  CALL,
  ERROR,
  WireLog as Log,
  openWorld,
  REGISTER,
  REGISTERED,
  RESULT,
  tap,
  type WireLog,
  type World,
} from 'wampy-ts/testing'
import { linked } from '../../src/session/linked.ts'
import { leavesNothing, until } from '../client/support.ts'

leavesNothing()

for (const link of ['linked', 'wires', 'websocket'] as const) {
  describe(`over ${link}`, () => {
    test('clients join by name, and their messages are logged', async () => {
      await using world = await openWorld({ link })
      const [alice, bob] = await world.join('alice', 'bob')
      expect([alice.name, bob.name]).toEqual(['alice', 'bob'])
      await alice.register('com.example.f', ([n]) => n)
      await bob.call('com.example.f', [5], { a: 1 })
      expect(world.log.sent('alice')[1]).toEqual([REGISTER, 1, {}, 'com.example.f'])
      expect(world.log.received('alice')[1]).toEqual([REGISTERED, 1, expect.any(Number)])
      expect(world.log.sent('bob')[1]).toEqual([CALL, 1, {}, 'com.example.f', [5], { a: 1 }])
      expect(world.log.last('bob')).toEqual([RESULT, 1, {}, [5]])
      expect(world.log.last('nobody')).toBeUndefined()
    })

    test('a second registration of the same procedure is refused', async () => {
      await using world = await openWorld({ link })
      const [alice, bob] = await world.join('alice', 'bob')
      await alice.register('com.example.add', () => 1)
      await expect(bob.register('com.example.add', () => 2)).rejects.toMatchObject({
        uri: 'wamp.error.procedure_already_exists',
      })
      expect(world.log.last('bob')).toEqual([
        ERROR,
        REGISTER,
        1,
        {},
        'wamp.error.procedure_already_exists',
        [expect.any(String)],
      ])
    })

    test('disposing stops its clients and its router', async () => {
      const world = await openWorld({ link })
      const [alice] = await world.join('alice')
      await alice.subscribe('com.example.t', () => {})
      await world[Symbol.asyncDispose]()
      expect(alice.state).toBe('stopped')
      expect(world.router.stats()).toMatchObject({ sessions: 0, subscriptions: 0 })
      expect(world.router.links).toBe(0)
    })
  })
}

test('leftovers of a test are named on disposal', async () => {
  const world: World = await openWorld()
  const forgotten = new WampClient({ router: world.router })
  await forgotten.start()
  await forgotten.register('com.example.f', () => 1)
  await forgotten.subscribe('com.example.t', () => {})
  await expect(world[Symbol.asyncDispose]()).rejects.toThrow(
    'left behind in the router: 1 sessions, 1 subscriptions, 1 registrations',
  )
  await forgotten.stop()
})

test('the serializer is an option', async () => {
  await using world = await openWorld({ link: 'wires', serializer: cbor })
  const [alice] = await world.join('alice')
  await alice.register('com.example.echo', ([value]) => value)
  expect(await alice.call('com.example.echo', [2n ** 63n])).toBe(2n ** 63n)
})

test('a tapped link is the link it taps', async () => {
  const log: WireLog = new Log()
  const [a, b] = linked()
  const tapped = tap(a, 'a', log)
  expect([tapped.local, tapped.backlog, tapped.ping]).toEqual([true, 0, undefined])
  let closed: unknown
  b.open({ message() {}, failed() {}, closed: (info) => (closed = info) })
  tapped.open({ message() {}, failed() {}, closed() {} })
  expect(() => tapped.send([CALL, 1, {}, 'a.b', { args: [() => {}], kwargs: undefined }])).toThrow(/args\[0\]/)
  expect(log.entries).toEqual([])
  tapped.send([CALL, 1, {}, 'a.b', { args: undefined, kwargs: undefined }])
  expect(log.sent('a')).toEqual([[CALL, 1, {}, 'a.b']])
  tapped.close(1000, 'done')
  await until(() => closed !== undefined)
  expect(closed).toEqual({ code: 1000, reason: 'done' })
  expect(json.name).toBe('json')
})
