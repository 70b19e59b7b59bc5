/** A server's WebSocket as a transport that gathers all writes of a turn into one system call. */

import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { BROKEN, cutReason, Inbox } from '../transport/inbox.ts'
import type { Frame, Prepared, Transport, TransportSink } from '../transport/transport.ts'
import { Corked, LARGE } from './corked-socket.ts'
import type { Delayable } from './fair-turns.ts'

/** `socket` comes from the HTTP server's `upgrade` event; `webSocket` was made on it, without `autoPong`. */
export function gathered(webSocket: WebSocket, socket: Duplex): Transport & Delayable {
  // With deflate each connection has a window of its own, so `ws` must make the frames.
  return webSocket.extensions === '' ? new Gathered(webSocket, socket) : new Deflated(webSocket)
}

/** The class of WebSockets that close with the limit, and the length if it is known, after a message that was too long. */
export function sizeReporting(limit: number): typeof WebSocket {
  return class extends WebSocket {
    // `ws` closes with the code alone, and keeps the length where its types do not show it.
    override close(code?: number, reason?: string | Buffer): void {
      if (code !== 1009 || reason) {
        super.close(code, reason)
        return
      }
      const { _receiver } = this as { _receiver?: { _totalPayloadLength?: number } }
      const length = _receiver?._totalPayloadLength ?? 0
      super.close(code, `a message may have at most ${limit} bytes${length > limit ? `, got ${length}` : ''}`)
    }
  }
}

const WEB_SOCKET_OPEN = 1
/** The greatest number of pongs that wait to be written; above it, reading stops. */
const MAX_PENDING_PONGS = 1000

class Deflated implements Transport, Delayable {
  protected readonly webSocket: WebSocket
  protected readonly inbox = new Inbox()
  #waiting: (() => void)[] = []
  #pongs = 0
  #paused = false
  #delayed = false

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket
    // After a malformed frame `ws` has closed with a code; the peer's own close may never come.
    webSocket.on('error', ({ message }) => this.inbox.end({ code: 1002, reason: message }))
    webSocket.on('message', (data: Buffer, binary) => {
      this.inbox.frame(binary ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data.toString())
    })
    webSocket.on('close', (code, reason) => this.inbox.end({ code, reason: reason.toString() }))
    webSocket.on('ping', (payload: Buffer) => this.#pong(payload))
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
    return !this.inbox.closed && this.webSocket.readyState === WEB_SOCKET_OPEN
  }

  open(sink: TransportSink): void {
    this.inbox.open(sink)
  }

  send(frame: Frame): void {
    if (this.writable) this.webSocket.send(frame)
  }

  close(code = 1000, reason = ''): void {
    if (this.inbox.closed) return
    this.inbox.mute()
    // The peer's answer must be read.
    this.#delayed = false
    this.resume()
    this.webSocket.close(isCode(code) ? code : 1000, cutReason(reason))
  }

  terminate(): void {
    this.inbox.mute()
    this.webSocket.terminate()
    this.inbox.end(BROKEN)
  }

  get paused(): boolean {
    return this.#paused || this.#delayed
  }

  pause(): void {
    if (!this.writable) return
    this.#paused = true
    this.webSocket.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#pongs < MAX_PENDING_PONGS) this.#read()
  }

  delay(): void {
    if (!this.writable) return
    this.#delayed = true
    this.webSocket.pause()
  }

  proceed(): void {
    this.#delayed = false
    if (this.#pongs < MAX_PENDING_PONGS) this.#read()
  }

  #read(): void {
    if (!this.#paused && !this.#delayed && this.webSocket.isPaused) this.webSocket.resume()
  }

  ping(answered: () => void): void {
    if (!this.writable) return
    this.#waiting.push(answered)
    this.webSocket.ping()
  }

  // A peer that pings and does not read would fill the memory; `ws` alone would end a peer after 60 pings in a row.
  #pong(payload: Buffer): void {
    if (!this.writable) return
    if (++this.#pongs === MAX_PENDING_PONGS) this.webSocket.pause()
    this.webSocket.pong(payload, false, this.#ponged)
  }

  readonly #ponged = (): void => {
    if (--this.#pongs === 0) this.#read()
  }
}

class Gathered extends Deflated {
  readonly framing = 'ws'
  readonly #out: Corked

  constructor(webSocket: WebSocket, socket: Duplex) {
    super(webSocket)
    this.#out = new Corked(socket)
  }

  override get backlog(): number {
    return super.backlog + this.#out.held
  }

  override send(frame: Frame): void {
    if (!this.writable) return
    if (frame.length < LARGE) {
      const most = MAX_HEADER + (typeof frame === 'string' ? frame.length * 3 : frame.length)
      if (!this.#out.fill(most, writeFrame, frame)) this.#out.write(wholeFrame(frame))
      return
    }
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame
    const header = Buffer.allocUnsafe(headerLength(bytes.length))
    writeFrameHeader(header, opcode(frame), bytes.length)
    this.#out.write(header)
    this.#out.write(bytes)
  }

  prepare(frame: Frame): Prepared {
    return wholeFrame(frame)
  }

  write(prepared: Prepared): void {
    if (this.writable) this.#out.write(prepared as Buffer)
  }

  // Frames that `ws` writes itself must not overtake frames that were sent before.
  override close(code?: number, reason?: string): void {
    this.#out.push()
    super.close(code, reason)
  }
}

/** The longest header. */
const MAX_HEADER = 10

/** Writes a frame below 65,536 bytes and returns its end. */
function writeFrame(bytes: Buffer, at: number, frame: Frame): number {
  // Assumes ASCII, which nearly every frame is: counting first costs more than moving the other frames.
  const guess = at + headerLength(frame.length)
  if (typeof frame !== 'string') {
    bytes.set(frame, guess)
    writeFrameHeader(bytes, 2, frame.length, at)
    return guess + frame.length
  }
  const length = bytes.write(frame, guess)
  const start = at + headerLength(length)
  if (start !== guess) bytes.copyWithin(start, guess, guess + length)
  writeFrameHeader(bytes, 1, length, at)
  return start + length
}

function opcode(frame: Frame): number {
  return typeof frame === 'string' ? 1 : 2
}

/** Header and payload in one buffer. Frames to a client are not masked (RFC 6455, 5.1). */
function wholeFrame(frame: Frame): Buffer {
  const length = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
  const start = headerLength(length)
  const bytes = Buffer.allocUnsafe(start + length)
  writeFrameHeader(bytes, opcode(frame), length)
  if (typeof frame === 'string') bytes.write(frame, start)
  else bytes.set(frame, start)
  return bytes
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

function writeFrameHeader(bytes: Buffer, opcode: number, length: number, at = 0): void {
  bytes[at] = 0x80 | opcode
  if (length < 126) {
    bytes[at + 1] = length
  } else if (length < 65_536) {
    bytes[at + 1] = 126
    bytes.writeUInt16BE(length, at + 2)
  } else {
    bytes[at + 1] = 127
    bytes.writeUInt16BE(0, at + 2)
    bytes.writeUIntBE(length, at + 4, 6)
  }
}

/** True if a close frame may carry this code (RFC 6455, 7.4). */
function isCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
  )
}
