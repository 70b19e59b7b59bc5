/** The types of topics: what publishers pass, what handlers receive, and what does not compile. */

import { type } from 'arktype'
import * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import {
  addTestament,
  type EventArgs,
  type EventKwargs,
  type Events,
  eventHistory,
  getEvents,
  type NoKwargs,
  type PastEvent,
  type ReceivedEvent,
  type RpcClient,
  subscribe,
  type Topic,
  type TopicPattern,
  type TopicTable,
  topic,
  WampClient,
} from 'wampy-ts'
import { z } from 'zod'

// Never called: only its types count.
declare const client: RpcClient

const news = topic<[text: string], { price: number }>('com.example.news')
const plain = topic<[text: string, amount?: number]>('com.example.plain')
const open = topic('com.example.open')
const shop = topic<[item: string]>('com.shop.', { match: 'prefix' })

type List = readonly unknown[]
type Dict = Readonly<Record<string, unknown>>

test('a topic has the types that the program states', () => {
  expectTypeOf(news).toEqualTypeOf<Topic<[text: string], { price: number }>>()
  expectTypeOf(plain).toEqualTypeOf<Topic<[text: string, amount?: number], NoKwargs>>()
  expectTypeOf(open).toEqualTypeOf<Topic<List, Dict>>()
  expectTypeOf(shop).toEqualTypeOf<TopicPattern<[item: string], NoKwargs>>()
  expectTypeOf(topic('com.shop.', { match: 'prefix' })).toEqualTypeOf<TopicPattern<List, Dict>>()
  expectTypeOf<EventArgs<typeof news>>().toEqualTypeOf<[text: string]>()
  expectTypeOf<EventKwargs<typeof news>>().toEqualTypeOf<{ price: number }>()
  expectTypeOf<EventArgs<string>>().toEqualTypeOf<List>()
  interface Prices {
    price: number
  }
  expectTypeOf(topic<[], Prices>('com.example')).toEqualTypeOf<Topic<[], Prices>>()
})

test('or those of its schemas', () => {
  const made = topic('com.example', {
    args: [z.string(), z.number().default(1)],
    kwargs: z.object({ at: z.string().transform((text) => new Date(text)) }),
  })
  expectTypeOf(made).toEqualTypeOf<
    Topic<[string, number], { at: Date }, [string, (number | undefined)?], { at: string }>
  >()
  expectTypeOf(topic('com.example', { args: z.tuple([z.string()]) })).toEqualTypeOf<Topic<[string], NoKwargs>>()
  expectTypeOf(topic('com.example', { args: [v.string()] })).toEqualTypeOf<Topic<[string], NoKwargs>>()
  expectTypeOf(topic('com.example', { args: [type('string')] })).toEqualTypeOf<Topic<[string], NoKwargs>>()
  expectTypeOf(topic('com.example', { kwargs: z.object({ price: z.number() }) })).toEqualTypeOf<
    Topic<[], { price: number }>
  >()
  expectTypeOf(topic('com.', { match: 'prefix', args: [z.string()] })).toEqualTypeOf<TopicPattern<[string], NoKwargs>>()
  expectTypeOf(topic('com.example', { match: 'exact', args: [z.string()] })).toEqualTypeOf<Topic<[string], NoKwargs>>()
  // A schema may make what the program states.
  expectTypeOf(topic<[text: string]>('com.example', { args: z.tuple([z.string()]) })).toEqualTypeOf<
    Topic<[text: string], NoKwargs>
  >()
})

test('a publisher passes what the topic has', () => {
  client.publish(news, ['tea'], { price: 3 })
  client.publish(news, ['tea'], { price: 3 }, { acknowledge: true })
  client.publish(news, ['tea'] as const, { price: 3 })
  client.publish(plain, ['tea'])
  client.publish(plain, ['tea', 3], undefined, { acknowledge: true })
  client.publish(open)
  client.publish(open, [1, 2], { any: 'thing' })
  client.publish('com.example.any', ['thing'], { any: 'thing' }, { acknowledge: true })
  client.publish(topic<[], { price: number }>('com.example'), undefined, { price: 3 })
  client.publish(topic('com.example', { args: [z.string(), z.number().optional()] }), ['tea'])
  addTestament(client, news, ['tea'], { price: 3 }, { scope: 'destroyed' })
  addTestament(client, 'com.example.any', ['thing'])
})

test('a handler receives it', () => {
  client.subscribe(news, (args, kwargs, details) => {
    expectTypeOf(args).toEqualTypeOf<[text: string]>()
    expectTypeOf(kwargs).toEqualTypeOf<{ price: number }>()
    expectTypeOf(details.topic).toEqualTypeOf<string>()
  })
  client.subscribe(shop, ([item]) => expectTypeOf(item).toEqualTypeOf<string>(), { get_retained: true })
  client.subscribe('com.example.any', (args, kwargs) => {
    expectTypeOf(args).toEqualTypeOf<List>()
    expectTypeOf(kwargs).toEqualTypeOf<Dict>()
  })
  client.subscribe(topic('com.example', { args: [z.coerce.date()] }), ([at]) => expectTypeOf(at).toEqualTypeOf<Date>())
  expectTypeOf(client.events(news)).toEqualTypeOf<Events<[text: string], { price: number }>>()
  expectTypeOf(client.events('com.example.any')).toEqualTypeOf<Events>()
  expectTypeOf(getEvents(client, shop)).resolves.toEqualTypeOf<PastEvent<[item: string], NoKwargs>[]>()
  expectTypeOf(getEvents(client, 'com.example.any')).resolves.toEqualTypeOf<PastEvent[]>()
  expectTypeOf(eventHistory(client, news)).toEqualTypeOf<
    AsyncGenerator<PastEvent<[text: string], { price: number }>, void, undefined>
  >()
})

test('a method subscribes to what it accepts', () => {
  class Service extends WampClient {
    @subscribe(news) exactly(_text: string): void {}
    @subscribe(news) wider(_text: string | number): void {}
    @subscribe(news) fewer(): void {}
    @subscribe(plain, { doc: 'text' }) optional(_text: string, _amount?: number): void {}
    @subscribe(news, { event: true }) withEvent(
      _event: ReceivedEvent<[text: string], { price: number }>,
      _text: string,
    ): void {}
    @subscribe(news, { event: true }) anyEvent(_event: ReceivedEvent): void {}
    @subscribe(shop) async later(_item: string): Promise<void> {}

    // @ts-expect-error: the topic has a text
    @subscribe(news) other(_amount: number): void {}
    // @ts-expect-error: the topic has one argument
    @subscribe(news) more(_text: string, _amount: number): void {}
    // @ts-expect-error: the event was not asked for
    @subscribe(news) unasked(_event: ReceivedEvent<[text: string]>): void {}
    // @ts-expect-error: the event comes first
    @subscribe(news, { event: true }) asked(_text: string): void {}
    // @ts-expect-error: the amount may be missing
    @subscribe(plain) required(_text: string, _amount: number): void {}
  }
  expectTypeOf<Service['exactly']>().parameters.toEqualTypeOf<[_text: string]>()
})

test('so does a method of a static field', () => {
  class Service extends WampClient {
    static subscribe = {
      text: news,
      fewer: news,
      uri: 'com.example',
      options: { doc: 'text' },
    } satisfies TopicTable<Service>
    text(_text: string): void {}
    fewer(): void {}
    uri(): void {}
    options(): void {}
  }
  expectTypeOf<Service['text']>().parameters.toEqualTypeOf<[_text: string]>()
  // @ts-expect-error: the topic has a text
  ;({ other: news }) satisfies TopicTable<{ other(amount: number): void }>
  // @ts-expect-error: the topic has one argument
  ;({ more: news }) satisfies TopicTable<{ more(text: string, amount: number): void }>
})

test('misuse does not compile', () => {
  // @ts-expect-error: the text is missing
  client.publish(news)
  // @ts-expect-error: the price is missing
  client.publish(news, ['tea'])
  // @ts-expect-error: a number is not a text
  client.publish(news, [5], { price: 3 })
  // @ts-expect-error: one argument too many
  client.publish(news, ['tea', 5], { price: 3 })
  // @ts-expect-error: a text is not a price
  client.publish(news, ['tea'], { price: 'high' })
  // @ts-expect-error: a typo
  client.publish(news, ['tea'], { prize: 3 })
  // @ts-expect-error: this topic has no keyword arguments
  client.publish(plain, ['tea'], { price: 3 })
  // @ts-expect-error: a pattern
  client.publish(shop, ['tea'])
  // @ts-expect-error: a handler of something else
  client.subscribe(news, ([amount]: [number]) => amount)
  // @ts-expect-error: a handler of other keyword arguments
  client.subscribe(plain, (_args, { price }: { price: number }) => price)
  // @ts-expect-error: a typo
  client.subscribe(news, (_args, { prize }) => prize)
  // @ts-expect-error: a testament of something else
  addTestament(client, news, [5], { price: 3 })
  // @ts-expect-error: a pattern
  addTestament(client, shop, ['tea'])
  // @ts-expect-error: a schema of something else
  topic<[text: string]>('com.example', { args: [z.number()] })
  // @ts-expect-error: no schema
  topic('com.example', { args: [Number] })
  // @ts-expect-error: no match policy
  topic('com.example', { match: 'some' })
  // @ts-expect-error: a topic is not a procedure
  client.call(news)
})
