/** The options by which a command logs in. Secrets come from a file or the environment: other users see command lines. */

import { readFileSync } from 'node:fs'
import type { ClientAuth } from '../auth/contract.ts'
import { cryptosign } from '../auth/cryptosign.ts'
import { scram } from '../auth/scram.ts'
import { ticket } from '../auth/ticket.ts'
import { wampcra } from '../auth/wampcra.ts'
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
    help: `how to log in: ${Object.keys(methods).join(', ')} (default: $WAMPY_AUTH, else anonymously)`,
  },
  authid: { type: 'string', value: 'name', help: 'the name to log in with (default: $WAMPY_AUTHID)' },
  'secret-file': {
    type: 'string',
    value: 'path',
    help: 'a file with the ticket, password or private key (default: the text in $WAMPY_SECRET)',
  },
} as const satisfies CommandOptions

/** The option `auth` of a client. */
export function credentialsFrom(values: OptionValues<typeof credentialOptions>): readonly ClientAuth[] {
  const method = values.auth ?? process.env['WAMPY_AUTH']
  const authid = values.authid ?? process.env['WAMPY_AUTHID']
  if (!method) {
    if (values.authid === undefined && values['secret-file'] === undefined) return []
    throw usageFailure(`name the method too: --auth ${Object.keys(methods).join(', ')}`)
  }
  const make = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (!make) throw usageFailure(`--auth must be ${Object.keys(methods).join(', ')}, got "${method}"`)
  try {
    return [make(authid, secretFrom(values['secret-file']))]
  } catch (error) {
    throw usageFailure(messageOf(error))
  }
}

function named(authid: string | undefined): string {
  if (authid !== undefined) return authid
  throw usageFailure('name yourself: --authid, or the environment variable WAMPY_AUTHID')
}

function secretFrom(path: string | undefined): string {
  if (path === undefined) {
    const secret = process.env['WAMPY_SECRET']
    if (secret !== undefined) return secret
    throw usageFailure('the secret is missing: put it into a file and name that by --secret-file, or into WAMPY_SECRET')
  }
  try {
    // Editors end the last line.
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw usageFailure(`cannot read ${path}: ${messageOf(error)}`)
  }
}
