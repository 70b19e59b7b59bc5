import { RpcClient } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })

// Progressive results, one by one.
const counting = client.stream.com.example.counter.count(3)
for await (const n of counting) console.log(n)
console.log(await counting.result)

// The same call without a loop.
console.log(await client.rpc.com.example.counter.count(3))

// A call in several parts.
async function* numbers() {
  yield 20
  yield 22
}
console.log(
  await client
    .with({ input: numbers() })
    .rpc.com.example.counter.sum(100),
)
