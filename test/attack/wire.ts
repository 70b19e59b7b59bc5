/** A hostile client by hand: WebSocket or RawSocket over bare TCP, in JSON or CBOR, which reads only if an attack wants it to. */

import { connect, type Socket } from 'node:net'
import { decode, encode } from 'cborg'

export type WireTransport = 'ws' | 'rs'
export type WireFormat = 'json' | 'cbor'

/** Bytes that wait in this process, above which `drained` waits. */
const AHEAD = 4 * 2 ** 20

const ROLES = {
  caller: { features: { progressive_call_invocations: true, progressive_call_results: true, call_canceling: true } },
  callee: {
    features: {
      progressive_call_invocations: true,
      progressive_call_results: true,
      call_canceling: true,
      call_reroute: true,
      shared_registration: true,
    },
  },
  publisher: { features: {} },
  subscriber: { features: {} },
}

export function encodedMessage(format: WireFormat, message: readonly unknown[]): Buffer {
  return format === 'json' ? Buffer.from(JSON.stringify(message)) : Buffer.from(encode(message))
}

export class HostileWire {
  readonly socket: Socket
  readonly transport: WireTransport
  readonly format: WireFormat
  closed = false
  /** Receives each message while the wire reads. */
  heard: ((message: unknown[]) => void) | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #request = 0
  #wake: (() => void) | undefined

  constructor(port: number, transport: WireTransport, format: WireFormat) {
    this.transport = transport
    this.format = format
    this.socket = connect({ port, host: '127.0.0.1' })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.closed = true
      this.#wake?.()
    })
    this.socket.on('data', (chunk) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
      this.#wake?.()
    })
  }

  /** Performs the handshake of the transport; false if the router refused. */
  async shaken(): Promise<boolean> {
    if (this.transport === 'rs') {
      this.socket.write(Buffer.from([0x7f, this.format === 'json' ? 0xf1 : 0xf3, 0, 0]))
      await this.#until(() => this.#bytes.length >= 4)
      this.#bytes = this.#bytes.subarray(4)
    } else {
      this.socket.write(
        `GET /ws HTTP/1.1\r\nHost: router\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: wamp.2.${this.format}\r\n\r\n`,
      )
      await this.#until(() => this.#bytes.includes('\r\n\r\n'))
      if (!this.#bytes.includes(' 101 ')) return false
      this.#bytes = this.#bytes.subarray(this.#bytes.indexOf('\r\n\r\n') + 4)
    }
    return !this.closed
  }

  /** Performs the handshakes of the transport and of WAMP; false if the router refused. */
  async joined(details: object = {}): Promise<boolean> {
    if (!(await this.shaken())) return false
    this.send([1, 'realm1', { roles: ROLES, ...details }])
    await this.#until(() => this.#bytes.length > 0)
    this.#read()
    this.socket.on('data', () => this.#read())
    return !this.closed
  }

  /** The next request id. */
  next(): number {
    return ++this.#request
  }

  send(message: readonly unknown[]): void {
    this.frame(encodedMessage(this.format, message))
  }

  /** Sends a message of which the bytes are given. */
  frame(bytes: Buffer): void {
    if (this.closed) return
    this.socket.write(this.header(bytes.length))
    this.socket.write(bytes)
  }

  header(length: number): Buffer {
    if (this.transport === 'rs') {
      const head = Buffer.alloc(4)
      head.writeUIntBE(length, 1, 3)
      return head
    }
    // The mask is zero, which leaves the message as it is.
    const head = Buffer.alloc(14)
    head[0] = this.format === 'json' ? 0x81 : 0x82
    head[1] = 0x80 | 127
    head.writeBigUInt64BE(BigInt(length), 2)
    return head
  }

  /** Waits until most of the sent bytes have left this process, and for a turn of the event loop. */
  async drained(): Promise<void> {
    do await new Promise((resolve) => setTimeout(resolve, this.socket.writableLength > AHEAD ? 5 : 0))
    while (!this.closed && this.socket.writableLength > AHEAD)
  }

  /** Reads nothing any more. */
  deaf(): void {
    this.socket.pause()
  }

  end(): void {
    this.socket.destroy()
  }

  async #until(met: () => boolean): Promise<void> {
    while (!this.closed && !met()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #read(): void {
    for (;;) {
      const bytes = this.#bytes
      const [start, length] = this.transport === 'rs' ? rawSocketHead(bytes) : webSocketHead(bytes)
      if (bytes.length < start + length) return
      this.#bytes = bytes.subarray(start + length)
      if (!this.heard) continue
      const message = bytes.subarray(start, start + length)
      // A ping, or another control frame.
      if (this.transport === 'ws' ? (bytes[0] as number) % 16 > 2 : (bytes[0] as number) % 8 > 0) continue
      this.heard((this.format === 'json' ? JSON.parse(message.toString()) : decode(message)) as unknown[])
    }
  }
}

function rawSocketHead(bytes: Buffer): [start: number, length: number] {
  return bytes.length < 4 ? [4, 0] : [4, bytes.readUIntBE(1, 3)]
}

function webSocketHead(bytes: Buffer): [start: number, length: number] {
  const short = (bytes[1] ?? 0) & 127
  if (bytes.length < 2 || short < 126) return [2, short]
  if (short === 126) return [4, bytes.length < 4 ? 0 : bytes.readUInt16BE(2)]
  return [10, bytes.length < 10 ? 0 : Number(bytes.readBigUInt64BE(2))]
}
