import { RpcClient, WampRouter } from 'wampy-ts'
import { cookie } from 'wampy-ts/auth'
import { cookieAuth } from 'wampy-ts/auth/router'
import { dial, serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const webSessions = new Map([['4f1c', { authid: 'joe', role: 'user' }]]) // by the value of the cookie
const router = new Router({
  auth: [cookieAuth({ name: 'sid', principals: async (sid) => webSessions.get(sid) })],
})
const { url, close } = await serve(router, { port: 0, origins: ['https://example.com'] })
const withCookie = new WampRouter({ url, dial: dial({ headers: { cookie: 'sid=4f1c' } }) })
const client = new RpcClient({ router: withCookie, auth: [cookie()] })
await client.start()
console.log(client.session.authid, client.session.authmethod) // joe cookie
await client.stop()
await close()
