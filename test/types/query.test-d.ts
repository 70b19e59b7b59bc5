/** The types of `wampy-ts/query` in the hooks of React Query and Vue Query. */

import { QueryClient } from '@tanstack/query-core'
import { skipToken, useMutation, useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { useQuery as useVueQuery, QueryClient as VueQueryClient } from '@tanstack/vue-query'
import { expectTypeOf, test } from 'vitest'
import type { RpcClient, WampError } from 'wampy-ts'
import { bindQueries, wampQueries } from 'wampy-ts/query'
import { DateService } from './service.ts'

// Never called: only its types count.
declare const client: RpcClient

interface Shop {
  price(item: string, amount?: number): number
  clear(): void
  maybe(): string | undefined
  count(to: number): AsyncGenerator<number, string>
}
const shop = wampQueries<Shop>(client, { prefix: 'com.example.shop' })

test('data and errors have their types', () => {
  const price = useQuery(shop.price.queryOptions(['tea']))
  expectTypeOf(price.data).toEqualTypeOf<number | undefined>()
  expectTypeOf(price.error).toEqualTypeOf<WampError | null>()
  expectTypeOf(useQuery(shop.price.queryOptions(['tea', 2], { select: (n) => n.toFixed() })).data).toEqualTypeOf<
    string | undefined
  >()
  expectTypeOf(
    useQuery(shop.price.queryOptions(['tea'], { kwargs: { a: 1 }, timeout: 5, staleTime: 5 })).data,
  ).toEqualTypeOf<number | undefined>()
  expectTypeOf(useQuery(shop.price.queryOptions(Math.random() ? ['tea'] : skipToken)).data).toEqualTypeOf<
    number | undefined
  >()
  expectTypeOf(useSuspenseQuery(shop.price.queryOptions(['tea'])).data).toEqualTypeOf<number>()
  expectTypeOf(useQuery(shop.clear.queryOptions([])).data).toEqualTypeOf<null | undefined>()
  expectTypeOf(useQuery(shop.maybe.queryOptions([])).data).toEqualTypeOf<string | null | undefined>()
  expectTypeOf(new QueryClient().fetchQuery(shop.price.queryOptions(['tea']))).resolves.toEqualTypeOf<number>()
  const dates = wampQueries(client, DateService)
  expectTypeOf(useQuery(dates.add.queryOptions([1, 2])).data).toEqualTypeOf<number | undefined>()
  // Never the method of every client.
  expectTypeOf<keyof typeof dates>().not.toEqualTypeOf<'start'>()
})

test('in Vue as well, whose query-core may be another copy', () => {
  const { data, error } = useVueQuery(shop.price.queryOptions(['tea']))
  expectTypeOf(data.value).toEqualTypeOf<number | undefined>()
  expectTypeOf(error.value).toEqualTypeOf<WampError | null>()
  bindQueries(client, new VueQueryClient())
  bindQueries(client, new QueryClient())
})

test('mutations', () => {
  const price = useMutation(shop.price.mutationOptions())
  expectTypeOf(price.data).toEqualTypeOf<number | undefined>()
  expectTypeOf(price.error).toEqualTypeOf<WampError | null>()
  price.mutate(['tea', 2])
  useMutation(shop.clear.mutationOptions()).mutate()
  useMutation(shop.price.mutationOptions({ onSuccess: (data) => expectTypeOf(data).toEqualTypeOf<number>() }))
  // @ts-expect-error: the item is missing
  price.mutate()
  // @ts-expect-error: an argument of another type
  price.mutate([5])
})

test('streams', () => {
  expectTypeOf(useQuery(shop.count.streamOptions([3])).data).toEqualTypeOf<number[] | undefined>()
  expectTypeOf(useQuery(shop.count.streamOptions([3], { limit: 5 })).data).toEqualTypeOf<number[] | undefined>()
  expectTypeOf(useQuery(shop.count.streamOptions([3], { keep: 'latest' })).data).toEqualTypeOf<number | undefined>()
  expectTypeOf(useQuery(shop.count.streamOptions(skipToken)).data).toEqualTypeOf<number[] | undefined>()
  // @ts-expect-error: no async generator
  shop.price.streamOptions(['tea'])
  // @ts-expect-error: no such policy
  shop.count.streamOptions([3], { keep: 'first' })
})

test('misuse does not compile', () => {
  // @ts-expect-error: a typo
  shop.prize
  // @ts-expect-error: an argument of another type
  shop.price.queryOptions([5])
  // @ts-expect-error: no list
  shop.price.queryOptions('tea')
  // @ts-expect-error: an argument is missing
  shop.price.queryOptions([])
  // @ts-expect-error: a typo in an option
  shop.price.queryOptions(['tea'], { timout: 5 })
  // @ts-expect-error: a key of other arguments
  shop.price.key([5])
  // @ts-expect-error: a method of every client
  wampQueries(client, DateService).start
})
