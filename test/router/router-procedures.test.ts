/** The router's own procedures: called like any other, answered at once or later. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CALL, CANCEL, ERROR, RESULT } from 'wampy-ts/testing'
import { WampError } from '../../src/protocol/error.ts'
import type { CancelMode, WireCallOptions } from '../../src/protocol/options.ts'
import { payload } from '../../src/protocol/payload.ts'
import type { Destination } from '../../src/router/member/destination.ts'
import { Forwarding } from '../../src/router/member/forwarding.ts'
import { LIMITS } from '../../src/router/member/limits.ts'
import { NO_DEVIATIONS } from '../../src/router/member/peers.ts'
import { type Provided, RouterProcedures } from '../../src/router/meta/router-procedures.ts'
import { Observers } from '../../src/router/observe/observers.ts'
import { Rights } from '../../src/router/rights/decide.ts'
import { Dealer } from '../../src/router/rpc/dealer.ts'
import { TEXT } from './support.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

/** A dealer that serves one procedure, and a member that calls it and records its messages. */
function serving(serve: Provided): {
  calls(): number
  heard: unknown[][]
  call(options?: WireCallOptions, ...data: Parameters<typeof payload>): void
  cancel(mode: CancelMode): void
  leave(): void
} {
  const heard: unknown[][] = []
  const member: Destination = {
    id: 5,
    principal: undefined,
    internal: undefined,
    trusted: false,
    staticPrincipal: false,
    hold: () => {},
    deviations: NO_DEVIATIONS,
    announces: () => true,
    behind: false,
    kind: undefined,
    prepare: () => undefined,
    write: () => false,
    account: undefined,
    pubsub: undefined,
    rpc: undefined,
    send: (message) =>
      void heard.push(
        (message as unknown[])
          .flatMap((item) =>
            typeof item === 'object' && item && 'args' in item
              ? [item.args, ('kwargs' in item && item.kwargs) || undefined]
              : [item],
          )
          .filter((item) => item !== undefined),
      ),
  }
  const members = new Map([[member.id, member]])
  const rights = new Rights(
    'realm1',
    { strict: false, limits: LIMITS },
    {
      authorize: undefined,
      disclose: 'asked',
      trustlevel: undefined,
      guarded: [],
      controlOthers: true,
      isMember: () => true,
      ask: async () => false,
    },
  )
  const dealer = new Dealer(
    { strict: false, limits: LIMITS, callQueue: [], forward: new Forwarding([]) },
    { uri: 'realm1', members, observers: new Observers(), rights },
  )
  new RouterProcedures(dealer, members).provide({ 'wamp.test': serve })
  return {
    calls: () => dealer.stats().calls,
    heard,
    call: (options = {}, ...data) => dealer.handlers[CALL]?.([CALL, 7, options, 'wamp.test', payload(...data)], member),
    cancel: (mode) => dealer.handlers[CANCEL]?.([CANCEL, 7, { mode }], member),
    leave: () => [...dealer.left(member)],
  }
}

test('receives args, kwargs and the caller, and returns args and kwargs', () => {
  const { call, heard, calls } = serving((args, kwargs, { id }) => ({ args: [...args, id], kwargs }))
  call({}, [1, 2], { a: 3 })
  expect(heard).toEqual([[RESULT, 7, {}, [1, 2, 5], { a: 3 }]])
  expect(calls()).toBe(0)
})

test('may be called without arguments and return nothing', () => {
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
  expect(later.calls()).toBe(0)
})

/** A call that is answered when the test decides. */
function pending(options: WireCallOptions = {}): ReturnType<typeof serving> & { answer(): Promise<void> } {
  let resolve: (answer: undefined) => void = () => {}
  const made = serving(() => new Promise((done) => (resolve = done)))
  made.call(options)
  expect(made.calls()).toBe(1)
  return {
    ...made,
    answer: async () => {
      resolve(undefined)
      await vi.advanceTimersByTimeAsync(0)
    },
  }
}

test('counts as a pending call until it is answered', async () => {
  const { calls, heard, answer } = pending()
  await answer()
  expect(heard).toEqual([[RESULT, 7, {}]])
  expect(calls()).toBe(0)
})

test.each(['skip', 'kill', 'killnowait'] as const)('can be canceled: %s', async (mode) => {
  const { calls, heard, cancel, answer } = pending()
  cancel(mode)
  expect(heard).toEqual([[ERROR, CALL, 7, {}, 'wamp.error.canceled', [TEXT]]])
  expect(calls()).toBe(0)
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

test('is forgotten when its caller leaves', async () => {
  const { calls, heard, leave, answer } = pending({ timeout: 100 })
  leave()
  expect(calls()).toBe(0)
  await answer()
  expect(heard).toEqual([])
})

test('a second call under the id of a pending one is a violation, and the first is answered once', async () => {
  const { call, answer } = pending()
  expect(() => call()).toThrow(/CALL\[1\] is 7/)
  await answer()
})
