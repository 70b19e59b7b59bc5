/** The contract of a link, which moves whole messages in order, and a client's, made of a transport and a serializer. */

import { violation, WampError } from '../protocol/error.ts'
import type { Message, Uri } from '../protocol/messages.ts'
import type { Serializer } from '../serializer/serializer.ts'
import type { CloseInfo, Prepared, Transport } from '../transport/transport.ts'

/** Who a link tells. */
export interface LinkSink {
  message(message: Message): void
  /** The peer sent what is no message of WAMP; nothing more is delivered. */
  failed(error: WampError): void
  /** Called exactly once, and last. */
  closed(info: CloseInfo): void
}

/** Moves messages between a client and a router, whole and in order. */
export interface Link {
  /** Bytes accepted and not yet handed to the network; 0 in memory. */
  readonly backlog: number
  /** Both ends are in this process: nothing can be lost between them. */
  readonly local?: boolean
  /** What arrived before is delivered now. */
  open(sink: LinkSink): void
  /**
   * Throws a WampError for a message that cannot travel, and nothing was sent then: `invalid_argument` for its payload,
   * `payload_size_exceeded` for its length.
   */
  send(message: Message): void
  close(code?: number, reason?: string): void
  /** Ends at once, without the peer. */
  terminate(): void
  ping?(answered: () => void): void
  /** Delivers nothing more until `resume`, but what was read already, and the end. */
  pause?(): void
  resume?(): void
  /** Links of the same kind can `write` what one of them `prepare`d: one encoding for many receivers. */
  readonly kind?: string
  prepare?(message: Message): Prepared
  write?(prepared: Prepared): void
}

/**
 * What a server knows of a connection that it brings. The session meta API tells it to every session of the realm, so
 * nothing secret belongs here: no cookies, no credentials, no query of a URL.
 */
export interface TransportInfo {
  /** `websocket`, `rawsocket`, `longpoll`, `message-port`, `linked`, or what an adapter of yours calls itself. */
  readonly type: string
  /** The subprotocol that was agreed on: `wamp.2.cbor.batched`. */
  readonly protocol?: string | undefined
  /** The other end, which may be a proxy: `tcp4:127.0.0.1:54321`, `tcp6:[::1]:54321`. */
  readonly peer?: string | undefined
  /** The version of TLS, where it ends here: `TLSv1.3`. */
  readonly tls?: string | undefined
  /** The page that a browser says it comes from. */
  readonly origin?: string | undefined
  readonly user_agent?: string | undefined
}

/** Something in this process that takes the other end of a link: the embeddable router. */
export interface Attachable {
  /** `info` is what becomes known of the connection to others. */
  attach(link: Link, info?: TransportInfo): void
}

/** Where a client gets its link from: a WampRouter, which dials, or a Router in the same process. */
export interface Connector {
  /** The realm to join where the client names none. */
  readonly realm?: Uri | undefined
  /** How a person would call it, for error messages. */
  readonly name: string
  /**
   * Offers the serializers in this order; without any, what it prefers. Rejects with a WampError where no link can be
   * made; gives up when the signal aborts.
   */
  connect(serializers: readonly Serializer[] | undefined, signal: AbortSignal): Promise<Link>
}

/** The link of one side that speaks to one other: a client. */
export class Framed implements Link {
  readonly ping?: (answered: () => void) => void
  readonly #transport: Transport
  readonly #serializer: Serializer
  #failed = false

  constructor(transport: Transport, serializer: Serializer) {
    this.#transport = transport
    this.#serializer = serializer
    if (transport.ping) this.ping = (answered) => transport.ping?.(answered)
  }

  get backlog(): number {
    return this.#transport.backlog
  }

  open(sink: LinkSink): void {
    this.#transport.open({
      frame: (frame) => {
        if (this.#failed) return
        let message: Message
        try {
          message = this.#serializer.decode(frame)
        } catch (error) {
          this.#failed = true
          sink.failed(WampError.is(error) ? error : violation('the message cannot be read'))
          return
        }
        sink.message(message)
      },
      closed: (info) => sink.closed(info),
    })
  }

  send(message: Message): void {
    this.#transport.send(this.#serializer.encode(message))
  }

  close(code?: number, reason?: string): void {
    this.#transport.close(code, reason)
  }

  terminate(): void {
    this.#transport.terminate()
  }
}
