import { RpcClient } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'
import { ticketAuth } from 'wampy-ts/auth/router'
import { Router } from 'wampy-ts/router'

const router = new Router({ auth: [ticketAuth({ joe: { ticket: 'tea', role: 'user' } })] })
await using client = new RpcClient({ router, auth: [ticket('joe', async () => 'tea')] }) // such as a token from fetch()
await client.start()
console.log(client.session.authid, client.session.authrole) // joe user
