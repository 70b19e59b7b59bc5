/** A router serves clients over every transport and serializer: calls, events, limits of the peer, and the end. */

import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import {
  batching,
  type Dial,
  longPollDial,
  portDial,
  type Serializer,
  WampClient,
  WampRouter,
  webSocketDial,
} from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { dial, rawSocketDial, type Served, serve, serveRawSocket } from 'wampy-ts/node'
import { acceptPorts, json, Router } from 'wampy-ts/router'
import { CONNECTION_FAILED, PAYLOAD_SIZE_EXCEEDED, TIMEOUT } from '../../src/protocol/names.ts'
import { cert, key } from './certificate.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Place {
  readonly url: string
  readonly dial: Dial
}

type Opener = (router: Router, serializer: Serializer) => Promise<Place>

let paths = 0

async function overHttp(
  router: Router,
  url: 'url' | 'rawSocketUrl' | 'longPollUrl',
  dialing: Dial,
  tls = false,
  maxPayload = 2 ** 24,
) {
  const served = await serve(router, { port: 0, longPoll: true, maxPayload, tls: tls ? { key, cert } : undefined })
  cleanups.push(() => served.close())
  return { url: served[url]!, dial: dialing }
}

const ways: Record<string, Opener> = {
  WebSocket: (router) => overHttp(router, 'url', webSocketDial()),
  'a batched WebSocket': (router) => overHttp(router, 'url', batching(webSocketDial())),
  'a batched WebSocket over TLS': (router) => overHttp(router, 'url', batching(dial({ ca: cert })), true),
  'RawSocket beside HTTP': (router) => overHttp(router, 'rawSocketUrl', rawSocketDial()),
  'RawSocket beside HTTPS': (router) => overHttp(router, 'rawSocketUrl', rawSocketDial({ ca: cert }), true),
  'RawSocket on a unix socket': async (router) => {
    const path = join(tmpdir(), `wampy-ts-way-${process.pid}-${paths++}.sock`)
    const { url, close } = await serveRawSocket(router, { path })
    cleanups.push(close)
    return { url, dial: rawSocketDial() }
  },
  'long polls': (router) => overHttp(router, 'longPollUrl', longPollDial()),
  'batched long polls': (router) => overHttp(router, 'longPollUrl', batching(longPollDial())),
  'a MessagePort': async (router, serializer) => {
    const { port1, port2 } = new MessageChannel()
    const accepting = acceptPorts(router, port2 as never, { serializers: [serializer] })
    cleanups.push(() => {
      accepting.close()
      port1.close()
    })
    return { url: 'port:here', dial: portDial(port1 as never) }
  },
}

async function joined(place: Place, serializer: Serializer): Promise<WampClient> {
  const client = new WampClient({ router: new WampRouter(place), serializers: [serializer], reconnect: false })
  cleanups.push(() => client.stop())
  await client.start()
  return client
}

describe.each(Object.entries(ways))('over %s', (_way, open) => {
  test.each([json, msgpack, cbor])(
    'in $name: calls and events, of all sizes, and nothing is left',
    async (serializer) => {
      const router = new Router()
      cleanups.push(() => expect.poll(() => router.links).toBe(0))
      const place = await open(router, serializer)
      const [one, other] = [await joined(place, serializer), await joined(place, serializer)]
      await one.register('com.echo', (args) => args[0])
      for (const value of ['größer 😀', 'x'.repeat(200_000), [null, true, 1.5, { deep: {} }], 2 ** 53]) {
        expect(await other.call('com.echo', [value])).toEqual(value)
      }
      expect(new Uint8Array((await other.call('com.echo', [new Uint8Array([0, 255])])) as Uint8Array)).toEqual(
        new Uint8Array([0, 255]),
      )
      const many = await Promise.all(Array.from({ length: 50 }, (_, i) => other.call('com.echo', [i])))
      expect(many).toEqual(Array.from({ length: 50 }, (_, i) => i))
      const heard: unknown[] = []
      for (const client of [one, other]) await client.subscribe('com.news', (args) => void heard.push(args[0]))
      await one.publish('com.news', ['to the other'])
      await other.publish('com.news', ['to the one'], {}, { acknowledge: true, exclude_me: false })
      await expect.poll(() => [...heard].sort()).toEqual(['to the one', 'to the one', 'to the other'])
      await other.stop()
      await expect.poll(() => router.stats().sessions).toBe(1)
      await router.close()
      await expect.poll(() => one.state).toBe('stopped')
    },
  )
})

describe('a RawSocket client with a low limit', () => {
  async function world() {
    const router = new Router()
    const { url, close } = await serveRawSocket(router, { port: 0 })
    cleanups.push(close)
    const small = await joined({ url, dial: rawSocketDial({ maxPayload: 8192 }) }, json)
    const large = await joined({ url, dial: rawSocketDial() }, json)
    return { router, url, small, large }
  }

  test('as callee and as caller: the caller receives an error, and both sessions continue', async () => {
    const { small, large } = await world()
    await small.register('small.size', ([text]) => (text as string).length)
    await large.register('large.text', ([size]) => 'x'.repeat(size as number))
    const exceeded = { uri: PAYLOAD_SIZE_EXCEEDED }
    await expect(large.call('small.size', ['x'.repeat(9000)])).rejects.toMatchObject(exceeded)
    await expect(small.call('large.text', [9000])).rejects.toMatchObject(exceeded)
    expect(await large.call('small.size', ['x'.repeat(7000)])).toBe(7000)
    expect(await small.call('large.text', [7000])).toHaveLength(7000)
    // It may send longer messages than it accepts.
    await large.register('large.size', ([text]) => (text as string).length)
    expect(await small.call('large.size', ['x'.repeat(100_000)])).toBe(100_000)
  })

  test('as subscriber: an event that is too long for it is counted, and others receive it', async () => {
    const { router, url, small, large } = await world()
    const third = await joined({ url, dial: rawSocketDial() }, json)
    const heard: string[] = []
    for (const [name, client] of Object.entries({ small, large, third })) {
      await client.subscribe('com.news', ([text]) => void heard.push(`${name} ${(text as string).length}`))
    }
    await large.publish('com.news', ['x'.repeat(9000)], {}, { acknowledge: true, exclude_me: false })
    await large.publish('com.news', ['x'], {}, { acknowledge: true, exclude_me: false })
    await expect.poll(() => [...heard].sort()).toEqual(['large 1', 'large 9000', 'small 1', 'third 1', 'third 9000'])
    expect(router.stats().dropped.unsendable).toBe(1)
  })

  test('that is too low for a WELCOME: the client receives ABORT, or is closed without a message', async () => {
    const router = new Router()
    const { url, close } = await serveRawSocket(router, { port: 0 })
    cleanups.push(close)
    await expect(joined({ url, dial: rawSocketDial({ maxPayload: 512 }) }, json)).rejects.toMatchObject({
      uri: PAYLOAD_SIZE_EXCEEDED,
    })
    await expect.poll(() => router.links).toBe(0)
  })

  test('a router with a low limit: the call is refused by the client', async () => {
    const { url, close } = await serveRawSocket(new Router(), { port: 0, maxPayload: 4096 })
    cleanups.push(close)
    const client = await joined({ url, dial: rawSocketDial() }, json)
    await expect(client.call('com.x', ['x'.repeat(5000)])).rejects.toMatchObject({ uri: PAYLOAD_SIZE_EXCEEDED })
    await expect(client.call('com.x')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
  })
})

describe('a router with a low limit announces it', () => {
  const announcing: Record<string, (router: Router) => Promise<Place>> = {
    WebSocket: (router) => overHttp(router, 'url', webSocketDial(), false, 4096),
    'a batched WebSocket': (router) => overHttp(router, 'url', batching(webSocketDial()), false, 4096),
    'long polls': (router) => overHttp(router, 'longPollUrl', longPollDial(), false, 4096),
    'batched long polls': (router) => overHttp(router, 'longPollUrl', batching(longPollDial()), false, 4096),
    'a MessagePort': async (router) => {
      const { port1, port2 } = new MessageChannel()
      const accepting = acceptPorts(router, port2 as never, { serializers: [json, msgpack, cbor], maxPayload: 4096 })
      cleanups.push(() => {
        accepting.close()
        port1.close()
      })
      return { url: 'port:here', dial: portDial(port1 as never) }
    },
  }
  const exceeded = { uri: PAYLOAD_SIZE_EXCEEDED, message: expect.stringMatching(/ of 4\d+ bytes .* at most 40\d\d$/) }

  test.each(Object.entries(announcing))(
    'over %s: what is longer fails, and the sessions continue',
    async (_way, open) => {
      for (const serializer of [json, msgpack, cbor]) {
        const router = new Router()
        const place = await open(router)
        const client = await joined(place, serializer)
        client.on('error', () => {})
        await client.register('com.text', ([size, letter]) => (letter as string).repeat(size as number))
        await expect(client.call('com.x', ['x'.repeat(4096)])).rejects.toMatchObject({ ...exceeded, sent: false })
        await expect(client.publish('com.x', ['x'.repeat(4096)])).rejects.toMatchObject({ ...exceeded, sent: false })
        await expect(client.call('com.text', [4096, 'x'])).rejects.toMatchObject(exceeded)
        // Bytes count, not characters.
        await expect(client.call('com.text', [2045, 'ß'])).rejects.toMatchObject(exceeded)
        for (const [size, letter] of [
          [4000, 'x'],
          [2000, 'ß'],
          [1000, '😀'],
        ] as const) {
          expect(await client.call('com.text', [size, letter])).toBe(letter.repeat(size))
        }
        expect(client.state).toBe('ready')
      }
    },
  )

  test('a message of exactly the greatest length is taken', async () => {
    const client = await joined(await overHttp(new Router(), 'url', webSocketDial(), false, 4096), json)
    await client.register('com.size', ([text]) => (text as string).length)
    const rest = JSON.stringify([48, 2, {}, 'com.size', ['']]).length
    expect(await client.call('com.size', ['x'.repeat(4096 - rest)])).toBe(4096 - rest)
    await expect(client.call('com.size', ['x'.repeat(4097 - rest)])).rejects.toMatchObject({
      message: 'a message of 4097 bytes is too long for the peer, which accepts at most 4096',
    })
  })
})

describe('a client comes back with its registrations when the router does', () => {
  const path = join(tmpdir(), `wampy-ts-back-${process.pid}.sock`)
  test.each<[string, Dial, (port: number) => Promise<{ url?: string; port: number; close(): Promise<void> }>]>([
    ['WebSocket', webSocketDial(), (port) => serve(new Router(), { port })],
    ['RawSocket', rawSocketDial(), (port) => serveRawSocket(new Router(), { port })],
    ['a unix socket', rawSocketDial(), () => serveRawSocket(new Router(), { path })],
    [
      'long polls',
      batching(longPollDial()),
      async (port) => {
        const served = await serve(new Router(), { port, longPoll: true })
        return { url: served.longPollUrl!, port: served.port, close: served.close }
      },
    ],
  ])('over %s', async (_way, dialing, open) => {
    const before = await open(0)
    const router = new WampRouter({ url: before.url!, dial: dialing })
    const client = new WampClient({ router, reconnect: { initial: 10, max: 50 } })
    cleanups.push(() => client.stop())
    await client.start()
    await client.register('com.add', ([x, y]) => (x as number) + (y as number))
    const lost = new Promise((resolve) => client.once('lost', resolve))
    const { port } = before
    await before.close()
    await lost
    const ready = new Promise((resolve) => client.once('ready', resolve))
    const after = await open(port)
    cleanups.push(() => after.close())
    await ready
    expect(await client.call('com.add', [1, 2])).toBe(3)
  })
})

describe('an address', () => {
  test('may have the scheme of another transport if there is a dial', () => {
    for (const url of ['rs://h:1', 'unix:/run/x', 'port:here']) {
      expect(new WampRouter({ url, dial: rawSocketDial() }).url).toBe(url)
      expect(() => new WampRouter({ url })).toThrow('is not an address of a router')
    }
    for (const url of ['', 'host', '/run/x']) {
      expect(() => new WampRouter({ url, dial: rawSocketDial() })).toThrow('is not an address of a router')
    }
  })
})

describe('the server there is something else', () => {
  const CLOSED = /closed before the handshake; does the server speak RawSocket/
  const PORT =
    /(hang up|EPROTO).*; check that a router listens there, at this path, and speaks wamp\.2\.json, by wss:\/\/ with TLS$/

  test.each<[string, string, Dial, RegExp]>([
    ['ws', 'a RawSocket', webSocketDial(), PORT],
    ['ws', 'TLS', webSocketDial(), PORT],
    ['wss', 'no TLS', dial({ ca: cert }), PORT],
    ['wss', 'a name that the certificate does not have', dial({ ca: cert, servername: 'example.com' }), /altnames/],
    ['ws', 'a page', webSocketDial(), /the server answered 200 OK; check that a router listens there, at this path/],
    ['rs', 'a page', rawSocketDial(), /does not speak RawSocket/],
    ['rss', 'a RawSocket', rawSocketDial(), /RawSocket, with TLS\?/],
    ['rs', 'nobody', rawSocketDial(), CLOSED],
    ['http', 'a page', longPollDial(), /the server there is not a router/],
    ['http', 'a RawSocket', longPollDial(), /is a router listening there/],
    ['https', 'no TLS', longPollDial(), /is a router listening there/],
  ])('%s to %s', async (scheme, what, dialing, why) => {
    const port = await others[what]!()
    const place = { url: `${scheme}://127.0.0.1:${port}${/^rs/.test(scheme) ? '' : '/ws'}`, dial: dialing }
    await expect(joined(place, json)).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: expect.stringMatching(why) as string,
    })
  })

  test('a server that does not answer is named', async () => {
    const server = await listening(createServer())
    const url = `rs://127.0.0.1:${server}`
    const client = new WampClient({
      router: new WampRouter({ url, dial: rawSocketDial() }),
      reconnect: false,
      connectTimeout: 50,
    })
    await expect(client.start()).rejects.toMatchObject({ uri: TIMEOUT, message: `${url}: no answer within 50 ms` })
  })
})

const others: Record<string, () => Promise<number>> = {
  'a RawSocket': async () => opened(await serveRawSocket(new Router(), { port: 0 })),
  TLS: async () => opened(await serve(new Router(), { port: 0, tls: { key, cert } })),
  'no TLS': async () => opened(await serve(new Router(), { port: 0 })),
  'a name that the certificate does not have': async () =>
    opened(await serve(new Router(), { port: 0, tls: { key, cert } })),
  'a page': () => listening(createHttpServer((_request, response) => response.end('hello'))),
  nobody: () => listening(createServer((socket) => socket.destroy())),
}

function opened({ port, close }: Served): number {
  cleanups.push(close)
  return port
}

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('a long poll that does not read is dropped as every slow session', async () => {
  const router = new Router({ limits: { backlog: 1000 } })
  const served = await serve(router, { port: 0, longPoll: true })
  cleanups.push(() => served.close())
  const body = (value: unknown) => ({ method: 'POST', body: JSON.stringify(value) })
  const opened = await fetch(`${served.longPollUrl}/open`, body({ protocols: ['wamp.2.json'] }))
  const { transport } = (await opened.json()) as { transport: string }
  const at = (action: string) => `${served.longPollUrl}/${transport}/${action}`
  await fetch(at('send'), body([1, 'realm1', { roles: { subscriber: {} } }]))
  await fetch(at('receive'), { method: 'POST' })
  await fetch(at('send'), body([32, 1, {}, 'com.news']))
  await fetch(at('receive'), { method: 'POST' })
  const publisher = await joined({ url: served.url, dial: webSocketDial() }, json)
  for (let i = 0; i < 5; i++) await publisher.publish('com.news', ['x'.repeat(600)], {}, { acknowledge: true })
  expect(router.stats().dropped.slow).toBe(3)
  await fetch(at('close'), { method: 'POST' })
})
