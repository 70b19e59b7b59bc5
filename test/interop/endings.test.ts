/** The end of sessions with autobahn and wampy: leaving, dropping during a call, reconnecting, a router that closes. */

import { describe, expect, test } from 'vitest'
import { Wampy } from 'wampy'
import { type Data, joinForeign } from './peers.ts'
import { Socket } from './socket.ts'
import { openWorld } from './world.ts'

const { default: autobahn } = await import('autobahn')

const [HELLO, GOODBYE, SUBSCRIBE, CALL, REGISTER] = [1, 6, 32, 48, 64]

describe.each(['autobahn', 'wampy'] as const)('%s', (library) => {
  test('an unknown realm is refused with its reason', async () => {
    await using world = await openWorld({ realms: ['com.other'] })
    await expect(joinForeign(library, world.url)).rejects.toMatchObject({ uri: 'wamp.error.no_such_realm' })
  })

  test('leaving sends GOODBYE, is answered, and removes registrations and subscriptions', async () => {
    await using world = await openWorld()
    const [peer, caller] = [await world.join(library), await world.join('wampy-ts')]
    await peer.register('com.echo', (data) => data)
    await peer.subscribe('com.news', () => {})
    await peer.leave()
    expect(peer.socket.heard.at(-1)).toEqual([GOODBYE, {}, 'wamp.close.goodbye_and_out'])
    await expect(caller.call('com.echo')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    expect(world.router.stats()).toMatchObject({ sessions: 1, subscriptions: 0, registrations: 0 })
  })

  test('a callee whose connection breaks during a call: our caller receives an error at once', async () => {
    await using world = await openWorld()
    const [callee, caller] = [await world.join(library), await world.join('wampy-ts')]
    const invoked = new Promise<void>((resolve) => {
      void callee.register('com.never', () => {
        resolve()
        return new Promise<Data>(() => {})
      })
    })
    await expect.poll(() => world.router.stats().registrations, { interval: 2 }).toBe(1)
    const call = caller.call('com.never')
    const failed = expect(call).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
    await invoked
    callee.socket.terminate()
    await failed
  })

  test('our callee leaves during a call: their caller receives an error at once', async () => {
    await using world = await openWorld()
    const [callee, caller] = [await world.join('wampy-ts'), await world.join(library)]
    let invoked: () => void
    const running = new Promise<void>((resolve) => {
      invoked = resolve
    })
    await callee.register('com.never', () => {
      invoked()
      return new Promise<Data>(() => {})
    })
    const failed = expect(caller.call('com.never')).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
    await running
    await callee.leave()
    await failed
  })

  test('a caller whose connection breaks during a call: our callee is interrupted, and its answer is dropped', async () => {
    await using world = await openWorld()
    const [callee, caller] = [await world.join('wampy-ts'), await world.join(library)]
    let answer: (data: Data) => void = () => {}
    let invoked: () => void
    const running = new Promise<void>((resolve) => {
      invoked = resolve
    })
    await callee.register('com.slow', () => {
      invoked()
      return new Promise<Data>((resolve) => {
        answer = resolve
      })
    })
    caller.call('com.slow').catch(() => {})
    await running
    caller.socket.terminate()
    await expect.poll(() => world.router.stats(), { interval: 2 }).toMatchObject({ sessions: 1, calls: 0 })
    // Behind the INTERRUPT, which an answer could cross.
    await callee.call('wamp.session.count')
    answer({ args: ['late'], kwargs: {} })
    const other = await world.join(library)
    await callee.register('com.echo', (data) => data)
    expect(await other.call('com.echo', [1])).toMatchObject({ args: [1] })
    expect(world.router.stats().dropped.late).toBe(0)
  })

  test('a router that closes sends GOODBYE, and they answer', async () => {
    const world = await openWorld()
    const peer = await world.join(library)
    await peer.register('com.echo', (data) => data)
    await world.router.close()
    expect(peer.socket.heard.at(-1)).toEqual([GOODBYE, expect.any(Object), 'wamp.close.system_shutdown'])
    // autobahn sends `wamp.error.goodbye_and_out`.
    expect(peer.socket.said.at(-1)).toEqual([GOODBYE, {}, expect.stringMatching(/^wamp\.\w+\.goodbye_and_out$/)])
    expect(await peer.ended).toBe(library === 'autobahn' ? 'wamp.close.system_shutdown' : undefined)
    await world[Symbol.asyncDispose]()
  })
})

test('wampy reconnects, continues its request ids, and is served as before', async () => {
  await using world = await openWorld()
  let back: () => void
  const reconnected = new Promise<void>((resolve) => {
    back = resolve
  })
  const wampy = new Wampy(world.url, {
    realm: 'realm1',
    ws: Socket as never,
    reconnectInterval: 1,
    onReconnectSuccess: () => back(),
  })
  await wampy.connect()
  const first = Socket.last as Socket
  const events: unknown[] = []
  await wampy.subscribe('com.news', ({ argsList }) => void events.push(argsList))
  await wampy.register('com.echo', ({ argsList = [] }) => ({ argsList }), { match: 'prefix', invoke: 'roundrobin' })
  first.terminate()
  await reconnected

  const second = Socket.last as Socket
  await expect.poll(() => world.router.stats(), { interval: 2 }).toMatchObject({ subscriptions: 1, registrations: 1 })
  await expect(wampy.call('com.none', [])).rejects.toMatchObject({ errorUri: 'wamp.error.no_such_procedure' })
  expect(first.said.map(([code, id]) => [code, id])).toEqual([
    [HELLO, 'realm1'],
    [SUBSCRIBE, 1],
    [REGISTER, 2],
  ])
  expect(second.said.map(([code, id]) => [code, id])).toEqual([
    [HELLO, 'realm1'],
    [SUBSCRIBE, 3],
    [REGISTER, 4],
    [CALL, 5],
  ])

  const ours = await world.join('wampy-ts')
  await ours.publish('com.news', ['hello'])
  expect(await ours.call('com.echo.any', [1])).toMatchObject({ args: [1] })
  expect(events).toEqual([['hello']])
  await wampy.disconnect()
})

test('autobahn reconnects, and its new session works like the first', async () => {
  await using world = await openWorld()
  const connection = new autobahn.Connection({
    url: world.url,
    realm: 'realm1',
    initial_retry_delay: 0.001,
    use_es6_promises: true,
  })
  const opened: import('autobahn').Session[] = []
  const events: unknown[] = []
  connection.onopen = async (session) => {
    session.caller_disclose_me = true
    await session.register('com.echo', (args) => args[0])
    await session.subscribe('com.news', (args) => events.push(args[0]))
    opened.push(session)
  }
  const closed: string[] = []
  connection.onclose = (reason) => void closed.push(reason)
  connection.open()
  await expect.poll(() => opened.length, { interval: 2 }).toBe(1)
  Socket.last?.terminate()
  await expect.poll(() => opened.length, { interval: 2 }).toBe(2)
  expect(closed).toEqual(['lost'])
  expect(world.router.stats()).toMatchObject({ sessions: 1, subscriptions: 1, registrations: 1 })

  const ours = await world.join('wampy-ts')
  await ours.publish('com.news', ['hello'])
  expect(await ours.call('com.echo', [1])).toMatchObject({ args: [1] })
  expect(events).toEqual(['hello'])
  connection.close()
  await expect.poll(() => closed, { interval: 2 }).toEqual(['lost', 'closed'])
})
