/** Payloads that are as dear as they can be for their size: one list of args for each kind, in each serializer. */

import type { Format } from '../bench/wire.ts'

export interface Attack {
  readonly name: string
  readonly format: Format
  /** A PUBLISH with the payload, as a server receives it. */
  readonly frame: Buffer
}

const bytes = (...values: number[]) => Buffer.from(values)
const ascii = (text: string) => Buffer.from(text)

/** As many copies of an item as fit, each behind a separator. */
function filled(item: Buffer, size: number, separator = ''): { items: Buffer; count: number } {
  const piece = Buffer.concat([item, ascii(separator)])
  const count = Math.max(1, Math.floor(size / piece.length))
  const items = Buffer.alloc(count * piece.length - separator.length, piece)
  return { items, count }
}

const publish = (args: Buffer): Buffer => Buffer.concat([ascii('[16,9,{"acknowledge":true},"big",'), args, ascii(']')])

function jsonList(items: Buffer): Buffer {
  return publish(Buffer.concat([ascii('['), items, ascii(']')]))
}

/** A dictionary of many keys, all different. */
function jsonKeys(size: number): Buffer {
  const keys: string[] = []
  for (let length = 0, i = 0; length < size; i++) length += keys.push(`"${i.toString(36)}":1`) && 12
  return jsonList(ascii(`{${keys.join()}}`))
}

const JSON_ITEMS: Readonly<Record<string, string>> = {
  dictionaries: '{}',
  lists: '[]',
  'nested lists': '['.repeat(200) + ']'.repeat(200),
  integers: '1',
  'empty texts': '""',
  'short texts': '"ab"',
  'texts of escapes': `"${'\\n'.repeat(1000)}"`,
  'short texts of escapes': '"\\""',
  'texts of code points': `"${'\\u00e9'.repeat(1000)}"`,
  'texts beyond ASCII': `"${'\u65e5\u672c\u8a9e'.repeat(10)}"`,
  floats: '0.12345678901234567',
  'floats with exponents': '1.2345678901234567e-299',
  'integers of 20 digits': '12345678901234567890',
  'integers of 40 digits': '1234567890123456789012345678901234567890',
  'integers of 4,300 digits': '9'.repeat(4300),
  // As many as are transcoded.
  'integers of 20 digits among texts': `12345678901234567890,"${'x'.repeat(104)}"`,
  'one key': '{"a":1}',
  'twenty keys': `{${Array.from({ length: 20 }, (_, i) => `"k${i}":1`).join()}}`,
  'short bytes': '"\\u0000QQ=="',
  literals: 'null',
}

function jsonAttacks(size: number): Record<string, Buffer> {
  const attacks: Record<string, Buffer> = {}
  for (const [name, item] of Object.entries(JSON_ITEMS)) {
    attacks[name] = jsonList(filled(ascii(item), size, ',').items)
  }
  attacks['many keys'] = jsonKeys(size)
  attacks['one key again and again'] = jsonList(ascii(`{${filled(ascii('"a":1'), size, ',').items}}`))
  attacks['one long text'] = jsonList(ascii(`"${'x'.repeat(size)}"`))
  attacks['one long integer'] = jsonList(ascii('9'.repeat(size)))
  attacks['white space'] = jsonList(Buffer.alloc(size, ' '))
  attacks['long bytes'] = jsonList(ascii(`"\\u0000${'QUJD'.repeat(size / 4)}"`))
  const texts = filled(ascii('""'), size, ',').items
  attacks['an integer among short texts'] = jsonList(Buffer.concat([ascii('12345678901234567890,'), texts]))
  attacks['bytes among short texts'] = jsonList(Buffer.concat([ascii('"\\u0000QQ==",'), texts]))
  return attacks
}

interface Heads {
  readonly list: (count: number) => Buffer
  readonly dict: (count: number) => Buffer
  readonly text: (length: number) => Buffer
  readonly octets: (length: number) => Buffer
}

const u32 = (head: number, value: number): Buffer => {
  const result = Buffer.alloc(5)
  result[0] = head
  result.writeUInt32BE(value, 1)
  return result
}

const CBOR: Heads = {
  list: (count) => u32(0x9a, count),
  dict: (count) => u32(0xba, count),
  text: (length) => u32(0x7a, length),
  octets: (length) => u32(0x5a, length),
}
const MSGPACK: Heads = {
  list: (count) => u32(0xdd, count),
  dict: (count) => u32(0xdf, count),
  text: (length) => u32(0xdb, length),
  octets: (length) => u32(0xc6, length),
}

/** What both binary formats have. */
function binaryAttacks({ list, dict, text, octets }: Heads, size: number): Record<string, Buffer> {
  const keys: Buffer[] = []
  // No dictionary may have more keys.
  const most = Math.min(2 ** 19, Math.floor(size / 7))
  for (let i = 0; i < most; i++) {
    keys.push(bytes(0xa5 - (list === CBOR.list ? 0x40 : 0)), ascii(i.toString(36).padStart(5, '0')), bytes(1))
  }
  return {
    'many keys': Buffer.concat([list(1), dict(most), ...keys]),
    'one long text': Buffer.concat([list(1), text(size), Buffer.alloc(size, 'x')]),
    'one long text beyond ASCII': Buffer.concat([
      list(1),
      text(size - (size % 3)),
      Buffer.alloc(size - (size % 3), '\u65e5'),
    ]),
    'long bytes': Buffer.concat([list(1), octets(size), Buffer.alloc(size, 7)]),
  }
}

const twentyKeys = (head: number[], text: number): Buffer =>
  Buffer.concat([bytes(...head), ...Array.from({ length: 20 }, (_, i) => bytes(text + 2, 97, 97 + i, 1))])

/** A list of 4 items and 34 integers: one object for every 8 octets. */
const amongIntegers = (item: number): Buffer =>
  Buffer.concat([bytes(0x98, 38), Buffer.alloc(4, item), Buffer.alloc(34, 0)])

const CBOR_ITEMS: Readonly<Record<string, Buffer>> = {
  dictionaries: bytes(0xa0),
  lists: bytes(0x80),
  'nested lists': Buffer.concat([Buffer.alloc(200, 0x81), bytes(0)]),
  integers: bytes(0),
  nulls: bytes(0xf6),
  'empty texts': bytes(0x60),
  'short texts': bytes(0x62, 97, 98),
  'short texts of control characters': bytes(0x62, 1, 2),
  'short texts beyond ASCII': bytes(0x62, 0xc3, 0xa9),
  'empty bytes': bytes(0x40),
  'short bytes': bytes(0x41, 0),
  // As many as a message may have.
  'empty bytes among integers': amongIntegers(0x40),
  'dictionaries among integers': amongIntegers(0xa0),
  'floats of 2 bytes': bytes(0xf9, 0x2e, 0x66),
  'floats of 4 bytes': bytes(0xfa, 0x0d, 0xcc, 0xcc, 0xcd),
  'floats of 8 bytes': bytes(0xfb, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a),
  'integers of 8 bytes': bytes(0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  'bignums of 1 byte': bytes(0xc2, 0x41, 0xff),
  'bignums of 16 bytes': Buffer.concat([bytes(0xc2, 0x50), Buffer.alloc(16, 0xff)]),
  'bignums of 1,785 bytes': Buffer.concat([bytes(0xc2, 0x59, 0x06, 0xf9), Buffer.alloc(1785, 0xff)]),
  // As many as are transcoded.
  'bignums of 1,785 bytes among texts': Buffer.concat([
    bytes(0x82, 0xc2, 0x59, 0x06, 0xf9),
    Buffer.alloc(1785, 0xff),
    bytes(0x79, 0x31, 0xff),
    Buffer.alloc(0x31ff, 'x'),
  ]),
  'one key': bytes(0xa1, 0x61, 97, 1),
  'twenty keys': twentyKeys([0xb4], 0x60),
  'undefined keys': bytes(0xa1, 0x61, 97, 0xf7),
  tags: bytes(0xc1, 0xc1, 0xc1, 0xc1, 0),
  'lists without a size': bytes(0x9f, 0xff),
  'texts in pieces': bytes(0x7f, 0x61, 97, 0xff),
}

const MSGPACK_ITEMS: Readonly<Record<string, Buffer>> = {
  dictionaries: bytes(0x80),
  lists: bytes(0x90),
  'nested lists': Buffer.concat([Buffer.alloc(200, 0x91), bytes(0)]),
  integers: bytes(0),
  'empty texts': bytes(0xa0),
  'short texts': bytes(0xa2, 97, 98),
  'short bytes': bytes(0xc4, 1, 0),
  'floats of 4 bytes': bytes(0xca, 0x0d, 0xcc, 0xcc, 0xcd),
  'floats of 8 bytes': bytes(0xcb, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a),
  'integers of 8 bytes': bytes(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  'one key': bytes(0x81, 0xa1, 97, 1),
  'twenty keys': twentyKeys([0xde, 0, 20], 0xa0),
  extensions: bytes(0xd4, 5, 0),
}

/** 250 levels of lists without a size, of 24 items each, around everything else. */
function growingHeads(size: number): Buffer {
  const levels = 250
  const level = Buffer.concat([bytes(0x9f), Buffer.alloc(24, 0)])
  const inner = size - levels * 26
  return Buffer.concat([
    bytes(0x9f),
    ...Array.from({ length: levels }, () => level),
    CBOR.octets(inner),
    Buffer.alloc(inner, 7),
    Buffer.alloc(levels + 1, 0xff),
  ])
}

function listsOf(heads: Heads, items: Readonly<Record<string, Buffer>>, size: number): Record<string, Buffer> {
  const attacks = binaryAttacks(heads, size)
  for (const [name, item] of Object.entries(items)) {
    const { items: content, count } = filled(item, size)
    attacks[name] = Buffer.concat([heads.list(count), content])
  }
  return attacks
}

/** All payloads of about `size` bytes. */
export function* corpus(size: number): Generator<Attack> {
  for (const [name, frame] of Object.entries(jsonAttacks(size))) yield { name, format: 'json', frame }
  const inCbor = { ...listsOf(CBOR, CBOR_ITEMS, size), 'growing heads': growingHeads(size) }
  const before = bytes(0x10, 9)
  const topic = ascii('big')
  for (const [name, args] of Object.entries(inCbor)) {
    yield { name, format: 'cbor', frame: Buffer.concat([bytes(0x85), before, bytes(0xa0, 0x63), topic, args]) }
  }
  for (const [name, args] of Object.entries(listsOf(MSGPACK, MSGPACK_ITEMS, size))) {
    yield { name, format: 'msgpack', frame: Buffer.concat([bytes(0x95), before, bytes(0x80, 0xa3), topic, args]) }
  }
}
