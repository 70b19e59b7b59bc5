/** The information about its call in an error. */

import { expect, test } from 'vitest'
import { type Client, NO_SUCH_PROCEDURE, type Rpc, RpcClient, RUNTIME_ERROR, TIMEOUT } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { failure, leavesNothing } from './support.ts'

leavesNothing()

interface Failing {
  boom(): string
}

const callers = {
  call: (client: Client) => client.call('com.example.boom'),
  callRaw: (client: Client) => client.callRaw('com.example.boom'),
  rpc: (client: Client) => (client as unknown as { rpc: Rpc<Failing> }).rpc.boom(),
  'an unknown procedure': (client: Client) => client.call('com.example.nothing'),
  'a timeout': (client: Client) => client.call('com.example.silent', [], {}, { timeout: 5 }),
} satisfies Record<string, (client: Client) => Promise<unknown>>

test.each(Object.entries(callers))('the stack of the error includes the awaiting code: %s', async (_, begin) => {
  await using world = await openWorld()
  const [callee] = await world.join('callee')
  callee.on('error', () => {})
  await callee.register('com.example.boom', () => {
    throw new Error('boom')
  })
  await callee.register('com.example.silent', () => new Promise(() => {}))
  await using client = new RpcClient<Failing>({ router: world.router, prefix: 'com.example' })
  await client.start()
  const checkout = async (): Promise<void> => {
    await begin(client)
  }
  const placeOrder = async (): Promise<void> => checkout().then(undefined, (error) => Promise.reject(error))
  const outer = async (): Promise<void> => {
    await checkout()
  }
  expect(((await failure(outer())) as Error).stack).toMatch(
    /checkout[\s\S]*failed-calls\.test[\s\S]*outer[\s\S]*failed-calls\.test/,
  )
  expect(((await failure(placeOrder())) as Error).stack).toMatch(
    /^WampError: .+\n[\s\S]*checkout[\s\S]*failed-calls\.test/,
  )
})

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
