/** Uses the package over a real port, as a program that is bundled for Node. */

import { RpcClient, WampClient } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { e2ee, Keyring, randomKey } from 'wampy-ts/e2ee'
import { msgpack } from 'wampy-ts/msgpack'
import { rawSocketDial, serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

class Adder extends WampClient {
  static rpc = ['add']
  add(a, b) {
    return a + b
  }
}

const router = new Router()
const served = await serve(router, { port: 0 })
const service = new Adder({ router: served.url })
await service.start()
const client = new RpcClient({ service: Adder, router: served.url })
const sum = await client.rpc.add(1, 2)
await client.stop()
await service.stop()
await served.close()
console.log('sum', sum, cbor.name, msgpack.name, typeof e2ee(new Keyring()), randomKey().length, typeof rawSocketDial)
