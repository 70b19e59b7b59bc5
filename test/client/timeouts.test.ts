/** Call timeouts: kept by the caller, sent to a router that keeps them too, or kept by the callee. */

import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { type Invocation, TIMEOUT, USAGE } from 'wampy-ts'
import { CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, openWorld, RESULT, type Scripted, YIELD } from 'wampy-ts/testing'
import { failure, gate, granting, joined, joinedTo, leavesNothing, pass, stopTheClock, until, uri } from './support.ts'

leavesNothing()

const calls = (peer: Scripted) => peer.received.filter(([code]) => code === CALL)

test('a timeout is sent in whole milliseconds to a router that announced call_timeout, and to no other', async () => {
  for (const [features, timeout, options] of [
    [['call_timeout'], 500, { timeout: 500 }],
    [['call_timeout'], 0.2, { timeout: 1 }],
    [['call_timeout'], Number.POSITIVE_INFINITY, {}],
    [['call_timeout'], 0, {}],
    [['call_canceling'], 500, {}],
  ] as const) {
    const { client, peer } = await joinedTo(features)
    const controller = new AbortController()
    const result = failure(client.call('a.b', [], {}, { timeout, signal: controller.signal }))
    await until(() => calls(peer).length === 1)
    expect(calls(peer)[0]?.[2]).toEqual(options)
    controller.abort()
    await result
    await client.stop()
  }
})

test('a timeout is also kept locally, whatever the router does, and ends with CANCEL', async () => {
  stopTheClock()
  for (const [features, last] of [
    [
      ['call_timeout', 'call_canceling'],
      [CANCEL, 1, { mode: 'killnowait' }],
    ],
    [['call_canceling'], [CANCEL, 1, { mode: 'killnowait' }]],
    [[], [CALL, 1, {}, 'a.b']],
  ] as const) {
    const { client, peer } = await joinedTo(features)
    const result = failure(client.call('a.b', undefined, undefined, { timeout: 500, cancelMode: 'kill' }))
    await until(() => calls(peer).length === 1)
    await pass(500)
    expect(await result).toMatchObject({ uri: TIMEOUT, sent: true })
    expect(peer.received.at(-1)).toEqual(last)
    peer.send([ERROR, CALL, 1, {}, TIMEOUT])
    await until(() => client.dropped.answers === 1)
    await client.stop()
  }
})

test.each(['its timeout', 'its signal', 'the end of its session'])(
  'a call that ends by %s leaves neither listener nor timer',
  async (by) => {
    const { client, peer } = await joinedTo(['call_timeout'])
    const controller = new AbortController()
    const timeout = by === 'its timeout' ? 5 : 3_600_000
    const result = failure(client.call('a.b', [], {}, { signal: controller.signal, timeout }))
    await until(() => calls(peer).length === 1)
    if (by !== 'its timeout') expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    if (by === 'its signal') controller.abort()
    if (by === 'the end of its session') peer.close()
    await result
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    await client.stop()
  },
)

test.each([-1, Number.NaN, 'soon'])(
  '%s is not a valid timeout: it is refused, and nothing is sent',
  async (timeout) => {
    const { client, peer } = await joinedTo(['call_timeout'])
    const error = await failure(client.call('a.b', [], {}, { timeout: timeout as number }))
    expect(error).toMatchObject({ uri: USAGE, sent: false, message: expect.stringContaining('timeout') })
    expect(calls(peer)).toEqual([])
  },
)

test('a timeout may exceed the longest timer', async () => {
  stopTheClock()
  const { client, peer } = await joinedTo([])
  let over = false
  const result = failure(client.call('a.b', [], {}, { timeout: 2 ** 31 + 1000 })).finally(() => {
    over = true
  })
  await until(() => calls(peer).length === 1)
  await pass(2 ** 31 + 999, 2 ** 30)
  expect(over).toBe(false)
  await pass(1)
  expect(await result).toEqual(uri(TIMEOUT))
})

test('a timeout restarts with every part of a result', async () => {
  stopTheClock()
  const { client, peer } = await joinedTo(['call_timeout'])
  const parts: unknown[] = []
  let over = false
  const result = failure(
    client.call('a.b', [], {}, { timeout: 500, onProgress: ([part]) => parts.push(part) }).finally(() => {
      over = true
    }),
  )
  await until(() => calls(peer).length === 1)
  for (let part = 1; part <= 3; part++) {
    await pass(400)
    peer.send([RESULT, 1, { progress: true }, [part]])
    await until(() => parts.length === part)
  }
  await pass(499)
  expect(over).toBe(false)
  await pass(1)
  expect(await result).toEqual(uri(TIMEOUT))
})

describe('the callee', () => {
  const serving = async (endpoint: (invocation: Invocation) => unknown, details: object) => {
    stopTheClock()
    const at = await joined(granting, { liveness: false })
    const { id } = await at.client.register('a.b', (_args, _kwargs, _details, invocation) => endpoint(invocation))
    at.peer.send([INVOCATION, 1, id, details])
    await new Promise((resolve) => setImmediate(resolve))
    const before = at.peer.received.length
    return { ...at, answers: () => at.peer.received.slice(before) }
  }

  test('keeps the timeout of an INVOCATION: the signal aborts and the caller receives an error', async () => {
    const aborted = gate<unknown>()
    const { answers } = await serving(
      ({ signal }) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            aborted.open(signal.reason)
            resolve('late')
          }),
        ),
      { timeout: 300 },
    )
    await pass(299)
    expect(answers()).toEqual([])
    await pass(1)
    expect(await aborted.opened).toEqual(uri(TIMEOUT))
    expect(answers()).toEqual([[ERROR, INVOCATION, 1, {}, TIMEOUT, ['no answer within 300 ms']]])
  })

  test.each([-1, 0.5])('ends a call with the illegal timeout %s at once', async (timeout) => {
    const { answers } = await serving(() => new Promise(() => {}), { timeout })
    await pass(100)
    expect(answers().map(([code, , , , uri]) => [code, uri])).toEqual([[ERROR, TIMEOUT]])
  })

  test('restarts the timeout with every part that it sends', async () => {
    let talk!: () => boolean
    const { answers } = await serving(
      (invocation) => {
        talk = () => invocation.progress()
        return new Promise(() => {})
      },
      { timeout: 300, receive_progress: true },
    )
    for (let i = 0; i < 3; i++) {
      await pass(200)
      expect(talk()).toBe(true)
    }
    await pass(299)
    expect(answers()).toHaveLength(3)
    await pass(10)
    expect(answers().at(-1)?.[0]).toBe(ERROR)
    expect(talk()).toBe(false)
  })

  test('has no timer left when it has answered', async () => {
    const { answers } = await serving(() => 'soon', { timeout: 300 })
    await pass(1000)
    expect(answers()).toEqual([[YIELD, 1, {}, ['soon']]])
  })
})

describe('through a router', () => {
  test('a procedure that takes too long is interrupted by the dealer', async () => {
    await using world = await openWorld()
    const [caller, callee] = await world.join('caller', 'callee')
    const aborted = gate<unknown>()
    await callee.register('a.b', (_args, _kwargs, _details, { signal }) => {
      signal.addEventListener('abort', () => aborted.open(signal.reason))
      return new Promise(() => {})
    })
    expect(await failure(caller.call('a.b', [], {}, { timeout: 20 }))).toEqual(uri(TIMEOUT))
    await aborted.opened
    expect(world.log.last('callee')?.slice(0, 2)).toEqual([INTERRUPT, 1])
  })

  test('a callee that registers with forward_timeout keeps the timeout itself', async () => {
    await using world = await openWorld()
    const [caller, callee] = await world.join('caller', 'callee')
    await callee.register('a.b', () => new Promise(() => {}), { forward_timeout: true })
    const error = failure(caller.call('a.b', [], {}, { timeout: 20 }))
    expect(await error).toEqual(uri(TIMEOUT))
    expect(world.log.received('callee').find(([code]) => code === INVOCATION)?.[3]).toEqual({ timeout: 20 })
  })
})
