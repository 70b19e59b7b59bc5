import { RpcClient, rpc, uriOf, WampClient } from 'wampy-ts'
import { Shop } from '../services/shop'

class Till extends WampClient {
  static prefix = 'com.example.till'
  @rpc open() {
    return 'open'
  }
}

const router = 'ws://localhost:8080/ws'
await using shop = new Shop({ router })
await using till = new Till({ router })
await Promise.all([shop.start(), till.start()])

await using client = new RpcClient({ router })
const buying = client.service(Shop)
// By its type and prefix: the page does not contain the service's code.
const paying = client.service<Till>('com.example.till')
console.log(await buying.rpc.price('tea', 2), await paying.rpc.open()) // 6 open
console.log(uriOf(paying.rpc.open)) // com.example.till.open
