/** WAMP in CBOR (RFC 8949). */

import { violation } from '../protocol/error.ts'
import { isSayable } from '../protocol/integer-limit.ts'
import { type Format, widthsOf } from './binary-format.ts'
import { binary } from './binary-serializer.ts'
import {
  BREAK,
  BYTES,
  type Cursor,
  DICT,
  FALSE,
  INTEGER,
  type ItemKind,
  LIST,
  NULL,
  TAG_ITEM,
  TEXT,
  TRUE,
  UNDEFINED,
} from './cursor.ts'
import type { Serializer } from './serializer.ts'
import type { Writer } from './writer.ts'

// Major types, in the upper three bits (RFC 8949, section 3.1); the lower five are the argument or its size.
const UNSIGNED = 0
const NEGATIVE = 1
const MAJOR_TAG = 6
const SIMPLE = 7
const KINDS = [INTEGER, INTEGER, BYTES, TEXT, LIST, DICT] as const
const MAJORS = { [BYTES]: 2, [TEXT]: 3, [LIST]: 4, [DICT]: 5 } as const
const POSITIVE_BIGNUM = 0xc2
const NEGATIVE_BIGNUM = 0xc3

const cborFormat: Format = {
  name: 'cbor',
  emptyList: 0x80,
  widths: widthsOf(
    [0x00, 0x17, 0],
    [0x18, 0x18, 1],
    [0x19, 0x19, 2],
    [0x1a, 0x1a, 4],
    [0x1b, 0x1b, 8],
    [0x20, 0x37, 0],
    [0x38, 0x38, 1],
    [0x39, 0x39, 2],
    [0x3a, 0x3a, 4],
    [0x3b, 0x3b, 8],
    [0xf4, 0xf6, 0],
    [0xf9, 0xf9, 2],
    [0xfa, 0xfa, 4],
    [0xfb, 0xfb, 8],
  ),

  readHead(cursor) {
    const first = cursor.u8()
    const major = first >> 5
    const minor = first & 31
    if (major === SIMPLE) return readSimple(cursor, minor)
    if (minor === 31 && major >= 2 && major < MAJOR_TAG) return cursor.unsized(KINDS[major] as ItemKind)
    const argument = readArgument(cursor, minor)
    if (major === UNSIGNED) return argument
    if (major === NEGATIVE) return cursor.complement(argument)
    if (major === MAJOR_TAG) {
      // No tag of this size has a meaning here.
      if (argument !== INTEGER) cursor.integer(-1)
      return TAG_ITEM
    }
    return cursor.sized(KINDS[major] as ItemKind, argument === INTEGER ? cursor.number : Number.POSITIVE_INFINITY)
  },

  writeInteger(writer, value) {
    if (value >= 0) writeArgument(writer, UNSIGNED, value)
    else writeArgument(writer, NEGATIVE, -1 - value)
  },

  writeBig(writer, value, plainly) {
    const magnitude = value < 0n ? -1n - value : value
    if (magnitude >> 64n === 0n) {
      writer.u8(((value < 0n ? NEGATIVE : UNSIGNED) << 5) | 27)
      writer.u64(magnitude)
      return true
    }
    if (plainly || !isSayable(value)) return false
    const digits = magnitude.toString(16)
    const even = digits.length % 2 === 0 ? digits : `0${digits}`
    const bytes = new Uint8Array(even.length / 2)
    for (let i = 0; i < bytes.length; i++) bytes[i] = hexAt(even, i * 2) * 16 + hexAt(even, i * 2 + 1)
    writer.u8(value < 0n ? NEGATIVE_BIGNUM : POSITIVE_BIGNUM)
    writer.octets(bytes, 0, bytes.length)
    return true
  },

  writeFloat(writer, value) {
    writer.u8((SIMPLE << 5) | 27)
    writer.f64(value)
  },

  writeHead(writer, kind, size) {
    writeArgument(writer, MAJORS[kind], size)
  },

  writeSimple(writer, value) {
    writer.u8((SIMPLE << 5) | (value === null ? 22 : value ? 21 : 20))
  },
}

export const cbor: Serializer = binary(cborFormat)

/** The value of a lower case hexadecimal digit. */
function hexAt(digits: string, at: number): number {
  const code = digits.charCodeAt(at)
  return code < 97 ? code - 48 : code - 87
}

function readArgument(cursor: Cursor, minor: number): ItemKind {
  if (minor < 24) return cursor.integer(minor)
  switch (minor) {
    case 24:
      return cursor.integer(cursor.u8())
    case 25:
      return cursor.integer(cursor.u16())
    case 26:
      return cursor.integer(cursor.u32())
    case 27:
      return cursor.u64()
    default:
      throw violation('a message must be well-formed CBOR')
  }
}

function readSimple(cursor: Cursor, minor: number): ItemKind {
  switch (minor) {
    case 20:
      return FALSE
    case 21:
      return TRUE
    case 22:
      return NULL
    case 23:
      return UNDEFINED
    case 25:
      return cursor.float16()
    case 26:
      return cursor.float32()
    case 27:
      return cursor.float64()
    case 31:
      return BREAK
    default:
      // The other simple values are unassigned and have no JavaScript counterpart.
      throw violation(`a message must not hold the simple value ${minor} of CBOR`)
  }
}

function writeArgument(writer: Writer, major: number, value: number): void {
  const type = major << 5
  if (value < 24) writer.u8(type | value)
  else if (value < 0x100) {
    writer.u8(type | 24)
    writer.u8(value)
  } else if (value < 0x10000) {
    writer.u8(type | 25)
    writer.u16(value)
  } else if (value < 0x100000000) {
    writer.u8(type | 26)
    writer.u32(value)
  } else {
    writer.u8(type | 27)
    writer.u32(Math.floor(value / 0x100000000))
    writer.u32(value % 0x100000000)
  }
}
