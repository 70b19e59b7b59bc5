/** Application data of a message: args and kwargs, and, where they came from a wire, the bytes that say them. */

import type { Dict, List } from './options.ts'

/**
 * Where a payload came from: a frame that was checked as a whole. From `start` to `end` (exclusive) it holds the
 * elements of the payload as the wire has them: in JSON `[1,2],{"a":3}`, without the bracket that closes the message;
 * in the binary formats one or two complete items. `count` says how many elements: 1 is args, 2 is args and kwargs.
 */
export interface Source {
  /** Name of the serializer whose bytes these are. */
  readonly serializer: string
  readonly frame: string | Uint8Array
  readonly start: number
  readonly end: number
  readonly count: 1 | 2
  /** Reads such text anew. */
  readonly again?: (text: string) => Payload
  /** Says elements of a binary format in another, to a `Sink` of the serializers. */
  readonly say?: (sink: unknown) => void
  /** Says them in JSON, each behind a comma. */
  readonly inJson?: () => string
}

/**
 * args and kwargs. What came from a wire is kept in its bytes, so that a router passes it on without taking it
 * apart; values are made from bytes when first read, at most once. Absent and empty are told apart, since a router
 * must pass both on as they were sent (Basic Profile, Payload).
 */
export interface Payload {
  readonly args: List | undefined
  readonly kwargs: Dict | undefined
  readonly source?: Source
  /** The same as it may be held for long: in bytes of its own and no more. */
  kept?(): Payload
}

/** A payload that may be held for long: it keeps alive neither the chunk of a network that it came in nor its values. */
export function kept(payload: Payload | undefined): Payload | undefined {
  if (payload?.source?.again) return new KeptText(payload.source as TextSource)
  return payload?.kept?.() ?? payload
}

type TextSource = Source & { readonly frame: string; readonly again: (text: string) => Payload }

/** The text of a payload alone: its values may cost ten times as much, so they are made anew whenever they are read. */
class KeptText implements Payload {
  readonly source: TextSource

  constructor(source: TextSource) {
    const frame = alone(source.frame, source.start, source.end)
    this.source = { ...source, frame, start: 0, end: frame.length }
  }

  get args(): List | undefined {
    return this.source.again(this.source.frame).args
  }

  get kwargs(): Dict | undefined {
    return this.source.again(this.source.frame).kwargs
  }
}

/** A piece of a text that does not keep the rest alive, as a slice would in the engines that only point to it. */
function alone(text: string, start: number, end: number): string {
  const piece = text.slice(start, end)
  // To cut the blank off, the joined text must first be written out.
  return text.length <= 2 * piece.length ? piece : ` ${piece}`.slice(1)
}

/** A payload of values, or none where there is nothing to carry. kwargs without args travel behind an empty list. */
export function payload(args?: List, kwargs?: Dict): Payload | undefined {
  if (kwargs !== undefined) return { args: args ?? [], kwargs }
  return args === undefined ? undefined : { args, kwargs: undefined }
}
