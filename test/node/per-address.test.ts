/** The limit of connections of one address, over every transport, and behind a proxy. */

import { once } from 'node:events'
import { connect, Server, type Socket } from 'node:net'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { longPollDial, WampClient, WampRouter } from 'wampy-ts'
import { anonymousAuth } from 'wampy-ts/auth/router'
import { dial, rawSocketDial, type ServeOptions, serve, serveRawSocket } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const REASON = 'the limit of 2 connections of one address is reached'

/** The address that the server sees on the connections accepted from now on: all of this machine are exempt. */
let network: string | undefined

beforeEach(() => {
  network = undefined
  const { emit } = Server.prototype
  const seen = vi.spyOn(Server.prototype, 'emit').mockImplementation(function (this: Server, ...event: unknown[]) {
    const [name, socket] = event
    if (name === 'connection' && network) Object.defineProperty(socket, 'remoteAddress', { value: network })
    return Reflect.apply(emit, this, event)
  } as typeof emit)
  onTestFinished(() => seen.mockRestore())
})

async function served(options: ServeOptions = {}) {
  const reasons: string[] = []
  const router = new Router({ auth: [anonymousAuth()] })
  router.observe({ refused: ({ text }) => void reasons.push(text) })
  const server = await serve(router, { port: 0, longPoll: true, maxConnectionsPerAddress: 2, ...options })
  onTestFinished(async () => {
    await router.close()
    await server.close()
  })
  const { url, port, rawSocketUrl = '', longPollUrl = '' } = server
  return { router, url, port, rawSocketUrl, longPollUrl, reasons }
}

type Place = Awaited<ReturnType<typeof served>>

function client(url: string, way: unknown): WampClient {
  const made = new WampClient({ router: new WampRouter({ url, dial: way as never }), reconnect: false })
  onTestFinished(() => made.stop())
  return made
}

const headers = (address: string) => ({ 'x-forwarded-for': address })

const ways: Readonly<Record<string, (place: Place, address: string) => WampClient>> = {
  'WebSocket through a proxy': ({ url }, address) => client(url, dial({ headers: headers(address) })),
  'long polls through a proxy': ({ longPollUrl }, address) =>
    client(longPollUrl, longPollDial({ headers: headers(address) })),
}

describe.each(Object.keys(ways))('%s', (name) => {
  const from = ways[name] as (place: Place, address: string) => WampClient

  test('the third of an address is refused, those of others are not, and a place is free when one has left', async () => {
    const place = await served({ trustedProxies: 'loopback' })
    const first = from(place, '198.51.100.7')
    await first.start()
    await from(place, '198.51.100.7').start()
    await expect(from(place, '198.51.100.7').start()).rejects.toMatchObject({ message: expect.stringContaining('503') })
    expect(place.reasons).toEqual([REASON])
    await from(place, '198.51.100.8').start()
    await first.stop()
    const next = from(place, '198.51.100.7')
    await expect
      .poll(() =>
        next.start().then(
          () => 'joined',
          () => 'refused',
        ),
      )
      .toBe('joined')
  })

  test('IPv6 counts by 64 bits', async () => {
    const place = await served({ trustedProxies: 'loopback' })
    await from(place, '2001:db8::7').start()
    await from(place, '2001:0db8:0:0:1:2:3:4').start()
    await expect(from(place, '2001:db8::8').start()).rejects.toMatchObject({ message: expect.stringContaining('503') })
    await from(place, '2001:db8:0:1::8').start()
  })

  test('the connections of the proxy itself, and of this machine, do not count', async () => {
    const place = await served({ trustedProxies: ['127.0.0.1', '198.51.100.7'] })
    for (const address of ['198.51.100.7', '127.0.0.5', 'malformed'])
      for (let n = 0; n < 3; n++) await from(place, address).start()
    expect(place.router.stats().sessions).toBe(9)
  })

  test('the header of a peer that is not a proxy does not count', async () => {
    const place = await served()
    for (let n = 0; n < 3; n++) await from(place, '198.51.100.7').start()
  })
})

describe('without a proxy', () => {
  /** A silent connection; `gone` resolves when the server has ended it. */
  async function silent(port: number) {
    const socket = connect({ port, host: '127.0.0.1' })
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {}).resume()
    const gone = new Promise((resolve) => socket.on('close', resolve))
    await new Promise((resolve) => socket.on('connect', resolve))
    return { socket, gone }
  }

  const joins = (url: string, way: unknown): Promise<WampClient | string> => {
    const made = client(url, way)
    return made.start().then(
      () => made,
      (error: Error) => error.message,
    )
  }

  /** Three clients of one address and one of another, over a transport. */
  async function fill(url: string, way: unknown, refusal: RegExp): Promise<void> {
    network = '198.51.100.7'
    const first = client(url, way)
    await first.start()
    await client(url, way).start()
    expect(await joins(url, way)).toMatch(refusal)
    network = '198.51.100.8'
    // Long polls of one host share their connections.
    await client(url.replace('127.0.0.1', 'localhost'), way).start()
    network = '198.51.100.7'
    await first.stop()
    await expect.poll(() => joins(url, way)).toBeInstanceOf(WampClient)
  }

  test('WebSocket', async () => {
    const { url, reasons } = await served()
    await fill(url, dial(), /503/)
    expect(reasons[0]).toBe(REASON)
  })

  test('RawSocket, on the port of serve and on its own', async () => {
    const { rawSocketUrl, reasons } = await served()
    await fill(rawSocketUrl, rawSocketDial(), /its limit of connections is reached/)
    expect(reasons[0]).toBe(REASON)
    const own = await serveRawSocket(new Router(), { port: 0, maxConnectionsPerAddress: 2 })
    onTestFinished(() => own.close())
    await fill(own.url, rawSocketDial(), /its limit of connections is reached/)
  })

  test('long polls count, and not the requests of one client', async () => {
    const { longPollUrl, reasons } = await served()
    await fill(longPollUrl, longPollDial(), /503/)
    expect(reasons[0]).toBe(REASON)
  })

  test('connections that only send requests are six times as many, and the place of one that has closed is free', async () => {
    network = '198.51.100.7'
    const { port, url, reasons } = await served()
    /** Sends a request on a connection that stays open; resolves to the status of the answer. */
    const status = async (socket: Socket): Promise<string> => {
      const answered = once(socket, 'data')
      socket.write('OPTIONS /ws/lp/open HTTP/1.1\r\nHost: x\r\n\r\n')
      return String((await answered)[0]).slice(9, 12)
    }
    const sockets: Socket[] = []
    for (let n = 0; n < 12; n++) {
      const { socket } = await silent(port)
      sockets.push(socket)
      expect(await status(socket)).toBe('204')
    }
    // The same connection again.
    expect(await status(sockets[0] as Socket)).toBe('204')
    const { socket, gone } = await silent(port)
    expect(await status(socket)).toBe('503')
    await gone
    expect(reasons).toEqual(['the limit of 12 connections with requests of one address is reached'])
    // They take no place of a session.
    await client(url, dial()).start()
    sockets[0]?.destroy()
    await expect.poll(async () => status((await silent(port)).socket)).toBe('204')
  })

  test('silent connections count from their acceptance, and a flood of them leaves room for other addresses', async () => {
    network = '198.51.100.7'
    const { port, url, reasons } = await served({ helloTimeout: 60_000 })
    let ended = 0
    const flood = await Promise.all(Array.from({ length: 100 }, () => silent(port)))
    for (const { gone } of flood) gone.then(() => ended++)
    await expect.poll(() => ended, { timeout: 5000 }).toBe(98)
    expect(new Set(reasons)).toEqual(new Set([REASON]))
    network = '198.51.100.8'
    await client(url, dial()).start()
    for (const { socket } of flood) socket.destroy()
    network = '198.51.100.7'
    await expect.poll(() => joins(url, dial())).toBeInstanceOf(WampClient)
  })
})

test.each([-1, '5', Number.NaN])('maxConnectionsPerAddress: %j is a usage error', async (value) => {
  await expect(serve(new Router(), { port: 0, maxConnectionsPerAddress: value as never })).rejects.toMatchObject({
    uri: 'wampy.error.usage',
    message: expect.stringContaining('maxConnectionsPerAddress must be a number from 0'),
  })
})
