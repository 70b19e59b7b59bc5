/** The meta API of a realm: the procedures and events that report the state of the router. */

import type { Id, Uri } from '../../protocol/messages.ts'
import { isReserved } from '../../protocol/uri.ts'
import type { Features, RouterRole } from '../../protocol/words.ts'
import type { Member } from '../member/member.ts'
import type { RouterObserver } from '../observe/events.ts'
import type { Broker } from '../pubsub/broker.ts'
import type { Dealer } from '../rpc/dealer.ts'
import { detailsOfRegistration, registrationProcedures } from './meta-registrations.ts'
import { publicDetailsOf, sessionProcedures } from './meta-sessions.ts'
import { detailsOfSubscription, subscriptionProcedures } from './meta-subscriptions.ts'
import { RouterProcedures } from './router-procedures.ts'
import { type MetaApiOptions, type TestamentStats, Testaments } from './testaments.ts'

export class Meta {
  /** The additional features of a realm with both roles. */
  readonly features: { readonly [R in RouterRole]: Features<R> }
  /** Publishes the meta events. */
  readonly observer: RouterObserver
  readonly #testaments: Testaments
  /** Sessions that leave without testaments and without a meta event. */
  readonly #silent = new Set<Id>()

  constructor(options: MetaApiOptions, members: ReadonlyMap<Id, Member>, broker: Broker, dealer: Dealer) {
    this.#testaments = new Testaments(broker, options)
    const silence = ({ id }: Member): void => void this.#silent.add(id)
    const realm = { rule: options, members, silence }
    new RouterProcedures(dealer, members).provide({
      ...sessionProcedures(realm),
      ...this.#testaments.procedures,
      ...registrationProcedures(dealer, realm),
      ...subscriptionProcedures(broker, realm),
    })
    this.features = {
      // A history is read through the meta API only.
      broker: {
        session_meta_api: true,
        subscription_meta_api: true,
        ...(broker.hasHistory && { event_history: true }),
      },
      dealer: { registration_meta_api: true, session_meta_api: true, testament_meta_api: true },
    }
    this.observer = this.#events(broker)
  }

  stats(): TestamentStats {
    return this.#testaments.stats()
  }

  #events(broker: Broker): RouterObserver {
    // No meta events about URIs under `wamp.`: observing the meta API would itself cause meta events.
    const concerns = (uri: Uri): boolean => broker.watched && !isReserved(uri)
    return {
      joined: (session) => {
        if (broker.watched) broker.publishMeta('wamp.session.on_join', [publicDetailsOf(session)])
      },
      left: ({ session, authid, authrole }) => {
        if (this.#silent.delete(session)) {
          this.#testaments.forget(session)
          return
        }
        this.#testaments.execute(session)
        if (broker.watched) broker.publishMeta('wamp.session.on_leave', [session, authid, authrole])
      },
      registered: ({ session, registration: id, uri, match, invoke, created, first }) => {
        if (!concerns(uri)) return
        if (first) {
          const details = detailsOfRegistration({ id, created, uri, match, invoke })
          broker.publishMeta('wamp.registration.on_create', [session, details])
        }
        broker.publishMeta('wamp.registration.on_register', [session, id])
      },
      unregistered: ({ session, registration, uri, last }) => {
        if (!concerns(uri)) return
        broker.publishMeta('wamp.registration.on_unregister', [session, registration])
        if (last) broker.publishMeta('wamp.registration.on_delete', [session, registration])
      },
      subscribed: ({ session, subscription: id, uri, match, created, first }) => {
        if (!concerns(uri)) return
        if (first) {
          const details = detailsOfSubscription({ id, created, uri, match })
          broker.publishMeta('wamp.subscription.on_create', [session, details])
        }
        broker.publishMeta('wamp.subscription.on_subscribe', [session, id])
      },
      unsubscribed: ({ session, subscription, uri, last }) => {
        if (!concerns(uri)) return
        broker.publishMeta('wamp.subscription.on_unsubscribe', [session, subscription])
        if (last) broker.publishMeta('wamp.subscription.on_delete', [session, subscription])
      },
    }
  }
}
