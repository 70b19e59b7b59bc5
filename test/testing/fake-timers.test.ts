/** A test's fake clock is used while it is there, by the first delivery in memory too, and not afterwards. */

import { afterEach, expect, test, vi } from 'vitest'
import { RpcClient, rpc, WampClient } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'

afterEach(() => {
  vi.useRealTimers()
})

class Adder extends WampClient {
  @rpc add(a: number, b: number): number {
    return a + b
  }
}

async function sum(): Promise<number> {
  await using world = await openWorld()
  await using service = new Adder({ router: world.router })
  await service.start()
  await using client = new RpcClient<Adder>({ router: world.router })
  return await client.rpc.add(1, 2)
}

test('a world under a fake clock, and another after it', async () => {
  vi.useFakeTimers()
  let result: number | undefined
  const faked = sum().then((value) => {
    result = value
  })
  while (result === undefined) await vi.advanceTimersByTimeAsync(10)
  await faked
  vi.useRealTimers()
  expect([result, await sum()]).toEqual([3, 3])
})
