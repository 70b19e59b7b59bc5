/** The contract of a destination, to which broker and dealer send: a session, or the router's own procedures. */

import type { Code, EventMessage, Id, Message, Uri } from '../../protocol/messages.ts'
import type { ClientRole, Feature } from '../../protocol/words.ts'
import type { Prepared } from '../../transport/transport.ts'
import type { BrokerRecord } from '../pubsub/subscription.ts'
import type { Action } from '../rights/decide.ts'
import type { DealerRecord } from '../rpc/dealer-record.ts'
import type { Account } from './ledger.ts'
import type { Deviations } from './peers.ts'
import type { Principal } from './principal.ts'

/** What a decision is about. */
export interface Undecided {
  readonly action: Action
  readonly uri: Uri
}

export interface Destination {
  /** The id of the session; 0 for the router itself. */
  readonly id: Id
  readonly principal: Principal | undefined
  /** Private data of its authentication method for the router's decisions; never sent. */
  readonly internal: unknown
  /** True if its principal was in a table of the router's owner, who so vouches for it. */
  readonly staticPrincipal: boolean
  /** True for a session of the router's owner, whose requests need no decision. */
  readonly trusted: boolean
  /** The bytes that it costs; none for the router itself. */
  readonly account: Account | undefined
  /** Known differences from its HELLO. */
  readonly deviations: Deviations
  /** True if its HELLO announced a feature, or it is known to have it. */
  announces<R extends ClientRole>(role: R, feature: Feature<R>): boolean
  /** Throws a WampError, having sent nothing, for a message that its serializer or transport cannot carry. */
  send(message: Message): void
  /**
   * Continues a request when `decision` resolves, or with `expired` if that takes too long, and holds later messages in
   * order meanwhile. Nothing happens if the session ends first. A wait that is long is reported, if `about` names it.
   */
  hold<T>(code: Code, decision: Promise<T>, then: (decided: T) => void, expired: T, about?: Undecided): void
  /** True if it reads so slowly that events for it are dropped (slow-reader.ts). */
  readonly behind: boolean
  /** Destinations of one kind can `write` what one of them `prepare`d: one encoding for many. Undefined: only `send`. */
  readonly kind: string | undefined
  prepare(event: EventMessage): Prepared
  /** Returns true if the destination lags behind; `holders` such destinations hold what is written. */
  write(prepared: Prepared, holders: number): boolean
  /** The broker's record of it, from its first subscription on; private to the broker. */
  pubsub: BrokerRecord | undefined
  /** The dealer's record of it, from its first call or registration on; private to the dealer. */
  rpc: DealerRecord | undefined
}
