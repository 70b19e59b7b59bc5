/** Calls between our client, autobahn and wampy through our router, in every pair and serializer. */

import { describe, expect, test } from 'vitest'
import { WampError } from 'wampy-ts'
import { FORMATS, LIBRARIES } from './peers.ts'
import { INTEGERS, NESTED, UNICODE } from './samples.ts'
import { openWorld } from './world.ts'

const pairs = FORMATS.flatMap((format) =>
  LIBRARIES.flatMap((caller) => LIBRARIES.map((callee) => [format, caller, callee] as const)),
)

describe.each(pairs)('%s: %s calls %s', (format, one, other) => {
  test('args and kwargs make a round trip', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
    const seen: unknown[] = []
    await callee.register('com.echo', (data) => {
      seen.push(data)
      return data
    })
    const sent = { args: NESTED, kwargs: { unit: 'cm', nested: { list: [...NESTED] } } }
    expect(await caller.call('com.echo', sent.args, sent.kwargs)).toMatchObject(sent)
    expect(seen).toEqual([sent])
  })

  test('absent args, kwargs alone and several results', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
    await callee.register('com.count', ({ args, kwargs }) => ({
      args: [args.length, Object.keys(kwargs).length],
      kwargs: {},
    }))
    expect(await caller.call('com.count')).toMatchObject({ args: [0, 0] })
    expect(await caller.call('com.count', undefined, { a: 1 })).toMatchObject({ args: [0, 1] })
    expect(await caller.call('com.count', [1, 2])).toMatchObject({ args: [2, 0] })
  })

  test('text of every script, as value and as key', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
    await callee.register('com.echo', (data) => data)
    const kwargs = { [UNICODE]: UNICODE }
    expect(await caller.call('com.echo', [UNICODE], kwargs)).toMatchObject({ args: [UNICODE], kwargs })
  })

  test('integers up to 2^53', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
    await callee.register('com.echo', (data) => data)
    expect(await caller.call('com.echo', [INTEGERS, 0])).toMatchObject({ args: [INTEGERS, 0] })
  })

  test('an error keeps its URI, args and kwargs', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
    await callee.register('com.book', () => {
      throw new WampError('com.error.sold_out', ['no seats left', 3], { next: UNICODE })
    })
    await expect(caller.call('com.book')).rejects.toMatchObject({
      uri: 'com.error.sold_out',
      args: ['no seats left', 3],
      kwargs: { next: UNICODE },
    })
  })

  test('more than a megabyte of arguments, and a result of more than 64 kB', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
    await callee.register('com.half', ({ args: [text, list] }) => ({
      args: [(text as string).slice(0, 70_000), list],
      kwargs: {},
    }))
    const text = UNICODE.repeat(Math.ceil(1_200_000 / UNICODE.length))
    const list = Array.from({ length: 5000 }, (_, i) => i * 1000)
    const { args } = await caller.call('com.half', [text, list])
    // A failed comparison would print it all.
    expect(args[0] === text.slice(0, 70_000)).toBe(true)
    expect(args[1]).toEqual(list)
  })

  test('many concurrent calls get each its own result, in any order', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
    const waiting: (() => void)[] = []
    await callee.register('com.echo', async (data) => {
      // The last one releases all, in reverse.
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        if (waiting.length === 300) for (const go of waiting.reverse()) go()
      })
      return data
    })
    const numbers = Array.from({ length: 300 }, (_, i) => i)
    const results = await Promise.all(numbers.map((i) => caller.call('com.echo', [i])))
    expect(results.map(({ args }) => args[0])).toEqual(numbers)
  })

  test('an unregistered procedure no longer exists, and may be registered again', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
    await expect(caller.call('com.echo', [1])).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    const unregister = await callee.register('com.echo', (data) => data)
    await expect(caller.register('com.echo', (data) => data)).rejects.toMatchObject({
      uri: 'wamp.error.procedure_already_exists',
    })
    await unregister()
    await expect(caller.call('com.echo', [1])).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    await callee.register('com.echo', (data) => data)
    expect(await caller.call('com.echo', [2])).toMatchObject({ args: [2] })
  })
})

const mixed = FORMATS.flatMap((from) => FORMATS.filter((to) => to !== from).map((to) => [from, to] as const))

describe.each(mixed)('a caller in %s and a callee in %s', (from, to) => {
  test.each(LIBRARIES)('%s', async (library) => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join(library, from), await world.join(library, to)]
    await callee.register('com.echo', (data) => data)
    const sent = { args: [NESTED, INTEGERS, UNICODE], kwargs: { unicode: UNICODE } }
    expect(await caller.call('com.echo', sent.args, sent.kwargs)).toMatchObject(sent)
  })
})
