/** A subscription, and the latest events of a topic, as stores. */

import type { Client } from '../client/client.ts'
import type { Gap } from '../client/handles/handle.ts'
import type { EventHandler } from '../client/roles/subscriber.ts'
import type { ReceivedEvent } from '../client/service/service.ts'
import type { EventArgs, EventKwargs, TopicPattern } from '../client/service/topic.ts'
import { thrown, type WampError } from '../protocol/error.ts'
import type { Uri } from '../protocol/messages.ts'
import { checkRules, WHOLE } from '../protocol/option-rules.ts'
import type { Dict, List, WireSubscribeOptions } from '../protocol/options.ts'
import { fixed, type Live, live } from './live.ts'
import { Recent } from './recent.ts'
import { isNotRunning, whileStarted } from './while-started.ts'

/**
 * `idle` without a topic; `pending` until the router has granted the subscription, and again after a loss; `active`;
 * `error` after a refusal or a revocation: then `error` is set. A subscription that was refused is requested again when
 * the client is started anew.
 */
export type SubscriptionStatus = 'idle' | 'pending' | 'active' | 'error'

/** A subscription at one moment. */
export interface SubscriptionState {
  readonly status: SubscriptionStatus
  readonly error: WampError | undefined
}

/** A topic or a pattern: a URI, or what `topic` has made, whose events are typed. */
export type TopicRef = Uri | TopicPattern

/** The part of a topic by which a binding compares two. */
export const topicKey = (topic: TopicRef | null): unknown =>
  topic === null || typeof topic === 'string' ? topic : [topic.uri, topic.match]

/** Options of a live subscription: any key of SUBSCRIBE.Options in WAMP's spelling, and `onGap`. */
export interface LiveSubscribeOptions extends WireSubscribeOptions {
  /** Called when the subscription is active again after a loss: events published meanwhile have not arrived. */
  readonly onGap?: ((gap: Gap) => void) | undefined
}

const IDLE = /* @__PURE__ */ Object.freeze<SubscriptionState>({ status: 'idle', error: undefined })
const PENDING = /* @__PURE__ */ Object.freeze<SubscriptionState>({ status: 'pending', error: undefined })

/** Subscribes, as long as the returned function is not called; `set` receives each state. */
function subscribed(
  client: Client,
  topic: TopicRef,
  handler: EventHandler,
  { onGap, ...options }: LiveSubscribeOptions,
  set: (state: SubscriptionState) => void,
): () => void {
  return whileStarted(client, async (signal) => {
    set(PENDING)
    try {
      const handle = await client.subscribe(topic, handler, { ...options, timeout: 0, signal })
      const show = () => {
        const { state, error } = handle
        if (state === 'active' || state === 'pending') set({ status: state, error: undefined })
        else if (!signal.aborted) set({ status: 'error', error })
      }
      handle.on('state', show)
      if (onGap) handle.on('gap', onGap)
      show()
      return await handle.closed
    } catch (caught) {
      const error = thrown(caught)
      if (!signal.aborted && !isNotRunning(error)) set({ status: 'error', error })
      return error
    }
  })
}

/** A subscription without a topic is idle. The handler receives every event. */
export function liveSubscription<Of extends TopicRef>(
  client: Client,
  topic: Of | null,
  handler: EventHandler<EventArgs<Of>, EventKwargs<Of>>,
  options: LiveSubscribeOptions = {},
): Live<SubscriptionState> {
  if (topic === null) return fixed(IDLE)
  return live(PENDING, (set) => subscribed(client, topic, handler as EventHandler, options, set))
}

/** The latest events of a topic at one moment. */
export interface EventsState<T = ReceivedEvent> extends SubscriptionState {
  /** The last events, oldest first. */
  readonly events: readonly T[]
  readonly latest: T | undefined
  /** Forgets the events. */
  readonly clear: () => void
}

export interface LiveEventsOptions<T = ReceivedEvent, Args extends List = List, Kwargs extends object = Dict>
  extends LiveSubscribeOptions {
  /** The number of events that are kept. Default 100. */
  readonly limit?: number | undefined
  /** Returns what is kept of an event; undefined for an event that is not kept. Default: all of it, as a ReceivedEvent. */
  readonly select?: ((...event: Parameters<EventHandler<Args, Kwargs>>) => T | undefined) | undefined
}

const whole: NonNullable<LiveEventsOptions['select']> = (args, kwargs, details) => {
  const { topic, publication } = details
  return { args, kwargs, details, topic, publication }
}

/**
 * The last events of a topic. A burst of events makes one snapshot: to react to every event, use `liveSubscription`, or
 * `select`.
 *
 * @throws WampError `wampy.error.usage` for a limit that is not a whole number from 1
 */
export function liveEvents<Of extends TopicRef, T = ReceivedEvent<EventArgs<Of>, EventKwargs<Of>>>(
  client: Client,
  topic: Of | null,
  { limit = 100, select = whole as never, ...options }: LiveEventsOptions<T, EventArgs<Of>, EventKwargs<Of>> = {},
): Live<EventsState<T>> {
  checkRules('events', { limit }, { limit: WHOLE })
  const none: Pick<EventsState<T>, 'events' | 'latest'> = { events: [], latest: undefined }
  if (topic === null) return fixed<EventsState<T>>({ ...IDLE, ...none, clear: () => {} })
  let show = () => {}
  const recent = new Recent<T>(limit, () => show())
  const clear = () => {
    recent.clear()
    show()
  }
  return live<EventsState<T>>({ ...PENDING, ...none, clear }, (set) => {
    show = () => set({ events: recent.list, latest: recent.list.at(-1) })
    const end = subscribed(
      client,
      topic,
      (...event) => {
        const kept = (select as NonNullable<LiveEventsOptions<T>['select']>)(...event)
        if (kept !== undefined) recent.add(kept)
      },
      options,
      set,
    )
    return () => {
      end()
      recent.hush()
    }
  })
}
