/** What the router serves itself: called as any procedure, answered at once or later. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CALL, CANCEL, ERROR, RESULT } from '../../src/protocol/codes.ts'
import { WampError } from '../../src/protocol/error.ts'
import type { CallOptions, CancelMode } from '../../src/protocol/options.ts'
import { payload } from '../../src/protocol/payload.ts'
import { LIMITS, nothingDropped } from '../../src/router/member/limits.ts'
import type { Member } from '../../src/router/member/member.ts'
import type { Provided } from '../../src/router/meta/provided.ts'
import { Dealer } from '../../src/router/rpc/dealer.ts'
import { TEXT } from './support.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

/** A dealer that serves one procedure, and a member that calls it and hears what it is told. */
function serving(serve: Provided): {
  dealer: Dealer
  heard: unknown[][]
  call(options?: CallOptions, ...data: Parameters<typeof payload>): void
  cancel(mode: CancelMode): void
  leave(): void
} {
  const dealer = new Dealer(
    { strict: false, limits: LIMITS, policy: { disclose: 'asked', trustlevel: undefined }, callQueue: [] },
    nothingDropped(),
  )
  dealer.provided.set('wamp.test', serve)
  const heard: unknown[][] = []
  const member = {
    id: 5,
    realm: {},
    registrations: new Map(),
    calls: new Map(),
    invocations: new Map(),
    deviations: {},
    announces: () => true,
    unfinish: () => {},
    send: (message: unknown[]) =>
      void heard.push(
        message
          .flatMap((item) =>
            typeof item === 'object' && item && 'args' in item
              ? [item.args, ('kwargs' in item && item.kwargs) || undefined]
              : [item],
          )
          .filter((item) => item !== undefined),
      ),
  } as unknown as Member
  return {
    dealer,
    heard,
    call: (options = {}, ...data) => dealer.handlers[CALL]?.([CALL, 7, options, 'wamp.test', payload(...data)], member),
    cancel: (mode) => dealer.handlers[CANCEL]?.([CANCEL, 7, { mode }], member),
    leave: () => dealer.left(member),
  }
}

test('gets args, kwargs and who calls, and gives args and kwargs', () => {
  const { call, heard, dealer } = serving((args, kwargs, { id }) => ({ args: [...args, id], kwargs }))
  call({}, [1, 2], { a: 3 })
  expect(heard).toEqual([[RESULT, 7, {}, [1, 2, 5], { a: 3 }]])
  expect(dealer.calls).toBe(0)
})

test('may be called with nothing and give nothing', () => {
  const given: unknown[] = []
  const { call, heard } = serving((args, kwargs) => void given.push(args, kwargs))
  call()
  expect(given).toEqual([[], {}])
  expect(heard).toEqual([[RESULT, 7, {}]])
})

test.each([
  [new WampError('com.error', ['text'], { a: 1 }), ['com.error', ['text'], { a: 1 }]],
  [new WampError('com.error'), ['com.error']],
  [new Error('boom'), ['wamp.error.runtime_error', ['boom']]],
])('throws, and rejects with, %s', async (error, said) => {
  const now = serving(() => {
    throw error
  })
  now.call()
  expect(now.heard).toEqual([[ERROR, CALL, 7, {}, ...said]])
  const later = serving(() => Promise.reject(error))
  later.call()
  expect(later.heard).toEqual([])
  await vi.advanceTimersByTimeAsync(0)
  expect(later.heard).toEqual(now.heard)
  expect(later.dealer.calls).toBe(0)
})

/** A call that is answered when the test says so. */
function pending(options: CallOptions = {}): ReturnType<typeof serving> & { answer(): Promise<void> } {
  let resolve: (answer: undefined) => void = () => {}
  const made = serving(() => new Promise((done) => (resolve = done)))
  made.call(options)
  expect(made.dealer.calls).toBe(1)
  return {
    ...made,
    answer: async () => {
      resolve(undefined)
      await vi.advanceTimersByTimeAsync(0)
    },
  }
}

test('is a call under way until it is answered', async () => {
  const { dealer, heard, answer } = pending()
  await answer()
  expect(heard).toEqual([[RESULT, 7, {}]])
  expect(dealer.calls).toBe(0)
})

test.each(['skip', 'kill', 'killnowait'] as const)('can be canceled: %s', async (mode) => {
  const { dealer, heard, cancel, answer } = pending()
  cancel(mode)
  expect(heard).toEqual([[ERROR, CALL, 7, {}, 'wamp.error.canceled', [TEXT]]])
  expect(dealer.calls).toBe(0)
  await answer()
  expect(heard).toHaveLength(1)
})

test('can time out', async () => {
  const { heard, answer } = pending({ timeout: 100 })
  await vi.advanceTimersByTimeAsync(100)
  expect(heard).toEqual([[ERROR, CALL, 7, {}, 'wamp.error.timeout', [TEXT]]])
  await answer()
  expect(heard).toHaveLength(1)
})

test('is forgotten when its caller goes', async () => {
  const { dealer, heard, leave, answer } = pending({ timeout: 100 })
  leave()
  expect(dealer.calls).toBe(0)
  await answer()
  expect(heard).toEqual([])
})

test('is answered once for one id: a second call under it meanwhile is a violation', async () => {
  const { call, answer } = pending()
  expect(() => call()).toThrow(/CALL\[1\] is 7/)
  await answer()
})
