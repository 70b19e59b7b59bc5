/** Call canceling: three modes from the signal of a call to the signal of an invocation, and every race between. */

import { describe, expect, test } from 'vitest'
import { CANCELED, type CancelMode, CONNECTION_LOST, type Invocation, TIMEOUT, USAGE, WampError } from 'wampy-ts'
import { CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, openWorld, RESULT, type Scripted, YIELD } from 'wampy-ts/testing'
import { failure, gate, granting, joined, joinedTo, leavesNothing, pass, stopTheClock, until, uri } from './support.ts'

leavesNothing()

const sent = (peer: Scripted, code: number) => peer.received.filter(([received]) => received === code)

describe('the caller', () => {
  const calling = async (options: object = {}, features = ['call_canceling']) => {
    const at = await joinedTo(features)
    const controller = new AbortController()
    const result = at.client.call('a.b', [], undefined, { signal: controller.signal, ...options })
    result.catch(() => {})
    await until(() => sent(at.peer, CALL).length === 1)
    return { ...at, controller, result }
  }

  test('sends CANCEL with killnowait when its signal aborts, and rejects at once', async () => {
    const { client, peer, controller, result } = await calling()
    controller.abort('enough')
    expect(await failure(result)).toMatchObject({ uri: CANCELED, cause: 'enough', sent: true })
    await until(() => sent(peer, CANCEL).length === 1)
    expect(peer.received.at(-1)).toEqual([CANCEL, 1, { mode: 'killnowait' }])
    peer.send([RESULT, 1, { progress: true }, ['late']], [RESULT, 1, {}, ['late']], [ERROR, CALL, 1, {}, CANCELED])
    await until(() => client.dropped.answers === 3)
    expect(client.state).toBe('ready')
  })

  test('treats the spelling call_cancelling as the same feature', async () => {
    const { peer, controller, result } = await calling({}, ['call_cancelling'])
    controller.abort()
    expect(await failure(result)).toEqual(uri(CANCELED))
    await until(() => sent(peer, CANCEL).length === 1)
  })

  test('sends CANCEL with skip, and rejects at once', async () => {
    const { peer, controller, result } = await calling({ cancelMode: 'skip' })
    controller.abort()
    expect(await failure(result)).toEqual(uri(CANCELED))
    await until(() => sent(peer, CANCEL).length === 1)
    expect(peer.received.at(-1)).toEqual([CANCEL, 1, { mode: 'skip' }])
  })

  test("sends CANCEL with kill, and waits for the callee's answer", async () => {
    const { client, peer, controller, result } = await calling({ cancelMode: 'kill' })
    controller.abort()
    await until(() => sent(peer, CANCEL).length === 1)
    expect(peer.received.at(-1)).toEqual([CANCEL, 1, { mode: 'kill' }])
    peer.send([ERROR, CALL, 1, {}, CANCELED, ['rolled back']])
    expect(await failure(result)).toMatchObject({ uri: CANCELED, message: 'rolled back' })
    expect(client.dropped.answers).toBe(0)
  })

  test('sends CANCEL with kill, and resolves to the result of a callee that had finished, after its progress', async () => {
    const parts: unknown[] = []
    const { peer, controller, result } = await calling({
      cancelMode: 'kill',
      onProgress: (args: unknown) => parts.push(args),
    })
    controller.abort()
    await until(() => sent(peer, CANCEL).length === 1)
    peer.send([RESULT, 1, { progress: true }, [1]], [RESULT, 1, {}, [2]])
    expect(await result).toBe(2)
    expect(parts).toEqual([[1]])
  })

  test('resolves to a RESULT that arrives before the signal aborts, and sends no CANCEL', async () => {
    const { peer, controller, result } = await calling()
    peer.send([RESULT, 1, {}, ['first']])
    expect(await result).toBe('first')
    controller.abort()
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent(peer, CANCEL)).toEqual([])
  })

  test.each<CancelMode>(['skip', 'kill', 'killnowait'])(
    '%s: rejects without CANCEL if the router did not announce the feature',
    async (cancelMode) => {
      const { client, peer, controller, result } = await calling({ cancelMode }, [])
      controller.abort()
      expect(await failure(result)).toEqual(uri(CANCELED))
      peer.send([RESULT, 1, {}])
      await until(() => client.dropped.answers === 1)
      expect(sent(peer, CANCEL)).toEqual([])
    },
  )

  test('kill waits no longer than the timeout of the call or the end of the session', async () => {
    stopTheClock()
    const timed = await calling({ cancelMode: 'kill', timeout: 500 })
    timed.controller.abort()
    await pass(500)
    expect(await failure(timed.result)).toEqual(uri(TIMEOUT))
    expect(sent(timed.peer, CANCEL)).toEqual([[CANCEL, 1, { mode: 'kill' }]])
    const lost = await calling({ cancelMode: 'kill' })
    lost.controller.abort()
    await until(() => sent(lost.peer, CANCEL).length === 1)
    lost.peer.terminate()
    expect(await failure(lost.result)).toMatchObject({ uri: CONNECTION_LOST, sent: true })
  })

  test('an unknown mode is refused, and nothing is sent', async () => {
    const { client, peer } = await joinedTo(['call_canceling'])
    const error = await failure(client.call('a.b', [], {}, { cancelMode: 'harder' as CancelMode }))
    expect(error).toMatchObject({ uri: USAGE, sent: false })
    expect(sent(peer, CALL)).toEqual([])
  })

  test('wamp.error.cancelled, the other spelling of the specification, is mapped to the same error', async () => {
    const { peer, controller, result } = await calling({ cancelMode: 'kill' })
    controller.abort()
    await until(() => sent(peer, CANCEL).length === 1)
    peer.send([ERROR, CALL, 1, {}, 'wamp.error.cancelled', ['stopped']])
    expect(await failure(result)).toMatchObject({ uri: CANCELED, message: 'stopped' })
  })
})

describe('the callee', () => {
  const serving = async (endpoint: (invocation: Invocation) => unknown) => {
    const at = await joined(granting)
    const errors: unknown[] = []
    at.client.on('error', (error) => errors.push(error))
    const { id } = await at.client.register('a.b', (_args, _kwargs, _details, invocation) => endpoint(invocation))
    await at.client.register('a.fence', () => 'fence')
    at.peer.send([INVOCATION, 1, id, {}])
    /** The answers sent once everything before has been handled. */
    const answers = async () => {
      const before = at.peer.received.length
      at.peer.send([INVOCATION, 1000 + before, (id as number) + 1, {}])
      await until(() => at.peer.received.some(([code, request]) => code === YIELD && request === 1000 + before))
      return at.peer.received.filter(([code, a, b]) => (code === YIELD && a === 1) || (code === ERROR && b === 1))
    }
    return { ...at, errors, answers }
  }

  test("killnowait aborts the signal, and the procedure's answer is dropped", async () => {
    const ended = gate<unknown>()
    const { peer, answers, errors } = await serving(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ended.open(signal.reason)
      throw new Error('stopped in the middle')
    })
    peer.send([INTERRUPT, 1, { mode: 'killnowait', reason: TIMEOUT }])
    const reason = await ended.opened
    expect(WampError.is(reason)).toBe(true)
    expect(reason).toEqual(uri(TIMEOUT))
    expect(await answers()).toEqual([])
    expect(errors).toEqual([])
  })

  test.each([{ mode: 'kill' }, {}])(
    '%o is answered at once if the procedure has not read its signal',
    async (options) => {
      const late = gate<string>()
      const { peer, answers } = await serving(() => late.opened)
      peer.send([INTERRUPT, 1, options])
      expect(await answers()).toEqual([[ERROR, INVOCATION, 1, {}, CANCELED, ['the call was canceled']]])
      late.open('late')
      expect(await answers()).toHaveLength(1)
    },
  )

  test('kill: a procedure that has read its signal determines the answer', async () => {
    for (const [say, answer] of [
      [() => 'half of it', [YIELD, 1, {}, ['half of it']]],
      [() => Promise.reject(new WampError('a.rolled_back')), [ERROR, INVOCATION, 1, {}, 'a.rolled_back']],
      [
        () => Promise.reject(new DOMException('aborted', 'AbortError')),
        [ERROR, INVOCATION, 1, {}, CANCELED, ['the call was canceled']],
      ],
    ] as const) {
      const cleaned = gate()
      const { peer, answers, errors } = await serving(async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await cleaned.opened
        return say()
      })
      peer.send([INTERRUPT, 1, { mode: 'kill' }])
      expect(await answers()).toEqual([])
      cleaned.open()
      await until(() => peer.received.some((message) => message[0] === answer[0] && message.includes(1)))
      expect(await answers()).toEqual([answer])
      expect(errors).toEqual([])
    }
  })

  test('an INTERRUPT that crosses the answer, is repeated or has an unknown id is ignored', async () => {
    const { client, peer, answers } = await serving(() => 'done')
    peer.send([INTERRUPT, 1, { mode: 'kill' }], [INTERRUPT, 1, { mode: 'kill' }], [INTERRUPT, 77, {}])
    expect(await answers()).toEqual([[YIELD, 1, {}, ['done']]])
    expect(client.state).toBe('ready')
  })

  test('a signal that is first read after the INTERRUPT is already aborted', async () => {
    const later = gate()
    const seen = gate<boolean>()
    const { peer } = await serving(async (invocation) => {
      await later.opened
      seen.open(invocation.signal.aborted)
    })
    peer.send([INTERRUPT, 1, { mode: 'killnowait' }])
    await new Promise((resolve) => setImmediate(resolve))
    later.open()
    expect(await seen.opened).toBe(true)
  })
})

describe('through a router', () => {
  const opened = async () => {
    const world = await openWorld()
    const [caller, callee] = await world.join('caller', 'callee')
    const running = gate<Invocation>()
    const answer = gate<unknown>()
    await callee.register('a.b', (_args, _kwargs, _details, invocation) => {
      running.open(invocation)
      return answer.opened
    })
    const controller = new AbortController()
    const call = (cancelMode: CancelMode) => caller.call('a.b', [], {}, { cancelMode, signal: controller.signal })
    return { world, caller, callee, running: running.opened, answer, controller, call }
  }

  test('skip: the procedure continues, and its answer is dropped', async () => {
    const { world, running, answer, controller, call } = await opened()
    await using _ = world
    const result = failure(call('skip'))
    const { signal } = await running
    controller.abort()
    expect(await result).toEqual(uri(CANCELED))
    answer.open('late')
    await until(() => world.router.stats().dropped.late === 1)
    expect(signal.aborted).toBe(false)
    expect(world.log.received('callee').some(([code]) => code === INTERRUPT)).toBe(false)
  })

  test('killnowait: the procedure is interrupted, and its answer is not sent', async () => {
    const { world, running, answer, controller, call } = await opened()
    await using _ = world
    const result = failure(call('killnowait'))
    const { signal } = await running
    controller.abort()
    expect(await result).toEqual(uri(CANCELED))
    await until(() => signal.aborted)
    answer.open('late')
    expect(world.log.last('callee')).toEqual([INTERRUPT, 1, { mode: 'killnowait' }])
    await until(() => world.log.received('caller').some(([code]) => code === ERROR))
    expect(world.log.last('caller')?.slice(0, 5)).toEqual([ERROR, CALL, 1, {}, CANCELED])
    expect(world.router.stats().dropped.late).toBe(0)
  })

  test('kill: the answer of the procedure reaches the caller', async () => {
    const { world, running, answer, controller, call } = await opened()
    await using _ = world
    const result = call('kill')
    const { signal } = await running
    signal.addEventListener('abort', () => answer.open('as far as I got'))
    controller.abort()
    expect(await result).toBe('as far as I got')
    expect(world.log.received('callee').at(-1)?.slice(0, 2)).toEqual([INTERRUPT, 1])
  })

  test('a caller that leaves interrupts its calls, and a callee that leaves cancels them', async () => {
    const first = await opened()
    {
      await using _ = first.world
      const result = failure(first.call('kill'))
      const { signal } = await first.running
      await first.caller.stop()
      await until(() => signal.aborted)
      expect(await result).toEqual(uri('wampy.error.stopped'))
    }
    const second = await opened()
    await using _ = second.world
    const result = failure(second.call('kill'))
    const { signal } = await second.running
    await second.callee.stop()
    expect(await result).toEqual(uri(CANCELED))
    expect(signal.aborted).toBe(true)
  })
})
