/** Typed topics: tokens in place of URIs, patterns, and schemas that check events on both sides. */

import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test, vi } from 'vitest'
import {
  addTestament,
  description,
  eventHistory,
  getEvents,
  INVALID_ARGUMENT,
  INVALID_URI,
  type ReceivedEvent,
  RpcClient,
  type StandardSchema,
  subscribe,
  type Topic,
  topic,
  USAGE,
  WampClient,
} from 'wampy-ts'
import { openWorld, PUBLISH, SUBSCRIBE } from 'wampy-ts/testing'
import { z } from 'zod'
import { failure, gate, leavesNothing, until, uri, welcoming } from './support.ts'

leavesNothing()

const news = topic<[text: string], { price: number }>('com.example.news')
const checked = topic('com.example.news', {
  args: [z.string(), z.number().default(1)],
  kwargs: z.object({ price: z.number() }),
})
const usage = (text: string) => expect.objectContaining({ uri: USAGE, message: expect.stringContaining(text) })

/** Checks asynchronously: a number, which is released by its gate. */
function gated(): { schema: StandardSchema<number>; open: (value: number) => void } {
  const gates = new Map<unknown, ReturnType<typeof gate<void>>>()
  const gateOf = (value: unknown) => gates.get(value) ?? gates.set(value, gate<void>()).get(value)!
  return {
    open: (value) => gateOf(value).open(),
    schema: {
      '~standard': {
        version: 1,
        vendor: 'test',
        async validate(value) {
          await gateOf(value).opened
          return (value as number) < 0 ? { issues: [{ message: 'is negative' }] } : { value: value as number }
        },
      },
    },
  }
}

/** A publisher and a subscriber in one world. */
async function pair() {
  const world = await openWorld()
  const [publisher, subscriber] = await world.join('publisher', 'subscriber')
  /** Resolves when all events before it have arrived. */
  const settled = async () => {
    const arrived = gate()
    const handle = await subscriber.subscribe('test.settled', () => arrived.open())
    await publisher.publish('test.settled')
    await arrived.opened
    await handle.unsubscribe()
  }
  return { world, publisher, subscriber, settled, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

describe('a topic in place of its URI', () => {
  test('is published, subscribed to and read in a loop', async () => {
    await using it = await pair()
    const heard: unknown[] = []
    const handle = await it.subscriber.subscribe(news, ([text], { price }, details) => {
      heard.push([text, price, details.topic])
    })
    expect([handle.uri, handle.options.match ?? 'exact']).toEqual(['com.example.news', 'exact'])
    const events = it.subscriber.events(news)
    await events.subscription
    await it.publisher.publish(news, ['tea'], { price: 3 })
    expect(await it.publisher.publish(news, ['mate'], { price: 4 }, { acknowledge: true })).toBeTypeOf('number')
    for await (const { args, kwargs } of events) {
      heard.push([args[0], kwargs.price])
      if (args[0] === 'mate') break
    }
    expect(heard).toEqual([
      ['tea', 3, 'com.example.news'],
      ['mate', 4, 'com.example.news'],
      ['tea', 3],
      ['mate', 4],
    ])
  })

  test('by an RpcClient that is not started', async () => {
    await using world = await openWorld()
    const [publisher] = await world.join('publisher')
    await using client = new RpcClient({ router: world.connector('client') })
    const heard: unknown[] = []
    await client.subscribe(checked, ([text, amount], { price }) => heard.push([text, amount, price]))
    await publisher.publish(checked, ['tea'], { price: 3 })
    await until(() => heard.length === 1)
    expect(heard).toEqual([['tea', 1, 3]])
  })

  test('in text is its URI', () => {
    expect(`${news}`).toBe('com.example.news')
    expect([news.uri, news.match]).toEqual(['com.example.news', 'exact'])
    expect(JSON.parse(JSON.stringify(news))).toEqual({ uri: 'com.example.news', match: 'exact' })
  })

  test('the options of an operation stay', async () => {
    await using it = await pair()
    await it.publisher.publish(news, ['tea'], { price: 3 }, { acknowledge: true, retain: true })
    const heard: unknown[] = []
    await it.subscriber.subscribe(news, ([text]) => heard.push(text), { get_retained: true })
    await it.settled()
    expect(heard).toEqual(['tea'])
  })

  test('misuse rejects, and sends nothing', async () => {
    await using it = await pair()
    const before = it.world.log.entries.length
    expect(await failure(it.subscriber.subscribe(news, 'handler' as never))).toEqual(usage('the handler must be'))
    expect(await failure(it.subscriber.subscribe(checked, 'handler' as never))).toEqual(usage('the handler must be'))
    expect(await failure(it.subscriber.subscribe(news, () => {}, { match: 'prefix' }))).toEqual(
      usage('the match policy of com.example.news is exact: leave out the option match'),
    )
    expect(await failure(it.publisher.publish(news, 'tea' as never, {} as never))).toEqual(usage('args must be a list'))
    expect(await failure(it.publisher.publish({ uri: 'a.b', match: 'exact' } as Topic))).toEqual(uri(INVALID_URI))
    expect(await failure(it.subscriber.subscribe({ uri: 'a.b', match: 'exact' } as never, () => {}))).toEqual(
      uri(INVALID_URI),
    )
    expect(it.world.log.entries.length).toBe(before)
  })

  test.each<[string, () => unknown, object]>([
    ['a URI with white space', () => topic('com. example'), uri(INVALID_URI)],
    ['an empty component', () => topic('com..example'), uri(INVALID_URI)],
    ['no URI', () => topic(undefined as never), uri(INVALID_URI)],
    ['a match policy', () => topic('com.example', { match: 'some' as never }), usage('the option match must be')],
    ['args', () => topic('com.example', { args: [Number] as never }), usage('the option args of topic must be')],
    ['kwargs', () => topic('com.example', { kwargs: {} as never }), usage('the option kwargs of topic must be')],
  ])('an invalid one is refused when it is made: %s', (_, make, error) => {
    expect(make).toThrow(error as Error)
  })
})

describe('a pattern', () => {
  const shop = topic<[item: string]>('com.shop.', { match: 'prefix' })
  const each = topic('com..price', { match: 'wildcard', args: [z.number()] })

  test('is subscribed to without the option match', async () => {
    await using it = await pair()
    const heard: unknown[] = []
    await it.subscriber.subscribe(shop, ([item], _, { topic }) => heard.push([topic, item]))
    await it.subscriber.subscribe(each, ([price], _, { topic }) => heard.push([topic, price]), { match: 'wildcard' })
    const events = it.subscriber.events(shop)
    await events.subscription
    await it.publisher.publish('com.shop.order', ['tea'])
    await it.publisher.publish('com.mate.price', [4])
    await it.settled()
    expect(heard).toEqual([
      ['com.shop.order', 'tea'],
      ['com.mate.price', 4],
    ])
    expect((await events.next()).value?.topic).toBe('com.shop.order')
    await events.return?.()
  })

  test('is not published to', async () => {
    await using it = await pair()
    for (const pattern of [shop, each]) {
      expect(await failure(it.publisher.publish(pattern as never, ...([['tea']] as never)))).toEqual(
        usage(`${pattern.uri} is a pattern (match: '${pattern.match}'): publish to a topic that it matches`),
      )
      expect(await failure(addTestament(it.publisher, pattern as never, ...([['tea']] as never)))).toEqual(
        usage('is a pattern'),
      )
    }
  })

  test('names the topic of an invalid event', async () => {
    await using it = await pair()
    const warnings: string[] = []
    it.subscriber.on('warning', ({ message }) => warnings.push(message))
    await it.subscriber.subscribe(each, () => {})
    await it.publisher.publish('com.mate.price', ['four'])
    await it.settled()
    expect(warnings).toEqual([expect.stringMatching(/^dropped event 1 of com\.mate\.price with invalid args\[0\]: /)])
  })
})

describe('a schema', () => {
  test.each([
    ['zod', z.string(), z.object({ price: z.number() })],
    ['valibot', v.string(), v.object({ price: v.number() })],
    ['arktype', type('string'), type({ price: 'number' })],
  ])('of %s rejects an invalid event on publish, and names the place', async (_, text, prices) => {
    await using it = await pair()
    const made = topic('com.example.news', {
      args: [text as StandardSchema<string>],
      kwargs: prices as StandardSchema<{ price: number }>,
    })
    const before = it.world.log.entries.length
    const error = await failure(it.publisher.publish(made, [5 as never], { price: 'high' as never }))
    expect(error).toMatchObject({
      uri: INVALID_ARGUMENT,
      sent: false,
      message: expect.stringMatching(/^an event of com\.example\.news has invalid args\[0\]: .*; kwargs\.price: ./),
      kwargs: { issues: [{ place: 'args[0]' }, { place: 'kwargs.price' }] },
    })
    expect(await failure(it.publisher.publish(made, undefined as never, { price: 3 }))).toMatchObject({
      uri: INVALID_ARGUMENT,
      message: expect.stringContaining('args[0]: '),
    })
    expect(await failure(it.publisher.publish(made, ['tea', 'mate'] as never, { price: 3 }))).toMatchObject({
      message: expect.stringContaining('args[1]: at most 1 arguments'),
    })
    // Undefined travels as null.
    expect(await failure(it.publisher.publish(checked, ['tea', undefined], { price: 3 }))).toMatchObject({
      message: expect.stringContaining('args[1]: '),
    })
    expect(it.world.log.entries.length).toBe(before)
    await it.publisher.publish(made, ['tea'], { price: 3 })
    expect(it.world.log.sent('publisher').filter(([code]) => code === PUBLISH)).toHaveLength(1)
  })

  test('drops an invalid event on receipt, counts it, and reports the 1st, the 10th and so on', async () => {
    await using it = await pair()
    const heard: unknown[] = []
    const warnings: unknown[] = []
    it.subscriber.on('warning', (warning) => warnings.push(warning))
    await it.subscriber.subscribe(checked, (args, kwargs) => heard.push([args, kwargs]))
    const loop = it.subscriber.events(checked)
    await loop.subscription
    for (let n = 0; n < 12; n++) await it.publisher.publish('com.example.news', [n], { price: 3 })
    await it.publisher.publish('com.example.news', ['tea'], { price: 3, extra: true })
    await it.settled()
    expect(heard).toEqual([[['tea', 1], { price: 3 }]])
    expect((await loop.next()).value).toMatchObject({ args: ['tea', 1], kwargs: { price: 3 } })
    await loop.return?.()
    // Each of the two subscriptions dropped them.
    expect(it.subscriber.dropped.invalidEvents).toBe(24)
    expect(it.subscriber.dropped.events).toBe(0)
    expect(warnings).toEqual([
      expect.objectContaining({
        uri: INVALID_ARGUMENT,
        message: expect.stringMatching(/^dropped event 1 of com\.example\.news with invalid args\[0\]: /),
      }),
      expect.objectContaining({ message: expect.stringMatching(/^dropped event 10 of com\.example\.news with /) }),
    ])
  })

  test('reports on the console without a listener', async () => {
    await using it = await pair()
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await it.subscriber.subscribe(checked, () => {})
    await it.publisher.publish('com.example.news', [1], { price: 3 })
    await it.settled()
    expect(warn.mock.calls).toEqual([[expect.stringContaining('dropped event 1 of com.example.news')]])
    warn.mockRestore()
  })

  test('that throws makes an event invalid', async () => {
    await using it = await pair()
    const broken: StandardSchema<string> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate() {
          throw new TypeError('broken')
        },
      },
    }
    const made = topic('com.example.news', { args: [broken] })
    expect(await failure(it.publisher.publish(made, ['tea']))).toMatchObject({
      uri: INVALID_ARGUMENT,
      message: 'an event of com.example.news has invalid arguments: TypeError: broken',
    })
    const warnings: string[] = []
    it.subscriber.on('warning', ({ message }) => warnings.push(message))
    await it.subscriber.subscribe(made, () => {})
    await it.publisher.publish('com.example.news', ['tea'])
    await it.settled()
    expect(warnings).toEqual(['dropped event 1 of com.example.news with invalid arguments: TypeError: broken'])
  })

  test('transforms what handlers receive, not what is sent', async () => {
    await using it = await pair()
    const times = topic('com.example.times', {
      args: z.tuple([z.iso.datetime().transform((text) => new Date(text))]),
      kwargs: z.object({ unit: z.string().default('s') }),
    })
    const heard: Date[] = []
    const units: string[] = []
    await it.subscriber.subscribe(times, ([at], { unit }) => {
      heard.push(at)
      units.push(unit)
    })
    await it.publisher.publish(times, ['2026-11-28T00:00:00Z'])
    await it.settled()
    expect(heard).toEqual([new Date('2026-11-28T00:00:00Z')])
    expect(units).toEqual(['s'])
    const sent = it.world.log.sent('publisher').find(([, , , topic]) => topic === 'com.example.times')
    expect(sent?.slice(4)).toEqual([['2026-11-28T00:00:00Z']])
  })

  test('that is asynchronous keeps the order of publications', async () => {
    await using it = await pair()
    const { schema, open } = gated()
    const made = topic('com.example.n', { args: [schema] })
    const heard: unknown[] = []
    await it.subscriber.subscribe('com.example.n', ([n]) => heard.push(n))
    const first = it.publisher.publish(made, [1])
    const invalid = it.publisher.publish(made, [-1])
    const second = it.publisher.publish(made, [2], {}, { acknowledge: true })
    open(2)
    open(-1)
    expect(await failure(invalid)).toMatchObject({ uri: INVALID_ARGUMENT, sent: false })
    expect(heard).toEqual([])
    open(1)
    expect([await first, typeof (await second)]).toEqual([undefined, 'number'])
    await it.settled()
    expect(heard).toEqual([1, 2])
  })

  test('that is asynchronous keeps the order of events, and an invalid one delays none', async () => {
    await using it = await pair()
    const { schema, open } = gated()
    const made = topic('com.example.n', { args: [schema] })
    const heard: unknown[] = []
    const blocked = gate()
    const handle = await it.subscriber.subscribe(made, async ([n]) => {
      heard.push(n)
      // The next event does not wait for an asynchronous handler, as without a schema.
      await blocked.opened
    })
    it.subscriber.on('warning', () => {})
    for (const n of [1, -1, 2, 3]) await it.publisher.publish('com.example.n', [n])
    await it.settled()
    open(2)
    open(-1)
    await until(() => it.subscriber.dropped.invalidEvents === 1)
    expect(heard).toEqual([])
    open(1)
    await until(() => heard.length === 2)
    expect(heard).toEqual([1, 2])
    // Ended during the check of an event.
    await handle.unsubscribe()
    open(3)
    blocked.open()
    await it.settled()
    expect(heard).toEqual([1, 2])
  })

  test('an error of the handler is reported as without a schema', async () => {
    await using it = await pair()
    const { schema, open } = gated()
    const errors: unknown[] = []
    it.subscriber.on('error', (error) => errors.push(error))
    await it.subscriber.subscribe(checked, () => {
      throw new Error('now')
    })
    await it.subscriber.subscribe(topic('com.example.n', { args: [schema] }), () => {
      throw new Error('later')
    })
    open(1)
    await it.publisher.publish(checked, ['tea', 1], { price: 3 })
    await it.publisher.publish('com.example.n', [1])
    await until(() => errors.length === 2)
    expect(errors).toEqual([new Error('now'), new Error('later')])
    expect(it.subscriber.dropped.invalidEvents).toBe(0)
  })
})

describe('a service', () => {
  const options = { doc: 'News' }

  class Decorated extends WampClient {
    readonly heard: unknown[] = []
    @subscribe(news) plain(text: string): void {
      this.heard.push(['plain', text])
    }
    @subscribe(checked, { event: true }) withEvent(
      { kwargs, topic }: ReceivedEvent<[string, number], { price: number }>,
      text: string,
      amount: number,
    ): void {
      this.heard.push(['event', topic, kwargs.price, text, amount])
    }
    @subscribe(topic<[item: string]>('com.shop.', { match: 'prefix' }), options) shop(item: string): void {
      this.heard.push(['shop', item])
    }
  }

  class Static extends WampClient {
    static subscribe = { plain: news, withEvent: checked, shop: topic('com.shop.', { match: 'prefix' }) }
    readonly heard: unknown[] = []
    plain(text: string): void {
      this.heard.push(['plain', text])
    }
    withEvent(text: string, amount: number): void {
      this.heard.push(['event', text, amount])
    }
    shop(item: string): void {
      this.heard.push(['shop', item])
    }
  }

  async function heardBy(Service: typeof Decorated | typeof Static): Promise<unknown[]> {
    await using it = await pair()
    await using service = new Service({ router: it.world.connector('service') })
    service.on('warning', () => {})
    await service.start()
    await it.publisher.publish(checked, ['tea'], { price: 3 })
    await it.publisher.publish('com.example.news', [5])
    await it.publisher.publish('com.shop.order', ['mate'], undefined, { acknowledge: true })
    await until(() => service.heard.some((entry) => (entry as unknown[])[0] === 'shop'))
    expect(service.dropped.invalidEvents).toBe(1)
    const asked = it.world.log.sent('service').filter(([code]) => code === SUBSCRIBE)
    expect(asked.map(([, , options, uri]) => [uri, Object.keys(options as object)])).toEqual([
      ['com.example.news', ['match']],
      ['com.example.news', ['match']],
      ['com.shop.', ['match']],
    ])
    return service.heard
  }

  test('declares by decorators', async () => {
    expect(await heardBy(Decorated)).toEqual([
      ['plain', 'tea'],
      ['event', 'com.example.news', 3, 'tea', 1],
      ['plain', 5],
      ['shop', 'mate'],
    ])
  })

  test('declares by a static field', async () => {
    expect(await heardBy(Static)).toEqual([
      ['plain', 'tea'],
      ['event', 'tea', 1],
      ['plain', 5],
      ['shop', 'mate'],
    ])
  })

  test('describes its topics', async () => {
    class Described extends Decorated {
      static prefix = 'com.example'
      static describe = description
    }
    await using it = await pair()
    await using service = new Described({ router: it.world.connector('service') })
    await service.start()
    const { topics } = await it.subscriber.call<{ topics: unknown[] }>('com.example.wampy.describe')
    expect(topics).toEqual([
      { uri: 'com.example.news', method: 'plain', match: 'exact' },
      { uri: 'com.example.news', method: 'withEvent', match: 'exact' },
      { uri: 'com.shop.', method: 'shop', match: 'prefix', doc: 'News' },
    ])
  })

  test('may have a method of any name below a legacy decorator', () => {
    class Odd extends WampClient {
      received(): void {}
      onTick(): void {}
    }
    const legacy = subscribe as unknown as (target: object, name: string, descriptor: object) => void
    legacy(Odd.prototype, 'onTick', Object.getOwnPropertyDescriptor(Odd.prototype, 'onTick')!)
    expect(new Odd({ router: welcoming() })).toBeInstanceOf(Odd)
  })
})

describe('the functions over a client', () => {
  test('a testament is checked when it is added', async () => {
    await using it = await pair()
    const heard: unknown[] = []
    await it.subscriber.subscribe(checked, ([text], { price }) => heard.push([text, price]))
    expect(await failure(addTestament(it.publisher, checked, [5 as never, 1], { price: 3 }))).toMatchObject({
      uri: INVALID_ARGUMENT,
      sent: false,
    })
    await addTestament(it.publisher, checked, ['gone', 1], { price: 3 }, { scope: 'destroyed' })
    await it.publisher.stop()
    await until(() => heard.length === 1)
    expect(heard).toEqual([['gone', 3]])
  })

  test('a history has the output of the schemas, without invalid events', async () => {
    await using world = await openWorld({ router: { history: [{ uri: 'com.', match: 'prefix', limit: 10 }] } })
    const [client] = await world.join('client')
    const warnings: string[] = []
    client.on('warning', ({ message }) => warnings.push(message))
    const all = topic('com.', { match: 'prefix', args: [z.string(), z.number().default(1)] })
    for (const args of [['tea'], [5], ['mate', 2]]) await client.publish('com.example.news', args)
    const events = await getEvents(client, all)
    expect(events.map(({ args, topic }) => [topic, args])).toEqual([
      ['com.example.news', ['tea', 1]],
      ['com.example.news', ['mate', 2]],
    ])
    const texts: string[] = []
    for await (const { args } of eventHistory(client, all, { limit: 1 })) texts.push(args[0])
    expect(texts).toEqual(['tea'])
    expect(client.dropped.invalidEvents).toBe(1)
    expect(warnings).toHaveLength(1)
  })
})
