/** Scripted peers: they send the messages of a test, and keep the messages they receive. */

import { expect, test } from 'vitest'
import { WampClient } from 'wampy-ts'
import { Router } from 'wampy-ts/router'
import { scripted, scriptedRouter } from 'wampy-ts/testing'
import { leavesNothing, until } from '../client/support.ts'

leavesNothing()

test('a scripted client talks to a real router', async () => {
  const router = new Router()
  const peer = scripted(router)
  peer.send([1, 'realm1', { roles: { caller: {} } }])
  expect((await peer.next())?.slice(0, 2)).toEqual([2, expect.any(Number)])
  peer.send([48, 1, {}, 'a.b'], [48, 2, {}, 'a.c'])
  expect([(await peer.next())?.[2], (await peer.next())?.[2]]).toEqual([1, 2])
  expect(peer.received).toHaveLength(3)
  peer.send([6, {}, 'a.bye'])
  expect(await peer.next()).toEqual([6, {}, 'wamp.close.goodbye_and_out'])
  expect(await peer.next()).toBeUndefined()
  await until(() => router.links === 0)
})

test('it may send an invalid message, and receives the reason of the ABORT', async () => {
  const router = new Router()
  const peer = scripted(router)
  peer.raw('garbage')
  expect(await peer.next()).toEqual([3, { message: expect.any(String) }, 'wamp.error.protocol_violation'])
  await peer.closed
})

test('it may break the connection', async () => {
  const router = new Router()
  const peer = scripted(router)
  peer.send([1, 'realm1', { roles: { caller: {} } }])
  await peer.next()
  peer.terminate()
  await until(() => router.links === 0)
  expect(router.stats().sessions).toBe(0)
})

test('a waiting reader is settled when the other side closes', async () => {
  const peer = scripted(new Router())
  const waiting = peer.next()
  peer.close(1000, 'bye')
  expect(await waiting).toBeUndefined()
  expect((await peer.closed).code).toBe(1000)
})

test('a scripted router answers each client on its own connection', async () => {
  const router = scriptedRouter(([code, request], peer) => {
    if (code === 1) peer.send([2, router.peers.indexOf(peer) + 1, { roles: { dealer: {} } }])
    if (code === 48) peer.send([50, request, {}, [`from ${router.peers.indexOf(peer)}`]])
    if (code === 6) peer.send([6, {}, 'wamp.close.goodbye_and_out'])
  })
  await using one = new WampClient({ router })
  await using two = new WampClient({ router })
  await one.start()
  await two.start()
  expect([one.session.id, two.session.id]).toEqual([1, 2])
  expect([await one.call('a.b'), await two.call('a.b')]).toEqual(['from 0', 'from 1'])
})
