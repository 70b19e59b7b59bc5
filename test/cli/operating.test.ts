/** `wampy-ts sessions`, `kill` and `events`: the sessions of a realm, their end, and what happens in it. */

import { expect, onTestFinished, test } from 'vitest'
import { ticket } from 'wampy-ts/auth'
import { ticketAuth } from 'wampy-ts/auth/router'
import { WampClient } from '../../src/client/wamp-client.ts'
import { until } from '../client/support.ts'
import { cli, cliWith, freePort, type Listening, listening, terminal } from './support.ts'

const PRINCIPALS = {
  joe: { ticket: 'secret', role: 'user' },
  ann: { ticket: 'secret', role: 'user' },
  root: { ticket: 'secret', role: 'operator' },
}
const env = { WAMPY_AUTH: 'ticket', WAMPY_AUTHID: 'root', WAMPY_SECRET: 'secret' }

interface World extends Listening {
  /** A session of this user, over WebSocket, that does not return. */
  join(authid: keyof typeof PRINCIPALS): Promise<WampClient>
  /** The command as the operator. */
  as(...args: string[]): ReturnType<typeof cli>
}

async function world(): Promise<World> {
  const at = await listening(0, ['realm1'], { auth: [ticketAuth(PRINCIPALS)], controlOthers: true })
  const join = async (authid: keyof typeof PRINCIPALS): Promise<WampClient> => {
    const client = new WampClient({ router: at.url, auth: [ticket(authid, 'secret')], reconnect: false })
    client.on('error', () => {})
    await client.start()
    onTestFinished(() => client.stop())
    return client
  }
  return { ...at, join, as: (...args) => cliWith({ env }, ...args, '--url', at.url) }
}

/** Resolves to the reason and the text by which the session of a client ended. */
const endOf = (client: WampClient): Promise<string> =>
  new Promise((resolve) => {
    client.once('stopped', (cause) => resolve(cause ? `${cause.uri}: ${cause.message}` : 'stopped'))
  })

const stays = (client: WampClient): void => expect(client.state).toBe('ready')

test('sessions lists all but its own, oldest first, in aligned columns', async () => {
  const { join, as, router } = await world()
  const [joe, ann] = [await join('joe'), await join('ann')]
  const { code, stdout, stderr } = await as('sessions').ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    [String(joe.session.id), 'joe', 'user', 'ticket', 'websocket json', expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
    [String(ann.session.id), 'ann', 'user', 'ticket', 'websocket json', expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
  ])
  expect(new Set(lines.map((line) => line.indexOf('user'))).size).toBe(1)
  await until(() => router.stats().sessions === 2)
})

test('sessions --role filters, and --json prints the details as the router returns them', async () => {
  const { join, as } = await world()
  const joe = await join('joe')
  const root = await join('root')
  const ids = async (...roles: string[]): Promise<unknown[]> => {
    const { stdout } = await as('sessions', '--json', ...roles.flatMap((role) => ['--role', role])).ended
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { session: number }).session)
  }
  expect(await ids('user')).toEqual([joe.session.id])
  expect(await ids('operator')).toEqual([root.session.id])
  expect(await ids('user', 'operator')).toEqual([joe.session.id, root.session.id])
  expect(await ids('nobody')).toEqual([])
  const { stdout } = await as('sessions', '--json', '--role', 'user').ended
  expect(JSON.parse(stdout)).toMatchObject({
    session: joe.session.id,
    authid: 'joe',
    authrole: 'user',
    authmethod: 'ticket',
    transport: { type: 'websocket', protocol: 'wamp.2.json' },
  })
})

test('sessions asks for the details of many sessions in pages', async () => {
  const { url, router } = await listening()
  let asking = 0
  let most = 0
  const clients = Array.from({ length: 250 }, () => new WampClient({ router }))
  await Promise.all(clients.map((client) => client.start()))
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.stop()))
  })
  router.observe({
    called: ({ procedure }) => {
      if (procedure === 'wamp.session.get') most = Math.max(most, ++asking)
    },
    answered: ({ procedure }) => {
      if (procedure === 'wamp.session.get') asking--
    },
  })
  const { code, stdout } = await cli('sessions', '--url', url).ended
  expect(code).toBe(0)
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.trim().split(' ')[0])),
  ).toEqual(clients.map(({ session }) => session.id))
  expect(most).toBeLessThanOrEqual(100)
})

test.each([['sessions'], ['kill', '--all'], ['kill', '1']])(
  '%s %s at a router without the meta API: one line, exit code 1',
  async (...args) => {
    const { url } = await listening(0, ['realm1'], { authorize: ({ uri }) => !uri.startsWith('wamp.session.') })
    const { code, stdout, stderr } = await cli(...args, '--url', url).ended
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^wamp\.error\.not_authorized: .*\n$/),
    })
  },
)

test('kill ends one session by its id, with the reason and the message', async () => {
  const { join, as } = await world()
  const [joe, ann] = [await join('joe'), await join('ann')]
  const end = endOf(joe)
  const { id } = joe.session
  const args = ['--reason', 'com.example.logged_out', '--message', 'see you']
  expect(await as('kill', String(id), ...args).ended).toEqual({ code: 0, stdout: 'killed 1 session\n', stderr: '' })
  expect(await end).toMatch(/com\.example\.logged_out.*see you/)
  stays(ann)
  expect(await as('kill', String(id)).ended).toEqual({
    code: 1,
    stdout: '',
    stderr: `wamp.error.no_such_session: this realm has no session ${id}\n`,
  })
})

test('kill tries every id, and reports those without a session', async () => {
  const { join, as } = await world()
  const [joe, ann] = [await join('joe'), await join('ann')]
  const ends = [endOf(joe), endOf(ann)]
  expect(await as('kill', String(joe.session.id), '77', String(ann.session.id)).ended).toEqual({
    code: 1,
    stdout: 'killed 2 sessions\n',
    stderr:
      'wamp.error.no_such_session: this realm has no session 77\nwampy-ts kill: 1 of 3 sessions were not killed\n',
  })
  await Promise.all(ends)
})

test.each([
  [['--by-authid', 'joe'], ['joe']],
  [
    ['--by-authrole', 'user'],
    ['joe', 'ann'],
  ],
  [['--by-authrole', 'operator'], ['root']],
  [['--by-authid', 'root'], ['root']],
  [['--all'], ['joe', 'ann', 'root']],
  [['--by-authid', 'nobody'], []],
])('kill %j ends the sessions of %j, but never its own', async (args, killed) => {
  const { join, as } = await world()
  const clients = new Map<string, WampClient>()
  for (const authid of ['joe', 'ann', 'root'] as const) clients.set(authid, await join(authid))
  const ends = killed.map((authid) => endOf(clients.get(authid) as WampClient))
  const { code, stdout, stderr } = await as('kill', ...args, '--json').ended
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `{"killed":${killed.length}}\n`, stderr: '' })
  expect(await Promise.all(ends)).toEqual(killed.map(() => expect.stringContaining('wamp.close.killed')))
  for (const [authid, client] of clients) if (!killed.includes(authid)) stays(client)
})

test('kill ends the sessions of its own role one by one, because Crossbar.io would end its own as well', async () => {
  const { url, router } = await listening(0, ['realm1'], { controlOthers: true })
  const others = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const client = new WampClient({ router, name, reconnect: false })
      await client.start()
      return client
    }),
  )
  const ends = others.map(endOf)
  const asked: string[] = []
  router.observe({ called: ({ procedure }) => asked.push(procedure) })
  const { stdout } = await cli('kill', '--by-authrole', 'anonymous', '--url', url).ended
  expect(stdout).toBe('killed 2 sessions\n')
  await Promise.all(ends)
  expect(asked.filter((uri) => uri.startsWith('wamp.session.kill'))).toEqual(['wamp.session.kill', 'wamp.session.kill'])
})

test.runIf(process.platform === 'linux')('kill asks on a terminal before more than one session ends', async () => {
  const { join, as, url } = await world()
  const [joe, ann] = [await join('joe'), await join('ann')]
  const asked = (...args: string[]) => terminal(env, 'kill', ...args, '--url', url)
  const answered = async (answer: string, ...args: string[]) => {
    const kill = asked(...args)
    const [question] = await kill.said(/Kill .*\[y\/N\] /)
    kill.child.stdin?.write(answer)
    return { question, ...(await kill.ended) }
  }
  for (const answer of ['n\r', '\r', 'yeah\r', '\u0004']) {
    const { question, code, stdout } = await answered(answer, '--by-authrole', 'user')
    expect(question).toBe('Kill 2 sessions of role "user" in realm1? [y/N] ')
    expect(stdout).toMatch(/wampy-ts kill: nothing was killed\r\n$/)
    expect(code).toBe(1)
  }
  stays(joe)
  stays(ann)
  expect((await answered('n\r', '--by-authid', 'joe')).question).toBe('Kill every session of "joe" in realm1? [y/N] ')
  expect((await answered('n\r', '--all')).question).toBe('Kill 2 sessions in realm1? [y/N] ')
  expect((await answered('n\r', '5', '6')).question).toBe('Kill 2 sessions in realm1? [y/N] ')
  const end = endOf(joe)
  expect((await answered('y\r', '--by-authid', 'joe')).stdout).toMatch(/killed 1 session\r\n$/)
  await end
  // One session is no question, and with --yes there is none.
  expect(await asked('--by-authrole', 'user').ended).toMatchObject({ code: 0, stdout: 'killed 1 session\r\n' })
  await join('joe')
  await join('ann')
  expect(await asked('--all', '--yes').ended).toMatchObject({ code: 0, stdout: 'killed 2 sessions\r\n' })
  expect(await as('sessions').ended).toEqual({ code: 0, stdout: '', stderr: '' })
})

test.concurrent.each([
  [['kill'], /^wampy-ts kill: name the sessions in one way: .*\n$/],
  [['kill', '5', '--all'], /^wampy-ts kill: name the sessions in one way: .*\n$/],
  [['kill', '--all', '--by-authid', 'joe'], /^wampy-ts kill: name the sessions in one way: .*\n$/],
  [['kill', 'joe'], /^wampy-ts kill: "joe" is not a valid session id .*\n$/],
  [['kill', '0'], /^wampy-ts kill: "0" is not a valid session id .*\n$/],
  [['kill', '9007199254740993'], /^wampy-ts kill: "9007199254740993" is not a valid session id .*\n$/],
  [['kill', '5', '--reason', 'a b'], /^wampy-ts kill: --reason must be a URI, got "a b".*\n$/],
  [['events', 'weather'], /^wampy-ts events: a subject is session, registration, subscription, got "weather".*\n$/],
  [['events', '--count', '0'], /^wampy-ts events: --count must be a whole number, 1 or more, got "0".*\n$/],
  [['sessions', 'joe'], /^wampy-ts sessions: "joe" is one argument too many.*\n$/],
])('%j is a wrong command line: exit code 2', async (args, expected) => {
  const { code, stdout, stderr } = await cli(...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('no router: one line, exit code 1', async () => {
  const url = `ws://127.0.0.1:${await freePort()}/ws`
  const commands = [['sessions'], ['kill', '5'], ['events'], ['record', 'a.b'], ['bench', 'rpc']]
  await Promise.all(
    commands.map(async (args) => {
      const { code, stdout, stderr } = await cli(...args, '--url', url).ended
      expect(stderr).toMatch(new RegExp(`^wampy-ts ${args[0]}: could not connect to ${url}: .*REFUSED.*\n$`))
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    }),
  )
})

/** What happens in a realm when a service comes and goes. */
async function comeAndGo({ join }: World): Promise<void> {
  const joe = await join('joe')
  const registration = await joe.register('com.example.\u001b[31madd', () => 1)
  await (await joe.subscribe('com.example.tick', () => {})).unsubscribe()
  await registration.unregister()
  await joe.stop()
}

const ID = '\\d+'

test('events prints a line for each meta event, in words', async () => {
  const at = await world()
  const events = at.as('events')
  await events.said(/^watching realm1 at ws:.*\n$/, 'stderr')
  await comeAndGo(at)
  await events.said(/session\.on_leave.*\n/)
  const { code, stdout, stderr } = await events.kill('SIGINT').ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^watching .*\n$/) })
  const lines = stdout.trimEnd().split('\n')
  const expected = [
    `session.on_join +session ${ID} {2}authid joe {2}role user {2}ticket`,
    `registration.on_create +session ${ID} {2}registration ${ID} {2}com\\.example\\. \\[31madd {2}exact single`,
    `registration.on_register +session ${ID} {2}registration ${ID} {2}com\\.example\\. \\[31madd`,
    `subscription.on_create +session ${ID} {2}subscription ${ID} {2}com\\.example\\.tick {2}exact`,
    `subscription.on_subscribe +session ${ID} {2}subscription ${ID} {2}com\\.example\\.tick`,
    `subscription.on_unsubscribe +session ${ID} {2}subscription ${ID} {2}com\\.example\\.tick`,
    `subscription.on_delete +session ${ID} {2}subscription ${ID} {2}com\\.example\\.tick`,
    `registration.on_unregister +session ${ID} {2}registration ${ID} {2}com\\.example\\. \\[31madd`,
    `registration.on_delete +session ${ID} {2}registration ${ID} {2}com\\.example\\. \\[31madd`,
    `session.on_leave +session ${ID} {2}authid joe {2}role user`,
  ]
  expect(lines).toEqual(
    expected.map((each) => expect.stringMatching(new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z {2}${each}$`))),
  )
})

test('events filters by subject and by topic, ends after --count, and prints JSON', async () => {
  const at = await world()
  const counted = async (...args: string[]) => {
    const events = at.as('events', ...args, '--json')
    await events.said(/"notice":"watching/, 'stderr')
    await comeAndGo(at)
    return events.ended
  }
  const some = await counted('session', 'subscription', '--count', '6')
  const one = await counted('--topic', 'wamp.registration.on_create', '--count', '1')
  const topics = some.stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { topic: string }).topic)
  expect(topics).toEqual([
    'wamp.session.on_join',
    'wamp.subscription.on_create',
    'wamp.subscription.on_subscribe',
    'wamp.subscription.on_unsubscribe',
    'wamp.subscription.on_delete',
    'wamp.session.on_leave',
  ])
  expect(JSON.parse(one.stdout)).toEqual({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    topic: 'wamp.registration.on_create',
    args: [expect.any(Number), expect.objectContaining({ uri: 'com.example.\u001b[31madd', match: 'exact' })],
    kwargs: {},
  })
  expect([some.code, one.code]).toEqual([0, 0])
})

test('events continues after a loss of the router, and reports it', async () => {
  const first = await listening()
  const events = cli('events', 'session', '--url', first.url)
  await events.said(/watching/, 'stderr')
  await first.router.close()
  await first.close()
  await events.said(/lost the router at .*reconnecting\n/, 'stderr')
  const again = await listening(first.port)
  await events.said(/ready in realm1/, 'stderr')
  await until(() => again.router.stats().subscriptions === 1)
  await again.client()
  await events.said(/session\.on_join/)
  expect(await events.kill('SIGTERM').ended).toMatchObject({ code: 0 })
})

test('events that the router refuses: one line, exit code 1', async () => {
  const { url } = await listening(0, ['realm1'], { authorize: ({ action }) => action !== 'subscribe' })
  const { code, stdout, stderr } = await cli('events', '--url', url).ended
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^wamp\.error\.not_authorized: .*\n$/),
  })
})
