/** A router in a process of its own: `node e2e/router.mjs PORT`; it prints its address and answers two procedures. */

import { WampClient } from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const router = new Router()
const client = new WampClient({ router })
await client.start()
await client.register('e2e.add', ([one, other]) => one + other)
await client.register('e2e.stats', () => router.stats())
const { url } = await serve(router, { port: Number(process.argv[2]) })
console.log(`listening on ${url}`)
