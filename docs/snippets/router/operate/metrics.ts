import { RpcClient } from 'wampy-ts'
import { metrics } from 'wampy-ts/metrics'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const router = new Router()
const served = await serve(router, { port: 0, metrics: true, health: true })
await using client = new RpcClient({ router: served.url })
await client.call('wamp.session.count')

const { port } = served
for (const path of ['metrics', 'healthz', 'readyz'])
  console.log(await (await fetch(`http://127.0.0.1:${port}/${path}`)).text())

// Or without a server: for a port of their own, a page, a program.
const numbers = metrics(router)
console.log(numbers.text(), numbers.read().length)
numbers.stop()

await router.close()
await served.close()
