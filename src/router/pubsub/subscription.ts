/** A subscription, and the broker's record of a destination: its subscriptions. */

import type { Id } from '../../protocol/messages.ts'
import type { Pattern } from '../match/patterns.ts'
import type { Destination } from '../member/destination.ts'
import type { History } from './history.ts'

/** One topic or pattern with one match policy. All its subscribers share its id, and so the bytes of its events. */
export interface BrokerSubscription extends Pattern {
  /** In milliseconds since 1970. */
  readonly created: number
  readonly members: Set<Destination>
  /** The subscribers that lagged behind when its last event was delivered. */
  lagging: number
  /** The subscriber whose account bears the cost of the record. */
  bearer: Destination | undefined
  /** Its event history; a subscription with a history stays in the index without subscribers. */
  readonly history: History | undefined
}

export interface BrokerRecord {
  /** By their ids. */
  readonly subscriptions: Map<Id, BrokerSubscription>
}

/** The record of a destination, created with its first subscription. */
export function subscriptionsOf(destination: Destination): Map<Id, BrokerSubscription> {
  destination.pubsub ??= { subscriptions: new Map() }
  return destination.pubsub.subscriptions
}
