import { RpcClient } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })
const kitchen = client.service('com.example.kitchen')
await client.start()

// A signal cancels the call at its callee.
const controller = new AbortController()
setTimeout(() => controller.abort(), 50)
await kitchen
  .with({ signal: controller.signal })
  .rpc.cook('soup')
  .catch((error) => console.log(error.uri))

// So does a timeout, in milliseconds.
await kitchen
  .with({ timeout: 50 })
  .rpc.cook('stew')
  .catch((error) => console.log(error.uri))
