import { SignJWT } from 'jose'
import { RpcClient } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'
import { jwtAuth } from 'wampy-ts/auth/router'
import { Router } from 'wampy-ts/router'

const [issuer, audience] = ['https://example.com', 'wamp']
const key = new TextEncoder().encode('a secret of the issuer and the router') // or the issuer's `jwksUrl` in its place
const router = new Router({ auth: [jwtAuth({ issuer, audience, key })] })

const token = new SignJWT({ iss: issuer, aud: audience, sub: 'joe' }).setProtectedHeader({
  alg: 'HS256',
})
await using client = new RpcClient({
  router,
  auth: [ticket('joe', () => token.setExpirationTime('1h').sign(key))],
})
await client.start() // the expiry ends the session, and the client joins again with a new token
console.log(client.session.authid, client.session.authprovider) // joe jwt
