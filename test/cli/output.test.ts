/** `--json` of every verb, and colours: on a terminal only, unless the environment says otherwise. */

import { expect, test } from 'vitest'
import { WampError } from '../../src/protocol/error.ts'
import { cli, cliWith, freePort, listening, terminal, write } from './support.ts'

/** The only line of a text, as JSON. */
const only = (text: string): unknown => {
  expect(text).toMatch(/^[^\n]+\n$/)
  return JSON.parse(text) as unknown
}

test('--json prints whole results and publications', async () => {
  const { url, client } = await listening()
  await (await client()).register('com.add', ([a, b]) => (a as number) + (b as number))
  const called = await cli('call', 'com.add', '1', '2', '--json', '--url', url).ended
  expect(called).toEqual({ code: 0, stdout: '{"args":[3],"kwargs":{},"details":{}}\n', stderr: '' })
  const published = await cli('publish', 'com.tick', '--json', '--url', url).ended
  expect(only(published.stdout)).toEqual({ publication: expect.any(Number) })
})

test('--json prints the errors of peers with all they contain', async () => {
  const { url, client } = await listening()
  await (await client()).register('com.buy', () => {
    throw new WampError('com.error.sold_out', ['no seats', 7], { next: 'Friday' })
  })
  const { code, stdout, stderr } = await cli('call', '--json', 'com.buy', '--url', url).ended
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(only(stderr)).toEqual({
    error: { uri: 'com.error.sold_out', message: 'no seats', args: ['no seats', 7], kwargs: { next: 'Friday' } },
  })
})

test.each<[number, string[], object]>([
  [2, ['call', '--json'], { uri: 'wampy.error.usage', message: '<procedure> is missing' }],
  [2, ['list', '--json', '--colour'], { uri: 'wampy.error.usage', message: 'there is no option --colour' }],
  [2, ['nothing', '--json'], { uri: 'wampy.error.usage', message: 'there is no command "nothing"' }],
  [1, ['keygen', 'missing/joe.key', '--json'], { message: expect.stringContaining('cannot write missing/joe.key') }],
  [
    1,
    ['check', 'wrong.json', '--json'],
    { message: expect.any(String), problems: [expect.stringContaining('wrong.json:1:12: '), expect.any(String)] },
  ],
])('a failure with exit code %s is a line of JSON on stderr: %j', async (exitCode, args, error) => {
  write('wrong.json', '{"realms": 1, "listeners": 2}')
  const { code, stdout, stderr } = await cli(...args).ended
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
  expect(only(stderr)).toEqual({ error })
})

test('a router that cannot be reached has an error URI in JSON', async () => {
  const { code, stderr } = await cli('call', 'a.b', '--json', '--url', `ws://127.0.0.1:${await freePort()}/ws`).ended
  expect(code).toBe(1)
  expect(only(stderr)).toMatchObject({ error: { uri: 'wampy.error.connection_failed' } })
})

test('--json after -- is an argument', async () => {
  const { url, client } = await listening()
  await (await client()).register('com.echo', (args) => args)
  const { stdout } = await cli('call', 'com.echo', '--url', url, '--', '--json').ended
  expect(stdout).toBe('["--json"]\n')
})

test('services, routers and notices print JSON', async () => {
  write(
    'clock.mjs',
    `import { WampClient } from 'wampy-ts'
    export class Clock extends WampClient {
      static rpc = { now: 'com.now', fail: 'com.fail' }
      static subscribe = { onTick: 'com.tick' }
      now() { return 1 }
      fail() { throw new Error('broken') }
      onTick() {}
    }`,
  )
  const router = cli('router', '--port', '0', '--json')
  const [line] = await router.said(/\n/).then(({ input }) => input.split('\n'))
  const { listening: url } = JSON.parse(String(line)) as { listening: string }
  const run = cli('run', 'clock.mjs', '--json', '--url', url)
  await run.said(/ready/)
  const subscribe = cli('subscribe', 'com.tick', '--json', '--count', '1', '--url', url)
  await subscribe.said(/\n/, 'stderr')
  await cli('call', 'com.fail', '--url', url).ended
  await cli('publish', 'com.tick', '7', '--url', url).ended
  const { code, stdout, stderr } = await subscribe.ended
  expect([code, only(stdout), only(stderr)]).toMatchObject([
    0,
    { topic: 'com.tick', args: [7] },
    { notice: 'subscribed to com.tick' },
  ])
  const ended = await run.kill('SIGTERM').ended
  expect(only(ended.stderr)).toEqual({ failed: 'com.fail', error: expect.stringContaining('Error: broken\n') })
  const lines = ended.stdout.trimEnd().split('\n')
  expect(lines.map((each) => JSON.parse(each) as unknown)).toEqual([
    { registered: 'com.now' },
    { registered: 'com.fail' },
    { subscribed: 'com.tick' },
    { service: 'Clock', status: expect.stringMatching(/^ready in realm1 at /) },
  ])
  expect(await router.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
})

test('keygen and check print JSON', async () => {
  expect(only((await cli('keygen', 'json.key', '--json').ended).stdout)).toEqual({
    publicKey: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  write(
    'right.json',
    '{"realms": [{ "name": "realm1" }, { "name": "other" }], "listeners": [{ "type": "websocket", "port": 0 }]}',
  )
  const checked = await cli('check', 'right.json', '--json').ended
  expect(only(checked.stdout)).toEqual({ valid: 'right.json', realms: 2, listeners: 1 })
})

test('repl has no --json', async () => {
  expect(await cli('repl', '--json').ended).toMatchObject({ code: 2, stderr: expect.stringContaining('--json') })
})

const COLOURED = '\u001b[36m"a"\u001b[39m'

test('output is coloured on a terminal, and tables have titles there', async () => {
  const { url, client } = await listening()
  await (await client()).register('com.echo', ([value]) => value)
  const call = ['call', 'com.echo', '{"a":[1,"b",null,"\\u0000AQ=="]}', '--url', url]
  const { stdout } = await terminal({ NO_COLOR: '' }, ...call).ended
  expect(stdout).toBe(
    `{${COLOURED}:[1,\u001b[32m"b"\u001b[39m,\u001b[2mnull\u001b[22m,\u001b[33m"\\u0000AQ=="\u001b[39m]}\r\n`,
  )
  const plain = '{"a":[1,"b",null,"\\u0000AQ=="]}'
  expect((await terminal({ NO_COLOR: '1' }, ...call).ended).stdout).toBe(`${plain}\r\n`)
  expect((await terminal({ NO_COLOR: '', TERM: 'dumb' }, ...call).ended).stdout).toBe(`${plain}\r\n`)
  // For programs, whatever the environment asks for.
  const json = await terminal({ NO_COLOR: '', FORCE_COLOR: '1' }, ...call, '--json').ended
  expect(json.stdout).toContain(`{"args":[${plain}]`)
  expect((await cliWith({ env: { NO_COLOR: '' } }, ...call).ended).stdout).toBe(`${plain}\n`)
  expect((await cliWith({ env: { FORCE_COLOR: '1' } }, ...call).ended).stdout).toContain(COLOURED)
  const list = await terminal({ NO_COLOR: '' }, 'list', '--url', url).ended
  expect(list.stdout).toBe('\u001b[1mPROCEDURE  MATCH  INVOKE\u001b[22m\r\ncom.echo   exact  single\r\n')
})

test('errors are red on a terminal', async () => {
  const failed = await terminal({ NO_COLOR: '' }, 'call').ended
  expect(failed.stdout).toBe('\u001b[31mwampy-ts call: <procedure> is missing (see wampy-ts call --help)\u001b[39m\r\n')
})

test('no control character of a peer reaches the terminal', async () => {
  const { url, client } = await listening()
  await (await client()).register('com.\u009bred', () => '\u001b[31m\u009b31m\u007f\u2028')
  expect((await cli('call', 'com.\u009bred', '--url', url).ended).stdout).toBe(
    '"\\u001b[31m\\u009b31m\\u007f\\u2028"\n',
  )
  expect((await cli('list', '--url', url).ended).stdout).toBe('com. red  exact  single\n')
})
