/** Illegal messages, and messages that are illegal in the current state, end the session with ABORT, in every state. */

import { describe, expect, test, vi } from 'vitest'
import { CALL, GOODBYE, HELLO, PUBLISH, REGISTER, SUBSCRIBE, YIELD } from 'wampy-ts/testing'
import type { Frame } from '../../src/transport/transport.ts'
import { open, type Peer, ROLES, TEXT, violates, type World } from './support.ts'

const HI = [HELLO, 'realm1', { roles: ROLES }]

const MALFORMED: [string, Frame | readonly unknown[]][] = [
  ['a binary frame where JSON is spoken', new Uint8Array([0x84, 0x30, 1])],
  ['an empty frame', ''],
  ['half a frame', '[48,1,{}'],
  ['two messages in one frame', '[48,1,{},"a"][48,2,{},"a"]'],
  ['a number', '48'],
  ['a dictionary', '{"0":48}'],
  ['null', 'null'],
  ['an empty list', []],
  ['a code that is text', ['48', 1, {}, 'a']],
  ['a code with a fraction', [48.5, 1, {}, 'a']],
  ['a negative code', [-1]],
  ['code 0', [0]],
  ['a code of no message', [7, {}]],
  ['a reserved code', [255, 1]],
  ['a code of an implementation', [337, 1]],
  ['a code beyond', [1024]],
  ['a code that is a property', ['__proto__']],
  ['too short a HELLO', [HELLO, 'realm1']],
  ['too long a HELLO', [HELLO, 'realm1', { roles: ROLES }, 1]],
  ['a HELLO whose realm is a number', [HELLO, 1, { roles: ROLES }]],
  ['a HELLO whose details are a list', [HELLO, 'realm1', []]],
  ['too short a CALL', [CALL, 1, {}]],
  ['too long a CALL', [CALL, 1, {}, 'a', [], {}, 1]],
  ['a CALL whose id is text', [CALL, '1', {}, 'a']],
  ['a CALL whose id is 0', [CALL, 0, {}, 'a']],
  ['a CALL whose id is negative', [CALL, -1, {}, 'a']],
  ['a CALL whose id has a fraction', [CALL, 1.5, {}, 'a']],
  ['a CALL whose id is beyond 2^53', '[48,9007199254740994,{},"a"]'],
  ['a CALL whose id is null', [CALL, null, {}, 'a']],
  ['a CALL whose options are null', [CALL, 1, null, 'a']],
  ['a CALL whose options are a list', [CALL, 1, [], 'a']],
  ['a CALL whose procedure is a number', [CALL, 1, {}, 7]],
  ['a CALL whose args are a dictionary', [CALL, 1, {}, 'a', {}]],
  ['a CALL whose kwargs are a list', [CALL, 1, {}, 'a', [], []]],
  ['a CALL whose args are null', [CALL, 1, {}, 'a', null]],
  ['too long a SUBSCRIBE', [SUBSCRIBE, 1, {}, 'a', []]],
  ['a SUBSCRIBE whose topic is a list', [SUBSCRIBE, 1, {}, ['a']]],
  ['too long an UNSUBSCRIBE', [34, 1, 1, {}, 1]],
  ['an UNSUBSCRIBE of text', [34, 1, 'a']],
  ['too short a PUBLISH', [PUBLISH, 1, {}]],
  ['too short a REGISTER', [REGISTER, 1]],
  ['too long an UNREGISTER', [66, 1, 1, {}, 1]],
  ['too long a CANCEL', [49, 1, {}, 1]],
  ['too short a YIELD', [YIELD, 1]],
  ['an ERROR for no request', [8, 33, 1, {}, 'a']],
  ['too short an ERROR', [8, 68, 1, {}]],
  ['too short a GOODBYE', [GOODBYE, {}]],
  ['a GOODBYE with no reason', [GOODBYE, {}, null]],
  ['too long a GOODBYE', [GOODBYE, {}, 'a', 1]],
]

const STATES: [string, (world: World) => Peer][] = [
  ['before HELLO', ({ connect }) => connect()],
  ['in a session', ({ join }) => join()],
]

describe.each(STATES)('%s', (_, arrive) => {
  test.each(MALFORMED)('%s is a violation, and later messages are ignored', (_, message) => {
    const peer = arrive(open())
    expect(peer.says(message)).toEqual(violates())
    expect(peer.end).toBe('closed')
    expect(peer.says(HI, [SUBSCRIBE, 1, {}, 'a'])).toEqual([])
  })
})

test.each([
  ['HELLO', HI],
  ['WELCOME', [2, 1, {}]],
  ['CHALLENGE', [4, 'ticket', {}]],
  ['AUTHENTICATE', [5, 'secret', {}]],
  ['PUBLISHED', [17, 1, 1]],
  ['SUBSCRIBED', [33, 1, 1]],
  ['UNSUBSCRIBED', [35, 1]],
  ['EVENT', [36, 1, 1, {}]],
  ['RESULT', [50, 1, {}]],
  ['REGISTERED', [65, 1, 1]],
  ['UNREGISTERED', [67, 1]],
  ['INVOCATION', [68, 1, 1, {}]],
  ['INTERRUPT', [69, 1, {}]],
])('%s in a session is a violation', (name, message) => {
  const peer = open().join()
  expect(peer.says(message)).toEqual(violates(new RegExp(`^${name} is not legal now`)))
  expect(peer.end).toBe('closed')
})

test.each([16, 32, 34, 48, 64, 66])(
  'an ERROR for type %i from a client is a violation, and answers no request',
  (type) => {
    const { join } = open()
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, {}, 'a.b'])
    caller.says([CALL, 1, {}, 'a.b'])
    callee.take()
    expect(callee.says([8, type, 1, {}, 'com.error'])).toEqual(violates(/answers INVOCATION with ERROR/))
    expect(caller.take()).toEqual([[8, CALL, 1, {}, 'wamp.error.canceled', [TEXT]]])
  },
)

test.each([
  ['SUBSCRIBE', [32, 1, { match: 'foo' }, 'a']],
  ['SUBSCRIBE', [32, 1, { match: 1 }, 'a']],
  ['SUBSCRIBE', [32, 1, { get_retained: 1 }, 'a']],
  ['PUBLISH', [16, 1, { acknowledge: 1 }, 'a']],
  ['PUBLISH', [16, 1, { exclude_me: 0 }, 'a']],
  ['PUBLISH', [16, 1, { exclude: 'x' }, 'a']],
  ['PUBLISH', [16, 1, { eligible: [0] }, 'a']],
  ['PUBLISH', [16, 1, { eligible_authrole: [1] }, 'a']],
  ['PUBLISH', [16, 1, { disclose_me: null }, 'a']],
  ['REGISTER', [64, 1, { invoke: 'all' }, 'a']],
  ['REGISTER', [64, 1, { match: [] }, 'a']],
  ['CALL', [48, 1, { timeout: -1 }, 'a']],
  ['CALL', [48, 1, { receive_progress: 'yes' }, 'a']],
  ['CALL', [48, 1, { ppt_scheme: '' }, 'a']],
  ['CANCEL', [49, 1, { mode: 'softly' }]],
  ['YIELD', [70, 1, { progress: 1 }]],
  ['GOODBYE', [6, { message: 1 }, 'a']],
])('%s with a known key of the wrong type is a violation: %j', (name, message) => {
  expect(open().join().says(message)).toEqual(violates(new RegExp(`^${name}\\[\\d\\]\\.`)))
})

test('unknown keys are ignored in every dictionary', () => {
  const peer = open().join()
  const odd = { _mine: [null, 1.5], constructor: 1, toString: 'x', zzz: {} }
  expect(
    peer.says([SUBSCRIBE, 1, odd, 'a.b'], [PUBLISH, 2, { ...odd, acknowledge: true }, 'a.b'], [CALL, 3, odd, 'a.c']),
  ).toEqual([
    [33, 1, expect.any(Number)],
    [17, 2, expect.any(Number)],
    [8, 48, 3, {}, 'wamp.error.no_such_procedure', [TEXT]],
  ])
})

test('a violation in one session does not affect the others', () => {
  const { join } = open()
  const [good, bad] = [join(), join()]
  good.says([REGISTER, 1, {}, 'a.b'])
  bad.says('nonsense')
  expect(good.end).toBeUndefined()
  expect(good.says([CALL, 2, {}, 'a.b'])).toEqual([[68, 1, expect.any(Number), {}]])
})

test('GOODBYE is answered alone, and the peer has a second to close the connection', () => {
  vi.useFakeTimers()
  const { join, router } = open()
  const peer = join({ stays: true })
  expect(peer.says([GOODBYE, { message: 'off' }, 'wamp.close.close_realm'], [SUBSCRIBE, 1, {}, 'a'])).toEqual([
    [GOODBYE, {}, 'wamp.close.goodbye_and_out'],
  ])
  expect(router.stats().sessions).toBe(0)
  vi.advanceTimersByTime(999)
  expect(peer.says([SUBSCRIBE, 2, {}, 'a'])).toEqual([])
  expect(peer.end).toBeUndefined()
  vi.advanceTimersByTime(1)
  expect(peer.end).toBe('closed')
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

test('ABORT is not answered', () => {
  const peer = open().join()
  expect(peer.says([3, {}, 'com.example.enough', ['why']], [SUBSCRIBE, 1, {}, 'a'])).toEqual([])
  expect(peer.end).toBe('closed')
})

test('a peer that hangs instead of closing is cut off', () => {
  vi.useFakeTimers()
  const { join, router } = open()
  const peer = join({ hangs: true })
  peer.says([GOODBYE, {}, 'wamp.close.close_realm'])
  expect(router.stats().sessions).toBe(0)
  expect(router.links).toBe(1)
  vi.advanceTimersByTime(3000)
  expect(peer.end).toBe('terminated')
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})
