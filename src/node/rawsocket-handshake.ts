/** The four octets with which both sides of a RawSocket begin (Advanced Profile, RawSocket Handshake). */

import type { Socket } from 'node:net'

/** The first octet. HTTP requests and TLS records never begin with it. */
export const MAGIC = 0x7f

/** A request: the longest message that its sender accepts, and the serializer it asks for. */
export interface HandshakeRequest {
  readonly limit: number
  /** 1 JSON, 2 MessagePack, 3 CBOR. */
  readonly serializer: number
}

export const UNSUPPORTED_SERIALIZER = 1
export const RESERVED_BITS = 3
export const TOO_MANY_CONNECTIONS = 4

/** The reason of a refusal, by the number in the reply. */
const ERRORS: Record<number, string> = {
  1: 'it does not support that serializer',
  2: 'it does not accept messages of that length',
  3: 'it does not support that extension of the handshake',
  4: 'its limit of connections is reached',
}

/** The subprotocols by their numbers. */
const NUMBERS = new Map([
  ['wamp.2.json', 1],
  ['wamp.2.msgpack', 2],
  ['wamp.2.cbor', 3],
])

export function numberOf(protocol: string): number | undefined {
  return NUMBERS.get(protocol)
}

export function protocolOf(serializer: number): string | undefined {
  for (const [protocol, number] of NUMBERS) if (number === serializer) return protocol
  return undefined
}

const SHORTEST = 2 ** 9
const LONGEST_MESSAGE = 2 ** 24

/** The greatest length up to `maxPayload` that a handshake can express: a power of two from 512 B to 16 MiB. */
export function limitOf(maxPayload: number): number {
  let limit = SHORTEST
  while (limit < LONGEST_MESSAGE && limit * 2 <= maxPayload) limit *= 2
  return limit
}

/** A request, or the reply that grants one. */
export function greeting({ limit, serializer }: HandshakeRequest): Buffer {
  return Buffer.from([MAGIC, ((Math.log2(limit) - 9) << 4) | serializer, 0, 0])
}

export function refusal(error: number): Buffer {
  return Buffer.from([MAGIC, error << 4, 0, 0])
}

/** Returns a client's request, or the number of the error to answer with, or undefined for octets that get no answer. */
export function readRequest(octets: Buffer): HandshakeRequest | number | undefined {
  const wanted = parseOctets(octets)
  if (octets[0] !== MAGIC || wanted.serializer === 0) return undefined
  return octets[2] || octets[3] ? RESERVED_BITS : wanted
}

/** Returns the longest message that the server accepts, or the reason why the handshake failed. */
export function readReply(octets: Buffer, serializer: number): number | string {
  const granted = parseOctets(octets)
  if (octets[0] !== MAGIC) return 'the server there does not speak RawSocket'
  if (granted.serializer === 0) {
    const error = (octets[1] as number) >> 4
    return `the router refused: ${ERRORS[error] ?? `error ${error}`}`
  }
  if (granted.serializer !== serializer) {
    return `the router chose serializer ${granted.serializer} instead of ${serializer}`
  }
  return octets[2] || octets[3] ? 'the router used reserved octets in its handshake' : granted.limit
}

function parseOctets(octets: Buffer): HandshakeRequest {
  const second = octets[1] as number
  return { limit: 2 ** (9 + (second >> 4)), serializer: second & 15 }
}

/**
 * Waits for four octets in any number of chunks, beginning with those that were read already. The socket is left paused,
 * with the bytes after them in `rest`. `then` is never called if the socket ends first.
 */
export function fourOctets(socket: Socket, first: Buffer, then: (octets: Buffer, rest: Buffer) => void): void {
  let bytes = first
  const read = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk])
    if (bytes.length < 4) return
    socket.off('data', read)
    socket.pause()
    then(bytes.subarray(0, 4), bytes.subarray(4))
  }
  socket.on('data', read)
  // The code that looked at the first octet has paused it.
  socket.resume()
  read(Buffer.alloc(0))
}
