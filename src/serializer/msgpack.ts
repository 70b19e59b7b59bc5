/** WAMP in MessagePack. */

import { violation } from '../protocol/error.ts'
import { type Format, widthsOf } from './binary-format.ts'
import { binary } from './binary-serializer.ts'
import {
  BYTES,
  type Cursor,
  DICT,
  EXTENSION,
  FALSE,
  type ItemKind,
  LIST,
  NULL,
  TEXT,
  TRUE,
  UNDEFINED,
} from './cursor.ts'
import type { Serializer } from './serializer.ts'

const MAX_U64 = 2n ** 64n - 1n
const MIN_I64 = -(2n ** 63n)

const msgpackFormat: Format = {
  name: 'msgpack',
  emptyList: 0x90,
  widths: widthsOf(
    [0x00, 0x7f, 0],
    [0xe0, 0xff, 0],
    [0xc0, 0xc0, 0],
    [0xc2, 0xc3, 0],
    [0xca, 0xca, 4],
    [0xcb, 0xcb, 8],
    [0xcc, 0xcc, 1],
    [0xcd, 0xcd, 2],
    [0xce, 0xce, 4],
    [0xcf, 0xcf, 8],
    [0xd0, 0xd0, 1],
    [0xd1, 0xd1, 2],
    [0xd2, 0xd2, 4],
    [0xd3, 0xd3, 8],
  ),

  readHead(cursor) {
    const first = cursor.u8()
    if (first < 0x80) return cursor.integer(first)
    if (first < 0x90) return cursor.sized(DICT, first & 15)
    if (first < 0xa0) return cursor.sized(LIST, first & 15)
    if (first < 0xc0) return cursor.sized(TEXT, first & 31)
    if (first >= 0xe0) return cursor.integer(first - 0x100)
    return readByName(cursor, first)
  },

  writeInteger(writer, value) {
    if (value >= 0) {
      if (value < 0x80) writer.u8(value)
      else if (value < 0x100) {
        writer.u8(0xcc)
        writer.u8(value)
      } else if (value < 0x10000) {
        writer.u8(0xcd)
        writer.u16(value)
      } else if (value < 0x100000000) {
        writer.u8(0xce)
        writer.u32(value)
      } else {
        writer.u8(0xcf)
        writer.u32(Math.floor(value / 0x100000000))
        writer.u32(value % 0x100000000)
      }
    } else if (value >= -0x20) writer.u8(value)
    else if (value >= -0x80) {
      writer.u8(0xd0)
      writer.u8(value)
    } else if (value >= -0x8000) {
      writer.u8(0xd1)
      writer.u16(value)
    } else if (value >= -0x80000000) {
      writer.u8(0xd2)
      writer.u32(value)
    } else {
      writer.u8(0xd3)
      writer.u64(BigInt(value))
    }
  },

  writeBig(writer, value) {
    if (value > MAX_U64 || value < MIN_I64) return false
    writer.u8(value < 0n ? 0xd3 : 0xcf)
    writer.u64(value)
    return true
  },

  writeFloat(writer, value) {
    writer.u8(0xcb)
    writer.f64(value)
  },

  writeHead(writer, kind, size) {
    const { fixed, below, u8, u16, u32 } = HEADS[kind]
    if (size < below) writer.u8(fixed | size)
    else if (u8 && size < 0x100) {
      writer.u8(u8)
      writer.u8(size)
    } else if (size < 0x10000) {
      writer.u8(u16)
      writer.u16(size)
    } else {
      writer.u8(u32)
      writer.u32(size)
    }
  },

  writeSimple(writer, value) {
    writer.u8(value === null ? 0xc0 : value ? 0xc3 : 0xc2)
  },
}

/** The first byte of each kind's head: sizes below a bound are in that byte, others follow it. 0: the kind has no such form. */
const HEADS = {
  [TEXT]: { fixed: 0xa0, below: 32, u8: 0xd9, u16: 0xda, u32: 0xdb },
  [BYTES]: { fixed: 0, below: 0, u8: 0xc4, u16: 0xc5, u32: 0xc6 },
  [LIST]: { fixed: 0x90, below: 16, u8: 0, u16: 0xdc, u32: 0xdd },
  [DICT]: { fixed: 0x80, below: 16, u8: 0, u16: 0xde, u32: 0xdf },
}

export const msgpack: Serializer = binary(msgpackFormat)

function readByName(cursor: Cursor, first: number): ItemKind {
  switch (first) {
    case 0xc0:
      return NULL
    case 0xc2:
      return FALSE
    case 0xc3:
      return TRUE
    case 0xc4:
      return cursor.sized(BYTES, cursor.u8())
    case 0xc5:
      return cursor.sized(BYTES, cursor.u16())
    case 0xc6:
      return cursor.sized(BYTES, cursor.u32())
    case 0xc7:
      return readExtension(cursor, cursor.u8())
    case 0xc8:
      return readExtension(cursor, cursor.u16())
    case 0xc9:
      return readExtension(cursor, cursor.u32())
    case 0xca:
      return cursor.float32()
    case 0xcb:
      return cursor.float64()
    case 0xcc:
      return cursor.integer(cursor.u8())
    case 0xcd:
      return cursor.integer(cursor.u16())
    case 0xce:
      return cursor.integer(cursor.u32())
    case 0xcf:
      return cursor.u64()
    case 0xd0:
      return cursor.integer((cursor.u8() << 24) >> 24)
    case 0xd1:
      return cursor.integer((cursor.u16() << 16) >> 16)
    case 0xd2:
      return cursor.integer(cursor.u32() | 0)
    case 0xd3:
      return cursor.i64()
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return readExtension(cursor, 1 << (first - 0xd4))
    case 0xd9:
      return cursor.sized(TEXT, cursor.u8())
    case 0xda:
      return cursor.sized(TEXT, cursor.u16())
    case 0xdb:
      return cursor.sized(TEXT, cursor.u32())
    case 0xdc:
      return cursor.sized(LIST, cursor.u16())
    case 0xdd:
      return cursor.sized(LIST, cursor.u32())
    case 0xde:
      return cursor.sized(DICT, cursor.u16())
    case 0xdf:
      return cursor.sized(DICT, cursor.u32())
    default:
      throw violation('a message must not hold the byte 0xc1, which MessagePack never uses')
  }
}

/** The type of an extension stands between its size and its data; applications receive the data as bytes. */
function readExtension(cursor: Cursor, size: number): ItemKind {
  const type = cursor.u8()
  const kind = cursor.sized(EXTENSION, size)
  // `d4 00 00` is how msgpackr and msgpack-lite, and so wampy.js, write undefined.
  if (type !== 0 || size !== 1 || cursor.peek() !== 0) return kind
  cursor.u8()
  return UNDEFINED
}
