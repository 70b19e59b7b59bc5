/** A socket whose writes of one turn leave in one system call, small ones copied together. */

import type { Duplex } from 'node:stream'

/** The size of a chunk. Copying the small frames of a turn into one is cheaper than a Buffer and a write for each. */
const CHUNK_SIZE = 65_536
/** Chunks of the process, and of one socket: the limit on memory for a peer that does not read. */
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

  /** Bytes that were copied and not yet written to the socket. */
  get held(): number {
    return this.#filled
  }

  write(bytes: Uint8Array): void {
    this.cork()
    this.push()
    this.socket.write(bytes)
  }

  /**
   * Calls `put` to write `item`, of at most `size` bytes, and to return its end. Returns false if there is no room; the
   * item then needs a buffer of its own.
   */
  fill<Item>(size: number, put: (bytes: Buffer, at: number, item: Item) => number, item: Item): boolean {
    if (this.#chunk && CHUNK_SIZE - this.#filled < size) this.push()
    if (!this.#chunk) {
      if (size > CHUNK_SIZE || this.#lent === MAX_CHUNKS_PER_SOCKET) return false
      this.#chunk = takeChunk()
      if (!this.#chunk) return false
      this.#lent++
    }
    this.cork()
    this.#filled = put(this.#chunk, this.#filled, item)
    return true
  }

  /** Writes the copied bytes to the socket, before anything else is written. */
  push(): void {
    const chunk = this.#chunk
    if (!chunk) return
    const written = chunk.subarray(0, this.#filled)
    this.#chunk = undefined
    this.#filled = 0
    const release = () => {
      this.#lent--
      freeChunks.push(chunk)
    }
    // The peer may have closed meanwhile and receives nothing any more.
    if (this.socket.writable) this.socket.write(written, release)
    else release()
  }

  cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.socket.cork()
    // Runs when the inbound chunk has been handled; one setImmediate per turn would gather no more.
    if (corkedSockets.push(this) === 1) process.nextTick(uncorkAll)
  }

  uncork(): void {
    this.push()
    this.#corked = false
    this.socket.uncork()
  }
}

// One list for all connections: an inbound chunk mostly causes writes to other connections.
let corkedSockets: Corked[] = []

function uncorkAll(): void {
  const sockets = corkedSockets
  corkedSockets = []
  for (const socket of sockets) socket.uncork()
}

/** From this size on a second buffer in the same system call costs less than a copy. */
export const LARGE = 16_384
