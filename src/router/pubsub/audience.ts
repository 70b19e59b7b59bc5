/** The audience of a publication: six lists, each of which, if given, must admit a subscriber. */

import type { Id } from '../../protocol/messages.ts'
import type { WirePublishOptions } from '../../protocol/options.ts'
import type { Destination } from '../member/destination.ts'

/** Filters that still apply after the publisher has left; used when stored events are read. */
export type RoleLists = Pick<
  WirePublishOptions,
  'exclude_authid' | 'exclude_authrole' | 'eligible_authid' | 'eligible_authrole'
>

/** The audience that the options name; undefined if every subscriber may receive the event. */
export function audienceOf(options: WirePublishOptions): Audience | undefined {
  return namesSessions(options) || namesPrincipals(options) ? new Audience(options) : undefined
}

/** True if a publication names sessions, which end: it is never stored (Advanced Profile, Event History). */
export function namesSessions({ exclude, eligible }: WirePublishOptions): boolean {
  return exclude !== undefined || eligible !== undefined
}

export function namesPrincipals(lists: RoleLists): boolean {
  return (
    lists.eligible_authid !== undefined ||
    lists.eligible_authrole !== undefined ||
    lists.exclude_authid !== undefined ||
    lists.exclude_authrole !== undefined
  )
}

export class Audience {
  readonly #exclude: ReadonlySet<Id> | undefined
  readonly #excludeAuthid: ReadonlySet<string> | undefined
  readonly #excludeAuthrole: ReadonlySet<string> | undefined
  readonly #eligible: ReadonlySet<Id> | undefined
  readonly #eligibleAuthid: ReadonlySet<string> | undefined
  readonly #eligibleAuthrole: ReadonlySet<string> | undefined

  constructor(options: WirePublishOptions) {
    this.#exclude = setOf(options.exclude)
    this.#excludeAuthid = setOf(options.exclude_authid)
    this.#excludeAuthrole = setOf(options.exclude_authrole)
    this.#eligible = setOf(options.eligible)
    this.#eligibleAuthid = setOf(options.eligible_authid)
    this.#eligibleAuthrole = setOf(options.eligible_authrole)
  }

  admits({ id, principal }: Destination): boolean {
    if (!principal || this.#eligible?.has(id) === false || this.#exclude?.has(id)) return false
    const { authid, authrole } = principal
    return (
      this.#eligibleAuthid?.has(authid) !== false &&
      this.#eligibleAuthrole?.has(authrole) !== false &&
      !this.#excludeAuthid?.has(authid) &&
      !this.#excludeAuthrole?.has(authrole)
    )
  }

  /** The candidates among the subscribers: an event for one of a hundred thousand must not visit each of them. */
  among(subscribers: ReadonlySet<Destination>, members: ReadonlyMap<Id, Destination>): ReadonlySet<Destination> {
    if (!this.#eligible || this.#eligible.size >= subscribers.size) return subscribers
    const found = new Set<Destination>()
    for (const id of this.#eligible) {
      const member = members.get(id)
      if (member && subscribers.has(member)) found.add(member)
    }
    return found
  }
}

function setOf<Item>(list: readonly Item[] | undefined): ReadonlySet<Item> | undefined {
  return list && new Set(list)
}
