/** The values that a command line states: arguments, `--kwargs` and `--options`, each in place, on stdin (`-`) or in a file (`@path`). */

import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Dict } from '../protocol/options.ts'
import { formatValue, isDict } from '../protocol/validate.ts'
import { messageOf, usageFailure } from './failure.ts'
import { parseArgument, parseJson } from './json-value.ts'

/** A paragraph for the help of commands that take values. */
export const VALUES = `Arguments are JSON; an argument that is not valid JSON is text, so 1 is a number, '"1"' and one are text.
Bytes are text of NUL and base64, as in WAMP's JSON: '"\\u0000AQID"'. After -- nothing is an option.
An argument, or the value of --kwargs or --options, may be @path, the content of a file, or -, standard input, which can be read
once. The same rules hold for their content, at most 16 MiB; a line end after text is removed, and content that is not UTF-8 is
bytes. @@name is the text "@name", and '"-"' a single dash.`

export const kwargsOption = {
  type: 'string',
  value: 'json',
  help: `keyword arguments: '{"unit":"cm"}', @file, or - for standard input`,
} as const

/** Bytes of a file or of standard input: as long as the longest message of a router with default limits. */
const LONGEST_CONTENT = 16 * 1024 * 1024

/** The values of a command line. */
export interface StatedValues {
  readonly args: unknown[]
  readonly kwargs: Dict | undefined
  readonly options: Dict | undefined
}

/**
 * Reads the values that the operands, `--kwargs` and `--options` state.
 *
 * @throws Failure (exit code 2) for dictionaries that are not JSON objects, for a second `-`, and for content that cannot be read
 */
export async function readValues(
  operands: readonly string[],
  { kwargs, options }: { readonly kwargs?: string | undefined; readonly options?: string | undefined },
): Promise<StatedValues> {
  const dashes = [...operands, kwargs, options].filter((each) => each === STDIN).length
  if (dashes > 1) throw usageFailure(`standard input can be read once: "-" was given ${dashes} times`)
  const args: unknown[] = []
  for (const operand of operands) {
    const content = await contentOf(operand)
    if (content) args.push(parseContent(content))
    else args.push(operand.startsWith('@@') ? operand.slice(1) : parseArgument(operand))
  }
  return {
    args,
    kwargs: await dictFrom('kwargs', kwargs, '{"unit":"cm"}'),
    options: await dictFrom('options', options, '{"disclose_me":true}'),
  }
}

const STDIN = '-'

/** The content that an argument names; undefined for one that is a value itself. */
async function contentOf(argument: string): Promise<Buffer | undefined> {
  if (argument === STDIN) return readBounded(process.stdin, 'standard input')
  if (!argument.startsWith('@') || argument.startsWith('@@')) return undefined
  const path = argument.slice(1)
  if (path === '') throw usageFailure('"@" names no file: write @path for a file, and @@name for the text "@name"')
  return readBounded(createReadStream(path), path)
}

async function readBounded(source: Readable, name: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of source) {
      length += (chunk as Buffer).length
      if (length > LONGEST_CONTENT) break
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    throw usageFailure(`cannot read ${name}: ${messageOf(error)}`)
  }
  if (length > LONGEST_CONTENT)
    throw usageFailure(`${name} has more than ${LONGEST_CONTENT} bytes, the most that is read`)
  return Buffer.concat(chunks)
}

/** Parses the content of a file: JSON unless it is to be text, else text without its last line end, else bytes. */
export function parseContent(content: Buffer, isText = false): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return new Uint8Array(content)
  }
  const value = isText ? undefined : parseJson(text)
  return value === undefined ? text.replace(/\r?\n$/, '') : value
}

async function dictFrom(option: string, given: string | undefined, example: string): Promise<Dict | undefined> {
  if (given === undefined) return undefined
  const text = (await contentOf(given))?.toString() ?? given
  const value = parseJson(text)
  if (isDict(value)) return value
  const shown = text.trim()
  const got =
    value === undefined ? `invalid JSON: ${shown.length > 80 ? `${shown.slice(0, 80)}...` : shown}` : formatValue(value)
  throw usageFailure(`--${option} must be a JSON object, such as '${example}', got ${got}`)
}
