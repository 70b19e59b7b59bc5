/** Event history: earlier events of a topic, read page by page. */

import { violation, WampError } from '../../protocol/error.ts'
import { isId } from '../../protocol/ids.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { NO_SUCH_SUBSCRIPTION } from '../../protocol/names.ts'
import type { Dict, List, MatchPolicy, WireEventDetails as WireDetails } from '../../protocol/options.ts'
import { payload } from '../../protocol/payload.ts'
import { isPattern } from '../../protocol/uri.ts'
import { formatValue, isDict } from '../../protocol/validate.ts'
import { checkOptions, checkUri, type OperationRules } from '../checks.ts'
import type { Client } from '../client.ts'
import type { Subscription } from '../roles/subscriber.ts'
import type { ReceivedEvent } from '../service/service.ts'
import type { EventArgs, EventKwargs, TopicPattern, TopicToken } from '../service/topic.ts'
import { type MetaOptions, meta } from './meta-call.ts'

/** An event of a history. */
export interface PastEvent<Args extends List = List, Kwargs extends object = Dict> extends ReceivedEvent<Args, Kwargs> {
  /** Time of publication by the router: RFC 3339. Neither unique nor monotonic. */
  readonly timestamp: string
}

/** The query: all given conditions apply. Names in WAMP's spelling. */
export interface EventHistoryOptions extends MetaOptions {
  /** The match policy of the topic; default `exact`. */
  readonly match?: MatchPolicy | undefined
  /** Newest first. */
  readonly reverse?: boolean | undefined
  /** The greatest number of events. */
  readonly limit?: number | undefined
  /** The page size. Default 1000; the router may return fewer. */
  readonly page?: number | undefined
  /** Only the events of this topic, among those that a pattern matches. */
  readonly topic?: Uri | undefined
  /** A Date, or RFC 3339. */
  readonly from_time?: Date | string | undefined
  readonly after_time?: Date | string | undefined
  readonly before_time?: Date | string | undefined
  readonly until_time?: Date | string | undefined
  /** Publications are ordered by arrival; `from` and `until` are inclusive. */
  readonly from_publication?: Id | undefined
  readonly after_publication?: Id | undefined
  readonly before_publication?: Id | undefined
  readonly until_publication?: Id | undefined
}

const MOMENT: OperationRules[string] = [
  'a Date or a time as RFC 3339 writes it',
  (value) => (value instanceof Date ? !Number.isNaN(value.getTime()) : typeof value === 'string'),
]
const PUBLICATION: OperationRules[string] = ['the id of a publication', isId]

const HISTORY_OPTIONS: OperationRules = {
  reverse: ['true or false', (value) => typeof value === 'boolean'],
  limit: [
    'a whole number from 0',
    (value) => (Number.isInteger(value) && (value as number) >= 0) || value === Number.POSITIVE_INFINITY,
  ],
  page: ['a whole number from 1', (value) => Number.isInteger(value) && (value as number) >= 1],
  from_time: MOMENT,
  after_time: MOMENT,
  before_time: MOMENT,
  until_time: MOMENT,
  from_publication: PUBLICATION,
  after_publication: PUBLICATION,
  before_publication: PUBLICATION,
  until_publication: PUBLICATION,
}

/** The subscription of a history. */
interface StoredSubscription {
  readonly id: Id
  readonly uri: Uri
  readonly match: MatchPolicy
}

/**
 * Iterates over the stored events of a subscription, oldest first: `for await (const { args } of eventHistory(...))`.
 * The subscription is given as a handle, as an id, or as the topic (and `match`) of a history. Each page is requested
 * when the previous one has been read. An event that a payload codec of the client cannot read is left out, counted in
 * `dropped.events` and reported by the event `error`, like a live event; so is one that the schemas of a typed topic refuse,
 * counted in `dropped.invalidEvents` and reported by the event `warning`.
 *
 * Crossbar.io supports only `limit`, and returns the newest events in one page.
 *
 * @throws WampError `wamp.error.feature_not_supported` if the router has no event history,
 *   `wamp.error.history_unavailable` if it keeps no history of this subscription, `wamp.error.no_such_subscription`; as `call`
 */
export async function* eventHistory<Of extends Subscription | Id | Uri | TopicPattern>(
  client: Client,
  of: Of,
  options: EventHistoryOptions = {},
): AsyncGenerator<PastEvent<EventArgs<Of>, EventKwargs<Of>>, void, undefined> {
  checkOptions(options, '', HISTORY_OPTIONS)
  const { match, page = 1000, signal, timeout, waitForReady, limit = Number.POSITIVE_INFINITY, ...query } = options
  const waiting = { signal, timeout, waitForReady }
  const token = typeof of === 'object' && of && 'received' in of ? (of as unknown as TopicToken) : undefined
  const source = await (token
    ? sourceOf(client, token.uri, token.match, waiting)
    : sourceOf(client, of as Subscription | Id | Uri, match, waiting))
  const kwargs: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) kwargs[key] = value instanceof Date ? value.toISOString() : value
  }
  for (let left = limit; left > 0; ) {
    const asked = Math.min(left, page)
    const answer = await meta(client, 'wamp.subscription.get_events', [source.id], { ...kwargs, limit: asked }, waiting)
    const [list] = answer.args
    // Crossbar.io answers with one list, newest first.
    const whole = answer.args.length === 1 && Array.isArray(list)
    const events = whole ? (query.reverse ? list : [...list].reverse()) : answer.args
    const cursor = query.reverse ? 'before_publication' : 'after_publication'
    for (const raw of events.slice(0, left)) {
      const event = read(client, source, raw)
      left--
      if (kwargs[cursor] === (raw as Dict)['publication']) throw violation('a page of events repeats the one before')
      kwargs[cursor] = (raw as Dict)['publication']
      if (!event) continue
      const given = [event.args, event.kwargs] as const
      const checked = token ? await token.received(client, event.topic, ...given) : given
      if (!checked) continue
      yield { ...event, args: checked[0] as EventArgs<Of>, kwargs: checked[1] as EventKwargs<Of> }
    }
    const more = answer.kwargs['is_limit_reached'] ?? events.length >= asked
    if (whole || !events.length || more !== true) return
  }
}

/** Resolves to all events of `eventHistory` in a list. Give a `limit`, unless the router stores few events. */
export async function getEvents<Of extends Subscription | Id | Uri | TopicPattern>(
  client: Client,
  of: Of,
  options?: EventHistoryOptions,
): Promise<PastEvent<EventArgs<Of>, EventKwargs<Of>>[]> {
  const events: PastEvent<EventArgs<Of>, EventKwargs<Of>>[] = []
  for await (const event of eventHistory(client, of, options)) events.push(event)
  return events
}

async function sourceOf(
  client: Client,
  of: Subscription | Id | Uri,
  match: MatchPolicy = 'exact',
  options: MetaOptions,
): Promise<StoredSubscription> {
  if (typeof of === 'number') {
    // For its own subscriptions the client knows the topic and need not trust the router.
    const own = client.subscriptions.find(({ id }) => id === of)
    if (own) return sourceOf(client, own, match, options)
    const { args } = await meta(client, 'wamp.subscription.get', [of], {}, options)
    const [found] = args
    if (!isDict(found) || typeof found['uri'] !== 'string') throw violation(`subscription ${of} has no URI`)
    return { id: of, uri: found['uri'], match: (found['match'] ?? 'exact') as MatchPolicy }
  }
  // Not recognised by its class: it may be from another copy of this library.
  if (typeof of === 'object' && of) {
    const { id, uri, options: said } = of
    const { match = 'exact' } = said
    return id === undefined ? sourceOf(client, uri, match, options) : { id, uri, match }
  }
  checkUri(of, isPattern(of, match))
  const { args } = await meta(client, 'wamp.subscription.lookup', [of, { match }], {}, options)
  const [id] = args
  if (isId(id)) return { id, uri: of, match }
  throw new WampError(NO_SUCH_SUBSCRIPTION, [
    `the router knows no subscription to ${of} (${match}): it keeps no history of it, and nobody has subscribed`,
  ])
}

/** Reads an event from the answer of our router or of Crossbar.io; undefined if no codec could read it. */
function read(client: Client, { id, uri, match }: StoredSubscription, raw: unknown): PastEvent | undefined {
  const {
    publication,
    args = [],
    kwargs = {},
    details: said = {},
    timestamp,
    time_ns,
    topic,
  } = isDict(raw) ? raw : ({} as Dict)
  const time = timeOf(timestamp, time_ns)
  const isEvent = isId(publication) && Array.isArray(args ?? []) && isDict(kwargs ?? {}) && isDict(said)
  if (!isEvent || !time) throw violation(`an event of a history has a publication and a time, got ${formatValue(raw)}`)
  const wire: WireDetails = typeof topic === 'string' ? { topic, ...said } : said
  let data = payload((args ?? []) as List, (kwargs ?? {}) as Dict)
  try {
    data = client.codecs ? client.codecs.event({ uri, match }, wire, data) : data
  } catch (error) {
    client.dropped.events++
    if (!client.emit('error', error)) console.error(error)
    return undefined
  }
  const details = { topic: uri, ...wire, publication, subscription: id }
  return {
    args: data?.args ?? [],
    kwargs: data?.kwargs ?? {},
    details,
    topic: details.topic,
    publication,
    timestamp: time,
  }
}

/** Formats a time as RFC 3339, from RFC 3339 or from nanoseconds. */
function timeOf(timestamp: unknown, nanoseconds: unknown): string | undefined {
  if (typeof timestamp === 'string') return timestamp
  const date = new Date(Number(nanoseconds) / 1e6)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
