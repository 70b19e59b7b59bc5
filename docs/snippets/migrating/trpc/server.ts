import { rpc, WampClient, WampError } from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { z } from 'zod'

export class Shop extends WampClient {
  static prefix = 'com.example.shop'

  @rpc({ args: [z.object({ article: z.string(), count: z.number() })] })
  price({ article, count }: { article: string; count: number }) {
    if (article !== 'tea')
      throw new WampError('com.example.error.not_found', [`no ${article} here`])
    return 3 * count
  }

  @rpc({ args: [z.number()] })
  async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
  }
}

const router = new Router()
await serve(router, { port: 8080 })
await new Shop({ router }).start()
console.log('ready')
