/** Payloads of very many values: the router passes them on, and builds or transcodes them only up to a limit. */

import { describe, expect, test } from 'vitest'
import { ABORT, CALL, ERROR, EVENT, PUBLISH, PUBLISHED, RESULT } from 'wampy-ts/testing'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { forRouter } from '../../src/serializer/routed-json.ts'
import { ID, open, subscribe } from './support.ts'

const SERIALIZERS = { json: forRouter(json), cbor, msgpack }
const NAMES = ['json', 'cbor', 'msgpack'] as const
const MOST = 2 ** 19

/** A frame with args of this many values, the list included. */
function frameOf(name: (typeof NAMES)[number], code: number, uri: string, values: number): string | Uint8Array {
  const options = code === PUBLISH ? { acknowledge: true } : {}
  const list = new Array(values - 1).fill(7)
  return SERIALIZERS[name].encode([code, 1, options, uri, { args: list, kwargs: undefined }] as never)
}

describe.each(NAMES)('published in %s', (name) => {
  test.each([
    [MOST, 0],
    [MOST + 10, 2],
  ])('%i values: not carried to the subscribers of other serializers: %i', (values, unsendable) => {
    const { router, join } = open()
    const publisher = join({ serializer: SERIALIZERS[name] })
    const subscribers = NAMES.map((other) => join({ serializer: SERIALIZERS[other] }))
    for (const subscriber of subscribers) subscribe(subscriber, 'big')
    expect(publisher.says(frameOf(name, PUBLISH, 'big', values))).toEqual([[PUBLISHED, 1, ID]])
    const received = subscribers.map((subscriber) => subscriber.take().length)
    expect(received).toEqual(NAMES.map((other) => (unsendable && other !== name ? 0 : 1)))
    expect(router.stats().dropped.unsendable).toBe(unsendable)
  })

  test('a procedure of the router refuses more values than it builds', () => {
    const { join } = open()
    const caller = join({ serializer: SERIALIZERS[name] })
    expect(caller.says(frameOf(name, CALL, 'wamp.session.get', 100_010))).toEqual([
      [ERROR, CALL, 1, {}, 'wampy.error.limit_exceeded', [expect.stringContaining('at most 100000 values')]],
    ])
    expect(caller.says(frameOf(name, CALL, 'wamp.registration.list', 90_000))[0]?.[0]).toBe(RESULT)
  })
})

test.each([
  ['json', 970, 990],
  ['cbor', 1150, 1180],
] as const)('long integers in %s count for many values, as they take longer to convert', (name, within, beyond) => {
  const { router, join } = open()
  const publisher = join({ serializer: SERIALIZERS[name] })
  const [same, other] = [join({ serializer: SERIALIZERS[name] }), join({ serializer: name === 'json' ? cbor : json })]
  for (const subscriber of [same, other]) subscribe(subscriber, 'big')
  const publish = (count: number) =>
    publisher.says([PUBLISH, 1, {}, 'big', { args: new Array(count).fill(10n ** 4299n), kwargs: undefined }])
  publish(within)
  expect([same.take(), other.take()].map(([event]) => event?.[0])).toEqual([EVENT, EVENT])
  publish(beyond)
  expect([same.take(), other.take()].map(([event]) => event?.[0])).toEqual([EVENT, undefined])
  expect(router.stats().dropped.unsendable).toBe(1)
})

test('the text of an ABORT is read only from a short payload', () => {
  const { router, join } = open()
  const reasons: (string | undefined)[] = []
  router.observe({ left: ({ text }) => reasons.push(text) })
  for (const rest of ['', `,${Array(20_000).fill('{}').join()}`]) {
    join({ serializer: forRouter(json) }).says(`[${ABORT},{},"com.reason",["what went wrong"${rest}]]`)
  }
  expect(reasons).toEqual(['what went wrong', 'com.reason'])
})
