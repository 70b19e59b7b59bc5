/** The client, for browser and Node. */

export type { Backoff } from './client/backoff.ts'
export { type Endpoint, Invocation, type RegisterOptions, type Registration, Result } from './client/callee.ts'
export type { CallOptions, CallResult } from './client/caller.ts'
export type { Dropped, SessionInfo } from './client/client-session.ts'
export { type MethodDecorator, type RpcOptions, rpc, subscribe, type TopicOptions } from './client/decorators.ts'
export type { Liveness } from './client/liveness.ts'
export { type ClientOptions, DEFAULT_ROLES, type Retry, type RoleName } from './client/options.ts'
export type { PublishOptions } from './client/publisher.ts'
export { type Entrypoint, getRegisteredEntrypoints } from './client/registry.ts'
export {
  type AnyProcedure,
  type Procedures,
  type Rpc,
  RpcClient,
  type RpcClientOptions,
  type RpcOptions as RpcCallOptions,
} from './client/rpc-client.ts'
export type { ReceivedEvent } from './client/service.ts'
export type { EventDetails, EventHandler, SubscribeOptions, Subscription } from './client/subscriber.ts'
export type { Waiting } from './client/waiting.ts'
export { type ClientEvents, type ClientState, type StartOptions, WampClient } from './client/wamp-client.ts'
export { WampRouter, type WampRouterOptions } from './client/wamp-router.ts'
export { WampError, type WampErrorOptions } from './protocol/error.ts'
export type { Id, Uri } from './protocol/messages.ts'
export * from './protocol/names.ts'
export type { Dict, InvocationDetails, List, MatchPolicy, ResultDetails, Roles } from './protocol/options.ts'
export { json } from './serializer/json.ts'
export type { Serializer } from './serializer/serializer.ts'
export type { Connector, Link } from './session/link.ts'
export { batching } from './transport/batched.ts'
export { type LongPollDialOptions, longPollDial } from './transport/longpoll.ts'
export { type PortOwner, type PortTarget, portDial } from './transport/message-port.ts'
export type { CloseInfo, Dial, Frame, Prepared, Transport, TransportSink } from './transport/transport.ts'
export { type WebSocketClass, webSocketDial } from './transport/websocket.ts'
