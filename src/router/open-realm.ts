/** Assembles a realm: its broker, its dealer and, if it has both, its meta API. */

import type { Id, Uri } from '../protocol/messages.ts'
import type { Dict } from '../protocol/options.ts'
import { isDict } from '../protocol/validate.ts'
import type { Member } from './member/member.ts'
import type { Rates } from './member/rates.ts'
import type { RealmRole } from './member/role.ts'
import { Meta } from './meta/meta.ts'
import { Observation, Observers } from './observe/observers.ts'
import { Broker, type BrokerOptions } from './pubsub/broker.ts'
import { Realm } from './realm.ts'
import { type Action, type Policy, Rights } from './rights/decide.ts'
import { Dealer, type DealerOptions } from './rpc/dealer.ts'
import { RouterCalls } from './rpc/router-calls.ts'

export interface RealmOptions extends BrokerOptions, DealerOptions {
  readonly roles: readonly RealmRole['name'][]
  readonly policy: Omit<Policy, 'ask' | 'isMember'>
  readonly rates: Rates | undefined
}

export function openRealm(uri: Uri, options: RealmOptions): Realm {
  const members = new Map<Id, Member>()
  const observers = new Observers()
  const rights: Rights = new Rights(uri, options, {
    ...options.policy,
    isMember: (session) => members.has(session),
    ask: async (procedure, { session, uri: topic, action, match, options: given }) => {
      const { id, realm: _, internal: __, ...principal } = session
      const details = { session: id, ...principal }
      const args = [details, topic, action, { ...given, match }]
      return crossbarAnswer(await calls?.call(procedure, args, options.limits.decision), action)
    },
  })
  const parts = { uri, members, observers, rights }
  const broker = options.roles.includes('broker') ? new Broker(options, parts) : undefined
  const dealer = options.roles.includes('dealer') ? new Dealer(options, parts) : undefined
  const calls: RouterCalls | undefined = dealer && new RouterCalls(dealer)
  const meta = broker && dealer ? new Meta(options, members, broker, dealer) : undefined
  // The first observer, so that meta events are published before other observers run.
  if (meta) observers.add(new Observation(meta.observer))
  if (rights.remembers) observers.add(new Observation({ left: ({ session }) => rights.left(session) }))
  const { guarded } = options.policy
  if (guarded.length > 0) {
    // Another authorizer may decide otherwise.
    const changed = ({ uri: procedure }: { readonly uri: Uri }): void => {
      if (guarded.includes(procedure)) rights.forget()
    }
    observers.add(new Observation({ registered: changed, unregistered: changed }))
  }
  const roles = [broker, dealer].filter((role) => role !== undefined)
  return new Realm(parts, roles, meta, calls, options.rates)
}

/** The answer of a dynamic authorizer of Crossbar.io, which names the disclosure of callers and publishers apart. */
function crossbarAnswer(answer: unknown, action: Action): unknown {
  if (!isDict(answer) || !isDict(answer['disclose'])) return answer
  const { caller, publisher } = answer['disclose'] as Dict
  const disclosed = { call: caller, publish: publisher, register: false, subscribe: false }
  return { ...answer, disclose: disclosed[action] === true || undefined }
}
