/** CBOR: the vectors of RFC 8949 as payloads, and agreement with cborg in both directions. */

import * as cborg from 'cborg'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/protocol/messages.ts'
import type { Payload } from '../../src/protocol/payload.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { hex, randomMessage, read, seeded, toHex } from './random.ts'

const call = (args: unknown[], options = {}): Message =>
  [48, 1, options, 'a.b', { args, kwargs: undefined }] as unknown as Message
const HEAD = '85 1830 01 a0 63612e62'
const payloadIn = (rest: string): Payload => (cbor.decode(hex(HEAD + rest)) as unknown[])[4] as Payload

describe('wire', () => {
  test.each<[Message, string]>([
    [[1, 'realm1', { roles: {} }], '83 01 66 7265616c6d31 a1 65 726f6c6573 a0'],
    [[33, 2 ** 53, 2 ** 32 - 1], '83 1821 1b0020000000000000 1affffffff'],
    [[48, 1, {}, 'a.b'], '84 1830 01 a0 63 612e62'],
    [[50, 1, {}, { args: [], kwargs: { a: 1 } }], '85 1832 01 a0 80 a1 6161 01'],
    [[35, 0, { subscription: 24 }], '83 1823 00 a1 6c 737562736372697074696f6e 1818'],
  ])('%j', (message, bytes) => {
    expect(toHex(cbor.encode(message))).toBe(toHex(hex(bytes)))
    expect(read(cbor.decode(hex(bytes)))).toEqual(message)
  })

  test('an integer of any width and a whole float are valid ids', () => {
    for (const id of [
      '07',
      '1807',
      '190007',
      '1a00000007',
      '1b0000000000000007',
      'f94700',
      'fa40e00000',
      'fb401c000000000000',
    ]) {
      expect(cbor.decode(hex(`84 1830 ${id} a0 63612e62`))).toEqual([48, 7, {}, 'a.b'])
    }
    expect(cbor.decode(hex('84 f95200 fb4340000000000000 a0 63612e62'))).toEqual([48, 2 ** 53, {}, 'a.b'])
  })

  test('indefinite lengths everywhere', () => {
    const frame = hex(
      '9f 1830 01 bf 6174 7f 6178 6179 ff ff 7f 61 61 62 2e62 ff 9f 5f 41 01 40 42 0203 ff ff bf 6161 9f ff ff ff',
    )
    const message = cbor.decode(frame)
    const expected = [48, 1, { t: 'xy' }, 'a.b', { args: [new Uint8Array([1, 2, 3])], kwargs: { a: [] } }]
    expect(read(message)).toEqual(expected)
    expect(read(cbor.decode(cbor.encode(message)))).toEqual(expected)
  })
})

// RFC 8949, appendix A. Where no value is given, it is undefined: it has none that WAMP could carry.
const VECTORS: readonly (readonly [bytes: string, value?: unknown])[] = [
  ['00', 0],
  ['01', 1],
  ['0a', 10],
  ['17', 23],
  ['1818', 24],
  ['1819', 25],
  ['1864', 100],
  ['1903e8', 1000],
  ['1a000f4240', 1000000],
  ['1b000000e8d4a51000', 1000000000000],
  ['1bffffffffffffffff', 18446744073709551615n],
  ['c249010000000000000000', 18446744073709551616n],
  ['3bffffffffffffffff', -18446744073709551616n],
  ['c349010000000000000000', -18446744073709551617n],
  ['20', -1],
  ['29', -10],
  ['3863', -100],
  ['3903e7', -1000],
  ['f90000', 0],
  ['f98000', -0],
  ['f93c00', 1],
  ['fb3ff199999999999a', 1.1],
  ['f93e00', 1.5],
  ['f97bff', 65504],
  ['fa47c35000', 100000],
  ['fa7f7fffff', 3.4028234663852886e38],
  ['fb7e37e43c8800759c', 1e300],
  ['f90001', 2 ** -24],
  ['f90400', 0.00006103515625],
  ['f9c400', -4],
  ['fbc010666666666666', -4.1],
  ['f97c00', Number.POSITIVE_INFINITY],
  ['f97e00', Number.NaN],
  ['f9fc00', Number.NEGATIVE_INFINITY],
  ['fa7f800000', Number.POSITIVE_INFINITY],
  ['fa7fc00000', Number.NaN],
  ['faff800000', Number.NEGATIVE_INFINITY],
  ['fb7ff0000000000000', Number.POSITIVE_INFINITY],
  ['fb7ff8000000000000', Number.NaN],
  ['fbfff0000000000000', Number.NEGATIVE_INFINITY],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  // undefined, which JSON writes as null.
  ['f7', null],
  ['f0'],
  ['f8ff'],
  ['c074323031332d30332d32315432303a30343a30305a', '2013-03-21T20:04:00Z'],
  ['c11a514b67b0', 1363896240],
  ['c1fb41d452d9ec200000', 1363896240.5],
  ['d74401020304', new Uint8Array([1, 2, 3, 4])],
  ['d818456449455446', hex('6449455446')],
  ['d82076687474703a2f2f7777772e6578616d706c652e636f6d', 'http://www.example.com'],
  ['40', new Uint8Array(0)],
  ['4401020304', new Uint8Array([1, 2, 3, 4])],
  ['60', ''],
  ['6161', 'a'],
  ['6449455446', 'IETF'],
  ['62225c', '"\\'],
  ['62c3bc', 'ü'],
  ['63e6b0b4', '水'],
  ['64f0908591', '\u{10151}'],
  ['80', []],
  ['83010203', [1, 2, 3]],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', Array.from({ length: 25 }, (_, i) => i + 1)],
  ['a0', {}],
  ['a201020304'],
  ['a26161016162820203', { a: 1, b: [2, 3] }],
  ['826161a161626163', ['a', { b: 'c' }]],
  ['a56161614161626142616361436164614461656145', { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }],
  ['5f42010243030405ff', new Uint8Array([1, 2, 3, 4, 5])],
  ['7f657374726561646d696e67ff', 'streaming'],
  ['9fff', []],
  ['9f018202039f0405ffff', [1, [2, 3], [4, 5]]],
  ['9f01820203820405ff', [1, [2, 3], [4, 5]]],
  ['83018202039f0405ff', [1, [2, 3], [4, 5]]],
  ['83019f0203ff820405', [1, [2, 3], [4, 5]]],
  ['9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff', Array.from({ length: 25 }, (_, i) => i + 1)],
  ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }],
  ['826161bf61626163ff', ['a', { b: 'c' }]],
  ['bf6346756ef563416d7421ff', { Fun: true, Amt: -2 }],
]

describe('RFC 8949, appendix A, as a value in a payload', () => {
  test.each(VECTORS)('%s', (bytes, value) => {
    if (value === undefined) return expect(() => payloadIn(`81${bytes}`)).toThrow(/simple value|must be text/)
    expect(payloadIn(`81${bytes}`).args).toStrictEqual([value])
    expect(payloadIn(`80`).args).toEqual([])
    // Next to other items, it ends at its own end.
    expect(payloadIn(`83 01 ${bytes} 02`).args).toStrictEqual([1, value, 2])
    const relayed = cbor.encode([70, 1, {}, payloadIn(`81${bytes}`)])
    expect(toHex(relayed)).toBe(`841846 01 a0 81${bytes}`.replace(/ /g, ''))
  })
})

describe('integers are written in the shortest form, as RFC 8949 shows them', () => {
  test.each([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [1000, '1903e8'],
    [1000000, '1a000f4240'],
    [1000000000000, '1b000000e8d4a51000'],
    [2 ** 53, '1b0020000000000000'],
    [18446744073709551615n, '1bffffffffffffffff'],
    [18446744073709551616n, 'c249010000000000000000'],
    [-18446744073709551616n, '3bffffffffffffffff'],
    [-18446744073709551617n, 'c349010000000000000000'],
    [-1, '20'],
    [-100, '3863'],
    [-1000, '3903e7'],
    [-(2 ** 53), '3b001fffffffffffff'],
    [1.1, 'fb3ff199999999999a'],
    [-0, 'fb8000000000000000'],
  ])('%s', (value, bytes) => {
    expect(toHex(cbor.encode(call([value])))).toBe(toHex(hex(`${HEAD} 81 ${bytes}`)))
  })
})

test('bignums of any length and with leading zeros, and tags without a meaning for WAMP', () => {
  expect(payloadIn('81 c2 40').args).toEqual([0])
  expect(payloadIn('81 c2 43 000001').args).toEqual([1])
  expect(payloadIn('81 c3 40').args).toEqual([-1])
  expect(payloadIn('81 c2 5f 4101 48 0000000000000000 ff').args).toEqual([2n ** 64n])
  expect(payloadIn('81 c2 6161').args).toEqual(['a'])
  expect(payloadIn('81 db ffffffffffffffff 02').args).toEqual([2])
  // After a small integer, so that no leftover is taken for the tag's number.
  expect(payloadIn('82 02 db ffffffffffffffff 4101').args).toEqual([2, new Uint8Array([1])])
  expect(payloadIn('81 c1 c1 80').args).toEqual([[]])
})

test('a bignum in options is refused', () => {
  expect(() => cbor.encode(call([], { _x: [2n ** 64n] }))).toThrow(
    'CALL[2]._x[0] is an integer beyond what cbor can say',
  )
})

test('a byte order mark is part of the text', () => {
  for (const text of ['\ufeffa', `\ufeff${'a'.repeat(300)}`]) {
    expect(read(cbor.decode(cbor.encode(call([text]))))[4]).toEqual({ args: [text], kwargs: undefined })
  }
})

test('cborg reads our bytes, and we read those of cborg', () => {
  const random = seeded(2)
  for (let i = 0; i < 1000; i++) {
    const message = randomMessage(random)
    const flat = read(message).flatMap((element) =>
      typeof element === 'object' && element !== null && 'kwargs' in element && Array.isArray((element as Payload).args)
        ? [(element as Payload).args, ...((element as Payload).kwargs ? [(element as Payload).kwargs] : [])]
        : [element],
    )
    // It drops a byte order mark, so there is none in this comparison.
    if (/\ufeff/.test(JSON.stringify(flat, (_, value) => (typeof value === 'bigint' ? String(value) : value)))) continue
    // It reads 2^53, which is a legal id, as a bigint.
    expect(narrow(cborg.decode(cbor.encode(message) as Uint8Array))).toEqual(flat)
    expect(read(cbor.decode(cborg.encode(flat, { mapSorter: () => 0 })))).toEqual(message)
  }
})

function narrow(value: unknown): unknown {
  if (typeof value === 'bigint' && (value === 2n ** 53n || value === -(2n ** 53n))) return Number(value)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(narrow)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, narrow(item)]))
}
