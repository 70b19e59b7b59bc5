/** The contract of a binary format: how it encodes the heads of items, and small values. */

import type { BYTES, Cursor, DICT, ItemKind, LIST, TEXT } from './cursor.ts'
import type { Writer } from './writer.ts'

export const OTHER_ITEM = 255

/** A table of `widths`, from ranges of first octets. */
export function widthsOf(...ranges: readonly (readonly [first: number, last: number, width: number])[]): Uint8Array {
  const widths = new Uint8Array(256).fill(OTHER_ITEM)
  for (const [first, last, width] of ranges) widths.fill(width, first, last + 1)
  return widths
}

export interface Format {
  readonly name: string
  /** The octet of an empty list. */
  readonly emptyList: number
  /** By the first octet of a number or literal, how many octets follow it; OTHER_ITEM for other items. */
  readonly widths: Uint8Array
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
