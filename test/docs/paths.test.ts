/** The files and scripts of the repository that the pages name exist. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.md') && !/node_modules|\.vitepress|^api\//.test(file.replaceAll('\\', '/')),
)
const text = pages.map((file) => readFileSync(join(root, 'docs', file), 'utf8')).join('\n')

test('every path of the repository in a page exists', () => {
  const paths = [...text.matchAll(/`((?:src|test|e2e|demo)\/[\w./-]+)`/g)].map(([, path = '']) => path)
  expect(paths.length).toBeGreaterThan(20)
  expect([...new Set(paths)].filter((path) => !existsSync(join(root, path)))).toEqual([])
})

test('every npm script in a page exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const named = [...text.matchAll(/`npm run ([\w:]+)/g)].map(([, name = '']) => name)
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([])
})
