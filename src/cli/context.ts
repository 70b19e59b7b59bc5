/** `wampy-ts context`: names routers, and the way to log in there. */

import { accessSync, constants } from 'node:fs'
import { resolve } from 'node:path'
import { DEFAULT_REALM } from '../protocol/names.ts'
import { checkConnection, connectionOptions } from './connect.ts'
import {
  type ConnectionContext,
  type ContextFile,
  contextNamed,
  contextsPath,
  readContexts,
  writeContexts,
} from './contexts.ts'
import { checkCredentials, credentialNames } from './credentials.ts'
import { defineCommand, type OptionValues } from './define-command.ts'
import { usageFailure } from './failure.ts'
import { isJson, printJson, printStatus, printTable } from './output.ts'

const ACTIONS = ['add', 'list', 'show', 'use', 'remove'] as const

const { context: _, ...settings } = connectionOptions

export const contextCommand = defineCommand({
  name: 'context',
  summary: 'Names routers, with the way to log in there, for --context of the other commands.',
  usage: '<add|list|show|use|remove> [name] [options]',
  required: ['action'],
  rest: 'name',
  choices: ACTIONS,
  options: {
    ...settings,
    replace: { type: 'boolean', help: 'let add replace a context' },
    none: { type: 'boolean', help: 'let use end the use of a context' },
  },
  json: 'print contexts as JSON, list one on each line',
  notes: `add stores the options of a connection under a name, list prints all contexts, show one (without a name the one in use), use chooses
the one for commands without --context, and remove deletes one. A context is used as a whole: the variables WAMPY_REALM, WAMPY_AUTH
and so on are then ignored. --url, or WAMPY_URL, takes precedence over WAMPY_CONTEXT and over the context in use.
The contexts are in ~/.config/wampy-ts/contexts.json (or below XDG_CONFIG_HOME), which only you can read. The file has the name of the
variable or of the file with a secret, never the secret.`,
  examples: [
    'wampy-ts context add prod --url wss://example.com/ws --realm shop --auth ticket --authid joe --secret-env PROD_TICKET',
    'wampy-ts context add local --url ws://localhost:8080/ws',
    'wampy-ts list --context prod',
    'wampy-ts context use prod',
  ],
  async run(values, [action = '', ...names]) {
    const known = ACTIONS.find((each) => each === action)
    if (!known) throw usageFailure(`"${action}" is not an action of context: ${ACTIONS.join(', ')}`)
    const [name, surplus] = names
    const extra = known === 'list' ? name : surplus
    if (extra !== undefined) throw usageFailure(`"${extra}" is one argument too many`)
    const allowed: readonly string[] =
      known === 'add' ? [...Object.keys(settings), 'replace'] : known === 'use' ? ['none'] : []
    for (const option of Object.keys(values)) {
      if (!allowed.includes(option)) throw usageFailure(`--${option} is not an option of context ${known}`)
    }
    const file = readContexts()
    if (known === 'list') return listContexts(file)
    if (known === 'use' && values.none) {
      if (name !== undefined) throw usageFailure(`--none and "${name}" contradict each other`)
      writeContexts({ ...file, current: undefined })
      return printStatus('no context is used', { current: null })
    }
    const chosen = name ?? (known === 'show' ? file.current : undefined)
    if (chosen === undefined)
      throw usageFailure(known === 'show' ? 'no context is in use: name one' : '<name> is missing')
    await perform(known, chosen, file, values)
  },
})

async function perform(
  action: Exclude<(typeof ACTIONS)[number], 'list'>,
  name: string,
  file: ContextFile,
  values: OptionValues<typeof settings & { replace: { type: 'boolean'; help: string } }>,
): Promise<void> {
  const { current, contexts } = file
  switch (action) {
    case 'add': {
      if (!/^[\w.-]+$/.test(name))
        throw usageFailure(`"${name}" is not a valid name: letters, digits and _ . - make one`)
      if (contexts.has(name) && !values.replace)
        throw usageFailure(`there is a context "${name}": --replace replaces it`)
      const context = contextFrom(values)
      writeContexts({ current, contexts: new Map([...contexts, [name, context]]) })
      return printStatus(`added ${name} to ${contextsPath()}`, { added: name })
    }
    case 'show':
      return showContext(name, contextNamed(file, name), name === current)
    case 'use':
      contextNamed(file, name)
      writeContexts({ current: name, contexts })
      return printStatus(`${name} is used by commands without --context`, { current: name })
    case 'remove': {
      contextNamed(file, name)
      const rest = new Map([...contexts].filter(([each]) => each !== name))
      writeContexts({ current: current === name ? undefined : current, contexts: rest })
      return printStatus(`removed ${name}`, { removed: name })
    }
  }
}

/** Checks everything but the secret, which may be missing on this machine now. */
function contextFrom(values: OptionValues<typeof settings>): ConnectionContext {
  const { url, realm, serializer } = values
  const { auth, authid, secretEnv, secretFile } = credentialNames(values)
  if (url === undefined) throw usageFailure('--url is missing: the address of the router')
  // Before the check, whose error shows a part of the address.
  if (/^[a-z]+:\/\/[^/?#]*@|[?#]/i.test(url)) {
    throw usageFailure('the address has a user, a query or a fragment, which may be a secret: a context stores none')
  }
  checkConnection({ url, realm, serializer })
  checkCredentials({ auth, authid, secretEnv, secretFile })
  if (auth !== undefined && (secretEnv ?? secretFile) === undefined) {
    throw usageFailure('name the variable or the file with the secret: --secret-env or --secret-file')
  }
  // A text that is not a name may be the secret itself. No error shows it.
  if (secretEnv !== undefined && !/^[A-Z_][A-Z0-9_]*$/.test(secretEnv) && process.env[secretEnv] === undefined) {
    throw usageFailure(
      '--secret-env takes the name of a variable, in capitals or set now, and no secret: a context stores none',
    )
  }
  if (secretFile !== undefined && !isReadable(secretFile)) {
    throw usageFailure('--secret-file takes the path of a file that can be read, and no secret: a context stores none')
  }
  return { url, realm, serializer, auth, authid, secretEnv, secretFile: secretFile && resolve(secretFile) }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

function listContexts({ current, contexts }: ContextFile): void {
  const sorted = [...contexts].sort(([one], [other]) => (one < other ? -1 : 1))
  if (isJson()) {
    for (const [name, context] of sorted) printJson({ name, current: name === current, ...context })
    return
  }
  const rows = sorted.map(([name, { url, realm = DEFAULT_REALM, auth = '', authid = '' }]) => [
    name === current ? '*' : '',
    ...[name, url, realm, auth, authid],
  ])
  printTable(rows, { head: ['', 'NAME', 'URL', 'REALM', 'AUTH', 'AUTHID'] })
}

function showContext(name: string, context: ConnectionContext, current: boolean): void {
  if (isJson()) {
    printJson({ name, current, ...context })
    return
  }
  const { url, realm, serializer, auth, authid, secretEnv, secretFile } = context
  const rows: (readonly [string, string | undefined])[] = [
    ['name', current ? `${name} (in use)` : name],
    ['url', url],
    ['realm', realm],
    ['serializer', serializer],
    ['auth', auth],
    ['authid', authid],
    ['secret', secretEnv && `variable ${secretEnv}${process.env[secretEnv] === undefined ? ' (not set)' : ''}`],
    ['secret', secretFile && `file ${secretFile}${isReadable(secretFile) ? '' : ' (cannot be read)'}`],
  ]
  printTable(rows.flatMap(([key, value]) => (value ? [[key, value]] : [])))
}
