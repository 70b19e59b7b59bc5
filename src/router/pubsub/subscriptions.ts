/** Subscriptions: exact or by pattern, until the subscriber unsubscribes, leaves or is revoked. */

import { SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED } from '../../protocol/codes.ts'
import { randomId } from '../../protocol/ids.ts'
import type { SubscribeMessage, UnsubscribeMessage, Uri } from '../../protocol/messages.ts'
import { LIMIT_EXCEEDED, NO_SUCH_SUBSCRIPTION } from '../../protocol/names.ts'
import type { MatchPolicy } from '../../protocol/options.ts'
import { isReserved } from '../../protocol/uri.ts'
import { type Pattern, Patterns } from '../match/patterns.ts'
import type { Destination } from '../member/destination.ts'
import type { RouterLimits } from '../member/limits.ts'
import { Refusal, refuseCost, sendError } from '../member/refusal.ts'
import type { RoleRealm } from '../member/role.ts'
import { FEW, STEP } from '../member/turns-of-work.ts'
import { refuseUri } from '../member/uri-rule.ts'
import type { Outcome } from '../rights/decide.ts'
import type { History } from './history.ts'
import { type BrokerSubscription, subscriptionsOf } from './subscription.ts'

export interface SubscriptionOptions {
  readonly strict: boolean
  readonly limits: RouterLimits
}

/** Bytes of one subscriber of a subscription, and of the subscription itself without its URI. */
const PLACE = 128
const RECORD_OF_SUBSCRIPTION = 768

const costOf = ({ uri }: BrokerSubscription): number => RECORD_OF_SUBSCRIPTION + uri.length

export class Subscriptions {
  readonly patterns = new Patterns<BrokerSubscription>()
  readonly #options: SubscriptionOptions
  readonly #realm: RoleRealm
  /** The number of subscriptions with at least one subscriber. */
  #size = 0
  /** The number of subscriptions that may match meta events. */
  #watching = 0

  constructor(options: SubscriptionOptions, realm: RoleRealm) {
    this.#options = options
    this.#realm = realm
  }

  get size(): number {
    return this.#size
  }

  /** True if a subscription may match meta events. */
  get watched(): boolean {
    return this.#watching > 0
  }

  /** Returns the subscription, unless the request was refused. */
  subscribe(
    [, request, options, topic]: SubscribeMessage,
    subscriber: Destination,
    decided: Outcome,
  ): BrokerSubscription | undefined {
    const { match = 'exact' } = options
    let subscription = this.patterns.get(topic, match)
    const refusal = decided instanceof Refusal ? decided : this.#refuse(topic, match, subscription, subscriber)
    if (refusal) {
      sendError(subscriber, SUBSCRIBE, request, refusal)
      this.#refused('subscribe', subscriber, topic, refusal)
      return undefined
    }
    subscription ??= this.add(topic, match, undefined)
    const { id, members } = subscription
    // A second SUBSCRIBE changes nothing and receives the same id.
    const first = members.size === 0
    const joins = !members.has(subscriber)
    if (first) this.#size++
    members.add(subscriber)
    subscriptionsOf(subscriber).set(id, subscription)
    if (joins) this.#charge(subscription, subscriber, first)
    subscriber.send([SUBSCRIBED, request, id])
    if (joins) this.#observe(subscription, subscriber, first)
    return subscription
  }

  unsubscribe([, request, id]: UnsubscribeMessage, subscriber: Destination): void {
    const subscription = subscriptionsOf(subscriber).get(id)
    if (subscription) {
      const last = this.#remove(subscription, subscriber)
      subscriber.send([UNSUBSCRIBED, request])
      this.#unobserve(subscription, subscriber, last)
    } else {
      const refusal = new Refusal(NO_SUCH_SUBSCRIPTION, `this session has no subscription ${id}`)
      sendError(subscriber, UNSUBSCRIBE, request, refusal)
      this.#refused('unsubscribe', subscriber, undefined, refusal)
    }
  }

  /** Removes a subscriber from a subscription, and notifies it if it announced revocation. */
  revoke(subscription: BrokerSubscription, subscriber: Destination, reason: string | undefined): void {
    const last = this.#remove(subscription, subscriber)
    if (subscriber.announces('subscriber', 'subscription_revocation')) {
      subscriber.send([UNSUBSCRIBED, 0, { subscription: subscription.id, ...(reason !== undefined && { reason }) }])
    }
    this.#unobserve(subscription, subscriber, last)
  }

  /** Removes the subscriptions of a subscriber that has left. */
  *left(subscriber: Destination): Generator<void> {
    let removed = 0
    for (const subscription of subscriber.pubsub?.subscriptions.values() ?? []) {
      const last = this.#remove(subscription, subscriber)
      this.#unobserve(subscription, subscriber, last)
      if (++removed >= FEW && removed % STEP === 0) yield
    }
  }

  /** Adds a subscription without subscribers to the index. */
  add(uri: Uri, match: MatchPolicy, history: History | undefined): BrokerSubscription {
    const members = new Set<Destination>()
    const subscription: BrokerSubscription = {
      id: randomId(),
      uri,
      match,
      created: Date.now(),
      members,
      history,
      lagging: 0,
      bearer: undefined,
    }
    this.patterns.add(subscription)
    if (matchesMetaEvents(subscription)) this.#watching++
    return subscription
  }

  #refuse(
    topic: Uri,
    match: MatchPolicy,
    existing: BrokerSubscription | undefined,
    subscriber: Destination,
  ): Refusal | undefined {
    const { limits } = this.#options
    if (existing?.members.has(subscriber)) return undefined
    const invalid = existing ? undefined : refuseUri(topic, 'topic', this.#options, match)
    if (invalid) return invalid
    if (!existing && !this.patterns.admits(topic, match, limits.wildcardShapes)) {
      return new Refusal(
        LIMIT_EXCEEDED,
        `too many different wildcard shapes with this number of components (limit ${limits.wildcardShapes})`,
      )
    }
    const full = refuseCost(subscriber, PLACE + RECORD_OF_SUBSCRIPTION + topic.length)
    if (full) return full
    if (subscriptionsOf(subscriber).size < limits.subscriptions) return undefined
    return new Refusal(LIMIT_EXCEEDED, `a session may have at most ${limits.subscriptions} subscriptions`)
  }

  /** Returns true if it was the last subscriber. */
  #remove(subscription: BrokerSubscription, subscriber: Destination): boolean {
    const { id, members, history } = subscription
    subscriptionsOf(subscriber).delete(id)
    members.delete(subscriber)
    this.#discharge(subscription, subscriber)
    if (members.size > 0) return false
    this.#size--
    if (!history) {
      this.patterns.delete(subscription)
      if (matchesMetaEvents(subscription)) this.#watching--
    }
    return true
  }

  /** A session pays for its place, and the first one for the record. */
  #charge(subscription: BrokerSubscription, subscriber: Destination, first: boolean): void {
    subscriber.account?.charge('subscriptions', PLACE + (first ? costOf(subscription) : 0))
    if (first) subscription.bearer = subscriber
  }

  /** The cost of the record passes to another subscriber: to end its sessions must be able to free every byte. */
  #discharge(subscription: BrokerSubscription, subscriber: Destination): void {
    subscriber.account?.charge('subscriptions', -PLACE)
    if (subscription.bearer !== subscriber) return
    const cost = costOf(subscription)
    const [heir] = subscription.members
    subscriber.account?.charge('subscriptions', -cost)
    heir?.account?.charge('subscriptions', cost)
    subscription.bearer = heir
  }

  #observe({ id, uri, match, created }: BrokerSubscription, { id: session }: Destination, first: boolean): void {
    const { uri: realm, observers } = this.#realm
    observers.subscribed?.({ realm, session, subscription: id, uri, match, created, first })
  }

  #unobserve({ id, uri }: BrokerSubscription, { id: session }: Destination, last: boolean): void {
    const { uri: realm, observers } = this.#realm
    observers.unsubscribed?.({ realm, session, subscription: id, uri, last })
  }

  #refused(
    action: 'subscribe' | 'unsubscribe',
    { id: session }: Destination,
    uri: Uri | undefined,
    { uri: error, text }: Refusal,
  ): void {
    const { uri: realm, observers } = this.#realm
    observers.refused?.({ realm, session, action, uri, error, text, transport: undefined })
  }
}

/** True if a meta event, always under `wamp.`, can match. */
function matchesMetaEvents({ uri, match }: Pattern): boolean {
  if (isReserved(uri)) return true
  switch (match) {
    case 'exact':
      return false
    case 'prefix':
      return 'wamp.'.startsWith(uri)
    case 'wildcard':
      return uri === '' || uri.startsWith('.')
  }
}
