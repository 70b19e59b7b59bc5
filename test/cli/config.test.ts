/** `wampy-ts router --config`, `check` and `convert`: lines of mistakes, a reload under load, and what is printed. */

import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ticket } from '../../src/auth.ts'
import { WampClient, WampRouter } from '../../src/index.ts'
import { dial } from '../../src/node.ts'
import { cert, key, strangers } from '../node/certificate.ts'
import { cli, here } from './support.ts'

const MISTAKES = `{
  // A comment, and a trailing comma.
  "realms": [{ "name": "realm1", "auth": { "ticket": { "users": { "joe": { "tickt": "x" } } } } }],
	"listeners": [
    { "type": "websocket", "port": "8080", },
  ],
}
`

test('check prints a line for each mistake, with its place and its cure', async () => {
  await writeFile(here('mistakes.json'), MISTAKES)
  const needs = 'needs the key ticket: text, or { "env": "NAME" } for an environment variable, or { "file": "path" }'
  expect(await cli('check', 'mistakes.json').ended).toEqual({
    code: 1,
    stdout: '',
    stderr: [
      'mistakes.json:3:85: realms[0].auth.ticket.users.joe.tickt is not a key here: did you mean ticket?',
      `mistakes.json:3:74: realms[0].auth.ticket.users.joe ${needs}`,
      'mistakes.json:5:36: listeners[0].port must be a whole number from 0 to 65535, got "8080"',
      '',
    ].join('\n'),
  })
  const router = await cli('router', '--config', 'mistakes.json').ended
  expect(router).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('mistakes.json:5:36: ') })
})

test.each([
  ['broken.json', '{\n  "realms": [\n', /^broken\.json:\d+:\d+: not valid JSON: /],
  ['broken.yaml', 'realms:\n\t- name: a\n', /^broken\.yaml:\d+:\d+: not valid YAML: /],
  ['absent.json', undefined, /^wampy-ts check: the configuration cannot be read: ENOENT/],
])('check of %s', async (file, text, stderr) => {
  if (text !== undefined) await writeFile(here(file), text)
  expect(await cli('check', file).ended).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(stderr) })
})

test('check accepts YAML', async () => {
  const text = 'realms:\n  - name: realm1 # the first\nlisteners:\n  - type: websocket\n    port: 0\n'
  await writeFile(here('router.yaml'), text)
  const stdout = 'router.yaml is valid: 1 realm, 1 listener\n'
  expect(await cli('check', 'router.yaml').ended).toEqual({ code: 0, stdout, stderr: '' })
})

test('the configuration of the documentation is valid', async () => {
  const [, text = ''] =
    /```jsonc router\.json\n([\s\S]*?)```/.exec(await readFile('docs/configuration.md', 'utf8')) ?? []
  for (const [name, content] of Object.entries({ 'cert.pem': cert, 'key.pem': key, 'ops-ticket': 's3cret\n' }))
    await writeFile(here(name), content)
  await writeFile(here('documented.json'), text.replace('{ "env": "TILL_TICKET" }', '"till"'))
  expect(await cli('check', 'documented.json').ended).toMatchObject({ code: 0, stderr: '' })
})

test('convert prints the configuration, and on stderr what it leaves out', async () => {
  const transport = { type: 'websocket', endpoint: { type: 'tcp', port: 8080, backlog: 5 } }
  const workers = [
    { type: 'router', realms: [{ name: 'realm1', roles: [{ name: 'anonymous' }] }], transports: [transport] },
  ]
  await writeFile(here('crossbar.json'), JSON.stringify({ version: 2, controller: {}, workers }))
  const { code, stdout, stderr } = await cli('convert', 'crossbar.json').ended
  expect([code, stderr]).toEqual([0, 'left out: controller has no counterpart\n'])
  await writeFile(here('converted.json'), stdout)
  expect(await cli('check', 'converted.json').ended).toMatchObject({ code: 0 })
  await writeFile(here('other.json'), '{}')
  expect(await cli('convert', 'other.json').ended).toMatchObject({
    code: 1,
    stderr:
      'wampy-ts convert: other.json cannot be converted: this is not a configuration of Crossbar.io: it has no list of workers\n',
  })
})

test('--config is used alone', async () => {
  expect(await cli('router', '--config', 'router.yaml', '--port', '9').ended).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--config is used alone: put --port into the file'),
  })
})

/** A configuration with TLS, whose users and rules are those given. */
const configuration = (users: object, allow: object) =>
  JSON.stringify({
    realms: [
      {
        name: 'realm1',
        auth: { ticket: { users } },
        roles: [
          { name: 'user', permissions: [{ uri: '', match: 'prefix', allow }] },
          { name: 'clerk', permissions: [{ uri: '', match: 'prefix', allow }] },
        ],
      },
    ],
    listeners: [{ type: 'websocket', port: 0, tls: { cert: 'live-cert.pem', key: 'live-key.pem' } }],
    drain: 1000,
  })
const ALL = { call: true, register: true, publish: true, subscribe: true }

test('SIGHUP under load: sessions that stay lose nothing, and the others are ended', { timeout: 40_000 }, async () => {
  const user = (secret: string, role = 'user') => ({ ticket: secret, role })
  const users = { ann: user('a'), ben: user('b'), cleo: user('c') }
  await writeFile(here('live-cert.pem'), cert)
  await writeFile(here('live-key.pem'), key)
  await writeFile(here('live.json'), configuration(users, ALL))
  const router = cli('router', '--config', 'live.json', '--log-level', 'error')
  const [, url = ''] = await router.said(/listening on (\S+)/)
  const joined = async (name: string, secret: string) => {
    const place = new WampRouter({ url, dial: dial({ rejectUnauthorized: false }) })
    const client = new WampClient({ router: place, auth: [ticket(name, secret)], reconnect: false })
    onTestFinished(() => client.stop())
    await client.start()
    return client
  }
  const [service, caller, removed, changed] = [
    await joined('ann', 'a'),
    await joined('ann', 'a'),
    await joined('ben', 'b'),
    await joined('cleo', 'c'),
  ]
  const heard: unknown[] = []
  await service.register('a.echo', ([value]) => value)
  await service.subscribe('a.news', ([value]) => void heard.push(value))

  let running = true
  let [calls, published] = [0, 0]
  const load = async () => {
    while (running) {
      const sent = calls++
      expect(await caller.call('a.echo', [sent])).toBe(sent)
      await caller.publish('a.news', [published++], {}, { acknowledge: true })
    }
  }
  const loads = [load(), load(), load()]
  for (let round = 1; round <= 5; round++) {
    const next = { ann: user('a'), [`new${round}`]: user('n'), cleo: user('c', 'clerk') }
    const [nextCert, nextKey] = round % 2 ? [strangers.cert, strangers.key] : [cert, key]
    await writeFile(here('live-cert.pem'), nextCert)
    await writeFile(here('live-key.pem'), nextKey)
    await writeFile(here('live.json'), configuration(next, round % 2 ? ALL : { ...ALL, call: true }))
    const before = router.stdout.length
    router.kill('SIGHUP')
    await expect.poll(() => router.stdout.slice(before), { timeout: 10_000 }).toMatch(/reloaded live\.json: \d session/)
    expect((await joined(`new${round}`, 'n')).session.authrole).toBe('user')
    expect([service.state, caller.state, removed.state, changed.state]).toEqual([
      'ready',
      'ready',
      'stopped',
      'stopped',
    ])
  }
  // A file with a mistake changes nothing.
  await copyFile(here('mistakes.json'), here('live.json'))
  router.kill('SIGHUP')
  await router.said(/live\.json was not reloaded: the router goes on as before/, 'stderr')
  running = false
  await Promise.all(loads)
  await expect.poll(() => heard.length).toBe(published)
  expect(new Set(heard).size).toBe(published)
  expect(calls).toBeGreaterThan(10)
  expect(await router.kill('SIGTERM').ended).toMatchObject({ code: 0 })
})
