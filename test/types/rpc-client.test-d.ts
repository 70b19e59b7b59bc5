/** The types of `client.rpc`: arguments, results, and compile errors. */

import { expectTypeOf, test } from 'vitest'
import {
  type AnyProcedure,
  type AnyStream,
  type Invocation,
  type Procedures,
  type Progress,
  Result,
  RpcClient,
  rpc,
  type Streams,
  WampClient,
} from 'wampy-ts'
import type { DateService } from './service.ts'
import { DateService as DateServiceClass } from './service.ts'

// Never called: only its types count.
declare const client: RpcClient<DateService>

test('arguments and results are those of the method', () => {
  expectTypeOf(client.rpc.getTodaysDate).parameters.toEqualTypeOf<[]>()
  expectTypeOf(client.rpc.getTodaysDate).returns.toEqualTypeOf<Promise<string>>()
  expectTypeOf(client.rpc.add).parameters.toEqualTypeOf<[a: number, b: number]>()
  expectTypeOf(client.rpc.add).returns.toEqualTypeOf<Promise<number>>()
  expectTypeOf(client.rpc.greet).parameters.toEqualTypeOf<[name: string, polite?: boolean]>()
  expectTypeOf(client.rpc.sum).parameters.toEqualTypeOf<number[]>()
})

test('an async method is unwrapped once, undefined arrives as null, and a method without a result returns void', () => {
  expectTypeOf(client.rpc.load).returns.toEqualTypeOf<Promise<{ id: number } | null>>()
  expectTypeOf(client.rpc.nothing).returns.toEqualTypeOf<Promise<void>>()
  expectTypeOf(client.rpc.nothingLater).returns.toEqualTypeOf<Promise<void>>()
})

test('the type of a manually created Result is unknown', () => {
  expectTypeOf(client.rpc.both).returns.toEqualTypeOf<Promise<unknown>>()
})

test('a first parameter of type Invocation is omitted by the caller, any other is not', () => {
  expectTypeOf(client.rpc.who).parameters.toEqualTypeOf<[name: string]>()
  expectTypeOf(client.rpc.alone).parameters.toEqualTypeOf<[]>()
  expectTypeOf(client.rpc.loose).parameters.toEqualTypeOf<[value: unknown]>()
})

test('misuse does not compile', () => {
  // @ts-expect-error: a typo is not a valid procedure
  client.rpc.getTodaysDat
  // @ts-expect-error: start belongs to WampClient, and is not called over WAMP
  client.rpc.start()
  // @ts-expect-error: nor is stop
  client.rpc.stop()
  // @ts-expect-error: nor is call
  client.rpc.call('com.example.f')
  // @ts-expect-error: a field of the service is not a valid procedure
  client.rpc.zone
  // @ts-expect-error: an argument is missing
  client.rpc.add(1)
  // @ts-expect-error: an argument of another type
  client.rpc.add(1, '2')
  // @ts-expect-error: an argument too many
  client.rpc.getTodaysDate(1)
  // @ts-expect-error: the Invocation is made by the callee
  client.rpc.who({} as Invocation, 'Joe')
  // @ts-expect-error: procedures cannot be assigned
  client.rpc.getTodaysDate = async () => ''
  // @ts-expect-error: nothing under a procedure of a class
  client.rpc.getTodaysDate.deeper
  // @ts-expect-error: a private method is not part of the class
  client.rpc.hidden()
})

test('a type-only import of the class suffices', () => {
  const made = new RpcClient<DateService>({ prefix: 'com.example' })
  expectTypeOf(made.rpc).toEqualTypeOf<Procedures<DateService>>()
})

test('the types come with the class itself', () => {
  const made = new RpcClient({ service: DateServiceClass })
  expectTypeOf(made).toEqualTypeOf<RpcClient<DateService>>()
  expectTypeOf(made.rpc.add).returns.toEqualTypeOf<Promise<number>>()
  // @ts-expect-error: another class than the type says
  new RpcClient<DateService>({ service: WampClient })
})

test('with() keeps the types', () => {
  expectTypeOf(client.with({ timeout: 500, kwargs: { a: 1 } }).rpc).toEqualTypeOf<Procedures<DateService>>()
  // @ts-expect-error: a timeout is a number
  client.with({ timeout: '5s' })
})

test('without a class every name is a procedure, at any depth', () => {
  const untyped = new RpcClient({ router: 'ws://localhost:8080/ws' })
  expectTypeOf(untyped).toEqualTypeOf<RpcClient<unknown>>()
  expectTypeOf(untyped.rpc).toEqualTypeOf<AnyProcedure>()
  expectTypeOf(untyped.rpc.com.example.add(1, 'two')).toBeAny()
  const result: Promise<number> = untyped.rpc.getTodaysDate()
  expectTypeOf(result).resolves.toBeNumber()
})

test('a class with its own constructor, and an abstract one, are services too', () => {
  class Own extends WampClient {
    constructor(readonly zone: string) {
      super({ name: zone })
    }
    @rpc now(): Date {
      return new Date()
    }
  }
  abstract class Abstract extends WampClient {
    abstract later(): Promise<number>
  }
  expectTypeOf(new RpcClient({ service: Own }).rpc.now).returns.toEqualTypeOf<Promise<Date>>()
  expectTypeOf(new RpcClient({ service: Abstract }).rpc.later).returns.toEqualTypeOf<Promise<number>>()
  expectTypeOf(new Result([1])).toEqualTypeOf<Result>()
})

test('an interface that names the procedures is enough', () => {
  interface Dates {
    today(): string
    at(zone: string): Promise<string>
  }
  const made = new RpcClient<Dates>()
  expectTypeOf(made.rpc.today()).resolves.toBeString()
  expectTypeOf(made.rpc.at).parameters.toEqualTypeOf<[zone: string]>()
})

test('a contract keeps all of its names; a class omits those of the client', () => {
  interface Blog {
    publish(text: string): Promise<number>
    name(): string
    events(): AsyncGenerator<string, number>
    stop(): void
  }
  class BlogService implements Blog {
    async publish(): Promise<number> {
      return 1
    }
    name(): string {
      return ''
    }
    async *events(): AsyncGenerator<string, number> {
      yield ''
      return 1
    }
    stop(): void {}
  }
  expectTypeOf<keyof Procedures<Blog>>().toEqualTypeOf<'publish' | 'name' | 'events' | 'stop'>()
  expectTypeOf<keyof Procedures<BlogService>>().toEqualTypeOf<'publish' | 'name' | 'events' | 'stop'>()
  expectTypeOf(new RpcClient<Blog>().rpc.publish).parameters.toEqualTypeOf<[text: string]>()
  expectTypeOf(new RpcClient<Blog>().rpc.publish('text')).resolves.toBeNumber()
  expectTypeOf<keyof Streams<Blog>>().toEqualTypeOf<'events'>()
  class Service extends WampClient {
    add(a: number, b: number): number {
      return a + b
    }
  }
  expectTypeOf<keyof Procedures<Service>>().toEqualTypeOf<'add'>()
})

test('an async generator is a promise of its return value, and a loop over its yields', async () => {
  expectTypeOf(client.rpc.count).parameters.toEqualTypeOf<[to: number]>()
  expectTypeOf(client.rpc.count).returns.toEqualTypeOf<Promise<string>>()
  expectTypeOf(client.stream.count).parameters.toEqualTypeOf<[to: number]>()
  expectTypeOf(client.stream.count).returns.toEqualTypeOf<Progress<number, string>>()
  for await (const n of client.stream.count(3)) expectTypeOf(n).toEqualTypeOf<number>()
  expectTypeOf(client.stream.count(3).result).toEqualTypeOf<Promise<string>>()
  expectTypeOf(client.stream.sums).parameters.toEqualTypeOf<[]>()
  expectTypeOf(client.stream.later).returns.toEqualTypeOf<Progress<string, void>>()
  expectTypeOf(client.stream.whole).returns.toEqualTypeOf<Progress<unknown, unknown>>()
  // @ts-expect-error: what is not a generator is not a loop
  client.stream.add(1, 2)
  // @ts-expect-error: an argument of another type
  client.stream.count('3')
})

test('with() keeps the types of loops, and takes the options of a call', () => {
  expectTypeOf(client.with({ signal: AbortSignal.timeout(5) }).stream).toEqualTypeOf<Streams<DateService>>()
  client.with({ onProgress: ([n], kwargs, { progress }) => [n, kwargs, progress], cancelMode: 'kill', input: [1, 2] })
  // @ts-expect-error: no such mode
  client.with({ cancelMode: 'softly' })
  // @ts-expect-error: a number is not an input
  client.with({ input: 5 })
})

test('a first parameter of any type is passed by the caller', () => {
  // biome-ignore lint/suspicious/noExplicitAny: it is the point
  expectTypeOf(client.rpc.loosest).parameters.toEqualTypeOf<[_value: any, _more: string]>()
})

test('without a class every name is a loop, at any depth', () => {
  const untyped = new RpcClient()
  expectTypeOf(untyped.stream).toEqualTypeOf<AnyStream>()
  expectTypeOf(untyped.stream.com.example.count(3)).toBeAny()
})
