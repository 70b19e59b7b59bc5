import {
  QueryClient,
  QueryClientProvider,
  skipToken,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { useEffect } from 'react'
import { RpcClient } from 'wampy-ts'
import { bindQueries, wampQueries } from 'wampy-ts/query'

// A contract: the page does not contain the service's code.
interface Shop {
  price(article: string, count?: number): number
  order(article: string): { number: number }
  baking(to: number): AsyncGenerator<number>
}

const client = new RpcClient()
const cache = new QueryClient()
const shop = wampQueries<Shop>(client, { prefix: 'com.example.shop' })

function Orders({ article }: { article: string | undefined }) {
  const cache = useQueryClient()
  const price = useQuery(
    shop.price.queryOptions(article === undefined ? skipToken : [article]),
  )
  const order = useMutation(
    shop.order.mutationOptions({
      onSuccess: () => cache.invalidateQueries({ queryKey: shop.price.key() }),
    }),
  )
  const baking = useQuery(shop.baking.streamOptions([100], { keep: 'latest' }))
  return (
    <button type="button" onClick={() => order.mutate([article ?? 'tea'])}>
      {price.data?.toFixed(2)} {order.data?.number} {baking.data} % {price.error?.uri}
    </button>
  )
}

export function App() {
  useEffect(() => bindQueries(client, cache), [])
  return (
    <QueryClientProvider client={cache}>
      <Orders article="tea" />
    </QueryClientProvider>
  )
}
