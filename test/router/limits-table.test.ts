/** The table of limits in the README is that of the code, and each limit has the default and the counters that it names. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LIMITS } from '../../src/router/member/limits.ts'
import type { RouterObserver } from '../../src/router/observe/events.ts'
import { Router } from '../../src/router/router.ts'

interface Row {
  readonly name: string
  readonly bounds: string
  readonly default: string
  readonly beyond: string
  readonly visible: string
}

const source = readFileSync(new URL('../../src/router/member/limits.ts', import.meta.url), 'utf8')
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** A row for each comment of the interface. */
const rows = [...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+): number/g)].map(
  ([, comment, name]): Row => {
    const text = (comment as string)
      .replace(/\n\s*\*/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
    const parts = /^(.*)\. Default: (.*)\. Beyond: (.*)\. Visible: (.*)\.$/.exec(text)
    if (!parts) throw new Error(`the comment of ${name} lacks a part: ${text}`)
    const [, bounds = '', value = '', beyond = '', visible = ''] = parts
    return { name: name as string, bounds, default: value, beyond, visible }
  },
)

test('every limit has a comment of four parts', () => {
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(LIMITS))
})

test.each(rows)('the default of $name is the one in its comment', ({ name, default: text }) => {
  const [, number = '', unit] = /([\d,]+)( MiB)?$/.exec(text) ?? []
  expect(Number(number.replaceAll(',', '')) * (unit ? 2 ** 20 : 1)).toBe(LIMITS[name as keyof typeof LIMITS])
})

test.each(rows)('what happens beyond $name is visible in a counter or an event that exists', ({ visible }) => {
  const events: Record<keyof RouterObserver & ('refused' | 'left'), true> = { refused: true, left: true }
  const names = [...visible.matchAll(/`([\w.]+)`/g)].map(([, name]) => name as string)
  expect(names.length).toBeGreaterThan(0)
  for (const name of names) {
    if (name in events) continue
    const value = name
      .split('.')
      .reduce((at: unknown, key) => (at as Record<string, unknown>)?.[key], new Router().stats())
    expect(value, name).toEqual(expect.any(Number))
  }
})

test('the README has these rows', () => {
  const table = rows.map(
    (row) => `| \`${row.name}\` | ${row.bounds} | ${row.default} | ${row.beyond} | ${row.visible} |`,
  )
  expect(readme).toContain(table.join('\n'))
})
