/** Event history: what was published to a topic before, read page by page. */

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
import { type MetaOptions, meta } from './meta-call.ts'

/** An event as a history has it. */
export interface PastEvent extends ReceivedEvent {
  /** When the router published it: RFC 3339. Neither unique nor always growing. */
  readonly timestamp: string
}

/** Which events are asked for: all that is given must hold. Names as WAMP spells them. */
export interface EventHistoryOptions extends MetaOptions {
  /** Of the topic that is asked for; default `exact`. */
  readonly match?: MatchPolicy | undefined
  /** Newest first. */
  readonly reverse?: boolean | undefined
  /** How many events at most. */
  readonly limit?: number | undefined
  /** How many of them are asked for at once. Default 1000; the router may give fewer. */
  readonly page?: number | undefined
  /** One topic, of those that a pattern matches. */
  readonly topic?: Uri | undefined
  /** A Date, or RFC 3339. */
  readonly from_time?: Date | string | undefined
  readonly after_time?: Date | string | undefined
  readonly before_time?: Date | string | undefined
  readonly until_time?: Date | string | undefined
  /** Publications are placed by their arrival; `from` and `until` are included. */
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

/** What a history is read of. */
interface Source {
  readonly id: Id
  readonly uri: Uri
  readonly match: MatchPolicy
}

/**
 * The events that the router remembers of a subscription, oldest first: `for await (const { args } of eventHistory(...))`.
 * It is given as its handle, by its id, or by the topic (and `match`) that the router keeps a history of. Asks for a page
 * when the one before is read. What a payload codec of the client cannot read is left out, counted in `dropped.events`
 * and told by the event `error`, as an event that comes live.
 *
 * Crossbar.io takes a `limit` alone, and gives the newest in one page.
 *
 * @throws WampError `wamp.error.feature_not_supported` where the router has no event history,
 *   `wamp.error.history_unavailable` where it keeps none of this, `wamp.error.no_such_subscription`; as `call`
 */
export async function* eventHistory(
  client: Client,
  of: Subscription | Id | Uri,
  options: EventHistoryOptions = {},
): AsyncGenerator<PastEvent, void, undefined> {
  checkOptions(options, '', HISTORY_OPTIONS)
  const { match, page = 1000, signal, timeout, waitForReady, limit = Number.POSITIVE_INFINITY, ...query } = options
  const waiting = { signal, timeout, waitForReady }
  const source = await sourceOf(client, of, match, waiting)
  const kwargs: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) kwargs[key] = value instanceof Date ? value.toISOString() : value
  }
  for (let left = limit; left > 0; ) {
    const asked = Math.min(left, page)
    const answer = await meta(client, 'wamp.subscription.get_events', [source.id], { ...kwargs, limit: asked }, waiting)
    const [list] = answer.args
    // As Crossbar.io answers: all in one list, the newest first.
    const whole = answer.args.length === 1 && Array.isArray(list)
    const events = whole ? (query.reverse ? list : [...list].reverse()) : answer.args
    const cursor = query.reverse ? 'before_publication' : 'after_publication'
    for (const raw of events.slice(0, left)) {
      const event = read(client, source, raw)
      left--
      if (kwargs[cursor] === (raw as Dict)['publication']) throw violation('a page of events repeats the one before')
      kwargs[cursor] = (raw as Dict)['publication']
      if (event) yield event
    }
    const more = answer.kwargs['is_limit_reached'] ?? events.length >= asked
    if (whole || !events.length || more !== true) return
  }
}

/** All that `eventHistory` gives, in a list. Say a `limit`, unless the router keeps little. */
export async function getEvents(
  client: Client,
  of: Subscription | Id | Uri,
  options?: EventHistoryOptions,
): Promise<PastEvent[]> {
  const events: PastEvent[] = []
  for await (const event of eventHistory(client, of, options)) events.push(event)
  return events
}

async function sourceOf(
  client: Client,
  of: Subscription | Id | Uri,
  match: MatchPolicy = 'exact',
  options: MetaOptions,
): Promise<Source> {
  if (typeof of === 'number') {
    // Of its own subscriptions this client need not believe the router what they are.
    const own = client.subscriptions.find(({ id }) => id === of)
    if (own) return sourceOf(client, own, match, options)
    const { args } = await meta(client, 'wamp.subscription.get', [of], {}, options)
    const [found] = args
    if (!isDict(found) || typeof found['uri'] !== 'string') throw violation(`subscription ${of} has no URI`)
    return { id: of, uri: found['uri'], match: (found['match'] ?? 'exact') as MatchPolicy }
  }
  // Not by its class: another copy of this library may have made it.
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

/** What a router says of an event, ours or Crossbar.io; undefined where no codec could read it. */
function read(client: Client, { id, uri, match }: Source, raw: unknown): PastEvent | undefined {
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

/** RFC 3339, of that or of nanoseconds. */
function timeOf(timestamp: unknown, nanoseconds: unknown): string | undefined {
  if (typeof timestamp === 'string') return timestamp
  const date = new Date(Number(nanoseconds) / 1e6)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
