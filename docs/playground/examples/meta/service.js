import { description, WampClient } from 'wampy-ts'

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  static describe = description // answers wampy.describe
  static rpc = {
    price: { doc: 'The price of an article.' },
    close: true,
  }

  price(article, count = 1) {
    return 3 * count
  }

  close() {
    setTimeout(() => this.stop())
  }
}

const shop = new Shop({
  name: 'Shop',
  router: 'ws://localhost:8080/ws',
})
await shop.start()
