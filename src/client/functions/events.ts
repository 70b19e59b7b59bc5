/** `client.events(topic)`: events read in a loop, at the reader's own pace. */

import type { WampError } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { STOPPED } from '../../protocol/names.ts'
import { overflow as overflowing, Parts } from '../base/part-stream.ts'
import { limit, within } from '../base/waiting.ts'
import { checkOptions } from '../checks.ts'
import type { Client } from '../client.ts'
import type { SubscribeOptions, Subscription } from '../roles/subscriber.ts'
import type { ReceivedEvent } from '../service/service.ts'

export interface EventsOptions extends SubscribeOptions {
  /** How many events may wait for a slow reader. Default 1000. */
  readonly buffer?: number | undefined
  /**
   * Which event is dropped when there is no room: the `oldest` that waits (default), or the `newest`, which has just
   * come. `error` ends the subscription, and the loop throws `wampy.error.limit_exceeded` behind what waits.
   */
  readonly overflow?: 'oldest' | 'newest' | 'error'
}

/** Events in a loop. Who leaves it unsubscribes. */
export interface Events extends AsyncIterableIterator<ReceivedEvent, undefined> {
  /**
   * The handle, when the router has granted it; rejects as the loop throws. Where no `timeout` was given, it rejects after
   * 30 seconds alone, and the loop goes on waiting.
   */
  readonly subscription: Promise<Subscription>
}

export function events(client: Client, topic: Uri, options: EventsOptions): Events {
  checkOptions(options)
  // A loop waits for as long as its reader does, unless it was told otherwise.
  const { buffer = 1000, overflow = 'oldest', signal, timeout = 0, ...rest } = options
  const left = new AbortController()
  let release: (() => void) | undefined
  const stopped = (cause?: WampError) => parts.end(cause)
  const parts = new Parts<ReceivedEvent>(() => {
    release?.()
    client.off('stopped', stopped)
    // Ends the subscription, granted or not.
    left.abort(signal?.reason)
  })
  release = limit({ signal }, true, (error) => parts.end(error))
  const granted = client.subscribe(
    topic,
    (args, kwargs, details) => {
      if (parts.size >= buffer) {
        client.dropped.events++
        if (overflow === 'newest') return
        if (overflow === 'error') return parts.end(overflowing(buffer, `events of ${topic}`))
        parts.drop()
      }
      parts.push({ args, kwargs, details, topic: details.topic, publication: details.publication })
    },
    { ...rest, timeout, signal: left.signal },
  )
  client.on('stopped', stopped)
  granted.then(
    (handle) => handle.closed.then((error) => parts.end(error)),
    // Who stops on purpose need not be told.
    (error: WampError) => parts.end(error.uri === STOPPED && !error.cause ? undefined : error),
  )
  const subscription = options.timeout === undefined ? within(granted, { timeout: 30_000 }) : granted
  subscription.catch(() => {})
  return Object.assign(parts, { subscription })
}
