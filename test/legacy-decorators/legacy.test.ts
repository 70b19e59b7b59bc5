/** `@rpc` and `@subscribe` under `experimentalDecorators`, as this folder's tsconfig sets it. */

import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import {
  getRegisteredEntrypoints,
  type Invocation,
  type ReceivedEvent,
  RpcClient,
  rpc,
  subscribe,
  WampClient,
  WampError,
} from 'wampy-ts'
import { openWorld, scriptedRouter } from 'wampy-ts/testing'

/** What a service asks its router for: `[URI, options]`. */
async function asked(make: (router: ReturnType<typeof scriptedRouter>) => WampClient) {
  const router = scriptedRouter(([code, request], peer) => {
    if (code === 1) peer.send([2, 1, { roles: {} }])
    if (code === 6) peer.send([6, {}, 'wamp.close.goodbye_and_out'])
    if (code === 32 || code === 64) peer.send([code + 1, request, (request as number) + 1000])
  })
  const service = make(router)
  onTestFinished(() => service.stop())
  await service.start()
  return (router.peers[0]?.received ?? [])
    .filter(({ length }) => length === 4)
    .map(([, , options, uri]) => [uri, options])
}

class DateService extends WampClient {
  static prefix = 'com.example'
  readonly heard: unknown[] = []

  @rpc
  getTodaysDate(): string {
    return '2016-05-15'
  }

  @rpc('org.example.sum')
  add(a: number, b: number): number {
    return a + b
  }

  @rpc('org.example.shared', { invoke: 'roundrobin' })
  shared(): void {}

  @rpc({ uri: 'org.example.who', invocation: true })
  who(invocation: Invocation, name: string): unknown {
    return [name, invocation.kwargs]
  }

  @subscribe
  onTick(): void {}

  @subscribe({ uri: 'org.example.tick', event: true })
  onEvent(event: ReceivedEvent, first: unknown): void {
    this.heard.push(event.topic, event.kwargs, first)
  }
}

test('these decorators are the legacy ones', () => {
  const tsconfig = JSON.parse(readFileSync(new URL('tsconfig.json', import.meta.url), 'utf8'))
  expect(tsconfig.compilerOptions.experimentalDecorators).toBe(true)
  let given: unknown[] = []
  const spy = (...args: unknown[]): void => {
    given = args
  }
  class Decorated {
    @spy method(): void {}
  }
  expect(given).toEqual([Decorated.prototype, 'method', expect.objectContaining({ value: expect.any(Function) })])
})

test('bare, with a URI, with options: each is registered, under the prefix if it has no URI', async () => {
  expect(await asked((router) => new DateService({ router }))).toEqual([
    ['com.example.getTodaysDate', {}],
    ['org.example.sum', {}],
    ['org.example.shared', { invoke: 'roundrobin' }],
    ['org.example.who', {}],
    ['com.example.onTick', {}],
    ['org.example.tick', {}],
  ])
})

test('they are called by the class, by its types, with this and their arguments', async () => {
  class Service extends WampClient {
    readonly factor = 10
    @rpc('org.example.scale') scale(a: number): number {
      return a * this.factor
    }
    @rpc({ uri: 'org.example.who', invocation: true }) who(invocation: Invocation, name: string): unknown {
      return [name, invocation.kwargs]
    }
    @subscribe({ uri: 'org.example.tick', event: true }) onTick({ kwargs }: ReceivedEvent, first: unknown): void {
      this.emit('error', [kwargs, first])
    }
  }
  await using world = await openWorld()
  await using service = new Service({ router: world.router })
  const heard: unknown[] = []
  service.on('error', (what) => heard.push(what))
  await service.start()
  expect([...getRegisteredEntrypoints().values()]).toEqual([
    [Service, 'scale'],
    [Service, 'who'],
  ])
  await using client = new RpcClient({ service: Service, router: world.router })
  expect(await client.rpc.scale(4)).toBe(40)
  expect(await client.with({ kwargs: { a: 1 } }).rpc.who('Joe')).toEqual(['Joe', { a: 1 }])
  await client.publish('org.example.tick', [1], { b: 2 }, { acknowledge: true })
  await service.call('org.example.nothing').catch(() => {})
  expect(heard).toEqual([[{ b: 2 }, 1]])
})

test('a derived class inherits them, and its override has its own URI or keeps that of the base', async () => {
  class Kept extends DateService {
    override getTodaysDate(): string {
      return 'kept'
    }
  }
  class Own extends DateService {
    @rpc('org.own.date') override getTodaysDate(): string {
      return 'own'
    }
  }
  const uris = async (Service: typeof DateService) =>
    (await asked((router) => new Service({ router }))).map(([uri]) => uri)
  expect(await uris(Kept)).toContain('com.example.getTodaysDate')
  const own = await uris(Own)
  expect(own).toContain('org.own.date')
  expect(own).not.toContain('com.example.getTodaysDate')
  expect(own).toContain('org.example.sum')
  await using world = await openWorld()
  await using service = new Kept({ router: world.router })
  await service.start()
  await using caller = await world.client('caller')
  expect(await caller.call('com.example.getTodaysDate')).toBe('kept')
})

test('a decorator above that replaces the method takes effect', async () => {
  const shouting = (_target: object, _name: string, descriptor: PropertyDescriptor): PropertyDescriptor => {
    const { value } = descriptor
    return { ...descriptor, value: (...args: unknown[]) => `${value(...args)}!` }
  }
  class Service extends WampClient {
    @shouting @rpc('org.example.above') above(): string {
      return 'above'
    }
    @rpc('org.example.below') @shouting below(): string {
      return 'below'
    }
  }
  await using world = await openWorld()
  await using service = new Service({ router: world.router })
  await service.start()
  const [caller] = await world.join('caller')
  expect([await caller.call('org.example.above'), await caller.call('org.example.below')]).toEqual(['above!', 'below!'])
})

test('a static method and a symbol as name are refused when the class is defined', () => {
  const refused = (make: () => unknown) => {
    expect(make).toThrow(WampError)
    expect(make).toThrow(/@rpc goes on a public method/)
  }
  refused(() => {
    class Wrong extends WampClient {
      @rpc static date(): void {}
    }
    return Wrong
  })
  refused(() => {
    class Wrong extends WampClient {
      @rpc [Symbol.iterator](): void {}
    }
    return Wrong
  })
})

test('two services of one class do not share their state', async () => {
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
