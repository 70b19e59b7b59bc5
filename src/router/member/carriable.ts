/** What the router keeps to send later must be expressible in each of its serializers, or keeping it would be a broken promise. */

import { EVENT, PUBLISH } from '../../protocol/codes.ts'
import { thrown } from '../../protocol/error.ts'
import type { PublishMessage, Uri } from '../../protocol/messages.ts'
import { INVALID_ARGUMENT } from '../../protocol/names.ts'
import type { WireEventDetails } from '../../protocol/options.ts'
import { kept, type Payload } from '../../protocol/payload.ts'
import type { Serializer } from '../../serializer/serializer.ts'
import { NO_DETAILS, Refusal } from './refusal.ts'

/** The refusal of an event that one of the serializers cannot carry. */
export function refuseUncarried(
  serializers: Iterable<Serializer>,
  details: WireEventDetails,
  data: Payload | undefined,
): Refusal | undefined {
  for (const serializer of serializers) {
    // The bytes that arrived are sent again as they are.
    if (data?.source?.serializer === serializer.name) continue
    try {
      serializer.encode([EVENT, 1, 1, details, data])
    } catch (error) {
      const { message } = thrown(error)
      return new Refusal(
        INVALID_ARGUMENT,
        `a subscriber that uses ${serializer.name} could not receive this: ${message}`,
      )
    }
  }
  return undefined
}

/** A payload of values in bytes, which take far less memory; values if no serializer is known. */
export function inBytes(serializers: Iterable<Serializer>, topic: Uri, data: Payload | undefined): Payload | undefined {
  if (!data) return data
  for (const serializer of serializers) {
    const message = serializer.decode(serializer.encode([PUBLISH, 1, NO_DETAILS, topic, data])) as PublishMessage
    return kept(message[4])
  }
  return data
}
