/** The passkeys of users: the server's checks when one is registered and when one logs in (WebAuthn, sections 7.1 and 7.2). */

import { createHash, createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto'

/** Milliseconds in which a challenge must be answered. */
const CHALLENGE_TIME = 5 * 60_000
/** The oldest challenges are forgotten first. */
const MOST_CHALLENGES = 10_000
const MOST_PASSKEYS = 10_000

/** Bits of the flags in authenticator data: the user was present, and was verified by a PIN or a finger. */
const PRESENT = 1
const VERIFIED = 4

/** A `PublicKeyCredential` as its `toJSON()` returns it. Binary fields are base64url. */
export interface CredentialJson {
  readonly id: string
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    /** Of a registration: DER (SubjectPublicKeyInfo). */
    readonly publicKey?: string
    /** Of a login. */
    readonly signature?: string
  }
}

/** @throws Error for anything that a browser does not send */
export function credentialFrom(value: unknown): CredentialJson {
  const { id, response } = Object(value)
  const fields = Object(response)
  const texts = [id, fields.clientDataJSON, fields.authenticatorData, fields.publicKey ?? '', fields.signature ?? '']
  if (texts.every((text) => typeof text === 'string')) return value as CredentialJson
  throw new Error('a credential has an id and a response')
}

interface Passkey {
  readonly user: string
  readonly key: KeyObject
  /** The signature counter, which many authenticators leave at 0. */
  count: number
}

const bytesOf = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')
const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest()

export class Passkeys {
  /** The domain for which browsers use the passkeys. */
  readonly rpId: string
  readonly #origin: string
  readonly #passkeys = new Map<string, Passkey>()
  readonly #challenges = new Map<string, number>()

  /** `origin` is that of the pages, such as `https://example.com`. */
  constructor(origin: string) {
    this.#origin = origin
    this.rpId = new URL(origin).hostname
  }

  /** A new challenge, for one registration or login. */
  challenge(): string {
    const challenge = randomBytes(32).toString('base64url')
    this.#challenges.set(challenge, Date.now() + CHALLENGE_TIME)
    if (this.#challenges.size > MOST_CHALLENGES) this.#challenges.delete(this.#challenges.keys().next().value as string)
    return challenge
  }

  /** Stores the first passkey of a user. @throws Error for a credential that was not made for this server, or a name that is taken */
  register(user: string, { id, response }: CredentialJson): void {
    this.#check(response, 'webauthn.create')
    if ([...this.#passkeys.values()].some((passkey) => passkey.user === user)) throw new Error('the name is taken')
    if (this.#passkeys.size === MOST_PASSKEYS) throw new Error('this demo has enough users')
    if (this.#passkeys.has(id)) throw new Error('the passkey is registered already')
    // Without attestation, nothing vouches for the key but the user who registers it.
    const key = createPublicKey({ key: bytesOf(response.publicKey), format: 'der', type: 'spki' })
    this.#passkeys.set(id, { user, key, count: 0 })
  }

  /** Returns the user of a passkey. @throws Error for an unknown one, or a signature that is not valid */
  login({ id, response }: CredentialJson): string {
    const count = this.#check(response, 'webauthn.get')
    const passkey = this.#passkeys.get(id)
    if (!passkey) throw new Error('the passkey is unknown')
    const signed = Buffer.concat([bytesOf(response.authenticatorData), sha256(bytesOf(response.clientDataJSON))])
    const hash = passkey.key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
    if (!verify(hash, signed, passkey.key, bytesOf(response.signature))) throw new Error('the signature is wrong')
    if ((count > 0 || passkey.count > 0) && count <= passkey.count) throw new Error('the passkey was copied')
    passkey.count = count
    return passkey.user
  }

  /** Checks what both ceremonies have in common; returns the signature counter. */
  #check(response: CredentialJson['response'], type: string): number {
    const client = JSON.parse(bytesOf(response.clientDataJSON).toString())
    const until = this.#challenges.get(client.challenge) ?? 0
    // Valid once.
    this.#challenges.delete(client.challenge)
    if (until < Date.now()) throw new Error('the challenge is unknown')
    if (client.type !== type || client.origin !== this.#origin)
      throw new Error('the credential was made for another use')
    const data = bytesOf(response.authenticatorData)
    if (data.length < 37 || !data.subarray(0, 32).equals(sha256(this.rpId))) throw new Error('it is for another domain')
    const flags = data.readUInt8(32)
    if (!(flags & PRESENT) || !(flags & VERIFIED)) throw new Error('the user was not verified')
    return data.readUInt32BE(33)
  }
}
