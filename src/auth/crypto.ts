/** The primitives of the methods: WebCrypto where it exists, else `@noble`, which works in pages over plain http too. */

import { usage } from '../protocol/error.ts'
import { joinBytes, utf8 } from './bytes.ts'
import { missing } from './optional.ts'

// Absent in pages that did not come over https or from localhost.
const subtleCrypto = (): SubtleCrypto | undefined => globalThis.crypto?.subtle

// Each import of an optional package is awaited in a `try`: esbuild then accepts that it is not installed.
async function hashes() {
  try {
    const { hmac } = await import('@noble/hashes/hmac.js')
    const { sha256 } = await import('@noble/hashes/sha2.js')
    const { pbkdf2Async } = await import('@noble/hashes/pbkdf2.js')
    return { hmac, sha256, pbkdf2Async }
  } catch (error) {
    throw missing('@noble/hashes', `authentication ${WITHOUT_WEB_CRYPTO}`, error)
  }
}

async function ed25519() {
  try {
    return (await import('@noble/curves/ed25519.js')).ed25519
  } catch (error) {
    throw missing('@noble/curves', `Ed25519 ${subtleCrypto() ? 'in this browser' : WITHOUT_WEB_CRYPTO}`, error)
  }
}

const WITHOUT_WEB_CRYPTO = 'without WebCrypto (which pages over https or from localhost have)'

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

async function argon2Package() {
  try {
    return await import('@noble/hashes/argon2.js')
  } catch (error) {
    throw missing('@noble/hashes', 'argon2id', error)
  }
}

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
  const { argon2idAsync } = await argon2Package()
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
 * Characters of common scripts, for which SASLprep is no more than NFKC: Latin, combining marks, Greek, Cyrillic,
 * punctuation, currencies, Kana, Chinese characters and Hangul, as far as Unicode 3.2 has them.
 */
const COMMON =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: ranges of code units, the combining marks one of them
  /^[\x20-\x7e\xa1-\xac\xae-\u0220\u0300-\u033f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u0486\u048a-\u04ce\u1e00-\u1e9b\u1ea0-\u1ef9\u2010-\u2027\u2030-\u203e\u20a0-\u20b1\u3001-\u303f\u3041-\u3096\u3099-\u30ff\u4e00-\u9fa5\uac00-\ud7a3\uff01-\uff5e]*$/

/**
 * A password for hashing (SASLprep, RFC 4013).
 *
 * @throws WampError `wampy.error.usage` for text that SASLprep forbids
 */
export async function prepared(password: string): Promise<Uint8Array> {
  if (COMMON.test(password)) return utf8(password.normalize('NFKC'))
  const saslprep = await saslprepPackage()
  try {
    return utf8(saslprep(password))
  } catch {
    // Its own error could contain characters of the password.
    throw usage('the password contains a character that SASLprep (RFC 4013) forbids')
  }
}

async function saslprepPackage(): Promise<(password: string) => string> {
  try {
    return (await import('@mongodb-js/saslprep')).default
  } catch (error) {
    throw missing('@mongodb-js/saslprep', 'a password with rare characters', error)
  }
}
