import { description, RpcClient, rpc, WampClient } from 'wampy-ts'
import { z } from 'zod'

class Till extends WampClient {
  static prefix = 'com.example.till'
  static describe = description

  @rpc({
    args: [z.object({ price: z.number() }), z.number()],
    result: z.number(),
    doc: 'What it costs.',
  })
  total(item: { price: number }, count: number): number {
    return item.price * count
  }
}

const router = 'ws://localhost:8080/ws'
await using till = new Till({ router })
await till.start()
await using client = new RpcClient({ service: Till, router })
console.log(await client.rpc.total({ price: 3 }, 2)) // 6
await client
  .call('com.example.till.total', [{ price: 'free' }, 2])
  .catch((error) => console.log(error.message))
console.log(await client.describe('com.example.till')) // { service: 'Till', procedures: [ ... ], ... }
console.log((await client.entrypoints()).map(({ uri }) => uri)) // all that can be called in this realm
