/** The router's JSON, which checks long payloads without parsing them, accepts and refuses exactly what the parser does. */

import { describe, expect, test } from 'vitest'
import { WampError } from '../../src/protocol/error.ts'
import { json } from '../../src/serializer/json.ts'
import { forRouter } from '../../src/serializer/routed-json.ts'
import { below, randomMessage, read, seeded } from './random.ts'

const routed = forRouter(json)
/** Makes a message long enough, and changes nothing of it. */
const BLANKS = ' '.repeat(20_000)
const long = (frame: string): string => frame.replace('[', `[${BLANKS}`)

function outcome(decode: (frame: string) => unknown, frame: string): unknown {
  try {
    return read(decode(frame) as never)
  } catch (error) {
    expect(WampError.is(error) && error.uri).toBe('wamp.error.protocol_violation')
    return 'refused'
  }
}

const same = (frame: string): unknown => {
  const expected = outcome((text) => json.decode(text), long(frame))
  expect([frame, outcome((text) => routed.decode(text), long(frame))]).toEqual([frame, expected])
  return expected
}

test.each([
  '[48,1,{},"a.b",[1]',
  '[48,1,{},"a.b",[1]] x',
  '[48,1,{},"a.b",[1]]]',
  '[48,1,{},"a.b",[1],{"a":1},2]',
  '[48,1,{},"a.b",[1],[1]]',
  '[48,1,{},"a.b",{}]',
  '[48,1,{},"a.b",null,{"a":1}]',
  '[48,1,{},"a.b",null]',
  '[48,1,{},"a.b",[1,]]',
  '[48,1,{},"a.b",[,1]]',
  '[48,1,{},"a.b",[1 2]]',
  '[48,1,{},"a.b",[01]]',
  '[48,1,{},"a.b",[-]]',
  '[48,1,{},"a.b",[-0.5e+10,1E3,0.0,1.]]',
  '[48,1,{},"a.b",[-0.5e+10,1E3,0.0,0]]',
  '[48,1,{},"a.b",[.5]]',
  '[48,1,{},"a.b",[1e]]',
  '[48,1,{},"a.b",[+1]]',
  '[48,1,{},"a.b",[tru]]',
  '[48,1,{},"a.b",[true,false,null]]',
  '[48,1,{},"a.b",["\\u00e9\\n\\/\\"\\\\"]]',
  '[48,1,{},"a.b",["\\u00g9"]]',
  '[48,1,{},"a.b",["\\x"]]',
  '[48,1,{},"a.b",["\t"]]',
  '[48,1,{},"a.b",["\u007f\u2028"]]',
  '[48,1,{},"a.b",["open]]',
  `[48,1,{},"a.b",["${'x'.repeat(100)}"]]`,
  `[48,1,{},"a.b",["${'x'.repeat(100)}]]`,
  `[48,1,{},"a.b",["${'x'.repeat(100)}\t${'x'.repeat(100)}"]]`,
  `[48,1,{},"a.b",["${'x'.repeat(100)}\\n${'x'.repeat(100)}\\"${'x'.repeat(100)}\\\\"]]`,
  `[48,1,{},"a.b",["${'x'.repeat(40)}\\"${'x'.repeat(40)}\\x${'x'.repeat(40)}"]]`,
  `[48,1,{},"a.b",["${'\u65e5'.repeat(100)}\u0000"]]`,
  '[36,1,2,{"enc_algo":"x"},"sealed"]',
  '[36,1,2,{"enc_algo":"x"},{"sealed":1}]',
  '[48,1,{},"a.b",["\\"]]',
  '[48,1,{},"a.b",[{"a" : 1 , "b":[ ] }], { } ]',
  '[48,1,{},"a.b",[{"a":1,}]]',
  '[48,1,{},"a.b",[{"a"}]]',
  '[48,1,{},"a.b",[{"a":}]]',
  '[48,1,{},"a.b",[{a:1}]]',
  '[48,1,{},"a.b",[{]}]]',
  '[48,1,{},"a.b",[[}]]',
  '[48,1,{},"a.b",[123456789012345678901234567890]]',
  '[48,1,{},"a.b",["\\u0000AQID"]]',
  '[48.0,1,{},"a.b",[1]]',
  '[4.8e1,1,{},"a.b",[1]]',
  '["48",1,{},"a.b",[1]]',
  '[48,1,{"a":[1,2,{"b":","}]},"a,b",[1]]',
  '[48,1,{"__proto__":1},"a.b",[1]]',
  '[48,1,{},"a.b",[{"__proto__":1}]]',
  '[48,1,{]},"a.b",[1]]',
  '[48,1,{"ppt_scheme":"x_a"},"a.b","opaque"]',
  '[48,1,{"ppt_scheme":"x_a"},"a.b",7,{}]',
  '[6,{},"wamp.close.normal"]',
  '[1,"realm1",{"roles":{"caller":{}}}]',
  '{}',
  'null',
])('%s', (frame) => {
  same(frame)
})

test.each([0, 1, 2])('depth: the limit and %i levels more', (more) => {
  const levels = 255 + more
  const frame = `[48,1,{},"a.b",${'['.repeat(levels)}${']'.repeat(levels)}]`
  same(frame)
  const dicts = `[48,1,{},"a.b",[],${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}]`
  same(dicts)
})

describe('random messages and their mutations', () => {
  test.each([1, 2, 3, 4])('seed %i', (seed) => {
    const random = seeded(seed)
    let refused = 0
    for (let i = 0; i < 400; i++) {
      const frame = json.encode(randomMessage(random)) as string
      expect(same(frame)).not.toBe('refused')
      for (let mutation = 0; mutation < 4; mutation++) {
        const at = below(random, frame.length)
        const characters = '[]{},:"\\0 1-.eEn\u0001\u00e9'
        const added = characters[below(random, characters.length)] as string
        const kind = below(random, 3)
        const mutated = frame.slice(0, at) + (kind === 1 ? '' : added) + frame.slice(at + (kind === 0 ? 0 : 1))
        if (mutated.startsWith('[') && same(mutated) === 'refused') refused++
      }
    }
    expect(refused).toBeGreaterThan(100)
  })
})

test('everything but the payload is limited, in every format', () => {
  const big = `[${Array(600_000).fill('{}').join()}]`
  expect(() => routed.decode(`[48,1,{"_x":${big}},"a.b",[1]]`)).toThrow(
    'CALL may have at most 1048576 characters besides',
  )
  expect(() => routed.decode(`[1,"realm1",{"roles":{"caller":{}},"_x":${big}}]`)).toThrow(
    'HELLO may have at most 1048576',
  )
  expect(() => routed.decode(`[48,1,{},"${'a'.repeat(2 ** 20)}",[1]]`)).toThrow(
    'CALL may have at most 1048576 characters besides',
  )
})
