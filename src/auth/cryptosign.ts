/** `cryptosign`: a signature by an Ed25519 key, which never leaves the client (Advanced Profile, WAMP-Cryptosign). */

import { usage, WampError } from '../protocol/error.ts'
import { AUTHENTICATION_FAILED } from '../protocol/names.ts'
import { formatValue } from '../protocol/validate.ts'
import { fromHex, joinBytes, randomBytes, sameBytes, toHex, xorBytes } from './bytes.ts'
import { clientAuth, currentSecret, type Secret, unanswerable, unproved } from './client.ts'
import type { AuthDialect, AuthMethod, BindingSource, ChannelBinding, ClientAuth } from './contract.ts'
import { type SigningKey, sha256Of, signingKey, verifySignature } from './crypto.ts'
import { denied, entriesOf, identityFrom, type PrincipalBase, type Principals, sourceFrom } from './principals.ts'

/** Where a private key is kept: its 32 bytes, their 64 hexadecimal digits, or a signer that never reveals it. */
export type PrivateKey = string | Uint8Array | SigningKey

export interface CryptosignOptions {
  readonly key: Secret<PrivateKey>
  /** Default: the router finds the principal by its public key. */
  readonly authid?: string | undefined
  /** For clients in Node: `tls-exporter` on TLS 1.3, `tls-unique` on TLS 1.2. Default: none. */
  readonly channelBinding?: ChannelBinding | undefined
  /** With Crossbar.io, `tls-unique` works on TLS 1.3 too, for which RFC 9266 does not define it. */
  readonly dialect?: AuthDialect | undefined
  /** The router's public key in hexadecimal digits: it must then prove that it has the private key. */
  readonly routerKey?: string | undefined
}

/**
 * Signs the router's challenge.
 *
 * @example
 * auth: [cryptosign({ key: process.env.WAMP_KEY })]
 * @throws WampError `wampy.error.usage` for options that are not valid; a key that is not valid ends the attempt
 */
export function cryptosign({ key, authid, channelBinding, dialect, routerKey }: CryptosignOptions): ClientAuth {
  if (key === undefined) throw usage('cryptosign needs { key }, 64 hexadecimal digits')
  const pinned = routerKey === undefined ? undefined : fromHex(routerKey, 32)
  if (routerKey !== undefined && !pinned) throw usage('cryptosign: routerKey must be 64 hexadecimal digits')
  return clientAuth({
    method: 'cryptosign',
    provesRouter: pinned !== undefined,
    begin: async (context) => {
      const signer = await signerFrom(await currentSecret(key))
      const pubkey = toHex(signer.publicKey)
      const challenge = randomBytes(32)
      return {
        authid,
        authextra: { pubkey, channel_binding: channelBinding, challenge: pinned && toHex(challenge) },
        async answer(extra, hello) {
          const wanted = hello.authextra['channel_binding'] ?? null
          if ((extra['channel_binding'] ?? null) !== wanted) {
            throw new WampError(AUTHENTICATION_FAILED, [
              `this client asked for the channel binding ${formatValue(wanted)}, and the router uses ${formatValue(extra['channel_binding'] ?? null)}`,
            ])
          }
          const id =
            wanted === null ? undefined : await channelId(wanted as ChannelBinding, context.channelBinding, dialect)
          const asked = fromHex(extra['challenge'], 32)
          if (!asked) throw unanswerable('cryptosign', 'has no challenge of 32 bytes')
          if (pinned) await verifyRouter(extra, pinned, bound(challenge, id))
          const message = bound(asked, id)
          return { signature: toHex(joinBytes(await signer.sign(message), message)), extra: {} }
        },
      }
    },
  })
}

const bound = (challenge: Uint8Array, id: Uint8Array | undefined): Uint8Array =>
  id ? xorBytes(challenge, id) : challenge

async function signerFrom(key: PrivateKey): Promise<SigningKey> {
  if (typeof key === 'object' && 'sign' in key) return key
  const seed = typeof key === 'string' ? fromHex(key.trim(), 32) : key
  // The value itself is a secret.
  if (!(seed instanceof Uint8Array) || seed.length !== 32) {
    throw usage('a cryptosign key is 32 bytes or their 64 hexadecimal digits, such as `wampy-ts keygen` makes')
  }
  return signingKey(seed)
}

/** 32 bytes that both ends of the connection share. As in autobahn, `tls-unique` is hashed to that length. */
async function channelId(
  type: ChannelBinding,
  source: BindingSource | undefined,
  dialect: AuthDialect | undefined,
): Promise<Uint8Array> {
  const data = source?.(type, dialect)
  if (!data) {
    throw new WampError(AUTHENTICATION_FAILED, [
      `this connection cannot be bound by ${formatValue(type)}: that needs TLS ${type === 'tls-exporter' ? '1.3' : "1.2, or the dialect 'crossbar',"} and a client in Node`,
    ])
  }
  return type === 'tls-unique' ? sha256Of(data) : data
}

async function verifyRouter(
  { pubkey, signature }: { readonly [key: string]: unknown },
  pinned: Uint8Array,
  expected: Uint8Array,
): Promise<void> {
  const shown = fromHex(pubkey, 32)
  const signed = fromHex(signature, 96)
  if (!shown || !sameBytes(shown, pinned)) throw unproved('its public key is another one')
  if (!signed || !sameBytes(signed.subarray(64), expected)) throw unproved('it did not sign the challenge')
  if (!(await verifySignature(pinned, expected, signed.subarray(0, 64)))) throw unproved('its signature is wrong')
}

/** Makes a new key pair: `privateKey` and `publicKey` in hexadecimal digits. */
export async function generateKey(): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const seed = randomBytes(32)
  return { privateKey: toHex(seed), publicKey: toHex((await signingKey(seed)).publicKey) }
}

export interface CryptosignPrincipal extends PrincipalBase {
  /**
   * The public keys of the principal in hexadecimal digits. Only a function or procedure may leave them out, having
   * verified `authextra.pubkey` itself.
   */
  readonly authorized_keys?: readonly string[] | undefined
  /** One more, under the name that dynamic authenticators of Crossbar.io return. */
  readonly pubkey?: string | undefined
}

/** Undefined only if the principal names no key at all: its source has then verified the key of the session. */
function keysOf({ authorized_keys, pubkey }: CryptosignPrincipal): readonly string[] | undefined {
  if (authorized_keys === undefined && pubkey === undefined) return undefined
  return [authorized_keys, pubkey].flat().map((key) => String(key).toLowerCase())
}

export interface CryptosignAuthOptions {
  /** The private key by which the router proves itself to clients that ask for it. Default: none. */
  readonly key?: PrivateKey | undefined
  /** For autobahn for Python, which binds by `tls-unique` on TLS 1.3 too. */
  readonly dialect?: AuthDialect | undefined
}

/**
 * Accepts sessions that have a private key of a principal. A table is looked up by authid, or else by the public key; a
 * function or procedure is called with the authid, or else with the public key, and finds the key in `authextra.pubkey`.
 *
 * @example
 * auth: [cryptosignAuth({ joe: { authorized_keys: ['2b7ec216...'], role: 'user' } })]
 * @throws WampError `wampy.error.usage` for principals that are not a table, a Map or a function
 */
export function cryptosignAuth(
  principals: Principals<CryptosignPrincipal>,
  { key, dialect }: CryptosignAuthOptions = {},
): AuthMethod {
  const source = sourceFrom('cryptosign', principals)
  const entries = entriesOf(principals)
  const nameOf = entries && namesByKey(entries)
  let own: Promise<SigningKey> | undefined
  return {
    name: 'cryptosign',
    authenticator: source.authenticator,
    async *authenticate(request) {
      const { authid, authextra, connection } = request
      const publicKey = fromHex(authextra['pubkey'], 32)
      if (!publicKey) {
        throw new WampError(AUTHENTICATION_FAILED, ['HELLO needs authextra.pubkey, 64 hexadecimal digits'])
      }
      const pubkey = toHex(publicKey)
      const type = authextra['channel_binding'] ?? null
      const id = type === null ? undefined : await channelId(type as ChannelBinding, connection.channelBinding, dialect)
      const name = authid ?? (nameOf ? nameOf(pubkey) : pubkey)
      const found = name === undefined ? undefined : await source.find(name, request)
      // The same work with and without a principal: only then does its time tell nothing.
      const keys = keysOf(found ?? source.example ?? {})
      const known = keys?.includes(pubkey) ?? source.provider !== 'static'
      const challenge = randomBytes(32)
      const extra: Record<string, unknown> = { challenge: toHex(challenge), channel_binding: type }
      const asked = fromHex(authextra['challenge'], 32)
      if (asked && key !== undefined) {
        own ??= signerFrom(key)
        const signer = await own
        const message = bound(asked, id)
        extra['pubkey'] = toHex(signer.publicKey)
        extra['signature'] = toHex(joinBytes(await signer.sign(message), message))
      }
      const { signature } = yield { extra }
      const signed = fromHex(signature, 96)
      const expected = bound(challenge, id)
      const same = signed !== undefined && sameBytes(signed.subarray(64), expected)
      const valid = await verifySignature(publicKey, expected, signed?.subarray(0, 64) ?? new Uint8Array(64))
      if (!found || !known || !same || !valid) throw denied()
      return identityFrom(found, name as string, request, source.provider)
    },
  }
}

/** Looks up the name of a principal by a public key; undefined also if several principals have the key. */
function namesByKey(entries: () => Iterable<[string, CryptosignPrincipal]>): (pubkey: string) => string | undefined {
  return (pubkey) => {
    const names = [...entries()].filter(([, principal]) => keysOf(principal)?.includes(pubkey)).map(([name]) => name)
    return names.length === 1 ? names[0] : undefined
  }
}
