/** One realm: its members, its roles, and the one table of handlers that all its members share. */

import { CALL, CANCEL, ERROR, PUBLISH, REGISTER, SUBSCRIBE, UNREGISTER, UNSUBSCRIBE, YIELD } from '../protocol/codes.ts'
import { violation } from '../protocol/error.ts'
import type { Code, Handlers, Id, Uri } from '../protocol/messages.ts'
import type { Roles } from '../protocol/options.ts'
import { nameOf } from '../protocol/validate.ts'
import { leaving } from '../session/session.ts'
import { type Table, table } from '../session/table.ts'
import { Broker } from './broker.ts'
import { Dealer } from './dealer.ts'
import { type Dropped, nothingDropped, type RouterLimits } from './limits.ts'
import type { Member } from './member.ts'
import type { Role } from './role.ts'

/** What a realm holds now, and what it dropped since the router was made. */
export interface RealmStats {
  readonly sessions: number
  readonly subscriptions: number
  readonly registrations: number
  /** Calls that wait for their answer. */
  readonly calls: number
  readonly dropped: Readonly<Dropped>
}

export interface RealmOptions {
  readonly roles: readonly Role['name'][]
  readonly strict: boolean
  readonly limits: RouterLimits
}

const HANDLED = {
  broker: [PUBLISH, SUBSCRIBE, UNSUBSCRIBE],
  dealer: [CALL, CANCEL, REGISTER, UNREGISTER, YIELD, ERROR],
} as const

export class Realm {
  readonly uri: Uri
  readonly members = new Map<Id, Member>()
  readonly dropped: Dropped = nothingDropped()
  /** What members are in while they are established. */
  readonly table: Table<Member>
  /** What WELCOME says. */
  readonly announced: Roles
  readonly #broker: Broker | undefined
  readonly #dealer: Dealer | undefined

  constructor(uri: Uri, options: RealmOptions) {
    this.uri = uri
    const { roles } = options
    this.#broker = roles.includes('broker') ? new Broker(options, this.dropped) : undefined
    this.#dealer = roles.includes('dealer') ? new Dealer(options, this.dropped) : undefined
    this.table = table<Member>(
      leaving,
      this.#broker?.handlers ?? absent('broker'),
      this.#dealer?.handlers ?? absent('dealer'),
    )
    this.announced = Object.fromEntries(this.#roles().map(({ name, features }) => [name, { features }]))
  }

  leave(member: Member): void {
    this.members.delete(member.id)
    for (const role of this.#roles()) role.left(member)
  }

  stats(): RealmStats {
    return {
      sessions: this.members.size,
      subscriptions: this.#broker?.subscriptions ?? 0,
      registrations: this.#dealer?.registrations ?? 0,
      calls: this.#dealer?.calls ?? 0,
      dropped: { ...this.dropped },
    }
  }

  #roles(): Role[] {
    return [this.#broker, this.#dealer].filter((role) => role !== undefined)
  }
}

/** A router with one role cannot type an ERROR for the other one's requests, so they are violations. */
function absent(role: Role['name']): Handlers<Member> {
  const handler = ([code]: [Code, ...unknown[]]): void => {
    throw violation(`${nameOf(code)} needs a ${role}, which this router is not`)
  }
  return Object.fromEntries(HANDLED[role].map((code) => [code, handler]))
}
