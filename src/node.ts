/** The door `wampy-ts/node`: a router on a port, and dialing one from Node with headers and certificates. */

export { type DialOptions, dial } from './node/dial.ts'
export { type Served, type ServeOptions, serve } from './node/serve.ts'
