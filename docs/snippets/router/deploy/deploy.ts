import { anonymousAuth } from 'wampy-ts/auth/router'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const router = new Router({ auth: [anonymousAuth({ role: 'guest' })] }) // or a login
const served = await serve(router, {
  port: 8080,
  trustedProxies: 'loopback',
  origins: ['https://example.com'],
  health: true,
})
console.log(`behind the proxy: ${served.url}`)

process.once('SIGTERM', async () => {
  await router.close({ drain: 10_000 }) // calls in progress may finish, then GOODBYE to all
  await served.close()
})
