/** Help, the version, and wrong command lines: one line, one hint, an exit code. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { formatJson, parseArgument } from '../../src/cli/json-value.ts'
import { serviceReference } from '../../src/cli/service-module.ts'
import { cli, cliWith, freePort, here, listening, manifest } from './support.ts'

const COMMANDS = [
  'router',
  'run',
  'call',
  'publish',
  'register',
  'subscribe',
  'context',
  'list',
  'describe',
  'repl',
  'completion',
]

test('--version prints the version', async () => {
  expect(await cli('--version').ended).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
})

test('-h prints help after arguments and options too', async () => {
  const { code, stdout } = await cli('call', 'a.b', '1', '--timeout', '5', '-h').ended
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Usage: wampy-ts call /)
})

test('--help lists every command, and each has help with an example', async () => {
  const all = await cli('--help').ended
  expect(all).toMatchObject({ code: 0, stderr: '' })
  await Promise.all(
    COMMANDS.map(async (name) => {
      expect(all.stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'))
      const one = await cli(name, '--help').ended
      // `-h` does not need the required arguments.
      expect(await cli(name, '-h').ended).toEqual(one)
      expect(await cli('help', name).ended).toEqual(one)
      expect(one).toMatchObject({ code: 0, stderr: '' })
      expect(one.stdout).toMatch(new RegExp(`^Usage: wampy-ts ${name} .*Examples:\n {2}.*wampy-ts ${name}`, 's'))
    }),
  )
})

test('docs/cli.md lists every command', async () => {
  const { stdout } = await cli('--help').ended
  const [, list = ''] = /^Commands:\n(.*?)\n\n/ms.exec(stdout) ?? []
  const names = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name)
  const page = await readFile('docs/cli.md', 'utf8')
  expect(names).toEqual(expect.arrayContaining(COMMANDS))
  expect(names.filter((name) => !new RegExp(`^\\|.*\`${name}[ \`]`, 'm').test(page))).toEqual([])
})

test.concurrent.each([
  [[], /^wampy-ts: a command is missing; the commands are router, .*--help\)\n$/],
  [['rooter'], /^wampy-ts: there is no command "rooter"; the commands are router, .*--help\)\n$/],
  [['call'], /^wampy-ts call: <procedure> is missing \(see wampy-ts call --help\)\n$/],
  [['call', 'a.b', '--colour'], /^wampy-ts call: there is no option --colour \(see wampy-ts call --help\)\n$/],
  [['call', 'a.b', '--timeout'], /^wampy-ts call: .*--timeout.*missing.*\n$/],
  [['call', 'a.b', '--timeout', '-5'], /^wampy-ts call: --timeout must be a whole number, .* got "-5".*\n$/],
  [['call', 'a.b', '--url', 'localhost'], /^wampy-ts call: "localhost" is not an address of a router.*ws:\/\/.*\n$/],
  [['call', 'a.b', '--url', '/ws'], /^wampy-ts call: "\/ws" is not an address of a router: .*ws:\/\/.*\n$/],
  [['call', 'a.b', '--realm', 'a b'], /^wampy-ts call: "a b" is not a valid URI of a realm.*\n$/],
  [['call', 'a.b', '--serializer', 'xml'], /^wampy-ts call: --serializer must be json, cbor, msgpack, got "xml".*\n$/],
  [['subscribe', 'a.b', 'c.d'], /^wampy-ts subscribe: "c.d" is one argument too many.*\n$/],
  [
    ['subscribe', 'a.b', '--count', '0'],
    /^wampy-ts subscribe: --count must be a whole number, 1 or more, got "0".*\n$/,
  ],
  [['subscribe', 'a.b', '--match', 'fuzzy'], /^wampy-ts subscribe: --match must be exact, .* got "fuzzy".*\n$/],
  [
    ['call', 'a.b', '--url', 'rs://localhost'],
    /^wampy-ts call: "rs:\/\/localhost" is not a valid RawSocket address: .*\n$/,
  ],
  [['call', 'a.b', '--url', 'unix:a.sock'], /^wampy-ts call: "unix:a.sock" is not a valid .*unix:\/path.*\n$/],
  [['list', 'a.b'], /^wampy-ts list: "a.b" is one argument too many.*\n$/],
  [['list', '--timeout', '0'], /^wampy-ts list: --timeout must be a whole number, .* got "0".*\n$/],
  [['describe'], /^wampy-ts describe: <prefix> is missing \(see wampy-ts describe --help\)\n$/],
  [['router', '--port', '70000'], /^wampy-ts router: --port must be a whole number, 0 to 65535, got "70000".*\n$/],
])('%j is a wrong command line: exit code 2', async (args, expected) => {
  const { code, stdout, stderr } = await cli(...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

const JOINING = [['call', 'a.b'], ['publish', 'a.b'], ['subscribe', 'a.b'], ['list'], ['describe', 'a.b'], ['repl']]

test('no router at the URL: one line with a hint, exit code 1', async () => {
  const url = `ws://127.0.0.1:${await freePort()}/ws`
  await Promise.all(
    JOINING.map(async (args) => {
      const { code, stdout, stderr } = await cli(...args, '--url', url).ended
      expect(stderr).toMatch(
        new RegExp(`^wampy-ts ${args[0]}: could not connect to ${url}: .*REFUSED.*"wampy-ts router".*\n$`),
      )
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    }),
  )
})

test('no router at the RawSocket address: one line with a hint, exit code 1', async () => {
  for (const url of [`rs://127.0.0.1:${await freePort()}`, `unix:${here('nobody.sock')}`]) {
    const { code, stdout, stderr } = await cli('call', 'a.b', '--url', url).ended
    expect(stderr).toMatch(/^wampy-ts call: could not connect to (rs|unix):.*(REFUSED|ENOENT).*"wampy-ts router".*\n$/)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  }
})

test('a realm that does not exist: one line with a hint, exit code 1', async () => {
  const { url } = await listening()
  await Promise.all(
    JOINING.map(async (args) => {
      const { code, stdout, stderr } = await cli(...args, '--url', url, '--realm', 'nowhere').ended
      expect(stderr).toBe(
        `wampy-ts ${args[0]}: the router at ${url} has no realm "nowhere": name an existing one with --realm\n`,
      )
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    }),
  )
})

test('a server that is not a router: one line, exit code 1', async () => {
  const { url } = await listening()
  const { code, stderr } = await cli('call', 'a.b', '--url', `${url}/elsewhere`).ended
  expect(stderr).toMatch(
    /^wampy-ts call: could not connect to .*the server answered 404 Not Found; check that a router listens there, at this path.*\n$/,
  )
  expect(code).toBe(1)
})

test('WAMPY_URL and WAMPY_REALM are defaults of the options', async () => {
  const { url, client } = await listening(0, ['internal'])
  await (await client()).register('com.add', ([a, b]) => (a as number) + (b as number))
  const env = { WAMPY_URL: url, WAMPY_REALM: 'internal' }
  expect(await cliWith({ env }, 'call', 'com.add', '1', '2').ended).toEqual({ code: 0, stdout: '3\n', stderr: '' })
})

test.each([
  ['./date.mjs:DateService', './date.mjs', 'DateService'],
  ['date', 'date', undefined],
  ['/a:b/date.js', '/a:b/date.js', undefined],
  ['C:\\services\\date.mjs', 'C:\\services\\date.mjs', undefined],
  ['C:\\services\\date.mjs:DateService', 'C:\\services\\date.mjs', 'DateService'],
  ['C:/date.mjs:$Date_1', 'C:/date.mjs', '$Date_1'],
  ['C:date', 'C:date', undefined],
  ['dienste.mjs:Übersetzer', 'dienste.mjs', 'Übersetzer'],
])('%s names the module %s and the class %s', (text, path, className) => {
  expect(serviceReference(text)).toEqual({ path, className })
})

test.each<[string, unknown]>([
  ['1', 1],
  ['"1"', '1'],
  ['one', 'one'],
  ['', ''],
  ['007', '007'],
  ['{"a":[true,null]}', { a: [true, null] }],
  ['9007199254740993', 9007199254740993n],
  ['"\\u0000AQID"', new Uint8Array([1, 2, 3])],
  ['{"key":"\\u0000AQID"}', { key: new Uint8Array([1, 2, 3]) }],
])('the argument %s', (text, value) => {
  expect(parseArgument(text)).toEqual(value)
  if (typeof value !== 'string') expect(formatJson(value)).toBe(text)
})

test('a value that JSON cannot represent is printed as null', () => {
  expect(formatJson([undefined, Number.NaN, null])).toBe('[null,null,null]')
})
