/** `wampy-ts call`, `publish` and `subscribe` in a shell: JSON input and output, exit codes, pipes. */
import { expect, test } from 'vitest'
import { Result } from '../../src/client/roles/callee.ts'
import type { WampClient } from '../../src/client/wamp-client.ts'
import { WampError } from '../../src/protocol/error.ts'
import { cli, type Listening, listening, shell } from './support.ts'

async function world(): Promise<Listening & { alice: WampClient; at: string[] }> {
  const router = await listening()
  const alice = await router.client()
  return { ...router, alice, at: ['--url', router.url] }
}

test('call sends JSON and text, and prints the result as JSON', async () => {
  const { alice, at } = await world()
  await alice.register('com.echo', (args, kwargs) => [args, kwargs])
  const { code, stdout, stderr } = await cli(
    ...['call', 'com.echo', '1', 'one', '"1"', '{"a":[true]}', '-2', '-.5', '--kwargs', '{"b":null}', ...at],
    ...['--', '--raw', '-x'],
  ).ended
  expect(stdout).toBe('[[1,"one","1",{"a":[true]},-2,"-.5","--raw","-x"],{"b":null}]\n')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test.each(['json', 'cbor', 'msgpack'])('bytes and large integers arrive unchanged, in %s', async (name) => {
  const { alice, at } = await world()
  const got: unknown[] = []
  await alice.register('com.echo', (args) => {
    got.push(...args)
    return args
  })
  const values = ['"\\u0000AQID"', '18446744073709551615', '9007199254740993']
  const { code, stdout, stderr } = await cli('call', 'com.echo', ...values, '--serializer', name, ...at).ended
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `[${values.join()}]\n`, stderr: '' })
  expect(got).toEqual([new Uint8Array([1, 2, 3]), 2n ** 64n - 1n, 2n ** 53n + 1n])
})

test('a result without values prints nothing, null prints null, --raw prints the whole result', async () => {
  const { alice, at } = await world()
  await alice.register('com.nothing', () => new Result())
  await alice.register('com.null', () => undefined)
  await alice.register('com.all', () => new Result([1, 2], { unit: 'cm' }))
  const results = await Promise.all([
    cli('call', 'com.nothing', ...at).ended,
    cli('call', 'com.null', ...at).ended,
    cli('call', 'com.all', ...at).ended,
    cli('call', 'com.all', '--raw', ...at).ended,
  ])
  expect(results.map(({ stdout }) => stdout)).toEqual([
    '',
    'null\n',
    '1\n',
    '{"args":[1,2],"kwargs":{"unit":"cm"},"details":{}}\n',
  ])
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0])
})

test('an error prints one line, "uri: message", on stderr: exit code 1', async () => {
  const { alice, at } = await world()
  alice.on('error', () => {})
  await alice.register('com.own', () => {
    throw new WampError('com.error.sold_out', ['no seats\n\u001b[31mleft'])
  })
  await alice.register('com.boom', () => {
    throw new Error('boom')
  })
  await alice.register('com.bare', () => {
    throw new WampError('com.error.bare')
  })
  await alice.register('com.never', () => new Promise(() => {}))
  const calls = [
    [['com.own'], 'com.error.sold_out: no seats [31mleft\n'],
    [['com.boom'], 'wamp.error.runtime_error: boom\n'],
    [['com.bare'], 'com.error.bare\n'],
    [['com.none'], /^wamp\.error\.no_such_procedure: .*com\.none.*\n$/],
    [['com..none'], /^wamp\.error\.invalid_uri: .*com\.\.none.*\n$/],
    [['com.never', '--timeout', '50'], /^wamp\.error\.timeout: .*50 ms.*\n$/],
  ] as const
  await Promise.all(
    calls.map(async ([args, expected]) => {
      const { code, stdout, stderr } = await cli('call', ...args, ...at).ended
      expect(stderr).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected))
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    }),
  )
})

test.concurrent.each(['{a', '[1]', 'null', '1', ''])(
  '--kwargs %s is not a JSON object: one line, exit code 2',
  async (kwargs) => {
    for (const command of ['call', 'publish']) {
      const { code, stdout, stderr } = await cli(command, 'com.add', '--kwargs', kwargs).ended
      expect(stderr).toMatch(new RegExp(`^wampy-ts ${command}: --kwargs must be a JSON object, .*, got .*--help\\)\n$`))
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    }
  },
)

test('progressive results are printed as they come, one line each, before the result', async () => {
  const { alice, at } = await world()
  let resume = (): void => {}
  await alice.register('com.count', async function* () {
    yield 1
    await new Promise<void>((resolve) => {
      resume = resolve
    })
    yield new Result([2, 'two'], { unit: 'cm' })
    return 'done'
  })
  const call = cli('call', 'com.count', ...at)
  await call.said(/^1\n/)
  resume()
  expect(await call.ended).toEqual({ code: 0, stdout: '1\n2\n"done"\n', stderr: '' })

  const raw = cli('call', 'com.count', '--raw', ...at)
  await raw.said(/^\{"args":\[1\],"kwargs":\{\},"details":\{"progress":true\}\}\n/)
  resume()
  expect((await raw.ended).stdout.split('\n').slice(1)).toEqual([
    '{"args":[2,"two"],"kwargs":{"unit":"cm"},"details":{"progress":true}}',
    '{"args":["done"],"kwargs":{},"details":{}}',
    '',
  ])
})

test('--no-progress requests only the final result', async () => {
  const { alice, at } = await world()
  await alice.register('com.count', async function* () {
    yield 1
    return 'done'
  })
  expect(await cli('call', 'com.count', '--no-progress', ...at).ended).toEqual({
    code: 0,
    stdout: '"done"\n',
    stderr: '',
  })
})

test.each<[string | Uint8Array, string[], string]>([
  ['{"a":[1]}\n', ['1', '-', '2'], '[[1,{"a":[1]},2],{}]\n'],
  ['two words\r\n', ['-'], '[["two words"],{}]\n'],
  ['', ['-'], '[[""],{}]\n'],
  ['"-"\n', ['-'], '[["-"],{}]\n'],
  [new Uint8Array([0xff, 0x00, 0xd8]), ['-'], '[["\\u0000/wDY"],{}]\n'],
  ['{"unit":"cm"}\n', ['1', '--kwargs', '-'], '[[1],{"unit":"cm"}]\n'],
  ['unread', ['"-"'], '[["-"],{}]\n'],
])('standard input %j for %j', async (input, args, expected) => {
  const { alice, at } = await world()
  await alice.register('com.echo', (args, kwargs) => [args, kwargs])
  const call = cli('call', 'com.echo', ...args, ...at)
  call.child.stdin?.end(input)
  expect(await call.ended).toEqual({ code: 0, stdout: expected, stderr: '' })
})

test('publish reads standard input', async () => {
  const { alice, at } = await world()
  const event = new Promise((resolve) => void alice.subscribe('com.tick', (args) => resolve(args)))
  const publish = cli('publish', 'com.tick', '-', ...at)
  publish.child.stdin?.end('[1,2]')
  expect(await publish.ended).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await event).toEqual([[1, 2]])
})

test.each([
  [['-', '-'], '', /standard input can be read once: "-" was given 2 times/],
  [['-', '--kwargs', '-'], '', /standard input can be read once/],
  [['--kwargs', '-'], '{a', /--kwargs must be a JSON object, .* got invalid JSON: \{a/],
])('%j with the input %j is a wrong command line: exit code 2', async (args, input, expected) => {
  const call = cli('call', 'com.add', ...args)
  call.child.stdin?.end(input)
  const { code, stderr } = await call.ended
  expect(stderr).toMatch(expected)
  expect(code).toBe(2)
})

test('a router that is lost during a call: one line, exit code 1', async () => {
  const { alice, at, close } = await world()
  const called = new Promise((resolve) => void alice.register('com.never', () => new Promise(resolve)))
  const reached = new Promise<void>((resolve) => {
    void alice.register('com.hang', () => {
      resolve()
      return called
    })
  })
  const call = cli('call', 'com.hang', ...at)
  await reached
  await close()
  const { code, stderr } = await call.ended
  expect(stderr).toMatch(/^wampy\.error\.connection_lost: .*\n$/)
  expect(code).toBe(1)
})

test('call leaves no session behind', async () => {
  const { alice, at, router } = await world()
  await alice.register('com.one', () => 1)
  await cli('call', 'com.one', ...at).ended
  expect(router.stats()).toMatchObject({ sessions: 1, calls: 0 })
})

test('publish is acknowledged and prints nothing; --verbose prints the id', async () => {
  const { alice, at } = await world()
  const events: unknown[] = []
  const all = new Promise<void>((resolve) => {
    void alice.subscribe('com.tick', (...event) => {
      if (events.push(event) === 2) resolve()
    })
  })
  const args = ['com.tick', '1', 'two', '--kwargs', '{"three":3}', ...at]
  expect(await cli('publish', ...args).ended).toEqual({ code: 0, stdout: '', stderr: '' })
  const { code, stdout, stderr } = await cli('publish', ...args, '--verbose').ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  await all
  expect(events).toEqual([
    [[1, 'two'], { three: 3 }, expect.objectContaining({ topic: 'com.tick' })],
    [[1, 'two'], { three: 3 }, expect.objectContaining({ publication: Number(stdout) })],
  ])
})

test('publish to an invalid topic: exit code 1', async () => {
  const { at } = await world()
  const { code, stdout, stderr } = await cli('publish', 'com..tick', ...at).ended
  expect(stderr).toMatch(/^wamp\.error\.invalid_uri: .*\n$/)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test('subscribe reports when it is subscribed, prints a line for each event, and ends after --count', async () => {
  const { alice, at, router } = await world()
  const subscribe = cli('subscribe', 'com.tick', '--count', '2', ...at)
  await subscribe.said(/^subscribed to com\.tick\n$/, 'stderr')
  const publish = (n: number) =>
    alice.publish('com.tick', [n, 2n ** 60n], { b: new Uint8Array([1]) }, { acknowledge: true })
  // The third may come in the same read as the second.
  const ids = await Promise.all([publish(1), publish(2), publish(3)])
  const { code, stdout, stderr } = await subscribe.ended
  expect(stdout).toBe(
    [1, 2]
      .map(
        (n) =>
          `{"topic":"com.tick","args":[${n},1152921504606846976],"kwargs":{"b":"\\u0000AQ=="},"publication":${ids[n - 1]}}\n`,
      )
      .join(''),
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'subscribed to com.tick\n' })
  expect(router.stats()).toMatchObject({ subscriptions: 0 })
})

test.each([
  ['prefix', 'com.example', ['com.example.tick', 'com.example', 'com.examples.tock']],
  ['wildcard', 'com..tick', ['com.example.tick', 'com.other.tick']],
])('subscribe --match %s prints the topic of each event', async (match, pattern, expected) => {
  const { alice, at } = await world()
  const subscribe = cli('subscribe', pattern, '--match', match, '--count', String(expected.length), ...at)
  await subscribe.said(/^subscribed to /, 'stderr')
  await alice.publish('com.tick', [0])
  await alice.publish('org.example.tick', [0])
  for (const topic of expected) await alice.publish(topic, [1], {}, { acknowledge: true })
  const { code, stdout, stderr } = await subscribe.ended
  expect(stdout.match(/"topic":"[^"]*","args":\[1\]/g)).toEqual(
    expected.map((topic) => `"topic":"${topic}","args":[1]`),
  )
  expect(stdout.split('\n')).toHaveLength(expected.length + 1)
  expect({ code, stderr }).toEqual({ code: 0, stderr: `subscribed to ${pattern}\n` })
})

test('subscribe --match prefix with an invalid prefix: exit code 1', async () => {
  const { at } = await world()
  const { code, stdout, stderr } = await cli('subscribe', 'com..tick', '--match', 'prefix', ...at).ended
  expect(stderr).toMatch(/^wamp\.error\.invalid_uri: .*\n$/)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends subscribe with exit code 0', async (signal) => {
  const { at, router } = await world()
  const subscribe = cli('subscribe', 'com.tick', ...at)
  await subscribe.said(/subscribed/, 'stderr')
  expect(await subscribe.kill(signal).ended).toEqual({ code: 0, stdout: '', stderr: 'subscribed to com.tick\n' })
  expect(router.stats()).toMatchObject({ sessions: 1 })
})

test('subscribe ends without an error when its reader closes the pipe', async () => {
  const { alice, at } = await world()
  const subscribe = cli('subscribe', 'com.tick', ...at)
  await subscribe.said(/subscribed/, 'stderr')
  await alice.publish('com.tick', [1])
  await subscribe.said(/\n/)
  subscribe.child.stdout?.destroy()
  await alice.publish('com.tick', [2])
  expect(await subscribe.ended).toMatchObject({ code: 0, stderr: 'subscribed to com.tick\n' })
})

test('subscribe comes back after a loss', async () => {
  const { port, url, router, close } = await world()
  const subscribe = cli('subscribe', 'com.tick', '--count', '1', '--url', url)
  await subscribe.said(/subscribed/, 'stderr')
  await router.close()
  await close()
  await subscribe.said(/\nlost the router at ws:.*; reconnecting\n/, 'stderr')
  const bob = await (await listening(port)).client()
  await subscribe.said(/\nready in realm1 at ws:.*\n/, 'stderr')
  await bob.publish('com.tick', ['back'])
  expect(await subscribe.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('"args":["back"]') })
})

test('a subscription that the router refuses: "uri: message", exit code 1', async () => {
  const { at } = await world()
  const { code, stdout, stderr } = await cli('subscribe', 'com..tick', ...at).ended
  expect(stderr).toMatch(/^wamp\.error\.invalid_uri: .*\n$/)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test('in a shell: pipes and exit codes', async () => {
  const { alice, url } = await world()
  await alice.register('com.list', () => ['x'.repeat(500_000)])
  const { code, stdout, stderr } = await shell(`
    wampy-ts call com.list --url ${url} | head -c 5
    wampy-ts call com.list --url ${url} | wc -c
    wampy-ts call com.none --url ${url} 2>/dev/null || echo "failed with $?"
    wampy-ts --help | head -1
  `).ended
  expect(stdout).toMatch(/^\["xxx *500005\nfailed with 1\nUsage: wampy-ts <command> \[options\]\n$/)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})
