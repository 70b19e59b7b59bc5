/** The entry point `wampy-ts/auth/router`: the router's half of the authentication methods. */

export { WampError, type WampErrorOptions } from '../protocol/error.ts'
export type * from '../protocol/wire-types.ts'
export { anonymousAuth } from './anonymous.ts'
export type * from './contract.ts'
export { type CookieAuthOptions, cookieAuth, type LoginCookieOptions, LoginCookies } from './cookie.ts'
export type { SigningKey } from './crypto.ts'
export {
  type CryptosignAuthOptions,
  type CryptosignPrincipal,
  cryptosignAuth,
  generateKey,
  type PrivateKey,
} from './cryptosign.ts'
export { type JwtOptions, jwtAuth, type TokenClaims } from './jwt.ts'
export {
  fromProcedure,
  type PrincipalBase,
  type PrincipalLookup,
  type PrincipalQuery,
  type Principals,
  type PrincipalTable,
  type ProcedureLookup,
} from './principals.ts'
export {
  type CrossbarScramSecret,
  type ScramCost,
  type ScramPrincipal,
  type ScramSecret,
  type ScramSecretOptions,
  scramAuth,
  scramSecret,
} from './scram.ts'
export { type TicketPrincipal, ticketAuth } from './ticket.ts'
export { type TlsPrincipal, tlsAuth } from './tls.ts'
export { type CraAuthOptions, type CraPrincipal, type CraSalt, deriveCraKey, wampcraAuth } from './wampcra.ts'
