/** The client's conversation: HELLO's offer of several methods, the answers to CHALLENGE, and the proof in WELCOME. */

import { usage, violation, WampError } from '../protocol/error.ts'
import { AUTHENTICATION_FAILED, CONNECTION_FAILED } from '../protocol/names.ts'
import type { Dict } from '../protocol/options.ts'
import { formatValue, isDict } from '../protocol/validate.ts'
import type {
  AuthAnswer,
  AuthAttempt,
  AuthContext,
  AuthOffer,
  ClientAuth,
  ClientAuthMethod,
  HelloAuth,
} from './contract.ts'

/**
 * Makes a client's method of authentication.
 *
 * @example
 * const pin = clientAuth({ method: 'pin', begin: () => ({ authid: 'joe', answer: () => ({ signature: ask(), extra: {} }) }) })
 * new WampClient({ auth: [pin] })
 * @throws WampError `wampy.error.usage` for a definition without a method or `begin`
 */
export function clientAuth(definition: ClientAuthMethod): ClientAuth {
  const { method, begin } = isDict(definition) ? (definition as unknown as ClientAuthMethod) : ({} as ClientAuthMethod)
  if (typeof method !== 'string' || !method || typeof begin !== 'function') {
    throw usage(`an authentication method is { method: 'name', begin() {} }, got ${formatValue(definition)}`)
  }
  return { ...definition, offer }
}

/** A secret of a client: the value, or a function that is called for each attempt. */
export type Secret<T = string> = T | (() => T | Promise<T>)

export async function currentSecret<T>(secret: Secret<T>): Promise<T> {
  return typeof secret === 'function' ? await (secret as () => T | Promise<T>)() : secret
}

/** The present value of a secret that must be text. */
export async function currentText(method: string, name: string, secret: Secret): Promise<string> {
  const text = await currentSecret(secret)
  checkText(method, name, text)
  return text
}

/** @throws WampError `wampy.error.usage` that does not contain the value, which may be a secret */
export function checkText(method: string, name: string, value: unknown): asserts value is string {
  if (typeof value === 'string') return
  throw usage(`${method} needs ${name} as text, got ${value === null ? 'null' : typeof value}`)
}

interface Begun {
  readonly definition: ClientAuth
  readonly attempt: AuthAttempt
}

async function offer(methods: readonly ClientAuth[], context: AuthContext): Promise<AuthOffer> {
  const begun = await Promise.all(
    methods.map(async (definition): Promise<Begun> => ({ definition, attempt: await begin(definition, context) })),
  )
  const hello = merged(begun)
  let proving: Begun | undefined
  return {
    details: { authmethods: methods.map(({ method }) => method), ...hello },
    async answer(method, extra) {
      proving = begun.find(({ definition }) => definition.method === method)
      if (!proving?.attempt.answer) throw violation(`CHALLENGE for ${formatValue(method)}, which was not offered`)
      return checkedAnswer(method, await attempted(proving.definition, () => proving?.attempt.answer?.(extra, hello)))
    },
    welcome(details) {
      if (proving) proving.attempt.welcome?.(details)
      else if (begun.every(({ definition }) => definition.provesRouter)) throw unproved()
    },
  }
}

/** The error of a CHALLENGE that cannot be answered, whatever the secret is. */
export function unanswerable(method: string, text: string): WampError {
  return new WampError(AUTHENTICATION_FAILED, [`the router's CHALLENGE for ${method} ${text}`])
}

/** The error of a router that does not prove its identity. */
export function unproved(text = 'it sent no CHALLENGE'): WampError {
  return new WampError(AUTHENTICATION_FAILED, [`the router did not prove that it knows this client's secret: ${text}`])
}

function begin(definition: ClientAuth, context: AuthContext): Promise<AuthAttempt> {
  return attempted(definition, () => definition.begin(context)) as Promise<AuthAttempt>
}

/** Runs code of the method: an error without a URI becomes one, which says if another attempt makes sense. */
async function attempted<T>({ method }: ClientAuth, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const { retry, message } = Object(error) as { retry?: unknown; message?: unknown }
    if (WampError.is(error) && retry !== true) throw error
    const uri = retry === true ? CONNECTION_FAILED : AUTHENTICATION_FAILED
    throw new WampError(
      uri,
      [`the authentication method ${method} failed: ${String(message ?? error)}`],
      {},
      { cause: error },
    )
  }
}

function checkedAnswer(method: string, answer: unknown): AuthAnswer {
  const { signature, extra = {} } = Object(answer) as Partial<AuthAnswer>
  if (typeof signature === 'string' && isDict(extra)) return { signature, extra: extra as Dict }
  throw usage(`the answer of the authentication method ${method} must be { signature: 'text', extra: {} }`)
}

/** HELLO carries one `authid` and one `authextra` for all methods. */
function merged(begun: readonly Begun[]): HelloAuth & Dict {
  let authid: string | undefined
  const authextra: Record<string, unknown> = {}
  for (const { definition, attempt } of begun) {
    if (attempt.authid !== undefined) {
      if (authid !== undefined && authid !== attempt.authid) {
        throw usage(
          `a client has one authid, but ${definition.method} names ${formatValue(attempt.authid)} and another method ${formatValue(authid)}`,
        )
      }
      authid = attempt.authid
    }
    for (const [key, value] of Object.entries(attempt.authextra ?? {})) {
      const other = authextra[key]
      if (value === undefined || value === null) continue
      if (other !== undefined && other !== value) {
        throw usage(
          `HELLO has one authextra.${key}, but ${definition.method} needs ${formatValue(value)} and another method ${formatValue(other)}`,
        )
      }
      authextra[key] = value
    }
  }
  return { ...(authid !== undefined && { authid }), authextra }
}
