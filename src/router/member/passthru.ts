/** Payload passthru mode: payloads that only their two ends can read, and the keys that describe them. */

import { violation } from '../../protocol/error.ts'
import type { Dict, PassthruKeys } from '../../protocol/options.ts'
import { type ClientRole, PASSTHRU } from '../../protocol/words.ts'
import type { Destination } from './destination.ts'

export { PASSTHRU } from '../../protocol/words.ts'

/** True if a message is in passthru mode. Throws a violation for a peer that did not announce the mode. */
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

/** The keys of the mode, copied from options into details. */
export function passthruOf({ ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid }: PassthruKeys): PassthruKeys {
  return {
    ...(ppt_scheme !== undefined && { ppt_scheme }),
    ...(ppt_serializer !== undefined && { ppt_serializer }),
    ...(ppt_cipher !== undefined && { ppt_cipher }),
    ...(ppt_keyid !== undefined && { ppt_keyid }),
  }
}
