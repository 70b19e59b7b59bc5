import { RpcClient } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })

for (let job = 1; job <= 6; job++) {
  console.log(await client.rpc.com.example.work(job))
}

// The router knows who shares the procedure.
const { id } = (await client.entrypoints()).find(
  ({ uri }) => uri === 'com.example.work',
)
console.log(
  await client.call('wamp.registration.count_callees', [id]),
  'callees',
)
