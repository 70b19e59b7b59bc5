/** The contract of the pluggable adapters: a transport moves frames, a dial opens one. */

import type { Frame } from '../protocol/frame.ts'

export type { Frame } from '../protocol/frame.ts'

/** Why a transport closed, in the terms of WebSocket (RFC 6455, 7.4); 1006 where it broke without a word. */
export interface CloseInfo {
  readonly code: number
  readonly reason: string
}

/** Who a transport tells. */
export interface TransportSink {
  frame(frame: Frame): void
  /** Called exactly once, and last; never within `send`. */
  closed(info: CloseInfo): void
}

/** A frame made ready for one kind of transport, to be written to many. */
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
  /** Throws a WampError `payload_size_exceeded`, as `prepare` does, where the peer said that it takes no such length. */
  send(frame: Frame): void
  close(code?: number, reason?: string): void
  /** Ends at once, without the peer: for one that does not answer. */
  terminate(): void
  /**
   * Reads nothing more until `resume`, so that the peer has to wait; frames of what was read already still come. The
   * end is told as soon as it is known, and frames that lie unread then may be lost. A close resumes by itself.
   */
  pause?(): void
  resume?(): void
  /** Whether reading is paused, so that the silence of the peer means nothing. */
  readonly paused?: boolean
  /** Asks the peer for a sign of life below WAMP, where the transport can; `answered` is called when it comes. */
  ping?(answered: () => void): void
  /** Transports that say the same word here, of the same limits, can `write` what one of them `prepare`d. */
  readonly framing?: string
  prepare?(frame: Frame): Prepared
  write?(prepared: Prepared): void
}

/** How long the peer may take to close its side, in milliseconds; then the transport ends without it. */
export const CLOSE_TIMEOUT = 5_000

/**
 * Opens a transport to `url`, offering `protocols` in order of preference; rejects where that fails. When `signal`
 * aborts, it gives up, closes what it had begun, and rejects.
 */
export type Dial = (url: string, protocols: readonly string[], signal: AbortSignal) => Promise<Transport>
