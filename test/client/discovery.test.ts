/** The list of callable procedures, and the description that a service publishes. */

import { describe, expect, test } from 'vitest'
import { description, type Invocation, RpcClient, rpc, type ServiceDescription, subscribe, WampClient } from 'wampy-ts'
import { CALL, ERROR, openWorld, REGISTER, RESULT } from 'wampy-ts/testing'
import { parametersOf } from '../../src/client/service/description.ts'
import { failure, leavesNothing, uri, welcoming } from './support.ts'

leavesNothing()

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  static describe = description
  static doc = 'Sells tea.'

  @rpc({ doc: 'What a number of articles costs.' }) price(_article: string, _count = 1): number {
    return 3
  }
  @rpc({ uri: 'com.example.order', invocation: true }) async *order(
    _it: Invocation,
    ..._articles: string[]
  ): AsyncGenerator<string> {}
  @rpc({ uri: 'com.example.any', match: 'prefix' }) any(): void {}
  @subscribe({ uri: 'com.example.reset', doc: 'Forgets all orders.' }) reset(): void {}
}

async function opened() {
  const world = await openWorld()
  const client = new RpcClient({ router: world.connector('client') })
  return {
    world,
    client,
    async [Symbol.asyncDispose]() {
      await client.stop()
      await world[Symbol.asyncDispose]()
    },
  }
}

describe('entrypoints', () => {
  test('returns the callable procedures of all callees, including patterns', async () => {
    await using at = await opened()
    const [alice, bob] = await at.world.join('alice', 'bob')
    expect(await at.client.entrypoints()).toEqual([])
    const one = await alice.register('com.example.one', () => 1, { invoke: 'roundrobin' })
    await bob.register('com.example.one', () => 1, { invoke: 'roundrobin' })
    await bob.register('com.example', () => 2, { match: 'prefix' })
    await bob.register('com..x', () => 3, { match: 'wildcard' })
    const created = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)
    const id = expect.any(Number)
    expect(await at.client.entrypoints()).toEqual([
      { id: one.id, uri: 'com.example.one', match: 'exact', invoke: 'roundrobin', created },
      { id, uri: 'com.example', match: 'prefix', invoke: 'single', created },
      { id, uri: 'com..x', match: 'wildcard', invoke: 'single', created },
    ])
  })

  test('returns hundreds of them, even if one is unregistered meanwhile', async () => {
    const asked: unknown[] = []
    const router = welcoming(([code, request, , procedure, args], peer) => {
      if (code !== CALL) return
      const [id] = (args ?? []) as number[]
      if (procedure === 'wamp.registration.list') {
        const exact = Array.from({ length: 250 }, (_, i) => i + 1)
        peer.send([RESULT, request, {}, [{ exact, prefix: [], wildcard: [] }]])
      } else if (id === 7) peer.send([ERROR, CALL, request, {}, 'wamp.error.no_such_registration'])
      else peer.send([RESULT, request, {}, [{ id, uri: `a.${id}`, match: 'exact', invoke: 'single', created: '' }]])
      asked.push(procedure)
    })
    await using client = new RpcClient({ router })
    const found = await client.entrypoints()
    expect([found.length, asked.length, found.some(({ uri }) => uri === 'a.7')]).toEqual([249, 251, false])
  })

  test('throws feature_not_supported if the router has no such API, and any other error unchanged', async () => {
    for (const [answer, expected] of [
      [
        'wamp.error.no_such_procedure',
        { uri: 'wamp.error.feature_not_supported', message: expect.stringContaining('no registration meta API') },
      ],
      ['wamp.error.not_authorized', { uri: 'wamp.error.not_authorized' }],
    ] as const) {
      const router = welcoming(([code, request], peer) => {
        if (code === CALL) peer.send([ERROR, CALL, request, {}, answer])
      })
      await using client = new RpcClient({ router })
      expect(await failure(client.entrypoints())).toMatchObject(expected)
    }
    await using world = await openWorld({ router: { roles: ['dealer'] } })
    await using client = new RpcClient({ router: world.connector('client') })
    expect(await failure(client.entrypoints())).toEqual(uri('wamp.error.feature_not_supported'))
  })
})

describe('describe()', () => {
  test('returns the declarations of a service under its prefix', async () => {
    await using at = await opened()
    await using shop = new Shop({ router: at.world.connector('shop') })
    await shop.start()
    const said = await at.client.describe('com.example.shop')
    expect(said).toEqual({
      service: 'Shop',
      prefix: 'com.example.shop',
      doc: 'Sells tea.',
      procedures: [
        {
          uri: 'com.example.shop.price',
          method: 'price',
          parameters: [{ name: '_article' }, { name: '_count', optional: true }],
          doc: 'What a number of articles costs.',
        },
        { uri: 'com.example.order', method: 'order', parameters: [{ name: '_articles', rest: true }], stream: true },
        { uri: 'com.example.any', method: 'any', parameters: [], match: 'prefix' },
      ],
      topics: [{ uri: 'com.example.reset', method: 'reset', doc: 'Forgets all orders.' }],
    } satisfies ServiceDescription)
    expect((await at.client.entrypoints()).map(({ uri }) => uri)).toContain('com.example.shop.wampy.describe')
    // Docs are for people: they are not sent to the router.
    const registers = at.world.log.sent('shop').filter(([code]) => code === REGISTER)
    expect(registers.map(([, , options]) => options)).toEqual([{}, {}, { match: 'prefix' }, { invoke: 'roundrobin' }])
  })

  test('uses the prefix of the instance, and any number of instances may serve it', async () => {
    class Shared extends WampClient {
      static describe = description
      static rpc = { price: { invoke: 'roundrobin' } }
      price(): number {
        return 3
      }
    }
    await using at = await opened()
    const shops = [1, 2].map(() => new Shared({ router: at.world.connector('shop'), prefix: 'com.other.' }))
    for (const shop of shops) await shop.start()
    await using client = new RpcClient<Shared>({ router: at.world.connector('typed'), prefix: 'com.other.' })
    expect((await client.describe()).procedures[0]?.uri).toBe('com.other.price')
    await shops[0]?.stop()
    expect((await client.describe()).service).toBe('Shared')
    await shops[1]?.stop()
    expect(await failure(client.describe())).toEqual(uri('wamp.error.no_such_procedure'))
  })

  test('needs a prefix, on both sides', async () => {
    class Nowhere extends WampClient {
      static describe = description
    }
    await using at = await opened()
    const service = new Nowhere({ router: at.world.connector('service') })
    expect(await failure(service.start())).toEqual(uri('wampy.error.usage'))
    expect(await failure(at.client.describe())).toEqual(uri('wampy.error.usage'))
  })

  test('finds the service through the class of the client', async () => {
    await using at = await opened()
    await using shop = new Shop({ router: at.world.connector('shop') })
    await shop.start()
    await using client = new RpcClient({ service: Shop, router: at.world.connector('typed') })
    expect((await client.describe()).service).toBe('Shop')
  })
})

test('the names of parameters are read from the source of a function', () => {
  const names = (method: unknown) =>
    parametersOf(method).map(({ name, optional, rest }) => `${rest ? '...' : ''}${name}${optional ? '?' : ''}`)
  expect(names(() => {})).toEqual([])
  expect(names((a: number, b: number) => a + b)).toEqual(['a', 'b'])
  expect(names(async (größe: number, $x = ',)', ...rest: unknown[]) => [größe, $x, rest])).toEqual([
    'größe',
    '$x?',
    '...rest',
  ])
  expect(
    names(({ a }: { a: number }, [b]: number[], { c } = { c: 1 }, last = [1, Math.max(2, 3)]) => [a, b, c, last]),
  ).toEqual(['arg0', 'arg1', 'arg2?', 'last?'])
  expect(names(new Function('a /* the, first */', 'b = "\\")"', 'return a + b'))).toEqual(['a', 'b?'])
  expect(names({ async *many(_one: number) {} }.many)).toEqual(['_one'])
  expect(names(Math.max)).toEqual([])
})
