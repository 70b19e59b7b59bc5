import { LoginCookies, scramAuth, scramSecret } from 'wampy-ts/auth/router'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

// For a real one, store what `wampy-ts secret` prints for a password.
const users = { joe: await scramSecret('pencil'), ann: await scramSecret('brush') }
const cookies = new LoginCookies()
const router = new Router({ auth: [cookies.auth, scramAuth(users)] })
const { url } = await serve(router, {
  port: 8080,
  cookies,
  origins: ['http://localhost:5173'],
})
console.log(`log in at ${url}`)
