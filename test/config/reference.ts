/** The reference of a router's configuration in docs/configuration.md, made from the table of its keys. */

import { readFileSync, writeFileSync } from 'node:fs'
import { CONFIG } from '../../src/config/keys.ts'

const path = new URL('../../docs/configuration.md', import.meta.url)
const BEGIN = '<!-- The table is made from src/config/keys.ts by `npm run api`. -->\n'

/** The document with the present table. */
export function withReference(text: string): string {
  const cell = (content: string) => content.replaceAll('|', '\\|')
  const rows = CONFIG.within.map(([place, { shape, about, byDefault, required }]) => {
    const fallback = required ? 'required' : (byDefault ?? '')
    return `| \`${place.slice(1)}\` | ${cell(shape.expected)} | ${cell(fallback)} | ${cell(about)} |`
  })
  const table = ['| Key | Value | Default | Purpose |', '|---|---|---|---|', ...rows].join('\n')
  return `${text.slice(0, text.indexOf(BEGIN))}${BEGIN}\n${table}\n`
}

export const documented = (): string => readFileSync(path, 'utf8')

export function update(): void {
  writeFileSync(path, withReference(documented()))
}
