import { WampClient, WampError } from 'wampy-ts'

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  static rpc = ['price', 'divide']

  price(article) {
    if (article !== 'tea') {
      throw new WampError(
        'com.example.error.sold_out',
        [`no ${article} here`],
        { article, instead: 'tea' },
      )
    }
    return 3
  }

  divide(a, b) {
    return BigInt(a) / BigInt(b) // throws a RangeError for 0
  }
}

const shop = new Shop({ router: 'ws://localhost:8080/ws' })
await shop.start()
