/** A router in a process of its own, to be killed and stopped: `node e2e/engines/router.mjs PORT`; it prints its port. */

import { WampClient } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { serve } from 'wampy-ts/node'
import { json, Router } from 'wampy-ts/router'

const router = new Router()
const client = new WampClient({ router })
await client.start()
await client.register('node.add', ([one, other]) => one + other)
await client.register('node.echo', ([value]) => value)
await client.register('node.stats', () => router.stats())
await client.register('node.count', async function* ([to]) {
  for (let n = 1; n < to; n++) yield n
  return to
})
let aborted = 0
await client.register('node.wait', async (_args, _kwargs, _details, { signal }) => {
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  aborted++
})
await client.register('node.aborted', () => aborted)
const served = await serve(router, {
  port: Number(process.argv[2]),
  serializers: [json, cbor, msgpack],
  longPoll: { origins: '*' },
})
console.log(new URL(served.url).port)
