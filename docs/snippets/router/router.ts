import { createServer } from 'node:http'
import { WampClient } from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const router = new Router({ realms: ['realm1', 'com.example'], strict: false })

// Beside the handlers of an existing server: express, fastify, a Vite dev server. Other upgrades are left alone.
const server = createServer((_request, response) => response.end('hello'))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const served = await serve(router, { server, path: '/wamp' })
console.log(served.url)

await using client = new WampClient({ router, realm: 'com.example' })
await client.start()
console.log(router.stats()) // sessions, subscriptions, registrations, calls, bytes by kind, and what was dropped

await router.close({ drain: 5000 }) // GOODBYE to everyone, after at most 5 s for calls in progress
await served.close()
server.close()
