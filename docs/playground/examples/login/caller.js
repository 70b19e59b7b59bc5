import { RpcClient } from 'wampy-ts'
import { anonymous, ticket } from 'wampy-ts/auth'

const router = 'ws://localhost:8080/ws'

const guest = new RpcClient({ router, auth: [anonymous()] })
const asGuest = guest.service('com.example.shop').rpc
console.log(await asGuest.price())
await asGuest.order('tea').catch((error) => console.log(error.uri))

const ann = new RpcClient({
  router,
  auth: [ticket('ann', 'pencil')],
})
const asAnn = ann.service('com.example.shop').rpc
console.log(await asAnn.order('tea'))
console.log(ann.session.authid, ann.session.authrole)

const thief = new RpcClient({
  router,
  auth: [ticket('ann', 'pen')],
})
await thief.start().catch((error) => console.log(error.uri))
