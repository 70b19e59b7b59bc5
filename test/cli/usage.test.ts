/** Help, versions, and command lines that are wrong: one line, one hint, an exit code. */
import { expect, test } from 'vitest'
import { targetOf } from '../../src/cli/service-module.ts'
import { argument, shown } from '../../src/cli/value.ts'
import { freePort, here, listening, manifest, wampy, wampyWith } from './support.ts'

const COMMANDS = ['router', 'run', 'call', 'publish', 'subscribe', 'list', 'describe', 'repl']

test('--version prints the version', async () => {
  expect(await wampy('--version').ended).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
})

test('--help lists every command, and each has help with an example', async () => {
  const all = await wampy('--help').ended
  expect(all).toMatchObject({ code: 0, stderr: '' })
  await Promise.all(
    COMMANDS.map(async (name) => {
      expect(all.stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'))
      const one = await wampy(name, '--help').ended
      expect(one).toMatchObject({ code: 0, stderr: '' })
      expect(one.stdout).toMatch(new RegExp(`^Usage: wampy ${name} .*Examples:\n {2}.*wampy ${name}`, 's'))
    }),
  )
})

test.concurrent.each([
  [[], /^wampy: a command is missing; there are router, .*--help\)\n$/],
  [['rooter'], /^wampy: there is no command "rooter"; there are router, .*--help\)\n$/],
  [['call'], /^wampy call: <procedure> is missing \(see wampy call --help\)\n$/],
  [['call', 'a.b', '--colour'], /^wampy call: there is no option --colour \(see wampy call --help\)\n$/],
  [['call', 'a.b', '--timeout'], /^wampy call: .*--timeout.*missing.*\n$/],
  [['call', 'a.b', '--timeout', '-5'], /^wampy call: --timeout must be a whole number, .* got "-5".*\n$/],
  [['call', 'a.b', '--url', 'localhost'], /^wampy call: "localhost" is no address of a router.*ws:\/\/.*\n$/],
  [['call', 'a.b', '--realm', 'a b'], /^wampy call: "a b" is no URI of a realm.*\n$/],
  [['call', 'a.b', '--serializer', 'xml'], /^wampy call: --serializer must be json, cbor, msgpack, got "xml".*\n$/],
  [['subscribe', 'a.b', 'c.d'], /^wampy subscribe: "c.d" is one argument too many.*\n$/],
  [['subscribe', 'a.b', '--count', '0'], /^wampy subscribe: --count must be a whole number, 1 or more, got "0".*\n$/],
  [['subscribe', 'a.b', '--match', 'fuzzy'], /^wampy subscribe: --match must be exact, .* got "fuzzy".*\n$/],
  [['call', 'a.b', '--url', 'rs://localhost'], /^wampy call: "rs:\/\/localhost" is no address of a RawSocket: .*\n$/],
  [['call', 'a.b', '--url', 'unix:a.sock'], /^wampy call: "unix:a.sock" is no address .*unix:\/path.*\n$/],
  [['list', 'a.b'], /^wampy list: "a.b" is one argument too many.*\n$/],
  [['list', '--timeout', '0'], /^wampy list: --timeout must be a whole number, .* got "0".*\n$/],
  [['describe'], /^wampy describe: <prefix> is missing \(see wampy describe --help\)\n$/],
  [['router', '--port', '70000'], /^wampy router: --port must be a whole number, 0 to 65535, got "70000".*\n$/],
])('%j is a wrong command line: exit code 2', async (args, expected) => {
  const { code, stdout, stderr } = await wampy(...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

const JOINING = [['call', 'a.b'], ['publish', 'a.b'], ['subscribe', 'a.b'], ['list'], ['describe', 'a.b'], ['repl']]

test('a router that is not there: one line says what to do, exit code 1', async () => {
  const url = `ws://127.0.0.1:${await freePort()}/ws`
  await Promise.all(
    JOINING.map(async (args) => {
      const { code, stdout, stderr } = await wampy(...args, '--url', url).ended
      expect(stderr).toMatch(
        new RegExp(`^wampy ${args[0]}: could not connect to ${url}: .*REFUSED.*"wampy router".*\n$`),
      )
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    }),
  )
})

test('a RawSocket that is not there: one line says what to do, exit code 1', async () => {
  for (const url of [`rs://127.0.0.1:${await freePort()}`, `unix:${here('nobody.sock')}`]) {
    const { code, stdout, stderr } = await wampy('call', 'a.b', '--url', url).ended
    expect(stderr).toMatch(/^wampy call: could not connect to (rs|unix):.*(REFUSED|ENOENT).*"wampy router".*\n$/)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  }
})

test('a realm that is not there: one line says what to do, exit code 1', async () => {
  const { url } = await listening()
  await Promise.all(
    JOINING.map(async (args) => {
      const { code, stdout, stderr } = await wampy(...args, '--url', url, '--realm', 'nowhere').ended
      expect(stderr).toBe(
        `wampy ${args[0]}: the router at ${url} has no realm "nowhere": name one that it has with --realm\n`,
      )
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    }),
  )
})

test('a server of something else: one line, exit code 1', async () => {
  const { url } = await listening()
  const { code, stderr } = await wampy('call', 'a.b', '--url', `${url}/elsewhere`).ended
  expect(stderr).toMatch(
    /^wampy call: could not connect to .*404; check that a router listens there, at this path.*\n$/,
  )
  expect(code).toBe(1)
})

test('WAMPY_URL and WAMPY_REALM stand in for the options', async () => {
  const { url, client } = await listening(0, ['internal'])
  await (await client()).register('com.add', ([a, b]) => (a as number) + (b as number))
  const env = { WAMPY_URL: url, WAMPY_REALM: 'internal' }
  expect(await wampyWith({ env }, 'call', 'com.add', '1', '2').ended).toEqual({ code: 0, stdout: '3\n', stderr: '' })
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
  expect(targetOf(text)).toEqual({ path, className })
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
  expect(argument(text)).toEqual(value)
  if (typeof value !== 'string') expect(shown(value)).toBe(text)
})

test('what JSON has no word for is shown as null', () => {
  expect(shown([undefined, Number.NaN, null])).toBe('[null,null,null]')
})
