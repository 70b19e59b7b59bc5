/** The contract of `serve`: its paths, its refusals, hostile clients, and a complete release of resources. */

import { once } from 'node:events'
import { createServer, get, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { CALL, GOODBYE } from 'wampy-ts/testing'
import WebSocket from 'ws'
import { type Served, type ServeOptions, serve } from '../../src/node/serve.ts'
import { LISTEN_FAILED, USAGE } from '../../src/protocol/names.ts'
import { json } from '../../src/serializer/json.ts'
import type { Attachable, Link } from '../../src/session/link.ts'
import { cert, key } from './certificate.ts'

/** A router that sends every message back. */
class Echo implements Attachable {
  readonly links: Link[] = []
  failures: string[] = []
  attach(link: Link): void {
    this.links.push(link)
    link.open({
      message: (message) => link.send(message),
      failed: (error) => {
        this.failures.push(error.message)
        link.close(1002, error.message)
      },
      closed: () => this.links.splice(this.links.indexOf(link), 1),
    })
  }
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const echo = new Echo()

async function served(options: ServeOptions = {}): Promise<Served> {
  const result = await serve(echo, { port: 0, ...options })
  cleanups.push(() => result.close())
  return result
}

async function httpServer(handler?: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(handler)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return server
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

function opening(url: string, protocols: string[] = ['wamp.2.json'], options: WebSocket.ClientOptions = {}): WebSocket {
  const socket = new WebSocket(url, protocols, options)
  socket.on('error', () => {})
  cleanups.push(() => socket.terminate())
  return socket
}

async function opened(...args: Parameters<typeof opening>): Promise<WebSocket> {
  const socket = opening(...args)
  await once(socket, 'open')
  return socket
}

/** The answer to a handshake that was refused. */
async function refused(url: string, protocols?: string[]): Promise<{ status: number; text: string }> {
  const [, response] = await once(opening(url, protocols), 'unexpected-response')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, text }
}

async function answered(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, 'message')
  socket.send(text)
  return String((await answer)[0])
}

function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })))
}

const handshake = (path = '/ws'): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n'

/** A frame below 126 bytes as a client masks it, by a mask of nothing. */
function frame(first: number, payload = ''): Buffer {
  const bytes = Buffer.from(payload)
  return Buffer.concat([Buffer.from([first, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])
}

/** A client of bare TCP, which does nothing by itself. */
class Raw {
  readonly socket: Socket
  bytes: Buffer = Buffer.alloc(0)
  readonly gone: Promise<unknown>

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk])
    })
    this.gone = new Promise((resolve) => {
      this.socket.on('close', resolve)
      this.socket.on('end', () => this.socket.destroy())
    })
    cleanups.push(() => this.socket.destroy())
  }

  async until(met: (bytes: Buffer) => boolean): Promise<Buffer> {
    while (!met(this.bytes)) await once(this.socket, 'data')
    return this.bytes
  }

  /** Performs the handshake, and discards the answer. */
  async join(path = '/ws'): Promise<this> {
    this.socket.write(handshake(path))
    const head = await this.until((bytes) => bytes.includes('\r\n\r\n'))
    expect(head.toString()).toMatch(/^HTTP\/1\.1 101/)
    this.bytes = head.subarray(head.indexOf('\r\n\r\n') + 4)
    return this
  }
}

const goodbye = JSON.stringify([GOODBYE, {}, 'wamp.close.close_realm'])

async function stillServes(url: string): Promise<void> {
  expect(await answered(await opened(url), goodbye)).toBe(goodbye)
}

describe('a port of its own', () => {
  test('answers at its path and at /, and returns its URL', async () => {
    const { url, port } = await served()
    expect(port).toBeGreaterThan(0)
    expect(url).toBe(`ws://127.0.0.1:${port}/ws`)
    await stillServes(url)
    await stillServes(`ws://127.0.0.1:${port}/`)
    await stillServes(`${url}?token=1`)
    // In the form of a request through a proxy.
    await new Raw(port).join(`http://127.0.0.1:${port}/ws`)
  })

  test('answers 404 at any other path', async () => {
    const { port } = await served({ path: '/wamp' })
    expect(await refused(`ws://127.0.0.1:${port}/ws`)).toEqual({
      status: 404,
      text: 'there is no router at /ws; it is at /wamp\n',
    })
  })

  test('answers plain HTTP with a hint', async () => {
    const { port } = await served()
    for (const [path, status] of Object.entries({ '/': 426, '/ws': 426, '/favicon.ico': 404 })) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      expect(response.status).toBe(status)
      expect(await response.text()).toBe('This is a WAMP router. Connect to /ws with a WebSocket.\n')
    }
  })

  test('an interface that is every interface is reached by an address', async () => {
    expect((await served({ host: '0.0.0.0' })).url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/ws$/)
    expect((await served({ host: '::1' })).url).toMatch(/^ws:\/\/\[::1\]:\d+\/ws$/)
  })

  test('that is in use rejects with a remedy', async () => {
    const { port } = await served()
    await expect(serve(echo, { port })).rejects.toMatchObject({
      uri: LISTEN_FAILED,
      message: `port ${port} on 127.0.0.1 is in use: stop the process that listens there, or choose another port (0 picks a free one)`,
      cause: { code: 'EADDRINUSE' },
    })
  })

  test('that cannot be rejects', async () => {
    await expect(serve(echo, { port: 70_000 })).rejects.toMatchObject({ uri: LISTEN_FAILED })
    await expect(serve(echo, { port: 0, host: '203.0.113.1' })).rejects.toMatchObject({
      uri: LISTEN_FAILED,
      message: expect.stringContaining('203.0.113.1 is not an address of this machine') as string,
    })
    for (const path of ['ws', '', '/ws?x', '/#'])
      await expect(serve(echo, { port: 0, path })).rejects.toMatchObject({ uri: USAGE })
    await expect(serve(echo, { port: 0, tls: { key: 'no', cert: 'no' } })).rejects.toMatchObject({ uri: LISTEN_FAILED })
  })

  test('refuses more connections than its limit', async () => {
    const { url } = await served({ maxConnections: 1 })
    const first = await opened(url)
    expect(await refused(url)).toEqual({ status: 503, text: 'the limit of 1 connections is reached\n' })
    first.close()
    await once(first, 'close')
    await stillServes(url)
  })
})

test('a handshake comes octet by octet, or in one segment with the first message, which may come in parts', async () => {
  const { port } = await served()
  const answer = (raw: Raw) => raw.until((bytes) => bytes.includes(goodbye))
  const dripping = new Raw(port)
  dripping.socket.setNoDelay(true)
  for (const byte of Buffer.concat([Buffer.from(handshake()), frame(0x81, goodbye)])) {
    await new Promise((resolve) => dripping.socket.write(Buffer.from([byte]), resolve))
  }
  await answer(dripping)
  const parts = [frame(0x01, goodbye.slice(0, 3)), frame(0x89, 'hi'), frame(0x00), frame(0x80, goodbye.slice(3))]
  const whole = new Raw(port)
  whole.socket.write(Buffer.concat([Buffer.from(handshake()), ...parts]))
  expect((await answer(whole)).includes(Buffer.from('\x8a\x02hi', 'latin1'))).toBe(true)
})

describe('pages', () => {
  const from = (url: string, origin: string) => new WebSocket(url, ['wamp.2.json'], { origin })

  async function status(url: string, origin: string): Promise<number> {
    const socket = from(url, origin).on('error', () => {})
    cleanups.push(() => socket.terminate())
    return new Promise((resolve) => {
      socket.on('open', () => resolve(101))
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    })
  }

  test('of all origins may connect, unless some are named', async () => {
    expect(await status((await served()).url, 'https://example.com')).toBe(101)
    const { url, port } = await served({ origins: ['https://example.com'], longPoll: true })
    expect(await status(url, 'https://example.com')).toBe(101)
    expect(await status(url, `http://127.0.0.1:${port}`)).toBe(101)
    for (const other of ['http://example.com', 'https://example.com.evil.org', 'null']) {
      expect(await status(url, other)).toBe(403)
    }
    await stillServes(url)
    const poll = await fetch(`http://127.0.0.1:${port}/ws/lp/open`, {
      method: 'OPTIONS',
      headers: { origin: 'https://example.com' },
    })
    expect(poll.headers.get('access-control-allow-origin')).toBe('https://example.com')
  })
})

describe('the subprotocol', () => {
  test('is the first one of the client that the router supports', async () => {
    const { url } = await served()
    expect((await opened(url, ['wamp.2.flatbuffers', 'wamp.2.msgpack', 'wamp.2.json'])).protocol).toBe('wamp.2.msgpack')
    expect((await opened(url, ['wamp.2.cbor', 'wamp.2.json'])).protocol).toBe('wamp.2.cbor')
  })

  test('without a common one fails the handshake, and the error lists the supported ones', async () => {
    const { url } = await served()
    const text = 'Sec-WebSocket-Protocol must offer one of wamp.2.json, wamp.2.cbor, wamp.2.msgpack; '
    expect(await refused(url, ['wamp.2.flatbuffers', 'soap'])).toEqual({
      status: 400,
      text: `${text}got wamp.2.flatbuffers,soap\n`,
    })
    expect(await refused(url, [])).toEqual({ status: 400, text: `${text}none was offered\n` })
  })

  test('only the serializers of the option are supported', async () => {
    const { url } = await served({ serializers: [json] })
    expect((await refused(url, ['wamp.2.cbor'])).text).toMatch('must offer one of wamp.2.json; got wamp.2.cbor')
  })
})

describe('an existing server', () => {
  /** An application with a page, and another upgrade handler, which serves one path and ignores the others. */
  async function application() {
    const server = await httpServer((request, response) => response.end(`app at ${request.url}`))
    const reloads: Socket[] = []
    const reload = (request: { url?: string }, socket: Socket) => {
      if (request.url !== '/hmr') return
      reloads.push(socket)
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: hmr\r\nConnection: Upgrade\r\n\r\nhello')
    }
    server.on('upgrade', reload)
    cleanups.push(() => {
      for (const socket of reloads) socket.destroy()
    })
    return { server, port: portOf(server), reload }
  }

  async function reloading(port: number): Promise<Raw> {
    const raw = new Raw(port)
    raw.socket.write('GET /hmr HTTP/1.1\r\nHost: x\r\nUpgrade: hmr\r\nConnection: Upgrade\r\n\r\n')
    const answer = await raw.until((bytes) => bytes.includes('hello'))
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\nhello$/)
    return raw
  }

  test('keeps its pages and its other upgrades, before and after close', async () => {
    const { server, port, reload } = await application()
    const requests = server.listeners('request')
    const { url, close } = await served({ server })
    expect(url).toBe(`ws://127.0.0.1:${port}/ws`)
    await stillServes(url)
    const hmr = await reloading(port)
    expect(await (await fetch(`http://127.0.0.1:${port}/ws`)).text()).toBe('app at /ws')
    const client = await opened(url)
    const ended = closed(client)
    await close()
    expect(await ended).toEqual({ code: 1001, reason: 'the router is closing' })
    expect(server.listening).toBe(true)
    expect(server.listeners('upgrade')).toEqual([reload])
    expect(server.listeners('request')).toEqual(requests)
    expect(hmr.socket.destroyed).toBe(false)
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('app at /')
    await reloading(port)
  })

  test('does not pass connections at / to the router', async () => {
    const { server, port } = await application()
    await served({ server })
    const socket = opening(`ws://127.0.0.1:${port}/`)
    const outcome = closed(socket)
    // Nothing answers there. A later request on another connection is answered, so this one was ignored.
    await stillServes(`ws://127.0.0.1:${port}/ws`)
    expect(socket.readyState).toBe(WebSocket.CONNECTING)
    socket.terminate()
    await outcome
  })

  test('with no other upgrades, a wrong path is answered', async () => {
    const server = await httpServer()
    await served({ server, path: '/router' })
    expect((await refused(`ws://127.0.0.1:${portOf(server)}/ws`)).status).toBe(404)
  })

  test('may begin to listen later', async () => {
    const server = createServer()
    const result = await served({ server })
    expect(result.port).toBe(0)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => server.close())
    await stillServes(result.url)
  })

  test('has TLS of its own', async () => {
    const server = await httpServer()
    await expect(serve(echo, { server, tls: { key, cert } })).rejects.toMatchObject({ uri: USAGE })
  })
})

describe('TLS', () => {
  test('serves wss with a key and a certificate', async () => {
    const { url } = await served({ tls: { key, cert } })
    expect(url).toMatch(/^wss:\/\/127\.0\.0\.1:\d+\/ws$/)
    expect(await answered(await opened(url, ['wamp.2.json'], { ca: cert }), goodbye)).toBe(goodbye)
  })

  test('a client without TLS, and a client that breaks off, do no harm', async () => {
    const { url, port } = await served({ tls: { key, cert } })
    const plain = new Raw(port)
    plain.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await plain.gone
    const half = connectSecurely({ port, host: '127.0.0.1', ca: cert })
    half.on('error', () => {})
    await once(half, 'secureConnect')
    half.destroy()
    expect(await answered(await opened(url, ['wamp.2.json'], { ca: cert }), goodbye)).toBe(goodbye)
  })

  test('close frees the port, also of a client that never began to speak TLS', async () => {
    const { port, close } = await served({ tls: { key, cert } })
    const silent = new Raw(port)
    await once(silent.socket, 'connect')
    await close()
    await silent.gone
    await served({ port })
  })
})

describe('bad input', () => {
  test('invalid UTF-8 is closed with 1007', async () => {
    const { url, port } = await served()
    const raw = await new Raw(port).join()
    raw.socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]))
    expect((await raw.until((bytes) => bytes.length >= 4)).subarray(0, 4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xef]))
    await stillServes(url)
  })

  test('a message that is too long is closed with 1009, its length and the limit', async () => {
    const { url } = await served({ maxPayload: 1000 })
    const socket = await opened(url)
    socket.send('x'.repeat(1001))
    expect(await closed(socket)).toMatchObject({
      code: 1009,
      reason: 'a message may have at most 1000 bytes, got 1001',
    })
    await stillServes(url)
  })

  test('a frame that is not masked is closed with 1002', async () => {
    const { port } = await served()
    const raw = await new Raw(port).join()
    raw.socket.write(Buffer.from([0x81, 1, 0x41]))
    expect((await raw.until((bytes) => bytes.length >= 4)).subarray(0, 4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xea]))
  })

  test.each([
    ['a reserved bit', frame(0xc1, goodbye)],
    ['a reserved kind of frame', frame(0x83, goodbye)],
    ['a continuation of nothing', frame(0x80, goodbye)],
    ['a ping in parts', frame(0x09)],
  ])('%s ends the session at once, whatever the peer does', async (_what, bytes) => {
    const { port } = await served()
    const raw = await new Raw(port).join()
    raw.socket.removeAllListeners('end')
    raw.socket.write(bytes)
    await expect.poll(() => echo.links).toEqual([])
    expect(raw.bytes.subarray(0, 4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xea]))
    raw.socket.destroy()
  })

  test('a connection that ends before its first byte is closed', async () => {
    const { port } = await served()
    const raw = new Raw(port)
    raw.socket.end()
    await raw.gone
  })

  test('an invalid message is reported to the router', async () => {
    const { url } = await served()
    const socket = await opened(url)
    socket.send(Buffer.from([1]))
    expect(await closed(socket)).toEqual({ code: 1002, reason: 'json travels in text frames' })
  })

  test('invalid HTTP is answered, and a reset during a handshake does no harm', async () => {
    const { url, port } = await served()
    const garbage = new Raw(port)
    garbage.socket.write('\x16\x03\x01 nonsense\r\n\r\n')
    await garbage.gone
    expect(garbage.bytes.toString()).toMatch(/^HTTP\/1\.1 400/)
    const wrong = new Raw(port)
    wrong.socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n')
    wrong.socket.write('Sec-WebSocket-Protocol: wamp.2.json\r\nSec-WebSocket-Version: 1\r\n\r\n')
    await wrong.gone
    expect(wrong.bytes.toString()).toMatch(/^HTTP\/1\.1 400/)
    const reset = await new Raw(port).join()
    reset.socket.resetAndDestroy()
    await reset.gone
    await stillServes(url)
  })

  test('a router that throws on a connection loses that connection only', async () => {
    let broken = true
    const router: Attachable = {
      attach(link) {
        if (broken) throw new Error('not this one')
        echo.attach(link)
      },
    }
    const { url, close } = await serve(router, { port: 0 })
    cleanups.push(close)
    const socket = opening(url)
    expect(await closed(socket)).toMatchObject({ code: 1011 })
    broken = false
    await stillServes(url)
  })
})

describe('pings of a client', () => {
  test('are answered each, many in a row too', async () => {
    const { port } = await served()
    const raw = await new Raw(port).join()
    const pings = Array.from({ length: 3000 }, (_, i) => frame(0x89, String(i)))
    raw.socket.write(Buffer.concat(pings))
    const pongs = Buffer.concat(
      pings.map((_, i) => Buffer.from(`\x8a${String.fromCharCode(`${i}`.length)}${i}`, 'latin1')),
    )
    expect(await raw.until(({ length }) => length >= pongs.length)).toEqual(pongs)
    raw.socket.write(frame(0x81, goodbye))
    await raw.until((bytes) => bytes.includes(goodbye))
  })

  test('that does not read are no longer read', async () => {
    const { port } = await served({ pingInterval: 0 })
    const raw = await new Raw(port).join()
    raw.socket.pause()
    const pings = Buffer.concat(Array.from({ length: 8000 }, () => frame(0x89, 'x'.repeat(125))))
    // As many as the kernels on both sides hold, and then no more.
    for (let written = 0; written < 60 && raw.socket.writableLength < 8 * pings.length; written++) {
      raw.socket.write(pings)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(raw.socket.writableLength).toBeGreaterThan(pings.length)
    expect(echo.links[0]?.backlog).toBeLessThan(pings.length)
    raw.socket.resume()
    raw.socket.write(frame(0x81, goodbye))
    await raw.until((bytes) => bytes.subarray(-100).includes(goodbye))
  })
})

describe('a silent client', () => {
  test('is pinged, and terminated if it does not answer', async () => {
    const { port } = await served({ pingInterval: 40, pingTimeout: 40 })
    const raw = await new Raw(port).join()
    await raw.gone
    expect(raw.bytes).toEqual(Buffer.from([0x89, 0]))
  })

  test('that answers its pings stays', async () => {
    const { url } = await served({ pingInterval: 20, pingTimeout: 100 })
    const socket = await opened(url)
    let pings = 0
    await new Promise<void>((resolve) => {
      socket.on('ping', () => {
        if (++pings === 4) resolve()
      })
    })
    expect(await answered(socket, goodbye)).toBe(goodbye)
  })

  test('is left alone if the interval is 0', async () => {
    const { port } = await served({ pingInterval: 0, pingTimeout: 1 })
    const { port: other } = await served({ pingInterval: 20, pingTimeout: 20 })
    const silent = await new Raw(port).join()
    // By the time that another one was ended, this one would have been pinged.
    await (await new Raw(other).join()).gone
    expect(silent.bytes).toEqual(Buffer.alloc(0))
    expect(silent.socket.destroyed).toBe(false)
  })

  test('is pinged and never terminated if the timeout is 0', async () => {
    const { port } = await served({ pingInterval: 20, pingTimeout: 0 })
    const silent = await new Raw(port).join()
    await silent.until((bytes) => bytes.length >= 2)
    const { port: other } = await served({ pingInterval: 40, pingTimeout: 40 })
    await (await new Raw(other).join()).gone
    expect(silent.socket.destroyed).toBe(false)
  })
})

describe('close', () => {
  test('sends 1001, frees the port, returns the same promise twice, and leaves no link', async () => {
    const result = await served()
    const { url, port, close } = result
    const socket = await opened(url)
    const ended = closed(socket)
    expect(close()).toBe(close())
    await close()
    expect(await ended).toEqual({ code: 1001, reason: 'the router is closing' })
    expect(echo.links).toEqual([])
    expect(result.url).toBe(`ws://127.0.0.1:${port}/ws`)
    const again = await served({ port })
    await stillServes(again.url)
    await close()
    await stillServes(again.url)
  })

  test('ends connections that do not answer: silent, unfinished and idle ones', async () => {
    const { port, close } = await served()
    const mute = await new Raw(port).join()
    const unfinished = new Raw(port)
    unfinished.socket.write('GET /ws HTTP/1.1\r\nHost:')
    const idle = new Raw(port)
    await once(idle.socket, 'connect')
    const kept = get({ port, path: '/', agent: false }).on('error', () => {})
    await once(kept, 'response')
    // Like a client that holds on: it neither answers the closing handshake nor ends its side.
    mute.socket.removeAllListeners('end')
    const left = once(mute.socket, 'end')
    await close()
    await Promise.all([left, unfinished.gone, idle.gone])
    expect(echo.links).toEqual([])
    await served({ port })
  })

  test('leaves no handle', async () => {
    const handles = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))
    await expect.poll(handles).toEqual([])
    const { url, close } = await serve(echo, { port: 0, pingInterval: 50 })
    const socket = new WebSocket(url, ['wamp.2.json'])
    await once(socket, 'open')
    expect(handles()).toContain('TCPServerWrap')
    const ended = once(socket, 'close')
    await close()
    await ended
    await expect.poll(handles).toEqual([])
  })
})

test('deflates if the option asks for it', async () => {
  const { url } = await served({ perMessageDeflate: true })
  const socket = await opened(url)
  expect(socket.extensions).toBe('permessage-deflate')
  const call = JSON.stringify([CALL, 1, {}, 'a.b', ['x'.repeat(5000)]])
  expect(await answered(socket, call)).toBe(call)
  expect((await opened((await served()).url)).extensions).toBe('')
})

test('inflates no more of a message than it accepts', async () => {
  const { url } = await served({ perMessageDeflate: true, maxPayload: 2 ** 20 })
  const honest = await opened(url)
  const socket = await opened(url)
  const closed = once(socket, 'close')
  const before = process.memoryUsage().arrayBuffers
  const message = Buffer.alloc(2 ** 26, 0x20)
  // 64 kB on the wire.
  socket.send(message, { compress: true, binary: false })
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }, 1)
  const [code] = await closed
  clearInterval(watch)
  expect(code).toBe(1009)
  // The message itself, and nothing of its size beside it.
  expect(most).toBeLessThan(message.length * 1.5)
  const call = JSON.stringify([CALL, 1, {}, 'a.b', ['x'.repeat(5000)]])
  expect(await answered(honest, call)).toBe(call)
})
