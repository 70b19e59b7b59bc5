/** Principals in a JSON file, which is read again when it changes. */

import { readFileSync, statSync } from 'node:fs'
import type { PrincipalTable } from '../auth/principals.ts'
import { usage, type WampError } from '../protocol/error.ts'
import { checkRules, FUNCTION, type OptionRules } from '../protocol/option-rules.ts'
import { formatValue, isDict } from '../protocol/validate.ts'

export interface PrincipalsFileOptions {
  /**
   * Called when the changed file cannot be read; the principals stay as they were, and a further change is tried. Default:
   * a line on the console.
   */
  readonly onError?: ((error: WampError) => void) | undefined
}

const RULES: OptionRules<PrincipalsFileOptions> = { onError: FUNCTION }

/**
 * The principals of a JSON file: a dictionary by authid, as a method takes it in a program. Every login looks whether the
 * file has changed; sessions that have joined stay. Replace the file as a whole (write another one and rename it).
 *
 * @example
 * const router = new Router({ auth: [scramAuth(principalsFile('users.json'))] })
 * @throws WampError `wampy.error.usage` if the file cannot be read now
 */
// biome-ignore lint/suspicious/noExplicitAny: the content of the file is that of whatever method reads it
export function principalsFile<P = any>(path: string | URL, options: PrincipalsFileOptions = {}): PrincipalTable<P> {
  checkRules('principalsFile', options, RULES)
  const { onError = ({ message }: WampError) => console.warn(message) } = options
  let version = versionOf(path)
  let table = read<P>(path)

  function current(): Readonly<Record<string, P>> {
    const now = versionOf(path)
    if (now === version) return table
    // Once for each version, also of a file that is not valid.
    version = now
    try {
      table = read<P>(path)
    } catch (error) {
      onError(error as WampError)
    }
    return table
  }

  const find = (name: string): P | undefined => {
    const principals = current()
    return Object.hasOwn(principals, name) ? principals[name] : undefined
  }
  return Object.assign(find, { table: current })
}

/** Changes with the file; empty while there is none. */
function versionOf(path: string | URL): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}` : ''
}

function read<P>(path: string | URL): Readonly<Record<string, P>> {
  const cannot = (reason: string): WampError => usage(`the principals in ${path} cannot be read: ${reason}`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw cannot((error as NodeJS.ErrnoException).code ?? 'the file cannot be opened')
  }
  let content: unknown
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    // The message itself quotes the file, which contains secrets.
    const place = /position (\d+)/.exec((error as Error).message)?.[1]
    const line = place === undefined ? '' : ` (line ${text.slice(0, Number(place)).split('\n').length})`
    throw cannot(`it is not valid JSON${line}`)
  }
  if (!isDict(content)) throw cannot('it must be a dictionary by authid, such as {"joe": {"role": "user"}}')
  for (const [name, principal] of Object.entries(content)) {
    if (!isDict(principal)) throw cannot(`the principal ${formatValue(name)} must be a dictionary`)
  }
  return content as Readonly<Record<string, P>>
}
