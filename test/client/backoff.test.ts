/** Delays grow, are drawn between half and all of an upper bound, and stay below the maximum. */

import { expect, test } from 'vitest'
import { backoff } from '../../src/client/base/backoff.ts'

const highest = () => 1
const lowest = () => 0

test('the upper bound of a delay doubles from 250 ms to 30 s', () => {
  const due = Array.from({ length: 10 }, (_, i) => backoff(i + 1, {}, highest))
  expect(due).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('a delay is at least half of its upper bound', () => {
  expect([1, 2, 3, 20].map((attempt) => backoff(attempt, {}, lowest))).toEqual([125, 250, 500, 15_000])
})

test('initial, factor and max are options', () => {
  const options = { initial: 10, factor: 3, max: 100 }
  expect([1, 2, 3, 4].map((attempt) => backoff(attempt, options, highest))).toEqual([10, 30, 90, 100])
})

test('a very late attempt has a finite delay as well', () => {
  expect(backoff(100_000, {}, highest)).toBe(30_000)
})

test('delays differ from client to client', () => {
  const drawn = new Set(Array.from({ length: 50 }, () => backoff(8, {})))
  expect(drawn.size).toBeGreaterThan(10)
  for (const delay of drawn) {
    expect(delay).toBeGreaterThanOrEqual(15_000)
    expect(delay).toBeLessThanOrEqual(30_000)
  }
})
