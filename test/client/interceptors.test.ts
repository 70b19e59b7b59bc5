/** Interceptors around calls, publications, invocations and events: their order, their changes, their failures. */
import { describe, expect, test, vi } from 'vitest'
import {
  type ClientOptions,
  eventHistory,
  type Interceptor,
  type Invocation,
  type ProgressHandler,
  Result,
  RpcClient,
  rpc,
  subscribe,
  WampClient,
  WampError,
} from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { failure, gate, leavesNothing, until, uri } from './support.ts'

leavesNothing()

const USAGE = uri('wampy.error.usage')

/** A callee without interceptors, and a caller with the given ones. */
async function intercepted(interceptors: readonly Interceptor[], options: ClientOptions = {}) {
  const world = await openWorld({ link: 'wires' })
  const [callee] = await world.join('callee')
  const caller = await world.client('caller', { interceptors, ...options })
  return { world, caller, callee, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

describe('options', () => {
  test.each([
    ['an interceptor alone', { call: () => ({ args: [] }) }],
    ['a function', [() => ({})]],
    ['null', [null]],
    ['text', [{ call: 'text' }]],
    ['an unknown kind', [{ invoke: () => {} }]],
  ])('%s is refused', (_, interceptors) => {
    for (const Class of [WampClient, RpcClient]) {
      expect(() => new Class({ interceptors } as never)).toThrow(expect.objectContaining({ uri: 'wampy.error.usage' }))
      expect(() => new Class({ interceptors } as never)).toThrow(/interceptors/)
    }
  })

  test('a list may be empty, and a kind undefined', async () => {
    await using w = await intercepted([{ call: undefined }])
    await using empty = await intercepted([])
    for (const { caller, callee } of [w, empty]) {
      await callee.register('com.example.echo', ([value]) => value)
      expect(await caller.call('com.example.echo', [1])).toBe(1)
    }
  })
})

describe('calls', () => {
  test('pass through all interceptors, the first outermost', async () => {
    const seen: string[] = []
    const named = (name: string): Interceptor => ({
      async call(request, next) {
        seen.push(`${name} before ${JSON.stringify(request.args)}`)
        const result = await next({ ...request, args: [...request.args, name] })
        seen.push(`${name} after ${JSON.stringify(result.args)}`)
        return { ...result, args: [`${name}(${result.args[0]})`] }
      },
    })
    await using w = await intercepted([named('a'), {}, named('b')])
    await w.callee.register('com.example.join', (args) => args.join('+'))
    expect(await w.caller.call('com.example.join', ['x'])).toBe('a(b(x+a+b))')
    expect(seen).toEqual(['a before ["x"]', 'b before ["x","a"]', 'b after ["x+a+b"]', 'a after ["b(x+a+b)"]'])
  })

  test('of every method pass through them', async () => {
    const procedures: string[] = []
    const note: Interceptor = {
      call(request, next) {
        procedures.push(request.procedure)
        return next({ ...request, kwargs: { ...request.kwargs, token: 't' } })
      },
    }
    await using world = await openWorld({ link: 'wires' })
    const [callee] = await world.join('callee')
    await callee.register('com.example.show', (args, kwargs) => new Result([args.length], kwargs))
    await callee.register('com.example.count', async function* ([to]) {
      for (let n = 1; n <= Number(to); n++) yield n
      return 'done'
    })
    await using client = new RpcClient({ router: world.connector('client'), interceptors: [note] })
    expect(await client.call('com.example.show', [1])).toBe(1)
    const raw = await client.callRaw('com.example.show', [1], { a: 2 })
    expect(raw).toEqual({ args: [1], kwargs: { a: 2, token: 't' }, details: expect.any(Object) })
    expect(await client.rpc.com.example.show(1, 2)).toBe(2)
    expect(await client.with({ kwargs: { b: 1 } }).rpc.com.example.show(1, 2)).toBe(2)
    for (const counting of [client.progress('com.example.count', [3]), client.stream.com.example.count(3)]) {
      const parts: unknown[] = []
      for await (const part of counting) parts.push(part)
      expect(parts).toEqual([1, 2, 3])
      expect(await counting.result).toBe('done')
    }
    // Functions over a client call as their user does.
    await client.entrypoints()
    await expect(eventHistory(client, 'com.example.none').next()).rejects.toBeInstanceOf(WampError)
    const own = 'com.example.'
    expect(procedures.filter((each) => each.startsWith(own))).toEqual(
      ['show', 'show', 'show', 'show', 'count', 'count'].map((name) => own + name),
    )
    expect(procedures).toContain('wamp.registration.list')
    expect(procedures).toContain('wamp.subscription.lookup')
  })

  test('without arguments are sent without any', async () => {
    await using w = await intercepted([
      { call: (request, next) => next(request), publish: (given, next) => next(given) },
    ])
    await w.callee.register('com.example.nothing', () => null)
    await w.caller.call('com.example.nothing')
    await w.caller.publish('com.example.nothing')
    await w.caller.call('com.example.nothing', [], { a: 1 })
    const sent = w.world.log.sent('caller').filter(([code]) => code === 48 || code === 16)
    expect(sent.map((message) => message.slice(4))).toEqual([[], [], [[], { a: 1 }]])
  })

  test('may be answered by an interceptor, which sends nothing', async () => {
    await using w = await intercepted([
      { call: async ({ procedure }, next) => (procedure === 'com.example.x' ? { args: ['fake'] } : next({} as never)) },
    ])
    expect(await w.caller.call('com.example.x')).toBe('fake')
    expect(await w.caller.callRaw('com.example.x')).toEqual({ args: ['fake'], kwargs: {}, details: {} })
    expect(w.world.log.sent('caller').some(([code]) => code === 48)).toBe(false)
  })

  test('may be sent again, each with its own timeout', async () => {
    const errors: unknown[] = []
    const retry: Interceptor = {
      async call(request, next) {
        for (;;) {
          try {
            return await next(request)
          } catch (error) {
            errors.push(error)
            if (errors.length === 3) throw error
          }
        }
      },
    }
    await using w = await intercepted([retry])
    let calls = 0
    await w.callee.register('com.example.flaky', (_, __, ___, { signal }) => {
      if (++calls > 1) throw new WampError('com.example.broken', [calls])
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const error = await failure(w.caller.call('com.example.flaky', [], undefined, { timeout: 20 }))
    expect(error).toMatchObject({ uri: 'com.example.broken', args: [3], procedure: 'com.example.flaky' })
    expect(errors).toEqual([uri('wamp.error.timeout'), uri('com.example.broken'), error])
  })

  test('with progressive results show each to an interceptor that wraps onProgress', async () => {
    const doubled: Interceptor = {
      call(request, next) {
        const { onProgress } = request.options
        if (!onProgress) return next(request)
        const options = {
          ...request.options,
          onProgress: ((args, ...rest) => onProgress([Number(args[0]) * 2], ...rest)) satisfies ProgressHandler,
        }
        return next({ ...request, options })
      },
    }
    await using w = await intercepted([doubled])
    await w.callee.register('com.example.count', async function* () {
      yield 1
      yield 2
    })
    const parts: unknown[] = []
    for await (const part of w.caller.progress('com.example.count')) parts.push(part)
    expect(parts).toEqual([2, 4])
    const heard: unknown[] = []
    await w.caller.call('com.example.count', [], {}, { onProgress: (args) => heard.push(args[0]) })
    expect(heard).toEqual([2, 4])
  })

  test('leave in the order in which they were made, if no interceptor waits', async () => {
    await using w = await intercepted([{ call: async (request, next) => next(request) }])
    await w.callee.register('com.example.echo', ([value]) => value)
    const first = w.caller.call('com.example.echo', [1])
    const published = w.caller.publish('com.example.t', [2])
    await Promise.all([first, published, w.caller.call('com.example.echo', [3])])
    const sent = w.world.log.sent('caller').filter(([code]) => code === 48 || code === 16)
    expect(sent.map((message) => message[4])).toEqual([[1], [2], [3]])
  })

  test('wait for a session after the interceptors', async () => {
    await using world = await openWorld({ link: 'wires' })
    await using client = new RpcClient({
      router: world.connector('client'),
      interceptors: [{ call: (request, next) => next({ ...request, procedure: 'com.example.other' }) }],
    })
    const [callee] = await world.join('callee')
    await callee.register('com.example.other', () => 'other')
    expect(await client.call('com.example.one')).toBe('other')
  })

  test.each<[string, Interceptor['call'], object]>([
    [
      'that throws',
      () => {
        throw new RangeError('broken')
      },
      new RangeError('broken'),
    ],
    ['that rejects', async () => Promise.reject(new RangeError('broken')), new RangeError('broken')],
    ['that returns nothing', (() => {}) as never, USAGE],
    ['that returns a value', (() => 7) as never, USAGE],
    ['that returns wrong kwargs', (() => ({ args: [], kwargs: [] })) as never, USAGE],
    ['that passes nothing on', (_, next) => next(undefined as never), USAGE],
    ['that passes a wrong list on', (request, next) => next({ ...request, args: 'x' as never }), USAGE],
    ['that passes wrong kwargs on', (request, next) => next({ ...request, kwargs: [] as never }), USAGE],
    [
      'that passes wrong options on',
      (request, next) => next({ ...request, options: { timeout: 'x' as never } }),
      USAGE,
    ],
    [
      'that passes no URI on',
      (request, next) => next({ ...request, procedure: 7 as never }),
      uri('wamp.error.invalid_uri'),
    ],
    [
      'that does not wait for a failure',
      ((request: never, next: (it: never) => unknown) => void next(request)) as never,
      USAGE,
    ],
  ])('with an interceptor %s fail', async (_, call, expected) => {
    await using w = await intercepted([{ call: (request, next) => next(request) }, { call }])
    expect(await failure(w.caller.call('com.example.none'))).toEqual(expected)
    expect(await failure(w.caller.callRaw('com.example.none'))).toEqual(expected)
  })

  test('may be passed on without options', async () => {
    await using w = await intercepted([{ call: ({ procedure }, next) => next({ procedure, args: ['bare'] } as never) }])
    await w.callee.register('com.example.echo', ([value]) => value)
    expect(await w.caller.call('com.example.echo', [1], {}, { timeout: 1 })).toBe('bare')
  })

  test('that stop() ends need not be handled', async () => {
    await using w = await intercepted([{ call: (request, next) => next(request) }])
    const begun = gate()
    await w.callee.register('com.example.slow', (_, __, ___, { signal }) => {
      begun.open()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    void w.caller.call('com.example.slow')
    await begun.opened
    await w.caller.stop()
  })

  test('that fail and are not handled are left to the platform', async () => {
    await using w = await intercepted([{ call: (request, next) => next(request) }])
    const [hear] = process.listeners('unhandledRejection').slice(-1)
    const heard: unknown[] = []
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (reason) => heard.push(reason))
    void w.caller.call('com.example.none')
    await until(() => heard.length > 0)
    process.removeAllListeners('unhandledRejection')
    if (hear) process.on('unhandledRejection', hear)
    expect(heard).toEqual([uri('wamp.error.no_such_procedure')])
  })

  test('keep the class of an interceptor as its this', async () => {
    class Counting implements Interceptor {
      count = 0
      call = undefined
      publish: Interceptor['publish'] = function (this: Counting, request, next) {
        this.count++
        return next(request)
      }
    }
    const counting = new Counting()
    expect(() => new WampClient({ interceptors: [counting] })).toThrow(/count/)
    const plain = { publish: counting.publish }
    Object.defineProperty(plain, 'count', { value: 0, writable: true })
    await using w = await intercepted([plain])
    await w.caller.publish('com.example.t')
    expect(plain).toMatchObject({ count: 1 })
  })
})

describe('publications', () => {
  test('pass through, with their outcome', async () => {
    const outcomes: unknown[] = []
    await using w = await intercepted([
      {
        async publish(request, next) {
          const outcome = await next({ ...request, topic: `${request.topic}.moved`, kwargs: { by: 'interceptor' } })
          outcomes.push(outcome)
          return outcome
        },
      },
    ])
    const events: unknown[] = []
    await w.callee.subscribe('com.example.t.moved', (args, kwargs) => events.push([args, kwargs]))
    expect(await w.caller.publish('com.example.t', [1])).toBe(undefined)
    const id = await w.caller.publish('com.example.t', [2], {}, { acknowledge: true })
    expect(outcomes).toEqual([undefined, id])
    await until(() => events.length === 2)
    expect(events).toEqual([
      [[1], { by: 'interceptor' }],
      [[2], { by: 'interceptor' }],
    ])
  })

  test('may be withheld, or fail', async () => {
    await using w = await intercepted([
      {
        publish({ topic }, next) {
          if (topic === 'com.example.broken') throw new RangeError('broken')
          if (topic === 'com.example.garbage') return next(null as never)
          return undefined
        },
      },
    ])
    expect(await w.caller.publish('com.example.t')).toBe(undefined)
    expect(await failure(w.caller.publish('com.example.broken'))).toEqual(new RangeError('broken'))
    expect(await failure(w.caller.publish('com.example.garbage'))).toEqual(USAGE)
    expect(w.world.log.sent('caller').some(([code]) => code === 16)).toBe(false)
  })
})

class Service extends WampClient {
  static override readonly name = 'Service'
  static readonly prefix = 'com.example.'
  readonly heard: unknown[] = []

  @rpc({ invocation: true })
  show({ args, kwargs, details, procedure }: Invocation, ...rest: unknown[]) {
    return [args, kwargs, details['mark'] ?? null, procedure, rest]
  }

  @rpc
  async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
    return 'done'
  }

  @subscribe({ uri: 'com.example.news', event: true })
  news(event: unknown, text: string) {
    this.heard.push([event, text])
  }
}

/** A service with interceptors, and a caller without. */
async function serving(interceptors: readonly Interceptor[], options: ClientOptions = {}) {
  const world = await openWorld({ link: 'wires' })
  const service = new Service({ router: world.connector('service'), reconnect: false, interceptors, ...options })
  await service.start()
  const [caller] = await world.join('caller')
  return {
    world,
    service,
    caller,
    async [Symbol.asyncDispose]() {
      await service.stop()
      await world[Symbol.asyncDispose]()
    },
  }
}

describe('invocations', () => {
  test('pass through, and procedures see the request that reaches them', async () => {
    const seen: unknown[] = []
    await using w = await serving([
      {
        async invocation(request, next) {
          const { token, ...kwargs } = request.kwargs
          seen.push([request.procedure, token, request.registration.uri, request.invocation.args])
          const details = { ...request.details, mark: 'm' }
          return [await next({ ...request, args: ['changed', ...request.args], kwargs, details }), 'wrapped']
        },
      },
    ])
    expect(await w.caller.call('com.example.show', [1], { a: 2, token: 't' })).toEqual([
      [['changed', 1], { a: 2 }, 'm', 'com.example.show', ['changed', 1]],
      'wrapped',
    ])
    expect(seen).toEqual([['com.example.show', 't', 'com.example.show', [1]]])
  })

  test('by a pattern name the procedure and the pattern', async () => {
    const seen: unknown[] = []
    await using w = await serving([
      {
        invocation(request, next) {
          seen.push([request.procedure, request.registration.uri])
          return next(request)
        },
      },
    ])
    await w.service.register('com.example.any.', (_, __, details) => details.procedure, { match: 'prefix' })
    expect(await w.caller.call('com.example.any.thing')).toBe('com.example.any.thing')
    expect(seen).toEqual([['com.example.any.thing', 'com.example.any.']])
  })

  test('of generators may be wrapped part by part', async () => {
    await using w = await serving([
      {
        async invocation(request, next) {
          const parts = (await next(request)) as AsyncGenerator<number, string>
          return (async function* () {
            for (;;) {
              const { done, value } = await parts.next()
              if (done) return `${value}!`
              yield value * 10
            }
          })()
        },
      },
    ])
    const counting = w.caller.progress('com.example.count', [2])
    const parts: unknown[] = []
    for await (const part of counting) parts.push(part)
    expect([parts, await counting.result]).toEqual([[10, 20], 'done!'])
  })

  test('may be answered by an interceptor, or refused', async () => {
    const errors: unknown[] = []
    await using w = await serving([
      {
        invocation({ kwargs: { token } }, next) {
          if (token === 'guest') return new Result(['guest'], { asked: true })
          if (token === 'garbage') return next(undefined as never)
          if (token === 'broken') throw new RangeError('broken')
          throw new WampError('wamp.error.not_authorized', ['no token'])
        },
      },
    ])
    w.service.on('error', (error) => errors.push(error))
    expect(await w.caller.callRaw('com.example.show', [], { token: 'guest' })).toMatchObject({
      args: ['guest'],
      kwargs: { asked: true },
    })
    expect(await failure(w.caller.call('com.example.show'))).toMatchObject({
      uri: 'wamp.error.not_authorized',
      args: ['no token'],
    })
    expect(errors).toEqual([])
    const broken = await failure(w.caller.call('com.example.show', [], { token: 'broken' }))
    expect(broken).toMatchObject({ uri: 'wamp.error.runtime_error', args: ['broken'] })
    await failure(w.caller.call('com.example.show', [], { token: 'garbage' }))
    expect(errors).toEqual([new RangeError('broken'), USAGE])
  })

  test('show the error of a procedure to an interceptor before onError has it', async () => {
    const seen: unknown[] = []
    await using w = await serving(
      [
        {
          async invocation(request, next) {
            try {
              return await next(request)
            } catch (error) {
              seen.push(error)
              throw new WampError('com.example.mapped')
            }
          },
        },
      ],
      {
        onError: (error) => {
          seen.push(error)
          return undefined
        },
      },
    )
    await w.service.register('com.example.fail', () => {
      throw new RangeError('inner')
    })
    expect(await failure(w.caller.call('com.example.fail'))).toEqual(uri('com.example.mapped'))
    expect(seen).toEqual([new RangeError('inner'), uri('com.example.mapped')])
  })

  test('that are canceled abort the signal of the procedure', async () => {
    await using w = await serving([{ invocation: (request, next) => next({ ...request }) }])
    const begun = gate()
    const ended = gate<unknown>()
    await w.service.register('com.example.slow', (_, __, ___, { signal }) => {
      begun.open()
      signal.addEventListener('abort', () => ended.open(signal.reason))
      return ended.opened
    })
    const stop = new AbortController()
    const calling = failure(w.caller.call('com.example.slow', [], {}, { signal: stop.signal }))
    await begun.opened
    stop.abort()
    expect(await calling).toEqual(uri('wamp.error.canceled'))
    expect(await ended.opened).toEqual(uri('wamp.error.canceled'))
  })
})

describe('events', () => {
  test('pass through, for each handler alone', async () => {
    const seen: unknown[] = []
    await using w = await serving([
      {
        event(request, next) {
          seen.push([request.topic, request.subscription.uri, request.details.publication])
          return next({ ...request, args: [`<${request.args[0]}>`] })
        },
      },
    ])
    const { heard } = w.service
    await w.service.subscribe('com.example.news', (args) => heard.push(args))
    await w.service.subscribe('com.example', (args, _, { topic }) => heard.push([topic, args]), { match: 'prefix' })
    const publication = await w.caller.publish('com.example.news', ['x'], {}, { acknowledge: true })
    await until(() => heard.length === 3)
    expect(heard).toEqual(
      expect.arrayContaining([
        [expect.objectContaining({ args: ['<x>'], topic: 'com.example.news', publication }), '<x>'],
        ['<x>'],
        ['com.example.news', ['<x>']],
      ]),
    )
    expect(seen).toHaveLength(3)
    expect(seen).toContainEqual(['com.example.news', 'com.example', publication])
    expect(seen).toContainEqual(['com.example.news', 'com.example.news', publication])
  })

  test('may be dropped; errors are those of the handler', async () => {
    const errors: unknown[] = []
    await using w = await serving([
      {
        event({ args: [text], ...rest }, next) {
          if (text === 'drop') return undefined
          if (text === 'throw') throw new RangeError('thrown')
          if (text === 'garbage') void next(undefined as never)
          return next({ ...rest, args: [text] })
        },
      },
    ])
    w.service.on('error', (error) => errors.push(error))
    await w.service.subscribe('com.example.fail', () => Promise.reject(new RangeError('handler')))
    await w.service.subscribe('com.example.last', () => w.service.heard.push('last'))
    for (const text of ['drop', 'throw', 'garbage', 'kept']) await w.caller.publish('com.example.news', [text])
    await w.caller.publish('com.example.fail')
    await w.caller.publish('com.example.last')
    await until(() => w.service.heard.includes('last') && errors.length === 2)
    expect(w.service.heard).toMatchObject([[{}, 'garbage'], [{}, 'kept'], 'last'])
    expect(errors).toEqual([new RangeError('thrown'), new RangeError('handler')])
  })

  test('reach client.events through them', async () => {
    await using w = await serving([{ event: ({ args, ...rest }, next) => next({ ...rest, args: [...args, 'seen'] }) }])
    const events = w.service.events('com.example.t')
    await events.subscription
    await w.caller.publish('com.example.t', [1])
    expect((await events.next()).value?.args).toEqual([1, 'seen'])
    await events.return?.()
  })
})

test('the library does not intercept its own probes', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
  const procedures: string[] = []
  await using w = await intercepted(
    [
      {
        call(request, next) {
          procedures.push(request.procedure)
          return next(request)
        },
      },
    ],
    { liveness: { idle: 1000 } },
  )
  for (let step = 0; step < 12; step++) {
    await vi.advanceTimersByTimeAsync(250)
    await new Promise((resolve) => setImmediate(resolve))
  }
  vi.useRealTimers()
  expect(w.world.log.sent('caller').some((message) => message[3] === 'wamp.session.count')).toBe(true)
  expect(procedures).toEqual([])
})
