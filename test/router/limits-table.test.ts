/** The table of limits in the documentation is that of the code, and each limit has the default and the counters that it names. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as fixedLimits from '../../src/protocol/fixed-limits.ts'
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

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/router/operate.md')

/** A row for each comment in front of a name that `declared` finds. */
function rowsOf(path: string, declared: string): Row[] {
  const comments = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*${declared}`, 'g')
  return [...read(path).matchAll(comments)].map(([, comment, name]): Row => {
    const text = (comment as string)
      .replace(/\n\s*\*/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
    const parts = /^(.*)\. (?:Default|Limit): (.*)\. Beyond: (.*)\. Visible: (.*)\.$/.exec(text)
    if (!parts) throw new Error(`the comment of ${name} lacks a part: ${text}`)
    const [, bounds = '', value = '', beyond = '', visible = ''] = parts
    return { name: name as string, bounds, default: value, beyond, visible }
  })
}

const rows = rowsOf('src/router/member/limits.ts', 'readonly (\\w+): number')
const fixed = rowsOf('src/protocol/fixed-limits.ts', 'export const (\\w+) =')
const values: Readonly<Record<string, number>> = { ...LIMITS, ...fixedLimits }

test('every limit has a comment of four parts', () => {
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(LIMITS))
  expect(fixed.map(({ name }) => name).sort()).toEqual(Object.keys(fixedLimits).sort())
})

test.each([...rows, ...fixed])('the value of $name is the one in its comment', ({ name, default: text }) => {
  const [, number = '', unit] = /([\d,]+)( MiB)?$/.exec(text) ?? []
  expect(Number(number.replaceAll(',', '')) * (unit ? 2 ** 20 : 1)).toBe(values[name])
})

test.each([...rows, ...fixed])('what happens beyond $name is visible in a counter or an event', ({ visible }) => {
  const events: Record<keyof RouterObserver & ('refused' | 'left' | 'answered' | 'joined'), true> = {
    refused: true,
    left: true,
    answered: true,
    joined: true,
  }
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

test('the documentation has these rows', () => {
  const table = rows.map(
    (row) => `| \`${row.name}\` | ${row.bounds} | ${row.default} | ${row.beyond} | ${row.visible} |`,
  )
  expect(page).toContain(table.join('\n'))
  const second = fixed.map((row) => `| ${row.bounds} | ${row.default} | ${row.beyond} | ${row.visible} |`)
  expect(page).toContain(second.join('\n'))
})
