/** One realm: its members, its roles, and the table of handlers that all members share. */

import { CALL, CANCEL, ERROR, PUBLISH, REGISTER, SUBSCRIBE, UNREGISTER, UNSUBSCRIBE, YIELD } from '../protocol/codes.ts'
import { violation } from '../protocol/error.ts'
import type { Code, Handlers, Id, Uri } from '../protocol/messages.ts'
import type { Roles } from '../protocol/options.ts'
import { nameOf } from '../protocol/validate.ts'
import type { RouterRole } from '../protocol/words.ts'
import { type Table, table } from '../session/handler-table.ts'
import { leaving, type SessionEnd } from '../session/session.ts'
import type { Undecided } from './member/destination.ts'
import { type Home, type Member, refusedJoin } from './member/member.ts'
import type { Rates } from './member/rates.ts'
import type { RealmRole, RoleRealm } from './member/role.ts'
import { workInTurns } from './member/turns-of-work.ts'
import type { Meta } from './meta/meta.ts'
import type { Observers } from './observe/observers.ts'
import type { Rights } from './rights/decide.ts'
import type { RouterCalls } from './rpc/router-calls.ts'
import { NO_SESSIONS, type RealmStats, type SessionStats, sumOf } from './stats.ts'

const HANDLED = {
  broker: [PUBLISH, SUBSCRIBE, UNSUBSCRIBE],
  dealer: [CALL, CANCEL, REGISTER, UNREGISTER, YIELD, ERROR],
} as const

/** The parts that a realm and its roles share. */
export interface RealmParts extends RoleRealm {
  readonly members: Map<Id, Member>
}

export class Realm implements Home {
  readonly uri: Uri
  readonly members: Map<Id, Member>
  readonly observers: Observers
  /** The table of established members. */
  readonly table: Table<Member>
  /** The roles in WELCOME. */
  readonly announced: Roles
  /** Calls by the router itself; undefined without a dealer. */
  readonly calls: RouterCalls | undefined
  readonly rights: Rights
  readonly #roles: readonly RealmRole[]
  readonly #meta: Meta | undefined
  /** Members that have no WELCOME yet. */
  readonly #joining = new Set<Member>()
  readonly rates: Rates | undefined
  #throttled = 0
  readonly #dropped = { ...NO_SESSIONS.dropped }

  /** `roles` have the same parts; `meta` needs both of them. */
  constructor(
    { uri, members, observers, rights }: RealmParts,
    roles: readonly RealmRole[],
    meta: Meta | undefined,
    calls: RouterCalls | undefined,
    rates: Rates | undefined,
  ) {
    this.uri = uri
    this.members = members
    this.observers = observers
    this.rights = rights
    this.#roles = roles
    this.#meta = meta
    this.calls = calls
    this.rates = rates
    this.table = table<Member>(leaving, absent('broker'), absent('dealer'), ...roles.map(({ handlers }) => handlers))
    this.announced = Object.fromEntries(
      roles.map(({ name, features }) => [name, { features: { ...features, ...meta?.features[name] } }]),
    )
  }

  /** Adds a member: from now on messages can be sent to it. It is announced by `joined`. */
  enter(member: Member): void {
    this.members.set(member.id, member)
    this.#joining.add(member)
  }

  /** The member has received WELCOME. */
  joined(member: Member): void {
    const { id: session, principal, transport } = member
    if (!this.#joining.delete(member) || !principal) return
    const { authid, authrole, authmethod, authprovider } = principal
    this.observers.joined?.({ realm: this.uri, session, authid, authrole, authmethod, authprovider, transport })
  }

  /** The member has left: removes its subscriptions and registrations, publishes its testaments, then announces it. */
  leave(member: Member, end: SessionEnd): void {
    this.members.delete(member.id)
    const removal = this.#removal(member)
    if (!workInTurns(removal, () => this.#left(member, end))) {
      // Until all of it has been removed, the member is one that ends its subscriptions and registrations one by one.
      this.members.set(member.id, member)
    }
  }

  /** Each role settles what others wait for in its first step. */
  *#removal(member: Member): Generator<void> {
    const removals = this.#roles.map((role) => role.left(member))
    const unfinished = removals.filter((steps) => !steps.next().done)
    if (unfinished.length > 0) yield
    for (const steps of unfinished) while (!steps.next().done) yield
  }

  #left(member: Member, end: SessionEnd): void {
    this.members.delete(member.id)
    const { id: session, principal } = member
    if (this.#joining.delete(member) || !principal) {
      refusedJoin(this.observers, member, end)
      return
    }
    const { authid, authrole } = principal
    const by = end.by === 'us' ? 'router' : end.by
    this.observers.left?.({ realm: this.uri, session, authid, authrole, by, reason: end.reason, text: end.text })
  }

  /** Refuses new calls, and lets those in progress be finished. */
  drain(): void {
    for (const role of this.#roles) role.drain?.()
  }

  dropped(reason: keyof SessionStats['dropped'], { id: session }: Member, count: number): void {
    this.#dropped[reason] += count
    this.observers.dropped?.({ realm: this.uri, reason, session, uri: undefined, count })
  }

  waited({ action, uri }: Undecided, { id: session }: Member, duration: number, decided: boolean): void {
    this.observers.waited?.({ realm: this.uri, session, action, uri, duration, decided })
  }

  throttled(): void {
    this.#throttled++
  }

  stats(): RealmStats {
    const own = { sessions: this.members.size, throttled: this.#throttled, dropped: this.#dropped }
    const roles = this.#roles.map((role) => role.stats())
    return sumOf([own, ...roles, this.#meta?.stats() ?? {}, this.observers.stats()])
  }
}

/** A router with one role has no ERROR for requests to the other role, so these are violations. */
function absent(role: RouterRole): Handlers<Member> {
  const handler = ([code]: [Code, ...unknown[]]): void => {
    throw violation(`${nameOf(code)} needs a ${role}, which this router is not`)
  }
  return Object.fromEntries(HANDLED[role].map((code) => [code, handler]))
}
