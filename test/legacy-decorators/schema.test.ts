/** Argument checks under `experimentalDecorators`: at run time and at compile time. */

import { expect, expectTypeOf, test } from 'vitest'
import { type Invocation, rpc, WampClient } from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { z } from 'zod'

const pair = z.tuple([z.number(), z.string()])

test('invalid arguments are refused before the method runs', async () => {
  class Service extends WampClient {
    ran = 0
    @rpc({ uri: 'com.example.pair', args: pair, result: z.string() })
    pair(a: number, b: string): string {
      this.ran++
      return b.repeat(a)
    }
  }
  await using world = await openWorld()
  await using service = new Service({ router: world.router })
  await service.start()
  const [caller] = await world.join('caller')
  expect(await caller.call('com.example.pair', [2, 'ab'])).toBe('abab')
  await expect(caller.call('com.example.pair', ['2', 'ab'])).rejects.toMatchObject({
    uri: 'wamp.error.invalid_argument',
    message: expect.stringMatching(/^args\[0\]: /),
  })
  expect(service.ran).toBe(1)
})

test('a method that does not accept the output of the schemas does not compile', () => {
  class Service extends WampClient {
    @rpc({ args: pair, result: z.void() }) exactly(_a: number, _b: string): void {}
    @rpc('com.example.uri', { args: [z.number()] }) each(_a: number): void {}
    @rpc({ args: pair, invocation: true }) who(_invocation: Invocation, _a: number, _b: string): void {}
    @rpc({ kwargs: z.object({ unit: z.string() }), input: z.number(), invocation: true })
    named(_invocation: Invocation<number, { unit: string }>): void {}

    // @ts-expect-error: the items are numbers
    @rpc({ input: z.number(), invocation: true }) items(_invocation: Invocation<string>): void {}
    // @ts-expect-error: the schema makes a number of the first
    @rpc({ args: pair }) other(_a: string, _b: string): void {}
    // @ts-expect-error: a parameter too many
    @rpc({ args: [z.number()] }) more(_a: number, _b: string): void {}
    // @ts-expect-error: a text is expected
    @rpc({ result: z.string() }) result(): number {
      return 1
    }
  }
  expectTypeOf<Service['exactly']>().toBeFunction()
})
