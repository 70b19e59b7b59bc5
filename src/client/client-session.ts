/** One joined session of a client: its identity, its requests, and what its roles hold. */

import { WampError } from '../protocol/error.ts'
import type { Id, Uri, Welcome } from '../protocol/messages.ts'
import { CONNECTION_LOST } from '../protocol/names.ts'
import type { Roles } from '../protocol/options.ts'
import type { Link } from '../session/link.ts'
import { Session, type SessionEnd } from '../session/session.ts'
import type { Table } from '../session/table.ts'
import type { Registration, Running } from './callee.ts'
import { entrypoints } from './registry.ts'
import { Requests } from './requests.ts'
import type { Subscription } from './subscriber.ts'
import { deferred } from './waiting.ts'

/** Who a client is in its realm, as WELCOME said. */
export interface SessionInfo {
  readonly id: Id
  readonly realm: Uri
  readonly authid: string | undefined
  readonly authrole: string | undefined
  readonly authmethod: string | undefined
  readonly authprovider: string | undefined
  /** What the router announced: `{ broker: { features }, dealer: { features } }`. */
  readonly roles: Roles
}

/** What came and found nobody, since the client started. */
export interface Dropped {
  /** RESULT and ERROR for requests that nobody waits for any more. */
  answers: number
  /** EVENTs of subscriptions that were given up. */
  events: number
}

/** What a session tells its client. */
export interface ClientSessionOwner {
  readonly dropped: Dropped
  /** A handler threw, or its promise was rejected. */
  raised(error: unknown, answered: boolean): void
  ended(session: ClientSession, end: SessionEnd): void
}

export class ClientSession extends Session {
  info!: SessionInfo
  readonly requests = new Requests(this)
  readonly dropped: Dropped
  readonly owner: ClientSessionOwner
  /** Those that share a subscription, by its id: the router counts them as one. */
  readonly subscriptions = new Map<Id, Set<Subscription>>()
  /** SUBSCRIBEs on their way, by topic and match: their subscription must not be given up meanwhile. */
  readonly subscribing = new Map<string, number>()
  readonly registrations = new Map<Id, Registration>()
  readonly running = new Map<Id, Running>()
  /** Set by whatever arrives; liveness clears it. */
  heard = true
  /** Resolves when the session is over. */
  readonly finished = deferred<SessionEnd>()
  /** Resolves when the link is gone too. */
  readonly gone = deferred<void>()

  constructor(link: Link, owner: ClientSessionOwner) {
    super(link)
    this.owner = owner
    this.dropped = owner.dropped
  }

  /** Begins in the state that waits for WELCOME. */
  begin(joining: Table<ClientSession>): void {
    this.open(joining)
  }

  welcome([, id, details]: Welcome, realm: Uri): void {
    const { authid, authrole, authmethod, authprovider, roles } = details
    this.info = { id, realm: details.realm ?? realm, authid, authrole, authmethod, authprovider, roles }
  }

  protected override inspect(): void {
    this.heard = true
  }

  protected override ended(end: SessionEnd): void {
    const cause = end.reason === undefined ? undefined : new WampError(end.reason, [end.text])
    this.requests.fail(new WampError(CONNECTION_LOST, [end.text], {}, { sent: true, cause }))
    for (const running of this.running.values()) running.abort(end.text)
    this.running.clear()
    for (const id of this.registrations.keys()) entrypoints().delete(id)
    this.owner.ended(this, end)
    this.finished.resolve(end)
  }

  protected override closed(): void {
    this.gone.resolve()
  }
}
