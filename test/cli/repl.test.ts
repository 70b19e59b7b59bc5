/** `wampy-ts repl`: piped lines, a terminal, and how it ends. */
import { readFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cli, here, listening, terminal } from './support.ts'

test('everything is imported, the client is started, await works, and the end of the input ends it', async () => {
  const { url, client, router } = await listening()
  await (await client()).register('com.example.add', ([a, b]) => (a as number) + (b as number))
  const repl = cli('repl', '--url', url)
  repl.child.stdin?.end(`
    await client.rpc.com.example.add(1, 2)
    client instanceof Client && client.state
    class DateService extends WampClient { static rpc = ['today']; today() { return new Date(0) } }
    const router = new Router({ realms: [DEFAULT_REALM] })
    const served = await serve(router, { port: 0 })
    const service = new DateService({ router: new WampRouter({ url: served.url }), realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
    await service.start()
    getRegisteredEntrypoints().size
    const other = new RpcClient({ service: DateService, router: served.url })
    await other.rpc.today()
    typeof rpc + typeof subscribe
  `)
  const { code, stdout, stderr } = await repl.ended
  expect(stdout).toContain("3\n'ready'\n")
  expect(stdout).toContain("\n1\nundefined\n'1970-01-01T00:00:00.000Z'\n")
  expect(stdout).toContain("'functionfunction'\n")
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(router.stats()).toMatchObject({ sessions: 1 })
})

test('.exit and SIGTERM leave cleanly', async () => {
  const { url, router } = await listening()
  const first = cli('repl', '--url', url)
  first.child.stdin?.write('.exit\n')
  expect(await first.ended).toEqual({ code: 0, stdout: '', stderr: '' })
  const second = cli('repl', '--url', url)
  second.child.stdin?.write('client.state\n')
  await second.said(/ready/)
  expect(await second.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
  expect(router.stats()).toMatchObject({ sessions: 0 })
})

test.each([
  ['throw new Error("boom")', 'a line of the input failed: boom'],
  ['await Promise.reject(new TypeError("later"))', 'a line of the input failed: later'],
  ['throw undefined', 'a line of the input failed: undefined'],
  [')(', "a line of the input failed: Unexpected token ')'"],
  [
    'await client.rpc.com.example.none()',
    'a line of the input failed: wamp.error.no_such_procedure: no callee is registered for "com.example.none"',
  ],
])('a piped line that fails, %s: the next line runs, and the exit code is 1', async (line, expected) => {
  const { url } = await listening()
  const repl = cli('repl', '--url', url)
  repl.child.stdin?.end(`${line}\n'next'\n`)
  const { code, stdout, stderr } = await repl.ended
  expect(stdout).toMatch(/Uncaught/)
  expect(stdout).toMatch(/'next'\n$/)
  expect({ code, stderr }).toEqual({ code: 1, stderr: `wampy-ts repl: ${expected}\n` })
})

test.each(['const sum = add(1,', '{'])('input that ends within a statement, %s: exit code 1', async (line) => {
  const { url } = await listening()
  const repl = cli('repl', '--url', url)
  repl.child.stdin?.end(`'complete'\n${line}\n`)
  const { code, stderr } = await repl.ended
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'wampy-ts repl: the input ended within a statement\n' })
})

test('a statement of several lines is complete at its last one', async () => {
  const { url } = await listening()
  const repl = cli('repl', '--url', url)
  repl.child.stdin?.end('[1, 2].map((n) => {\n  return n * 2\n})\n')
  expect(await repl.ended).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('[ 2, 4 ]\n') })
})

test('a client is printed on one line, also within a value', async () => {
  const { url } = await listening()
  const repl = cli('repl', '--url', url)
  repl.child.stdin?.end(`
    client
    class Clock extends WampClient {}
    ;[new Clock({ name: 'clock' })]
  `)
  const { stdout } = await repl.ended
  expect(stdout).toMatch(/^RpcClient \{ wampy-ts repl: ready, session \d+ in realm1 \}$/m)
  expect(stdout).toContain('[ Clock { clock: stopped } ]\n')
})

test.runIf(process.platform === 'linux')(
  'in a terminal, Tab completes procedures, and lines are kept for the next console',
  async () => {
    const { url, client } = await listening()
    const alice = await client()
    await alice.register('tea.shop.sum', ([a, b]) => (a as number) + (b as number))
    await alice.register('tea.shop.pattern', () => 0, { match: 'prefix' })
    const history = here('history')
    const first = terminal({ WAMPY_HISTORY: history }, 'repl', '--url', url)
    await first.said(/wampy> /)
    first.child.stdin?.write('await client.rpc.tea.\t')
    await first.said(/shop\.sum/)
    first.child.stdin?.write('(20, 22)\r')
    await first.said(/\n42\r?\n/)
    // Other names are completed by Node.
    first.child.stdin?.write('DEFAULT_REA\t')
    await first.said(/REA\S*LM/)
    first.child.stdin?.write('\r')
    await first.said(/\n'realm1'\r?\n/)
    first.child.stdin?.write('.exit\r')
    expect((await first.ended).code).toBe(0)
    expect(readFileSync(history, 'utf8').split('\n')).toEqual(
      expect.arrayContaining(['DEFAULT_REALM', 'await client.rpc.tea.shop.sum(20, 22)']),
    )
    expect(statSync(history).mode & 0o077).toBe(0)

    const second = terminal({ WAMPY_HISTORY: history }, 'repl', '--url', url)
    await second.said(/wampy> /)
    second.child.stdin?.write('\u001b[A')
    await second.said(/DEFAULT_REALM|\.exit/)
    second.child.stdin?.write('\u0015.exit\r')
    expect((await second.ended).code).toBe(0)
  },
)
