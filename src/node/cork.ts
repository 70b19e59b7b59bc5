/** A socket whose writes of one turn leave in one system call, small ones copied together. */

import type { Duplex } from 'node:stream'

/** Small frames of a turn are copied into one of these: cheaper than a Buffer and a write for each. */
const CHUNK_SIZE = 65_536
/** So many for the whole process, and for one socket that has not handed them on: who does not read holds no more. */
const MAX_CHUNKS = 64
const MAX_CHUNKS_PER_SOCKET = 4

const freeChunks: Buffer[] = []
let chunkCount = 0

function takeChunk(): Buffer | undefined {
  if (freeChunks.length > 0) return freeChunks.pop()
  if (chunkCount === MAX_CHUNKS) return undefined
  chunkCount++
  return Buffer.allocUnsafeSlow(CHUNK_SIZE)
}

export class Corked {
  readonly socket: Duplex
  #corked = false
  #chunk: Buffer | undefined
  #filled = 0
  #lent = 0

  constructor(socket: Duplex) {
    this.socket = socket
  }

  /** Bytes that were copied and not yet given to the socket. */
  get held(): number {
    return this.#filled
  }

  write(bytes: Uint8Array): void {
    this.cork()
    this.push()
    this.socket.write(bytes)
  }

  /**
   * Has `put` write something of at most `size` bytes and return where it ends. False where there is no room: then
   * it wants a buffer of its own.
   */
  fill<What>(size: number, put: (bytes: Buffer, at: number, what: What) => number, what: What): boolean {
    if (this.#chunk && CHUNK_SIZE - this.#filled < size) this.push()
    if (!this.#chunk) {
      if (size > CHUNK_SIZE || this.#lent === MAX_CHUNKS_PER_SOCKET) return false
      this.#chunk = takeChunk()
      if (!this.#chunk) return false
      this.#lent++
    }
    this.cork()
    this.#filled = put(this.#chunk, this.#filled, what)
    return true
  }

  /** Gives the socket what was copied, before anything else is written. */
  push(): void {
    const chunk = this.#chunk
    if (!chunk) return
    const written = chunk.subarray(0, this.#filled)
    this.#chunk = undefined
    this.#filled = 0
    const back = () => {
      this.#lent--
      freeChunks.push(chunk)
    }
    // The peer may have closed meanwhile, and hears nothing any more.
    if (this.socket.writable) this.socket.write(written, back)
    else back()
  }

  cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.socket.cork()
    // Comes when the inbound chunk has been handled; one setImmediate per turn gathered no more.
    if (corkedSockets.push(this) === 1) process.nextTick(uncorkAll)
  }

  uncork(): void {
    this.push()
    this.#corked = false
    this.socket.uncork()
  }
}

// One list for all connections: what one inbound chunk causes is mostly written to others.
let corkedSockets: Corked[] = []

function uncorkAll(): void {
  const sockets = corkedSockets
  corkedSockets = []
  for (const socket of sockets) socket.uncork()
}

/** From here on a second buffer in the same system call costs less than a copy. */
export const LARGE = 16_384
