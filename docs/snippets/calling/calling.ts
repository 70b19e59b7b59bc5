import { RpcClient, WampClient } from 'wampy-ts'
import { Shop } from '../services/shop'

const router = 'ws://localhost:8080/ws'
await using shop = new Shop({ router })
await shop.start()

// Typed by the class itself, which brings its URIs along ...
await using client = new RpcClient({ service: Shop, router })
console.log(await client.rpc.price('tea', 2)) // 6
console.log(await client.rpc.order('tea')) // { article: 'tea', number: 1 }
console.log(
  await client
    .with({ kwargs: { greeting: 'Good morning' }, timeout: 500 })
    .rpc.greet('Ada'),
)

// ... or untyped, by walking names ...
await using anything = new RpcClient({ router })
console.log(await anything.rpc.com.example.shop.price('tea')) // 3

// ... or with everything that WAMP has.
await using plain = new WampClient({ router })
await plain.start()
const size = await plain.callRaw('com.example.shop.size')
console.log(size.args, size.kwargs) // [ 10, 20 ] { unit: 'cm' }
await plain.register('com.example.add', ([a, b]) => (a as number) + (b as number))
console.log(await plain.call<number>('com.example.add', [1, 2])) // 3
