/** The door `wampy-ts/e2ee`: payloads that no router can read, for clients that share keys. */

export { E2EE_CIPHER, E2EE_SCHEME, e2ee } from './e2ee/codec.ts'
export { type Key, type KeyRule, Keyring, randomKey } from './e2ee/keyring.ts'
