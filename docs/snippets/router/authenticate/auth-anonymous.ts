import { RpcClient } from 'wampy-ts'
import { anonymous } from 'wampy-ts/auth'
import { anonymousAuth } from 'wampy-ts/auth/router'
import { Router } from 'wampy-ts/router'

const router = new Router({ auth: [anonymousAuth({ role: 'guest' })] })
await using client = new RpcClient({ router, auth: [anonymous()] })
await client.start()
console.log(client.session.authrole) // guest
