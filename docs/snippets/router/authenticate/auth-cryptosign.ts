import { RpcClient } from 'wampy-ts'
import { cryptosign, generateKey } from 'wampy-ts/auth'
import { cryptosignAuth } from 'wampy-ts/auth/router'
import { Router } from 'wampy-ts/router'

const [joes, routers] = [await generateKey(), await generateKey()] // or `wampy-ts keygen`
const joe = { authorized_keys: [joes.publicKey], role: 'user' }
const router = new Router({ auth: [cryptosignAuth({ joe }, { key: routers.privateKey })] })
// In Node over TLS, { channelBinding: 'tls-exporter' } binds the signature to the connection.
const auth = [cryptosign({ key: joes.privateKey, routerKey: routers.publicKey })]
await using client = new RpcClient({ router, auth })
await client.start()
console.log(client.session.authid, client.session.authmethod) // joe cryptosign
