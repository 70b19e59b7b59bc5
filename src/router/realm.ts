/** One realm: its members, its roles, and the one table of handlers that all its members share. */

import { CALL, CANCEL, ERROR, PUBLISH, REGISTER, SUBSCRIBE, UNREGISTER, UNSUBSCRIBE, YIELD } from '../protocol/codes.ts'
import { violation } from '../protocol/error.ts'
import type { Code, Handlers, Id, Uri } from '../protocol/messages.ts'
import type { Roles } from '../protocol/options.ts'
import { nameOf } from '../protocol/validate.ts'
import { leaving } from '../session/session.ts'
import { type Table, table } from '../session/table.ts'
import { type Dropped, nothingDropped } from './member/limits.ts'
import type { Member } from './member/member.ts'
import type { Role } from './member/role.ts'
import { META_FEATURES, Meta } from './meta/meta.ts'
import { Testaments } from './meta/testaments.ts'
import { Broker, type BrokerOptions } from './pubsub/broker.ts'
import { Dealer, type DealerOptions } from './rpc/dealer.ts'

/** What a realm holds now, and what it dropped since the router was made. */
export interface RealmStats {
  readonly sessions: number
  readonly subscriptions: number
  readonly registrations: number
  /** Calls that wait for their answer. */
  readonly calls: number
  /** Those among them that wait in a queue for a callee to be free. */
  readonly queued: number
  /** What sessions left to be published when they end. */
  readonly testaments: number
  /** Topics whose last event is retained. */
  readonly retained: number
  /** Events that histories keep. */
  readonly history: number
  readonly dropped: Readonly<Dropped>
}

export interface RealmOptions extends BrokerOptions, DealerOptions {
  readonly roles: readonly Role['name'][]
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
  readonly #testaments: Testaments | undefined
  readonly #meta: Meta | undefined
  /** Those who came with nobody told of it yet, or who are to go that way. */
  readonly #silent = new Set<Member>()

  constructor(uri: Uri, options: RealmOptions) {
    this.uri = uri
    const { roles, strict } = options
    const broker = roles.includes('broker') ? new Broker(options, this) : undefined
    const dealer = roles.includes('dealer') ? new Dealer(options, this.dropped) : undefined
    this.#broker = broker
    this.#dealer = dealer
    if (broker && dealer) {
      const silence = (member: Member): void => {
        this.#silent.add(member)
      }
      this.#testaments = new Testaments(broker, this.dropped, options)
      this.#meta = new Meta({ strict, members: this.members, silence }, broker, dealer, this.#testaments)
      broker.observer = this.#meta.subscriptions
      dealer.observer = this.#meta.registrations
      for (const [procedure, serve] of this.#meta.procedures) dealer.provided.set(procedure, serve)
    }
    this.table = table<Member>(leaving, broker?.handlers ?? absent('broker'), dealer?.handlers ?? absent('dealer'))
    this.announced = Object.fromEntries(
      this.#roles().map(({ name, features }) => [
        name,
        { features: { ...features, ...(this.#meta && META_FEATURES[name]), ...this.#remembers(name, options) } },
      ]),
    )
  }

  /** Takes a member in: from here on it can be sent to. It is not told of before `joined`. */
  enter(member: Member): void {
    this.members.set(member.id, member)
    this.#silent.add(member)
  }

  /** It has its WELCOME. */
  joined(member: Member): void {
    if (this.#silent.delete(member)) this.#meta?.joined(member)
  }

  /** It is gone: its subscriptions and registrations first, then its testaments, then the word that it left. */
  leave(member: Member): void {
    this.members.delete(member.id)
    for (const role of this.#roles()) role.left(member)
    if (this.#silent.delete(member)) {
      this.#testaments?.forget(member)
      return
    }
    this.#testaments?.execute(member)
    if (member.principal) this.#meta?.left(member.id, member.principal)
  }

  stats(): RealmStats {
    return {
      sessions: this.members.size,
      subscriptions: this.#broker?.subscriptions ?? 0,
      registrations: this.#dealer?.registrations ?? 0,
      calls: this.#dealer?.calls ?? 0,
      queued: this.#dealer?.queued ?? 0,
      testaments: this.#testaments?.size ?? 0,
      retained: this.#broker?.retained ?? 0,
      history: this.#broker?.history ?? 0,
      dropped: { ...this.dropped },
    }
  }

  /** Only the meta API reads a history, and only what the owner wants remembered has one. */
  #remembers(name: Role['name'], { history }: RealmOptions): Record<string, boolean> {
    return name === 'broker' && this.#meta && history.length > 0 ? { event_history: true } : {}
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
