/** The built page scripts have no syntax and no method that the oldest browsers lack; `npm run build` comes first. */

import { readdirSync, readFileSync } from 'node:fs'
import { transform } from 'esbuild'
import { describe, expect, test } from 'vitest'

const dist = new URL('../dist/', import.meta.url)
const scripts = [
  'wampy.min.js',
  'wampy.mjs',
  ...readdirSync(new URL('page/', dist))
    .filter((name) => name.endsWith('.js'))
    .map((name) => `page/${name}`),
]

/** A script in the syntax of some browsers, which is unchanged if nothing had to be lowered. */
async function lowered(code: string, target: string | string[]): Promise<string> {
  // Optional chaining is there; esbuild lowers it for a defect of Safari that concerns private methods of `super`.
  const { code: output } = await transform(code, { target, supported: { 'optional-chain': true }, logLevel: 'silent' })
  return output
}

const FLOOR = ['chrome100', 'firefox97', 'safari15.4']

/** Younger than the floor in at least one of the three, and not asked for by `?.`. */
const YOUNGER =
  /\.(findLast|findLastIndex|toSorted|toReversed|toSpliced|isWellFormed|toWellFormed|withResolvers|groupBy|fromAsync)\(|AbortSignal\.(any|timeout)\(/

describe.each(scripts)('%s', (name) => {
  const code = readFileSync(new URL(name, dist), 'utf8')

  test('has the syntax of the oldest browsers', async () => {
    expect(await lowered(code, FLOOR)).toBe(await lowered(code, 'esnext'))
  })

  test('calls nothing that is younger', () => {
    expect(YOUNGER.exec(code)?.[0]).toBeUndefined()
  })
})

test('a script with younger syntax does not pass', async () => {
  for (const code of ['class A { static { globalThis.a = 1 } }', 'globalThis.a = /(?<=a)b/', 'await using a = b']) {
    expect(await lowered(code, FLOOR)).not.toBe(await lowered(code, 'esnext'))
  }
})
