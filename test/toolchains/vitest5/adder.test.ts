import { expect, test } from 'vitest'
import { RpcClient } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { Adder } from './src/adder'

test('a decorated service answers', async () => {
  const world = await openWorld()
  const service = new Adder({ router: world.router })
  const client = new RpcClient({ service: Adder, router: world.router })
  await service.start()
  expect([await client.rpc.add(1, 2), await client.rpc.negate(3), await client.rpc.scale(3)]).toEqual([3, -3, 30])
  await client.stop()
  await service.stop()
  await world[Symbol.asyncDispose]()
})
