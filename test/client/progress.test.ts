/** Progressive call results: callbacks and loops at the caller, generators and `progress` at the callee. */

import { describe, expect, test } from 'vitest'
import {
  CANCELED,
  CONNECTION_LOST,
  type Invocation,
  LIMIT_EXCEEDED,
  Result,
  RpcClient,
  rpc,
  WampClient,
  WampError,
} from 'wampy-ts'
import { CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, RESULT, type Scripted, YIELD } from 'wampy-ts/testing'
import { failure, gate, granting, joined, joinedTo, leavesNothing, serving, until, uri } from './support.ts'

leavesNothing()

const sent = (peer: Scripted, code: number) => peer.received.filter(([received]) => received === code)

/** The parts that a loop received, and its error. */
async function read(parts: AsyncIterable<unknown>): Promise<{ got: unknown[]; error?: unknown }> {
  const got: unknown[] = []
  try {
    for await (const part of parts) got.push(part)
    return { got }
  } catch (error) {
    return { got, error }
  }
}

describe('the caller', () => {
  test('sends receive_progress only if it passed onProgress', async () => {
    const { client, peer } = await joinedTo([])
    const reported: unknown[] = []
    const result = client.callRaw('a.b', [1], { c: 2 }, { onProgress: (...part) => reported.push(part) })
    const plain = client.call('a.b')
    await until(() => sent(peer, CALL).length === 2)
    expect(sent(peer, CALL)).toEqual([
      [CALL, 1, { receive_progress: true }, 'a.b', [1], { c: 2 }],
      [CALL, 2, {}, 'a.b'],
    ])
    peer.send(
      [RESULT, 1, { progress: true }],
      [RESULT, 2, { progress: true }, ['not asked for']],
      [RESULT, 1, { progress: true, _x: 1 }, [2, 3], { unit: 'cm' }],
      [RESULT, 1, { progress: false }, ['end']],
      [RESULT, 2, {}],
    )
    expect(await result).toEqual({ args: ['end'], kwargs: {}, details: { progress: false } })
    expect(await plain).toBe(undefined)
    expect(reported).toEqual([
      [[], {}, { progress: true }],
      [[2, 3], { unit: 'cm' }, { progress: true, _x: 1 }],
    ])
    expect(client.dropped.answers).toBe(1)
  })

  test('reports an error of onProgress, and the call continues', async () => {
    const { client, peer } = await joinedTo([])
    const errors: unknown[] = []
    client.on('error', (error) => errors.push(error))
    const result = client.call(
      'a.b',
      [],
      {},
      {
        onProgress: ([how]) => (how === 'now' ? raise('now') : Promise.reject(new Error('later'))),
      },
    )
    await until(() => sent(peer, CALL).length === 1)
    peer.send(
      [RESULT, 1, { progress: true }, ['now']],
      [RESULT, 1, { progress: true }, ['later']],
      [RESULT, 1, {}, ['end']],
    )
    expect(await result).toBe('end')
    await until(() => errors.length === 2)
    expect(errors).toMatchObject([{ message: 'now' }, { message: 'later' }])
  })

  test('reads parts in a loop at its own pace, with the result as a separate promise', async () => {
    const { client, peer } = await joinedTo([])
    const loop = client.progress<number, string>('a.b', [1])
    await until(() => sent(peer, CALL).length === 1)
    peer.send(...[1, 2, 3].map((part) => [RESULT, 1, { progress: true }, [part]]), [RESULT, 1, {}, ['end']])
    expect(await loop.result).toBe('end')
    expect(await read(loop)).toEqual({ got: [1, 2, 3] })
    expect(await loop.next()).toEqual({ done: true, value: undefined })
  })

  test('gets the error of the call from the loop, after the parts before it', async () => {
    const { client, peer } = await joinedTo([])
    const loop = client.progress('a.b')
    await until(() => sent(peer, CALL).length === 1)
    peer.send([RESULT, 1, { progress: true }, [1]], [ERROR, CALL, 1, {}, 'a.error'])
    expect(await read(loop)).toMatchObject({ got: [1], error: { uri: 'a.error' } })
    expect(await failure(loop.result)).toEqual(uri('a.error'))
    const lost = client.progress('a.b')
    await until(() => sent(peer, CALL).length === 2)
    peer.send([RESULT, 2, { progress: true }, [1]])
    peer.terminate()
    expect(await read(lost)).toMatchObject({ got: [1], error: { uri: CONNECTION_LOST } })
    expect(await read(client.progress('a.b'))).toMatchObject({ got: [], error: { uri: 'wampy.error.not_joined' } })
  })

  test('cancels the call by leaving the loop; later parts are dropped', async () => {
    const { client, peer } = await joinedTo(['call_canceling'])
    const loop = client.progress('a.b')
    await until(() => sent(peer, CALL).length === 1)
    peer.send([RESULT, 1, { progress: true }, [1]], [RESULT, 1, { progress: true }, [2]])
    for await (const part of loop) {
      expect(part).toBe(1)
      break
    }
    expect(await failure(loop.result)).toEqual(uri(CANCELED))
    await until(() => sent(peer, CANCEL).length === 1)
    expect(peer.received.at(-1)).toEqual([CANCEL, 1, { mode: 'killnowait' }])
    peer.send([RESULT, 1, { progress: true }, [3]])
    await until(() => client.dropped.answers === 1)
    expect(await loop.next()).toEqual({ done: true, value: undefined })
  })

  test('ends the loop by its signal, and sends nothing if that is already aborted', async () => {
    const { client, peer } = await joinedTo(['call_canceling'])
    const controller = new AbortController()
    const loop = client.progress('a.b', [], {}, { signal: controller.signal, cancelMode: 'skip' })
    await until(() => sent(peer, CALL).length === 1)
    controller.abort('enough')
    expect(await read(loop)).toMatchObject({ got: [], error: { uri: CANCELED, cause: 'enough' } })
    await until(() => sent(peer, CANCEL).length === 1)
    expect(peer.received.at(-1)).toEqual([CANCEL, 1, { mode: 'skip' }])
    const never = client.progress('a.b', [], {}, { signal: AbortSignal.abort('before') })
    expect(await read(never)).toMatchObject({ error: { uri: CANCELED, cause: 'before' } })
    expect(sent(peer, CALL)).toHaveLength(1)
  })

  test('may wait for several parts at once, and all waits end', async () => {
    const { client, peer } = await joinedTo([])
    const loop = client.progress('a.b')
    const readers = [loop.next(), loop.next(), loop.next()]
    await until(() => sent(peer, CALL).length === 1)
    peer.send([RESULT, 1, { progress: true }, [1]], [RESULT, 1, {}])
    expect(await Promise.all(readers)).toEqual([
      { done: false, value: 1 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
  })
})

describe('a reader that is too slow', () => {
  const part = (n: number) => [RESULT, 1, { progress: true }, [n]]
  const overflow = (buffer: number) => ({
    uri: LIMIT_EXCEEDED,
    message: `more than ${buffer} parts of the result of a.b wait to be read, or more bytes than the option limits: read faster, or with a larger buffer`,
  })

  test.each(['killnowait', 'kill', 'skip'] as const)('ends the call, which is canceled by %s', async (cancelMode) => {
    const { client, peer } = await joinedTo(['call_canceling'])
    const onProgress: unknown[] = []
    const loop = client.progress(
      'a.b',
      [],
      {},
      { buffer: 2, cancelMode, onProgress: ([part]) => onProgress.push(part) },
    )
    await until(() => sent(peer, CALL).length === 1)
    expect(sent(peer, CALL)).toEqual([[CALL, 1, { receive_progress: true }, 'a.b', [], {}]])
    expect(await Promise.all([loop.next(), peer.send(part(1))])).toMatchObject([{ value: 1 }, undefined])
    // A waiting reader receives it at once.
    peer.send(part(2), part(3), part(4), part(5), [RESULT, 1, {}, ['too late']])
    expect(await failure(loop.result)).toMatchObject(overflow(2))
    expect(await read(loop)).toMatchObject({ got: [2, 3], error: overflow(2) })
    expect(await loop.next()).toEqual({ done: true, value: undefined })
    await until(() => sent(peer, CANCEL).length === 1)
    expect(sent(peer, CANCEL)).toEqual([[CANCEL, 1, { mode: cancelMode }]])
    expect(onProgress).toEqual([1, 2, 3])
    // The part that exceeded the buffer, and the parts after the end.
    await until(() => client.dropped.answers === (cancelMode === 'kill' ? 2 : 3))
  })

  test('may lag by 65 536 parts, or by its buffer option', async () => {
    const { client, peer } = await joinedTo(['call_canceling'])
    const loop = client.progress('a.b')
    const roomy = client.progress('a.b', [], {}, { buffer: Number.POSITIVE_INFINITY })
    await until(() => sent(peer, CALL).length === 2)
    const parts = Array.from({ length: 65_536 }, (_, n) => part(n))
    peer.send(...parts, part(65_536))
    expect(await failure(loop.result)).toMatchObject(overflow(65_536))
    peer.send(...parts.map(([code, , ...rest]) => [code, 2, ...rest]), [RESULT, 2, { progress: true }, ['one more']])
    peer.send([RESULT, 2, {}, ['end']])
    expect(await roomy.result).toBe('end')
    expect((await read(roomy)).got).toHaveLength(65_537)
  })
})

function raise(text: string): never {
  throw new Error(text)
}

describe('the callee', () => {
  const serving = async (
    endpoint: (invocation: Invocation) => unknown,
    details: object = { receive_progress: true },
  ) => {
    const at = await joined(granting)
    const errors: unknown[] = []
    at.client.on('error', (error) => errors.push(error))
    const { id } = await at.client.register('a.b', (_args, _kwargs, _details, invocation) => endpoint(invocation))
    const before = at.peer.received.length
    at.peer.send([INVOCATION, 1, id, details])
    const answers = (count: number) =>
      until(() => at.peer.received.length >= before + count).then(() => at.peer.received.slice(before))
    return { ...at, errors, answers }
  }

  test('an async generator yields progress and returns the result', async () => {
    const { answers } = await serving(async function* () {
      yield 1
      yield undefined
      yield new Result([2, 3], { unit: 'cm' })
      return 'end'
    })
    expect(await answers(4)).toEqual([
      [YIELD, 1, { progress: true }, [1]],
      [YIELD, 1, { progress: true }],
      [YIELD, 1, { progress: true }, [2, 3], { unit: 'cm' }],
      [YIELD, 1, {}, ['end']],
    ])
  })

  test('without receive_progress only the result is sent', async () => {
    const reported: unknown[] = []
    const { answers } = await serving(async function* (invocation) {
      reported.push(invocation.wantsProgress, invocation.progress(['x']))
      yield 1
      return new Result([], { sum: 1 })
    }, {})
    expect(await answers(1)).toEqual([[YIELD, 1, {}, [], { sum: 1 }]])
    expect(reported).toEqual([false, false])
  })

  test('a promise of an iterable, and an iterable that is not a generator, work as well', async () => {
    const { answers } = await serving(async () => new Blob(['ab']).stream())
    expect(await answers(2)).toEqual([
      [YIELD, 1, { progress: true }, [expect.stringMatching('^\0')]],
      [YIELD, 1, {}, [null]],
    ])
  })

  test('progress() sends a part, until the answer is sent', async () => {
    const reported: unknown[] = []
    const { answers } = await serving(async (invocation) => {
      reported.push(invocation.wantsProgress, invocation.progress(), invocation.progress([1, 2], { of: 3 }))
      setImmediate(() => reported.push(invocation.wantsProgress, invocation.progress([3])))
      return 'end'
    })
    await until(() => reported.length === 5)
    expect(await answers(3)).toEqual([
      [YIELD, 1, { progress: true }],
      [YIELD, 1, { progress: true }, [1, 2], { of: 3 }],
      [YIELD, 1, {}, ['end']],
    ])
    expect(reported).toEqual([true, true, true, false, false])
  })

  test('a generator that throws is an error, also after progress', async () => {
    const { answers, errors } = await serving(async function* () {
      yield 1
      throw new WampError('a.error', ['text'])
    })
    expect(await answers(2)).toEqual([
      [YIELD, 1, { progress: true }, [1]],
      [ERROR, INVOCATION, 1, {}, 'a.error', ['text']],
    ])
    expect(errors).toEqual([])
  })

  test('a part that no serializer can represent ends the generator with an error that names its place', async () => {
    let cleaned = false
    const { answers } = await serving(async function* () {
      try {
        yield { f: () => {} }
      } finally {
        cleaned = true
      }
    })
    expect(await answers(1)).toEqual([
      [ERROR, INVOCATION, 1, {}, 'wamp.error.invalid_argument', [expect.stringContaining('args[0].f')]],
    ])
    expect(cleaned).toBe(true)
  })

  test.each([
    ['killnowait', []],
    ['kill', [[ERROR, INVOCATION, 1, {}, CANCELED, ['the call was canceled']]]],
  ] as const)('INTERRUPT %s ends a generator where it stands, even one that never waits', async (mode, last) => {
    let cleaned = false
    const { peer, answers, errors } = await serving(async function* () {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        cleaned = true
      }
    })
    await answers(100)
    peer.send([INTERRUPT, 1, { mode }])
    await until(() => cleaned)
    // The answer to a further invocation arrives after every part that was on its way when the generator ended.
    const answered = (request: number) => () => sent(peer, ERROR).some((error) => error[2] === request)
    peer.send([INVOCATION, 2, 77, {}])
    await until(answered(2))
    const before = peer.received.length
    peer.send([INVOCATION, 3, 77, {}])
    await until(answered(3))
    expect(peer.received.slice(before).filter(([code]) => code === YIELD)).toEqual([])
    expect(sent(peer, ERROR).filter(([, , request]) => request === 1)).toEqual(last)
    expect(errors).toEqual([])
  })

  test('the end of the session ends a generator; an error of its clean-up is reported', async () => {
    const { peer, answers, errors } = await serving(async function* () {
      try {
        for (;;) yield 1
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: a clean-up that fails is the point
        throw new Error('in cleaning up')
      }
    })
    await answers(1)
    peer.terminate()
    await until(() => errors.length === 1)
    expect(errors).toMatchObject([{ message: 'in cleaning up' }])
  })
})

class Counter extends WampClient {
  static prefix = 'com.example'
  readonly left = gate()

  @rpc async *count(to: number): AsyncGenerator<number, string> {
    for (let n = 1; n <= to; n++) yield n
    return `counted to ${to}`
  }

  @rpc async *forever(): AsyncGenerator<number, void> {
    try {
      for (let n = 1; ; n++) yield n
    } finally {
      this.left.open()
    }
  }

  @rpc({ invocation: true }) async copy(invocation: Invocation, files: string[]): Promise<number> {
    for (const file of files) invocation.progress([file], { done: true })
    return files.length
  }
}

describe('through a router', () => {
  test('an async generator of a service is a typed loop for its client, and a promise of its return value', async () => {
    await using at = await serving(Counter)
    const loop = at.client.stream.count(3)
    const got: number[] = []
    for await (const n of loop) got.push(n)
    expect([got, await loop.result]).toEqual([[1, 2, 3], 'counted to 3'])
    expect(await at.client.rpc.count(3)).toBe('counted to 3')
    const reported: unknown[] = []
    expect(await at.client.with({ onProgress: ([n]) => reported.push(n) }).rpc.count(2)).toBe('counted to 2')
    expect(reported).toEqual([1, 2])
    expect(at.world.log.sent('service').filter(([code]) => code === YIELD)).toEqual([
      [YIELD, 1, { progress: true }, [1]],
      [YIELD, 1, { progress: true }, [2]],
      [YIELD, 1, { progress: true }, [3]],
      [YIELD, 1, {}, ['counted to 3']],
      [YIELD, 2, {}, ['counted to 3']],
      [YIELD, 3, { progress: true }, [1]],
      [YIELD, 3, { progress: true }, [2]],
      [YIELD, 3, {}, ['counted to 2']],
    ])
  })

  test('a method reports progress through its Invocation', async () => {
    await using at = await serving(Counter)
    const reported: unknown[] = []
    const files = ['a', 'b']
    expect(await at.client.with({ onProgress: (args, kwargs) => reported.push([args, kwargs]) }).rpc.copy(files)).toBe(
      2,
    )
    expect(reported).toEqual([
      [['a'], { done: true }],
      [['b'], { done: true }],
    ])
  })

  test.each(['linked', 'wires'] as const)(
    '%s: leaving the loop ends the generator, even an endless one',
    async (link) => {
      await using at = await serving(Counter, link)
      let last = 0
      for await (const n of at.client.stream.forever()) {
        last = n
        if (n === 200) break
      }
      expect(last).toBe(200)
      await at.service.left.opened
      expect(at.world.router.stats().calls).toBe(0)
    },
  )

  test('a caller that leaves ends the generator, and a callee that leaves ends the loop', async () => {
    await using at = await serving(Counter)
    const loop = at.client.stream.forever()
    await loop.next()
    await at.client.stop()
    await at.service.left.opened
    expect(await failure(loop.result)).toEqual(uri('wampy.error.stopped'))
    const [other] = await at.world.join('other')
    const again = other.progress('com.example.forever')
    await again.next()
    await at.service.stop()
    expect((await read(again)).error).toEqual(uri(CANCELED))
  })

  test('any name can be called as a loop on an untyped client', async () => {
    await using at = await serving(Counter)
    await using anything = new RpcClient({ router: at.world.connector('anything') })
    expect(await read(anything.stream.com.example.count(2))).toEqual({ got: [1, 2] })
    expect((await read(anything.stream.nobody())).error).toEqual(uri('wamp.error.no_such_procedure'))
  })
})
