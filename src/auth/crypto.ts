/** The primitives of the methods: WebCrypto where it exists, else `@noble`, which works in pages over plain http too. */

import { usage } from '../protocol/error.ts'
import { joinBytes } from './bytes.ts'
import { optional } from './optional.ts'

// Absent in pages that did not come over https or from localhost.
const subtleCrypto = (): SubtleCrypto | undefined => globalThis.crypto?.subtle

const hashes = () =>
  optional('@noble/hashes', 'authentication without WebCrypto', async () => {
    const [{ hmac }, { sha256 }, { pbkdf2Async }] = await Promise.all([
      import('@noble/hashes/hmac.js'),
      import('@noble/hashes/sha2.js'),
      import('@noble/hashes/pbkdf2.js'),
    ])
    return { hmac, sha256, pbkdf2Async }
  })

const ed25519 = () =>
  optional('@noble/curves', 'Ed25519 without WebCrypto', async () => (await import('@noble/curves/ed25519.js')).ed25519)

type Bytes = Uint8Array<ArrayBuffer>

// HMAC pads its key with zeros, and WebCrypto refuses an empty one.
const keyOf = (key: Uint8Array): Bytes => (key.length > 0 ? (key as Bytes) : new Uint8Array(1))

export async function hmacSha256(key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
  const subtle = subtleCrypto()
  if (!subtle) {
    const { hmac, sha256 } = await hashes()
    return hmac(sha256, key, data)
  }
  const imported = await subtle.importKey('raw', keyOf(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await subtle.sign('HMAC', imported, data as Bytes))
}

export async function sha256Of(data: Uint8Array): Promise<Uint8Array> {
  const subtle = subtleCrypto()
  if (!subtle) return (await hashes()).sha256(data)
  return new Uint8Array(await subtle.digest('SHA-256', data as Bytes))
}

/** PBKDF2 with HMAC-SHA256 (RFC 8018). */
export async function pbkdf2(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Uint8Array> {
  const subtle = subtleCrypto()
  if (!subtle) {
    const { pbkdf2Async, sha256 } = await hashes()
    return pbkdf2Async(sha256, password, salt, { c: iterations, dkLen: length })
  }
  const key = await subtle.importKey('raw', keyOf(password), 'PBKDF2', false, ['deriveBits'])
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt: salt as Bytes, iterations }
  return new Uint8Array(await subtle.deriveBits(parameters, key, 8 * length))
}

type NativeArgon2 = (
  algorithm: 'argon2id',
  parameters: Readonly<Record<string, unknown>>,
  done: (error: Error | null, derived: Uint8Array) => void,
) => void

/** Argon2id, version 1.3, with a parallelism of 1 (RFC 9106). `memory` is in KiB. */
export async function argon2id(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  memory: number,
  length: number,
): Promise<Uint8Array> {
  const { argon2 } = (globalThis.process?.getBuiltinModule?.('node:crypto') ?? {}) as { argon2?: NativeArgon2 }
  if (argon2) {
    return new Promise((resolve, reject) => {
      const parameters = {
        message: password,
        nonce: salt,
        parallelism: 1,
        tagLength: length,
        memory,
        passes: iterations,
      }
      argon2('argon2id', parameters, (error, derived) => (error ? reject(error) : resolve(new Uint8Array(derived))))
    })
  }
  const { argon2idAsync } = await optional('@noble/hashes', 'argon2id', () => import('@noble/hashes/argon2.js'))
  return argon2idAsync(password, salt, { t: iterations, m: memory, p: 1, dkLen: length, version: 0x13 })
}

/** An Ed25519 key pair (RFC 8032). */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** The DER encoding of an Ed25519 private key, before its 32 bytes of seed (RFC 8410). */
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20)

/** `seed` is the private key, 32 bytes. */
export async function signingKey(seed: Uint8Array): Promise<SigningKey> {
  const subtle = subtleCrypto()
  if (subtle) {
    try {
      const der = joinBytes(PKCS8, seed) as Bytes
      const key = await subtle.importKey('pkcs8', der, 'Ed25519', true, ['sign'])
      const { x = '' } = await subtle.exportKey('jwk', key)
      return {
        publicKey: fromBase64Url(x),
        sign: async (message) => new Uint8Array(await subtle.sign('Ed25519', key, message as Bytes)),
      }
    } catch {
      // A browser whose WebCrypto lacks Ed25519.
    }
  }
  const curve = await ed25519()
  return { publicKey: curve.getPublicKey(seed), sign: async (message) => curve.sign(message, seed) }
}

/** True if `signature` is that of `message` by the owner of `publicKey`. */
export async function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const subtle = subtleCrypto()
  if (subtle) {
    let key: CryptoKey | undefined
    try {
      key = await subtle.importKey('raw', publicKey as Bytes, 'Ed25519', false, ['verify'])
    } catch {
      // As above, or 32 bytes that are not a point of the curve.
    }
    if (key) return subtle.verify('Ed25519', key, signature as Bytes, message as Bytes)
  }
  try {
    return (await ed25519()).verify(signature, message, publicKey, { zip215: false })
  } catch (error) {
    if ((error as { uri?: string }).uri !== undefined) throw error
    return false
  }
}

function fromBase64Url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
}

/**
 * A password for hashing (SASLprep, RFC 4013). Printable ASCII needs no preparation.
 *
 * @throws WampError `wampy.error.usage` for text that SASLprep forbids
 */
export async function prepared(password: string): Promise<Uint8Array> {
  if (/^[\x20-\x7e]*$/.test(password)) return new TextEncoder().encode(password)
  const { default: saslprep } = await optional(
    '@mongodb-js/saslprep',
    'a password that is not plain ASCII',
    () => import('@mongodb-js/saslprep'),
  )
  try {
    return new TextEncoder().encode(saslprep(password))
  } catch {
    // Its own error could contain characters of the password.
    throw usage('the password contains a character that SASLprep (RFC 4013) forbids')
  }
}
