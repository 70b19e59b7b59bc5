/** The types that the stores, hooks and composables infer. */

import { expectTypeOf, test } from 'vitest'
import { type Ref, ref } from 'vue'
import { type Client, type ReceivedEvent, type RpcClient, type ServiceView, topic, type WampError } from 'wampy-ts'
import { type CallState, type Live, liveCall, liveEvents, liveStream, type StreamState } from 'wampy-ts/live'
import {
  useCall,
  useClient,
  useEvents,
  useService,
  useStream,
  useSubscription,
  type WampProviderProps,
} from 'wampy-ts/react'
import * as vue from 'wampy-ts/vue'
import { DateService } from './service.ts'

// Never called: only its types count.
declare const client: RpcClient

interface Shop {
  price(article: string, count?: number): number
  find(id: number): Promise<{ name: string } | undefined>
  count(to: number): AsyncGenerator<number, string>
}

test('services by class, by type and prefix, and of anything', () => {
  expectTypeOf(useService(DateService)).toEqualTypeOf<ServiceView<DateService>>()
  expectTypeOf(useService<Shop>('com.example.shop')).toEqualTypeOf<ServiceView<Shop>>()
  expectTypeOf(useService('com.example.shop')).toEqualTypeOf<ServiceView<unknown>>()
  expectTypeOf(useService(DateService, { client })).toEqualTypeOf<ServiceView<DateService>>()
  expectTypeOf(vue.useService<Shop>('com.example.shop')).toEqualTypeOf<ServiceView<Shop>>()
  expectTypeOf(useClient()).toEqualTypeOf<Client>()
  expectTypeOf(useClient<RpcClient<Shop>>()).toEqualTypeOf<RpcClient<Shop>>()
  // @ts-expect-error: not a class
  useService({})
})

test('a call has the arguments and the result of its procedure', () => {
  const { rpc } = useService<Shop>('com.example.shop')
  const price = useCall(rpc.price, ['tea', 2], { kwargs: { unit: 'kg' }, timeout: 500, throwOnError: true })
  expectTypeOf(price).toEqualTypeOf<CallState<number>>()
  expectTypeOf(price.data).toEqualTypeOf<number | undefined>()
  if (price.status === 'success') expectTypeOf(price.data).toEqualTypeOf<number>()
  if (price.status === 'error') expectTypeOf(price.error).toEqualTypeOf<WampError>()
  expectTypeOf(useCall(rpc.find, [1]).data).toEqualTypeOf<{ name: string } | null | undefined>()
  expectTypeOf(useCall(rpc.price, null).data).toEqualTypeOf<number | undefined>()
  expectTypeOf(useCall<boolean>('com.example.open', []).data).toEqualTypeOf<boolean | undefined>()
  expectTypeOf(useCall('com.example.open', []).data).toEqualTypeOf<unknown>()
  expectTypeOf(liveCall(client, rpc.price, ['tea'])).toEqualTypeOf<Live<CallState<number>>>()
  // @ts-expect-error: an article is text
  useCall(rpc.price, [1])
  // @ts-expect-error: the article is missing
  useCall(rpc.price, [])
  // @ts-expect-error: no such option
  useCall(rpc.price, ['tea'], { timeOut: 5 })
  // @ts-expect-error: a signal comes from the component's life
  useCall(rpc.price, ['tea'], { signal: new AbortController().signal })
  // @ts-expect-error: a procedure, not its result
  useCall(rpc.price('tea'), [])
})

test('a call in Vue takes refs and getters, and returns refs that can be awaited', async () => {
  const { rpc } = vue.useService<Shop>('com.example.shop')
  const article = ref('tea')
  const price = vue.useCall(rpc.price, () => [article.value])
  expectTypeOf(price.data).toExtend<Readonly<Ref<number | undefined>>>()
  expectTypeOf(price.refetch).toEqualTypeOf<() => void>()
  expectTypeOf((await price).data.value).toEqualTypeOf<number | undefined>()
  expectTypeOf((await price).error.value).toEqualTypeOf<WampError | undefined>()
  vue.useCall(rpc.price, ref<[string] | null>(null), () => ({ kwargs: { unit: article.value } }))
  // @ts-expect-error: an article is text
  vue.useCall(rpc.price, () => [1])
})

test('a stream has the parts and the result of its generator', () => {
  const { stream, rpc } = useService<Shop>('com.example.shop')
  const counting = useStream(stream.count, [3], { onPart: (part) => expectTypeOf(part).toEqualTypeOf<number>() })
  expectTypeOf(counting).toEqualTypeOf<StreamState<number, string>>()
  expectTypeOf(vue.useStream(stream.count, () => [3]).parts.value).toEqualTypeOf<readonly number[]>()
  expectTypeOf(useStream<number>('com.example.count', [3]).latest).toEqualTypeOf<number | undefined>()
  expectTypeOf(liveStream(client, stream.count, [3]).get().result).toEqualTypeOf<string | undefined>()
  // @ts-expect-error: a number
  useStream(stream.count, ['3'])
  // @ts-expect-error: not a stream
  useStream(rpc.price, ['tea'])
})

test('events are what was received, or what select returns', () => {
  expectTypeOf(useEvents('com.example.t').events).toEqualTypeOf<readonly ReceivedEvent[]>()
  const select = ([n]: readonly unknown[]) => (typeof n === 'number' ? n : undefined)
  expectTypeOf(useEvents('com.example.t', { select }).events).toEqualTypeOf<readonly number[]>()
  expectTypeOf(useEvents('com.example.t', { select: ([n]) => String(n) }).latest).toEqualTypeOf<string | undefined>()
  expectTypeOf(vue.useEvents('com.example.t', { select }).events.value).toEqualTypeOf<readonly number[]>()
  expectTypeOf(liveEvents(client, 'com.example.t', { select }).get().latest).toEqualTypeOf<number | undefined>()
  useSubscription(null, () => {}, { match: 'prefix', get_retained: true, onGap: ({ since }) => since })
  // @ts-expect-error: not a match policy
  useSubscription('com.example', () => {}, { match: 'suffix' })
  // @ts-expect-error: a topic is text or null
  useEvents(undefined)
})

test('events of a typed topic have its types', () => {
  const news = topic<[text: string], { price: number }>('com.example.news')
  const all = topic<[count: number]>('com.example', { match: 'prefix' })
  const { events } = useEvents(news)
  expectTypeOf(events).toEqualTypeOf<readonly ReceivedEvent<[text: string], { price: number }>[]>()
  const priced = useEvents(news, { select: ([text], { price }) => ({ text, price }) })
  expectTypeOf(priced.latest).toEqualTypeOf<{ text: string; price: number } | undefined>()
  useSubscription(news, ([text], { price }, { publication }) => {
    expectTypeOf([text, price, publication] as const).toEqualTypeOf<readonly [string, number, number]>()
  })
  vue.useSubscription(
    () => all,
    ([count]) => expectTypeOf(count).toEqualTypeOf<number>(),
  )
  expectTypeOf(vue.useEvents(() => news, { select: ([text]) => text }).latest.value).toEqualTypeOf<string | undefined>()
  expectTypeOf(liveEvents(client, all, { select: ([count]) => count }).get().latest).toEqualTypeOf<number | undefined>()
  // @ts-expect-error: its events have a text
  useSubscription(news, ([text]: [number]) => text)
  // @ts-expect-error: there is no such keyword argument
  useEvents(news, { select: (_args, { cost }) => cost })
})

test('a provider has a client or makes one', () => {
  expectTypeOf({ client }).toExtend<WampProviderProps>()
  expectTypeOf({ create: () => client }).toExtend<WampProviderProps>()
  expectTypeOf<{ client: Client; create: () => Client }>().not.toExtend<WampProviderProps>()
  expectTypeOf<{ children: null }>().not.toExtend<WampProviderProps>()
  expectTypeOf<{ client: Client; create: () => Client }>().not.toExtend<vue.WampPluginOptions>()
})
