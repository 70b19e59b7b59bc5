/** The Router as a whole: its options, one role or two, strict mode, statistics and closing. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  ABORT,
  CALL,
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
import type { Message } from '../../src/protocol/messages.ts'
import { Router, type RouterOptions } from '../../src/router/router.ts'
import { aborts, ID, open, type Peer, ROLES, TEXT, violates } from './support.ts'

afterEach(() => vi.useRealTimers())

describe('options', () => {
  test.each<[object, RegExp]>([
    [{ realms: [] }, /^Router: realms must be a list of URIs of realms, got an empty list$/],
    [{ realms: 'realm1' }, /realms must be a list of URIs of realms, got "realm1"/],
    [{ realms: ['a b'] }, /realms must be a list of URIs of realms, got "a b"/],
    [{ realms: [1] }, /realms must be a list of URIs of realms, got 1/],
    [{ realms: ['Realm'], strict: true }, /realms must be a list of URIs of realms, got "Realm"/],
    [{ roles: [] }, /roles must be a list of broker and dealer, or one of them, got an empty list/],
    [{ roles: ['broker', 'caller'] }, /roles must be a list of broker and dealer, or one of them, got "caller"/],
    [{ strict: 1 }, /strict must be true or false, got 1/],
    [{ agent: 1 }, /agent must be text/],
    [{ limits: { calls: 0 } }, /^limits.calls must be a number above 0, got 0$/],
    [{ limits: { calls: '7' } }, /limits.calls must be a number above 0, got "7"/],
    [{ limits: { calls: Number.NaN } }, /limits.calls/],
    [{ limits: { sessions: 1 } }, /^limits has no option "sessions", but subscriptions, /],
    [{ limits: { call: 1 } }, /^limits has no option "call": did you mean calls\?$/],
    [{ realm: 'realm1' }, /^Router has no option "realm": did you mean realms\?$/],
    [{ secret: 1 }, /^Router has no option "secret", but realms, roles, strict, /],
    [{ disclose: 'sometimes' }, /disclose must be asked, always, never or a function, got "sometimes"/],
    [{ trustlevel: 1 }, /trustlevel must be a function, got 1/],
    [[], /^Router takes options, such as \{ realms: ... \}, got a list$/],
    ['realm1' as never, /^Router takes options, such as \{ realms: ... \}, got text$/],
  ])('%j is refused', (options, text) => {
    expect(() => new Router(options as RouterOptions)).toThrow(
      expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringMatching(text) }),
    )
  })

  test('an undefined option counts as absent', () => {
    const router = new Router({
      realms: undefined,
      roles: undefined,
      strict: undefined,
      limits: { calls: undefined },
    } as never)
    expect(router.realms).toEqual(['realm1'])
  })
})

describe('a router with one role', () => {
  const BROKER = [
    ['PUBLISH', [PUBLISH, 1, {}, 'a']],
    ['SUBSCRIBE', [SUBSCRIBE, 1, {}, 'a']],
    ['UNSUBSCRIBE', [UNSUBSCRIBE, 1, 1]],
  ] as const
  const DEALER = [
    ['CALL', [CALL, 1, {}, 'a']],
    ['CANCEL', [49, 1, {}]],
    ['REGISTER', [REGISTER, 1, {}, 'a']],
    ['UNREGISTER', [UNREGISTER, 1, 1]],
    ['YIELD', [YIELD, 1, {}]],
    ['ERROR', [ERROR, 68, 1, {}, 'a']],
  ] as const

  test('announces only that role', () => {
    const of = (roles: RouterOptions['roles']): string[] => {
      const [welcome] = open({ roles })
        .connect()
        .says([HELLO, 'realm1', { roles: ROLES }]) as [[number, number, { roles: object }]]
      return Object.keys(welcome[2].roles)
    }
    expect(of(['broker'])).toEqual(['broker'])
    expect(of(['dealer'])).toEqual(['dealer'])
    expect(of(['dealer', 'broker'])).toEqual(['broker', 'dealer'])
  })

  test.each(DEALER)('broker: %s is a violation', (name, message) => {
    expect(
      open({ roles: ['broker'] })
        .join()
        .says(message),
    ).toEqual(violates(new RegExp(`${name} needs a dealer`)))
  })

  test.each(BROKER)('dealer: %s is a violation', (name, message) => {
    expect(
      open({ roles: ['dealer'] })
        .join()
        .says(message),
    ).toEqual(violates(new RegExp(`${name} needs a broker`)))
  })

  test('serves the requests of its role', () => {
    const broker = open({ roles: ['broker'] }).join()
    expect(
      broker.says([SUBSCRIBE, 1, {}, 'a'], [PUBLISH, 2, { exclude_me: false }, 'a']).map(([code]) => code),
    ).toEqual([33, 36])
    const dealer = open({ roles: ['dealer'] }).join()
    expect(dealer.says([REGISTER, 1, {}, 'a'], [CALL, 2, {}, 'a']).map(([code]) => code)).toEqual([65, 68])
  })
})

describe('strict', () => {
  const join = (): Peer => open({ strict: true }).join()

  test('request ids of all kinds form one sequence from 1', () => {
    const peer = join()
    const [[, , subscription] = [], [, , registration] = []] = peer.says(
      [SUBSCRIBE, 1, {}, 'a'],
      [REGISTER, 2, {}, 'a'],
    )
    peer.says([PUBLISH, 3, {}, 'a'], [CALL, 4, {}, 'a'], [YIELD, 1, {}], [49, 4, {}])
    expect(
      peer
        .says([CALL, 5, {}, 'b'], [UNSUBSCRIBE, 6, subscription], [UNREGISTER, 7, registration])
        .map(([code]) => code),
    ).toEqual([ERROR, 35, 67])
  })

  test.each([
    ['SUBSCRIBE', [SUBSCRIBE, 2, {}, 'a']],
    ['UNSUBSCRIBE', [UNSUBSCRIBE, 2, 1]],
    ['PUBLISH', [PUBLISH, 2, {}, 'a']],
    ['REGISTER', [REGISTER, 3, {}, 'a']],
    ['UNREGISTER', [UNREGISTER, 2, 1]],
    ['CALL', [CALL, 713845233, {}, 'a']],
  ])('%s out of sequence is a violation', (name, message) => {
    expect(join().says(message)).toEqual(violates(new RegExp(`${name}\\[1\\] must be 1`)))
  })

  test('a request id used twice is a violation', () => {
    const peer = join()
    peer.says([SUBSCRIBE, 1, {}, 'a'])
    expect(peer.says([PUBLISH, 1, {}, 'a'])).toEqual(violates(/must be 2/))
  })

  test.each([
    [SUBSCRIBE, 'com.Topic'],
    [REGISTER, 'getTodaysDate'],
    [CALL, 'com.my-app'],
  ])('%i of %s is refused', (code, uri) => {
    expect(join().says([code, 1, {}, uri])).toEqual([[ERROR, code, 1, {}, 'wamp.error.invalid_uri', [TEXT]]])
  })

  test('a loose URI in PUBLISH, and a loose realm in HELLO, are refused', () => {
    expect(join().says([PUBLISH, 1, { acknowledge: true }, 'com.Topic'])).toEqual([
      [ERROR, PUBLISH, 1, {}, 'wamp.error.invalid_uri', [TEXT]],
    ])
    expect(
      open({ strict: true })
        .connect()
        .says([HELLO, 'Realm1', { roles: ROLES }]),
    ).toEqual(aborts('wamp.error.invalid_uri'))
  })

  test('a loose URI is not a valid error URI', () => {
    const peer = join()
    peer.says([REGISTER, 1, {}, 'a'], [CALL, 2, {}, 'a'])
    expect(peer.says([ERROR, 68, 1, {}, 'com.Error'])).toEqual([[ERROR, CALL, 2, {}, 'wamp.error.invalid_uri', [TEXT]]])
  })

  test('is off by default: ids may come in any order', () => {
    const peer = open().join()
    expect(peer.says([SUBSCRIBE, 713845233, {}, 'a'], [SUBSCRIBE, 5, {}, 'b'], [SUBSCRIBE, 5, {}, 'c'])).toEqual([
      [33, 713845233, ID],
      [33, 5, ID],
      [33, 5, ID],
    ])
  })
})

describe('stats', () => {
  test('count by realm and in total', () => {
    const { join, connect, router } = open({ realms: ['one', 'two'] })
    const [a, b] = [join({}, {}, 'one'), join({}, {}, 'two')]
    connect()
    a.says([SUBSCRIBE, 1, {}, 'a'], [SUBSCRIBE, 2, {}, 'b'], [REGISTER, 3, {}, 'a'], [CALL, 4, {}, 'a'])
    b.says([SUBSCRIBE, 1, {}, 'a'], [PUBLISH, 2, {}, 'wamp.x'])
    expect(router.stats('one')).toMatchObject({ sessions: 1, subscriptions: 2, registrations: 1, calls: 1 })
    expect(router.stats('two')).toMatchObject({ sessions: 1, subscriptions: 1, registrations: 0, calls: 0 })
    expect(router.stats()).toMatchObject({ sessions: 2, subscriptions: 3, registrations: 1, calls: 1 })
    expect(router.stats().dropped.publications).toBe(1)
    expect(router.stats('one').dropped.publications).toBe(0)
    expect(router.links).toBe(3)
  })

  test('of an unknown realm throw an error that lists the realms', () => {
    expect(() => new Router({ realms: ['one', 'two'] }).stats('three')).toThrow(/"three", but one, two/)
  })
})

describe('close', () => {
  test('sends GOODBYE to every session, waits for their answers, and resolves when the links are closed', async () => {
    const { join, router } = open({ realms: ['one', 'two'] })
    const peers = [join({}, {}, 'one'), join({}, {}, 'two')]
    const closed = router.close()
    let done = false
    closed.then(() => {
      done = true
    })
    for (const peer of peers) {
      expect(peer.take()).toEqual([[GOODBYE, { message: TEXT }, 'wamp.close.system_shutdown']])
      expect(peer.end).toBeUndefined()
    }
    expect(router.stats().sessions).toBe(0)
    peers[0]?.says([GOODBYE, {}, 'wamp.close.goodbye_and_out'])
    expect(peers[0]?.end).toBe('closed')
    await Promise.resolve()
    expect(done).toBe(false)
    expect(peers[1]?.says([SUBSCRIBE, 1, {}, 'a'], [GOODBYE, {}, 'wamp.close.close_realm'])).toEqual([])
    await closed
    expect(router.links).toBe(0)
  })

  test("with a reason of one's own", async () => {
    const { join, router } = open()
    const peer = join()
    const closed = router.close('com.example.moving')
    expect(peer.says([GOODBYE, {}, 'wamp.close.goodbye_and_out'])).toEqual([
      [GOODBYE, { message: TEXT }, 'com.example.moving'],
    ])
    await closed
  })

  test('settles every call: callers receive an error before GOODBYE', async () => {
    const { join, router } = open()
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, {}, 'a'])
    caller.says([CALL, 1, {}, 'a'])
    const closed = router.close()
    expect(caller.take()).toEqual([
      [ERROR, CALL, 1, {}, 'wamp.error.canceled', [TEXT]],
      [GOODBYE, { message: TEXT }, 'wamp.close.system_shutdown'],
    ])
    callee.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([])
    callee.lose()
    caller.lose()
    await closed
  })

  test('sends ABORT to a peer that has no session yet', async () => {
    const { connect, router } = open()
    const peer = connect()
    await router.close()
    expect(peer.take()).toEqual(aborts('wamp.close.system_shutdown'))
  })

  test('is not delayed by peers that do not answer or do not close', async () => {
    vi.useFakeTimers()
    const { join, router } = open()
    const [mute, hung] = [join(), join({ hangs: true })]
    const closed = router.close()
    await vi.advanceTimersByTimeAsync(2000)
    expect(mute.end).toBe('closed')
    expect(hung.end).toBeUndefined()
    await vi.advanceTimersByTimeAsync(2000)
    expect(hung.end).toBe('terminated')
    await closed
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends a peer that breaks the protocol instead of answering, within the same time', async () => {
    vi.useFakeTimers()
    const { join, router } = open()
    const peer = join({ hangs: true })
    const closed = router.close()
    peer.take()
    await vi.advanceTimersByTimeAsync(1000)
    expect(peer.says('nonsense')).toEqual([])
    await vi.advanceTimersByTimeAsync(1999)
    expect(peer.end).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(peer.end).toBe('terminated')
    await closed
    expect(vi.getTimerCount()).toBe(0)
  })

  test('leaves no timer behind for a peer whose link breaks at our GOODBYE', async () => {
    vi.useFakeTimers()
    const { join, router } = open()
    const peer = join()
    peer.send = () => peer.lose()
    await router.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not delayed by an adapter that never reports its end', async () => {
    vi.useFakeTimers()
    const router = new Router()
    router.attach({ backlog: 0, open() {}, send() {}, close() {}, terminate() {} })
    const closed = router.close()
    await vi.advanceTimersByTimeAsync(6000)
    await closed
  })

  test('may be called twice', async () => {
    const { join, router } = open()
    const peer = join()
    const closed = Promise.all([router.close(), router.close()])
    expect(peer.says([GOODBYE, {}, 'wamp.close.goodbye_and_out'])).toHaveLength(1)
    await closed
    await router.close()
  })

  test('resolves at once without sessions', async () => {
    await new Router().close()
  })

  test('is final: later links are refused', async () => {
    const { connect, router } = open()
    await router.close()
    const peer = connect()
    expect(peer.says([HELLO, 'realm1', { roles: ROLES }])).toEqual([
      [ABORT, { message: expect.stringContaining('closed') }, 'wamp.close.system_shutdown'],
    ])
    expect(peer.end).toBe('closed')
  })
})

test('a client in the same process gets its link from the router itself', async () => {
  const { router } = open()
  const link = await router.connect()
  const heard: Message[] = []
  await new Promise<void>((resolve) => {
    link.open({ message: (message) => heard.push(message), failed: () => resolve(), closed: () => resolve() })
    link.send([HELLO, 'realm1', { roles: ROLES }])
    link.send([GOODBYE, {}, 'wamp.close.close_realm'])
  })
  expect(heard).toEqual([
    [WELCOME, ID, expect.objectContaining({ realm: 'realm1' })],
    [GOODBYE, {}, 'wamp.close.goodbye_and_out'],
  ])
})

test('two routers in one process are independent', () => {
  const [one, two] = [open().join(), open().join()]
  one.says([REGISTER, 1, {}, 'a'])
  expect(two.says([CALL, 1, {}, 'a'])).toEqual([[ERROR, CALL, 1, {}, 'wamp.error.no_such_procedure', [TEXT]]])
})

test('session ids are unique among current sessions', () => {
  const { join, connect } = open()
  const ids = new Set(Array.from({ length: 200 }, () => join().id))
  expect(ids.size).toBe(200)
  expect(connect().says([HELLO, 'realm1', { roles: ROLES }])).toEqual([[WELCOME, ID, expect.anything()]])
})
