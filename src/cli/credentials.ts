/** The options by which a command logs in. Secrets come from a file or the environment: other users see command lines. */

import { readFileSync } from 'node:fs'
import type { ClientAuth } from '../auth/contract.ts'
import { cryptosign } from '../auth/cryptosign.ts'
import { scram } from '../auth/scram.ts'
import { ticket } from '../auth/ticket.ts'
import { wampcra } from '../auth/wampcra.ts'
import type { ConnectionContext } from './contexts.ts'
import type { CommandOptions, OptionValues } from './define-command.ts'
import { messageOf, usageFailure } from './failure.ts'

const methods: Readonly<Record<string, (authid: string | undefined, secret: string) => ClientAuth>> = {
  ticket: (authid, secret) => ticket(named(authid), secret),
  wampcra: (authid, secret) => wampcra(named(authid), secret),
  'wamp-scram': (authid, secret) => scram(named(authid), secret),
  scram: (authid, secret) => scram(named(authid), secret, { dialect: 'crossbar' }),
  cryptosign: (authid, secret) => cryptosign({ key: secret, authid }),
}

export const credentialOptions = {
  auth: {
    type: 'string',
    value: 'method',
    choices: Object.keys(methods),
    help: `how to log in: ${Object.keys(methods).join(', ')} (default: $WAMPY_AUTH, else anonymously)`,
  },
  authid: { type: 'string', value: 'name', help: 'the name to log in with (default: $WAMPY_AUTHID)' },
  'secret-file': {
    type: 'string',
    value: 'path',
    help: 'a file with the ticket, password or private key (default: the text in $WAMPY_SECRET)',
  },
  'secret-env': { type: 'string', value: 'name', help: 'the environment variable with the secret, in place of a file' },
} as const satisfies CommandOptions

/** What names the credentials of a login; a context has the same fields. */
type CredentialNames = Pick<ConnectionContext, 'auth' | 'authid' | 'secretEnv' | 'secretFile'>

export function credentialNames(values: OptionValues<typeof credentialOptions>): CredentialNames {
  const { auth, authid, 'secret-env': secretEnv, 'secret-file': secretFile } = values
  return { auth, authid, secretEnv, secretFile }
}

/** The option `auth` of a client. A context stands in for the variables of the environment; options take precedence over both. */
export function credentialsFrom(
  values: OptionValues<typeof credentialOptions>,
  context: CredentialNames | undefined,
): readonly ClientAuth[] {
  const stated = credentialNames(values)
  const { WAMPY_AUTH, WAMPY_AUTHID } = process.env
  const others = context ?? { auth: WAMPY_AUTH || undefined, authid: WAMPY_AUTHID, secretEnv: 'WAMPY_SECRET' }
  const auth = stated.auth ?? others.auth
  checkCredentials({ ...stated, auth })
  if (auth === undefined) return []
  const authid = stated.authid ?? others.authid
  const make = methodNamed(auth)
  const secret = secretFrom((stated.secretEnv ?? stated.secretFile) === undefined ? others : stated)
  try {
    return [make(authid, secret)]
  } catch (error) {
    throw usageFailure(messageOf(error))
  }
}

/** Checks what names credentials, but not the secret, which may be missing on this machine. */
export function checkCredentials({ auth, authid, secretEnv, secretFile }: CredentialNames): void {
  if (secretEnv !== undefined && secretFile !== undefined) {
    throw usageFailure('--secret-env and --secret-file contradict each other: give one of them')
  }
  if (auth !== undefined) methodNamed(auth)
  else if ((authid ?? secretEnv ?? secretFile) !== undefined) {
    throw usageFailure(`name the method too: --auth ${Object.keys(methods).join(', ')}`)
  }
}

function methodNamed(auth: string): (authid: string | undefined, secret: string) => ClientAuth {
  const make = Object.hasOwn(methods, auth) ? methods[auth] : undefined
  if (make) return make
  throw usageFailure(`--auth must be ${Object.keys(methods).join(', ')}, got "${auth}"`)
}

function named(authid: string | undefined): string {
  if (authid !== undefined) return authid
  throw usageFailure('name yourself: --authid, or the environment variable WAMPY_AUTHID')
}

function secretFrom({ secretEnv, secretFile }: CredentialNames): string {
  if (secretFile === undefined) {
    const secret = secretEnv === undefined ? undefined : process.env[secretEnv]
    if (secret !== undefined) return secret
    const where =
      secretEnv === undefined || secretEnv === 'WAMPY_SECRET' ? '' : `: the variable ${secretEnv} is not set`
    throw usageFailure(
      `the secret is missing${where || ': put it into a file and name that by --secret-file, or into WAMPY_SECRET'}`,
    )
  }
  try {
    // Editors end the last line.
    return readFileSync(secretFile, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw usageFailure(`cannot read ${secretFile}: ${messageOf(error)}`)
  }
}
