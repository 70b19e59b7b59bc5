import { passthru, WampClient } from 'wampy-ts'
import { e2ee, Keyring, randomKey } from 'wampy-ts/e2ee'

const keyring = new Keyring([
  {
    uri: 'com.example.orders.',
    match: 'prefix',
    keys: [{ id: '2026-11', key: randomKey() }],
  },
])
await using client = new WampClient({
  router: 'ws://localhost:8080/ws',
  codecs: passthru(e2ee(keyring)),
})
await client.start()
await client.register('com.example.orders.place', ([article]) => `ordered ${article}`)
console.log(await client.call('com.example.orders.place', ['tea'])) // the router saw bytes
