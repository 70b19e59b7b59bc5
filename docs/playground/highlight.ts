/** Colours JavaScript and JSON for the editors and the wire of a playground. */

export type TokenKind = 'comment' | 'string' | 'number' | 'keyword' | 'name' | 'text'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
}

const KEYWORDS =
  'as async await break case catch class const continue default delete do else export extends false finally for from ' +
  'function get if import in instanceof let new null of return set static super switch this throw true try typeof ' +
  'undefined using var void while yield'

const TOKENS = new RegExp(
  [
    /(?<comment>\/\/.*|\/\*[\s\S]*?(?:\*\/|$))/,
    /(?<string>'(?:\\.|[^'\\\n])*'?|"(?:\\.|[^"\\\n])*"?|`(?:\\[\s\S]|[^`\\])*`?)/,
    /(?<number>\b\d[\w.]*)/,
    new RegExp(`(?<![.\\w$])(?<keyword>(?:${KEYWORDS.replaceAll(' ', '|')}))(?![\\w$])`),
    /(?<name>[A-Za-z_$#][\w$]*(?=\())/,
    /(?<text>[A-Za-z_$#][\w$]*)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
)

/** Splits code into its lines, and each of them into tokens. */
export function highlight(code: string): Token[][] {
  const lines: Token[][] = [[]]
  const add = (kind: TokenKind, text: string): void => {
    text.split('\n').forEach((part, index) => {
      if (index > 0) lines.push([])
      if (part) lines.at(-1)?.push({ kind, text: part })
    })
  }
  let end = 0
  for (const match of code.matchAll(TOKENS)) {
    add('text', code.slice(end, match.index))
    const [kind] = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined) ?? ['text']
    add(kind as TokenKind, match[0])
    end = match.index + match[0].length
  }
  add('text', code.slice(end))
  return lines
}
