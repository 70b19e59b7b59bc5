// @vitest-environment jsdom
/** wampy-ts/query with React Query in a document and a real router: what is called, what is shown, and what is left behind. */

import {
  type DefaultOptions,
  QueryClient,
  QueryClientProvider,
  skipToken,
  useMutation,
  useQuery,
} from '@tanstack/react-query'
import { createElement as h, type ReactElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Invocation, Result, rpc, USAGE, WampClient, WampError } from 'wampy-ts'
import { bindQueries, wampQueries } from 'wampy-ts/query'
import { CALL, CANCEL } from 'wampy-ts/testing'
import { gate, leavesNothing, until } from '../client/support.ts'
import { isFree, openStage } from '../live/stage.ts'

leavesNothing()

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  prices = 0
  going = gate()
  @rpc price(item: string, amount = 1): number {
    if (item === 'gold') throw new WampError('com.example.none', ['no gold'])
    return ++this.prices * 10 + amount
  }
  @rpc big(value: bigint): bigint {
    return value + 1n
  }
  @rpc nothing(): void {}
  @rpc named(): Result {
    return new Result([], { unit: 'kg' })
  }
  @rpc({ invocation: true }) unit({ kwargs }: Invocation): unknown {
    return kwargs
  }
  @rpc async slow(): Promise<string> {
    await this.going.opened
    return 'slow'
  }
  @rpc async *count(to: number): AsyncGenerator<number, string> {
    for (let n = 1; n <= to; n++) yield n
    await this.going.opened
    return 'counted'
  }
}

async function open(defaults: DefaultOptions['queries'] = {}) {
  const stage = await openStage()
  const shop = new Shop({ router: stage.world.connector('shop') })
  await shop.start()
  const cache = new QueryClient({
    defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY, notifyOnChangeProps: 'all', ...defaults } },
  })
  onTestFinished(async () => {
    cache.clear()
    await shop.stop()
    await stage[Symbol.asyncDispose]()
  })
  return { stage, shop, cache, queries: wampQueries(stage.client, Shop) }
}

/** Renders a component that runs this hook. */
function mount<T>(cache: QueryClient, hook: () => T, { strict = false } = {}) {
  const seen: T[] = []
  function Probe() {
    seen.push(hook())
    return null
  }
  const root = createRoot(document.createElement('div'))
  const element: ReactElement = h(QueryClientProvider, { client: cache }, h(Probe))
  root.render(strict ? h(StrictMode, null, element) : element)
  let mounted = true
  const unmount = () => {
    if (mounted) root.unmount()
    mounted = false
  }
  onTestFinished(unmount)
  return { seen, last: () => seen.at(-1) as T, unmount }
}

describe('queryOptions', () => {
  test('call the procedure once for many components, in StrictMode as well', async () => {
    const { stage, cache, queries } = await open()
    const one = mount(cache, () => useQuery(queries.price.queryOptions(['tea', 2])), { strict: true })
    const two = mount(cache, () => useQuery(queries.price.queryOptions(['tea', 2])))
    await until(() => one.last()?.data === 12 && two.last()?.data === 12)
    expect(stage.sent(CALL, CANCEL)).toEqual([[CALL, {}, 'com.example.shop.price', ['tea', 2]]])
  })

  test('pass kwargs, and TanStack options', async () => {
    const { cache, queries } = await open()
    const options = queries.unit.queryOptions([], { kwargs: { unit: 'kg' }, select: (value) => JSON.stringify(value) })
    const { last } = mount(cache, () => useQuery(options))
    await until(() => last()?.isSuccess === true)
    expect(last().data).toBe('{"unit":"kg"}')
    expect(cache.getQueryData(queries.unit.key([], { kwargs: { unit: 'kg' } }))).toEqual({ unit: 'kg' })
  })

  test('hold null for a result that is undefined, and big integers in keys', async () => {
    const { cache, queries } = await open()
    expect(await cache.fetchQuery(queries.nothing.queryOptions([]))).toBeNull()
    // A result without positional values.
    expect(await cache.fetchQuery(queries.named.queryOptions([]))).toBeNull()
    const big = queries.big.queryOptions([2n ** 60n])
    expect(await cache.fetchQuery(big)).toBe(2n ** 60n + 1n)
    expect(big.queryKey[3]?.args).toEqual([{ $bigint: String(2n ** 60n) }])
    expect(cache.getQueryData(big.queryKey)).toBe(2n ** 60n + 1n)
    const untyped = wampQueries(new WampClient(), { prefix: 'com.example' })
    expect(untyped['put']!.key([new Uint8Array([1, 2]), Number.NaN, { deep: [1n] }])).toEqual([
      'wamp',
      'realm1',
      'com.example.put',
      { args: [{ $bytes: 'AQI=' }, { $number: 'NaN' }, { deep: [{ $bigint: '1' }] }] },
    ])
  })

  test('repeat only what was not sent', async () => {
    const { stage, cache, queries } = await open({ retryDelay: 0 })
    await expect(cache.fetchQuery(queries.price.queryOptions(['gold']))).rejects.toMatchObject({
      uri: 'com.example.none',
    })
    const { last } = mount(cache, () => useQuery(queries.price.queryOptions(['gold'])))
    await until(() => last()?.isError === true)
    expect(last().error).toBeInstanceOf(WampError)
    expect(stage.sent(CALL)).toHaveLength(2)

    const away = new WampClient({ router: stage.world.connector('away') })
    const waiting = mount(cache, () => useQuery(wampQueries(away, Shop, { scope: 'away' }).price.queryOptions(['tea'])))
    await until(() => waiting.last()?.isError === true)
    expect(waiting.last().failureCount).toBe(4)
    expect(waiting.last().error?.sent).toBe(false)
  })

  test('make no call with skipToken, and refuse anything but a list', async () => {
    const { stage, cache, queries } = await open()
    const { last } = mount(cache, () => useQuery(queries.price.queryOptions(skipToken)))
    await until(() => last()?.fetchStatus === 'idle')
    expect([last().status, stage.sent(CALL)]).toEqual(['pending', []])
    expect(() => queries.price.queryOptions('tea' as never)).toThrow(
      expect.objectContaining({ uri: USAGE, message: expect.stringContaining('price expects a list of arguments') }),
    )
  })

  test('cancel the call of an abandoned query only with cancel', async () => {
    const { stage, shop, cache, queries } = await open()
    const kept = mount(cache, () => useQuery(queries.slow.queryOptions([])))
    await until(() => stage.sent(CALL).length === 1)
    kept.unmount()
    const canceled = mount(cache, () => useQuery(queries.slow.queryOptions([], { cancel: true, kwargs: { n: 2 } })))
    await until(() => stage.sent(CALL).length === 2)
    canceled.unmount()
    await until(() => stage.sent(CANCEL).length === 1)
    shop.going.open()
    await until(() => cache.getQueryData(queries.slow.key([])) === 'slow')
    expect(stage.sent(CANCEL)).toHaveLength(1)
  })
})

describe('mutationOptions', () => {
  test('call with the variables as arguments', async () => {
    const { stage, cache, queries } = await open()
    const { last } = mount(cache, () => useMutation(queries.price.mutationOptions({ timeout: 5000 })))
    await until(() => last() !== undefined)
    expect(await last().mutateAsync(['tea', 3])).toBe(13)
    const none = mount(cache, () => useMutation(queries.nothing.mutationOptions()))
    await until(() => none.last() !== undefined)
    expect(await none.last().mutateAsync()).toBeNull()
    await expect(last().mutateAsync(['gold'])).rejects.toMatchObject({ uri: 'com.example.none' })
    expect(stage.sent(CALL)).toHaveLength(3)
  })
})

describe('streamOptions', () => {
  test('hold all parts, the last ones, or the latest', async () => {
    const { shop, cache, queries } = await open()
    const all = mount(cache, () => useQuery(queries.count.streamOptions([5])))
    const last = mount(cache, () => useQuery(queries.count.streamOptions([5], { limit: 2, kwargs: { n: 1 } })))
    const latest = mount(cache, () => useQuery(queries.count.streamOptions([5], { keep: 'latest' })))
    await until(() => all.last()?.data?.length === 5 && last.last()?.data?.[1] === 5 && latest.last()?.data === 5)
    expect(last.last().data).toEqual([4, 5])
    expect([all.last().status, all.last().fetchStatus]).toEqual(['success', 'fetching'])
    shop.going.open()
    await until(() => all.last().fetchStatus === 'idle' && latest.last().fetchStatus === 'idle')
    expect([all.last().data, latest.last().data]).toEqual([[1, 2, 3, 4, 5], 5])
    expect(() => queries.count.streamOptions([5], { limit: 0 })).toThrow(expect.objectContaining({ uri: USAGE }))
  })

  test('cancel when the last component has gone, and begin anew with the next', async () => {
    const { stage, shop, cache, queries } = await open()
    const stream = () => useQuery(queries.count.streamOptions([2]))
    const [one, two] = [mount(cache, stream), mount(cache, stream)]
    await until(() => one.last()?.data?.length === 2)
    one.unmount()
    expect(stage.sent(CANCEL)).toEqual([])
    two.unmount()
    await until(() => stage.sent(CANCEL).length === 1)
    const three = mount(cache, stream)
    await until(() => stage.sent(CALL).length === 2 && three.last()?.data?.length === 2)
    shop.going.open()
    await until(() => three.last().fetchStatus === 'idle')
    expect(three.last().data).toEqual([1, 2])
  })

  test('show an error in the middle', async () => {
    const { shop, cache, queries } = await open()
    const { last } = mount(cache, () => useQuery(queries.count.streamOptions([2])))
    await until(() => last()?.data?.length === 2)
    shop.going.fail(new WampError('com.example.broken', ['broken']))
    await until(() => last().isError)
    expect([last().error?.uri, last().data]).toEqual(['com.example.broken', [1, 2]])
  })
})

describe('keys', () => {
  test('invalidate a procedure, or a call', async () => {
    const { stage, cache, queries } = await open()
    const tea = mount(cache, () => useQuery(queries.price.queryOptions(['tea'])))
    const mate = mount(cache, () => useQuery(queries.price.queryOptions(['mate'])))
    await until(() => tea.last()?.isSuccess === true && mate.last()?.isSuccess === true)
    await cache.invalidateQueries({ queryKey: queries.price.key(['tea']) })
    expect(stage.sent(CALL).map(([, , , args]) => (args as string[])[0])).toEqual(['tea', 'mate', 'tea'])
    await cache.invalidateQueries({ queryKey: queries.price.key() })
    expect(stage.sent(CALL)).toHaveLength(5)
  })

  test('name the realm or the scope, the URI and the arguments', () => {
    const client = new WampClient({ realm: 'com.example.realm' })
    const queries = wampQueries(client, Shop, { prefix: 'com.other' })
    expect(queries.price.key()).toEqual(['wamp', 'com.example.realm', 'com.other.price'])
    expect(queries.price.mutationOptions().mutationKey).toEqual(queries.price.key())
    expect(wampQueries(client, Shop, { scope: 'b' }).count.streamOptions([1]).queryKey).toEqual([
      'wamp',
      'b',
      'com.example.shop.count',
      { args: [1], type: 'all' },
    ])
    expect(wampQueries<Shop>(client).price.key(['tea'])).toEqual([
      'wamp',
      'com.example.realm',
      'price',
      { args: ['tea'] },
    ])
  })

  test('may be inspected without a call', async () => {
    const { stage, queries } = await open()
    expect(await (queries as unknown)).toBe(queries)
    expect(`${queries}`).toBe('queries of ')
    expect(queries.price).toBe(queries.price)
    expect(stage.sent(CALL)).toEqual([])
  })
})

describe('bindQueries', () => {
  test('fetches the queries of its client anew after a loss, and no others', async () => {
    const { stage, shop, cache, queries } = await open()
    const other = stage.add('other')
    const mine = mount(cache, () => useQuery(queries.price.queryOptions(['tea'])))
    const theirs = mount(cache, () => useQuery(wampQueries(other, Shop).price.queryOptions(['mate'])))
    const foreign = mount(cache, () => useQuery({ queryKey: ['mine'], queryFn: () => 1 }))
    const stream = mount(cache, () => useQuery(queries.count.streamOptions([2])))
    const unbind = bindQueries(stage.client, cache)
    await until(
      () => [mine, theirs, foreign].every(({ last }) => last()?.isSuccess) && stream.last()?.data?.length === 2,
    )
    const before = theirs.last().dataUpdatedAt
    const first = mine.last().data
    // A fresh subscription, whose gap follows the rejoin, adds no call.
    await stage.client.subscribe('com.example.news', () => {})
    stage.cut()
    await until(() => mine.last().data !== first && stream.last().fetchStatus === 'fetching')
    await until(() => stage.sent(CALL).length === 4)
    shop.going.open()
    await until(() => stream.last().fetchStatus === 'idle')
    expect(stage.sent(CALL).map(([, , uri]) => uri)).toEqual([
      'com.example.shop.price',
      'com.example.shop.count',
      'com.example.shop.price',
      'com.example.shop.count',
    ])
    expect(theirs.last().dataUpdatedAt).toBe(before)

    const second = mine.last().data
    await stage.client.stop()
    await stage.client.start()
    await until(() => mine.last().data !== second)

    unbind()
    const calls = stage.sent(CALL).length
    const rejoined = new Promise((resolve) => stage.client.once('ready', resolve))
    stage.cut()
    await rejoined
    await stage.client.call('wamp.session.count')
    expect(stage.sent(CALL)).toHaveLength(calls + 1)
  })

  test('leaves nothing at its client', async () => {
    const { stage, cache } = await open()
    bindQueries(stage.client, cache)()
    expect(isFree(stage)).toBe(true)
  })
})
