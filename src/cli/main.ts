#!/usr/bin/env node
/** The command `wampy-ts`: runs a subcommand, and turns a failure into one line and an exit code. */

import { WampError } from '../protocol/error.ts'
import { VERSION } from '../protocol/version.ts'
import { commandNames, commands, isCommand, loadCommand } from './commands.ts'
import { errorDocument, Failure, FileFailure, formatError, messageOf, usageFailure } from './failure.ts'
import { formatJson } from './json-value.ts'
import { formatColumns, isJson, printError, printErrorLine, switchToJson } from './output.ts'

async function help(): Promise<string> {
  const loaded = await Promise.all(Object.values(commands).map((load) => load()))
  return `Usage: wampy-ts <command> [options]

WAMP for the shell: a router, services, calls and events.

Commands:
${formatColumns(loaded.map(({ name, summary }) => [name, summary]))}

"wampy-ts <command> --help" explains a command. "wampy-ts --version" prints the version.

Example:
  wampy-ts router &
  wampy-ts run ./date-service.mjs:DateService &
  wampy-ts call getTodaysDate

Exit codes: 0 success, 1 failure, 2 wrong command line. Errors are one line on stderr. With --json a command prints only JSON,
on stdout and on stderr. Text is coloured on a terminal, unless NO_COLOR is set.
`
}

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${VERSION}\n`)
    return
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const [about] = args
    process.stdout.write(isCommand(about) ? (await loadCommand(about)).help : await help())
    return
  }
  if (!isCommand(name))
    throw usageFailure(name === undefined ? 'a command is missing' : `there is no command "${name}"`)
  const command = await loadCommand(name)
  await command.run(args)
}

/** Prints an error as one line and returns the exit code. */
function exitCodeFor(error: unknown, name: string | undefined): number {
  const command = isCommand(name) ? `wampy-ts ${name}` : 'wampy-ts'
  if (isJson()) {
    process.stderr.write(`${formatJson({ error: errorDocument(error) })}\n`)
    return error instanceof Failure ? error.exitCode : 1
  }
  if (WampError.is(error)) {
    // The answer of a peer: the line begins with the URI, for scripts.
    printError(formatError(error))
    return 1
  }
  if (error instanceof FileFailure) {
    for (const line of error.lines) printError(line)
    return error.exitCode
  }
  const exitCode = error instanceof Failure ? error.exitCode : 1
  const hint = isCommand(name) ? '' : `; the commands are ${commandNames.join(', ')}`
  printError(`${command}: ${messageOf(error)}${exitCode === 2 ? `${hint} (see ${command} --help)` : ''}`)
  return exitCode
}

let exitCode = 0
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    // A reader that closes the pipe early is not a failure: `wampy-ts call ... | head -1`.
    if (code === 'EPIPE') return
    exitCode = 1
    if (stream === process.stdout) printErrorLine(`wampy-ts: cannot write: ${message}`)
  })
}

const argv = process.argv.slice(2)
// Before the command line is parsed: the error of a wrong one is JSON too. What follows -- is not an option.
if (argv.slice(1, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json')) switchToJson()
try {
  await main(argv)
} catch (error) {
  exitCode = exitCodeFor(error, argv[0])
}
// Handles that a service or a console left open must not keep the process alive; its output must be flushed first.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
process.exit(exitCode)
