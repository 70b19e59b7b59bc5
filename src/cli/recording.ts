/** Reads a recording of events: lines of JSON, streamed, each checked. */

import type { Uri } from '../protocol/messages.ts'
import type { Dict } from '../protocol/options.ts'
import { isUri } from '../protocol/uri.ts'
import { formatValue, isDict } from '../protocol/validate.ts'
import { Failure, messageOf } from './failure.ts'
import { parseJson } from './json-value.ts'

/** The longest line in bytes; a longer one is not a recording, and reading it would fill the memory. */
const LONGEST_LINE = 64 * 1024 * 1024

export interface RecordedEvent {
  /** For messages: `ticks.jsonl:12`. */
  readonly place: string
  /** Milliseconds since 1970; undefined if the line has no time. */
  readonly time: number | undefined
  readonly topic: Uri
  readonly args: unknown[]
  readonly kwargs: Dict
}

/**
 * Iterates over the events of a recording, without keeping more than a line.
 *
 * @throws Failure for a line that is not an event, with its place
 */
export async function* readRecording(
  input: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<RecordedEvent, void, undefined> {
  let number = 0
  for await (const { bytes, complete } of linesOfBytes(input, name)) {
    number++
    const place = `${name}:${number}`
    const text = decodeLine(bytes, place)
    if (text.trim() === '') continue
    const value = parseLine(text, place)
    if (value === undefined) {
      throw new Failure(
        complete
          ? `${place}: not valid JSON`
          : `${place}: the last line is incomplete: the recording was cut off there`,
      )
    }
    yield eventFrom(value, place)
  }
}

interface ByteLine {
  readonly bytes: Uint8Array
  /** False for a last line without an end. */
  readonly complete: boolean
}

async function* linesOfBytes(
  input: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<ByteLine, void, undefined> {
  let parts: Uint8Array[] = []
  let length = 0
  let lines = 0
  const add = (part: Uint8Array): void => {
    length += part.length
    if (length > LONGEST_LINE) throw new Failure(`${name}:${lines + 1}: a line has at most ${LONGEST_LINE} bytes`)
    if (part.length > 0) parts.push(part)
  }
  const take = (): Uint8Array => {
    const line = Buffer.concat(parts)
    parts = []
    length = 0
    lines++
    return line
  }
  try {
    for await (const chunk of input) {
      let from = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        add(chunk.subarray(from, end))
        from = end + 1
        yield { bytes: take(), complete: true }
      }
      add(chunk.subarray(from))
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`cannot read ${name}: ${messageOf(error)}`)
  }
  if (length > 0) yield { bytes: take(), complete: false }
}

function decodeLine(bytes: Uint8Array, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Failure(`${place}: not valid UTF-8`)
  }
}

function parseLine(text: string, place: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    // Too deep for the stack.
    throw new Failure(`${place}: ${messageOf(error)}`)
  }
}

function eventFrom(value: unknown, place: string): RecordedEvent {
  const wrong = (claim: string, got: unknown): Failure => new Failure(`${place}: ${claim}, got ${formatValue(got)}`)
  if (!isDict(value)) throw wrong('a line must be an object such as {"time":...,"topic":...,"args":[...]}', value)
  const { time, topic, args = [], kwargs = {} } = value
  if (typeof topic !== 'string' || !isUri(topic)) throw wrong('"topic" must be a URI', topic)
  if (!Array.isArray(args)) throw wrong('"args" must be a list', args)
  if (!isDict(kwargs)) throw wrong('"kwargs" must be an object', kwargs)
  const moment = typeof time === 'number' ? time : Date.parse(String(time))
  if (time !== undefined && !Number.isFinite(moment))
    throw wrong('"time" must be a time such as 2026-05-14T09:30:00.000Z', time)
  return { place, time: time === undefined ? undefined : moment, topic, args, kwargs }
}
