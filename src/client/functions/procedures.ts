/** The procedures of a realm, from the registration meta API of its router. */

import { unsent, type WampError } from '../../protocol/error.ts'
import type { Id, Uri } from '../../protocol/messages.ts'
import { FEATURE_NOT_SUPPORTED, NO_SUCH_PROCEDURE, NO_SUCH_REGISTRATION } from '../../protocol/names.ts'
import type { InvokePolicy, MatchPolicy } from '../../protocol/options.ts'
import type { Client } from '../client.ts'
import type { CallOptions } from '../roles/caller.ts'

/** One registration of a realm. */
export interface ProcedureEntry {
  readonly id: Id
  readonly uri: Uri
  readonly match: MatchPolicy
  readonly invoke: InvokePolicy
  /** Time of the first registration: ISO 8601. */
  readonly created: string
}

/** The number of registrations to request at once. */
const AT_ONCE = 100

export async function registered(client: Client, options?: CallOptions): Promise<ProcedureEntry[]> {
  const ask = <T>(name: string, ...args: unknown[]) =>
    client.call<T>(`wamp.registration.${name}`, args, undefined, options)
  const unless =
    (...uris: Uri[]) =>
    (error: WampError) => {
      if (!uris.includes(error.uri)) throw error
      return undefined
    }
  const ids = await ask<Record<MatchPolicy, Id[]>>('list').catch(unless(NO_SUCH_PROCEDURE))
  if (!ids) {
    throw unsent(FEATURE_NOT_SUPPORTED, 'the router has no registration meta API')
  }
  const all = Object.values(ids).flat()
  const found: ProcedureEntry[] = []
  for (let at = 0; at < all.length; at += AT_ONCE) {
    // A registration that has ended meanwhile cannot be called any more.
    const some = all
      .slice(at, at + AT_ONCE)
      .map((id) => ask<ProcedureEntry>('get', id).catch(unless(NO_SUCH_REGISTRATION)))
    found.push(...(await Promise.all(some)).filter((entry) => entry !== undefined))
  }
  return found
}
