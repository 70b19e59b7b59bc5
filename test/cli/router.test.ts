/** `wampy-ts router` as a process: the addresses it listens on, and how it ends. */
import { existsSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { GOODBYE, HELLO, WELCOME } from 'wampy-ts/testing'
import { WebSocket } from 'ws'
import { WampClient } from '../../src/client/wamp-client.ts'
import { WampRouter } from '../../src/client/wamp-router.ts'
import { SYSTEM_SHUTDOWN } from '../../src/protocol/names.ts'
import { LIMITS } from '../../src/router/member/limits.ts'
import { longPollDial } from '../../src/transport/longpoll.ts'
import { cli, freePort, here, listening, type Running } from './support.ts'

const urlOf = async (router: Running): Promise<string> =>
  (await router.said(/^wampy-ts router listening on (ws:\/\/127\.0\.0\.1:\d+\/ws)\n/))[1] as string

/** Joins with a scripted session; returns a function that waits for a message by its code. */
async function joined(url: string, { answers = true } = {}): Promise<(code: number) => Promise<unknown[]>> {
  const socket = new WebSocket(url, 'wamp.2.json')
  onTestFinished(() => socket.terminate())
  const got: unknown[][] = []
  let look = (): void => {}
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as unknown[]
    got.push(message)
    if (message[0] === GOODBYE && answers) socket.send(JSON.stringify([GOODBYE, {}, 'wamp.close.goodbye_and_out']))
    look()
  })
  const next = (code: number): Promise<unknown[]> =>
    new Promise((resolve) => {
      look = () => {
        const found = got.find((message) => message[0] === code)
        if (found) resolve(found)
      }
      look()
    })
  await new Promise((resolve) => socket.on('open', resolve))
  socket.send(JSON.stringify([HELLO, 'realm1', { roles: { caller: {} } }]))
  await next(WELCOME)
  return next
}

test('the router prints its address when it accepts connections', async () => {
  const port = await freePort()
  const router = cli('router', '--port', String(port), '--path', '/wamp', '--host', '127.0.0.1')
  await router.said(/\n/)
  const client = new WampClient({ router: `ws://127.0.0.1:${port}/wamp`, reconnect: false })
  await client.start()
  await client.stop()
  expect(await router.kill('SIGTERM').ended).toEqual({
    code: 0,
    stdout: `wampy-ts router listening on ws://127.0.0.1:${port}/wamp\n`,
    stderr: '',
  })
})

test('--realm can be repeated, and replaces the default', async () => {
  const router = cli('router', '--port', '0', '--realm', 'one', '--realm', 'two')
  const url = await urlOf(router)
  for (const realm of ['one', 'two']) {
    await using client = new WampClient({ router: url, realm, reconnect: false })
    await client.start()
    expect(client.session.realm).toBe(realm)
  }
  const stranger = new WampClient({ router: url, realm: 'realm1', reconnect: false })
  await expect(stranger.start()).rejects.toMatchObject({ uri: 'wamp.error.no_such_realm' })
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s sends GOODBYE to every session and ends the router with exit code 0',
  async (signal) => {
    const router = cli('router', '--port', '0')
    const url = await urlOf(router)
    const sessions = await Promise.all([joined(url), joined(url)])
    router.kill(signal)
    for (const next of sessions) expect((await next(GOODBYE))[2]).toBe(SYSTEM_SHUTDOWN)
    expect(await router.ended).toMatchObject({ code: 0, stderr: '' })
  },
)

test('a second signal does not wait for sessions that do not answer', async () => {
  const router = cli('router', '--port', '0')
  const next = await joined(await urlOf(router), { answers: false })
  router.kill('SIGTERM')
  await next(GOODBYE)
  expect(await router.kill('SIGINT').ended).toMatchObject({ code: 130, stderr: '' })
})

test('the same signal twice in quick succession, as npx forwards it, counts once', async () => {
  const router = cli('router', '--port', '0')
  const next = await joined(await urlOf(router))
  router.kill('SIGINT')
  await next(GOODBYE)
  expect(await router.kill('SIGINT').ended).toMatchObject({ code: 0, stderr: '' })
})

test('RawSocket is accepted on the port; --no-raw-socket refuses it', async () => {
  for (const [options, expected] of [
    [[], { code: 0, stdout: '{"exact":[],"prefix":[],"wildcard":[]}\n' }],
    [
      ['--no-raw-socket'],
      { code: 1, stdout: '', stderr: expect.stringMatching(/^wampy-ts call: could not connect to rs:/) },
    ],
  ] as const) {
    const router = cli('router', '--port', '0', ...options)
    const port = new URL(await urlOf(router)).port
    expect(await cli('call', 'wamp.registration.list', '--url', `rs://127.0.0.1:${port}`).ended).toMatchObject(expected)
  }
})

test('--unix also listens on a socket file, and removes it at the end', async () => {
  const path = here('router.sock')
  const router = cli('router', '--port', '0', '--unix', path)
  await router.said(/\nwampy-ts router listening on unix:.*\n/)
  for (const name of ['json', 'cbor', 'msgpack']) {
    const { code, stdout } = await cli('call', 'wamp.session.count', '--url', `unix:${path}`, '--serializer', name)
      .ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n' })
  }
  // Both addresses lead to one router.
  const url = (await router.said(/ws:\S+/))[0]
  const subscribe = cli('subscribe', 'com.tick', '--count', '1', '--url', url)
  await subscribe.said(/^subscribed to /, 'stderr')
  await cli('publish', 'com.tick', '1', '--url', `unix:${path}`).ended
  expect(await subscribe.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('"args":[1]') })
  expect(await router.kill('SIGTERM').ended).toEqual({
    code: 0,
    stdout: `wampy-ts router listening on ${url}\nwampy-ts router listening on unix:${path}\n`,
    stderr: '',
  })
  expect(existsSync(path)).toBe(false)
})

test('--unix with an unusable path: one line, exit code 1', async () => {
  const path = here('in-use.sock')
  const first = cli('router', '--port', '0', '--unix', path)
  await first.said(/listening on unix:/)
  for (const [taken, expected] of [
    [path, / is in use: stop the process that listens there/],
    [here('no', 'such', 'folder.sock'), /cannot listen on /],
  ] as const) {
    const { code, stdout, stderr } = await cli('router', '--port', '0', '--unix', taken).ended
    expect(stderr).toMatch(/^wampy-ts router: [^\n]*\n$/)
    expect(stderr).toMatch(expected)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  }
})

test('--strict accepts only strict URIs', async () => {
  const router = cli('router', '--port', '0', '--strict')
  const at = ['--url', await urlOf(router)]
  const { code, stderr } = await cli('publish', 'com.example.Tick', ...at).ended
  expect(stderr).toMatch(/^wamp\.error\.invalid_uri: .*\n$/)
  expect(code).toBe(1)
  expect(await cli('publish', 'com.example.tick', ...at).ended).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('--long-poll accepts long polls', async () => {
  const router = cli('router', '--port', '0', '--long-poll')
  const [, url = ''] = await router.said(/\nwampy-ts router listening on (http:\/\/127\.0\.0\.1:\d+\/ws\/lp)\n/)
  await using client = new WampClient({ router: new WampRouter({ url, dial: longPollDial() }), reconnect: false })
  await client.start()
  expect(client.state).toBe('ready')
})

test('a port in use: one line, exit code 1', async () => {
  const { port } = await listening()
  const { code, stdout, stderr } = await cli('router', '--port', String(port)).ended
  expect(stderr).toMatch(new RegExp(`^wampy-ts router: port ${port} .*in use: .*\n$`))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test.each([
  [['--realm', 'a b'], /^wampy-ts router: .*realms must be a list of URIs of realms, got "a b".*\n$/],
  [['--path', 'ws'], /^wampy-ts router: a path must begin with a slash.*\n$/],
  [['--host', '203.0.113.1'], /^wampy-ts router: 203.0.113.1 is not an address of this machine.*\n$/],
])('%j is refused: one line, exit code 1', async (args, expected) => {
  const { code, stdout, stderr } = await cli('router', '--port', '0', ...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test('the router keeps running when the reader of its output closes the pipe', async () => {
  const router = cli('router', '--port', '0')
  const url = await urlOf(router)
  router.child.stdout?.destroy()
  await using client = new WampClient({ router: url, reconnect: false })
  await client.start()
  expect(client.state).toBe('ready')
})

test('every limit can be set on the command line', async () => {
  const limits = Object.entries(LIMITS).map(([name, value]) => `--limit=${name}=${value}`)
  const router = cli('router', '--port', '0', '--max-connections', '1', '--hello-timeout', '2000', ...limits)
  const url = await urlOf(router)
  await joined(url)
  const second = new WampClient({ router: url, reconnect: false })
  await expect(second.start()).rejects.toMatchObject({ message: expect.stringContaining('503') })
})

test.each([
  ['backlog', /--limit must be a name and a whole number, such as backlog=1000000, got "backlog"/, 2],
  ['backlogs=1', /limits has no option "backlogs": did you mean backlog\?/, 1],
])('--limit %s is refused', async (limit, expected, code) => {
  expect(await cli('router', '--port', '0', '--limit', limit).ended).toMatchObject({
    code,
    stderr: expect.stringMatching(expected),
  })
})

test('--metrics and --health show how the router is', async () => {
  const router = cli('router', '--port', '0', '--metrics', '--health')
  const url = await urlOf(router)
  await using client = new WampClient({ router: url, reconnect: false })
  await client.start()
  const base = url.replace('ws:', 'http:').replace('/ws', '')
  const answers = await Promise.all(['metrics', 'healthz', 'readyz'].map((path) => fetch(`${base}/${path}`)))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(await answers[0]?.text()).toContain('wampy_joins_total{realm="realm1",authmethod="anonymous"} 1\n')
})

/** Joins and leaves a router with this log, and returns the lines of its log. */
async function logOf(...options: string[]): Promise<string[]> {
  const router = cli('router', '--port', '0', ...options)
  const client = new WampClient({ router: await urlOf(router), reconnect: false })
  await client.start()
  await client.call('com.none').catch(() => {})
  await client.subscribe('com.topic', () => {})
  await client.stop()
  const { code, stderr } = await router.kill('SIGTERM').ended
  expect(code).toBe(0)
  return stderr.split('\n').slice(0, -1)
}

test('--log-format json writes a line of JSON for each event on stderr', async () => {
  const lines = (await logOf('--log-level', 'debug', '--log-format', 'json')).map((line) => JSON.parse(line))
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    ['info', 'session joined'],
    ['info', 'request refused'],
    ['debug', 'topic subscribed'],
    ['debug', 'topic unsubscribed'],
    ['info', 'session left'],
  ])
  expect(lines[1]).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    level: 'info',
    msg: 'request refused',
    realm: 'realm1',
    session: lines[0].session,
    action: 'call',
    uri: 'com.none',
    error: 'wamp.error.no_such_procedure',
    text: 'no callee is registered for "com.none"',
  })
})

test('--log-format alone logs from info on, and pretty lines are for people', async () => {
  const lines = await logOf('--log-format', 'pretty')
  expect(lines.map((line) => line.replace(/^\S+Z |(session|authid)=\S+/g, '').replaceAll('  ', ' '))).toEqual([
    expect.stringMatching(
      /^INFO session joined realm=realm1 .* authmethod=anonymous .* transport=websocket peer=tcp4:127/,
    ),
    'INFO request refused realm=realm1 action=call uri=com.none error=wamp.error.no_such_procedure text="no callee is registered for \\"com.none\\""',
    expect.stringMatching(/^INFO session left realm=realm1 .* by=peer reason=wamp\.close\.close_realm/),
  ])
})

test('--log-level leaves out what is less urgent; to a pipe it writes JSON without colours', async () => {
  expect(await logOf('--log-level', 'warn')).toEqual([])
  const lines = await logOf('--log-level', 'info')
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['info', 'info', 'info'])
})

test.each([
  [['--log-level', 'all'], '--log-level must be one of debug, info, warn, error, got "all"'],
  [['--log-format', 'xml'], '--log-format must be one of json, pretty, got "xml"'],
])('%j is a wrong command line', async (options, text) => {
  const { code, stdout, stderr } = await cli('router', '--port', '0', ...options).ended
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(text)])
})
