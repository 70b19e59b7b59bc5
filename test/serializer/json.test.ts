/** JSON: the place of the payload, bytes, exact integers, and refused values. */

import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/protocol/messages.ts'
import type { Payload } from '../../src/protocol/payload.ts'
import { fromBase64, toBase64 } from '../../src/serializer/base64.ts'
import { json } from '../../src/serializer/json.ts'
import { read, seeded } from './random.ts'

const call = (args?: unknown, kwargs?: unknown, options = {}): Message =>
  [48, 1, options, 'a.b', args || kwargs ? { args, kwargs } : undefined] as unknown as Message
const decoded = (text: string): unknown[] => read(json.decode(text))
const argsOf = (text: string): unknown => payloadOf(`[48,1,{},"a.b",[${text}]]`).args?.[0]
const payloadOf = (text: string): Payload =>
  (json.decode(text) as unknown[]).find(
    (e): e is Payload => typeof e === 'object' && e !== null && 'args' in e,
  ) as Payload

describe('wire', () => {
  test.each<[Message, string]>([
    [[1, 'realm1', { roles: { caller: {} } }], '[1,"realm1",{"roles":{"caller":{}}}]'],
    [[2, 9007199254740992, { roles: {} }], '[2,9007199254740992,{"roles":{}}]'],
    [[35, 0, { subscription: 7 }], '[35,0,{"subscription":7}]'],
    [[48, 1, {}, 'a.b'], '[48,1,{},"a.b"]'],
    [[48, 1, { timeout: 5 }, 'a.b', { args: [1, 'x'], kwargs: undefined }], '[48,1,{"timeout":5},"a.b",[1,"x"]]'],
    [[50, 1, {}, { args: [], kwargs: { a: null } }], '[50,1,{},[],{"a":null}]'],
  ])('%j', (message, text) => {
    expect(json.encode(message)).toBe(text)
    expect(decoded(text)).toEqual(message)
  })

  test('kwargs without args are sent after an empty list', () => {
    expect(json.encode(call(undefined, { a: 1 }))).toBe('[48,1,{},"a.b",[],{"a":1}]')
  })

  test('undefined is null in a list and omitted from a dictionary', () => {
    expect(json.encode(call([undefined, { a: undefined, b: [undefined] }]))).toBe('[48,1,{},"a.b",[null,{"b":[null]}]]')
    expect(json.encode(call([undefined, 1n, { a: undefined }]))).toBe('[48,1,{},"a.b",[null,1,{}]]')
  })

  test('toJSON and class instances', () => {
    class Point {
      x = 1
      get y() {
        return 2
      }
    }
    expect(json.encode(call([new Date(0), new Point(), Object.create(null)]))).toBe(
      '[48,1,{},"a.b",["1970-01-01T00:00:00.000Z",{"x":1},{}]]',
    )
  })
})

describe('a relay forwards the payload unchanged', () => {
  test.each([
    ['[48,1,{},"a.b",[1],{"a":2}]', '[68,2,3,{},[1],{"a":2}]'],
    ['[48,1,{},"a.b",[]]', '[68,2,3,{},[]]'],
    ['[48,1,{},"a.b",[],{}]', '[68,2,3,{},[],{}]'],
    ['[48,1,{},"a.b"]', '[68,2,3,{}]'],
    [
      ' [ 48 , 1 , {"x":[1,{"y":"]},\\""}]} , "a,\\"b\\\\" , [ 1.50, 1e2 , "\\u00e9" ] ] \n',
      '[68,2,3,{}, [ 1.50, 1e2 , "\\u00e9" ] ]',
    ],
    ['[48,1,{},"a.b",[12345678901234567890,"\\u0000AQ=="]]', '[68,2,3,{},[12345678901234567890,"\\u0000AQ=="]]'],
  ])('%s', (text, relayed) => {
    const payload = (json.decode(text) as unknown[])[4]
    expect(json.encode([68, 2, 3, {}, payload] as unknown as Message)).toBe(relayed)
    // Reading it changes nothing.
    void (payload as Payload | undefined)?.args
    expect(json.encode([68, 2, 3, {}, payload] as unknown as Message)).toBe(relayed)
  })
})

describe('bytes', () => {
  test.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('RFC 4648, section 10: %s', (plain, encoded) => {
    const bytes = new TextEncoder().encode(plain)
    expect(toBase64(bytes)).toBe(encoded)
    expect(fromBase64(encoded)).toEqual(bytes)
    expect(argsOf(`"\\u0000${encoded}"`)).toEqual(bytes)
    expect(json.encode(call([bytes]))).toBe(`[48,1,{},"a.b",["\\u0000${encoded}"]]`)
  })

  test('all bytes in both directions, as the platform encodes them', () => {
    const random = seeded(1)
    for (let size = 0; size < 300; size++) {
      const bytes = Uint8Array.from({ length: size }, () => random() * 256)
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      expect(fromBase64(toBase64(bytes))).toEqual(bytes)
    }
  })

  test.each([
    'Zg',
    'Zg=',
    'Z===',
    '====',
    'Zg==Zg==',
    'Zm9-',
    'Zm9_',
    'Zm 9',
    'Zm9v\n',
    'é',
    'Zmé',
    'ZéZv',
    '日本語字',
  ])('NUL followed by %j is text', (text) => {
    expect(fromBase64(text)).toBeUndefined()
    expect(argsOf(JSON.stringify(`\0${text}`))).toBe(`\0${text}`)
  })

  test('at any depth and in options, but never in keys', () => {
    const text = '[48,1,{"_o":{"a":["\\u0000AQI="]}},"a.b",[["\\u0000AQI="]],{"\\u0000AQI=":{"x":"\\u0000AQI="}}]'
    const bytes = new Uint8Array([1, 2])
    expect(decoded(text)).toEqual([
      48,
      1,
      { _o: { a: [bytes] } },
      'a.b',
      { args: [[bytes]], kwargs: { '\0AQI=': { x: bytes } } },
    ])
    expect(json.encode(read(json.decode(text)) as unknown as Message)).toBe(text)
  })

  test('an ArrayBuffer and a Buffer are bytes', () => {
    expect(json.encode(call([new Uint8Array([1]).buffer, Buffer.from([1])]))).toBe(
      '[48,1,{},"a.b",["\\u0000AQ==","\\u0000AQ=="]]',
    )
  })
})

describe('integers', () => {
  test.each<[string, unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 2 ** 53],
    ['-9007199254740992', -(2 ** 53)],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['1180591620717411303424', 2n ** 70n],
    ['1e20', 1e20],
    ['1.0e+17', 1e17],
    ['12345678901234567.5', Number('12345678901234567.5')],
    ['0.30000000000000004', 0.30000000000000004],
    ['"12345678901234567890"', '12345678901234567890'],
    ['"say \\"12345678901234567890\\\\"', 'say "12345678901234567890\\'],
  ])('%s', (text, value) => {
    expect(argsOf(text)).toStrictEqual(value)
  })

  test('next to every other kind of JSON value', () => {
    const text =
      '[48,1,{},"a.b",[ 12345678901234567890 , {} , [ ] , [true,false,null,-1.5e-3], "a\\n\\u00e9\\"" ],{ "a" : { "b":[1 , 2]}, "":0, "__proto__":5 } ]'
    const { args, kwargs } = payloadOf(text)
    const [expectedArgs, expectedKwargs] = JSON.parse(text).slice(4)
    expect(args).toEqual([12345678901234567890n, ...expectedArgs.slice(1)])
    expect(kwargs).toEqual(expectedKwargs)
    expect(Object.getPrototypeOf(kwargs)).toBe(Object.prototype)
  })

  test('numbers beyond 2^53 stay numbers, bigints stay bigints', () => {
    const args = [2 ** 60, -(2 ** 60), 1e20, 1e21, 1e300, 2n ** 60n]
    expect(json.encode(call([2 ** 60]))).toBe('[48,1,{},"a.b",[1.152921504606847e+18]]')
    expect(read(json.decode(json.encode(call(args))))[4]).toStrictEqual({ args, kwargs: undefined })
  })

  test('an integer with too many digits to convert quickly is not converted', () => {
    for (const greatest of [10n ** 4300n - 1n, 1n - 10n ** 4300n]) {
      expect(read(json.decode(json.encode(call([greatest]))))[4]).toEqual({ args: [greatest], kwargs: undefined })
    }
    expect(argsOf('9'.repeat(1_000_000))).toBe(Number.POSITIVE_INFINITY)
    expect(() => json.decode(`[48,${'9'.repeat(1_000_000)},{},"a.b"]`)).toThrow('CALL[1] must be an id, got Infinity')
    expect(() => json.encode(call([2n ** 1_000_000n]))).toThrow('args[0] is an integer of thousands of digits')
  })

  test('bigints are sent exactly', () => {
    expect(json.encode(call([2n ** 64n, -5n]))).toBe('[48,1,{},"a.b",[18446744073709551616,-5]]')
  })
})

describe('a value that cannot be sent is refused, with its place', () => {
  const cycle: Record<string, unknown> = {}
  cycle['again'] = [cycle]
  test.each<[unknown, string]>([
    [[{ user: Number.NaN }], 'args[0].user is NaN'],
    [[[1, Number.POSITIVE_INFINITY]], 'args[0][1] is Infinity'],
    [['\0AQ=='], 'args[0] is text that begins with NUL'],
    [[() => 1], 'args[0] is a function'],
    [[Symbol('s')], 'args[0] is a symbol'],
    [[new Map()], 'args[0] is a Map'],
    [[new Set()], 'args[0] is a Set'],
    [[new Float64Array(1)], 'args[0] is a Float64Array'],
    [[JSON.parse('{"__proto__":1}')], 'args[0].__proto__ is a reserved key'],
    [[cycle], 'nested deeper than 256 levels or a cycle'],
  ])('%o', (args, text) => {
    expect(() => json.encode(call(args))).toThrow(text)
    expect(() => json.encode(call(args))).toThrow(expect.objectContaining({ uri: 'wamp.error.invalid_argument' }))
  })

  test('in kwargs and options', () => {
    expect(() => json.encode(call([], { a: Number.NaN }))).toThrow('kwargs.a is NaN')
    expect(() => json.encode(call([], {}, { _x: [() => 1] }))).toThrow('CALL[2]._x[0] is a function')
  })
})

test('text with a lone surrogate is read but not written: no other format can represent it', () => {
  expect(argsOf('"\\ud800"')).toBe('\ud800')
  expect(argsOf('"\ud800"')).toBe('\ud800')
  expect(() => json.encode(call(['\ud800']))).toThrow('args[0] is text with half a surrogate pair')
  expect(json.encode(call(['\\ud800', '\u{1f600}']))).toBe('[48,1,{},"a.b",["\\\\ud800","\u{1f600}"]]')
})
