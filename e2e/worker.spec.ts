/** Routers in workers that serve the tabs of a page, and a page that reaches a router by long polls. */

import type { BrowserContext, Page } from '@playwright/test'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { expect, type Site, test } from './support.ts'

declare global {
  // biome-ignore lint/suspicious/noExplicitAny: the page's script is not a module of ours
  var client: any
}

const head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A plain page</title>'

const worker = `importScripts('/wampy.min.js')
  const router = new wampy.Router()
  wampy.acceptPorts(router)
  const inside = new wampy.WampClient({ router })
  inside.register('router.stats', () => router.stats())
  inside.start()`

/** A page that has joined the router in the worker that `made` makes. */
async function tab(context: BrowserContext, site: Site, made: string): Promise<Page> {
  site.put('/router.js', worker)
  const html = `${head}<script src="/wampy.min.js"></script>
    <script>
      const router = new wampy.WampRouter({ name: 'the worker', dial: wampy.portDial(${made}) })
      globalThis.client = new wampy.WampClient({ router })
      client.start()
    </script>`
  const page = await context.newPage()
  await page.goto(site.put('/tab.html', html))
  await page.waitForFunction(() => globalThis.client.state === 'ready')
  return page
}

const shared = "() => new SharedWorker('/router.js')"

/** How many sessions the worker's router has, its own among them. */
const sessions = (page: Page): Promise<number> =>
  page.evaluate(async () => (await globalThis.client.call('router.stats')).sessions)

test('a SharedWorker serves the tabs of a page: they call each other, and its router lists their sessions', async ({
  context,
  site,
}) => {
  const [one, other] = [await tab(context, site, shared), await tab(context, site, shared)]
  await one.evaluate(() => globalThis.client.register('tab.square', ([x]: [number]) => x * x))
  expect(await other.evaluate(() => globalThis.client.call('tab.square', [12]))).toBe(144)
  const bytes = await other.evaluate(async () => {
    await globalThis.client.register('tab.echo', ([value]: [unknown]) => value)
    return [...(await globalThis.client.call('tab.echo', [new Uint8Array([0, 255])]))]
  })
  expect(bytes).toEqual([0, 255])
  expect(await sessions(one)).toBe(3)
  await other.evaluate(() => globalThis.client.stop())
  await expect.poll(() => sessions(one)).toBe(2)
})

for (const way of ['is closed', 'is left', 'crashes'] as const) {
  test(`a tab that ${way} leaves the router of a SharedWorker`, async ({ context, site }) => {
    const [one, other] = [await tab(context, site, shared), await tab(context, site, shared)]
    await other.evaluate(() => globalThis.client.register('tab.here', () => true))
    expect(await sessions(one)).toBe(3)
    if (way === 'is closed') await other.close()
    else if (way === 'is left') await other.goto(site.put('/elsewhere.html', head))
    else {
      const cdp = await context.newCDPSession(other)
      // It answers nothing any more, not even this.
      cdp.send('Page.crash').catch(() => {})
      await other.waitForEvent('crash')
    }
    // Long before a ping could have revealed it.
    await expect.poll(() => sessions(one), { timeout: 5_000 }).toBe(2)
    expect(
      await one.evaluate(() => globalThis.client.call('tab.here').catch((error: { uri: string }) => error.uri)),
    ).toBe('wamp.error.no_such_procedure')
  })
}

test('a worker of one page serves its clients, and is made again after it died', async ({ context, site }) => {
  const made = "() => (globalThis.made = new Worker('/router.js'))"
  const page = await tab(context, site, made)
  expect(await sessions(page)).toBe(2)
  await page.evaluate(() => {
    const { made } = globalThis as unknown as { made: Worker }
    made.terminate()
  })
  // Told by the lock that the worker held, long before a ping could.
  await page.waitForFunction(() => globalThis.client.state === 'reconnecting')
  await page.waitForFunction(() => globalThis.client.state === 'ready')
  await expect.poll(() => sessions(page)).toBe(2)
})

test('a missing worker script is reported', async ({ page, site, console }) => {
  console.expect(/404|Failed to load/)
  const html = `${head}<script src="/wampy.min.js"></script>
    <script>
      globalThis.client = new wampy.WampClient({
        reconnect: false,
        router: new wampy.WampRouter({ dial: wampy.portDial(() => new Worker('/nothing.js')) }),
      })
    </script>`
  await page.goto(site.put('/broken.html', html))
  expect(await page.evaluate(() => globalThis.client.start().catch((error: Error) => error.message))).toBe(
    'could not reach the worker: its script could not be loaded, or threw',
  )
})

for (const dial of ['longPollDial()', 'batching(longPollDial())']) {
  test(`a page reaches a router of another origin by long polls: ${dial}`, async ({ page, site, console }) => {
    const router = new Router()
    const origin = new URL(site.put('/x', '')).origin
    const served = await serve(router, { port: 0, longPoll: { origins: [origin] } })
    try {
      const html = `${head}<script src="/wampy.min.js"></script>
        <script>
          const { longPollDial, batching } = wampy
          const router = new wampy.WampRouter({ url: '${served.longPollUrl}', dial: ${dial} })
          globalThis.client = new wampy.WampClient({ router })
          client.start()
        </script>`
      await page.goto(site.put('/polls.html', html))
      await page.waitForFunction(() => globalThis.client.state === 'ready')
      const sums = await page.evaluate(async () => {
        await globalThis.client.register('page.double', ([x]: [number]) => 2 * x)
        return Promise.all([1, 2, 3].map((x) => globalThis.client.call('page.double', [x])))
      })
      expect(sums).toEqual([2, 4, 6])
      await page.evaluate(() => globalThis.client.stop())
      await expect.poll(() => router.links).toBe(0)
      const refused = await serve(router, { port: 0, longPoll: true })
      console.expect(/CORS|Failed to load/)
      const status = await page.evaluate(
        (url) => fetch(`${url}/open`, { method: 'POST', body: '{"protocols":["wamp.2.json"]}' }).catch(() => 'refused'),
        refused.longPollUrl,
      )
      expect(status).toBe('refused')
      expect(router.links).toBe(0)
      await refused.close()
    } finally {
      await served.close()
    }
  })
}
