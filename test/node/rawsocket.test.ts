/** RawSocket on the wire: the handshake, frames, limits, pings, chunks, and refusals (RAW-1 to RAW-12). */

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { EVENT, GOODBYE, HELLO } from 'wampy-ts/testing'
import { rawSocketDial } from '../../src/node/rawsocket-dial.ts'
import { limitOf } from '../../src/node/rawsocket-handshake.ts'
import { type RawSocketServeOptions, serveRawSocket } from '../../src/node/rawsocket-serve.ts'
import { serve } from '../../src/node/serve.ts'
import { CONNECTION_FAILED, LISTEN_FAILED, PAYLOAD_SIZE_EXCEEDED, USAGE } from '../../src/protocol/names.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import type { Attachable, Link } from '../../src/session/link.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { Recorder } from '../transport/recorder.ts'
import { cert, key } from './certificate.ts'
import { Raw } from './raw.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A router that sends every message back. */
class Echo implements Attachable {
  readonly links: Link[] = []
  readonly ends: { code: number; reason: string }[] = []
  attach(link: Link): void {
    this.links.push(link)
    link.open({
      message(message) {
        try {
          link.send(message)
        } catch {
          link.close(1009)
        }
      },
      failed: (error) => link.close(1002, error.message),
      closed: (info) => {
        this.ends.push(info)
        this.links.splice(this.links.indexOf(link), 1)
      },
    })
  }
}

async function served(options: RawSocketServeOptions = {}) {
  const echo = new Echo()
  const result = await serveRawSocket(echo, { ...(options.path === undefined && { port: 0 }), ...options })
  cleanups.push(() => result.close())
  return { ...result, url: result.url, port: result.port, echo }
}

function raw(port: number): Raw {
  const client = new Raw({ port, host: '127.0.0.1' })
  cleanups.push(() => client.socket.destroy())
  return client
}

/** A raw client after the handshake, by default for JSON and 16 MiB. */
async function joined(port: number, second = 0xf1): Promise<Raw> {
  const client = raw(port)
  client.socket.write(Buffer.from([0x7f, second, 0, 0]))
  await client.take(4)
  return client
}

/** A frame with its four octets. */
function frame(payload: string | Uint8Array, first = 0): Buffer {
  const bytes = Buffer.from(payload as string)
  const header = Buffer.alloc(4)
  header.writeUInt32BE(bytes.length)
  header[0] = first
  return Buffer.concat([header, bytes])
}

const goodbye = JSON.stringify([GOODBYE, {}, 'wamp.close.close_realm'])

async function answers(client: Raw, text = goodbye): Promise<void> {
  client.socket.write(frame(text))
  expect(await client.take(4 + text.length)).toEqual(frame(text))
}

describe('the handshake of the router', () => {
  test.each([
    [0xf1, 0xf1],
    [0x01, 0xf1],
    [0x72, 0xf2],
    [0xf3, 0xf3],
  ])('answers 7f %x 00 00 with its own length and the same serializer', async (second, answer) => {
    const client = raw((await served()).port)
    client.socket.write(Buffer.from([0x7f, second, 0, 0]))
    expect(await client.take(4)).toEqual(Buffer.from([0x7f, answer, 0, 0]))
  })

  test.each([
    [2 ** 24, 0xf1],
    [2 ** 30, 0xf1],
    [2 ** 24 - 1, 0xe1],
    [1024, 0x11],
    [1000, 0x01],
    [1, 0x01],
  ])('of a side that accepts %d bytes is %x', async (maxPayload, answer) => {
    const client = raw((await served({ maxPayload })).port)
    client.socket.write(Buffer.from([0x7f, 0xf1, 0, 0]))
    expect(await client.take(4)).toEqual(Buffer.from([0x7f, answer, 0, 0]))
  })

  test.each([
    ['an unassigned serializer', [0x7f, 0xf4, 0, 0], 0x10],
    ['a serializer that is reserved', [0x7f, 0xff, 0, 0], 0x10],
    ['the third octet', [0x7f, 0xf1, 1, 0], 0x30],
    ['the fourth octet', [0x7f, 0xf1, 0, 0x80], 0x30],
  ])('refuses %s, and closes', async (_what, request, answer) => {
    const { port, echo } = await served()
    const client = raw(port)
    client.socket.write(Buffer.from(request))
    await client.gone
    expect(client.bytes).toEqual(Buffer.from([0x7f, answer, 0, 0]))
    expect(echo.links).toEqual([])
  })

  test('refuses a serializer that this router does not speak', async () => {
    const client = raw((await served({ serializers: [json] })).port)
    client.socket.write(Buffer.from([0x7f, 0xf3, 0, 0]))
    await client.gone
    expect(client.bytes).toEqual(Buffer.from([0x7f, 0x10, 0, 0]))
  })

  test('refuses more connections than its limit', async () => {
    const { port } = await served({ maxConnections: 1 })
    const first = await joined(port)
    const second = raw(port)
    second.socket.write(Buffer.from([0x7f, 0xf1, 0, 0]))
    await second.gone
    expect(second.bytes).toEqual(Buffer.from([0x7f, 0x40, 0, 0]))
    await answers(first)
  })

  test.each([
    ['no RawSocket', [0x47, 0x45, 0x54, 0x20]],
    ['serializer 0', [0x7f, 0xf0, 0, 0]],
  ])('does not answer %s', async (_what, request) => {
    const client = raw((await served()).port)
    client.socket.write(Buffer.from(request))
    await client.gone
    expect(client.bytes).toEqual(Buffer.alloc(0))
  })

  test('comes in single octets, or with the first messages in one segment', async () => {
    const { port } = await served()
    const slow = raw(port)
    await slow.drip(Buffer.concat([Buffer.from([0x7f, 0xf1, 0, 0]), frame(goodbye), frame(goodbye)]))
    expect(await slow.take(4)).toEqual(Buffer.from([0x7f, 0xf1, 0, 0]))
    expect(await slow.take(2 * (4 + goodbye.length))).toEqual(Buffer.concat([frame(goodbye), frame(goodbye)]))
    const quick = raw(port)
    quick.socket.write(Buffer.concat([Buffer.from([0x7f, 0xf1, 0, 0]), frame(goodbye), frame(goodbye).subarray(0, 7)]))
    expect(await quick.take(8 + goodbye.length)).toEqual(
      Buffer.concat([Buffer.from([0x7f, 0xf1, 0, 0]), frame(goodbye)]),
    )
    quick.socket.write(frame(goodbye).subarray(7))
    expect(await quick.take(4 + goodbye.length)).toEqual(frame(goodbye))
  })

  test('that breaks off does no harm', async () => {
    const { port } = await served()
    const client = raw(port)
    client.socket.write(Buffer.from([0x7f, 0xf1]))
    client.socket.resetAndDestroy()
    await client.gone
    await answers(await joined(port))
  })
})

describe('frames', () => {
  test.each([
    ['reserved bits', frame(goodbye, 0x10)],
    ['the highest reserved bit', frame(goodbye, 0x80)],
    ['type 3', frame(goodbye, 3)],
    ['type 7', frame('', 7)],
    ['2^24 and a length too', frame('x', 8)],
  ])('with %s end the connection', async (_what, bytes) => {
    const { port, echo } = await served()
    const client = await joined(port)
    await answers(client)
    client.socket.write(bytes)
    await client.gone
    await expect.poll(() => echo.ends).toEqual([{ code: 1002, reason: 'the header of a frame uses reserved bits' }])
    await answers(await joined(port))
  })

  test('longer than the router accepts end it at their header', async () => {
    const { port, echo } = await served({ maxPayload: 512 })
    const client = await joined(port)
    await answers(client, JSON.stringify([GOODBYE, {}, 'a'.repeat(512 - 10)]).slice(0, 512))
    const header = Buffer.alloc(4)
    header.writeUInt32BE(513)
    client.socket.write(header)
    await client.gone
    await expect
      .poll(() => echo.ends)
      .toEqual([{ code: 1009, reason: 'a message may have at most 512 bytes, got 513' }])
  })

  test('that announce 2^24 octets take memory only for the octets received', async () => {
    const { port } = await served()
    const before = process.memoryUsage().arrayBuffers
    const clients = await Promise.all(Array.from({ length: 50 }, () => joined(port)))
    for (const client of clients) client.socket.write(Buffer.from([8, 0, 0, 0, 0x22]))
    await answers(await joined(port))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24)
  })

  test('of exactly 2^24 octets have a bit of their own, both ways', async () => {
    const { port } = await served()
    const client = await joined(port)
    const empty = JSON.stringify([EVENT, 1, 2, {}, ['']])
    const text = JSON.stringify([EVENT, 1, 2, {}, ['a'.repeat(2 ** 24 - empty.length)]])
    const whole = Buffer.concat([Buffer.from([8, 0, 0, 0]), Buffer.from(text)])
    client.socket.write(whole)
    expect((await client.take(whole.length)).equals(whole)).toBe(true)
    const small = await joined(port, 0xe1)
    small.socket.write(whole)
    // Its sender accepts half of that.
    await expect(small.take(4)).rejects.toThrow('it is gone')
  })

  test('with invalid UTF-8 end the connection', async () => {
    const { port, echo } = await served()
    const client = await joined(port)
    client.socket.write(frame(Buffer.from([0x22, 0xc3, 0x28, 0x22])))
    await client.gone
    await expect.poll(() => echo.ends).toEqual([{ code: 1007, reason: 'the text is not valid UTF-8' }])
  })

  test('without a valid message are reported to the router', async () => {
    const { port, echo } = await served()
    const client = await joined(port)
    client.socket.write(frame(''))
    await client.gone
    await expect.poll(() => echo.ends).toEqual([{ code: 1002, reason: 'a message must be JSON' }])
  })

  test('cut in the middle are a loss, between two a close', async () => {
    const { port, echo } = await served()
    const [one, other] = [await joined(port), await joined(port)]
    one.socket.end(frame(goodbye).subarray(0, 9))
    await one.gone
    other.socket.end()
    await other.gone
    await expect
      .poll(() => echo.ends)
      .toEqual([
        { code: 1006, reason: '' },
        { code: 1000, reason: '' },
      ])
  })
})

describe('pings', () => {
  test.each(['', 'a', 'x'.repeat(70_000)])('are answered once, with the same payload', async (payload) => {
    const client = await joined((await served()).port)
    client.socket.write(Buffer.concat([frame(payload, 1), frame(goodbye)]))
    expect((await client.take(4 + payload.length)).equals(frame(payload, 2))).toBe(true)
    expect(await client.take(4 + goodbye.length)).toEqual(frame(goodbye))
  })

  test('of exactly 2^24 octets too', async () => {
    const client = await joined((await served()).port)
    const payload = Buffer.alloc(2 ** 24, 7)
    client.socket.write(Buffer.concat([Buffer.from([9, 0, 0, 0]), payload]))
    expect((await client.take(4 + payload.length)).equals(Buffer.concat([Buffer.from([10, 0, 0, 0]), payload]))).toBe(
      true,
    )
  })

  test('longer than their sender accepts end the connection', async () => {
    const { port, echo } = await served()
    const client = await joined(port, 0x01)
    client.socket.write(frame('x'.repeat(513), 1))
    await client.gone
    await expect.poll(() => echo.ends).toMatchObject([{ code: 1009 }])
  })

  test('that were not requested are ignored', async () => {
    const client = await joined((await served()).port)
    client.socket.write(Buffer.concat([frame('odd', 2), frame('', 2)]))
    await answers(client)
  })

  test('of a peer that does not read are no longer read', async () => {
    const { port, echo } = await served({ pingInterval: 0 })
    const client = await joined(port)
    client.socket.pause()
    const pings = frame('x'.repeat(1_000_000), 1)
    // As many as the kernels on both sides hold, and then no more.
    let written = 0
    while (written < 200 && client.socket.writableLength < 8 * pings.length) {
      client.socket.write(pings)
      written++
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(client.socket.writableLength).toBeGreaterThan(pings.length)
    expect(echo.links[0]?.backlog).toBeLessThan(4 * pings.length)
    client.socket.resume()
    client.socket.write(frame(goodbye))
    for (let i = 0; i < written; i++) expect((await client.take(1_000_004))[0]).toBe(2)
    expect(await client.take(4 + goodbye.length)).toEqual(frame(goodbye))
  })

  test('are sent to a silent client, which is terminated if it does not answer', async () => {
    const { port, echo } = await served({ pingInterval: 40, pingTimeout: 40 })
    const client = await joined(port)
    await client.gone
    expect(client.bytes).toEqual(Buffer.from([1, 0, 0, 0]))
    await expect.poll(() => echo.ends).toEqual([{ code: 1006, reason: '' }])
  })

  test('that are answered keep it', async () => {
    const { port } = await served({ pingInterval: 20, pingTimeout: 200 })
    const client = await joined(port)
    for (let i = 0; i < 4; i++) {
      expect(await client.take(4)).toEqual(Buffer.from([1, 0, 0, 0]))
      client.socket.write(Buffer.from([2, 0, 0, 0]))
    }
    client.socket.write(frame(goodbye))
    await client.until((bytes) => bytes.includes(frame(goodbye)))
  })
})

describe('the limit of the peer', () => {
  test('is kept: longer messages are refused by the sender, and the connection stays', async () => {
    const { port, echo } = await served()
    const client = await joined(port, 0x01)
    const [link] = echo.links as [Link]
    const long = [GOODBYE, {}, 'ä'.repeat(300)] as const
    expect(() => link.send([...long])).toThrow(expect.objectContaining({ uri: PAYLOAD_SIZE_EXCEEDED }))
    expect(() => link.prepare?.([...long])).toThrow(expect.objectContaining({ uri: PAYLOAD_SIZE_EXCEEDED }))
    expect(() => link.send([GOODBYE, {}, 'x'.repeat(20_000)])).toThrow('accepts at most 512')
    await answers(client)
  })

  test('forms a group of its own, so that nothing too long is shared', async () => {
    const { port, echo } = await served()
    for (const second of [0x01, 0xf1, 0x01, 0xf2]) await joined(port, second)
    expect(echo.links.map(({ kind }) => kind)).toEqual([
      'json/rs512',
      'json/rs16777216',
      'json/rs512',
      'msgpack/rs16777216',
    ])
  })

  test('is a power of two within the option', () => {
    expect([0, 512, 1023, 1024, 2 ** 24, 2 ** 31].map(limitOf)).toEqual([512, 512, 512, 1024, 2 ** 24, 2 ** 24])
  })
})

describe('dialing', () => {
  /** A scripted server: sends these octets, in one chunk, to each client. */
  async function scripted(...answers: (number[] | Buffer)[]) {
    const heard: Buffer[] = []
    const server = createServer((socket: Socket) => {
      socket.on('error', () => {})
      socket.once('data', (chunk) => {
        heard.push(chunk)
        const answer = answers[heard.length - 1]
        if (answer) socket.write(Buffer.from(answer))
        else socket.destroy()
      })
      cleanups.push(() => socket.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => server.close())
    return { url: `rs://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
  }

  async function dialed(url: string, protocols: string[], options = {}, signal = new AbortController().signal) {
    const transport: Transport = await rawSocketDial(options)(url, protocols, signal)
    cleanups.push(() => transport.terminate())
    return transport
  }

  test('requests a serializer and sends its own limit', async () => {
    const { url, heard } = await scripted([0x7f, 0x02, 0, 0], [0x7f, 0xf3, 0, 0])
    expect((await dialed(url, ['wamp.2.msgpack'])).protocol).toBe('wamp.2.msgpack')
    await dialed(url, ['wamp.2.cbor'], { maxPayload: 4096 })
    expect(heard).toEqual([Buffer.from([0x7f, 0xf2, 0, 0]), Buffer.from([0x7f, 0x33, 0, 0])])
  })

  test('tries the next serializer if one is refused', async () => {
    const { url } = await served({ serializers: [msgpack] })
    expect((await dialed(url, ['wamp.2.json', 'wamp.2.cbor', 'wamp.2.msgpack'])).protocol).toBe('wamp.2.msgpack')
    await expect(dialed(url, ['wamp.2.json'])).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: `could not connect to ${url}: the router refused: it does not support that serializer`,
    })
    await expect(dialed(url, ['wamp.2.json.batched'])).rejects.toMatchObject({ uri: USAGE })
  })

  test.each([
    [[0x7f, 0x40, 0, 0], 'its limit of connections is reached'],
    [[0x7f, 0x20, 0, 0], 'it does not accept messages of that length'],
    [[0x7f, 0x90, 0, 0], 'error 9'],
    [[0x7f, 0xf3, 0, 0], 'the router chose serializer 3 instead of 1'],
    [[0x7f, 0xf1, 0, 1], 'the router used reserved octets'],
    [[0x48, 0x54, 0x54, 0x50], 'does not speak RawSocket'],
  ])('fails on %j', async (answer, why) => {
    const { url } = await scripted(answer)
    await expect(dialed(url, ['wamp.2.json'])).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: expect.stringContaining(why) as string,
    })
  })

  test('fails if no server listens, or if the server hangs up', async () => {
    const { url } = await scripted()
    await expect(dialed(url, ['wamp.2.json'])).rejects.toMatchObject({ uri: CONNECTION_FAILED })
    const { url: free, close } = await served()
    await close()
    await expect(dialed(free, ['wamp.2.json'])).rejects.toMatchObject({
      message: expect.stringContaining('is a router listening there?') as string,
      cause: { code: 'ECONNREFUSED' },
    })
    await expect(dialed('unix:/nowhere/at/all', ['wamp.2.json'])).rejects.toMatchObject({ cause: { code: 'ENOENT' } })
  })

  test.each(['ws://host:80', 'rs://host', 'rs://host:70000', 'unix:relative', 'rs://a b:1'])(
    'refuses the address %s',
    async (url) => {
      await expect(dialed(url, ['wamp.2.json'])).rejects.toMatchObject({ uri: USAGE })
    },
  )

  test('stops when its signal aborts, and leaves nothing behind', async () => {
    const { url, heard } = await scripted([0x7f])
    const controller = new AbortController()
    const outcome = dialed(url, ['wamp.2.json'], {}, controller.signal)
    await expect.poll(() => heard.length).toBe(1)
    controller.abort(new Error('enough'))
    await expect(outcome).rejects.toThrow('enough')
    await expect(dialed(url, ['wamp.2.json'], {}, controller.signal)).rejects.toThrow('enough')
  })

  test('reads messages that arrive in one segment with the handshake', async () => {
    const { url } = await scripted(Buffer.concat([Buffer.from([0x7f, 0xf1, 0, 0]), frame('one'), frame('two')]))
    const heard = new Recorder()
    const transport = await dialed(url, ['wamp.2.json'])
    transport.open(heard)
    expect(await heard.count(2)).toEqual(['one', 'two'])
  })

  test('a message longer than the router accepts is refused by the client', async () => {
    const { url } = await served({ maxPayload: 1024 })
    const transport = await dialed(url, ['wamp.2.json'])
    expect(() => transport.send('x'.repeat(1025))).toThrow('accepts at most 1024')
    transport.open(new Recorder())
    transport.send('x'.repeat(1024))
  })
})

describe('places', () => {
  const path = join(tmpdir(), `wampy-ts-rs-${process.pid}.sock`)

  test('a unix socket has its permissions, and is removed on close', async () => {
    const { url, port, close } = await served({ path, mode: 0o600 })
    expect([url, port]).toEqual([`unix:${path}`, 0])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const transport = await rawSocketDial()(url, ['wamp.2.cbor'], new AbortController().signal)
    expect(transport.protocol).toBe('wamp.2.cbor')
    const heard = new Recorder()
    transport.open(heard)
    await close()
    expect(await heard.end()).toEqual({ code: 1000, reason: '' })
    expect(existsSync(path)).toBe(false)
  })

  test('a unix socket that a dead process left is replaced, one in use or another file is not', async () => {
    const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    const { spawn } = await import('node:child_process')
    await once(spawn(process.execPath, ['-e', code]), 'exit')
    expect(existsSync(path)).toBe(true)
    const { close } = await served({ path })
    await expect(served({ path })).rejects.toMatchObject({
      uri: LISTEN_FAILED,
      message: `${path} is in use: stop the process that listens there, or choose another path`,
    })
    await close()
    await writeFile(path, 'precious')
    cleanups.push(async () => (await import('node:fs/promises')).unlink(path))
    await expect(served({ path })).rejects.toMatchObject({ uri: LISTEN_FAILED })
  })

  test('a path that is too long for a unix socket is refused, and no socket is opened at the cut path', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wampy-'))
    cleanups.push(() => rm(folder, { recursive: true }))
    await expect(served({ path: join(folder, 'x'.repeat(200)), mode: 0o600 })).rejects.toMatchObject({
      uri: LISTEN_FAILED,
      message: expect.stringMatching(/: the path may have at most \d+ bytes$/) as string,
    })
    expect(await readdir(folder)).toEqual([])
  })

  test('TLS: a trusted certificate, and an untrusted one', async () => {
    const { url } = await served({ tls: { key, cert } })
    expect(url).toMatch(/^rss:\/\/127\.0\.0\.1:\d+$/)
    const dial = (options: object) => rawSocketDial(options)(url, ['wamp.2.json'], new AbortController().signal)
    const transport = await dial({ ca: cert })
    transport.terminate()
    await expect(dial({})).rejects.toMatchObject({
      uri: CONNECTION_FAILED,
      message: expect.stringContaining('self-signed certificate') as string,
    })
  })

  test('beside HTTP: the first octet decides, also over TLS', async () => {
    for (const tls of [undefined, { key, cert }]) {
      const echo = new Echo()
      const result = await serve(echo, { port: 0, tls })
      cleanups.push(() => result.close())
      expect(result.rawSocketUrl).toMatch(tls ? /^rss:/ : /^rs:/)
      const dial = rawSocketDial({ ca: cert })
      const transport = await dial(result.rawSocketUrl!, ['wamp.2.json'], new AbortController().signal)
      const heard = new Recorder()
      transport.open(heard)
      transport.send(goodbye)
      expect(await heard.count(1)).toEqual([goodbye])
      await result.close()
      expect(await heard.end()).toEqual({ code: 1000, reason: '' })
    }
  })

  test('beside HTTP: octet by octet, and HTTP too', async () => {
    const result = await serve(new Echo(), { port: 0 })
    cleanups.push(() => result.close())
    const client = raw(result.port)
    await client.drip(Buffer.concat([Buffer.from([0x7f, 0xf1, 0, 0]), frame(goodbye)]))
    expect(await client.take(8 + goodbye.length)).toEqual(
      Buffer.concat([Buffer.from([0x7f, 0xf1, 0, 0]), frame(goodbye)]),
    )
    const http = raw(result.port)
    await http.drip(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    expect((await http.until((bytes) => bytes.includes('\r\n\r\n'))).toString()).toMatch(/^HTTP\/1\.1 426/)
  })

  test('beside HTTP: an octet that was read long before the next one comes', async () => {
    const result = await serve(new Echo(), { port: 0 })
    cleanups.push(() => result.close())
    const client = raw(result.port)
    for (const octet of [0x7f, 0xf1, 0, 0]) {
      await client.drip([octet])
      // An answer to a later connection proves that the earlier bytes were read.
      const later = raw(result.port)
      later.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      await later.until((bytes) => bytes.includes('\r\n\r\n'))
    }
    expect(await client.take(4)).toEqual(Buffer.from([0x7f, 0xf1, 0, 0]))
  })

  test('beside HTTP: a peer that ends its side is ended, during the handshake and after it', async () => {
    const echo = new Echo()
    const result = await serve(echo, { port: 0 })
    cleanups.push(() => result.close())
    for (const said of [[0x7f], [0x7f, 0xf1, 0, 0]]) {
      const client = new Raw({ port: result.port, host: '127.0.0.1', allowHalfOpen: true })
      client.socket.end(Buffer.from(said))
      await once(client.socket, 'end')
    }
    await expect.poll(() => echo.links).toEqual([])
  })

  test('beside HTTP only if the option allows it', async () => {
    const result = await serve(new Echo(), { port: 0, rawSocket: false })
    cleanups.push(() => result.close())
    expect(result.rawSocketUrl).toBeUndefined()
    const client = raw(result.port)
    client.socket.write(Buffer.from([0x7f, 0xf1, 0, 0]))
    await client.gone
    expect(client.bytes.toString()).toMatch(/^HTTP\/1\.1 400/)
  })

  test('a port and a path at once are a mistake', async () => {
    await expect(serveRawSocket(new Echo(), { path, port: 1 })).rejects.toMatchObject({ uri: USAGE })
    await expect(serveRawSocket(new Echo(), { port: 0, tls: { key: 'no', cert: 'no' } })).rejects.toMatchObject({
      uri: USAGE,
    })
  })

  test('close ends clients that do not answer, and frees the port', async () => {
    const { port, close, echo } = await served()
    const mute = await joined(port)
    mute.socket.allowHalfOpen = true
    const unfinished = raw(port)
    await once(unfinished.socket, 'connect')
    await close()
    await unfinished.gone
    expect(echo.links).toEqual([])
    await served({ port })
  })
})

test('a HELLO to a router that throws loses that connection only', async () => {
  const result = await serveRawSocket(
    {
      attach() {
        throw new Error('not today')
      },
    },
    { port: 0 },
  )
  cleanups.push(() => result.close())
  const client = await joined(result.port)
  client.socket.write(frame(JSON.stringify([HELLO, 'realm1', {}])))
  await client.gone
})
