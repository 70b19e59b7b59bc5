/** `--repeat`, `--concurrency` and `--rate`: the summary, the exit code, and an early end by a signal. */

import { expect, test } from 'vitest'
import { WampError } from '../../src/protocol/error.ts'
import { cli, listening, terminal } from './support.ts'

test('--repeat prints a summary as text', async () => {
  const { url, client } = await listening()
  await (await client()).register('com.one', () => 1)
  const { code, stdout, stderr } = await cli('call', 'com.one', '--repeat', '20', '--url', url).ended
  expect(stdout).toMatch(
    /^ok {10}20\nfailed {6}0\nthroughput {2}[\d.]+\/s in [\d.]+ s\nlatency ms {2}min [\d.]+ {2}mean [\d.]+ {2}p50 [\d.]+ {2}p90 [\d.]+ {2}p95 [\d.]+ {2}p99 [\d.]+ {2}p99\.9 [\d.]+ {2}max [\d.]+\n$/,
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('failures are counted by URI, and are exit code 1', async () => {
  const { url, client, router } = await listening()
  const alice = await client()
  let calls = 0
  await alice.register('com.some', () => {
    calls++
    if (calls % 5 === 0) throw new WampError('com.error.five')
    if (calls === 7) throw new WampError('com.error.seven')
    return calls
  })
  const { code, stdout, stderr } = await cli('call', 'com.some', '--repeat', '20', '--json', '--url', url).ended
  expect(JSON.parse(stdout)).toMatchObject({
    ok: 15,
    failed: 5,
    unfinished: 0,
    errors: { 'com.error.five': 4, 'com.error.seven': 1 },
    seconds: expect.any(Number),
    perSecond: expect.any(Number),
    latency: { min: expect.any(Number), p99: expect.any(Number) },
  })
  expect(JSON.parse(stderr)).toEqual({ error: { message: '5 of 20 failed' } })
  expect(code).toBe(1)
  expect(router.stats().sessions).toBe(1)
  calls = 4
  const text = await cli('call', 'com.some', '--repeat', '1', '--url', url).ended
  expect(text.stdout).toMatch(/^ok {10}0\nfailed {6}1\n {12}1 com\.error\.five\nthroughput .*\n$/)
  expect(text.stderr).toBe('wampy-ts call: 1 of 1 failed\n')
})

test('--concurrency is the number of calls at a time', async () => {
  const { url, client } = await listening()
  const waiting: (() => void)[] = []
  let most = 0
  let done = 0
  await (await client()).register('com.slow', async () => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve)
      most = Math.max(most, waiting.length - done)
      // Only a third call at the same time could come before the two are answered.
      if (waiting.length % 2 === 0) for (const go of waiting.slice(-2)) go()
    })
    done++
  })
  const args = ['--repeat', '6', '--concurrency', '2', '--json']
  const { code, stdout } = await cli('call', 'com.slow', ...args, '--url', url).ended
  expect(JSON.parse(stdout)).toMatchObject({ ok: 6, failed: 0 })
  expect({ code, most }).toEqual({ code: 0, most: 2 })
})

test('--rate limits the requests per second', async () => {
  const { url, client } = await listening()
  let count = 0
  await (await client()).subscribe('com.tick', () => {
    count++
  })
  const args = ['--rate', '20/s', '--repeat', '6', '--json']
  const { code, stdout } = await cli('publish', 'com.tick', '1', ...args, '--url', url).ended
  const { ok, seconds } = JSON.parse(stdout) as { ok: number; seconds: number }
  expect({ code, ok }).toEqual({ code: 0, ok: 6 })
  // Five intervals of 50 ms, of which the first 100 ms may be made up for.
  expect(seconds).toBeGreaterThan(0.14)
  await expect.poll(() => count).toBe(6)
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s prints the summary so far and ends with exit code %s', async (signal, exitCode) => {
  const { url, client, router } = await listening()
  let calls = 0
  let fourth = (): void => {}
  const reached = new Promise<void>((resolve) => {
    fourth = resolve
  })
  await (await client()).register('com.some', () => {
    if (++calls < 4) return calls
    fourth()
    return new Promise(() => {})
  })
  const call = cli('call', 'com.some', '--concurrency', '1', '--url', url)
  await reached
  const { code, stdout, stderr } = await call.kill(signal).ended
  expect(stdout).toMatch(/^ok {10}3\nfailed {6}0\nunfinished {2}1\nthroughput /)
  expect({ code, stderr }).toEqual({ code: exitCode, stderr: `wampy-ts call: ${signal} ended it early\n` })
  expect(router.stats()).toMatchObject({ sessions: 1, calls: 0 })
})

test('Control-C in a terminal ends a load with its summary', async () => {
  const { url, client } = await listening()
  const alice = await client()
  const third = new Promise<void>((resolve) => {
    let count = 0
    void alice.subscribe('com.tick', () => {
      if (++count === 3) resolve()
    })
  })
  const publish = terminal({}, 'publish', 'com.tick', '--rate', '100/s', '--url', url)
  await third
  publish.child.stdin?.write('\u0003')
  const { code, stdout } = await publish.ended
  expect(stdout).toMatch(/^(\^C)?\r\nok {10}\d+\r\nfailed {6}0\r\n.*SIGINT ended it early\r\n$/s)
  expect(code).toBe(130)
})

test('a slow rate is interrupted at once', async () => {
  const { url, client } = await listening()
  const alice = await client()
  const first = new Promise((resolve) => void alice.subscribe('com.tick', resolve))
  const publish = cli('publish', 'com.tick', '--rate', '0.001/s', '--json', '--url', url)
  await first
  const { code, stdout } = await publish.kill('SIGINT').ended
  expect(code).toBe(130)
  expect(JSON.parse(stdout)).toMatchObject({ failed: 0 })
})

test('calls wait for a router that comes back', async () => {
  const { url, port, router, client, close } = await listening()
  const one = await client()
  let calls = 0
  const tenth = new Promise<void>((resolve) => {
    void one.register('com.some', () => {
      if (++calls === 10) resolve()
    })
  })
  const call = cli('call', 'com.some', '--rate', '200/s', '--concurrency', '1', '--json', '--url', url)
  await tenth
  await router.close()
  await close()
  await call.said(/^\{"notice":"lost the router at ws:/, 'stderr')
  const again = await (await listening(port)).client()
  const after = new Promise((resolve) => void again.register('com.some', resolve))
  await after
  const { code, stdout } = await call.kill('SIGINT').ended
  expect(code).toBe(130)
  const { ok, errors } = JSON.parse(stdout) as { ok: number; errors: object }
  // The answer of the tenth may have been lost.
  expect(ok).toBeGreaterThanOrEqual(9)
  expect(Object.keys(errors)).not.toContain('wampy.error.not_joined')
})

test.each([
  [['--repeat', '0'], /--repeat must be a whole number, 1 or more, got "0"/],
  [['--concurrency', '0'], /--concurrency must be a whole number, 1 to 10000, got "0"/],
  [['--rate', 'fast'], /--rate must be a number per second, 0\.001\/s to 1000000\/s, got "fast"/],
  [['--rate', '5/m'], /--rate must be a number per second/],
  [['--rate', '0'], /--rate must be a number per second/],
  [['--repeat', '2', '--progress'], /--progress is for one call, not for --repeat, --concurrency or --rate/],
])('%j is a wrong command line', async (args, expected) => {
  expect(await cli('call', 'a.b', ...args).ended).toMatchObject({ code: 2, stderr: expect.stringMatching(expected) })
})

test('publications without an acknowledgement are not repeated', async () => {
  const args = ['--repeat', '2', '--options', '{"acknowledge":false}']
  const { code, stderr } = await cli('publish', 'a.b', ...args).ended
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('contradicts --repeat') })
})
