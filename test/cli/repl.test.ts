/** `wampy repl`: lines piped in, a client at hand, a clean end. */
import { expect, test } from 'vitest'
import { listening, wampy } from './support.ts'

test('everything is imported, client is started, await works, and the end of the input ends it', async () => {
  const { url, client, router } = await listening()
  await (await client()).register('com.example.add', ([a, b]) => (a as number) + (b as number))
  const repl = wampy('repl', '--url', url)
  repl.child.stdin?.end(`
    await client.rpc.com.example.add(1, 2)
    client instanceof WampClient && client.state
    class DateService extends WampClient { static rpc = ['today']; today() { return new Date(0) } }
    const router = new Router({ realms: [DEFAULT_REALM] })
    const served = await serve(router, { port: 0 })
    const service = new DateService({ router: new WampRouter({ url: served.url }), realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
    await service.start()
    getRegisteredEntrypoints().size
    const other = new RpcClient({ service: DateService, router: served.url })
    await other.rpc.today()
    await client.rpc.com.example.none()
    typeof rpc + typeof subscribe
  `)
  const { code, stdout, stderr } = await repl.ended
  expect(stdout).toContain("3\n'ready'\n")
  expect(stdout).toContain("\n1\nundefined\n'1970-01-01T00:00:00.000Z'\n")
  expect(stdout).toContain('no_such_procedure')
  expect(stdout).toContain("'functionfunction'\n")
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(router.stats()).toMatchObject({ sessions: 1 })
})

test('.exit and SIGTERM leave cleanly', async () => {
  const { url, router } = await listening()
  const first = wampy('repl', '--url', url)
  first.child.stdin?.write('.exit\n')
  expect(await first.ended).toEqual({ code: 0, stdout: '', stderr: '' })
  const second = wampy('repl', '--url', url)
  second.child.stdin?.write('client.state\n')
  await second.said(/ready/)
  expect(await second.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
  expect(router.stats()).toMatchObject({ sessions: 0 })
})
