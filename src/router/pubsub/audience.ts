/** Whom a publication may reach: six lists, of which every one that is given must let a subscriber pass. */

import type { Id } from '../../protocol/messages.ts'
import type { WirePublishOptions } from '../../protocol/options.ts'
import type { Destination } from '../member/destination.ts'

/** The lists that outlive a session: what is kept is given by them to who asks later. */
export type RoleLists = Pick<
  WirePublishOptions,
  'exclude_authid' | 'exclude_authrole' | 'eligible_authid' | 'eligible_authrole'
>

/** The audience that the options name, or none where anybody may hear. */
export function audienceOf(options: WirePublishOptions): Audience | undefined {
  return namesSessions(options) || namesPrincipals(options) ? new Audience(options) : undefined
}

/** Whether a publication is for or against sessions: such a one is never kept (Advanced Profile, Event History). */
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

  /** The subscribers to look at: a message to one of a hundred thousand must not cost a look at each. */
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
