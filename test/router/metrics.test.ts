/** The metrics of a router: their exact text, their labels, and their end. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { type MetricsOptions, metrics } from 'wampy-ts/metrics'
import { CALL, GOODBYE, HELLO, INVOCATION, PUBLISH, REGISTER, SUBSCRIBE, YIELD } from 'wampy-ts/testing'
import { VERSION } from '../../src/protocol/version.ts'
import type { Router } from '../../src/router/router.ts'
import { json } from '../../src/serializer/json.ts'
import { framed } from '../../src/session/framed.ts'
import { able, register } from './rpc.ts'
import { open, Peer, ROLES, subscribe } from './support.ts'

afterEach(() => void vi.useRealTimers())

const BOUNDS = ['0.001', '0.0025', '0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '1', '2.5', '10', '+Inf']

const REASONS =
  'sessions held memory slow unsendable publications history keys late parts partial cancels observations'.split(' ')

/** The value of a sample; its labels are named in any order. */
function numberOf(of: ReturnType<typeof metrics>, name: string, labels: Record<string, string> = {}) {
  const wanted = Object.entries(labels)
  const found = of.read().filter((sample) => {
    const has = sample.labels
    return sample.name === name && wanted.every(([label, text]) => has[label] === text)
  })
  expect(found).toHaveLength(1)
  return found[0]?.value
}

const labelsOf = (of: ReturnType<typeof metrics>, name: string, label: string) => [
  ...new Set(
    of
      .read()
      .filter((sample) => sample.name === name)
      .map(({ labels }) => labels[label]),
  ),
]

test('their text is exactly this', async () => {
  vi.useFakeTimers()
  const world = open({ realms: ['one', 'two'] })
  const numbers = metrics(world.router)
  const [callee, caller] = [able(world), able(world)]
  register(callee)
  subscribe(callee, 'com.topic', {})
  subscribe(caller, 'com.topic', {})
  for (const [request, after, answer] of [
    [1, 0, [YIELD, 1, {}]],
    [2, 7, [8, INVOCATION, 2, {}, 'com.example.no']],
    [3, 20_000, [YIELD, 3, {}]],
  ] as const) {
    caller.says([CALL, request, {}, 'com.add'])
    await vi.advanceTimersByTimeAsync(after)
    callee.says([...answer])
  }
  caller.says([CALL, 4, {}, 'com.none'], [PUBLISH, 5, { exclude_me: false, retain: true }, 'com.topic'])
  caller.says([PUBLISH, 6, {}, 'not a topic'], [CALL, 7, {}, 'com.add'])
  const gone = world.join()
  gone.says([GOODBYE, {}, 'wamp.close.close_realm'])
  world.connect().says([HELLO, 'com.example.secret', { roles: ROLES }])
  const kept = world.router.stats().bytes
  const dropped = (realm: string, counts: Record<string, number> = {}) =>
    REASONS.map((reason) => `wampy_dropped_total{realm="${realm}",reason="${reason}"} ${counts[reason] ?? 0}\n`).join(
      '',
    )
  const buckets = (realm: string, counts: number[]) =>
    counts
      .map((count, at) => `wampy_call_duration_seconds_bucket{realm="${realm}",le="${BOUNDS[at]}"} ${count}\n`)
      .join('')
  expect(numbers.text()).toBe(`\
# HELP wampy_build_info The version of wampy-ts; the value is always 1.
# TYPE wampy_build_info gauge
wampy_build_info{version="${VERSION}"} 1
# HELP wampy_links Connections, with or without a session.
# TYPE wampy_links gauge
wampy_links 2
# HELP wampy_sessions Sessions that have joined a realm.
# TYPE wampy_sessions gauge
wampy_sessions{realm="one"} 2
wampy_sessions{realm="two"} 0
# HELP wampy_joins_total Sessions that joined a realm.
# TYPE wampy_joins_total counter
wampy_joins_total{realm="one",authmethod="anonymous"} 3
# HELP wampy_leaves_total Sessions that ended, by the router, by their peer or by a loss.
# TYPE wampy_leaves_total counter
wampy_leaves_total{realm="one",by="router"} 0
wampy_leaves_total{realm="one",by="peer"} 1
wampy_leaves_total{realm="one",by="loss"} 0
wampy_leaves_total{realm="two",by="router"} 0
wampy_leaves_total{realm="two",by="peer"} 0
wampy_leaves_total{realm="two",by="loss"} 0
# HELP wampy_refusals_total Requests and joins that were refused.
# TYPE wampy_refusals_total counter
wampy_refusals_total{realm="one",action="join"} 0
wampy_refusals_total{realm="one",action="subscribe"} 0
wampy_refusals_total{realm="one",action="unsubscribe"} 0
wampy_refusals_total{realm="one",action="publish"} 1
wampy_refusals_total{realm="one",action="register"} 0
wampy_refusals_total{realm="one",action="unregister"} 0
wampy_refusals_total{realm="one",action="call"} 1
wampy_refusals_total{realm="two",action="join"} 0
wampy_refusals_total{realm="two",action="subscribe"} 0
wampy_refusals_total{realm="two",action="unsubscribe"} 0
wampy_refusals_total{realm="two",action="publish"} 0
wampy_refusals_total{realm="two",action="register"} 0
wampy_refusals_total{realm="two",action="unregister"} 0
wampy_refusals_total{realm="two",action="call"} 0
wampy_refusals_total{realm="",action="join"} 1
# HELP wampy_slow_decisions_total Decisions of authorize that took a second or longer.
# TYPE wampy_slow_decisions_total counter
wampy_slow_decisions_total{realm="one",action="subscribe"} 0
wampy_slow_decisions_total{realm="one",action="publish"} 0
wampy_slow_decisions_total{realm="one",action="register"} 0
wampy_slow_decisions_total{realm="one",action="call"} 0
wampy_slow_decisions_total{realm="two",action="subscribe"} 0
wampy_slow_decisions_total{realm="two",action="publish"} 0
wampy_slow_decisions_total{realm="two",action="register"} 0
wampy_slow_decisions_total{realm="two",action="call"} 0
# HELP wampy_messages_total Messages on all connections, since the router was created.
# TYPE wampy_messages_total counter
wampy_messages_total{direction="received",type="HELLO"} 4
wampy_messages_total{direction="received",type="GOODBYE"} 1
wampy_messages_total{direction="received",type="ERROR"} 1
wampy_messages_total{direction="received",type="PUBLISH"} 2
wampy_messages_total{direction="received",type="SUBSCRIBE"} 2
wampy_messages_total{direction="received",type="CALL"} 5
wampy_messages_total{direction="received",type="REGISTER"} 1
wampy_messages_total{direction="received",type="YIELD"} 2
wampy_messages_total{direction="sent",type="WELCOME"} 3
wampy_messages_total{direction="sent",type="ABORT"} 1
wampy_messages_total{direction="sent",type="GOODBYE"} 1
wampy_messages_total{direction="sent",type="ERROR"} 2
wampy_messages_total{direction="sent",type="SUBSCRIBED"} 2
wampy_messages_total{direction="sent",type="EVENT"} 2
wampy_messages_total{direction="sent",type="RESULT"} 2
wampy_messages_total{direction="sent",type="REGISTERED"} 1
wampy_messages_total{direction="sent",type="INVOCATION"} 4
# HELP wampy_registrations Registrations.
# TYPE wampy_registrations gauge
wampy_registrations{realm="one"} 1
wampy_registrations{realm="two"} 0
# HELP wampy_pending_calls Calls that are not answered yet, with those that are queued.
# TYPE wampy_pending_calls gauge
wampy_pending_calls{realm="one"} 1
wampy_pending_calls{realm="two"} 0
# HELP wampy_queued_calls Calls that wait for a free callee.
# TYPE wampy_queued_calls gauge
wampy_queued_calls 0
# HELP wampy_calls_total Calls that were settled.
# TYPE wampy_calls_total counter
wampy_calls_total{realm="one",outcome="result"} 2
wampy_calls_total{realm="one",outcome="error"} 1
wampy_calls_total{realm="one",outcome="abandoned"} 0
wampy_calls_total{realm="two",outcome="result"} 0
wampy_calls_total{realm="two",outcome="error"} 0
wampy_calls_total{realm="two",outcome="abandoned"} 0
# HELP wampy_call_duration_seconds The time from a call to its result or error.
# TYPE wampy_call_duration_seconds histogram
${buckets('one', [1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3])}\
wampy_call_duration_seconds_sum{realm="one"} 20.007
wampy_call_duration_seconds_count{realm="one"} 3
${buckets(
  'two',
  BOUNDS.map(() => 0),
)}\
wampy_call_duration_seconds_sum{realm="two"} 0
wampy_call_duration_seconds_count{realm="two"} 0
# HELP wampy_subscriptions Subscriptions.
# TYPE wampy_subscriptions gauge
wampy_subscriptions{realm="one"} 1
wampy_subscriptions{realm="two"} 0
# HELP wampy_publications_total Publications that were accepted.
# TYPE wampy_publications_total counter
wampy_publications_total{realm="one"} 1
wampy_publications_total{realm="two"} 0
# HELP wampy_events_total Events that were sent, once for each receiver.
# TYPE wampy_events_total counter
wampy_events_total{realm="one"} 2
wampy_events_total{realm="two"} 0
# HELP wampy_retained_events Topics with a retained event.
# TYPE wampy_retained_events gauge
wampy_retained_events{realm="one"} 1
wampy_retained_events{realm="two"} 0
# HELP wampy_history_events Events in histories.
# TYPE wampy_history_events gauge
wampy_history_events{realm="one"} 0
wampy_history_events{realm="two"} 0
# HELP wampy_testaments Testaments of present sessions.
# TYPE wampy_testaments gauge
wampy_testaments{realm="one"} 0
wampy_testaments{realm="two"} 0
# HELP wampy_throttled_total Pauses of sessions whose rate was exceeded, since the router was created.
# TYPE wampy_throttled_total counter
wampy_throttled_total{realm="one"} 0
wampy_throttled_total{realm="two"} 0
# HELP wampy_dropped_total What was discarded, by its reason in router.stats(), since the router was created.
# TYPE wampy_dropped_total counter
${dropped('one', { publications: 1 })}${dropped('two')}\
wampy_dropped_total{realm="",reason="observations"} 0
# HELP wampy_backlog_bytes Bytes that wait for sessions to read them.
# TYPE wampy_backlog_bytes gauge
wampy_backlog_bytes 0
# HELP wampy_memory_bytes Bytes that the router keeps for its peers, estimated.
# TYPE wampy_memory_bytes gauge
wampy_memory_bytes{kind="sessions"} ${kept.sessions}
wampy_memory_bytes{kind="incoming"} 0
wampy_memory_bytes{kind="backlogs"} 0
wampy_memory_bytes{kind="held"} 0
wampy_memory_bytes{kind="calls"} ${kept.calls}
wampy_memory_bytes{kind="queues"} 0
wampy_memory_bytes{kind="subscriptions"} ${kept.subscriptions}
wampy_memory_bytes{kind="registrations"} ${kept.registrations}
wampy_memory_bytes{kind="testaments"} 0
wampy_memory_bytes{kind="retained"} ${kept.retained}
wampy_memory_bytes{kind="histories"} 0
# HELP wampy_memory_limit_bytes The limit on the sum of wampy_memory_bytes.
# TYPE wampy_memory_limit_bytes gauge
wampy_memory_limit_bytes 268435456
`)
})

describe('the label procedure', () => {
  /** Calls procedures that a callee has registered by this prefix, and returns the labels of their durations. */
  function labels(options: MetricsOptions, procedures: readonly string[], exactly: readonly string[] = []) {
    const world = open()
    const numbers = metrics(world.router, options)
    const [callee, caller] = [able(world), able(world)]
    register(callee, 'com.', { match: 'prefix' })
    for (const uri of exactly) register(callee, uri)
    procedures.forEach((uri, at) => {
      caller.says([CALL, at + 1, {}, uri])
      callee.says([YIELD, at + 1, {}])
    })
    expect(numberOf(numbers, 'wampy_calls_total', { outcome: 'result' })).toBe(procedures.length)
    const counts = numbers.read().filter(({ name }) => name === 'wampy_call_duration_seconds_count')
    return Object.fromEntries(counts.map(({ labels: { procedure }, value }) => [String(procedure), value]))
  }

  const CALLED = ['com.add', 'com.user.joe', 'com.user.ann']

  test.each<[MetricsOptions, object]>([
    [{}, { undefined: 3 }],
    [{ procedures: undefined }, { undefined: 3 }],
    [{ procedures: 'none' }, { undefined: 3 }],
    [{ procedures: 'registered' }, { 'com.add': 1, 'com.': 2 }],
    [{ procedures: (uri) => uri.slice(0, 8) }, { 'com.add': 1, 'com.user': 2 }],
    [{ procedures: () => '' }, { '': 3 }],
    [{ procedures: () => undefined as never }, { _other: 3 }],
    [{ procedures: (uri) => uri.repeat(uri === 'com.add' ? 1 : 22) }, { 'com.add': 1, _other: 2 }],
    [
      {
        procedures: () => {
          throw new Error('no')
        },
      },
      { _other: 3 },
    ],
  ])('%j', (options, expected) => {
    expect(labels(options, CALLED, ['com.add'])).toEqual(expected)
  })

  test('has at most 1,000 values, and another one for the rest', () => {
    const uris = Array.from({ length: 1200 }, (_, at) => `com.p${at}`)
    const found = labels({ procedures: (uri) => uri }, [...uris, 'com.p1', 'com.p1100'])
    expect(Object.keys(found)).toHaveLength(1001)
    expect([found['com.p1'], found['com.p999'], found['com.p1000'], found['_other']]).toEqual([2, 1, undefined, 201])
  })

  test('is escaped', () => {
    const world = open()
    const numbers = metrics(world.router, { procedures: () => 'a"b\\c\nd\ud800' })
    const caller = world.join()
    caller.says([CALL, 1, {}, 'wamp.session.count'])
    expect(numbers.text()).toContain('procedure="a\\"b\\\\c\\nd\ufffd",le="0.001"} ')
  })
})

test('no label has an id, an authid or a URI of a peer', () => {
  const world = open()
  const numbers = metrics(world.router)
  const [callee, caller] = [able(world), able(world)]
  register(callee, 'com.secret')
  subscribe(callee, 'com.secret.topic')
  caller.says([CALL, 1, {}, 'com.secret'], [PUBLISH, 2, { retain: true }, 'com.secret.topic'])
  callee.says([8, INVOCATION, 1, {}, 'com.secret.error'])
  caller.says([SUBSCRIBE, 3, {}, 'secret topic'], [REGISTER, 4, {}, 'com.secret'], [CALL, 5, {}, 'com.secret.none'])
  world.connect().says([HELLO, 'com.secret.realm', { roles: ROLES }])
  world.connect().says([HELLO, 'not a secret realm', { roles: ROLES, authid: 'secret', authmethods: ['secret'] }])
  caller.says([GOODBYE, { message: 'secret' }, 'com.secret.reason'])
  const text = numbers.text()
  expect(text).not.toContain('secret')
  expect(numberOf(numbers, 'wampy_refusals_total', { realm: '', action: 'join' })).toBe(2)
  for (const { id, authid } of [callee, caller]) expect(text).not.toMatch(new RegExp(`${id}|${authid}`))
})

test('stop counts no more, releases the router, and keeps the numbers', () => {
  const world = open()
  let observers = 0
  const { router } = world
  const watched = new Proxy(router, {
    get(target, name) {
      if (name !== 'observe') {
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return (...args: Parameters<Router['observe']>) => {
        observers++
        const stop = target.observe(...args)
        return () => {
          observers--
          stop()
        }
      }
    },
  })
  const numbers = Array.from({ length: 20 }, () => metrics(watched))
  world.join()
  for (const each of numbers) each.stop()
  expect(observers).toBe(0)
  world.join()
  for (const each of numbers) {
    expect(numberOf(each, 'wampy_joins_total', { authmethod: 'anonymous' })).toBe(1)
    expect(numberOf(each, 'wampy_sessions')).toBe(2)
  }
})

test('count pauses of sessions that exceed their rate', () => {
  const { router } = open({ rates: [{ role: 'anonymous', messages: 10 }] })
  const numbers = metrics(router)
  const peer = Object.assign(new Peer(), { pause() {}, resume() {} })
  router.attach(framed(peer, json))
  peer.says([HELLO, 'realm1', { roles: ROLES }])
  for (let request = 1; request <= 10; request++) peer.says([CALL, request, {}, 'wamp.session.count'])
  expect(numberOf(numbers, 'wampy_throttled_total')).toBe(0)
  peer.says(...[11, 12, 13].map((request) => [CALL, request, {}, 'wamp.session.count']))
  expect(numberOf(numbers, 'wampy_throttled_total')).toBe(1)
  peer.lose()
})

test('counters begin at 0 in every realm', () => {
  const numbers = metrics(open({ realms: ['one', 'two'] }).router)
  expect(labelsOf(numbers, 'wampy_leaves_total', 'realm')).toEqual(['one', 'two'])
  expect(labelsOf(numbers, 'wampy_calls_total', 'outcome')).toEqual(['result', 'error', 'abandoned'])
  expect(labelsOf(numbers, 'wampy_call_duration_seconds_count', 'realm')).toEqual(['one', 'two'])
})

test.each<[unknown, unknown, RegExp]>([
  [undefined, {}, /metrics expects a Router as its first argument, such as metrics\(new Router\(\)\), got undefined/],
  [{ attach() {} }, {}, /metrics expects a Router/],
  ['router', { procedure: 'none' }, /metrics expects a Router/],
  ['real', { procedure: 'none' }, /metrics has no option "procedure": did you mean procedures\?/],
  ['real', { procedures: 'all' }, /procedures must be "none", "registered" or a function, got "all"/],
])('metrics(%j, %j) is an error', (router, options, text) => {
  const given = router === 'real' ? open().router : router
  expect(() => metrics(given as Router, options as MetricsOptions)).toThrow(
    expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringMatching(text) }),
  )
})
