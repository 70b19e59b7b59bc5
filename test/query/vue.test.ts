// @vitest-environment jsdom
/** wampy-ts/query with Vue Query in a document and a real router. */

import { QueryClient, skipToken, useMutation, useQuery, VueQueryPlugin } from '@tanstack/vue-query'
import { expect, onTestFinished, test } from 'vitest'
import { computed, createApp, defineComponent, ref } from 'vue'
import { rpc, WampClient } from 'wampy-ts'
import { bindQueries, wampQueries } from 'wampy-ts/query'
import { CALL, CANCEL } from 'wampy-ts/testing'
import { leavesNothing, until } from '../client/support.ts'
import { openStage } from '../live/stage.ts'

leavesNothing()

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  calls = 0
  @rpc price(item: string): string {
    return `${item}: ${++this.calls}`
  }
  @rpc async *count(to: number): AsyncGenerator<number> {
    for (let n = 1; n <= to; n++) yield n
    await new Promise(() => {})
  }
}

test('queries, mutations, streams and invalidation', async () => {
  await using stage = await openStage()
  await using service = new Shop({ router: stage.world.connector('shop') })
  await service.start()
  const cache = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } })
  const shop = wampQueries(stage.client, Shop)
  const unbind = bindQueries(stage.client, cache)
  const item = ref<string | null>(null)
  const setup = () => ({
    // In this repository Vue Query brings another copy of query-core, and so another skipToken.
    price: useQuery(computed(() => shop.price.queryOptions(item.value === null ? (skipToken as never) : [item.value]))),
    count: useQuery(shop.count.streamOptions([3], { keep: 'latest' })),
    order: useMutation(shop.price.mutationOptions()),
  })
  let used!: ReturnType<typeof setup>
  const app = createApp(
    defineComponent(() => {
      used = setup()
      return () => null
    }),
  )
  app.use(VueQueryPlugin, { queryClient: cache })
  app.mount(document.createElement('div'))
  let mounted = true
  const unmount = () => {
    if (mounted) app.unmount()
    mounted = false
  }
  onTestFinished(() => {
    unmount()
    unbind()
    cache.clear()
  })

  await until(() => used.count.data.value === 3)
  expect(used.price.fetchStatus.value).toBe('idle')
  item.value = 'tea'
  await until(() => used.price.data.value === 'tea: 1')
  expect(await used.order.mutateAsync(['mate'])).toBe('mate: 2')
  await cache.invalidateQueries({ queryKey: shop.price.key(['tea']) })
  expect(used.price.data.value).toBe('tea: 3')
  stage.cut()
  await until(() => used.price.data.value === 'tea: 4' && stage.sent(CALL).length === 6)
  unmount()
  await until(() => stage.sent(CANCEL).length === 1)
})
