/** `wamp-scram`: a password that the router cannot read, and a router that proves itself (Advanced Profile; RFC 5802, RFC 7677). */

import { WampError } from '../protocol/error.ts'
import { AUTHENTICATION_FAILED } from '../protocol/names.ts'
import type { Dict } from '../protocol/options.ts'
import { formatValue } from '../protocol/validate.ts'
import { fromBase64, toBase64 } from '../serializer/base64.ts'
import { fromHex, joinBytes, randomBytes, sameBytes, utf8, xorBytes } from './bytes.ts'
import { checkText, clientAuth, currentText, type Secret, unproved } from './client.ts'
import type { AuthContext, AuthDialect, AuthMethod, BindingSource, ChannelBinding, ClientAuth } from './contract.ts'
import { argon2id, hmacSha256, pbkdf2, prepared, sha256Of } from './crypto.ts'
import { denied, identityFrom, type PrincipalBase, type Principals, sourceFrom } from './principals.ts'

/** The derivation of the salted password. */
export interface ScramCost {
  readonly kdf: 'pbkdf2' | 'argon2id13'
  readonly iterations: number
  /** In KiB; for argon2id13 only. */
  readonly memory?: number | undefined
}

export interface ScramOptions {
  /** For clients in Node whose router supports it. Default: none. */
  readonly channelBinding?: ChannelBinding | undefined
  /** The method of Crossbar.io is called `scram`, and has no channel binding. */
  readonly dialect?: AuthDialect | undefined
}

/** Two methods of one attempt share the nonce, because HELLO has room for one. */
const nonces = /* @__PURE__ */ new WeakMap<AuthContext, string>()

/**
 * Proves the knowledge of a password, and verifies that the router knows the principal.
 *
 * @throws WampError `wampy.error.usage` for an authid that is not text
 */
export function scram(authid: string, password: Secret, { channelBinding, dialect }: ScramOptions = {}): ClientAuth {
  checkText('scram', 'the authid', authid)
  return clientAuth({
    method: nameFor(dialect),
    provesRouter: true,
    begin: async (context) => {
      const secret = await currentText('scram', 'the password', password)
      const nonce = nonces.get(context) ?? toBase64(randomBytes(24))
      nonces.set(context, nonce)
      let verifier: Uint8Array | undefined
      return {
        authid,
        authextra: { nonce, channel_binding: channelBinding },
        async answer(extra, hello) {
          const { cost, salt } = checkedCost(extra)
          const full = extra['nonce']
          if (typeof full !== 'string' || full === nonce || !continues(full, nonce, dialect)) {
            throw unproved('its nonce does not continue that of this client')
          }
          const binding = boundTo(hello.authextra['channel_binding'], context.channelBinding)
          const message = authMessage(dialect, authid, nonce, full, String(extra['salt']), cost.iterations, binding)
          const keys = await keysFrom(await saltedPassword(secret, salt, cost, dialect))
          verifier = await hmacSha256(keys.server, message)
          const proof = xorBytes(keys.client, await hmacSha256(keys.stored, message))
          const bound = binding && { channel_binding: binding.type, cbind_data: toBase64(binding.data) }
          return {
            signature: toBase64(proof),
            // Crossbar.io's dialect has no `extra`.
            extra: dialect ? {} : { nonce: full, channel_binding: null, ...bound },
          }
        },
        welcome({ authextra = {} }) {
          const claim = authextra[dialect ? 'scram_server_signature' : 'verifier']
          // The example of the specification has the prefix of RFC 5802.
          const bytes = typeof claim === 'string' ? fromBase64(claim.replace(/^v=/, '')) : undefined
          if (!verifier || !bytes || !sameBytes(verifier, bytes)) throw unproved('its verifier is wrong')
        },
      }
    },
  })
}

const nameFor = (dialect: AuthDialect | undefined): string => (dialect ? 'scram' : 'wamp-scram')

/** In the dialect, the bytes of the nonces are joined rather than their texts. */
function continues(full: string, nonce: string, dialect: AuthDialect | undefined): boolean {
  if (!dialect) return full.startsWith(nonce)
  const [all, own] = [fromBase64(full), fromBase64(nonce)]
  return all !== undefined && own !== undefined && sameBytes(own, all.subarray(0, own.length))
}

interface Binding {
  readonly type: ChannelBinding
  readonly data: Uint8Array
}

function boundTo(type: unknown, source: BindingSource | undefined): Binding | undefined {
  if (type === undefined || type === null) return undefined
  const data = source?.(type as ChannelBinding)
  if (data) return { type: type as ChannelBinding, data }
  throw new WampError(AUTHENTICATION_FAILED, [`this connection cannot be bound by ${formatValue(type)}`])
}

/** RFC 5802, section 3, with the order of WAMP's specification. */
function authMessage(
  dialect: AuthDialect | undefined,
  authid: string,
  nonce: string,
  full: string,
  salt: string,
  iterations: number,
  binding: Binding | undefined,
): Uint8Array {
  const name = dialect ? authid : authid.replaceAll('=', '=3D').replaceAll(',', '=2C')
  const header = binding ? `p=${binding.type},,` : 'n,,'
  const bound = dialect ? '' : toBase64(joinBytes(utf8(header), binding?.data ?? new Uint8Array()))
  return utf8(`n=${name},r=${nonce},r=${full},s=${salt},i=${iterations},c=${bound},r=${full}`)
}

interface ScramKeys {
  readonly client: Uint8Array
  readonly stored: Uint8Array
  readonly server: Uint8Array
}

async function keysFrom(salted: Uint8Array): Promise<ScramKeys> {
  const client = await hmacSha256(salted, utf8('Client Key'))
  return { client, stored: await sha256Of(client), server: await hmacSha256(salted, utf8('Server Key')) }
}

async function saltedPassword(
  password: string,
  salt: Uint8Array,
  { kdf, iterations, memory = 0 }: ScramCost,
  dialect: AuthDialect | undefined,
): Promise<Uint8Array> {
  // The dialect does not prepare passwords.
  const bytes = dialect ? utf8(password) : await prepared(password)
  if (kdf === 'pbkdf2') return pbkdf2(bytes, salt, iterations, 32)
  const hash = await argon2id(bytes, salt, iterations, memory, 32)
  // The dialect uses the text of the hash, without padding.
  return dialect ? utf8(toBase64(hash).replace(/=+$/, '')) : hash
}

const LEAST_ITERATIONS = 4096
const MOST_ITERATIONS = 10_000_000
/** KiB times passes. */
const MOST_ARGON2 = 16 * 2 ** 20

/** The parameters of a CHALLENGE: neither so cheap that they help an impostor, nor so dear that they stall the client. */
function checkedCost(extra: Dict): { readonly cost: ScramCost; readonly salt: Uint8Array } {
  const { kdf, iterations, memory } = extra
  const salt = typeof extra['salt'] === 'string' ? fromBase64(extra['salt']) : undefined
  const count = Number.isSafeInteger(iterations) ? (iterations as number) : 0
  const kib = Number.isSafeInteger(memory) ? (memory as number) : 0
  if (salt && kdf === 'pbkdf2' && count >= LEAST_ITERATIONS && count <= MOST_ITERATIONS) {
    return { salt, cost: { kdf, iterations: count } }
  }
  const argon2 = kdf === 'argon2id13' || kdf === 'argon2id-13'
  if (salt && argon2 && count > 0 && kib >= 8 && count * kib >= LEAST_ITERATIONS && count * kib <= MOST_ARGON2) {
    return { salt, cost: { kdf: 'argon2id13', iterations: count, memory: kib } }
  }
  throw new WampError(AUTHENTICATION_FAILED, [
    `the router wants the password derived by ${formatValue(kdf)} with ${formatValue(iterations)} iterations` +
      ` and ${formatValue(memory)} KiB, which this client refuses`,
  ])
}

/** What a router stores for a password. Texts are base64. */
export interface ScramSecret extends ScramCost {
  readonly salt: string
  readonly storedKey: string
  readonly serverKey: string
}

/** The secret of a principal as Crossbar.io's configuration has it, in hexadecimal digits. */
export interface CrossbarScramSecret {
  readonly kdf: 'pbkdf2' | 'argon2id-13'
  readonly iterations: number
  readonly memory?: number | undefined
  readonly salt: string
  readonly 'stored-key': string
  readonly 'server-key': string
}

export type ScramPrincipal = PrincipalBase & (ScramSecret | CrossbarScramSecret)

export interface ScramSecretOptions extends Partial<ScramCost> {
  readonly dialect?: AuthDialect | undefined
}

/**
 * Derives what a router stores for a password, with a new salt. The default is pbkdf2 with 100,000 iterations.
 *
 * @throws WampError `wampy.error.usage` for a password that SASLprep forbids
 */
export async function scramSecret(
  password: string,
  { kdf = 'pbkdf2', iterations = kdf === 'pbkdf2' ? 100_000 : 3, memory = 65_536, dialect }: ScramSecretOptions = {},
): Promise<ScramSecret> {
  checkText('scramSecret', 'the password', password)
  const salt = randomBytes(16)
  const cost = kdf === 'pbkdf2' ? { kdf, iterations } : { kdf, iterations, memory }
  checkedCost({ ...cost, salt: toBase64(salt) })
  const { stored, server } = await keysFrom(await saltedPassword(password, salt, cost, dialect))
  return { ...cost, salt: toBase64(salt), storedKey: toBase64(stored), serverKey: toBase64(server) }
}

interface Stored extends ScramCost {
  readonly salt: string
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** Undefined also for what an authenticator returns without a complete secret. */
function storedFrom(principal: ScramPrincipal): Stored | undefined {
  const { salt, iterations, memory } = principal
  const kdf = principal.kdf === 'pbkdf2' ? 'pbkdf2' : 'argon2id13'
  const hex = 'stored-key' in principal
  const decoded = (text: unknown): Uint8Array | undefined => {
    if (typeof text !== 'string') return undefined
    return hex ? fromHex(text, text.length / 2) : fromBase64(text)
  }
  const [bytes, storedKey, serverKey] = (
    hex ? [salt, principal['stored-key'], principal['server-key']] : [salt, principal.storedKey, principal.serverKey]
  ).map(decoded)
  if (!bytes || storedKey?.length !== 32 || serverKey?.length !== 32 || !Number.isSafeInteger(iterations))
    return undefined
  return { kdf, iterations, memory, salt: toBase64(bytes), storedKey, serverKey }
}

/**
 * Accepts sessions that know the password of a principal, and proves to them that the router knows it.
 *
 * @example
 * auth: [scramAuth({ joe: { ...(await scramSecret(password)), role: 'user' } })]
 * @throws WampError `wampy.error.usage` for principals that are not a table, a Map or a function
 */
export function scramAuth(
  principals: Principals<ScramPrincipal>,
  { dialect }: { readonly dialect?: AuthDialect | undefined } = {},
): AuthMethod {
  const name = nameFor(dialect)
  const source = sourceFrom(name, principals)
  // Makes the salts of unknown principals, which must be the same at each attempt.
  const own = randomBytes(32)
  return {
    name,
    authenticator: source.authenticator,
    async *authenticate(request) {
      const { authid = '', authextra, connection } = request
      const { nonce } = authextra
      const random = typeof nonce === 'string' ? fromBase64(nonce) : undefined
      if (typeof nonce !== 'string' || !random || random.length < 16) {
        throw new WampError(AUTHENTICATION_FAILED, ['HELLO needs authextra.nonce, base64 of at least 16 random bytes'])
      }
      const binding = boundTo(dialect ? undefined : authextra['channel_binding'], connection.channelBinding)
      const found = await source.find(authid, request)
      const decoy = await hmacSha256(own, utf8(authid))
      // The same work with and without a principal: only then does its time tell nothing.
      const like = found ?? source.example
      const stored = like && storedFrom(like)
      const fake = {
        kdf: stored?.kdf ?? 'pbkdf2',
        iterations: stored?.iterations ?? 100_000,
        memory: stored?.memory,
        salt: toBase64(decoy.subarray(0, fromBase64(stored?.salt ?? '')?.length || 16)),
        storedKey: decoy,
        serverKey: decoy,
      }
      const real = found && stored
      const { kdf, iterations, memory, salt, storedKey, serverKey } = real ?? fake
      const added = randomBytes(18)
      const full = dialect ? toBase64(joinBytes(random, added)) : nonce + toBase64(added)
      const word = dialect && kdf === 'argon2id13' ? 'argon2id-13' : kdf
      // Clients of the dialect expect a number for pbkdf2 too.
      const answer = yield {
        extra: { nonce: full, salt, kdf: word, iterations, memory: memory ?? (dialect ? 0 : null) },
      }
      const message = authMessage(dialect, authid, nonce, full, salt, iterations, binding)
      const proof = fromBase64(answer.signature)
      const signature = await hmacSha256(storedKey, message)
      const claimed = await sha256Of(xorBytes(signature, proof?.length === 32 ? proof : decoy))
      const verifier = toBase64(await hmacSha256(serverKey, message))
      const echoed = dialect !== undefined || echoes(answer.extra, full, binding)
      if (!sameBytes(claimed, storedKey) || !real || proof?.length !== 32 || !echoed) throw denied()
      return identityFrom(found as ScramPrincipal, authid, request, source.provider, {
        [dialect ? 'scram_server_signature' : 'verifier']: verifier,
      })
    },
  }
}

/** AUTHENTICATE repeats what both sides have agreed on. */
function echoes({ nonce, channel_binding, cbind_data }: Dict, full: string, binding: Binding | undefined): boolean {
  return (
    nonce === full &&
    (channel_binding ?? undefined) === binding?.type &&
    (cbind_data ?? undefined) === (binding && toBase64(binding.data))
  )
}
