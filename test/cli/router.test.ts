/** `wampy router` as a process: where it listens, and how it ends. */
import { existsSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { WampClient } from '../../src/client/wamp-client.ts'
import { WampRouter } from '../../src/client/wamp-router.ts'
import { GOODBYE, HELLO, WELCOME } from '../../src/protocol/codes.ts'
import { SYSTEM_SHUTDOWN } from '../../src/protocol/names.ts'
import { longPollDial } from '../../src/transport/longpoll.ts'
import { freePort, here, listening, type Running, wampy } from './support.ts'

const urlOf = async (router: Running): Promise<string> =>
  (await router.said(/^wampy router listening on (ws:\/\/127\.0\.0\.1:\d+\/ws)\n/))[1] as string

/** A session that a test plays by hand: what it got so far, and the next message of a kind. */
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

test('it says where it listens, exactly, when it accepts connections', async () => {
  const port = await freePort()
  const router = wampy('router', '--port', String(port), '--path', '/wamp', '--host', '127.0.0.1')
  await router.said(/\n/)
  const client = new WampClient({ router: `ws://127.0.0.1:${port}/wamp`, reconnect: false })
  await client.start()
  await client.stop()
  expect(await router.kill('SIGTERM').ended).toEqual({
    code: 0,
    stdout: `wampy router listening on ws://127.0.0.1:${port}/wamp\n`,
    stderr: '',
  })
})

test('--realm may be repeated, and replaces the default', async () => {
  const router = wampy('router', '--port', '0', '--realm', 'one', '--realm', 'two')
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
  '%s says GOODBYE to every session and ends it with exit code 0',
  async (signal) => {
    const router = wampy('router', '--port', '0')
    const url = await urlOf(router)
    const sessions = await Promise.all([joined(url), joined(url)])
    router.kill(signal)
    for (const next of sessions) expect((await next(GOODBYE))[2]).toBe(SYSTEM_SHUTDOWN)
    expect(await router.ended).toMatchObject({ code: 0, stderr: '' })
  },
)

test('a second signal does not wait for a session that does not answer', async () => {
  const router = wampy('router', '--port', '0')
  const next = await joined(await urlOf(router), { answers: false })
  router.kill('SIGTERM')
  await next(GOODBYE)
  expect(await router.kill('SIGINT').ended).toMatchObject({ code: 130, stderr: '' })
})

test('the same signal twice in a moment, as npx hands it on, is one', async () => {
  const router = wampy('router', '--port', '0')
  const next = await joined(await urlOf(router))
  router.kill('SIGINT')
  await next(GOODBYE)
  expect(await router.kill('SIGINT').ended).toMatchObject({ code: 0, stderr: '' })
})

test('RawSocket is welcome on the port; --no-raw-socket shuts it out', async () => {
  for (const [options, expected] of [
    [[], { code: 0, stdout: '{"exact":[],"prefix":[],"wildcard":[]}\n' }],
    [
      ['--no-raw-socket'],
      { code: 1, stdout: '', stderr: expect.stringMatching(/^wampy call: could not connect to rs:/) },
    ],
  ] as const) {
    const router = wampy('router', '--port', '0', ...options)
    const port = new URL(await urlOf(router)).port
    expect(await wampy('call', 'wamp.registration.list', '--url', `rs://127.0.0.1:${port}`).ended).toMatchObject(
      expected,
    )
  }
})

test('--unix listens on a socket file as well, and takes it away in the end', async () => {
  const path = here('router.sock')
  const router = wampy('router', '--port', '0', '--unix', path)
  await router.said(/\nwampy router listening on unix:.*\n/)
  for (const name of ['json', 'cbor', 'msgpack']) {
    const { code, stdout } = await wampy('call', 'wamp.session.count', '--url', `unix:${path}`, '--serializer', name)
      .ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n' })
  }
  // One router behind both.
  const url = (await router.said(/ws:\S+/))[0]
  const subscribe = wampy('subscribe', 'com.tick', '--count', '1', '--url', url)
  await subscribe.said(/^subscribed to /, 'stderr')
  await wampy('publish', 'com.tick', '1', '--url', `unix:${path}`).ended
  expect(await subscribe.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('"args":[1]') })
  expect(await router.kill('SIGTERM').ended).toEqual({
    code: 0,
    stdout: `wampy router listening on ${url}\nwampy router listening on unix:${path}\n`,
    stderr: '',
  })
  expect(existsSync(path)).toBe(false)
})

test('--unix where it cannot listen: one line, exit code 1', async () => {
  const path = here('in-use.sock')
  const first = wampy('router', '--port', '0', '--unix', path)
  await first.said(/listening on unix:/)
  for (const [taken, expected] of [
    [path, / is in use: stop what listens there/],
    [here('no', 'such', 'folder.sock'), /cannot listen on /],
  ] as const) {
    const { code, stdout, stderr } = await wampy('router', '--port', '0', '--unix', taken).ended
    expect(stderr).toMatch(/^wampy router: [^\n]*\n$/)
    expect(stderr).toMatch(expected)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  }
})

test('--strict takes only strict URIs', async () => {
  const router = wampy('router', '--port', '0', '--strict')
  const at = ['--url', await urlOf(router)]
  const { code, stderr } = await wampy('publish', 'com.example.Tick', ...at).ended
  expect(stderr).toMatch(/^wamp\.error\.invalid_uri: .*\n$/)
  expect(code).toBe(1)
  expect(await wampy('publish', 'com.example.tick', ...at).ended).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('--long-poll lets clients poll', async () => {
  const router = wampy('router', '--port', '0', '--long-poll')
  const [, url = ''] = await router.said(/\nwampy router listening on (http:\/\/127\.0\.0\.1:\d+\/ws\/lp)\n/)
  await using client = new WampClient({ router: new WampRouter({ url, dial: longPollDial() }), reconnect: false })
  await client.start()
  expect(client.state).toBe('ready')
})

test('a port in use: one line, exit code 1', async () => {
  const { port } = await listening()
  const { code, stdout, stderr } = await wampy('router', '--port', String(port)).ended
  expect(stderr).toMatch(new RegExp(`^wampy router: port ${port} .*in use: .*\n$`))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test.each([
  [['--realm', 'a b'], /^wampy router: .*"a b" is no legal URI.*\n$/],
  [['--path', 'ws'], /^wampy router: a path begins with a slash.*\n$/],
  [['--host', '203.0.113.1'], /^wampy router: 203.0.113.1 is no address of this machine.*\n$/],
])('%j cannot be: one line, exit code 1', async (args, expected) => {
  const { code, stdout, stderr } = await wampy('router', '--port', '0', ...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test('it goes on when whoever read its line closes the pipe', async () => {
  const router = wampy('router', '--port', '0')
  const url = await urlOf(router)
  router.child.stdout?.destroy()
  await using client = new WampClient({ router: url, reconnect: false })
  await client.start()
  expect(client.state).toBe('ready')
})
