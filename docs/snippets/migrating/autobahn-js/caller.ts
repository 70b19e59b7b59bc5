import { RpcClient, WampError } from 'wampy-ts'
import type { Shop } from './service'

const router = 'ws://localhost:8080/ws'
await using client = new RpcClient<Shop>({
  router,
  realm: 'realm1',
  prefix: 'com.example.shop',
})

console.log(await client.rpc.price('tea', 2)) // 6
try {
  await client.rpc.price('gold')
} catch (error) {
  if (WampError.is(error)) console.log(error.uri, error.message) // com.example.error.unknown_article no gold here
}
await client.publish('com.example.news', ['fresh tea'], {}, { acknowledge: true })
