import { rpc, WampClient } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'

class Shop extends WampClient {
  static prefix = 'com.example.shop'

  @rpc price(article: string) {
    return article === 'tea' ? 3 : 5
  }
}

const router = 'ws://localhost:8080/ws'
await using shop = new Shop({ router, realm: 'realm1' }) // anonymous
await shop.start()

await using joe = new WampClient({ router, realm: 'realm1', auth: [ticket('joe', 'tea')] })
await joe.start()
console.log(joe.session.authid, joe.session.authrole) // joe user
console.log(await joe.call('com.example.shop.price', ['tea'])) // 3
await joe
  .publish('com.example.news', ['mine'], {}, { acknowledge: true })
  .catch(({ uri }) => console.log(uri)) // wamp.error.not_authorized
