/** `client.service(...)`, many services over one session, and `uriOf`, the URI of a typed procedure. */

import { expect, test } from 'vitest'
import { type Client, type Invocation, RpcClient, rpc, TIMEOUT, USAGE, uriOf, WampClient } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { failure, leavesNothing, welcoming } from './support.ts'

leavesNothing()

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  @rpc price(item: string): string {
    return `${item}: 3`
  }
  @rpc('com.example.bill') total(...amounts: number[]): number {
    return amounts.reduce((sum, amount) => sum + amount, 0)
  }
  @rpc({ invocation: true }) async *count(_: Invocation, to: number): AsyncGenerator<number, string> {
    for (let n = 1; n <= to; n++) yield n
    return 'counted'
  }
}

class Till extends WampClient {
  static rpc = { open: 'com.example.till.open' }
  open(): string {
    return 'open'
  }
}

const usage = (text: string) => expect.objectContaining({ uri: USAGE, message: expect.stringContaining(text) })
const clients: [string, () => Client][] = [
  ['a WampClient', () => new WampClient({ router: welcoming() })],
  ['an RpcClient', () => new RpcClient({ router: welcoming() })],
]

for (const Class of [WampClient, RpcClient]) {
  test(`a ${Class.name} calls many services over one session`, async () => {
    await using world = await openWorld()
    await using shop = new Shop({ router: world.connector('shop') })
    await using till = new Till({ router: world.connector('till') })
    await Promise.all([shop.start(), till.start()])
    const [other] = await world.join('other')
    await other.register('com.other.price', (args) => `${args[0]}: 5`)

    await using client: Client = new Class({ router: world.connector('client') })
    await client.start()
    const { rpc, stream } = client.service(Shop)
    expect(await rpc.price('tea')).toBe('tea: 3')
    expect(await rpc.total(1, 2, 3)).toBe(6)
    expect(await client.service(Till).rpc.open()).toBe('open')
    expect(await client.service(Shop, { prefix: 'com.other' }).rpc.price('tea')).toBe('tea: 5')
    expect(await client.service<Pick<Shop, 'price'>>('com.other').rpc.price('mate')).toBe('mate: 5')
    expect(await client.service().rpc.com.example.bill(4)).toBe(4)

    const counting = stream.count(3)
    const parts: number[] = []
    for await (const part of counting) parts.push(part)
    expect([parts, await counting.result]).toEqual([[1, 2, 3], 'counted'])
    expect(world.router.stats().sessions).toBe(4)
  })
}

test('with() passes options and keyword arguments', async () => {
  await using world = await openWorld()
  const [callee, caller] = await world.join('callee', 'caller')
  await callee.register('com.example.shop.price', (args, kwargs) => [args, kwargs])
  await callee.register('com.example.bill', () => new Promise(() => {}))
  const shop = caller.service(Shop)
  const { rpc, stream } = shop.with({ kwargs: { unit: 'kg' } })
  expect(await rpc.price('tea')).toEqual([['tea'], { unit: 'kg' }])
  expect(uriOf(stream.count)).toBe('com.example.shop.count')
  expect(await failure(shop.with({ timeout: 10 }).rpc.total(1))).toMatchObject({ uri: TIMEOUT })
})

test.each(clients)('%s returns the same view for the same class and prefix', (_, make) => {
  const client = make()
  const shop = client.service(Shop)
  expect(client.service(Shop)).toBe(shop)
  expect(client.service(Shop, {})).toBe(shop)
  expect(client.service(Shop, { prefix: 'com.example.shop' })).toBe(shop)
  expect(client.service(Shop).rpc.price).toBe(shop.rpc.price)
  const others: unknown[] = [
    shop,
    client.service(Shop, { prefix: 'com.other' }),
    client.service(Till),
    client.service<Shop>('com.example.shop'),
    client.service<Shop>('com.other'),
    client.service<Shop>('__proto__'),
    client.service<Shop>(),
    make().service(Shop),
  ]
  expect(new Set(others).size).toBe(others.length)
  expect(client.service<Till>('com.other')).toBe(others[4])
  expect(client.service('__proto__')).toBe(others[5])
  expect(uriOf(client.service('__proto__').rpc.price)).toBe('__proto__.price')
  expect(client.service('')).toBe(client.service())
})

test("an RpcClient's own procedures are those of its service", () => {
  const client = new RpcClient({ router: welcoming(), service: Shop })
  const shop = client.service(Shop)
  expect(client.rpc).toBe(shop.rpc)
  expect(client.stream).toBe(shop.stream)
  const elsewhere = new RpcClient({ router: welcoming(), service: Shop, prefix: 'com.other' })
  expect(elsewhere.rpc).toBe(elsewhere.service(Shop, { prefix: 'com.other' }).rpc)
  const typed = new RpcClient<Shop>({ router: welcoming(), prefix: 'com.other' })
  expect(typed.rpc).toBe(typed.service<Shop>('com.other').rpc)
})

test('anything but a class or a prefix is refused', () => {
  const client = new RpcClient({ router: welcoming() })
  for (const wrong of [5, { prefix: 'com.example' }, new Shop({ router: welcoming() }), true, Symbol('a')]) {
    expect(() => client.service(wrong as never)).toThrow(usage('a service is a class or a prefix'))
  }
  expect(() => client.service(Shop, { prefix: 5 as never })).toThrow(usage('a service is a class or a prefix'))
  expect(client.state).toBe('stopped')
})

test('a prefix that cannot be part of a URI is refused by the call', async () => {
  const client = new RpcClient({ router: welcoming() })
  expect(await failure(client.service('com. example').rpc.price())).toMatchObject({
    uri: 'wamp.error.invalid_uri',
    sent: false,
  })
})

test('a loss of the session does not end a view', async () => {
  await using world = await openWorld()
  await using service = new Shop({ router: world.connector('shop') })
  await service.start()
  await using client = new RpcClient({ router: world.connector('client') })
  const shop = client.service(Shop)
  expect(await shop.rpc.price('tea')).toBe('tea: 3')
  await client.stop()
  expect(await shop.rpc.price('tea')).toBe('tea: 3')
})

test('uriOf returns the URI of a procedure or stream', () => {
  const client = new RpcClient({ router: welcoming(), service: Shop })
  expect(uriOf(client.rpc.price)).toBe('com.example.shop.price')
  expect(uriOf(client.rpc.total)).toBe('com.example.bill')
  expect(uriOf(client.stream.count)).toBe('com.example.shop.count')
  expect(uriOf(client.with({ timeout: 5 }).rpc.price)).toBe('com.example.shop.price')
  expect(uriOf(client.service(Till).rpc.open)).toBe('com.example.till.open')
  const elsewhere = client.service(Shop, { prefix: 'com.other.' })
  expect(uriOf(elsewhere.rpc.price)).toBe('com.other.price')
  expect(uriOf(elsewhere.with({ timeout: 5 }).stream.count)).toBe('com.other.count')
  expect(uriOf(client.service().rpc.com.example.any)).toBe('com.example.any')
  expect(uriOf(client.service().rpc.uri)).toBe('uri')
  expect(client.state).toBe('stopped')
})

test('uriOf refuses anything else', () => {
  const client = new RpcClient({ router: welcoming() })
  const wrong = [
    client.rpc,
    client.service('com.example').rpc,
    () => {},
    Math.max,
    {},
    'com.example.price',
    null,
    undefined,
  ]
  for (const value of wrong) expect(() => uriOf(value as never)).toThrow(usage('uriOf expects a procedure'))
  expect(client.state).toBe('stopped')
})
