/** What every transport does with what comes in: hold it until somebody listens, and tell the end once and last. */

import type { CloseInfo, Frame, TransportSink } from './transport.ts'

/** How a transport ends that broke, or was terminated, without a word (RFC 6455, 7.1.5). */
export const BROKEN: CloseInfo = { code: 1006, reason: '' }

export class Inbox {
  #sink: TransportSink | undefined
  #held: Frame[] = []
  #muted = false
  #end: CloseInfo | undefined

  /** Whether this side closed, or the other: nothing is sent or delivered any more. */
  get closed(): boolean {
    return this.#muted || this.#end !== undefined
  }

  frame(frame: Frame): void {
    if (this.closed) return
    if (this.#sink && this.#held.length === 0) this.#sink.frame(frame)
    else this.#held.push(frame)
  }

  /** This side closed: nothing more is heard but the end. */
  mute(): void {
    this.#muted = true
    this.#held.length = 0
  }

  /** The transport ended; what was held comes first. */
  end(info: CloseInfo): void {
    this.#end ??= info
    this.#tell()
  }

  open(sink: TransportSink): void {
    this.#sink = sink
    // The first stays in the list while it is delivered, so that nothing overtakes it.
    for (let frame = this.#held[0]; frame !== undefined; frame = this.#held[0]) {
      try {
        sink.frame(frame)
      } finally {
        this.#held.shift()
      }
    }
    this.#tell()
  }

  #tell(): void {
    const sink = this.#sink
    if (!sink || !this.#end || this.#held.length > 0) return
    this.#sink = undefined
    sink.closed(this.#end)
  }
}

/** A reason as a close frame can hold it: 123 bytes of UTF-8, cut between two characters. */
export function cutReason(reason: string): string {
  return reason.slice(0, new TextEncoder().encodeInto(reason, new Uint8Array(123)).read)
}
