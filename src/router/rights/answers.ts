/** The remembered answers of authorizers: bounded, and gone with their sessions. */

import type { Id } from '../../protocol/messages.ts'
import type { Outcome } from './decide.ts'

/** The greatest number of remembered answers, and the greatest length of their URIs, which peers choose. */
const REMEMBERED_ANSWERS = 10_000
const REMEMBERED_URI_LENGTH = 256

interface RememberedAnswer {
  readonly session: Id
  readonly outcome: Outcome
  readonly until: number
}

export class RememberedAnswers {
  /** Oldest first. */
  readonly #answers = new Map<string, RememberedAnswer>()
  readonly #keys = new Map<Id, Set<string>>()

  find(key: string): Outcome | undefined {
    const known = this.#answers.get(key)
    return known && known.until > performance.now() ? known.outcome : undefined
  }

  /** Remembers an answer about a URI, for good or for so many milliseconds. The oldest one makes room. */
  keep(session: Id, key: string, uri: string, outcome: Outcome, cache: true | number): void {
    if (uri.length > REMEMBERED_URI_LENGTH) return
    this.#delete(key)
    if (this.#answers.size === REMEMBERED_ANSWERS) this.#delete(this.#answers.keys().next().value as string)
    const until = cache === true ? Number.POSITIVE_INFINITY : performance.now() + cache
    this.#answers.set(key, { session, outcome, until })
    const keys = this.#keys.get(session)
    if (keys) keys.add(key)
    else this.#keys.set(session, new Set([key]))
  }

  /** The session has left. */
  forget(session: Id): void {
    for (const key of this.#keys.get(session) ?? []) this.#answers.delete(key)
    this.#keys.delete(session)
  }

  #delete(key: string): void {
    const known = this.#answers.get(key)
    if (!known) return
    this.#answers.delete(key)
    const keys = this.#keys.get(known.session)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(known.session)
  }
}
