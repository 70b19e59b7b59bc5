/** `wampy-ts bench` and its load: what is measured, what is counted, and that nothing of it stays or disturbs. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { BenchLoad, type BenchPlan } from '../../src/cli/bench-load.ts'
import { WampError } from '../../src/protocol/error.ts'
import { until } from '../client/support.ts'
import { cli, listening, terminal } from './support.ts'

describe('a load', () => {
  const options: BenchPlan = {
    concurrency: 1,
    count: undefined,
    duration: undefined,
    rate: undefined,
    warmUp: 0,
    signal: new AbortController().signal,
  }

  function stopTheClock(): void {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
  }

  const passing = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

  test('has at most `concurrency` operations in progress, and ends after `count`', async () => {
    let now = 0
    let most = 0
    const slots = new Set<number>()
    const load = new BenchLoad({ ...options, concurrency: 3, count: 10 }, async (slot) => {
      slots.add(slot)
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
    })
    expect(await load.run()).toMatchObject({ ok: 10, failed: 0, errors: {}, interrupted: false })
    expect({ now, most, slots: [...slots].sort() }).toEqual({ now: 0, most: 3, slots: [0, 1, 2] })
    expect(load.progress).toBe(1)
  })

  test('measures for `duration`, after the warm-up', async () => {
    stopTheClock()
    let operations = 0
    const load = new BenchLoad({ ...options, warmUp: 1000, duration: 2000 }, async () => {
      operations++
      await passing(operations <= 10 ? 100 : 50)
    })
    const run = load.run()
    await vi.advanceTimersByTimeAsync(999)
    expect([load.isMeasuring, load.ok, load.seconds]).toEqual([false, 0, 0])
    await vi.advanceTimersByTimeAsync(1001)
    expect([load.isMeasuring, load.progress]).toEqual([true, 0.5])
    await vi.advanceTimersByTimeAsync(1000)
    const { ok, perSecond, seconds, latency } = await run
    // The one that crossed the end of the warm-up, and the one that crosses the end, count for nothing.
    expect({ perSecond, seconds }).toEqual({ perSecond: ok / 2, seconds: 2 })
    expect(ok).toBeGreaterThanOrEqual(38)
    expect(ok).toBeLessThanOrEqual(40)
    expect(latency).toMatchObject({ p50: expect.closeTo(50, 0), max: expect.closeTo(50, 0) })
  })

  test('with a rate, latencies count from the time when an operation was due', async () => {
    stopTheClock()
    let operations = 0
    // One operation takes a second; those that were due meanwhile are late.
    const load = new BenchLoad({ ...options, rate: 10, count: 11 }, () =>
      ++operations === 1 ? passing(1000) : Promise.resolve(),
    )
    const run = load.run()
    await vi.advanceTimersByTimeAsync(2000)
    const { ok, latency, seconds } = await run
    expect({ ok, seconds }).toEqual({ ok: 11, seconds: 1 })
    expect(latency?.max).toBeCloseTo(1000, 0)
    expect(latency?.p50).toBeCloseTo(500, 0)
  })

  test('with a rate, begins no more than that per second', async () => {
    stopTheClock()
    let operations = 0
    const load = new BenchLoad({ ...options, concurrency: 5, rate: 20, duration: 1000 }, async () => {
      operations++
    })
    const run = load.run()
    await vi.advanceTimersByTimeAsync(1000)
    await run
    expect(operations).toBeGreaterThanOrEqual(20)
    expect(operations).toBeLessThanOrEqual(21)
  })

  test('counts errors by their URI, and lets a signal end it though every operation fails at once', async () => {
    const stop = new AbortController()
    let operations = 0
    const load = new BenchLoad({ ...options, signal: stop.signal }, async () => {
      if (++operations === 100) setTimeout(() => stop.abort(), 0)
      throw operations % 2 ? new WampError('com.example.odd') : new Error('even')
    })
    const { ok, failed, errors, interrupted, latency } = await load.run()
    expect({ ok, interrupted, latency }).toEqual({ ok: 0, interrupted: true, latency: undefined })
    expect(failed).toBe((errors['com.example.odd'] ?? 0) + (errors['Error: even'] ?? 0))
    expect(errors['com.example.odd']).toBeGreaterThanOrEqual(50)
  })
})

const QUICK = ['--count', '200', '--warm-up', '0', '--clients', '3', '--concurrency', '6']

test.each([
  ['rpc', []],
  ['pubsub', ['--subscribers', '4']],
] as const)('bench %s measures by sessions and URIs of its own, and leaves nothing', async (kind, more) => {
  const { url, router } = await listening(0, ['realm1'], { strict: true })
  const uris = new Set<string>()
  let delivered = 0
  let sessions = 0
  router.observe({
    joined: () => sessions++,
    called: ({ procedure }) => uris.add(procedure),
    published: ({ topic }) => uris.add(topic),
    delivered: ({ receivers }) => {
      delivered += receivers
    },
  })
  const { code, stdout, stderr } = await cli('bench', kind, ...QUICK, ...more, '--size', '1000', '--json', '--url', url)
    .ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const summary = JSON.parse(stdout) as { latency: Record<string, number>; perSecond: number }
  expect(summary).toEqual({
    kind,
    clients: 3,
    concurrency: 6,
    ...(kind === 'pubsub' && { subscribers: 4 }),
    size: 1000,
    ok: 200,
    failed: 0,
    perSecond: expect.any(Number),
    seconds: expect.any(Number),
    latency: {
      min: expect.any(Number),
      mean: expect.any(Number),
      p50: expect.any(Number),
      p90: expect.any(Number),
      p95: expect.any(Number),
      p99: expect.any(Number),
      p999: expect.any(Number),
      max: expect.any(Number),
    },
    errors: {},
    interrupted: false,
  })
  const { p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0 } = summary.latency
  expect([p50, p90, p99, p999, max]).toEqual([p50, p90, p99, p999, max].sort((a, b) => a - b))
  expect(p50).toBeGreaterThan(0)
  expect(summary.perSecond).toBeGreaterThan(0)
  expect([...uris]).toEqual([expect.stringMatching(/^wampy_ts\.bench\.r[0-9a-z]+\.(echo|event)$/)])
  expect(delivered).toBe(kind === 'pubsub' ? 800 : 0)
  expect(sessions).toBe(kind === 'pubsub' ? 7 : 4)
  expect(router.stats()).toMatchObject({ sessions: 0, registrations: 0, subscriptions: 0 })
})

test('bench prints a summary for people', async () => {
  const { url } = await listening()
  const { code, stdout, stderr } = await cli('bench', 'rpc', ...QUICK, '--rate', '1000/s', '--url', url).ended
  expect(stdout).toMatch(
    /^rpc: 3 clients, 6 calls at a time, 128 bytes, 1,000\/s wanted\nok {10}200\nfailed {6}0\nthroughput {2}[\d,.]+\/s in [\d.]+ s\nlatency ms {2}min [\d.]+ .*p50 [\d.]+ .*p99 [\d.]+ .*p99\.9 [\d.]+ .*max [\d.]+\n$/,
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('SIGINT prints the summary so far', async () => {
  const { url, router } = await listening()
  let called = 0
  router.observe({ called: () => called++ })
  const bench = cli('bench', 'rpc', '--warm-up', '0', '--duration', '3600', '--url', url)
  await until(() => called > 100)
  const { code, stdout, stderr } = await bench.kill('SIGINT').ended
  expect(Number(/\nok +([\d,]+)\n/.exec(stdout)?.[1]?.replaceAll(',', ''))).toBeGreaterThan(50)
  expect({ code, stderr }).toEqual({ code: 130, stderr: 'wampy-ts bench: SIGINT ended it early\n' })
  expect(router.stats()).toMatchObject({ sessions: 0, registrations: 0 })
})

test('a router that is lost fails the calls in progress, which are counted; the rest follows when it is back', async () => {
  const first = await listening()
  let called = 0
  first.router.observe({ called: () => called++ })
  const bench = cli('bench', 'rpc', '--warm-up', '0', '--count', '2000', '--rate', '1000', '--json', '--url', first.url)
  await until(() => called > 100)
  await first.router.close()
  await first.close()
  await listening(first.port)
  const { code, stdout } = await bench.ended
  const { ok, failed, errors } = JSON.parse(stdout) as { ok: number; failed: number; errors: object }
  expect(code).toBe(0)
  expect(ok + failed).toBe(2000)
  expect(ok).toBeGreaterThan(100)
  const wrong = Object.keys(errors).filter((uri) => !/connection_lost|not_joined|canceled|no_such_procedure/.test(uri))
  expect(wrong).toEqual([])
})

test('calls that all fail are counted by the URI of their error: exit code 1', async () => {
  const { url } = await listening(0, ['realm1'], { authorize: ({ action }) => action !== 'call' })
  const { code, stdout, stderr } = await cli('bench', 'rpc', ...QUICK, '--json', '--url', url).ended
  expect(JSON.parse(stdout)).toMatchObject({ ok: 0, failed: 200, errors: { 'wamp.error.not_authorized': 200 } })
  expect({ code, stderr }).toEqual({ code: 1, stderr: '{"error":{"message":"nothing succeeded"}}\n' })
})

test('an event that a subscriber does not receive has failed after the timeout', async () => {
  const { url, router, client } = await listening(0, ['realm1'], { controlOthers: true })
  const operator = await client()
  let subscribed: [number, number] = [0, 0]
  let published = 0
  router.observe({
    subscribed: ({ session, subscription }) => {
      subscribed = [subscription, session]
    },
    published: () => {
      if (++published === 1) void operator.call('wamp.subscription.remove_subscriber', subscribed)
    },
  })
  const args = ['--clients', '1', '--count', '10', '--warm-up', '0', '--timeout', '50', '--json']
  const { code, stdout } = await cli('bench', 'pubsub', ...args, '--url', url).ended
  const { ok, failed, errors } = JSON.parse(stdout) as { ok: number; failed: number; errors: object }
  expect(ok + failed).toBe(10)
  expect(failed).toBeGreaterThan(0)
  expect(errors).toEqual({ 'wamp.error.timeout': failed })
  expect(code).toBe(ok > 0 ? 0 : 1)
})

test.runIf(process.platform === 'linux')(
  'on a terminal a progress bar shows rate and latency, and goes away',
  async () => {
    const { url } = await listening()
    const args = ['bench', 'rpc', '--warm-up', '0.3', '--duration', '0.7', '--url', url]
    const { code, stdout } = await terminal({}, ...args).ended
    expect(stdout).toMatch(/░ {3}0 % {2}warming up/)
    expect(stdout).toMatch(/█+░* +\d+ % {2}[\d,]+ calls {2}[\d,]+\/s {2}p99 [\d.]+ ms/)
    // The last thing that is drawn is an empty line, before the summary.
    expect(stdout).toContain('\r\u001b[2Krpc: 10 clients')
    expect(code).toBe(0)
  },
)

test.concurrent.each([
  [['bench'], /<rpc\|pubsub> is missing/],
  [['bench', 'mail'], /the kind of load must be rpc or pubsub, got "mail"/],
  [['bench', 'rpc', '--clients', '0'], /--clients must be a whole number, 1 to 10000, got "0"/],
  [['bench', 'rpc', '--duration', '0'], /--duration must be a number of seconds, .* got "0"/],
  [['bench', 'rpc', '--duration', '5s'], /--duration must be a number of seconds, .* got "5s"/],
  [['bench', 'rpc', '--rate', 'fast'], /--rate must be a number per second, .* got "fast"/],
  [['bench', 'rpc', '--subscribers', '2'], /--subscribers belongs to pubsub/],
  [['bench', 'rpc', '--size', '-1'], /--size must be a whole number, .* got "-1"/],
])('%j is a wrong command line: exit code 2', async (args, expected) => {
  const { code, stdout, stderr } = await cli(...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})
