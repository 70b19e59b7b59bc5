/** The entry point `wampy-ts/auth`: the client's half of the authentication methods; it runs in a page too. */

export { anonymous } from './auth/anonymous.ts'
export { clientAuth, type Secret } from './auth/client.ts'
export type * from './auth/contract.ts'
export { cookie } from './auth/cookie.ts'
export type { SigningKey } from './auth/crypto.ts'
export { type CryptosignOptions, cryptosign, generateKey, type PrivateKey } from './auth/cryptosign.ts'
export { type ScramOptions, scram } from './auth/scram.ts'
export { ticket } from './auth/ticket.ts'
export { tls } from './auth/tls.ts'
export { wampcra } from './auth/wampcra.ts'
export { WampError, type WampErrorOptions } from './protocol/error.ts'
export type * from './protocol/wire-types.ts'
