/** What the broker and the dealer send to: a session, the router's own procedures, later a session of another machine. */

import type { Code, EventMessage, Id, Message } from '../../protocol/messages.ts'
import type { ClientRole, Feature } from '../../protocol/words.ts'
import type { Prepared } from '../../transport/transport.ts'
import type { BrokerRecord } from '../pubsub/subscription.ts'
import type { DealerRecord } from '../rpc/dealer-record.ts'
import type { Deviations } from './peers.ts'
import type { Principal } from './principal.ts'

export interface Destination {
  /** The id of the session; 0 for the router itself. */
  readonly id: Id
  readonly principal: Principal | undefined
  /** What its authentication method keeps for the router's decisions; sent to nobody. */
  readonly internal: unknown
  /** True for a session of the router's owner, whose requests are not asked about. */
  readonly trusted: boolean
  /** Where it is known to differ from what its HELLO announced. */
  readonly deviations: Deviations
  /** True if it has a feature: its HELLO announced it, or it is known to have it. */
  announces<R extends ClientRole>(role: R, feature: Feature<R>): boolean
  /** Throws a WampError for a message that its serializer or its transport cannot carry; nothing was sent then. */
  send(message: Message): void
  /**
   * Handles the rest of a request when `decision` is there, or with `expired` when that takes too long, and holds what
   * comes meanwhile, in order. Nothing happens if the session ends before.
   */
  hold<T>(code: Code, decision: Promise<T>, then: (decided: T) => void, expired: T): void
  /** True if it reads so slowly that events for it are dropped (slow-reader.ts). */
  readonly behind: boolean
  /** Destinations of one kind can `write` what one of them `prepare`d: one encoding for many. Undefined: only `send`. */
  readonly kind: string | undefined
  prepare(event: EventMessage): Prepared
  write(prepared: Prepared): void
  /** What the broker keeps of it, from its first subscription. Nobody else looks into it. */
  pubsub: BrokerRecord | undefined
  /** What the dealer keeps of it, from its first call or registration. Nobody else looks into it. */
  rpc: DealerRecord | undefined
}
