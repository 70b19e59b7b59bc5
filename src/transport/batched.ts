/** Several messages in one frame: the subprotocols `wamp.2.json.batched` and its like, over any transport. */

import { usage } from '../protocol/error.ts'
import { checkRules, type OptionRules } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'
import { cutReason } from './inbox.ts'
import type { CloseInfo, Dial, Frame, Prepared, Transport, TransportSink } from './transport.ts'

const SUFFIX = '.batched'

export function isBatched(protocol: string): boolean {
  return protocol.endsWith(SUFFIX)
}

/** The subprotocol of the messages in the batches: `wamp.2.json` for `wamp.2.json.batched`. */
export function unbatchedProtocol(protocol: string): string {
  return isBatched(protocol) ? protocol.slice(0, -SUFFIX.length) : protocol
}

export interface BatchingOptions {
  /**
   * The character that ends each message of a batch in JSON: the U+001E of WAMP by default, or the U+0018 of Crossbar.io
   * and Autobahn for Python.
   */
  readonly separator?: '\x1e' | '\x18'
}

const BATCHING_RULES: OptionRules<BatchingOptions> = {
  separator: ['U+001E or U+0018', (value) => value === RECORD_SEPARATOR || value === CANCEL_CHARACTER],
}

/** Wraps a transport that negotiated a batched subprotocol; the result moves single messages. */
export function batched(transport: Transport, separator?: string): Transport {
  return new Batched(transport, separator)
}

/**
 * The same dial, except that it offers each subprotocol in batches first: messages sent in one turn then leave in one frame.
 *
 * @example
 * new WampRouter({ url: 'ws://localhost:8080/ws', dial: batching(webSocketDial()) })
 */
export function batching(dial: Dial, options: BatchingOptions = {}): Dial {
  if (typeof dial !== 'function') throw usage(`batching expects a dial as its first argument, got ${formatValue(dial)}`)
  checkRules('batching', options, BATCHING_RULES)
  const { separator } = options
  return async (url, protocols, signal) => {
    const offers = protocols.flatMap((protocol) => [`${protocol}${SUFFIX}`, protocol])
    const transport = await dial(url, offers, signal)
    return isBatched(transport.protocol) ? batched(transport, separator) : transport
  }
}

/** The greatest size of a batch, in bytes or characters: a peer may refuse longer frames. */
const MAX_BATCH = 65_536

const RECORD_SEPARATOR = '\x1e'
// The separator of Autobahn for Python (written there as "\30", which is octal); JSON contains neither character.
const CANCEL_CHARACTER = '\x18'

class Batched implements Transport {
  readonly protocol: string
  readonly framing = 'batched'
  readonly ping?: (answered: () => void) => void
  readonly pause?: () => void
  readonly resume?: () => void
  readonly #transport: Transport
  #batch: Frame[] = []
  #size = 0
  #closed = false
  #separator: string

  constructor(transport: Transport, separator = RECORD_SEPARATOR) {
    this.#separator = separator
    this.protocol = unbatchedProtocol(transport.protocol)
    this.#transport = transport
    if (transport.ping) this.ping = (answered) => transport.ping?.(answered)
    if (!transport.pause || !transport.resume) return
    this.pause = () => transport.pause?.()
    this.resume = () => transport.resume?.()
  }

  get backlog(): number {
    return this.#transport.backlog + this.#size
  }

  open(sink: TransportSink): void {
    let reported = false
    const closed = (info: CloseInfo): void => {
      this.#closed = true
      if (!reported) sink.closed(info)
      reported = true
    }
    const frame = (batch: Frame): void => {
      if (this.#receive(batch, sink)) return
      const reason = 'a batch must contain one or more whole messages'
      this.close(1002, reason)
      // A peer that sent a malformed batch may never close its end.
      closed({ code: 1002, reason })
    }
    this.#transport.open({ frame, closed })
  }

  /** Returns false if the frame is not a valid batch. */
  #receive(frame: Frame, sink: TransportSink): boolean {
    const read = typeof frame === 'string' ? this.#text(frame) : binaryReader(frame)
    // Read twice, and never into a list: a frame can hold millions of tiny messages, and a malformed one must have no effect.
    const size = frame.length
    let next: BatchedMessage | undefined = { message: frame, end: 0 }
    do next = read(next.end)
    while (next && next.end < size)
    if (!next) return false
    for (let end = 0; end < size && !this.#closed; ) {
      const { message, end: after } = read(end) as BatchedMessage
      end = after
      sink.frame(message)
    }
    return true
  }

  #text(frame: string): (start: number) => BatchedMessage | undefined {
    const last = frame.at(-1)
    // A peer is answered with the separator that it uses.
    if (last === RECORD_SEPARATOR || last === CANCEL_CHARACTER) this.#separator = last
    const separator = this.#separator
    return (start) => {
      const end = frame.indexOf(separator, start)
      return end > start ? { message: frame.slice(start, end), end: end + 1 } : undefined
    }
  }

  send(frame: Frame): void {
    if (this.#closed) return
    if (this.#size + frame.length > MAX_BATCH) this.#flush()
    this.#batch.push(frame)
    this.#size += frame.length
    if (this.#batch.length === 1) queueMicrotask(this.#flush)
  }

  /** Returns the frame itself: it is encoded once and put into the batches of many receivers. */
  prepare(frame: Frame): Prepared {
    return frame
  }

  write(prepared: Prepared): void {
    this.send(prepared as Frame)
  }

  readonly #flush = (): void => {
    const batch = this.#batch
    if (batch.length === 0) return
    this.#batch = []
    this.#size = 0
    // All are text or all are bytes, because one serializer made them.
    const isText = typeof batch[0] === 'string'
    this.#transport.send(isText ? batch.join(this.#separator) + this.#separator : bytesBatch(batch as Uint8Array[]))
  }

  close(code?: number, reason?: string): void {
    if (!this.#closed) this.#flush()
    this.#closed = true
    this.#transport.close(code, reason && cutReason(reason))
  }

  terminate(): void {
    this.#closed = true
    this.#batch = []
    this.#size = 0
    this.#transport.terminate()
  }
}

interface BatchedMessage {
  readonly message: Frame
  /** The start of the next message. */
  readonly end: number
}

/** Reads messages that follow their length in four octets. No serializer makes an empty message. */
function binaryReader(batch: Uint8Array): (start: number) => BatchedMessage | undefined {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
  return (start) => {
    if (batch.length - start < 5) return undefined
    const end = start + 4 + view.getUint32(start)
    return end > start + 4 && end <= batch.length ? { message: batch.subarray(start + 4, end), end } : undefined
  }
}

function bytesBatch(messages: readonly Uint8Array[]): Uint8Array {
  const batch = new Uint8Array(messages.reduce((size, { length }) => size + 4 + length, 0))
  const view = new DataView(batch.buffer)
  let at = 0
  for (const message of messages) {
    view.setUint32(at, message.length)
    batch.set(message, at + 4)
    at += 4 + message.length
  }
  return batch
}
