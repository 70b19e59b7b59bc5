/** The meta API, testaments and event history through the client's public API. */

import { expect, test } from 'vitest'
import { type WampClient, WampError } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'

/** Resolves with the arguments of the next event of a topic. */
function next(client: WampClient, topic: string): Promise<readonly unknown[]> {
  return new Promise((resolve) => {
    void client.subscribe(topic, (args) => resolve(args))
  })
}

test('a testament is published when its session ends', async () => {
  await using world = await openWorld()
  const [heir, dying] = await world.join('heir', 'dying')
  const will = new Promise((resolve) => {
    void heir.subscribe('com.example.will', (args, kwargs) => resolve([args, kwargs]))
  })
  await heir.call('wamp.session.count')
  await dying.call('wamp.session.add_testament', ['com.example.will', ['the house'], { to: 'heir' }])
  await dying.stop()
  expect(await will).toEqual([['the house'], { to: 'heir' }])
})

test('a testament that was flushed is not published', async () => {
  await using world = await openWorld()
  const [heir, dying] = await world.join('heir', 'dying')
  const events: unknown[] = []
  await heir.subscribe('com.example.will', (args) => events.push(args))
  await dying.call('wamp.session.add_testament', ['com.example.will', ['the house'], {}])
  await dying.call('wamp.session.flush_testaments')
  const left = next(heir, 'wamp.session.on_leave')
  await heir.call('wamp.session.count')
  await dying.stop()
  await left
  expect(events).toEqual([])
})

test('events of a topic with a history can be read later, oldest first or newest first', async () => {
  await using world = await openWorld({ router: { history: [{ uri: 'com.example.log', limit: 10 }] } })
  const [writer, reader] = await world.join('writer', 'reader')
  for (const line of ['one', 'two', 'three']) {
    await writer.publish('com.example.log', [line], {}, { acknowledge: true })
  }
  const subscription = await reader.call<number>('wamp.subscription.lookup', ['com.example.log'])
  const read = async (kwargs: Record<string, unknown>) => {
    const { args } = await reader.callRaw('wamp.subscription.get_events', [subscription], kwargs)
    return (args as { args: unknown[] }[]).map((event) => event.args[0])
  }
  expect(await read({})).toEqual(['one', 'two', 'three'])
  expect(await read({ reverse: true, limit: 2 })).toEqual(['three', 'two'])
})

test('sessions are listed, described and killed; the killed one receives the reason', async () => {
  await using world = await openWorld({ router: { controlOthers: true } })
  const [admin, other] = await world.join('admin', 'other')
  const { id } = other.session
  expect(await admin.call('wamp.session.count')).toBe(2)
  expect(await admin.call<number[]>('wamp.session.list')).toContain(id)
  expect(await admin.call('wamp.session.get', [id])).toMatchObject({ session: id, authrole: 'anonymous' })
  const lost = new Promise<WampError>((resolve) => other.once('lost', resolve))
  const left = next(admin, 'wamp.session.on_leave')
  await admin.call('wamp.session.count')
  await admin.call('wamp.session.kill', [id], { reason: 'com.example.enough', message: 'go home' })
  expect(await lost).toMatchObject({ uri: 'com.example.enough', message: 'go home' })
  expect((await left)[0]).toBe(id)
  const unknown = await admin.call('wamp.session.get', [id]).catch((error: WampError) => error)
  expect(WampError.is(unknown) && unknown.uri).toBe('wamp.error.no_such_session')
})

test('a client cannot publish under wamp.', async () => {
  await using world = await openWorld()
  const [someone] = await world.join('someone')
  const refused = { uri: 'wamp.error.invalid_uri' }
  await expect(someone.publish('wamp.session.on_join', [{}], {}, { acknowledge: true })).rejects.toMatchObject(refused)
  await expect(someone.register('wamp.session.count', () => 0)).rejects.toMatchObject(refused)
})
