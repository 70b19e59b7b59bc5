/** Caller and callee: results, errors, and values that no serializer can represent. */

import { describe, expect, test } from 'vitest'
import {
  type ClientOptions,
  type Invocation,
  LIMIT_EXCEEDED,
  type OnError,
  Result,
  WampClient,
  WampError,
} from 'wampy-ts'
import {
  ABORT,
  CALL,
  ERROR,
  INVOCATION,
  openWorld,
  REGISTER,
  REGISTERED,
  RESULT,
  SUBSCRIBE,
  SUBSCRIBED,
  UNREGISTER,
  UNREGISTERED,
  YIELD,
} from 'wampy-ts/testing'
import { type Answer, failure, granting, joined, leavesNothing, until, uri } from './support.ts'

leavesNothing()

/** A callee at a scripted router: the invocations it receives, and its answers. */
async function callee(
  endpoint: Parameters<Awaited<ReturnType<typeof joined>>['client']['register']>[1],
  options: ClientOptions = {},
) {
  const at = await joined(granting, options)
  const errors: unknown[] = []
  at.client.on('error', (error) => errors.push(error))
  const registration = await at.client.register('com.example.f', endpoint)
  let invocation = 0
  return {
    ...at,
    errors,
    registration,
    invoke: async (...payload: unknown[]) => {
      const before = at.peer.received.length
      at.peer.send([INVOCATION, ++invocation, registration.id as number, {}, ...payload])
      await until(() => at.peer.received.length > before)
      return at.peer.received.at(-1)
    },
  }
}

describe('call', () => {
  const answers = (...payload: unknown[]) =>
    joined(([code, request], peer) => code === CALL && peer.send([RESULT, request, { _d: 1 }, ...payload]))

  test('resolves to the first positional result, callRaw to all of it, regardless of the data', async () => {
    for (const [payload, first, args, kwargs] of [
      [[], undefined, [], {}],
      [[[]], undefined, [], {}],
      [[[1]], 1, [1], {}],
      [[[[1, 2]]], [1, 2], [[1, 2]], {}],
      [[[1, 2]], 1, [1, 2], {}],
      [[[null]], null, [null], {}],
      [[[], { a: 1 }], undefined, [], { a: 1 }],
      [[[{ args: 1 }], { a: 1 }], { args: 1 }, [{ args: 1 }], { a: 1 }],
    ] as const) {
      const { client } = await answers(...payload)
      expect(await client.call('a.b')).toEqual(first)
      expect(await client.callRaw('a.b')).toEqual({ args, kwargs, details: { _d: 1 } })
      await client.stop()
    }
  })

  test('sends args and kwargs as given', async () => {
    const { client, peer } = await answers()
    await client.call('a.b')
    await client.call('a.b', [])
    await client.call('a.b', [1, 'x', null, [true], { y: 2 }], { z: 3 })
    await client.call('a.b', undefined, { z: 3 })
    expect(peer.received.slice(1)).toEqual([
      [CALL, 1, {}, 'a.b'],
      [CALL, 2, {}, 'a.b', []],
      [CALL, 3, {}, 'a.b', [1, 'x', null, [true], { y: 2 }], { z: 3 }],
      [CALL, 4, {}, 'a.b', [], { z: 3 }],
    ])
  })

  test("rejects with the router's error, with the call site in its stack", async () => {
    const { client } = await joined(([code, request], peer) => {
      if (code === CALL) peer.send([ERROR, CALL, request, { d: 1 }, 'a.error', [5, 'x'], { k: 2 }])
    })
    const error = await failure(client.call('a.b'))
    expect(error).toBeInstanceOf(WampError)
    expect(error).toMatchObject({
      uri: 'a.error',
      message: 'a.error',
      args: [5, 'x'],
      kwargs: { k: 2 },
      details: { d: 1 },
      sent: true,
    })
  })

  test('gets results in any order', async () => {
    const held: (readonly unknown[])[] = []
    const { client, peer } = await joined((message) => held.push(message))
    const calls = [1, 2, 3].map((i) => client.call('a.b', [i]))
    await until(() => held.length === 3)
    for (const [, request, , , args] of held.reverse()) peer.send([RESULT, request, {}, args])
    expect(await Promise.all(calls)).toEqual([1, 2, 3])
  })

  test('works a thousand times at once', async () => {
    await using world = await openWorld()
    const [caller, provider] = await world.join('caller', 'provider')
    await provider.register('com.example.double', async ([n]) => (n as number) * 2)
    const numbers = Array.from({ length: 1000 }, (_, i) => i)
    expect(await Promise.all(numbers.map((n) => caller.call('com.example.double', [n])))).toEqual(
      numbers.map((n) => n * 2),
    )
  })

  test('reaches a procedure of the same client, and works within a procedure', async () => {
    await using world = await openWorld()
    const [alice] = await world.join('alice')
    await alice.register('com.example.inner', ([n]) => (n as number) + 1)
    await alice.register('com.example.outer', ([n]) => alice.call('com.example.inner', [n]))
    expect(await alice.call('com.example.outer', [1])).toBe(2)
  })

  test('has request ids 1, 2, 3 across all kinds of requests, without a gap, even after a request that could not be sent', async () => {
    const answer: Answer = (message, peer) => {
      if (message[0] === CALL) peer.send([RESULT, message[1], {}])
      else granting(message, peer)
    }
    const { client, peer } = await joined(answer)
    await client.call('a.b')
    await client.subscribe('a.b', () => {})
    await failure(client.call('a.b', [() => {}]))
    await failure(client.publish('a.b', [Symbol('x')]))
    await failure(client.call('a.b', [], {}, { signal: AbortSignal.abort() }))
    await client.publish('a.b', [1])
    await failure(client.publish('a.b', [new Map()], {}, { acknowledge: true }))
    await client.register('a.b', () => {})
    await client.call('a.b')
    expect(peer.received.slice(1).map((message) => message[1])).toEqual([1, 2, 3, 4, 5])
  })

  test('refuses a value that no serializer can represent, and names its place, over every link', async () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    for (const link of ['linked', 'wires'] as const) {
      await using world = await openWorld({ link })
      const [alice] = await world.join('alice')
      for (const [value, place] of [
        [() => 1, 'args[1].x'],
        [Symbol('s'), 'args[1].x'],
        [new Map(), 'args[1].x'],
        [new Set(), 'args[1].x'],
        [[1, [new WeakMap()]], 'args[1].x[1][0]'],
        [Promise.resolve(), 'args[1].x'],
        [/x/, 'args[1].x'],
      ] as const) {
        const error = await failure(alice.call('a.b', [1, { x: value }]))
        expect(error).toMatchObject({ uri: 'wamp.error.invalid_argument', message: expect.stringContaining(place) })
      }
      expect(await failure(alice.call('a.b', [], { cyclic }))).toEqual(uri('wamp.error.invalid_argument'))
      expect(await failure(alice.call('a.b'))).toEqual(uri('wamp.error.no_such_procedure'))
    }
  })
})

describe('the return value of a procedure', () => {
  const values: [name: string, endpoint: () => unknown, answer: readonly unknown[]][] = [
    ['a value', () => 5, [[5]]],
    ['a promise', async () => 'x', [['x']]],
    // biome-ignore lint/suspicious/noThenProperty: a thenable is the point
    ['a thenable', () => ({ then: (yes: (value: number) => void) => yes(7) }), [[7]]],
    ['nothing', () => {}, [[null]]],
    ['a promise of nothing', async () => {}, [[null]]],
    ['an empty Result', () => new Result(), [[]]],
    ['null', () => null, [[null]]],
    ['a list, as one result', () => [1, 2], [[[1, 2]]]],
    ['a Result', () => new Result([1, 2], { unit: 'cm' }), [[1, 2], { unit: 'cm' }]],
    ['a Result of args alone', async () => new Result([1, 2]), [[1, 2]]],
    ['an empty Result', () => new Result(), [[]]],
  ]
  for (const [name, endpoint, answer] of values) {
    test(`${name} is yielded`, async () => {
      const { invoke } = await callee(endpoint)
      expect(await invoke()).toEqual([YIELD, 1, {}, ...answer])
    })
  }

  test('that no serializer can represent is an error that names its place, and the session survives', async () => {
    const { invoke, errors } = await callee(([kind]) =>
      kind === 'result' ? new Result([], { f: () => {} }) : kind === 'fine' ? 'fine' : { deep: [new Map()] },
    )
    expect(await invoke(['value'])).toEqual([
      ERROR,
      INVOCATION,
      1,
      {},
      'wamp.error.invalid_argument',
      [expect.stringContaining('args[0].deep[0]')],
    ])
    expect(await invoke(['result'])).toEqual([
      ERROR,
      INVOCATION,
      2,
      {},
      'wamp.error.invalid_argument',
      [expect.stringContaining('kwargs.f')],
    ])
    expect(errors).toHaveLength(2)
    expect(await invoke(['fine'])).toEqual([YIELD, 3, {}, ['fine']])
  })

  test('may not be a Result made of anything but a list', () => {
    expect(() => new Result('x' as never)).toThrow(/args must be a list/)
    expect(() => new Result([], [] as never)).toThrow(/kwargs must be a dictionary/)
  })

  test('after the connection was lost is dropped without harm', async () => {
    let finish!: (value: string) => void
    const { client, peer, invoke } = await callee(() => new Promise((resolve) => (finish = resolve)))
    void invoke().catch(() => {})
    await until(() => finish !== undefined)
    peer.terminate()
    await until(() => client.state === 'stopped')
    finish('too late')
    await Promise.resolve()
    expect(peer.received.some(([code]) => code === YIELD)).toBe(false)
  })
})

describe('an error thrown by a procedure', () => {
  const thrown: [name: string, value: unknown, answer: readonly unknown[]][] = [
    ['an Error', new Error('boom'), ['wamp.error.runtime_error', ['boom']]],
    ['a TypeError', new TypeError('no such thing'), ['wamp.error.runtime_error', ['no such thing']]],
    ['a text', 'just text', ['wamp.error.runtime_error', ['just text']]],
    ['undefined', undefined, ['wamp.error.runtime_error', ['undefined']]],
    ['null', null, ['wamp.error.runtime_error', ['null']]],
    ['a symbol', Symbol('s'), ['wamp.error.runtime_error', ['Symbol(s)']]],
    ['an object without a prototype', Object.create(null), ['wamp.error.runtime_error', [expect.any(String)]]],
    [
      'a WampError',
      new WampError('a.sold_out', ['gone', 5], { next: 'May' }),
      ['a.sold_out', ['gone', 5], { next: 'May' }],
    ],
    ['a WampError with a URI alone', new WampError('a.sold_out'), ['a.sold_out']],
    ['a WampError with kwargs alone', new WampError('a.sold_out', [], { n: 1 }), ['a.sold_out', [], { n: 1 }]],
    ['a WampError whose args cannot travel', new WampError('a.odd', ['why', () => {}]), ['a.odd', ['why']]],
    ['a WampError whose URI is none', new WampError('not a uri', ['why']), ['wamp.error.runtime_error', ['why']]],
    ['a WampError without a URI', new WampError(undefined as never, ['why']), ['wamp.error.runtime_error', ['why']]],
    ['a WampError whose args are no list', new WampError('a.odd', 'why' as never), ['a.odd', [expect.any(String)]]],
  ]
  for (const [name, value, answer] of thrown) {
    for (const way of ['at once', 'in its promise']) {
      test(`${name}, ${way}: reaches the caller, and the session lives`, async () => {
        const { invoke, client, peer } = await callee(
          way === 'at once'
            ? () => {
                throw value
              }
            : async () => {
                throw value
              },
        )
        expect(await invoke()).toEqual([ERROR, INVOCATION, 1, {}, ...answer])
        expect(await invoke()).toEqual([ERROR, INVOCATION, 2, {}, ...answer])
        expect(client.state).toBe('ready')
        expect(peer.received.some(([code]) => code === ABORT)).toBe(false)
      })
    }
  }

  test('is reported with its stack by the local event error, except a WampError, which is a regular answer', async () => {
    const boom = new Error('boom')
    const { invoke, errors } = await callee(([kind]) => {
      throw kind === 'boom' ? boom : new WampError('a.b')
    })
    await invoke(['boom'])
    await invoke(['answer'])
    expect(errors).toEqual([boom])
  })

  test('a thenable that throws is an error of the procedure, not of the session', async () => {
    const { invoke, client } = await callee(() => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable is the point
      then() {
        throw new Error('lazy')
      },
    }))
    expect(await invoke()).toEqual([ERROR, INVOCATION, 1, {}, 'wamp.error.runtime_error', ['lazy']])
    expect(client.state).toBe('ready')
  })

  test('from reading then affects only the procedure as well', async () => {
    const { invoke, client } = await callee(() =>
      Object.defineProperty({}, 'then', {
        get() {
          throw new Error('no access')
        },
      }),
    )
    expect(await invoke()).toEqual([ERROR, INVOCATION, 1, {}, 'wamp.error.runtime_error', ['no access']])
    expect(client.state).toBe('ready')
  })

  test('reaches the caller with its message through the real router', async () => {
    await using world = await openWorld()
    const [caller, provider] = await world.join('caller', 'provider')
    provider.on('error', () => {})
    await provider.register('com.example.f', () => {
      throw new Error('boom')
    })
    await provider.register('com.example.g', async () => {
      throw new WampError('com.example.error', ['first', { second: 2 }], { third: [3] })
    })
    expect(await failure(caller.call('com.example.f'))).toMatchObject({
      uri: 'wamp.error.runtime_error',
      message: 'boom',
    })
    expect(await failure(caller.call('com.example.g'))).toMatchObject({
      uri: 'com.example.error',
      message: 'first',
      args: ['first', { second: 2 }],
      kwargs: { third: [3] },
    })
  })
})

describe('onError', () => {
  const boom = new Error('password hunter2 was refused')

  test.each<[string, OnError, readonly unknown[]]>([
    ['nothing, which leaves it', () => {}, ['wamp.error.runtime_error', [boom.message]]],
    ['a WampError, which is sent', () => new WampError('a.b', ['sorry'], { id: 1 }), ['a.b', ['sorry'], { id: 1 }]],
    ['an Error, whose message is', () => new Error('sorry'), ['wamp.error.runtime_error', ['sorry']]],
    ['a text, which is the message', () => 'sorry', ['wamp.error.runtime_error', ['sorry']]],
    ['a promise, which is not awaited', async () => 'late', ['wamp.error.runtime_error', ['[object Promise]']]],
  ])('returns %s; the event error reports the original error', async (_name, onError, answer) => {
    const { invoke, errors } = await callee(
      () => {
        throw boom
      },
      { onError },
    )
    expect(await invoke()).toEqual([ERROR, INVOCATION, 1, {}, ...answer])
    expect(errors).toEqual([boom])
  })

  test('receives the original error, a WampError too, and the invocation', async () => {
    const seen: unknown[] = []
    const onError: OnError = (error, { procedure, args }) => void seen.push([error, procedure, args])
    const sold = new WampError('a.sold_out')
    const { invoke } = await callee(
      ([kind]) => (kind === 'late' ? Promise.reject(sold) : kind === 'result' ? () => {} : raise(undefined)),
      { onError },
    )
    expect(await invoke(['late'])).toEqual([ERROR, INVOCATION, 1, {}, 'a.sold_out'])
    expect(await invoke(['now'])).toEqual([ERROR, INVOCATION, 2, {}, 'wamp.error.runtime_error', ['undefined']])
    await invoke(['result'])
    expect(seen).toEqual([
      [sold, 'com.example.f', ['late']],
      [undefined, 'com.example.f', ['now']],
      // A result that no serializer can represent is an error of the procedure.
      [uri('wamp.error.invalid_argument'), 'com.example.f', ['result']],
    ])
  })

  test('that throws itself still causes an answer, which reveals nothing', async () => {
    const broken = new Error('broken')
    const { invoke, errors, client } = await callee(() => raise(boom), { onError: () => raise(broken) })
    expect(await invoke()).toEqual([ERROR, INVOCATION, 1, {}, 'wamp.error.runtime_error', ['the procedure failed']])
    expect(errors).toEqual([boom, broken])
    expect(client.state).toBe('ready')
  })

  test('is not called for errors that no procedure threw', async () => {
    const asked: unknown[] = []
    await using world = await openWorld()
    const [caller] = await world.join('caller')
    await using provider = new WampClient({ router: world.router, onError: (error) => asked.push(error) })
    await provider.start()
    await provider.register('com.never', () => new Promise(() => {}), { buffer: 1 })
    const stop = new AbortController()
    const canceled = caller.call('com.never', [], {}, { signal: stop.signal, cancelMode: 'kill' })
    await caller.call('wamp.session.count')
    stop.abort()
    expect(await failure(canceled)).toEqual(uri('wamp.error.canceled'))
    expect(await failure(caller.call('com.never', [], {}, { input: [1, 2, 3] }))).toEqual(uri(LIMIT_EXCEEDED))
    expect(asked).toEqual([])
  })
})

function raise(error: unknown): never {
  throw error
}

describe('an invocation', () => {
  test('passes args, kwargs, details, and the object with all of them', async () => {
    const seen: unknown[] = []
    const { peer, registration } = await callee((args, kwargs, details, invocation) => {
      seen.push(args, kwargs, details, invocation)
    })
    peer.send([
      INVOCATION,
      9,
      registration.id as number,
      { caller: 5, procedure: 'com.example.x', _y: 1 },
      [1],
      { a: 2 },
    ])
    await until(() => seen.length === 4)
    const invocation = seen[3] as Invocation
    expect(seen.slice(0, 3)).toEqual([[1], { a: 2 }, { caller: 5, procedure: 'com.example.x', _y: 1 }])
    expect([invocation.args, invocation.kwargs, invocation.caller]).toEqual([[1], { a: 2 }, 5])
    expect(invocation.procedure).toBe('com.example.x')
    expect(invocation.signal.aborted).toBe(false)
  })

  test('without a payload has empty args and kwargs, and the registered procedure', async () => {
    const seen: unknown[] = []
    const { invoke } = await callee((args, kwargs, _details, { procedure, caller }) => {
      seen.push(args, kwargs, procedure, caller)
    })
    await invoke()
    expect(seen).toEqual([[], {}, 'com.example.f', undefined])
  })

  test('has a signal that aborts when the session ends', async () => {
    let signal: AbortSignal | undefined
    const { peer, client, registration } = await callee((_args, _kwargs, _details, invocation) => {
      signal = invocation.signal
      return new Promise(() => {})
    })
    peer.send([INVOCATION, 1, registration.id as number, {}])
    await until(() => signal !== undefined)
    peer.terminate()
    await until(() => signal?.aborted ?? false)
    expect(signal?.reason).toEqual(uri('wamp.error.canceled'))
    await client.stop()
  })

  test('right behind REGISTERED, in the same turn, is served', async () => {
    const { client, peer } = await joined()
    const registered = client.register('com.example.f', ([n]) => (n as number) + 1)
    await until(() => peer.received.length === 2)
    peer.send([REGISTERED, 1, 50], [INVOCATION, 1, 50, {}, [1]])
    await registered
    await until(() => peer.received.length === 3)
    expect(peer.received[2]).toEqual([YIELD, 1, {}, [2]])
  })

  test('that crosses UNREGISTER is still served; after UNREGISTERED it is refused', async () => {
    const { client, peer, registration } = await callee(() => 'served')
    const id = registration.id as number
    const gone = registration.unregister()
    peer.send([INVOCATION, 1, id, {}])
    await until(() => peer.received.length === 4)
    expect(peer.received.slice(2)).toEqual([
      [UNREGISTER, 2, id],
      [YIELD, 1, {}, ['served']],
    ])
    peer.send([UNREGISTERED, 2], [INVOCATION, 2, id, {}])
    await gone
    await until(() => peer.received.length === 5)
    expect(peer.received[4]).toEqual([ERROR, INVOCATION, 2, {}, 'wamp.error.no_such_procedure', [expect.any(String)]])
    expect(client.state).toBe('ready')
  })

  test('is answered if its procedure is unregistered while it runs', async () => {
    let finish!: (value: string) => void
    const { peer, registration } = await callee(() => new Promise((resolve) => (finish = resolve)))
    peer.send([INVOCATION, 1, registration.id as number, {}])
    await until(() => finish !== undefined)
    const gone = registration.unregister()
    await until(() => peer.received.length === 3)
    peer.send([UNREGISTERED, 2])
    await gone
    finish('done')
    await until(() => peer.received.length === 4)
    expect(peer.received[3]).toEqual([YIELD, 1, {}, ['done']])
  })

  test('runs concurrently with others, and each answers when it finishes', async () => {
    const waiting: ((value: unknown) => void)[] = []
    const { peer, registration } = await callee(() => new Promise((resolve) => waiting.push(resolve)))
    for (const id of [1, 2, 3]) peer.send([INVOCATION, id, registration.id as number, {}])
    await until(() => waiting.length === 3)
    waiting[2]?.('c')
    await until(() => peer.received.length === 3)
    waiting[0]?.('a')
    await until(() => peer.received.length === 4)
    expect(peer.received.slice(2)).toEqual([
      [YIELD, 3, {}, ['c']],
      [YIELD, 1, {}, ['a']],
    ])
  })
})

describe('a registration', () => {
  test('may be ended any number of times', async () => {
    await using world = await openWorld()
    const [alice] = await world.join('alice')
    const registration = await alice.register('com.example.f', () => 1)
    expect(alice.registrations).toEqual([registration])
    await Promise.all([registration.unregister(), registration.unregister()])
    await registration.unregister()
    expect([registration.state, registration.id, alice.registrations]).toEqual(['closed', undefined, []])
    expect(world.log.sent('alice').filter(([code]) => code === UNREGISTER)).toHaveLength(1)
    expect(await failure(alice.call('com.example.f'))).toEqual(uri('wamp.error.no_such_procedure'))
    await alice.register('com.example.f', () => 2)
    expect(await alice.call('com.example.f')).toBe(2)
  })

  test('of a taken procedure is refused, also for the same client', async () => {
    await using world = await openWorld()
    const [alice, bob] = await world.join('alice', 'bob')
    await alice.register('com.example.f', () => 1)
    for (const client of [alice, bob]) {
      expect(await failure(client.register('com.example.f', () => 2))).toMatchObject({
        uri: 'wamp.error.procedure_already_exists',
        sent: true,
      })
    }
    expect(await bob.call('com.example.f')).toBe(1)
  })

  test('that the router would share with one of this client is refused locally, and the first stays', async () => {
    const { client, peer } = await joined(([code, request], to) => {
      if (code === REGISTER) to.send([REGISTERED, request, 60])
      if (code === SUBSCRIBE) to.send([SUBSCRIBED, request, 61])
    })
    await client.register('com.example.f', () => 'first', { invoke: 'roundrobin' })
    const second = await failure(client.register('com.example.f', () => 'second', { invoke: 'roundrobin' }))
    expect(second).toEqual(uri('wamp.error.procedure_already_exists'))
    peer.send([INVOCATION, 1, 60, {}])
    await until(() => peer.received.at(-1)?.[0] === YIELD)
    expect(peer.received.at(-1)).toEqual([YIELD, 1, {}, ['first']])
    expect(peer.received.some(([code]) => code === UNREGISTER)).toBe(false)
  })
})

test('values arrive unchanged, over every link and serializer that can represent them', async () => {
  await using world = await openWorld()
  const [alice] = await world.join('alice')
  await alice.register('com.example.echo', ([value]) => value)
  const bytes = new Uint8Array([0, 1, 255])
  for (const value of [
    0,
    -1,
    1.5,
    2 ** 53,
    '',
    'ü€😀\u0000',
    true,
    null,
    [],
    {},
    [[1, [2]]],
    { a: { b: [null] } },
    bytes,
  ]) {
    expect(await alice.call('com.example.echo', [value])).toEqual(value)
  }
  expect(await alice.call('com.example.echo', [{ a: undefined, b: [undefined] }])).toEqual({ b: [null] })
  expect(await alice.call('com.example.echo', [new Date(0)])).toBe('1970-01-01T00:00:00.000Z')
})

test('changes to the arguments after the call do not reach the callee', async () => {
  await using world = await openWorld()
  const [alice, bob] = await world.join('alice', 'bob')
  const kept: unknown[] = []
  await bob.register('com.example.keep', ([value]) => {
    kept.push(value)
    return value
  })
  const value = { list: [1] }
  const call = alice.call<typeof value>('com.example.keep', [value])
  value.list.push(2)
  const result = await call
  result.list.push(3)
  expect(kept).toEqual([{ list: [1] }])
})
