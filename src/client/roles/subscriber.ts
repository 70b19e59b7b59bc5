/** The subscriber: handles, which may share one subscription at the router, and their events. */

import { EVENT, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED } from '../../protocol/codes.ts'
import type { Id, SubscribedMessage, UnsubscribedMessage, Uri } from '../../protocol/messages.ts'
import type {
  Dict,
  List,
  WireEventDetails as WireDetails,
  WireSubscribeOptions as WireOptions,
} from '../../protocol/options.ts'
import { plain } from '../../protocol/plain.ts'
import type { Waiting } from '../base/waiting.ts'
import { type DurableHandles, HandleRecord } from '../handles/durable-handles.ts'
import { type DurableHandle, type Gap, HandleView } from '../handles/handle.ts'
import type { ClientSession } from '../session/client-session.ts'
import { granted } from '../session/requests.ts'
import { SUBSCRIBER_FEATURES } from './features.ts'
import { through } from './interceptor.ts'
import { type Role, type RoleHost, stateOf } from './role.ts'

/** The options of a subscription: those of this library, and any key of SUBSCRIBE.Options in WAMP's spelling. */
export interface SubscribeOptions extends Waiting, WireOptions {}

/** EVENT.Details, with the topic and the publication id. */
export interface EventDetails extends WireDetails {
  readonly topic: Uri
  readonly publication: Id
  readonly subscription: Id
}

/** Its return value is ignored; an error or rejection is reported by the client's event `error`. */
export type EventHandler<Args extends List = List, Kwargs extends object = Dict> = (
  args: Args,
  kwargs: Kwargs,
  details: EventDetails,
) => unknown

/** A subscription: durable until `unsubscribe()`. Read-only. */
export interface Subscription extends DurableHandle<WireOptions> {
  /** Ends the subscription; further calls do nothing. Resolves when the router has confirmed, or at once without a session. */
  unsubscribe(waiting?: Waiting): Promise<void>
}

class SubscriptionView extends HandleView<WireOptions> implements Subscription {
  unsubscribe(waiting?: Waiting): Promise<void> {
    return this.end(waiting)
  }
}

/** A subscription as the client keeps it. */
export class SubscriptionRecord extends HandleRecord<WireOptions> {
  readonly handle: Subscription = new SubscriptionView(this)
  readonly handler: EventHandler
  /** The last publication that it received. */
  last: Id | undefined

  constructor(owner: DurableHandles, topic: Uri, handler: EventHandler, options: WireOptions) {
    super(owner, topic, options)
    this.handler = handler
  }

  gap(since: number): Gap {
    return { after: this.last, since }
  }

  async ask(session: ClientSession): Promise<void> {
    const key = `${this.options.match ?? 'exact'} ${this.uri}`
    const { subscribing, subscriptions } = stateOf(session, subscriber)
    const way = subscribing.get(key) ?? { count: 0, given: undefined }
    subscribing.set(key, way)
    way.count++
    const asked = session.requests.ask<Id, SubscribedMessage>({
      code: SUBSCRIBE,
      message: (id) => [SUBSCRIBE, id, this.options, this.uri],
      // Done inside the reply: an EVENT may follow in the same read.
      settle: ([, , id]) => {
        sharing(subscriptions, id).add(this)
        this.id = id
        return id
      },
    })
    try {
      await asked
    } finally {
      if (--way.count === 0) {
        subscribing.delete(key)
        // The subscription was kept for this handle, which was refused.
        const { given } = way
        if (given !== undefined && subscriptions.get(given)?.size === 0) {
          giveBack(session, given, {}).catch(() => {})
        }
      }
    }
  }

  async leave(session: ClientSession, waiting: Waiting): Promise<void> {
    const { id } = this
    if (id === undefined) return
    this.id = undefined
    const { subscribing, subscriptions } = stateOf(session, subscriber)
    const sharers = subscriptions.get(id)
    sharers?.delete(this)
    const key = `${this.options.match ?? 'exact'} ${this.uri}`
    if (!sharers || sharers.size > 0) return
    // One UNSUBSCRIBE ends it for all handles that share it, including one whose SUBSCRIBED is still to come.
    const way = subscribing.get(key)
    if (way) way.given = id
    else await giveBack(session, id, waiting)
  }
}

async function giveBack(session: ClientSession, id: Id, waiting: Waiting): Promise<void> {
  stateOf(session, subscriber).subscriptions.delete(id)
  await session.requests.ask<void, UnsubscribedMessage>(
    { code: UNSUBSCRIBE, message: (request) => [UNSUBSCRIBE, request, id], settle: () => {} },
    waiting,
  )
}

function sharing(subscriptions: SubscriberState['subscriptions'], id: Id): Set<SubscriptionRecord> {
  const found = subscriptions.get(id)
  if (found) return found
  const made = new Set<SubscriptionRecord>()
  subscriptions.set(id, made)
  return made
}

/** The subscriber's state of a session. */
interface SubscriberState {
  readonly handles: DurableHandles
  readonly interceptors: RoleHost['settings']['interceptors']
  /** Handles by subscription id: the router counts those with one id as one subscription. */
  readonly subscriptions: Map<Id, Set<SubscriptionRecord>>
  /** Pending SUBSCRIBEs by topic and match, with a subscription that is kept alive until they are answered. */
  readonly subscribing: Map<string, { count: number; given: Id | undefined }>
}

/** A copy for one of several handlers, so that changes by one do not reach the others. */
function copyOf<T extends List | Dict>(values: T): T {
  try {
    return plain(values, 'payload') as T
  } catch {
    // A payload codec may have returned values of any kind, which are shared.
    return values
  }
}

export const subscriber: Role<SubscriberState> = {
  name: 'subscriber',
  features: SUBSCRIBER_FEATURES,
  handlers: {
    [SUBSCRIBED]: granted,
    [UNSUBSCRIBED]: (message, session) => {
      const [, request, details = {}] = message
      if (request) return granted(message, session)
      const id = details['subscription'] as Id
      const { handles, subscriptions } = stateOf(session, subscriber)
      const revoked = subscriptions.get(id)
      subscriptions.delete(id)
      for (const record of revoked ?? []) handles.revoke(record, details)
    },
    [EVENT]: ([, subscription, publication, details, data], session) => {
      const { subscriptions, interceptors } = stateOf(session, subscriber)
      const sharers = subscriptions.get(subscription)
      if (!sharers) {
        session.dropped.events++
        return
      }
      const args = data?.args ?? []
      const kwargs = data?.kwargs ?? {}
      // A retained event is for the handle that asked last: the others have had it, or did not ask.
      const asked = details.retained ? [...sharers].filter(({ options }) => options.get_retained).slice(-1) : []
      // The last handler, usually the only one, receives the payload itself.
      let left = asked.length || sharers.size
      for (const record of asked.length ? asked : sharers) {
        const { handler, uri: topic, state } = record
        left--
        // Unsubscribed before its SUBSCRIBED arrived.
        if (state === 'closed') continue
        record.last = publication
        const ownArgs = left ? copyOf(args) : args
        const ownKwargs = left ? copyOf(kwargs) : kwargs
        const all: EventDetails = { topic, ...details, publication, subscription }
        session.heed(() =>
          interceptors
            ? through(
                interceptors,
                'event',
                { topic: all.topic, args: ownArgs, kwargs: ownKwargs, details: all, subscription: record.handle },
                ({ args, kwargs, details }) => handler(args, kwargs, details),
              )
            : handler(ownArgs, ownKwargs, all),
        )
      }
    },
  },
  open: ({ handles, settings: { interceptors } }) => ({
    handles,
    interceptors,
    subscriptions: new Map(),
    subscribing: new Map(),
  }),
}
