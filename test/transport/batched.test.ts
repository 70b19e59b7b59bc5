/** Batches on the wire: framing, malformed batches, and negotiation (BWS-1 to BWS-3). */

import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { GOODBYE } from 'wampy-ts/testing'
import WebSocket from 'ws'
import { serve } from '../../src/node/serve.ts'
import { Router } from '../../src/router/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import type { Attachable, Link } from '../../src/session/link.ts'
import { batched, batching } from '../../src/transport/batched.ts'
import { wires } from '../../src/transport/memory.ts'
import type { Dial, Frame, Transport } from '../../src/transport/transport.ts'
import { webSocketDial } from '../../src/transport/websocket.ts'
import { Recorder } from './recorder.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A batched transport, and the bare wire at its other end. */
function ends(protocol = 'wamp.2.json.batched') {
  const { a, b } = wires({ protocol })
  const heard = new Recorder()
  const wire = new Recorder()
  const transport = batched(a)
  transport.open(heard)
  b.open(wire)
  return { transport, heard, wire, far: b }
}

/** Octets in the notation of the specification. */
const octets = (...parts: (number | string)[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part)] : [part])))

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('sending', () => {
  test('in one turn is one frame, each message with a record separator behind it', async () => {
    const { transport, wire } = ends()
    expect(transport.protocol).toBe('wamp.2.json')
    transport.send('[1]')
    transport.send('[2]')
    expect(transport.backlog).toBe(6)
    await wire.count(1)
    transport.send('[3]')
    expect(await wire.count(2)).toEqual(['[1]\x1e[2]\x1e', '[3]\x1e'])
    expect(transport.backlog).toBe(0)
  })

  test('as bytes has the length of each message in four octets before it', async () => {
    const { transport, wire } = ends('wamp.2.cbor.batched')
    transport.send(bytes(1, 2, 3))
    transport.send(new Uint8Array(258))
    expect(await wire.count(1)).toEqual([octets(0, 0, 0, 3, 1, 2, 3, 0, 0, 1, 2, ...new Array(258).fill(0))])
  })

  test('more than 64 KiB becomes several frames, and a single message may be longer', async () => {
    const { transport, wire } = ends()
    const [half, long] = ['x'.repeat(40_000), 'y'.repeat(100_000)]
    for (const message of [half, half, long, half]) transport.send(message)
    expect(await wire.count(4)).toEqual([half, half, long, half].map((message) => `${message}\x1e`))
  })

  test('before a close precedes it', async () => {
    const { transport, wire } = ends()
    transport.send('[1]')
    transport.close(4000, 'bye')
    transport.send('[2]')
    expect(await wire.end()).toEqual({ code: 4000, reason: 'bye' })
    expect(wire.frames).toEqual(['[1]\x1e'])
  })

  test('before the connection breaks is lost', async () => {
    const { transport, wire } = ends()
    transport.send('[1]')
    transport.terminate()
    await wire.end()
    expect(wire.frames).toEqual([])
  })

  test('to many is prepared once, whatever separator each of them uses', async () => {
    const [one, other] = [ends(), ends()]
    other.far.send('[0]\x18')
    await other.heard.count(1)
    expect(one.transport.framing).toBe(other.transport.framing)
    const prepared = one.transport.prepare?.('[1]')
    for (const { transport } of [one, other]) transport.write?.(prepared)
    expect(await one.wire.count(1)).toEqual(['[1]\x1e'])
    expect(await other.wire.count(1)).toEqual(['[1]\x18'])
  })
})

describe('receiving', () => {
  test.each<[string, Frame, Frame[]]>([
    ['one message', '[1]\x1e', ['[1]']],
    ['three', '[1]\x1e[2]\x1e"\\u001e"\x1e', ['[1]', '[2]', '"\\u001e"']],
    ['three, as Autobahn for Python ends them', '[1]\x18[2]\x18[3]\x18', ['[1]', '[2]', '[3]']],
    ['one of bytes', octets(0, 0, 0, 2, 'ab'), [octets('ab')]],
    ['two of bytes', octets(0, 0, 0, 1, 'a', 0, 0, 0, 3, 'bcd'), [octets('a'), octets('bcd')]],
  ])('is split into messages: %s', async (_what, batch, messages) => {
    const { heard, far } = ends()
    far.send(batch)
    expect(await heard.count(messages.length)).toEqual(messages)
    expect(heard.frames).toEqual(messages)
  })

  test.each<[string, Frame]>([
    ['nothing', ''],
    ['no octets', octets()],
    ['a separator alone', '\x1e'],
    ['an empty message', '[1]\x1e\x1e'],
    ['an end without a separator', '[1]\x1e[2]'],
    ['another separator in the middle', '[1]\x18[2]'],
    ['an empty message of bytes', octets(0, 0, 0, 0)],
    ['an empty message behind another', octets(0, 0, 0, 1, 'a', 0, 0, 0, 0)],
    ['half a length', octets(0, 0)],
    ['half a length behind a message', octets(0, 0, 0, 1, 'a', 0, 0)],
    ['a length and nothing', octets(0, 0, 0, 1)],
    ['a message that is cut', octets(0, 0, 0, 1, 'a', 0, 0, 0, 5, 'bcd')],
    ['a length of 4 GiB', octets(255, 255, 255, 255, 'a')],
  ])('a malformed batch, %s, ends the transport, and no message of it is delivered', async (_what, batch) => {
    const { heard, wire, far } = ends()
    far.send(batch)
    far.send('[9]\x1e')
    expect(await wire.end()).toEqual({ code: 1002, reason: 'a batch must contain one or more whole messages' })
    await heard.end()
    expect(heard.frames).toEqual([])
    expect(heard.closes).toHaveLength(1)
  })

  test('ends the session at once, though its peer does not close', async () => {
    const router = new Router()
    const { url, close } = await serve(router, { port: 0 })
    cleanups.push(close)
    const socket = new WebSocket(url, ['wamp.2.json.batched'])
    cleanups.push(() => socket.terminate())
    await once(socket, 'open')
    await expect.poll(() => router.links).toBe(1)
    socket.pause()
    socket.send('[1]')
    await expect.poll(() => router.links).toBe(0)
  })

  test('costs little, however many messages a frame has', async () => {
    const { transport, wire, far } = ends('wamp.2.cbor.batched')
    let count = 0
    const batch = new Uint8Array(5 * 1_000_000)
    for (let at = 3; at < batch.length; at += 5) batch[at] = 1
    transport.open({
      frame() {
        count++
        if (count === 3) transport.close()
      },
      closed() {},
    })
    far.send(batch)
    await wire.end()
    expect(count).toBe(3)
  })

  test('delivers nothing after a close inside a handler', async () => {
    const { a, b } = wires({ protocol: 'wamp.2.json.batched' })
    const transport = batched(a)
    const heard: Frame[] = []
    const ended = new Promise((resolve) => {
      transport.open({
        frame(frame) {
          heard.push(frame)
          transport.terminate()
        },
        closed: resolve,
      })
    })
    b.send('[1]\x1e[2]\x1e')
    expect(await ended).toEqual({ code: 1006, reason: '' })
    expect(heard).toEqual(['[1]'])
  })
})

describe('negotiation', () => {
  const echo: Attachable = {
    attach(link: Link) {
      link.open({ message: (message) => link.send(message), failed: () => link.close(1002), closed() {} })
    },
  }

  async function served() {
    const result = await serve(echo, { port: 0 })
    cleanups.push(() => result.close())
    return result.url
  }

  async function opened(url: string, protocols: string[]): Promise<WebSocket> {
    const socket = new WebSocket(url, protocols)
    cleanups.push(() => socket.terminate())
    await once(socket, 'open')
    return socket
  }

  test.each([
    [['wamp.2.json', 'wamp.2.json.batched'], 'wamp.2.json'],
    [['wamp.2.json.batched', 'wamp.2.json'], 'wamp.2.json.batched'],
    [['wamp.2.ubjson.batched', 'wamp.2.cbor.batched', 'wamp.2.cbor'], 'wamp.2.cbor.batched'],
    [['wamp.2.msgpack.batched'], 'wamp.2.msgpack.batched'],
    [['wamp.2.ubjson.batched', 'wamp.2.cbor', 'wamp.2.json.batched'], 'wamp.2.cbor'],
  ])('the client by its order: %j is %s', async (protocols, chosen) => {
    expect((await opened(await served(), protocols)).protocol).toBe(chosen)
  })

  test.each([json, cbor, msgpack])('a batch of $name is answered with a batch', async (serializer) => {
    const socket = await opened(await served(), [`wamp.2.${serializer.name}.batched`])
    const message = serializer.encode([GOODBYE, {}, 'wamp.close.close_realm'])
    const batch =
      typeof message === 'string'
        ? `${message}\x1e`.repeat(3)
        : Buffer.concat(new Array(3).fill([Buffer.from([0, 0, 0, message.length]), message]).flat() as Uint8Array[])
    const answer = once(socket, 'message')
    socket.send(batch)
    const [data, binary] = (await answer) as [Buffer, boolean]
    expect(binary).toBe(serializer.binary)
    expect(binary ? data : data.toString()).toEqual(batch)
  })

  test.each([
    ['wamp.2.json.batched', '', 1002],
    ['wamp.2.json.batched', '[6,{},"a"]', 1002],
    ['wamp.2.cbor.batched', Buffer.from([0, 0, 1, 0, 1]), 1002],
  ])('the router closes %s on a malformed batch', async (protocol, frame, code) => {
    const socket = await opened(await served(), [protocol])
    const closed = once(socket, 'close')
    socket.send(frame)
    expect((await closed)[0]).toBe(code)
  })

  test('a client offers batches first, each before its plain form, and uses the chosen one', async () => {
    let offered: readonly string[] = []
    const dial: Dial = async (_url, protocols) => {
      offered = protocols
      return wires({ protocol: 'wamp.2.cbor' }).a
    }
    const signal = new AbortController().signal
    const plain: Transport = await batching(dial)('ws://x', ['wamp.2.json', 'wamp.2.cbor'], signal)
    expect(offered).toEqual(['wamp.2.json.batched', 'wamp.2.json', 'wamp.2.cbor.batched', 'wamp.2.cbor'])
    expect(plain.protocol).toBe('wamp.2.cbor')
    const real = await batching(webSocketDial())(await served(), ['wamp.2.json'], signal)
    cleanups.push(() => real.terminate())
    expect(real.protocol).toBe('wamp.2.json')
    const heard = new Recorder()
    real.open(heard)
    const message = JSON.stringify([GOODBYE, {}, 'a.b'])
    real.send(message)
    real.send(message)
    expect(await heard.count(2)).toEqual([message, message])
  })

  test('a client ends its messages with the separator of its options', async () => {
    const { a, b } = wires({ protocol: 'wamp.2.json.batched' })
    const heard = new Recorder()
    b.open(heard)
    const signal = new AbortController().signal
    const transport = await batching(async () => a, { separator: '\x18' })('ws://x', ['wamp.2.json'], signal)
    transport.send('[1]')
    transport.send('[2]')
    expect(await heard.count(1)).toEqual(['[1]\x18[2]\x18'])
  })
})
