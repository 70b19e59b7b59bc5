/** Pages that a test writes: the script tag, the module, a worker, two tabs, and all four roles through a router. */

import type { Page } from '@playwright/test'
import { expect, type Program, type Site, test } from './support.ts'

/** The globals that the pages set for the test. */
declare global {
  // biome-ignore lint/suspicious/noExplicitAny: the page's script is not a module of ours
  var wampy: any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  var client: any
  var heard: unknown[]
}

const head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A plain page</title>'

/** A page with the script tag, joined. */
async function joined(page: Page, site: Site, router: Program): Promise<void> {
  const html = `${head}<script src="/wampy.min.js"></script>
    <script>
      const client = new wampy.WampClient({ router: '${router.url}' })
      globalThis.client = client
      globalThis.heard = []
      client.start()
    </script>`
  await page.goto(site.put('/plain.html', html))
  await page.waitForFunction(() => globalThis.client.state === 'ready')
}

test('a plain page with only the script tag calls and registers', async ({ page, site, router }) => {
  const html = `${head}<output></output>
    <script src="/wampy.min.js"></script>
    <script>
      const client = new wampy.RpcClient({ router: '${router.url}' })
      const callee = new wampy.WampClient({ router: '${router.url}' })
      callee.register('page.greet', ([name]) => 'Hello, ' + name)
      callee.start()
      client.rpc.e2e.add(1, 2).then((sum) => { document.querySelector('output').value = sum })
    </script>`
  await page.goto(site.put('/tag.html', html))
  await expect(page.locator('output')).toHaveText('3')
  const client = await router.client()
  await expect.poll(() => client.call('page.greet', ['Node']).catch((error) => error.uri)).toBe('Hello, Node')
})

test('the script tag leaves one name behind, with client and router', async ({ page, site }) => {
  const html = `${head}<script>before = Object.keys(globalThis)</script><script src="/wampy.min.js"></script>`
  await page.goto(site.put('/names.html', html))
  const added = await page.evaluate(() => {
    const { before } = globalThis as unknown as { before: string[] }
    return Object.keys(globalThis).filter((name) => !before.includes(name) && name !== 'before')
  })
  expect(added).toEqual(['wampy'])
  const names = ['WampClient', 'RpcClient', 'WampRouter', 'Router', 'WampError', 'linked', 'DEFAULT_REALM']
  expect(await page.evaluate((all) => all.filter((name) => !(name in globalThis.wampy)), names)).toEqual([])
})

test('a bare module script imports the self-contained module', async ({ page, site, router }) => {
  const html = `${head}<output></output>
    <script type="module">
      import { RpcClient, WampError } from '/wampy.mjs'
      const client = new RpcClient({ router: '${router.url}' })
      const sum = await client.rpc.e2e.add(20, 22)
      const refused = await client.rpc.nobody.answers().catch((error) => error)
      document.querySelector('output').value = sum + ' ' + refused.uri + ' ' + (refused instanceof WampError)
    </script>`
  await page.goto(site.put('/module.html', html))
  await expect(page.locator('output')).toHaveText('42 wamp.error.no_such_procedure true')
})

test('two tabs talk: one registers and publishes, the other calls and subscribes', async ({
  context,
  site,
  router,
}) => {
  const [one, other] = [await context.newPage(), await context.newPage()]
  await joined(one, site, router)
  await joined(other, site, router)
  await one.evaluate(() => globalThis.client.register('tab.square', ([x]: [number]) => x * x))
  await other.evaluate(() => globalThis.client.subscribe('tab.news', (args: unknown[]) => globalThis.heard.push(args)))
  expect(await other.evaluate(() => globalThis.client.call('tab.square', [12]))).toBe(144)
  await one.evaluate(() => globalThis.client.publish('tab.news', ['fresh', { n: 1 }]))
  await expect.poll(() => other.evaluate(() => globalThis.heard)).toEqual([['fresh', { n: 1 }]])
})

test('a page in all four roles, with Node at the other end', async ({ page, site, router }) => {
  await joined(page, site, router)
  const node = await router.client()
  const heard: unknown[] = []
  await node.subscribe('page.says', (args, kwargs) => heard.push([args, kwargs]))

  // Caller, with an error of its own.
  expect(await page.evaluate(() => globalThis.client.call('e2e.add', [2, 3]))).toBe(5)
  await node.register('node.fails', () => {
    throw new Error('boom')
  })
  const failed = await page.evaluate(() =>
    globalThis.client.call('node.fails').catch((error: { uri: string; message: string }) => [error.uri, error.message]),
  )
  expect(failed).toEqual(['wamp.error.runtime_error', 'boom'])

  // Callee.
  await page.evaluate(() =>
    globalThis.client.register(
      'page.echo',
      (args: unknown[], kwargs: object) => new globalThis.wampy.Result(args, kwargs),
    ),
  )
  const args = ['ü\u0000\u{1f600}', 2 ** 53 - 1, null, [true, { deep: {} }]]
  expect(await node.callRaw('page.echo', args, { unit: 'cm' })).toMatchObject({ args, kwargs: { unit: 'cm' } })
  const bytes = new Uint8Array([0, 1, 254, 255])
  expect(new Uint8Array(await node.call<Uint8Array>('page.echo', [bytes]))).toEqual(bytes)

  // Publisher, acknowledged.
  const id = await page.evaluate(() => globalThis.client.publish('page.says', ['hi'], { at: 1 }, { acknowledge: true }))
  expect(id).toEqual(expect.any(Number))
  await expect.poll(() => heard).toEqual([[['hi'], { at: 1 }]])

  // Subscriber, until it unsubscribes.
  await page.evaluate(async () => {
    const { client } = globalThis
    globalThis.wampy.subscription = await client.subscribe('node.says', (now: unknown[]) => globalThis.heard.push(now))
  })
  await node.publish('node.says', [1], {}, { acknowledge: true })
  await expect.poll(() => page.evaluate(() => globalThis.heard)).toEqual([[1]])
  const { subscriptions } = await router.holds()
  await page.evaluate(() => globalThis.wampy.subscription.unsubscribe())
  expect((await router.holds()).subscriptions).toBe(subscriptions - 1)
})

test('a client inside a worker', async ({ page, site, router }) => {
  site.put(
    '/worker.js',
    `importScripts('/wampy.min.js')
     const client = new wampy.WampClient({ router: '${router.url}' })
     client.subscribe('worker.news', ([text]) => postMessage(text)).then(async () => {
       await client.register('worker.double', ([x]) => 2 * x)
       postMessage(await client.call('e2e.add', [3, 4]))
     })
     client.start()`,
  )
  const html = `${head}<script>
      heard = []
      new Worker('/worker.js').onmessage = ({ data }) => heard.push(data)
    </script>`
  await page.goto(site.put('/worker.html', html))
  await expect.poll(() => page.evaluate(() => globalThis.heard)).toEqual([7])
  const node = await router.client()
  expect(await node.call('worker.double', [21])).toBe(42)
  await node.publish('worker.news', ['news'])
  await expect.poll(() => page.evaluate(() => globalThis.heard)).toEqual([7, 'news'])
})

for (const way of ['closes', 'leaves', 'reloads'] as const) {
  test(`a tab that ${way} takes its session, subscriptions and registrations with it`, async ({
    context,
    site,
    router,
  }) => {
    const before = await router.holds()
    const page = await context.newPage()
    await joined(page, site, router)
    await page.evaluate(async () => {
      await globalThis.client.register('page.here', () => true)
      await globalThis.client.subscribe('page.topic', () => {})
    })
    expect(await router.holds()).toEqual({
      ...before,
      sessions: before.sessions + 1,
      subscriptions: before.subscriptions + 1,
      registrations: before.registrations + 1,
    })
    if (way === 'closes') await page.close()
    else if (way === 'leaves') await page.goto(site.put('/elsewhere.html', head))
    else {
      await page.reload()
      await page.waitForFunction(() => globalThis.client.state === 'ready')
    }
    const sessions = before.sessions + (way === 'reloads' ? 1 : 0)
    await expect.poll(() => router.holds()).toEqual({ ...before, sessions })
  })
}

test('stop() sends GOODBYE, and the page may start again', async ({ page, site, router }) => {
  const before = await router.holds()
  await joined(page, site, router)
  await page.evaluate(() => globalThis.client.stop())
  expect(await router.holds()).toEqual(before)
  await page.evaluate(() => globalThis.client.start())
  expect((await router.holds()).sessions).toBe(before.sessions + 1)
})
