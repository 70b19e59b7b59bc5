/** The meta API of a realm: the procedures and the events with which the router tells about itself. */

import type { Id, Uri } from '../../protocol/messages.ts'
import { isReserved } from '../../protocol/uri.ts'
import type { Member } from '../member/member.ts'
import type { Broker } from '../pubsub/broker.ts'
import type { Dealer } from '../rpc/dealer.ts'
import { detailsOfRegistration, registrationProcedures } from './meta-registrations.ts'
import { detailsOfSession, type SessionRealm, sessionProcedures } from './meta-sessions.ts'
import { detailsOfSubscription, subscriptionProcedures } from './meta-subscriptions.ts'
import type { BrokerObserver, DealerObserver, Provided, ProvidedTable } from './provided.ts'
import type { Testaments } from './testaments.ts'

/** What a realm with both roles announces beside what each role does by itself. */
export const META_FEATURES = {
  broker: { session_meta_api: true, subscription_meta_api: true },
  dealer: { registration_meta_api: true, session_meta_api: true, testament_meta_api: true },
} as const

export class Meta {
  readonly procedures: ProvidedTable
  readonly registrations: DealerObserver
  readonly subscriptions: BrokerObserver
  readonly #broker: Broker

  constructor(realm: SessionRealm, broker: Broker, dealer: Dealer, testaments: Testaments) {
    this.#broker = broker
    this.procedures = new Map<Uri, Provided>(
      Object.entries({
        ...sessionProcedures(realm),
        ...testaments.procedures,
        ...registrationProcedures(dealer, realm),
        ...subscriptionProcedures(broker, realm),
      }),
    )
    // Nobody is told about what lies under `wamp.`: a look at the meta API would be an event of the meta API.
    const concerns = ({ uri }: { readonly uri: Uri }): boolean => broker.watched && !isReserved(uri)
    this.registrations = {
      created(session, registration) {
        if (!concerns(registration)) return
        broker.tell('wamp.registration.on_create', [session, detailsOfRegistration(registration)])
      },
      registered(session, registration) {
        if (concerns(registration)) broker.tell('wamp.registration.on_register', [session, registration.id])
      },
      unregistered(session, registration) {
        if (concerns(registration)) broker.tell('wamp.registration.on_unregister', [session, registration.id])
      },
      deleted(session, registration) {
        if (concerns(registration)) broker.tell('wamp.registration.on_delete', [session, registration.id])
      },
    }
    this.subscriptions = {
      created(session, subscription) {
        if (!concerns(subscription)) return
        broker.tell('wamp.subscription.on_create', [session, detailsOfSubscription(subscription)])
      },
      subscribed(session, subscription) {
        if (concerns(subscription)) broker.tell('wamp.subscription.on_subscribe', [session, subscription.id])
      },
      unsubscribed(session, subscription) {
        if (concerns(subscription)) broker.tell('wamp.subscription.on_unsubscribe', [session, subscription.id])
      },
      deleted(session, subscription) {
        if (concerns(subscription)) broker.tell('wamp.subscription.on_delete', [session, subscription.id])
      },
    }
  }

  joined(member: Member): void {
    if (this.#broker.watched) this.#broker.tell('wamp.session.on_join', [detailsOfSession(member)])
  }

  left(session: Id, { authid, authrole }: { readonly authid: string; readonly authrole: string }): void {
    if (this.#broker.watched) this.#broker.tell('wamp.session.on_leave', [session, authid, authrole])
  }
}
