/** Named routers with the way to log in there, in a file that only its owner can read. It names secrets and contains none. */

import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { isDict } from '../protocol/validate.ts'
import { Failure, messageOf, usageFailure } from './failure.ts'

/** What a context states of a connection. */
export interface ConnectionContext {
  readonly url: string
  readonly realm?: string | undefined
  readonly serializer?: string | undefined
  readonly auth?: string | undefined
  readonly authid?: string | undefined
  /** The name of the environment variable with the secret. */
  readonly secretEnv?: string | undefined
  /** The absolute path of the file with the secret. */
  readonly secretFile?: string | undefined
}

const FIELDS = ['url', 'realm', 'serializer', 'auth', 'authid', 'secretEnv', 'secretFile'] as const

export interface ContextFile {
  /** The one in use without `--context`. */
  readonly current: string | undefined
  readonly contexts: ReadonlyMap<string, ConnectionContext>
}

/** `~/.config/wampy-ts/contexts.json`, or below XDG_CONFIG_HOME. */
export function contextsPath(): string {
  const home = process.env['XDG_CONFIG_HOME']
  return join(home && isAbsolute(home) ? home : join(homedir(), '.config'), 'wampy-ts', 'contexts.json')
}

/**
 * The context of a command: the one that `--context` names, else with `--url` or WAMPY_URL none, else the one that
 * WAMPY_CONTEXT names, else the one of `context use`.
 *
 * @throws Failure for a name that does not exist, and for a file that others can read or change
 */
export function contextInUse(flag: string | undefined, url: string | undefined): ConnectionContext | undefined {
  if (flag !== undefined) {
    if (url !== undefined) throw usageFailure('--context and --url contradict each other: a context has an address')
    return contextNamed(readContexts(), flag)
  }
  if (url !== undefined || process.env['WAMPY_URL']) return undefined
  const file = readContexts()
  const name = process.env['WAMPY_CONTEXT'] || file.current
  return name === undefined ? undefined : contextNamed(file, name)
}

/** @throws Failure (exit code 2) that lists the contexts */
export function contextNamed({ contexts }: ContextFile, name: string): ConnectionContext {
  const found = contexts.get(name)
  if (found) return found
  const names = [...contexts.keys()].sort()
  const known = names.length ? `the contexts are ${names.join(', ')}` : 'add one with "wampy-ts context add"'
  throw usageFailure(`there is no context "${name}"; ${known}`)
}

/** @throws Failure for a file that others can read or change, and for one that is not valid */
export function readContexts(): ContextFile {
  const path = contextsPath()
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { current: undefined, contexts: new Map() }
    throw new Failure(`the contexts cannot be read: ${messageOf(error)}`)
  }
  try {
    // Of the open file: the path may name another one a moment later.
    checkOwner(path, fstatSync(file), 0o077, 'chmod 600')
    checkFolder(path)
    return parseContexts(path, readFileSync(file, 'utf8'))
  } finally {
    closeSync(file)
  }
}

function checkFolder(path: string): void {
  const folder = dirname(path)
  checkOwner(folder, statSync(folder), 0o022, 'chmod 700')
}

/** Refuses a file or folder of another user, and one with any of the forbidden bits in its mode. */
function checkOwner(path: string, { mode, uid }: Stats, forbidden: number, cure: string): void {
  // Windows has no such modes.
  if (process.platform === 'win32') return
  if (uid !== process.getuid?.()) throw new Failure(`${path} belongs to another user, who could change your contexts`)
  if ((mode & forbidden) === 0) return
  const octal = (mode & 0o777).toString(8)
  const what = forbidden & 0o044 ? 'can be read or changed by others' : 'can be changed by others'
  throw new Failure(`${path} ${what} (mode ${octal}), and is not used: run ${cure} '${path}'`)
}

function parseContexts(path: string, text: string): ContextFile {
  const wrong = (problem: string): Failure => new Failure(`${path} is not a valid file of contexts: ${problem}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw wrong(messageOf(error))
  }
  if (!isDict(value) || !isDict(value['contexts'])) throw wrong('it must be an object with "contexts"')
  const { current, contexts } = value
  if (current !== undefined && typeof current !== 'string') throw wrong('"current" must be a name')
  for (const [name, context] of Object.entries(contexts as Record<string, unknown>)) {
    if (!isDict(context) || typeof context['url'] !== 'string') throw wrong(`"${name}" must be an object with a "url"`)
    for (const [key, item] of Object.entries(context)) {
      if (!FIELDS.some((field) => field === key) || typeof item !== 'string') {
        throw wrong(`"${name}" may have ${FIELDS.join(', ')}, each a text, got "${key}"`)
      }
    }
  }
  return { current, contexts: new Map(Object.entries(contexts as Record<string, ConnectionContext>)) }
}

/** Replaces the file: whole, or not at all. */
export function writeContexts({ current, contexts }: ContextFile): void {
  const named = contextsPath()
  const text = `${JSON.stringify({ current, contexts: Object.fromEntries(contexts) }, null, 2)}\n`
  try {
    mkdirSync(dirname(named), { recursive: true, mode: 0o700 })
    checkFolder(named)
    const path = realPathOf(named)
    const draft = `${path}.${process.pid}.new`
    const file = openSync(draft, 'wx', 0o600)
    try {
      // Whatever the umask is.
      fchmodSync(file, 0o600)
      writeFileSync(file, text)
      fsyncSync(file)
      renameSync(draft, path)
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`the contexts cannot be written: ${messageOf(error)}`)
  }
}

/** A link to a file elsewhere stays one. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
