/** `wampy-ts record` and `replay`: events as lines of JSON, and back, without a loss that nobody notices. */

import { once } from 'node:events'
import { createWriteStream, existsSync, readFileSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { expect, onTestFinished, test } from 'vitest'
import { GOODBYE, HELLO, PUBLISH, PUBLISHED, WELCOME } from 'wampy-ts/testing'
import { type WebSocket, WebSocketServer } from 'ws'
import type { WampClient } from '../../src/client/wamp-client.ts'
import { until } from '../client/support.ts'
import { cli, cliWith, freePort, here, listening, write } from './support.ts'

let files = 0
/** A path in the working folder that no other test uses. */
const fresh = (): string => `recording-${++files}.jsonl`

const lines = (text: string): string[] => text.split('\n').filter(Boolean)
const events = (text: string): unknown[] => lines(text).map((line) => JSON.parse(line) as unknown)

const recording = (file: string, ...written: object[]): void =>
  write(file, written.map((each) => `${JSON.stringify(each)}\n`).join(''))

/** Everything that a client receives below `com`. */
async function received(client: WampClient): Promise<{ topic: string; args: unknown[]; kwargs: object; at: number }[]> {
  const all: { topic: string; args: unknown[]; kwargs: object; at: number }[] = []
  await client.subscribe(
    'com',
    (args, kwargs, { topic }) => {
      all.push({ topic, args: [...args], kwargs, at: performance.now() })
    },
    { match: 'prefix' },
  )
  return all
}

test('what is recorded is replayed exactly: bytes, long integers, text, keyword arguments', async () => {
  const { url, client } = await listening()
  const file = fresh()
  const alice = await client()
  const record = cli('record', 'com.example', '--match', 'prefix', '-o', file, '--url', url)
  await record.said(/^recording com\.example\n/, 'stderr')
  const payload = [new Uint8Array([0, 1, 255]), 2n ** 64n - 1n, 'two\nlines \u2028', { nested: [null, true, -0.5] }]
  await alice.publish('com.example.a', payload, { bytes: new Uint8Array([1]) }, { acknowledge: true })
  await alice.publish('com.example.b', [], {}, { acknowledge: true })
  await until(() => lines(readFileSync(here(file), 'utf8')).length === 2)
  expect(await record.kill('SIGINT').ended).toEqual({
    code: 0,
    stdout: '',
    stderr: 'recording com.example\nrecorded 2 events\n',
  })
  const [first, second] = events(readFileSync(here(file), 'utf8')) as [object, object]
  expect(Object.keys(first)).toEqual(['time', 'topic', 'args', 'kwargs'])
  expect(second).toEqual({ time: expect.stringMatching(/^\d{4}-.*Z$/), topic: 'com.example.b', args: [], kwargs: {} })

  const all = await received(alice)
  const { code, stdout, stderr } = await cli('replay', file, '--url', url).ended
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^published 2 events in [\d.]+ s\n$/),
    stderr: '',
  })
  expect(all).toEqual([
    { topic: 'com.example.a', args: payload, kwargs: { bytes: new Uint8Array([1]) }, at: expect.any(Number) },
    { topic: 'com.example.b', args: [], kwargs: {}, at: expect.any(Number) },
  ])
})

test('record to standard output, of several topics, with details, until a count', async () => {
  const { url, client } = await listening(0, ['realm1'], { disclose: 'always' })
  const alice = await client()
  const record = cli('record', 'com.one', 'com.two', '--details', '--count', '2', '--json', '--url', url)
  await record.said(/"notice":"recording com\.one, com\.two"/, 'stderr')
  for (const topic of ['com.one', 'com.other', 'com.two', 'com.one']) {
    await alice.publish(topic, [topic], {}, { acknowledge: true })
  }
  const { code, stdout, stderr } = await record.ended
  expect(code).toBe(0)
  expect(events(stderr).at(-1)).toEqual({ notice: 'recorded 2 events' })
  expect(events(stdout)).toEqual(
    ['com.one', 'com.two'].map((topic) =>
      expect.objectContaining({
        topic,
        args: [topic],
        details: expect.objectContaining({ publication: expect.any(Number), publisher: alice.session.id }),
      }),
    ),
  )
})

test('record never overwrites a file, adds to one with --append, and leaves none without a router', async () => {
  const { url, client } = await listening()
  const alice = await client()
  const file = fresh()
  write(file, '{"topic":"com.old"}\n')
  const { code, stderr } = await cli('record', 'com.tick', '-o', file, '--url', url).ended
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `wampy-ts record: ${file} exists: name another file, or add to it with --append\n`,
  })
  const record = cli('record', 'com.tick', '-o', file, '--append', '--count', '1', '--url', url)
  await record.said(/recording/, 'stderr')
  await alice.publish('com.tick', [1])
  expect(await record.ended).toMatchObject({ code: 0 })
  expect(events(readFileSync(here(file), 'utf8'))).toMatchObject([{ topic: 'com.old' }, { topic: 'com.tick' }])

  const none = fresh()
  const nobody = `ws://127.0.0.1:${await freePort()}/ws`
  expect((await cli('record', 'com.tick', '-o', none, '--url', nobody).ended).code).toBe(1)
  expect(existsSync(here(none))).toBe(false)
  const folder = await cli('record', 'com.tick', '-o', 'no/such/folder', '--url', url).ended
  expect(folder).toMatchObject({ code: 1, stderr: expect.stringMatching(/^wampy-ts record: cannot write to .*ENOENT/) })
})

test.runIf(process.platform === 'linux')('record on a full disk: one line, exit code 1', async () => {
  const { url, client } = await listening()
  const alice = await client()
  const record = cli('record', 'com.tick', '-o', '/dev/full', '--url', url)
  await record.said(/recording/, 'stderr')
  await alice.publish('com.tick')
  const { code, stderr } = await record.ended
  expect(stderr).toMatch(/\nrecorded 0 events\nwampy-ts record: cannot write to \/dev\/full: .*ENOSPC.*\n$/)
  expect(code).toBe(1)
})

test('record reports a loss of the router and continues', async () => {
  const first = await listening()
  const record = cli('record', 'com.tick', '--count', '2', '--url', first.url)
  await record.said(/recording/, 'stderr')
  await (await first.client()).publish('com.tick', [1], {}, { acknowledge: true })
  await record.said(/"args":\[1\]/)
  await first.router.close()
  await first.close()
  await record.said(/lost the router at/, 'stderr')
  const again = await listening(first.port)
  await until(() => again.router.stats().subscriptions === 1)
  await (await again.client()).publish('com.tick', [2], {}, { acknowledge: true })
  expect(await record.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/recorded 2 events\n$/) })
})

test('replay keeps the intervals, divided by --speed', async () => {
  const { url, client } = await listening()
  const file = fresh()
  recording(
    file,
    { time: '2026-05-14T09:30:00.000Z', topic: 'com.a' },
    { time: '2026-05-14T09:30:00.400Z', topic: 'com.b' },
    // Out of order, as after a change of the clock: it follows at once.
    { time: '2026-05-14T09:29:00.000Z', topic: 'com.c' },
  )
  const all = await received(await client())
  expect((await cli('replay', file, '--url', url).ended).code).toBe(0)
  expect(all.map(({ topic }) => topic)).toEqual(['com.a', 'com.b', 'com.c'])
  const [a, b] = all.map(({ at }) => at) as [number, number]
  // The way of an event is part of it.
  expect(b - a).toBeGreaterThan(300)

  recording(file, { time: 0, topic: 'com.a' }, { time: 1_000_000, topic: 'com.b' })
  all.length = 0
  expect((await cli('replay', file, '--speed', '10000', '--url', url).ended).code).toBe(0)
  const [c, d] = all.map(({ at }) => at) as [number, number]
  expect(d - c).toBeGreaterThan(50)
  expect((await cli('replay', file, '--fast', '--url', url).ended).code).toBe(0)
  expect(all).toHaveLength(4)
})

test('replay from standard input, below another prefix; --json prints the result', async () => {
  const { url, client } = await listening()
  const all = await received(await client())
  const replay = cli('replay', '-', '--topic-prefix', 'com.test', '--json', '--url', url)
  // Any program may write lines; the last one needs no end.
  replay.child.stdin?.end('\n{"topic":"org.a","args":["\\u0000AQ=="]}\r\n{"kwargs":{"n":1},"topic":"com.b"}')
  const { code, stdout, stderr } = await replay.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toEqual({ published: 2, seconds: expect.any(Number) })
  expect(all).toMatchObject([
    { topic: 'com.test.org.a', args: [new Uint8Array([1])] },
    { topic: 'com.test.com.b', kwargs: { n: 1 } },
  ])
})

test('SIGINT during an interval ends replay with the number of published events', async () => {
  const { url, client } = await listening()
  const file = fresh()
  recording(file, { time: 0, topic: 'com.a' }, { time: 3_600_000_000, topic: 'com.b' })
  const all = await received(await client())
  const replay = cli('replay', file, '--url', url)
  await until(() => all.length === 1)
  expect(await replay.kill('SIGINT').ended).toEqual({
    code: 130,
    stdout: expect.stringMatching(/^published 1 event in [\d.]+ s\n$/),
    stderr: 'wampy-ts replay: SIGINT ended it early\n',
  })
})

test('--loop begins again until a signal, and refuses a file without events', async () => {
  const { url, client } = await listening()
  const file = fresh()
  recording(file, { topic: 'com.a' }, { topic: 'com.b' })
  const all = await received(await client())
  const replay = cli('replay', file, '--loop', '--url', url)
  await until(() => all.length >= 6)
  const { code, stdout } = await replay.kill('SIGTERM').ended
  expect(code).toBe(0)
  expect(Number(/^published (\d+) events/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(6)
  expect(all.slice(0, 4).map(({ topic }) => topic)).toEqual(['com.a', 'com.b', 'com.a', 'com.b'])
  const empty = fresh()
  write(empty, '\n')
  expect(await cli('replay', empty, '--loop', '--url', url).ended).toMatchObject({
    code: 1,
    stderr: `wampy-ts replay: ${empty} has no events\n`,
  })
})

const GOOD = '{"topic":"com.good"}\n'

test.each<[string | Uint8Array, RegExp]>([
  [`${GOOD}{"topic":"com.go`, /:2: the last line is incomplete: the recording was cut off there$/],
  [`${GOOD}\n{"topic":"com.go\n`, /:3: not valid JSON$/],
  [`${GOOD}7\n`, /:2: a line must be an object such as .*, got 7$/],
  [`${GOOD}{"args":[]}\n`, /:2: "topic" must be a URI, got undefined$/],
  [`${GOOD}{"topic":"com..a"}\n`, /:2: "topic" must be a URI, got "com\.\.a"$/],
  [`${GOOD}{"topic":"com.a","args":{}}\n`, /:2: "args" must be a list, got .*$/],
  [`${GOOD}{"topic":"com.a","kwargs":[]}\n`, /:2: "kwargs" must be an object, got .*$/],
  [`${GOOD}{"topic":"com.a","time":"soon"}\n`, /:2: "time" must be a time such as 2026.*, got "soon"$/],
  [`${GOOD}{"topic":"com.a","args":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`, /:2: .+$/],
  [Buffer.concat([Buffer.from(GOOD), Buffer.from([0xff, 0x0a])]), /:2: not valid UTF-8$/],
  // The router's own topics.
  [`${GOOD}{"topic":"wamp.session.on_join"}\n`, /:2: wamp\.error\.invalid_uri: .+$/],
])('a line that is not an event, %#: its number, the count, exit code 1', async (content, expected) => {
  const { url, client } = await listening()
  const all = await received(await client())
  const replay = cli('replay', '-', '--url', url)
  replay.child.stdin?.end(content)
  const { code, stdout, stderr } = await replay.ended
  const [count, problem] = lines(stderr)
  expect(count).toBe('published 1 event before that')
  expect(problem).toMatch(/^wampy-ts replay: standard input:\d+: /)
  expect(problem).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(all.map(({ topic }) => topic)).toEqual(['com.good'])
})

test('a file that cannot be read: one line, exit code 1', async () => {
  const { url } = await listening()
  expect(await cli('replay', 'nowhere.jsonl', '--url', url).ended).toEqual({
    code: 1,
    stdout: '',
    stderr: "wampy-ts replay: cannot read nowhere.jsonl: ENOENT: no such file or directory, open 'nowhere.jsonl'\n",
  })
})

test.concurrent.each([
  [['replay'], /<file> is missing/],
  [['replay', 'a', '--fast', '--speed', '2'], /--fast and --speed exclude one another/],
  [['replay', 'a', '--speed', '0'], /--speed must be a number above 0, at most 1000000, got "0"/],
  [['replay', 'a', '--speed', 'fast'], /--speed must be a number above 0, .* got "fast"/],
  [['replay', '-', '--loop'], /--loop needs a file: standard input can be read once/],
  [['replay', 'a', '--topic-prefix', 'a b'], /--topic-prefix must be a URI, got "a b"/],
  [['record'], /<topic> is missing/],
  [['record', 'a', '--append'], /--append needs --output/],
  [['record', 'a', '--match', 'fuzzy'], /--match must be exact, prefix or wildcard, got "fuzzy"/],
])('%j is a wrong command line: exit code 2', async (args, expected) => {
  const { code, stdout, stderr } = await cli(...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('a file that is larger than the memory is streamed', { timeout: 40_000 }, async () => {
  const { url, router } = await listening()
  const file = fresh()
  const output = createWriteStream(here(file))
  const line = `{"topic":"com.a","args":["${'x'.repeat(250_000)}"]}\n`
  for (let i = 0; i < 400; i++) if (!output.write(line)) await once(output, 'drain')
  output.end()
  await finished(output)
  let published = 0
  router.observe({ published: () => published++ })
  const limited = { node: ['--max-old-space-size=40'] }
  const { code, stdout, stderr } = await cliWith(limited, 'replay', file, '--url', url).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^published 400 events in/)
  expect(published).toBe(400)
})

/** A router that acknowledges only when `answer` says so. */
async function slowRouter(
  answer: (pending: number[], acknowledge: (request: number) => void) => void,
): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'wamp.2.json' })
  onTestFinished(() => {
    server.close()
  })
  const pending: number[] = []
  server.on('connection', (socket: WebSocket) => {
    const send = (...message: unknown[]): void => socket.send(JSON.stringify(message))
    socket.on('message', (data) => {
      const [code, request] = JSON.parse(String(data)) as [number, number]
      if (code === HELLO) send(WELCOME, 7, { roles: { broker: {}, dealer: {} } })
      if (code === GOODBYE) send(GOODBYE, {}, 'wamp.close.goodbye_and_out')
      if (code !== PUBLISH) return
      pending.push(request)
      answer(pending, (id) => send(PUBLISHED, id, 1))
    })
  })
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}/ws`
}

test('a slow router is not sent more than it can acknowledge', async () => {
  let most = 0
  const url = await slowRouter((pending, acknowledge) => {
    most = Math.max(most, pending.length)
    if (pending.length === 256) for (const id of pending.splice(0)) acknowledge(id)
  })
  const file = fresh()
  write(file, GOOD.repeat(1024))
  expect(await cli('replay', file, '--url', url).ended).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^published 1024 events/),
  })
  expect(most).toBe(256)
})

test('an event that is not acknowledged is not counted, neither after its time nor after a signal', async () => {
  let reached = (): void => {}
  const url = await slowRouter((pending, acknowledge) => {
    if (pending.length % 2 === 1) acknowledge(pending.at(-1) as number)
    else reached()
  })
  const file = fresh()
  write(file, GOOD.repeat(2))
  const late = await cli('replay', file, '--timeout', '50', '--url', url).ended
  expect(late.stderr).toMatch(
    /^published 1 event before that\nwampy-ts replay: recording-\d+\.jsonl:2: wamp\.error\.timeout: .*\n$/,
  )
  expect(late.code).toBe(1)

  const second = new Promise<void>((resolve) => {
    reached = resolve
  })
  const replay = cli('replay', file, '--url', url)
  await second
  const { code, stdout, stderr } = await replay.kill('SIGTERM').ended
  expect(stderr).toBe(
    '1 event more may have been published: the router has not acknowledged that\nwampy-ts replay: SIGTERM ended it early\n',
  )
  expect(stdout).toMatch(/^published 1 event in/)
  expect(code).toBe(143)
})

test('a router that is lost: the count, one line, exit code 1', async () => {
  const { url, client, close } = await listening()
  const file = fresh()
  recording(file, { time: 0, topic: 'com.a' }, { time: 3_600_000_000, topic: 'com.b' })
  const all = await received(await client())
  const replay = cli('replay', file, '--url', url)
  await until(() => all.length === 1)
  await close()
  const { code, stdout, stderr } = await replay.ended
  expect(stderr).toMatch(/^published 1 event before that\nwampy-ts replay: lost the router at ws:.*\n$/)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})
