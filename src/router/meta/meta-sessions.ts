/** The session meta API: listing and killing the sessions of a realm. */

import type { Id, Uri } from '../../protocol/messages.ts'
import { KILLED, NO_SUCH_SESSION } from '../../protocol/names.ts'
import type { Dict } from '../../protocol/options.ts'
import type { Destination } from '../member/destination.ts'
import type { Member } from '../member/member.ts'
import { Refusal } from '../member/refusal.ts'
import type { UriRule } from '../member/uri-rule.ts'
import type { JoinedEvent } from '../observe/events.ts'
import { answerIds, answerInTurns } from './answer-in-turns.ts'
import { anId, aShortText, aText, aUri, optionalArgument, texts } from './meta-arguments.ts'
import type { Answer, Provided } from './router-procedures.ts'

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
  /** Answers with the ids of the sessions at this moment: all, or those with one of the listed roles. */
  const listed = (filter: unknown, caller: Destination, answer?: (ids: Id[]) => Answer): Answer | Promise<Answer> => {
    const given = optionalArgument(texts, filter, 'args[0]')
    // A Set, because both the list and the sessions may be long.
    const roles = given && new Set(given)
    const isListed = ({ principal }: Member): boolean => !roles || roles.has(principal?.authrole as string)
    return answerIds(members.values(), caller, isListed, answer)
  }
  /** Kills the sessions of this moment that match, but never the caller; one after another, as each may own much. */
  const kill = (
    kwargs: Dict,
    caller: Destination,
    found: (member: Member) => boolean,
    answer: (ids: Id[]) => Answer,
  ): Answer | Promise<Answer> => {
    const { reason, message } = farewellOf(kwargs, rule)
    const all = [...members.values()]
    const ids: Id[] = []
    const steps = function* (): Generator<void> {
      for (const member of all) {
        if (member !== caller && member.sendable && found(member)) {
          ids.push(member.id)
          member.goodbye(reason, message)
        }
        yield
      }
    }
    return answerInTurns(steps(), caller, () => answer(ids))
  }
  const count = ({ length }: Id[]): Answer => ({ args: [length] })
  const list = (ids: Id[]): Answer => ({ args: [ids] })
  return {
    'wamp.session.count': ([filter], _kwargs, caller) =>
      (filter ?? null) === null ? { args: [members.size] } : listed(filter, caller, count),
    'wamp.session.list': ([filter], _kwargs, caller) => listed(filter, caller),
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
      return kill(kwargs, caller, ({ principal }) => principal?.authid === wanted, list)
    },
    'wamp.session.kill_by_authrole': ([authrole], kwargs, caller) => {
      const wanted = aText(authrole, 'args[0]')
      return kill(kwargs, caller, ({ principal }) => principal?.authrole === wanted, count)
    },
    'wamp.session.kill_all': (_, kwargs, caller) => {
      const silenced = (member: Member): boolean => {
        silence(member)
        return true
      }
      return kill(kwargs, caller, silenced, count)
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
