import { rpc, WampClient } from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

export class Shop extends WampClient {
  static prefix = 'com.example.shop'

  @rpc price(article: string, count: number) {
    return article === 'tea' ? 3 * count : 5 * count
  }
}

const router = new Router()
await serve(router, { port: 8080 })
await new Shop({ router }).start()
console.log('ready')
