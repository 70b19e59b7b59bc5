/** Testaments: events that the router publishes for a session when it has ended, for any reason. */

import { usage } from '../../protocol/error.ts'
import type { Uri } from '../../protocol/messages.ts'
import { isUri } from '../../protocol/uri.ts'
import { formatValue } from '../../protocol/validate.ts'
import { anyOf, isOneOf, TESTAMENT_SCOPES, type TestamentScope } from '../../protocol/words.ts'
import { checkPassthru, checkPayload, checkUri } from '../checks.ts'
import type { Client } from '../client.ts'
import { BEFORE } from '../roles/caller.ts'
import { checkAudience, type PublishOptions, wireOf } from '../roles/publisher.ts'
import type { PublicationOf, Topic, TopicToken } from '../service/topic.ts'
import { type MetaOptions, meta } from './meta-call.ts'

export type { TestamentScope } from '../../protocol/words.ts'

export interface TestamentOptions extends MetaOptions {
  /** Default `destroyed`. */
  readonly scope?: TestamentScope | undefined
  /** The options of `publish`. */
  readonly publish_options?: PublishOptions | undefined
}

/**
 * Adds an event to be published when this session ends, including by `stop()`; `flushTestaments` discards it before that.
 * It belongs to the session: after a loss it must be added again, for example on the event `ready`.
 *
 * @example
 * await addTestament(client, 'com.example.left', ['Ada'])
 * @throws WampError `wamp.error.feature_not_supported` if the router has no testaments; as `call`
 */
export function addTestament<Of extends Uri | Topic>(
  client: Client,
  topic: Of,
  ...payload: PublicationOf<Of, TestamentOptions>
): Promise<void>
export async function addTestament(
  client: Client,
  given: Uri | Topic,
  // biome-ignore-start lint/suspicious/noExplicitAny: the compiler compares no other type with that of the overload
  args: any = [],
  kwargs: any = {},
  // biome-ignore-end lint/suspicious/noExplicitAny: until here
  { scope, publish_options, ...options }: TestamentOptions = {},
): Promise<void> {
  checkScope(scope)
  const token = typeof given === 'object' ? (given as TopicToken) : undefined
  await token?.sent(args, kwargs)
  const topic = token?.uri ?? (given as Uri)
  checkUri(topic, isUri(topic))
  checkPayload(args, kwargs)
  checkPassthru(publish_options ?? {}, client.codecs)
  await meta(
    client,
    'wamp.session.add_testament',
    [topic, args, kwargs],
    { ...(scope && { scope }), ...(publish_options && { publish_options: wireOf(publish_options) }) },
    { ...options, [BEFORE]: (session) => publish_options && checkAudience(session, topic, publish_options) },
  )
}

/** Discards the testaments of this session with a given scope. */
export async function flushTestaments(
  client: Client,
  { scope, ...options }: MetaOptions & { readonly scope?: TestamentScope | undefined } = {},
): Promise<void> {
  checkScope(scope)
  await meta(client, 'wamp.session.flush_testaments', [], scope ? { scope } : {}, options)
}

function checkScope(scope: unknown): void {
  if (scope === undefined || isOneOf(TESTAMENT_SCOPES, scope)) return
  throw usage(`the option scope must be ${anyOf(TESTAMENT_SCOPES)}, got ${formatValue(scope)}`)
}
