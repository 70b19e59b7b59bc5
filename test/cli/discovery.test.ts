/** `wampy-ts list` and `wampy-ts describe`: the procedures of a realm, as text and as JSON; also over RawSocket. */
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { description } from '../../src/client/service/description.ts'
import { WampClient } from '../../src/client/wamp-client.ts'
import { serveRawSocket } from '../../src/node/rawsocket-serve.ts'
import { serve } from '../../src/node/serve.ts'
import { Router } from '../../src/router/router.ts'
import { cert, key } from '../node/certificate.ts'
import { cli, cliWith, here, listening, write } from './support.ts'

class Shop extends WampClient {
  static prefix = 'com.example.shop'
  static describe = description
  static doc = 'Sells tea.\nAnd cups.'
  static rpc = {
    price: { doc: 'What a number of articles costs.' },
    order: { uri: 'com.example.order' },
    any: { uri: 'com.example.any', match: 'prefix', doc: 'Line\u001b[31m one\n  line two' },
  }
  static subscribe = {
    reset: { uri: 'com.example.reset', doc: 'Forgets all orders.' },
    each: { uri: 'com..tick', match: 'wildcard' },
  }
  price(_article: string, _count = 1): number {
    return 3
  }
  async *order(..._articles: string[]): AsyncGenerator<string> {}
  any(): void {}
  reset(): void {}
  each(): void {}
}

async function opened() {
  const at = await listening()
  const shop = new Shop({ router: at.router })
  await shop.start()
  onTestFinished(() => shop.stop())
  return { ...at, at: ['--url', at.url] }
}

beforeAll(() => {
  write('ca.pem', cert)
  write(
    'date.cjs',
    `exports.DateService = class DateService extends require('wampy-ts').WampClient {
      static rpc = { today: 'com.example.today' }
      today() { return '2016-05-14' }
    }`,
  )
})

test('list prints aligned lines, sorted by URI', async () => {
  const { at, client } = await opened()
  await (await client()).register('', () => 1, { match: 'prefix' })
  expect(await cli('list', ...at).ended).toEqual({
    code: 0,
    stdout: `""                               prefix  single
com.example.any                  prefix  single
com.example.order                exact   single
com.example.shop.price           exact   single
com.example.shop.wampy.describe  exact   roundrobin
`,
    stderr: '',
  })
})

test('list --json prints a line of JSON for each procedure', async () => {
  const { at } = await opened()
  const { code, stdout, stderr } = await cli('list', '--json', ...at).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  const common = { id: expect.any(Number), invoke: 'single', created: expect.stringMatching(/^\d{4}-.*Z$/) }
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { ...common, uri: 'com.example.any', match: 'prefix' },
    { ...common, uri: 'com.example.order', match: 'exact' },
    { ...common, uri: 'com.example.shop.price', match: 'exact' },
    { ...common, uri: 'com.example.shop.wampy.describe', match: 'exact', invoke: 'roundrobin' },
  ])
})

test('list prints nothing for an empty realm, and no control character of a URI', async () => {
  const { url, client } = await listening()
  expect(await cli('list', '--url', url).ended).toEqual({ code: 0, stdout: '', stderr: '' })
  await (await client()).register('com.\u001b[31mred', () => 1)
  expect((await cli('list', '--url', url).ended).stdout).toBe('com. [31mred  exact  single\n')
})

test.each([['list'], ['list', '--json']])(
  '%s %s at a router without the meta API: one line, exit code 1',
  async (...args) => {
    const router = new Router({ roles: ['dealer'] })
    const served = await serve(router, { port: 0 })
    onTestFinished(async () => {
      await router.close()
      await served.close()
    })
    const text = 'the router has no registration meta API'
    const error = { uri: 'wamp.error.feature_not_supported', message: text, args: [text], kwargs: {} }
    expect(await cli(...args, '--url', served.url).ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `${args.includes('--json') ? JSON.stringify({ error }) : `${error.uri}: ${text}`}\n`,
    })
  },
)

test.each(['com.example.shop', 'com.example.shop.wampy.describe'])(
  'describe %s prints the whole description',
  async (prefix) => {
    const { at } = await opened()
    expect(await cli('describe', prefix, ...at).ended).toEqual({
      code: 0,
      stdout: `Shop (com.example.shop)
Sells tea.
And cups.

Procedures:
  com.example.shop.price(_article, _count?)
    What a number of articles costs.
  com.example.order(..._articles)  stream
  com.example.any()  prefix
    Line [31m one
    line two

Topics:
  com.example.reset
    Forgets all orders.
  com..tick  wildcard
`,
      stderr: '',
    })
  },
)

test('describe --json prints the description as one line', async () => {
  const { at } = await opened()
  const { code, stdout, stderr } = await cli('describe', 'com.example.shop', '--json', ...at).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^[^\n]*\n$/)
  expect(JSON.parse(stdout)).toMatchObject({
    service: 'Shop',
    prefix: 'com.example.shop',
    procedures: [
      { uri: 'com.example.shop.price', parameters: [{ name: '_article' }, { name: '_count', optional: true }] },
      { uri: 'com.example.order', stream: true },
      { uri: 'com.example.any', match: 'prefix' },
    ],
    topics: [{ uri: 'com.example.reset' }, { uri: 'com..tick' }],
  })
})

test('a service without declarations has a short description', async () => {
  class Silent extends WampClient {
    static prefix = 'com.silent'
    static describe = description
  }
  const { router, url } = await listening()
  await using silent = new Silent({ router })
  await silent.start()
  expect((await cli('describe', 'com.silent', '--url', url).ended).stdout).toBe('Silent (com.silent)\n')
})

test('describe without a description, or with an invalid one: one line, exit code 1', async () => {
  const { url, client } = await listening()
  const alice = await client()
  await alice.register('com.text.wampy.describe', () => 'tea')
  await alice.register('com.odd.wampy.describe', () => ({ topics: [], procedures: [{ parameters: 'none' }] }))
  await alice.register('com.never.wampy.describe', () => new Promise(() => {}))
  const answers = [
    [['com.none'], /^wamp\.error\.no_such_procedure: no service describes itself under com\.none .*\n$/],
    [['com..none'], /^wamp\.error\.invalid_uri: .*\n$/],
    [[''], /^wampy\.error\.usage: .*prefix.*\n$/],
    [['com.text'], /^wampy-ts describe: com\.text\.wampy\.describe returned a value that is not a description\n$/],
    [['com.odd'], /^wampy-ts describe: .* not a description\n$/],
    [['com.odd', '--json'], /^\{"error":\{"message":"com\.odd.* not a description"\}\}\n$/],
    [['com.never', '--timeout', '50'], /^wamp\.error\.timeout: .*50 ms.*\n$/],
  ] as const
  await Promise.all(
    answers.map(async ([args, expected]) => {
      const { code, stdout, stderr } = await cli('describe', ...args, '--url', url).ended
      expect(stderr).toMatch(expected)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    }),
  )
})

test('list and describe leave no session behind', async () => {
  const { at, router } = await opened()
  await cli('list', ...at).ended
  await cli('describe', 'com.example.shop', ...at).ended
  expect(router.stats()).toMatchObject({ sessions: 1, calls: 0 })
})

test.each(['json', 'cbor', 'msgpack'])('over RawSocket in %s: rs, rss and unix', async (name) => {
  const { router, port } = await listening()
  const service = cli('run', './date.cjs', '--url', `rs://127.0.0.1:${port}`, '--serializer', name)
  await service.said(/registered com\.example\.today\n/)
  const local = await serveRawSocket(router, { path: here(`${name}.sock`) })
  const secure = await serveRawSocket(router, { port: 0, tls: { key, cert } })
  onTestFinished(async () => {
    await Promise.all([local.close(), secure.close()])
  })
  const env = { NODE_EXTRA_CA_CERTS: here('ca.pem') }
  for (const url of [`rs://127.0.0.1:${port}`, secure.url, local.url]) {
    const { code, stdout, stderr } = await cliWith(
      { env },
      ...['call', 'com.example.today', '--url', url, '--serializer', name],
    ).ended
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '"2016-05-14"\n', stderr: '' })
  }
  expect(await service.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
})
