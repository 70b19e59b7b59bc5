/** The events that a router reports to its observers: to each of them, whatever the others do. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import type { RouterObserver } from 'wampy-ts/router'
import {
  CALL,
  CANCEL,
  ERROR,
  GOODBYE,
  HELLO,
  INVOCATION,
  PUBLISH,
  REGISTER,
  RESULT,
  SUBSCRIBE,
  UNREGISTER,
  UNSUBSCRIBE,
  WELCOME,
  YIELD,
} from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { Router, type RouterOptions } from '../../src/router/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { linked } from '../../src/session/linked.ts'
import { able, register } from './rpc.ts'
import { ask, dropped, ID, open, type Peer, ROLES, subscribe, TEXT, WAYS, type World } from './support.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

type Name = keyof RouterObserver
type Seen = readonly [name: Name, event: Record<string, unknown>]

const NAMES: readonly Name[] = [
  'joined',
  'left',
  'registered',
  'unregistered',
  'subscribed',
  'unsubscribed',
  'called',
  'answered',
  'published',
  'delivered',
  'dropped',
  'refused',
  'waited',
]

/** Observes these events, or all, into a list. */
function watch(router: Router, names = NAMES): { seen: Seen[]; take(): Seen[]; stop(): void } {
  const seen: Seen[] = []
  const observer = Object.fromEntries(
    names.map((name) => [name, (event: Record<string, unknown>) => void seen.push([name, event])]),
  )
  const stop = router.observe(observer)
  return { seen, take: () => seen.splice(0), stop }
}

/** A world that is observed once these peers have joined. */
function watched(options: RouterOptions = {}, names = NAMES): World & ReturnType<typeof watch> {
  const world = open(options)
  return { ...world, ...watch(world.router, names) }
}

describe('sessions', () => {
  test('joined and left name the session', () => {
    const { join, take } = watched()
    const peer = join()
    const { authid } = peer
    const who = { realm: 'realm1', session: peer.id, authid, authrole: 'anonymous' }
    expect(take()).toEqual([
      ['joined', { ...who, authmethod: 'anonymous', authprovider: 'static', transport: undefined }],
    ])
    peer.says([GOODBYE, { message: 'enough' }, 'com.example.enough'])
    expect(take()).toEqual([['left', { ...who, by: 'peer', reason: 'com.example.enough', text: 'enough' }]])
  })

  test.each<[string, (peer: Peer, world: World) => void, object]>([
    ['GOODBYE', (peer) => WAYS['GOODBYE']?.(peer), { by: 'peer', reason: 'wamp.close.close_realm' }],
    ['ABORT', (peer) => WAYS['ABORT']?.(peer), { by: 'peer', reason: 'com.example.enough' }],
    [
      'loss',
      (peer) => peer.lose(),
      { by: 'loss', reason: undefined, text: expect.stringMatching(/connection was closed \(1006\)/) },
    ],
    [
      'an illegal message',
      (peer) => peer.says([WELCOME, 1, {}]),
      { by: 'router', reason: 'wamp.error.protocol_violation', text: 'WELCOME is not legal now' },
    ],
    [
      'a wrong option',
      (peer) => peer.says([PUBLISH, 1, { acknowledge: 5 }, 'com.topic']),
      { by: 'router', reason: 'wamp.error.protocol_violation', text: expect.stringMatching(/acknowledge must be .*5/) },
    ],
    [
      'what is not a message',
      (peer) => peer.says('{'),
      { by: 'router', reason: 'wamp.error.protocol_violation', text: TEXT },
    ],
    [
      'a kill',
      (peer, { join }) => ask(join(), 'wamp.session.kill', [peer.id], { reason: 'com.example.out', message: 'out' }),
      { by: 'router', reason: 'com.example.out', text: 'out' },
    ],
    [
      'a kill without notice to a session',
      (_, { join }) => ask(join(), 'wamp.session.kill_all'),
      { by: 'router', reason: 'wamp.close.killed' },
    ],
    [
      'the end of the router',
      (_, { router }) => void router.close(),
      { by: 'router', reason: 'wamp.close.system_shutdown', text: 'the router is closing' },
    ],
  ])('left is reported once: %s', (_, go, end) => {
    const world = watched({}, ['left'])
    const peer = world.join()
    go(peer, world)
    const mine = world.take().filter(([, { session }]) => session === peer.id)
    expect(mine).toEqual([['left', expect.objectContaining({ realm: 'realm1', ...end })]])
  })

  test.each<[string, unknown, object]>([
    [
      'an unknown realm',
      [HELLO, 'nowhere', { roles: ROLES }],
      { realm: 'nowhere', error: 'wamp.error.no_such_realm', text: expect.stringMatching(/no realm "nowhere"/) },
    ],
    [
      'no role',
      [HELLO, 'realm1', { roles: {} }],
      { realm: 'realm1', error: 'wamp.error.protocol_violation', text: expect.stringMatching(/roles must have/) },
    ],
    [
      'an unknown authmethod',
      [HELLO, 'realm1', { roles: ROLES, authmethods: ['ticket'] }],
      { realm: 'realm1', error: 'wamp.error.no_matching_auth_method' },
    ],
    [
      'another message',
      [CALL, 1, {}, 'com.add'],
      { realm: undefined, error: 'wamp.error.protocol_violation', text: 'CALL is not legal now' },
    ],
    ['what is not a message', '{', { realm: undefined, error: 'wamp.error.protocol_violation' }],
  ])('a refused join is reported: %s', (_, message, event) => {
    const { connect, take } = watched()
    connect().says(message as never)
    const refused = { session: undefined, action: 'join', uri: undefined, text: TEXT, transport: undefined, ...event }
    expect(take()).toEqual([['refused', refused]])
  })

  test('a handshake timeout is reported as a refused join, with the transport details', async () => {
    vi.useFakeTimers()
    const { router, take } = watched({ limits: { hello: 50 } })
    const [ours] = linked()
    router.attach(ours, { type: 'test', peer: 'tcp4:127.0.0.1:1' })
    await vi.advanceTimersByTimeAsync(50)
    expect(take()).toEqual([
      [
        'refused',
        {
          realm: undefined,
          session: undefined,
          action: 'join',
          uri: undefined,
          error: 'wamp.error.timeout',
          text: 'no HELLO within 50 ms',
          transport: { type: 'test', peer: 'tcp4:127.0.0.1:1' },
        },
      ],
    ])
    await vi.runAllTimersAsync()
  })

  test('a peer that leaves before it has joined is not reported as refused', () => {
    const { connect, seen } = watched()
    connect().lose()
    WAYS['ABORT']?.(connect())
    expect(seen).toEqual([])
  })
})

describe('registrations and subscriptions', () => {
  test('first and last mark the creation and deletion of the registration', () => {
    const { join, take } = watched({}, ['registered', 'unregistered'])
    const [one, two] = [join(), join()]
    const id = register(one, 'com.', { match: 'prefix', invoke: 'last' })
    register(two, 'com.', { match: 'prefix', invoke: 'last' })
    register(two, 'com.', { match: 'prefix', invoke: 'last' })
    const of = { realm: 'realm1', registration: id, uri: 'com.' }
    const registered = { ...of, match: 'prefix', invoke: 'last', created: expect.any(Number) }
    expect(take()).toEqual([
      ['registered', { ...registered, session: one.id, first: true }],
      ['registered', { ...registered, session: two.id, first: false }],
    ])
    one.says([UNREGISTER, 1, id])
    two.lose()
    expect(take()).toEqual([
      ['unregistered', { ...of, session: one.id, last: false }],
      ['unregistered', { ...of, session: two.id, last: true }],
    ])
  })

  test('first and last mark the creation and deletion of the subscription', () => {
    const { join, take } = watched({}, ['subscribed', 'unsubscribed'])
    const [one, two] = [join(), join()]
    const id = subscribe(one, 'com..topic', { match: 'wildcard' })
    subscribe(two, 'com..topic', { match: 'wildcard' })
    subscribe(two, 'com..topic', { match: 'wildcard' })
    const of = { realm: 'realm1', subscription: id, uri: 'com..topic' }
    const subscribed = { ...of, match: 'wildcard', created: expect.any(Number) }
    expect(take()).toEqual([
      ['subscribed', { ...subscribed, session: one.id, first: true }],
      ['subscribed', { ...subscribed, session: two.id, first: false }],
    ])
    one.says([UNSUBSCRIBE, 1, id])
    ask(one, 'wamp.subscription.remove_subscriber', [id, two.id])
    expect(take()).toEqual([
      ['unsubscribed', { ...of, session: one.id, last: false }],
      ['unsubscribed', { ...of, session: two.id, last: true }],
    ])
  })
})

describe('calls', () => {
  const CALLS = ['called', 'answered', 'refused'] as const

  /** A caller that has called `com.add`, and its callee. */
  function calling(
    options: RouterOptions = {},
    details: object = {},
  ): World & ReturnType<typeof watch> & { callee: Peer; caller: Peer; id: number; called: object } {
    const world = watched(options, CALLS)
    const callee = able(world, 'call_canceling')
    const caller = world.join()
    const id = register(callee, 'com.add')
    caller.says([CALL, 7, details, 'com.add', ['secret']])
    const called = { realm: 'realm1', session: caller.id, request: 7, procedure: 'com.add' }
    expect(world.take()).toEqual([['called', { ...called, registration: id }]])
    return { ...world, callee, caller, id, called }
  }

  test.each<[string, (made: ReturnType<typeof calling>) => void, object]>([
    ['a result', ({ callee }) => callee.says([YIELD, 1, {}, ['secret']]), { outcome: 'result' }],
    [
      'an error of the callee',
      ({ callee }) => callee.says([ERROR, INVOCATION, 1, {}, 'com.error', ['secret']]),
      { outcome: 'error', error: 'com.error' },
    ],
    [
      'an error that is none',
      ({ callee }) => callee.says([ERROR, INVOCATION, 1, {}, 'no uri!']),
      { outcome: 'error', error: 'wamp.error.invalid_uri' },
    ],
    ['a callee that leaves', ({ callee }) => callee.lose(), { outcome: 'error', error: 'wamp.error.canceled' }],
    [
      'a cancellation',
      ({ caller }) => caller.says([CANCEL, 7, {}]),
      { outcome: 'error', error: 'wamp.error.canceled' },
    ],
    ['a caller that leaves', ({ caller }) => caller.lose(), { outcome: 'abandoned' }],
  ])('a call is answered once: %s', (_, go, answer) => {
    const made = calling()
    go(made)
    made.callee.says([YIELD, 1, {}])
    expect(made.take()).toEqual([
      [
        'answered',
        {
          ...made.called,
          registered: 'com.add',
          callee: made.callee.id,
          error: undefined,
          duration: expect.any(Number),
          ...answer,
        },
      ],
    ])
  })

  test('a timeout counts as an answer, a partial result does not', async () => {
    vi.useFakeTimers()
    const { callee, take, called } = calling({}, { timeout: 50, receive_progress: true })
    callee.says([YIELD, 1, { progress: true }, [1]])
    await vi.advanceTimersByTimeAsync(50)
    const answered = {
      ...called,
      registered: 'com.add',
      callee: callee.id,
      outcome: 'error',
      error: 'wamp.error.timeout',
    }
    expect(take()).toEqual([['answered', { ...answered, duration: expect.closeTo(50, 0) }]])
  })

  test('a call without a callee is answered by the router', () => {
    const world = watched({}, CALLS)
    const callee = able(world, 'payload_passthru_mode')
    const caller = able(world)
    register(callee, 'com.add')
    caller.says([CALL, 1, { ppt_scheme: 'x_mine' }, 'com.add'])
    expect(world.take()).toMatchObject([
      ['called', { request: 1 }],
      ['answered', { request: 1, outcome: 'error', error: 'wamp.error.feature_not_supported', callee: undefined }],
    ])
  })

  test('a queued call is reported when it is accepted, and has no callee', () => {
    const world = watched({ callQueue: [{ uri: 'com.add', limit: 1 }] }, CALLS)
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add', { concurrency: 1 })
    for (const request of [1, 2, 3]) caller.says([CALL, request, {}, 'com.add'])
    expect(world.take().map(([name, { request, error }]) => [name, request, error])).toEqual([
      ['called', 1, undefined],
      ['called', 2, undefined],
      ['called', 3, undefined],
      ['answered', 3, 'crossbar.error.max_concurrency_reached'],
    ])
    callee.lose()
    expect(world.take()).toMatchObject([
      ['answered', { request: 1, callee: callee.id, error: 'wamp.error.canceled' }],
      ['answered', { request: 2, callee: undefined, error: 'wamp.error.no_such_procedure' }],
    ])
  })

  test("calls of the router's own procedures are reported too", () => {
    const { join, take } = watched({}, CALLS)
    const peer = join()
    expect(peer.says([CALL, 1, {}, 'wamp.session.count'])).toEqual([[RESULT, 1, {}, [1]]])
    const of = { realm: 'realm1', session: peer.id, request: 1, procedure: 'wamp.session.count' }
    expect(take()).toEqual([
      ['called', { ...of, registration: undefined }],
      [
        'answered',
        {
          ...of,
          registered: 'wamp.session.count',
          callee: undefined,
          outcome: 'result',
          error: undefined,
          duration: expect.any(Number),
        },
      ],
    ])
  })

  test('a call made before the first observer has no duration', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add')
    caller.says([CALL, 1, {}, 'com.add'])
    const { take } = watch(world.router, CALLS)
    callee.says([YIELD, 1, {}])
    expect(take()).toMatchObject([['answered', { request: 1, outcome: 'result', duration: undefined }]])
  })
})

describe('decisions', () => {
  const SLOW = ['waited'] as const

  test.each([
    [{ after: 900 }, []],
    [{ after: 1500 }, [{ duration: 1500, decided: true }]],
    [{ after: 1500, fails: true }, [{ duration: 1500, decided: true }]],
    [{ after: 60_000 }, [{ duration: 10_000, decided: false }]],
  ])(
    'that take %j are reported if they are slow',
    async ({ after, fails }: { after: number; fails?: boolean }, expected) => {
      vi.useFakeTimers()
      vi.spyOn(console, 'error').mockImplementation(() => {})
      const authorize: RouterOptions['authorize'] = async () => {
        await new Promise((resolve) => setTimeout(resolve, after))
        if (fails) throw new Error('no')
        return true
      }
      const { join, take } = watched({ authorize }, SLOW)
      const peer = join()
      for (const [message, action, uri] of [
        [[SUBSCRIBE, 1, { match: 'prefix' }, 'com.'], 'subscribe', 'com.'],
        [[REGISTER, 2, {}, 'com.add'], 'register', 'com.add'],
        [[PUBLISH, 3, {}, 'com.topic'], 'publish', 'com.topic'],
        [[CALL, 4, {}, 'com.other'], 'call', 'com.other'],
      ] as const) {
        peer.says([...message])
        await vi.advanceTimersByTimeAsync(10_000)
        const about = { realm: 'realm1', session: peer.id, action, uri }
        expect(take()).toEqual(expected.map((each) => ['waited', { ...about, ...each }]))
      }
    },
  )

  test('about the topic of a testament or a history name that topic', async () => {
    vi.useFakeTimers()
    const authorize: RouterOptions['authorize'] = ({ action }) =>
      action === 'call' || new Promise((resolve) => setTimeout(resolve, 2000, true))
    const { join, take } = watched({ authorize, history: [{ uri: 'com.kept', limit: 1 }] }, SLOW)
    const peer = join()
    const [[, , , [id] = []] = []] = peer.says([CALL, 1, {}, 'wamp.subscription.lookup', ['com.kept']]) as never[][][]
    peer.says([CALL, 2, {}, 'wamp.session.add_testament', ['com.last', [], {}]])
    await vi.advanceTimersByTimeAsync(2000)
    peer.says([CALL, 3, {}, 'wamp.subscription.get_events', [id]])
    await vi.advanceTimersByTimeAsync(2000)
    expect(take()).toMatchObject([
      ['waited', { action: 'publish', uri: 'com.last' }],
      ['waited', { action: 'subscribe', uri: 'com.kept' }],
    ])
  })
})

describe('refused requests', () => {
  test.each<[string, unknown[], object]>([
    ['subscribe', [SUBSCRIBE, 1, {}, 'a b'], { uri: 'a b', error: 'wamp.error.invalid_uri' }],
    ['unsubscribe', [UNSUBSCRIBE, 1, 1], { uri: undefined, error: 'wamp.error.no_such_subscription' }],
    ['publish', [PUBLISH, 1, { acknowledge: true }, 'wamp.a'], { uri: 'wamp.a', error: 'wamp.error.invalid_uri' }],
    ['register', [REGISTER, 1, {}, 'wamp.a'], { uri: 'wamp.a', error: 'wamp.error.invalid_uri' }],
    ['unregister', [UNREGISTER, 1, 1], { uri: undefined, error: 'wamp.error.no_such_registration' }],
    ['call', [CALL, 1, {}, 'com.add'], { uri: 'com.add', error: 'wamp.error.no_such_procedure' }],
  ])('%s', (action, message, event) => {
    const { join, take, seen } = watched()
    const peer = join()
    seen.length = 0
    const [error = []] = peer.says(message)
    const [text] = error[5] as [string]
    const refused = { realm: 'realm1', session: peer.id, action, text, transport: undefined, ...event }
    expect(take()).toEqual([['refused', refused]])
  })

  test('an unacknowledged publication that is refused sends nothing, and is reported as dropped', () => {
    const { join, take, seen } = watched()
    const peer = join()
    seen.length = 0
    expect(peer.says([PUBLISH, 1, {}, 'wamp.a'])).toEqual([])
    expect(take()).toMatchObject([
      ['dropped', { reason: 'publications', session: peer.id, uri: 'wamp.a', count: 1 }],
      ['refused', { action: 'publish', session: peer.id, uri: 'wamp.a', error: 'wamp.error.invalid_uri' }],
    ])
  })
})

describe('publications', () => {
  const EVENTS = ['published', 'delivered', 'dropped'] as const

  test('are published once, and delivered for each subscription that received them', () => {
    const { join, take } = watched({}, EVENTS)
    const publisher = join()
    const subscribers = [join({ prepares: true }), join(), join({ prepares: true }), join()] as const
    const [exact] = subscribers.map((peer) => subscribe(peer, 'com.topic'))
    const prefix = subscribe(publisher, 'com', { match: 'prefix' })
    publisher.says([PUBLISH, 1, {}, 'com.topic', ['secret']], [PUBLISH, 2, { exclude_me: false }, 'com.topic'])
    const published = { realm: 'realm1', session: publisher.id, topic: 'com.topic', publication: ID }
    const delivered = { realm: 'realm1', publication: ID }
    expect(take()).toEqual([
      ['published', published],
      ['delivered', { ...delivered, subscription: exact, uri: 'com.topic', receivers: 4 }],
      ['published', published],
      ['delivered', { ...delivered, subscription: exact, uri: 'com.topic', receivers: 4 }],
      ['delivered', { ...delivered, subscription: prefix, uri: 'com', receivers: 1 }],
    ])
  })

  test('without subscribers are reported as published', () => {
    const { join, take } = watched({}, EVENTS)
    join().says([PUBLISH, 1, {}, 'com.topic'])
    expect(take().map(([name]) => name)).toEqual(['published'])
  })

  test('that are retained are reported as delivered again, and testaments as published', () => {
    const { join, take } = watched({}, [...EVENTS, 'left'])
    const [publisher, late] = [join(), join()]
    publisher.says([PUBLISH, 1, { retain: true }, 'com.topic'])
    subscribe(late, 'com.topic', {})
    take()
    late.says([SUBSCRIBE, 1, { get_retained: true }, 'com.topic'])
    expect(take()).toMatchObject([['delivered', { uri: 'com.topic', receivers: 1 }]])
    ask(publisher, 'wamp.session.add_testament', ['com.topic', [], {}])
    publisher.lose()
    expect(take()).toMatchObject([
      ['published', { session: publisher.id, topic: 'com.topic' }],
      ['delivered', { uri: 'com.topic', receivers: 1 }],
      ['left', { session: publisher.id }],
    ])
  })
})

describe('each drop is reported and counted under one name', () => {
  test('a slow reader: events above the limit, and its session above twice the limit', async () => {
    const { join, take, router } = watched({ limits: { backlog: 1000 } }, ['delivered', 'dropped', 'left'])
    const [slow, publisher] = [join(), able({ join } as World)]
    register(publisher, 'com.echo')
    publisher.says([PUBLISH, 1, { retain: true }, 'com.kept'])
    subscribe(slow, 'com.topic')
    const lost = { realm: 'realm1', session: slow.id, uri: 'com.topic', count: 1 }

    slow.backlog = 1000
    publisher.says([PUBLISH, 1, {}, 'com.topic'])
    expect(take()).toMatchObject([['delivered', { receivers: 1 }]])

    // Answers, invocations and acknowledgements are not events: they are sent.
    slow.backlog = 2000
    slow.take()
    publisher.says([PUBLISH, 2, {}, 'com.topic'])
    expect(slow.says([SUBSCRIBE, 2, { get_retained: true }, 'com.kept'])).toEqual([[33, 2, ID]])
    expect(ask(slow, 'wamp.session.count')).toEqual([RESULT, [2]])
    expect(take()).toEqual([
      ['dropped', { ...lost, reason: 'slow' }],
      ['dropped', { ...lost, reason: 'slow', uri: 'com.kept' }],
    ])

    slow.backlog = 2001
    publisher.says([PUBLISH, 3, {}, 'com.topic'])
    expect(slow.says([UNSUBSCRIBE, 3, 1])).toEqual([])
    await dropped()
    expect(take()).toEqual([
      ['dropped', { ...lost, reason: 'slow' }],
      ['dropped', { ...lost, reason: 'sessions', uri: undefined }],
      ['left', expect.objectContaining({ session: slow.id, by: 'loss', text: '2001 bytes behind' })],
    ])
    expect(router.stats().dropped).toMatchObject({ slow: 3, sessions: 1 })
  })

  test('drops in broker, dealer and history', () => {
    const store = {
      size: 0,
      add: () => {
        throw new Error('full')
      },
      read: () => [],
    }
    const world = watched({ history: [{ uri: 'com.kept', limit: 1, store: () => store }] }, ['dropped'])
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add')
    subscribe(caller, 'com.topic')
    const binary = world.join({ serializer: cbor })
    const nan: Message = [PUBLISH, 1, {}, 'com.topic', { args: [Number.NaN], kwargs: undefined }]
    binary.says(cbor.encode(nan) as Uint8Array)
    binary.says(cbor.encode([PUBLISH, 2, {}, 'com.kept'] as unknown as Message) as Uint8Array)
    caller.says([CALL, 1, {}, 'com.add'], [CANCEL, 1, { mode: 'skip' }], [CANCEL, 1, {}])
    callee.says([YIELD, 1, {}])
    caller.says([CALL, 2, { progress: true }, 'com.add'])
    callee.says([YIELD, 2, { progress: true }], [YIELD, 2, {}])
    caller.says([CALL, 2, {}, 'com.add'])
    const of = (reason: string, { id: session }: { id: number | undefined }, uri?: string): Seen => [
      'dropped',
      { realm: 'realm1', reason, session, uri, count: 1 },
    ]
    const seen = world.take()
    expect(seen).toEqual([
      of('unsendable', caller, 'com.topic'),
      of('history', { id: undefined }, 'com.kept'),
      of('cancels', caller),
      of('late', callee),
      of('partial', callee, 'com.add'),
      of('parts', caller, 'com.add'),
    ])
    const counted = Object.fromEntries(seen.map(([, { reason }]) => [reason, 1]))
    expect(world.router.stats().dropped).toEqual({
      ...counted,
      slow: 0,
      keys: 0,
      publications: 0,
      sessions: 0,
      held: 0,
      memory: 0,
      observations: 0,
    })
  })
})

test('events carry no payload', () => {
  const { join, seen, ...world } = watched()
  const [one, two] = [able({ join, ...world }), able({ join, ...world })]
  register(one, 'com.add')
  subscribe(one, 'com.topic', {})
  two.says(
    [PUBLISH, 1, { acknowledge: true }, 'com.topic', ['secret'], { secret: 1 }],
    [PUBLISH, 2, {}, 'a b', ['secret']],
  )
  two.says([CALL, 3, {}, 'com.add', ['secret'], { secret: 1 }], [CALL, 4, {}, 'com.none', ['secret']])
  one.says([YIELD, 1, {}, ['secret']], [YIELD, 1, {}, ['secret']])
  two.says([CALL, 5, {}, 'com.add'])
  one.says([ERROR, INVOCATION, 2, {}, 'com.error', ['secret']])
  expect(new Set(seen.map(([name]) => name))).toEqual(
    new Set([...NAMES].filter((name) => name !== 'left' && name !== 'waited' && !name.startsWith('un'))),
  )
  expect(JSON.stringify(seen)).not.toContain('secret')
})

test('the events of all realms are observed, and each names its realm', () => {
  const { join, take, router } = watched({ realms: ['one', 'two'] }, ['joined'])
  for (const realm of ['one', 'two', 'one']) join({}, {}, realm)
  expect(take().map(([, { realm }]) => realm)).toEqual(['one', 'two', 'one'])
  expect([router.stats('one'), router.stats('two'), router.stats()].map(({ sessions }) => sessions)).toEqual([2, 1, 3])
})

describe('observers', () => {
  test('are any number, called in the order of their addition, until they stop', () => {
    const { router, join } = open()
    const heard: string[] = []
    const stops = ['a', 'b', 'c'].map((name) => router.observe({ joined: () => void heard.push(name) }))
    join()
    expect(heard.splice(0)).toEqual(['a', 'b', 'c'])
    stops[1]?.()
    stops[1]?.()
    join()
    expect(heard.splice(0)).toEqual(['a', 'c'])
    for (const stop of stops) stop()
    join()
    expect(heard).toEqual([])
  })

  test('may be added and removed during an event', () => {
    const { router, join } = open()
    const heard: string[] = []
    const stopFirst = router.observe({
      joined: () => {
        heard.push('first')
        stopFirst()
        stopSecond()
        router.observe({ joined: () => void heard.push('late') })
      },
    })
    const stopSecond = router.observe({ joined: () => void heard.push('second') })
    join()
    expect(heard.splice(0)).toEqual(['first'])
    join()
    expect(heard).toEqual(['late'])
  })

  test('may be instances of a class with state of their own', () => {
    class Counter implements RouterObserver {
      count = 0
      joined(): void {
        this.count++
      }
    }
    const { router, join } = open()
    const counter = new Counter()
    router.observe(counter)
    join()
    expect(counter.count).toBe(1)
  })

  test('that throw or reject do not affect others: the first error is printed, all are counted', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const world = open()
    const [boom, late] = [new Error('boom'), new Error('late')]
    const stop = world.router.observe({
      called: () => {
        throw boom
      },
      answered: async () => {
        throw boom
      },
    })
    world.router.observe({
      answered: async () => {
        throw late
      },
    })
    const { take } = watch(world.router, ['called', 'answered'])
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add')
    caller.says([CALL, 1, {}, 'com.add'])
    callee.says([YIELD, 1, {}])
    expect(caller.take()).toEqual([[RESULT, 1, {}]])
    expect(take().map(([name]) => name)).toEqual(['called', 'answered'])
    await Promise.resolve()
    expect(print.mock.calls).toEqual([
      [expect.stringMatching(/observer of the router failed in called/), boom],
      [expect.stringMatching(/observer of the router failed in answered/), late],
    ])
    expect(world.router.stats().dropped.observations).toBe(3)
    stop()
    caller.says([CALL, 2, {}, 'com.add'])
    expect(world.router.stats().dropped.observations).toBe(3)
  })

  test('that end the caller during its call leave nothing behind', () => {
    const world = open()
    const [callee, caller, admin] = [able(world), able(world), world.join()]
    register(callee, 'com.add')
    const stop = world.router.observe({
      called: ({ session }) => {
        if (session === caller.id) ask(admin, 'wamp.session.kill', [session])
      },
    })
    caller.says([CALL, 1, {}, 'com.add'])
    stop()
    expect(callee.take()).toEqual([])
    expect(world.router.stats()).toMatchObject({ sessions: 2, calls: 0 })
  })

  test.each<[unknown, RegExp]>([
    [undefined, /an observer must be an object/],
    [() => {}, /an observer must be an object/],
    [{ joined: 1 }, /joined of an observer must be a function, got 1/],
    [{ join: () => {} }, /no event "join", but joined, left/],
  ])('%o is not a valid observer', (observer, text) => {
    const router = new Router()
    expect(() => router.observe(observer as RouterObserver)).toThrow(
      expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringMatching(text) }),
    )
  })
})

describe('stats', () => {
  test.each<[RouterOptions]>([[{}], [{ roles: ['broker'] }], [{ roles: ['dealer'] }], [{ realms: ['a', 'b'] }]])(
    'of %j have every number',
    (options) => {
      expect(new Router(options).stats()).toEqual({
        sessions: 0,
        throttled: 0,
        subscriptions: 0,
        registrations: 0,
        calls: 0,
        queued: 0,
        testaments: 0,
        retained: 0,
        history: 0,
        dropped: {
          slow: 0,
          unsendable: 0,
          publications: 0,
          history: 0,
          keys: 0,
          late: 0,
          parts: 0,
          partial: 0,
          cancels: 0,
          sessions: 0,
          held: 0,
          memory: 0,
          observations: 0,
        },
        bytes: expect.objectContaining({ total: 0, limit: 256 * 2 ** 20 }),
        messages: { received: {}, sent: {} },
      })
    },
  )

  test('count messages by type in both directions', () => {
    const world = open()
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.add')
    for (const each of [callee, caller]) subscribe(each, 'com.topic')
    caller.says([CALL, 7, {}, 'com.add'], [PUBLISH, 8, { exclude_me: false }, 'com.topic'])
    callee.says([YIELD, 1, {}])
    caller.says([GOODBYE, {}, 'wamp.close.close_realm'])
    // Received, and sent to nobody.
    callee.says([PUBLISH, 8, {}, 'com.topic'])
    callee.says('nonsense')
    expect(world.router.stats().messages).toEqual({
      received: { HELLO: 2, REGISTER: 1, SUBSCRIBE: 2, CALL: 1, PUBLISH: 2, YIELD: 1, GOODBYE: 1 },
      sent: { WELCOME: 2, REGISTERED: 1, SUBSCRIBED: 2, INVOCATION: 1, EVENT: 2, RESULT: 1, GOODBYE: 1, ABORT: 1 },
    })
    expect(world.router.stats('realm1').messages).toEqual(world.router.stats().messages)
  })

  test('are a copy: later changes do not appear in it', () => {
    const { router, join } = open()
    const before = router.stats()
    join().says([PUBLISH, 1, {}, 'a b'])
    expect(before.dropped.publications).toBe(0)
    expect(router.stats().dropped.publications).toBe(1)
  })
})
