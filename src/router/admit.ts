/** Admission: HELLO, its realm, authentication, and WELCOME or ABORT. */

import type { AuthMethod, AuthRequest, Identity } from '../auth/contract.ts'
import { HELLO, WELCOME } from '../protocol/codes.ts'
import { violation } from '../protocol/error.ts'
import { randomId } from '../protocol/ids.ts'
import type { HelloMessage, Id, Uri } from '../protocol/messages.ts'
import {
  AUTHENTICATION_FAILED,
  AUTHENTICATION_REQUIRED,
  NO_MATCHING_AUTH_METHOD,
  NO_SUCH_REALM,
} from '../protocol/names.ts'
import { formatValue } from '../protocol/validate.ts'
import { CLIENT_ROLES } from '../protocol/words.ts'
import { type Table, table } from '../session/handler-table.ts'
import { refusing } from '../session/session.ts'
import type { LoginAttempts } from './attempts.ts'
import { Conversation } from './authenticate.ts'
import type { Member } from './member/member.ts'
import { deviationsOf, NO_DEVIATIONS } from './member/peers.ts'
import { principalDetails, principalOf } from './member/principal.ts'
import { Refusal } from './member/refusal.ts'
import { refuseUri, type UriRule } from './member/uri-rule.ts'
import type { Realm } from './realm.ts'

export const ANONYMOUS = 'anonymous' as const

export interface Gate extends UriRule {
  readonly agent: string
  readonly realms: ReadonlyMap<Uri, Realm>
  /** The authentication methods of a realm; `anonymous` stands for none. */
  methods(realm: Uri): readonly (AuthMethod | typeof ANONYMOUS)[]
  /** Undefined if failed logins are not slowed down. */
  readonly attempts: LoginAttempts | undefined
  /** Calls procedures on behalf of the router: by default in this realm, until the signal aborts. */
  callerOf(realm: Uri): (signal: AbortSignal) => AuthRequest['call']
  /** Session ids reserved for sessions that are authenticating. */
  readonly promised: Set<Id>
}

/** The table of a member before HELLO; all members of a router share it. */
export function admission(gate: Gate): Table<Member> {
  return table<Member>(refusing, {
    [HELLO]: (message, member) => {
      member.greeted()
      member.requestedRealm = message[1]
      // A client of the router's owner has nobody to prove its identity to.
      const method = refuseHello(gate, message) ?? (member.trusted ? ANONYMOUS : chooseMethod(gate, message, member))
      if (method === ANONYMOUS) welcome(gate, message, member, ANONYMOUS, newSession(gate), anonymousIdentity())
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
  gate: Gate,
  [, realm, { authmethods = [], authid, authextra = {} }]: HelloMessage,
  { facts }: Member,
): AuthMethod | typeof ANONYMOUS | Refusal {
  const methods = gate.methods(realm)
  const names = methods.map((method) => (method === ANONYMOUS ? method : method.name))
  const request = { realm, authid, authextra, connection: facts }
  for (const wanted of authmethods.length > 0 ? authmethods : [ANONYMOUS]) {
    const found = methods[names.indexOf(wanted)]
    if (found === ANONYMOUS || (found && found.usable?.(request) !== false)) return found
  }
  const text = `this router knows the ${names.length === 1 ? `authmethod ${names[0]} alone` : `authmethods ${names.join(', ')}`}`
  return new Refusal(authmethods.length > 0 ? NO_MATCHING_AUTH_METHOD : AUTHENTICATION_REQUIRED, text)
}

function anonymousIdentity(): Identity {
  return { authid: randomId().toString(36) + randomId().toString(36), authrole: ANONYMOUS }
}

function authenticate(gate: Gate, hello: HelloMessage, member: Member, method: AuthMethod): void {
  const [, realm, { authid, authextra = {} }] = hello
  const { facts } = member
  const locked = gate.attempts?.locked(facts.address) ?? 0
  if (locked > 0) {
    const text = `too many failed logins from this address: try again in ${Math.ceil(locked / 1000)} s`
    member.abort(AUTHENTICATION_FAILED, text)
    return
  }
  const session = newSession(gate)
  gate.promised.add(session)
  const conversation = new Conversation(
    member,
    method,
    (identity) => welcome(gate, hello, member, method.name, session, identity),
    () => gate.attempts?.failed(facts.address, authid) ?? 0,
    () => gate.promised.delete(session),
  )
  const call = gate.callerOf(realm)
  conversation.start({ realm, session, authid, authextra, transport: member.transport, connection: facts, call })
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
  const { authextra, expires } = identity
  const { maxMessage } = member.facts
  // Before WELCOME is sent: the peer may send at once.
  member.enter(realm, id, principal, details.roles, gate.strict ? NO_DEVIATIONS : deviationsOf(details), identity)
  member.send([
    WELCOME,
    id,
    {
      realm: uri,
      roles: realm.announced,
      agent: gate.agent,
      ...principalDetails(principal),
      ...(authextra !== undefined && { authextra }),
      ...(maxMessage !== undefined && { _max_message: maxMessage }),
    },
  ])
  realm.joined(member)
  if (authmethod !== ANONYMOUS && authmethod !== 'cookie') member.facts.remember?.(identity, uri)
  if (expires !== undefined) member.expires(expires)
  member.promises(Number(details._speaks_every ?? 0))
}

/** A session id that is neither in use nor reserved in this router. */
function newSession({ realms, promised }: Gate): Id {
  for (;;) {
    const id = randomId()
    if (!promised.has(id) && ![...realms.values()].some(({ members }) => members.has(id))) return id
  }
}
