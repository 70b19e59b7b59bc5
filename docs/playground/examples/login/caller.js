import { RpcClient } from 'wampy-ts'
import { anonymous, ticket } from 'wampy-ts/auth'

const router = 'ws://localhost:8080/ws'

const guest = new RpcClient({ router, auth: [anonymous()] })
console.log(await guest.rpc.com.example.shop.price())
await guest.rpc.com.example.shop
  .order('tea')
  .catch((error) => console.log(error.uri))

const ann = new RpcClient({ router, auth: [ticket('ann', 'pencil')] })
console.log(await ann.rpc.com.example.shop.order('tea'))
console.log(ann.session.authid, ann.session.authrole)

const thief = new RpcClient({ router, auth: [ticket('ann', 'crayon')] })
await thief.start().catch((error) => console.log(error.uri))
