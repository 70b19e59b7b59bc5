/** One joined session of a client: its identity, its requests, and a place for the state of its roles. */

import { GOODBYE } from '../../protocol/codes.ts'
import { WampError } from '../../protocol/error.ts'
import { checkDetails } from '../../protocol/keys.ts'
import type { Id, Message, Uri, WelcomeMessage } from '../../protocol/messages.ts'
import { CLOSE_REALM, CONNECTION_LOST } from '../../protocol/names.ts'
import type { Dict, Roles } from '../../protocol/options.ts'
import type { Feature, RouterRole } from '../../protocol/words.ts'
import type { Table } from '../../session/handler-table.ts'
import type { Link } from '../../session/link.ts'
import { Session, type SessionEnd } from '../../session/session.ts'
import type { Load } from '../base/load.ts'
import { deferred, isThenable } from '../base/waiting.ts'
import { Requests } from './requests.ts'

/** The identity of a client in its realm, from WELCOME. */
export interface SessionInfo {
  readonly id: Id
  readonly realm: Uri
  readonly authid: string | undefined
  readonly authrole: string | undefined
  readonly authmethod: string | undefined
  readonly authprovider: string | undefined
  /** What the router sent to this session alone. */
  readonly authextra: Dict | undefined
  /** The roles of the router: `{ broker: { features }, dealer: { features } }`. */
  readonly roles: Roles
}

/** Counters of dropped messages since the client was created. */
export interface Dropped {
  /** RESULT and ERROR for requests that nobody waits for any more, and parts that a slow reader of a result had no room for. */
  answers: number
  /** EVENTs of subscriptions that were given up, those whose payload no codec could read, and those that a slow reader of `client.events` had no room for. */
  events: number
  /** EVENTs that the schemas of their typed topic refuse. */
  invalidEvents: number
  /** Parts of calls that were answered already, and those that a slow reader of an input had no room for. */
  parts: number
}

/** The events that a session reports to its client. */
export interface ClientSessionOwner {
  readonly dropped: Dropped
  readonly load: Load
  /** A handler threw or its promise was rejected, or a procedure failed, which is then named. */
  raised(error: unknown, procedure?: Uri): void
  /** An operation succeeds, but not as its user may expect. */
  warned(warning: WampError): void
  /** WELCOME came; nothing behind it has been read. */
  joined(session: ClientSession): void
  /** Called once, even if the session never joined. */
  ended(session: ClientSession, end: SessionEnd): void
}

export class ClientSession extends Session {
  info!: SessionInfo
  readonly requests = new Requests(this)
  readonly dropped: Dropped
  readonly owner: ClientSessionOwner
  /** The state of each role, from WELCOME on. */
  readonly states = new Map<object, unknown>()
  /** Set by whatever arrives; liveness clears it. */
  heard = true
  /** Resolves when the session has ended. */
  readonly finished = deferred<SessionEnd>()
  /** Resolves when the link has closed. */
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
    const { authid, authrole, authmethod, authprovider, authextra, roles } = details
    this.link.longest = details._max_message
    this.info = { id, realm: details.realm ?? realm, authid, authrole, authmethod, authprovider, authextra, roles }
    this.owner.joined(this)
  }

  /** True if the router announced a feature of a role. */
  announces<Role extends RouterRole>(role: Role, feature: Feature<Role>): boolean {
    return this.info.roles[role]?.features?.[feature] === true
  }

  /** Ends at once, because no code may run later: sends GOODBYE and does not wait for the answer. */
  depart(text: string): void {
    this.send([GOODBYE, { message: text }, CLOSE_REALM])
    this.link.close()
    this.drop(text)
  }

  /** Runs code of the user: an error or rejection is reported and ends nothing. */
  heed(task: () => unknown): void {
    try {
      const done = task()
      if (!isThenable(done)) return
      const finish = this.owner.load.begin()
      done.then(finish, (error) => {
        finish()
        this.owner.raised(error)
      })
    } catch (error) {
      this.owner.raised(error)
    }
  }

  protected override inspect(message: Message): void {
    this.heard = true
    this.owner.load.deliver(this.link.latest ?? 0)
    checkDetails(message)
  }

  protected override ended(end: SessionEnd): void {
    const cause = end.reason === undefined ? undefined : new WampError(end.reason, [end.text])
    this.requests.fail(new WampError(CONNECTION_LOST, [end.text], {}, { sent: true, cause }))
    this.owner.ended(this, end)
    this.finished.resolve(end)
  }

  protected override closed(): void {
    this.gone.resolve()
  }
}
