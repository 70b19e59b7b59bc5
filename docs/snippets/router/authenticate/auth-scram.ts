import { RpcClient } from 'wampy-ts'
import { scram } from 'wampy-ts/auth'
import { scramAuth, scramSecret } from 'wampy-ts/auth/router'
import { Router } from 'wampy-ts/router'

const joe = { ...(await scramSecret('pencil')), role: 'user' } // or (password, { kdf: 'argon2id13' })
const router = new Router({ auth: [scramAuth({ joe })] })
await using client = new RpcClient({ router, auth: [scram('joe', 'pencil')] })
await client.start()
console.log(client.session.authid, client.session.authmethod) // joe wamp-scram
