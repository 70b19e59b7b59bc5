/** Reads the meta API of a realm: a list of ids, then the details of each, some at a time. */

import type { Client } from '../client/client.ts'
import { meta } from '../client/functions/meta-call.ts'
import { violation, WampError } from '../protocol/error.ts'
import { isId } from '../protocol/ids.ts'
import type { Id, Uri } from '../protocol/messages.ts'
import { NO_SUCH_REGISTRATION, NO_SUCH_SESSION, NO_SUCH_SUBSCRIPTION } from '../protocol/names.ts'
import type { Dict, List } from '../protocol/options.ts'
import { formatValue, isDict } from '../protocol/validate.ts'

/** The number of records to request at once: it bounds what waits at the router and here. */
export const PAGE_OF_DETAILS = 100

/** Milliseconds to wait for an answer, unless a command has an option for that. */
export const META_TIMEOUT = 10_000

const GONE: readonly Uri[] = [NO_SUCH_SESSION, NO_SUCH_REGISTRATION, NO_SUCH_SUBSCRIPTION]

/** True for the error about a record that has ended meanwhile. */
export function isGone(error: unknown): boolean {
  return WampError.is(error) && GONE.includes(error.uri)
}

/**
 * Calls a procedure of the meta API and resolves to its first result.
 *
 * @throws WampError `wamp.error.feature_not_supported` if the router does not have it
 */
export async function askMeta(client: Client, procedure: Uri, args: List, timeout = META_TIMEOUT): Promise<unknown> {
  const { args: results } = await meta(client, procedure, args, {}, { timeout })
  return results[0]
}

/** The ids in an answer: a list, or lists by match policy. */
export function idsIn(answer: unknown): Id[] {
  const ids: unknown[] = Array.isArray(answer) ? answer : isDict(answer) ? Object.values(answer).flat() : [undefined]
  if (!ids.every(isId)) throw violation(`the router must answer with a list of ids, got ${formatValue(answer)}`)
  return ids as Id[]
}

/** Asks about each id, in pages; records that have ended meanwhile, and answers that are not details, are left out. */
export async function* detailsInPages(
  ids: readonly Id[],
  ask: (id: Id) => Promise<unknown>,
  size = PAGE_OF_DETAILS,
): AsyncGenerator<Dict[], void, undefined> {
  for (let at = 0; at < ids.length; at += size) {
    const page = ids.slice(at, at + size).map((id) =>
      ask(id).catch((error: unknown) => {
        if (!isGone(error)) throw error
        return undefined
      }),
    )
    yield (await Promise.all(page)).filter(isDict)
  }
}

/** The details of a session in short texts, as our router and Crossbar.io reveal them; empty where they do not. */
export interface SessionCells {
  readonly authid: string
  readonly authrole: string
  readonly authmethod: string
  /** `websocket json tls`. */
  readonly transport: string
  readonly peer: string
  readonly agent: string
}

export function sessionCells({ authid, authrole, authmethod, transport }: Dict): SessionCells {
  const facts = isDict(transport) ? transport : {}
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const headers = isDict(facts['http_headers_received']) ? facts['http_headers_received'] : {}
  const protocol = text(facts['protocol']) || text(facts['websocket_protocol'])
  const kind = [
    text(facts['type']) || text(facts['channel_framing']),
    text(facts['channel_serializer']) || protocol.replace(/^wamp\.2\./, ''),
    facts['tls'] || facts['is_secure'] ? 'tls' : '',
  ]
  return {
    authid: text(authid),
    authrole: text(authrole),
    authmethod: text(authmethod),
    transport: kind.filter(Boolean).join(' '),
    peer: text(facts['peer']).replace(/^tcp[46]:/, ''),
    agent: text(facts['user_agent']) || text(headers['user-agent']),
  }
}
