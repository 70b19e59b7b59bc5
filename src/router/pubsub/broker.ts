/** Who subscribes to what, and who hears of a publication. */

import { EVENT, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED } from '../../protocol/codes.ts'
import { randomId } from '../../protocol/ids.ts'
import type { Handlers, Id, Publish, Subscribe, Unsubscribe, Uri } from '../../protocol/messages.ts'
import { INVALID_URI, LIMIT_EXCEEDED, NO_SUCH_SUBSCRIPTION } from '../../protocol/names.ts'
import type { Dict, EventDetails, List, MatchPolicy, PublishOptions } from '../../protocol/options.ts'
import { kept, type Payload, payload } from '../../protocol/payload.ts'
import { isPattern, isReserved, isUri } from '../../protocol/uri.ts'
import { formatValue } from '../../protocol/validate.ts'
import { type Pattern, Patterns } from '../match/patterns.ts'
import { attempt, deliver, NOTHING, type Refusal, refuse } from '../member/deliver.ts'
import type { Dropped, RouterLimits } from '../member/limits.ts'
import type { Member } from '../member/member.ts'
import { inPassthru, passthruOf } from '../member/passthru.ts'
import { disclosure, type Policy, trustlevel } from '../member/policy.ts'
import type { Role } from '../member/role.ts'
import type { BrokerObserver } from '../meta/provided.ts'
import { type Audience, audienceOf, namesSessions } from './audience.ts'
import { type History, type HistoryEvent, type HistoryOptions, opened } from './history.ts'
import { RetainedEvents } from './retained.ts'

/** One topic or pattern under one policy; all its subscribers share its id, and so the bytes of its events. */
export interface Subscription extends Pattern {
  /** In milliseconds since 1970. */
  readonly created: number
  readonly members: Set<Member>
  /** Where its events are kept; it stands in the index whether or not somebody subscribes. */
  readonly history: History | undefined
}

export interface BrokerOptions {
  readonly strict: boolean
  readonly limits: RouterLimits
  readonly policy: Policy
  readonly history: readonly HistoryOptions[]
}

/** The realm, as the broker sees it. */
export interface BrokerRealm {
  readonly uri: Uri
  readonly members: ReadonlyMap<Id, Member>
  readonly dropped: Dropped
}

export class Broker implements Role {
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
  }
  readonly handlers: Handlers<Member>
  readonly patterns = new Patterns<Subscription>()
  /** Hears what becomes of subscriptions. */
  observer: BrokerObserver | undefined
  readonly #options: BrokerOptions
  readonly #realm: BrokerRealm
  readonly #retained: RetainedEvents
  readonly #histories: History[] = []
  /** Subscriptions that somebody holds. */
  #subscriptions = 0
  /** Those in the index that what the router itself publishes may concern. */
  #watching = 0

  constructor(options: BrokerOptions, realm: BrokerRealm) {
    this.#options = options
    this.#realm = realm
    this.#retained = new RetainedEvents(options.limits)
    for (const entry of options.history) this.#histories.push(this.#remember(entry))
    this.handlers = {
      [SUBSCRIBE]: (message, member) => this.#subscribe(message, member),
      [UNSUBSCRIBE]: (message, member) => this.#unsubscribe(message, member),
      [PUBLISH]: (message, member) => this.#publish(message, member),
    }
  }

  get subscriptions(): number {
    return this.#subscriptions
  }

  /** Topics that have a retained event. */
  get retained(): number {
    return this.#retained.size
  }

  /** Events that histories keep. */
  get history(): number {
    return this.#histories.reduce((sum, { size }) => sum + size, 0)
  }

  /** Whether anybody may hear what the router itself publishes: nothing need be put together where nobody does. */
  get watched(): boolean {
    return this.#watching > 0
  }

  left(member: Member): void {
    for (const subscription of member.subscriptions.values()) {
      const last = this.#remove(subscription, member)
      this.#unobserve(subscription, member, last)
    }
  }

  /** Publishes as the router. */
  tell(topic: Uri, args: List, kwargs?: Dict): void {
    if (this.#watching === 0) return
    const found = this.patterns.all(topic)
    if (found.length > 0) this.#emit(found, topic, NOTHING, payload(args, kwargs), NOTHING, randomId(), undefined)
  }

  /** Publishes as a member, who need not be there any more; says nothing to him. */
  publish(publisher: Member, topic: Uri, options: PublishOptions, data: Payload | undefined): Id | Refusal {
    const details = this.#detailsOf(publisher, topic, options)
    if (isRefusal(details)) return details
    const publication = randomId()
    const found = this.patterns.all(topic)
    if (options.retain && !namesSessions(options)) {
      this.#retained.keep({ topic, publication, details, payload: kept(data) }, options, publisher.id)
    }
    if (found.length > 0) this.#emit(found, topic, options, data, details, publication, publisher)
    return publication
  }

  /** Why a member may not publish with these options, as far as that is known before it does. */
  objection(publisher: Member, topic: Uri, options: PublishOptions): Refusal | undefined {
    const details = this.#detailsOf(publisher, topic, options)
    return isRefusal(details) ? details : undefined
  }

  /** Takes a member out of a subscription, and tells it if it can understand that. */
  revoke(subscription: Subscription, member: Member, reason: string | undefined): void {
    const last = this.#remove(subscription, member)
    if (member.announces('subscriber', 'subscription_revocation')) {
      member.send([UNSUBSCRIBED, 0, { subscription: subscription.id, ...(reason !== undefined && { reason }) }])
    }
    this.#unobserve(subscription, member, last)
  }

  #subscribe([, request, options, topic]: Subscribe, member: Member): void {
    const { match = 'exact' } = options
    let subscription = this.patterns.get(topic, match)
    const refusal = this.#refuseSubscribe(topic, match, subscription, member)
    if (refusal) {
      refuse(member, SUBSCRIBE, request, refusal)
      return
    }
    subscription ??= this.#add(topic, match, undefined)
    const { id, members } = subscription
    // A second SUBSCRIBE finds both done, and gets the same id.
    const first = members.size === 0
    const joins = !members.has(member)
    if (first) this.#subscriptions++
    members.add(member)
    member.subscriptions.set(id, subscription)
    member.send([SUBSCRIBED, request, id])
    if (first) this.observer?.created(member.id, subscription)
    if (joins) this.observer?.subscribed(member.id, subscription)
    if (options.get_retained) this.#recall(subscription, member)
  }

  #refuseSubscribe(
    topic: Uri,
    match: MatchPolicy,
    existing: Subscription | undefined,
    member: Member,
  ): Refusal | undefined {
    const { strict, limits } = this.#options
    if (existing?.members.has(member)) return undefined
    if (!existing && !isPattern(topic, match, strict)) {
      return [INVALID_URI, `${formatValue(topic)} is no topic${match === 'exact' ? '' : ` to match ${match}`}`]
    }
    if (topic.length > limits.uriLength) return [LIMIT_EXCEEDED, `a URI may have ${limits.uriLength} characters`]
    if (!existing && !this.patterns.admits(topic, match, limits.wildcardShapes)) {
      return [LIMIT_EXCEEDED, `wildcards of one length may leave ${limits.wildcardShapes} sets of components empty`]
    }
    if (member.subscriptions.size < limits.subscriptions) return undefined
    return [LIMIT_EXCEEDED, `a session may have ${limits.subscriptions} subscriptions`]
  }

  #recall({ id, uri, match, members }: Subscription, member: Member): void {
    for (const { topic, publication, details, payload } of this.#retained.of(uri, match, member)) {
      if (!members.has(member)) return
      if (member.link.backlog > this.#options.limits.backlog) this.#realm.dropped.slow++
      else if (
        attempt(member, [EVENT, id, publication, match === 'exact' ? details : { ...details, topic }, payload])
      ) {
        this.#realm.dropped.unsendable++
      }
    }
  }

  #unsubscribe([, request, id]: Unsubscribe, member: Member): void {
    const subscription = member.subscriptions.get(id)
    if (subscription) {
      const last = this.#remove(subscription, member)
      member.send([UNSUBSCRIBED, request])
      this.#unobserve(subscription, member, last)
    } else {
      refuse(member, UNSUBSCRIBE, request, [NO_SUCH_SUBSCRIPTION, `this session has no subscription ${id}`])
    }
  }

  #publish([, request, options, topic, data]: Publish, publisher: Member): void {
    inPassthru(options, publisher, 'publisher', 'PUBLISH[2]')
    const done = this.#refuseTopic(topic) ?? this.publish(publisher, topic, options, data)
    if (!isRefusal(done)) {
      if (options.acknowledge) publisher.send([PUBLISHED, request, done])
      // Without acknowledgement the broker is silent even about a failure (Basic Profile, Publishing).
    } else if (options.acknowledge) refuse(publisher, PUBLISH, request, done)
    else this.#realm.dropped.publications++
  }

  #refuseTopic(topic: Uri): Refusal | undefined {
    // A topic that somebody subscribes to is a legal one; a pattern of his may also match what is none.
    if (!this.patterns.get(topic) && !isUri(topic, this.#options.strict)) {
      return [INVALID_URI, `${formatValue(topic)} is no topic`]
    }
    return isReserved(topic) ? [INVALID_URI, `${formatValue(topic)} belongs to the router`] : undefined
  }

  /** What an event says beside its payload, or why it may not be said. */
  #detailsOf(publisher: Member, topic: Uri, options: PublishOptions): EventDetails | Refusal {
    const { policy } = this.#options
    const disclosed = disclosure(policy, 'publish', topic, publisher, options.disclose_me === true)
    if (isRefusal(disclosed)) return disclosed
    const level = trustlevel(policy, 'publish', topic, publisher)
    const passthru = options.ppt_scheme !== undefined
    if (!disclosed && level === undefined && !passthru) return NOTHING
    return {
      ...(disclosed && {
        publisher: publisher.id,
        publisher_authid: publisher.principal?.authid,
        publisher_authrole: publisher.principal?.authrole,
      }),
      ...(level !== undefined && { trustlevel: level }),
      ...(passthru && passthruOf(options)),
    } as EventDetails
  }

  #emit(
    found: readonly Subscription[],
    topic: Uri,
    options: PublishOptions,
    data: Payload | undefined,
    details: EventDetails,
    publication: Id,
    publisher: Member | undefined,
  ): void {
    const except = options.exclude_me === false ? undefined : publisher
    const { backlog } = this.#options.limits
    const { members, dropped } = this.#realm
    let audience: Audience | undefined
    let named: EventDetails | undefined
    for (const subscription of found) {
      let said = details
      if (subscription.match !== 'exact') {
        named ??= { ...details, topic }
        said = named
      }
      if (subscription.history && !namesSessions(options)) {
        this.#record(subscription.history, topic, publication, said, data, options)
      }
      if (subscription.members.size === 0) continue
      audience ??= audienceOf(options)
      const subscribers = audience?.among(subscription.members, members) ?? subscription.members
      deliver([EVENT, subscription.id, publication, said, data], subscribers, except, audience, backlog, dropped)
    }
  }

  #record(
    history: History,
    topic: Uri,
    publication: Id,
    details: EventDetails,
    data: Payload | undefined,
    options: PublishOptions,
  ): void {
    const { exclude_authid, exclude_authrole, eligible_authid, eligible_authrole } = options
    const lists = { exclude_authid, exclude_authrole, eligible_authid, eligible_authrole }
    history.add({ time: Date.now(), publication, topic, details, payload: kept(data), lists } as HistoryEvent)
  }

  #remember(entry: HistoryOptions): History {
    const { uri, match = 'exact' } = entry
    const history = opened(entry, this.#realm.uri, () => this.#realm.dropped.history++)
    this.#add(uri, match, history)
    return history
  }

  #add(uri: Uri, match: MatchPolicy, history: History | undefined): Subscription {
    const subscription = { id: randomId(), uri, match, created: Date.now(), members: new Set<Member>(), history }
    this.patterns.add(subscription)
    if (hearsTheRouter(subscription)) this.#watching++
    return subscription
  }

  /** Says whether he was the last one. */
  #remove(subscription: Subscription, member: Member): boolean {
    const { id, members, history } = subscription
    member.subscriptions.delete(id)
    members.delete(member)
    if (members.size > 0) return false
    this.#subscriptions--
    if (!history) {
      this.patterns.delete(subscription)
      if (hearsTheRouter(subscription)) this.#watching--
    }
    return true
  }

  #unobserve(subscription: Subscription, member: Member, last: boolean): void {
    this.observer?.unsubscribed(member.id, subscription)
    if (last) this.observer?.deleted(member.id, subscription)
  }
}

function isRefusal(value: unknown): value is Refusal {
  return Array.isArray(value)
}

/** Whether what the router publishes, all under `wamp.`, can match. */
function hearsTheRouter({ uri, match }: Pattern): boolean {
  if (isReserved(uri)) return true
  if (match === 'prefix') return 'wamp.'.startsWith(uri)
  return match === 'wildcard' && (uri === '' || uri.startsWith('.'))
}
