/** The way in: HELLO, the realm it names, and WELCOME or ABORT. */

import { HELLO, WELCOME } from '../protocol/codes.ts'
import { randomId } from '../protocol/ids.ts'
import type { Hello, Id, Uri } from '../protocol/messages.ts'
import { INVALID_URI, NO_MATCHING_AUTH_METHOD, NO_SUCH_REALM, PROTOCOL_VIOLATION } from '../protocol/names.ts'
import { isUri } from '../protocol/uri.ts'
import { formatValue } from '../protocol/validate.ts'
import { CLIENT_ROLES } from '../protocol/words.ts'
import { refusing } from '../session/session.ts'
import { type Table, table } from '../session/table.ts'
import type { Principal } from './member/destination.ts'
import type { Member } from './member/member.ts'
import { deviationsOf, NO_DEVIATIONS } from './member/peers.ts'
import { Refusal } from './member/refusal.ts'
import type { Realm } from './realm.ts'

export interface Gate {
  readonly agent: string
  readonly strict: boolean
  readonly realms: ReadonlyMap<Uri, Realm>
}

/** What a member is in from the connection to WELCOME; one table for all of a router's members. */
export function admission(gate: Gate): Table<Member> {
  return table<Member>(refusing, {
    [HELLO]: (message, member) => {
      member.requestedRealm = message[1]
      const refusal = refuseHello(gate, message)
      if (refusal) member.abort(refusal.uri, refusal.text)
      else welcome(gate, message, member)
    },
  })
}

function refuseHello(gate: Gate, [, realm, { roles = {}, authmethods = [] }]: Hello): Refusal | undefined {
  // That these are dictionaries was checked as a known key; that they are there was not.
  if (!CLIENT_ROLES.some((role) => Object.hasOwn(roles, role))) {
    return new Refusal(PROTOCOL_VIOLATION, `HELLO[2].roles must have one of ${CLIENT_ROLES.join(', ')}`)
  }
  if (!isUri(realm, gate.strict)) return new Refusal(INVALID_URI, `${formatValue(realm)} is no realm`)
  if (!gate.realms.has(realm)) return new Refusal(NO_SUCH_REALM, `there is no realm ${formatValue(realm)} here`)
  if (authmethods.length === 0 || authmethods.includes('anonymous')) return undefined
  return new Refusal(NO_MATCHING_AUTH_METHOD, 'this router knows the authmethod anonymous alone')
}

function welcome(gate: Gate, [, uri, details]: Hello, member: Member): void {
  const realm = gate.realms.get(uri) as Realm
  const id = newSession(gate)
  const principal: Principal = {
    authid: randomId().toString(36) + randomId().toString(36),
    authrole: 'anonymous',
    authmethod: 'anonymous',
    authprovider: 'static',
  }
  // First: the peer may speak at once.
  member.enter(realm, id, principal, details.roles, gate.strict ? NO_DEVIATIONS : deviationsOf(details))
  member.send([WELCOME, id, { realm: uri, roles: realm.announced, agent: gate.agent, ...principal }])
  realm.joined(member)
  member.promises(Number(details._speaks_every ?? 0))
}

/** A session id that no session of this router has. */
function newSession({ realms }: Gate): Id {
  for (;;) {
    const id = randomId()
    if (![...realms.values()].some(({ members }) => members.has(id))) return id
  }
}
