/** Contexts: named routers in a file that only its owner can read, and that contains no secret. */

import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ticketAuth } from 'wampy-ts/auth/router'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { cliWith, type Ended, here, listening, terminal } from './support.ts'

let homes = 0

/** A home of contexts, and the command with it. */
function home() {
  const folder = here(`home${homes++}`)
  const file = join(folder, 'wampy-ts', 'contexts.json')
  const env = { XDG_CONFIG_HOME: folder }
  const run = (...args: string[]): Promise<Ended> => cliWith({ env }, ...args).ended
  const runIn = (more: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> =>
    cliWith({ env: { ...env, ...more } }, ...args).ended
  const context = (...args: string[]): Promise<Ended> => run('context', ...args)
  return { file, env, run, runIn, context, text: () => readFileSync(file, 'utf8') }
}

const LOCAL = ['--url', 'ws://localhost:8080/ws']

/** A router that a user can join with a ticket, and the realm `shop`. */
async function guarded(): Promise<string> {
  const auth = [ticketAuth({ joe: { ticket: 'swordfish' } })]
  const router = new Router({ realms: ['shop'], auth })
  const served = await serve(router, { port: 0 })
  onTestFinished(async () => {
    await router.close()
    await served.close()
  })
  return served.url
}

const count = ['call', 'wamp.session.count']

test('a context is used as a whole: by --context, WAMPY_CONTEXT, or context use', async () => {
  const { context, run, runIn, file, text } = home()
  const url = await guarded()
  const login = ['--auth', 'ticket', '--authid', 'joe', '--secret-env', 'PROD_TICKET']
  expect(await context('add', 'prod', '--url', url, '--realm', 'shop', '--serializer', 'cbor', ...login)).toEqual({
    code: 0,
    stdout: `added prod to ${file}\n`,
    stderr: '',
  })
  expect(JSON.parse(text())).toEqual({
    contexts: {
      prod: { url, realm: 'shop', serializer: 'cbor', auth: 'ticket', authid: 'joe', secretEnv: 'PROD_TICKET' },
    },
  })
  const joined = { code: 0, stdout: '1\n', stderr: '' }
  const secret = { PROD_TICKET: 'swordfish' }
  expect(await runIn(secret, ...count, '--context', 'prod')).toEqual(joined)
  expect(await runIn({ ...secret, WAMPY_CONTEXT: 'prod' }, ...count)).toEqual(joined)
  // Other variables do not mix with a context.
  const others = { WAMPY_REALM: 'nowhere', WAMPY_AUTH: 'wampcra', WAMPY_AUTHID: 'ann', WAMPY_SECRET: 'x' }
  expect(await runIn({ ...secret, ...others }, ...count, '--context', 'prod')).toEqual(joined)
  expect(await run(...count, '--context', 'prod')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('the secret is missing: the variable PROD_TICKET is not set'),
  })
  expect(await context('use', 'prod')).toMatchObject({ code: 0 })
  expect(await runIn(secret, ...count)).toEqual(joined)
  // An option takes precedence over the context.
  expect(await runIn(secret, ...count, '--authid', 'ann')).toMatchObject({ code: 1 })
})

test('an address on the command line or in the environment ends the use of a context', async () => {
  const { context, run, runIn } = home()
  const { url } = await listening()
  await context('add', 'prod', '--url', 'ws://127.0.0.1:1/ws', '--realm', 'shop')
  await context('use', 'prod')
  const joined = { code: 0, stdout: '1\n', stderr: '' }
  expect(await run(...count, '--url', url)).toEqual(joined)
  expect(await runIn({ WAMPY_URL: url, WAMPY_CONTEXT: 'prod' }, ...count)).toEqual(joined)
  expect(await run(...count)).toMatchObject({ code: 1, stderr: expect.stringContaining('ws://127.0.0.1:1/ws') })
  expect(await runIn({ WAMPY_URL: url }, ...count, '--context', 'prod')).toMatchObject({ code: 1 })
  // What a context does not state is the default, not a variable.
  await context('add', 'plain', '--url', url)
  const others = { WAMPY_REALM: 'nowhere', WAMPY_AUTH: 'ticket', WAMPY_AUTHID: 'ann', WAMPY_SECRET: 'x' }
  expect(await runIn(others, ...count, '--context', 'plain')).toEqual(joined)
  expect(await run(...count, '--context', 'prod', '--url', url)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--context and --url contradict each other'),
  })
})

test('a secret in a file is found from any folder', async () => {
  const { context, run, text } = home()
  const url = await guarded()
  writeFileSync(here('ticket.txt'), 'swordfish\n')
  const login = ['--auth', 'ticket', '--authid', 'joe', '--secret-file', './ticket.txt']
  await context('add', 'prod', '--url', url, '--realm', 'shop', ...login)
  expect(text()).toContain(here('ticket.txt'))
  expect(text()).not.toContain('swordfish')
  expect(await run(...count, '--context', 'prod')).toEqual({ code: 0, stdout: '1\n', stderr: '' })
  expect((await run(...count, '--context', 'prod', '--secret-file', 'missing')).stderr).toContain('cannot read missing')
})

test('list, show, use and remove, as text and as JSON', async () => {
  const { context, env } = home()
  expect(await context('list')).toEqual({ code: 0, stdout: '', stderr: '' })
  await context(
    'add',
    'prod',
    '--url',
    'wss://example.com/ws',
    '--realm',
    'shop',
    '--auth',
    'ticket',
    '--authid',
    'joe',
    '--secret-env',
    'T',
  )
  await context('add', 'local', ...LOCAL)
  await context('use', 'prod')
  expect((await context('list')).stdout).toBe(
    '   local  ws://localhost:8080/ws  realm1\n*  prod   wss://example.com/ws    shop    ticket  joe\n',
  )
  expect((await context('list', '--json')).stdout).toBe(
    '{"name":"local","current":false,"url":"ws://localhost:8080/ws"}\n' +
      '{"name":"prod","current":true,"url":"wss://example.com/ws","realm":"shop","auth":"ticket","authid":"joe","secretEnv":"T"}\n',
  )
  expect((await terminal({ ...env, NO_COLOR: '' }, 'context', 'list').ended).stdout).toContain(
    '\u001b[1m   NAME   URL ',
  )
  expect((await context('show')).stdout).toBe(`name    prod (in use)
url     wss://example.com/ws
realm   shop
auth    ticket
authid  joe
secret  variable T (not set)
`)
  expect((await context('show', 'local', '--json')).stdout).toBe(
    '{"name":"local","current":false,"url":"ws://localhost:8080/ws"}\n',
  )
  expect((await context('use', '--none')).stdout).toBe('no context is used\n')
  expect(await context('show')).toMatchObject({ code: 2, stderr: expect.stringContaining('no context is in use') })
  await context('use', 'prod')
  expect((await context('remove', 'prod', '--json')).stdout).toBe('{"removed":"prod"}\n')
  expect(await context('show')).toMatchObject({ code: 2, stderr: expect.stringContaining('no context is in use') })
  expect((await context('list', '--json')).stdout).toBe(
    '{"name":"local","current":false,"url":"ws://localhost:8080/ws"}\n',
  )
  expect(await context('add', 'local', ...LOCAL)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is a context "local": --replace replaces it'),
  })
  expect(await context('add', 'local', '--url', 'ws://other:1/ws', '--replace')).toMatchObject({ code: 0 })
  expect((await context('show', 'local')).stdout).toContain('ws://other:1/ws')
})

test('the file is readable for its owner alone, and is replaced as a whole', async () => {
  const { context, file } = home()
  await context('add', 'local', ...LOCAL)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700)
  const before = statSync(file).ino
  await context('add', 'other', ...LOCAL)
  expect(statSync(file).ino).not.toBe(before)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(file, '..'))).toEqual(['contexts.json'])
})

test('a link to the file stays a link', async () => {
  const { context, file } = home()
  await context('add', 'local', ...LOCAL)
  const elsewhere = here('contexts-elsewhere.json')
  writeFileSync(elsewhere, readFileSync(file), { mode: 0o600 })
  symlinkSync(elsewhere, `${file}.link`)
  const linked = home()
  mkdirSync(join(linked.file, '..'), { recursive: true, mode: 0o700 })
  symlinkSync(elsewhere, linked.file)
  expect(await linked.context('add', 'second', ...LOCAL)).toMatchObject({ code: 0 })
  expect(lstatSync(linked.file).isSymbolicLink()).toBe(true)
  expect(readFileSync(elsewhere, 'utf8')).toContain('"second"')
})

test.each([
  [0o640, 'file', /contexts\.json can be read or changed by others \(mode 640\), and is not used: run chmod 600 '/],
  [0o602, 'file', /contexts\.json can be read or changed by others \(mode 602\)/],
  [0o770, 'folder', /wampy-ts can be changed by others \(mode 770\), and is not used: run chmod 700 '/],
])('mode %o of the %s is refused, with the cure', async (mode, what, expected) => {
  const { context, run, file } = home()
  await context('add', 'local', ...LOCAL)
  chmodSync(what === 'file' ? file : join(file, '..'), mode)
  for (const args of [
    ['context', 'list'],
    ['context', 'add', 'b', ...LOCAL],
    [...count, '--context', 'local'],
    count,
  ]) {
    const { code, stdout, stderr } = await run(...args)
    expect(stderr).toMatch(expected)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  }
  // Not needed with an address.
  expect((await run(...count, '--url', 'ws://127.0.0.1:1/ws')).stderr).toContain('could not connect')
})

test('a folder that others can change is not written to', async () => {
  const { context, file } = home()
  mkdirSync(join(file, '..'), { recursive: true })
  chmodSync(join(file, '..'), 0o777)
  expect(await context('add', 'local', ...LOCAL)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('chmod 700'),
  })
  expect(readdirSync(join(file, '..'))).toEqual([])
})

test.each([
  ['{', /is not a valid file of contexts: .*JSON/],
  ['[]', /it must be an object with "contexts"/],
  ['{"contexts":{"a":1}}', /"a" must be an object with a "url"/],
  ['{"contexts":{"a":{"url":"ws://a","secret":"x"}}}', /"a" may have url, .*, each a text, got "secret"/],
  ['{"contexts":{"a":{"url":"ws://a","realm":1}}}', /"a" may have url, .*, each a text, got "realm"/],
  ['{"contexts":{},"current":1}', /"current" must be a name/],
])('a file with %s is refused', async (text, expected) => {
  const { context, file } = home()
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
  writeFileSync(file, text, { mode: 0o600 })
  expect(await context('list')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(expected) })
  expect(readFileSync(file, 'utf8')).toBe(text)
})

const TICKET = ['--auth', 'ticket', '--authid', 'joe']

test.each<[string[], RegExp]>([
  [[], /<action> is missing/],
  [['ad'], /"ad" is not an action of context: add, list, show, use, remove/],
  [['add', ...LOCAL], /<name> is missing/],
  [['add', 'a b', ...LOCAL], /"a b" is not a valid name/],
  [['add', 'a'], /--url is missing/],
  [['add', 'a', 'b', ...LOCAL], /"b" is one argument too many/],
  [['list', 'a'], /"a" is one argument too many/],
  [['list', '--realm', 'shop'], /--realm is not an option of context list/],
  [['use', 'nowhere'], /there is no context "nowhere"; add one with "wampy-ts context add"/],
  [['add', 'a', '--url', 'localhost'], /"localhost" is not an address of a router/],
  [['add', 'a', ...LOCAL, '--realm', 'a b'], /"a b" is not a valid URI of a realm/],
  [['add', 'a', ...LOCAL, '--serializer', 'xml'], /--serializer must be json, cbor, msgpack/],
  [['add', 'a', ...LOCAL, '--auth', 'magic'], /--auth must be ticket, /],
  [['add', 'a', ...LOCAL, '--authid', 'joe'], /name the method too/],
  [['add', 'a', ...LOCAL, ...TICKET], /name the variable or the file with the secret/],
  [
    ['add', 'a', ...LOCAL, ...TICKET, '--secret-env', 'A', '--secret-file', 'b'],
    /--secret-env and --secret-file contradict/,
  ],
  [
    ['add', 'a', ...LOCAL, ...TICKET, '--secret', 'hunter2'],
    /there is no option --secret: other users see .* --secret-file or --secret-env/,
  ],
  [['add', 'a', ...LOCAL, ...TICKET, '--secret-env', 'hunter2'], /--secret-env takes the name of a variable/],
  [
    ['add', 'a', ...LOCAL, ...TICKET, '--secret-file', 'hunter2'],
    /--secret-file takes the path of a file that can be read/,
  ],
  [['add', 'a', '--url', 'wss://joe:hunter2@example.com/ws'], /has a user, a query or a fragment/],
  [['add', 'a', '--url', 'wss://example.com/ws?token=hunter2'], /has a user, a query or a fragment/],
])('context %j is a wrong command line, and stores nothing', async (args, expected) => {
  const { context } = home()
  const { code, stdout, stderr } = await context(...args)
  expect(stderr).toMatch(expected)
  expect(stderr).not.toContain('hunter2')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(await context('list')).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('a name that is a property of every object is a name like others', async () => {
  const { context } = home()
  expect(await context('show', '__proto__')).toMatchObject({ code: 2 })
  expect(await context('add', '__proto__', ...LOCAL)).toMatchObject({ code: 0 })
  expect((await context('show', '__proto__')).stdout).toContain('ws://localhost:8080/ws')
})
