/** The payload of a message: args and kwargs, with the bytes they arrived in if they came over a wire. */

import type { Dict, List } from './options.ts'

/**
 * The source of a payload: a frame that was checked as a whole. From `start` to `end` (exclusive) it contains the
 * elements of the payload as sent: in JSON `[1,2],{"a":3}`, without the bracket that closes the message; in the binary
 * formats one or two complete items. `count` is the number of elements: 1 for args, 2 for args and kwargs.
 */
export interface PayloadSource {
  /** Name of the serializer of these bytes. */
  readonly serializer: string
  readonly frame: string | Uint8Array
  readonly start: number
  readonly end: number
  readonly count: 1 | 2
  /** The number of values, if they have been counted. */
  readonly values?: number
  /** Parses such text again. */
  readonly reparse?: (text: string) => Payload
  /** Transcodes elements of a binary format, to a `Sink` of the serializers. */
  readonly transcode?: (sink: unknown) => void
  /** Transcodes them to JSON, each after a comma. */
  readonly inJson?: () => string
}

/**
 * args and kwargs. A payload from a wire stays in its bytes, so that a router passes it on without decoding it; values
 * are decoded when first read, at most once. Absent and empty are different, because a router must pass both on as they
 * were sent (Basic Profile, Payload).
 */
export interface Payload {
  readonly args: List | undefined
  readonly kwargs: Dict | undefined
  readonly source?: PayloadSource
  /** The same payload for long storage: only bytes of its own. */
  kept?(): Payload
}

/** A payload for long storage: it keeps neither the network chunk it arrived in nor decoded values alive. */
export function kept(payload: Payload | undefined): Payload | undefined {
  if (payload?.source?.reparse) return new KeptText(payload.source as TextSource)
  return payload?.kept?.() ?? payload
}

type TextSource = PayloadSource & { readonly frame: string; readonly reparse: (text: string) => Payload }

/** Only the text of a payload: values may take ten times the memory, so they are parsed each time they are read. */
class KeptText implements Payload {
  readonly source: TextSource

  constructor(source: TextSource) {
    const frame = alone(source.frame, source.start, source.end)
    this.source = { ...source, frame, start: 0, end: frame.length }
  }

  get args(): List | undefined {
    return this.source.reparse(this.source.frame).args
  }

  get kwargs(): Dict | undefined {
    return this.source.reparse(this.source.frame).kwargs
  }
}

/** Copies a piece of a string. In some engines a slice would keep the whole string alive. */
function alone(text: string, start: number, end: number): string {
  const piece = text.slice(start, end)
  // Cutting off the blank forces the engine to flatten the joined string.
  return text.length <= 1.25 * piece.length ? piece : ` ${piece}`.slice(1)
}

/** A payload of values; undefined if there is nothing to carry. kwargs without args follow an empty list. */
export function payload(args?: List, kwargs?: Dict): Payload | undefined {
  if (kwargs !== undefined) return { args: args ?? [], kwargs }
  return args === undefined ? undefined : { args, kwargs: undefined }
}
