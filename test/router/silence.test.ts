/** A session with `_speaks_every` in HELLO that falls silent, like the worker of a frozen page. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ABORT, CALL, ERROR, HELLO, INVOCATION, REGISTER, REGISTERED, WELCOME } from 'wampy-ts/testing'
import { ID, open, ROLES, TEXT } from './support.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const hello = (every: unknown): unknown[] => [HELLO, 'realm1', { roles: ROLES, _speaks_every: every }]

test('a session that is silent is ended after 2 to 2.5 times its _speaks_every, and its callers receive an error', () => {
  const { router, connect, join } = open()
  const [silent, caller] = [connect(), join()]
  silent.says(hello(20_000), [REGISTER, 1, {}, 'com.example.f'])
  caller.says([CALL, 1, {}, 'com.example.f'])
  expect(silent.take()).toEqual([[INVOCATION, 1, ID, {}]])
  vi.advanceTimersByTime(40_000)
  expect(router.stats().sessions).toBe(2)
  vi.advanceTimersByTime(10_000)
  expect(silent.take()).toEqual([[ABORT, { message: 'nothing came within 40000 ms' }, 'wamp.error.timeout']])
  expect(caller.take()).toEqual([[ERROR, CALL, 1, {}, TEXT, [TEXT]]])
  expect(router.stats()).toMatchObject({ sessions: 1, registrations: 0 })
})

test('a session that sends in time stays, and leaves no timer', () => {
  const { router, connect } = open()
  const peer = connect()
  peer.says(hello(1000))
  for (let i = 1; i < 50; i++) {
    vi.advanceTimersByTime(1900)
    peer.says([CALL, i, {}, 'wamp.session.count'])
  }
  expect(router.stats().sessions).toBe(1)
  peer.lose()
  expect(vi.getTimerCount()).toBe(0)
})

test('a session without _speaks_every may be silent for ever', () => {
  const { router, connect, join } = open()
  connect().says(hello(0))
  join()
  vi.advanceTimersByTime(86_400_000)
  expect(router.stats().sessions).toBe(2)
})

test('a very short interval is not checked too often, and one beyond the longest timer does not spin', () => {
  const { router, connect } = open()
  connect().says(hello(1))
  connect().says(hello(2 ** 53))
  vi.advanceTimersByTime(2000)
  expect(router.stats().sessions).toBe(2)
  vi.advanceTimersByTime(1000)
  expect(router.stats().sessions).toBe(1)
  vi.advanceTimersByTime(3_600_000)
  expect(router.stats().sessions).toBe(1)
})

test('an interval that is not a positive integer is a violation', () => {
  for (const every of ['often', -1, 0.5, null]) {
    const peer = open().connect()
    expect(peer.says(hello(every))).toEqual([
      [ABORT, { message: expect.stringMatching(/HELLO\[2\]\._speaks_every must be/) }, 'wamp.error.protocol_violation'],
    ])
  }
})

test('a message of any kind counts as a sign of life', () => {
  const { router, connect } = open()
  const peer = connect()
  expect(peer.says(hello(1000))[0]?.[0]).toBe(WELCOME)
  vi.advanceTimersByTime(1900)
  expect(peer.says([REGISTER, 1, {}, 'com.example.f'])).toEqual([[REGISTERED, 1, ID]])
  vi.advanceTimersByTime(1900)
  expect(router.stats().sessions).toBe(1)
})
