/** Events between our client, autobahn and wampy through our router, in every pair and serializer. */

import { describe, expect, test } from 'vitest'
import { type Data, FORMATS, LIBRARIES, type Peer } from './peers.ts'
import { INTEGERS, NESTED, UNICODE } from './samples.ts'
import { openWorld } from './world.ts'

const pairs = FORMATS.flatMap((format) =>
  LIBRARIES.flatMap((publisher) => LIBRARIES.map((subscriber) => [format, publisher, subscriber] as const)),
)

describe.each(pairs)('%s: %s publishes to %s', (format, one, other) => {
  test('args, kwargs and large payloads arrive, in order', async () => {
    await using world = await openWorld()
    const [publisher, subscriber] = [await world.join(one, format), await world.join(other, format)]
    const inbox = await listen(subscriber, 'com.news')
    const long = UNICODE.repeat(Math.ceil(1_100_000 / UNICODE.length))
    await publisher.publish('com.news')
    await publisher.publish('com.news', [NESTED, INTEGERS], { [UNICODE]: UNICODE })
    await publisher.publish('com.news', undefined, { only: 'kwargs' })
    await publisher.publish('com.news', [long])
    await publisher.publish('com.news', ['last'])
    expect(await inbox.next()).toEqual({ args: [], kwargs: {} })
    expect(await inbox.next()).toEqual({ args: [NESTED, INTEGERS], kwargs: { [UNICODE]: UNICODE } })
    expect(await inbox.next()).toEqual({ args: [], kwargs: { only: 'kwargs' } })
    expect((await inbox.next()).args[0] === long).toBe(true)
    expect(await inbox.next()).toEqual({ args: ['last'], kwargs: {} })
  })

  test('an acknowledged event has an id, and a refused one an error', async () => {
    await using world = await openWorld()
    const [publisher, subscriber] = [await world.join(one, format), await world.join(other, format)]
    const inbox = await listen(subscriber, 'com.news')
    const id = await publisher.publish('com.news', [1], {}, { acknowledge: true })
    expect(Number.isInteger(id) && (id as number) >= 1 && (id as number) <= 2 ** 53).toBe(true)
    expect(await inbox.next()).toMatchObject({ args: [1] })
    // wampy refuses this URI itself.
    if (one === 'wampy') return
    await expect(publisher.publish('wamp.news', [], {}, { acknowledge: true })).rejects.toMatchObject({
      uri: 'wamp.error.invalid_uri',
    })
  })

  test('no event arrives after unsubscribing', async () => {
    await using world = await openWorld()
    const [publisher, subscriber] = [await world.join(one, format), await world.join(other, format)]
    const [news, end] = [await listen(subscriber, 'com.news'), await listen(subscriber, 'com.end')]
    await publisher.publish('com.news', [1])
    expect(await news.next()).toMatchObject({ args: [1] })
    await news.close()
    await publisher.publish('com.news', [2], {}, { acknowledge: true })
    await publisher.publish('com.end')
    await end.next()
    expect(news.waiting).toEqual([])
    const again = await listen(subscriber, 'com.news')
    await publisher.publish('com.news', [3])
    expect(await again.next()).toMatchObject({ args: [3] })
    expect(news.waiting).toEqual([])
  })
})

describe.each(FORMATS)('%s', (format) => {
  test.each(LIBRARIES)('%s does not receive its own event', async (library) => {
    await using world = await openWorld()
    const [self, other] = [await world.join(library, format), await world.join('wampy-ts', format)]
    const inbox = await listen(self, 'com.news')
    await self.publish('com.news', ['mine'], {}, { acknowledge: true })
    await other.publish('com.news', ['theirs'])
    expect(await inbox.next()).toMatchObject({ args: ['theirs'] })
  })

  // wampy leaves `exclude_me: false` out of its options.
  test.each(['wampy-ts', 'autobahn'] as const)('%s receives its own event with exclude_me: false', async (library) => {
    await using world = await openWorld()
    const self = await world.join(library, format)
    const inbox = await listen(self, 'com.news')
    await self.publish('com.news', ['mine'], {}, { exclude_me: false })
    expect(await inbox.next()).toMatchObject({ args: ['mine'] })
  })

  test('one publication reaches all three libraries in all three serializers', async () => {
    await using world = await openWorld()
    const inboxes = await Promise.all(
      LIBRARIES.flatMap((library) => FORMATS.map(async (each) => listen(await world.join(library, each), 'com.news'))),
    )
    const publisher = await world.join('wampy-ts', format)
    const sent = { args: [NESTED, INTEGERS], kwargs: { unicode: UNICODE } }
    await publisher.publish('com.news', sent.args, sent.kwargs)
    for (const inbox of inboxes) expect(await inbox.next()).toEqual(sent)
  })
})

interface Inbox {
  /** The next event, awaited if necessary. */
  next(): Promise<Data>
  readonly waiting: readonly Data[]
  close(): Promise<unknown>
}

async function listen(peer: Peer, topic: string): Promise<Inbox> {
  const waiting: Data[] = []
  let wake: (data: Data) => void = (data) => waiting.push(data)
  const close = await peer.subscribe(topic, (data) => wake(data))
  return {
    waiting,
    close,
    next: () => {
      const first = waiting.shift()
      if (first) return Promise.resolve(first)
      return new Promise((resolve) => {
        wake = (data) => {
          wake = (later) => waiting.push(later)
          resolve(data)
        }
      })
    },
  }
}
