/** What is subscribed or registered, found by URI: one index for the broker and the dealer alike. */

import type { Id, Uri } from '../../protocol/messages.ts'
import type { MatchPolicy } from '../../protocol/options.ts'
import { Prefixes } from './prefixes.ts'
import { Wildcards } from './wildcards.ts'

/** What the index holds. The same URI under another policy is another record. */
export interface Pattern {
  readonly id: Id
  readonly uri: Uri
  readonly match: MatchPolicy
}

const NONE: readonly never[] = []

// What is remembered of the URIs of late, which a peer chooses: so many, so long, with so many matches.
const URIS = 1024
const CHARACTERS = 256
const MATCHES = 64

export class Patterns<Found extends Pattern> {
  // Each in a list of its own, so that `all` gives one out without making it.
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
  // Answers for URIs that were asked for a moment ago. A change of a pattern drops them all, as it may concern any.
  readonly #best = new Map<Uri, Found | undefined>()
  readonly #all = new Map<Uri, readonly Found[]>()

  get size(): number {
    return this.#ids.size
  }

  /** The record of exactly this text under this policy. */
  get(uri: Uri, match: MatchPolicy = 'exact'): Found | undefined {
    if (match === 'exact') return this.#exact.get(uri)?.[0]
    return this.#patterns[match].get(uri)
  }

  find(id: Id): Found | undefined {
    return this.#ids.get(id)
  }

  /** All records of one policy, the oldest first. */
  *list(match: MatchPolicy): IterableIterator<Found> {
    if (match === 'exact') for (const [record] of this.#exact.values()) yield record
    else yield* this.#patterns[match].values()
  }

  /**
   * Whether a wildcard leaves one lookup affordable: patterns of one length may leave only so many different sets of
   * components empty, since each must be tried.
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

  /** Takes out this very record, if it is in. */
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

  /** The one record that serves a call of this procedure: exact, else the longest prefix, else the best wildcard. */
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

  /** Every record that a publication to this topic concerns, in the order in which `best` prefers them. */
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

  /** Nodes of the trees and answers kept: 1 when nothing is in. */
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
