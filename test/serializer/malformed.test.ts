/** Malformed frames: each serializer refuses them with a violation with the reason. */

import { describe, expect, test } from 'vitest'
import { WampError } from '../../src/protocol/error.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import type { Frame, Serializer } from '../../src/serializer/serializer.ts'
import { below, hex, randomMessage, read, seeded } from './random.ts'

function refusal(serializer: Serializer, frame: Frame): string {
  try {
    serializer.decode(frame)
  } catch (error) {
    expect(WampError.is(error) && error.uri).toBe('wamp.error.protocol_violation')
    return (error as WampError).message
  }
  throw new Error('the frame was accepted')
}

/** A CALL up to its payload: four elements, under a head for the given number. */
const callInCbor = (elements: number, rest: string) =>
  hex(`${(0x80 + elements).toString(16)} 1830 01 a0 63 612e62 ${rest}`)
const callInMsgpack = (elements: number, rest: string) =>
  hex(`${(0x90 + elements).toString(16)} 30 01 80 a3 612e62 ${rest}`)

describe('json', () => {
  test.each([
    ['', 'must be JSON'],
    ['[', 'must be JSON'],
    ['[48,1,{},"a.b",[1]', 'must be JSON'],
    ['[48,1,{},"a.b"] x', 'must be JSON'],
    ['[48,1,{},"a.b",[\0]]', 'must be JSON'],
    ['[48,1,{},"a.b",[NaN]]', 'must be JSON'],
    ['null', 'a message is a list, got null'],
    ['{}', 'a message is a list, got a dictionary'],
    ['"[48]"', 'a message is a list, got "[48]"'],
    ['[]', 'begins with its code, got undefined'],
    ['["48"]', 'begins with its code, got "48"'],
    ['[9]', 'begins with its code, got 9'],
    ['[-1]', 'begins with its code, got -1'],
    ['[1.5]', 'begins with its code, got 1.5'],
    ['[[48]]', 'begins with its code, got a list'],
    ['[48]', 'CALL has 4 to 6 elements, got 1'],
    ['[48,1,{},"a.b",[],{},1]', 'CALL has 4 to 6 elements, got 7'],
    ['[33,1,2,3]', 'SUBSCRIBED has 3 elements, got 4'],
    ['[48,0,{},"a.b"]', 'CALL[1] must be an id, got 0'],
    ['[48,-1,{},"a.b"]', 'CALL[1] must be an id, got -1'],
    ['[48,1.5,{},"a.b"]', 'CALL[1] must be an id, got 1.5'],
    ['[48,"7",{},"a.b"]', 'CALL[1] must be an id, got "7"'],
    ['[48,null,{},"a.b"]', 'CALL[1] must be an id, got null'],
    ['[48,9007199254740993,{},"a.b"]', 'CALL[1] must be an id, got 9007199254740993'],
    ['[48,1e300,{},"a.b"]', 'CALL[1] must be an id'],
    ['[48,1,[],"a.b"]', 'CALL[2] must be a dictionary, got a list'],
    ['[48,1,null,"a.b"]', 'CALL[2] must be a dictionary, got null'],
    ['[48,1,{},5]', 'CALL[3] must be text, got 5'],
    ['[48,1,{},"a.b",{}]', 'CALL: args must be a list, got a dictionary'],
    ['[48,1,{},"a.b",null]', 'CALL: args must be a list, got null'],
    ['[48,1,{},"a.b",[],[]]', 'CALL: kwargs must be a dictionary, got a list'],
    ['[48,1,{},"a.b",[],null]', 'CALL: kwargs must be a dictionary, got null'],
    ['[8,49,1,{},"a"]', 'ERROR[1] must be the code of a request, got 49'],
    ['[35,0]', 'UNSUBSCRIBED[1] must be an id, got 0'],
    ['[48,1,{"__proto__":1},"a.b"]', 'CALL[2] must not have the key __proto__'],
    ['[48,1,{"a":[{"\\u005f_proto__":{}}]},"a.b"]', 'CALL[2] must not have the key __proto__'],
    [`[48,1,{},"a.b",${'['.repeat(257)}${']'.repeat(257)}]`, 'nested at most 256 levels'],
    [`${'[{"a":'.repeat(100_000)}`, 'nested at most 256 levels'],
    ['['.repeat(1_000_000), 'nested at most 256 levels'],
    [`"${'['.repeat(1000)}`, 'must be JSON'],
  ])('%.60s', (frame, text) => {
    expect(refusal(json, frame)).toContain(text)
  })

  test('brackets in text do not count as levels', () => {
    const frame = JSON.stringify([48, 1, {}, 'a.b', ['['.repeat(1000), '\\"['.repeat(1000)]])
    expect(json.decode(frame)[0]).toBe(48)
  })

  test('adjacent lists do not count as levels', () => {
    expect(json.decode(JSON.stringify([48, 1, {}, 'a.b', Array(1000).fill([{}])]))[0]).toBe(48)
  })
})

describe('cbor', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', hex(''), 'ends before its last element'],
    ['a number', hex('01'), 'a message is a list, got 1'],
    ['a dictionary', hex('a0'), 'a message is a list, got a dictionary'],
    ['an empty list', hex('80'), 'begins with its code, got an empty list'],
    ['an empty list without a size', hex('9fff'), 'begins with its code, got an empty list'],
    ['text for a code', hex('81 62 3438'), 'begins with its code, got "48"'],
    ['too few elements', hex('82 1830 01'), 'CALL has 4 to 6 elements, got 2'],
    ['too few, without a size', hex('9f 1830 01 ff'), 'CALL has 4 to 6 elements, got 2'],
    ['too many, without a size', hex('9f 1830 01 a0 63612e62 80 a0 01 ff'), 'CALL has 4 to 6 elements, got 7'],
    ['too many for a message without a payload', hex('9f 1821 01 02 80 ff'), 'SUBSCRIBED has 3 elements, got 4'],
    ['the id 0', hex('84 1830 00 a0 63612e62'), 'CALL[1] must be an id, got 0'],
    ['the id 2^53 + 1', hex('84 1830 1b0020000000000001 a0 63612e62'), 'CALL[1] must be an id, got 9007199254740993'],
    ['the id 1.5', hex('84 1830 f93e00 a0 63612e62'), 'CALL[1] must be an id, got 1.5'],
    ['bytes for options', hex('84 1830 01 40 63612e62'), 'CALL[2] must be a dictionary, got bytes'],
    ['bytes for a URI', hex('84 1830 01 a0 43612e62'), 'CALL[3] must be text, got bytes'],
    ['a tag around the message', hex('d9d9f7 84 1830 01 a0 63612e62'), 'a tag has no place in the envelope'],
    ['a tag on an id', hex('84 1830 c101 a0 63612e62'), 'a tag has no place in the envelope'],
    ['a tag in options', hex('84 1830 01 a16161c101 63612e62'), 'a tag has no place in the envelope'],
    ['a tag on args', callInCbor(5, 'c180'), 'args must be a list, got a tag'],
    ['a tag on kwargs', callInCbor(6, '80 c1a0'), 'kwargs must be a dictionary, got a tag'],
    ['args null', callInCbor(5, 'f6'), 'args must be a list, got null'],
    ['kwargs null', callInCbor(6, '80 f6'), 'kwargs must be a dictionary, got null'],
    ['kwargs undefined', callInCbor(6, '80 f7'), 'kwargs must be a dictionary, got null'],
    ['args a dictionary', callInCbor(5, 'a0'), 'args must be a list, got a dictionary'],
    ['something behind', callInCbor(4, '00'), 'all that is in its frame'],
    ['a message behind', callInCbor(5, '80 80'), 'all that is in its frame'],
    ['cut off in args', callInCbor(5, '82 01'), 'ends before its last element'],
    ['cut off in text', callInCbor(5, '81 65 6161'), 'ends before its last element'],
    ['cut off in a head', callInCbor(5, '81 1a 0000'), 'ends before its last element'],
    ['no break', callInCbor(5, '9f 01'), 'ends before its last element'],
    ['a break too many', callInCbor(5, '81 ff'), 'a break ends nothing here'],
    ['a break for a value', callInCbor(6, '80 bf 6161 ff'), 'a break ends nothing here'],
    ['2^32 - 1 elements', callInCbor(5, '9a ffffffff'), 'ends before its last element'],
    ['2^64 - 1 elements', callInCbor(5, '9b ffffffffffffffff'), 'ends before its last element'],
    ['2^63 pairs', callInCbor(6, '80 bb 8000000000000000'), 'ends before its last element'],
    ['2^31 bytes', callInCbor(5, '81 5a 80000000'), 'ends before its last element'],
    ['a message of 2^32 - 1 elements', hex('9a ffffffff 1830'), 'ends before its last element'],
    ['a reserved length', callInCbor(5, '81 1c'), 'well-formed'],
    ['an integer without a size', callInCbor(5, '81 1f'), 'well-formed'],
    ['a tag without a number', callInCbor(5, '81 df 00'), 'well-formed'],
    ['an unassigned simple value', callInCbor(5, '81 f0'), 'the simple value 16'],
    ['a simple value in two bytes', callInCbor(5, '81 f8ff'), 'the simple value'],
    ['a key that is a number', callInCbor(6, '80 a1 01 01'), 'keys of a dictionary must be text'],
    ['a key that is bytes', callInCbor(5, '81 a1 4161 01'), 'keys of a dictionary must be text'],
    ['a key with a tag', callInCbor(5, '81 a1 c16161 01'), 'keys of a dictionary must be text'],
    ['a key twice', callInCbor(6, '80 a2 6161 01 6161 02'), 'must not have a key twice'],
    ['a key twice, once in pieces', callInCbor(6, '80 a2 626162 01 7f61616162ff 02'), 'must not have a key twice'],
    ['a key twice, first in pieces', callInCbor(6, '80 a2 7f61616162ff 02 626162 01'), 'must not have a key twice'],
    ['a key twice, in options', hex('84 1830 01 a2616101616102 63612e62'), 'must not have a key twice'],
    ['a key twice, without a size', callInCbor(5, '81 bf 6161 01 6161 02 ff'), 'must not have a key twice'],
    [
      'a key twice of many',
      callInCbor(5, `81 b2 ${Array.from({ length: 17 }, (_, i) => `61${(97 + i).toString(16)}01`).join('')} 6161 01`),
      'must not have a key twice',
    ],
    ['__proto__', callInCbor(6, '80 a1 69 5f5f70726f746f5f5f a0'), 'must not have the key __proto__'],
    ['__proto__ in pieces', callInCbor(6, '80 a1 7f 645f5f7072 656f746f5f5f ff a0'), 'must not have the key __proto__'],
    ['__proto__ in options', hex('84 1830 01 a1 69 5f5f70726f746f5f5f a0 63612e62'), 'must not have the key __proto__'],
    ['bytes among the pieces of text', callInCbor(5, '81 7f 4161 ff'), 'pieces must be of the kind'],
    ['pieces of pieces', callInCbor(5, '81 7f 7f6161ff ff'), 'pieces must be of the kind'],
    ['text that is not UTF-8', callInCbor(5, '81 61 ff'), 'must be UTF-8'],
    ['a URI that is not UTF-8', hex('84 1830 01 a0 61 c3'), 'must be UTF-8'],
    ['a key that is not UTF-8', callInCbor(5, '81 a1 61 80 01'), 'must be UTF-8'],
    ['tags without end', callInCbor(5, `81 ${'c1'.repeat(1000)} 00`), 'nested at most 256 levels'],
    ['a million lists', new Uint8Array(1_000_000).fill(0x81), 'nested at most 256 levels'],
  ])('%s', (_, frame, text) => {
    expect(refusal(cbor, frame)).toContain(text)
  })

  test('chunked keys on every level are each decoded once', () => {
    // A reader that starts again at such a key would need 2^200 steps.
    const levels = 200
    const frame = callInCbor(5, `81 ${'a2 6161'.repeat(levels)} 01 ${'7f6162ff 01'.repeat(levels)}`)
    expect(read(cbor.decode(frame))[0]).toBe(48)
  })
})

describe('msgpack', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', hex(''), 'ends before its last element'],
    ['a number', hex('01'), 'a message is a list, got 1'],
    ['an empty list', hex('90'), 'begins with its code, got an empty list'],
    ['too few elements', hex('92 30 01'), 'CALL has 4 to 6 elements, got 2'],
    ['the id 0', hex('94 30 00 80 a3612e62'), 'CALL[1] must be an id, got 0'],
    ['the id -1', hex('94 30 ff 80 a3612e62'), 'CALL[1] must be an id, got -1'],
    ['the id 2^53 + 1', hex('94 30 cf0020000000000001 80 a3612e62'), 'CALL[1] must be an id, got 9007199254740993'],
    ['bytes for a URI', hex('94 30 01 80 c403612e62'), 'CALL[3] must be text, got bytes'],
    ['an extension for a message', hex('d4 01 00'), 'an extension has no place in the envelope'],
    ['an extension in options', hex('94 30 01 81 a161 d40100 a3612e62'), 'an extension has no place in the envelope'],
    ['args an extension', callInMsgpack(5, 'd40100'), 'args must be a list, got bytes'],
    ['args null', callInMsgpack(5, 'c0'), 'args must be a list, got null'],
    ['kwargs null', callInMsgpack(6, '90 c0'), 'kwargs must be a dictionary, got null'],
    ['something behind', callInMsgpack(4, '00'), 'all that is in its frame'],
    ['cut off', callInMsgpack(5, '92 01'), 'ends before its last element'],
    ['cut off in an extension', callInMsgpack(5, '91 d6 01 0000'), 'ends before its last element'],
    ['2^32 - 1 elements', callInMsgpack(5, 'dd ffffffff'), 'ends before its last element'],
    ['2^32 - 1 pairs', callInMsgpack(6, '90 df ffffffff'), 'ends before its last element'],
    ['2^32 - 1 bytes', callInMsgpack(5, '91 c6 ffffffff'), 'ends before its last element'],
    ['the byte that is never used', callInMsgpack(5, '91 c1'), '0xc1'],
    ['a key that is a number', callInMsgpack(5, '91 81 01 01'), 'keys of a dictionary must be text'],
    ['a key that is bytes', callInMsgpack(5, '91 81 c40161 01'), 'keys of a dictionary must be text'],
    ['a key twice', callInMsgpack(6, '90 82 a161 01 d90161 02'), 'must not have a key twice'],
    ['__proto__', callInMsgpack(6, '90 81 a9 5f5f70726f746f5f5f 80'), 'must not have the key __proto__'],
    ['text that is not UTF-8', callInMsgpack(5, '91 a1 ff'), 'must be UTF-8'],
    ['a million lists', new Uint8Array(1_000_000).fill(0x91), 'nested at most 256 levels'],
  ])('%s', (_, frame, text) => {
    expect(refusal(msgpack, frame)).toContain(text)
  })
})

test('UTF-8 is valid exactly if the platform accepts it', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const random = seeded(3)
  const edges = [
    0x00, 0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5,
    0xff,
  ]
  let valid = 0
  for (let i = 0; i < 60_000; i++) {
    const bytes = Uint8Array.from({ length: 1 + below(random, 6) }, () => edges[below(random, edges.length)] as number)
    const frame = Uint8Array.from([...callInCbor(5, '81'), 0x60 + bytes.length, ...bytes])
    let text: string | undefined
    try {
      text = strict.decode(bytes)
      valid++
    } catch {}
    if (text === undefined) expect(refusal(cbor, frame)).toContain('UTF-8')
    else expect(read(cbor.decode(frame))[4]).toEqual({ args: [text], kwargs: undefined })
  }
  expect(valid).toBeGreaterThan(1000)
})

describe('frames with a few wrong bytes are refused or can be read', () => {
  test.each([json, cbor, msgpack].map((serializer) => [serializer.name, serializer] as const))(
    '%s',
    (_, serializer) => {
      const random = seeded(5)
      const prototype = Object.getOwnPropertyNames(Object.prototype).length
      const outcomes = { read: 0, refused: 0 }
      for (let i = 0; i < 20_000; i++) {
        const frame = mutated(serializer.encode(randomMessage(random)), random)
        let message: ReturnType<Serializer['decode']>
        try {
          message = serializer.decode(frame)
        } catch (error) {
          if (!WampError.is(error) || error.uri !== 'wamp.error.protocol_violation') throw error
          outcomes.refused++
          continue
        }
        outcomes.read++
        const elements = read(message)
        for (const other of [json, cbor, msgpack]) {
          try {
            // An accepted message can be encoded again, with the same contents.
            const again = read(other.decode(other.encode(message)))
            if (other === serializer) expect(again).toEqual(elements)
          } catch (error) {
            if (!WampError.is(error) || error.uri !== 'wamp.error.invalid_argument') throw error
          }
        }
      }
      expect(outcomes.read).toBeGreaterThan(1000)
      expect(outcomes.refused).toBeGreaterThan(1000)
      expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(prototype)
      for (const key in {}) throw new Error(`every object has the key ${key} now`)
    },
  )
})

function mutated(frame: Frame, random: () => number): Frame {
  const units = typeof frame === 'string' ? Array.from(frame, (char) => char.charCodeAt(0)) : [...frame]
  const interesting =
    typeof frame === 'string'
      ? [...'[]{},:"\\0189eE.-+ntfu \0\ud800'].map((c) => c.charCodeAt(0))
      : [0, 0x40, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc1, 0xc4, 0xd4, 0xd9, 0xdd, 0xdf, 0xf4, 0xf9, 0xfb, 0xff]
  const turns = 1 + below(random, 3)
  for (let i = 0; i < turns; i++) {
    const at = below(random, units.length + 1)
    const unit = random() < 0.5 ? (interesting[below(random, interesting.length)] as number) : below(random, 256)
    switch (below(random, 5)) {
      case 0:
        units.splice(at, 1)
        break
      case 1:
        units.splice(at, 0, unit)
        break
      case 2:
        units.length = at
        break
      case 3:
        units.splice(at, 0, ...units.slice(below(random, units.length + 1), below(random, units.length + 1)))
        break
      default:
        if (at < units.length) units[at] = unit
    }
  }
  return typeof frame === 'string' ? String.fromCharCode(...units) : Uint8Array.from(units)
}
