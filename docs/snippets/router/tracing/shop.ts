import { rpc, WampClient } from 'wampy-ts'
import { otel } from 'wampy-ts/otel'
import { openWorld } from 'wampy-ts/testing'
import { spans } from './sdk'

class Stock extends WampClient {
  @rpc({ uri: 'com.example.stock.cost' })
  cost() {
    return 3
  }
}

class Shop extends WampClient {
  @rpc({ uri: 'com.example.shop.price' })
  async price(article: string) {
    return this.call('com.example.stock.cost', [article]) // belongs to the trace of the caller
  }
}

await using world = await openWorld({ link: 'websocket' })
const interceptors = [otel()]
await using stock = new Stock({ router: world.connector('stock'), interceptors })
await using shop = new Shop({ router: world.connector('shop'), interceptors })
await Promise.all([stock.start(), shop.start()])

const caller = await world.client('caller', { interceptors })
await caller.call('com.example.shop.price', ['tea'])

const all = spans.getFinishedSpans()
console.log(all.map(({ name }) => name))
console.log('traces:', new Set(all.map((span) => span.spanContext().traceId)).size)
