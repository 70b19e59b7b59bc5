/** The ledger of bytes: which consumers are cut. */

import { expect, test } from 'vitest'
import { Ledger } from '../../src/router/member/ledger.ts'

test.each([
  ['spared if the excess is not its own', 2 ** 20, 18_000, 0],
  ['cut if all of them together are above the limit', 0, 18_000, 1],
] as const)('a session that costs little is %s', async (_, others, own, cuts) => {
  const ledger = new Ledger(others ? 2 ** 25 : 16_000)
  let shed = 0
  let bytes: number = own
  ledger.add({
    measure: () => bytes,
    shed: () => {
      shed++
      bytes = 0
      return own
    },
  })
  ledger.change('sessions', own)
  // As of messages that are on their way from sessions that have ended.
  if (others) ledger.change('backlogs', 2 ** 25)
  await new Promise((resolve) => setTimeout(resolve, 0))
  await new Promise((resolve) => setTimeout(resolve, 0))
  expect(shed).toBe(cuts)
})
