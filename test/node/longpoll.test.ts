/** Long polls on the wire: open, receive, send, close, origins, and hostile clients (LPL-1 to LPL-5). */

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ABORT, GOODBYE } from 'wampy-ts/testing'
import { type ServeOptions, serve } from '../../src/node/serve.ts'
import { CONNECTION_FAILED, USAGE } from '../../src/protocol/names.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import type { Attachable, Link } from '../../src/session/link.ts'
import { batching } from '../../src/transport/batched.ts'
import { longPollDial } from '../../src/transport/longpoll.ts'
import { Recorder } from '../transport/recorder.ts'
import { Raw } from './raw.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

class Echo implements Attachable {
  readonly links: Link[] = []
  readonly ends: { code: number; reason: string }[] = []
  readonly heard: unknown[] = []
  attach(link: Link): void {
    this.links.push(link)
    link.open({
      message: (message) => {
        this.heard.push(message[2])
        link.send(message)
      },
      failed: (error) => {
        link.send([ABORT, {}, error.uri])
        link.close()
      },
      closed: (info) => {
        this.ends.push(info)
        this.links.splice(this.links.indexOf(link), 1)
      },
    })
  }
}

async function served(options: ServeOptions = {}) {
  const echo = new Echo()
  const result = await serve(echo, { port: 0, longPoll: true, ...options })
  cleanups.push(() => result.close())
  return { ...result, base: result.longPollUrl!, url: result.url, port: result.port, echo }
}

const post = (url: string, body: string | Uint8Array = '', headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body: body as BodyInit, headers })

async function opened(base: string, protocol = 'wamp.2.json', headers = {}): Promise<string> {
  const response = await post(`${base}/open`, JSON.stringify({ protocols: [protocol] }), headers)
  expect(response.status).toBe(200)
  const answer = (await response.json()) as { protocol: string; transport: string }
  expect(answer).toEqual({ protocol, transport: expect.stringMatching(/^[\w-]{32}$/) })
  const transport = `${base}/${answer.transport}`
  // A closing router waits for the next poll of every client, to answer it.
  cleanups.push(() => post(`${transport}/close`).catch(() => {}))
  return transport
}

/** A raw post, of which only `body` is sent. */
function rawPost(port: number, path: string, body = '', length = body.length): Raw {
  const raw = new Raw({ port, host: '127.0.0.1' })
  cleanups.push(() => raw.socket.destroy())
  raw.socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`)
  return raw
}

const message = (text: string) => JSON.stringify([GOODBYE, {}, text])

describe('open', () => {
  test('chooses the first supported protocol, plain or batched', async () => {
    const { base } = await served({ longPoll: { timeout: 200 } })
    const open = async (protocols: unknown[]) =>
      ((await (await post(`${base}/open`, JSON.stringify({ protocols }))).json()) as { protocol: string }).protocol
    expect(await open(['wamp.2.ubjson', 'wamp.2.msgpack.batched', 'wamp.2.json'])).toBe('wamp.2.msgpack.batched')
    expect(await open([7, 'wamp.2.cbor'])).toBe('wamp.2.cbor')
  })

  test.each(['', '{', 'null', '7', '{}', '{"protocols":7}', '{"protocols":[]}', '{"protocols":["wamp.2.ubjson"]}'])(
    'answers 400 to %j',
    async (body) => {
      const { base, echo } = await served()
      expect((await post(`${base}/open`, body)).status).toBe(400)
      expect(echo.links).toEqual([])
    },
  )

  test('answers 413 to a body that is too long, announced or not', async () => {
    const { base, port } = await served()
    expect((await post(`${base}/open`, 'x'.repeat(20_000))).status).toBe(413)
    const raw = new Raw({ port, host: '127.0.0.1' })
    cleanups.push(() => raw.socket.destroy())
    raw.socket.write('POST /ws/lp/open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    raw.socket.write(`5000\r\n${'x'.repeat(0x5000)}\r\n`)
    expect((await raw.until((bytes) => bytes.includes('\r\n\r\n'))).toString()).toMatch(/^HTTP\/1\.1 413/)
    await raw.gone
  })

  test('returns ids that cannot be guessed', async () => {
    const { base } = await served()
    const ids = await Promise.all(Array.from({ length: 20 }, () => opened(base)))
    expect(new Set(ids).size).toBe(20)
    expect(new Set(ids.map((id) => id.slice(0, base.length + 5))).size).toBe(20)
  })

  test('counts connections made while its list was read', async () => {
    const { base, port } = await served({ maxConnections: 1 })
    const list = '{"protocols":["wamp.2.json"]}'
    const slow = rawPost(port, `${new URL(base).pathname}/open`, '{', list.length)
    await once(slow.socket, 'connect')
    await opened(base)
    slow.socket.write(list.slice(1))
    expect((await slow.until((bytes) => bytes.includes('\n\r\n') || bytes.length > 12)).toString()).toMatch(
      /^HTTP\/1\.1 503/,
    )
  })

  test('counts as a connection', async () => {
    const { base, url } = await served({ maxConnections: 1 })
    const transport = await opened(base)
    const refused = await post(`${base}/open`, '{"protocols":["wamp.2.json"]}')
    expect([refused.status, await refused.text()]).toEqual([503, 'the limit of 1 connections is reached\n'])
    expect(url).toMatch(/^ws:/)
    expect((await post(`${transport}/close`)).status).toBe(202)
    await opened(base)
  })
})

describe('receive', () => {
  test('hangs until there is a message, and returns one', async () => {
    const { base } = await served()
    const transport = await opened(base)
    const poll = post(`${transport}/receive`)
    expect((await post(`${transport}/send`, message('one'))).status).toBe(202)
    const response = await poll
    expect([response.status, await response.text()]).toEqual([200, message('one')])
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    for (const text of ['two', 'three']) await post(`${transport}/send`, message(text))
    for (const text of ['two', 'three']) {
      expect(await (await post(`${transport}/receive?x=123`)).text()).toBe(message(text))
    }
  })

  test('returns all waiting messages in a batched protocol', async () => {
    const { base } = await served()
    const transport = await opened(base, 'wamp.2.json.batched')
    await post(`${transport}/send`, `${message('one')}\x1e${message('two')}\x1e`)
    await post(`${transport}/send`, `${message('three')}\x1e`)
    expect(await (await post(`${transport}/receive`)).text()).toBe(
      ['one', 'two', 'three'].map((text) => `${message(text)}\x1e`).join(''),
    )
  })

  test('returns bytes in a binary serializer', async () => {
    const { base } = await served()
    const transport = await opened(base, 'wamp.2.cbor')
    const bytes = cbor.encode([GOODBYE, {}, 'a.b']) as Uint8Array
    await post(`${transport}/send`, bytes)
    const response = await post(`${transport}/receive`)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array(bytes))
  })

  test('is answered with an empty body after a while, again and again', async () => {
    const { base, echo } = await served({ longPoll: { hold: 30, timeout: 5_000 } })
    const transport = await opened(base)
    for (let i = 0; i < 3; i++) {
      const response = await post(`${transport}/receive`)
      expect([response.status, await response.text()]).toEqual([204, ''])
    }
    expect(echo.links).toHaveLength(1)
  })

  test('is one at a time: a second is refused, the first continues', async () => {
    const { base } = await served()
    const transport = await opened(base)
    const polls = [post(`${transport}/receive`), post(`${transport}/receive`)]
    const refused = await Promise.race(polls)
    expect(refused.status).toBe(409)
    await post(`${transport}/send`, message('one'))
    const statuses = (await Promise.all(polls)).map(({ status }) => status)
    expect(statuses.sort()).toEqual([200, 409])
  })

  test('that hangs is ended when the client closes', async () => {
    const { base, echo } = await served()
    const transport = await opened(base)
    const poll = post(`${transport}/receive`)
    await expect.poll(async () => (await post(`${transport}/receive`)).status).toBe(409)
    expect((await post(`${transport}/close`)).status).toBe(202)
    expect((await poll).status).toBe(204)
    expect(echo.ends).toEqual([{ code: 1000, reason: '' }])
    for (const action of ['receive', 'send', 'close']) expect((await post(`${transport}/${action}`)).status).toBe(404)
  })

  test('returns messages sent before the router closed, and then 410', async () => {
    const { base, echo } = await served()
    const transport = await opened(base)
    const [link] = echo.links as [Link]
    link.send([GOODBYE, {}, 'a'])
    link.send([GOODBYE, {}, 'b'])
    link.close()
    expect(echo.links).toHaveLength(1)
    expect(await (await post(`${transport}/receive`)).text()).toBe(message('a'))
    expect(await (await post(`${transport}/receive`)).text()).toBe(message('b'))
    expect((await post(`${transport}/receive`)).status).toBe(410)
    expect(echo.links).toEqual([])
    expect((await post(`${transport}/receive`)).status).toBe(404)
  })

  test('waiting messages are counted as backlog', async () => {
    const { base, echo } = await served()
    const transport = await opened(base)
    const [link] = echo.links as [Link]
    link.send([GOODBYE, {}, 'x'.repeat(1000)])
    expect(link.backlog).toBe(message('x'.repeat(1000)).length)
    await post(`${transport}/receive`)
    expect(link.backlog).toBe(0)
  })
})

describe('a lost client', () => {
  test('without ever polling is ended', async () => {
    const { base, echo } = await served({ longPoll: { timeout: 30 } })
    const transport = await opened(base)
    await expect.poll(() => echo.ends).toEqual([{ code: 1006, reason: '' }])
    expect((await post(`${transport}/receive`)).status).toBe(404)
  })

  test('in the middle of a poll is ended a while later', async () => {
    const { base, port, echo } = await served({ longPoll: { timeout: 50 } })
    const transport = await opened(base)
    const raw = new Raw({ port, host: '127.0.0.1' })
    raw.socket.write(`POST ${new URL(transport).pathname}/receive HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)
    await expect.poll(async () => (await post(`${transport}/receive`)).status).toBe(409)
    raw.socket.destroy()
    await expect.poll(() => echo.ends).toEqual([{ code: 1006, reason: '' }])
  })

  test('in the middle of a post is ended at once: the post is lost', async () => {
    const { base, port, echo } = await served()
    const transport = await opened(base)
    const raw = new Raw({ port, host: '127.0.0.1' })
    raw.socket.write(`POST ${new URL(transport).pathname}/send HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n[6`)
    await once(raw.socket, 'connect')
    raw.socket.end()
    await expect.poll(() => echo.ends).toEqual([{ code: 1006, reason: '' }])
  })

  test('that does not read its answer gets no second one, and is ended a while later', async () => {
    const { base, port, echo } = await served({ longPoll: { timeout: 80 } })
    const transport = await opened(base)
    const [link] = echo.links as [Link]
    const mute = rawPost(port, `${new URL(transport).pathname}/receive`)
    mute.socket.pause()
    await once(mute.socket, 'connect')
    expect((await post(`${base}/x/receive`)).status).toBe(404)
    // More than the system keeps for a socket that is not read.
    link.send([GOODBYE, {}, 'x'.repeat(12 * 2 ** 20)])
    expect((await post(`${transport}/receive`)).status).toBe(409)
    await expect.poll(() => echo.ends, { timeout: 5_000 }).toEqual([{ code: 1006, reason: '' }])
    mute.socket.resume()
    await mute.gone
    expect(mute.bytes.length).toBeLessThan(12 * 2 ** 20)
  })

  test('whose poll waited behind another one on a connection that broke, is ended a while later', async () => {
    const { base, port, echo } = await served({ longPoll: { timeout: 100, hold: 100 } })
    const transports = [await opened(base), await opened(base)]
    const [first, second] = transports.map((each) => `POST ${new URL(each).pathname}/receive HTTP/1.1\r\n`)
    const raw = new Raw({ port, host: '127.0.0.1' })
    raw.socket.write(`${first}Host: x\r\nContent-Length: 0\r\n\r\n${second}Host: x\r\nContent-Length: 0\r\n\r\n`)
    await once(raw.socket, 'connect')
    expect((await post(`${base}/x/receive`)).status).toBe(404)
    raw.socket.destroy()
    await expect.poll(() => echo.ends, { timeout: 5_000 }).toHaveLength(2)
  })

  test('may not stay because the router wants to close', async () => {
    const { base, close, echo } = await served()
    const transport = await opened(base)
    const poll = post(`${transport}/receive`)
    await expect.poll(async () => (await post(`${transport}/receive`)).status).toBe(409)
    await close()
    expect((await poll).status).toBe(410)
    expect(echo.ends).toEqual([{ code: 1001, reason: 'the router is closing' }])
  })
})

test('a client between two polls receives the close of the router', async () => {
  const { base, close } = await served()
  const transport = await opened(base)
  const closing = close()
  expect((await post(`${transport}/receive`)).status).toBe(410)
  expect((await post(`${base}/open`, '{"protocols":["wamp.2.json"]}').catch(() => ({ status: 503 }))).status).toBe(503)
  await closing
})

describe('send', () => {
  test('delivers posts in the order in which they began', async () => {
    const { base, port, echo } = await served()
    const transport = await opened(base)
    const path = new URL(transport).pathname
    const first = new Raw({ port, host: '127.0.0.1' })
    cleanups.push(() => first.socket.destroy())
    const text = message('first')
    first.socket.write(`POST ${path}/send HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length}\r\n\r\n[`)
    // Nothing shows that the post has begun on the server; an answer to a later request makes it likely.
    await expect.poll(() => first.socket.bytesWritten).toBeGreaterThan(80)
    await expect.poll(async () => (await post(`${transport}/receive/x`)).status).toBe(404)
    const second = post(`${transport}/send`, message('second'))
    first.socket.write(text.slice(1))
    expect((await second).status).toBe(202)
    expect(echo.heard).toEqual(['first', 'second'])
  })

  test.each([
    ['nothing', ''],
    ['no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
  ])('of %s is answered with 400, and ends the connection', async (_what, body) => {
    const { base, echo } = await served()
    const transport = await opened(base)
    expect((await post(`${transport}/send`, body)).status).toBe(400)
    expect(echo.ends).toMatchObject([{ code: 1007 }])
  })

  test('of an invalid message is answered with 400, and the router sends ABORT', async () => {
    const { base } = await served()
    const transport = await opened(base)
    const response = await post(`${transport}/send`, 'hello')
    expect([response.status, await response.text()]).toEqual([400, 'a message must be JSON\n'])
    expect(await (await post(`${transport}/receive`)).json()).toEqual([ABORT, {}, 'wamp.error.protocol_violation'])
    expect((await post(`${transport}/receive`)).status).toBe(410)
  })

  test.each(['', '[1]', '\x1e', '[1]\x1e\x1e'])(
    'of %j, which is not a valid batch, is answered with 400',
    async (body) => {
      const { base } = await served()
      const transport = await opened(base, 'wamp.2.json.batched')
      expect((await post(`${transport}/send`, body)).status).toBe(400)
    },
  )

  test('of too many bytes is answered with 413, and ends the connection', async () => {
    const { base, echo } = await served({ maxPayload: 1000 })
    const transport = await opened(base)
    const body = message('x'.repeat(1000))
    expect((await post(`${transport}/send`, body)).status).toBe(413)
    expect(echo.ends).toEqual([{ code: 1009, reason: `a message may have at most 1000 bytes, got ${body.length}` }])
  })

  test('of many bodies at once takes no more memory than one body may', async () => {
    const { base, port, echo } = await served({ maxPayload: 1000 })
    const transport = await opened(base)
    const path = new URL(transport).pathname
    const raws = Array.from({ length: 3 }, () => {
      const raw = new Raw({ port, host: '127.0.0.1' })
      cleanups.push(() => raw.socket.destroy())
      raw.socket.write(`POST ${path}/send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
      raw.socket.write(`190\r\n${'x'.repeat(400)}\r\n`)
      return raw
    })
    await expect.poll(() => echo.ends).toMatchObject([{ code: 1009 }])
    await expect.poll(() => raws.some(({ bytes }) => bytes.toString().startsWith('HTTP/1.1 413'))).toBe(true)
  })

  test('of many bodies that wait for an earlier one takes no more either', async () => {
    const { base, port, echo } = await served({ maxPayload: 1000 })
    const transport = await opened(base)
    const path = `${new URL(transport).pathname}/send`
    rawPost(port, path, '[', 100)
    for (let i = 0; i < 3; i++) rawPost(port, path, 'x'.repeat(400))
    await expect.poll(() => echo.ends).toMatchObject([{ code: 1009 }])
    expect(echo.heard).toEqual([])
  })
})

describe('paths and methods', () => {
  test('are the four, below the base', async () => {
    const { base, port } = await served({ path: '/wamp' })
    expect(base).toBe(`http://127.0.0.1:${port}/wamp/lp`)
    const transport = await opened(base)
    for (const path of ['', 'x', 'x/receive', 'open/x']) expect((await post(`${base}/${path}`)).status).toBe(404)
    for (const path of ['', '/', '/x', '/receive/x']) expect((await post(`${transport}${path}`)).status).toBe(404)
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await fetch(`${base}/open`, { method })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    }
  })

  test('are at the path of the option, or nowhere', async () => {
    const other = await served({ longPoll: { path: '/poll/' } })
    expect(other.base).toBe(`http://127.0.0.1:${other.port}/poll`)
    await opened(other.base)
    const none = await served({ longPoll: false })
    expect(none.base).toBeUndefined()
    expect((await post(`http://127.0.0.1:${none.port}/ws/lp/open`, '{"protocols":["wamp.2.json"]}')).status).toBe(404)
  })

  test('that Autobahn uses are answered as Crossbar.io does', async () => {
    const { base } = await served()
    const header = { 'Content-Type': 'application/json; charset=utf-8' }
    const transport = await opened(base, 'wamp.2.json', header)
    expect((await post(`${transport}/send`, message('one'))).status).toBe(204)
    expect((await post(`${transport}/close`)).status).toBe(204)
  })
})

describe('origins', () => {
  const ask = (base: string, origin: string, method = 'POST') =>
    fetch(`${base}/open`, {
      method,
      headers: { Origin: origin, 'Access-Control-Request-Headers': 'content-type,x-token' },
      ...(method === 'POST' && { body: '{"protocols":["wamp.2.json"]}' }),
    })

  const allowed = ({ status, headers }: Response) => [
    status,
    headers.get('access-control-allow-origin'),
    headers.get('access-control-allow-credentials'),
  ]

  test('others than its own are refused unless they are named', async () => {
    const { base, port } = await served({ longPoll: { timeout: 200 } })
    expect(allowed(await ask(base, 'https://evil.example'))).toEqual([403, null, null])
    expect(allowed(await ask(base, 'https://evil.example', 'OPTIONS'))).toEqual([403, null, null])
    expect(allowed(await ask(base, 'null'))).toEqual([403, null, null])
    expect(allowed(await ask(base, `http://127.0.0.1:${port}`))).toEqual([200, null, null])
  })

  test('that are named may connect, with cookies', async () => {
    const { base } = await served({ longPoll: { origins: ['https://good.example'], timeout: 200 } })
    expect(allowed(await ask(base, 'https://good.example'))).toEqual([200, 'https://good.example', 'true'])
    const preflight = await ask(base, 'https://good.example', 'OPTIONS')
    expect(allowed(preflight)).toEqual([204, 'https://good.example', 'true'])
    expect(preflight.headers.get('access-control-allow-methods')).toBe('POST')
    expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type,x-token')
    expect(preflight.headers.get('vary')).toBe('Origin')
    expect(allowed(await ask(base, 'https://evil.example'))).toEqual([403, null, null])
  })

  test('may all connect, without cookies', async () => {
    const { base } = await served({ longPoll: { origins: '*', timeout: 200 } })
    expect(allowed(await ask(base, 'https://any.example'))).toEqual([200, '*', null])
  })
})

describe('an existing server', () => {
  async function application(): Promise<{ server: Server; port: number }> {
    const server = createServer((request, response) => response.end(`app at ${request.url}`))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    })
    return { server, port: (server.address() as AddressInfo).port }
  }

  test('keeps its own pages, before and after', async () => {
    const { server, port } = await application()
    const [app] = server.listeners('request')
    const { base, close } = await served({ server, longPoll: true })
    expect(base).toBe(`http://127.0.0.1:${port}/ws/lp`)
    const transport = await opened(base)
    expect(await (await fetch(`http://127.0.0.1:${port}/ws/lp`)).text()).toBe('app at /ws/lp')
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('app at /')
    const added = () => {}
    server.on('request', added)
    await close()
    expect(server.listeners('request')).toEqual([app, added])
    expect(await (await post(`${transport}/receive`)).text()).toMatch('app at ')
  })

  test('has no RawSocket', async () => {
    const { server } = await application()
    await expect(serve(new Echo(), { server, rawSocket: true })).rejects.toMatchObject({ uri: USAGE })
    expect((await served({ server })).rawSocketUrl).toBeUndefined()
  })
})

describe('the client', () => {
  const never = () => new AbortController().signal

  /** A scripted router: the end of the path selects the answer. */
  async function scripted(answers: Record<string, (body: string) => [status: number, body?: string] | undefined>) {
    const requests: string[] = []
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      const action = request.url?.split('/').at(-1) ?? ''
      requests.push(`${action} ${body}`.trim())
      const answer = answers[action]?.(body)
      if (answer) response.writeHead(answer[0]).end(answer[1] ?? '')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    })
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/lp`, requests }
  }

  const open = () => [200, '{"protocol":"wamp.2.json","transport":"abc"}'] as [number, string]

  test('accepts the base of the paths, or the URL of the WebSocket', async () => {
    const { base, url } = await served({ longPoll: { timeout: 200 } })
    for (const each of [base, `${base}/`, url]) {
      const transport = await longPollDial()(each, ['wamp.2.json'], never())
      expect(transport.protocol).toBe('wamp.2.json')
      transport.terminate()
    }
    await expect(longPollDial()('rs://host:1', ['wamp.2.json'], never())).rejects.toMatchObject({ uri: USAGE })
  })

  test('sends one post at a time, in order, and closes after them', async () => {
    const { base, echo } = await served()
    const transport = await longPollDial()(base, ['wamp.2.json'], never())
    const heard = new Recorder()
    transport.open(heard)
    const texts = Array.from({ length: 20 }, (_, i) => `number ${i}`)
    for (const text of texts) transport.send(message(text))
    expect(await heard.count(20)).toEqual(texts.map(message))
    transport.send(message('last'))
    transport.close(4000, 'done')
    expect(await heard.end()).toEqual({ code: 4000, reason: 'done' })
    expect(echo.heard).toEqual([...texts, 'last'])
    await expect.poll(() => echo.ends).toEqual([{ code: 1000, reason: '' }])
  })

  test('sends all waiting messages in one post, in a batched protocol', async () => {
    let go: (() => void) | undefined
    const posts: string[] = []
    const waits: typeof fetch = async (input, init) => {
      if (String(input).endsWith('/send')) {
        posts.push(init?.body as string)
        await new Promise<void>((resolve) => {
          go = resolve
        })
      }
      return fetch(input, init)
    }
    const { base } = await served({ longPoll: { timeout: 200 } })
    const transport = await batching(longPollDial({ fetch: waits }))(base, ['wamp.2.json'], never())
    const heard = new Recorder()
    transport.open(heard)
    for (const turn of ['a', 'b', 'c']) {
      transport.send(message(turn))
      await Promise.resolve()
    }
    await expect.poll(() => posts.length).toBe(1)
    go?.()
    await expect.poll(() => posts.length).toBe(2)
    go?.()
    await heard.count(3)
    expect(posts).toEqual([`${message('a')}\x1e`, `${message('b')}\x1e${message('c')}\x1e`])
    transport.terminate()
  })

  test.each<[string, [number, string], string]>([
    ['a status', [404, 'nothing here'], '404 nothing here'],
    ['no JSON', [200, '<html>'], 'the server there is not a router'],
    ['null', [200, 'null'], 'the server there is not a router'],
    ['no transport', [200, '{"protocol":"wamp.2.json"}'], 'the server there is not a router'],
    ['another protocol', [200, '{"protocol":"wamp.2.cbor","transport":"a"}'], 'wamp.2.cbor, which was not offered'],
  ])('fails if open is answered with %s', async (_what, answer, why) => {
    const { url } = await scripted({ open: () => answer })
    await expect(longPollDial()(url, ['wamp.2.json'], never())).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: expect.stringContaining(why) as string,
    })
  })

  test('fails if no server listens, and stops when its signal aborts', async () => {
    const { base, close } = await served()
    await close()
    await expect(longPollDial()(base, ['wamp.2.json'], never())).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: expect.stringContaining('is a router listening there') as string,
    })
    const { url, requests } = await scripted({ open: () => undefined })
    const controller = new AbortController()
    const outcome = longPollDial()(url, ['wamp.2.json'], controller.signal)
    await expect.poll(() => requests.length).toBe(1)
    controller.abort(new Error('enough'))
    await expect(outcome).rejects.toThrow('enough')
  })

  test('polls again after an empty answer, and escapes the id', async () => {
    let polls = 0
    const { url, requests } = await scripted({
      open: () => [200, '{"protocol":"wamp.2.json","transport":"a/../b"}'],
      receive: () => (++polls === 1 ? [204] : polls === 2 ? [200] : polls === 3 ? [200, '[1]'] : undefined),
      close: () => [202],
    })
    const transport = await longPollDial()(url, ['wamp.2.json'], never())
    const heard = new Recorder()
    transport.open(heard)
    expect(await heard.count(1)).toEqual(['[1]'])
    await expect.poll(() => polls).toBe(4)
    transport.close()
    await heard.end()
    expect(requests.filter((each) => each === 'receive')).toHaveLength(4)
  })

  test.each<[string, Parameters<typeof scripted>[0], { code: number; reason: string }]>([
    ['a poll fails', { open, receive: () => [500] }, { code: 1006, reason: '' }],
    ['its transport is unknown', { open, receive: () => [404] }, { code: 1006, reason: '' }],
    ['the router closed', { open, receive: () => [410] }, { code: 1000, reason: '' }],
    ['a post is refused', { open, receive: () => undefined, send: () => [400] }, { code: 1006, reason: '' }],
    [
      'a post is too long',
      { open, receive: () => undefined, send: () => [413] },
      { code: 1009, reason: 'the message is longer than the router accepts' },
    ],
  ])('ends once: %s', async (_what, answers, info) => {
    const { url } = await scripted(answers)
    const transport = await longPollDial()(url, ['wamp.2.json'], never())
    const heard = new Recorder()
    transport.open(heard)
    transport.send('[1]')
    expect(await heard.end()).toEqual(info)
    transport.close()
    transport.terminate()
    expect(heard.closes).toHaveLength(1)
  })

  test('ends on invalid UTF-8', async () => {
    const { url } = await scripted({ open })
    let polls = 0
    const broken: typeof fetch = async (input, init) => {
      if (!String(input).endsWith('/receive') || polls++ > 0) return fetch(input, init)
      return new Response(Uint8Array.from([0x22, 0xc3, 0x28]))
    }
    const transport = await longPollDial({ fetch: broken })(url, ['wamp.2.json'], never())
    const heard = new Recorder()
    transport.open(heard)
    expect(await heard.end()).toEqual({ code: 1006, reason: '' })
  })

  test('sends its headers', async () => {
    const seen: unknown[] = []
    const spy: typeof fetch = (input, init) => {
      seen.push([new Headers(init?.headers).get('x-token'), init?.credentials])
      return fetch(input, init)
    }
    const { base } = await served({ serializers: [json], longPoll: { timeout: 200 } })
    const dial = longPollDial({ headers: { 'x-token': 'secret' }, credentials: 'include', fetch: spy })
    const transport = await dial(base, ['wamp.2.cbor', 'wamp.2.json'], never())
    transport.terminate()
    expect(new Set(seen.map(String))).toEqual(new Set(['secret,include']))
  })
})
