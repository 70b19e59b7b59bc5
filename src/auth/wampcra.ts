/** `wampcra`: challenge and response with a shared secret, plain or salted (Advanced Profile, WAMP-CRA). */

import { usage } from '../protocol/error.ts'
import type { Dict } from '../protocol/options.ts'
import { fromBase64, toBase64 } from '../serializer/base64.ts'
import { randomBytes, sameBytes, toHex, utf8 } from './bytes.ts'
import { checkText, clientAuth, currentText, type Secret, unanswerable } from './client.ts'
import type { AuthDialect, AuthMethod, ClientAuth } from './contract.ts'
import { hmacSha256, pbkdf2 } from './crypto.ts'
import { denied, identityFrom, type PrincipalBase, type Principals, sourceFrom } from './principals.ts'

const DEFAULT_ITERATIONS = 1000
const DEFAULT_LENGTH = 32

/** The most that a router may ask a client to compute, against one that would keep it busy. */
const MOST_ITERATIONS = 10_000_000
const GREATEST_LENGTH = 1024

/** The salt of a password and how to derive the key from it. */
export interface CraSalt {
  readonly salt: string
  /** Default 1000. */
  readonly iterations?: number | undefined
  /** The length of the key in bytes. Default 32. */
  readonly keylen?: number | undefined
}

/**
 * Signs the router's challenge with a secret, which is not sent. For a salted secret, it is the password.
 *
 * @throws WampError `wampy.error.usage` for an authid that is not text
 */
export function wampcra(authid: string, secret: Secret): ClientAuth {
  checkText('wampcra', 'the authid', authid)
  return clientAuth({
    method: 'wampcra',
    begin: async () => {
      const key = await currentText('wampcra', 'the secret', secret)
      return {
        authid,
        async answer(extra) {
          const { challenge, salt } = extra
          if (typeof challenge !== 'string') throw unanswerable('wampcra', 'has no challenge')
          const salted = typeof salt === 'string' ? (extra as unknown as CraSalt) : undefined
          const flaw = salted && flawIn(salted)
          if (flaw) throw unanswerable('wampcra', `is refused: ${flaw}`)
          const derived = salted ? await deriveCraKey(key, salted) : key
          return { signature: toBase64(await hmacSha256(utf8(derived), utf8(challenge))), extra: {} }
        },
      }
    },
  })
}

/**
 * The secret that a router stores for a salted password: base64 of PBKDF2 with HMAC-SHA256. The text itself is the key of
 * the signatures.
 *
 * @throws WampError `wampy.error.usage` for parameters that are out of range
 */
export async function deriveCraKey(password: string, salted: CraSalt): Promise<string> {
  const flaw = flawIn(salted)
  if (flaw) throw usage(`deriveCraKey: ${flaw}`)
  const { salt, iterations = DEFAULT_ITERATIONS, keylen = DEFAULT_LENGTH } = salted
  return toBase64(await pbkdf2(utf8(password), utf8(salt), iterations, keylen))
}

function flawIn({ iterations = DEFAULT_ITERATIONS, keylen = DEFAULT_LENGTH }: CraSalt): string | undefined {
  return outOfRange('iterations', iterations, MOST_ITERATIONS) ?? outOfRange('keylen', keylen, GREATEST_LENGTH)
}

function outOfRange(name: string, value: unknown, most: number): string | undefined {
  if (Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= most) return undefined
  return `${name} must be a whole number from 1 to ${most}`
}

export interface CraPrincipal extends PrincipalBase, Partial<CraSalt> {
  /** The secret; with a `salt` the derived key, as `deriveCraKey` returns it, or the password for the dialect. */
  readonly secret: string
}

export interface CraAuthOptions {
  /** The configuration and the authenticators of Crossbar.io have the password as `secret` beside a `salt`. */
  readonly dialect?: AuthDialect | undefined
}

/**
 * Accepts sessions that know the secret of a principal.
 *
 * @example
 * auth: [wampcraAuth({ joe: { secret: process.env.JOE_SECRET, role: 'user' } })]
 * @throws WampError `wampy.error.usage` for principals that are not a table, a Map or a function
 */
export function wampcraAuth(principals: Principals<CraPrincipal>, { dialect }: CraAuthOptions = {}): AuthMethod {
  const source = sourceFrom('wampcra', principals)
  // Makes the salts of unknown principals, which must be the same at each attempt.
  const own = randomBytes(32)
  return {
    name: 'wampcra',
    authenticator: source.authenticator,
    async *authenticate(request) {
      const { authid = '', session } = request
      const found = await source.find(authid, request)
      const random = await hmacSha256(own, utf8(authid))
      const decoy = toHex(random)
      const like = found ?? source.example
      // It looks like the salt of a principal, to which the work is the same.
      const fake = decoySalt(random, like?.salt ?? '')
      const { salt, iterations, keylen } = found ?? { ...like, salt: like?.salt && fake }
      const challenge = JSON.stringify({
        authid,
        // The role of a principal would tell it from an unknown one.
        authrole: null,
        authmethod: 'wampcra',
        authprovider: source.provider,
        nonce: toHex(randomBytes(16)),
        timestamp: new Date().toISOString(),
        session,
      })
      const salted: Dict | CraSalt =
        typeof salt === 'string'
          ? { salt, iterations: iterations ?? DEFAULT_ITERATIONS, keylen: keylen ?? DEFAULT_LENGTH }
          : {}
      const { signature } = yield { extra: { challenge, ...salted } }
      const secret = String(found ? found.secret : decoy)
      const key = dialect && typeof salt === 'string' ? await deriveCraKey(secret, salted as CraSalt) : secret
      const expected = toBase64(await hmacSha256(utf8(key), utf8(challenge)))
      if (!sameBytes(utf8(expected), utf8(signature)) || typeof found?.secret !== 'string') throw denied()
      return identityFrom(found, authid, request, source.provider)
    },
  }
}

/** A salt that looks like that of a principal: hexadecimal digits, base64 or any text, of the same length. */
function decoySalt(random: Uint8Array, like: string): string {
  if (/^[0-9a-f]*$/.test(like)) return toHex(random).slice(0, like.length)
  const length = fromBase64(like)?.length
  return length === undefined ? toBase64(random).slice(0, like.length) : toBase64(random.subarray(0, length))
}
