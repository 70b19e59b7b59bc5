/** The log of a router: what is in it, at which level, and what can never be in it. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Logger, logTo } from 'wampy-ts/log'
import { CALL, GOODBYE, HELLO, PUBLISH, REGISTER, SUBSCRIBE, UNREGISTER, UNSUBSCRIBE, YIELD } from 'wampy-ts/testing'
import type { RouterOptions } from '../../src/router/router.ts'
import { json } from '../../src/serializer/json.ts'
import { framed } from '../../src/session/framed.ts'
import { able, register } from './rpc.ts'
import { dropped, open, Peer, ROLES, subscribe } from './support.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

type Line = readonly [level: string, text: string, fields: Record<string, unknown>]

function recording(): { logger: Logger; lines: Line[]; take(): Line[] } {
  const lines: Line[] = []
  const at = (level: string) => (fields: object, text: string) => void lines.push([level, text, { ...fields }])
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { logger, lines, take: () => lines.splice(0) }
}

function logged(options: RouterOptions = {}) {
  const world = open(options)
  const record = recording()
  return { ...world, ...record, stop: logTo(world.router, record.logger) }
}

describe('sessions', () => {
  test('joins and departures, with their reasons', () => {
    const world = logged()
    const { router, join, take } = world
    const peer = new Peer()
    router.attach(framed(peer, json), { type: 'websocket', peer: 'tcp4:192.0.2.1:5', user_agent: 'secret' })
    peer.says([HELLO, 'realm1', { roles: ROLES, authextra: { secret: 1 } }])
    const [[, , { session, authid }] = ['', '', {}]] = world.lines
    const who = { realm: 'realm1', session, authid, authrole: 'anonymous' }
    expect(take()).toEqual([
      [
        'info',
        'session joined',
        { ...who, authmethod: 'anonymous', authprovider: 'static', transport: 'websocket', peer: 'tcp4:192.0.2.1:5' },
      ],
    ])
    peer.says([GOODBYE, { message: 'enough' }, 'com.example.enough'])
    expect(take()).toEqual([
      ['info', 'session left', { ...who, by: 'peer', reason: 'com.example.enough', text: 'enough' }],
    ])
    join().lose()
    expect(take()[1]).toMatchObject(['info', 'session lost', { by: 'loss', text: expect.stringMatching(/closed/) }])
  })

  test('violations, with what was wrong', () => {
    const { join, take } = logged()
    join().says([SUBSCRIBE, 1, {}])
    expect(take()[1]).toMatchObject([
      'warn',
      'session broke the protocol',
      { by: 'router', reason: 'wamp.error.protocol_violation', text: 'SUBSCRIBE has 4 elements, got 3' },
    ])
  })

  test.each([
    ['wamp.close.system_shutdown', 'info'],
    ['wampy.error.limit_exceeded', 'warn'],
    ['wamp.error.not_authorized', 'warn'],
  ])('that the router ends for %s are logged as %s', (reason, level) => {
    const { join, take } = logged()
    const [admin, victim] = [join(), join()]
    take()
    admin.says([CALL, 1, {}, 'wamp.session.kill', [victim.id], { reason }])
    expect(take()).toMatchObject([[level, 'session ended by the router', { session: victim.id, reason }]])
  })

  test('refused joins', () => {
    const { router, take } = logged()
    const peer = new Peer()
    router.attach(framed(peer, json), { type: 'rawsocket', peer: 'tcp4:192.0.2.1:5' })
    peer.says([HELLO, 'com.other', { roles: ROLES }])
    expect(take()).toEqual([
      [
        'warn',
        'join refused',
        {
          realm: 'com.other',
          action: 'join',
          error: 'wamp.error.no_such_realm',
          text: 'there is no realm "com.other" here',
          transport: 'rawsocket',
          peer: 'tcp4:192.0.2.1:5',
        },
      ],
    ])
  })
})

test('refused requests and drops', async () => {
  const { join, take } = logged({ limits: { backlog: 1000 } })
  const peer = join()
  take()
  peer.says([CALL, 1, {}, 'com.none'], [PUBLISH, 2, {}, 'not a topic'])
  const { id: session } = peer
  expect(take()).toMatchObject([
    ['info', 'request refused', { session, action: 'call', uri: 'com.none', error: 'wamp.error.no_such_procedure' }],
    ['warn', 'dropped', { session, reason: 'publications', uri: 'not a topic', count: 1 }],
    ['info', 'request refused', { session, action: 'publish', uri: 'not a topic', error: 'wamp.error.invalid_uri' }],
  ])
  const slow = join()
  subscribe(slow, 'com.topic')
  take()
  slow.backlog = 2001
  peer.says([PUBLISH, 3, {}, 'com.topic'])
  slow.says([UNSUBSCRIBE, 3, 1])
  await dropped()
  expect(take().filter(([level]) => level !== 'debug')).toMatchObject([
    ['warn', 'dropped', { session: slow.id, reason: 'slow', uri: 'com.topic' }],
    ['warn', 'dropped', { session: slow.id, reason: 'sessions', count: 1 }],
    ['info', 'request refused', { session: slow.id, action: 'unsubscribe' }],
    ['info', 'session lost', { session: slow.id, text: '2001 bytes behind' }],
  ])
})

test('slow decisions, and those that come too late', async () => {
  vi.useFakeTimers()
  const authorize: RouterOptions['authorize'] = ({ action }) =>
    new Promise((resolve) => setTimeout(resolve, action === 'subscribe' ? 2000 : 60_000, true))
  const { join, take } = logged({ authorize })
  const peer = join()
  take()
  peer.says([SUBSCRIBE, 1, {}, 'com.topic'])
  await vi.advanceTimersByTimeAsync(2000)
  const { id: session } = peer
  expect(take()[0]).toEqual([
    'warn',
    'slow decision',
    { realm: 'realm1', session, action: 'subscribe', uri: 'com.topic', duration: 2000, decided: true },
  ])
  peer.says([CALL, 2, {}, 'com.add'])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(take()).toMatchObject([
    ['warn', 'slow decision', { action: 'call', uri: 'com.add', duration: 10_000, decided: false }],
    ['info', 'request refused', { error: 'wamp.error.authorization_failed' }],
  ])
})

test('registrations and subscriptions, for those who debug', () => {
  const { join, take, ...world } = logged()
  const peer = able({ join, ...world })
  take()
  const registration = register(peer, 'com.add')
  const subscription = subscribe(peer, 'com.topic')
  peer.says([UNREGISTER, 1, registration], [UNSUBSCRIBE, 2, subscription])
  expect(take()).toMatchObject([
    ['debug', 'procedure registered', { uri: 'com.add', match: 'exact' }],
    ['debug', 'topic subscribed', { uri: 'com.topic' }],
    ['debug', 'procedure unregistered', { uri: 'com.add', last: true }],
    ['debug', 'topic unsubscribed', { uri: 'com.topic' }],
  ])
})

describe('what a peer repeats', () => {
  test('is logged once, and counted after a second', async () => {
    vi.useFakeTimers()
    const { join, take } = logged()
    const [one, two] = [join(), join()]
    take()
    for (let at = 1; at <= 500; at++) one.says([CALL, at, {}, `com.none.p${at}`])
    two.says([CALL, 1, {}, 'com.none'])
    expect(take()).toMatchObject([
      ['info', 'request refused', { session: one.id, uri: 'com.none.p1' }],
      ['info', 'request refused', { session: two.id }],
    ])
    await vi.advanceTimersByTimeAsync(1000)
    expect(take()).toMatchObject([
      ['info', 'request refused', { session: one.id, uri: 'com.none.p500', repeated: 499 }],
    ])
    one.says([CALL, 501, {}, 'com.none'])
    expect(take()).toHaveLength(1)
  })

  test('from very many sessions is cut, and the rest counted', async () => {
    vi.useFakeTimers()
    const { join, take } = logged()
    const peers = Array.from({ length: 150 }, () => join())
    take()
    for (const peer of peers) peer.says([CALL, 1, {}, 'com.none'], [CALL, 2, {}, 'com.none'])
    expect(take()).toHaveLength(100)
    await vi.advanceTimersByTimeAsync(1000)
    const lines = take()
    expect(lines).toHaveLength(101)
    expect(lines.at(-1)).toEqual(['warn', 'more refusals and drops than are logged', { omitted: 100 }])
  })

  test('is counted when the log stops', () => {
    const { join, take, stop } = logged()
    const peer = join()
    take()
    peer.says([CALL, 1, {}, 'com.none'], [CALL, 2, {}, 'com.none'])
    stop()
    expect(take().map(([, , { repeated }]) => repeated)).toEqual([undefined, 1])
    peer.says([CALL, 3, {}, 'com.none'])
    peer.lose()
    expect(take()).toEqual([])
  })
})

test('a line cannot be forged or grow, and holds no payload and no credential', () => {
  const { join, lines, connect, ...world } = logged()
  const evil = `a\r\n{"level":"error"}\u001b[2J\u009b2J\u2028\u202eb\ud800${'x'.repeat(10_000)}`
  const [callee, caller] = [able({ join, connect, ...world }), able({ join, connect, ...world })]
  register(callee, 'com.add')
  caller.says([CALL, 1, {}, 'com.add', ['secret'], { secret: 1 }], [CALL, 2, {}, 'com.none', ['secret']])
  callee.says([YIELD, 1, {}, ['secret']], [REGISTER, 3, {}, `com ${evil.slice(0, 300)}`])
  caller.says([PUBLISH, 4, {}, 'a b', ['secret'], { secret: 1 }])
  connect().says([HELLO, evil.slice(0, 3000), { roles: ROLES, authid: evil, authextra: { secret: 1 } }])
  caller.says([GOODBYE, { message: evil }, 'com.example.reason'])
  expect(lines.length).toBeGreaterThan(6)
  for (const line of lines) {
    const text = JSON.stringify(line)
    expect(text).not.toContain('secret')
    expect(text.length).toBeLessThan(1500)
    for (const value of Object.values(line[2])) expect(String(value)).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u202e]/u)
  }
  expect(lines.at(-1)?.[2]['text']).toMatch(
    /^a\ufffd\ufffd\{"level":"error"\}\ufffd\[2J\ufffd2J\ufffd\ufffdb\ufffdx+…$/u,
  )
})

test('a logger that fails disturbs nobody', async () => {
  vi.useFakeTimers()
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { router, join } = open()
  const fails = (): never => {
    throw new Error('full')
  }
  logTo(router, { debug: fails, info: fails, warn: fails, error: fails })
  const peer = join()
  peer.says([CALL, 1, {}, 'com.none'])
  expect(peer.says([CALL, 2, {}, 'wamp.session.count'])).toHaveLength(1)
  expect(router.stats().dropped.observations).toBe(2)
  peer.says([CALL, 3, {}, 'com.none'])
  await vi.advanceTimersByTimeAsync(1000)
  expect(said.mock.calls.at(-1)).toEqual(['the logger failed:', expect.objectContaining({ message: 'full' })])
})

test.each<[unknown, unknown, RegExp]>([
  [undefined, console, /logTo expects a Router or a client as its first argument, got undefined/],
  [{}, console, /logTo expects a Router or a client/],
  ['router', undefined, /a logger must have the methods debug, info, warn and error, got undefined/],
  ['router', { info() {} }, /a logger must have the methods/],
])('logTo(%j, %j) is an error', (source, logger, text) => {
  const given = source === 'router' ? open().router : source
  expect(() => logTo(given as never, logger as Logger)).toThrow(
    expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringMatching(text) }),
  )
})
