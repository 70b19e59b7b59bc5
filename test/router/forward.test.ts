/** Custom keys that a router passes on: the trace context by default, from calls to callees and from publications to subscribers. */

import { describe, expect, test } from 'vitest'
import {
  CALL,
  ERROR,
  EVENT,
  INVOCATION,
  PUBLISH,
  PUBLISHED,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  YIELD,
} from 'wampy-ts/testing'
import { Router, type RouterOptions } from '../../src/router.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { able, register } from './rpc.ts'
import { ask, ID, open, subscribe } from './support.ts'

const TRACE = {
  _traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  _tracestate: 'vendor=value',
}
const OTHER = { _other: 'x', _x: 'y', traceparent: 'z' }

/** The details of the INVOCATION that a call with these options causes. */
function invoked(given: object, options: RouterOptions = {}): unknown {
  const world = open(options)
  const [callee, caller] = [able(world), able(world)]
  register(callee)
  caller.says([CALL, 1, given, 'com.add'])
  const [[code, id, , details] = []] = callee.take()
  expect(code).toBe(INVOCATION)
  callee.says([YIELD, id, { ...TRACE }, [1]])
  // Results carry nothing: their caller knows the context.
  expect(caller.take()).toEqual([[RESULT, 1, {}, [1]]])
  return details
}

/** The details of the EVENT that a publication with these options causes. */
function received(given: object, options: RouterOptions = {}): unknown {
  const world = open(options)
  const [subscriber, publisher] = [world.join(), world.join()]
  subscribe(subscriber, 'com.topic')
  publisher.says([PUBLISH, 1, given, 'com.topic'])
  const [[code, , , details] = []] = subscriber.take()
  expect(code).toBe(EVENT)
  return details
}

describe.each([
  ['INVOCATION', invoked],
  ['EVENT', received],
])('the details of an %s', (_, details) => {
  test('have the trace context and no other custom key', () => {
    expect(details({})).toEqual({})
    expect(details(OTHER)).toEqual({})
    expect(details({ ...TRACE, ...OTHER })).toEqual(TRACE)
    expect(details({ _tracestate: 'a=b' })).toEqual({ _tracestate: 'a=b' })
  })

  test('have the keys of the option forward', () => {
    expect(details({ ...TRACE, ...OTHER }, { forward: ['_other', '_other'] })).toEqual({ _other: 'x' })
    expect(details({ ...TRACE, ...OTHER }, { forward: [] })).toEqual({})
  })

  test('have them beside others', () => {
    expect(details({ ...TRACE, disclose_me: true }, { trustlevel: () => 3 })).toEqual({
      ...TRACE,
      trustlevel: 3,
      [details === invoked ? 'caller' : 'publisher']: ID,
      [details === invoked ? 'caller_authid' : 'publisher_authid']: expect.any(String),
      [details === invoked ? 'caller_authrole' : 'publisher_authrole']: expect.any(String),
    })
  })

  test('have texts of at most 512 characters', () => {
    expect(details({ _traceparent: 'x'.repeat(512), _tracestate: '' })).toEqual({
      _traceparent: 'x'.repeat(512),
      _tracestate: '',
    })
    for (const unfit of ['x'.repeat(513), 7, null, ['x'], { a: 1 }, true, 'half \ud800 pair']) {
      expect(details({ _traceparent: unfit, _tracestate: 'a=b' })).toEqual({ _tracestate: 'a=b' })
      expect(details({ _traceparent: unfit })).toEqual({})
    }
    expect(details({ _traceparent: 'whole 😀 pair' })).toEqual({ _traceparent: 'whole 😀 pair' })
  })
})

test('a message with a key that is not forwarded is counted and reported', () => {
  const world = open()
  const seen: unknown[] = []
  world.router.observe({ dropped: ({ reason, session, uri, count }) => seen.push([reason, session, uri, count]) })
  const [callee, caller] = [able(world), able(world)]
  register(callee)
  caller.says([CALL, 1, { _traceparent: 7, _tracestate: 8 }, 'com.add'], [CALL, 2, TRACE, 'com.add'])
  caller.says([PUBLISH, 3, { _tracestate: [] }, 'com.topic'], [PUBLISH, 4, { _other: 7 }, 'com.topic'])
  expect(world.router.stats().dropped.keys).toBe(2)
  expect(seen).toEqual([
    ['keys', caller.id, 'com.add', 1],
    ['keys', caller.id, 'com.topic', 1],
  ])
  for (const [, id] of callee.take()) callee.says([YIELD, id, {}])
})

test.each([
  ['a text', '_traceparent'],
  ['a key of WAMP', ['timeout']],
  ['a key that is too short', ['_ab']],
  ['capitals', ['_Trace']],
  ['__proto__', ['__proto__']],
  ['a number', [7]],
])('the option forward cannot be %s', (_, forward) => {
  expect(() => new Router({ forward: forward as string[] })).toThrow(
    expect.objectContaining({
      uri: 'wampy.error.usage',
      message: expect.stringContaining('forward must be a list of custom keys, such as ["_traceparent"]'),
    }),
  )
})

test('subscribers with other serializers, and by patterns, receive them', () => {
  const world = open()
  const kinds = [{}, { prepares: true }, { prepares: true }, { serializer: cbor }, { serializer: msgpack }]
  const members = kinds.map((kind) => world.join(kind))
  for (const member of members) subscribe(member, 'com.topic')
  const byPattern = world.join()
  const pattern = subscribe(byPattern, 'com', { match: 'prefix' })
  for (const serializer of [json, cbor, msgpack]) {
    world.join({ serializer }).says([PUBLISH, 1, TRACE, 'com.topic'])
    for (const member of members) expect(member.take()).toEqual([[EVENT, ID, ID, TRACE]])
    expect(byPattern.take()).toEqual([[EVENT, pattern, ID, { ...TRACE, topic: 'com.topic' }]])
  }
})

test('retained events, histories and testaments keep them', () => {
  const world = open({ history: [{ uri: 'com.topic', limit: 10 }] })
  const [publisher, reader, heir] = [world.join(), able(world), world.join()]
  publisher.says([PUBLISH, 1, { ...TRACE, ...OTHER, retain: true, acknowledge: true }, 'com.topic'])
  publisher.take()
  const answers = reader.says([SUBSCRIBE, 1, { get_retained: true }, 'com.topic'])
  expect(answers).toEqual([
    [SUBSCRIBED, 1, ID],
    [EVENT, ID, ID, { ...TRACE, retained: true }],
  ])
  const [, args] = ask(reader, 'wamp.subscription.get_events', [answers[0]?.[2]]) as [number, unknown[]]
  expect(args).toMatchObject([{ details: TRACE }])
  expect(Object.keys((args[0] as { details: object }).details).sort()).toEqual(['_traceparent', '_tracestate'])
  subscribe(heir, 'com.last')
  ask(publisher, 'wamp.session.add_testament', ['com.last', [], {}], { publish_options: { ...TRACE, ...OTHER } })
  publisher.lose()
  expect(heir.take()).toEqual([[EVENT, ID, ID, TRACE]])
})

test('a call that is declined, or waits in a queue, keeps them', () => {
  const world = open({ callQueue: [{ uri: 'com.queue', limit: 10 }] })
  const [one, two, caller] = [able(world), able(world), able(world)]
  for (const callee of [one, two]) register(callee, 'com.add', { invoke: 'first' })
  caller.says([CALL, 1, { ...TRACE, ...OTHER }, 'com.add', [1]])
  expect(one.take()).toEqual([[INVOCATION, 1, ID, TRACE, [1]]])
  one.says([ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable'])
  expect(two.take()).toEqual([[INVOCATION, 1, ID, TRACE, [1]]])
  two.says([YIELD, 1, {}])

  register(one, 'com.queue', { concurrency: 1 })
  caller.says([CALL, 2, {}, 'com.queue'], [CALL, 3, { ...TRACE, ...OTHER }, 'com.queue', [3]])
  const { queues } = world.router.stats().bytes
  caller.says([CALL, 4, {}, 'com.queue', [4]])
  // What is kept for later is weighed.
  expect(queues).toBeGreaterThan(world.router.stats().bytes.queues - queues + JSON.stringify(TRACE).length)
  expect(one.take()).toEqual([[INVOCATION, 2, ID, {}]])
  expect(one.says([YIELD, 2, {}])).toEqual([[INVOCATION, 3, ID, TRACE, [3]]])
  one.says([YIELD, 3, {}])
  one.says([YIELD, 4, {}])
})

test('all parts of a call have those of the first', () => {
  const world = open()
  const [callee, caller] = [able(world), able(world)]
  register(callee)
  caller.says([CALL, 1, { ...TRACE, progress: true }, 'com.add', [1]])
  caller.says([CALL, 1, { _traceparent: 'other' }, 'com.add', [2]])
  expect(callee.take()).toEqual([
    [INVOCATION, 1, ID, { ...TRACE, progress: true }, [1]],
    [INVOCATION, 1, ID, TRACE, [2]],
  ])
  callee.says([YIELD, 1, {}])
})

test('the procedures of the router ignore them', () => {
  const caller = able(open())
  expect(caller.says([CALL, 1, TRACE, 'wamp.session.count'])).toEqual([[RESULT, 1, {}, [1]]])
  expect(caller.says([PUBLISH, 2, { ...TRACE, acknowledge: true }, 'com.topic'])).toEqual([[PUBLISHED, 2, ID]])
})
