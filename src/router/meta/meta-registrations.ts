/** The registration meta API: registrations and their callees. */

import type { Id, Uri } from '../../protocol/messages.ts'
import { NO_SUCH_REGISTRATION } from '../../protocol/names.ts'
import type { Dict } from '../../protocol/options.ts'
import { isReserved } from '../../protocol/uri.ts'
import { MATCH_POLICIES, type MatchPolicy } from '../../protocol/words.ts'
import type { Patterns } from '../match/patterns.ts'
import type { Destination } from '../member/destination.ts'
import { Refusal } from '../member/refusal.ts'
import { isAccepted } from '../member/uri-rule.ts'
import type { Dealer } from '../rpc/dealer.ts'
import type { DealerRegistration } from '../rpc/registrations.ts'
import { answerIds, answerInTurns, checkListed, collectIds } from './answer-in-turns.ts'
import { aDict, anId, aPolicy, aShortText, aText, optionalArgument } from './meta-arguments.ts'
import { noSuchSession, type SessionRealm } from './meta-sessions.ts'
import type { Answer, Provided } from './router-procedures.ts'

export function detailsOfRegistration({
  id,
  created,
  uri,
  match,
  invoke,
}: Pick<DealerRegistration, 'id' | 'created' | 'uri' | 'match' | 'invoke'>): Dict {
  return { id, created: new Date(created).toISOString(), uri, match, invoke }
}

export function registrationProcedures(dealer: Dealer, { rule, members }: SessionRealm): Record<Uri, Provided> {
  const { patterns } = dealer
  const found = (registration: unknown): DealerRegistration => {
    const id = anId(registration, 'args[0]')
    const known = patterns.find(id)
    if (known) return known
    throw new Refusal(NO_SUCH_REGISTRATION, `this realm has no registration ${id}`)
  }
  return {
    'wamp.registration.list': (_args, _kwargs, caller) => listOf(patterns, caller),
    'wamp.registration.lookup': ([procedure, options]) => ({
      args: [patterns.get(aText(procedure, 'args[0]'), matchOf(options))?.id ?? null],
    }),
    'wamp.registration.match': ([procedure]) => {
      const uri = aText(procedure, 'args[0]')
      // A pattern may match URIs that no call reaches through it: invalid ones and the router's own.
      const best = isAccepted(uri, rule) && !isReserved(uri) ? patterns.best(uri) : undefined
      return { args: [best?.id ?? null] }
    },
    'wamp.registration.get': ([registration]) => ({ args: [detailsOfRegistration(found(registration))] }),
    'wamp.registration.list_callees': ([registration], _kwargs, from) =>
      answerIds(
        found(registration).endpoints.map(({ callee }) => callee),
        from,
      ),
    'wamp.registration.count_callees': ([registration]) => ({ args: [found(registration).endpoints.length] }),
    'wamp.registration.remove_callee': ([registration, callee, third], { reason = third }) => {
      const id = anId(registration, 'args[0]')
      const session = anId(callee, 'args[1]')
      // As a keyword argument (Crossbar.io) or as the third argument (the specification's catalog).
      const why = optionalArgument((value, place) => aShortText(value, place, rule), reason, 'reason')
      const served = found(id)
      const member = members.get(session)
      if (!member) throw noSuchSession(session)
      if (dealer.revoke(served, member, why)) return undefined
      throw new Refusal(NO_SUCH_REGISTRATION, `session ${session} does not serve registration ${served.id}`)
    },
  }
}

/** The ids of all records of an index at this moment, by match policy. */
export function listOf(
  patterns: Patterns<{ id: Id; uri: Uri; match: MatchPolicy }>,
  caller: Destination,
): Answer | Promise<Answer> {
  checkListed(patterns.size)
  const lists = MATCH_POLICIES.map((match) => ({ match, records: [...patterns.list(match)], ids: [] as Id[] }))
  const collected = function* (): Generator<void> {
    for (const { records, ids } of lists) yield* collectIds(records, ids)
  }
  const answer = { args: [Object.fromEntries(lists.map(({ match, ids }) => [match, ids]))] }
  return answerInTurns(collected(), caller, () => answer)
}

/** The match policy in the second argument of a lookup. */
export function matchOf(options: unknown): MatchPolicy {
  const { match } = optionalArgument(aDict, options, 'args[1]') ?? {}
  return optionalArgument(aPolicy, match, 'args[1].match') ?? 'exact'
}
