/** The publisher: PUBLISH, and PUBLISHED with `acknowledge`. */

import { PUBLISH, PUBLISHED } from '../../protocol/codes.ts'
import { unsent } from '../../protocol/error.ts'
import { keyTypeOf } from '../../protocol/keys.ts'
import type { Id, PublishedMessage, Uri } from '../../protocol/messages.ts'
import { FEATURE_NOT_SUPPORTED } from '../../protocol/names.ts'
import type { Dict, KnownKeys, List, WirePublishOptions as WireOptions } from '../../protocol/options.ts'
import { payload } from '../../protocol/payload.ts'
import { canceled, type Waiting } from '../base/waiting.ts'
import type { ClientSession } from '../session/client-session.ts'
import { granted } from '../session/requests.ts'
import { PUBLISHER_FEATURES } from './features.ts'
import type { Role } from './role.ts'

/** A list, or a single item. */
export type OrItem<T> = T extends readonly (infer Item extends Id | string)[] ? Item | T | undefined : T

export type PublishKeys = { readonly [K in keyof KnownKeys<WireOptions>]: OrItem<KnownKeys<WireOptions>[K]> }

/** The options of a publication: those of this library, and any key of PUBLISH.Options in WAMP's spelling; a single id or name needs no list. */
export interface PublishOptions extends Waiting, Dict, PublishKeys {
  /** Waits for a session if there is none, instead of failing at once. */
  readonly waitForReady?: boolean
  /**
   * Fails with `wamp.error.feature_not_supported` before anything is sent, if the broker would ignore `eligible*` or
   * `exclude*` and so send the event to everybody. Default false: the client's event `warning` reports it.
   */
  readonly mandatory?: boolean | undefined
}

export const publisher: Role = {
  name: 'publisher',
  features: PUBLISHER_FEATURES,
  handlers: {
    [PUBLISHED]: granted,
  },
}

/** The options as they are sent. */
export function wireOf({
  signal: _,
  timeout: __,
  waitForReady: ___,
  mandatory: ____,
  ...options
}: PublishOptions): WireOptions {
  const wire: Record<string, unknown> = options
  for (const key in wire) {
    const value = wire[key]
    // The broker accepts only lists; an absent list and an empty list mean different things.
    if (value !== undefined && !Array.isArray(value) && keyTypeOf(key)?.[3]) wire[key] = [value]
  }
  return wire
}

/** Refuses or reports options that limit the audience, if the broker does not announce that it heeds them. */
export function checkAudience(session: ClientSession, topic: Uri, options: PublishOptions): void {
  if (session.announces('broker', 'subscriber_blackwhite_listing')) return
  const ignored = Object.keys(options).filter(
    (key) => /^e(ligible|xclude($|_auth))/.test(key) && options[key] !== undefined,
  )
  if (!ignored.length) return
  const text = `the broker ignores ${ignored.join(', ')} and sends ${topic} to all: it does not announce subscriber_blackwhite_listing`
  const error = unsent(FEATURE_NOT_SUPPORTED, text)
  if (options.mandatory) throw error
  session.owner.warned(error)
}

/** Resolves to the publication's id with `acknowledge: true`, otherwise to undefined when the event has been sent. */
export function publish(
  session: ClientSession,
  topic: Uri,
  args: List | undefined,
  kwargs: Dict | undefined,
  given: PublishOptions,
): Promise<Id | undefined> {
  const { signal, timeout } = given
  const data = payload(args, kwargs)
  checkAudience(session, topic, given)
  const options = wireOf(given)
  const message = (id: Id) => [PUBLISH, id, options, topic, data] as const
  if (options.acknowledge === true) {
    return session.requests.ask<Id, PublishedMessage>(
      { code: PUBLISH, message: (id) => [...message(id)], settle: ([, , publication]) => publication },
      { signal, timeout },
    )
  }
  if (signal?.aborted) throw canceled(signal, false)
  session.requests.tell((id) => [...message(id)])
  return Promise.resolve(undefined)
}
