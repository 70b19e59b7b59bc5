/** Frames and messages made and read byte by byte, so that the load driver costs little and depends on no client. */

import { connect, type Socket as Tcp } from 'node:net'
import type { Message } from '../../src/protocol/messages.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'

/** What stands in a URI for a number. */
export const DIGITS = '00000000'
const ZERO = 48
const NINE = 57

export type Format = 'json' | 'cbor' | 'msgpack'

/** What makes the messages that are sent over and over, and those that open a session. */
const SERIALIZERS = { json, cbor, msgpack } as const

export function encoded(format: Format, message: Message): Buffer {
  const frame = SERIALIZERS[format].encode(message)
  return typeof frame === 'string' ? Buffer.from(frame) : Buffer.from(frame)
}

export function decoded(format: Format, bytes: Buffer): Message {
  return SERIALIZERS[format].decode(format === 'json' ? bytes.toString() : new Uint8Array(bytes))
}

/** A frame of a client around a message. The mask is zero, which leaves the message as it is. */
export function framed(format: Format, message: Buffer): Buffer {
  const head = Buffer.alloc(14)
  const size = writeHead(head, 0, format, message.length)
  return Buffer.concat([head.subarray(0, size), message])
}

function writeHead(bytes: Buffer, at: number, format: Format, length: number): number {
  bytes[at] = format === 'json' ? 0x81 : 0x82
  let end = at + 2
  if (length < 126) bytes[at + 1] = 0x80 | length
  else if (length < 65_536) {
    bytes[at + 1] = 0x80 | 126
    end = bytes.writeUInt16BE(length, end)
  } else {
    bytes[at + 1] = 0x80 | 127
    end = bytes.writeBigUInt64BE(BigInt(length), end)
  }
  bytes.writeUInt32BE(0, end)
  return end + 4
}

/** Makes the URIs of frames differ: writes the next number wherever a frame has DIGITS. */
export class Counter {
  readonly #digits = Buffer.from(DIGITS)

  write(frame: Buffer, place: number): void {
    const digits = this.#digits
    let at = digits.length - 1
    for (; digits[at] === NINE && at > 0; at--) digits[at] = ZERO
    digits[at] = (digits[at] as number) + 1
    digits.copy(frame, place)
  }
}

/** Reads the first two integers of a message: its code, and mostly an id. */
export class Reader {
  code = 0
  id = 0
  readonly read: (bytes: Buffer, at: number) => void

  constructor(format: Format) {
    this.read = format === 'json' ? this.#json : format === 'cbor' ? this.#cbor : this.#msgpack
  }

  #json(bytes: Buffer, start: number): void {
    let at = start + 1
    let code = 0
    for (; (bytes[at] as number) >= 48; at++) code = code * 10 + (bytes[at] as number) - 48
    let id = 0
    for (at++; (bytes[at] as number) >= 48 && (bytes[at] as number) <= 57; at++)
      id = id * 10 + (bytes[at] as number) - 48
    this.code = code
    this.id = id
  }

  #cbor(bytes: Buffer, start: number): void {
    let at = start + 1
    const code = bytes[at++] as number
    this.code = code === 0x18 ? (bytes[at++] as number) : code
    const first = bytes[at] as number
    if (first < 24) this.id = first
    else this.id = bytes.readUIntBE(at + 1, Math.min(6, 2 ** (first - 24)))
  }

  #msgpack(bytes: Buffer, start: number): void {
    this.code = bytes[start + 1] as number
    const first = bytes[start + 2] as number
    if (first < 0x80) this.id = first
    else this.id = bytes.readUIntBE(start + 3, Math.min(6, 2 ** (first - 0xcc)))
  }
}

/** A message that is the same each time but for the id in its second place. */
export class Template {
  readonly #format: Format
  readonly #before: Buffer
  readonly #behind: Buffer

  /** `make` returns the message for an id. */
  constructor(format: Format, make: (id: number) => Message) {
    this.#format = format
    // The id 1 is one byte in every format, behind the code, which is two in CBOR when it is above 23.
    const message = encoded(format, make(1))
    const place = format === 'json' ? message.indexOf(',') + 1 : format === 'msgpack' || message[1] !== 0x18 ? 2 : 3
    this.#before = message.subarray(0, place)
    this.#behind = message.subarray(place + 1)
  }

  get size(): number {
    return this.#before.length + this.#behind.length + 32
  }

  /** Writes a whole frame and returns its end. */
  write(bytes: Buffer, start: number, id: number): number {
    const digits = this.#digits(id)
    let at = writeHead(bytes, start, this.#format, this.#before.length + digits + this.#behind.length)
    at += this.#before.copy(bytes, at)
    at = this.#writeId(bytes, at, id, digits)
    return at + this.#behind.copy(bytes, at)
  }

  #digits(id: number): number {
    if (this.#format === 'json') {
      let digits = 1
      for (let rest = id; rest >= 10; rest = Math.floor(rest / 10)) digits++
      return digits
    }
    if (id < (this.#format === 'cbor' ? 24 : 0x80)) return 1
    return id < 0x100 ? 2 : id < 0x10000 ? 3 : 5
  }

  #writeId(bytes: Buffer, at: number, id: number, digits: number): number {
    if (this.#format === 'json') {
      let rest = id
      for (let i = digits - 1; i >= 0; i--) {
        bytes[at + i] = 48 + (rest % 10)
        rest = Math.floor(rest / 10)
      }
      return at + digits
    }
    if (digits === 1) bytes[at] = id
    else {
      bytes[at] = (this.#format === 'cbor' ? 0x18 : 0xcc) + Math.log2(digits - 1)
      bytes.writeUIntBE(id, at + 1, digits - 1)
    }
    return at + digits
  }
}

const NOTHING = Buffer.alloc(0)

/** A WebSocket connection at its barest. What is appended while a chunk is handled leaves in one write. */
export class Connection {
  readonly format: Format
  /** Called with each message: the bytes, its start and its end. */
  onMessage: (bytes: Buffer, start: number, end: number) => void = () => {}
  readonly #tcp: Tcp
  #rest = NOTHING
  #out = Buffer.allocUnsafe(1 << 16)
  #filled = 0

  private constructor(tcp: Tcp, format: Format, rest: Buffer) {
    this.#tcp = tcp
    this.format = format
    tcp.on('data', (chunk) => this.#chunk(chunk as Buffer))
    if (rest.length) this.#chunk(rest)
  }

  static open(url: URL, format: Format): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const tcp = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
      let head = NOTHING
      const handshake = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk])
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        tcp.off('data', handshake)
        if (head.toString('latin1').startsWith('HTTP/1.1 101')) {
          resolve(new Connection(tcp, format, head.subarray(end + 4)))
        } else reject(new Error(`${url} refused: ${head.subarray(0, end)}`))
      }
      tcp.on('data', handshake)
      tcp.on('error', reject)
      tcp.write(
        [
          `GET ${url.pathname} HTTP/1.1`,
          `Host: ${url.host}`,
          'Upgrade: websocket',
          'Connection: Upgrade',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Version: 13',
          `Sec-WebSocket-Protocol: wamp.2.${format}`,
          '\r\n',
        ].join('\r\n'),
      )
    })
  }

  /** Sends a message and resolves to the next one that comes. */
  ask(message: Message): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#tcp.once('close', reject)
      this.onMessage = (bytes, start, end) => {
        this.#tcp.off('close', reject)
        resolve(decoded(this.format, Buffer.from(bytes.subarray(start, end))))
      }
      this.append(framed(this.format, encoded(this.format, message)))
      this.flush()
    })
  }

  /** Sends the appended messages and waits for the answer to the request with this id; no answer may be an error. */
  answers(last: number, codes: readonly number[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const reader = new Reader(this.format)
      this.#tcp.once('close', reject)
      this.onMessage = (bytes, start) => {
        reader.read(bytes, start)
        if (!codes.includes(reader.code)) reject(new Error(`a request was answered with ${reader.code}`))
        if (reader.id !== last) return
        this.#tcp.off('close', reject)
        resolve()
      }
      this.flush()
    })
  }

  append(frame: Buffer): void {
    this.#room(frame.length)
    this.#filled += frame.copy(this.#out, this.#filled)
  }

  appendWith(template: Template, id: number): void {
    this.#room(template.size)
    this.#filled = template.write(this.#out, this.#filled, id)
  }

  flush(): void {
    if (this.#filled === 0) return
    this.#tcp.write(Buffer.from(this.#out.subarray(0, this.#filled)))
    this.#filled = 0
  }

  destroy(): void {
    this.#tcp.destroy()
  }

  #room(size: number): void {
    if (this.#filled + size <= this.#out.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#filled + size))
    this.#out.copy(grown, 0, 0, this.#filled)
    this.#out = grown
  }

  #chunk(chunk: Buffer): void {
    const bytes = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = 0
    while (bytes.length - at >= 2) {
      let length = (bytes[at + 1] as number) & 0x7f
      let start = at + 2
      if (length === 126) {
        if (bytes.length < at + 4) break
        length = bytes.readUInt16BE(at + 2)
        start = at + 4
      } else if (length === 127) {
        if (bytes.length < at + 10) break
        length = bytes.readUIntBE(at + 4, 6)
        start = at + 10
      }
      if (bytes.length < start + length) break
      if (((bytes[at] as number) & 15) <= 2) this.onMessage(bytes, start, start + length)
      at = start + length
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : NOTHING
    this.flush()
  }
}
