import { RpcClient } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })
await client.start()

// A signal cancels the call at its callee.
const controller = new AbortController()
const soup = client
  .with({ signal: controller.signal })
  .rpc.com.example.kitchen.cook('soup')
setTimeout(() => controller.abort(), 50)
await soup.catch((error) => console.log(error.uri))

// So does a timeout, in milliseconds.
await client
  .with({ timeout: 50 })
  .rpc.com.example.kitchen.cook('stew')
  .catch((error) => console.log(error.uri))
