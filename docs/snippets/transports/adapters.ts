import { type Dial, WampClient, WampRouter } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { dial } from 'wampy-ts/node'

// In Node: headers, TLS, agents.
const withCookie: Dial = dial({ headers: { cookie: 'a=b' } })
await using client = new WampClient({
  router: new WampRouter({ url: 'ws://localhost:8080/ws', dial: withCookie }),
  serializers: [cbor, msgpack],
})
await client.start()
