/** The keys of dictionaries in the binary serializers: duplicates are found among any number, in bounded time. */

import { describe, expect, test } from 'vitest'
import { cbor } from '../../src/serializer/cbor.ts'
import { KeySet } from '../../src/serializer/key-set.ts'
import { below, hex, seeded } from './random.ts'

/** A CALL whose only argument is a dictionary of texts up to 23 bytes, each with the value 1. */
function callWith(keys: readonly string[]): Uint8Array {
  const size = keys.length.toString(16).padStart(8, '0')
  return Uint8Array.from(
    Buffer.concat([
      hex(`85 1830 01 a0 63612e62 81 ba ${size}`),
      ...keys.map((key) => Buffer.from([0x60 + Buffer.byteLength(key), ...Buffer.from(key), 1])),
    ]),
  )
}

const keysOf = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`)

describe('a key twice', () => {
  test.each([2, 15, 16, 17, 18, 40, 70, 1000, 20_000])('among %i', (count) => {
    const keys = keysOf(count)
    expect(cbor.decode(callWith(keys))[0]).toBe(48)
    const random = seeded(count)
    for (let i = 0; i < 10; i++) {
      const repeated = [...keys]
      const from = below(random, count)
      repeated[(from + 1 + below(random, count - 1)) % count] = keys[from] as string
      expect(() => cbor.decode(callWith(repeated))).toThrow('must not have a key twice')
    }
  })

  test('in pieces, among many', () => {
    const whole = callWith(keysOf(100))
    const last = hex('7f 616b 623939 ff 01')
    // In the place of the last key, `k99`.
    const pieces = Uint8Array.from([...whole.subarray(0, -5), ...last])
    expect(() => cbor.decode(Uint8Array.from([...whole.subarray(0, -5), ...hex('7f 616b 623938 ff 01')]))).toThrow(
      'twice',
    )
    expect(cbor.decode(pieces)[0]).toBe(48)
  })

  test('which is reserved', () => {
    expect(() => cbor.decode(callWith([...keysOf(100), '__proto__']))).toThrow('must not have the key __proto__')
  })
})

test('a dictionary has a greatest number of keys', () => {
  const most = 2 ** 19
  const keys = keysOf(most + 1)
  expect(cbor.decode(callWith(keys.slice(0, -1)))[0]).toBe(48)
  expect(() => cbor.decode(callWith(keys))).toThrow('a dictionary may have at most 524288 keys')
})

test('a set of places finds the same keys as a set of texts', () => {
  const random = seeded(3)
  const bytes = Uint8Array.from({ length: 4000 }, () => 97 + below(random, 3))
  const set = new KeySet()
  set.open(bytes)
  const texts = new Set<string>()
  for (let i = 0; i < 3000; i++) {
    const start = 1 + below(random, 3980)
    const end = start + below(random, 12)
    const text = Buffer.from(bytes.subarray(start, end)).toString()
    expect(set.add(start, end)).toBe(!texts.has(text))
    texts.add(text)
  }
  expect(set.texts()).toEqual(texts)
  expect(set.isQuick).toBe(true)
})
