/** The log of a client: its states, losses, attempts and errors. */

import { afterEach, expect, test, vi } from 'vitest'
import { RpcClient, WampClient, WampError } from 'wampy-ts'
import { type Logger, logTo } from 'wampy-ts/log'
import { Router } from 'wampy-ts/router'

afterEach(() => void vi.restoreAllMocks())

type Line = readonly [level: string, text: string, fields: Record<string, unknown>]

function recording(): { logger: Logger; lines: Line[]; take(): Line[]; until(text: string): Promise<void> } {
  const lines: Line[] = []
  let look = (): void => {}
  const at = (level: string) => (fields: object, text: string) => {
    lines.push([level, text, { ...fields }])
    look()
  }
  return {
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    lines,
    take: () => lines.splice(0),
    until: (text) =>
      new Promise((resolve) => {
        look = () => {
          if (lines.some(([, said]) => said === text)) resolve()
        }
        look()
      }),
  }
}

test('the life of a client, with a loss and a return', async () => {
  const router = new Router({ controlOthers: true })
  const { logger, take, until } = recording()
  await using client = new WampClient({ router, name: 'shop', reconnect: { initial: 1 } })
  logTo(client, logger)
  await client.start()
  const { id: session } = client.session
  expect(take()).toMatchObject([
    ['debug', 'client changed its state', { client: 'shop', state: 'connecting' }],
    ['debug', 'client changed its state', { client: 'shop', state: 'ready' }],
    ['info', 'client joined', { client: 'shop', realm: 'realm1', session, authrole: 'anonymous' }],
  ])
  await using admin = new RpcClient({ router })
  await admin.call('wamp.session.kill', [session], { reason: 'com.example.away', message: 'for a while' })
  await until('client joined')
  expect(take().filter(([level]) => level !== 'debug')).toMatchObject([
    ['warn', 'client lost its session', { client: 'shop', error: 'com.example.away', text: 'for a while' }],
    ['info', 'client tries again', { attempt: 1, delay: expect.any(Number), error: 'com.example.away' }],
    ['info', 'client joined', { client: 'shop' }],
  ])
  await client.stop()
  expect(take().at(-1)).toEqual(['info', 'client stopped', { client: 'shop' }])
})

test('a final failure', async () => {
  const { logger, take } = recording()
  const client = new WampClient({ router: new Router(), realm: 'com.other', name: 'lost' })
  logTo(client, logger)
  await expect(client.start()).rejects.toThrow()
  expect(take().at(-1)).toMatchObject([
    'error',
    'client stopped',
    { client: 'lost', error: 'wamp.error.no_such_realm', text: 'there is no realm "com.other" here' },
  ])
})

test('errors of handlers have a stack, and are no longer printed, until the log stops', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
  const router = new Router()
  const { logger, take, until } = recording()
  await using client = new WampClient({ router, name: 'shop' })
  const stop = logTo(client, logger)
  await client.start()
  await client.register('com.fail', () => {
    throw new TypeError(`no such tea\u001b[2J${'x'.repeat(1000)}`)
  })
  await client.register('com.refuse', () => {
    throw new WampError('com.example.sold_out', ['secret'])
  })
  take()
  await client.call('com.fail').catch(() => {})
  await client.call('com.refuse').catch(() => {})
  await until('client failed')
  const [[level, text, { stack, ...fields }] = ['', '', {}], ...more] = take()
  expect([level, text, fields]).toEqual([
    'error',
    'client failed',
    {
      client: 'shop',
      procedure: 'com.fail',
      error: 'wamp.error.runtime_error',
      text: expect.stringMatching(/^no such tea\ufffd\[2Jx+…$/),
    },
  ])
  expect(stack).toMatch(/^TypeError: no such tea\ufffd\[2Jx+\n {4}at .*log\.test\.ts/)
  expect([more, printed.mock.calls]).toEqual([[], []])
  stop()
  await client.call('com.fail').catch(() => {})
  expect(take()).toEqual([])
  await vi.waitFor(() => expect(printed).toHaveBeenCalledTimes(1))
})

test('hostile values, and a logger that fails, end nothing', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
  const router = new Router()
  await using client = new WampClient({ router })
  const { logger, take, until } = recording()
  const stop = logTo(client, logger)
  await client.start()
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('trap')
      },
    },
  )
  await client.register('com.fail', () => {
    throw hostile
  })
  await client.call('com.fail').catch(() => {})
  await until('client failed')
  expect(take().at(-1)?.[2]).toMatchObject({ procedure: 'com.fail', error: 'wamp.error.runtime_error' })
  stop()
  const fails = (): never => {
    throw new Error('full')
  }
  logTo(client, { debug: fails, info: fails, warn: fails, error: fails })
  await client.stop()
  await client.start()
  expect(client.state).toBe('ready')
  expect(printed).toHaveBeenCalled()
})

test('an RpcClient is logged too, and leaves no listener behind', async () => {
  await using client = new RpcClient({ router: new Router(), name: 'page' })
  const before = client.eventNames()
  const { logger, take } = recording()
  const stop = logTo(client, logger)
  await client.call('wamp.session.count')
  expect(take().map(([, text]) => text)).toContain('client joined')
  stop()
  expect(client.eventNames()).toEqual(before)
})
