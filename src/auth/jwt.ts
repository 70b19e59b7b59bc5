/** JSON Web Tokens (RFC 7519), presented as a ticket. */

import type { JWTVerifyGetKey, JWTVerifyOptions, CryptoKey as Key } from 'jose'
import { usage } from '../protocol/error.ts'
import { isDict } from '../protocol/validate.ts'
import type { AuthMethod } from './contract.ts'
import { missing } from './optional.ts'
import { denied, identityFrom, type PrincipalBase } from './principals.ts'

/** The claims of a verified token (RFC 7519, section 4.1), and any other. */
export interface TokenClaims {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | string[]
  readonly jti?: string
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly [claim: string]: unknown
}

export interface JwtOptions {
  /** The `iss` of valid tokens. */
  readonly issuer: string | readonly string[]
  /** The `aud` of valid tokens: one of them must be in the token. */
  readonly audience: string | readonly string[]
  /** The key of the signatures: a JWK, a key of WebCrypto or of Node, or the bytes of a shared secret. */
  readonly key?: object | Uint8Array | undefined
  /** The address of the issuer's key set instead, such as `https://example.com/.well-known/jwks.json`. */
  readonly jwksUrl?: string | undefined
  /** The accepted signature algorithms. Default: those that fit the key; `none` never does. */
  readonly algorithms?: readonly string[] | undefined
  /** Seconds by which the clocks of issuer and router may differ. Default 5. */
  readonly clockTolerance?: number | undefined
  /** The principal of a token; undefined refuses it. Default: its `sub` as authid, with the role `user`. */
  readonly principal?:
    | ((claims: TokenClaims) => PrincipalBase | undefined | Promise<PrincipalBase | undefined>)
    | undefined
}

/**
 * Accepts tickets that are JSON Web Tokens. The `exp` of a token ends the session, and its client joins again with a
 * fresh token. The authid in HELLO must be that of the principal. Needs the package `jose`.
 *
 * @example
 * auth: [jwtAuth({ issuer: 'https://example.com', audience: 'wamp', jwksUrl: 'https://example.com/.well-known/jwks.json' })]
 * @throws WampError `wampy.error.usage` for options without an issuer, an audience, and one of key and jwksUrl
 */
export function jwtAuth(options: JwtOptions): AuthMethod {
  const {
    issuer,
    audience,
    key,
    jwksUrl,
    algorithms,
    clockTolerance = 5,
  } = isDict(options) ? options : ({} as Partial<JwtOptions>)
  if (!issuer || !audience || (key === undefined) === (jwksUrl === undefined)) {
    throw usage('jwtAuth needs { issuer, audience } and one of { key } and { jwksUrl }')
  }
  const checks: JWTVerifyOptions = {
    issuer: issuer as string,
    audience: audience as string,
    clockTolerance,
    ...(algorithms && { algorithms: [...algorithms] }),
  }
  let keys: JWTVerifyGetKey | undefined
  return {
    name: 'ticket',
    async *authenticate(request) {
      const { signature } = yield {}
      const jose = await josePackage()
      if (jwksUrl !== undefined) keys ??= jose.createRemoteJWKSet(new URL(jwksUrl))
      let claims: TokenClaims
      try {
        const verified = keys
          ? await jose.jwtVerify(signature, keys, checks)
          : await jose.jwtVerify(signature, key as Key, checks)
        claims = verified.payload
      } catch {
        // Its error may repeat parts of the token.
        throw denied()
      }
      const found = options.principal ? await options.principal(claims) : {}
      const authid = found?.authid ?? claims.sub
      if (!found || authid === undefined || (request.authid ?? authid) !== authid) throw denied()
      const identity = identityFrom(found, authid, request, 'jwt')
      return claims.exp === undefined ? identity : { ...identity, expires: 1000 * claims.exp }
    },
  }
}

async function josePackage() {
  try {
    return await import('jose')
  } catch (error) {
    throw missing('jose', 'jwtAuth', error)
  }
}
