/** MessagePack: the formats of its specification as payloads, and agreement with @msgpack/msgpack in both directions. */

import * as library from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/protocol/messages.ts'
import type { Payload } from '../../src/protocol/payload.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { hex, randomMessage, read, seeded, toHex } from './random.ts'

const call = (args: unknown[]): Message => [48, 1, {}, 'a.b', { args, kwargs: undefined }]
const HEAD = '95 30 01 80 a3612e62'
const payloadIn = (rest: string): Payload => (msgpack.decode(hex(HEAD + rest)) as unknown[])[4] as Payload
const repeat = (text: string, count: number): string => text.repeat(count)

describe('wire', () => {
  test.each<[Message, string]>([
    [[1, 'realm1', { roles: {} }], '93 01 a6 7265616c6d31 81 a5 726f6c6573 80'],
    [[33, 2 ** 53, 2 ** 32 - 1], '93 21 cf0020000000000000 ceffffffff'],
    [[48, 1, {}, 'a.b'], '94 30 01 80 a3 612e62'],
    [[50, 1, {}, { args: [], kwargs: { a: 1 } }], '95 32 01 80 90 81 a161 01'],
  ])('%j', (message, bytes) => {
    expect(toHex(msgpack.encode(message))).toBe(toHex(hex(bytes)))
    expect(read(msgpack.decode(hex(bytes)))).toEqual(message)
  })

  test('an integer of any width, signed or unsigned, and a whole float are valid ids', () => {
    const sevens = [
      '07',
      'cc07',
      'cd0007',
      'ce00000007',
      'cf0000000000000007',
      'd007',
      'd10007',
      'd200000007',
      'd30000000000000007',
      'ca40e00000',
      'cb401c000000000000',
    ]
    for (const id of sevens) expect(msgpack.decode(hex(`94 30 ${id} 80 a3612e62`))).toEqual([48, 7, {}, 'a.b'])
    expect(msgpack.decode(hex('94 cb4048000000000000 d30020000000000000 80 a3612e62'))).toEqual([
      48,
      2 ** 53,
      {},
      'a.b',
    ])
  })

  test('lists and dictionaries with long heads', () => {
    expect(msgpack.decode(hex('dc0004 30 01 de0000 da0003612e62'))).toEqual([48, 1, {}, 'a.b'])
    expect(msgpack.decode(hex('dd00000004 30 01 df00000000 db00000003612e62'))).toEqual([48, 1, {}, 'a.b'])
  })
})

// Every format of the MessagePack specification; `written` is true if we choose it for the value.
const FORMATS: readonly (readonly [name: string, bytes: string, value: unknown, written: boolean])[] = [
  ['nil', 'c0', null, true],
  ['false', 'c2', false, true],
  ['true', 'c3', true, true],
  ['positive fixint', '00', 0, true],
  ['positive fixint', '7f', 127, true],
  ['negative fixint', 'ff', -1, true],
  ['negative fixint', 'e0', -32, true],
  ['uint 8', 'cc80', 128, true],
  ['uint 8', 'ccff', 255, true],
  ['uint 8', 'cc01', 1, false],
  ['uint 16', 'cd0100', 256, true],
  ['uint 16', 'cdffff', 65535, true],
  ['uint 32', 'ce00010000', 65536, true],
  ['uint 32', 'ceffffffff', 2 ** 32 - 1, true],
  ['uint 64', 'cf0000000100000000', 2 ** 32, true],
  ['uint 64', 'cf001fffffffffffff', Number.MAX_SAFE_INTEGER, true],
  ['uint 64', 'cf0020000000000000', 2 ** 53, true],
  ['uint 64', 'cf0020000000000001', 2n ** 53n + 1n, true],
  ['uint 64', 'cfffffffffffffffff', 2n ** 64n - 1n, true],
  ['int 8', 'd0df', -33, true],
  ['int 8', 'd080', -128, true],
  ['int 8', 'd07f', 127, false],
  ['int 16', 'd1ff7f', -129, true],
  ['int 16', 'd18000', -32768, true],
  ['int 32', 'd2ffff7fff', -32769, true],
  ['int 32', 'd280000000', -(2 ** 31), true],
  ['int 64', 'd3ffffffff7fffffff', -(2 ** 31) - 1, true],
  ['int 64', 'd3ffe0000000000000', -(2 ** 53), true],
  ['int 64', 'd3ffdfffffffffffff', -(2n ** 53n) - 1n, true],
  ['int 64', 'd38000000000000000', -(2n ** 63n), true],
  ['int 64', 'd37fffffffffffffff', 2n ** 63n - 1n, false],
  ['int 64', 'd30020000000000000', 2 ** 53, false],
  ['float 32', 'ca3fc00000', 1.5, false],
  ['float 64', 'cb3ff199999999999a', 1.1, true],
  ['float 64', 'cb7ff0000000000000', Number.POSITIVE_INFINITY, true],
  ['fixstr', 'a0', '', true],
  ['fixstr', `bf${repeat('61', 31)}`, 'a'.repeat(31), true],
  ['str 8', `d920${repeat('61', 32)}`, 'a'.repeat(32), true],
  ['str 8', `d9ff${repeat('61', 255)}`, 'a'.repeat(255), true],
  ['str 16', `da0100${repeat('61', 256)}`, 'a'.repeat(256), true],
  ['str 32', `db00010000${repeat('61', 65536)}`, 'a'.repeat(65536), true],
  ['str, not ASCII', `b2${repeat('e6b0b4', 6)}`, '水'.repeat(6), true],
  ['str 8, not ASCII', `d942${repeat('e6b0b4', 22)}`, '水'.repeat(22), true],
  ['bin 8', 'c400', new Uint8Array(0), true],
  ['bin 8', 'c403010203', new Uint8Array([1, 2, 3]), true],
  ['bin 16', `c50100${repeat('07', 256)}`, new Uint8Array(256).fill(7), true],
  ['bin 32', `c600010000${repeat('07', 65536)}`, new Uint8Array(65536).fill(7), true],
  ['fixarray', `9f${repeat('01', 15)}`, Array(15).fill(1), true],
  ['array 16', `dc0010${repeat('01', 16)}`, Array(16).fill(1), true],
  ['array 32', `dd00010000${repeat('01', 65536)}`, Array(65536).fill(1), true],
  ['fixmap', '81a16101', { a: 1 }, true],
  ['map 16', 'de0001a16101', { a: 1 }, false],
  ['map 32', 'df00000001a16101', { a: 1 }, false],
  ['fixext 1', 'd40501', new Uint8Array([1]), false],
  ['fixext 2', 'd5050102', new Uint8Array([1, 2]), false],
  ['fixext 4', 'd6ff00000001', new Uint8Array([0, 0, 0, 1]), false],
  ['fixext 8', `d705${repeat('02', 8)}`, new Uint8Array(8).fill(2), false],
  ['fixext 16', `d805${repeat('02', 16)}`, new Uint8Array(16).fill(2), false],
  ['ext 8', 'c70305010203', new Uint8Array([1, 2, 3]), false],
  ['ext 16', `c80100ff${repeat('02', 256)}`, new Uint8Array(256).fill(2), false],
  ['ext 32', 'c90000000005', new Uint8Array(0), false],
]

describe('the formats of the specification, as a value in a payload', () => {
  test.each(FORMATS)('%s %.30s', (_, bytes, value, written) => {
    expect(payloadIn(`91${bytes}`).args).toStrictEqual([value])
    expect(payloadIn(`93 01 ${bytes} 02`).args).toStrictEqual([1, value, 2])
    const relayed = msgpack.encode([70, 1, {}, payloadIn(`91${bytes}`)])
    expect(toHex(relayed)).toBe(`94460180 91${bytes}`.replace(' ', ''))
    const ours = toHex(msgpack.encode(call([value])))
    expect(ours === toHex(hex(`${HEAD} 91 ${bytes}`))).toBe(written)
  })

  test('a dictionary of sixteen entries has a long head', () => {
    const dict = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [String.fromCharCode(97 + i), i]))
    const frame = msgpack.encode(call([dict]))
    expect(toHex(frame)).toContain('91de0010a161')
    expect(read(msgpack.decode(frame))[4]).toEqual({ args: [dict], kwargs: undefined })
  })
})

test('a byte order mark is part of the text', () => {
  for (const text of ['\ufeffa', `\ufeff${'a'.repeat(300)}`]) {
    expect(read(msgpack.decode(msgpack.encode(call([text]))))[4]).toEqual({ args: [text], kwargs: undefined })
  }
})

test('@msgpack/msgpack reads our bytes, and we read its bytes', () => {
  const random = seeded(2)
  for (let i = 0; i < 1000; i++) {
    const message = randomMessage(random)
    const flat = read(message).flatMap((element) =>
      typeof element === 'object' && element !== null && 'kwargs' in element && Array.isArray((element as Payload).args)
        ? [(element as Payload).args, ...((element as Payload).kwargs ? [(element as Payload).kwargs] : [])]
        : [element],
    )
    // It drops the byte order mark of long text, so there is none in this comparison.
    if (/\ufeff/.test(JSON.stringify(flat, (_, value) => (typeof value === 'bigint' ? String(value) : value)))) continue
    const wide = (value: unknown): unknown => {
      if (typeof value === 'number')
        return Number.isInteger(value) && Math.abs(value) >= 2 ** 31 && Math.abs(value) <= 2 ** 53
          ? BigInt(value)
          : value
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
      if (Array.isArray(value)) return value.map(wide)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wide(item)]))
    }
    // With useBigInt64 it reads all 64-bit integers as bigints, and writes only bigints as such.
    expect(wide(library.decode(msgpack.encode(message) as Uint8Array, { useBigInt64: true }))).toEqual(wide(flat))
    expect(read(msgpack.decode(library.encode(wide(flat), { useBigInt64: true })))).toEqual(message)
  }
})
