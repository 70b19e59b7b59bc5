/** Node's REPL as a console for a client: interactive, or for lines that are piped in. */

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type REPLEval, type REPLServer, Recoverable, start } from 'node:repl'
import { Readable } from 'node:stream'
import type { RpcClient } from '../client/rpc-client.ts'
import { WampError } from '../protocol/error.ts'
import { Failure, formatError, messageOf } from './failure.ts'

interface ConsoleOptions {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  /** Variables of the console. */
  readonly names: Readonly<Record<string, unknown>>
}

export interface InteractiveOptions extends ConsoleOptions {
  /** The client whose procedures Tab completes. */
  readonly client: RpcClient
  /** Path of the file that keeps the history; empty for none. */
  readonly history: string
}

/** Milliseconds that a list of procedures is used for: the console asks for completions at every key. */
const COMPLETIONS_AGE = 3000

/** Milliseconds to wait for the list of procedures. */
const COMPLETIONS_TIMEOUT = 2000

/** Resolves when the user leaves the console. */
export async function runInteractively({ client, history, ...options }: InteractiveOptions): Promise<void> {
  const console = openConsole({ ...options, prompt: 'wampy> ', terminal: true })
  completeProcedures(console, client)
  if (history) {
    // A history that cannot be read or written is reported by the console and otherwise ignored.
    console.setupHistory(history, () => {})
  }
  await once(console, 'exit')
}

/**
 * Runs piped lines, each when the previous one is done. Resolves at the end of the input.
 *
 * @throws Failure if a line threw, or if the input ended within a statement
 */
export async function runLines(options: ConsoleOptions): Promise<void> {
  const console = openConsole({ ...options, input: Readable.from(linesOf(options.input)), prompt: '', terminal: false })
  const evaluate = console.eval
  // Node reports most errors only in the variable `_error`. A marker, because `undefined` can be thrown too.
  Object.assign(console, { lastError: Symbol('none') })
  const before: unknown = console.context['_error']
  let incomplete = false
  let failed: { readonly error: unknown } | undefined
  const evaluateNext: REPLEval = function (this: REPLServer, code, context, file, done) {
    // The console itself reads on while a line awaits. The prompt after the result resumes it.
    console.pause()
    incomplete = false
    evaluate.call(this, code, context, file, (error, result) => {
      incomplete = error instanceof Recoverable
      if (error && !incomplete) failed ??= { error }
      done(error, result)
    })
  }
  Object.assign(console, { eval: evaluateNext })
  await once(console, 'exit')
  const last: unknown = console.context['_error']
  if (last !== before) failed ??= { error: last }
  if (failed) {
    const { error } = failed
    throw new Failure(`a line of the input failed: ${WampError.is(error) ? formatError(error) : messageOf(error)}`)
  }
  if (incomplete) throw new Failure('the input ended within a statement')
}

function openConsole({
  names,
  ...options
}: ConsoleOptions & { readonly prompt: string; readonly terminal: boolean }): REPLServer {
  // In a context of its own, a literal would be an instance of a different Object.
  const console = start({ ...options, useGlobal: true })
  for (const [name, value] of Object.entries(names)) {
    Object.defineProperty(console.context, name, { value, configurable: true, enumerable: true, writable: true })
  }
  const close = (): void => console.close()
  process.once('SIGTERM', close)
  console.once('exit', () => process.off('SIGTERM', close))
  return console
}

async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  for await (const line of createInterface({ input })) yield `${line}\n`
}

type Complete = (line: string, done: (error: Error | null, result?: [string[], string]) => void) => void

/** Completes `client.rpc.` and `client.stream.` with the procedures of the realm, and all else as Node does. */
function completeProcedures(console: REPLServer, client: RpcClient): void {
  const completable = console as unknown as { completer: Complete }
  const completeCode = completable.completer
  let uris: Promise<string[]> | undefined
  let listed = 0
  const procedures = (): Promise<string[]> => {
    if (!uris || performance.now() - listed > COMPLETIONS_AGE) {
      listed = performance.now()
      // Patterns are not callable by name. A router without the registration meta API completes nothing.
      uris = client.entrypoints({ timeout: COMPLETIONS_TIMEOUT }).then(
        (entries) => entries.filter(({ match }) => match === 'exact').map(({ uri }) => uri),
        () => [],
      )
    }
    return uris
  }
  completable.completer = (line, done) => {
    const [text, path, typed = ''] = /\b(client\.(?:rpc|stream)\.)([\p{ID_Continue}$.]*)$/u.exec(line) ?? []
    if (text === undefined) return completeCode.call(console, line, done)
    procedures().then((all) => {
      const names = all.filter((uri) => uri.startsWith(typed) && isPath(uri)).sort()
      done(null, [names.map((uri) => `${path}${uri}`), text])
    })
  }
}

/** Checks that a URI can be written as property accesses. */
function isPath(uri: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*$/u.test(uri)
}
