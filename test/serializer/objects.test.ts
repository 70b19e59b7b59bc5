/** The number of lists, dictionaries and bytes of a message in CBOR or MessagePack is bounded, since each takes much memory. */

import { describe, expect, test } from 'vitest'
import { cbor } from '../../src/serializer/cbor.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { hex } from './random.ts'

const MOST = 2 ** 21

const FORMATS = {
  cbor: { read: cbor.decode, head: '85 1830 01 a0 63612e62 9a', list: '80', dict: 'a0', bytes: '40' },
  msgpack: { read: msgpack.decode, head: '95 30 01 80 a3612e62 dd', list: '90', dict: '80', bytes: 'c400' },
} as const

describe.each(['cbor', 'msgpack'] as const)('in %s', (name) => {
  const { read, head, list, dict, bytes } = FORMATS[name]

  /** A CALL whose args are this many copies of an item, behind `pad` bytes of text. */
  function callWith(item: string, count: number, pad = 0): Uint8Array {
    const size = (value: number) => value.toString(16).padStart(8, '0')
    const text = `${name === 'cbor' ? '7a' : 'db'}${size(pad)}`
    const octets = hex(item)
    return Uint8Array.from(
      Buffer.concat([
        hex(`${head} ${size(count + 1)} ${text}`),
        Buffer.alloc(pad, 'x'),
        Buffer.alloc(count * octets.length, octets),
      ]),
    )
  }

  test.each([
    ['lists', list],
    ['dictionaries', dict],
    ['bytes', bytes],
    ...(name === 'cbor'
      ? [
          ['tagged bytes', 'c2 40'],
          ['lists without a size', '9f ff'],
        ]
      : [['extensions', 'd4 05 00']]),
  ] as [string, string][])('%s', (_, item) => {
    // The list of args is one more.
    const most = MOST - 1
    expect(read(callWith(item, most))[0]).toBe(48)
    expect(() => read(callWith(item, most + 1))).toThrow(
      `a message may have at most ${MOST} lists, dictionaries and bytes`,
    )
  })

  test('texts and numbers are not counted', () => {
    expect(read(callWith(name === 'cbor' ? '60' : 'a0', 3_000_000))[0]).toBe(48)
    expect(read(callWith('07', 3_000_000))[0]).toBe(48)
  })

  test('a longer message may have more of them', () => {
    const count = MOST + 1000
    expect(read(callWith(list, count, 7 * MOST + 9000))[0]).toBe(48)
    expect(() => read(callWith(list, count, 7 * MOST - 9000))).toThrow('lists, dictionaries and bytes')
  })
})
