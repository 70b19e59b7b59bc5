/** The connection details in the session meta API, for each transport, and the secrets that they omit. */

import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import {
  batching,
  longPollDial,
  portDial,
  type ReceivedEvent,
  WampClient,
  WampRouter,
  type WampRouterOptions,
} from '../../src/index.ts'
import { dial, rawSocketDial, type ServeOptions, serve, serveRawSocket } from '../../src/node.ts'
import { acceptPorts, Router } from '../../src/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import type { Serializer } from '../../src/serializer/serializer.ts'
import { cert, key } from './certificate.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const TCP4 = expect.stringMatching(/^tcp4:127\.0\.0\.1:\d+$/)
const SECRETS = { cookie: 'session=secret', authorization: 'Basic secret', 'x-forwarded-for': 'secret' }

async function served(options: ServeOptions = {}) {
  const router = new Router({ controlOthers: true })
  const place = await serve(router, { port: 0, ...options })
  cleanups.push(() => place.close())
  return { router, ...place, url: place.url, rawSocketUrl: place.rawSocketUrl, longPollUrl: place.longPollUrl }
}

/** The details of a session over this transport that another session receives, on its join and on request. */
async function told(router: Router, way: WampRouterOptions | Router, serializer?: Serializer) {
  const watcher = new WampClient({ router })
  await watcher.start()
  const joined = watcher.events('wamp.session.on_join')
  await joined.subscription
  const client = new WampClient({
    router: way instanceof Router ? way : new WampRouter(way),
    ...(serializer && { serializers: [serializer] }),
  })
  await client.start()
  const [published] = ((await joined.next()).value as ReceivedEvent).args as [{ transport?: object }]
  const { transport } = await watcher.call<{ transport?: object }>('wamp.session.get', [client.session.id])
  // The watcher may see all of it; events are for everybody.
  const { peer: _, user_agent: __, ...shown } = { peer: undefined, user_agent: undefined, ...transport }
  expect(published.transport).toEqual(transport && shown)
  await client.stop()
  await watcher.stop()
  return transport
}

test('WebSocket: the address, the browser and the page of the peer, and no secrets', async () => {
  const { router, url } = await served()
  const headers = { ...SECRETS, origin: 'https://example.com', 'user-agent': `Netscape/${'4'.repeat(300)}` }
  expect(await told(router, { url: `${url}?token=secret`, dial: dial({ headers }) }, cbor)).toEqual({
    type: 'websocket',
    protocol: 'wamp.2.cbor',
    peer: TCP4,
    origin: 'https://example.com',
    user_agent: `Netscape/${'4'.repeat(247)}`,
  })
})

test('WebSocket over TLS, in batches', async () => {
  const { router, url } = await served({ tls: { cert, key } })
  const way = batching(dial({ rejectUnauthorized: false }))
  expect(await told(router, { url, dial: way })).toEqual({
    type: 'websocket',
    protocol: 'wamp.2.json.batched',
    peer: TCP4,
    tls: expect.stringMatching(/^TLSv1\.[23]$/),
  })
})

test('WebSocket over IPv6', async () => {
  const { router, url } = await served({ host: '::1' })
  expect(await told(router, { url })).toMatchObject({ peer: expect.stringMatching(/^tcp6:\[::1\]:\d+$/) })
})

test('RawSocket', async () => {
  const { router, rawSocketUrl } = await served()
  expect(await told(router, { url: rawSocketUrl as string, dial: rawSocketDial() })).toEqual({
    type: 'rawsocket',
    protocol: 'wamp.2.json',
    peer: TCP4,
  })
})

test('a unix socket, whose other end has no address', async () => {
  const router = new Router({ controlOthers: true })
  const place = await serveRawSocket(router, { path: join(tmpdir(), `wampy-${randomBytes(6).toString('hex')}.sock`) })
  cleanups.push(() => place.close())
  expect(await told(router, { url: place.url, dial: rawSocketDial() })).toEqual({
    type: 'rawsocket',
    protocol: 'wamp.2.json',
  })
})

test('long polls', async () => {
  const { router, longPollUrl } = await served({ longPoll: true })
  expect(await told(router, { url: longPollUrl as string, dial: longPollDial() })).toEqual({
    type: 'longpoll',
    protocol: 'wamp.2.json',
    peer: TCP4,
    user_agent: expect.any(String),
  })
})

test('a port, and a client of the same process', async () => {
  const router = new Router({ controlOthers: true })
  const { port1, port2 } = new MessageChannel()
  const accepting = acceptPorts(router, port2 as never)
  cleanups.push(() => [accepting.close(), port1.close()])
  expect(await told(router, { name: 'a worker', dial: portDial(port1 as never) })).toEqual({
    type: 'message-port',
    protocol: 'wamp.2.json',
  })
  expect(await told(router, router)).toEqual({ type: 'linked' })
})

test('a server may disclose less', async () => {
  const router = new Router({ controlOthers: true })
  const place = await serve({ attach: (link, info) => router.attach(link, info && { type: info.type }) }, { port: 0 })
  cleanups.push(() => place.close())
  expect(await told(router, { url: place.url })).toEqual({ type: 'websocket' })
})
