/** Argument checks: zod, valibot, arktype and a handwritten schema check the input and the output of a method. */

import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  checked,
  type Invocation,
  Result,
  RpcClient,
  type RpcTable,
  rpc,
  type StandardSchema,
  USAGE,
  WampClient,
  type WampError,
} from 'wampy-ts'
import { openWorld, type World } from 'wampy-ts/testing'
import { z } from 'zod'
import { deferred } from '../../src/client/base/waiting.ts'
import { failure, granting, leavesNothing, uri, welcoming } from './support.ts'

leavesNothing()

const INVALID = 'wamp.error.invalid_argument'

/** A service and a caller in one world; `ran` lists the arguments that reached the methods. */
async function serve<Service extends WampClient>(
  Made: new (options: { router: never }) => Service,
): Promise<{ caller: WampClient; service: Service; world: World }> {
  const world = await openWorld()
  const service = new Made({ router: world.router as never })
  onTestFinished(async () => {
    await service.stop()
    await world[Symbol.asyncDispose]()
  })
  await service.start()
  const [caller] = await world.join('caller')
  return { caller, service, world }
}

const Item = z.object({ price: z.number(), name: z.string().optional() })

describe('a schema of all arguments', () => {
  class Shop extends WampClient {
    readonly ran: unknown[] = []
    @rpc({ uri: 'zod', args: z.tuple([Item, z.number().default(1)]) }) zod(item: z.infer<typeof Item>, n: number) {
      this.ran.push([item, n])
      return item.price * n
    }
    @rpc({ uri: 'valibot', args: v.tuple([v.object({ price: v.number() }), v.pipe(v.number(), v.minValue(1))]) })
    valibot(item: { price: number }, n: number) {
      this.ran.push([item, n])
      return item.price * n
    }
    @rpc({ uri: 'arktype', args: type([{ price: 'number' }, 'number >= 1']) })
    arktype(item: { price: number }, n: number) {
      this.ran.push([item, n])
      return item.price * n
    }
  }

  for (const library of ['zod', 'valibot', 'arktype'] as const) {
    test(`of ${library} accepts valid arguments`, async () => {
      const { caller } = await serve(Shop)
      expect(await caller.call(library, [{ price: 2.5 }, 4])).toBe(10)
    })

    test(`of ${library} refuses invalid ones, and the method does not run`, async () => {
      const { caller, service, world } = await serve(Shop)
      const error = (await failure(caller.call(library, [{ price: 'much' }, 4]))) as WampError
      expect(error.uri).toBe(INVALID)
      expect(error.message).toMatch(/^args\[0\]\.price: /)
      expect(error.kwargs).toEqual({ issues: [{ place: 'args[0].price', message: expect.any(String) }] })
      expect(service.ran).toEqual([])
      expect(world.log.last('caller')?.slice(0, 5)).toEqual([8, 48, 1, {}, INVALID])
    })

    test(`of ${library} refuses a list that is too short and names the missing argument`, async () => {
      const { caller, service } = await serve(Shop)
      const error = (await failure(caller.call(library, []))) as WampError
      expect(error.uri).toBe(INVALID)
      expect(error.message).toMatch(/^args(\[0\])?: /)
      expect(service.ran).toEqual([])
    })
  }

  test('passes its output to the method', async () => {
    class Dates extends WampClient {
      @rpc({ args: z.tuple([z.coerce.date(), z.string().trim()]) }) year(date: Date, name: string): unknown {
        return [date.getUTCFullYear(), name]
      }
    }
    const { caller } = await serve(Dates)
    expect(await caller.call('year', ['2016-05-15', '  Joe '])).toEqual([2016, 'Joe'])
  })

  test('reports all issues', async () => {
    const { caller } = await serve(Shop)
    const error = (await failure(caller.call('zod', [{ price: null }, 'four']))) as WampError
    expect(error.kwargs).toEqual({
      issues: [
        { place: 'args[0].price', message: expect.any(String) },
        { place: 'args[1]', message: expect.any(String) },
      ],
    })
    expect(error.message).toMatch(/^args\[0\]\.price: .*; args\[1\]: /)
  })
})

describe('a schema for each argument', () => {
  class Each extends WampClient {
    readonly ran: unknown[] = []
    @rpc({ uri: 'each', args: [z.number(), v.optional(v.string(), 'cm')] }) each(n: number, unit: string): string {
      this.ran.push([n, unit])
      return `${n} ${unit}`
    }
    @rpc({ uri: 'none', args: [] }) none(): string {
      return 'none'
    }
    @rpc({ uri: 'who', invocation: true, args: [z.string()] }) who(invocation: Invocation, name: string): unknown {
      return [invocation.kwargs, name]
    }
  }

  test('may come from several libraries, and may have a default', async () => {
    const { caller } = await serve(Each)
    expect([await caller.call('each', [5]), await caller.call('each', [5, 'mm'])]).toEqual(['5 cm', '5 mm'])
  })

  test('reports the index of the argument', async () => {
    const { caller, service } = await serve(Each)
    const error = (await failure(caller.call('each', [5, 6]))) as WampError
    expect([error.uri, error.kwargs]).toEqual([
      INVALID,
      { issues: [{ place: 'args[1]', message: expect.any(String) }] },
    ])
    expect(service.ran).toEqual([])
  })

  test('refuses more arguments than there are schemas', async () => {
    const { caller } = await serve(Each)
    expect(await failure(caller.call('none', [1]))).toMatchObject({
      uri: INVALID,
      message: 'args[0]: at most 0 arguments are taken, got 1',
    })
    expect(await caller.call('none')).toBe('none')
  })

  test('works with an Invocation, which is not checked', async () => {
    const { caller } = await serve(Each)
    expect(await caller.call('who', ['Joe'], { a: 1 })).toEqual([{ a: 1 }, 'Joe'])
    expect(await failure(caller.call('who', [1]))).toEqual(uri(INVALID))
  })
})

describe('an asynchronous schema', () => {
  const known = z.string().refine(async (name) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    return name === 'Joe'
  }, 'nobody of that name')

  class Users extends WampClient {
    readonly ran: unknown[] = []
    @rpc({ uri: 'whole', args: z.tuple([known]) }) whole(name: string): string {
      this.ran.push(name)
      return name
    }
    @rpc({ uri: 'each', args: [known, z.number()] }) each(name: string, n: number): string {
      this.ran.push(name)
      return name.repeat(n)
    }
  }

  test('is awaited', async () => {
    const { caller, service } = await serve(Users)
    expect([await caller.call('whole', ['Joe']), await caller.call('each', ['Joe', 2])]).toEqual(['Joe', 'JoeJoe'])
    for (const procedure of ['whole', 'each']) {
      expect(await failure(caller.call(procedure, ['Ann', 2].slice(0, procedure === 'whole' ? 1 : 2)))).toMatchObject({
        uri: INVALID,
        message: 'args[0]: nobody of that name',
      })
    }
    expect(service.ran).toEqual(['Joe', 'Joe'])
  })

  test('does not run the method if the caller gives up meanwhile', async () => {
    const asked = deferred<void>()
    const answer = deferred<boolean>()
    const thinking = z.string().refine(() => {
      asked.resolve()
      return answer.promise
    })
    let ran = 0
    class Slow extends WampClient {
      @rpc({ invocation: true, args: [thinking] }) run(_invocation: Invocation, _name: string): void {
        ran++
      }
    }
    const { caller, service, world } = await serve(Slow)
    const stop = new AbortController()
    const call = failure(caller.call('run', ['Joe'], {}, { signal: stop.signal }))
    await asked.promise
    stop.abort()
    expect(await call).toEqual(uri('wamp.error.canceled'))
    // Calls and interrupts keep their order: after this one the callee has received the interrupt.
    await service.register('other', () => {})
    await caller.call('other')
    answer.resolve(true)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([ran, world.router.stats().calls]).toEqual([0, 0])
  })

  test('changes no order of calls if it answers synchronously', async () => {
    const order: number[] = []
    class Ordered extends WampClient {
      @rpc({ args: [z.number()], result: z.number() }) one(n: number): number {
        order.push(n)
        return n
      }
      @rpc two(n: number): void {
        order.push(n)
      }
    }
    const { caller } = await serve(Ordered)
    await Promise.all([
      caller.call('one', [1]),
      caller.call('two', [2]),
      caller.call('one', [3]),
      caller.call('two', [4]),
    ])
    expect(order).toEqual([1, 2, 3, 4])
  })
})

test('an asynchronous schema of valibot is awaited, and a call that is killed then is answered at once', async () => {
  const asked = deferred<void>()
  const answer = deferred<boolean>()
  const slow = v.pipeAsync(
    v.string(),
    v.checkAsync(async () => true),
  )
  let ran = 0
  class Slow extends WampClient {
    @rpc({ uri: 'hold', args: [slow] }) async hold(_name: string): Promise<void> {
      ran++
      asked.resolve()
      await answer.promise
    }
  }
  const { caller } = await serve(Slow)
  expect(await failure(caller.call('hold', [5]))).toMatchObject({
    uri: INVALID,
    message: expect.stringMatching(/^args\[0\]: /),
  })
  const stop = new AbortController()
  const call = failure(caller.call('hold', ['Joe'], {}, { signal: stop.signal, cancelMode: 'kill' }))
  await asked.promise
  stop.abort()
  // The method never read its signal, so it cannot know.
  expect(await call).toEqual(uri('wamp.error.canceled'))
  answer.resolve(true)
  expect(ran).toBe(1)
})

describe('a schema of the keyword arguments', () => {
  const greeting = z.object({ greeting: z.string().default('Hello'), times: z.coerce.number() })
  const positive = v.pipeAsync(
    v.number(),
    v.checkAsync(async (n) => n > 0, 'too small'),
  )
  class Greeter extends WampClient {
    readonly ran: unknown[] = []
    @rpc({ uri: 'zod', invocation: true, args: [z.string().trim()], kwargs: greeting })
    zod({ args, kwargs }: Invocation<unknown, z.infer<typeof greeting>>, name: string): unknown {
      this.ran.push(name)
      return [args, kwargs.greeting, kwargs.times]
    }
    @rpc({ uri: 'valibot', invocation: true, kwargs: v.objectAsync({ n: positive }) })
    valibot({ kwargs }: Invocation<unknown, { n: number }>): unknown {
      this.ran.push(kwargs)
      return kwargs.n
    }
    @rpc({ uri: 'arktype', kwargs: type({ '+': 'reject', 'n?': 'number' }) }) arktype(): string {
      this.ran.push('arktype')
      return 'taken'
    }
  }

  test('sets the kwargs of the Invocation, with zod, valibot and arktype', async () => {
    const { caller } = await serve(Greeter)
    expect(await caller.call('zod', [' Ada '], { times: '2' })).toEqual([['Ada'], 'Hello', 2])
    expect(await caller.call('valibot', [], { n: 1 })).toBe(1)
    expect([await caller.call('arktype'), await caller.call('arktype', ['any'], { n: 1 })]).toEqual(['taken', 'taken'])
  })

  test('refuses invalid ones with their place, together with the issues of the other schemas', async () => {
    const { caller, service } = await serve(Greeter)
    expect(await failure(caller.call('zod', [5], { times: 'many', greeting: 5 }))).toMatchObject({
      uri: INVALID,
      kwargs: { issues: [{ place: 'args[0]' }, { place: 'kwargs.greeting' }, { place: 'kwargs.times' }] },
    })
    expect(await failure(caller.call('valibot', [], { n: 0 }))).toMatchObject({ message: 'kwargs.n: too small' })
    expect(await failure(caller.call('arktype', [], { m: 1 }))).toMatchObject({
      message: expect.stringMatching(/^kwargs\.m: /),
    })
    expect(service.ran).toEqual([])
  })
})

describe('a schema of the input', () => {
  const item = z.object({ price: z.coerce.number() })
  const small = v.pipeAsync(
    v.number(),
    v.checkAsync(async (n) => n < 3, 'too much'),
  )
  class Sums extends WampClient {
    @rpc({ uri: 'sum', invocation: true, args: [z.number()], input: item })
    async sum({ input }: Invocation<{ price: number }>, start: number): Promise<number> {
      let sum = start
      for await (const { price } of input) sum += price
      return sum
    }
    @rpc({ uri: 'sums', invocation: true, input: small })
    async *sums({ input }: Invocation<number>): AsyncGenerator<number, string> {
      for await (const n of input) yield n
      return 'all'
    }
    @rpc({ uri: 'first', invocation: true, input: item })
    async first({ input }: Invocation<{ price: number }>): Promise<number | undefined> {
      for await (const { price } of input) return price
      return undefined
    }
  }

  test('transforms the items, one by one', async () => {
    const { caller } = await serve(Sums)
    expect(await caller.call('sum', [1], {}, { input: [{ price: '2' }, { price: 3 }] })).toBe(6)
    expect(await caller.call('sum', [1])).toBe(1)
    expect(await caller.call('first', [], {}, { input: [{ price: '7' }, 'never looked at'] })).toBe(7)
  })

  test('ends the call and its input at the first item that it refuses', async () => {
    const { caller, service, world } = await serve(Sums)
    const errors: unknown[] = []
    service.on('error', (error) => errors.push(error))
    const left = deferred<void>()
    const given = [{ price: 2 }, { price: 'much' }]
    const next = async () => (given.length ? { done: false, value: given.shift() } : new Promise<never>(() => {}))
    const endless = { [Symbol.asyncIterator]: () => ({ next, return: async () => left.resolve() }) }
    expect(await failure(caller.call('sum', [1], {}, { input: endless as never }))).toMatchObject({
      uri: INVALID,
      message: expect.stringMatching(/^input\[1\]\.price: /),
    })
    await left.promise
    const parts: unknown[] = []
    const onProgress = ([part]: readonly unknown[]) => parts.push(part)
    expect(await failure(caller.call('sums', [], {}, { input: [1, 2, 3, 4], onProgress }))).toMatchObject({
      uri: INVALID,
      message: 'input[2]: too much',
    })
    expect([parts, errors]).toEqual([[1, 2], []])
    // The first part is refused before the method runs, and the parts behind it start nothing.
    expect(await failure(caller.call('sum', ['1'], {}, { input: [{ price: 1 }] }))).toMatchObject({
      message: expect.stringMatching(/^args\[0\]: /),
    })
    expect(world.router.stats().calls).toBe(0)
  })
})

test('of a thousand issues a caller receives the first twenty', async () => {
  class Numbers extends WampClient {
    @rpc({ uri: 'numbers', args: z.array(z.number()) }) numbers(..._all: number[]): void {}
  }
  const { caller } = await serve(Numbers)
  const error = (await failure(caller.call('numbers', Array(1000).fill('x')))) as WampError
  expect((error.kwargs['issues'] as unknown[]).length).toBe(20)
  expect(error.message).toMatch(/^args\[0\]: .*; args\[19\]: .*; and 980 more$/)
})

describe('a schema of the result', () => {
  class Results extends WampClient {
    @rpc({ uri: 'good', result: z.object({ id: z.number() }) }) good(): { id: number; secret: string } {
      return { id: 1, secret: 'stays here' }
    }
    @rpc({ uri: 'late', result: z.string() }) async late(): Promise<string> {
      return 'later'
    }
    @rpc({ uri: 'bad', result: z.object({ id: z.number() }) }) bad(): { id: number } {
      return { id: 'hunter2' } as never
    }
    @rpc({ uri: 'many', result: z.number() }) many(): number {
      return new Result([1, 2]) as never
    }
    @rpc({ uri: 'parts', args: [z.number()], result: z.string() }) async *parts(
      n: number,
    ): AsyncGenerator<number, string> {
      for (let i = 0; i < n; i++) yield i
      return n > 2 ? (n as never) : 'done'
    }
    @rpc({ uri: 'iterable', result: z.undefined() }) iterable(): undefined {
      const iterable = {
        async *[Symbol.asyncIterator]() {
          yield 1
          yield 2
        },
      }
      return iterable as never
    }
  }

  test('transforms the result that is sent', async () => {
    const { caller } = await serve(Results)
    expect([await caller.call('good'), await caller.call('late')]).toEqual([{ id: 1 }, 'later'])
  })

  test('refuses a result as an error of the service, reported locally and not to the caller', async () => {
    const { caller, service } = await serve(Results)
    const errors: Error[] = []
    service.on('error', (error) => errors.push(error as Error))
    expect(await failure(caller.call('bad'))).toMatchObject({
      uri: 'wamp.error.runtime_error',
      args: ['the procedure returned what its result schema refuses'],
      kwargs: {},
    })
    expect(errors.map(({ cause }) => cause)).toEqual([[{ place: 'result.id', message: expect.any(String) }]])
    expect(await failure(caller.call('many'))).toEqual(uri('wamp.error.runtime_error'))
    expect(errors).toHaveLength(2)
  })

  test('applies to the return value of an async generator, not to the values it yields', async () => {
    const { caller, service } = await serve(Results)
    service.on('error', () => {})
    const parts: unknown[] = []
    const onProgress = ([part]: readonly unknown[]) => parts.push(part)
    expect(await caller.call('parts', [2], {}, { onProgress })).toBe('done')
    expect(parts).toEqual([0, 1])
    expect(await failure(caller.call('parts', [3]))).toEqual(uri('wamp.error.runtime_error'))
    parts.length = 0
    // The same applies to any other iterable, which returns nothing.
    expect(await caller.call('iterable', [], {}, { onProgress })).toBe(null)
    expect(parts).toEqual([1, 2])
  })
})

test('several failing schemas cause one error of the service, and no unhandled rejection', async () => {
  const failing = (validate: () => never): StandardSchema<number> => ({
    '~standard': { version: 1, vendor: 'by hand', validate },
  })
  const later = failing((() => Promise.reject(new Error('later'))) as never)
  const now = failing(() => {
    throw new Error('now')
  })
  class Broken extends WampClient {
    @rpc({ uri: 'run', args: [later, now], kwargs: later as never }) run(_a: number, _b: number): void {}
    @rpc({ uri: 'both', args: [later], kwargs: later as never }) both(_a: number): void {}
  }
  const { caller, service } = await serve(Broken)
  const errors: unknown[] = []
  service.on('error', (error) => errors.push(error))
  expect(await failure(caller.call('run', [1, 2]))).toEqual(uri('wamp.error.runtime_error'))
  expect(await failure(caller.call('both', [1]))).toEqual(uri('wamp.error.runtime_error'))
  expect(errors).toEqual([new Error('now'), new Error('later')])
})

test('a schema that throws causes an error of the service', async () => {
  const broken: StandardSchema<number> = {
    '~standard': {
      version: 1,
      vendor: 'by hand',
      validate: () => {
        throw new Error('out of order')
      },
    },
  }
  class Broken extends WampClient {
    @rpc({ args: [broken] }) run(n: number): number {
      return n
    }
  }
  const { caller, service } = await serve(Broken)
  const errors: unknown[] = []
  service.on('error', (error) => errors.push(error))
  expect(await failure(caller.call('run', [1]))).toEqual(uri('wamp.error.runtime_error'))
  expect(errors).toEqual([new Error('out of order')])
})

describe('without decorators', () => {
  class Calculator extends WampClient {
    static prefix = 'com.example'
    static rpc = {
      add: rpc({ args: [z.number(), z.number()] }),
      half: rpc('com.example.half', { args: z.tuple([z.number()]), result: z.number() }),
      plain: 'com.example.plain',
      shared: { invoke: 'roundrobin' },
      sum: rpc({ invocation: true, input: z.number(), kwargs: z.object({ unit: z.string() }), result: z.string() }),
    } satisfies RpcTable<Calculator>
    add(a: number, b: number): number {
      return a + b
    }
    half(a: number): number {
      return a / 2
    }
    plain(): string {
      return 'plain'
    }
    shared(): void {}
    async sum({ input, kwargs }: Invocation<number, { unit: string }>): Promise<string> {
      let sum = 0
      for await (const n of input) sum += n
      return `${sum} ${kwargs.unit}`
    }
  }

  test('a static field accepts the result of rpc()', async () => {
    const { world } = await serve(Calculator)
    await using client = new RpcClient({ service: Calculator, router: world.router })
    expect([await client.rpc.add(1, 2), await client.rpc.half(3), await client.rpc.plain()]).toEqual([3, 1.5, 'plain'])
    expect(await failure(client.rpc.add(1, '2' as never))).toMatchObject({
      uri: INVALID,
      message: expect.stringMatching(/^args\[1\]: /),
    })
    const sum = (input: unknown[], kwargs: object) => client.with({ input, kwargs: kwargs as never }).rpc.sum()
    expect(await sum([1, 2], { unit: 'cm' })).toBe('3 cm')
    expect(await failure(sum([1], {}))).toMatchObject({ message: expect.stringMatching(/^kwargs\.unit: /) })
    expect(await failure(sum([1, '2'], { unit: 'cm' }))).toMatchObject({
      message: expect.stringMatching(/^input\[1\]: /),
    })
  })

  test('schemas outside of rpc() are refused at start, because nothing would apply them', async () => {
    for (const said of [
      { args: [z.number()] },
      { kwargs: z.object({}) },
      { input: z.number() },
      { result: z.void() },
    ]) {
      class Silent extends WampClient {
        static rpc = { add: said }
        add(): void {}
      }
      const router = welcoming(granting)
      expect(await failure(new Silent({ router }).start())).toMatchObject({
        uri: USAGE,
        message: 'schemas in a static field go through rpc({ ... })',
      })
    }
  })

  test('checked() does the same for a registration', async () => {
    await using world = await openWorld()
    const [callee, caller] = await world.join('callee', 'caller')
    const double = checked(([n]) => (n as number) * 2, { args: [z.number()] })
    await callee.register('com.example.double', double)
    expect(await caller.call('com.example.double', [4])).toBe(8)
    expect(await failure(caller.call('com.example.double', ['4']))).toEqual(uri(INVALID))
  })
})

test('schemas do not appear in any message', async () => {
  class Service extends WampClient {
    @rpc({ args: [z.number()], kwargs: z.object({}), input: z.number(), result: z.number(), disclose_caller: true })
    run(n: number): number {
      return n
    }
  }
  const router = welcoming(granting)
  const service = new Service({ router })
  await service.start()
  expect(router.peers[0]?.received[1]).toEqual([64, 1, { disclose_caller: true }, 'run'])
  await service.stop()
})
