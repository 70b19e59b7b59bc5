import { QueryClient, QueryObserver } from '@tanstack/query-core'
import { RpcClient, rpc, WampClient } from 'wampy-ts'
import { bindQueries, wampQueries } from 'wampy-ts/query'

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  #sold = 0
  @rpc sold() {
    return this.#sold
  }
  @rpc order(article: string, count = 1) {
    this.#sold += count
    return `${count} ${article}`
  }
  @rpc async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
  }
}

const router = 'ws://localhost:8080/ws'
await using service = new Shop({ router })
await service.start()
await using client = new RpcClient({ router })

const cache = new QueryClient()
const unbind = bindQueries(client, cache)
const shop = wampQueries(client, Shop)

console.log(await cache.fetchQuery(shop.sold.queryOptions([]))) // 0
const { mutationFn } = shop.order.mutationOptions()
console.log(await mutationFn(['tea', 2])) // 2 tea
await cache.invalidateQueries({ queryKey: shop.sold.key() })
console.log(await cache.fetchQuery(shop.sold.queryOptions([]))) // 2

const stream = new QueryObserver(cache, shop.count.streamOptions([3], { limit: 2 }))
await new Promise<void>((resolve) => {
  stream.subscribe(({ data, fetchStatus }) => {
    if (fetchStatus === 'idle') resolve(console.log(data)) // [ 2, 3 ]
  })
})
unbind()
cache.clear()
