import { readFileSync } from 'node:fs'
import { RpcClient, WampRouter } from 'wampy-ts'
import { tls } from 'wampy-ts/auth'
import { tlsAuth } from 'wampy-ts/auth/router'
import { dial, serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

const [key, cert, ca] = ['key.pem', 'cert.pem', 'ca.pem'].map((name) =>
  readFileSync(name, 'utf8'),
) as [string, string, string]
const router = new Router({
  auth: [tlsAuth({ localhost: { authid: 'joe', role: 'device' } })],
}) // by the common name
const { url, close } = await serve(router, {
  port: 0,
  tls: { key, cert, ca, requestCert: true },
})
const withCertificate = new WampRouter({ url, dial: dial({ key, cert, ca }) })
const client = new RpcClient({ router: withCertificate, auth: [tls()] })
await client.start()
console.log(client.session.authid, client.session.authmethod) // joe tls
await client.stop()
await close()
