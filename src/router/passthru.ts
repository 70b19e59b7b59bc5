/** Payload passthru mode: payloads that only their ends can read, and the keys that say how. */

import type { PassthruKeys } from '../protocol/options.ts'

export const PASSTHRU = 'payload_passthru_mode'

/** The keys of the mode, as options have them, for details. */
export function passthruOf({ ppt_scheme, ppt_serializer, ppt_cipher, ppt_keyid }: PassthruKeys): PassthruKeys {
  return {
    ...(ppt_scheme !== undefined && { ppt_scheme }),
    ...(ppt_serializer !== undefined && { ppt_serializer }),
    ...(ppt_cipher !== undefined && { ppt_cipher }),
    ...(ppt_keyid !== undefined && { ppt_keyid }),
  }
}
