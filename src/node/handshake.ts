/** The four octets with which both sides of a RawSocket begin (Advanced Profile, RawSocket Handshake). */

import type { Socket } from 'node:net'

/** The first octet: no HTTP request and no TLS record begins with it. */
export const MAGIC = 0x7f

/** A request: how long messages may be that its sender takes, and which serializer it wants. */
export interface HandshakeRequest {
  readonly limit: number
  /** 1 JSON, 2 MessagePack, 3 CBOR. */
  readonly serializer: number
}

export const UNSUPPORTED_SERIALIZER = 1
export const RESERVED_BITS = 3
export const TOO_MANY_CONNECTIONS = 4

/** Why a handshake was refused, by the number in the reply. */
const ERRORS: Record<number, string> = {
  1: 'it does not speak that serializer',
  2: 'it does not take that length of messages',
  3: 'it knows no such extension of the handshake',
  4: 'it has as many connections as it takes',
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

/** The greatest length that a handshake can say and that is not above `maxPayload`: a power of two from 512 B to 16 MiB. */
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

/** What a client asked for: a request, the number of the error to answer with, or undefined for what gets no answer. */
export function readRequest(octets: Buffer): HandshakeRequest | number | undefined {
  const wanted = parseOctets(octets)
  if (octets[0] !== MAGIC || wanted.serializer === 0) return undefined
  return octets[2] || octets[3] ? RESERVED_BITS : wanted
}

/** The longest message that the server takes, or why the handshake failed. */
export function readReply(octets: Buffer, serializer: number): number | string {
  const granted = parseOctets(octets)
  if (octets[0] !== MAGIC) return 'what answers there does not speak RawSocket'
  if (granted.serializer === 0) {
    const error = (octets[1] as number) >> 4
    return `the router refused: ${ERRORS[error] ?? `error ${error}`}`
  }
  if (granted.serializer !== serializer) {
    return `the router chose serializer ${granted.serializer}, asked for was ${serializer}`
  }
  return octets[2] || octets[3] ? 'the router used reserved octets in its handshake' : granted.limit
}

function parseOctets(octets: Buffer): HandshakeRequest {
  const second = octets[1] as number
  return { limit: 2 ** (9 + (second >> 4)), serializer: second & 15 }
}

/**
 * Waits for four octets, however they are cut, beginning with those that were read already. The socket is left paused,
 * with what came behind them in `rest`. Nothing happens where the socket ends first.
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
  // Who looked at the first octet has paused it.
  socket.resume()
  read(Buffer.alloc(0))
}
