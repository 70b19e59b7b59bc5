import { WampClient } from 'wampy-ts'

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  static rpc = ['order']

  async order(article) {
    await this.publish(
      'com.example.news',
      [`one ${article} was sold`],
      { article },
    )
    return 'thank you'
  }
}

const shop = new Shop({ router: 'ws://localhost:8080/ws' })
await shop.start()
