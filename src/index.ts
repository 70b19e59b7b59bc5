/** The client, for browser and Node. */

export type { Backoff } from './client/base/backoff.ts'
export type { Waiting } from './client/base/waiting.ts'
export { packed } from './client/codec/packed-codec.ts'
export { type Passthru, type PassthruOwner, passthru } from './client/codec/passthru-link.ts'
export type { Encoded, PayloadCodec, PayloadContext, PayloadKind, PayloadValues } from './client/codec/payload-codec.ts'
export type { Liveness } from './client/connection/liveness.ts'
export { type EventHistoryOptions, eventHistory, getEvents, type PastEvent } from './client/functions/event-history.ts'
export type { ProcedureEntry } from './client/functions/procedures.ts'
export {
  addTestament,
  flushTestaments,
  type TestamentOptions,
  type TestamentScope,
} from './client/functions/testaments.ts'
export type { Handle } from './client/handles/durable-handles.ts'
export type { Events, EventsOptions } from './client/handles/events.ts'
export type { DurableHandle, HandleEvents, HandleState } from './client/handles/handle.ts'
export { type ClientOptions, DEFAULT_ROLES, type OnError, type Retry, type RoleName } from './client/options.ts'
export { type Endpoint, Invocation, type RegisterOptions, type Registration, Result } from './client/roles/callee.ts'
export type { CallOptions, CallResult, Progress, ProgressHandler } from './client/roles/caller.ts'
export type { Part } from './client/roles/invocation.ts'
export type { PublishOptions } from './client/roles/publisher.ts'
export type { EventDetails, EventHandler, SubscribeOptions, Subscription } from './client/roles/subscriber.ts'
export {
  type AnyProcedure,
  type AnyStream,
  type Procedures,
  type Rpc,
  RpcClient,
  type RpcClientOptions,
  type RpcOptions as RpcCallOptions,
  type Stream,
  type Streams,
} from './client/rpc-client.ts'
export {
  type MethodDecorator,
  type RpcOptions,
  rpc,
  subscribe,
  type TopicOptions,
} from './client/service/decorators.ts'
export {
  description,
  type ParameterDescription,
  type ProcedureDescription,
  type ServiceDescription,
  type TopicDescription,
} from './client/service/description.ts'
export { type Entrypoint, getRegisteredEntrypoints } from './client/service/entrypoints.ts'
export { type Checks, checked, type RpcTable, type StandardSchema } from './client/service/schema.ts'
export type { ReceivedEvent } from './client/service/service.ts'
export type { Dropped, SessionInfo } from './client/session/client-session.ts'
export { type ClientEvents, type ClientState, type StartOptions, WampClient } from './client/wamp-client.ts'
export { WampRouter, type WampRouterOptions } from './client/wamp-router.ts'
export { WampError, type WampErrorOptions } from './protocol/error.ts'
export type { Id, Uri } from './protocol/messages.ts'
export * from './protocol/names.ts'
export type {
  CancelMode,
  Dict,
  InvocationDetails,
  List,
  MatchPolicy,
  PassthruKeys,
  ResultDetails,
  Roles,
} from './protocol/options.ts'
export { json } from './serializer/json.ts'
export type { Serializer } from './serializer/serializer.ts'
export type { Connector, Link } from './session/link.ts'
export { batching } from './transport/batched.ts'
export { type LongPollDialOptions, longPollDial } from './transport/longpoll.ts'
export { type PortOwner, type PortTarget, portDial } from './transport/message-port.ts'
export type { CloseInfo, Dial, Frame, Prepared, Transport, TransportSink } from './transport/transport.ts'
export { type WebSocketClass, webSocketDial } from './transport/websocket.ts'
