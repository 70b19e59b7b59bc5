/** The events that a router reports to its observers: one interface for each, with named fields and never a payload. */

import type { Id, Uri } from '../../protocol/messages.ts'
import type { Dict, InvokePolicy, MatchPolicy } from '../../protocol/options.ts'
import type { Action } from '../rights/decide.ts'
import type { RouterDropped } from '../stats.ts'

/** A session has received WELCOME. */
export interface JoinedEvent {
  readonly realm: Uri
  readonly session: Id
  readonly authid: string
  readonly authrole: string
  readonly authmethod: string
  readonly authprovider: string
  /** The connection as its server described it in `attach`. */
  readonly transport: Dict | undefined
}

/** A session that joined has ended. */
export interface LeftEvent {
  readonly realm: Uri
  readonly session: Id
  readonly authid: string
  readonly authrole: string
  /** Ended by the router or the peer, by GOODBYE or ABORT, or by the loss of the connection. */
  readonly by: 'router' | 'peer' | 'loss'
  /** The URI of the GOODBYE or ABORT: `wamp.error.protocol_violation` for a violation. None for a loss. */
  readonly reason: Uri | undefined
  /** For people: for a violation what was expected and what came, for a loss how the connection ended. */
  readonly text: string
}

/** A session has become a callee of a registration. */
export interface RegisteredEvent {
  readonly realm: Uri
  readonly session: Id
  readonly registration: Id
  /** The procedure, or the pattern of procedures. */
  readonly uri: Uri
  readonly match: MatchPolicy
  readonly invoke: InvokePolicy
  /** When the registration was created, in milliseconds since 1970. */
  readonly created: number
  /** True if this callee created the registration; other callees join it later. */
  readonly first: boolean
}

/** A callee has left a registration: it unregistered, was revoked, or its session ended. */
export interface UnregisteredEvent {
  readonly realm: Uri
  readonly session: Id
  readonly registration: Id
  readonly uri: Uri
  /** True if it was the only callee, so that the registration is removed. */
  readonly last: boolean
}

/** A session has become a subscriber of a subscription. */
export interface SubscribedEvent {
  readonly realm: Uri
  readonly session: Id
  readonly subscription: Id
  /** The topic, or the pattern of topics. */
  readonly uri: Uri
  readonly match: MatchPolicy
  /** When the subscription was created, in milliseconds since 1970. */
  readonly created: number
  /** True if it is the only subscriber. */
  readonly first: boolean
}

/** A subscriber has left a subscription: it unsubscribed, was revoked, or its session ended. */
export interface UnsubscribedEvent {
  readonly realm: Uri
  readonly session: Id
  readonly subscription: Id
  readonly uri: Uri
  /** True if it was the only subscriber. */
  readonly last: boolean
}

/** A call was accepted: it was sent to a callee or waits in a queue. Exactly one `answered` follows. */
export interface CalledEvent {
  readonly realm: Uri
  /** The caller. */
  readonly session: Id
  readonly request: Id
  readonly procedure: Uri
  /** The registration that serves it; none for the router's own procedures. */
  readonly registration: Id | undefined
}

/** A call is settled. */
export interface AnsweredEvent {
  readonly realm: Uri
  /** The caller. */
  readonly session: Id
  readonly request: Id
  readonly procedure: Uri
  /** The procedure, or the pattern of procedures, of the registration that serves it. */
  readonly registered: Uri
  /** The callee that had the call last; none for the router's own procedures and for a call that waited in a queue. */
  readonly callee: Id | undefined
  /**
   * `result`; `error`, of the callee or of the router (timeout, cancellation, a callee that left); or `abandoned`: the
   * caller left first.
   */
  readonly outcome: 'result' | 'error' | 'abandoned'
  /** The error's URI, for the outcome `error`. */
  readonly error: Uri | undefined
  /** Milliseconds since the call came. Undefined for a call that came before an observer of `answered` was added. */
  readonly duration: number | undefined
}

/** A publication was accepted, whether or not anybody subscribes to its topic. */
export interface PublishedEvent {
  readonly realm: Uri
  /** The publisher; for a testament a session that has ended. */
  readonly session: Id
  readonly topic: Uri
  readonly publication: Id
}

/** An event was sent to the subscribers of one subscription; meta events and retained events are reported too. */
export interface DeliveredEvent {
  readonly realm: Uri
  readonly subscription: Id
  readonly publication: Id
  /** The subscription's topic, or its pattern of topics. */
  readonly uri: Uri
  /** The number of receivers, at least 1. */
  readonly receivers: number
}

/** Something was dropped, and counted under the same name in `router.stats().dropped`. */
export interface DroppedEvent {
  readonly realm: Uri
  readonly reason: Exclude<keyof RouterDropped, 'observations'>
  /** The session it was for, or for what a session sent, from; none for an event that a history did not keep. */
  readonly session: Id | undefined
  /** The topic or procedure, as far as it is known. */
  readonly uri: Uri | undefined
  /** The increase of the counter: 1, or the number of held messages. */
  readonly count: number
}

/** A request was refused with an ERROR (a publication that asked for no answer, silently), or a join with an ABORT. */
export interface RefusedEvent {
  /** For a join the realm that HELLO named, as far as it came; it may be any text. */
  readonly realm: Uri | undefined
  /** None for a join. */
  readonly session: Id | undefined
  /** `join` is everything from the connection to WELCOME: a bad HELLO, a failed login, a handshake that took too long. */
  readonly action: 'join' | 'subscribe' | 'unsubscribe' | 'publish' | 'register' | 'unregister' | 'call'
  /** The topic or procedure that the request named, if it named one. */
  readonly uri: Uri | undefined
  /** The error's URI. */
  readonly error: Uri
  /** For people: the reason. */
  readonly text: string
  /** For a join: the connection as its server described it in `attach`. */
  readonly transport: Dict | undefined
}

/** A session has waited for a decision of `authorize` for a second or longer; its later messages were held meanwhile. */
export interface WaitedEvent {
  readonly realm: Uri
  readonly session: Id
  readonly action: Action
  /** The topic or procedure, or the pattern. */
  readonly uri: Uri
  /** Milliseconds. */
  readonly duration: number
  /** False if `limits.decision` passed first, so that the action is refused. */
  readonly decided: boolean
}

/**
 * What `router.observe` takes: functions that are called synchronously after each event. All are optional; an event
 * without an observer costs nothing. An observer that throws or rejects does not disturb the router: its first error is
 * printed to the console, and each is counted in `router.stats().dropped.observations`.
 *
 * @example
 * const stop = router.observe({
 *   left: ({ session, reason, text }) => log.info({ session, reason, text }),
 *   answered: ({ procedure, outcome, duration }) => histogram.record(duration, { procedure, outcome }),
 * })
 */
export interface RouterObserver {
  joined?(event: JoinedEvent): void
  left?(event: LeftEvent): void
  registered?(event: RegisteredEvent): void
  unregistered?(event: UnregisteredEvent): void
  subscribed?(event: SubscribedEvent): void
  unsubscribed?(event: UnsubscribedEvent): void
  called?(event: CalledEvent): void
  answered?(event: AnsweredEvent): void
  published?(event: PublishedEvent): void
  delivered?(event: DeliveredEvent): void
  dropped?(event: DroppedEvent): void
  refused?(event: RefusedEvent): void
  waited?(event: WaitedEvent): void
}
