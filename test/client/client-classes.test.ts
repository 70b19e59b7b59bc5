/** The classes of clients: the features of each, and the errors for features of another. */

import { describe, expect, onTestFinished, test } from 'vitest'
import {
  Client,
  type ClientOptions,
  DEFAULT_ROLES,
  description,
  RpcClient,
  rpc,
  subscribe,
  USAGE,
  WampClient,
} from 'wampy-ts'
import { HELLO, openWorld } from 'wampy-ts/testing'
import { failure, leavesNothing, welcoming } from './support.ts'

leavesNothing()

/** The roles in the HELLO of a started client. */
async function helloOf(make: (options: ClientOptions) => Client): Promise<unknown> {
  const router = welcoming()
  const client = make({ router, reconnect: false })
  onTestFinished(() => client.stop())
  await client.start()
  const hello = router.peers[0]?.received.find(([code]) => code === HELLO)
  return (hello?.[2] as { readonly roles: unknown } | undefined)?.roles
}

test('both classes extend Client, which cannot be constructed itself', () => {
  expect(new WampClient()).toBeInstanceOf(Client)
  expect(new RpcClient()).toBeInstanceOf(Client)
  expect(new RpcClient()).not.toBeInstanceOf(WampClient)
  const Base = Client as unknown as new (options: ClientOptions) => Client
  expect(() => new Base({})).toThrow(
    expect.objectContaining({ uri: USAGE, message: expect.stringContaining('WampClient') }),
  )
  class Own extends Base {}
  expect(() => new Own({})).toThrow(expect.objectContaining({ uri: USAGE }))
})

describe('roles', () => {
  const { callee: _, ...three } = DEFAULT_ROLES

  test('a WampClient announces all four, an RpcClient all except the callee', async () => {
    expect(await helloOf((options) => new WampClient(options))).toEqual(DEFAULT_ROLES)
    expect(await helloOf((options) => new RpcClient(options))).toEqual(three)
  })

  test('an RpcClient announces those of a dictionary that it implements', async () => {
    expect(await helloOf((options) => new RpcClient({ ...options, roles: DEFAULT_ROLES }))).toEqual(three)
    const roles = { callee: {}, caller: {} }
    expect(await helloOf((options) => new RpcClient({ ...options, roles }))).toEqual({
      caller: DEFAULT_ROLES['caller'],
    })
    expect(await helloOf((options) => new WampClient({ ...options, roles: DEFAULT_ROLES }))).toEqual(DEFAULT_ROLES)
  })

  test('a list with the callee is refused by an RpcClient', () => {
    for (const roles of [['callee'], ['caller', 'callee']] as const) {
      expect(() => new RpcClient({ roles })).toThrow(
        expect.objectContaining({ uri: USAGE, message: expect.stringContaining('WampClient') }),
      )
    }
    expect(() => new RpcClient({ roles: { callee: {} } })).toThrow(expect.objectContaining({ uri: USAGE }))
  })
})

describe('an RpcClient refuses callee features with an error that names WampClient', () => {
  const refused = expect.objectContaining({ uri: USAGE, message: expect.stringContaining('WampClient'), sent: false })

  test('register', async () => {
    const client = new RpcClient({ router: welcoming() })
    // @ts-expect-error: its types do not allow the call
    expect(await failure(client.register('com.example.add', () => 1))).toEqual(refused)
    expect(client.state).toBe('stopped')
  })

  test.each<[string, () => new () => Client]>([
    [
      '@rpc',
      () => {
        class Odd extends RpcClient {
          @rpc
          add(): void {}
        }
        return Odd
      },
    ],
    [
      '@subscribe',
      () => {
        class Odd extends RpcClient {
          @subscribe('com.example.news')
          hear(): void {}
        }
        return Odd
      },
    ],
    [
      'static rpc',
      () => {
        class Odd extends RpcClient {
          static rpc = ['add']
        }
        return Odd
      },
    ],
    [
      'static subscribe',
      () => {
        class Odd extends RpcClient {
          static subscribe = { hear: 'com.example.news' }
        }
        return Odd
      },
    ],
    [
      'a static rpc that it inherits',
      () => {
        class Base extends RpcClient {
          static rpc = { add: 'com.example.add' }
        }
        return class Odd extends Base {}
      },
    ],
    [
      'static describe',
      () => {
        class Odd extends RpcClient {
          static prefix = 'com.example'
          static describe = description
        }
        return Odd
      },
    ],
  ])('%s', (_name, made) => {
    const Odd = made()
    expect(() => new Odd()).toThrow(refused)
  })

  test('a declaration that only the instance knows, before the client connects', async () => {
    const wrapped = (_method: unknown, _context: unknown) => function (this: unknown) {}
    class Odd extends RpcClient {
      @wrapped
      @rpc
      add(): void {}
    }
    const router = welcoming()
    const client = new Odd({ router })
    expect(await failure(client.start())).toEqual(refused)
    expect(await failure(client.rpc['com.example.other']())).toEqual(refused)
    expect(router.peers).toEqual([])
  })
})

test('an RpcClient subscribes, reads events and publishes', async () => {
  await using world = await openWorld()
  await using client = new RpcClient({ router: world.connector('client') })
  const heard: unknown[] = []
  const handle = await client.subscribe('com.example.news', (args) => heard.push(args))
  expect(client.subscriptions).toEqual([handle])
  const events = client.events('com.example.news')
  await events.subscription
  await client.publish('com.example.news', [1], undefined, { acknowledge: true, exclude_me: false })
  const { value } = await events.next()
  expect([value?.args, heard]).toEqual([[1], [[1]]])
  await events.return?.()
  await handle.unsubscribe()
  expect(client.subscriptions).toEqual([])
})
