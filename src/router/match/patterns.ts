/** The index of subscriptions or registrations by URI, shared by broker and dealer. */

import type { Id, Uri } from '../../protocol/messages.ts'
import type { MatchPolicy } from '../../protocol/options.ts'
import { Prefixes } from './prefixes.ts'
import { Wildcards } from './wildcards.ts'

/** A record of the index. The same URI with another match policy is another record. */
export interface Pattern {
  readonly id: Id
  readonly uri: Uri
  readonly match: MatchPolicy
}

const NO_MATCHES: readonly never[] = []

// Bounds of the memo, whose URIs are chosen by peers: their number, their length, and their matches.
const CACHED_URIS = 1024
const CACHED_CHARACTERS = 256
const CACHED_MATCHES = 64

export class Patterns<Found extends Pattern> {
  // Each in a list of its own, so that `all` can return it without allocating.
  readonly #exact = new Map<Uri, readonly [Found]>()
  readonly #patterns: Readonly<Record<Exclude<MatchPolicy, 'exact'>, Map<Uri, Found>>> = {
    prefix: new Map(),
    wildcard: new Map(),
  }
  readonly #ids = new Map<Id, Found>()
  readonly #trees = {
    prefix: new Prefixes<Found>(),
    wildcard: new Wildcards<Found>(),
  } satisfies Record<Exclude<MatchPolicy, 'exact'>, object>
  // Answers for recent URIs. Any change of a pattern clears the memo, because it may concern any of them.
  readonly #bestCache = new Map<Uri, Found | undefined>()
  readonly #allCache = new Map<Uri, readonly Found[]>()

  get size(): number {
    return this.#ids.size
  }

  /** The record of exactly this pattern and policy. */
  get(uri: Uri, match: MatchPolicy = 'exact'): Found | undefined {
    if (match === 'exact') return this.#exact.get(uri)?.[0]
    return this.#patterns[match].get(uri)
  }

  find(id: Id): Found | undefined {
    return this.#ids.get(id)
  }

  /** All records of one policy, oldest first. */
  *list(match: MatchPolicy): IterableIterator<Found> {
    if (match === 'exact') for (const [record] of this.#exact.values()) yield record
    else yield* this.#patterns[match].values()
  }

  /**
   * True if adding a wildcard pattern keeps lookups affordable: the number of shapes for each pattern length is limited,
   * because a lookup tries each of them.
   */
  admits(uri: Uri, match: MatchPolicy, shapes: number): boolean {
    return match !== 'wildcard' || this.#trees.wildcard.admits(uri, shapes)
  }

  add(record: Found): void {
    const { id, uri, match } = record
    this.#ids.set(id, record)
    if (match === 'exact') this.#exact.set(uri, [record])
    else {
      this.#patterns[match].set(uri, record)
      this.#trees[match].set(uri, record)
    }
    this.#invalidate(record)
  }

  /** Removes exactly this record, if it is present. */
  delete(record: Found): void {
    const { id, uri, match } = record
    if (!this.#ids.delete(id)) return
    if (match === 'exact') this.#exact.delete(uri)
    else {
      this.#patterns[match].delete(uri)
      this.#trees[match].delete(uri)
    }
    this.#invalidate(record)
  }

  /** The record that serves a call of a procedure: exact, otherwise the longest prefix, otherwise the best wildcard. */
  best(uri: Uri): Found | undefined {
    const exact = this.#exact.get(uri)
    if (exact || this.#onlyExact()) return exact?.[0]
    const cached = this.#bestCache.get(uri)
    if (cached !== undefined || this.#bestCache.has(uri)) return cached
    const found = this.#trees.prefix.longest(uri) ?? this.#trees.wildcard.best(uri)
    if (uri.length <= CACHED_CHARACTERS) {
      if (this.#bestCache.size === CACHED_URIS) this.#bestCache.clear()
      this.#bestCache.set(uri, found)
    }
    return found
  }

  /** All records that match a topic, in the order of preference of `best`. */
  all(uri: Uri): readonly Found[] {
    if (this.#onlyExact()) return this.#exact.get(uri) ?? NO_MATCHES
    const cached = this.#allCache.get(uri)
    if (cached) return cached
    const found = this.#collect(uri)
    if (uri.length <= CACHED_CHARACTERS && found.length <= CACHED_MATCHES) {
      if (this.#allCache.size === CACHED_URIS) this.#allCache.clear()
      this.#allCache.set(uri, found)
    }
    return found
  }

  /** The number of tree nodes and memoized answers; 1 when the index is empty. */
  get weight(): number {
    return this.#trees.prefix.nodes + this.#trees.wildcard.nodes + this.#bestCache.size + this.#allCache.size
  }

  #onlyExact(): boolean {
    return this.#patterns.prefix.size === 0 && this.#patterns.wildcard.size === 0
  }

  #collect(uri: Uri): readonly Found[] {
    const exact = this.#exact.get(uri)
    const found: Found[] = exact ? [exact[0]] : []
    this.#trees.prefix.collect(uri, found)
    this.#trees.wildcard.collect(uri, found)
    if (found.length === 0) return NO_MATCHES
    return found.length === 1 && exact ? exact : found
  }

  #invalidate({ uri, match }: Found): void {
    if (match === 'exact') {
      this.#allCache.delete(uri)
      return
    }
    if (this.#bestCache.size > 0) this.#bestCache.clear()
    if (this.#allCache.size > 0) this.#allCache.clear()
  }
}
