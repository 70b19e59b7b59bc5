/** Crossbar.io ends and restarts: registrations and subscriptions are restored, and no call stays pending. */

import { expect, test } from 'vitest'
import { Result, rpc, subscribe, WampClient, WampError } from 'wampy-ts'
import { type Crossbar, startCrossbar } from './crossbar.ts'

class Service extends WampClient {
  readonly heard: unknown[] = []

  @rpc('com.example.echo')
  echo(value: unknown): unknown {
    return value
  }

  @subscribe('com.example.news')
  onNews(value: unknown): void {
    this.heard.push(value)
  }
}

/** For two boots of Crossbar.io on a busy machine. */
const LONG = { timeout: 180_000 }

const RECONNECT = { initial: 50, max: 500 }

test.each([
  ['is killed', 'kill'],
  ['is stopped by an administrator', 'terminate'],
] as const)('Crossbar.io %s under load and comes back', LONG, async (_, end) => {
  await using crossbar = await startCrossbar()
  const options = { router: crossbar.url, reconnect: RECONNECT }
  const [service, client] = [new Service(options), new WampClient(options)]
  const [lost, states]: [WampError[], string[]] = [[], []]
  client.on('lost', (cause) => lost.push(cause))
  client.on('state', (state) => states.push(state))
  try {
    await Promise.all([service.start(), client.start()])
    let invoked = 0
    await service.register('com.example.never', () => {
      invoked++
      return new Promise(() => {})
    })
    const heard: unknown[] = []
    const news = await client.subscribe('com.example.news', (args) => heard.push(...args))
    const pattern = await client.subscribe('com.example.wide', (args) => heard.push(...args), { match: 'prefix' })
    expect(await client.call('com.example.echo', [1])).toBe(1)

    const pending = Array.from({ length: 20 }, () => client.call('com.example.never'))
    const settled = Promise.allSettled([...pending, client.call('com.example.echo', [2])])
    await expect.poll(() => invoked, { interval: 5 }).toBe(20)
    const gone = changed(client, 'reconnecting')
    await crossbar[end]()
    await gone
    const outcomes = await settled
    expect(outcomes.length).toBe(21)
    for (const outcome of outcomes.slice(0, 20)) {
      const { reason } = outcome as PromiseRejectedResult
      expect(WampError.is(reason)).toBe(true)
      // A Crossbar.io that shuts down may answer them itself, in which case they were sent too.
      expect(reason).toMatchObject({ sent: true })
      if (end === 'kill') expect(reason.uri).toBe('wampy.error.connection_lost')
    }
    expect(lost.length).toBe(1)
    expect(news.state).toBe('pending')
    await expect(client.call('com.example.echo', [3])).rejects.toMatchObject({
      uri: 'wampy.error.not_joined',
      sent: false,
    })
    const waited = client.call('com.example.later', [4], undefined, { waitForReady: true })
    const refused = expect(waited).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })

    const back = [changed(client, 'ready'), changed(service, 'ready')]
    await crossbar.start()
    await Promise.all(back)
    await refused
    expect(states).toEqual(['connecting', 'ready', 'reconnecting', 'ready'])
    expect([news.state, pattern.state, ...service.registrations.map((it) => it.state)]).toEqual(
      Array.from({ length: 4 }, () => 'active'),
    )
    expect(await client.call('com.example.echo', [5])).toBe(5)
    await service.publish('com.example.news', ['after'], undefined, { acknowledge: true })
    await service.publish('com.example.wide.open', ['pattern'], undefined, { acknowledge: true })
    await client.publish('com.example.news', ['for the service'], undefined, { acknowledge: true })
    await expect
      .poll(() => [heard, service.heard], { interval: 5 })
      .toEqual([['after', 'pattern'], ['for the service']])
  } finally {
    await Promise.all([client.stop(), service.stop()])
  }
})

test('a client started before Crossbar.io joins when it is up', LONG, async () => {
  await using crossbar: Crossbar = await startCrossbar()
  await crossbar.kill()
  const client = new WampClient({ router: crossbar.url, reconnect: RECONNECT })
  try {
    const causes: string[] = []
    client.on('retry', ({ cause }) => causes.push(cause.uri))
    const started = client.start({ timeout: 60_000 })
    await expect.poll(() => causes.length, { interval: 5 }).toBeGreaterThan(0)
    await crossbar.start()
    await started
    expect(new Set(causes)).toEqual(new Set(['wampy.error.connection_failed']))
    await client.register('com.example.echo', (args) => new Result(args))
    expect(await client.call('com.example.echo', [1])).toBe(1)
  } finally {
    await client.stop()
  }
})

/** Resolves when the client enters the state. */
function changed(client: WampClient, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (state: string): void => {
      if (state !== wanted) return
      client.off('state', look)
      resolve()
    }
    client.on('state', look)
  })
}
