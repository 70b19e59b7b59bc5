/** One peer of the router: its session, who it is, and everything it owns in its realm. */

import { ABORT, CALL, GOODBYE, PUBLISH, REGISTER, SUBSCRIBE, UNREGISTER, UNSUBSCRIBE } from '../../protocol/codes.ts'
import { violation } from '../../protocol/error.ts'
import { nextId } from '../../protocol/ids.ts'
import { checkKeys } from '../../protocol/keys.ts'
import type { Code, Id, Message, Uri } from '../../protocol/messages.ts'
import { LIMIT_EXCEEDED, TIMEOUT } from '../../protocol/names.ts'
import type { Dict, Roles } from '../../protocol/options.ts'
import { nameOf } from '../../protocol/validate.ts'
import type { Link } from '../../session/link.ts'
import { Session, type SessionEnd } from '../../session/session.ts'
import type { Table } from '../../session/table.ts'
import type { Subscription } from '../pubsub/broker.ts'
import type { Realm } from '../realm.ts'
import type { Call, Endpoint } from '../rpc/dealer.ts'
import { HeldMessages } from './held-messages.ts'
import type { RouterLimits } from './limits.ts'
import { type Deviations, NO_DEVIATIONS, playing } from './peers.ts'
import { watchSilence } from './silence.ts'

/** What a member needs of its router. */
export interface Host {
  readonly strict: boolean
  readonly limits: RouterLimits
  /** The member's link is gone. */
  gone(member: Member): void
}

/** Who a member is, as WELCOME says it. */
export interface Principal {
  readonly authid: string
  readonly authrole: string
  readonly authmethod: string
  readonly authprovider: string
}

/** Requests whose ids are drawn from the one sequence of the session (Basic Profile, Identifiers). */
const SEQUENCED: boolean[] = []
for (const code of [PUBLISH, SUBSCRIBE, UNSUBSCRIBE, CALL, REGISTER, UNREGISTER]) SEQUENCED[code] = true

export class Member extends Session {
  /** 0 until it has joined. */
  id: Id = 0
  realm: Realm | undefined
  principal: Principal | undefined
  readonly subscriptions = new Map<Id, Subscription>()
  /** Its places in registrations, by their ids. */
  readonly registrations = new Map<Id, Endpoint>()
  /** Its calls that wait for an answer, by its request ids. */
  readonly calls = new Map<Id, Call>()
  /** Procedures of its calls that were over before it had said the last part, by its request ids. */
  unfinished: Map<Id, Uri> | undefined
  /** The invocations it has not answered, by the ids the dealer gave them. */
  readonly invocations = new Map<Id, Call>()
  /** The last invocation id that the dealer gave it. */
  invoked: Id = 0
  /** Where it is known to differ from what it says. */
  deviations = NO_DEVIATIONS
  /** What is known of its connection, for others to see. */
  readonly transport: Dict | undefined
  /** Steps of time in which nothing came, where its HELLO promises that something comes. */
  silent = 0
  readonly #host: Host
  /** What came since the session waits for a decision, if it does. */
  #held: HeldMessages | undefined
  #waits = false
  #roles: Roles = {}
  #requested: Id = 0
  #overrun = false
  #deadline: ReturnType<typeof setTimeout> | undefined
  #unwatch: (() => void) | undefined

  constructor(link: Link, host: Host, transport?: Dict) {
    super(link)
    this.transport = transport
    this.#host = host
  }

  /** Listens for a HELLO that must lead to WELCOME in time. */
  start(admission: Table<Member>): void {
    const { handshake } = this.#host.limits
    this.#deadline = setTimeout(() => this.abort(TIMEOUT, `no session within ${handshake} ms`), handshake)
    this.open(admission)
  }

  /** Takes its place in the realm: from here on it can be sent to. */
  enter(realm: Realm, id: Id, principal: Principal, roles: Roles, deviations: Deviations): void {
    clearTimeout(this.#deadline)
    this.realm = realm
    this.id = id
    this.principal = principal
    this.deviations = deviations
    this.#roles = playing(roles, deviations)
    realm.enter(this)
    this.become(realm.table)
  }

  /** Its HELLO promises that it sends something within every so many milliseconds; 0 promises nothing. */
  promises(every: number): void {
    if (every > 0 && this.realm) this.#unwatch = watchSilence(this, every)
  }

  /** Whether its HELLO announced a feature, or it is known to have it. */
  announces(role: 'caller' | 'callee' | 'publisher' | 'subscriber', feature: string): boolean {
    return this.#roles[role]?.features?.[feature] === true
  }

  /** A call is over of which more parts may come: they are told from another call under the same id. */
  unfinish(request: Id, procedure: Uri): void {
    this.unfinished ??= new Map()
    // A caller has no more on its way than it may have calls.
    if (this.unfinished.size >= this.#host.limits.calls) {
      for (const oldest of this.unfinished.keys()) {
        this.unfinished.delete(oldest)
        break
      }
    }
    this.unfinished.set(request, procedure)
  }

  /**
   * Handles the rest of a message when `decision` is there, and holds what comes meanwhile. Nothing happens if the
   * session ends before. What `then` throws ends it, as what a handler throws does.
   */
  hold<T>(code: Code, decision: Promise<T>, then: (decided: T) => void, failed: (error: unknown) => void): void {
    this.#held ??= new HeldMessages(this.link, this.#host.limits)
    this.#waits = true
    const settle = (proceed: () => void): void => {
      if (!this.sendable) return
      this.#waits = false
      try {
        proceed()
      } catch (error) {
        this.broken(code, error)
      }
      this.#release()
    }
    decision.then(
      (decided) => settle(() => then(decided)),
      (error) => settle(() => failed(error)),
    )
  }

  override receive(message: Message): void {
    const held = this.#held
    // Whoever leaves does not wait for what it asked before.
    if (!held || message[0] === GOODBYE || message[0] === ABORT) {
      super.receive(message)
      return
    }
    const exceeded = held.add(message)
    if (exceeded === undefined) return
    if (this.realm) this.realm.dropped.sessions++
    this.abort(LIMIT_EXCEEDED, `a session may have ${exceeded} held while a decision is awaited`)
  }

  /** Handles what was held, up to the next message that waits. */
  #release(): void {
    while (!this.#waits) {
      const message = this.#held?.take()
      if (!message) {
        this.#held = undefined
        return
      }
      super.receive(message)
    }
  }

  override send(message: Message): void {
    if (this.#overrun) return
    // A peer that does not read must not cost more memory than this; an ABORT would only wait behind the rest.
    if (this.link.backlog > 2 * this.#host.limits.backlog && !this.over) {
      this.#overrun = true
      if (this.realm) this.realm.dropped.sessions++
      // Not within the handler that sends, which must not find that what it works on has changed.
      queueMicrotask(() => this.drop(`${this.link.backlog} bytes behind`))
      return
    }
    super.send(message)
  }

  // It counts as gone from the moment we say GOODBYE: nothing is routed to a session that may not be written to.
  override goodbye(reason: Uri, text?: string, linger?: number): void {
    super.goodbye(reason, text, linger)
    this.#leave()
  }

  protected override inspect(message: Message): void {
    this.silent = 0
    checkKeys(message)
    if (!this.#host.strict || !SEQUENCED[message[0]]) return
    if (message[0] === CALL && this.#continues(message[1])) return
    this.#requested = nextId(this.#requested)
    if (message[1] === this.#requested) return
    throw violation(`${nameOf(message[0])}[1] must be ${this.#requested}, the next request id, got ${message[1]}`)
  }

  /** Whether a CALL under this id is a further part of one (Progressive Call Invocations). */
  #continues(request: Id): boolean {
    return this.calls.get(request)?.open === true || this.unfinished?.has(request) === true
  }

  protected override ended(_end: SessionEnd): void {
    clearTimeout(this.#deadline)
    this.#leave()
  }

  protected override closed(): void {
    this.#host.gone(this)
  }

  #leave(): void {
    this.#unwatch?.()
    const { realm } = this
    this.realm = undefined
    const held = this.#held
    this.#held = undefined
    if (held && realm) realm.dropped.held += held.clear()
    realm?.leave(this)
  }
}
