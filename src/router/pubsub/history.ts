/** Event history: the stored publications of the topics in the option `history`, oldest first. */

import { usage } from '../../protocol/error.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { LIMIT } from '../../protocol/option-rules.ts'
import type { MatchPolicy, WireEventDetails } from '../../protocol/options.ts'
import type { Payload } from '../../protocol/payload.ts'
import { formatValue } from '../../protocol/validate.ts'
import { checkPatterns } from '../match/pattern-options.ts'
import type { Consumer, Ledger } from '../member/ledger.ts'
import { weightOf } from '../member/payload-size.ts'
import type { RoleLists } from './audience.ts'

/** A stored event. */
export interface HistoryEvent {
  /** Time of publication in milliseconds since 1970. Neither unique nor monotonic: clocks are adjusted. */
  readonly time: number
  readonly publication: Id
  readonly topic: Uri
  /** The details that its subscribers received. */
  readonly details: WireEventDetails
  readonly payload: Payload | undefined
  /** The readers that its publisher allows. */
  readonly lists: RoleLists
}

/** A query of a history. All given conditions apply; publications are ordered by arrival, not by id. */
export interface HistoryQuery {
  /** Newest first. */
  readonly reverse: boolean
  /** The greatest number of events; at most 16,384, because more do not fit into one answer. */
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
  /** True if the reader may read an event; other events do not count against the limit. */
  visible(event: HistoryEvent): boolean
}

/**
 * The store of a history: in memory, or a custom one. A failing store harms nobody: an event that it fails to store is
 * counted in `dropped.history`, and a reader receives an ERROR.
 */
export interface HistoryStore {
  /** The number of stored events, if known. */
  readonly size: number
  /**
   * Stores an event. Called in order of arrival, in the path of the publication, which it must not delay. A store that
   * writes asynchronously returns a promise, so that a failure is counted.
   */
  add(event: HistoryEvent): void
  /**
   * Returns the events of a query, in its order; `select` does this for a store with all events in memory. The reader
   * waits for a promise until its call times out or is canceled.
   */
  read(query: HistoryQuery): readonly HistoryEvent[] | PromiseLike<readonly HistoryEvent[]>
}

/** A topic, or a pattern of topics, with a history. */
export interface HistoryOptions {
  readonly uri: Uri
  /** Default `exact`. */
  readonly match?: MatchPolicy | undefined
  /** The number of events to keep; the newest ones are kept. */
  readonly limit: number
  /** Bytes of payloads to keep in memory. Default 64 MiB. */
  readonly bytes?: number | undefined
  /** Creates the store of a realm, instead of the one in memory. */
  readonly store?: ((realm: Uri) => HistoryStore) | undefined
}

const DEFAULT_HISTORY_BYTES = 64 * 2 ** 20

/** The newest events within two limits, oldest first. */
class BoundedEvents {
  readonly #limit: number
  readonly #bytes: number
  readonly #changed: (bytes: number) => void
  #events: (HistoryEvent | undefined)[] = []
  /** The number of discarded events at the head of the array, until a copy is worthwhile. */
  #first = 0
  weight = 0

  /** `changed` is called with each change of the weight. */
  constructor(limit: number, bytes = DEFAULT_HISTORY_BYTES, changed: (bytes: number) => void = () => {}) {
    this.#limit = limit
    this.#bytes = bytes
    this.#changed = changed
  }

  get size(): number {
    return this.#events.length - this.#first
  }

  add(event: HistoryEvent): void {
    this.#events.push(event)
    this.#weigh(weightOfEvent(event))
    while (this.size > this.#limit || this.weight > this.#bytes) this.forget()
    if (this.#first > this.size) {
      this.#events = this.#events.slice(this.#first)
      this.#first = 0
    }
  }

  read(query: HistoryQuery): HistoryEvent[] {
    return select(this.#events.slice(this.#first) as HistoryEvent[], query)
  }

  /** Discards the oldest event. */
  forget(): void {
    const at = this.#first++
    this.#weigh(-weightOfEvent(this.#events[at] as HistoryEvent))
    // The array still refers to discarded events.
    this.#events[at] = undefined
  }

  #weigh(bytes: number): void {
    this.weight += bytes
    this.#changed(bytes)
  }
}

export class MemoryHistory implements HistoryStore {
  readonly #events: BoundedEvents

  constructor(limit: number, bytes?: number) {
    this.#events = new BoundedEvents(limit, bytes)
  }

  get size(): number {
    return this.#events.size
  }

  add(event: HistoryEvent): void {
    this.#events.add(event)
  }

  read(query: HistoryQuery): HistoryEvent[] {
    return this.#events.read(query)
  }
}

/** The router's own store, which counts in its ledger. */
class CountedHistory implements HistoryStore, Consumer {
  readonly #events: BoundedEvents
  readonly #shed: () => void

  /** `shed` is called for each event that is discarded because the router's bytes exceed their limit. */
  constructor(limit: number, bytes: number | undefined, ledger: Ledger, shed: () => void) {
    this.#events = new BoundedEvents(limit, bytes, (change) => ledger.change('histories', change))
    this.#shed = shed
    ledger.add(this)
  }

  get size(): number {
    return this.#events.size
  }

  add(event: HistoryEvent): void {
    this.#events.add(event)
  }

  read(query: HistoryQuery): HistoryEvent[] {
    return this.#events.read(query)
  }

  measure(): number {
    return this.#events.weight
  }

  /** Discards the oldest events. */
  shed(bytes: number): number {
    const before = this.#events.weight
    while (this.size > 0 && before - this.#events.weight < bytes) {
      this.#events.forget()
      this.#shed()
    }
    return before - this.#events.weight
  }
}

function weightOfEvent({ topic, details, payload, lists }: HistoryEvent): number {
  return weightOf(payload, topic, details, lists)
}

/**
 * Selects the events of a query from all events of a history in order of arrival. An unknown publication counts as older
 * than all of them, since it was most likely discarded.
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

/** The store of one subscription, guarded: whatever a custom store does, events are delivered and queries answered. */
export class History {
  readonly #store: HistoryStore
  readonly #failed: () => void

  /** `failed` is called for each event that was not stored. */
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
      // A failure must not stop the delivery of the event.
      this.#failed()
    }
  }

  /** Synchronous if the store is. */
  read(query: HistoryQuery): readonly HistoryEvent[] | Promise<readonly HistoryEvent[]> {
    const found: unknown = this.#store.read(query)
    return Array.isArray(found)
      ? visiblePage(found, query)
      : Promise.resolve(found).then((list) => visiblePage(list, query))
  }
}

/** Checks the events that a store returned: a custom one may have ignored the reader or the limit. */
function visiblePage(found: unknown, { limit, visible }: HistoryQuery): readonly HistoryEvent[] {
  if (!Array.isArray(found))
    throw new Error(`the store of this history must return a list of events, got ${formatValue(found)}`)
  return (found as HistoryEvent[]).filter(visible).slice(0, limit)
}

/** Opens the history of one entry of the router's option. */
export function openHistory(
  { uri, limit, bytes, store }: HistoryOptions,
  realm: Uri,
  ledger: Ledger,
  failed: () => void,
  shed: () => void,
): History {
  if (!store) return new History(new CountedHistory(limit, bytes, ledger, shed), failed)
  let made: unknown
  try {
    made = store(realm)
  } catch (error) {
    throw usage(`history: the store of ${formatValue(uri)} cannot be created: ${String(error)}`, error)
  }
  const { add, read } = Object(made) as Partial<HistoryStore>
  if (typeof add === 'function' && typeof read === 'function') return new History(made as HistoryStore, failed)
  throw usage(`history: the store of ${formatValue(uri)} must have the methods add and read`)
}

/** @throws WampError `wampy.error.usage` for an invalid option `history` */
export function checkHistory(history: unknown, strict: boolean): void {
  checkPatterns('history', 'topic', history, strict, {
    bytes: LIMIT,
    store: ['a function that creates a store', (value) => typeof value === 'function'],
  })
}
