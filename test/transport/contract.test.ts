/** What every transport promises, run over each of them. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import { gathered } from '../../src/node/gather.ts'
import { wires } from '../../src/transport/memory.ts'
import type { CloseInfo, Frame, Transport } from '../../src/transport/transport.ts'
import { webSocketDial } from '../../src/transport/websocket.ts'
import { Recorder } from './recorder.ts'

/** The other end of a transport under test. */
interface Peer {
  readonly heard: Recorder
  /** Sends all of them at once: in one chunk, where there are chunks. */
  send(...frames: Frame[]): void
  close(code: number, reason: string): void
  terminate(): void
}

type Pair = (deflate?: boolean) => Promise<{ transport: Transport; peer: Peer }>

const cleanups: (() => Promise<unknown> | undefined)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** A server and a client on a real port, both as `ws` and its raw socket. */
async function connection(
  dial: (port: number) => Promise<Transport>,
  deflate: boolean,
): Promise<{ near: Transport; far: WebSocket; socket: Duplex }> {
  const server = createServer()
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: deflate && { threshold: 0 } })
  const accepted = new Promise<{ far: WebSocket; socket: Duplex }>((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      webSockets.handleUpgrade(request, socket, head, (far) => resolve({ far, socket }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = await dial((server.address() as AddressInfo).port)
  const { far, socket } = await accepted
  cleanups.push(async () => {
    near.terminate()
    far.terminate()
    server.close()
    await once(server, 'close')
  })
  return { near, far, socket }
}

const plainDial = (port: number) =>
  webSocketDial()(`ws://127.0.0.1:${port}/ws`, ['wamp.2.json', 'wamp.2.cbor'], new AbortController().signal)

function peerOf(webSocket: WebSocket, socket: Duplex): Peer {
  const heard = new Recorder()
  webSocket.on('message', (data: Buffer, binary) => heard.frame(binary ? new Uint8Array(data) : data.toString()))
  webSocket.on('close', (code, reason) => heard.closed({ code, reason: reason.toString() }))
  webSocket.on('error', () => {})
  return {
    heard,
    send(...frames) {
      socket.cork()
      for (const frame of frames) webSocket.send(frame)
      socket.uncork()
    },
    close: (code, reason) => webSocket.close(code, reason),
    terminate: () => webSocket.terminate(),
  }
}

const pairs: Record<string, Pair> = {
  'a WebSocket in Node': async () => {
    const { near, far, socket } = await connection(plainDial, false)
    return { transport: near, peer: peerOf(far, socket) }
  },
  'a gathered WebSocket of a server': async (deflate = false) => {
    let client: WebSocket | undefined
    let raw: Socket | undefined
    const { far, socket } = await connection(async (port) => {
      client = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['wamp.2.json'], { perMessageDeflate: deflate })
      client.on('upgrade', (response) => {
        raw = response.socket
      })
      await once(client, 'open')
      return { terminate: () => client?.terminate() } as Transport
    }, deflate)
    return { transport: gathered(far, socket), peer: peerOf(client!, raw!) }
  },
  'wires in memory': async () => {
    const { a, b } = wires()
    const heard = new Recorder()
    b.open(heard)
    const send = (...frames: Frame[]) => {
      for (const frame of frames) b.send(frame)
    }
    return { transport: a, peer: { heard, send, close: (...info) => b.close(...info), terminate: () => b.terminate() } }
  },
}
pairs['a deflated WebSocket of a server'] = () => pairs['a gathered WebSocket of a server']!(true)

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)
const frames: Frame[] = ['', 'text', 'größer 😀', bytes(0), bytes(125), bytes(126), 'x'.repeat(65_535), bytes(65_536)]
frames.push('ä'.repeat(8_192), 'é'.repeat(40_000), 'last')

describe.each(Object.entries(pairs))('%s', (_name, pair) => {
  test('says what was negotiated', async () => {
    expect((await pair()).transport.protocol).toBe('wamp.2.json')
  })

  test('carries frames of all sizes, whole and in order', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    for (const frame of frames) transport.send(frame)
    peer.send(...frames)
    expect(await peer.heard.count(frames.length)).toEqual(frames)
    expect(await heard.count(frames.length)).toEqual(frames)
    expect(Object.getPrototypeOf(heard.frames[4])).toBe(Uint8Array.prototype)
    expect(transport.backlog).toBe(0)
  })

  test('tells its backlog, which shrinks to nothing', async () => {
    const { transport, peer } = await pair()
    transport.send('x'.repeat(1000))
    expect(transport.backlog).toBeGreaterThanOrEqual(transport.framing || !transport.ping ? 1000 : 0)
    await peer.heard.count(1)
    expect(transport.backlog).toBe(0)
  })

  test('holds what arrives before it is opened', async () => {
    const { transport, peer } = await pair()
    peer.send('one', 'two', 'three')
    peer.close(4000, 'bye')
    await peer.heard.end()
    const heard = new Recorder()
    transport.open(heard)
    expect(await heard.end()).toEqual({ code: 4000, reason: 'bye' })
    expect(heard.frames).toEqual(['one', 'two', 'three'])
  })

  test('answers from inside a handler, one by one, keep their order', async () => {
    const { transport, peer } = await pair()
    transport.open({ frame: (frame) => transport.send(`re: ${frame}`), closed() {} })
    peer.send('one', 'two', 'three')
    expect(await peer.heard.count(3)).toEqual(['re: one', 're: two', 're: three'])
  })

  test('is told once, and last, that the peer closed', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    peer.send('before')
    peer.close(4001, 'grüße')
    expect(await heard.end()).toEqual({ code: 4001, reason: 'grüße' })
    transport.close()
    transport.terminate()
    await peer.heard.end()
    expect(heard).toMatchObject({ frames: ['before'], closes: [{ code: 4001 }], late: [] })
  })

  test('closes after what was sent before, and hears nothing more', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    transport.send('before')
    transport.close(4002, 'done')
    transport.send('after')
    transport.close(4003, 'again')
    peer.send('too late')
    expect(heard.closes).toEqual([])
    expect(await peer.heard.end()).toEqual({ code: 4002, reason: 'done' })
    expect(peer.heard.frames).toEqual(['before'])
    expect(await heard.end()).toEqual({ code: 4002, reason: 'done' })
    expect(heard.frames).toEqual([])
  })

  test.each([
    ['a'.repeat(123), 'a'.repeat(123)],
    ['a'.repeat(200), 'a'.repeat(123)],
    ['é'.repeat(62), 'é'.repeat(61)],
    [`a${'😀'.repeat(40)}`, `a${'😀'.repeat(30)}`],
    [`${'a'.repeat(123)}😀`, 'a'.repeat(123)],
  ])('cuts a reason to 123 bytes between two characters', async (reason, cut) => {
    const { transport, peer } = await pair()
    transport.close(1000, reason)
    expect(await peer.heard.end()).toEqual({ code: 1000, reason: cut })
  })

  test.each([0, -1, 999, 1002, 1005, 1006, 1015, 2999, 5000, Number.NaN])('close(%d) never throws', async (code) => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    transport.close(code, 'odd')
    await heard.end()
    await peer.heard.end()
    expect(heard.closes).toHaveLength(1)
  })

  test('terminate ends it at once', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    transport.terminate()
    expect(heard.closes).toEqual([{ code: 1006, reason: '' }])
    transport.send('after')
    transport.terminate()
    expect(await peer.heard.end()).toEqual({ code: 1006, reason: '' })
    expect(heard.closes).toHaveLength(1)
    expect(peer.heard.frames).toEqual([])
  })

  test('terminate ends what a peer does not close', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    transport.close()
    transport.terminate()
    expect(heard.closes).toEqual([{ code: 1006, reason: '' }])
    await peer.heard.end()
  })

  test('terminate inside a handler keeps the rest away', async () => {
    const { transport, peer } = await pair()
    const heard: (Frame | CloseInfo)[] = []
    const ended = new Promise<void>((resolve) => {
      transport.open({
        frame(frame) {
          heard.push(frame)
          transport.terminate()
        },
        closed(info) {
          heard.push(info)
          resolve()
        },
      })
    })
    peer.send('one', 'two')
    await ended
    await peer.heard.end()
    expect(heard).toEqual(['one', { code: 1006, reason: '' }])
  })

  test('is told 1006 where the peer broke', async () => {
    const { transport, peer } = await pair()
    const heard = new Recorder()
    transport.open(heard)
    peer.terminate()
    expect(await heard.end()).toEqual({ code: 1006, reason: '' })
  })

  test('a ping is answered by the peer, where there are pings', async () => {
    const { transport, peer } = await pair()
    transport.open(new Recorder())
    if (transport.ping) await new Promise<void>((answered) => transport.ping?.(answered))
    peer.terminate()
    transport.terminate()
    expect(() => transport.ping?.(() => {})).not.toThrow()
  })
})

test('gathered: a frame that was prepared once goes to many, between others and whole', async () => {
  const one = await pairs['a gathered WebSocket of a server']!()
  const two = await pairs['a gathered WebSocket of a server']!()
  for (const frame of ['', 'größer', 'x'.repeat(70_000), bytes(70_000)]) {
    const prepared = one.transport.prepare?.(frame)
    for (const { transport } of [one, two]) {
      transport.send('before')
      transport.write?.(prepared)
      transport.send('after')
    }
  }
  const expected = ['', 'größer', 'x'.repeat(70_000), bytes(70_000)].flatMap((frame) => ['before', frame, 'after'])
  expect(await one.peer.heard.count(12)).toEqual(expected)
  expect(await two.peer.heard.count(12)).toEqual(expected)
  expect(one.transport.framing).toBe(two.transport.framing)
})

test('gathered: nothing is prepared where frames are deflated', async () => {
  const { transport } = await pairs['a deflated WebSocket of a server']!()
  expect(transport.framing).toBeUndefined()
  expect(transport.prepare).toBeUndefined()
})

test('gathered: a close comes behind what was sent in the same turn, a ping does not break a frame', async () => {
  const { transport, peer } = await pairs['a gathered WebSocket of a server']!()
  transport.send('one')
  transport.ping?.(() => {})
  transport.send('x'.repeat(100_000))
  transport.close(1001, 'going')
  expect(await peer.heard.end()).toEqual({ code: 1001, reason: 'going' })
  expect(peer.heard.frames).toEqual(['one', 'x'.repeat(100_000)])
})

test('gathered: what is sent in one turn leaves in one system call', async () => {
  const { transport, peer } = await pairs['a gathered WebSocket of a server']!()
  transport.send('one')
  transport.send('two')
  // Both with their headers, still in this process: without gathering they would be in the kernel now.
  expect(transport.backlog).toBe(10)
  await peer.heard.count(2)
})
