/** The way in: HELLO, the realm it names, how the session proves who it is, and WELCOME or ABORT. */

import { HELLO, WELCOME } from '../protocol/codes.ts'
import { violation } from '../protocol/error.ts'
import { randomId } from '../protocol/ids.ts'
import type { HelloMessage, Id, Uri } from '../protocol/messages.ts'
import { AUTHENTICATION_REQUIRED, INVALID_URI, NO_MATCHING_AUTH_METHOD, NO_SUCH_REALM } from '../protocol/names.ts'
import { isUri } from '../protocol/uri.ts'
import { formatValue } from '../protocol/validate.ts'
import { CLIENT_ROLES } from '../protocol/words.ts'
import { refusing } from '../session/session.ts'
import { type Table, table } from '../session/table.ts'
import { type AuthMethod, Conversation } from './authenticate.ts'
import type { Member } from './member/member.ts'
import { deviationsOf, NO_DEVIATIONS } from './member/peers.ts'
import { type Identity, principalDetails, principalOf } from './member/principal.ts'
import { Refusal } from './member/refusal.ts'
import type { Realm } from './realm.ts'

export const ANONYMOUS = 'anonymous' as const

export interface Gate {
  readonly agent: string
  readonly strict: boolean
  readonly realms: ReadonlyMap<Uri, Realm>
  /** How sessions may prove who they are; `anonymous` is not to. */
  readonly methods: readonly (AuthMethod | typeof ANONYMOUS)[]
  /** Ids that sessions which are authenticating were promised. */
  readonly promised: Set<Id>
}

/** What a member is in from the connection to HELLO; one table for all of a router's members. */
export function admission(gate: Gate): Table<Member> {
  return table<Member>(refusing, {
    [HELLO]: (message, member) => {
      member.requestedRealm = message[1]
      const method = refuseHello(gate, message) ?? chooseMethod(gate, message)
      if (method === ANONYMOUS) welcome(gate, message, member, ANONYMOUS, newSession(gate), anonymous())
      else if (method instanceof Refusal) member.abort(method.uri, method.text)
      else authenticate(gate, message, member, method)
    },
  })
}

function refuseHello(gate: Gate, [, realm, { roles = {} }]: HelloMessage): Refusal | undefined {
  // That these are dictionaries was checked as a known key; that they are there was not.
  if (!CLIENT_ROLES.some((role) => Object.hasOwn(roles, role))) {
    throw violation(`HELLO[2].roles must have one of ${CLIENT_ROLES.join(', ')}`)
  }
  if (!isUri(realm, gate.strict)) return new Refusal(INVALID_URI, `${formatValue(realm)} is no realm`)
  if (gate.realms.has(realm)) return undefined
  return new Refusal(NO_SUCH_REALM, `there is no realm ${formatValue(realm)} here`)
}

/** The first of the client's methods that there is here; without any, it is anonymous. */
function chooseMethod(
  { methods }: Gate,
  [, , { authmethods = [] }]: HelloMessage,
): AuthMethod | typeof ANONYMOUS | Refusal {
  const names = methods.map((method) => (method === ANONYMOUS ? method : method.name))
  for (const wanted of authmethods.length > 0 ? authmethods : [ANONYMOUS]) {
    const found = methods[names.indexOf(wanted)]
    if (found) return found
  }
  const text = `this router knows the ${names.length === 1 ? `authmethod ${names[0]} alone` : `authmethods ${names.join(', ')}`}`
  return new Refusal(authmethods.length > 0 ? NO_MATCHING_AUTH_METHOD : AUTHENTICATION_REQUIRED, text)
}

function anonymous(): Identity {
  return { authid: randomId().toString(36) + randomId().toString(36), authrole: ANONYMOUS }
}

function authenticate(gate: Gate, hello: HelloMessage, member: Member, method: AuthMethod): void {
  const [, realm, { authid, authextra = {} }] = hello
  const session = newSession(gate)
  gate.promised.add(session)
  const conversation = new Conversation(
    member,
    method,
    (identity) => welcome(gate, hello, member, method.name, session, identity),
    () => gate.promised.delete(session),
  )
  conversation.start({ realm, session, authid, authextra, transport: member.transport })
}

function welcome(
  gate: Gate,
  [, uri, details]: HelloMessage,
  member: Member,
  authmethod: string,
  id: Id,
  identity: Identity,
): void {
  const realm = gate.realms.get(uri) as Realm
  const principal = principalOf(identity, authmethod)
  const { authextra, internal } = identity
  // First: the peer may speak at once.
  member.enter(realm, id, principal, details.roles, gate.strict ? NO_DEVIATIONS : deviationsOf(details), internal)
  member.send([
    WELCOME,
    id,
    {
      realm: uri,
      roles: realm.announced,
      agent: gate.agent,
      ...principalDetails(principal),
      ...(authextra !== undefined && { authextra }),
    },
  ])
  realm.joined(member)
  member.promises(Number(details._speaks_every ?? 0))
}

/** A session id that no session of this router has, or was promised. */
function newSession({ realms, promised }: Gate): Id {
  for (;;) {
    const id = randomId()
    if (!promised.has(id) && ![...realms.values()].some(({ members }) => members.has(id))) return id
  }
}
