/** What a binary format is made of: how it says heads, and small values, in bytes. */

import type { BYTES, Cursor, DICT, Kind, LIST, TEXT } from './cursor.ts'
import type { Writer } from './writer.ts'

export interface Format {
  readonly name: string
  /** The octet of a list without items. */
  readonly emptyList: number
  /** Reads the head of the next item: its kind, and into the cursor what there is to know about it. */
  readHead(cursor: Cursor): Kind
  /** Writes a whole number, at most 2^53 either way. */
  writeInteger(writer: Writer, value: number): void
  /** Writes a whole number beyond 2^53, or says that the format cannot; `plainly`: without a tag, as in an envelope. */
  writeBig(writer: Writer, value: bigint, plainly: boolean): boolean
  writeFloat(writer: Writer, value: number): void
  /** Writes the head of something with a size. */
  writeHead(writer: Writer, kind: typeof TEXT | typeof BYTES | typeof LIST | typeof DICT, size: number): void
  writeSimple(writer: Writer, value: boolean | null): void
}
