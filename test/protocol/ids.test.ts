/** Identifiers: the whole range of the specification, 2^53 included, and no other values. */

import { expect, test } from 'vitest'
import { isId, MAX_ID, nextId, randomId } from '../../src/protocol/ids.ts'

test('the largest id is 2^53, which is not a safe integer', () => {
  expect(MAX_ID).toBe(9007199254740992)
  expect(Number.isSafeInteger(MAX_ID)).toBe(false)
})

test('1 to 2^53 are valid ids', () => {
  for (const id of [1, 2, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53]) expect(isId(id)).toBe(true)
})

test('other values are not valid ids', () => {
  const others = [
    0,
    -1,
    -0,
    1.5,
    2 ** 53 + 2,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1',
    1n,
    true,
    null,
    undefined,
    {},
    [1],
  ]
  for (const other of others) expect(isId(other), String(other)).toBe(false)
})

test('a sequence restarts at 1 after 2^53', () => {
  expect([0, 1, 2 ** 53 - 1, 2 ** 53].map(nextId)).toEqual([1, 2, 2 ** 53, 1])
})

test('random ids are valid, do not repeat, and are spread over the whole range', () => {
  const ids = Array.from({ length: 20_000 }, randomId)
  expect(ids.every(isId)).toBe(true)
  expect(new Set(ids).size).toBe(ids.length)
  const eighths = new Array<number>(8).fill(0)
  for (const id of ids) eighths[Math.floor((id - 1) / 2 ** 50)]!++
  for (const count of eighths) {
    expect(count).toBeGreaterThan(2200)
    expect(count).toBeLessThan(2800)
  }
  const odd = ids.filter((id) => id % 2 === 1).length
  expect(odd).toBeGreaterThan(9500)
  expect(odd).toBeLessThan(10_500)
})
