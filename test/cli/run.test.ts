/** `wampy-ts run`: services from every kind of module, across losses, until a signal. */
import { once } from 'node:events'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { GOODBYE, HELLO, REGISTER, REGISTERED, UNREGISTER, UNREGISTERED, WELCOME } from 'wampy-ts/testing'
import { type WebSocket, WebSocketServer } from 'ws'
import { cli, cliWith, freePort, here, listening, write } from './support.ts'

const body = `{
  static prefix = 'com.example'
  static rpc = ['getTodaysDate']
  static subscribe = { onTick: 'com.example.tick' }
  getTodaysDate() { return '2016-05-14' }
  onTick() {}
}`

beforeAll(() => {
  write('date.mjs', `import { WampClient } from 'wampy-ts'\nexport class DateService extends WampClient ${body}`)
  write(
    'date.cjs',
    `const { WampClient } = require('wampy-ts')\nexports.DateService = class DateService extends WampClient ${body}`,
  )
  write('alone.cjs', `module.exports = class DateService extends require('wampy-ts').WampClient ${body}`)
  write('default.mjs', `export { DateService as default, DateService } from './date.mjs'\nexport class Other {}`)
  write(
    'several.mjs',
    `export { DateService } from './date.mjs'\nexport class Clock extends (await import('wampy-ts')).RpcClient {}`,
  )
  write('none.mjs', 'export class DateService {}\nexport const seven = 7')
  write('syntax.mjs', 'export class DateService {{\n')
  write(
    'decorated.mjs',
    `import { rpc, WampClient } from 'wampy-ts'\nclass DateService extends WampClient {\n  @rpc date() {}\n}\n`,
  )
  write('name.mjs', `import { WampKlient } from 'wampy-ts'\nexport class DateService extends WampKlient {}`)
  write('syntax.cjs', '\nclass DateService {{\n')
  write('missing.mjs', `import 'no-such-package'`)
  write('throws.mjs', '\n  null.x')
  write(
    'broken.mjs',
    `import { DateService } from './date.mjs'
    export class Broken extends DateService { constructor() { throw new Error('no database') } }`,
  )
  write('silent.mjs', `import { WampClient } from 'wampy-ts'\nexport class Silent extends WampClient {}`)
  write('open.mjs', `export { DateService } from './date.mjs'\nsetInterval(() => {}, 1000)`)
  write(
    'date-service.ts',
    `import { rpc, WampClient } from 'wampy-ts'
    export class DateService extends WampClient {
      @rpc('com.example.getTodaysDate') getTodaysDate(): string { return '2016-05-14' }
    }`,
  )
})

test.each([
  './date.mjs:DateService',
  'date:DateService',
  'date.mjs',
  'default.mjs',
  'several.mjs:DateService',
  'date.cjs:DateService',
  'date.cjs',
  'alone.cjs:DateService',
])('%s runs', async (module) => {
  const { url, router, client } = await listening()
  const run = cli('run', module, '--url', url)
  const [text] = await run.said(/^.*ready in .*\n/ms)
  expect(text).toMatch(
    /^registered com\.example\.getTodaysDate\nsubscribed to com\.example\.tick\nDateService ready in realm1 at ws:.*, session \d+\n$/,
  )
  const alice = await client()
  expect(await alice.call('com.example.getTodaysDate')).toBe('2016-05-14')
  expect(await run.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
  expect(router.stats()).toMatchObject({ sessions: 1, registrations: 0 })
})

test('an absolute path, another realm and another serializer', async () => {
  const { url, client } = await listening(0, ['internal'])
  const run = cli('run', `${here('date.mjs')}:DateService`, '--url', url, '--realm', 'internal', '--serializer', 'cbor')
  await run.said(/ready in internal/)
  expect(await (await client()).call('com.example.getTodaysDate')).toBe('2016-05-14')
  await run.kill('SIGINT').ended
})

test('a class of the CommonJS build uses the chosen serializer', async () => {
  const { url, client } = await listening()
  const run = cli('run', 'date.cjs', '--url', url, '--serializer', 'msgpack')
  await run.said(/ready/)
  expect(await (await client()).call('com.example.getTodaysDate')).toBe('2016-05-14')
  await run.kill('SIGINT').ended
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s sends GOODBYE, and open handles of the module do not keep the process alive',
  async (signal) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'wamp.2.json' })
    onTestFinished(() => {
      server.close()
    })
    const goodbye = new Promise<unknown[]>((resolve) => {
      server.on('connection', (socket: WebSocket) => {
        const answer = (...message: unknown[]): void => socket.send(JSON.stringify(message))
        socket.on('message', (data) => {
          const message = JSON.parse(String(data)) as unknown[]
          if (message[0] === HELLO) answer(WELCOME, 7, { roles: { broker: {}, dealer: {} } })
          else if (message[0] === GOODBYE) {
            answer(GOODBYE, {}, 'wamp.close.goodbye_and_out')
            resolve(message)
          } else if (message[0] === UNREGISTER) answer(UNREGISTERED, message[1])
          else answer((message[0] as number) + (REGISTERED - REGISTER), message[1], 1)
        })
      })
    })
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const run = cli('run', 'open.mjs:DateService', '--url', `ws://127.0.0.1:${port}/ws`)
    await run.said(/ready/)
    run.kill(signal)
    expect(await goodbye).toEqual([GOODBYE, {}, 'wamp.close.close_realm'])
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' })
  },
)

const SLOW = `import { WampClient } from 'wampy-ts'
  export class Slow extends WampClient {
    static rpc = { wait: 'com.example.wait' }
    static subscribe = { onNews: 'com.example.news' }
    wait() {
      console.log('waiting')
      return new Promise((resolve) => { this.resolve = resolve })
    }
    onNews(text) { this.resolve(text) }
  }`

/** A service that runs as a command with one call in progress. */
async function calling(...options: string[]) {
  write('slow.mjs', SLOW)
  const { url, router, client } = await listening()
  const run = cli('run', 'slow.mjs', '--url', url, ...options)
  await run.said(/ready/)
  const alice = await client()
  const call = alice.call('com.example.wait')
  call.catch(() => {})
  await run.said(/waiting/)
  return { run, router, alice, call }
}

test('a signal lets the calls in progress finish, and takes no more', async () => {
  const { run, router, alice, call } = await calling()
  run.kill('SIGTERM')
  await expect.poll(() => router.stats().registrations).toBe(0)
  await expect(alice.call('com.example.wait')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
  await alice.publish('com.example.news', ['done'])
  expect(await call).toBe('done')
  expect(await run.ended).toMatchObject({ code: 0, stderr: '' })
})

test('a second signal ends it at once', async () => {
  const { run, router, call } = await calling('--drain', '60000')
  run.kill('SIGTERM')
  await expect.poll(() => router.stats().registrations).toBe(0)
  expect(await run.kill('SIGINT').ended).toMatchObject({ code: 130 })
  await expect(call).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
})

test.each(['0', '50'])('--drain %s limits the time for calls in progress', async (limit) => {
  const { run, call } = await calling('--drain', limit)
  expect(await run.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
  await expect(call).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
})

test('a router that ends while calls are in progress ends it', async () => {
  const { run, router } = await calling('--drain', '60000')
  run.kill('SIGTERM')
  await expect.poll(() => router.stats().registrations).toBe(0)
  await router.close()
  const { code, stdout } = await run.ended
  expect(code).toBe(0)
  expect(stdout).not.toContain('reconnecting')
})

test('--drain takes whole milliseconds', async () => {
  const { code, stderr } = await cli('run', 'date.mjs', '--drain', 'soon').ended
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('--drain must be a whole number, 0 to 2147483647, got "soon"'),
  })
})

test('exceptions are printed with their stacks, whatever listens to them; errors for callers are not', async () => {
  write(
    'failing.mjs',
    `import { WampClient, WampError } from 'wampy-ts'
    export class Failing extends WampClient {
      static prefix = 'com.example'
      static rpc = ['known', 'unknown', 'later']
      static subscribe = { onTick: 'com.example.tick' }
      constructor(options) {
        super({ ...options, onError: () => new WampError('com.example.hidden') })
        this.on('error', () => {})
      }
      known() { throw new WampError('com.example.sold_out', ['no seats left']) }
      unknown() { return this.#deep() }
      #deep() { throw new TypeError('no \x1b[2Jdatabase') }
      async later() { await undefined; throw 'just text' }
      onTick() { throw new Error('bad tick') }
    }`,
  )
  const { url, client } = await listening()
  const run = cli('run', 'failing.mjs', '--url', url)
  await run.said(/ready/)
  const alice = await client()
  for (const name of ['known', 'unknown', 'later']) {
    await expect(alice.call(`com.example.${name}`)).rejects.toMatchObject({ uri: 'com.example.hidden' })
  }
  await alice.publish('com.example.tick', [], {}, { acknowledge: true })
  await run.said(/bad tick/, 'stderr')
  const { stderr } = await run.kill('SIGTERM').ended
  expect(stderr).toMatch(
    /^Failing: com\.example\.unknown failed:\nTypeError: no {2}?\[2Jdatabase\n {4}at .*#deep .*failing\.mjs:12:.*com\.example\.later failed:\n'just text'\nFailing reports an error:\nError: bad tick\n {4}at .*onTick/s,
  )
  expect(stderr).not.toMatch(/sold_out|no seats left|hidden/)
  expect(stderr.match(/database/g)).toHaveLength(1)
})

test('a service keeps running through a loss of the router', async () => {
  const { url, port, router, close } = await listening()
  const run = cli('run', 'date.mjs', '--url', url)
  await run.said(/ready/)
  await router.close()
  await close()
  await run.said(/\nDateService lost the router at ws:.*; reconnecting\n/)
  const alice = await (await listening(port)).client()
  await run.said(/reconnecting\nDateService ready in realm1 at ws:.*\n/)
  expect(await alice.call('com.example.getTodaysDate')).toBe('2016-05-14')
  expect(await run.kill('SIGINT').ended).toMatchObject({ code: 0, stderr: '' })
})

test('a signal ends a service that waits for the router', async () => {
  const { url, router, close } = await listening()
  const run = cli('run', 'date.mjs', '--url', url)
  await run.said(/ready/)
  await router.close()
  await close()
  await run.said(/reconnecting/)
  expect(await run.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
})

test('a router that no longer has the realm ends the service: trying again would not help', async () => {
  const { url, port, router, close } = await listening()
  const run = cli('run', 'date.mjs', '--url', url)
  await run.said(/ready/)
  await router.close()
  await close()
  await listening(port, ['other'])
  const { code, stderr } = await run.ended
  expect(stderr).toMatch(/^wampy-ts run: stopped, .*no_such_realm: .*\n$/)
  expect(code).toBe(1)
})

test('a class without declarations runs, with a warning', async () => {
  const { url } = await listening()
  const run = cli('run', 'silent.mjs', '--url', url)
  await run.said(/^Silent ready/)
  await run.said(/^Silent declares no procedure and no subscription: mark methods with @rpc .*\n$/, 'stderr')
  expect(await run.kill('SIGTERM').ended).toMatchObject({ code: 0 })
})

test('a procedure that another session has registered: one line, exit code 1, nothing left behind', async () => {
  const { url, router, client } = await listening()
  await (await client()).register('com.example.getTodaysDate', () => 1)
  const { code, stdout, stderr } = await cli('run', 'date.mjs', '--url', url).ended
  expect(stderr).toMatch(/^wampy-ts run: .*procedure_already_exists: .*com\.example\.getTodaysDate.*\n$/)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(router.stats()).toMatchObject({ sessions: 1, subscriptions: 0 })
})

test('no router, no realm: one line, exit code 1', async () => {
  const { url } = await listening()
  const gone = `ws://127.0.0.1:${await freePort()}/ws`
  const [one, two] = await Promise.all([
    cli('run', 'date.mjs', '--url', gone).ended,
    cli('run', 'date.mjs', '--url', url, '--realm', 'nowhere').ended,
  ])
  expect(one.stderr).toMatch(new RegExp(`^wampy-ts run: could not connect to ${gone}: .*\n$`))
  expect(two.stderr).toMatch(/^wampy-ts run: the router at .* has no realm "nowhere": .*\n$/)
  expect([one, two]).toMatchObject([
    { code: 1, stdout: '' },
    { code: 1, stdout: '' },
  ])
})

test.concurrent.each([
  [
    'nowhere.mjs:DateService',
    /there is no module nowhere\.mjs \(looked for .*\); expected path\/to\/module:ClassName$/,
  ],
  ['date.mjs:Clock', /date\.mjs exports no class Clock: name date\.mjs:DateService$/],
  ['several.mjs', /several\.mjs has several services: name several\.mjs:Clock or several\.mjs:DateService$/],
  ['none.mjs', /none\.mjs exports no class that extends WampClient; export a class that does$/],
  ['none.mjs:DateService', /DateService in none\.mjs does not extend WampClient; export a class that does$/],
  [
    'syntax.mjs:DateService',
    /syntax\.mjs could not be loaded: SyntaxError: Unexpected token '\{' .*node syntax\.mjs\)$/,
  ],
  [
    'decorated.mjs:DateService',
    /decorated\.mjs could not be loaded: SyntaxError: .*; or write static rpc = \['methodName'\] in place of @rpc$/,
  ],
  [
    'syntax.cjs:DateService',
    /syntax\.cjs could not be loaded: SyntaxError: Unexpected token '\{' \(at .*syntax\.cjs:2\)$/,
  ],
  ['name.mjs:DateService', /name\.mjs could not be loaded: SyntaxError: .*'WampKlient' \(at .*name\.mjs:1\)$/],
  ['missing.mjs:DateService', /missing\.mjs could not be loaded: .*'no-such-package'.* \(is it installed, .*\)$/],
  ['throws.mjs:DateService', /throws\.mjs could not be loaded: TypeError: .*null.* \(at .*throws\.mjs:2:8\)$/],
  ['broken.mjs:Broken', /Broken could not be constructed: no database$/],
])('%s cannot run: one line, exit code 1, no stack', async (module, expected) => {
  const { code, stdout, stderr } = await cli('run', module).ended
  expect(stderr).toMatch(/^wampy-ts run: .*\n$/)
  expect(stderr.trimEnd()).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test('a TypeScript module explains the loader, and runs with it', async () => {
  const { url } = await listening()
  const plain = await cli('run', 'date-service.ts:DateService', '--url', url).ended
  expect(plain.stderr).toMatch(
    /^wampy-ts run: date-service\.ts is TypeScript, .*node --import tsx \S+cli\.js run date-service\.ts:DateService --url .*compiled.*\n$/,
  )
  expect(plain).toMatchObject({ code: 1, stdout: '' })
  const run = cliWith({ node: ['--import', 'tsx'] }, 'run', 'date-service.ts:DateService', '--url', url)
  await run.said(/^registered com\.example\.getTodaysDate\nDateService ready/)
  expect(await run.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
})
