/** HELLO to WELCOME in rounds, by methods of the test: challenges, endings, and which fields become public. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Dial, longPollDial, WampError, webSocketDial } from 'wampy-ts'
import { type AuthMethod, type AuthRequest, anonymousAuth } from 'wampy-ts/auth/router'
import { rawSocketDial, serve } from 'wampy-ts/node'
import { framed, json, Router, type RouterOptions } from 'wampy-ts/router'
import {
  ABORT,
  AUTHENTICATE,
  CALL,
  CHALLENGE,
  EVENT,
  GOODBYE,
  HELLO,
  RESULT,
  SUBSCRIBE,
  WELCOME,
} from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { aborts, ask, ID, next, open, type Peer, ROLES, settled, subscribe, violates } from './support.ts'

afterEach(() => vi.useRealTimers())

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const hello = (...authmethods: string[]): unknown[] => [
  HELLO,
  'realm1',
  { roles: ROLES, authid: 'joe', authextra: { asked: 1 }, authmethods },
]

const identity = { authid: 'joe', authrole: 'user' }

/** Wants the sum of two numbers, twice. */
const sums: AuthMethod = {
  name: 'sums',
  async *authenticate({ authid = '' }) {
    for (const [a, b] of [
      [1, 2],
      [3, 4],
    ] as const) {
      const { signature } = yield { extra: { a, b } }
      if (signature !== String(a + b)) throw new WampError('wamp.error.authentication_denied', ['that is wrong'])
    }
    return { authid, authrole: 'reckoner', authprovider: 'school' }
  },
}

const made = (authenticate: AuthMethod['authenticate'], name = 'made'): AuthMethod => ({ name, authenticate })

const taking = (...methods: (AuthMethod | 'anonymous')[]): RouterOptions => ({
  auth: methods.map((method) => (method === 'anonymous' ? anonymousAuth() : method)),
})

test('a session is challenged in rounds until the method returns its identity', async () => {
  const peer = open(taking(sums)).connect()
  peer.says(hello('sums'))
  expect(await next(peer)).toEqual([CHALLENGE, 'sums', { a: 1, b: 2 }])
  peer.says([AUTHENTICATE, '3', {}])
  expect(await next(peer)).toEqual([CHALLENGE, 'sums', { a: 3, b: 4 }])
  peer.says([AUTHENTICATE, '7', {}])
  const welcome = { authid: 'joe', authrole: 'reckoner', authmethod: 'sums', authprovider: 'school' }
  expect(await next(peer)).toEqual([WELCOME, ID, expect.objectContaining(welcome)])
  expect(peer.says([SUBSCRIBE, 1, {}, 'a'])).toEqual([[33, 1, ID]])
})

const ways: Record<string, [url: 'url' | 'rawSocketUrl' | 'longPollUrl', dial: Dial]> = {
  WebSocket: ['url', webSocketDial()],
  RawSocket: ['rawSocketUrl', rawSocketDial()],
  'long polls': ['longPollUrl', longPollDial()],
}

test.each(Object.entries(ways))('authentication works over %s as well', async (_name, [url, dial]) => {
  const router = new Router(taking(sums))
  const served = await serve(router, { port: 0, longPoll: true })
  cleanups.push(() => served.close())
  const transport = await dial(served[url] as string, ['wamp.2.json'], new AbortController().signal)
  const link = framed(transport, json)
  const heard: Message[] = []
  await new Promise<void>((resolve) => {
    link.open({
      message(message) {
        heard.push(message)
        if (message[0] !== CHALLENGE) return resolve()
        const { a, b } = message[2] as { a: number; b: number }
        link.send([AUTHENTICATE, String(a + b), {}])
      },
      failed() {},
      closed() {},
    })
    link.send(hello('sums') as never)
  })
  expect(heard.map(([code]) => code)).toEqual([CHALLENGE, CHALLENGE, WELCOME])
  link.terminate()
})

test('the method receives the details of HELLO and the session id that WELCOME will carry', async () => {
  const asked: AuthRequest[] = []
  const method = made(async function* (request) {
    asked.push(request)
    yield {}
    return identity
  })
  const peer = open(taking(method)).connect()
  peer.says(hello('made'))
  expect(await next(peer)).toEqual([CHALLENGE, 'made', {}])
  expect(asked).toMatchObject([{ realm: 'realm1', authid: 'joe', authextra: { asked: 1 } }])
  peer.says([AUTHENTICATE, '', {}])
  expect(await next(peer)).toEqual([WELCOME, asked[0]?.session, expect.anything()])
  expect(asked[0]?.signal.aborted).toBe(false)
})

describe('the chosen method', () => {
  const quiet = (name: string): AuthMethod =>
    // biome-ignore lint/correctness/useYield: it asks nothing
    made(async function* () {
      return { ...identity, authrole: name }
    }, name)

  test.each([
    [['b', 'a'], 'b'],
    [['x', 'a', 'b'], 'a'],
    [['a', 'anonymous'], 'a'],
    [['anonymous', 'a'], 'anonymous'],
    [[], 'anonymous'],
  ])('is the first of %j that the router offers', async (offered, authmethod) => {
    const peer = open(taking('anonymous', quiet('a'), quiet('b'))).connect()
    const [answer] = peer.says(hello(...offered))
    expect(answer ?? (await next(peer))).toEqual([
      WELCOME,
      ID,
      expect.objectContaining({ authmethod, authrole: authmethod }),
    ])
  })

  test('must be offered by the router, and anonymous is accepted only if it is listed', () => {
    const { connect } = open(taking(quiet('a'), quiet('b')))
    expect(connect().says(hello('x'))).toEqual(aborts('wamp.error.no_matching_auth_method', /a, b/))
    expect(connect().says(hello('anonymous'))).toEqual(aborts('wamp.error.no_matching_auth_method', /a, b/))
    expect(connect().says(hello())).toEqual(aborts('wamp.error.authentication_required', /a, b/))
  })

  test('anonymous is welcomed in the same turn as its HELLO', () => {
    const peer = open(taking(quiet('a'), 'anonymous')).connect()
    expect(peer.says(hello('anonymous'))).toEqual([[WELCOME, ID, expect.anything()]])
  })
})

describe('a failure of the method refuses the session', () => {
  const secret = new Error('the password is swordfish')
  test.each<[string, AuthMethod['authenticate'], string, RegExp]>([
    [
      'a WampError',
      async function* () {
        yield {}
        throw new WampError('com.example.error.late', ['come back tomorrow'])
      },
      'com.example.error.late',
      /tomorrow/,
    ],
    [
      'an error of this process',
      async function* () {
        yield {}
        throw new WampError('wampy.error.usage', ['the password is swordfish'])
      },
      'wamp.error.authentication_failed',
      /^the method made failed$/,
    ],
    [
      'any other error',
      async function* () {
        yield {}
        throw secret
      },
      'wamp.error.authentication_failed',
      /^the method made failed$/,
    ],
    [
      'an identity that is none',
      async function* () {
        yield {}
        return { authid: 'joe' } as never
      },
      'wamp.error.authentication_failed',
      /^the method made failed$/,
    ],
    [
      'a challenge that cannot travel',
      async function* () {
        yield {}
        yield { extra: { date: new Date(Number.NaN), f: () => 1 } }
        return identity
      },
      'wamp.error.invalid_argument',
      /./,
    ],
  ])('%s', async (_what, authenticate, reason, text) => {
    const { connect, router } = open(taking(made(authenticate)))
    const peer = connect()
    peer.says(hello('made'))
    await next(peer)
    peer.says([AUTHENTICATE, '', {}])
    expect([await next(peer)]).toEqual(aborts(reason, text))
    expect(peer.end).toBe('closed')
    expect(router.stats().sessions).toBe(0)
  })

  test('a method that throws at once, or is not a generator, refuses the session as well', async () => {
    for (const authenticate of [
      (): never => {
        throw secret
      },
      // biome-ignore lint/correctness/useYield: it asks nothing
      async function* (): AsyncGenerator<never> {
        throw secret
      },
      () => 'nothing' as never,
    ]) {
      const peer = open(taking(made(authenticate))).connect()
      const [answer = await next(peer)] = peer.says(hello('made'))
      expect([answer]).toEqual(aborts('wamp.error.authentication_failed', /^the method made failed$/))
    }
  })
})

test('the details of an error are sent in the ABORT', async () => {
  const peer = open(
    taking(
      made(async function* () {
        yield {}
        throw new WampError('wamp.error.authentication_denied', ['no'], {}, { details: { scram: 'invalid-proof' } })
      }),
    ),
  ).connect()
  peer.says(hello('made'))
  await next(peer)
  peer.says([AUTHENTICATE, '', {}])
  expect(await next(peer)).toEqual([
    ABORT,
    { message: 'no', scram: 'invalid-proof' },
    'wamp.error.authentication_denied',
  ])
})

describe('an authenticating session', () => {
  /** A method that records how it ends: at a challenge, or while it works. */
  function watched(how: 'asks' | 'works') {
    const ends: string[] = []
    let release = (): void => {}
    const method = made(async function* ({ signal }) {
      try {
        if (how === 'asks') yield {}
        else {
          await new Promise<void>((resolve) => {
            release = resolve
            signal.addEventListener('abort', () => {
              ends.push('aborted')
              resolve()
            })
          })
        }
        return identity
      } finally {
        ends.push('ended')
      }
    })
    return { method, ends, release: () => release() }
  }

  const messages: [string, unknown[]][] = [
    ['HELLO', hello('made')],
    ['SUBSCRIBE', [SUBSCRIBE, 1, {}, 'a']],
    ['GOODBYE', [GOODBYE, {}, 'wamp.close.close_realm']],
    ['CHALLENGE', [CHALLENGE, 'made', {}]],
  ]

  test.each(messages)('may not send %s', async (name, message) => {
    for (const how of ['asks', 'works'] as const) {
      const { method, ends } = watched(how)
      const peer = open(taking(method)).connect()
      peer.says(hello('made'))
      if (how === 'asks') await next(peer)
      expect(peer.says(message)).toEqual(violates(new RegExp(`^${name} is not legal now`)))
      await settled()
      expect(ends).toEqual(how === 'asks' ? ['ended'] : ['aborted', 'ended'])
    }
  })

  test('may send AUTHENTICATE only in answer to a CHALLENGE, and only once', async () => {
    const { method } = watched('works')
    const early = open(taking(method)).connect()
    expect(early.says(hello('made'), [AUTHENTICATE, 'x', {}])).toEqual(violates(/^AUTHENTICATE is not legal now/))
    const twice = open(taking(sums)).connect()
    twice.says(hello('sums'))
    await next(twice)
    expect(twice.says([AUTHENTICATE, '3', {}], [AUTHENTICATE, '3', {}])).toEqual(
      violates(/^AUTHENTICATE is not legal now/),
    )
    const before = open(taking(sums)).connect()
    expect(before.says([AUTHENTICATE, 'x', {}])).toEqual(violates(/^AUTHENTICATE is not legal now/))
  })

  test.each<[string, (peer: Peer) => void]>([
    ['ABORT', (peer) => peer.says([ABORT, {}, 'com.example.enough'])],
    ['loss', (peer) => peer.lose()],
  ])('ends its method by %s', async (_way, leave) => {
    for (const how of ['asks', 'works'] as const) {
      const { method, ends } = watched(how)
      const { connect, router } = open(taking(method))
      const peer = connect()
      peer.says(hello('made'))
      if (how === 'asks') await next(peer)
      leave(peer)
      await settled()
      expect(ends).toEqual(how === 'asks' ? ['ended'] : ['aborted', 'ended'])
      expect(peer.take()).toEqual([])
      expect(router.stats().sessions).toBe(0)
      expect(router.links).toBe(0)
    }
  })

  test('is not admitted by a method that returns after the peer has left', async () => {
    let release = (): void => {}
    const method = made(async function* () {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return identity
    })
    const { connect, router } = open(taking(method))
    const peer = connect()
    peer.says(hello('made'))
    peer.says([ABORT, {}, 'com.example.enough'])
    release()
    await settled()
    expect(peer.take()).toEqual([])
    expect(router.stats().sessions).toBe(0)
  })

  test('has one deadline for all rounds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { method, ends } = watched('asks')
    const { connect } = open({ ...taking(method), limits: { handshake: 500 } })
    const peer = connect()
    vi.advanceTimersByTime(300)
    peer.says(hello('made'))
    await next(peer)
    vi.advanceTimersByTime(499)
    expect(peer.take()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(peer.take()).toEqual(aborts('wamp.error.timeout', /500 ms/))
    await settled()
    expect(ends).toEqual(['ended'])
    expect(peer.end).toBe('closed')
  })

  test('has no timer left after a session whose credentials expire has left', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const expires = Date.now() + 60_000
    const expiring = { name: 'made', authenticate: () => ({ ...identity, expires }) }
    const { connect } = open(taking(expiring))
    const peer = connect()
    expect(peer.says(hello('made'))).toEqual([[WELCOME, ID, expect.anything()]])
    expect(vi.getTimerCount()).toBe(1)
    peer.says([GOODBYE, {}, 'wamp.close.close_realm'])
    expect(vi.getTimerCount()).toBe(0)
    const other = connect()
    other.says(hello('made'))
    vi.advanceTimersByTime(60_000)
    expect(other.take()).toEqual([[GOODBYE, expect.anything(), 'wampy.close.credentials_expired']])
  })

  test('has no timer left after it has joined', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const peer = open(taking(sums)).connect()
    peer.says(hello('sums'))
    await next(peer)
    peer.says([AUTHENTICATE, '3', {}])
    await next(peer)
    peer.says([AUTHENTICATE, '7', {}])
    await next(peer)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is ended when the router closes', async () => {
    const { method, ends } = watched('works')
    const { connect, router } = open(taking(method))
    const peer = connect()
    peer.says(hello('made'))
    await router.close()
    expect(peer.take()).toEqual(aborts('wamp.close.system_shutdown'))
    await settled()
    expect(ends).toEqual(['aborted', 'ended'])
  })
})

test('only the four fields of the principal are published from an identity', async () => {
  const seen: object[] = []
  // biome-ignore lint/correctness/useYield: it asks nothing
  const method = made(async function* () {
    return {
      authid: 'joe',
      authrole: 'user',
      authextra: { verifier: 'for joe alone' },
      internal: { secret: 'swordfish' },
      password: 'swordfish',
    } as never
  })
  const { connect, join } = open({
    ...taking('anonymous', method),
    disclose: (_action, _uri, actor) => {
      seen.push(actor)
      return 'always'
    },
  })
  const watcher = join()
  const subscription = subscribe(watcher, 'wamp.session.on_join')
  const topic = subscribe(watcher, 'com.topic')
  const joe = connect()
  joe.says(hello('made'))
  const welcome = await next(joe)
  const principal = { authid: 'joe', authrole: 'user', authmethod: 'made', authprovider: 'static' }
  expect(welcome[2]).toEqual({
    realm: 'realm1',
    roles: expect.anything(),
    agent: expect.anything(),
    ...principal,
    authextra: { verifier: 'for joe alone' },
  })
  const shown = { session: welcome[1], ...principal }
  expect(watcher.take()).toEqual([[EVENT, subscription, ID, {}, [shown]]])
  expect(ask(watcher, 'wamp.session.get', [welcome[1]])).toEqual([RESULT, [shown]])
  joe.says([16, 1, {}, 'com.topic'])
  const details = { publisher: welcome[1], publisher_authid: 'joe', publisher_authrole: 'user' }
  expect(watcher.take()).toEqual([[EVENT, topic, ID, details]])
  expect(seen).toEqual([shown])
  expect(joe.says([CALL, 2, {}, 'wamp.session.count'])).toEqual([[RESULT, 2, {}, [2]]])
})
