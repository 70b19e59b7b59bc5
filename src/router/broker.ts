/** Who subscribes to what, and who hears of a publication. */

import { EVENT, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED } from '../protocol/codes.ts'
import { randomId } from '../protocol/ids.ts'
import type { Handlers, Id, Publish, Subscribe, Unsubscribe, Uri } from '../protocol/messages.ts'
import { INVALID_URI, LIMIT_EXCEEDED, NO_SUCH_SUBSCRIPTION, OPTION_NOT_ALLOWED } from '../protocol/names.ts'
import type { PublishOptions, SubscribeOptions } from '../protocol/options.ts'
import { isReserved, isUri } from '../protocol/uri.ts'
import { told } from '../protocol/validate.ts'
import { deliver, NOTHING, type Refusal, refuse } from './deliver.ts'
import type { Dropped, RouterLimits } from './limits.ts'
import type { Member } from './member.ts'
import { type Pattern, Patterns } from './patterns.ts'
import type { Role } from './role.ts'
import { PUBLISH_OPTIONS, SUBSCRIBE_OPTIONS, unsupported } from './unsupported.ts'

/** One topic under one policy; all its subscribers share its id, and so the bytes of its events. */
export interface Subscription extends Pattern {
  readonly id: Id
  readonly members: Set<Member>
}

export interface BrokerOptions {
  readonly strict: boolean
  readonly limits: RouterLimits
}

export class Broker implements Role {
  readonly name = 'broker'
  readonly features = { publisher_exclusion: true }
  readonly handlers: Handlers<Member>
  readonly #options: BrokerOptions
  readonly #dropped: Dropped
  readonly #patterns = new Patterns<Subscription>()

  constructor(options: BrokerOptions, dropped: Dropped) {
    this.#options = options
    this.#dropped = dropped
    this.handlers = {
      [SUBSCRIBE]: (message, member) => this.#subscribe(message, member),
      [UNSUBSCRIBE]: (message, member) => this.#unsubscribe(message, member),
      [PUBLISH]: (message, member) => this.#publish(message, member),
    }
  }

  get subscriptions(): number {
    return this.#patterns.size
  }

  left(member: Member): void {
    for (const subscription of member.subscriptions.values()) this.#remove(subscription, member)
    member.subscriptions.clear()
  }

  #subscribe([, request, options, topic]: Subscribe, member: Member): void {
    let subscription = this.#patterns.get(topic)
    const refusal = this.#refuseSubscribe(options, topic, subscription, member)
    if (refusal) {
      refuse(member, SUBSCRIBE, request, refusal)
      return
    }
    if (!subscription) {
      subscription = { id: randomId(), uri: topic, match: 'exact', members: new Set() }
      this.#patterns.add(subscription)
    }
    // A second SUBSCRIBE finds both done, and gets the same id.
    subscription.members.add(member)
    member.subscriptions.set(subscription.id, subscription)
    member.send([SUBSCRIBED, request, subscription.id])
  }

  #refuseSubscribe(
    options: SubscribeOptions,
    topic: Uri,
    existing: Subscription | undefined,
    member: Member,
  ): Refusal | undefined {
    const { strict, limits } = this.#options
    const wrong = unsupported(options, SUBSCRIBE_OPTIONS)
    if (wrong) return [OPTION_NOT_ALLOWED, wrong]
    if (existing?.members.has(member)) return undefined
    if (!existing && !isUri(topic, strict)) return [INVALID_URI, `${told(topic)} is no topic`]
    if (topic.length > limits.uriLength) return [LIMIT_EXCEEDED, `a URI may have ${limits.uriLength} characters`]
    if (member.subscriptions.size < limits.subscriptions) return undefined
    return [LIMIT_EXCEEDED, `a session may have ${limits.subscriptions} subscriptions`]
  }

  #unsubscribe([, request, id]: Unsubscribe, member: Member): void {
    const subscription = member.subscriptions.get(id)
    if (subscription) {
      member.subscriptions.delete(id)
      this.#remove(subscription, member)
      member.send([UNSUBSCRIBED, request])
    } else {
      refuse(member, UNSUBSCRIBE, request, [NO_SUCH_SUBSCRIPTION, `this session has no subscription ${id}`])
    }
  }

  #publish([, request, options, topic, payload]: Publish, publisher: Member): void {
    const found = this.#patterns.all(topic)
    const refusal = this.#refusePublish(options, topic, found.length > 0)
    if (refusal) {
      // Without acknowledgement the broker is silent even about a failure (Basic Profile, Publishing).
      if (options.acknowledge) refuse(publisher, PUBLISH, request, refusal)
      else this.#dropped.publications++
      return
    }
    const publication = randomId()
    const except = options.exclude_me === false ? undefined : publisher
    const { backlog } = this.#options.limits
    for (const { id, members } of found) {
      deliver([EVENT, id, publication, NOTHING, payload], members, except, backlog, this.#dropped)
    }
    if (options.acknowledge) publisher.send([PUBLISHED, request, publication])
  }

  #refusePublish(options: PublishOptions, topic: Uri, subscribed: boolean): Refusal | undefined {
    // A topic that somebody subscribes to is a legal one.
    if (!subscribed && !isUri(topic, this.#options.strict)) return [INVALID_URI, `${told(topic)} is no topic`]
    if (isReserved(topic)) return [INVALID_URI, `${told(topic)} belongs to the router`]
    const wrong = unsupported(options, PUBLISH_OPTIONS)
    return wrong ? [OPTION_NOT_ALLOWED, wrong] : undefined
  }

  #remove(subscription: Subscription, member: Member): void {
    subscription.members.delete(member)
    if (subscription.members.size === 0) this.#patterns.delete(subscription)
  }
}
