/** Compares the public API of the build, one report for each entry point, with the reports that are committed here. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkBuilt } from '../built.ts'
import { entries, reportFile, reports } from './report.ts'

checkBuilt()
const built = reports()

test('there is a report for each entry point with declarations', () => {
  expect(built.map(({ name }) => name)).toEqual(entries.map(({ name }) => name))
  expect(built.length).toBeGreaterThan(0)
})

describe.each(built)('$name', ({ name, text, forgotten }) => {
  test('exports every type that its signatures name', () => {
    expect(forgotten).toEqual([])
  })

  // To accept a difference: npm run build && npm run api
  test('equals its report', () => {
    expect(text).toBe(readFileSync(reportFile(name), 'utf8'))
  })
})
