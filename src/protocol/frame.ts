/** What a serializer makes and a transport moves. */

import { unsent } from './error.ts'
import { PAYLOAD_SIZE_EXCEEDED } from './names.ts'

/** Text or bytes, as one WebSocket message is. */
export type Frame = string | Uint8Array

/** @throws WampError `wamp.error.payload_size_exceeded` for a message that the peer would end the connection for */
export function checkLengthFits(length: number, longest: number): void {
  if (length <= longest) return
  throw unsent(
    PAYLOAD_SIZE_EXCEEDED,
    `a message of ${length} bytes is too long for the peer, which accepts at most ${longest}`,
  )
}
