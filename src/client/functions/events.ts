/** `client.events(topic)`: events read in a loop, at the reader's own pace. */

import type { WampError } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { STOPPED } from '../../protocol/names.ts'
import type { Dict, List } from '../../protocol/options.ts'
import type { Load } from '../base/load.ts'
import { overflow as overflowing, Parts } from '../base/part-stream.ts'
import { limit, within } from '../base/waiting.ts'
import { checkOptions } from '../checks.ts'
import type { Client } from '../client.ts'
import type { SubscribeOptions, Subscription } from '../roles/subscriber.ts'
import type { ReceivedEvent } from '../service/service.ts'
import type { TopicPattern } from '../service/topic.ts'

export interface EventsOptions extends SubscribeOptions {
  /** The number of events that may wait for a slow reader. Default 1000. */
  readonly buffer?: number | undefined
  /**
   * The event to drop if there is no room: the `oldest` (default), or the `newest`, which has just arrived. `error` ends
   * the subscription, and the loop throws `wampy.error.limit_exceeded` after the waiting events.
   */
  readonly overflow?: 'oldest' | 'newest' | 'error'
}

/** Events in a loop. Leaving the loop unsubscribes. */
export interface Events<Args extends List = List, Kwargs extends object = Dict>
  extends AsyncIterableIterator<ReceivedEvent<Args, Kwargs>, undefined> {
  /**
   * Resolves to the handle when the router has granted it; rejects with the error of the loop. Without a `timeout` it
   * rejects after 30 seconds, and the loop continues to wait.
   */
  readonly subscription: Promise<Subscription>
}

export function events(client: Client, topic: Uri | TopicPattern, options: EventsOptions, load: Load): Events {
  checkOptions(options)
  // Without a timeout the loop waits as long as its reader does.
  const { buffer = 1000, overflow = 'oldest', signal, timeout = 0, ...rest } = options
  const left = new AbortController()
  let release: (() => void) | undefined
  const stopped = (cause?: WampError) => parts.end(cause)
  const parts = new Parts<ReceivedEvent>(load, () => {
    release?.()
    client.off('stopped', stopped)
    // Ends the subscription, granted or not.
    left.abort(signal?.reason)
  })
  release = limit({ signal }, true, (error) => parts.end(error))
  const granted = client.subscribe(
    topic,
    (args, kwargs, details) => {
      const event = { args, kwargs, details, topic: details.topic, publication: details.publication }
      while (!parts.push(event, buffer)) {
        client.dropped.events++
        if (overflow === 'error') parts.end(overflowing(buffer, `events of ${topic}`))
        if (overflow !== 'oldest' || !parts.size) return
        parts.drop()
      }
    },
    { ...rest, timeout, signal: left.signal },
  )
  client.on('stopped', stopped)
  granted.then(
    (handle) => handle.closed.then((error) => parts.end(error)),
    // A deliberate stop is not reported.
    (error: WampError) => parts.end(error.uri === STOPPED && !error.cause ? undefined : error),
  )
  const subscription = options.timeout === undefined ? within(granted, { timeout: 30_000 }) : granted
  subscription.catch(() => {})
  return Object.assign(parts, { subscription })
}
