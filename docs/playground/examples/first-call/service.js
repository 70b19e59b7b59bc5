import { WampClient } from 'wampy-ts'

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  static rpc = ['price'] // in TypeScript: @rpc before the method

  price(article, count = 1) {
    console.log('asked for the price of', count, article)
    return 3 * count
  }
}

const shop = new Shop({ router: 'ws://localhost:8080/ws' })
await shop.start() // joined, and its procedure is registered
