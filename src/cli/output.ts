/** What commands print: text for people, aligned and on a terminal coloured, or JSON with `--json`. */

import { formatJson, type JsonPart } from './json-value.ts'

/** True after `--json`. One process runs one command. */
let json = false

/** Makes the command print JSON only: values on stdout, errors and notices on stderr, each as one line. */
export function switchToJson(): void {
  json = true
}

export function isJson(): boolean {
  return json
}

/** Makes one line of a text. Control characters are replaced: text from a peer must not move the terminal's cursor. */
export function toLine(text: string): string {
  return `${text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()}\n`
}

export function printLine(text: string): void {
  process.stdout.write(toLine(text))
}

export function printErrorLine(text: string): void {
  process.stderr.write(toLine(text))
}

/** Prints the line of an error on stderr, red on a terminal. */
export function printError(text: string): void {
  process.stderr.write(`${styled('red', toLine(text).slice(0, -1), process.stderr)}\n`)
}

/** Prints a value on stdout as one line of JSON, coloured on a terminal. */
export function printJson(value: unknown): void {
  process.stdout.write(`${formatJson(value, !json && isColoured() ? paintJson : undefined)}\n`)
}

/** Prints a line on stdout, or with `--json` the value. */
export function printStatus(text: string, value: Readonly<Record<string, unknown>>): void {
  if (json) printJson(value)
  else printLine(text)
}

/** Prints a line on stderr that is not part of the output, or with `--json` `{"notice":text}`. */
export function printNotice(text: string): void {
  if (json) process.stderr.write(`${formatJson({ notice: text })}\n`)
  else printErrorLine(text)
}

const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const

export type Style = keyof typeof STYLES

/** True for a terminal. FORCE_COLOR and NO_COLOR override that; of both, FORCE_COLOR counts, as in Node. */
export function isColoured(stream: NodeJS.WriteStream = process.stdout): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none, TERM: term } = process.env
  if (force !== undefined) return !/^(0|false)$/.test(force)
  return Boolean(stream.isTTY) && !none && term !== 'dumb'
}

/** Colours a text for a stream that shows colours. */
export function styled(style: Style, text: string, stream?: NodeJS.WriteStream): string {
  const [on, off] = STYLES[style]
  return isColoured(stream) ? `\u001b[${on}m${text}\u001b[${off}m` : text
}

const JSON_STYLES: Readonly<Record<JsonPart, Style | undefined>> = {
  key: 'cyan',
  text: 'green',
  bytes: 'yellow',
  number: undefined,
  word: 'dim',
}

function paintJson(part: JsonPart, text: string): string {
  const style = JSON_STYLES[part]
  return style ? styled(style, text) : text
}

/** A table of two columns; the first is as wide as its longest cell. */
export function formatColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([first]) => first.length))
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`).join('\n')
}

export interface TableOptions {
  /** Titles of the columns, printed above the rows on a terminal. */
  readonly head?: readonly string[]
  /** Indexes of the columns whose cells end at the right, such as those of numbers. */
  readonly right?: readonly number[]
}

/** Prints rows with aligned cells, on stdout. */
export function printTable(rows: readonly (readonly string[])[], { head, right = [] }: TableOptions = {}): void {
  const titled = head && process.stdout.isTTY && rows.length > 0
  const lines = alignCells(titled ? [head, ...rows] : rows, right)
  lines.forEach((line, at) => {
    if (titled && at === 0) process.stdout.write(styled('bold', line).concat('\n'))
    else process.stdout.write(`${line}\n`)
  })
}

/** Pads the cells of each column to the same width. Control characters are replaced, as by `toLine`. */
export function alignCells(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const clean = rows.map((row) => row.map((cell) => toLine(cell).slice(0, -1)))
  // Not Math.max(...rows): there may be more rows than a function takes arguments.
  const widths: number[] = []
  for (const row of clean)
    row.forEach((cell, at) => {
      widths[at] = Math.max(cell.length, widths[at] ?? 0)
    })
  const pad = (cell: string, at: number): string =>
    right.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)
  return clean.map((row) => row.map(pad).join('  ').trimEnd())
}
