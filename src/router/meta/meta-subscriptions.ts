/** The subscription meta API: subscriptions, their subscribers and their histories. */

import { HISTORY_PAGE } from '../../protocol/fixed-limits.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { HISTORY_UNAVAILABLE, NO_SUCH_SUBSCRIPTION } from '../../protocol/names.ts'
import type { Dict } from '../../protocol/options.ts'
import type { Destination } from '../member/destination.ts'
import { weightOf } from '../member/payload-size.ts'
import { Refusal } from '../member/refusal.ts'
import { isAccepted } from '../member/uri-rule.ts'
import { Audience, namesPrincipals } from '../pubsub/audience.ts'
import type { Broker } from '../pubsub/broker.ts'
import type { HistoryEvent, HistoryQuery } from '../pubsub/history.ts'
import type { BrokerSubscription } from '../pubsub/subscription.ts'
import { answerIds } from './answer-in-turns.ts'
import { answerDecided } from './decided-answer.ts'
import { aFlag, aLimit, anId, aShortText, aText, aTime, optionalArgument } from './meta-arguments.ts'
import { listOf, matchOf } from './meta-registrations.ts'
import { noSuchSession, type SessionRealm } from './meta-sessions.ts'
import type { Answer, Provided } from './router-procedures.ts'

/** The number of events in one answer. */
const PAGE_EVENTS = 16_384

export function detailsOfSubscription({
  id,
  created,
  uri,
  match,
}: Pick<BrokerSubscription, 'id' | 'created' | 'uri' | 'match'>): Dict {
  return { id, created: new Date(created).toISOString(), uri, match }
}

export function subscriptionProcedures(broker: Broker, { rule, members }: SessionRealm): Record<Uri, Provided> {
  const { patterns } = broker
  const found = (subscription: unknown): BrokerSubscription => {
    const id = anId(subscription, 'args[0]')
    const known = patterns.find(id)
    if (known) return known
    throw new Refusal(NO_SUCH_SUBSCRIPTION, `this realm has no subscription ${id}`)
  }
  return {
    'wamp.subscription.list': (_args, _kwargs, caller) => listOf(patterns, caller),
    'wamp.subscription.lookup': ([topic, options]) => ({
      args: [patterns.get(aText(topic, 'args[0]'), matchOf(options))?.id ?? null],
    }),
    'wamp.subscription.match': ([topic]) => {
      const uri = aText(topic, 'args[0]')
      // A pattern may match invalid topics.
      const ids = isAccepted(uri, rule) ? patterns.all(uri).map(({ id }) => id) : []
      return { args: [ids.length > 0 ? ids : null] }
    },
    'wamp.subscription.get': ([subscription]) => ({ args: [detailsOfSubscription(found(subscription))] }),
    'wamp.subscription.list_subscribers': ([subscription], _kwargs, from) =>
      answerIds(found(subscription).members, from),
    'wamp.subscription.count_subscribers': ([subscription]) => ({ args: [found(subscription).members.size] }),
    'wamp.subscription.remove_subscriber': ([subscription, subscriber, third], { reason = third }) => {
      const id = anId(subscription, 'args[0]')
      const session = anId(subscriber, 'args[1]')
      // As a keyword argument (Crossbar.io) or as the third argument (the specification's catalog).
      const why = optionalArgument((value, place) => aShortText(value, place, rule), reason, 'reason')
      const held = found(id)
      const member = members.get(session)
      if (!member) throw noSuchSession(session)
      if (!held.members.has(member)) {
        throw new Refusal(NO_SUCH_SUBSCRIPTION, `session ${session} does not hold subscription ${held.id}`)
      }
      broker.revoke(held, member, why)
      return undefined
    },
    'wamp.subscription.get_events': ([subscription, limit], kwargs, caller) => {
      const asked = found(subscription)
      // Crossbar.io accepts the limit as the second argument.
      const query = queryOf({ limit, ...kwargs }, caller)
      const { history } = asked
      if (!history) {
        throw new Refusal(HISTORY_UNAVAILABLE, `no events are kept of subscription ${asked.id}`)
      }
      const about = { action: 'subscribe', uri: asked.uri } as const
      return answerDecided(broker.decideSubscribe(caller, asked.uri, asked.match), caller, about, () => {
        const visible: HistoryQuery['visible'] = (event) =>
          query.visible(event) &&
          (asked.match === 'exact' || broker.mayReceive(event.details.topic ?? asked.uri, caller))
        const events = history.read({ ...query, visible })
        return events instanceof Promise
          ? events.then((found) => answer(asked, query, found))
          : answer(asked, query, events)
      })
    },
  }
}

function queryOf(kwargs: Dict, caller: Destination): HistoryQuery {
  const time = (name: string): number | undefined => optionalArgument(aTime, kwargs[name], name)
  const publication = (name: string): Id | undefined => optionalArgument(anId, kwargs[name], name)
  return {
    reverse: optionalArgument(aFlag, kwargs['reverse'], 'reverse') ?? false,
    limit: Math.min(optionalArgument(aLimit, kwargs['limit'], 'limit') ?? PAGE_EVENTS, PAGE_EVENTS),
    fromTime: time('from_time'),
    afterTime: time('after_time'),
    beforeTime: time('before_time'),
    untilTime: time('until_time'),
    topic: optionalArgument(aText, kwargs['topic'], 'topic'),
    fromPublication: publication('from_publication'),
    afterPublication: publication('after_publication'),
    beforePublication: publication('before_publication'),
    untilPublication: publication('until_publication'),
    visible: ({ lists }) => !namesPrincipals(lists) || new Audience(lists).admits(caller),
  }
}

function answer({ id }: BrokerSubscription, query: HistoryQuery, found: readonly HistoryEvent[]): Answer {
  const args: Dict[] = []
  let weight = 0
  for (const event of found) {
    weight += weightOf(event.payload, event.details)
    if (args.length > 0 && weight > HISTORY_PAGE) return { args, kwargs: { is_limit_reached: true } }
    args.push(eventDict(event, id))
  }
  return { args, kwargs: { is_limit_reached: args.length >= query.limit } }
}

function eventDict({ time, publication, details, payload }: HistoryEvent, subscription: Id): Dict {
  const timestamp = new Date(time).toISOString()
  const { args, kwargs } = payload ?? { args: undefined, kwargs: undefined }
  return {
    timestamp,
    subscription,
    publication,
    details,
    ...(args !== undefined && { args }),
    ...(kwargs !== undefined && { kwargs }),
  }
}
