/** Where a realm's meta API meets its roles: procedures of the router's own, and who hears what the roles do. */

import type { Id, Uri } from '../../protocol/messages.ts'
import type { Dict, List } from '../../protocol/options.ts'
import type { Member } from '../member/member.ts'
import type { Subscription } from '../pubsub/broker.ts'
import type { Registration } from '../rpc/dealer.ts'

/** What a procedure of the router gives back; nothing is an empty RESULT. */
export interface Answer {
  readonly args?: List
  readonly kwargs?: Dict
}

/**
 * A procedure that the router serves itself: at once or, where a store elsewhere must be asked, later. A WampError that
 * it throws or rejects with is the caller's ERROR.
 */
export type Provided = (args: List, kwargs: Dict, caller: Member) => Answer | undefined | Promise<Answer | undefined>

/** By URI, what the router serves itself. It wins over whatever a client registered. */
export type ProvidedTable = ReadonlyMap<Uri, Provided>

/**
 * Hears what becomes of registrations, also when a session leaves or is revoked: `created` before the first
 * `registered`, `deleted` after the last `unregistered`. Called when the table has changed and the callee was answered.
 */
export interface DealerObserver {
  created(session: Id, registration: Registration): void
  registered(session: Id, registration: Registration): void
  unregistered(session: Id, registration: Registration): void
  deleted(session: Id, registration: Registration): void
}

/** Hears what becomes of subscriptions, in the same order. */
export interface BrokerObserver {
  created(session: Id, subscription: Subscription): void
  subscribed(session: Id, subscription: Subscription): void
  unsubscribed(session: Id, subscription: Subscription): void
  deleted(session: Id, subscription: Subscription): void
}

/** Publishes to the subscribers of a realm as the router, also under `wamp.`; nobody is left out and nobody disclosed. */
export type PublishMeta = (topic: Uri, args: List, kwargs?: Dict) => void
