/** Payload passthru mode: payloads that only their ends can read, and the keys that say how. */

import { violation } from '../../protocol/error.ts'
import type { Dict, PassthruKeys } from '../../protocol/options.ts'
import { type ClientRole, PASSTHRU } from '../../protocol/words.ts'
import type { Destination } from './destination.ts'

export { PASSTHRU } from '../../protocol/words.ts'

/** Whether a message says that its payload is in the mode: a violation by who did not announce it. */
export function inPassthru(
  keys: PassthruKeys | Dict,
  sender: Destination,
  role: Exclude<ClientRole, 'subscriber'>,
  place: string,
): boolean {
  if (keys['ppt_scheme'] === undefined) return false
  if (sender.announces(role, PASSTHRU)) return true
  throw violation(`${place}.ppt_scheme is given, but HELLO did not announce ${PASSTHRU}`)
}

/** The keys of the mode, as options have them, for details. */
export function passthruOf({ ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid }: PassthruKeys): PassthruKeys {
  return {
    ...(ppt_scheme !== undefined && { ppt_scheme }),
    ...(ppt_serializer !== undefined && { ppt_serializer }),
    ...(ppt_cipher !== undefined && { ppt_cipher }),
    ...(ppt_keyid !== undefined && { ppt_keyid }),
  }
}
