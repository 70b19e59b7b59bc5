/** Event history: what was published to the topics that the router is told to remember, oldest first. */

import { usage } from '../../protocol/error.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { LIMIT } from '../../protocol/option-rules.ts'
import type { MatchPolicy, WireEventDetails } from '../../protocol/options.ts'
import type { Payload } from '../../protocol/payload.ts'
import { formatValue } from '../../protocol/validate.ts'
import { checkPatterns } from '../match/pattern-options.ts'
import { weightOf } from '../member/payload-size.ts'
import type { RoleLists } from './audience.ts'

/** An event as a history keeps it. */
export interface HistoryEvent {
  /** When the router published it, in milliseconds since 1970. Neither unique nor always growing: clocks are set. */
  readonly time: number
  readonly publication: Id
  readonly topic: Uri
  /** As its subscribers were sent them. */
  readonly details: WireEventDetails
  readonly payload: Payload | undefined
  /** Who may read it, as its publisher said. */
  readonly lists: RoleLists
}

/** What of a history is asked for. All that is given must hold; publications are placed by their arrival, not by their ids. */
export interface HistoryQuery {
  /** Newest first. */
  readonly reverse: boolean
  /** How many at most; never more than 16,384, for more do not fit into one answer. */
  readonly limit: number
  readonly fromTime: number | undefined
  readonly afterTime: number | undefined
  readonly beforeTime: number | undefined
  readonly untilTime: number | undefined
  readonly topic: Uri | undefined
  readonly fromPublication: Id | undefined
  readonly afterPublication: Id | undefined
  readonly beforePublication: Id | undefined
  readonly untilPublication: Id | undefined
  /** Whether who asks may read an event; what he may not does not count against the limit. */
  visible(event: HistoryEvent): boolean
}

/**
 * Where a history is kept: in memory, or wherever an implementation of yours puts it. One that fails harms nobody: an
 * event that it does not take is counted in `dropped.history`, and who reads is answered with an ERROR.
 */
export interface HistoryStore {
  /** Events that are kept, as far as it is known. */
  readonly size: number
  /**
   * Called for each event in the order of arrival, in the path of the publication: it must not hold that up. One that
   * writes later gives back a promise, so that a failure is counted.
   */
  add(event: HistoryEvent): void
  /**
   * What the query asks for, in its order: `select` does it for who has all events at hand. Who asks waits for the
   * promise, until the timeout of the call or until it is canceled.
   */
  read(query: HistoryQuery): readonly HistoryEvent[] | PromiseLike<readonly HistoryEvent[]>
}

/** One topic, or a pattern of topics, to remember the events of. */
export interface HistoryOptions {
  readonly uri: Uri
  /** Default `exact`. */
  readonly match?: MatchPolicy | undefined
  /** How many events are kept, the newest. */
  readonly limit: number
  /** Bytes of their payloads that are kept in memory. Default 64 MiB. */
  readonly bytes?: number | undefined
  /** Makes the store of one realm, in place of the one in memory. */
  readonly store?: ((realm: Uri) => HistoryStore) | undefined
}

const BYTES = 64 * 2 ** 20

export class MemoryHistory implements HistoryStore {
  readonly #limit: number
  readonly #bytes: number
  #events: (HistoryEvent | undefined)[] = []
  /** What was forgotten of the array, until that is worth a copy. */
  #first = 0
  #weight = 0

  constructor(limit: number, bytes = BYTES) {
    this.#limit = limit
    this.#bytes = bytes
  }

  get size(): number {
    return this.#events.length - this.#first
  }

  add(event: HistoryEvent): void {
    this.#events.push(event)
    this.#weight += weightOfEvent(event)
    while (this.size > this.#limit || this.#weight > this.#bytes) this.#forget()
    if (this.#first > this.size) {
      this.#events = this.#events.slice(this.#first)
      this.#first = 0
    }
  }

  read(query: HistoryQuery): HistoryEvent[] {
    return select(this.#events.slice(this.#first) as HistoryEvent[], query)
  }

  #forget(): void {
    const at = this.#first++
    this.#weight -= weightOfEvent(this.#events[at] as HistoryEvent)
    // The array outlives its head.
    this.#events[at] = undefined
  }
}

function weightOfEvent({ topic, details, payload, lists }: HistoryEvent): number {
  return weightOf(payload, topic, details, lists)
}

/**
 * What a query asks for, of all the events of a history in the order of their arrival. A publication that is not among
 * them counts as older than all: most likely it was forgotten.
 */
export function select(events: readonly HistoryEvent[], query: HistoryQuery): HistoryEvent[] {
  const place = (id: Id): number => events.findIndex(({ publication }) => publication === id)
  const { fromPublication, afterPublication, beforePublication, untilPublication } = query
  let first = 0
  let end = events.length
  if (fromPublication !== undefined) first = Math.max(first, place(fromPublication))
  if (afterPublication !== undefined) first = Math.max(first, place(afterPublication) + 1)
  if (beforePublication !== undefined) end = Math.min(end, place(beforePublication))
  if (untilPublication !== undefined) end = Math.min(end, place(untilPublication) + 1)
  const found: HistoryEvent[] = []
  for (let i = 0; i < end - first && found.length < query.limit; i++) {
    const event = events[query.reverse ? end - 1 - i : first + i] as HistoryEvent
    if (inTime(event, query) && (query.topic ?? event.topic) === event.topic && query.visible(event)) found.push(event)
  }
  return found
}

function inTime({ time }: HistoryEvent, { fromTime, afterTime, beforeTime, untilTime }: HistoryQuery): boolean {
  return (
    (fromTime === undefined || time >= fromTime) &&
    (afterTime === undefined || time > afterTime) &&
    (beforeTime === undefined || time < beforeTime) &&
    (untilTime === undefined || time <= untilTime)
  )
}

/** The store behind one subscription, which may be anybody's: whatever it does, events go on and questions are answered. */
export class History {
  readonly #store: HistoryStore
  readonly #failed: () => void

  /** `failed` hears of each event that was not taken. */
  constructor(store: HistoryStore, failed: () => void) {
    this.#store = store
    this.#failed = failed
  }

  get size(): number {
    try {
      const { size } = this.#store
      return Number.isSafeInteger(size) && size > 0 ? size : 0
    } catch {
      return 0
    }
  }

  add(event: HistoryEvent): void {
    try {
      const written: unknown = this.#store.add(event)
      if (written !== undefined) Promise.resolve(written).catch(this.#failed)
    } catch {
      // It must not stop the event on its way to those who listen.
      this.#failed()
    }
  }

  /** At once where the store has it at hand. */
  read(query: HistoryQuery): readonly HistoryEvent[] | Promise<readonly HistoryEvent[]> {
    const found: unknown = this.#store.read(query)
    return Array.isArray(found) ? bounded(found, query) : Promise.resolve(found).then((list) => bounded(list, query))
  }
}

/** What a store found. One of somebody else's may have forgotten to look who asks, or how much. */
function bounded(found: unknown, { limit, visible }: HistoryQuery): readonly HistoryEvent[] {
  if (!Array.isArray(found))
    throw new Error(`the store of this history gave back ${formatValue(found)} for a list of events`)
  return (found as HistoryEvent[]).filter(visible).slice(0, limit)
}

/** The history of one entry of the router's option. */
export function opened({ uri, limit, bytes, store }: HistoryOptions, realm: Uri, failed: () => void): History {
  if (!store) return new History(new MemoryHistory(limit, bytes), failed)
  let made: unknown
  try {
    made = store(realm)
  } catch (error) {
    throw usage(`history: the store of ${formatValue(uri)} cannot be made: ${String(error)}`, error)
  }
  const { add, read } = Object(made) as Partial<HistoryStore>
  if (typeof add === 'function' && typeof read === 'function') return new History(made as HistoryStore, failed)
  throw usage(`history: the store of ${formatValue(uri)} must have the methods add and read`)
}

/** @throws WampError `wampy.error.usage` for an option `history` that cannot be */
export function checkHistory(history: unknown, strict: boolean): void {
  checkPatterns('history', 'topic', history, strict, {
    bytes: LIMIT,
    store: ['a function that makes a store', (value) => typeof value === 'function'],
  })
}
