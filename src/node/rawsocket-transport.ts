/** RawSocket (Advanced Profile, RawSocket Transport): messages over any stream, each after a header of four octets. */

import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import type { BindingSource } from '../auth/contract.ts'
import { checkLengthFits } from '../protocol/frame.ts'
import { BROKEN, Inbox } from '../transport/inbox.ts'
import { bindingOf, type TlsLike } from '../transport/tls-binding.ts'
import {
  CLOSE_TIMEOUT,
  type CloseInfo,
  type Frame,
  type Prepared,
  type Transport,
  type TransportSink,
} from '../transport/transport.ts'
import { Corked, LARGE } from './corked-socket.ts'
import type { Delayable } from './fair-turns.ts'

/** The result of the two handshakes. */
export interface HandshakeResult {
  readonly protocol: string
  /** The longest message that this side accepts, in bytes. */
  readonly ours: number
  /** The longest message that the peer accepts, in bytes. */
  readonly theirs: number
}

const WAMP = 0
const PING = 1
const PONG = 2

/** The greatest length; 24 bits cannot express it, so it has a bit of its own. */
const GREATEST_FRAME = 2 ** 24
/** Unread bytes of a peer above which its pings are no longer read: answers of four octets cost far more memory. */
const MAX_UNREAD = 65_536

export class RawSocket implements Transport, Delayable {
  readonly protocol: string
  /** Transports whose peers accept messages of the same length share prepared frames. */
  readonly framing: string
  readonly channelBinding: BindingSource
  readonly #socket: Socket
  readonly #out: Corked
  readonly #inbox = new Inbox()
  readonly #text: boolean
  readonly #ours: number
  readonly #theirs: number
  #pings: (() => void)[] = []
  /** Bytes of an incomplete frame, with room for more. */
  #pending: Buffer | undefined
  #filled = 0
  /** The number of bytes needed before the next attempt to read a frame. */
  #needed = 4
  #ended = false
  #paused = false
  #delayed = false
  #info: CloseInfo | undefined
  #deadline: NodeJS.Timeout | undefined

  /** `rest` holds the bytes after the handshake in the same chunk; `server` is true at the end that accepted it. */
  constructor(socket: Socket, { protocol, ours, theirs }: HandshakeResult, rest: Buffer, server = false) {
    this.protocol = protocol
    this.framing = `rs${theirs}`
    this.#socket = socket
    this.channelBinding = (type, dialect) => bindingOf(socket as TlsLike, type, dialect, server)
    this.#out = new Corked(socket)
    this.#text = protocol === 'wamp.2.json'
    this.#ours = ours
    this.#theirs = theirs
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => {
      if (!this.#paused && !this.#delayed) socket.resume()
    })
    socket.on('end', () => {
      this.#ended = true
      // An HTTP server leaves its sockets half open.
      this.#finish()
    })
    // `close` reports a broken connection; without this listener the error would end the process.
    socket.on('error', () => {})
    socket.on('close', (hadError) => {
      clearTimeout(this.#deadline)
      const clean = this.#ended && this.#filled === 0
      this.#inbox.end(hadError ? BROKEN : (this.#info ?? (clean ? { code: 1000, reason: '' } : BROKEN)))
    })
    if (rest.length > 0) this.#read(rest)
  }

  get backlog(): number {
    return this.#socket.writableLength
  }

  get #writable(): boolean {
    return !this.#inbox.closed && this.#socket.writable
  }

  open(sink: TransportSink): void {
    this.#inbox.open(sink)
  }

  /** @throws WampError `payload_size_exceeded` for a message longer than the peer accepts */
  send(frame: Frame): void {
    if (!this.#writable) return
    if (frame.length < LARGE) {
      this.#out.write(this.#whole(frame))
      return
    }
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame
    checkLengthFits(bytes.length, this.#theirs)
    this.#out.write(header(WAMP, bytes.length))
    this.#out.write(bytes)
  }

  prepare(frame: Frame): Prepared {
    return this.#whole(frame)
  }

  write(prepared: Prepared): void {
    if (this.#writable) this.#out.write(prepared as Buffer)
  }

  close(code = 1000, reason = ''): void {
    if (this.#inbox.closed) return
    this.#inbox.mute()
    // RawSocket has no close frame that would carry the code and the reason.
    this.#info = { code, reason }
    this.#finish()
    // Reads to the end of the peer's stream, even if reading was paused.
    this.#paused = false
    this.#delayed = false
    this.#socket.resume()
  }

  /** Ends this side's stream, and terminates if the peer does not end its own in time. */
  #finish(): void {
    this.#deadline ??= setTimeout(() => this.terminate(), CLOSE_TIMEOUT)
    this.#socket.end()
  }

  terminate(): void {
    this.#end(BROKEN)
  }

  get paused(): boolean {
    return this.#paused || this.#delayed
  }

  pause(): void {
    if (this.#inbox.closed) return
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#listen()
  }

  delay(): void {
    if (this.#inbox.closed) return
    this.#delayed = true
    this.#socket.pause()
  }

  proceed(): void {
    this.#delayed = false
    this.#listen()
  }

  #listen(): void {
    // Otherwise it resumes when the peer has read.
    if (!this.#paused && !this.#delayed && this.#socket.writableLength <= MAX_UNREAD) this.#socket.resume()
  }

  ping(answered: () => void): void {
    if (!this.#writable) return
    this.#pings.push(answered)
    this.#out.write(header(PING, 0))
  }

  #end(info: CloseInfo): void {
    clearTimeout(this.#deadline)
    this.#inbox.mute()
    this.#pending = undefined
    try {
      // A socket that is about to end cannot be reset: it would never emit `close`.
      if (this.#socket.writableEnded) this.#socket.destroy()
      else this.#socket.resetAndDestroy()
    } catch {
      // Only TCP can be reset.
      this.#socket.destroy()
    }
    this.#inbox.end(info)
  }

  #whole(frame: Frame): Buffer {
    const length = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
    checkLengthFits(length, this.#theirs)
    const bytes = Buffer.allocUnsafe(4 + length)
    writeHeader(bytes, WAMP, length)
    if (typeof frame === 'string') bytes.write(frame, 4)
    else bytes.set(frame, 4)
    return bytes
  }

  #read(chunk: Buffer): void {
    // Chunks that were read before a pause are still emitted.
    if (this.#socket.destroyed) return
    let bytes = chunk
    if (this.#filled > 0) {
      this.#append(chunk)
      if (this.#filled < this.#needed) return
      bytes = (this.#pending as Buffer).subarray(0, this.#filled)
      this.#pending = undefined
      this.#filled = 0
    }
    let at = 0
    for (;;) {
      this.#needed = 4
      if (bytes.length - at < 4) break
      const length = this.#lengthAt(bytes, at)
      if (length === undefined) return
      this.#needed += length
      if (bytes.length - at < this.#needed) break
      const type = bytes[at] as number
      at += this.#needed
      this.#take(type & 7, bytes.subarray(at - length, at))
      if (this.#socket.destroyed) return
    }
    if (at === bytes.length) return
    this.#pending = bytes.subarray(at)
    this.#filled = this.#pending.length
  }

  /** Allocates memory for received bytes, not for the length in a header. */
  #append(chunk: Buffer): void {
    let pending = this.#pending as Buffer
    const filled = this.#filled + chunk.length
    if (filled > pending.length) {
      pending = Buffer.allocUnsafeSlow(Math.max(filled, Math.min(this.#needed, 2 * filled)))
      ;(this.#pending as Buffer).copy(pending, 0, 0, this.#filled)
      this.#pending = pending
    }
    chunk.copy(pending, this.#filled)
    this.#filled = filled
  }

  /** Returns the length of the frame whose header begins at `at`; ends the connection for an invalid header. */
  #lengthAt(bytes: Buffer, at: number): number | undefined {
    const first = bytes[at] as number
    const low = bytes.readUIntBE(at + 1, 3)
    const length = first & 8 ? GREATEST_FRAME : low
    if ((first & 0xf0) !== 0 || (first & 7) > PONG || (length === GREATEST_FRAME && low !== 0)) {
      this.#end({ code: 1002, reason: 'the header of a frame uses reserved bits' })
    } else if (length > this.#ours) {
      this.#end({ code: 1009, reason: `a message may have at most ${this.#ours} bytes, got ${length}` })
    } else return length
    return undefined
  }

  #take(type: number, payload: Buffer): void {
    if (type === WAMP) {
      if (!this.#text) this.#inbox.frame(new Uint8Array(payload.buffer, payload.byteOffset, payload.length))
      else if (isUtf8(payload)) this.#inbox.frame(payload.toString())
      else this.#end({ code: 1007, reason: 'the text is not valid UTF-8' })
    } else if (type === PING) {
      this.#pong(payload)
    } else {
      const pings = this.#pings
      this.#pings = []
      for (const answered of pings) answered()
    }
  }

  #pong(payload: Buffer): void {
    if (!this.#writable) return
    if (payload.length > this.#theirs) {
      this.#end({
        code: 1009,
        reason: `a ping of ${payload.length} bytes cannot be answered: the peer accepts at most ${this.#theirs}`,
      })
      return
    }
    this.#out.write(header(PONG, payload.length))
    if (payload.length > 0) this.#out.write(payload)
    // A peer that pings and does not read would fill the memory; reading resumes when it has read.
    if (this.#socket.writableLength > MAX_UNREAD) this.#socket.pause()
  }
}

function header(type: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  writeHeader(bytes, type, length)
  return bytes
}

function writeHeader(bytes: Buffer, type: number, length: number): void {
  bytes[0] = length === GREATEST_FRAME ? type | 8 : type
  bytes.writeUIntBE(length % GREATEST_FRAME, 1, 3)
}
