/** Bytes between our client, autobahn and wampy: byte strings in CBOR and MessagePack, NUL and base64 in JSON. */

import { describe, expect, test } from 'vitest'
import { LIBRARIES } from './peers.ts'
import { BYTES } from './samples.ts'
import { openWorld } from './world.ts'

const FOREIGN = ['autobahn', 'wampy'] as const
const LARGE = new Uint8Array(1_100_000).fill(7)

describe.each(['cbor', 'msgpack'] as const)('%s', (format) => {
  test.each(LIBRARIES.flatMap((caller) => LIBRARIES.map((callee) => [caller, callee] as const)))(
    '%s sends bytes to %s and gets them back',
    async (one, other) => {
      await using world = await openWorld()
      const [caller, callee] = [await world.join(one, format), await world.join(other, format)]
      const seen: unknown[] = []
      await callee.register('com.echo', (data) => {
        seen.push(data.args[0])
        return data
      })
      const { args, kwargs } = await caller.call('com.echo', [BYTES, new Uint8Array(0)], { nested: [{ bytes: BYTES }] })
      expect(seen).toEqual([BYTES])
      expect(args).toEqual([BYTES, new Uint8Array(0)])
      expect(kwargs).toEqual({ nested: [{ bytes: BYTES }] })
    },
  )

  test.each(FOREIGN)('a megabyte of bytes goes to %s and back', async (library) => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join('wampy-ts', format), await world.join(library, format)]
    await callee.register('com.echo', (data) => data)
    const { args } = await caller.call('com.echo', [LARGE])
    expect(Buffer.compare(args[0] as Uint8Array, LARGE)).toBe(0)
  })
})

describe.each(FOREIGN)('json: %s', (library) => {
  test('bytes of our client arrive as NUL and base64, and return as bytes', async () => {
    await using world = await openWorld()
    const [caller, callee] = [await world.join('wampy-ts'), await world.join(library)]
    const seen: unknown[] = []
    await callee.register('com.echo', (data) => {
      seen.push(data.args[0])
      return data
    })
    const { args } = await caller.call('com.echo', [BYTES])
    expect(seen).toEqual([`\0${Buffer.from(BYTES).toString('base64')}`])
    expect(args).toEqual([BYTES])
  })

  test('NUL and base64 arrive at our client as bytes, also from binary serializers', async () => {
    await using world = await openWorld()
    const callee = await world.join('wampy-ts')
    const seen: unknown[] = []
    await callee.register('com.echo', (data) => {
      seen.push(data.args[0])
      return data
    })
    const text = `\0${Buffer.from(BYTES).toString('base64')}`
    const inJson = await world.join(library)
    expect(await inJson.call('com.echo', [text])).toMatchObject({ args: [text] })
    for (const format of ['cbor', 'msgpack'] as const) {
      const binary = await world.join(library, format)
      expect(await binary.call('com.echo', [BYTES])).toMatchObject({ args: [BYTES] })
    }
    expect(seen).toEqual([BYTES, BYTES, BYTES])
  })
})
