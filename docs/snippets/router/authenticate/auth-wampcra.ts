import { RpcClient } from 'wampy-ts'
import { wampcra } from 'wampy-ts/auth'
import { deriveCraKey, wampcraAuth } from 'wampy-ts/auth/router'
import { Router } from 'wampy-ts/router'

const salted = { salt: 'b5ffe5', iterations: 10_000, keylen: 32 } // plain: only `secret: 'pencil'`
const joe = { ...salted, secret: await deriveCraKey('pencil', salted), role: 'user' }
const router = new Router({ auth: [wampcraAuth({ joe })] })
await using client = new RpcClient({ router, auth: [wampcra('joe', 'pencil')] })
await client.start()
console.log(client.session.authid, client.session.authmethod) // joe wampcra
