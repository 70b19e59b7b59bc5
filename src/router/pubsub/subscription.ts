/** A subscription, and what the broker keeps of one destination: its subscriptions. */

import type { Id } from '../../protocol/messages.ts'
import type { Pattern } from '../match/patterns.ts'
import type { Destination } from '../member/destination.ts'
import type { History } from './history.ts'

/** One topic or pattern under one policy; all its subscribers share its id, and so the bytes of its events. */
export interface Subscription extends Pattern {
  /** In milliseconds since 1970. */
  readonly created: number
  readonly members: Set<Destination>
  /** Where its events are kept; it stands in the index whether or not somebody subscribes. */
  readonly history: History | undefined
}

export interface BrokerRecord {
  /** By their ids. */
  readonly subscriptions: Map<Id, Subscription>
}

/** The subscriptions of a destination, which begin with its first. */
export function subscriptionsOf(destination: Destination): Map<Id, Subscription> {
  destination.pubsub ??= { subscriptions: new Map() }
  return destination.pubsub.subscriptions
}
