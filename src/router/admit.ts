/** Admission: HELLO, its realm, authentication, and WELCOME or ABORT. */

import { HELLO, WELCOME } from '../protocol/codes.ts'
import { violation } from '../protocol/error.ts'
import { randomId } from '../protocol/ids.ts'
import type { HelloMessage, Id, Uri } from '../protocol/messages.ts'
import { AUTHENTICATION_REQUIRED, NO_MATCHING_AUTH_METHOD, NO_SUCH_REALM } from '../protocol/names.ts'
import { formatValue } from '../protocol/validate.ts'
import { CLIENT_ROLES } from '../protocol/words.ts'
import { type Table, table } from '../session/handler-table.ts'
import { refusing } from '../session/session.ts'
import { type AuthMethod, Conversation } from './authenticate.ts'
import type { Member } from './member/member.ts'
import { deviationsOf, NO_DEVIATIONS } from './member/peers.ts'
import { type Identity, principalDetails, principalOf } from './member/principal.ts'
import { Refusal } from './member/refusal.ts'
import { refuseUri, type UriRule } from './member/uri-rule.ts'
import type { Realm } from './realm.ts'

export const ANONYMOUS = 'anonymous' as const

export interface Gate extends UriRule {
  readonly agent: string
  readonly realms: ReadonlyMap<Uri, Realm>
  /** The authentication methods; `anonymous` stands for none. */
  readonly methods: readonly (AuthMethod | typeof ANONYMOUS)[]
  /** Session ids reserved for sessions that are authenticating. */
  readonly promised: Set<Id>
}

/** The table of a member before HELLO; all members of a router share it. */
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
  // The type of these keys has been checked, their presence has not.
  if (!CLIENT_ROLES.some((role) => Object.hasOwn(roles, role))) {
    throw violation(`HELLO[2].roles must have one of ${CLIENT_ROLES.join(', ')}`)
  }
  if (gate.realms.has(realm)) return undefined
  const invalid = refuseUri(realm, 'realm', gate)
  if (invalid) return invalid
  return new Refusal(NO_SUCH_REALM, `there is no realm ${formatValue(realm)} here`)
}

/** The first of the client's methods that this router has; a client that names none is anonymous. */
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
  // Before WELCOME is sent: the peer may send at once.
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

/** A session id that is neither in use nor reserved in this router. */
function newSession({ realms, promised }: Gate): Id {
  for (;;) {
    const id = randomId()
    if (!promised.has(id) && ![...realms.values()].some(({ members }) => members.has(id))) return id
  }
}
