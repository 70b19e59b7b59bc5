#!/usr/bin/env node
/** The command `wampy`: finds the subcommand, and turns what failed into one line and an exit code. */

import { WampError } from '../protocol/error.ts'
import { type Command, columns } from './command.ts'
import { Failure, misuse, spelled, textOf, warn } from './failure.ts'

declare const __VERSION__: string

// Loaded when asked for: what a router needs would double the time that a call takes to start.
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  router: async () => (await import('./router.ts')).router,
  run: async () => (await import('./run.ts')).run,
  call: async () => (await import('./call.ts')).call,
  publish: async () => (await import('./publish.ts')).publish,
  subscribe: async () => (await import('./subscribe.ts')).subscribe,
  list: async () => (await import('./list.ts')).list,
  describe: async () => (await import('./describe.ts')).describe,
  repl: async () => (await import('./repl.ts')).repl,
}

const names = Object.keys(commands)

function known(name: string | undefined): name is string {
  return name !== undefined && names.includes(name)
}

async function help(): Promise<string> {
  const loaded = await Promise.all(Object.values(commands).map((load) => load()))
  return `Usage: wampy <command> [options]

WAMP for the shell: a router, services, calls and events.

Commands:
${columns(loaded.map(({ name, summary }) => [name, summary]))}

"wampy <command> --help" says more. "wampy --version" prints the version.

Example:
  wampy router &
  wampy run ./date-service.mjs:DateService &
  wampy call getTodaysDate

Exit codes: 0 done, 1 it did not work, 2 the command line was wrong. Errors are one line on stderr.
`
}

function load(name: string): Promise<Command> {
  return (commands[name] as () => Promise<Command>)()
}

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${typeof __VERSION__ === 'string' ? __VERSION__ : 'source'}\n`)
    return
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const [about] = args
    process.stdout.write(known(about) ? (await load(about)).help : await help())
    return
  }
  if (!known(name)) throw misuse(name === undefined ? 'a command is missing' : `there is no command "${name}"`)
  const command = await load(name)
  await command.run(args)
}

/** What failed, as a line and an exit code. */
function report(error: unknown, name: string | undefined): number {
  const wampy = known(name) ? `wampy ${name}` : 'wampy'
  if (WampError.is(error)) {
    // An answer to what was asked: the line begins with the URI, for a script to read.
    warn(spelled(error))
    return 1
  }
  const exitCode = error instanceof Failure ? error.exitCode : 1
  const hint = known(name) ? '' : `; there are ${names.join(', ')}`
  warn(`${wampy}: ${textOf(error)}${exitCode === 2 ? `${hint} (see ${wampy} --help)` : ''}`)
  return exitCode
}

let exitCode = 0
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    // A reader that has read enough is no failure: `wampy call ... | head -1`.
    if (code === 'EPIPE') return
    exitCode = 1
    if (stream === process.stdout) warn(`wampy: cannot write: ${message}`)
  })
}

const argv = process.argv.slice(2)
try {
  await main(argv)
} catch (error) {
  exitCode = report(error, argv[0])
}
// What a service or a console left open must not keep the process, and what was written must get out first.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
process.exit(exitCode)
