/** The contract of a serializer, which turns messages into frames and back. */

import type { Frame } from '../protocol/frame.ts'
import type { Message } from '../protocol/messages.ts'

export type { Frame } from '../protocol/frame.ts'

/**
 * `encode` writes the head of a message and splices a payload whose `source` came from the same serializer; values are
 * written by the rule of `plain`. It throws a WampError `invalid_argument` that names the place for a value that cannot travel.
 *
 * `decode` checks the whole frame: well-formedness, the layout of its message, depth. It throws a WampError
 * `protocol_violation` for anything else, and no other error. The payload keeps the frame it came in; its values are decoded when read.
 */
export interface Serializer {
  /** The last part of the subprotocol: `json` for `wamp.2.json`. */
  readonly name: string
  /** True if frames are bytes. */
  readonly binary: boolean
  encode(message: Message): Frame
  decode(frame: Frame): Message
}

/** The subprotocol that a serializer speaks: `wamp.2.json`. */
export function subprotocolOf({ name }: Serializer): string {
  return `wamp.2.${name}`
}
