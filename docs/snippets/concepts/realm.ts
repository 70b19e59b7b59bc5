import { RpcClient, rpc, subscribe, WampClient } from 'wampy-ts'
import { Router } from 'wampy-ts/router'

class Shop extends WampClient {
  static prefix = 'com.example.shop'

  @rpc price(article: string) {
    return article === 'tea' ? 3 : 5
  }

  @subscribe('com.example.news') hear(text: string) {
    console.log(`the shop hears: ${text}`)
  }
}

const router = new Router() // here in the same process, elsewhere behind ws://localhost:8080/ws
await using shop = new Shop({ router })
await shop.start() // joins realm1, registers com.example.shop.price, subscribes to com.example.news

await using page = new RpcClient({ service: Shop, router })
console.log(await page.rpc.price('tea')) // 3
await page.publish('com.example.news', ['fresh tea'], {}, { acknowledge: true })
