/** What a subcommand is made of; its arguments and its help come from the same description. */

import { parseArgs } from 'node:util'
import { misuse, textOf } from './failure.ts'

export interface Option {
  readonly type: 'string' | 'boolean'
  /** May be given several times. */
  readonly multiple?: boolean
  /** What stands for its value in the help. */
  readonly value?: string
  readonly help: string
}

export type Options = Readonly<Record<string, Option>>

type ValueOf<O extends Option> = O extends { type: 'boolean' }
  ? boolean
  : O extends { multiple: true }
    ? string[]
    : string

export type Values<O extends Options> = { readonly [Name in keyof O]: ValueOf<O[Name]> | undefined }

export interface Description<O extends Options> {
  readonly name: string
  /** One line in `wampy --help`. */
  readonly summary: string
  /** The names of the arguments that must be there. */
  readonly takes?: readonly string[]
  /** The name of what may follow them. */
  readonly rest?: string
  readonly options: O
  /** What else there is to know. */
  readonly notes?: string
  readonly examples: readonly string[]
  /** Resolves when it is done; throws a Failure. */
  run(values: Values<O>, operands: readonly string[]): Promise<void>
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly help: string
  run(args: readonly string[]): Promise<void>
}

export function command<const O extends Options>(description: Description<O>): Command {
  const { name, summary, takes = [], rest, run } = description
  const options: Options = { ...description.options, help: { type: 'boolean', help: 'this text' } }
  const operands = [...takes.map((each) => `<${each}>`), ...(rest ? [`[${rest} ...]`] : [])]
  const help = `${[
    `Usage: wampy ${[name, ...operands, '[options]'].join(' ')}`,
    summary,
    ...(description.notes ? [description.notes] : []),
    `Options:\n${columns(Object.entries(options).map(([key, { value, help }]) => [flag(key, value), help]))}`,
    `Examples:\n${description.examples.map((each) => `  ${each}`).join('\n')}`,
  ].join('\n\n')}\n`
  return {
    name,
    summary,
    help,
    async run(args) {
      const { values, positionals } = parsed(args, options)
      if (values['help']) {
        process.stdout.write(help)
        return
      }
      const missing = takes[positionals.length]
      if (missing) throw misuse(`<${missing}> is missing`)
      const surplus = rest ? undefined : positionals[takes.length]
      if (surplus !== undefined) throw misuse(`"${surplus}" is one argument too many`)
      await run(values as Values<O>, positionals)
    },
  }
}

/** A table of two columns, the first as wide as its longest. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([first]) => first.length))
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`).join('\n')
}

/** A whole number that an option says. */
export function whole(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
  throw misuse(`--${option} must be a whole number, ${range}, got "${text}"`)
}

/** Milliseconds that an option says, as long as a timer can be. */
export function milliseconds(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : whole(option, text, 1, 2 ** 31 - 1)
}

function flag(name: string, value: string | undefined): string {
  return value ? `--${name} <${value}>` : `--${name}`
}

function parsed(
  args: readonly string[],
  options: Options,
): { values: Record<string, unknown>; positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: args.map(hidden),
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
      ),
      allowPositionals: true,
    })
    const shown = Object.entries(values).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(revealed) : revealed(value),
    ])
    return { values: Object.fromEntries(shown), positionals: positionals.map(revealed) }
  } catch (error) {
    throw misuse(textOf(error).replace(/^Unknown option '(.*?)'.*$/s, 'there is no option $1'))
  }
}

// `-1` is a number here and no option. No argument of a process can hold a NUL, so that one may mark it.
function hidden(arg: string): string {
  return /^-\.?\d/.test(arg) ? `\0${arg}` : arg
}

function revealed<T>(value: T): T {
  return typeof value === 'string' ? (value.replace(/^\0/, '') as T) : value
}
