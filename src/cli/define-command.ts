/** Makes a subcommand from a definition: its argument parser and its help text. */

import { parseArgs } from 'node:util'
import { LONGEST_TIMER } from '../protocol/durations.ts'
import { messageOf, usageFailure } from './failure.ts'
import { formatColumns } from './output.ts'

export interface CommandOption {
  readonly type: 'string' | 'boolean'
  /** The option may be given several times. */
  readonly multiple?: boolean
  /** One letter: `h` for `-h`. */
  readonly short?: string
  /** The placeholder of the value in the help text. */
  readonly value?: string
  /** The values, for the completion of a shell. */
  readonly choices?: readonly string[] | (() => readonly string[])
  readonly help: string
}

export type CommandOptions = Readonly<Record<string, CommandOption>>

type ValueOf<O extends CommandOption> = O extends { type: 'boolean' }
  ? boolean
  : O extends { multiple: true }
    ? string[]
    : string

export type OptionValues<O extends CommandOptions> = { readonly [Name in keyof O]: ValueOf<O[Name]> | undefined }

export interface CommandDefinition<O extends CommandOptions> {
  readonly name: string
  /** One line in `wampy-ts --help`. */
  readonly summary: string
  /** The arguments in the help text, if `required` and `rest` do not say it. */
  readonly usage?: string
  /** Names of the required arguments. */
  readonly required?: readonly string[]
  /** Name of the optional arguments that may follow. */
  readonly rest?: string
  /** The values of the first argument, for the completion of a shell. */
  readonly choices?: readonly string[]
  readonly options: O
  /** The output of `--json`, for the help text; false for a command that has no such option. */
  readonly json?: string | false
  /** Further paragraphs of the help text. */
  readonly notes?: string
  readonly examples: readonly string[]
  /** Resolves when the command is done; throws a Failure. */
  run(values: OptionValues<O>, operands: readonly string[]): Promise<void>
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly help: string
  readonly options: CommandOptions
  readonly choices: readonly string[]
  run(args: readonly string[]): Promise<void>
}

export function defineCommand<const O extends CommandOptions>(definition: CommandDefinition<O>): Command {
  const { name, summary, required = [], rest, json = 'print JSON only, errors included', run } = definition
  const options: CommandOptions = {
    ...definition.options,
    ...(json && { json: { type: 'boolean', help: json } }),
    help: { type: 'boolean', short: 'h', help: 'print this text' },
  }
  const operands = [...required.map((each) => `<${each}>`), ...(rest ? [`[${rest} ...]`] : [])]
  const help = `${[
    `Usage: wampy-ts ${name} ${definition.usage ?? [...operands, '[options]'].join(' ')}`,
    summary,
    ...(definition.notes ? [definition.notes] : []),
    `Options:\n${formatColumns(Object.entries(options).map(([key, option]) => [formatFlag(key, option), option.help]))}`,
    `Examples:\n${definition.examples.map((each) => `  ${each}`).join('\n')}`,
  ].join('\n\n')}\n`
  return {
    name,
    summary,
    help,
    options,
    choices: definition.choices ?? [],
    async run(args) {
      const { values: given, positionals } = parseCommandLine(args, options)
      const { help: asksForHelp, json: _, ...values } = given
      if (asksForHelp) {
        process.stdout.write(help)
        return
      }
      const missing = required[positionals.length]
      if (missing) throw usageFailure(`<${missing}> is missing`)
      const surplus = rest ? undefined : positionals[required.length]
      if (surplus !== undefined) throw usageFailure(`"${surplus}" is one argument too many`)
      await run(values as OptionValues<O>, positionals)
    },
  }
}

/** Parses the value of an option that takes a whole number. */
export function integerOption(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
  throw usageFailure(`--${option} must be a whole number, ${range}, got "${text}"`)
}

/** Parses the value of an option that takes milliseconds, up to the longest time of a timer. */
export function durationOption(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : integerOption(option, text, 1, LONGEST_TIMER)
}

const SECRETS = ['--secret', '--password', '--ticket', '--key']

const NO_SECRETS =
  ': other users see the command line; put the secret into a file or a variable, and name that by --secret-file or --secret-env'

function formatFlag(name: string, { short, value }: CommandOption): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` <${value}>` : ''}`
}

function parseCommandLine(
  args: readonly string[],
  options: CommandOptions,
): { values: Record<string, unknown>; positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: args.map(markNumber),
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, multiple = false, short }]) => [
          name,
          { type, multiple, ...(short ? { short } : {}) },
        ]),
      ),
      allowPositionals: true,
    })
    const unmarked = Object.entries(values).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(unmarkNumber) : unmarkNumber(value),
    ])
    return { values: Object.fromEntries(unmarked), positionals: positionals.map(unmarkNumber) }
  } catch (error) {
    const [, unknown] = /^Unknown option '(.*?)'/.exec(messageOf(error)) ?? []
    if (unknown === undefined) throw usageFailure(messageOf(error))
    throw usageFailure(`there is no option ${unknown}${SECRETS.includes(unknown) ? NO_SECRETS : ''}`)
  }
}

// `-1` is a number here, not an option. An argument of a process cannot contain a NUL, so a NUL may mark it.
function markNumber(arg: string): string {
  return /^-\.?\d/.test(arg) ? `\0${arg}` : arg
}

function unmarkNumber<T>(value: T): T {
  return typeof value === 'string' ? (value.replace(/^\0/, '') as T) : value
}
