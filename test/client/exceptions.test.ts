/** Exceptions of procedures at the service's side: each is reported once, and errors for callers are not. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type Client,
  type ClientOptions,
  type Invocation,
  RUNTIME_ERROR,
  rpc,
  type StandardSchema,
  USAGE,
  WampClient,
  WampError,
} from 'wampy-ts'
import { openWorld } from 'wampy-ts/testing'
import { failure, leavesNothing, uri } from './support.ts'

leavesNothing()

const boom = new Error('boom')

const onlyText: StandardSchema<string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (typeof value === 'string' ? { value } : { issues: [{ message: 'not text' }] }),
  },
}

class Failing extends WampClient {
  static prefix = 'com.example'

  @rpc throws(): never {
    throw boom
  }
  @rpc async rejects(): Promise<never> {
    throw boom
  }
  @rpc async *streams() {
    yield 1
    throw boom
  }
  @rpc returns() {
    return () => {}
  }
  @rpc async *yields() {
    yield Symbol('not sent')
  }
  @rpc({ invocation: true }) progresses(invocation: Invocation) {
    invocation.progress([Number.NaN])
  }
  @rpc({ result: onlyText }) lies() {
    return 5 as unknown as string
  }
  @rpc async misuses() {
    await this.call('com.example.answers', [], {}, { timeout: -1 })
  }
  @rpc async passesNothingOn() {
    await this.call('com.example.answers', [Number.NaN])
  }
  @rpc throwsText(): never {
    throw 'only text'
  }

  @rpc answers(): never {
    throw new WampError('com.example.sold_out', ['no seats left'])
  }
  @rpc async passesOn() {
    await this.call('com.example.answers')
  }
  @rpc async passesAbsenceOn() {
    await this.call('com.example.nobody')
  }
  @rpc({ args: [onlyText] }) checks(_text: string) {}
  @rpc({ invocation: true }) async ends({ signal }: Invocation) {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('interrupted'))))
  }
}

/** What the console was given; a test fails for anything that it does not take out. */
function consoleErrors(): unknown[][] {
  const errors: unknown[][] = []
  const spy = vi.spyOn(console, 'error').mockImplementation((...given) => void errors.push(given))
  onTestFinished(() => spy.mockRestore())
  return errors
}

async function failing(options: ClientOptions = {}, listen: (service: Client) => void = () => {}) {
  const errors = consoleErrors()
  const world = await openWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  const service = new Failing({ router: world.router, ...options })
  onTestFinished(() => service.stop())
  listen(service)
  await service.start()
  const [caller] = await world.join('caller')
  const call = (name: string, options = {}) => failure(caller.call(`com.example.${name}`, [], {}, options))
  return { errors, call }
}

const exceptions: [name: string, error: unknown, onProgress?: () => void][] = [
  ['throws', boom],
  ['rejects', boom],
  ['streams', boom, () => {}],
  ['returns', uri('wamp.error.invalid_argument')],
  ['yields', uri('wamp.error.invalid_argument'), () => {}],
  ['progresses', uri('wamp.error.invalid_argument'), () => {}],
  ['lies', expect.objectContaining({ cause: [{ place: 'result', message: 'not text' }] })],
  ['misuses', uri(USAGE)],
  ['passesNothingOn', uri('wamp.error.invalid_argument')],
  ['throwsText', 'only text'],
]

describe('an exception', () => {
  test.each(exceptions)('%s: is printed once, below the name of its procedure', async (name, error, onProgress) => {
    const { errors, call } = await failing()
    await call(name, { onProgress })
    expect(errors).toEqual([['%s failed:', `"com.example.${name}"`, error]])
    await call(name, { onProgress })
    expect(errors).toHaveLength(2)
  })

  test.each(exceptions)(
    '%s: is taken by a listener, with the name of its procedure',
    async (name, error, onProgress) => {
      const taken: unknown[][] = []
      const { errors, call } = await failing({}, (service) => service.on('error', (...given) => taken.push(given)))
      await call(name, { onProgress })
      expect([taken, errors]).toEqual([[[error, `com.example.${name}`]], []])
    },
  )

  test.each(exceptions)('%s: is taken by onError', async (name, error, onProgress) => {
    const taken: unknown[] = []
    const { errors, call } = await failing({ onError: (it) => void taken.push(it) })
    await call(name, { onProgress })
    expect([taken, errors]).toEqual([[error], []])
  })

  test('is printed where a listener fails itself, together with the error of that', async () => {
    const broken = new Error('broken listener')
    const { errors, call } = await failing({}, (service) =>
      service.on('error', () => {
        throw broken
      }),
    )
    await call('throws')
    expect(errors).toEqual([[broken], ['%s failed:', '"com.example.throws"', boom]])
  })

  test('that cannot be printed is printed as text', async () => {
    const errors: unknown[][] = []
    const spy = vi.spyOn(console, 'error').mockImplementation((...given) => {
      errors.push(given.map(String))
    })
    onTestFinished(() => spy.mockRestore())
    await using world = await openWorld()
    const [callee, caller] = await world.join('callee', 'caller')
    await callee.register('com.example.f', () => {
      throw Object.create(null)
    })
    expect(await failure(caller.call('com.example.f'))).toEqual(uri(RUNTIME_ERROR))
    expect(errors).toEqual([['%s failed:', '"com.example.f"', 'what was thrown has no text']])
  })

  test('names the procedure that was called, which cannot change the text around it', async () => {
    const errors = consoleErrors()
    await using world = await openWorld()
    const [callee, caller] = await world.join('callee', 'caller')
    const fails = () => {
      throw boom
    }
    await callee.register('com.example', fails, { match: 'prefix' })
    await failure(caller.call('com.example.%o\u001b[2J'))
    expect(errors).toEqual([['%s failed:', '"com.example.%o\\u001b[2J"', boom]])
  })
})

describe('is not reported:', () => {
  test.each([
    ['a WampError, which is an answer', 'answers', 'com.example.sold_out'],
    ['the answer of another procedure that is passed on', 'passesOn', 'com.example.sold_out'],
    ['what the router answered', 'passesAbsenceOn', 'wamp.error.no_such_procedure'],
    ['arguments that a schema refuses', 'checks', 'wamp.error.invalid_argument'],
  ])('%s', async (_, name, answer) => {
    const taken: unknown[] = []
    for (const listening of [false, true]) {
      const { errors, call } = await failing({}, (service) => {
        if (listening) service.on('error', (error) => taken.push(error))
      })
      expect(await call(name)).toEqual(uri(answer))
      expect([errors, taken]).toEqual([[], []])
    }
  })

  test('what follows an interruption', async () => {
    const { errors, call } = await failing()
    const stop = new AbortController()
    const ended = call('ends', { signal: stop.signal, cancelMode: 'kill' })
    stop.abort()
    expect(await ended).toEqual(uri('wamp.error.canceled'))
    expect(errors).toEqual([])
  })
})
