import { type Invocation, RpcClient, rpc, WampClient } from 'wampy-ts'

class Counter extends WampClient {
  @rpc async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
    return 'done'
  }

  @rpc({ invocation: true }) async sum({ input }: Invocation<number>, start: number) {
    let sum = start
    for await (const n of input) sum += n
    return sum
  }

  @rpc({ invocation: true }) async wait({ signal }: Invocation) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    console.log('the callee was told')
  }
}

const router = 'ws://localhost:8080/ws'
await using counter = new Counter({ router })
await counter.start()
await using client = new RpcClient<Counter>({ router })

const counting = client.stream.count(3)
for await (const n of counting) console.log(n) // 1, 2, 3; leaving the loop cancels the call
console.log(await counting.result) // 'done'
console.log(await client.rpc.count(3)) // 'done'

async function* numbers() {
  yield 20
  yield 22
}
console.log(await client.with({ input: numbers() }).rpc.sum(100)) // 142

const stop = new AbortController()
const waiting = client.with({ signal: stop.signal, cancelMode: 'kill' }).rpc.wait()
setTimeout(() => stop.abort(), 50)
await waiting.catch((error) => console.log(error.uri))
