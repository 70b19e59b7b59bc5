import { RpcClient } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })
const counter = client.service('com.example.counter')

// Progressive results, one by one.
const counting = counter.stream.count(3)
for await (const n of counting) console.log(n)
console.log(await counting.result)

// The same call without a loop.
console.log(await counter.rpc.count(3))

// A call in several parts.
async function* numbers() {
  yield 20
  yield 22
}
console.log(await counter.with({ input: numbers() }).rpc.sum(100))
