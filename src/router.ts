/** The entry point `wampy-ts/router`: the embeddable router and the parts for its adapters; it runs in a page too. */

export type * from './auth/contract.ts'
export { WampError, type WampErrorOptions } from './protocol/error.ts'
export type * from './protocol/wire-types.ts'
export type { LoginLimits } from './router/attempts.ts'
export type { BytesByKind, RouterBytes } from './router/member/ledger.ts'
export type { RouterLimits } from './router/member/limits.ts'
export type { Principal } from './router/member/principal.ts'
export type { RoleRate } from './router/member/rates.ts'
export type { MessageCounts, RouterMessages } from './router/member/traffic.ts'
export type { TestamentStats } from './router/meta/testaments.ts'
export type {
  AnsweredEvent,
  CalledEvent,
  DeliveredEvent,
  DroppedEvent,
  JoinedEvent,
  LeftEvent,
  PublishedEvent,
  RefusedEvent,
  RegisteredEvent,
  RouterObserver,
  SubscribedEvent,
  UnregisteredEvent,
  UnsubscribedEvent,
  WaitedEvent,
} from './router/observe/events.ts'
export type { ObserverStats } from './router/observe/observers.ts'
export type { RoleLists } from './router/pubsub/audience.ts'
export type { BrokerDropped, BrokerStats } from './router/pubsub/broker.ts'
export {
  type HistoryEvent,
  type HistoryOptions,
  type HistoryQuery,
  type HistoryStore,
  MemoryHistory,
  select,
} from './router/pubsub/history.ts'
export type {
  Action,
  Actor,
  Authorization,
  Authorize,
  AuthorizeRequest,
  AuthorizeSession,
  Disclose,
  Disclosed,
  TrustLevel,
} from './router/rights/decide.ts'
export type { Permission, RoleRules } from './router/rights/rules.ts'
export { type CloseOptions, Router, type RouterOptions } from './router/router.ts'
export type { CallsDropped } from './router/rpc/calls.ts'
export type { DealerStats } from './router/rpc/dealer.ts'
export type { CallQueueOptions } from './router/rpc/queue.ts'
export type { RealmStats, RouterDropped, RouterStats, SessionStats } from './router/stats.ts'
export { json } from './serializer/json.ts'
export type { Serializer } from './serializer/serializer.ts'
export { framed } from './session/framed.ts'
export type { Attachable, Connector, Hosting, Link, LinkSink, TransportInfo } from './session/link.ts'
export type { SweepOptions } from './transport/silence-sweep.ts'
export type { CloseInfo, Prepared, Transport, TransportSink } from './transport/transport.ts'
export { type Accepting, type AcceptOptions, acceptPorts, type PortScope } from './worker/accept-ports.ts'
