/** The contract of a link, which moves whole messages in order. */

import type { BindingSource, ConnectionFacts } from '../auth/contract.ts'
import { violation, WampError } from '../protocol/error.ts'
import { checkLengthFits } from '../protocol/frame.ts'
import type { Message, Uri } from '../protocol/messages.ts'
import type { Serializer } from '../serializer/serializer.ts'
import type { CloseInfo, Prepared, Transport } from '../transport/transport.ts'

/** Receives what a link delivers. */
export interface LinkSink {
  message(message: Message): void
  /** The peer sent something that is not a WAMP message; nothing more is delivered. */
  failed(error: WampError): void
  /** Called exactly once, and last. */
  closed(info: CloseInfo): void
}

/** Moves messages between a client and a router, whole and in order. */
export interface Link {
  /** Bytes accepted and not yet written to the network; 0 in memory. */
  readonly backlog: number
  /** True if both ends are in this process: nothing can be lost between them. */
  readonly local?: boolean
  /** The length of the message that is being delivered, in bytes or characters; 0 in memory. */
  readonly latest?: number
  /** The greatest length of a message that the peer takes, in bytes, once it is known: longer ones are not sent. */
  longest?: number | undefined
  /** The serializer of its frames, unless it moves messages without a wire. */
  readonly serializer?: Serializer
  /** Starts delivery; messages that arrived before are delivered first. */
  open(sink: LinkSink): void
  /**
   * Throws a WampError, having sent nothing, for a message that cannot travel: `invalid_argument` for its payload,
   * `payload_size_exceeded` for its length.
   */
  send(message: Message): void
  close(code?: number, reason?: string): void
  /** Ends at once, without the peer. */
  terminate(): void
  ping?(answered: () => void): void
  /**
   * Set by a server that limits what may arrive before a session has joined: a router calls them at its beginning and end.
   * The server calls `exceeded`, which ends the session.
   */
  joining?: ((exceeded: (text: string) => void) => void) | undefined
  joined?: (() => void) | undefined
  /** What binds an authentication to the connection, if the transport knows it. */
  channelBinding?: BindingSource | undefined
  /** Stops reading until `resume`. Messages that were read already, and the end, are still delivered. */
  pause?(): void
  resume?(): void
  /** The number of messages that have arrived, for a server that counts the bytes of incomplete ones. */
  readonly received?: number
  /** Called by a server with the bytes of a long message that has not arrived in whole; 0 when it has. */
  arriving?: (bytes: number) => void
  /** Links of the same kind can `write` what one of them `prepare`d: one encoding for many receivers. */
  readonly kind?: string
  prepare?(message: Message): Prepared
  write?(prepared: Prepared): void
}

/**
 * The description of a connection by the server that accepted it. The session meta API shows it to sessions of the
 * realm (`peer` and `user_agent` only to those that may control others), so nothing secret belongs here: no cookies, no
 * credentials, no query of a URL.
 */
export interface TransportInfo {
  /** `websocket`, `rawsocket`, `longpoll`, `message-port`, `linked`, or the name of a custom adapter. */
  readonly type: string
  /** The negotiated subprotocol: `wamp.2.cbor.batched`. */
  readonly protocol?: string | undefined
  /** The address of the other end: `tcp4:127.0.0.1:54321`, `tcp6:[::1]:54321`; without a port if a trusted proxy states it. */
  readonly peer?: string | undefined
  /** The version of TLS: `TLSv1.3`; `proxy` if a trusted proxy terminates it. */
  readonly tls?: string | undefined
  /** The origin of the page, as the browser states it. */
  readonly origin?: string | undefined
  readonly user_agent?: string | undefined
}

/** What a server says about itself to the router it serves. */
export interface Hosting {
  /** The greatest size of this process's heap in bytes, where the platform reports it. */
  readonly heap?: number | undefined
  /** The serializers of the links that it will attach. */
  readonly serializers?: readonly Serializer[] | undefined
}

/** Accepts the other end of a link in this process: the embeddable router. */
export interface Attachable {
  /** Called once by each server, before it attaches links. */
  hosted?(by: Hosting): void
  /** Called by a server that refuses or closes a connection before it becomes a link; `text` is the reason. */
  turnedAway?(text: string): void
  /** True if a cookie authenticates sessions: servers then refuse pages of unlisted origins. */
  readonly usesCookies?: boolean
  /** False if every session is anonymous: servers then warn of listening beyond this machine, and refuse pages of unlisted origins there. */
  readonly authenticates?: boolean
  /** True while it closes, and afterwards: it takes no more sessions. */
  readonly closing?: boolean
  /** `info` describes the connection to others; `facts` stay in the router's process. */
  attach(link: Link, info?: TransportInfo, facts?: ConnectionFacts): void
}

/** The source of a client's link: a WampRouter, which dials, or a Router in the same process. */
export interface Connector {
  /** The realm to join if the client names none. */
  readonly realm?: Uri | undefined
  /** Its name in error messages. */
  readonly name: string
  /**
   * Offers the serializers in this order; without any, those it prefers. Rejects with a WampError if no link can be
   * made, or when the signal aborts.
   */
  connect(serializers: readonly Serializer[] | undefined, signal: AbortSignal): Promise<Link>
}

/** The link of a client: a transport and a serializer. */
export class Framed implements Link {
  readonly ping?: (answered: () => void) => void
  readonly serializer: Serializer
  readonly channelBinding: BindingSource | undefined
  latest = 0
  longest: number | undefined
  readonly #transport: Transport
  #failed = false

  constructor(transport: Transport, serializer: Serializer) {
    this.#transport = transport
    this.serializer = serializer
    this.channelBinding = transport.channelBinding
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
        this.latest = frame.length
        try {
          message = this.serializer.decode(frame)
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
    const frame = this.serializer.encode(message)
    // A character has at most three bytes.
    if (this.longest !== undefined && frame.length * 3 > this.longest)
      checkLengthFits(new Blob([frame as string]).size, this.longest)
    this.#transport.send(frame)
  }

  close(code?: number, reason?: string): void {
    this.#transport.close(code, reason)
  }

  terminate(): void {
    this.#transport.terminate()
  }
}
