import { RpcClient, rpc, WampClient } from 'wampy-ts'

class Counter extends WampClient {
  @rpc async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
  }
}

const router = 'ws://localhost:8080/ws'
await using counter = new Counter({ router })
await counter.start()
await using client = new RpcClient<Counter>({ router })
for await (const n of client.stream.count(3)) console.log(n) // 1, 2, 3
