/** Values that throw when read: thrown, returned or passed to a call; and values of another realm. */

import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import { INVALID_ARGUMENT, json, RUNTIME_ERROR, type Serializer, WampError } from 'wampy-ts'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { openWorld } from 'wampy-ts/testing'
import { failure, leavesNothing } from './support.ts'

leavesNothing()

const boom = (): never => {
  throw new Error('trap')
}
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** Each is created anew: some can be read only once. */
const HOSTILE: Record<string, () => unknown> = {
  'a proxy whose has trap throws': () => new Proxy(new Error('the cause'), { has: boom }),
  'a proxy all of whose traps throw': () =>
    new Proxy(new Error('the cause'), { get: boom, has: boom, getPrototypeOf: boom, ownKeys: boom }),
  'a revoked proxy': revoked,
  'a getter for its message': () => Object.defineProperty(new Error(), 'message', { get: boom }),
  'a WampError whose uri throws': () => Object.defineProperty(new WampError('a.b'), 'uri', { get: boom }),
  'a WampError whose args throw': () => Object.defineProperty(new WampError('a.b'), 'args', { get: boom }),
  'a WampError whose args cannot be read': () =>
    new WampError('com.example.own', [
      {
        get bad() {
          return boom()
        },
      },
    ]),
  'an object whose text throws': () => ({ toString: boom, [Symbol.toPrimitive]: boom }),
  'an object without a prototype': () => Object.create(null),
  'a symbol': () => Symbol('s'),
  undefined: () => undefined,
}

const RETURNED: Record<string, () => unknown> = {
  'a proxy all of whose traps throw': () =>
    new Proxy({}, { get: boom, has: boom, getPrototypeOf: boom, ownKeys: boom }),
  'a proxy whose has trap throws': () => new Proxy({}, { has: boom }),
  'a revoked proxy': revoked,
  'a getter for then': () => Object.defineProperty({}, 'then', { get: boom, enumerable: true }),
  'a thenable that settles twice and throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: it is the point
    then(yes: (value: unknown) => void, no: (error: unknown) => void) {
      no(new Error('one'))
      yes('two')
      throw new Error('three')
    },
  }),
  'an iterable without an iterator': () => ({ [Symbol.asyncIterator]: boom }),
  'an iterable with a broken iterator': () => ({ [Symbol.asyncIterator]: () => ({ next: boom, return: boom }) }),
}

const GONE = 'com.example.gone'

/** Calls a procedure that runs `what`, beside another pending call; resolves to the error of the first one. */
async function afterwards(what: () => unknown): Promise<unknown> {
  await using world = await openWorld({ link: 'wires' })
  const [callee, caller] = await world.join('callee', 'caller')
  const lost = vi.fn()
  callee.on('lost', lost).on('error', () => {})
  let finish = (_value: string) => {}
  await callee.register('com.example.other', () => new Promise<string>((yes) => (finish = yes)))
  await callee.register('com.example.hostile', what)
  const other = caller.call('com.example.other')
  const failed = await failure(caller.call('com.example.hostile'))
  finish('ok')
  expect(await other).toBe('ok')
  expect(await failure(caller.call(GONE))).toMatchObject({ uri: 'wamp.error.no_such_procedure' })
  expect(lost).not.toHaveBeenCalled()
  const answers = world.log.sent('callee').filter(([code]) => code === 8 || code === 70)
  expect(answers, 'answers to two invocations').toHaveLength(2)
  return failed
}

describe('a procedure that throws', () => {
  test.each(Object.entries(HOSTILE))('%s answers once', async (_name, value) => {
    const throwing = () => {
      throw value()
    }
    expect(await afterwards(throwing)).toBeInstanceOf(WampError)
    expect(await afterwards(async () => throwing())).toBeInstanceOf(WampError)
    expect(
      await afterwards(async function* () {
        yield* []
        throw value()
      }),
    ).toBeInstanceOf(WampError)
  })

  test('an unreadable value becomes a runtime error; a WampError keeps a readable URI', async () => {
    const guarded = HOSTILE['a proxy whose has trap throws']!
    expect(await afterwards(() => Promise.reject(guarded()))).toMatchObject({
      uri: RUNTIME_ERROR,
      message: 'the cause',
    })
    const own = HOSTILE['a WampError whose args cannot be read']!
    expect(await afterwards(() => Promise.reject(own()))).toMatchObject({ uri: 'com.example.own' })
  })

  test('a plain object with a message keeps it, and so does an error of another realm', async () => {
    const row = { message: 'row not found', code: 'E116' }
    expect(await afterwards(() => Promise.reject(row))).toMatchObject({ uri: RUNTIME_ERROR, message: 'row not found' })
    const foreign = runInNewContext(`new Error('from elsewhere')`)
    expect(await afterwards(() => Promise.reject(foreign))).toMatchObject({ message: 'from elsewhere' })
  })
})

describe('a procedure that returns', () => {
  test.each(Object.entries(RETURNED))('%s answers once', async (_name, value) => {
    expect(await afterwards(value)).toBeInstanceOf(WampError)
    expect(await afterwards(async () => value())).toBeInstanceOf(WampError)
  })
})

test('an error without listener that cannot be printed is still reported', async () => {
  const printed = vi
    .spyOn(console, 'error')
    .mockImplementation((value: unknown) => void String((value as Error).message))
  try {
    await using world = await openWorld()
    const [client] = await world.join('client')
    await client.subscribe('com.example.news', () => {
      throw Object.defineProperty(new Error(), 'message', { get: boom })
    })
    await client.publish('com.example.news', [], {}, { acknowledge: true, exclude_me: false })
    await client.call('wamp.session.count')
    expect(printed.mock.calls.at(-1)).toEqual(['what was thrown has no text'])
  } finally {
    printed.mockRestore()
  }
})

describe.each<[string, Serializer | undefined]>([
  ['json', json],
  ['cbor', cbor],
  ['msgpack', msgpack],
  ['memory', undefined],
])('in %s', (_name, serializer) => {
  /** Echoes a value, through this serializer or in memory. */
  async function echo(value: unknown): Promise<unknown> {
    await using world = await openWorld(serializer ? { link: 'wires' } : {})
    const client = await world.client('client', serializer ? { serializers: [serializer] } : {})
    await client.register('com.example.echo', ([it]) => it)
    try {
      return await client.call('com.example.echo', [value])
    } finally {
      expect(client.state).toBe('ready')
    }
  }

  test.each<[string, object, string]>([
    ['a toJSON that throws', { a: { toJSON: boom } }, 'args[0].a cannot be read: trap'],
    [
      'a getter that throws',
      {
        list: [
          1,
          {
            get b() {
              return boom()
            },
          },
        ],
      },
      'args[0].list[1].b cannot be read: trap',
    ],
    [
      'a getter of toJSON that throws',
      Object.defineProperty({}, 'toJSON', { get: boom }),
      'args[0] cannot be read: trap',
    ],
    ['a proxy whose keys throw', { a: new Proxy({}, { ownKeys: boom }) }, 'args[0].a cannot be read: trap'],
    ['half a surrogate pair', { a: 'x\ud800' }, 'args[0].a is text with half a surrogate pair, which cannot be sent'],
    ['a key with half a surrogate pair', { 'x\udc00': 1 }, 'is a key that is text with half a surrogate pair'],
  ])('%s is refused, and the error names its place', async (_what, value, message) => {
    expect(await failure(echo(value))).toMatchObject({
      uri: INVALID_ARGUMENT,
      message: expect.stringContaining(message),
    })
  })

  test('values of another realm are recognised', async () => {
    const made = (code: string) => runInNewContext(code)
    const bytes = new Uint8Array([0, 1, 255])
    expect(await echo(made('new Uint8Array([0, 1, 255])'))).toEqual(bytes)
    expect(await echo(made('new Uint8Array([0, 1, 255]).buffer'))).toEqual(bytes)
    expect(await echo(made('new Date(0)'))).toBe('1970-01-01T00:00:00.000Z')
    expect(await echo(made('({ a: [1, { b: null }] })'))).toEqual({ a: [1, { b: null }] })
    expect(await failure(echo(made('new Map()')))).toMatchObject({ message: 'args[0] is a Map, which cannot be sent' })
  })
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, '\0text', 10n ** 4300n])(
  'memory refuses the values that JSON refuses: %s',
  async (value) => {
    await using world = await openWorld()
    const [client] = await world.join('client')
    const viaJson = await failure((async () => json.encode([48, 1, {}, 'a.b', { args: [value], kwargs: undefined }]))())
    expect(viaJson).toMatchObject({ uri: INVALID_ARGUMENT })
    const { message } = viaJson as Error
    expect(await failure(client.call('com.example.echo', [value]))).toMatchObject({ uri: INVALID_ARGUMENT, message })
    expect(client.state).toBe('ready')
  },
)

test('changes by one handler to its payload do not reach the others', async () => {
  await using world = await openWorld({ link: 'wires' })
  const [subscriber, publisher] = await world.join('subscriber', 'publisher')
  const seen: unknown[] = []
  for (const name of ['one', 'two', 'three']) {
    await subscriber.subscribe('com.example.news', (args, kwargs) => {
      const [item] = args as { list: unknown[]; bytes: Uint8Array }[]
      seen.push(structuredClone([args, kwargs]))
      item?.list.push(name)
      item?.bytes.fill(9)
      ;(args as unknown[]).push(name)
      ;(kwargs as Record<string, unknown>)[name] = true
    })
  }
  const item = { list: [1], bytes: new Uint8Array([1, 2]) }
  await publisher.publish('com.example.news', [item], { unit: 'cm' }, { acknowledge: true })
  await subscriber.call('wamp.session.count')
  expect(seen).toEqual(Array(3).fill([[item], { unit: 'cm' }]))
})
