import { WampClient } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  static rpc = { price: true, order: { invocation: true } }

  price() {
    return 3
  }

  order({ callerAuthid }, article) {
    return `${article} for ${callerAuthid}`
  }
}

const shop = new Shop({
  router: 'ws://localhost:8080/ws',
  auth: [ticket('shop', 'open sesame')],
})
await shop.start()
