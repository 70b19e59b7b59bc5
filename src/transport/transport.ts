/** The contract of the pluggable adapters: a transport moves frames, a dial opens one. */

import type { BindingSource } from '../auth/contract.ts'
import type { Frame } from '../protocol/frame.ts'

export type { Frame } from '../protocol/frame.ts'

/** The code and the reason of a close, in the terms of WebSocket (RFC 6455, 7.4); 1006 if the transport broke. */
export interface CloseInfo {
  readonly code: number
  readonly reason: string
}

/** The receiver of a transport's frames and of its end. */
export interface TransportSink {
  frame(frame: Frame): void
  /** Called exactly once, and last; never within `send`. */
  closed(info: CloseInfo): void
}

/** A frame prepared for one kind of transport, to be written to many. */
export type Prepared = unknown

/**
 * Moves frames, whole and in order. Frames that arrive before `open` are held. `send` after the end is ignored, and
 * `close` never throws: it cuts the reason to the 123 bytes that a close frame holds, on a character boundary.
 */
export interface Transport {
  /** The negotiated subprotocol, such as `wamp.2.json`. */
  readonly protocol: string
  /** Bytes accepted by `send` and not yet handed to the network. */
  readonly backlog: number
  open(sink: TransportSink): void
  /** Throws a WampError `payload_size_exceeded`, as `prepare` does, if the frame exceeds the limit that the peer announced. */
  send(frame: Frame): void
  close(code?: number, reason?: string): void
  /** Ends at once without the peer, for peers that do not answer. */
  terminate(): void
  /**
   * Stops reading until `resume`, so that the peer has to wait; frames that were already read are still delivered. The
   * end is delivered as soon as it is known, and unread frames may then be lost. A close resumes by itself.
   */
  pause?(): void
  resume?(): void
  /** True while reading is paused: silence of the peer then means nothing. */
  readonly paused?: boolean
  /** What binds an authentication to this connection, if it is one by TLS of this process. */
  readonly channelBinding?: BindingSource | undefined
  /** Pings the peer below WAMP, if the transport can; `answered` is called for the answer. */
  ping?(answered: () => void): void
  /** Transports of the same framing and limits can `write` a frame that one of them `prepare`d. */
  readonly framing?: string
  prepare?(frame: Frame): Prepared
  write?(prepared: Prepared): void
}

/** Milliseconds for the peer to close its side; then the transport is terminated. */
export const CLOSE_TIMEOUT = 5_000

/**
 * Opens a transport to `url`, offering `protocols` in order of preference; rejects if that fails. When `signal` aborts,
 * it closes the connection it had begun, and rejects.
 */
export type Dial = (url: string, protocols: readonly string[], signal: AbortSignal) => Promise<Transport>
