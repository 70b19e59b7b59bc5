/** The work that a client has taken on and not finished: a router must not be able to add to it without end. */

import { WampError } from '../../protocol/error.ts'
import { LIMIT_EXCEEDED } from '../../protocol/names.ts'

/** The greatest unfinished work of a client. Beyond it the client ends its session. */
export interface LoadLimits {
  /** Calls, events and parts that procedures and asynchronous handlers have not finished with. Default 65 536. */
  readonly messages?: number | undefined
  /** Bytes of these messages as they arrived, and of the events and parts that wait for a slow reader. Default 268 435 456 (256 MiB). */
  readonly bytes?: number | undefined
}

export class Load {
  /** The length of the message that is being delivered. */
  latest = 0
  messages = 0
  bytes = 0
  readonly #most: { readonly messages: number; readonly bytes: number }

  constructor(limits: LoadLimits | undefined) {
    this.#most = { messages: limits?.messages ?? 65_536, bytes: limits?.bytes ?? 2 ** 28 }
  }

  /** True if the message that is being delivered may wait for its reader. */
  get fits(): boolean {
    return this.bytes + this.latest <= this.#most.bytes
  }

  /** Counts the message that is being delivered until the returned function is called. */
  begin(): () => void {
    const { latest } = this
    this.messages++
    this.bytes += latest
    return () => {
      this.messages--
      this.bytes -= latest
    }
  }

  /** A message of so many bytes is about to be delivered. Throws `wampy.error.limit_exceeded` if too much is unfinished. */
  deliver(length: number): void {
    this.latest = length
    const { messages, bytes } = this.#most
    if (this.messages <= messages && this.bytes <= bytes) return
    throw new WampError(LIMIT_EXCEEDED, [
      `procedures and handlers have not finished with ${this.messages} messages of ${this.bytes} bytes: see the option limits`,
    ])
  }
}
