/** Dialing a WebSocket: failures and their messages, and platforms that hide or lack something. */

import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import { WampError } from '../../src/protocol/error.ts'
import { CONNECTION_FAILED, USAGE } from '../../src/protocol/names.ts'
import { type WebSocketClass, type WebSocketLike, webSocketDial } from '../../src/transport/websocket.ts'
import { Recorder } from './recorder.ts'

const JSON_ONLY = ['wamp.2.json']
const BOTH = ['wamp.2.cbor', 'wamp.2.json']
const never = () => new AbortController().signal

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
  vi.unstubAllGlobals()
  vi.doUnmock('isomorphic-ws')
  vi.resetModules()
})

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
}

function failure(promise: Promise<unknown>): Promise<WampError> {
  return promise.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => {
      if (!WampError.is(error)) throw error
      return error
    },
  )
}

/** A WebSocket whose events a test fires. */
class FakeSocket implements WebSocketLike {
  static made: FakeSocket[] = []
  binaryType = 'blob'
  protocol = ''
  readyState = 0
  bufferedAmount = 0
  onopen: ((event?: unknown) => void) | null = null
  onmessage: ((event: unknown) => void) | null = null
  onerror: ((event: unknown) => void) | null = null
  onclose: ((event: unknown) => void) | null = null
  sent: unknown[] = []
  closes: unknown[][] = []
  readonly protocols: string[]

  constructor(_url: string, protocols: string | string[] = []) {
    this.protocols = [protocols].flat()
    FakeSocket.made.push(this)
  }

  send(data: unknown): void {
    this.sent.push(data)
  }

  close(...args: unknown[]): void {
    this.closes.push(args)
    this.readyState = 2
  }

  opens(protocol = ''): void {
    this.protocol = protocol
    this.readyState = 1
    this.onopen?.()
  }
}

function fakeDial(protocols: string[], signal = never()) {
  FakeSocket.made = []
  return webSocketDial({ webSocket: FakeSocket })('ws://router/ws', protocols, signal)
}

const lastMade = () => FakeSocket.made.at(-1)!

test('the classes of ws and of the platform are WebSocket classes', () => {
  const classes: (WebSocketClass | undefined)[] = [WebSocket, globalThis.WebSocket, FakeSocket]
  expect(classes).toHaveLength(3)
})

describe('a connection that cannot be made', () => {
  test('reports that no server listens', async () => {
    const server = createServer()
    const url = await listening(server)
    server.close()
    await once(server, 'close')
    const error = await failure(webSocketDial()(url, JSON_ONLY, never()))
    expect(error.uri).toBe(CONNECTION_FAILED)
    expect(error.message).toMatch(`could not connect to ${url}: connect ECONNREFUSED`)
    expect(error.message).toMatch('check that a router listens there')
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('reports it for a name with several addresses, too', async () => {
    const errors = [new Error('connect ECONNREFUSED ::1:80'), new Error('connect ECONNREFUSED 127.0.0.1:80')]
    const dialing = fakeDial(JSON_ONLY)
    lastMade().onerror?.({ message: '', error: new AggregateError(errors) })
    expect((await failure(dialing)).message).toMatch(
      'ECONNREFUSED ::1:80, connect ECONNREFUSED 127.0.0.1:80; check that a router',
    )
  })

  const USUAL = 'check that a router listens there, at this path, and speaks wamp.2.json, by wss:// with TLS'
  const CREDENTIALS = 'it may want credentials (headers of dial() in wampy-ts/node), or not accept this origin'
  const LATER = 'it may accept connections later'
  test.each([
    [200, 'OK', USUAL],
    [400, 'Bad Request', USUAL],
    [401, 'Unauthorized', CREDENTIALS],
    [403, 'Forbidden', CREDENTIALS],
    [404, 'Not Found', USUAL],
    [429, 'Too Many Requests', LATER],
    [500, 'Internal Server Error', USUAL],
    [502, 'Bad Gateway', LATER],
    [503, 'Service Unavailable', LATER],
  ])('that the server refuses names the response: %i %s', async (status, text, advice) => {
    const url = await listening(createHttpServer((_, response) => response.writeHead(status).end('no')))
    const error = await failure(webSocketDial()(url, JSON_ONLY, never()))
    expect(error.uri).toBe(CONNECTION_FAILED)
    expect(error.message).toBe(`could not connect to ${url}: the server answered ${status} ${text}; ${advice}`)
  })

  test.each([
    ['https://example.com/login', 'https://example.com/login', 'wss://example.com/login'],
    ['http://example.com', 'http://example.com/', 'ws://example.com/'],
    ['wss://example.com/ws?token=t0ken#s3cret', 'wss://example.com/ws', 'wss://example.com/ws'],
    ['https://bob:s3cret@example.com/ws', 'https://example.com/ws', 'wss://example.com/ws'],
    ['//example.com/ws', 'ws://example.com/ws', 'ws://example.com/ws'],
    ['/elsewhere?token=t0ken', 'HOST/elsewhere', 'HOST/elsewhere'],
    ['?s3cret', 'HOST/ws', 'HOST/ws'],
  ])('that the server redirects to %s names the address without its secrets', async (location, shown, use) => {
    const url = await listening(createHttpServer((_, response) => response.writeHead(302, { location }).end()))
    const host = url.replace('/ws', '')
    const error = await failure(webSocketDial()(`${url}?token=t0ken`, JSON_ONLY, never()))
    expect(error.message).toBe(
      `could not connect to ${url}: the server answered 302 Found (Location: ${shown.replace('HOST', host)}); ` +
        `use ${use.replace('HOST', host)} if a router listens there`,
    )
    expect(`${error.stack}${(error.cause as Error).stack}`).not.toMatch(/s3cret|t0ken/)
  })

  test.each([
    ['HTTP/1.1 403 \x1b[31mno\xff way\r\n\r\n', '403 [31mno way'],
    [`HTTP/1.1 599 ${'x'.repeat(5000)}\r\n\r\n`, `599 ${'x'.repeat(60)}`],
    ['HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n', '302 Found'],
    [`HTTP/1.1 302 Found\r\nLocation: /${'x'.repeat(5000)}\r\n\r\n`, /302 Found \(Location: ws:\S{197}\); use/],
    ['HTTP/1.1 404\r\n\r\n', '404'],
    // The body never comes.
    ['HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n', '404 Not Found'],
  ])('that is refused by %j is described in a few plain words', async (answer, expected) => {
    const url = await listening(
      createServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', () => socket.write(Buffer.from(answer, 'latin1')))
      }),
    )
    const error = await failure(webSocketDial()(url, JSON_ONLY, never()))
    if (expected instanceof RegExp) expect(error.message).toMatch(expected)
    else expect(error.message).toContain(`the server answered ${expected}; `)
  })

  test('that is refused leaves no connection behind', async () => {
    const server = createHttpServer((_, response) => response.writeHead(403).write('more is never said'))
    const url = await listening(server)
    const closed = once(server, 'connection').then(([socket]) => once((socket as Socket).resume(), 'close'))
    await failure(webSocketDial()(url, JSON_ONLY, never()))
    await closed
  })

  test('fails on the error if no close event follows', async () => {
    const dialing = fakeDial(JSON_ONLY)
    lastMade().onerror?.({})
    const error = await failure(dialing)
    expect(error.uri).toBe(CONNECTION_FAILED)
    expect(error.message).toMatch('check that a router listens there, at this path, and speaks wamp.2.json')
  })

  test('fails on the close if no error came before', async () => {
    const dialing = fakeDial(JSON_ONLY)
    lastMade().onclose?.({ code: 1006, reason: '' })
    expect((await failure(dialing)).message).toMatch('code 1006')
  })

  test('fails at once for an invalid address', async () => {
    const error = await failure(webSocketDial()('http//nowhere', JSON_ONLY, never()))
    expect(error.uri).toBe(USAGE)
    expect(error.message).toMatch('cannot dial http//nowhere: ')
  })
})

describe('an abort', () => {
  test('while connecting closes the socket and rejects with its reason', async () => {
    const server = createServer()
    const connected = once(server, 'connection') as Promise<[Socket]>
    const url = await listening(server)
    const controller = new AbortController()
    const dialing = webSocketDial()(url, JSON_ONLY, controller.signal)
    const [socket] = await connected
    socket.on('error', () => {})
    const closed = once(socket, 'close')
    socket.resume()
    const reason = new Error('changed my mind')
    controller.abort(reason)
    await expect(dialing).rejects.toBe(reason)
    await closed
  })

  test('before it makes no socket', async () => {
    const reason = new Error('too late')
    await expect(fakeDial(JSON_ONLY, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(FakeSocket.made).toEqual([])
  })

  test('after the connection was made does nothing', async () => {
    const controller = new AbortController()
    const dialing = fakeDial(JSON_ONLY, controller.signal)
    lastMade().opens('wamp.2.json')
    const transport = await dialing
    controller.abort()
    transport.send('still here')
    expect(lastMade()).toMatchObject({ sent: ['still here'], closes: [] })
  })
})

describe('the subprotocol', () => {
  test('that was not offered is refused', async () => {
    const dialing = fakeDial(BOTH)
    lastMade().opens('soap')
    const error = await failure(dialing)
    expect(error.message).toMatch('chose the subprotocol soap, which was not offered (wamp.2.cbor, wamp.2.json)')
    expect(lastMade().closes).toHaveLength(1)
  })

  test('that is hidden is the offered one', async () => {
    const dialing = fakeDial(JSON_ONLY)
    lastMade().opens()
    expect((await dialing).protocol).toBe('wamp.2.json')
  })

  test('that is hidden among several is requested again, one at a time', async () => {
    const dialing = fakeDial(BOTH)
    expect(lastMade().protocols).toEqual(BOTH)
    lastMade().opens()
    await vi.waitFor(() => expect(FakeSocket.made).toHaveLength(2))
    expect(FakeSocket.made[0]?.closes).toHaveLength(1)
    expect(lastMade().protocols).toEqual(['wamp.2.cbor'])
    lastMade().onerror?.({ message: 'refused' })
    await vi.waitFor(() => expect(FakeSocket.made).toHaveLength(3))
    expect(lastMade().protocols).toEqual(['wamp.2.json'])
    lastMade().opens()
    expect((await dialing).protocol).toBe('wamp.2.json')
  })

  test("that is hidden, and none supported by the server, fails with the server's answer", async () => {
    const dialing = failure(fakeDial(BOTH))
    lastMade().opens()
    for (const made of [2, 3]) {
      await vi.waitFor(() => expect(FakeSocket.made).toHaveLength(made))
      lastMade().onerror?.({ message: `no ${made}` })
    }
    expect((await dialing).message).toMatch('no 3')
  })

  test('asking again ends with an abort', async () => {
    const controller = new AbortController()
    const dialing = fakeDial(BOTH, controller.signal)
    lastMade().opens()
    await vi.waitFor(() => expect(FakeSocket.made).toHaveLength(2))
    controller.abort(new Error('enough'))
    await expect(dialing).rejects.toThrow('enough')
    expect(FakeSocket.made).toHaveLength(2)
  })
})

describe('in a page', () => {
  async function opened() {
    const dialing = fakeDial(JSON_ONLY)
    const socket = lastMade()
    socket.opens('wamp.2.json')
    return { socket, transport: await dialing }
  }

  test('binary messages are bytes', async () => {
    const { socket, transport } = await opened()
    const heard = new Recorder()
    transport.open(heard)
    expect(socket.binaryType).toBe('arraybuffer')
    socket.onmessage?.({ data: new Uint8Array([1, 2]).buffer })
    expect(heard.frames).toEqual([new Uint8Array([1, 2])])
  })

  test.each([
    [1000, 1000],
    [1002, 4002],
    [1011, 4011],
    [3000, 3000],
    [4999, 4999],
    [5000, 1000],
    [0, 1000],
  ])('a close with %d sends %d, which a page may send', async (code, said) => {
    const { socket, transport } = await opened()
    transport.close(code, 'why')
    expect(socket.closes).toEqual([[said, 'why']])
  })

  test('a class that throws on close is let go', async () => {
    const { socket, transport } = await opened()
    const heard = new Recorder()
    transport.open(heard)
    socket.close = () => {
      throw new Error('InvalidStateError')
    }
    expect(() => transport.close()).not.toThrow()
    expect(heard.closes).toEqual([{ code: 1006, reason: '' }])
  })

  test('terminate closes and stops listening', async () => {
    const { socket, transport } = await opened()
    const heard = new Recorder()
    transport.open(heard)
    transport.terminate()
    expect(socket.closes).toHaveLength(1)
    expect(heard.closes).toEqual([{ code: 1006, reason: '' }])
    socket.onmessage?.({ data: 'late' })
    socket.onclose?.({ code: 1000, reason: '' })
    expect(heard).toMatchObject({ frames: [], closes: [{ code: 1006 }] })
  })

  test('a peer that does not answer a close is abandoned after a while', async () => {
    vi.useFakeTimers()
    try {
      const { transport } = await opened()
      const heard = new Recorder()
      transport.open(heard)
      transport.close()
      vi.advanceTimersByTime(4_000)
      expect(heard.closes).toEqual([])
      vi.advanceTimersByTime(2_000)
      expect(heard.closes).toEqual([{ code: 1006, reason: '' }])
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('nothing is sent on a socket that is closing', async () => {
    const { socket, transport } = await opened()
    socket.readyState = 2
    transport.send('x')
    expect(socket.sent).toEqual([])
  })

  test('ping is absent', async () => {
    expect((await opened()).transport.ping).toBeUndefined()
  })
})

describe('the class', () => {
  test('is looked for when dialing: a server-side render may import and make a dial', async () => {
    vi.stubGlobal('WebSocket', undefined)
    vi.doMock('isomorphic-ws', () => ({ default: null }))
    const fresh = await import('../../src/transport/websocket.ts')
    const dial = fresh.webSocketDial()
    await expect(dial('ws://router/ws', JSON_ONLY, never())).rejects.toMatchObject({
      uri: USAGE,
      message: 'this platform has no WebSocket; pass a class as the option webSocket',
    })
  })

  test('is unwrapped if a CommonJS bundle returns the module', async () => {
    vi.doMock('isomorphic-ws', () => ({ default: { default: FakeSocket } }))
    const fresh = await import('../../src/transport/websocket.ts')
    FakeSocket.made = []
    const dialing = fresh.webSocketDial()('ws://router/ws', JSON_ONLY, never())
    lastMade().opens()
    expect((await dialing).protocol).toBe('wamp.2.json')
  })
})

test('in Node, the frames of one turn leave in one system call, and nothing is deflated', async () => {
  const server = createHttpServer()
  const webSockets = new WebSocketServer({ server, perMessageDeflate: true })
  const accepted = once(webSockets, 'connection') as Promise<[WebSocket]>
  const url = await listening(server)
  const transport = await webSocketDial()(url, JSON_ONLY, never())
  const [peer] = await accepted
  const heard = new Recorder()
  peer.on('message', (data: Buffer) => heard.frame(data.toString()))
  expect(peer.extensions).toBe('')
  transport.send('one')
  transport.send('two')
  // Both with header and mask, still in this process: without gathering they would be in the kernel now.
  expect(transport.backlog).toBe(18)
  expect(await heard.count(2)).toEqual(['one', 'two'])
  expect(transport.backlog).toBe(0)
  transport.terminate()
})
