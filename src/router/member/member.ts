/** A session as its router sees it, with everything it owns in its realm. */

import type { ConnectionFacts, Identity } from '../../auth/contract.ts'
import { ABORT, CALL, EVENT, PUBLISH, REGISTER, SUBSCRIBE, UNREGISTER, UNSUBSCRIBE } from '../../protocol/codes.ts'
import { LONGEST_TIMER } from '../../protocol/durations.ts'
import { violation } from '../../protocol/error.ts'
import { nextId } from '../../protocol/ids.ts'
import { checkKeys } from '../../protocol/keys.ts'
import type { Code, EventMessage, Id, Message, Uri } from '../../protocol/messages.ts'
import { CREDENTIALS_EXPIRED, LIMIT_EXCEEDED, LOGOUT, TIMEOUT } from '../../protocol/names.ts'
import type { Dict, Roles } from '../../protocol/options.ts'
import { nameOf } from '../../protocol/validate.ts'
import type { ClientRole, Feature } from '../../protocol/words.ts'
import type { Table } from '../../session/handler-table.ts'
import type { Link } from '../../session/link.ts'
import { Session, type SessionEnd } from '../../session/session.ts'
import type { Prepared } from '../../transport/transport.ts'
import type { Conversation } from '../authenticate.ts'
import type { Observers } from '../observe/observers.ts'
import type { BrokerRecord } from '../pubsub/subscription.ts'
import type { DealerRecord } from '../rpc/dealer-record.ts'
import type { SessionStats } from '../stats.ts'
import { Backlog } from './backlog.ts'
import type { Destination, Undecided } from './destination.ts'
import { HeldMessages } from './held-messages.ts'
import { Account, type Consumer, type Ledger } from './ledger.ts'
import type { RouterLimits } from './limits.ts'
import { type Deviations, featuresOf, NO_DEVIATIONS, type PeerFeatures } from './peers.ts'
import type { Principal } from './principal.ts'
import { type Rates, Reading, Throttle } from './rates.ts'
import { watchSilence } from './silence.ts'
import { isBehind, isTooFarBehind, type Reader, StallWatch } from './slow-reader.ts'
import type { Traffic } from './traffic.ts'

/** The part of a router that a member needs. */
export interface Host {
  readonly strict: boolean
  readonly limits: RouterLimits
  readonly ledger: Ledger
  readonly traffic: Traffic
  /** The member ended before it had joined a realm. */
  refused(member: Member, end: SessionEnd): void
  /** The member's link has closed. */
  gone(member: Member): void
}

/** The part of a realm that a member needs. */
export interface Home {
  readonly table: Table<Member>
  readonly rates: Rates | undefined
  enter(member: Member): void
  leave(member: Member, end: SessionEnd): void
  /** Counts a loss of a member: its session, for one of two reasons, or held messages. */
  dropped(reason: keyof SessionStats['dropped'], member: Member, count: number): void
  /** Counts a pause of a member whose rate is exceeded. */
  throttled(): void
  /** Reports a decision that a member has waited for during so many milliseconds, and perhaps in vain. */
  waited(about: Undecided, member: Member, duration: number, decided: boolean): void
}

/** Reports a member that the router refused before it joined; a member that left by itself was not refused. */
export function refusedJoin(
  { refused }: Observers,
  { requestedRealm: realm, transport }: Member,
  end: SessionEnd,
): void {
  if (end.by !== 'us' || end.reason === undefined) return
  refused?.({ realm, session: undefined, action: 'join', uri: undefined, error: end.reason, text: end.text, transport })
}

/** Requests whose ids follow the sequence of the session (Basic Profile, Identifiers). */
const SEQUENCED: boolean[] = []
for (const code of [PUBLISH, SUBSCRIBE, UNSUBSCRIBE, CALL, REGISTER, UNREGISTER]) SEQUENCED[code] = true

/** Milliseconds for a peer that has left to close its connection; then the router closes it. */
const GOODBYE_LINGER = 1000

/** The constant cost of a connection: its socket, its buffers and its records. */
const SESSION_RECORD = 16_384

/** Milliseconds from which on the wait for a decision is reported. */
const SLOW_DECISION = 1000

const NO_FEATURES: PeerFeatures = {}

export class Member extends Session implements Destination, Consumer, Reader {
  /** 0 until it has joined. */
  id: Id = 0
  realm: Home | undefined
  principal: Principal | undefined
  /** Private data of its authentication method for the router's decisions; never sent. */
  internal: unknown
  /** True if its principal was in a table of the router's owner. */
  staticPrincipal = false
  /** Set while it is authenticating. */
  conversation: Conversation | undefined
  /** The realm that its HELLO named. */
  requestedRealm: Uri | undefined
  pubsub: BrokerRecord | undefined
  rpc: DealerRecord | undefined
  deviations = NO_DEVIATIONS
  readonly trusted: boolean
  /** The bytes that it costs. */
  readonly account: Account
  readonly kind: string | undefined
  /** The public description of its connection. */
  readonly transport: Dict | undefined
  /** The private facts about its connection. */
  readonly facts: ConnectionFacts
  /** Time steps without a message, if its HELLO promises messages. */
  silent = 0
  readonly #host: Host
  readonly #traffic: Traffic
  /** The host's limit, cached because it is read for each event. */
  readonly #backlogLimit: number
  readonly #backlog: Backlog
  readonly #stall: StallWatch
  /** Bytes of a long message that has not arrived in whole. */
  #arriving = 0
  /** Its backlog when it was last asked if it is behind. */
  #seen = 0
  /** The messages held while a decision is awaited. */
  #held: HeldMessages | undefined
  /** Set if its role has a rate. */
  #throttle: Throttle | undefined
  #reading: Reading | undefined
  /** The decision that is awaited. */
  #awaited: Promise<unknown> | undefined
  #patience: ReturnType<typeof setTimeout> | undefined
  #features: PeerFeatures = NO_FEATURES
  #requested: Id = 0
  #overrun = false
  #deadline: ReturnType<typeof setTimeout> | undefined
  #unwatch: (() => void) | undefined
  #expiry: ReturnType<typeof setTimeout> | undefined

  constructor(link: Link, host: Host, transport?: Dict, trusted = false, facts: ConnectionFacts = {}) {
    super(link)
    this.transport = transport
    this.trusted = trusted
    this.facts = facts
    this.kind = link.prepare && link.write ? link.kind : undefined
    this.#host = host
    this.#traffic = host.traffic
    this.#backlogLimit = host.limits.backlog
    this.account = new Account(host.ledger, host.limits.sessionBytes)
    this.#backlog = new Backlog(link, this.account)
    this.#stall = new StallWatch(this, host.limits.stalled)
    this.account.charge('sessions', SESSION_RECORD)
    host.ledger.add(this)
    link.arriving = (bytes) => {
      this.account.charge('incoming', bytes - this.#arriving)
      this.#arriving = bytes
    }
  }

  /** Waits for HELLO within its limit. */
  start(admission: Table<Member>): void {
    this.#expect('HELLO', this.#host.limits.hello)
    this.link.joining?.((text) => this.sever(LIMIT_EXCEEDED, text))
    this.open(admission)
  }

  /** HELLO has come: WELCOME must follow within its limit. */
  greeted(): void {
    this.#expect('session', this.#host.limits.handshake)
  }

  #expect(what: string, within: number): void {
    clearTimeout(this.#deadline)
    const late = () => this.abort(TIMEOUT, `no ${what} within ${within} ms`)
    this.#deadline = setTimeout(late, Math.min(within, LONGEST_TIMER))
  }

  /** Enters its realm: from now on messages can be sent to it. */
  enter(
    realm: Home,
    id: Id,
    principal: Principal,
    roles: Roles,
    deviations: Deviations,
    { internal, staticPrincipal = false }: Pick<Identity, 'internal' | 'staticPrincipal'> = {},
  ): void {
    clearTimeout(this.#deadline)
    // A timer that has ended would stay as long as the session.
    this.#deadline = undefined
    this.link.joined?.()
    this.realm = realm
    this.id = id
    this.principal = principal
    this.internal = internal
    this.staticPrincipal = staticPrincipal
    this.deviations = deviations
    this.#features = featuresOf(roles, deviations)
    this.#limitRate(realm, principal)
    realm.enter(this)
    this.become(realm.table)
  }

  /** Sessions of the owner's own program are not limited, nor links that cannot be paused. */
  #limitRate(realm: Home, { authrole }: Principal): void {
    const rate = realm.rates?.get(authrole) ?? realm.rates?.get('*')
    if (!rate || this.trusted || !this.link.pause || !this.link.resume) return
    this.#reading = new Reading(this.link)
    this.#throttle = new Throttle(rate, this.#reading, () => realm.throttled())
  }

  /** The session ends at a time in milliseconds since 1970, because its credentials do. */
  expires(time: number): void {
    // An observer of the join may have ended it.
    if (!this.realm) return
    const left = time - Date.now()
    const end = (): void => this.goodbye(CREDENTIALS_EXPIRED, 'the credentials of this session have expired')
    this.#expiry = setTimeout(
      () => (left > LONGEST_TIMER ? this.expires(time) : end()),
      Math.min(Math.max(left, 0), LONGEST_TIMER),
    )
  }

  /** Its HELLO promises a message at least every so many milliseconds; 0 promises nothing. */
  promises(every: number): void {
    if (every > 0 && this.realm) this.#unwatch = watchSilence(this, every)
  }

  announces<R extends ClientRole>(role: R, feature: Feature<R>): boolean {
    return this.#features[role]?.[feature] === true
  }

  get behind(): boolean {
    this.#seen = this.link.backlog
    const { lagging } = this
    if (lagging) this.#stall.start()
    return lagging
  }

  get lagging(): boolean {
    return isBehind(this.#backlog.weight, this.#backlogLimit)
  }

  get unread(): number {
    return this.link.backlog
  }

  stalled(): void {
    this.realm?.dropped('sessions', this, 1)
    this.drop(`${this.unread} bytes behind, and nothing was read for ${this.#host.limits.stalled} ms`)
  }

  measure(): number {
    // Sessions of the owner's own program are never cut.
    if (this.over || this.trusted || this.link.local) return 0
    this.#backlog.measure()
    return this.account.total
  }

  shed(_bytes: number, limit: number): number {
    const { total, mostly } = this.account
    const text = `all sessions together may cost ${limit} bytes; this one cost the most: ${total}, mostly ${mostly}`
    this.realm?.dropped('memory', this, 1)
    // An ABORT would only queue behind the backlog.
    if (this.#backlog.isLong) this.sever(LIMIT_EXCEEDED, text)
    else this.abort(LIMIT_EXCEEDED, text)
    this.account.close()
    return total
  }

  prepare(event: EventMessage): Prepared {
    return this.link.prepare?.(event)
  }

  write(prepared: Prepared, holders: number): boolean {
    this.link.write?.(prepared)
    this.#traffic.sent(EVENT)
    return this.#backlog.wrote(this.#seen, holders)
  }

  // An error of `then` ends the session, as an error of a handler does.
  hold<T>(code: Code, decision: Promise<T>, then: (decided: T) => void, expired: T, about?: Undecided): void {
    if (!this.sendable) return
    const since = performance.now()
    this.#held ??= new HeldMessages(this.#reading ?? this.link, this.#host.limits, this.account)
    this.#awaited = decision
    const settle = (decided: T, inTime = true): void => {
      if (this.#awaited !== decision) return
      this.#awaited = undefined
      clearTimeout(this.#patience)
      const duration = performance.now() - since
      if (about && (duration >= SLOW_DECISION || !inTime)) this.realm?.waited(about, this, duration, inTime)
      try {
        then(decided)
      } catch (error) {
        this.broken(code, error)
      }
      this.#release()
    }
    const { decision: patience } = this.#host.limits
    this.#patience = setTimeout(() => settle(expired, false), Math.min(patience, LONGEST_TIMER))
    decision.then(
      (decided) => settle(decided),
      () => settle(expired),
    )
  }

  /** True while messages are held or reading is paused: silence of the connection then means nothing. */
  get holding(): boolean {
    return this.#held !== undefined || this.#throttle?.paused === true
  }

  override receive(message: Message): void {
    this.#traffic.received(message[0])
    this.#throttle?.received(this.link.latest ?? 0)
    const held = this.#held
    // GOODBYE waits in its turn: a publication sent before it must not be lost. Nothing is acknowledged after ABORT.
    if (!held || message[0] === ABORT) {
      super.receive(message)
      return
    }
    const exceeded = held.add(message)
    if (exceeded === undefined) return
    this.realm?.dropped('sessions', this, 1)
    this.abort(LIMIT_EXCEEDED, `a session may have at most ${exceeded} held while a decision is awaited`)
  }

  /** Handles held messages up to the next one that waits for a decision. */
  #release(): void {
    while (!this.#awaited) {
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
    // An ABORT would only queue behind the backlog.
    if (isTooFarBehind(this.#backlog.weight, this.#backlogLimit) && !this.over) {
      this.#overrun = true
      this.realm?.dropped('sessions', this, 1)
      // Not inside the sending handler, whose data must not change under it.
      queueMicrotask(() => this.drop(`${this.link.backlog} bytes behind`))
      return
    }
    const before = this.link.backlog
    const { sendable } = this
    super.send(message)
    if (sendable) this.#traffic.sent(message[0])
    this.#backlog.wrote(before, 1)
    // Not for one that has left: the end of its connection has a limit of its own.
    if (this.realm && this.lagging) this.#stall.start()
  }

  // The member leaves its realm as soon as GOODBYE is sent: nothing may be routed to a session that cannot be written to.
  override goodbye(reason: Uri, text?: string, linger?: number): void {
    super.goodbye(reason, text, linger)
    this.#leave({ by: 'us', reason, text: text ?? '' })
  }

  protected override inspect(message: Message): void {
    this.silent = 0
    checkKeys(message, this.#host.limits.uriLength)
    if (!this.#host.strict || !SEQUENCED[message[0]]) return
    if (message[0] === CALL && this.rpc?.continues(message[1])) return
    this.#requested = nextId(this.#requested)
    if (message[1] === this.#requested) return
    throw violation(`${nameOf(message[0])}[1] must be ${this.#requested}, the next request id, got ${message[1]}`)
  }

  override left(reason: Uri, details: Dict): void {
    if (reason === LOGOUT && this.requestedRealm !== undefined) this.facts.forget?.(this.requestedRealm)
    super.left(reason, details)
  }

  // Some peers miss the answer if the end of the connection arrives with it.
  protected override get lingerAfterGoodbye(): number {
    return this.link.local ? 0 : GOODBYE_LINGER
  }

  protected override ended(end: SessionEnd): void {
    clearTimeout(this.#deadline)
    this.conversation?.stop()
    this.conversation = undefined
    if (this.id === 0 && !this.realm) this.#host.refused(this, end)
    this.#leave(end)
  }

  protected override closed(): void {
    this.account.close()
    this.#host.ledger.delete(this)
    this.#host.gone(this)
  }

  #leave(end: SessionEnd): void {
    this.#unwatch?.()
    this.#stall.stop()
    this.#throttle?.stop()
    this.#throttle = undefined
    clearTimeout(this.#expiry)
    const { realm } = this
    this.realm = undefined
    const held = this.#held?.clear() ?? 0
    this.#held = undefined
    this.#awaited = undefined
    clearTimeout(this.#patience)
    if (held > 0) realm?.dropped('held', this, held)
    realm?.leave(this, end)
  }
}
