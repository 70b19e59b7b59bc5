/** The entry point `wampy-ts/live`: stores of a client for any framework: its connection, events, calls. */

// Types in the signatures below. They add nothing at run time.
export type * from './index.ts'
export {
  type CallState,
  type CallStatus,
  type LiveCallOptions,
  type LiveStreamOptions,
  liveCall,
  liveStream,
  type ProcedureRef,
  type StreamState,
  type StreamStatus,
} from './live/call.ts'
export { type Connection, liveConnection } from './live/connection.ts'
export type { Live } from './live/live.ts'
export {
  type EventsState,
  type LiveEventsOptions,
  type LiveSubscribeOptions,
  liveEvents,
  liveSubscription,
  type SubscriptionState,
  type SubscriptionStatus,
  type TopicRef,
} from './live/subscription.ts'
