/** What a member is told: an answer, a refusal, or one event for many. */

import { ERROR } from '../../protocol/codes.ts'
import { thrown } from '../../protocol/error.ts'
import type { Event, Id, Message, RequestCode, Uri } from '../../protocol/messages.ts'
import type { Dict } from '../../protocol/options.ts'
import { payload } from '../../protocol/payload.ts'
import type { Prepared } from '../../transport/transport.ts'
import type { Audience } from '../pubsub/audience.ts'
import type { Dropped } from './limits.ts'
import type { Member } from './member.ts'

/** Details that say nothing: one for all messages. */
export const NOTHING: Dict = Object.freeze({})

/** Why a request is refused: for programs, and for people. */
export type Refusal = readonly [uri: Uri, text: string]

/** Answers a request with an ERROR. */
export function refuse(member: Member, type: RequestCode, request: Id, [uri, text]: Refusal): void {
  member.send([ERROR, type, request, NOTHING, uri, payload([text])])
}

/** Sends what another session wrote. Gives back why it cannot be said to this receiver, whose fault that is not. */
export function attempt(receiver: Member, message: Message): Refusal | undefined {
  try {
    receiver.send(message)
    return undefined
  } catch (error) {
    const { uri, message: text } = thrown(error)
    return [uri, text]
  }
}

const UNSENDABLE: Prepared = Symbol('unsendable')

/**
 * Sends an event to those of the subscribers who may hear it: encoded and framed once for each kind of link, and not to
 * who is too far behind.
 */
export function deliver(
  event: Event,
  subscribers: ReadonlySet<Member>,
  except: Member | undefined,
  audience: Audience | undefined,
  backlog: number,
  dropped: Dropped,
): void {
  const prepared = subscribers.size > 1 ? new Map<string, Prepared>() : undefined
  for (const member of subscribers) {
    if (member === except || (audience && !audience.admits(member))) continue
    const { link } = member
    if (link.backlog > backlog) {
      dropped.slow++
    } else if (!prepared || link.kind === undefined || !link.prepare || !link.write) {
      if (attempt(member, event)) dropped.unsendable++
    } else {
      let frame = prepared.get(link.kind)
      if (frame === undefined) {
        try {
          frame = link.prepare(event)
        } catch {
          frame = UNSENDABLE
        }
        prepared.set(link.kind, frame)
      }
      if (frame === UNSENDABLE) dropped.unsendable++
      else link.write(frame)
    }
  }
}
