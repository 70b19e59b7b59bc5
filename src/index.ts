/** The entry point `wampy-ts`: the client, for browser and Node. */

export type * from './auth/contract.ts'
export type { Backoff } from './client/base/backoff.ts'
export type { LoadLimits } from './client/base/load.ts'
export type { Waiting } from './client/base/waiting.ts'
export { Client, type StartOptions } from './client/client.ts'
export { packed } from './client/codec/packed-codec.ts'
export { type Passthru, type PassthruOwner, passthru } from './client/codec/passthru-link.ts'
export type { Encoded, PayloadCodec, PayloadContext, PayloadKind, PayloadValues } from './client/codec/payload-codec.ts'
export type { ClientEvents, ClientState } from './client/connection/client-core.ts'
export type { Liveness } from './client/connection/liveness.ts'
export type { Retry } from './client/connection/reconnect.ts'
export { type EventHistoryOptions, eventHistory, getEvents, type PastEvent } from './client/functions/event-history.ts'
export type { Events, EventsOptions } from './client/functions/events.ts'
export type { MetaOptions } from './client/functions/meta-call.ts'
export type { ProcedureEntry } from './client/functions/procedures.ts'
export {
  addTestament,
  flushTestaments,
  type TestamentOptions,
  type TestamentScope,
} from './client/functions/testaments.ts'
export type { Handle, HandleTimeout } from './client/handles/durable-handles.ts'
export type { DurableHandle, Gap, HandleEvents, HandleState } from './client/handles/handle.ts'
export type { ClientOptions, RoleName } from './client/options.ts'
export { type Endpoint, Invocation, type RegisterOptions, type Registration, Result } from './client/roles/callee.ts'
export type { CallKeys, CallOptions, CallResult, Progress, ProgressHandler } from './client/roles/caller.ts'
export { type Entrypoint, getRegisteredEntrypoints } from './client/roles/entrypoints.ts'
export { DEFAULT_ROLES } from './client/roles/features.ts'
export type {
  CallRequest,
  EventRequest,
  Interceptor,
  InvocationRequest,
  PublishRequest,
} from './client/roles/interceptor.ts'
export type { OnError, Part } from './client/roles/invocation.ts'
export type { OrItem, PublishKeys, PublishOptions } from './client/roles/publisher.ts'
export type { EventDetails, EventHandler, SubscribeOptions, Subscription } from './client/roles/subscriber.ts'
export { RpcClient, type RpcClientOptions } from './client/rpc-client.ts'
export {
  type AnyMethod,
  type DeclaredOptions,
  type DecoratorFor,
  type MethodDecorator,
  type RpcDecorator,
  type RpcOptions,
  rpc,
  type SubscribeDecorator,
  subscribe,
  type TopicOptions,
  type TopicTable,
} from './client/service/decorators.ts'
export {
  description,
  type ParameterDescription,
  type ProcedureDescription,
  type ServiceDescription,
  type TopicDescription,
} from './client/service/description.ts'
export { uriOf } from './client/service/proxy.ts'
export {
  type ArgumentSchemas,
  type ArgumentSchemasFor,
  type ArgumentsFor,
  type ArgumentsOf,
  type CheckedDecorator,
  type Checks,
  checked,
  type InputOf,
  type MethodFor,
  type OutputOf,
  type OutputOfOption,
  type ParametersFor,
  type ReturnFor,
  type RpcTable,
  type RpcTableRow,
  type SchemaIssue,
  type SchemaResult,
  type SchemasForInvocation,
  type SchemasForParameters,
  type StandardSchema,
  type TypesOf,
} from './client/service/schema.ts'
export type { ReceivedEvent } from './client/service/service.ts'
export {
  type AcceptedBy,
  type ChecksOf,
  type EventArgs,
  type EventKwargs,
  type MatchedBy,
  type NoKwargs,
  type OptionalTail,
  type PublicationOf,
  type Topic,
  type TopicChecks,
  type TopicFor,
  type TopicPattern,
  topic,
} from './client/service/topic.ts'
export type {
  AnyProcedure,
  AnyStream,
  Arguments,
  Arrived,
  OwnNames,
  Procedures,
  Returned,
  Rpc,
  RpcCallOptions,
  ServiceView,
  Stream,
  Streams,
} from './client/service/view.ts'
export type { Dropped, SessionInfo } from './client/session/client-session.ts'
export { type StopOptions, WampClient } from './client/wamp-client.ts'
export { WampRouter, type WampRouterOptions } from './client/wamp-router.ts'
export { WampError, type WampErrorOptions } from './protocol/error.ts'
export * from './protocol/names.ts'
export type * from './protocol/wire-types.ts'
export { json } from './serializer/json.ts'
export type { Serializer } from './serializer/serializer.ts'
export type { Attachable, Connector, Hosting, Link, LinkSink, TransportInfo } from './session/link.ts'
export { type BatchingOptions, batching } from './transport/batched.ts'
export { type LongPollDialOptions, longPollDial } from './transport/longpoll.ts'
export { type PortOwner, type PortTarget, portDial } from './transport/message-port.ts'
export type { CloseInfo, Dial, Prepared, Transport, TransportSink } from './transport/transport.ts'
export { type WebSocketClass, type WebSocketLike, type WebSocketOptions, webSocketDial } from './transport/websocket.ts'
