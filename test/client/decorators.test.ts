/** Standard decorators and static fields: the URI that each method serves, and the errors. */

import { describe, expect, onTestFinished, test } from 'vitest'
import {
  INVALID_URI,
  type Invocation,
  type ReceivedEvent,
  RpcClient,
  rpc,
  subscribe,
  USAGE,
  WampClient,
} from 'wampy-ts'
import { openWorld, REGISTER, SUBSCRIBE } from 'wampy-ts/testing'
import { failure, granting, leavesNothing, uri, welcoming } from './support.ts'

leavesNothing()

/** The requests of a service to its router: `[URI, options]`. */
async function asked(make: (router: ReturnType<typeof welcoming>) => WampClient) {
  const router = welcoming(granting)
  const service = make(router)
  onTestFinished(() => service.stop())
  await service.start()
  const of = (code: number) =>
    (router.peers[0]?.received ?? [])
      .filter((message) => message[0] === code)
      .map(([, , options, name]) => [name, options])
  return { procedures: of(REGISTER), topics: of(SUBSCRIBE) }
}

/** The result of a call by a client that was created with the class. */
async function called<Service extends WampClient>(
  Service: new (options: { router: never }) => Service,
  call: (client: RpcClient<Service>) => Promise<unknown>,
): Promise<unknown> {
  await using world = await openWorld()
  await using service = new Service({ router: world.router as never })
  await service.start()
  await using client = new RpcClient<Service>({ service: Service, router: world.router })
  return await call(client)
}

describe('@rpc', () => {
  test('bare registers the method under its name', async () => {
    class Service extends WampClient {
      @rpc getTodaysDate(): string {
        return '2016-05-15'
      }
      notAProcedure(): void {}
    }
    expect((await asked((router) => new Service({ router }))).procedures).toEqual([['getTodaysDate', {}]])
    expect(await called(Service, (client) => client.rpc.getTodaysDate())).toBe('2016-05-15')
  })

  test('accepts a URI, a URI with options, or options with or without a URI', async () => {
    class Service extends WampClient {
      @rpc('com.example.one') one(): void {}
      @rpc('com.example.two', { invoke: 'roundrobin', _x: 1 }) two(): void {}
      @rpc({ uri: 'com.example.three', match: 'prefix' }) three(): void {}
      @rpc({ disclose_caller: true }) four(): void {}
    }
    expect((await asked((router) => new Service({ router }))).procedures).toEqual([
      ['com.example.one', {}],
      ['com.example.two', { invoke: 'roundrobin', _x: 1 }],
      ['com.example.three', { match: 'prefix' }],
      ['four', { disclose_caller: true }],
    ])
  })

  test('spreads the positional arguments, and binds this', async () => {
    class Service extends WampClient {
      readonly factor = 10
      @rpc scale(a: number, b: number): number {
        return (a + b) * this.factor
      }
    }
    expect(await called(Service, (client) => client.rpc.scale(1, 2))).toBe(30)
  })

  test('with invocation: true passes an Invocation first', async () => {
    class Service extends WampClient {
      @rpc({ invocation: true }) describe(invocation: Invocation, a: number): unknown {
        return [invocation.kwargs, invocation.procedure, invocation.signal.aborted, a]
      }
    }
    expect((await asked((router) => new Service({ router }))).procedures).toEqual([['describe', {}]])
    expect(await called(Service, (client) => client.with({ kwargs: { unit: 'cm' } }).rpc.describe(5))).toEqual([
      { unit: 'cm' },
      'describe',
      false,
      5,
    ])
  })

  test('calls a replacement of the method, such as a spy', async () => {
    class Service extends WampClient {
      @rpc date(): string {
        return 'real'
      }
    }
    await using world = await openWorld()
    const service = new Service({ router: world.router })
    await service.start()
    service.date = () => 'replaced'
    const [caller] = await world.join('caller')
    expect(await caller.call('date')).toBe('replaced')
    await service.stop()
  })

  test('works under another decorator that wraps the method', async () => {
    const calls: string[] = []
    function logged<This, Args extends unknown[], Value>(
      method: (this: This, ...args: Args) => Value,
      context: ClassMethodDecoratorContext,
    ) {
      return function (this: This, ...args: Args): Value {
        calls.push(String(context.name))
        return method.apply(this, args)
      }
    }
    class Service extends WampClient {
      @logged @rpc('com.example.above') above(): string {
        return 'above'
      }
      @rpc('com.example.below') @logged below(): string {
        return 'below'
      }
    }
    await using world = await openWorld()
    await using service = new Service({ router: world.router })
    await service.start()
    const [caller] = await world.join('caller')
    expect([await caller.call('com.example.above'), await caller.call('com.example.below')]).toEqual(['above', 'below'])
    expect(calls).toEqual(['above', 'below'])
  })

  test('with empty parentheses is the same as bare, in a static field too', async () => {
    class Service extends WampClient {
      static prefix = 'com.example'
      @rpc() add(a: number, b: number): number {
        return a + b
      }
      @subscribe() onTick(): void {}
    }
    expect(await asked((router) => new Service({ router }))).toEqual({
      procedures: [['com.example.add', {}]],
      topics: [['com.example.onTick', {}]],
    })
    class Static extends WampClient {
      static rpc = { add: rpc() }
      add(): void {}
    }
    expect((await asked((router) => new Static({ router }))).procedures).toEqual([['add', {}]])
  })

  test('on anything except a public instance method is refused when the class is defined', () => {
    const text = (name: string) => `@rpc goes on a public method, not on ${name}`
    const wrong: [make: () => unknown, name: string][] = [
      [
        () =>
          class extends WampClient {
            // @ts-expect-error: only methods can be decorated, which JavaScript does not check
            @rpc date = () => {}
          },
        'date',
      ],
      [
        () =>
          class extends WampClient {
            @rpc static date() {}
          },
        'date',
      ],
      [
        () =>
          class extends WampClient {
            @rpc #date() {}
            other() {
              this.#date()
            }
          },
        '#date',
      ],
      [
        () =>
          class extends WampClient {
            // @ts-expect-error: a getter is not a method
            @rpc get date() {
              return 1
            }
          },
        'date',
      ],
      [
        () =>
          class extends WampClient {
            @rpc [Symbol.iterator]() {}
          },
        'Symbol(Symbol.iterator)',
      ],
    ]
    for (const [make, name] of wrong) {
      expect(make).toThrow(expect.objectContaining({ uri: USAGE, message: text(name) }) as never)
    }
  })

  test('with an invalid URI fails at start and names the method', async () => {
    class Service extends WampClient {
      @rpc('not a uri') date(): void {}
    }
    const router = welcoming()
    expect(await failure(new Service({ router }).start())).toMatchObject({
      uri: INVALID_URI,
      message: '"not a uri", declared for rpc "date", is not a valid URI',
    })
    expect(router.peers).toEqual([])
  })
})

describe('a prefix', () => {
  class Service extends WampClient {
    static prefix = 'com.example'
    @rpc date(): string {
      return 'today'
    }
    @rpc('org.other.time') time(): string {
      return 'now'
    }
    @subscribe onTick(): void {}
  }

  test('of the class is added to names, not to whole URIs', async () => {
    expect(await asked((router) => new Service({ router }))).toEqual({
      procedures: [
        ['com.example.date', {}],
        ['org.other.time', {}],
      ],
      topics: [['com.example.onTick', {}]],
    })
  })

  test('as an option overrides that of the class; with or without a dot at its end', async () => {
    for (const prefix of ['org.mine', 'org.mine.']) {
      const { procedures } = await asked((router) => new Service({ router, prefix }))
      expect(procedures).toEqual([
        ['org.mine.date', {}],
        ['org.other.time', {}],
      ])
    }
    const { procedures } = await asked((router) => new Service({ router, prefix: '' }))
    expect(procedures[0]).toEqual(['date', {}])
  })

  test('reaches the caller through the class, or through the same option', async () => {
    expect(await called(Service, (client) => client.rpc.date())).toBe('today')
    expect(await called(Service, (client) => client.rpc.time())).toBe('now')
    await using world = await openWorld()
    await using service = new Service({ router: world.router })
    await service.start()
    await using client = new RpcClient<Service>({ router: world.router, prefix: 'com.example' })
    expect(await client.rpc.date()).toBe('today')
    expect(await failure(client.rpc.time())).toEqual(uri('wamp.error.no_such_procedure'))
  })

  test('is inherited, and a derived class may declare its own', async () => {
    class Derived extends Service {}
    class Own extends Service {
      static override prefix = 'org.own'
    }
    expect((await asked((router) => new Derived({ router }))).procedures[0]).toEqual(['com.example.date', {}])
    expect((await asked((router) => new Own({ router }))).procedures[0]).toEqual(['org.own.date', {}])
  })
})

describe('inheritance', () => {
  class Base extends WampClient {
    @rpc('com.example.name') title(): string {
      return 'base'
    }
    @rpc('com.example.kept') kept(): string {
      return `kept by ${this.title()}`
    }
  }

  test('a derived class has the procedures of its base class', async () => {
    class Derived extends Base {
      @rpc('com.example.more') more(): string {
        return 'more'
      }
    }
    const { procedures } = await asked((router) => new Derived({ router }))
    expect(procedures.map(([name]) => name).sort()).toEqual([
      'com.example.kept',
      'com.example.more',
      'com.example.name',
    ])
    const { procedures: bases } = await asked((router) => new Base({ router }))
    expect(bases).toHaveLength(2)
  })

  test('an override without a decorator keeps the URI', async () => {
    class Derived extends Base {
      override title(): string {
        return 'derived'
      }
    }
    expect(await called(Derived, (client) => client.rpc.title())).toBe('derived')
    expect(await called(Derived, (client) => client.rpc.kept())).toBe('kept by derived')
  })

  test('an override with a decorator is registered once, under its own URI', async () => {
    class Derived extends Base {
      @rpc('org.example.name') override title(): string {
        return 'derived'
      }
    }
    const { procedures } = await asked((router) => new Derived({ router }))
    expect(procedures.map(([name]) => name).sort()).toEqual(['com.example.kept', 'org.example.name'])
    expect(await called(Derived, (client) => client.rpc.title())).toBe('derived')
  })

  test('two services of one class are independent, each with its own this', async () => {
    class Counter extends WampClient {
      count = 0
      @rpc next(): number {
        return ++this.count
      }
    }
    await using world = await openWorld()
    await using one = new Counter({ router: world.router, prefix: 'one' })
    await using two = new Counter({ router: world.router, prefix: 'two' })
    await Promise.all([one.start(), two.start()])
    const [caller] = await world.join('caller')
    expect([await caller.call('one.next'), await caller.call('one.next'), await caller.call('two.next')]).toEqual([
      1, 2, 1,
    ])
  })
})

describe('@subscribe', () => {
  test('receives the positional arguments of the event; its topic follows the rules of rpc', async () => {
    const heard: unknown[] = []
    class Service extends WampClient {
      @subscribe('com.example.tick') onTick(...args: unknown[]): void {
        heard.push(this.name, ...args)
      }
      @subscribe({ uri: 'com.example.', match: 'prefix', get_retained: true }) onAny(): void {}
      @subscribe bare(): void {}
    }
    expect((await asked((router) => new Service({ router }))).topics).toEqual([
      ['com.example.tick', {}],
      ['com.example.', { match: 'prefix', get_retained: true }],
      ['bare', {}],
    ])
    class Simple extends WampClient {
      @subscribe('com.example.tick') onTick(...args: unknown[]): void {
        heard.push(this.name, ...args)
      }
    }
    await using world = await openWorld()
    await using service = new Simple({ router: world.router })
    await service.start()
    const [publisher] = await world.join('publisher')
    await publisher.publish('com.example.tick', [1, 2], { a: 3 }, { acknowledge: true })
    await service.call('com.example.nothing').catch(() => {})
    expect(heard).toEqual(['Simple', 1, 2])
    expect(service.subscriptions).toMatchObject([{ uri: 'com.example.tick', state: 'active' }])
  })

  test('with event: true receives the whole event first', async () => {
    const heard: unknown[] = []
    class Service extends WampClient {
      @subscribe({ uri: 'com.example.tick', event: true }) onTick(event: ReceivedEvent, first: unknown): void {
        heard.push(event, first)
      }
    }
    await using world = await openWorld()
    await using service = new Service({ router: world.router })
    await service.start()
    const [publisher] = await world.join('publisher')
    const publication = await publisher.publish('com.example.tick', [1], { a: 3 }, { acknowledge: true })
    await service.call('com.example.nothing').catch(() => {})
    const subscription = service.subscriptions[0]?.id
    const topic = 'com.example.tick'
    expect(heard).toEqual([
      { args: [1], kwargs: { a: 3 }, details: { topic, publication, subscription }, topic, publication },
      1,
    ])
  })

  test('reports errors through the event error, synchronous or not', async () => {
    class Service extends WampClient {
      @subscribe('com.example.sync') sync(): void {
        throw new Error('sync')
      }
      @subscribe('com.example.async') async later(): Promise<void> {
        throw new Error('async')
      }
    }
    await using world = await openWorld()
    await using service = new Service({ router: world.router })
    const errors: unknown[] = []
    service.on('error', (error) => errors.push(error))
    await service.start()
    const [publisher] = await world.join('publisher')
    for (const topic of ['com.example.sync', 'com.example.async']) {
      await publisher.publish(topic, [], {}, { acknowledge: true })
    }
    await service.call('com.example.nothing').catch(() => {})
    expect(errors).toEqual([new Error('sync'), new Error('async')])
  })

  test('can be combined with @rpc on one method', async () => {
    class Service extends WampClient {
      @rpc('com.example.f') @subscribe('com.example.t') both(): string {
        return 'both'
      }
    }
    expect(await asked((router) => new Service({ router }))).toEqual({
      procedures: [['com.example.f', {}]],
      topics: [['com.example.t', {}]],
    })
  })
})

describe('static fields', () => {
  test('rpc as a list of names, under the prefix', async () => {
    class Service extends WampClient {
      static prefix = 'com.example'
      static rpc = ['date', 'time']
      date(): string {
        return 'today'
      }
      time(): string {
        return 'now'
      }
    }
    expect((await asked((router) => new Service({ router }))).procedures).toEqual([
      ['com.example.date', {}],
      ['com.example.time', {}],
    ])
    expect(await called(Service, (client) => client.rpc.time())).toBe('now')
  })

  test('rpc as a dictionary of URIs or options, and subscribe', async () => {
    const heard: unknown[] = []
    class Service extends WampClient {
      static rpc = { date: 'com.example.date', time: { uri: 'com.example.time', invocation: true, _x: 1 } }
      static subscribe = { onTick: 'com.example.tick', onAny: { event: true } }
      date(): string {
        return 'today'
      }
      time(invocation: Invocation): string {
        return `now, ${invocation.kwargs['zone']}`
      }
      onTick(...args: unknown[]): void {
        heard.push(args)
      }
      onAny(event: ReceivedEvent): void {
        heard.push(event.topic)
      }
    }
    expect(await asked((router) => new Service({ router }))).toEqual({
      procedures: [
        ['com.example.date', {}],
        ['com.example.time', { _x: 1 }],
      ],
      topics: [
        ['com.example.tick', {}],
        ['onAny', {}],
      ],
    })
    expect(await called(Service, (client) => client.with({ kwargs: { zone: 'UTC' } }).rpc.time())).toBe('now, UTC')
  })

  test('rpc overrides decorators, and that of a derived class overrides that of its base', async () => {
    class Base extends WampClient {
      static rpc: Record<string, string> | string[] = { date: 'com.base.date', time: 'com.base.time' }
      date(): void {}
      time(): void {}
      @rpc('com.base.decorated') decorated(): void {}
    }
    class Derived extends Base {
      static override rpc = { date: 'com.derived.date', decorated: 'com.derived.decorated' }
    }
    const names = ({ procedures }: Awaited<ReturnType<typeof asked>>) => procedures.map(([name]) => name).sort()
    expect(names(await asked((router) => new Base({ router })))).toEqual([
      'com.base.date',
      'com.base.decorated',
      'com.base.time',
    ])
    expect(names(await asked((router) => new Derived({ router })))).toContain('com.derived.date')
    expect(names(await asked((router) => new Derived({ router })))).toContain('com.base.time')
  })

  test('that name a missing method fail at start', async () => {
    class Service extends WampClient {
      static rpc = ['nowhere']
    }
    expect(await failure(new Service({ router: welcoming() }).start())).toMatchObject({
      uri: USAGE,
      message: 'Service has no method "nowhere", which it declares for rpc',
    })
  })
})

describe('the decorators protocol of 2018-09, to which SWC compiles', () => {
  interface Element {
    kind: string
    key: PropertyKey
    placement: string
    descriptor: PropertyDescriptor
    finisher?: (made: object) => void
  }
  type Apply = (element: Element) => Element | undefined

  /** Decorates a method like the `_decorate` helper of SWC and Babel: from the innermost decorator outwards. */
  function decorate(made: { prototype: object }, key: string, ...decorators: unknown[]): void {
    const finishers: Element['finisher'][] = []
    let element: Element = {
      kind: 'method',
      key,
      placement: 'prototype',
      descriptor: Object.getOwnPropertyDescriptor(made.prototype, key)!,
    }
    Object.defineProperty(element, Symbol.toStringTag, { value: 'Descriptor' })
    for (const decorator of decorators.reverse()) {
      const { finisher, ...decorated } = (decorator as Apply)(element) ?? element
      finishers.push(finisher)
      element = decorated
    }
    Object.defineProperty(made.prototype, key, element.descriptor)
    for (const finisher of finishers) finisher?.(made)
  }

  test('bare, with parentheses, a URI or options', async () => {
    class Service extends WampClient {
      static prefix = 'com.example'
      bare(): string {
        return 'bare'
      }
      empty(): void {}
      named(): void {}
      invoked({ kwargs }: Invocation): unknown {
        return kwargs['a']
      }
      onTick(): void {}
    }
    decorate(Service, 'bare', rpc)
    decorate(Service, 'empty', rpc())
    decorate(Service, 'named', rpc('org.example.named', { invoke: 'roundrobin' }))
    decorate(Service, 'invoked', rpc({ invocation: true }))
    decorate(Service, 'onTick', subscribe)
    expect(await asked((router) => new Service({ router }))).toEqual({
      procedures: [
        ['com.example.bare', {}],
        ['com.example.empty', {}],
        ['org.example.named', { invoke: 'roundrobin' }],
        ['com.example.invoked', {}],
      ],
      topics: [['com.example.onTick', {}]],
    })
    expect(await called(Service, (client) => client.rpc.bare())).toBe('bare')
    expect(await called(Service, (client) => client.with({ kwargs: { a: 1 } }).rpc.invoked())).toBe(1)
  })

  test('under a decorator that replaces the method by another function', async () => {
    class Service extends WampClient {
      method(): string {
        return 'own'
      }
    }
    const replacing: Apply = (element) => ({ ...element, descriptor: { ...element.descriptor, value: () => 'other' } })
    decorate(Service, 'method', replacing, rpc)
    expect(await called(Service, (client) => client.rpc.method())).toBe('other')
  })

  test('is refused on anything except a public instance method', () => {
    const on = (key: PropertyKey, placement: string, descriptor: PropertyDescriptor) => () =>
      (rpc as unknown as Apply)({ kind: 'method', key, placement, descriptor })
    const usage = { uri: USAGE, message: expect.stringContaining('@rpc goes on a public method, not on') }
    expect(on('fixed', 'static', { value: () => {} })).toThrow(expect.objectContaining(usage))
    expect(on('field', 'own', {})).toThrow(expect.objectContaining(usage))
    expect(on('getter', 'prototype', { get: () => 1 })).toThrow(expect.objectContaining(usage))
    expect(on(Symbol('name'), 'prototype', { value: () => {} })).toThrow(expect.objectContaining(usage))
  })
})

test('a decorator compiled in an unknown way throws an error with a workaround', () => {
  expect(() => (rpc as unknown as (value: unknown) => void)(() => {})).toThrow(
    expect.objectContaining({ uri: USAGE, message: expect.stringContaining("static rpc = ['methodName']") }),
  )
})
