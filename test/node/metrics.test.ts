/** The metrics of a router after a load over real sockets, which knows its own numbers exactly. */

import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, WampClient, WampError } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'
import { anonymousAuth, ticketAuth } from 'wampy-ts/auth/router'
import { cbor } from 'wampy-ts/cbor'
import { metrics } from 'wampy-ts/metrics'
import { serve } from 'wampy-ts/node'
import { json, Router, type RouterOptions } from 'wampy-ts/router'
import { EVENT, HELLO, SUBSCRIBE } from 'wampy-ts/testing'
import WebSocket from 'ws'

async function loaded(options: RouterOptions) {
  const router = new Router(options)
  const { url, close } = await serve(router, { port: 0 })
  onTestFinished(async () => {
    await router.close()
    await close()
  })
  const numbers = metrics(router)
  onTestFinished(numbers.stop)
  const join = async (more: ClientOptions = {}): Promise<WampClient> => {
    const client = new WampClient({ router: url, reconnect: false, ...more })
    onTestFinished(() => client.stop())
    await client.start()
    return client
  }
  return { router, url, numbers, join }
}

/** The samples that are not 0, without those of durations and memory. */
const countsOf = (numbers: ReturnType<typeof metrics>) =>
  Object.fromEntries(
    numbers
      .read()
      .filter(({ name, value }) => value !== 0 && !/memory|_seconds_(bucket|sum)|info$/.test(name))
      .map(({ name, labels, value }) => [[name.slice('wampy_'.length), ...Object.values(labels)].join(' '), value]),
  )

async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setImmediate(resolve))
}

test('count exactly what calls, events, drops and refused joins add up to', async () => {
  const { router, url, numbers, join } = await loaded({
    realms: ['open', 'shop'],
    auth: { open: [anonymousAuth({ role: 'guest' })], shop: [ticketAuth({ joe: { ticket: 'right', role: 'user' } })] },
    authorize: ({ uri }) => !uri.startsWith('com.denied'),
  })
  const open = { realm: 'open' }
  const [callee, caller, quitter] = await Promise.all([join(open), join({ ...open, serializers: [cbor] }), join(open)])
  const shop = await join({ realm: 'shop', auth: [ticket('joe', 'right')] })
  const seller = await join({ realm: 'shop', auth: [ticket('joe', 'right')] })

  let began = 0
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await callee.register('com.add', ([a, b]) => Number(a) + Number(b))
  await callee.register('com.fail', () => {
    throw new WampError('com.example.no')
  })
  await callee.register('com.wait', async () => {
    began++
    await held
  })
  await seller.register('com.price', () => 3)

  // Calls: with a result, with an error, denied, unknown, canceled, and abandoned.
  await Promise.all(Array.from({ length: 250 }, (_, at) => caller.call('com.add', [at, 1])))
  await Promise.all(Array.from({ length: 40 }, () => shop.call('com.price')))
  const failed = await Promise.allSettled([
    ...Array.from({ length: 30 }, () => caller.call('com.fail')),
    ...Array.from({ length: 4 }, () => caller.call('com.denied.call')),
    ...Array.from({ length: 6 }, () => caller.call('com.nothing')),
  ])
  expect(failed.every(({ status }) => status === 'rejected')).toBe(true)
  const canceling = new AbortController()
  const canceled = Array.from({ length: 3 }, () =>
    caller.call('com.wait', [], {}, { signal: canceling.signal, cancelMode: 'skip' }),
  )
  const abandoned = Array.from({ length: 5 }, () => quitter.call('com.wait'))
  const ends = Promise.allSettled([...canceled, ...abandoned])
  await until(() => began === 8)
  expect(countsOf(numbers)['pending_calls open']).toBe(8)
  canceling.abort()
  await quitter.stop()
  await ends
  // The callee was interrupted in the abandoned calls, and answers the canceled ones too late.
  release()
  await until(() => countsOf(numbers)['dropped_total open late'] === 3)

  // Events: 20 of one topic for three subscribers, and 7 for the publisher's realm alone, without a subscriber.
  let received = 0
  for (const client of [callee, caller]) await client.subscribe('com.news', () => void received++)
  await caller.subscribe('com.', () => void received++, { match: 'prefix' })
  for (let at = 0; at < 20; at++) await callee.publish('com.news', [at], {}, { acknowledge: true, exclude_me: false })
  for (let at = 0; at < 7; at++) await seller.publish('com.news', [at], {}, { acknowledge: true })
  await until(() => received === 60)
  await callee.publish('com.kept', [1], {}, { acknowledge: true, retain: true })
  await until(() => received === 61)

  // Refused in silence, which counts as a drop.
  for (let at = 0; at < 9; at++) await caller.publish('com.denied.topic')
  await expect(caller.publish('com.denied.topic', [], {}, { acknowledge: true })).rejects.toThrow()
  await expect(caller.subscribe('com.denied.topic', () => {})).rejects.toThrow()
  await expect(seller.register('com.price', () => 4)).rejects.toThrow()

  // Joins that are refused: two wrong tickets, a realm without these credentials, and three unknown realms.
  for (const secret of ['wrong', 'none'])
    await expect(join({ realm: 'shop', auth: [ticket('joe', secret)] })).rejects.toThrow()
  await expect(join({ realm: 'shop' })).rejects.toThrow()
  for (const realm of ['com.a', 'com.b', 'com.c']) await expect(join({ realm })).rejects.toThrow()

  // A session that the router ends, and one that is lost.
  const socket = new WebSocket(url, 'wamp.2.json')
  await once(socket, 'open')
  socket.send(JSON.stringify([HELLO, 'open', { roles: { caller: {} } }]))
  await once(socket, 'message')
  socket.terminate()
  const wrong = new WebSocket(url, 'wamp.2.json')
  await once(wrong, 'open')
  wrong.send(JSON.stringify([HELLO, 'open', { roles: { caller: {} } }]))
  await once(wrong, 'message')
  wrong.send(JSON.stringify([SUBSCRIBE, 'one', {}, 'com.topic']))
  await once(wrong, 'close')
  await until(() => router.links === 4)

  expect(countsOf(numbers)).toEqual({
    links: 4,
    'sessions open': 2,
    'sessions shop': 2,
    'joins_total open anonymous': 5,
    'joins_total shop ticket': 2,
    'leaves_total open peer': 1,
    'leaves_total open loss': 1,
    'leaves_total open router': 1,
    'refusals_total shop join': 3,
    'refusals_total  join': 3,
    'refusals_total open call': 10,
    'refusals_total open publish': 10,
    'refusals_total open subscribe': 1,
    'refusals_total shop register': 1,
    'registrations open': 3,
    'registrations shop': 1,
    'calls_total open result': 250,
    'calls_total open error': 33,
    'calls_total open abandoned': 5,
    'calls_total shop result': 40,
    'call_duration_seconds_count open': 283,
    'call_duration_seconds_count shop': 40,
    'subscriptions open': 2,
    'publications_total open': 21,
    'publications_total shop': 7,
    'events_total open': 61,
    'retained_events open': 1,
    'dropped_total open late': 3,
    'dropped_total open publications': 9,
    'messages_total received HELLO': 13,
    'messages_total received AUTHENTICATE': 4,
    'messages_total received GOODBYE': 1,
    'messages_total received SUBSCRIBE': 4,
    'messages_total received PUBLISH': 38,
    'messages_total received REGISTER': 5,
    'messages_total received CALL': 338,
    'messages_total received CANCEL': 3,
    'messages_total received YIELD': 293,
    'messages_total received ERROR': 30,
    'messages_total sent WELCOME': 7,
    'messages_total sent CHALLENGE': 4,
    'messages_total sent ABORT': 7,
    'messages_total sent GOODBYE': 1,
    'messages_total sent SUBSCRIBED': 3,
    'messages_total sent PUBLISHED': 28,
    'messages_total sent EVENT': 61,
    'messages_total sent REGISTERED': 4,
    'messages_total sent INVOCATION': 328,
    'messages_total sent INTERRUPT': 5,
    'messages_total sent RESULT': 290,
    'messages_total sent ERROR': 46,
  })
})

test('count the events that a slow reader gets and those that it loses', async () => {
  const { router, url, numbers, join } = await loaded({ limits: { backlog: 200_000 } })
  const publisher = await join()
  const socket = new WebSocket(url, 'wamp.2.json')
  onTestFinished(() => socket.terminate())
  await once(socket, 'open')
  socket.send(JSON.stringify([HELLO, 'realm1', { roles: { subscriber: {} } }]))
  await once(socket, 'message')
  socket.send(JSON.stringify([SUBSCRIBE, 1, {}, 'com.topic']))
  await once(socket, 'message')
  socket.pause()
  const text = 'x'.repeat(50_000)
  let published = 0
  while ((countsOf(numbers)['dropped_total realm1 slow'] ?? 0) < 5) {
    await publisher.publish('com.topic', [text], {}, { acknowledge: true })
    published++
  }
  const {
    'events_total realm1': events = 0,
    'dropped_total realm1 slow': slow = 0,
    backlog_bytes: backlog = 0,
  } = countsOf(numbers)
  expect([events + slow, slow]).toEqual([published, 5])
  expect(backlog).toBeGreaterThan(200_000)
  expect(backlog).toBe(router.stats().bytes.backlogs)
  let received = 0
  socket.on('message', (data) => {
    if ((json.decode(String(data)) as unknown[])[0] === EVENT) received++
  })
  socket.resume()
  await until(() => received === events)
  expect(countsOf(numbers)['messages_total sent EVENT']).toBe(events)
})
