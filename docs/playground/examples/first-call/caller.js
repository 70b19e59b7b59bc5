import { RpcClient } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })
const shop = client.rpc.com.example.shop

console.log(await shop.price('tea', 2)) // the first call connects
console.log(
  await Promise.all([shop.price('tea'), shop.price('tea', 10)]),
)
await client.stop()
