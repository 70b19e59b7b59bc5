import { RpcClient } from 'wampy-ts'

const client = new RpcClient({ router: 'ws://localhost:8080/ws' })

console.log(await client.call('wamp.session.count'), 'sessions')
console.log((await client.entrypoints()).map(({ uri }) => uri))
console.log((await client.describe('com.example.shop')).procedures)

// Meta events: sessions that come and go.
const left = new Promise((resolve) => {
  client.subscribe('wamp.session.on_leave', ([session]) =>
    resolve(session),
  )
})
await client.call('com.example.shop.close')
await left
console.log(
  'the shop has left;',
  await client.call('wamp.session.count'),
  'session',
)
