/** The broker of a realm: its features, and the delivery of publications. */

import { EVENT, PUBLISH, PUBLISHED, SUBSCRIBE, UNSUBSCRIBE } from '../../protocol/codes.ts'
import { randomId } from '../../protocol/ids.ts'
import type { EventMessage, Handlers, Id, PublishMessage, SubscribeMessage, Uri } from '../../protocol/messages.ts'
import { INVALID_URI } from '../../protocol/names.ts'
import type { Dict, List, MatchPolicy, WireEventDetails, WirePublishOptions } from '../../protocol/options.ts'
import { kept, type Payload, payload } from '../../protocol/payload.ts'
import { isReserved } from '../../protocol/uri.ts'
import { formatValue } from '../../protocol/validate.ts'
import type { Features } from '../../protocol/words.ts'
import type { Serializer } from '../../serializer/serializer.ts'
import type { Patterns } from '../match/patterns.ts'
import { refuseUncarried } from '../member/carriable.ts'
import { type Admitting, deliver, type Undelivered } from '../member/deliver.ts'
import type { Destination } from '../member/destination.ts'
import type { Forwarding } from '../member/forwarding.ts'
import type { Ledger } from '../member/ledger.ts'
import { inPassthru, passthruOf } from '../member/passthru.ts'
import { NO_DETAILS, Refusal, sendError } from '../member/refusal.ts'
import type { RealmRole, RoleRealm } from '../member/role.ts'
import { refuseUri } from '../member/uri-rule.ts'
import { type Decision, isDisclosed, type Outcome, refuseDisclosure, TOO_LATE } from '../rights/decide.ts'
import { type Audience, audienceOf, namesSessions } from './audience.ts'
import { type History, type HistoryEvent, type HistoryOptions, openHistory } from './history.ts'
import { RetainedEvents } from './retained.ts'
import type { BrokerSubscription } from './subscription.ts'
import { type SubscriptionOptions, Subscriptions } from './subscriptions.ts'

export interface BrokerOptions extends SubscriptionOptions {
  readonly history: readonly HistoryOptions[]
  readonly ledger: Ledger
  readonly forward: Forwarding
  /** The serializers of all subscribers, as far as they are known. */
  readonly serializers: ReadonlySet<Serializer>
}

export interface BrokerStats {
  /** Subscriptions with at least one subscriber. */
  readonly subscriptions: number
  /** Topics with a retained event. */
  readonly retained: number
  /** Events in the histories. */
  readonly history: number
  readonly dropped: BrokerDropped
}

export interface BrokerDropped {
  /** Events for subscribers that were behind. */
  readonly slow: number
  /** Events that the subscriber's serializer cannot represent. */
  readonly unsendable: number
  /** Unacknowledged publications that were refused in silence. */
  readonly publications: number
  /** Events that a history failed to store. */
  readonly history: number
  /** Retained and stored events that were discarded because the router's bytes exceeded their limit. */
  readonly memory: number
  /** Publications of which a custom key was not forwarded, because its value is not text or too long. */
  readonly keys: number
}

const NOTHING_DROPPED: BrokerDropped = { slow: 0, unsendable: 0, publications: 0, history: 0, memory: 0, keys: 0 }

export const NO_BROKER: BrokerStats = { subscriptions: 0, retained: 0, history: 0, dropped: NOTHING_DROPPED }

export class Broker implements RealmRole {
  readonly name = 'broker'
  readonly features = {
    event_retention: true,
    pattern_based_subscription: true,
    payload_passthru_mode: true,
    publication_trustlevels: true,
    publisher_exclusion: true,
    publisher_identification: true,
    subscriber_blackwhite_listing: true,
    subscription_revocation: true,
  } satisfies Features<'broker'>
  readonly handlers: Handlers<Destination>
  readonly #options: BrokerOptions
  readonly #realm: RoleRealm
  readonly #subscriptions: Subscriptions
  readonly #retained: RetainedEvents
  readonly #histories: History[] = []
  readonly #dropped = { ...NOTHING_DROPPED }

  constructor(options: BrokerOptions, realm: RoleRealm) {
    this.#options = options
    this.#realm = realm
    this.#subscriptions = new Subscriptions(options, realm)
    this.#retained = new RetainedEvents(options.limits, options.ledger, (topic) =>
      this.#drop('memory', undefined, topic),
    )
    for (const entry of options.history) this.#histories.push(this.#openHistory(entry))
    this.handlers = {
      [SUBSCRIBE]: (message, from) => this.#subscribe(message, from),
      [UNSUBSCRIBE]: (message, from) => this.#subscriptions.unsubscribe(message, from),
      [PUBLISH]: (message, from) => this.#publish(message, from),
    }
  }

  stats(): BrokerStats {
    return {
      subscriptions: this.#subscriptions.size,
      retained: this.#retained.size,
      history: this.#histories.reduce((sum, { size }) => sum + size, 0),
      dropped: { ...this.#dropped },
    }
  }

  get patterns(): Patterns<BrokerSubscription> {
    return this.#subscriptions.patterns
  }

  /** True if some topics have a history. */
  get hasHistory(): boolean {
    return this.#histories.length > 0
  }

  /** True if a subscription may match meta events; otherwise none need to be built. */
  get watched(): boolean {
    return this.#subscriptions.watched
  }

  left(member: Destination): Iterator<void> {
    return this.#subscriptions.left(member)
  }

  /** Removes a member from a subscription, and notifies it if it announced revocation. */
  revoke(subscription: BrokerSubscription, member: Destination, reason: string | undefined): void {
    this.#subscriptions.revoke(subscription, member, reason)
  }

  /** Publishes a meta event. */
  publishMeta(topic: Uri, args: List, kwargs?: Dict): void {
    if (!this.watched) return
    const found = this.patterns.all(topic)
    if (found.length > 0) this.#emit(found, topic, NO_DETAILS, payload(args, kwargs), NO_DETAILS, randomId(), undefined)
  }

  /** Publishes a testament of a session, which cannot receive a refusal any more. */
  publishTestament(
    publisher: Destination,
    topic: Uri,
    options: WirePublishOptions,
    data: Payload | undefined,
    decided: Outcome,
  ): void {
    const outcome = decided instanceof Refusal ? decided : this.#accept(publisher, topic, options, data, decided)
    if (outcome instanceof Refusal) this.#refuseSilently(publisher, topic, outcome)
  }

  /** Decides about a publication in advance, as far as that is possible. */
  decide(publisher: Destination, topic: Uri, options: WirePublishOptions): Outcome | Promise<Outcome> {
    const { rights } = this.#realm
    return rights.always ?? rights.decide('publish', topic, 'exact', options, publisher)
  }

  /** Decides whether a session may subscribe, which reading a history needs as well. */
  decideSubscribe(subscriber: Destination, uri: Uri, match: MatchPolicy): Outcome | Promise<Outcome> {
    const { rights } = this.#realm
    return rights.always ?? rights.decide('subscribe', uri, match, NO_DETAILS, subscriber)
  }

  /** True if a session receives the events of a topic by a pattern. */
  mayReceive(topic: Uri, subscriber: Destination): boolean {
    return this.#realm.rights.mayReceive(topic, subscriber)
  }

  #subscribe(message: SubscribeMessage, subscriber: Destination): void {
    const [, , options, topic] = message
    const { rights } = this.#realm
    const decided = rights.always ?? rights.decide('subscribe', topic, options.match ?? 'exact', options, subscriber)
    if (!(decided instanceof Promise)) this.#begin(message, subscriber, decided)
    else
      subscriber.hold(SUBSCRIBE, decided, (later) => this.#begin(message, subscriber, later), TOO_LATE, {
        action: 'subscribe',
        uri: topic,
      })
  }

  #begin(message: SubscribeMessage, subscriber: Destination, decided: Outcome): void {
    const subscription = this.#subscriptions.subscribe(message, subscriber, decided)
    if (subscription && message[2].get_retained) this.#sendRetained(subscription, subscriber)
  }

  #sendRetained(subscription: BrokerSubscription, subscriber: Destination): void {
    const { id, uri, match, members } = subscription
    const receiver = new Set([subscriber])
    for (const { topic, publication, details, payload } of this.#retained.of(uri, match, subscriber)) {
      if (!members.has(subscriber)) return
      if (match !== 'exact' && !this.#realm.rights.mayReceive(topic, subscriber)) continue
      const sent = match === 'exact' ? details : { ...details, topic }
      this.#deliver([EVENT, id, publication, sent, payload], subscription, receiver, undefined, undefined)
    }
  }

  #publish(message: PublishMessage, publisher: Destination): void {
    const [, , options, topic] = message
    inPassthru(options, publisher, 'publisher', 'PUBLISH[2]')
    const decided = this.#refuseTopic(topic) ?? this.decide(publisher, topic, options)
    if (!(decided instanceof Promise)) this.#conclude(message, publisher, decided)
    else
      publisher.hold(PUBLISH, decided, (later) => this.#conclude(message, publisher, later), TOO_LATE, {
        action: 'publish',
        uri: topic,
      })
  }

  #conclude([, request, options, topic, data]: PublishMessage, publisher: Destination, decided: Outcome): void {
    const outcome = decided instanceof Refusal ? decided : this.#accept(publisher, topic, options, data, decided)
    if (!(outcome instanceof Refusal)) {
      if (options.acknowledge) publisher.send([PUBLISHED, request, outcome])
      // An unacknowledged publication fails in silence (Basic Profile, Publishing).
    } else if (options.acknowledge) {
      sendError(publisher, PUBLISH, request, outcome)
      this.#refused(publisher, topic, outcome)
    } else this.#refuseSilently(publisher, topic, outcome)
  }

  #refuseTopic(topic: Uri): Refusal | undefined {
    // An exactly subscribed topic is known to be valid; a pattern can match invalid topics, so check those.
    const refusal = this.patterns.get(topic) ? undefined : refuseUri(topic, 'topic', this.#options)
    if (refusal) return refusal
    return isReserved(topic) ? new Refusal(INVALID_URI, `${formatValue(topic)} belongs to the router`) : undefined
  }

  /** Publishes for a member, which may have left; sends it nothing. */
  #accept(
    publisher: Destination,
    topic: Uri,
    options: WirePublishOptions,
    data: Payload | undefined,
    decision: Decision,
  ): Id | Refusal {
    const { forward } = this.#options
    const details = eventDetailsOf(publisher, topic, options, decision, forward.of(options))
    if (details instanceof Refusal) return details
    if (forward.drops(options)) this.#drop('keys', publisher.id, topic)
    const publication = randomId()
    const found = this.patterns.all(topic)
    if (options.retain && !namesSessions(options)) {
      const event = { topic, publication, details, payload: kept(data) }
      const unkept = refuseUncarried(this.#options.serializers, details, data) ?? this.#retained.refuse(event, options)
      if (unkept) return unkept
      this.#retained.keep(event, options, publisher.id)
    }
    const { uri: realm, observers } = this.#realm
    observers.published?.({ realm, session: publisher.id, topic, publication })
    if (found.length > 0) this.#emit(found, topic, options, data, details, publication, publisher)
    return publication
  }

  #emit(
    found: readonly BrokerSubscription[],
    topic: Uri,
    options: WirePublishOptions,
    data: Payload | undefined,
    details: WireEventDetails,
    publication: Id,
    publisher: Destination | undefined,
  ): void {
    const except = options.exclude_me === false ? undefined : publisher
    const { members } = this.#realm
    let audience: Audience | undefined
    let withTopic: WireEventDetails | undefined
    for (const subscription of found) {
      let sent = details
      if (subscription.match !== 'exact') {
        withTopic ??= { ...details, topic }
        sent = withTopic
      }
      if (subscription.history && !namesSessions(options)) {
        this.#record(subscription.history, topic, publication, sent, data, options)
      }
      if (subscription.members.size === 0) continue
      audience ??= audienceOf(options)
      const admitting = subscription.match === 'exact' ? audience : this.#allowed(topic, audience)
      const subscribers = audience?.among(subscription.members, members) ?? subscription.members
      this.#deliver([EVENT, subscription.id, publication, sent, data], subscription, subscribers, except, admitting)
    }
  }

  /** A role receives by a pattern only events of topics that it may subscribe to exactly. */
  #allowed(topic: Uri, audience: Audience | undefined): Admitting | undefined {
    const { rights } = this.#realm
    if (!rights.filters) return audience
    return {
      admits: (subscriber) => audience?.admits(subscriber) !== false && rights.mayReceive(topic, subscriber),
    }
  }

  #deliver(
    event: EventMessage,
    record: BrokerSubscription,
    subscribers: ReadonlySet<Destination>,
    except: Destination | undefined,
    audience: Admitting | undefined,
  ): void {
    const receivers = deliver(event, subscribers, except, audience, this.#undelivered, record)
    if (receivers === 0) return
    const [, subscription, publication] = event
    const { uri: realm, observers } = this.#realm
    observers.delivered?.({ realm, subscription, publication, uri: record.uri, receivers })
  }

  /** A field, so that an event allocates no closure. */
  readonly #undelivered = (reason: Undelivered, { id }: Destination, [, subscription]: EventMessage): void =>
    this.#drop(reason, id, this.patterns.find(subscription)?.uri)

  #record(
    history: History,
    topic: Uri,
    publication: Id,
    details: WireEventDetails,
    data: Payload | undefined,
    options: WirePublishOptions,
  ): void {
    const { exclude_authid, exclude_authrole, eligible_authid, eligible_authrole } = options
    const lists = { exclude_authid, exclude_authrole, eligible_authid, eligible_authrole }
    history.add({ time: Date.now(), publication, topic, details, payload: kept(data), lists } as HistoryEvent)
  }

  #openHistory(entry: HistoryOptions): History {
    const { uri, match = 'exact' } = entry
    const history = openHistory(
      entry,
      this.#realm.uri,
      this.#options.ledger,
      () => this.#drop('history', undefined, uri),
      () => this.#drop('memory', undefined, uri),
    )
    this.#subscriptions.add(uri, match, history)
    return history
  }

  #refuseSilently(publisher: Destination, topic: Uri, refusal: Refusal): void {
    this.#drop('publications', publisher.id, topic)
    this.#refused(publisher, topic, refusal)
  }

  #refused({ id: session }: Destination, topic: Uri, { uri: error, text }: Refusal): void {
    const { uri: realm, observers } = this.#realm
    observers.refused?.({ realm, session, action: 'publish', uri: topic, error, text, transport: undefined })
  }

  #drop(reason: keyof BrokerDropped, session: Id | undefined, uri: Uri | undefined): void {
    this.#dropped[reason]++
    const { uri: realm, observers } = this.#realm
    observers.dropped?.({ realm, reason, session, uri, count: 1 })
  }
}

/** The details of an event, or the refusal of its publication. */
function eventDetailsOf(
  publisher: Destination,
  topic: Uri,
  options: WirePublishOptions,
  decision: Decision,
  forwarded: Dict | undefined,
): WireEventDetails | Refusal {
  const asked = options.disclose_me === true
  const refusal = refuseDisclosure(decision, topic, asked)
  if (refusal) return refusal
  const disclosed = isDisclosed(decision, asked)
  const { trustlevel } = decision
  const passthru = options.ppt_scheme !== undefined
  if (!disclosed && trustlevel === undefined && !passthru) return forwarded ?? NO_DETAILS
  return {
    ...(disclosed && {
      publisher: publisher.id,
      publisher_authid: publisher.principal?.authid,
      publisher_authrole: publisher.principal?.authrole,
    }),
    ...(trustlevel !== undefined && { trustlevel }),
    ...(passthru && passthruOf(options)),
    ...forwarded,
  } as WireEventDetails
}
