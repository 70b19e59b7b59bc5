import { useMutation, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { RpcClient } from 'wampy-ts'
import { wampQueries } from 'wampy-ts/query'

interface Shop {
  price(article: string, count?: number): number
  order(article: string): { number: number }
}

const client = new RpcClient()
const shop = wampQueries<Shop>(client, { prefix: 'com.example.shop' })

export function useOrders(article: Ref<string | undefined>) {
  const price = useQuery(
    computed(() =>
      shop.price.queryOptions([article.value ?? ''], {
        enabled: article.value !== undefined,
      }),
    ),
  )
  const order = useMutation(shop.order.mutationOptions())
  return { price, order }
}
