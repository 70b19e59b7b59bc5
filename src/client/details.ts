/** The type of every key that a client knows in the details of what a router passes on: a wrong one is a violation. */

import { EVENT, INVOCATION } from '../protocol/codes.ts'
import { violation } from '../protocol/error.ts'
import type { Message } from '../protocol/messages.ts'
import { formatValue, nameOf } from '../protocol/validate.ts'

/** A value of the type that each must have. Without a prototype, whose keys a peer may send as well. */
const KNOWN: Record<string, unknown> = {
  __proto__: null,
  caller: 0,
  caller_authid: '',
  caller_authrole: '',
  forward_for: [],
  mode: '',
  ppt_cipher: '',
  ppt_keyid: '',
  ppt_scheme: '',
  ppt_serializer: '',
  procedure: '',
  progress: true,
  publisher: 0,
  publisher_authid: '',
  publisher_authrole: '',
  receive_progress: true,
  retained: true,
  timeout: 0,
  topic: '',
  transaction_hash: '',
  trustlevel: 0,
  x_acknowledged_delivery: true,
}

/** Throws a protocol violation. Unknown keys pass, and so does null, which a router may say for what it does not know. */
export function checkDetails(message: Message): void {
  const [code] = message
  const place = code === EVENT || code === INVOCATION ? 3 : 2
  const details = message[place] as unknown as Record<string, unknown>
  for (const key in details) {
    const type = typeof KNOWN[key]
    const value = details[key]
    const came = typeof value === 'bigint' ? 'number' : typeof value
    if (key in KNOWN && value !== null && came !== type) {
      throw violation(`${nameOf(code)}[${place}].${key} must be a ${type}, got ${formatValue(value)}`)
    }
  }
}
