/** One joined session of a client: its identity, its requests, and what its roles hold. */

import { GOODBYE } from '../../protocol/codes.ts'
import { WampError } from '../../protocol/error.ts'
import { checkDetails } from '../../protocol/keys.ts'
import type { Id, Message, Uri, WelcomeMessage } from '../../protocol/messages.ts'
import { CLOSE_REALM, CONNECTION_LOST } from '../../protocol/names.ts'
import type { Dict, Roles } from '../../protocol/options.ts'
import type { Feature } from '../../protocol/words.ts'
import type { Link } from '../../session/link.ts'
import { Session, type SessionEnd } from '../../session/session.ts'
import type { Table } from '../../session/table.ts'
import { deferred, isThenable } from '../base/waiting.ts'
import type { HandleRecord } from '../handles/durable-handles.ts'
import type { RegistrationRecord } from '../roles/callee.ts'
import type { Invocation, Running } from '../roles/invocation.ts'
import type { SubscriptionRecord } from '../roles/subscriber.ts'
import { leave } from '../service/entrypoints.ts'
import { Requests } from './requests.ts'

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
  /** RESULT and ERROR for requests that nobody waits for any more, and parts that a slow reader of a result had no room for. */
  answers: number
  /** EVENTs of subscriptions that were given up, those whose payload no codec could read, and those that a slow reader of `client.events` had no room for. */
  events: number
  /** Parts of calls that were answered already, and those that a slow reader of an input had no room for. */
  parts: number
}

/** What a session tells its client. */
export interface ClientSessionOwner {
  readonly dropped: Dropped
  /** A handler threw, or its promise was rejected. */
  raised(error: unknown, answered: boolean): void
  /** What the caller is told of what its procedure threw. */
  told(error: unknown, invocation: Invocation): WampError
  readonly handles: {
    /** The router took back what it had granted. */
    revoke(record: HandleRecord, details: Dict): void
  }
  ended(session: ClientSession, end: SessionEnd): void
}

export class ClientSession extends Session {
  info!: SessionInfo
  readonly requests = new Requests(this)
  readonly dropped: Dropped
  readonly owner: ClientSessionOwner
  /** Those that share a subscription, by its id: the router counts them as one. */
  readonly subscriptions = new Map<Id, Set<SubscriptionRecord>>()
  /** SUBSCRIBEs on their way, by topic and match, and the subscription that nobody else holds and is kept for them. */
  readonly subscribing = new Map<string, { count: number; given: Id | undefined }>()
  readonly registrations = new Map<Id, RegistrationRecord>()
  readonly running = new Map<Id, Running>()
  /** Invocations that were answered before their last part came. */
  readonly late = new Set<Id>()
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

  welcome([, id, details]: WelcomeMessage, realm: Uri): void {
    const { authid, authrole, authmethod, authprovider, roles } = details
    this.info = { id, realm: details.realm ?? realm, authid, authrole, authmethod, authprovider, roles }
  }

  /** Whether the dealer announced a feature. */
  announces(feature: Feature<'dealer'>): boolean {
    return this.info.roles['dealer']?.features?.[feature] === true
  }

  /** Ends at once, where no code runs from here on: says GOODBYE, and does not wait for the answer. */
  depart(text: string): void {
    this.send([GOODBYE, { message: text }, CLOSE_REALM])
    this.link.close()
    this.drop(text)
  }

  /** Runs what belongs to the user: what it throws, or rejects with, is told and ends nothing. */
  heed(task: () => unknown): void {
    try {
      const done = task()
      if (isThenable(done)) done.then(undefined, (error) => this.owner.raised(error, false))
    } catch (error) {
      this.owner.raised(error, false)
    }
  }

  protected override inspect(message: Message): void {
    this.heard = true
    checkDetails(message)
  }

  protected override ended(end: SessionEnd): void {
    const cause = end.reason === undefined ? undefined : new WampError(end.reason, [end.text])
    this.requests.fail(new WampError(CONNECTION_LOST, [end.text], {}, { sent: true, cause }))
    for (const running of this.running.values()) running.lost(end.text)
    for (const [id, { entrypoint }] of this.registrations) leave(id, entrypoint)
    this.owner.ended(this, end)
    this.finished.resolve(end)
  }

  protected override closed(): void {
    this.gone.resolve()
  }
}
