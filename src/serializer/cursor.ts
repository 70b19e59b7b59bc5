/** Reads a binary frame item by item. The format reads the head of an item; the rest is the same for all formats. */

import { violation, type WampError } from '../protocol/error.ts'
import { MAX_DEPTH, MAX_KEYS, MAX_OBJECTS } from '../protocol/fixed-limits.ts'
import { MAX_ID } from '../protocol/ids.ts'
import { BOUND, isSayable } from '../protocol/integer-limit.ts'
import { textDecoder } from '../protocol/text.ts'
import { type Format, OTHER_ITEM } from './binary-format.ts'
import { integer } from './exact-integers.ts'
import { KeySet } from './key-set.ts'
import { checkUtf8 } from './utf8.ts'

/** An integer from -2^53 to 2^53, in `number`. */
export const INTEGER = 0
/** An integer beyond that range, in `big`. */
export const BIG = 1
/** A float, in `number`. */
export const FLOAT = 2
/** `size` bytes of UTF-8 follow; if `size` is INDEFINITE, chunks of the same kind up to a BREAK. */
export const TEXT = 3
/** `size` bytes follow, or chunks. */
export const BYTES = 4
/** `size` items follow, or items up to a BREAK. */
export const LIST = 5
/** `size` pairs of key and value follow, or pairs up to a BREAK. */
export const DICT = 6
export const NULL = 7
export const TRUE = 8
export const FALSE = 9
/** The tag `number` of the item that follows. */
export const TAG_ITEM = 10
/** `size` bytes of an application-defined extension follow. */
export const EXTENSION = 11
export const BREAK = 12
/** JavaScript's undefined, as some peers write it. As in JSON it becomes null in a list and an absent key in a dictionary. */
export const UNDEFINED = 13
export type ItemKind =
  | typeof INTEGER
  | typeof BIG
  | typeof FLOAT
  | typeof TEXT
  | typeof BYTES
  | typeof LIST
  | typeof DICT
  | typeof NULL
  | typeof TRUE
  | typeof FALSE
  | typeof TAG_ITEM
  | typeof EXTENSION
  | typeof BREAK
  | typeof UNDEFINED

export const INDEFINITE = -1

// Above this number of keys a set finds duplicates; below it, comparing bytes is cheaper and allocates nothing.
const FEW_KEYS = 16
// Up to this size a loop is faster than TextDecoder.
const SHORT_TEXT = 24

/** The number of cached strings, a power of two. A peer that sends many different names only evicts others. */
const NAMES = 512
const cachedNames: (string | undefined)[] = new Array(NAMES).fill(undefined)

const EMPTY = new Uint8Array(0)
const PROTO = Uint8Array.from('__proto__', (char) => char.charCodeAt(0))
const BIGNUM_TAG = 2
const NEGATIVE_BIGNUM_TAG = 3
/** An integer with more bytes is beyond the greatest one that is read. */
const MAX_OCTETS = 1786
/** Each octet in hexadecimal digits. */
const OCTETS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'))
const scratch = new DataView(new ArrayBuffer(8))
/** The powers of two of half floats, by exponent: calculating them takes longer than reading the float. */
const POWERS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25))

export class Cursor {
  readonly #format: Format
  #bytes: Uint8Array = EMPTY
  /** The keys of the dictionaries that are open now: start and length of each. */
  readonly #keys: number[] = []
  #top = 0
  /** Sets that are not used now. */
  readonly #sets: KeySet[] = []
  /** By depth, how many items of a list are left while a list in it is checked. */
  readonly #lefts = new Float64Array(MAX_DEPTH + 2)
  at = 0
  size = 0
  number = 0
  big = 0n
  /** The number of values that were checked in lists and dictionaries since `open`; a bignum counts as one more for every 4 octets. */
  values = 0
  /** The number of lists, dictionaries and bytes that were checked since `open`. */
  #objects = 0

  constructor(format: Format) {
    this.#format = format
  }

  open(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes
    this.at = at
    this.values = 0
    this.#objects = 0
    this.#top = 0
  }

  /** Releases the frame, which may be large. */
  close(): void {
    this.#bytes = EMPTY
  }

  /** The frame. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  get done(): boolean {
    return this.at === this.#bytes.length
  }

  // ---- the pieces of a head ----

  u8(): number {
    if (this.at >= this.#bytes.length) throw truncated()
    return this.#bytes[this.at++] as number
  }

  /** The next byte, not consumed; undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.at]
  }

  u16(): number {
    return (this.u8() << 8) | this.u8()
  }

  u32(): number {
    const bytes = this.#bytes
    const at = this.at
    if (at + 4 > bytes.length) throw truncated()
    this.at = at + 4
    const upper = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    return upper * 0x10000 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  }

  /** An unsigned integer of 64 bits. */
  u64(): ItemKind {
    const high = this.u32()
    const low = this.u32()
    if (high < 0x200000 || (high === 0x200000 && low === 0)) return this.integer(high * 2 ** 32 + low)
    return this.#great((BigInt(high) << 32n) | BigInt(low))
  }

  /** A signed integer of 64 bits. */
  i64(): ItemKind {
    const high = this.u32() | 0
    const low = this.u32()
    if (high >= -0x200000 && (high < 0x200000 || (high === 0x200000 && low === 0))) {
      return this.integer(high * 2 ** 32 + low)
    }
    return this.#great((BigInt(high) << 32n) | BigInt(low))
  }

  integer(value: number): ItemKind {
    this.number = value
    return INTEGER
  }

  /** Turns the integer n that was read into -1 - n. */
  complement(kind: ItemKind): ItemKind {
    if (kind === BIG) return this.#great(-1n - this.big)
    // The one value whose negation leaves the range of numbers.
    if (this.number === MAX_ID) return this.#great(-1n - BigInt(MAX_ID))
    return this.integer(-1 - this.number)
  }

  #great(value: bigint): ItemKind {
    this.big = value
    return BIG
  }

  float16(): ItemKind {
    const bits = this.u16()
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    let value = (1024 + fraction) * (POWERS[exponent] as number)
    if (exponent === 0) value = fraction * 2 ** -24
    if (exponent === 31) value = fraction ? Number.NaN : Number.POSITIVE_INFINITY
    return this.#float(bits & 0x8000 ? -value : value)
  }

  float32(): ItemKind {
    scratch.setUint32(0, this.u32())
    return this.#float(scratch.getFloat32(0))
  }

  float64(): ItemKind {
    scratch.setUint32(0, this.u32())
    scratch.setUint32(4, this.u32())
    return this.#float(scratch.getFloat64(0))
  }

  #float(value: number): ItemKind {
    this.number = value
    return FLOAT
  }

  /** The size of the next content. A size beyond the rest of the frame is rejected here, before any memory is allocated for it. */
  sized(kind: ItemKind, size: number): ItemKind {
    if ((kind === DICT ? size * 2 : size) > this.#bytes.length - this.at) throw truncated()
    this.size = size
    return kind
  }

  /** The content extends to a BREAK. */
  unsized(kind: ItemKind): ItemKind {
    this.size = INDEFINITE
    return kind
  }

  head(): ItemKind {
    return this.#format.readHead(this)
  }

  // ---- checking without allocating ----

  /** Skips an item and checks all of it. `plainly`: without tags and extensions, as in an envelope. */
  check(depth: number, plainly: boolean): void {
    this.checkRest(this.head(), depth, plainly)
  }

  /** Skips an item whose head has been read. */
  checkRest(kind: ItemKind, depth: number, plainly: boolean): void {
    switch (kind) {
      case TEXT:
      case BYTES:
        if (kind === BYTES) this.#countObject()
        if (this.size === INDEFINITE) this.#checkPieces(kind)
        else this.#pass(kind)
        break
      case LIST:
        this.#countObject()
        this.#checkList(this.size, inside(depth), plainly)
        break
      case DICT:
        this.#countObject()
        this.#checkDict(this.size, inside(depth), plainly)
        break
      case TAG_ITEM:
        if (plainly) throw violation('a tag has no place in the envelope of a message')
        this.#checkTagged(inside(depth))
        break
      case EXTENSION:
        if (plainly) throw violation('an extension has no place in the envelope of a message')
        this.#countObject()
        this.at += this.size
        break
      case BREAK:
        throw violation('a break ends nothing here')
    }
  }

  #checkTagged(depth: number): void {
    let level = depth
    let tag = this.number
    let kind = this.head()
    for (; kind === TAG_ITEM; kind = this.head()) {
      level = inside(level)
      tag = this.number
    }
    const start = this.at
    this.checkRest(kind, level, false)
    // Its digits are calculated when it is transcoded.
    if (kind === BYTES && this.isBignum(tag)) this.values += (this.at - start) >> 2
  }

  /** Skips the text or bytes whose head has been read. */
  #pass(kind: ItemKind): void {
    const start = this.at
    this.at += this.size
    if (kind === TEXT) checkUtf8(this.#bytes, start, this.at)
  }

  #checkPieces(kind: ItemKind): void {
    for (let piece = this.head(); piece !== BREAK; piece = this.head()) {
      if (piece !== kind || this.size === INDEFINITE) throw violation('pieces must be of the kind that they make up')
      this.#pass(kind)
    }
  }

  /** Without recursion, because lists in lists are the cheapest to send and the dearest to check. */
  #checkList(size: number, depth: number, plainly: boolean): void {
    const lefts = this.#lefts
    let level = depth
    let left = size
    for (;;) {
      left = this.#passNumbers(left)
      // Negative for a list without a size, which only a BREAK ends.
      const kind = left === 0 ? BREAK : this.head()
      if (kind === BREAK && left <= 0) {
        if (level === depth) return
        left = lefts[--level] as number
        continue
      }
      left--
      this.values++
      if (kind === LIST) {
        this.#countObject()
        lefts[level] = left
        level = inside(level)
        left = this.size
      } else if (kind > DICT || this.size !== 0 || (kind === DICT && level > MAX_DEPTH)) {
        this.checkRest(kind, level, plainly)
      } else if (kind !== TEXT) this.#countObject()
    }
  }

  /** Skips numbers and literals, of which most long lists are made; returns how many of the items are left. */
  #passNumbers(items: number): number {
    const bytes = this.#bytes
    const { widths } = this.#format
    let at = this.at
    let left = items
    while (left !== 0 && at < bytes.length) {
      const width = widths[bytes[at] as number] as number
      if (width === OTHER_ITEM) break
      at += 1 + width
      left--
    }
    if (at > bytes.length) throw truncated()
    this.at = at
    this.values += items - left
    return left
  }

  #countObject(): void {
    if (++this.#objects > MAX_OBJECTS && this.#objects > this.#bytes.length >> 3) {
      throw violation(`a message may have at most ${MAX_OBJECTS} lists, dictionaries and bytes`)
    }
  }

  #checkDict(size: number, depth: number, plainly: boolean): void {
    const bottom = this.#top
    let many = size > FEW_KEYS ? this.#takeKeySet() : undefined
    // Keys in chunks are compared as text.
    let texts: Set<string> | undefined
    for (let left = size; left !== 0; left--) {
      const start = this.at
      const kind = this.head()
      if (kind === BREAK && size === INDEFINITE) break
      if (kind !== TEXT) throw violation('the keys of a dictionary must be text')
      if (size - left === MAX_KEYS) throw violation(`a dictionary may have at most ${MAX_KEYS} keys`)
      if (!many && this.#top - bottom === FEW_KEYS * 2) many = this.#keysFrom(bottom)
      if (this.size === INDEFINITE || (many && !many.isQuick)) texts ??= (many ?? this.#keysFrom(bottom)).texts()
      if (texts) this.#checkKeyAsText(start, texts)
      else this.#checkKey(bottom, many)
      this.values++
      this.check(depth, plainly)
    }
    this.#top = bottom
    if (many) {
      many.close()
      this.#sets.push(many)
    }
  }

  /** A set for the keys of one dictionary: to make one takes longer than to fill it. */
  #takeKeySet(): KeySet {
    const set = this.#sets.pop() ?? new KeySet()
    set.open(this.#bytes)
    return set
  }

  #checkKey(bottom: number, many: KeySet | undefined): void {
    const start = this.at
    const length = this.size
    this.#pass(TEXT)
    if (length === PROTO.length && this.#isSame(PROTO, 0, start, length)) throw reserved()
    if (many) {
      if (!many.add(start, this.at)) throw repeated()
      return
    }
    for (let i = bottom; i < this.#top; i += 2) {
      if (this.#keys[i + 1] === length && this.#isSame(this.#bytes, this.#keys[i] as number, start, length)) {
        throw repeated()
      }
    }
    this.#keys[this.#top++] = start
    this.#keys[this.#top++] = length
  }

  #checkKeyAsText(start: number, texts: Set<string>): void {
    this.checkRest(TEXT, 1, true)
    this.at = start
    const key = this.value() as string
    if (key === '__proto__') throw reserved()
    if (texts.has(key)) throw repeated()
    texts.add(key)
  }

  #keysFrom(bottom: number): KeySet {
    const keys = this.#takeKeySet()
    for (let i = bottom; i < this.#top; i += 2) {
      const start = this.#keys[i] as number
      keys.add(start, start + (this.#keys[i + 1] as number))
    }
    return keys
  }

  #isSame(bytes: Uint8Array, from: number, start: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (bytes[from + i] !== this.#bytes[start + i]) return false
    return true
  }

  // ---- decoding checked items ----

  value(): unknown {
    return this.valueRest(this.head())
  }

  /** Decodes the value whose head has been read. */
  valueRest(kind: ItemKind): unknown {
    switch (kind) {
      case INTEGER:
      case FLOAT:
        return this.number
      case BIG:
        return this.big
      case TEXT:
        return this.size === INDEFINITE ? this.#joinedText() : this.#text()
      case BYTES:
        return this.size === INDEFINITE ? this.#joined() : this.#copy()
      case EXTENSION:
        return this.#copy()
      case LIST:
        return this.#list(this.size)
      case DICT:
        return this.#dict(this.size)
      case TRUE:
        return true
      case FALSE:
        return false
      case TAG_ITEM:
        return this.#tagged(this.number)
      case UNDEFINED:
        return undefined
      default:
        return null
    }
  }

  /** Text that is likely to recur: returns the same string as last time, which also compares and hashes faster. */
  #name(): string {
    const { size, at } = this
    const bytes = this.#bytes
    if (size > SHORT_TEXT) return this.#text()
    let hash = size
    for (let i = at; i < at + size; i++) hash = (hash * 31 + (bytes[i] as number)) | 0
    const slot = hash & (NAMES - 1)
    const known = cachedNames[slot]
    if (known !== undefined && known.length === size && this.#isText(known, at)) {
      this.at = at + size
      return known
    }
    const name = this.#text()
    cachedNames[slot] = name
    return name
  }

  /** Bytes above 127 equal no character here. */
  #isText(text: string, at: number): boolean {
    for (let i = 0; i < text.length; i++) {
      const code = this.#bytes[at + i] as number
      if (code > 127 || text.charCodeAt(i) !== code) return false
    }
    return true
  }

  #text(): string {
    const bytes = this.#bytes
    const start = this.at
    const end = start + this.size
    this.at = end
    if (this.size > SHORT_TEXT) return textDecoder().decode(bytes.subarray(start, end))
    let text = ''
    let i = start
    for (; i + 4 <= end; i += 4) {
      const [a, b, c, d] = [bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]] as [number, number, number, number]
      if ((a | b | c | d) > 127) return textDecoder().decode(bytes.subarray(start, end))
      text += String.fromCharCode(a, b, c, d)
    }
    for (; i < end; i++) {
      const code = bytes[i] as number
      if (code > 127) return textDecoder().decode(bytes.subarray(start, end))
      text += String.fromCharCode(code)
    }
    return text
  }

  /** Bytes of their own: neither a view of the frame nor an instance of its class. */
  #copy(): Uint8Array {
    const { at, size } = this
    this.at += size
    const copy = new Uint8Array(size)
    // For a few bytes a view costs more than a copy.
    if (size > SHORT_TEXT) copy.set(this.#bytes.subarray(at, this.at))
    else for (let i = 0; i < size; i++) copy[i] = this.#bytes[at + i] as number
    return copy
  }

  #joinedText(): string {
    return textDecoder().decode(this.#joined())
  }

  #joined(): Uint8Array {
    const start = this.at
    let size = 0
    while (this.head() !== BREAK) {
      size += this.size
      this.at += this.size
    }
    const bytes = new Uint8Array(size)
    this.at = start
    for (let at = 0; this.head() !== BREAK; at += this.size) {
      bytes.set(this.#bytes.subarray(this.at, this.at + this.size), at)
      this.at += this.size
    }
    return bytes
  }

  #list(size: number): unknown[] {
    // All items are known to be present. `push` would reserve room for 17 items, and deeply nested lists would fill the memory.
    const list: unknown[] = size === INDEFINITE ? [] : new Array(size)
    for (let i = 0; i !== size; i++) {
      const kind = this.head()
      if (kind === BREAK) break
      list[i] = this.valueRest(kind) ?? null
    }
    return list
  }

  #dict(size: number): Record<string, unknown> {
    const dict: Record<string, unknown> = {}
    for (let left = size; left !== 0; left--) {
      const kind = this.head()
      if (kind === BREAK) break
      const key = this.size === INDEFINITE ? (this.valueRest(kind) as string) : this.#name()
      const value = this.value()
      if (value !== undefined) dict[key] = value
    }
    return dict
  }

  /** Bignums become bigints; any other tag is ignored and its content returned. */
  #tagged(tag: number): unknown {
    const { at } = this
    const kind = this.head()
    if (kind !== BYTES || !this.isBignum(tag)) return this.valueRest(kind)
    this.at = at
    const value = this.bignum(tag)
    return isSayable(value) ? integer(value) : Number(value)
  }

  isBignum(tag: number): boolean {
    return tag === BIGNUM_TAG || tag === NEGATIVE_BIGNUM_TAG
  }

  /** Reads the integer in the next bytes; one with too many digits becomes a value beyond the bound. */
  bignum(tag: number): bigint {
    const bytes = this.value() as Uint8Array
    let first = 0
    while (bytes[first] === 0) first++
    let magnitude = BOUND
    if (bytes.length - first <= MAX_OCTETS) {
      let digits = '0x0'
      for (let i = first; i < bytes.length; i++) digits += OCTETS[bytes[i] as number]
      magnitude = BigInt(digits)
    }
    return tag === BIGNUM_TAG ? magnitude : -1n - magnitude
  }
}

/** One level deeper. */
function inside(depth: number): number {
  if (depth > MAX_DEPTH) throw violation(`a message is nested at most ${MAX_DEPTH} levels deep`)
  return depth + 1
}

function truncated(): WampError {
  return violation('a message ends before its last element')
}

function reserved(): WampError {
  return violation('a dictionary must not have the key __proto__')
}

function repeated(): WampError {
  return violation('a dictionary must not have a key twice')
}
