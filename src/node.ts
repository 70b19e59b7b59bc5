/** The entry point `wampy-ts/node`: serves a router on a port, and dials one with headers, certificates or RawSocket. */

export type * from './auth/contract.ts'
export type { PrincipalLookup, PrincipalQuery, PrincipalTable } from './auth/principals.ts'
export type {
  CONFIG,
  Listener,
  RAWSOCKET_LISTENER,
  RouterConfig,
  UNIX_LISTENER,
  WEBSOCKET_LISTENER,
} from './config/keys.ts'
export {
  type ConfiguredRouter,
  checkConfig,
  type FromConfigOptions,
  type ReloadReport,
  routerFromConfig,
} from './config/router-from-config.ts'
export type { JsonSchema, Key, Place, Problem, Shape, ValueOf } from './config/shapes.ts'
export type { CookieIssuer } from './node/connection-info.ts'
export type { ConnectionOptions } from './node/connections.ts'
export type { Origins } from './node/http-server.ts'
export type { LongPollOptions } from './node/longpoll-serve.ts'
export { type PrincipalsFileOptions, principalsFile } from './node/principals-file.ts'
export type { HealthEndpoints, MetricsEndpoint } from './node/probes.ts'
export { type RawSocketDialOptions, rawSocketDial } from './node/rawsocket-dial.ts'
export { type RawSocketServed, type RawSocketServeOptions, serveRawSocket } from './node/rawsocket-serve.ts'
export { type Served, type ServeOptions, serve } from './node/serve.ts'
export type { TlsRenewal } from './node/tls-server.ts'
export type { TrustedProxyList } from './node/trusted-proxies.ts'
export { type DialOptions, dial } from './node/websocket-dial.ts'
export type { MetricsOptions } from './operations/metrics.ts'
export type { WampError, WampErrorOptions } from './protocol/error.ts'
export type * from './protocol/wire-types.ts'
export type * from './router.ts'
export type { Serializer } from './serializer/serializer.ts'
export type { Attachable, Hosting, Link, LinkSink, TransportInfo } from './session/link.ts'
export type { SweepOptions } from './transport/silence-sweep.ts'
export type { CloseInfo, Dial, Prepared, Transport, TransportSink } from './transport/transport.ts'
