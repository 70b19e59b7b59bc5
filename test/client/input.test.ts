/** Progressive call invocations: a call in parts, from an iterable of the caller to one of the callee. */

import { describe, expect, test } from 'vitest'
import {
  CANCELED,
  CONNECTION_LOST,
  type Connector,
  FEATURE_NOT_SUPPORTED,
  type Invocation,
  LIMIT_EXCEEDED,
  type RegisterOptions,
  Result,
  rpc,
  TIMEOUT,
  WampClient,
} from 'wampy-ts'
import {
  ABORT,
  CALL,
  CANCEL,
  ERROR,
  INTERRUPT,
  INVOCATION,
  openWorld,
  REGISTER,
  RESULT,
  type Scripted,
  scripted,
  YIELD,
} from 'wampy-ts/testing'
import {
  clientOf,
  failure,
  gate,
  granting,
  joined,
  joinedTo,
  leavesNothing,
  pass,
  serving,
  stopTheClock,
  until,
  uri,
} from './support.ts'

leavesNothing()

const sent = (peer: Scripted, code: number) => peer.received.filter(([received]) => received === code)

/** An input fed by the test, which records when it is left. */
function source() {
  const asked: ReturnType<typeof gate<IteratorResult<unknown>>>[] = []
  const left = gate()
  let over = false
  return {
    left: left.opened,
    get over() {
      return over
    },
    get waiting() {
      return asked.length
    },
    give: (value: unknown) => asked.shift()?.open({ done: false, value }),
    end: () => asked.shift()?.open({ done: true, value: undefined }),
    fail: (error: unknown) => asked.shift()?.fail(error),
    input: {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          const next = gate<IteratorResult<unknown>>()
          asked.push(next)
          return next.opened
        },
        return: async () => {
          over = true
          left.open()
          return { done: true as const, value: undefined }
        },
      }),
    },
  }
}

const FEATURES = ['progressive_call_invocations', 'call_canceling']

describe('the caller', () => {
  const calling = async (options: object = {}) => {
    const at = await joinedTo(FEATURES)
    const from = source()
    const result = at.client.call('a.b', ['first'], { k: 1 }, { input: from.input, ...options })
    result.catch(() => {})
    await until(() => from.waiting === 1 && sent(at.peer, CALL).length === 1)
    const give = async (value: unknown) => {
      from.give(value)
      await until(() => from.waiting === 1)
    }
    return { ...at, from, give, result }
  }

  test('sends its arguments first, then each item at once, then an empty last part', async () => {
    const { peer, from, give, result } = await calling({ disclose_me: true })
    expect(sent(peer, CALL)).toEqual([[CALL, 1, { disclose_me: true, progress: true }, 'a.b', ['first'], { k: 1 }]])
    await give(1)
    await give(undefined)
    await give(new Result([2, 3], { unit: 'cm' }))
    from.end()
    await until(() => sent(peer, CALL).length === 5)
    expect(sent(peer, CALL).slice(1)).toEqual([
      [CALL, 1, { progress: true }, 'a.b', [1]],
      [CALL, 1, { progress: true }, 'a.b'],
      [CALL, 1, { progress: true }, 'a.b', [2, 3], { unit: 'cm' }],
      [CALL, 1, {}, 'a.b'],
    ])
    peer.send([RESULT, 1, {}, ['sum']])
    expect(await result).toBe('sum')
    expect(from.over).toBe(false)
  })

  test('accepts a plain iterable as well, and uses one request id', async () => {
    const { client, peer } = await joinedTo(FEATURES)
    const result = client.call('a.b', undefined, undefined, { input: [1, 2] })
    await until(() => sent(peer, CALL).length === 4)
    peer.send([RESULT, 1, {}])
    await result
    void client.publish('a.t')
    await until(() => peer.received.at(-1)?.[0] === 16)
    expect(peer.received.at(-1)?.[1]).toBe(2)
  })

  test('sends nothing to a router that did not announce the feature', async () => {
    const { client, peer } = await joinedTo(['call_canceling'])
    const from = source()
    const error = await failure(client.call('a.b', [], {}, { input: from.input }))
    expect(error).toMatchObject({ uri: FEATURE_NOT_SUPPORTED, sent: false })
    expect([sent(peer, CALL), from.waiting]).toEqual([[], 0])
  })

  test('ends its input on an answer before the last part, and sends nothing more', async () => {
    const { peer, from, give, result } = await calling()
    await give(1)
    peer.send([RESULT, 1, {}, ['enough']])
    expect(await result).toBe('enough')
    await from.left
    from.give(2)
    await new Promise((resolve) => setImmediate(resolve))
    expect(sent(peer, CALL)).toHaveLength(2)
  })

  test('ends its input on an ERROR and on the loss of the session as well', async () => {
    const refused = await calling()
    refused.peer.send([ERROR, CALL, 1, {}, FEATURE_NOT_SUPPORTED])
    expect(await failure(refused.result)).toEqual(uri(FEATURE_NOT_SUPPORTED))
    await refused.from.left
    const lost = await calling()
    lost.peer.terminate()
    expect(await failure(lost.result)).toEqual(uri(CONNECTION_LOST))
    await lost.from.left
    lost.from.fail(new Error('nobody is interested'))
  })

  test('cancels the call if the input throws, and rejects with that error', async () => {
    const { peer, from, result } = await calling()
    const error = new Error('the disk is broken')
    from.fail(error)
    expect(await failure(result)).toBe(error)
    await until(() => sent(peer, CANCEL).length === 1)
    expect(peer.received.at(-1)).toEqual([CANCEL, 1, { mode: 'killnowait' }])
    expect(sent(peer, CALL)).toHaveLength(1)
  })

  test('does the same for an item that no serializer can represent, and for an input that is not iterable', async () => {
    const { peer, from, result } = await calling()
    from.give({ f: () => {} })
    expect(await failure(result)).toMatchObject({
      uri: 'wamp.error.invalid_argument',
      message: expect.stringContaining('args[0].f'),
    })
    await from.left
    await until(() => sent(peer, CANCEL).length === 1)
    const { client } = await joinedTo(FEATURES)
    expect(await failure(client.call('a.b', [], {}, { input: 5 as never }))).toMatchObject({ uri: 'wampy.error.usage' })
  })

  test('ends the input with the call on its signal; skip would leave the procedure waiting for input, so it interrupts too', async () => {
    for (const [cancelMode, mode] of [
      [undefined, 'killnowait'],
      ['skip', 'killnowait'],
      ['kill', 'kill'],
    ] as const) {
      const controller = new AbortController()
      const { client, peer, from, result } = await calling({ signal: controller.signal, cancelMode })
      controller.abort()
      await until(() => sent(peer, CANCEL).length === 1)
      expect(peer.received.at(-1)).toEqual([CANCEL, 1, { mode }])
      from.give('late')
      if (mode === 'kill') peer.send([ERROR, CALL, 1, {}, CANCELED])
      expect(await failure(result)).toEqual(uri(CANCELED))
      await from.left
      expect(sent(peer, CALL)).toHaveLength(1)
      await client.stop()
    }
  })

  test('reads no item that cannot be sent yet: the input waits for the network', async () => {
    let behind = 0
    const { router } = await joinedTo(FEATURES)
    const slow: Connector = {
      ...router,
      async connect(serializers, signal) {
        const link = await router.connect(serializers, signal)
        return {
          get backlog() {
            return behind
          },
          open: (sink) => link.open(sink),
          send: (message) => link.send(message),
          close: () => link.close(),
          terminate: () => link.terminate(),
        }
      },
    }
    const client = clientOf(slow)
    await client.start()
    const from = source()
    const result = client.call('a.b', [], {}, { input: from.input })
    await until(() => from.waiting === 1)
    behind = 2 ** 20 + 1
    from.give(1)
    await until(() => sent(router.peers[1] as Scripted, CALL).length === 2)
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(from.waiting).toBe(0)
    behind = 0
    await until(() => from.waiting === 1)
    router.peers[1]?.send([RESULT, 1, {}])
    await result
  })

  test('does not touch the input if the signal is already aborted', async () => {
    const { client, peer } = await joinedTo(FEATURES)
    const from = source()
    expect(await failure(client.call('a.b', [], {}, { input: from.input, signal: AbortSignal.abort() }))).toEqual(
      uri(CANCELED),
    )
    expect([sent(peer, CALL), from.waiting, from.over]).toEqual([[], 0, false])
  })
})

describe('the callee', () => {
  const serving = async (endpoint: (invocation: Invocation) => unknown, options: RegisterOptions = {}) => {
    const at = await joined(granting)
    const runs: Invocation[] = []
    const registered = at.client.register(
      'a.b',
      (_args, _kwargs, _details, invocation) => {
        runs.push(invocation)
        return endpoint(invocation)
      },
      options,
    )
    const { id } = await registered
    const before = at.peer.received.length
    return {
      ...at,
      runs,
      part: (options: object, ...payload: unknown[]) => at.peer.send([INVOCATION, 1, id, options, ...payload]),
      answers: () => at.peer.received.slice(before),
    }
  }

  const all = async ({ args, input }: Invocation) => {
    const items: unknown[] = [...args]
    for await (const item of input) items.push(item)
    return items
  }

  test('runs once per id, and reads the parts behind the first', async () => {
    const { runs, part, answers } = await serving(all)
    part({ progress: true }, ['first'])
    part({ progress: true }, [1])
    part({ progress: true })
    part({ progress: true }, [2, 'dropped by input'], { k: 1 })
    part({})
    await until(() => answers().length === 1)
    expect(answers()).toEqual([[YIELD, 1, {}, [['first', 1, null, 2]]]])
    expect(runs).toHaveLength(1)
  })

  test('reads a last part with a payload as an item too, and `parts` has whole parts', async () => {
    const { part, answers } = await serving(async ({ parts }) => {
      const seen: unknown[] = []
      for await (const one of parts) seen.push(one)
      return seen
    })
    part({ progress: true, caller: 7 }, ['first'])
    part({ progress: true, caller: 7 }, [1, 2], { k: 3 })
    part({}, [], { last: true })
    await until(() => answers().length === 1)
    expect(answers()[0]?.[3]).toEqual([
      [
        { args: [1, 2], kwargs: { k: 3 }, details: { progress: true, caller: 7 } },
        { args: [], kwargs: { last: true }, details: {} },
      ],
    ])
  })

  test('has no input for a call without parts', async () => {
    const { part, answers } = await serving(all)
    part({}, ['alone'])
    await until(() => answers().length === 1)
    expect(answers()).toEqual([[YIELD, 1, {}, [['alone']]]])
  })

  test('may answer before the last part, and late parts do not start it again', async () => {
    const { client, runs, part, peer, answers } = await serving(({ args }) => args[0])
    part({ progress: true }, ['first'])
    await until(() => answers().length === 1)
    part({ progress: true }, ['late'])
    part({}, ['last'])
    // The id is free again from here on.
    part({}, ['anew'])
    await until(() => answers().length === 2)
    expect(answers()).toEqual([
      [YIELD, 1, {}, ['first']],
      [YIELD, 1, {}, ['anew']],
    ])
    expect([runs.length, client.state, peer.received.some(([code]) => code === ABORT)]).toEqual([2, 'ready', false])
  })

  test('may leave the loop and continue; later parts are not kept', async () => {
    const go = gate()
    const { part, answers } = await serving(async ({ input }) => {
      for await (const item of input) {
        await go.opened
        return item
      }
      return undefined
    })
    part({ progress: true })
    part({ progress: true }, [1])
    part({ progress: true }, [2])
    go.open()
    await until(() => answers().length === 1)
    part({ progress: true }, [3])
    part({})
    expect(answers()).toEqual([[YIELD, 1, {}, [1]]])
  })

  test.each([
    ['an INTERRUPT', (peer: Scripted) => peer.send([INTERRUPT, 1, { mode: 'killnowait' }]), CANCELED],
    [
      'a dealer that ran out of time',
      (peer: Scripted) => peer.send([INTERRUPT, 1, { mode: 'killnowait', reason: TIMEOUT }]),
      TIMEOUT,
    ],
    ['the end of the session', (peer: Scripted) => peer.terminate(), CANCELED],
  ])(
    '%s ends the loop at once with an error, because a partial input is not a complete one',
    async (_, end, reason) => {
      const items: unknown[] = []
      const over = gate<unknown>()
      const go = gate()
      const { peer, part, runs } = await serving(async ({ input }) => {
        try {
          for await (const item of input) {
            items.push(item)
            await go.opened
          }
        } catch (error) {
          over.open(error)
          throw error
        }
      })
      part({ progress: true })
      part({ progress: true }, [1])
      part({ progress: true }, [2])
      await until(() => items.length === 1)
      end(peer)
      await until(() => runs[0]?.signal.aborted === true)
      go.open()
      expect(await over.opened).toEqual(uri(reason))
      expect(items).toEqual([1])
    },
  )

  test('ends the loop by a timeout that it keeps itself too, and late parts do not start it again', async () => {
    stopTheClock()
    const over = gate<unknown>()
    const { part, answers, runs } = await serving(({ input }) =>
      all({ args: [], input } as unknown as Invocation).catch(over.open),
    )
    part({ progress: true, timeout: 300 })
    await new Promise((resolve) => setImmediate(resolve))
    await pass(300)
    expect(await over.opened).toEqual(uri(TIMEOUT))
    part({ progress: true }, ['late'])
    part({}, ['late'])
    await pass(1)
    expect(answers()).toEqual([[ERROR, INVOCATION, 1, {}, TIMEOUT, ['no answer within 300 ms']]])
    expect(runs).toHaveLength(1)
  })

  test('that reads too slowly fails: its input throws, its signal aborts, its caller receives an error', async () => {
    const reading = gate()
    const over = gate<unknown>()
    const { client, part, peer, runs, answers } = await serving(
      async ({ input, signal }) => {
        await reading.opened
        over.open([signal.reason, await failure(all({ args: [], input } as unknown as Invocation))])
        return 'not sent'
      },
      { buffer: 2 },
    )
    // The second run has no error to wait for.
    client.on('error', () => {})
    expect(sent(peer, REGISTER)).toEqual([[REGISTER, 1, {}, 'a.b']])
    for (const n of [1, 2, 3]) part({ progress: true }, [n])
    await new Promise((resolve) => setImmediate(resolve))
    expect([answers(), client.dropped.parts]).toEqual([[], 0])
    part({ progress: true }, [4])
    part({ progress: true }, [5])
    part({}, [6])
    await until(() => answers().length === 1)
    const message =
      'more than 2 parts of the call of a.b wait to be read, or more bytes than the option limits: read faster, or with a larger buffer'
    expect(answers()).toEqual([[ERROR, INVOCATION, 1, {}, LIMIT_EXCEEDED, [message]]])
    reading.open()
    const overflow = { uri: LIMIT_EXCEEDED, message }
    expect(await over.opened).toMatchObject([overflow, overflow])
    await until(() => client.dropped.parts === 3)
    expect(runs).toHaveLength(1)
    // The id is free again, and the first call gets no second answer.
    part({})
    await until(() => answers().length === 2)
    expect(runs).toHaveLength(2)
  })

  test('that does not read at all fails at the 65 537th waiting part', async () => {
    const { client, part, answers } = await serving(() => new Promise(() => {}))
    for (let n = 0; n <= 65_536; n++) part({ progress: true }, [n])
    await until(() => client.dropped.parts === 0)
    expect(answers()).toEqual([])
    part({ progress: true }, ['one more'])
    await until(() => answers().length === 1)
    expect(answers()[0]?.[4]).toBe(LIMIT_EXCEEDED)
  })

  test('an invocation id that is already in use is a violation', async () => {
    const { part, answers } = await serving(() => new Promise(() => {}))
    part({})
    part({})
    await until(() => answers().length === 1)
    expect(answers()[0]).toMatchObject([
      ABORT,
      { message: expect.stringContaining('INVOCATION for request 1, which is not answered yet') },
      'wamp.error.protocol_violation',
    ])
  })

  test('parts for an unknown registration are answered once', async () => {
    const { peer, answers } = await serving(all)
    peer.send([INVOCATION, 1, 77, { progress: true }], [INVOCATION, 1, 77, { progress: true }], [INVOCATION, 1, 77, {}])
    peer.send([INVOCATION, 2, 77, {}])
    await until(() => answers().length === 2)
    expect(answers().map(([, , request]) => request)).toEqual([1, 2])
  })

  test('at most a thousand calls for unknown registrations are remembered', async () => {
    const { peer, answers } = await serving(all)
    for (let id = 1; id <= 1001; id++) peer.send([INVOCATION, id, 77, { progress: true }])
    // The first was forgotten, and is answered again; the last was not.
    peer.send([INVOCATION, 1, 77, {}], [INVOCATION, 1001, 77, {}], [INVOCATION, 1002, 77, {}])
    await until(() => answers().length === 1003)
    expect(
      answers()
        .slice(1001)
        .map(([, , request]) => request),
    ).toEqual([1, 1002])
  })
})

class Adder extends WampClient {
  @rpc({ invocation: true }) async sum({ input }: Invocation<number>, start: number): Promise<number> {
    let sum = start
    for await (const n of input) sum += n
    return sum
  }

  @rpc({ invocation: true }) async *sums({ input }: Invocation<number>): AsyncGenerator<number, string> {
    let sum = 0
    for await (const n of input) {
      sum += n
      yield sum
      if (sum > 1000) return 'that is enough'
    }
    return 'that was all'
  }
}

async function* upTo(last: number): AsyncGenerator<number, void> {
  for (let n = 1; n <= last; n++) yield n
}

describe.each(['linked', 'wires'] as const)('through a router, %s', (link) => {
  test('a method reads the parts of its caller', async () => {
    await using at = await serving(Adder, link)
    expect(await at.client.with({ input: upTo(4) }).rpc.sum(100)).toBe(110)
    expect(await at.client.rpc.sum(5)).toBe(5)
    const calls = at.world.log.sent('client').filter(([code]) => code === CALL)
    expect(calls.slice(0, 6)).toEqual([
      [CALL, 1, { progress: true }, 'sum', [100]],
      ...[1, 2, 3, 4].map((n) => [CALL, 1, { progress: true }, 'sum', [n]]),
      [CALL, 1, {}, 'sum'],
    ])
  })

  test('a method declares in its decorator how many parts may wait', async () => {
    class Slow extends WampClient {
      @rpc({ uri: 'com.slow', invocation: true, buffer: 3 }) async slow({ signal }: Invocation): Promise<void> {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }
    }
    await using world = await openWorld()
    await using service = new Slow({ router: world.router })
    await service.start()
    const [caller] = await world.join('caller')
    const input = Array.from({ length: 100 }, (_, n) => n)
    expect(await failure(caller.call('com.slow', [], {}, { input }))).toMatchObject({ uri: LIMIT_EXCEEDED })
    expect(service.dropped.parts).toBeGreaterThan(0)
  })

  test('parts flow both ways at once', async () => {
    await using at = await serving(Adder, link)
    const loop = at.client.with({ input: upTo(4) }).stream.sums()
    const got: number[] = []
    for await (const sum of loop) got.push(sum)
    expect([got, await loop.result]).toEqual([[1, 3, 6, 10], 'that was all'])
  })

  test('an endless input ends when the procedure answers', async () => {
    await using at = await serving(Adder, link)
    let left = false
    async function* endless(): AsyncGenerator<number, void> {
      try {
        for (let n = 1; ; n++) yield n
      } finally {
        left = true
      }
    }
    expect(await at.client.with({ input: endless() }).rpc.sums()).toBe('that is enough')
    await until(() => left)
    // Items that crossed the answer were dropped on the way.
    expect(await at.client.rpc.sum(1)).toBe(1)
    expect(at.client.state).toBe('ready')
    expect(at.service.state).toBe('ready')
  })

  test('the caller leaves: the loop of the callee throws', async () => {
    await using at = await serving(Adder, link)
    const from = source()
    const over = gate<unknown>()
    await at.service.register('a.b', async (_args, _kwargs, _details, { input }) => {
      try {
        for await (const _ of input);
      } catch (error) {
        over.open(error)
      }
    })
    const result = failure(at.client.call('a.b', [], {}, { input: from.input }))
    await until(() => from.waiting === 1)
    await at.client.stop()
    expect(await over.opened).toEqual(uri(CANCELED))
    expect(await result).toEqual(uri('wampy.error.stopped'))
    await from.left
  })

  test('the callee leaves: the input of the caller ends', async () => {
    await using at = await serving(Adder, link)
    const from = source()
    const result = failure(at.client.with({ input: from.input }).rpc.sum(0))
    await until(() => from.waiting === 1)
    from.give(1)
    await until(() => at.world.log.received('service').filter(([code]) => code === INVOCATION).length === 2)
    await at.service.stop()
    expect(await result).toEqual(uri(CANCELED))
    await from.left
  })

  test('a call that is refused because of its parts ends its input', async () => {
    await using at = await serving(Adder, link)
    const plain = scripted(at.world.router)
    plain.send([1, 'realm1', { roles: { callee: {} } }])
    await plain.next()
    plain.send([REGISTER, 1, {}, 'a.plain'])
    await plain.next()
    for (const [procedure, error] of [
      ['a.plain', FEATURE_NOT_SUPPORTED],
      ['wamp.session.count', FEATURE_NOT_SUPPORTED],
      ['a.nobody', 'wamp.error.no_such_procedure'],
    ] as const) {
      const from = source()
      expect(await failure(at.client.call(procedure, [], {}, { input: from.input }))).toEqual(uri(error))
      await from.left
    }
    expect(plain.received).toHaveLength(2)
    plain.close()
  })
})
