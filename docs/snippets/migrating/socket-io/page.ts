import { RpcClient } from 'wampy-ts'
import type { Shop } from './server'

const router = 'ws://localhost:8080/ws'
const prefix = 'com.example.shop'
const [alice, bob] = [
  new RpcClient<Shop>({ router, prefix }),
  new RpcClient<Shop>({ router, prefix }),
]

console.log(await alice.rpc.price('tea', 2)) // 6

// A room is a topic: nobody has to let the clients in.
await bob.subscribe('com.example.room.kitchen', async ([text]) => {
  console.log(text) // hello
  await Promise.all([alice.stop(), bob.stop()])
})
await alice.publish('com.example.room.kitchen', ['hello'])
