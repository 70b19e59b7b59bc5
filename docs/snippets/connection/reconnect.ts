import { WampClient } from 'wampy-ts'

await using client = new WampClient({ router: 'ws://localhost:8080/ws' })
client.on('state', (state) => console.log(state))
await client.start() // prints connecting, ready; after a loss also reconnecting, ready
