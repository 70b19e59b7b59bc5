import { rpc, subscribe, WampClient, WampError } from 'wampy-ts'

export class Shop extends WampClient {
  static prefix = 'com.example.shop'

  @rpc price(article: string, count = 1) {
    if (article !== 'tea')
      throw new WampError('com.example.error.unknown_article', [`no ${article} here`])
    return 3 * count
  }

  @subscribe('com.example.news') hear(text: string) {
    console.log(text)
  }
}

await new Shop({ router: 'ws://localhost:8080/ws', realm: 'realm1' }).start()
console.log('ready')
