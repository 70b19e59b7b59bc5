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

const NONE: readonly never[] = []

// Bounds of the memo, whose URIs are chosen by peers: their number, their length, and their matches.
const URIS = 1024
const CHARACTERS = 256
const MATCHES = 64

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
  readonly #best = new Map<Uri, Found | undefined>()
  readonly #all = new Map<Uri, readonly Found[]>()

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
    this.#changed(record)
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
    this.#changed(record)
  }

  /** The record that serves a call of a procedure: exact, otherwise the longest prefix, otherwise the best wildcard. */
  best(uri: Uri): Found | undefined {
    const exact = this.#exact.get(uri)
    if (exact || this.#plain()) return exact?.[0]
    const known = this.#best.get(uri)
    if (known !== undefined || this.#best.has(uri)) return known
    const found = this.#trees.prefix.longest(uri) ?? this.#trees.wildcard.best(uri)
    if (uri.length <= CHARACTERS) {
      if (this.#best.size === URIS) this.#best.clear()
      this.#best.set(uri, found)
    }
    return found
  }

  /** All records that match a topic, in the order of preference of `best`. */
  all(uri: Uri): readonly Found[] {
    if (this.#plain()) return this.#exact.get(uri) ?? NONE
    const known = this.#all.get(uri)
    if (known) return known
    const found = this.#collect(uri)
    if (uri.length <= CHARACTERS && found.length <= MATCHES) {
      if (this.#all.size === URIS) this.#all.clear()
      this.#all.set(uri, found)
    }
    return found
  }

  /** The number of tree nodes and memoized answers; 1 when the index is empty. */
  get weight(): number {
    return this.#trees.prefix.nodes + this.#trees.wildcard.nodes + this.#best.size + this.#all.size
  }

  #plain(): boolean {
    return this.#patterns.prefix.size === 0 && this.#patterns.wildcard.size === 0
  }

  #collect(uri: Uri): readonly Found[] {
    const exact = this.#exact.get(uri)
    const found: Found[] = exact ? [exact[0]] : []
    this.#trees.prefix.collect(uri, found)
    this.#trees.wildcard.collect(uri, found)
    if (found.length === 0) return NONE
    return found.length === 1 && exact ? exact : found
  }

  #changed({ uri, match }: Found): void {
    if (match === 'exact') {
      this.#all.delete(uri)
      return
    }
    if (this.#best.size > 0) this.#best.clear()
    if (this.#all.size > 0) this.#all.clear()
  }
}
