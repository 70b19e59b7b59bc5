/** Random and mutated frames in all three serializers: the router survives, serves other peers, and keeps nothing. */

import { expect, test } from 'vitest'
import { ABORT, CALL, REGISTER, RESULT, YIELD } from 'wampy-ts/testing'
import type { Message } from '../../src/protocol/messages.ts'
import { payload } from '../../src/protocol/payload.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import type { Frame } from '../../src/transport/transport.ts'
import { ID, open, type Peer } from './support.ts'

const FRAMES = 20_000

const data = payload([1, 'two', null, [3.5, { deep: [true] }], '\u{1f600}'], { key: -7, other: 'x'.repeat(40) })
const CORPUS: Message[] = [
  [16, 1, { acknowledge: true, exclude_me: false }, 'com.topic', data],
  [16, 2, { exclude: [1, 2] }, 'com.topic'],
  [32, 3, { match: 'exact' }, 'com.topic'],
  [34, 4, 5],
  [48, 5, { timeout: 100 }, 'com.own', data],
  [48, 6, {}, 'com.served', data],
  [49, 6, { mode: 'kill' }],
  [64, 7, { invoke: 'single' }, 'com.own'],
  [66, 8, 5],
  [70, 1, { progress: true }, data],
  [70, 1, {}, data],
  [8, 68, 1, {}, 'com.error', data],
  [6, { message: 'bye' }, 'wamp.close.close_realm'],
  [3, {}, 'com.enough'],
  [1, 'realm1', { roles: { caller: {} } }],
]

test.each([
  ['JSON', json],
  ['CBOR', cbor],
  ['MessagePack', msgpack],
])('%s', { timeout: 60_000 }, (_, serializer) => {
  let seed = 20260
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  const frames = CORPUS.map((message) => serializer.encode(message))

  function mutated(): Frame {
    const frame = frames[random(frames.length)] as Frame
    const bytes = [...(typeof frame === 'string' ? new TextEncoder().encode(frame) : frame)]
    for (let edits = random(4); edits > 0; edits--) {
      const at = random(bytes.length + 1)
      const kind = random(5)
      if (kind === 0) bytes.splice(at, 1 + random(3))
      else if (kind === 1) bytes.splice(at, 0, random(256))
      else if (kind === 2) bytes[at] = random(256)
      else if (kind === 3) bytes.length = at
      else bytes.splice(at, 0, ...bytes.slice(random(bytes.length + 1)))
    }
    const whole = new Uint8Array(bytes)
    return serializer.binary ? whole : new TextDecoder().decode(whole)
  }

  const { join, router } = open({ limits: { subscriptions: 50, registrations: 50, calls: 50 } })
  const [callee, caller] = [join(), join()]
  callee.says([REGISTER, 1, {}, 'com.served'])
  let hostile: Peer = join({ serializer })
  let aborted = 0
  for (let i = 1; i <= FRAMES; i++) {
    if (hostile.says(mutated()).some(([code]) => code === ABORT)) aborted++
    if (hostile.end) hostile = join({ serializer })
    // Calls of the hostile peer are answered as well.
    for (const [, invocation] of callee.take()) callee.says([YIELD, invocation, {}, []])
    if (i % 100) continue
    caller.says([CALL, i, {}, 'com.served', [i]])
    const [[, invocation] = []] = callee.take()
    callee.says([YIELD, invocation, {}, [i]])
    expect(caller.take()).toEqual([[RESULT, i, {}, [i]]])
  }
  expect(aborted).toBeGreaterThan(FRAMES / 10)
  expect([callee.end, caller.end]).toEqual([undefined, undefined])
  expect(router.stats().sessions).toBe(3)
  expect(router.links).toBe(3)
  hostile.lose()
  expect(router.stats()).toMatchObject({ sessions: 2, subscriptions: 0, registrations: 1, calls: 0 })
  expect(callee.says([REGISTER, 2, {}, 'com.own'])).toEqual([[65, 2, ID]])
})
