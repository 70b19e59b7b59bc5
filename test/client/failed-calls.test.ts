/** The information about its call in an error. */

import { expect, test } from 'vitest'
import {
  CANCELED,
  type Client,
  type Connector,
  NO_SUCH_PROCEDURE,
  RpcClient,
  RUNTIME_ERROR,
  TIMEOUT,
  WampClient,
  WampError,
} from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { failure, leavesNothing } from './support.ts'

leavesNothing()

interface Failing {
  boom(): string
}

const silent = 'com.example.silent'
const publication = [[], {}, { acknowledge: true }] as const

/** Ways to fail. */
const callers: Record<string, (client: RpcClient<Failing>, owner: Client) => Promise<unknown>> = {
  call: (client) => client.call('com.example.boom'),
  callRaw: (client) => client.callRaw('com.example.boom'),
  rpc: (client) => client.rpc.boom(),
  'rpc with options': (client) => client.with({ timeout: 5000 }).rpc.boom(),
  'a call with input': (client) => client.call('com.example.boom', [], {}, { input: [1, 2] }),
  'an unknown procedure': (client) => client.call('com.example.nothing'),
  'a timeout': (client) => client.call(silent, [], {}, { timeout: 5 }),
  'a signal': (client) => client.call(silent, [], {}, { signal: AbortSignal.timeout(5) }),
  'a signal that has aborted': (client) => client.call(silent, [], {}, { signal: AbortSignal.abort() }),
  'arguments that cannot be sent': (client) => client.call(silent, [Number.NaN]),
  'a publication': (client) => client.publish('com.example.refused', ...publication),
  'stop()': (client) => {
    const promise = client.call(silent)
    setImmediate(() => void client.stop())
    return promise
  },
  'a loss': (client, owner) => {
    const promise = client.call(silent)
    void owner.call('wamp.session.kill', [client.session.id])
    return promise
  },
}

/** A router that cannot be reached. */
const unreachable: Connector = {
  name: 'nowhere',
  connect: async () => {
    throw new WampError('wampy.error.connection_failed', ['nobody is there'])
  },
}

test.each([
  ['a timeout', { timeout: 5 }, TIMEOUT, 'no answer within 5 ms to the call of com.example.silent'],
  ['a signal', { signal: AbortSignal.abort('enough') }, CANCELED, 'canceled by its signal'],
  ['no attempt more', {}, 'wampy.error.connection_failed', 'nobody is there'],
] as const)('the error without a session includes both, too: %s', async (_, options, error, message) => {
  await using client = new RpcClient({ router: unreachable, reconnect: 'timeout' in options })
  const checkout = async (): Promise<void> => {
    await client.call(silent, [], {}, options)
  }
  const failed = await failure(checkout())
  expect(failed).toMatchObject({ uri: error, message, procedure: silent })
  expect((failed as Error).stack).toMatch(/^WampError: .+\n[\s\S]*checkout[\s\S]*failed-calls\.test/)
})

const started = Object.entries(callers).map(([name, begin]) => [name, true, begin] as const)
const notStarted = started
  .slice(0, 9)
  .map(([name, , begin]) => [`${name}, of a client that starts`, false, begin] as const)

test.each([...started, ...notStarted])(
  'the stack of the error includes the awaiting code: %s',
  async (_, starts, begin) => {
    await using world = await openWorld({ router: { authorize: ({ uri }) => uri !== 'com.example.refused' } })
    const [callee] = await world.join('callee')
    callee.on('error', () => {})
    await callee.register('com.example.boom', () => {
      throw new Error('boom')
    })
    await callee.register(silent, () => new Promise(() => {}))
    await using client = new RpcClient<Failing>({ router: world.router, prefix: 'com.example' })
    await using owner = new WampClient({ router: world.router.trusted })
    await owner.start()
    if (starts) await client.start()
    const checkout = async (): Promise<void> => {
      await begin(client, owner)
    }
    const outer = async (): Promise<void> => {
      await checkout()
    }
    expect(((await failure(outer())) as Error).stack).toMatch(
      /^WampError: .+\n[\s\S]*checkout[\s\S]*failed-calls\.test[\s\S]*outer[\s\S]*failed-calls\.test/,
    )
  },
)

test('the stack of the error includes the awaiting code behind Promise.all and then', async () => {
  await using world = await openWorld()
  const [client] = await world.join('client')
  const all = async (): Promise<unknown> => Promise.all([client.call('wamp.session.count'), client.call('a.nobody')])
  const checkout = async (): Promise<unknown> => await all()
  const placeOrder = async (): Promise<unknown> => checkout().then(undefined, (error) => Promise.reject(error))
  expect(((await failure(placeOrder())) as Error).stack).toMatch(/async Promise\.all[\s\S]*checkout/)
})

test.each([['text'], [undefined], [Object.freeze(new Error('frozen'))]])(
  'the error of an input is passed on unchanged: %s',
  async (thrown) => {
    await using world = await openWorld()
    const [callee, caller] = await world.join('callee', 'caller')
    await callee.register(silent, () => new Promise(() => {}))
    const input = async function* () {
      yield 1
      throw thrown
    }
    const outcome = await caller.call(silent, [], {}, { input: input() }).then(
      () => 'no error',
      (error) => [error],
    )
    expect(outcome).toEqual([thrown])
  },
)

test('the error names the procedure, for each call that a loss ends', async () => {
  await using world = await openWorld({ link: 'wires' })
  const [callee, caller] = await world.join('callee', 'caller')
  callee.on('error', () => {})
  await callee.register('com.example.throws', () => {
    throw new Error('boom')
  })
  for (const name of ['one', 'two']) await callee.register(`com.example.${name}`, () => new Promise(() => {}))
  expect(await failure(caller.call('com.example.throws'))).toMatchObject({
    uri: RUNTIME_ERROR,
    procedure: 'com.example.throws',
  })
  expect(await failure(caller.call('com.example.nobody'))).toMatchObject({
    uri: NO_SUCH_PROCEDURE,
    procedure: 'com.example.nobody',
  })
  expect(await failure(caller.call('com.example.one', [], {}, { timeout: 20 }))).toMatchObject({
    uri: TIMEOUT,
    procedure: 'com.example.one',
    message: 'no answer within 20 ms to the call of com.example.one',
  })
  const both = ['one', 'two'].map((name) => failure(caller.call(`com.example.${name}`)))
  await caller.call('wamp.session.count')
  await caller.stop()
  expect(await Promise.all(both)).toEqual([
    expect.objectContaining({ procedure: 'com.example.one', sent: true }),
    expect.objectContaining({ procedure: 'com.example.two', sent: true }),
  ])
})
