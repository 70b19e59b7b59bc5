/** The session meta API: listing and killing the sessions of a realm. */

import type { Id, Uri } from '../../protocol/messages.ts'
import { KILLED, NO_SUCH_SESSION } from '../../protocol/names.ts'
import type { Dict } from '../../protocol/options.ts'
import type { Destination } from '../member/destination.ts'
import type { Member } from '../member/member.ts'
import { Refusal } from '../member/refusal.ts'
import type { UriRule } from '../member/uri-rule.ts'
import type { JoinedEvent } from '../observe/events.ts'
import { anId, aShortText, aText, aUri, optionalArgument, texts } from './meta-arguments.ts'
import type { Provided } from './router-procedures.ts'

export interface SessionRealm {
  readonly rule: UriRule
  readonly members: ReadonlyMap<Id, Member>
  /** Ends a session without a meta event and without its testaments. */
  silence(member: Member): void
}

/** All details of a session: exactly these fields, whatever else a principal may gain. */
export function detailsOfSession({
  session,
  authid,
  authrole,
  authmethod,
  authprovider,
  transport,
}: Omit<JoinedEvent, 'realm'>): Dict {
  return { session, authid, authrole, authmethod, authprovider, ...(transport && { transport }) }
}

/** As `detailsOfSession`, without what may identify the user of the session: the address and the browser. */
export function publicDetailsOf({ transport, ...joined }: Omit<JoinedEvent, 'realm'>): Dict {
  if (!transport) return detailsOfSession({ ...joined, transport })
  const { peer: _, user_agent: __, ...shown } = transport
  return detailsOfSession({ ...joined, transport: shown })
}

export function noSuchSession(id: Id): Refusal {
  return new Refusal(NO_SUCH_SESSION, `this realm has no session ${id}`)
}

export function sessionProcedures({ rule, members, silence }: SessionRealm): Record<Uri, Provided> {
  /** All sessions, or those with one of the listed roles. */
  const listed = (filter: unknown): Member[] => {
    const given = optionalArgument(texts, filter, 'args[0]')
    const all = [...members.values()]
    if (!given) return all
    // A Set, because both the list and the sessions may be long.
    const roles = new Set(given)
    return all.filter(({ principal }) => roles.has(principal?.authrole as string))
  }
  /** Kills the sessions that match, but never the caller. */
  const kill = (kwargs: Dict, caller: Destination, found: (member: Member) => boolean): Member[] => {
    const { reason, message } = farewellOf(kwargs, rule)
    const killed = [...members.values()].filter((member) => member !== caller && found(member))
    for (const member of killed) member.goodbye(reason, message)
    return killed
  }
  return {
    'wamp.session.count': ([filter]) => ({ args: [listed(filter).length] }),
    'wamp.session.list': ([filter]) => ({ args: [listed(filter).map(({ id }) => id)] }),
    'wamp.session.get': ([session], _kwargs, _caller, control) => {
      const id = anId(session, 'args[0]')
      const member = members.get(id)
      if (!member?.principal) throw noSuchSession(id)
      const details = control ? detailsOfSession : publicDetailsOf
      return { args: [details({ session: id, ...member.principal, transport: member.transport })] }
    },
    'wamp.session.kill': ([session], kwargs, caller) => {
      const id = anId(session, 'args[0]')
      const { reason, message } = farewellOf(kwargs, rule)
      const member = members.get(id)
      if (!member || member === caller) throw noSuchSession(id)
      member.goodbye(reason, message)
      return undefined
    },
    'wamp.session.kill_by_authid': ([authid], kwargs, caller) => {
      const wanted = aText(authid, 'args[0]')
      return { args: [kill(kwargs, caller, ({ principal }) => principal?.authid === wanted).map(({ id }) => id)] }
    },
    'wamp.session.kill_by_authrole': ([authrole], kwargs, caller) => {
      const wanted = aText(authrole, 'args[0]')
      return { args: [kill(kwargs, caller, ({ principal }) => principal?.authrole === wanted).length] }
    },
    'wamp.session.kill_all': (_, kwargs, caller) => {
      const killed = kill(kwargs, caller, (member) => {
        silence(member)
        return true
      })
      return { args: [killed.length] }
    },
  }
}

/** The reason and message in the GOODBYE to a killed session. */
function farewellOf({ reason, message }: Dict, rule: UriRule): { reason: Uri; message: string | undefined } {
  return {
    reason: optionalArgument((value, place) => aUri(value, place, rule), reason, 'reason') ?? KILLED,
    message: optionalArgument((value, place) => aShortText(value, place, rule), message, 'message'),
  }
}
