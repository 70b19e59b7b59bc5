import { RpcClient, WampError } from 'wampy-ts'
import type { Shop } from './server'

await using client = new RpcClient<Shop>({
  router: 'ws://localhost:8080/ws',
  prefix: 'com.example.shop',
})

console.log(await client.rpc.price({ article: 'tea', count: 2 })) // 6
try {
  await client.rpc.price({ article: 'gold', count: 1 })
} catch (error) {
  if (WampError.is(error)) console.log(error.uri, error.message) // com.example.error.not_found no gold here
}
for await (const n of client.stream.count(3)) console.log(n) // 1 2 3
