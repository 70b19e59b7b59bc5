/** The entry point `wampy-ts/e2ee`: payloads that no router can read, for clients that share keys. */

export type {
  Encoded,
  PayloadCodec,
  PayloadContext,
  PayloadKind,
  PayloadValues,
} from './client/codec/payload-codec.ts'
export { E2EE_CIPHER, E2EE_SCHEME, e2ee } from './e2ee/codec.ts'
export { type Key, type KeyRule, Keyring, randomKey } from './e2ee/keyring.ts'
export type { Uri } from './protocol/messages.ts'
export type { Dict, List, PassthruKeys } from './protocol/options.ts'
