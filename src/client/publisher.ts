/** The publisher: PUBLISH, and PUBLISHED where it was asked for. */

import { PUBLISH, PUBLISHED } from '../protocol/codes.ts'
import type { Id, Published, Uri } from '../protocol/messages.ts'
import type { Dict, List, PublishOptions as WireOptions } from '../protocol/options.ts'
import { payload } from '../protocol/payload.ts'
import type { ClientSession } from './client-session.ts'
import type { Role } from './role.ts'
import { canceled, type Waiting } from './waiting.ts'

/** Options of a publication: ours, and any key of PUBLISH.Options as WAMP spells it. */
export interface PublishOptions extends Waiting, WireOptions {
  /** Waits for the session, where there is none now, instead of failing at once. */
  readonly waitForReady?: boolean
}

export const publisher: Role = {
  name: 'publisher',
  features: { publisher_exclusion: true },
  handlers: {
    [PUBLISHED]: (message, session) => session.requests.must(PUBLISH, message[1], message),
  },
}

/** Resolves to the publication's id with `acknowledge: true`, else to undefined when the event has been handed over. */
export async function publish(
  session: ClientSession,
  topic: Uri,
  args: List | undefined,
  kwargs: Dict | undefined,
  { signal, timeout, waitForReady: _, ...options }: PublishOptions,
): Promise<Id | undefined> {
  const data = payload(args, kwargs)
  const message = (id: Id) => [PUBLISH, id, options as WireOptions, topic, data] as const
  if (options.acknowledge === true) {
    return session.requests.ask<Id, Published>(
      { code: PUBLISH, message: (id) => [...message(id)], settle: ([, , publication]) => publication },
      { signal, timeout },
    )
  }
  if (signal?.aborted) throw canceled(signal, false)
  session.requests.tell((id) => [...message(id)])
  return undefined
}
