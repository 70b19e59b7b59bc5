/** A WebSocket at the server's end as a transport, which gathers all writes of a turn into one system call. */

import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { BROKEN, cutReason, Inbox } from '../transport/inbox.ts'
import type { Frame, Prepared, Transport, TransportSink } from '../transport/transport.ts'

/** `socket` is what the HTTP server's `upgrade` event gave, on which `webSocket` was made. */
export function gathered(webSocket: WebSocket, socket: Duplex): Transport {
  // Where frames are deflated each connection has a window of its own: `ws` must make them.
  return webSocket.extensions === '' ? new Gathered(webSocket, socket) : new Deflated(webSocket)
}

const OPEN = 1

class Deflated implements Transport {
  protected readonly webSocket: WebSocket
  protected readonly inbox = new Inbox()
  #waiting: (() => void)[] = []

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket
    // What breaks a connection is told by `close`; without a listener it would end the process.
    webSocket.on('error', () => {})
    webSocket.on('message', (data: Buffer, binary) => {
      this.inbox.frame(binary ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data.toString())
    })
    webSocket.on('close', (code, reason) => this.inbox.end({ code, reason: reason.toString() }))
    webSocket.on('pong', () => {
      const waiting = this.#waiting
      this.#waiting = []
      for (const answered of waiting) answered()
    })
  }

  get protocol(): string {
    return this.webSocket.protocol
  }

  get backlog(): number {
    return this.webSocket.bufferedAmount
  }

  get writable(): boolean {
    return !this.inbox.over && this.webSocket.readyState === OPEN
  }

  open(sink: TransportSink): void {
    this.inbox.open(sink)
  }

  send(frame: Frame): void {
    if (this.writable) this.webSocket.send(frame)
  }

  close(code = 1000, reason = ''): void {
    if (this.inbox.over) return
    this.inbox.mute()
    this.webSocket.close(isCode(code) ? code : 1000, cutReason(reason))
  }

  terminate(): void {
    this.inbox.mute()
    this.webSocket.terminate()
    this.inbox.end(BROKEN)
  }

  ping(answered: () => void): void {
    if (!this.writable) return
    this.#waiting.push(answered)
    this.webSocket.ping()
  }
}

class Gathered extends Deflated {
  readonly framing = 'ws'
  readonly #socket: Duplex
  #corked = false

  constructor(webSocket: WebSocket, socket: Duplex) {
    super(webSocket)
    this.#socket = socket
  }

  override send(frame: Frame): void {
    if (!this.writable) return
    this.#cork()
    if (frame.length < LARGE) {
      this.#socket.write(whole(frame))
      return
    }
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame
    const header = Buffer.allocUnsafe(headerLength(bytes.length))
    writeHeader(header, opcode(frame), bytes.length)
    this.#socket.write(header)
    this.#socket.write(bytes)
  }

  prepare(frame: Frame): Prepared {
    return whole(frame)
  }

  write(prepared: Prepared): void {
    if (!this.writable) return
    this.#cork()
    this.#socket.write(prepared as Buffer)
  }

  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#socket.cork()
    // Comes when the inbound chunk has been handled; one setImmediate per turn gathered no more.
    if (dirty.push(this) === 1) process.nextTick(flush)
  }

  uncork(): void {
    this.#corked = false
    this.#socket.uncork()
  }
}

// One list for all connections: what one inbound chunk causes is mostly written to others.
let dirty: Gathered[] = []

function flush(): void {
  const transports = dirty
  dirty = []
  for (const transport of transports) transport.uncork()
}

/** From here on a second buffer in the same system call costs less than a copy. */
const LARGE = 16_384

function opcode(frame: Frame): number {
  return typeof frame === 'string' ? 1 : 2
}

/** Header and payload in one buffer. Frames to a client are not masked (RFC 6455, 5.1). */
function whole(frame: Frame): Buffer {
  const length = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
  const start = headerLength(length)
  const bytes = Buffer.allocUnsafe(start + length)
  writeHeader(bytes, opcode(frame), length)
  if (typeof frame === 'string') bytes.write(frame, start)
  else bytes.set(frame, start)
  return bytes
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

function writeHeader(bytes: Buffer, opcode: number, length: number): void {
  bytes[0] = 0x80 | opcode
  if (length < 126) {
    bytes[1] = length
  } else if (length < 65_536) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeUInt16BE(0, 2)
    bytes.writeUIntBE(length, 4, 6)
  }
}

/** Whether a close frame may say this code (RFC 6455, 7.4). */
function isCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
  )
}
