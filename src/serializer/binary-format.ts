/** The contract of a binary format: how it encodes the heads of items, and small values. */

import type { BYTES, Cursor, DICT, ItemKind, LIST, TEXT } from './cursor.ts'
import type { Writer } from './writer.ts'

export interface Format {
  readonly name: string
  /** The octet of an empty list. */
  readonly emptyList: number
  /** Reads the head of the next item; returns its kind and leaves its size or value in the cursor. */
  readHead(cursor: Cursor): ItemKind
  /** Writes an integer from -2^53 to 2^53. */
  writeInteger(writer: Writer, value: number): void
  /** Writes an integer beyond 2^53; false if the format cannot. `plainly`: without a tag, as in an envelope. */
  writeBig(writer: Writer, value: bigint, plainly: boolean): boolean
  writeFloat(writer: Writer, value: number): void
  /** Writes the head of an item with a size. */
  writeHead(writer: Writer, kind: typeof TEXT | typeof BYTES | typeof LIST | typeof DICT, size: number): void
  writeSimple(writer: Writer, value: boolean | null): void
}
