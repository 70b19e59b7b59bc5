/** Lines on stdout and stderr. */

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

/** A table of two columns; the first is as wide as its longest cell. */
export function formatColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([first]) => first.length))
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`).join('\n')
}
