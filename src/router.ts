/** The door `wampy-ts/router`: the embeddable router and what an adapter for it needs; it runs in a page too. */

export { WampError } from './protocol/error.ts'
export type { RouterLimits } from './router/member/limits.ts'
export type { Principal } from './router/member/principal.ts'
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
} from './router/observe/events.ts'
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
  Disclosure,
  TrustLevel,
} from './router/rights/decide.ts'
export { Router, type RouterOptions, type RouterRole } from './router/router.ts'
export type { CallQueueOptions } from './router/rpc/queue.ts'
export type { Dropped, RouterStats } from './router/stats.ts'
export { json } from './serializer/json.ts'
export type { Serializer } from './serializer/serializer.ts'
export { framed } from './session/framed.ts'
export type { Attachable, Link, LinkSink, TransportInfo } from './session/link.ts'
export type { CloseInfo, Frame, Prepared, Transport, TransportSink } from './transport/transport.ts'
export { type Accepting, type AcceptOptions, acceptPorts, type PortScope } from './worker/accept-ports.ts'
