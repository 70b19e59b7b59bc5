/** Sends one event to many: the only code that writes to more than one destination. Slow readers lose events here. */

import type { EventMessage } from '../../protocol/messages.ts'
import type { Prepared } from '../../transport/transport.ts'
import type { Destination } from './destination.ts'
import { trySend } from './refusal.ts'

const UNSENDABLE: Prepared = Symbol('unsendable')

/** Why an event was not sent to a subscriber: it was too far behind, or its serializer cannot express the event. */
export type Undelivered = 'slow' | 'unsendable'

/** A filter of subscribers. */
export interface Admitting {
  admits(destination: Destination): boolean
}

/**
 * Sends an event to the subscribers in its audience: encoded and framed once for each kind of destination, and not to a
 * subscriber that is behind. Returns the number of receivers, and notes in `record` how many lag behind.
 */
export function deliver(
  event: EventMessage,
  subscribers: ReadonlySet<Destination>,
  except: Destination | undefined,
  audience: Admitting | undefined,
  drop: (reason: Undelivered, destination: Destination, event: EventMessage) => void,
  record: { lagging: number },
): number {
  const prepared = subscribers.size > 1 ? new Map<string, Prepared>() : undefined
  // As many as last time will hold each frame until they read it.
  const holders = Math.max(1, record.lagging)
  let lagging = 0
  let sent = 0
  for (const destination of subscribers) {
    if (destination === except || (audience && !audience.admits(destination))) continue
    const { kind } = destination
    if (destination.behind) {
      drop('slow', destination, event)
    } else if (!prepared || kind === undefined) {
      if (trySend(destination, event)) drop('unsendable', destination, event)
      else sent++
    } else {
      let frame = prepared.get(kind)
      if (frame === undefined) {
        try {
          frame = destination.prepare(event)
        } catch {
          frame = UNSENDABLE
        }
        prepared.set(kind, frame)
      }
      if (frame === UNSENDABLE) drop('unsendable', destination, event)
      else {
        if (destination.write(frame, holders)) lagging++
        sent++
      }
    }
  }
  record.lagging = lagging
  return sent
}
