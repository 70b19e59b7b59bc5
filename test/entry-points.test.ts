/** One list of entry points: package.json, the sources and tsconfig.json agree with it. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { entryPoints, exportsOf, importOf, namesOf, sourceOf } from '../entry-points.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { exports: Record<string, unknown> }

test('package.json exports the list, and the files of a script tag', () => {
  // The rest are files: those for script tags, and package.json.
  const exports = Object.fromEntries(Object.entries(manifest.exports).filter(([name]) => !/\.m?js(on)?$/.test(name)))
  expect(exports).toEqual(Object.fromEntries(namesOf().map((name) => [name, exportsOf(name)])))
  // The conditions are tried in their order: `types` before all, `default` behind all.
  expect(JSON.stringify(exports)).toBe(
    JSON.stringify(Object.fromEntries(namesOf().map((name) => [name, exportsOf(name)]))),
  )
})

test.each(Object.keys(entryPoints))('%s has its source where TypeScript and the tests find it', async (name) => {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const { resolvedModule } = ts.resolveModuleName(importOf(name), `${root}test/entry-points.test.ts`, options, ts.sys)
  expect(resolvedModule?.resolvedFileName).toBe(`${root}${sourceOf(name)}`)
  const source = `${root}${sourceOf(name)}`
  expect(Object.keys(await import(importOf(name)))).toEqual(Object.keys(await import(source)))
})
