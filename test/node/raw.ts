/** A client of bare TCP or of a unix socket, which does nothing by itself. */

import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'

export class Raw {
  readonly socket: Socket
  bytes: Buffer = Buffer.alloc(0)
  /** Resolves when the connection is closed. */
  readonly gone: Promise<unknown>

  constructor(to: NetConnectOpts) {
    this.socket = connect(to)
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk])
    })
    this.gone = new Promise((resolve) => this.socket.on('close', resolve))
  }

  async until(met: (bytes: Buffer) => boolean): Promise<Buffer> {
    while (!met(this.bytes)) {
      await Promise.race([once(this.socket, 'data'), this.gone.then(() => Promise.reject(new Error('it is gone')))])
    }
    return this.bytes
  }

  /** The next `count` octets, which are then forgotten. */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.until(({ length }) => length >= count)
    this.bytes = bytes.subarray(count)
    return bytes.subarray(0, count)
  }

  /** Every octet in a segment of its own; the other side may still read several at once. */
  async drip(bytes: Iterable<number>): Promise<void> {
    this.socket.setNoDelay(true)
    for (const byte of bytes) await new Promise((resolve) => this.socket.write(Buffer.from([byte]), resolve))
  }
}
