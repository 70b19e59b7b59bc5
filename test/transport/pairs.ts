/** Every transport joined to a peer, for the contract suite. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createPlainServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer as createSecureServer } from 'node:tls'
import { afterEach } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import type { Connections } from '../../src/node/connections.ts'
import { LongPolls } from '../../src/node/longpoll-serve.ts'
import { rawSocketDial } from '../../src/node/rawsocket-dial.ts'
import {
  fourOctets,
  greeting,
  type HandshakeRequest,
  protocolOf,
  readRequest,
} from '../../src/node/rawsocket-handshake.ts'
import { RawSocket } from '../../src/node/rawsocket-transport.ts'
import { gathered } from '../../src/node/server-websocket.ts'
import { batched, batching } from '../../src/transport/batched.ts'
import { longPollDial } from '../../src/transport/longpoll.ts'
import { wires } from '../../src/transport/memory.ts'
import { isDialRequest, PortTransport, portDial } from '../../src/transport/message-port.ts'
import type { Dial, Frame, Transport } from '../../src/transport/transport.ts'
import { webSocketDial } from '../../src/transport/websocket.ts'
import { cert, key } from '../node/certificate.ts'
import { Recorder } from './recorder.ts'

/** The other end of a transport under test. */
export interface Peer {
  readonly heard: Recorder
  /** Sends all of them at once: in one chunk, if the transport has chunks. */
  send(...frames: Frame[]): void
  close(code: number, reason: string): void
  terminate(): void
}

export type Pair = (deflate?: boolean) => Promise<{ transport: Transport; peer: Peer }>

/** What a transport cannot carry. */
export interface Traits {
  /** Only text, or only bytes. */
  readonly only?: 'text' | 'bytes'
  /** No frame is empty. */
  readonly filled?: true
  /** The code and the reason of a close do not reach the peer. */
  readonly wordless?: true
  /** A broken connection looks closed. */
  readonly quiet?: true
  /** The transport can leave frames of the peer unread. */
  readonly pausable?: true
}

export const cleanups: (() => Promise<unknown> | undefined)[] = []
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

export const pairs: Record<string, Pair> = {
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

/** A transport at the other end. */
function endOf(far: Transport): Peer {
  const heard = new Recorder()
  far.open(heard)
  return {
    heard,
    send(...frames) {
      for (const frame of frames) far.send(frame)
    },
    close: (code, reason) => far.close(code, reason),
    terminate: () => far.terminate(),
  }
}

type Ends = () => Promise<{ near: Transport; far: Transport }>

const never = () => new AbortController().signal

/** Both ways round: the end that dialed, and the end that was dialed. */
function add(name: string, ends: Ends, given: Traits = {}, atRouter: Traits = {}): void {
  pairs[`${name}, at the client`] = async () => {
    const { near, far } = await ends()
    return { transport: near, peer: endOf(far) }
  }
  pairs[`${name}, at the router`] = async () => {
    const { near, far } = await ends()
    return { transport: far, peer: endOf(near) }
  }
  traits[`${name}, at the client`] = given
  traits[`${name}, at the router`] = { ...given, ...atRouter }
}

export const traits: Record<string, Traits> = {
  'a gathered WebSocket of a server': { pausable: true },
  'a deflated WebSocket of a server': { pausable: true },
  'wires in memory': { pausable: true },
}

let sockets = 0

function rawSockets(protocol: string, way: 'tcp' | 'tls' | 'unix'): Ends {
  return async () => {
    let accept!: (far: Transport) => void
    const accepted = new Promise<Transport>((resolve) => {
      accept = resolve
    })
    const take = (socket: Socket) =>
      fourOctets(socket, Buffer.alloc(0), (octets, rest) => {
        const { limit, serializer } = readRequest(octets) as HandshakeRequest
        socket.write(greeting({ limit: 2 ** 24, serializer }))
        accept(new RawSocket(socket, { protocol: protocolOf(serializer)!, ours: 2 ** 24, theirs: limit }, rest))
        socket.resume()
      })
    const server: Server = way === 'tls' ? createSecureServer({ key, cert }, take) : createPlainServer(take)
    const path = join(tmpdir(), `wampy-ts-${process.pid}-${sockets++}.sock`)
    server.listen(way === 'unix' ? { path } : { port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const at = way === 'unix' ? '' : `127.0.0.1:${(server.address() as AddressInfo).port}`
    const url = { tcp: `rs://${at}`, tls: `rss://${at}`, unix: `unix:${path}` }[way]
    const near = await rawSocketDial({ ca: cert })(url, [protocol], never())
    const far = await accepted
    cleanups.push(async () => {
      near.terminate()
      far.terminate()
      server.close()
      await once(server, 'close')
    })
    return { near, far }
  }
}

async function batches(): Promise<{ near: Transport; far: Transport }> {
  const dial = (port: number) =>
    batching(webSocketDial())(`ws://127.0.0.1:${port}/ws`, ['wamp.2.json', 'wamp.2.cbor'], never())
  const { near, far, socket } = await connection(dial, false)
  return { near, far: batched(gathered(far, socket)) }
}

function polls(through: (dial: Dial) => Dial, into: (transport: Transport) => Transport): Ends {
  return async () => {
    let accept!: (far: Transport) => void
    const accepted = new Promise<Transport>((resolve) => {
      accept = resolve
    })
    const connections: Partial<Connections> = {
      refuse: () => undefined,
      choose: (offers: Iterable<string>) => [...offers][0],
      attach: (transport: Transport) => accept(into(transport)),
    }
    const long = new LongPolls(connections as Connections, '/ws', 2 ** 24, { timeout: 700 })
    const server = createServer((request, response) => long.take(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ws/lp`
    const near = await through(longPollDial())(url, ['wamp.2.json'], never())
    const far = await accepted
    cleanups.push(async () => {
      near.terminate()
      far.terminate()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    })
    return { near, far }
  }
}

async function ports(): Promise<{ near: Transport; far: Transport }> {
  const { port1, port2 } = new MessageChannel()
  const accepted = new Promise<Transport>((resolve) => {
    port2.onmessage = ({ data }) => {
      if (!isDialRequest(data)) return
      const far = new PortTransport(data.port, data.protocols[0]!, { ended() {} })
      far.accept()
      resolve(far)
    }
  })
  const near = await portDial(port1 as never)('', ['wamp.2.json'], never())
  const far = await accepted
  cleanups.push(async () => {
    near.terminate()
    far.terminate()
    port1.close()
  })
  return { near, far }
}

add('RawSocket', rawSockets('wamp.2.json', 'tcp'), { only: 'text', wordless: true, pausable: true })
add('RawSocket for bytes', rawSockets('wamp.2.cbor', 'tcp'), { only: 'bytes', wordless: true, pausable: true })
add('RawSocket over TLS', rawSockets('wamp.2.json', 'tls'), {
  only: 'text',
  wordless: true,
  quiet: true,
  pausable: true,
})
add('RawSocket on a unix socket', rawSockets('wamp.2.json', 'unix'), {
  only: 'text',
  wordless: true,
  quiet: true,
  pausable: true,
})
add('a batched WebSocket', batches, { only: 'text', filled: true }, { pausable: true })
const long: Traits = { only: 'text', filled: true, wordless: true }
add(
  'a long poll',
  polls(
    (dial) => dial,
    (transport) => transport,
  ),
  long,
  { pausable: true },
)
add('a batched long poll', polls(batching, batched), long)
add('a MessagePort', ports)
