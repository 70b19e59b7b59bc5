/** The server is killed and comes back on the same port. */

import { changes, expect, Program, seesToday, test, UNREACHABLE } from './support.ts'

test('calls in flight settle, and subscriptions and registrations come back', async ({
  page,
  site,
  router,
  console,
}) => {
  console.expect(UNREACHABLE)
  const html = `<!doctype html><html lang="en"><title>Survivor</title><script src="/wampy.min.js"></script>
    <script>
      const client = new wampy.WampClient({ router: '${router.url}', reconnect: { max: 500 } })
      globalThis.client = client
      globalThis.heard = []
      client.start({ timeout: 0 })
      client.register('page.never', () => new Promise(() => {}))
      client.register('page.double', ([x]) => 2 * x)
      client.subscribe('news', ([text]) => heard.push(text))
    </script>`
  await page.goto(site.put('/survivor.html', html))
  await page.waitForFunction(
    () => globalThis.client.state === 'ready' && globalThis.client.registrations.every((it: { id?: number }) => it.id),
  )
  const before = await router.holds()

  const calls = page.evaluate(() =>
    Promise.all(
      Array.from({ length: 100 }, () =>
        globalThis.client.call('page.never').catch((error: { uri: string; sent: boolean }) => [error.uri, error.sent]),
      ),
    ),
  )
  await expect.poll(async () => (await router.holds()).calls).toBe(100)
  await router.end('SIGKILL')
  expect(new Set((await calls).map(String))).toEqual(new Set(['wampy.error.connection_lost,true']))
  await page.waitForFunction(() => globalThis.client.state === 'reconnecting')
  const refused = await page.evaluate(() =>
    globalThis.client
      .call('page.double', [1])
      .catch((error: { uri: string; sent: boolean }) => [error.uri, error.sent]),
  )
  expect(refused).toEqual(['wampy.error.not_joined', false])

  await router.start()
  await page.waitForFunction(() => globalThis.client.state === 'ready')
  await expect.poll(() => router.holds()).toEqual({ ...before, calls: 0 })
  const node = await router.client()
  expect(await node.call('page.double', [21])).toBe(42)
  await node.publish('news', ['back'])
  await expect.poll(() => page.evaluate(() => globalThis.heard)).toEqual(['back'])
})

test('the demo shows it: reconnecting with attempt and delay, then ready and ticking', async ({ page, console }) => {
  console.expect(UNREACHABLE)
  const demo = await Program.demo()
  try {
    await page.goto(demo.address)
    await seesToday(page)
    const badge = page.locator('#badge')
    await expect(badge).toHaveAttribute('data-state', 'ready')
    await demo.end('SIGKILL')
    await expect(badge).toHaveAttribute('data-state', 'reconnecting')
    await expect(badge).toContainText(/reconnecting, attempt [2-9] in \d\.\d s/)
    await expect(page.locator('#today')).toHaveText(/^\d{4}-/)
    await demo.start()
    await expect(badge).toHaveAttribute('data-state', 'ready')
    await expect(badge).toHaveText(/^ready\s*$/)
    await changes(page, '#clock')
    await page.getByRole('button', { name: 'Call it' }).click()
    await expect(page.locator('#answer .result')).toHaveText(/^\d{4}-/)
  } finally {
    await demo.dispose()
  }
})
