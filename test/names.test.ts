/** Counts the names that are defined at the top level of more than one file under src/: one name, one meaning. */

import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** At most this share of all top-level names; the names that are left mean the same in each of their files. */
const SHARE = 0.03

const src = new URL('../src/', import.meta.url)

function namesOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(new URL(file, src), 'utf8'), ts.ScriptTarget.ESNext, true)
  return source.statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => name.getText())
    const { name } = statement as ts.Statement & { name?: ts.Node }
    return name ? [name.getText()] : []
  })
}

test('a top-level name is defined in one file', () => {
  const places = new Map<string, string[]>()
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file)) continue
    for (const name of new Set(namesOf(file))) places.set(name, [...(places.get(name) ?? []), file])
  }
  const shared = [...places].filter(([, files]) => files.length > 1)
  const list = shared.map(([name, files]) => `${name}: ${files.join(', ')}`)
  expect(places.size).toBeGreaterThan(500)
  expect(shared.length / places.size, list.join('\n')).toBeLessThanOrEqual(SHARE)
})
