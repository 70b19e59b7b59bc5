/** The bytes of end-to-end encryption, pinned: payloads of today must stay readable, and only with the key. */

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { encode } from 'cborg'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { PayloadContext } from 'wampy-ts'
import { E2EE_CIPHER, E2EE_SCHEME, e2ee, Keyring, randomKey } from 'wampy-ts/e2ee'
import { keyOf } from './support.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

const KEY = bytesOf('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f')
const NONCE = '404142434445464748494a4b4c4d4e4f5051525354555657'
const KEYS = { ppt_scheme: E2EE_SCHEME, ppt_serializer: 'cbor', ppt_cipher: E2EE_CIPHER, ppt_keyid: 'k1' }
const VALUES = { args: [1, 'two'], kwargs: { unit: 'cm' } }
const CALL = bytesOf(`01 ${'aa'.repeat(24)} ${'00'.repeat(40)}`)

const keyring = new Keyring([{ uri: 'com.example.', match: 'prefix', keys: [{ id: 'k1', key: KEY }] }])
const codec = e2ee(keyring)

afterEach(() => {
  vi.restoreAllMocks()
})

/** The next random bytes are these. */
function drawing(bytes: Uint8Array): void {
  vi.spyOn(crypto, 'getRandomValues').mockImplementationOnce((array) => {
    ;(array as unknown as Uint8Array).set(bytes)
    return array
  })
}

/** The stream depends only on key and nonce; the tag depends on the binding. */
const SEALED = '536812863c83765b986600bc90c5ea34402001cf6131f285bed89661'

/** Each context with the bytes on the wire for `VALUES`. */
const VECTORS: [context: PayloadContext, bytes: string][] = [
  [{ kind: 'event', uri: 'com.example.tick' }, `01 ${NONCE} ${SEALED} b966040ad40bc55cbf17aebcc2026baf`],
  [{ kind: 'call', uri: 'com.example.add' }, `01 ${NONCE} ${SEALED} 77c0d29d675a35fd9966217ebedbb2c3`],
  [{ kind: 'part', uri: 'com.example.add', call: CALL }, `01 ${NONCE} ${SEALED} c096af99c68d9d421cf7915ab0ba470f`],
  [{ kind: 'progress', uri: 'com.example.add', call: CALL }, `01 ${NONCE} ${SEALED} 48edc38a5e6065f1f17617698548cb79`],
  [{ kind: 'result', uri: 'com.example.add', call: CALL }, `01 ${NONCE} ${SEALED} c329d50af3cfd5ca401f21799363aec9`],
  [
    { kind: 'error', uri: 'com.example.add', error: 'com.example.error', call: CALL },
    `01 ${NONCE} ${SEALED} dd47a2320c55da327c47a1a8cec7602f`,
  ],
]

describe('the vectors', () => {
  for (const [context, bytes] of VECTORS) {
    test(`of a payload as ${context.kind}`, () => {
      drawing(bytesOf(NONCE))
      const encoded = codec.encode(VALUES, context)
      expect({ ...encoded, bytes: hex(encoded.bytes) }).toEqual({ bytes: bytes.replaceAll(/\s/g, ''), keyid: 'k1' })
      expect(codec.decode(bytesOf(bytes), KEYS, context)).toEqual(VALUES)
    })
  }

  test('follow the format: version, nonce, and CBOR encrypted under the URI and kind', () => {
    // Written here once more, by another CBOR library and without our code.
    const part = (bytes: Uint8Array) => [0, 0, 0, bytes.length, ...bytes]
    const text = (value: string) => part(new TextEncoder().encode(value))
    for (const [{ kind, uri, error = '', call }, bytes] of VECTORS) {
      const aad = new Uint8Array([
        ...text('wampy-ts e2ee 1'),
        ...text(kind),
        ...text(uri),
        ...text(error),
        ...text('k1'),
        ...part(call ? call.slice(1, 25) : new Uint8Array()),
      ])
      const sealed = xchacha20poly1305(KEY, bytesOf(NONCE), aad).encrypt(encode(VALUES))
      expect(bytes.replaceAll(/\s/g, '')).toBe(`01${NONCE}${hex(sealed)}`)
    }
  })

  test('of the cipher are those of its specification', () => {
    // draft-irtf-cfrg-xchacha-03, A.3.1
    const text = `Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.`
    const sealed = xchacha20poly1305(KEY, bytesOf(NONCE), bytesOf('50515253c0c1c2c3c4c5c6c7')).encrypt(
      new TextEncoder().encode(text),
    )
    expect(hex(sealed.slice(0, 16))).toBe('bd6d179d3e83d43b9576579493c0e939')
    expect(hex(sealed.slice(-16))).toBe('c0875924c1c7987947deafd8780acf49')
  })
})

describe('an encrypted payload', () => {
  const unreadable = expect.objectContaining({ uri: 'wampy.error.payload_unreadable' }) as never
  const context: PayloadContext = { kind: 'event', uri: 'com.example.tick' }

  test('is another each time', () => {
    const drawn = new Set(Array.from({ length: 100 }, () => hex(codec.encode(VALUES, context).bytes.slice(1, 25))))
    expect(drawn.size).toBe(100)
  })

  test('is not read after any bit of it was changed, or with less or more of it', () => {
    const { bytes } = codec.encode(VALUES, context)
    for (let at = 0; at < bytes.length; at++) {
      const changed = new Uint8Array(bytes)
      changed[at] = (changed[at] as number) ^ (1 << (at % 8))
      expect(() => codec.decode(changed, KEYS, context), `byte ${at}`).toThrow(unreadable)
      expect(() => codec.decode(bytes.slice(0, at), KEYS, context), `cut at ${at}`).toThrow(unreadable)
    }
    expect(() => codec.decode(new Uint8Array([...bytes, 0]), KEYS, context)).toThrow(unreadable)
  })

  test('cannot be read as another kind or under another URI', () => {
    for (const [one] of VECTORS) {
      const { bytes } = codec.encode(VALUES, one)
      for (const [other] of VECTORS) {
        const read = () => codec.decode(bytes, KEYS, other)
        if (one === other) expect(read()).toEqual(VALUES)
        else expect(read, `${one.kind} as ${other.kind}`).toThrow(unreadable)
      }
      for (const wrong of [
        { ...one, uri: 'com.example.other' },
        { ...one, error: 'com.example.other' },
        { ...one, call: new Uint8Array(65) },
      ]) {
        expect(() => codec.decode(bytes, KEYS, wrong)).toThrow(unreadable)
      }
    }
  })

  test('is not readable with another key, an unknown one, or none; the error names the reason', () => {
    const { bytes } = codec.encode(VALUES, context)
    const other = e2ee(new Keyring([{ uri: 'com.example.tick', keys: [{ id: 'k1', key: keyOf(7) }] }]))
    expect(() => other.decode(bytes, KEYS, context)).toThrow(
      expect.objectContaining({
        uri: 'wampy.error.payload_unreadable',
        message: 'the event for com.example.tick was not encrypted as such by key "k1"',
      }) as never,
    )
    expect(() => codec.decode(bytes, { ...KEYS, ppt_keyid: 'k2' }, context)).toThrow(
      'the keyring has no key "k2" for com.example.tick',
    )
    expect(() => codec.decode(bytes, { ppt_scheme: E2EE_SCHEME }, context)).toThrow('no key ""')
    expect(() => e2ee(new Keyring()).decode(bytes, KEYS, context)).toThrow(unreadable)
  })

  test('is read with any key of the rule, and written with the first', () => {
    const [k1, k2] = [
      { id: 'k1', key: keyOf(1) },
      { id: 'k2', key: keyOf(2) },
    ]
    const rule = { uri: 'com.example.tick' }
    const old = e2ee(new Keyring([{ ...rule, keys: [k1] }]))
    const both = e2ee(new Keyring([{ ...rule, keys: [k2, k1] }]))
    const fresh = e2ee(new Keyring([{ ...rule, keys: [k2] }]))
    const byOld = old.encode(VALUES, context)
    const byBoth = both.encode(VALUES, context)
    expect([byOld.keyid, byBoth.keyid]).toEqual(['k1', 'k2'])
    expect(both.decode(byOld.bytes, { ppt_keyid: 'k1' }, context)).toEqual(VALUES)
    expect(fresh.decode(byBoth.bytes, { ppt_keyid: 'k2' }, context)).toEqual(VALUES)
    expect(() => fresh.decode(byOld.bytes, { ppt_keyid: 'k1' }, context)).toThrow(unreadable)
    // One that is asked for by id, as the parts of a call ask for that of their first.
    expect(both.encode(VALUES, { ...context, keyid: 'k1' }).keyid).toBe('k1')
  })
})

describe('a keyring', () => {
  const keys = (byte: number) => [{ id: `k${byte}`, key: keyOf(byte) }] as const
  const idOf = (ring: Keyring, uri: string) => ring.keysOf(uri)?.[0]?.id

  test('returns the key of the exact rule, else of the longest prefix', () => {
    const ring = new Keyring([
      { uri: 'a.', match: 'prefix', keys: keys(1) },
      { uri: 'a.b.c', keys: keys(3) },
      { uri: 'a.b.', match: 'prefix', keys: keys(2) },
    ])
    expect(['a.x', 'a.b.x', 'a.b.c', 'a.b.c.d', 'a', 'b'].map((uri) => idOf(ring, uri))).toEqual([
      'k1',
      'k2',
      'k3',
      'k2',
      undefined,
      undefined,
    ])
    ring.set({ uri: 'a.b.c', keys: keys(4) })
    expect(idOf(ring, 'a.b.c')).toBe('k4')
    expect([ring.delete('a.b.c'), ring.delete('a.b.c'), idOf(ring, 'a.b.c')]).toEqual([true, false, 'k2'])
    expect([ring.delete('a.b.'), ring.delete('a.b.', 'prefix'), idOf(ring, 'a.b.c')]).toEqual([false, true, 'k1'])
  })

  test('keeps a copy of a key', () => {
    const key = keyOf(1)
    const ring = new Keyring([{ uri: 'a', keys: [{ id: 'k', key }] }])
    key.fill(0)
    expect(ring.keysOf('a')?.[0]?.key).toEqual(keyOf(1))
  })

  test('refuses invalid rules, and shows no key', () => {
    const secret = new TextEncoder().encode('hunter2hunter2hunter2hunter2hunter2')
    for (const [rule, text] of [
      [{ uri: 'a..b', keys: keys(1) }, '"a..b" is not a valid URI of match exact'],
      [{ uri: 'a', keys: [] }, 'the rule for "a" needs a list of keys'],
      [{ uri: 'a', keys: [{ id: '', key: keyOf(1) }] }, 'a key for "a" needs an id, got ""'],
      [{ uri: 'a', keys: [{ id: 'k', key: secret }] }, 'the key "k" for "a" must be 32 bytes'],
      [{ uri: 'a', keys: [{ id: 'k', key: 'hunter2' }] }, 'the key "k" for "a" must be 32 bytes'],
      [{ uri: 'a', keys: [...keys(1), ...keys(1)] }, 'two keys for "a" have the id "k1"'],
    ] as const) {
      expect(() => new Keyring([rule as never])).toThrow(
        expect.objectContaining({ uri: 'wampy.error.usage', message: text }) as never,
      )
    }
  })

  test('makes keys of 32 random bytes', () => {
    expect(randomKey()).toHaveLength(32)
    expect(randomKey()).not.toEqual(randomKey())
  })
})
