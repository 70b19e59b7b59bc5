/** Starts a client where no router is, says why that failed, and does not say process.exit. */

import { WampClient, type WampError } from 'wampy-ts'

const client = new WampClient({ router: 'ws://127.0.0.1:1/ws' })
await client.start({ timeout: 1000 }).catch(({ uri, message }: WampError) => console.log(uri, message))
