/** The receiving side of every transport: holds frames until a sink is open, and reports the end once and last. */

import type { CloseInfo, Frame, TransportSink } from './transport.ts'

/** The end of a transport that broke or was terminated without a close frame (RFC 6455, 7.1.5). */
export const BROKEN: CloseInfo = { code: 1006, reason: '' }

export class Inbox {
  #sink: TransportSink | undefined
  #held: Frame[] = []
  #muted = false
  #end: CloseInfo | undefined

  /** True once either side has closed: nothing is sent or delivered any more. */
  get closed(): boolean {
    return this.#muted || this.#end !== undefined
  }

  frame(frame: Frame): void {
    if (this.closed) return
    if (this.#sink && this.#held.length === 0) this.#sink.frame(frame)
    else this.#held.push(frame)
  }

  /** This side closed: from now on only the end is delivered. */
  mute(): void {
    this.#muted = true
    this.#held.length = 0
  }

  /** The transport ended; held frames are delivered first. */
  end(info: CloseInfo): void {
    this.#end ??= info
    this.#deliverEnd()
  }

  open(sink: TransportSink): void {
    this.#sink = sink
    // The first frame stays in the list while it is delivered, so that no other overtakes it.
    for (let frame = this.#held[0]; frame !== undefined; frame = this.#held[0]) {
      try {
        sink.frame(frame)
      } finally {
        this.#held.shift()
      }
    }
    this.#deliverEnd()
  }

  #deliverEnd(): void {
    const sink = this.#sink
    if (!sink || !this.#end || this.#held.length > 0) return
    this.#sink = undefined
    sink.closed(this.#end)
  }
}

/** Cuts a reason to the 123 bytes of UTF-8 that a close frame can hold, between two characters. */
export function cutReason(reason: string): string {
  return reason.slice(0, new TextEncoder().encodeInto(reason, new Uint8Array(123)).read)
}
