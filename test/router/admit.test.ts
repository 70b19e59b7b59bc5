/** HELLO to WELCOME or ABORT. */

import { afterEach, expect, test, vi } from 'vitest'
import {
  ABORT,
  AUTHENTICATE,
  CALL,
  CANCEL,
  ERROR,
  GOODBYE,
  HELLO,
  PUBLISH,
  REGISTER,
  SUBSCRIBE,
  UNREGISTER,
  UNSUBSCRIBE,
  WELCOME,
  YIELD,
} from 'wampy-ts/testing'
import { aborts, ID, open, ROLES, TEXT, violates } from './support.ts'

afterEach(() => vi.useRealTimers())

const HI = [HELLO, 'realm1', { roles: ROLES }]

test('WELCOME answers HELLO with the realm, the roles, the agent and the identity of the session', () => {
  const peer = open().connect()
  expect(peer.says(HI)).toEqual([
    [
      WELCOME,
      ID,
      {
        realm: 'realm1',
        roles: { broker: { features: expect.anything() }, dealer: { features: expect.anything() } },
        agent: expect.stringMatching(/^wampy-ts\/\d+\.\d+/),
        authid: expect.stringMatching(/^[0-9a-z]{10,}$/),
        authrole: 'anonymous',
        authmethod: 'anonymous',
        authprovider: 'static',
      },
    ],
  ])
  expect(peer.end).toBeUndefined()
})

test('WELCOME carries the configured name of the router', () => {
  const [welcome] = open({ agent: 'Crossbar.io' }).connect().says(HI)
  expect(welcome?.[2]).toMatchObject({ agent: 'Crossbar.io' })
})

test('each session has an id and an authid of its own', () => {
  const { connect } = open()
  const [one, other] = [connect().says(HI)[0], connect().says(HI)[0]] as [unknown[], unknown[]]
  expect(one[1]).not.toBe(other[1])
  expect((one[2] as { authid: string }).authid).not.toBe((other[2] as { authid: string }).authid)
})

test('messages that arrive right behind HELLO are served', () => {
  const peer = open().connect()
  expect(peer.says(HI, [SUBSCRIBE, 1, {}, 'com.topic'])).toEqual([
    [WELCOME, ID, expect.anything()],
    [33, 1, ID],
  ])
})

test('a peer may send messages as soon as it receives WELCOME', () => {
  const peer = open().connect()
  const { send } = peer
  const heard: unknown[] = []
  peer.send = (frame) => {
    peer.send = send
    peer.send(frame)
    heard.push(...peer.says([SUBSCRIBE, 1, {}, 'com.topic']))
  }
  peer.says(HI)
  expect(heard).toEqual([
    [WELCOME, ID, expect.anything()],
    [33, 1, ID],
  ])
})

test.each([
  ['SUBSCRIBE', [SUBSCRIBE, 1, {}, 'a.b']],
  ['UNSUBSCRIBE', [UNSUBSCRIBE, 1, 1]],
  ['PUBLISH', [PUBLISH, 1, {}, 'a.b']],
  ['REGISTER', [REGISTER, 1, {}, 'a.b']],
  ['UNREGISTER', [UNREGISTER, 1, 1]],
  ['CALL', [CALL, 1, {}, 'a.b']],
  ['CANCEL', [CANCEL, 1, {}]],
  ['YIELD', [YIELD, 1, {}]],
  ['ERROR', [ERROR, 68, 1, {}, 'a.b']],
  ['AUTHENTICATE', [AUTHENTICATE, 'x', {}]],
  ['GOODBYE', [GOODBYE, {}, 'wamp.close.close_realm']],
  ['WELCOME', [WELCOME, 1, {}]],
])('%s before HELLO is a violation', (name, message) => {
  const peer = open().connect()
  expect(peer.says(message)).toEqual(violates(new RegExp(`^${name} is not legal now`)))
  expect(peer.end).toBe('closed')
  expect(peer.says(HI)).toEqual([])
})

test('ABORT before HELLO closes the link without an answer', () => {
  const peer = open().connect()
  expect(peer.says([ABORT, {}, 'com.changed.my.mind'])).toEqual([])
  expect(peer.end).toBe('closed')
})

test.each([
  ['no roles', {}],
  ['an empty one', { roles: {} }],
  ['an unknown one', { roles: { spectator: {} } }],
  ['a router role', { roles: { dealer: {} } }],
  ['an inherited one', { roles: { constructor: {} } }],
  ['roles that are a list', { roles: ['caller'] }],
  ['a role that is true', { roles: { caller: true } }],
  ['features that are a list', { roles: { caller: { features: [] } } }],
  ['authmethods that are text', { roles: ROLES, authmethods: 'anonymous' }],
  ['an authid that is a number', { roles: ROLES, authid: 1 }],
])('HELLO with %s is a violation', (_, details) => {
  const peer = open().connect()
  expect(peer.says([HELLO, 'realm1', details])).toEqual(violates(/^HELLO\[2\]/))
  expect(peer.end).toBe('closed')
})

test('one role is enough, and unknown roles, features and keys are ignored', () => {
  const roles = { caller: { features: { telepathy: true, call_canceling: 'maybe' } }, spectator: {} }
  const peer = open().connect()
  expect(peer.says([HELLO, 'realm1', { roles, _private: 1 }])).toEqual([[WELCOME, ID, expect.anything()]])
})

test('an unknown realm is refused, and the error names it', () => {
  const peer = open().connect()
  expect(peer.says([HELLO, 'realm2', { roles: ROLES }])).toEqual(aborts('wamp.error.no_such_realm', /"realm2"/))
  expect(peer.end).toBe('closed')
})

test.each(['', 'a..b', '.a', 'a.', 'a b', 'a#b'])('a realm called %j is not a valid URI', (realm) => {
  expect(
    open()
      .connect()
      .says([HELLO, realm, { roles: ROLES }]),
  ).toEqual(aborts('wamp.error.invalid_uri'))
})

test.each([
  [['ticket'], false],
  [['wampcra', 'anonymous'], true],
  [['anonymous'], true],
  [[], true],
])('authmethods %j: welcome %s', (authmethods, welcome) => {
  const peer = open().connect()
  expect(peer.says([HELLO, 'realm1', { roles: ROLES, authmethods }])).toEqual(
    welcome ? [[WELCOME, ID, expect.anything()]] : aborts('wamp.error.no_matching_auth_method'),
  )
})

test('a peer that connects and sends nothing is disconnected after the time limit of HELLO', () => {
  vi.useFakeTimers()
  const { connect } = open({ limits: { hello: 500, handshake: 60_000 } })
  const peer = connect()
  vi.advanceTimersByTime(499)
  expect(peer.take()).toEqual([])
  vi.advanceTimersByTime(1)
  expect(peer.take()).toEqual(aborts('wamp.error.timeout', /no HELLO within 500 ms/))
  expect(peer.end).toBe('closed')
})

test('the handshake timer is cleared when a peer joins or disconnects', () => {
  vi.useFakeTimers()
  const { connect, join } = open()
  const member = join()
  connect().lose()
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(60_000)
  expect(member.end).toBeUndefined()
  expect(member.take()).toEqual([])
})

test('sessions of one realm receive nothing from another realm', () => {
  const { join } = open({ realms: ['one', 'two'] })
  const [here, there] = [join({}, {}, 'one'), join({}, {}, 'two')]
  here.says([SUBSCRIBE, 1, {}, 'com.topic'], [REGISTER, 2, {}, 'com.procedure'])
  expect(there.says([PUBLISH, 1, {}, 'com.topic'], [CALL, 2, {}, 'com.procedure'])).toEqual([
    [ERROR, CALL, 2, {}, 'wamp.error.no_such_procedure', [TEXT]],
  ])
  expect(here.take()).toEqual([])
})
