/** The unfinished work of a client: a router cannot add to it without end. */

import { describe, expect, test } from 'vitest'
import type { ClientOptions, Invocation, WampError } from 'wampy-ts'
import { ABORT, CALL, EVENT, INVOCATION, RESULT, type WireMessage } from 'wampy-ts/testing'
import { clientOf, failure, gate, granting, joined, leavesNothing, next, until, uri, welcoming } from './support.ts'

leavesNothing()

const LIMIT_EXCEEDED = 'wampy.error.limit_exceeded'
const endless = () => new Promise(() => {})

/** The only registration or subscription of a client has the id of its first request plus 1000. */
const invocation = (id: number, ...payload: unknown[]): WireMessage => [INVOCATION, id, 1001, {}, ...payload]
const event = (id: number, ...payload: unknown[]): WireMessage => [EVENT, 1001, id, {}, ...payload]

async function serving(procedure: () => unknown, options: ClientOptions = {}) {
  const { client, peer } = await joined(granting, options)
  await client.register('a.b', procedure)
  return { client, peer }
}

async function subscribed(handler: () => unknown, options: ClientOptions = {}) {
  const { client, peer } = await joined(granting, options)
  await client.subscribe('a.b', handler)
  return { client, peer }
}

describe('beyond the limit the client leaves', () => {
  test.each<[string, () => unknown]>([
    ['procedures that have not finished', endless],
    [
      'generators that have not finished',
      async function* () {
        yield await endless()
      },
    ],
  ])('of %s', async (_name, procedure) => {
    const { client, peer } = await serving(procedure, { limits: { messages: 10 } })
    const lost = next(client, 'lost')
    for (let id = 1; id <= 12; id++) peer.send(invocation(id))
    const message = expect.stringMatching(
      /^procedures and handlers have not finished with 11 messages of \d+ bytes: see the option limits$/,
    )
    expect((await lost)[0]).toMatchObject({ uri: LIMIT_EXCEEDED, message })
    await peer.closed
    expect(peer.received.at(-1)).toEqual([ABORT, { message }, LIMIT_EXCEEDED])
  })

  test('of event handlers that have not finished: 65 536 by default', async () => {
    let handled = 0
    const { client, peer } = await subscribed(() => {
      handled++
      return endless()
    })
    const lost = next(client, 'lost')
    for (let id = 1; id <= 65_536; id++) peer.send(event(id))
    await until(() => handled === 65_536)
    expect(client.state).toBe('ready')
    for (let id = 1; id <= 2; id++) peer.send(event(id))
    expect((await lost)[0]).toMatchObject({ uri: LIMIT_EXCEEDED })
    expect(handled).toBe(65_537)
  })

  test('of handlers of progressive results', async () => {
    const { client, peer } = await joined(undefined, { limits: { messages: 10 } })
    const called = client.call('a.b', [], {}, { onProgress: endless })
    for (let part = 1; part <= 12; part++) peer.send([RESULT, 1, { progress: true }])
    expect(await failure(called)).toMatchObject({ uri: 'wampy.error.connection_lost', cause: uri(LIMIT_EXCEEDED) })
  })

  test('in bytes', async () => {
    const { client, peer } = await serving(endless, { limits: { bytes: 100_000 } })
    const lost = next(client, 'lost')
    for (let id = 1; id <= 12; id++) peer.send(invocation(id, ['x'.repeat(10_000)]))
    expect((await lost)[0]).toMatchObject({
      uri: LIMIT_EXCEEDED,
      message: expect.stringContaining(' 10 messages of 1'),
    })
  })

  test('and what is still unfinished counts in the next session', async () => {
    const router = welcoming(granting)
    const client = clientOf(router, { limits: { messages: 10 }, reconnect: () => 0 })
    await client.start()
    const { opened, open } = gate()
    await client.register('a.b', () => opened)
    const retries: WampError[] = []
    client.on('retry', ({ cause }) => void retries.push(cause))
    for (let id = 1; id <= 12; id++) router.peers[0]?.send(invocation(id))
    await until(() => retries.length > 2)
    expect(retries).toEqual(retries.map(() => uri(LIMIT_EXCEEDED)))
    open()
    await next(client, 'ready')
    expect(client.state).toBe('ready')
  })
})

describe('work that is finished does not count', () => {
  test.each<[string, () => unknown]>([
    ['calls', () => Promise.resolve(1)],
    ['failed calls', () => Promise.reject(new RangeError('no'))],
    [
      'generators',
      async function* () {
        yield 1
      },
    ],
  ])('of %s', async (_name, procedure) => {
    const { client, peer } = await serving(procedure, {
      limits: { messages: 2, bytes: 1000 },
      onError: () => undefined,
    })
    for (let id = 1; id <= 100; id++) {
      const before = peer.received.length
      peer.send(invocation(id, ['x'.repeat(100)]))
      await until(() => peer.received.length > before)
    }
    expect(client.state).toBe('ready')
  })

  test('of events', async () => {
    let handled = 0
    const { client, peer } = await subscribed(async () => void handled++, { limits: { messages: 2 } })
    for (let id = 1; id <= 100; id++) {
      peer.send(event(id))
      await until(() => handled === id)
    }
    expect(client.state).toBe('ready')
  })

  test('of handlers that finish at once: any number in one turn', async () => {
    let handled = 0
    const { client, peer } = await subscribed(() => void handled++, { limits: { messages: 1 } })
    for (let id = 1; id <= 1000; id++) peer.send(event(id))
    await until(() => handled === 1000)
    expect(client.state).toBe('ready')
  })
})

describe('what waits for a slow reader takes no more bytes than the limit', () => {
  test.each(['oldest', 'newest', 'error'] as const)('of events: %s', async (overflow) => {
    const { client, peer } = await joined(granting, { limits: { bytes: 50_000 } })
    const events = client.events('a.b', { overflow })
    await events.subscription
    for (let id = 1; id <= 12; id++) peer.send(event(id, [id, 'x'.repeat(10_000)]))
    peer.send(event(13, [13]))
    await until(() => client.dropped.events >= (overflow === 'error' ? 1 : 8))
    const kept: unknown[] = []
    const read = async () => {
      for await (const { args } of events) {
        kept.push(args[0])
        if (args[0] === 13) break
      }
    }
    if (overflow === 'error') expect(await failure(read())).toMatchObject({ uri: LIMIT_EXCEEDED })
    else await read()
    expect(kept).toEqual({ oldest: [9, 10, 11, 12, 13], newest: [1, 2, 3, 4, 13], error: [1, 2, 3, 4] }[overflow])
    expect(client.state).toBe('ready')
  })

  test('of progressive results: the call fails, and the session continues', async () => {
    const { client, peer } = await joined(undefined, { limits: { bytes: 50_000 } })
    const parts = client.progress('a.b')
    await until(() => peer.received.at(-1)?.[0] === CALL)
    for (let part = 1; part <= 12; part++) peer.send([RESULT, 1, { progress: true }, ['x'.repeat(10_000)]])
    expect(await failure(parts.result)).toMatchObject({ uri: LIMIT_EXCEEDED })
    let read = 0
    await failure(
      (async () => {
        for await (const _ of parts) read++
      })(),
    )
    expect(read).toBe(4)
    expect(client.state).toBe('ready')
  })

  test('of the parts of a call: the call fails, and room is free for the next', async () => {
    const { client, peer } = await joined(granting, { limits: { bytes: 50_000 } })
    const { opened, open } = gate()
    await client.register('a.b', async (_args, _kwargs, _details, { input }: Invocation) => {
      const parts = input
      await opened
      let count = 0
      for await (const _ of parts) count++
      return count
    })
    const part = (id: number, progress: boolean): void =>
      peer.send([INVOCATION, id, 1001, { progress }, ['x'.repeat(10_000)]])
    for (let count = 1; count <= 12; count++) part(1, true)
    await until(() => peer.received.at(-1)?.[0] === 8)
    expect(peer.received.at(-1)).toMatchObject([
      8,
      INVOCATION,
      1,
      {},
      LIMIT_EXCEEDED,
      [expect.stringContaining('65536 parts')],
    ])
    open()
    for (let count = 1; count <= 4; count++) part(2, count < 4)
    await until(() => peer.received.at(-1)?.[1] === 2)
    expect(peer.received.at(-1)?.[3]).toEqual([3])
    expect(client.state).toBe('ready')
  })
})

test.each([{ messages: 0 }, { bytes: '1 MB' }, { mesages: 5 }, 5])('limits: %o is a usage error', (limits) => {
  expect(() => clientOf('ws://localhost', { limits: limits as never })).toThrow(
    expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringContaining('limits') }),
  )
})
