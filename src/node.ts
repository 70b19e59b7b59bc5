/** The door `wampy-ts/node`: a router on a port, and dialing one from Node with headers, certificates or RawSocket. */

export { type DialOptions, dial } from './node/dial.ts'
export type { LongPollOptions } from './node/longpoll.ts'
export { type RawSocketDialOptions, rawSocketDial } from './node/rawsocket-dial.ts'
export { type RawSocketServed, type RawSocketServeOptions, serveRawSocket } from './node/rawsocket-serve.ts'
export { type Served, type ServeOptions, serve } from './node/serve.ts'
