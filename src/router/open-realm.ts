/** Assembles a realm: its broker, its dealer and, if it has both, its meta API. */

import type { Id, Uri } from '../protocol/messages.ts'
import type { Member } from './member/member.ts'
import type { RealmRole } from './member/role.ts'
import { Meta } from './meta/meta.ts'
import { Observation, Observers } from './observe/observers.ts'
import { Broker, type BrokerOptions } from './pubsub/broker.ts'
import { Realm } from './realm.ts'
import { type Policy, Rights } from './rights/decide.ts'
import { Dealer, type DealerOptions } from './rpc/dealer.ts'

export interface RealmOptions extends BrokerOptions, DealerOptions {
  readonly roles: readonly RealmRole['name'][]
  readonly policy: Policy
}

export function openRealm(uri: Uri, options: RealmOptions): Realm {
  const members = new Map<Id, Member>()
  const observers = new Observers()
  const rights = new Rights(uri, options, options.policy)
  const parts = { uri, members, observers, rights }
  const broker = options.roles.includes('broker') ? new Broker(options, parts) : undefined
  const dealer = options.roles.includes('dealer') ? new Dealer(options, parts) : undefined
  const meta = broker && dealer ? new Meta(options, members, broker, dealer) : undefined
  // The first observer, so that meta events are published before other observers run.
  if (meta) observers.add(new Observation(meta.observer))
  const roles = [broker, dealer].filter((role) => role !== undefined)
  return new Realm(parts, roles, meta)
}
