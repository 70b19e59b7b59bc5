/** Starts a client that tries once, without a router; prints the error, and does not call process.exit. */

import { WampClient, type WampError } from 'wampy-ts'

const client = new WampClient({ router: 'ws://127.0.0.1:1/ws', reconnect: false })
await client.start().catch(({ uri, message }: WampError) => console.log(uri, message))
