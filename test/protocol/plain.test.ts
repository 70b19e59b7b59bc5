/** The one rule for the values in a payload. */

import { describe, expect, test } from 'vitest'
import { MAX_DEPTH } from '../../src/protocol/fixed-limits.ts'
import { isEmptyDict, isRecord, plain } from '../../src/protocol/plain.ts'

class Point {
  x = 1
  get y() {
    return 2
  }
}

describe('a value that can be sent is copied', () => {
  const values: [name: string, value: unknown, copy: unknown][] = [
    ['a text', 'ü\u0000😀', 'ü\u0000😀'],
    ['numbers', [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY], [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY]],
    ['a bigint', 2n ** 64n, 2n ** 64n],
    ['true, false, null', [true, false, null], [true, false, null]],
    ['undefined, as null in a list', [undefined], [null]],
    ['a hole, as null', new Array(2), [null, null]],
    ['undefined, as no key in a dictionary', { a: undefined, b: 1 }, { b: 1 }],
    ['a dictionary without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['an instance of a class, as its own keys', new Point(), { x: 1 }],
    ['a Date, as its toJSON', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an object with toJSON, as its result', { toJSON: () => ({ a: [1] }) }, { a: [1] }],
    ['bytes', new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    ['a Buffer, as bytes', Buffer.from([1, 2]), new Uint8Array([1, 2])],
    ['an ArrayBuffer, as bytes', new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2])],
    ['a Proxy, as its visible keys', new Proxy({ a: [1] }, {}), { a: [1] }],
    ['the same object twice', [Array(2).fill({ a: 1 })], [[{ a: 1 }, { a: 1 }]]],
    ['keys such as constructor', { constructor: 1, toString: 2 }, { constructor: 1, toString: 2 }],
  ]
  for (const [name, value, copy] of values) {
    test(name, () => {
      expect(plain(value, 'args')).toStrictEqual(copy)
    })
  }

  test('into a copy that shares nothing with the original', () => {
    const original = { list: [{ a: 1 }], bytes: new Uint8Array([1]) }
    const copy = plain(original, 'args') as typeof original
    original.list[0]!.a = 2
    original.bytes[0] = 2
    expect(copy).toEqual({ list: [{ a: 1 }], bytes: new Uint8Array([1]) })
  })
})

describe('a value that cannot be sent is refused, and the error names its place', () => {
  const values: [name: string, value: unknown, place: string, what: RegExp][] = [
    ['a function', [() => {}], 'args[0]', /a function/],
    ['a symbol', [1, { a: Symbol('x') }], 'args[1].a', /a symbol/],
    ['a Map', [{ a: [new Map()] }], 'args[0].a[0]', /a Map/],
    ['a Set', [new Set()], 'args[0]', /a Set/],
    ['a RegExp', [/x/], 'args[0]', /a RegExp/],
    ['a Promise', [Promise.resolve()], 'args[0]', /a Promise/],
    ['an Error', [new Error('x')], 'args[0]', /an? Error/],
    ['a WeakMap', [new WeakMap()], 'args[0]', /a WeakMap/],
    ['another typed array', [new Uint16Array(1)], 'args[0]', /a Uint16Array/],
    ['a DataView', [new DataView(new ArrayBuffer(1))], 'args[0]', /a DataView/],
    ['the key __proto__', [JSON.parse('{"__proto__":1}')], 'args[0].__proto__', /a reserved key/],
    ['what toJSON returns', [{ toJSON: () => () => {} }], 'args[0]', /a function/],
  ]
  for (const [name, value, place, what] of values) {
    test(name, () => {
      expect(() => plain(value, 'args')).toThrow(
        expect.objectContaining({
          uri: 'wamp.error.invalid_argument',
          message: expect.stringMatching(what),
        }) as never,
      )
      expect(() => plain(value, 'args')).toThrow(`${place} is `)
    })
  }

  test('a cycle, in a short message', () => {
    const cyclic: unknown[] = []
    cyclic.push({ again: cyclic })
    let message = ''
    try {
      plain(cyclic, 'args')
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toMatch(/^args\[0\]\.again\[0\].*nested deeper than 256 levels or a cycle, which cannot be sent$/)
    expect(message.length).toBeLessThan(200)
  })
})

test('256 levels can be sent, and no more', () => {
  const deep = (levels: number) => {
    let value: unknown[] = []
    for (let level = 1; level < levels; level++) value = [value]
    return value
  }
  expect(plain(deep(MAX_DEPTH), 'args')).toEqual(deep(MAX_DEPTH))
  expect(() => plain(deep(MAX_DEPTH + 1), 'args')).toThrow(/nested deeper/)
})

test('empty is a plain dictionary without keys', () => {
  expect([{}, { a: 1 }, [], new Point(), Object.create(null), null, new Map()].map(isEmptyDict)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ])
})

test('a record is a plain object, a class instance or an object without prototype', () => {
  expect([{}, Object.create(null), new Point()].map(isRecord)).toEqual([true, true, true])
  expect([new Map(), new Date(), /x/, new Error('x'), Promise.resolve()].map(isRecord)).toEqual(Array(5).fill(false))
})
