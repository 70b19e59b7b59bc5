/** Common behaviour of all three serializers: every message, every value, and transcoding between formats. */

import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/protocol/messages.ts'
import type { Payload } from '../../src/protocol/payload.ts'
import { cbor } from '../../src/serializer/cbor.ts'
import { json } from '../../src/serializer/json.ts'
import { msgpack } from '../../src/serializer/msgpack.ts'
import { randomMessage, read, seeded } from './random.ts'

const all = [json, cbor, msgpack]
const pairs = all.flatMap((from) => all.map((to) => [from.name, to.name, from, to] as const))

/** The payload of a CALL after the head of an INVOCATION. */
function relayed(message: Message): Message {
  return [68, 2, 3, {}, (message as unknown[])[4]] as unknown as Message
}

function call(payload: unknown, options = {}): Message {
  return [48, 1, options, 'a.b', payload] as unknown as Message
}

describe.each(all.map((serializer) => [serializer.name, serializer] as const))('%s', (_, serializer) => {
  test('messages of all kinds survive a round trip', () => {
    const random = seeded(7)
    const codes = new Set<number>()
    for (let i = 0; i < 3000; i++) {
      const message = randomMessage(random)
      codes.add(message[0])
      expect(read(serializer.decode(serializer.encode(message)))).toEqual(message)
    }
    expect(codes.size).toBe(24)
  })

  test.each([1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53])('the id %d', (id) => {
    expect(serializer.decode(serializer.encode([33, id, 1]))).toEqual([33, id, 1])
    expect(serializer.decode(serializer.encode([16, 1, { exclude: [id] }, 'a']))).toEqual([
      16,
      1,
      { exclude: [id] },
      'a',
    ])
  })

  test('a value whose toJSON encodes another message', () => {
    const inner = {
      toJSON: () => serializer.encode([48, 2, {}, 'inner', { args: ['x'.repeat(100)], kwargs: undefined }]).length,
    }
    const message = serializer.decode(serializer.encode(call({ args: ['before', inner, 'after'], kwargs: undefined })))
    expect((message[4] as Payload).args).toEqual(['before', expect.any(Number), 'after'])
  })

  test('an encoder still works after it refused a value', () => {
    expect(() => serializer.encode(call({ args: [1, () => 1], kwargs: undefined }))).toThrow('args[1] is a function')
    expect(() => serializer.encode(call({ args: [], kwargs: { a: [new Map()] } }))).toThrow('kwargs.a[0] is a Map')
    expect(read(serializer.decode(serializer.encode(call({ args: [1], kwargs: undefined }))))[4]).toEqual({
      args: [1],
      kwargs: undefined,
    })
  })

  test('nesting up to 256 levels, in both directions', () => {
    const nested = (levels: number): unknown => {
      let value: unknown = []
      for (let i = 1; i < levels; i++) value = i % 2 ? { a: value } : [value]
      return Array.isArray(value) ? value : [value]
    }
    const deepest = nested(255)
    const message = serializer.decode(serializer.encode(call({ args: deepest, kwargs: {} })))
    expect((message[4] as Payload).args).toEqual(deepest)
    expect(() => serializer.encode(call({ args: nested(257), kwargs: {} }))).toThrow('nested deeper than 256 levels')
    const frame = serializer.encode(call({ args: [[]], kwargs: {} }))
    // Lists of one list each, in the place of the inner one.
    const wrapped = (levels: number) =>
      typeof frame === 'string'
        ? frame.replace('[[]]', '['.repeat(levels) + ']'.repeat(levels))
        : Uint8Array.from([
            ...frame.slice(0, -3),
            ...Array(levels - 1).fill(serializer === cbor ? 0x81 : 0x91),
            ...frame.slice(-2),
          ])
    expect(serializer.decode(wrapped(256))[4]).toBeDefined()
    for (const levels of [257, 258, 5000]) {
      expect(() => serializer.decode(wrapped(levels))).toThrow('nested at most 256 levels')
    }
  })

  test('values are decoded once', () => {
    const payload = serializer.decode(serializer.encode(call({ args: [{}], kwargs: { a: {} } })))[4] as Payload
    expect(payload.args?.[0]).toBe(payload.args?.[0])
    expect(payload.kwargs).toBe(payload.kwargs)
  })

  test('the name of a property of Object.prototype is an ordinary key', () => {
    const kwargs = { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4 }
    const message = serializer.decode(serializer.encode(call({ args: [], kwargs })))
    expect((message[4] as Payload).kwargs).toEqual(kwargs)
  })

  test('a frame of the wrong kind, text or binary, is a violation', () => {
    expect(() => serializer.decode(serializer.binary ? '[]' : new Uint8Array([0x80]))).toThrow(
      `${serializer.name} travels in`,
    )
  })
})

describe.each(pairs)('%s to %s', (_from, _to, from, to) => {
  test.each([
    ['absent', undefined],
    ['[]', { args: [], kwargs: undefined }],
    ['[] {}', { args: [], kwargs: {} }],
    ['[1]', { args: [1], kwargs: undefined }],
    ['[] {a}', { args: [], kwargs: { a: 1 } }],
    ['[1] {a}', { args: [1], kwargs: { a: 1 } }],
  ])('absent and empty args and kwargs stay distinct: %s', (_name, payload) => {
    const message = to.decode(to.encode(relayed(from.decode(from.encode(call(payload))))))
    expect(read(message)).toEqual(payload === undefined ? [68, 2, 3, {}] : [68, 2, 3, {}, payload])
    expect(message.length).toBe(payload === undefined ? 4 : 5)
  })

  test('values are transcoded exactly', () => {
    const random = seeded(11)
    for (let i = 0; i < 500; i++) {
      const message = randomMessage(random)
      const through = from.decode(from.encode(message))
      expect(read(to.decode(to.encode(through)))).toEqual(message)
    }
  })

  test.each([2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -(2n ** 53n) - 1n])(
    '%d stays exact',
    (big) => {
      const payload = { args: [big, [big]], kwargs: { big } }
      const message = to.decode(to.encode(relayed(from.decode(from.encode(call(payload))))))
      expect(read(message)[4]).toEqual(payload)
    },
  )

  test.each([2n ** 53n, -(2n ** 53n), 5n, 0n])('%d arrives as a number', (big) => {
    const message = to.decode(to.encode(relayed(from.decode(from.encode(call({ args: [big], kwargs: undefined }))))))
    expect((message[4] as Payload).args).toEqual([Number(big)])
  })

  test('bytes', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const payload = { args: [bytes, new Uint8Array(0)], kwargs: { bytes } }
    const message = to.decode(to.encode(relayed(from.decode(from.encode(call(payload))))))
    expect(read(message)[4]).toEqual(payload)
    const made = (message[4] as Payload).args?.[0] as Uint8Array
    expect(Object.getPrototypeOf(made)).toBe(Uint8Array.prototype)
    expect(made.buffer.byteLength).toBe(256)
  })

  test('text is transcoded as its value would be encoded', () => {
    const ascii = Array.from({ length: 128 }, (_, i) => `a${String.fromCharCode(i)}`)
    const args = [...ascii, ascii.join(''), '\u2028\ufeffé日🎉', '', '"', '\\']
    const payload = { args, kwargs: Object.fromEntries(ascii.map((text) => [text, text])) }
    expect(to.encode(from.decode(from.encode(call(payload))))).toEqual(to.encode(call(payload)))
  })
})

const octets = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

test.each([
  [json, '[36,1,2,{"n":null}, null ,{"null":[null]}]', '[36,1,2,{"n":null}, [] ,{"null":[null]}]'],
  [cbor, octets('86 1824 01 02 a1616ef6 f6 a1616e81f6'), octets('86 1824 01 02 a1616ef6 80 a1616e81f6')],
  [msgpack, octets('96 24 01 02 81a16ec0 c0 81a16e91c0'), octets('96 24 01 02 81a16ec0 90 81a16e91c0')],
])(
  'null before kwargs, by which nexus marks absent args, is read and relayed as absent args: %o',
  (serializer, frame, relay) => {
    const before = frame.slice()
    const message = serializer.decode(frame)
    expect((message[4] as Payload).args).toEqual([])
    expect(Object.values((message[4] as Payload).kwargs ?? {})).toEqual([[null]])
    expect(serializer.encode(message)).toEqual(relay)
    expect(frame).toEqual(before)
  },
)

const many = (count: number, item: string) => item.repeat(count)

describe('a transcoded payload equals its encoded values', () => {
  test.each([
    ['nothing', '80'],
    ['lists and dictionaries of no stated size', '82 9f 01 9f ff bf ff 9f 9f 02 ff ff ff bf 61 61 bf ff ff'],
    ['many items of no stated size', `82 9f ${many(20, '01')} ff 9f ${many(300, '9f f6 ff')} ff`],
    ['more than 2^16 items of no stated size', `82 9f ${many(0x10001, '01')} ff 9f 9f ${many(0x10000, '00')} ff ff`],
    ['text in pieces', '83 7f ff 7f 61 61 60 62 c3a9 ff 7f 60 61 61 ff'],
    ['a key in pieces', '81 a2 7f 61 61 61 62 ff 01 61 61 02'],
    ['bytes in pieces', `82 5f ff 5f 41 00 40 58 50 ${many(80, '2a')} ff`],
    ['bytes', '85 40 41 00 42 ff00 43 fbefbe 44 00010203'],
    ['undefined', '82 f7 a2 61 61 f7 61 62 a1 61 63 f7'],
    ['undefined in a dictionary that is long by it', `81 b8 18 ${keys(24, 'f7')}`],
    ['undefined among many', `82 b8 19 ${keys(24, '01')} 61 7a f7 00`],
    ['undefined behind tags', '83 c1 f7 a1 61 61 c1 c5 f7 a2 61 61 c1 01 61 62 c1 80'],
    ['tags', '84 c1 01 d8 20 61 61 c5 82 01 02 c2 81 40'],
    ['bignums', '85 c2 40 c3 40 c2 43 000001 c3 48 7fffffffffffffff c2 48 ffffffffffffffff'],
    ['a bignum in pieces', '81 c2 5f 41 01 47 00000000000001 ff'],
    ['integers', '86 1bffffffffffffffff 3b7fffffffffffffff 1b0020000000000001 3b001fffffffffffff 20 1903e8'],
    ['floats', '86 f93c00 fb3ff8000000000000 fa7f7fffff f98000 fb43e0000000000000 fbc3e0000000000000'],
    ['simple values', '83 f4 f5 f6'],
  ])('%s', (_, args) => {
    const message = cbor.decode(octets(`85 1830 01 a0 63 612e62 ${args}`))
    const { args: values, kwargs } = message[4] as Payload
    for (const to of [json, msgpack]) expect(to.encode(message)).toEqual(to.encode(call({ args: values, kwargs })))
  })

  test.each([
    ['undefined and extensions', '94 d40000 82 a1 61 d40000 a1 62 01 d40501 c7 03 07 010203'],
    ['undefined in a dictionary that is long by it', `91 de 0010 ${keys(16, 'd40000', 'a1')}`],
    ['floats', '93 ca3f800000 cb7fefffffffffffff ca80000000'],
    ['integers', '95 cfffffffffffffffff d38000000000000000 cf0020000000000000 d0ff cd0001'],
  ])('%s of MessagePack', (_, args) => {
    const message = msgpack.decode(octets(`95 30 01 80 a3 612e62 ${args}`))
    const { args: values, kwargs } = message[4] as Payload
    for (const to of [json, cbor]) expect(to.encode(message)).toEqual(to.encode(call({ args: values, kwargs })))
  })

  test.each([
    [json, 'f97e00', 'args[0][1].é[2] is NaN'],
    [json, 'f9fc00', 'args[0][1].é[2] is -Infinity'],
    [json, '62 0061', 'args[0][1].é[2] is text that begins with NUL'],
    [json, '7f 60 61 00 ff', 'args[0][1].é[2] is text that begins with NUL'],
    [msgpack, 'c2 49 010000000000000000', 'args[0][1].é[2] is an integer beyond what msgpack can say'],
  ])('an item that %o cannot represent is refused, with its place: %s', (to, item, text) => {
    for (const key of ['62 c3a9', '7f 61 78 ff 00 62 c3a9', '7f 62 c3a9 ff']) {
      const pairs = key.includes('00') ? 'a2' : 'a1'
      const message = cbor.decode(octets(`85 1830 01 a0 63 612e62 81 82 9f 80 ff ${pairs} ${key} 83 80 a0 ${item}`))
      expect(() => to.encode(message)).toThrow(text)
    }
    const message = cbor.decode(octets(`86 1830 01 a0 63 612e62 81 a0 a1 61 6b ${item}`))
    expect(() => to.encode(message)).toThrow('kwargs.k is')
  })

  test('a refusal has no effect on the next message', () => {
    const refused = cbor.decode(octets('85 1830 01 a0 63 612e62 82 9f 01 ff f97e00'))
    const fine = cbor.decode(octets('85 1830 01 a0 63 612e62 81 01'))
    for (let i = 0; i < 2; i++) {
      expect(() => json.encode(refused)).toThrow('args[1] is NaN')
      expect(json.encode(fine)).toBe('[48,1,{},"a.b",[1]]')
    }
  })
})

/** Pairs of a one-letter key and a value. */
function keys(count: number, value: string, head = '61'): string {
  return Array.from({ length: count }, (_, i) => `${head} ${(0x61 + i).toString(16)} ${value}`).join(' ')
}

describe('integers of more than 4,300 digits', () => {
  const LONG = '9'.repeat(4301)
  const inCbor = (tag: string, zeros = 0) =>
    octets(
      `85 1830 01 a0 63 612e62 81 ${tag} 5a ${(1787 + zeros).toString(16).padStart(8, '0')} ${many(zeros, '00')} ${many(1787, 'ff')}`,
    )

  test.each([
    ['JSON', json, `[48,1,{},"a.b",[${LONG}]]`, Number.POSITIVE_INFINITY],
    ['JSON', json, `[48,1,{},"a.b",[-${LONG}]]`, Number.NEGATIVE_INFINITY],
    ['CBOR', cbor, inCbor('c2'), Number.POSITIVE_INFINITY],
    ['CBOR', cbor, inCbor('c3', 9), Number.NEGATIVE_INFINITY],
  ])('are forwarded in %s, read as Infinity, and refused in other formats', (_, from, frame, value) => {
    const message = from.decode(frame)
    for (const to of all) {
      if (to === from) expect(to.encode(message)).toEqual(frame)
      else expect(() => to.encode(message)).toThrow(/^.*args\[0\] is an integer (of thousands of digits|beyond what)/)
    }
    expect((message[4] as Payload).args).toEqual([value])
  })

  test('shorter ones are exact, with any number of leading zeros', () => {
    const greatest = 10n ** 4300n - 1n
    for (const big of [greatest, -greatest]) {
      const message = cbor.decode(cbor.encode(json.decode(json.encode(call({ args: [big], kwargs: undefined })))))
      expect(json.encode(message)).toBe(`[48,1,{},"a.b",[${big}]]`)
      expect((message[4] as Payload).args).toEqual([big])
    }
    const padded = cbor.decode(octets(`85 1830 01 a0 63 612e62 81 c2 59 2000 ${many(8191, '00')} 07`))
    expect(json.encode(padded)).toBe('[48,1,{},"a.b",[7]]')
  })

  test.each([json, cbor, msgpack])('are not sent: %o', (serializer) => {
    for (const big of [10n ** 4300n, -(10n ** 4300n)]) {
      expect(() => serializer.encode(call({ args: [big], kwargs: undefined }))).toThrow('args[0] is an integer')
    }
  })
})

describe('integers of more than 64 bits', () => {
  test('are sent in JSON and CBOR', () => {
    for (const big of [2n ** 64n, -(2n ** 64n) - 1n, 2n ** 100n, -(2n ** 71n)]) {
      const message = cbor.decode(cbor.encode(json.decode(json.encode(call({ args: [big], kwargs: undefined })))))
      expect((message[4] as Payload).args).toEqual([big])
    }
  })

  test('are refused in MessagePack', () => {
    for (const big of [2n ** 64n, -(2n ** 63n) - 1n]) {
      expect(() => msgpack.encode(call({ args: [1], kwargs: { a: [0, big] } }))).toThrow(
        'kwargs.a[1] is an integer beyond what msgpack can say',
      )
    }
  })
})

test('floats that JSON cannot represent are exact in the binary formats', () => {
  for (const serializer of [cbor, msgpack]) {
    const args = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e20, 2 ** 60]
    const message = serializer.decode(serializer.encode(call({ args, kwargs: undefined })))
    expect((message[4] as Payload).args).toStrictEqual(args)
    expect(() => json.encode(message)).toThrow('args[0] is NaN')
  }
})

test('a JSON payload with the key __proto__ is forwarded in JSON and refused in other formats', () => {
  const message = json.decode('[48,1,{},"a.b",[{"__proto__":{"polluted":1}}]]')
  expect(json.encode(message)).toBe('[48,1,{},"a.b",[{"__proto__":{"polluted":1}}]]')
  expect(() => cbor.encode(message)).toThrow('args[0].__proto__ is a reserved key')
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test.each([
  // [32, 1, { match: undefined, get_retained: undefined }, 'com.news'] as wampy.js writes it, by msgpackr and by cbor-x.
  [
    'MessagePack',
    msgpack,
    '94 20 01 de0002 a5 6d61746368 d40000 ac 6765745f72657461696e6564 d40000 a8 636f6d2e6e657773',
  ],
  ['CBOR', cbor, '84 1820 01 b90002 65 6d61746368 f7 6c 6765745f72657461696e6564 f7 68 636f6d2e6e657773'],
])('undefined is omitted from a dictionary, as in JSON: %s', (_, serializer, hex) => {
  const bytes = Uint8Array.from((hex.replaceAll(' ', '').match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)))
  expect(serializer.decode(bytes)).toEqual([32, 1, {}, 'com.news'])
})

test('undefined is null in a list', () => {
  // [48, 1, {}, 'a', [undefined, { k: undefined }]]
  const msg = Uint8Array.from([0x95, 48, 1, 0x80, 0xa1, 97, 0x92, 0xd4, 0, 0, 0x81, 0xa1, 107, 0xd4, 0, 0])
  expect((msgpack.decode(msg)[4] as Payload).args).toEqual([null, {}])
  const cbr = Uint8Array.from([0x85, 0x18, 48, 1, 0xa0, 0x61, 97, 0x82, 0xf7, 0xa1, 0x61, 107, 0xf7])
  expect((cbor.decode(cbr)[4] as Payload).args).toEqual([null, {}])
})

describe('payload transparency of Crossbar.io: one item replaces args and kwargs', () => {
  const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
  const EVENTS = [
    ['json', json, '[36,1,2,{"enc_algo":"x_a"},"\\u0000AQI="]'],
    ['cbor', cbor, hex('85 18 24 01 02 a1 68 656e635f616c676f 63 785f61 42 0102')],
    ['msgpack', msgpack, hex('95 24 01 02 81 a8 656e635f616c676f a3 785f61 c4 02 0102')],
  ] as const
  const bytes = new Uint8Array([1, 2])

  test.each(EVENTS)('%s: the bytes become the only argument', (_, serializer, frame) => {
    expect(read(serializer.decode(frame))).toEqual([
      36,
      1,
      2,
      { enc_algo: 'x_a' },
      { args: [bytes], kwargs: undefined },
    ])
  })

  test.each(EVENTS)('%s: without enc_algo it is a violation', (_, serializer, frame) => {
    const other =
      typeof frame === 'string'
        ? frame.replace('enc_algo', 'enc_alga')
        : frame.map((octet) => (octet === 0x6f ? 0x61 : octet))
    expect(() => serializer.decode(other)).toThrow('EVENT: args must be a list')
  })

  test.each([
    ['[50,1,{"enc_algo":"x_a"},"a"]', [50, 1, { enc_algo: 'x_a' }]],
    ['[68,1,2,{"enc_algo":"x_a"},"a"]', [68, 1, 2, { enc_algo: 'x_a' }]],
    ['[8,48,1,{"enc_algo":"x_a"},"a.b","a"]', [8, 48, 1, { enc_algo: 'x_a' }, 'a.b']],
  ])('accepted by a client: %s', (frame, head) => {
    expect(read(json.decode(frame))).toEqual([...head, { args: ['a'], kwargs: undefined }])
  })

  test.each([
    '[36,1,2,{"enc_algo":1},"a"]',
    '[16,1,{"enc_algo":"x_a"},"a.b","a"]',
    '[48,1,{"enc_algo":"x_a"},"a.b","a"]',
    '[70,1,{"enc_algo":"x_a"},"a"]',
    '[8,68,1,{"enc_algo":"x_a"},"a.b","a"]',
    '[3,{"enc_algo":"x_a"},"a.b","a"]',
  ])('refused: %s', (frame) => {
    expect(() => json.decode(frame)).toThrow('args must be a list')
  })
})
