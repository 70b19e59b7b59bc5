/** `authorize`: called once per action, answered at once or later; the session is held meanwhile. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RpcClient, WampClient } from 'wampy-ts'
import { type AuthorizeRequest, Router, type RouterOptions } from 'wampy-ts/router'
import {
  CALL,
  CANCEL,
  ERROR,
  EVENT,
  GOODBYE,
  INTERRUPT,
  INVOCATION,
  PUBLISH,
  PUBLISHED,
  REGISTER,
  REGISTERED,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  UNSUBSCRIBE,
  UNSUBSCRIBED,
  YIELD,
} from 'wampy-ts/testing'
import { ID, open, type Peer, ROLES, subscribe, violates } from './support.ts'

const errors = vi.spyOn(console, 'error')
beforeEach(() => void errors.mockReset().mockImplementation(() => {}))
afterEach(() => vi.useRealTimers())

const DENIED = 'wamp.error.not_authorized'
const FAILED = 'wamp.error.authorization_failed'
const refused = (type: number, request: number, uri = DENIED, text: RegExp = /./): unknown[] => [
  ERROR,
  type,
  request,
  {},
  uri,
  [expect.stringMatching(text)],
]

/** Runs everything that does not depend on the outside. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** An authorizer that answers when the test decides; URIs outside of `ask` are allowed at once. */
function asking() {
  const asked: { request: AuthorizeRequest; answer(answer: unknown): void; fail(error: unknown): void }[] = []
  const authorize = (request: AuthorizeRequest): Promise<boolean> | boolean => {
    if (!request.uri.startsWith('ask')) return true
    return new Promise<boolean>((resolve, reject) => {
      asked.push({ request, answer: resolve as (answer: unknown) => void, fail: reject })
    })
  }
  return { asked, authorize }
}

describe('authorize is called', () => {
  test('with the session, the action, the URI, the match policy and the options', () => {
    const requests: AuthorizeRequest[] = []
    const { join } = open({ authorize: (request) => requests.push(request) > 0 })
    const peer = join()
    peer.says(
      [SUBSCRIBE, 1, { match: 'prefix' }, 'com.a.'],
      [REGISTER, 2, { match: 'wildcard', invoke: 'first' }, 'com..b'],
      [PUBLISH, 3, { acknowledge: true, _mine: 1 }, 'com.a.c', [1]],
      [CALL, 4, { timeout: 5 }, 'com.x.b'],
      [CALL, 5, {}, 'wamp.session.count'],
    )
    const session = {
      id: peer.id,
      realm: 'realm1',
      authid: peer.authid,
      authrole: 'anonymous',
      authmethod: 'anonymous',
      authprovider: 'static',
      internal: undefined,
    }
    expect(requests).toEqual([
      { session, action: 'subscribe', uri: 'com.a.', match: 'prefix', options: { match: 'prefix' } },
      {
        session,
        action: 'register',
        uri: 'com..b',
        match: 'wildcard',
        options: { match: 'wildcard', invoke: 'first' },
      },
      { session, action: 'publish', uri: 'com.a.c', match: 'exact', options: { acknowledge: true, _mine: 1 } },
      { session, action: 'call', uri: 'com.x.b', match: 'exact', options: { timeout: 5 } },
      { session, action: 'call', uri: 'wamp.session.count', match: 'exact', options: {} },
    ])
  })

  test('neither for invalid requests nor for UNSUBSCRIBE and UNREGISTER', () => {
    const authorize = vi.fn(() => true)
    const peer = open({ authorize }).join()
    const [[, , subscription] = []] = peer.says([SUBSCRIBE, 1, {}, 'a'])
    const [[, , registration] = []] = peer.says([REGISTER, 2, {}, 'a'])
    authorize.mockClear()
    const invalid = 'wamp.error.invalid_uri'
    expect(
      peer.says(
        [SUBSCRIBE, 3, {}, 'a..b'],
        [REGISTER, 4, {}, 'a..b'],
        [PUBLISH, 5, { acknowledge: true }, 'a..b'],
        [PUBLISH, 6, { acknowledge: true }, 'wamp.mine'],
        [CALL, 7, {}, 'a..b'],
        [UNSUBSCRIBE, 8, subscription],
        [66, 9, registration],
      ),
    ).toEqual([
      refused(SUBSCRIBE, 3, invalid),
      refused(REGISTER, 4, invalid),
      refused(PUBLISH, 5, invalid),
      refused(PUBLISH, 6, invalid),
      refused(CALL, 7, invalid),
      [UNSUBSCRIBED, 8],
      [67, 9],
    ])
    expect(authorize).not.toHaveBeenCalled()
  })

  test.each<[string, RouterOptions]>([
    ['authorize', { authorize: () => ({ allow: true, disclose: 'asked', trustlevel: 1 }) }],
    ['disclose', { disclose: () => 'asked' }],
    ['trustlevel', { trustlevel: () => 1 }],
  ])('once per call and publication, whichever option decides: %s', (name, options) => {
    const [[, decide]] = Object.entries(options) as [[string, () => unknown]]
    const counted = vi.fn(decide)
    const { join } = open({ [name]: counted })
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, { disclose_caller: true }, 'com.add'], [SUBSCRIBE, 2, {}, 'com.topic'])
    counted.mockClear()
    caller.says([CALL, 1, { disclose_me: true }, 'com.add'])
    expect(counted).toHaveBeenCalledTimes(1)
    caller.says([PUBLISH, 2, { disclose_me: true, acknowledge: true }, 'com.topic'])
    expect(counted).toHaveBeenCalledTimes(2)
  })

  test('once for a call that is queued, sent in parts and re-routed', () => {
    const authorize = vi.fn((_: AuthorizeRequest) => ({ allow: true, trustlevel: 3 }))
    const { join } = open({ authorize, callQueue: [{ uri: 'com.add', limit: 10 }] })
    const feature = (name: string) => ({ features: { [name]: true, call_canceling: true } })
    const roles = {
      ...ROLES,
      caller: feature('progressive_call_invocations'),
      callee: { features: { call_reroute: true, progressive_call_invocations: true, call_canceling: true } },
    }
    const [one, two, caller] = [join({}, { roles }), join({}, { roles }), join({}, { roles })]
    for (const callee of [one, two]) callee.says([REGISTER, 1, { invoke: 'first', concurrency: 1 }, 'com.add'])
    authorize.mockClear()
    caller.says(
      [CALL, 1, {}, 'com.add'],
      [CALL, 2, {}, 'com.add'],
      [CALL, 3, { progress: true }, 'com.add'],
      [CALL, 3, {}, 'com.add'],
    )
    expect(authorize).toHaveBeenCalledTimes(3)
    one.take()
    one.says([YIELD, 1, {}])
    two.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
    expect(authorize).toHaveBeenCalledTimes(3)
    caller.says([GOODBYE, {}, 'wamp.close.close_realm'])
  })

  test('once for both the call and the invocation, so that they cannot disagree', () => {
    const answers = ['asked', 'never'] as const
    let at = 0
    const { join } = open({ disclose: () => answers[at++] as 'asked' | 'never' })
    const [callee, caller] = [join(), join()]
    callee.says([REGISTER, 1, {}, 'com.add'])
    expect(caller.says([CALL, 1, { disclose_me: true }, 'com.add'])).toEqual([])
    expect(callee.take()).toEqual([[INVOCATION, 1, ID, expect.objectContaining({ caller: caller.id })]])
    expect(caller.says([CALL, 2, { disclose_me: true }, 'com.add'])).toEqual([
      refused(CALL, 2, 'wamp.error.option_disallowed.disclose_me'),
    ])
  })
})

describe('a decision', () => {
  const all = (peer: Peer) =>
    peer.says(
      [SUBSCRIBE, 1, {}, 'com.a'],
      [REGISTER, 2, {}, 'com.a'],
      [PUBLISH, 3, { acknowledge: true }, 'com.a'],
      [CALL, 4, {}, 'com.nothing'],
    )
  const refusals = (uri: string, text?: RegExp) => [
    refused(SUBSCRIBE, 1, uri, text),
    refused(REGISTER, 2, uri, text),
    refused(PUBLISH, 3, uri, text),
    refused(CALL, 4, uri, text),
  ]

  test.each<[string, unknown]>([
    ['false', false],
    ['{ allow: false }', { allow: false, disclose: 'always' }],
  ])('%s refuses the request, whether or not the procedure exists', (_, answer) => {
    const peer = open({ authorize: () => answer as boolean }).join()
    expect(all(peer)).toEqual(refusals(DENIED, /^this session may not (subscribe|register|publish|call) "com\./))
    expect(errors).not.toHaveBeenCalled()
  })

  const secret = () => new Error('the password is swordfish')
  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw secret()
      },
    ],
    ['returns nothing', () => undefined],
    ['returns a text', () => 'yes'],
    ['returns 1', () => 1],
    ['returns null', () => null],
    ['has no allow', () => ({ disclose: 'always' })],
    ['has an unknown disclose', () => ({ allow: true, disclose: 'sometimes' })],
    ['has a negative trustlevel', () => ({ allow: true, trustlevel: -1 })],
  ])('that %s is an error, whose cause is reported to the owner the first time', (_, authorize) => {
    const peer = open({ authorize: authorize as () => boolean }).join()
    expect(all(peer)).toEqual(refusals(FAILED, /^the router could not decide this$/))
    expect(errors).toHaveBeenCalledTimes(1)
  })

  test('that is a rejected promise is an error as well', async () => {
    const peer = open({ authorize: () => Promise.reject(secret()) }).join()
    const answers = all(peer)
    expect(answers).toEqual([])
    await settled()
    expect(peer.take()).toEqual(refusals(FAILED, /^the router could not decide this$/))
  })

  test('may be any thenable, which is awaited', async () => {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    const later = { then: (resolve: (answer: boolean) => void) => queueMicrotask(() => resolve(true)) }
    const peer = open({ authorize: () => later as unknown as Promise<boolean> }).join()
    expect(peer.says([SUBSCRIBE, 1, {}, 'a'])).toEqual([])
    await settled()
    expect(peer.take()).toEqual([[SUBSCRIBED, 1, ID]])
  })

  test('that is returned synchronously takes effect at once', () => {
    const peer = open({ authorize: () => true }).join()
    expect(all(peer)).toEqual([
      [SUBSCRIBED, 1, ID],
      [REGISTERED, 2, ID],
      [PUBLISHED, 3, ID],
      refused(CALL, 4, 'wamp.error.no_such_procedure'),
    ])
  })

  test('may set disclosure and trust level; otherwise disclose and trustlevel apply', () => {
    const answers: Record<string, unknown> = {
      'com.both': { allow: true, disclose: true, trustlevel: 7 },
      'com.hidden': { allow: true, disclose: false },
      'com.word': { allow: true, disclose: 'asked' },
      'com.rest': true,
    }
    const { join } = open({
      authorize: ({ action, uri }) => action === 'subscribe' || (answers[uri] as boolean),
      disclose: 'always',
      trustlevel: () => 2,
    })
    const [subscriber, publisher] = [join(), join()]
    subscribe(subscriber, 'com.', { match: 'prefix' })
    const said = (topic: string, options: object = {}) => {
      publisher.says([PUBLISH, 1, options, topic])
      return (subscriber.take()[0]?.[3] ?? {}) as object
    }
    const who = { publisher: publisher.id, publisher_authid: publisher.authid, publisher_authrole: 'anonymous' }
    expect(said('com.both')).toEqual({ topic: 'com.both', ...who, trustlevel: 7 })
    expect(said('com.hidden')).toEqual({ topic: 'com.hidden', trustlevel: 2 })
    expect(said('com.word')).toEqual({ topic: 'com.word', trustlevel: 2 })
    expect(said('com.word', { disclose_me: true })).toEqual({ topic: 'com.word', ...who, trustlevel: 2 })
    expect(said('com.rest')).toEqual({ topic: 'com.rest', ...who, trustlevel: 2 })
    expect(publisher.says([PUBLISH, 2, { disclose_me: true, acknowledge: true }, 'com.hidden'])).toEqual([
      refused(PUBLISH, 2, 'wamp.error.option_disallowed.disclose_me'),
    ])
  })

  test('about a registration decides whether the callee may learn its callers', () => {
    const peer = open({ authorize: () => ({ allow: true, disclose: 'never' }) }).join()
    expect(peer.says([REGISTER, 1, { disclose_caller: true }, 'a'], [REGISTER, 2, {}, 'a'])).toEqual([
      refused(REGISTER, 1, 'wamp.error.option_disallowed.disclose_me'),
      [REGISTERED, 2, ID],
    ])
  })

  test('that refuses an unacknowledged publication sends nothing, and is counted and observed', () => {
    const { join, router } = open({ authorize: () => false })
    const seen: unknown[] = []
    router.observe({ refused: ({ action, uri, error }) => seen.push([action, uri, error]) })
    expect(join().says([PUBLISH, 1, {}, 'com.a'])).toEqual([])
    expect(router.stats().dropped.publications).toBe(1)
    expect(seen).toEqual([['publish', 'com.a', DENIED]])
  })
})

describe('while a decision is awaited', () => {
  test("the session's later messages are held, and are handled in order afterwards", async () => {
    const { asked, authorize } = asking()
    const peer = open({ authorize }).join()
    expect(
      peer.says(
        [SUBSCRIBE, 1, {}, 'ask.a'],
        [PUBLISH, 2, { acknowledge: true, exclude_me: false }, 'ask.a', ['mine']],
        [REGISTER, 3, {}, 'a'],
        [CALL, 4, {}, 'a'],
      ),
    ).toEqual([])
    expect(asked).toHaveLength(1)
    asked[0]?.answer(true)
    await settled()
    expect(peer.take()).toEqual([[SUBSCRIBED, 1, ID]])
    expect(asked).toHaveLength(2)
    asked[1]?.answer({ allow: true, trustlevel: 4 })
    await settled()
    expect(peer.take()).toEqual([
      [EVENT, ID, ID, { trustlevel: 4 }, ['mine']],
      [PUBLISHED, 2, ID],
      [REGISTERED, 3, ID],
      [INVOCATION, 1, ID, {}],
    ])
    expect(peer.says([YIELD, 1, {}, [1]])).toEqual([[RESULT, 4, {}, [1]]])
  })

  test('other sessions are served', () => {
    const { authorize } = asking()
    const { join } = open({ authorize })
    const [waiting, other] = [join(), join()]
    waiting.says([SUBSCRIBE, 1, {}, 'ask.a'])
    subscribe(other, 'b')
    expect(other.says([PUBLISH, 2, { acknowledge: true, exclude_me: false }, 'b'])).toHaveLength(2)
  })

  test('the session still receives events', () => {
    const { authorize } = asking()
    const { join } = open({ authorize })
    const [waiting, other] = [join(), join()]
    subscribe(waiting, 'b')
    waiting.says([SUBSCRIBE, 1, {}, 'ask.a'])
    other.says([PUBLISH, 2, {}, 'b'])
    expect(waiting.take()).toEqual([[EVENT, ID, ID, {}]])
  })

  test('the request is refused after limits.decision, and the next request has the full time again', () => {
    vi.useFakeTimers()
    const { asked, authorize } = asking()
    const peer = open({ authorize, limits: { decision: 500 } }).join()
    peer.says([CALL, 1, {}, 'ask.a'], [CALL, 2, {}, 'ask.b'])
    vi.advanceTimersByTime(499)
    expect(peer.take()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(peer.take()).toEqual([refused(CALL, 1, FAILED, /in time/)])
    expect(asked).toHaveLength(2)
    vi.advanceTimersByTime(500)
    expect(peer.take()).toEqual([refused(CALL, 2, FAILED, /in time/)])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a decision after the timeout has no effect', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { asked, authorize } = asking()
    const peer = open({ authorize, limits: { decision: 500 } }).join()
    peer.says([SUBSCRIBE, 1, {}, 'ask.a'])
    vi.advanceTimersByTime(500)
    peer.says([SUBSCRIBE, 2, {}, 'ask.b'])
    peer.take()
    asked[0]?.answer(true)
    await settled()
    expect(peer.take()).toEqual([])
    asked[1]?.answer(true)
    await settled()
    expect(peer.take()).toEqual([[SUBSCRIBED, 2, ID]])
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each<[string, (peer: Peer) => void, unknown[][]]>([
    ['ABORT', (peer) => peer.says([3, {}, 'com.example.enough']), []],
    ['loss', (peer) => peer.lose(), []],
  ])('the session may end by %s: the held messages are dropped and counted, and no timer is left', async (_, leave) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { asked, authorize } = asking()
    const { join, router } = open({ authorize })
    const [peer, watcher] = [join(), join()]
    subscribe(watcher, 'b')
    peer.says([SUBSCRIBE, 1, {}, 'ask.a'], [PUBLISH, 2, {}, 'b'], [PUBLISH, 3, {}, 'b'])
    leave(peer)
    expect(router.stats()).toMatchObject({ sessions: 1, dropped: { held: 2 } })
    expect(vi.getTimerCount()).toBe(0)
    peer.take()
    asked[0]?.answer(true)
    await settled()
    expect(router.stats()).toMatchObject({ subscriptions: 1 })
    expect([...peer.take(), ...watcher.take()]).toEqual([])
  })

  test('GOODBYE is answered in its turn, and no message before it is lost', async () => {
    const { asked, authorize } = asking()
    const { join, router } = open({ authorize })
    const [peer, watcher] = [join(), join()]
    subscribe(watcher, 'b')
    peer.says([SUBSCRIBE, 1, {}, 'ask.a'], [PUBLISH, 2, {}, 'b'], [GOODBYE, {}, 'wamp.close.close_realm'])
    expect(peer.take()).toEqual([])
    asked[0]?.answer(true)
    await settled()
    expect(peer.take()).toEqual([
      [SUBSCRIBED, 1, ID],
      [GOODBYE, {}, 'wamp.close.goodbye_and_out'],
    ])
    expect(peer.says()).toEqual([])
    expect(watcher.take()).toHaveLength(1)
    expect(router.stats()).toMatchObject({ sessions: 1, dropped: { held: 0 } })
  })

  test('a killed session leaves at once', async () => {
    const { asked, authorize } = asking()
    const { join, router } = open({ authorize })
    const [peer, killer] = [join(), join()]
    peer.says([SUBSCRIBE, 1, {}, 'ask.a'], [SUBSCRIBE, 2, {}, 'b'])
    killer.says([CALL, 1, {}, 'wamp.session.kill', [peer.id]])
    expect(peer.take()).toEqual([[GOODBYE, {}, 'wamp.close.killed']])
    peer.says([GOODBYE, {}, 'wamp.close.goodbye_and_out'])
    expect(peer.end).toBe('closed')
    asked[0]?.answer(true)
    await settled()
    expect(router.stats()).toMatchObject({ sessions: 1, subscriptions: 0 })
  })

  test('CANCEL is handled after its CALL, and interrupts it', async () => {
    const { asked, authorize } = asking()
    const { join } = open({ authorize })
    const callee = join({}, { roles: { callee: { features: { call_canceling: true } } } })
    const caller = join()
    callee.says([REGISTER, 1, {}, 'ask.add'])
    asked[0]?.answer(true)
    await settled()
    callee.take()
    caller.says([CALL, 1, {}, 'ask.add'], [CANCEL, 1, {}])
    asked[1]?.answer(true)
    await settled()
    expect(callee.take()).toEqual([
      [INVOCATION, 1, ID, {}],
      [INTERRUPT, 1, { mode: 'killnowait' }],
    ])
    expect(caller.take()).toEqual([refused(CALL, 1, 'wamp.error.canceled')])
  })

  test('CANCEL for a refused CALL has no effect', async () => {
    const { asked, authorize } = asking()
    const { join, router } = open({ authorize })
    const caller = join()
    caller.says([CALL, 1, {}, 'ask.add'], [CANCEL, 1, {}])
    asked[0]?.answer(false)
    await settled()
    expect(caller.take()).toEqual([refused(CALL, 1)])
    expect(router.stats().dropped.cancels).toBe(1)
  })

  test('UNSUBSCRIBE is handled after its SUBSCRIBE', async () => {
    const { asked, authorize } = asking()
    const { join, router } = open({ authorize })
    const [holder, peer] = [join(), join()]
    holder.says([SUBSCRIBE, 1, {}, 'ask.a'])
    asked[0]?.answer(true)
    await settled()
    const id = holder.take()[0]?.[2]
    peer.says([SUBSCRIBE, 1, {}, 'ask.a'], [UNSUBSCRIBE, 2, id])
    expect(peer.take()).toEqual([])
    asked[1]?.answer(true)
    await settled()
    expect(peer.take()).toEqual([
      [SUBSCRIBED, 1, id],
      [UNSUBSCRIBED, 2],
    ])
    expect(router.stats().subscriptions).toBe(1)
  })

  test('later parts of a call are handled after the first one, and are dropped if that is refused', async () => {
    const { asked, authorize } = asking()
    const { join, router } = open({ authorize })
    const parts = { features: { progressive_call_invocations: true, call_canceling: true } }
    const [callee, caller] = [join({}, { roles: { callee: parts } }), join({}, { roles: { caller: parts } })]
    callee.says([REGISTER, 1, { match: 'prefix' }, 'a'])
    callee.take()
    const call = (request: number) =>
      caller.says([CALL, request, { progress: true }, 'ask.a', [1]], [CALL, request, {}, 'ask.a', [2]])
    call(1)
    asked[0]?.answer(false)
    await settled()
    expect(caller.take()).toEqual([refused(CALL, 1)])
    expect(callee.take()).toEqual([])
    expect(router.stats().dropped.parts).toBe(1)
    expect(asked).toHaveLength(1)
  })

  test('a held message that breaks the protocol ends the session in its turn', async () => {
    const { asked, authorize } = asking()
    const peer = open({ authorize }).join()
    expect(peer.says([SUBSCRIBE, 1, {}, 'ask.a'], [YIELD, 77, {}])).toEqual([])
    asked[0]?.answer(true)
    await settled()
    expect(peer.take()).toEqual([[SUBSCRIBED, 1, ID], ...violates(/^YIELD/)])
  })

  test('a frame that is not a message ends the session at once', () => {
    const { authorize } = asking()
    const peer = open({ authorize }).join()
    expect(peer.says([SUBSCRIBE, 1, {}, 'ask.a'], '[')).toEqual(violates())
  })

  test('request ids are checked in order of arrival', async () => {
    const { asked, authorize } = asking()
    const peer = open({ authorize, strict: true }).join()
    peer.says([SUBSCRIBE, 1, {}, 'ask.a'], [SUBSCRIBE, 2, {}, 'b'], [SUBSCRIBE, 4, {}, 'c'])
    asked[0]?.answer(true)
    await settled()
    expect(peer.take()).toEqual([[SUBSCRIBED, 1, ID], [SUBSCRIBED, 2, ID], ...violates(/must be 3/)])
  })

  test('a session that exceeds the limit of held messages is ended and counted', () => {
    const { authorize } = asking()
    const { join, router } = open({ authorize, limits: { held: 2 } })
    const peer = join()
    peer.says([SUBSCRIBE, 1, {}, 'ask.a'], [SUBSCRIBE, 2, {}, 'b'], [SUBSCRIBE, 3, {}, 'c'])
    expect(peer.take()).toEqual([])
    expect(peer.says([SUBSCRIBE, 4, {}, 'd'])).toEqual([
      [3, { message: expect.stringMatching(/2 messages held/) }, 'wampy.error.limit_exceeded'],
    ])
    expect(router.stats()).toMatchObject({ sessions: 0, dropped: { sessions: 1, held: 2 } })
  })
})

describe('a testament', () => {
  const add = (peer: Peer, request: number, topic: string, options: object = {}) =>
    peer.says([CALL, request, {}, 'wamp.session.add_testament', [topic, ['gone'], {}], { publish_options: options }])

  test('is refused if the session may not publish it', () => {
    const { join, router } = open({ authorize: ({ action, uri }) => action !== 'publish' || uri !== 'com.secret' })
    const peer = join()
    expect(add(peer, 1, 'com.secret')).toEqual([refused(CALL, 1)])
    expect(add(peer, 2, 'com.topic')).toEqual([[RESULT, 2, {}]])
    expect(router.stats().testaments).toBe(1)
  })

  test('is held until it is decided, and so are the messages behind it', async () => {
    const { asked, authorize } = asking()
    const { join, router } = open({ authorize })
    const [peer, watcher] = [join(), join()]
    expect(add(peer, 1, 'ask.a')).toEqual([])
    peer.says([CALL, 2, {}, 'wamp.session.flush_testaments'])
    expect(add(peer, 3, 'ask.b')).toEqual([])
    asked[0]?.answer(true)
    await settled()
    asked[1]?.answer({ allow: true, trustlevel: 6 })
    await settled()
    expect(peer.take().map(([code, request]) => [code, request])).toEqual(
      expect.arrayContaining([
        [RESULT, 1],
        [RESULT, 2],
        [RESULT, 3],
      ]),
    )
    expect(router.stats()).toMatchObject({ testaments: 1, calls: 0 })
    subscribe(watcher, 'wamp.session.on_leave')
    watcher.says([SUBSCRIBE, 2, {}, 'ask.b'])
    asked[2]?.answer(true)
    await settled()
    watcher.take()
    peer.lose()
    // The fourth decision is never awaited: it is published as decided before.
    expect(watcher.take()).toEqual([
      [EVENT, ID, ID, { trustlevel: 6 }, ['gone']],
      [EVENT, ID, ID, {}, [peer.id, peer.authid, 'anonymous']],
    ])
  })

  test('is decided again when it is published, and only a synchronous decision counts then', () => {
    let allowed = true
    const { join, router } = open({ authorize: ({ action }) => action !== 'publish' || allowed })
    const [peer, watcher] = [join(), join()]
    subscribe(watcher, 'com.topic')
    add(peer, 1, 'com.topic')
    allowed = false
    peer.lose()
    expect(watcher.take()).toEqual([])
    expect(router.stats().dropped.publications).toBe(1)
  })

  test('is discarded if its session ends before the decision', async () => {
    const { asked, authorize } = asking()
    const { join, router } = open({ authorize })
    const peer = join()
    add(peer, 1, 'ask.a')
    peer.lose()
    asked[0]?.answer(true)
    await settled()
    expect(router.stats()).toMatchObject({ testaments: 0, calls: 0 })
  })
})

/** A reproducible generator of random numbers. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test.each(Array.from({ length: 20 }, (_, seed) => seed))(
  'random delays never reorder the messages of a session (seed %d)',
  async (seed) => {
    const draw = random(seed)
    const { join } = open({
      authorize: async ({ action, options }) => {
        if (action === 'register' || action === 'subscribe') return true
        const turns = draw(4)
        for (let turn = 0; turn < turns; turn++) await settled()
        return options['_allowed'] === true
      },
    })
    const callee = join()
    callee.says([REGISTER, 1, {}, 'com.p'], [SUBSCRIBE, 2, {}, 'com.t'])
    await settled()
    callee.take()
    /** The expected answers to each caller, the expected events of the callee, and the refusals, in order. */
    const stories = [join(), join(), join()].map((caller) => ({
      caller,
      allowed: [] as number[],
      denied: [] as number[],
      heard: [] as number[],
      refused: [] as number[],
    }))
    const collect = (answers: unknown[][], refused: number[]): void => {
      for (const [code, , request] of answers) if (code === ERROR) refused.push(request as number)
    }
    for (let request = 1; request <= 60; request++) {
      for (const { caller, allowed, denied, refused } of stories) {
        const _allowed = draw(5) > 0
        ;(_allowed ? allowed : denied).push(request)
        const data = [caller.id, request]
        const message =
          draw(2) === 0
            ? [CALL, request, { _allowed }, 'com.p', data]
            : [PUBLISH, request, { _allowed, acknowledge: true }, 'com.t', data]
        collect(caller.says(message), refused)
      }
      if (draw(3) === 0) await settled()
    }
    await vi.waitFor(
      () => {
        for (const message of callee.take()) {
          const [id, request] = message.at(-1) as [number, number]
          stories.find(({ caller }) => caller.id === id)?.heard.push(request)
        }
        for (const { caller, refused } of stories) collect(caller.take(), refused)
        for (const { allowed, denied, heard, refused } of stories) {
          expect({ heard, refused }).toEqual({ heard: allowed, refused: denied })
        }
      },
      { interval: 5, timeout: 5000 },
    )
  },
)

describe("a trusted client of the router's owner", () => {
  test('is never subject to authorize', async () => {
    const asked: string[] = []
    let rights: RpcClient | undefined
    const router = new Router({
      authorize: async ({ session, action, uri }) => {
        asked.push(uri)
        return (await rights?.call('com.rights.check', [session.authrole, action, uri])) as boolean
      },
    })
    const owner = new WampClient({ router: router.trusted })
    await owner.start()
    await owner.register('com.rights.check', ([, , uri]) => uri === 'com.allowed')
    rights = new RpcClient({ router: router.trusted })
    await rights.start()
    const user = new WampClient({ router })
    await user.start()
    expect(asked).toEqual([])
    await user.register('com.allowed', () => 'done')
    expect(await user.call('com.allowed')).toBe('done')
    await expect(user.call('com.rights.check', ['', '', 'com.allowed'])).rejects.toMatchObject({ uri: DENIED })
    expect(asked).toEqual(['com.allowed', 'com.allowed', 'com.rights.check'])
    await Promise.all([user.stop(), rights.stop(), owner.stop()])
    await router.close()
    expect(router.links).toBe(0)
  })

  test('is disclosed and has a trust level like any other session', async () => {
    const router = new Router({ authorize: () => false, disclose: 'always' })
    const owner = new WampClient({ router: router.trusted })
    await owner.start()
    const heard = new Promise((resolve) => {
      owner.subscribe('com.topic', (_args, _kwargs, details) => resolve(details))
    })
    await owner.publish('com.topic', [], {}, { exclude_me: false, acknowledge: true })
    expect(await heard).toMatchObject({ publisher: owner.session.id })
    await owner.stop()
  })
})

test.each([3, 'yes', { realm1: true }, true])('authorize: %j is not a valid option', (authorize) => {
  expect(() => new Router({ authorize: authorize as never })).toThrow(/authorize must be a function/)
})

test('limits.decision may exceed the longest timer', () => {
  vi.useFakeTimers()
  const { authorize } = asking()
  const peer = open({ authorize, limits: { decision: Number.POSITIVE_INFINITY } }).join()
  peer.says([SUBSCRIBE, 1, {}, 'ask.a'])
  vi.advanceTimersByTime(1_000_000)
  expect(peer.take()).toEqual([])
})
