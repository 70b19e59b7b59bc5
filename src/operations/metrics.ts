/** The numbers of a router: gauges read from its statistics, and counters that an observer adds up. */

import { usage } from '../protocol/error.ts'
import { checkRules, type OptionRules } from '../protocol/option-rules.ts'
import { formatValue } from '../protocol/validate.ts'
import { VERSION } from '../protocol/version.ts'
import type { AnsweredEvent, RefusedEvent, RouterObserver, WaitedEvent } from '../router/observe/events.ts'
import type { RealmStats, RouterStats } from '../router/stats.ts'
import { type Family, formatFamilies, type Sample, type SampleType } from './exposition.ts'

/** A `Router`, as far as its metrics need it. */
export interface Measurable {
  readonly realms: readonly string[]
  /** The number of links that are attached. */
  readonly links: number
  stats(realm?: string): object
  observe(observer: object): () => void
}

export interface MetricsOptions {
  /**
   * The label `procedure` of `wampy_call_duration_seconds`: `none` (default), `registered` for the procedure or pattern as
   * its callee registered it, or a function that returns the label for the procedure that was called. Beyond 1,000 labels,
   * for one of more than 256 characters, and if the function throws or returns anything but a text, the label is `_other`.
   *
   * @example
   * metrics(router, { procedures: (uri) => uri.split('.').slice(0, 3).join('.') })
   */
  readonly procedures?: 'none' | 'registered' | ((uri: string) => string) | undefined
}

export const METRICS_RULES: OptionRules<MetricsOptions> = {
  procedures: [
    '"none", "registered" or a function',
    (value) => value === 'none' || value === 'registered' || typeof value === 'function',
  ],
}

export interface Metrics {
  /** All samples at this moment. A histogram is the samples of its buckets, its sum and its count. */
  read(): Sample[]
  /** The same in Prometheus' text format, for the content type `text/plain; version=0.0.4`. */
  text(): string
  /** Stops counting: counters keep their values, and the router is observed no more. */
  stop(): void
}

/** The label of procedures, and of methods of authentication, beyond their number. */
const OTHER = '_other'
const MOST_PROCEDURES = 1000
const LONGEST_LABEL = 256
/** Methods of authentication are few; a custom one might make up names. */
const MOST_METHODS = 100

/** The upper bounds of the buckets, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10]

const OUTCOMES = Object.keys({ result: true, error: true, abandoned: true } satisfies Record<
  AnsweredEvent['outcome'],
  true
>)
const ENDS = ['router', 'peer', 'loss']
const ACTIONS = Object.keys({
  join: true,
  subscribe: true,
  unsubscribe: true,
  publish: true,
  register: true,
  unregister: true,
  call: true,
} satisfies Record<RefusedEvent['action'], true>)

const DECIDED = Object.keys({ subscribe: true, publish: true, register: true, call: true } satisfies Record<
  WaitedEvent['action'],
  true
>)

/** Counts by the values of two labels; the first is a realm. */
class Tally {
  readonly #counts = new Map<string, Map<string, number>>()
  readonly #fixed: readonly string[]
  readonly #most: number

  /** `fixed` values of the second label begin at 0 in every realm; there are at most `most` of them all. */
  constructor(fixed: readonly string[], most = Number.POSITIVE_INFINITY) {
    this.#fixed = fixed
    this.#most = most
  }

  add(realm: string, value: string, count = 1): void {
    const counts = this.of(realm)
    const known = counts.has(value) || counts.size < this.#most ? value : OTHER
    counts.set(known, (counts.get(known) ?? 0) + count)
  }

  of(realm: string): Map<string, number> {
    let counts = this.#counts.get(realm)
    if (!counts) {
      // What happens outside of the realms is none of these, but a refused join.
      counts = new Map(realm === '' ? [] : this.#fixed.map((value) => [value, 0]))
      this.#counts.set(realm, counts)
    }
    return counts
  }

  has(realm: string): boolean {
    return this.#counts.has(realm)
  }
}

class Histogram {
  /** One for each bound, and one for what exceeds them all. */
  readonly #counts = new Array<number>(BUCKETS.length + 1).fill(0)
  #sum = 0

  add(seconds: number): void {
    const at = BUCKETS.findIndex((bound) => seconds <= bound)
    const index = at < 0 ? BUCKETS.length : at
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += seconds
  }

  samples(name: string, labels: Readonly<Record<string, string>>): Sample[] {
    let count = 0
    const buckets = this.#counts.map((each, index) => {
      count += each
      const bound = BUCKETS[index]
      return {
        name: `${name}_bucket`,
        labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound) },
        value: count,
      }
    })
    return [
      ...buckets,
      { name: `${name}_sum`, labels, value: this.#sum },
      { name: `${name}_count`, labels, value: count },
    ]
  }
}

/** What has happened since `metrics` was called. */
class Counters {
  readonly joins = new Tally([], MOST_METHODS)
  readonly leaves = new Tally(ENDS)
  readonly calls = new Tally(OUTCOMES)
  readonly refusals = new Tally(ACTIONS)
  readonly slow = new Tally(DECIDED)
  readonly publications = new Map<string, number>()
  readonly events = new Map<string, number>()
  /** By realm and by label of the procedure. */
  readonly durations = new Map<string, Map<string, Histogram>>()
  /** True if durations have the label `procedure`. */
  readonly labelled: boolean
  readonly #procedures = new Set<string>()
  readonly #labelOf: (event: AnsweredEvent) => unknown

  constructor({ procedures = 'none' }: MetricsOptions) {
    this.labelled = procedures !== 'none'
    this.refusals.add('', 'join', 0)
    if (procedures === 'none') this.#labelOf = () => ''
    else if (procedures === 'registered') this.#labelOf = ({ registered }) => registered
    else this.#labelOf = ({ procedure }) => procedures(procedure)
  }

  answered(event: AnsweredEvent): void {
    const { realm, outcome, duration } = event
    this.calls.add(realm, outcome)
    // The caller's patience is not the time of an answer.
    if (duration !== undefined && outcome !== 'abandoned')
      this.durationOf(realm, this.#procedure(event)).add(duration / 1000)
  }

  durationOf(realm: string, procedure: string): Histogram {
    const found = inserted(this.durations, realm, () => new Map<string, Histogram>())
    return inserted(found, procedure, () => new Histogram())
  }

  #procedure(event: AnsweredEvent): string {
    let label: unknown
    try {
      label = this.#labelOf(event)
    } catch {
      // Counted all the same.
    }
    if (typeof label !== 'string' || label.length > LONGEST_LABEL) return OTHER
    if (!this.#procedures.has(label)) {
      if (this.#procedures.size >= MOST_PROCEDURES) return OTHER
      this.#procedures.add(label)
    }
    return label
  }
}

function inserted<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}

function added(counts: Map<string, number>, realm: string, count: number): void {
  counts.set(realm, (counts.get(realm) ?? 0) + count)
}

/**
 * Counts what a router does, until `stop()`. Labels are words of the router and the URIs of its realms: never a session
 * id, an authid, or a URI that a peer has chosen, unless `procedures` asks for it.
 *
 * @example
 * const numbers = metrics(router)
 * http.createServer((_, response) => response.end(numbers.text())).listen(9090, '127.0.0.1')
 * @throws WampError `wampy.error.usage` for anything but a Router, and for invalid options
 */
export function metrics(router: Measurable, options: MetricsOptions = {}): Metrics {
  if (!isMeasurable(router)) {
    throw usage(
      `metrics expects a Router as its first argument, such as metrics(new Router()), got ${formatValue(router)}`,
    )
  }
  checkRules('metrics', options, METRICS_RULES)
  const counters = new Counters(options)
  const { joins, leaves, refusals, slow, publications, events } = counters
  const observer: RouterObserver = {
    joined: ({ realm, authmethod }) => joins.add(realm, authmethod),
    left: ({ realm, by }) => leaves.add(realm, by),
    answered: (event) => counters.answered(event),
    published: ({ realm }) => added(publications, realm, 1),
    delivered: ({ realm, receivers }) => added(events, realm, receivers),
    // A refused HELLO may name any realm.
    refused: ({ realm = '', action }) => refusals.add(router.realms.includes(realm) ? realm : '', action),
    waited: ({ realm, action }) => slow.add(realm, action),
  }
  const stop = router.observe(observer)
  return {
    read: () => familiesOf(router, counters).flatMap(({ samples }) => samples),
    text: () => formatFamilies(familiesOf(router, counters)),
    stop,
  }
}

export function isMeasurable(router: unknown): router is Measurable {
  const { observe, stats } = Object(router) as Partial<Measurable>
  return typeof observe === 'function' && typeof stats === 'function'
}

function familiesOf(router: Measurable, counters: Counters): Family[] {
  const { realms } = router
  const all = router.stats() as RouterStats
  const byRealm = realms.map((realm) => ({ realm, stats: router.stats(realm) as RouterStats }))
  const single = (name: string, type: SampleType, help: string, value: number, labels = {}): Family => ({
    name,
    type,
    help,
    samples: [{ name, labels, value }],
  })
  const gauge = (name: string, help: string, read: (stats: RealmStats) => number): Family => ({
    name,
    type: 'gauge',
    help,
    samples: byRealm.map(({ realm, stats }) => ({ name, labels: { realm }, value: read(stats) })),
  })
  const counter = (name: string, help: string, counts: ReadonlyMap<string, number>): Family => ({
    name,
    type: 'counter',
    help,
    samples: realms.map((realm) => ({ name, labels: { realm }, value: counts.get(realm) ?? 0 })),
  })
  const tally = (name: string, help: string, label: string, counts: Tally): Family => ({
    name,
    type: 'counter',
    help,
    samples: [...realms, ...(counts.has('') ? [''] : [])].flatMap((realm) =>
      Array.from(counts.of(realm), ([value, count]) => ({ name, labels: { realm, [label]: value }, value: count })),
    ),
  })
  const { total, limit, ...kinds } = all.bytes
  return [
    single('wampy_build_info', 'gauge', 'The version of wampy-ts; the value is always 1.', 1, { version: VERSION }),
    single('wampy_links', 'gauge', 'Connections, with or without a session.', router.links),
    gauge('wampy_sessions', 'Sessions that have joined a realm.', ({ sessions }) => sessions),
    tally('wampy_joins_total', 'Sessions that joined a realm.', 'authmethod', counters.joins),
    tally(
      'wampy_leaves_total',
      'Sessions that ended, by the router, by their peer or by a loss.',
      'by',
      counters.leaves,
    ),
    tally('wampy_refusals_total', 'Requests and joins that were refused.', 'action', counters.refusals),
    tally(
      'wampy_slow_decisions_total',
      'Decisions of authorize that took a second or longer.',
      'action',
      counters.slow,
    ),
    {
      name: 'wampy_messages_total',
      type: 'counter',
      help: 'Messages on all connections, since the router was created.',
      samples: (['received', 'sent'] as const).flatMap((direction) =>
        Object.entries(all.messages[direction]).map(([type, value]) => ({
          name: 'wampy_messages_total',
          labels: { direction, type },
          value,
        })),
      ),
    },
    gauge('wampy_registrations', 'Registrations.', ({ registrations }) => registrations),
    gauge('wampy_pending_calls', 'Calls that are not answered yet, with those that are queued.', ({ calls }) => calls),
    single('wampy_queued_calls', 'gauge', 'Calls that wait for a free callee.', all.queued),
    tally('wampy_calls_total', 'Calls that were settled.', 'outcome', counters.calls),
    durationsOf(realms, counters),
    gauge('wampy_subscriptions', 'Subscriptions.', ({ subscriptions }) => subscriptions),
    counter('wampy_publications_total', 'Publications that were accepted.', counters.publications),
    counter('wampy_events_total', 'Events that were sent, once for each receiver.', counters.events),
    gauge('wampy_retained_events', 'Topics with a retained event.', ({ retained }) => retained),
    gauge('wampy_history_events', 'Events in histories.', ({ history }) => history),
    gauge('wampy_testaments', 'Testaments of present sessions.', ({ testaments }) => testaments),
    counter(
      'wampy_throttled_total',
      'Pauses of sessions whose rate was exceeded, since the router was created.',
      new Map(byRealm.map(({ realm, stats }) => [realm, stats.throttled])),
    ),
    {
      name: 'wampy_dropped_total',
      type: 'counter',
      help: 'What was discarded, by its reason in router.stats(), since the router was created.',
      samples: droppedOf(all, byRealm),
    },
    single('wampy_backlog_bytes', 'gauge', 'Bytes that wait for sessions to read them.', all.bytes.backlogs),
    {
      name: 'wampy_memory_bytes',
      type: 'gauge',
      help: 'Bytes that the router keeps for its peers, estimated.',
      samples: Object.entries(kinds).map(([kind, value]) => ({ name: 'wampy_memory_bytes', labels: { kind }, value })),
    },
    single('wampy_memory_limit_bytes', 'gauge', 'The limit on the sum of wampy_memory_bytes.', limit),
  ]
}

function durationsOf(realms: readonly string[], counters: Counters): Family {
  const name = 'wampy_call_duration_seconds'
  if (!counters.labelled) for (const realm of realms) counters.durationOf(realm, '')
  const samples = realms.flatMap((realm) =>
    Array.from(counters.durations.get(realm) ?? [], ([procedure, histogram]) =>
      histogram.samples(name, counters.labelled ? { realm, procedure } : { realm }),
    ).flat(),
  )
  return { name, type: 'histogram', help: 'The time from a call to its result or error.', samples }
}

/** Observers fail in a realm, or before a session has one. */
function droppedOf(
  all: RealmStats,
  byRealm: readonly { readonly realm: string; readonly stats: RealmStats }[],
): Sample[] {
  const sample = (realm: string, reason: string, value: number): Sample => ({
    name: 'wampy_dropped_total',
    labels: { realm, reason },
    value,
  })
  const inRealms = byRealm.reduce((sum, { stats }) => sum + stats.dropped.observations, 0)
  return [
    ...byRealm.flatMap(({ realm, stats }) =>
      Object.entries(stats.dropped).map(([reason, value]) => sample(realm, reason, value)),
    ),
    sample('', 'observations', all.dropped.observations - inRealms),
  ]
}
