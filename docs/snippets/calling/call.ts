import { RpcClient } from 'wampy-ts'
import type { Shop } from '../services/shop'

await using client = new RpcClient<Shop>({
  router: 'ws://localhost:8080/ws',
  prefix: 'com.example.shop',
})
console.log(await client.rpc.price('tea', 2)) // 6
