/** What is subscribed or registered, found by URI: one index for the broker and the dealer alike. */

import type { Uri } from '../protocol/messages.ts'
import type { MatchPolicy } from '../protocol/options.ts'

/** What the index holds. The same URI under another policy is another record. */
export interface Pattern {
  readonly uri: Uri
  readonly match: MatchPolicy
}

const NONE: readonly never[] = []

export class Patterns<Found extends Pattern> {
  // Each in a list of its own, so that `all` gives one out without making it.
  readonly #exact = new Map<Uri, readonly [Found]>()

  get size(): number {
    return this.#exact.size
  }

  /** The record of exactly this text under this policy. */
  get(uri: Uri, match: MatchPolicy = 'exact'): Found | undefined {
    return match === 'exact' ? this.#exact.get(uri)?.[0] : undefined
  }

  add(record: Found): void {
    this.#exact.set(record.uri, [record])
  }

  delete(record: Found): void {
    this.#exact.delete(record.uri)
  }

  /** The one record that serves a call of this procedure. */
  best(uri: Uri): Found | undefined {
    return this.#exact.get(uri)?.[0]
  }

  /** Every record that a publication to this topic concerns. */
  all(uri: Uri): readonly Found[] {
    return this.#exact.get(uri) ?? NONE
  }
}
