/** The contract of a role of a realm: the broker or the dealer. */

import type { Handlers, Id, Uri } from '../../protocol/messages.ts'
import type { RouterRole } from '../../protocol/words.ts'
import type { Observers } from '../observe/observers.ts'
import type { Rights } from '../rights/decide.ts'
import type { Destination } from './destination.ts'

/** The part of a realm that its roles need. */
export interface RoleRealm {
  readonly uri: Uri
  readonly members: ReadonlyMap<Id, Destination>
  readonly observers: Observers
  /** The rights of its sessions. */
  readonly rights: Rights
}

export interface RealmRole {
  readonly name: RouterRole
  /** The features in WELCOME: exactly those that the handlers implement. */
  readonly features: Readonly<Record<string, boolean>>
  readonly handlers: Handlers<Destination>
  /**
   * The member has left: removes what it owned, and settles what others wait for. Messages of others may be handled
   * between two steps.
   */
  left(member: Destination): Iterator<void>
  /** The router is closing: refuses new work, and lets work in progress be finished. */
  drain?(): void
  /** Its part of the realm's statistics: numbers, with more of them under `dropped`. */
  stats(): object
}
