/** What the broker and the dealer of a realm have in common: what they announce, handle, own, count and forget. */

import type { Handlers, Id, Uri } from '../../protocol/messages.ts'
import type { RouterRole } from '../../protocol/words.ts'
import type { Observers } from '../observe/observers.ts'
import type { Rights } from '../rights/decide.ts'
import type { Destination } from './destination.ts'

/** The realm, as its roles see it. */
export interface RoleRealm {
  readonly uri: Uri
  readonly members: ReadonlyMap<Id, Destination>
  readonly observers: Observers
  /** What its sessions may do. */
  readonly rights: Rights
}

export interface Role {
  readonly name: RouterRole
  /** What WELCOME announces: no more than what the handlers do. */
  readonly features: Readonly<Record<string, boolean>>
  readonly handlers: Handlers<Destination>
  /** The member is gone: forgets what it owned and settles what others wait for. */
  left(member: Destination): void
  /** Its part of the realm's statistics: numbers, and under `dropped` more of them. */
  stats(): object
}
