/** Features of Crossbar.io beyond calls and events: the rest of its meta API, queues, cookies, opaque payloads. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClientOptions, type Dict, WampClient, type WampError, WampRouter } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { dial } from 'wampy-ts/node'
import { WebSocket } from 'ws'
import { Inbox } from '../interop/actors.ts'
import { type Crossbar, REMEMBERING, startCrossbar } from './crossbar.ts'

let crossbar: Crossbar
beforeAll(async () => {
  crossbar = await startCrossbar()
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())

/** A client that has joined, and leaves at the end. */
async function join(options: ClientOptions = {}): Promise<WampClient> {
  const client = new WampClient({ reconnect: false, router: crossbar.url, ...options })
  await client.start()
  return client
}

describe('meta procedures', () => {
  test('filter sessions by role', async () => {
    await using asking = await join()
    expect(await asking.call('wamp.session.count', [['anonymous']])).toBe(1)
    expect(await asking.call('wamp.session.count', [['nobody']])).toBe(0)
    expect(await asking.call('wamp.session.list', [['anonymous']])).toEqual([asking.session.id])
    await expect(asking.call('wamp.session.get', [1])).rejects.toMatchObject({ uri: 'wamp.error.no_such_session' })
  })

  test('end sessions by authid and by authrole', async () => {
    await using asking = await join()
    await using other = await join()
    const stopped = new Promise<WampError | undefined>((resolve) => other.on('stopped', resolve))
    expect(await asking.call('wamp.session.kill_by_authrole', ['nobody'])).toEqual([])
    const { id, authid } = other.session
    expect(await asking.call('wamp.session.kill_by_authid', [authid], { reason: 'com.reason' })).toEqual([id])
    expect((await stopped)?.uri).toBe('com.reason')
  })

  test('list, look up, match and describe registrations and subscriptions', async () => {
    await using asking = await join()
    const exact = await asking.register('com.exact', () => 1)
    const prefix = await asking.register('com.some.', () => 1, { match: 'prefix', invoke: 'first' })
    expect(await asking.call('wamp.registration.list')).toEqual({
      exact: [exact.id],
      prefix: [prefix.id],
      wildcard: [],
    })
    expect(await asking.call('wamp.registration.lookup', ['com.some.', { match: 'prefix' }])).toBe(prefix.id)
    expect(await asking.call('wamp.registration.match', ['com.some.thing'])).toBe(prefix.id)
    expect(await asking.call('wamp.registration.match', ['com.other'])).toBe(null)
    expect(await asking.call('wamp.registration.get', [prefix.id])).toMatchObject({
      id: prefix.id,
      uri: 'com.some.',
      match: 'prefix',
      invoke: 'first',
    })
    const topic = await asking.subscribe('com.topic', () => {})
    const wildcard = await asking.subscribe('com..', () => {}, { match: 'wildcard' })
    // Wildcards are listed for one session only, a deviation of Crossbar.io.
    expect(await asking.call('wamp.subscription.list', [asking.session.id])).toEqual({
      exact: [topic.id],
      prefix: [],
      wildcard: [wildcard.id],
    })
    expect(await asking.call<Dict>('wamp.subscription.list')).toMatchObject({ prefix: [], wildcard: [] })
    expect(await asking.call('wamp.subscription.lookup', ['com..', { match: 'wildcard' }])).toBe(wildcard.id)
    expect(await asking.call('wamp.subscription.match', ['com.topic'])).toEqual([topic.id])
    expect(await asking.call('wamp.subscription.get', [wildcard.id])).toMatchObject({
      id: wildcard.id,
      uri: 'com..',
      match: 'wildcard',
    })
  })
})

test('meta events report registrations and subscriptions from creation to deletion', async () => {
  await using watching = await join()
  await using other = await join()
  const inbox = new Inbox<unknown[]>()
  const watch = (table: string, ...names: string[]) =>
    Promise.all(names.map((name) => watching.subscribe(`wamp.${table}.${name}`, (args) => inbox.push([name, ...args]))))
  await watch('registration', 'on_create', 'on_register', 'on_unregister', 'on_delete')
  await watch('subscription', 'on_create', 'on_subscribe', 'on_unsubscribe', 'on_delete')
  const { id } = other.session
  const registration = await other.register('com.procedure', () => 1)
  const registered = registration.id
  expect(await inbox.next()).toMatchObject(['on_create', id, { id: registered, uri: 'com.procedure' }])
  expect(await inbox.next()).toEqual(['on_register', id, registered])
  await registration.unregister()
  expect(await inbox.next()).toEqual(['on_unregister', id, registered])
  expect(await inbox.next()).toEqual(['on_delete', id, registered])
  const subscription = await other.subscribe('com.topic', () => {})
  const subscribed = subscription.id
  expect(await inbox.next()).toMatchObject(['on_create', id, { id: subscribed, uri: 'com.topic' }])
  expect(await inbox.next()).toEqual(['on_subscribe', id, subscribed])
  await subscription.unsubscribe()
  expect(await inbox.next()).toEqual(['on_unsubscribe', id, subscribed])
  expect(await inbox.next()).toEqual(['on_delete', id, subscribed])
})

test('testaments of both scopes work, with publish options', async () => {
  await using mortal = await join()
  await using heir = await join()
  const inbox = new Inbox<unknown>()
  await heir.subscribe('com.will', (args) => inbox.push(args[0]))
  const add = (text: string, kwargs: Dict) =>
    mortal.call('wamp.session.add_testament', ['com.will', [text], {}], kwargs)
  await add('forgotten', { scope: 'detached' })
  expect(await mortal.call('wamp.session.flush_testaments', [], { scope: 'detached' })).toBe(1)
  await add('not for the heir', { publish_options: { exclude: [heir.session.id] } })
  await add('detached', { scope: 'detached' })
  await add('destroyed', { scope: 'destroyed' })
  await mortal.stop()
  expect([await inbox.next(), await inbox.next()]).toEqual(['detached', 'destroyed'])
})

test('calls beyond the concurrency of a callee are queued in a realm with a store', async () => {
  await using callee = await join({ realm: REMEMBERING })
  await using caller = await join({ realm: REMEMBERING })
  const invoked = new Inbox<(value: number) => void>()
  await callee.register('com.hold', () => new Promise((resolve) => invoked.push(resolve)), { concurrency: 1 })
  const calls = [1, 2].map(() => caller.call('com.hold'))
  const first = await invoked.next()
  // This is sent after the second call.
  expect(await caller.call('wamp.session.count')).toBe(2)
  expect(invoked.waiting).toEqual([])
  first(1)
  const second = await invoked.next()
  second(2)
  expect(await Promise.all(calls)).toEqual([1, 2])
})

test('Node can use deflated messages and send the session cookie of Crossbar.io', async () => {
  const url = `ws://${crossbar.universal.host}:${crossbar.universal.port}/ws`
  interface Told {
    readonly transport: { readonly http_cbtid: string; readonly websocket_extensions_in_use: Dict[] }
  }
  const told = async (options: Parameters<typeof dial>[0]) => {
    await using client = await join({ router: new WampRouter({ url, dial: dial(options) }) })
    return (await client.call<Told>('wamp.session.get', [client.session.id])).transport
  }
  const { http_cbtid, websocket_extensions_in_use: none } = await told({})
  expect(none).toEqual([])
  const again = await told({ headers: { cookie: `cbtid=${http_cbtid}` }, perMessageDeflate: true })
  expect(again.http_cbtid).toBe(http_cbtid)
  expect(again.websocket_extensions_in_use).toMatchObject([{ extension: 'permessage-deflate' }])
})

describe('payload transparency', () => {
  const OPAQUE = '\0AQID'
  const BYTES = new Uint8Array([1, 2, 3])
  const said = { enc_algo: 'x_mine', enc_serializer: 'x_other', enc_key: 'key 1' }

  /** A scripted peer in JSON: `says` resolves to the next message it receives. */
  async function joinByHand() {
    const socket = new WebSocket(crossbar.url, ['wamp.2.json'])
    const inbox = new Inbox<unknown[]>()
    socket.on('message', (data) => inbox.push(JSON.parse(data.toString())))
    await new Promise((resolve) => socket.on('open', resolve))
    const says = (...message: unknown[]) => {
      socket.send(JSON.stringify(message))
      return inbox.next()
    }
    const features = { payload_transparency: true }
    await says(1, 'realm1', { roles: { caller: { features }, callee: { features }, publisher: { features } } })
    return { says, next: () => inbox.next(), [Symbol.dispose]: () => socket.terminate() }
  }

  test.each([
    ['json', undefined],
    ['cbor', cbor],
    ['msgpack', msgpack],
  ])('%s: a transparent payload of another peer arrives as bytes, and ends no session', async (_, serializer) => {
    await using client = await join(serializer && { serializers: [serializer] })
    using peer = await joinByHand()
    const inbox = new Inbox<unknown[]>()
    await client.subscribe('com.news', (args, kwargs, details) => inbox.push([args, kwargs, details]))
    await client.register('com.ours', (args, kwargs, details) => {
      inbox.push([args, kwargs, details])
      return 'in the clear'
    })
    expect(await peer.says(16, 1, { acknowledge: true, ...said }, 'com.news', OPAQUE)).toEqual([
      17,
      1,
      expect.any(Number),
    ])
    expect(await inbox.next()).toEqual([[BYTES], {}, expect.objectContaining(said)])
    expect(await peer.says(48, 2, said, 'com.ours', OPAQUE)).toEqual([50, 2, expect.any(Object), ['in the clear']])
    expect(await inbox.next()).toEqual([[BYTES], {}, expect.objectContaining(said)])
    expect(await peer.says(64, 3, {}, 'com.theirs')).toEqual([65, 3, expect.any(Number)])
    const result = client.callRaw('com.theirs')
    const [, invocation] = await peer.next()
    await Promise.race([peer.says(70, invocation, said, OPAQUE), result])
    expect(await result).toMatchObject({ args: [BYTES], details: said })
    expect(client.state).toBe('ready')
  })
})
