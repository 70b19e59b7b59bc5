/** The demo's page with a server, and the program behind it. */

import { spawnSync } from 'node:child_process'
import { get } from 'node:http'
import { changes, expect, Program, seesToday, test, UNREACHABLE } from './support.ts'

test('the page shows the date that Node returns', async ({ page, demo }) => {
  await page.goto(demo.address)
  await seesToday(page)
  await expect(page.locator('#badge')).toContainText('ready')
  await expect(page.locator('#asked')).toContainText('answered in')
})

test('the clock ticks', async ({ page, demo }) => {
  await page.goto(demo.address)
  await expect(page.locator('#clock')).toHaveText(/^\d\d:\d\d:\d\d$/)
  await changes(page, '#clock')
  await changes(page, '#clock')
})

test('round trips are drawn as they come', async ({ page, demo }) => {
  await page.goto(demo.address)
  const drawn = async () => (await page.locator('#trips .trip').getAttribute('d'))?.match(/M/g)?.length ?? 0
  await expect.poll(drawn).toBeGreaterThan(3)
  for (const figure of ['least', 'median']) {
    await expect(page.locator(`[data-figure=${figure}]`)).toHaveText(/^[\d.]+ ms$/)
  }
  await expect(page.locator('[data-figure=failed]')).toHaveText('0')
})

test('the code beside each part is the code that runs', async ({ page, demo }) => {
  await page.goto(demo.address)
  await expect(page.locator('code[data-code="connect showDate"]')).toContainText('new wampy.RpcClient')
  for (const code of await page.locator('code[data-code]').all()) await expect(code).toContainText('function')
})

test('a call of a stopped service fails, and a started service answers', async ({ page, context, demo }) => {
  await page.goto(demo.address)
  await seesToday(page)
  const other = await context.newPage()
  await other.goto(demo.address)
  await seesToday(other)

  await page.getByRole('button', { name: 'Stop the service' }).click()
  for (const each of [page, other]) {
    await expect(each.locator('#answer')).toContainText('wamp.error.no_such_procedure')
    await expect(each.locator('#today')).toHaveClass('old')
  }
  await expect(page.locator('[data-figure=failed]')).not.toHaveText('0')
  await page.getByRole('button', { name: 'Call it' }).click()
  await expect(page.locator('#answer')).toContainText('getTodaysDate')

  await page.getByRole('button', { name: 'Start the service' }).click()
  for (const each of [page, other]) {
    await expect(each.locator('#answer .result')).toHaveText(/^\d{4}-\d\d-\d\d$/)
    await expect(each.locator('#today')).not.toHaveClass('old')
  }
})

test('a dropped connection is restored, and the clock with it', async ({ page, demo }) => {
  await page.goto(demo.address)
  await expect(page.locator('#session')).toHaveText(/^\d+$/)
  const before = await page.locator('#session').textContent()
  await page.getByRole('button', { name: 'Drop the connection' }).click()
  await expect(page.locator('#session')).not.toHaveText(before ?? '')
  await expect(page.locator('#session')).toHaveText(/^\d+$/)
  await expect(page.locator('#badge')).toContainText('ready')
  await expect(page.locator('#cause')).not.toHaveText('none')
  await changes(page, '#clock')
})

test('the wire log shows messages, and counts repetitions', async ({ page, demo }) => {
  await page.goto(demo.address)
  const wire = page.locator('#wire')
  for (const name of ['HELLO', 'WELCOME', 'SUBSCRIBED', 'CALL', 'RESULT', 'EVENT'])
    await expect(wire).toContainText(name)
  await expect(wire.locator('li', { hasText: 'RESULT' })).toContainText('×')
})

test('every page leads to every other', async ({ page, demo }) => {
  await page.goto(demo.address)
  const links = page.getByRole('navigation').getByRole('link')
  for (const [name, title] of [
    ['Without one', 'A router inside the page'],
    ['React', 'The same date, in React'],
    ['Vue', 'The same date, in Vue'],
    ['With a server', 'Today’s date, called from a class in Node'],
  ] as const) {
    await links.filter({ hasText: name }).click()
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(title)
    await expect(links.filter({ hasText: name })).toHaveAttribute('aria-current', 'page')
    await seesToday(page)
  }
})

test('nothing above the folder is served', async ({ demo }) => {
  const { port } = new URL(demo.address)
  const status = (path: string) =>
    new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on('error', reject)
    })
  expect(await status('/page.js')).toBe(200)
  for (const path of ['/../server.js', '/%2e%2e/server.js', '/..%2fserver.js', '/react/../../server.js', '/a%00']) {
    expect(await status(path), path).toBe(404)
  }
  expect(await status('/%')).toBe(400)
})

test('npm start takes the next free port if the default one is in use', async () => {
  // Whatever else uses 8000 on this machine is as good as ours.
  const first = await Program.demo([])
  const second = await Program.demo([])
  try {
    const [one, other] = [first, second].map(({ address }) => Number(new URL(address).port))
    expect(one).toBeGreaterThanOrEqual(8000)
    expect(other).toBeGreaterThan(one ?? 0)
    expect(other).toBeLessThan(8020)
  } finally {
    await first.dispose()
    await second.dispose()
  }
})

test('a chosen port that is in use, and an invalid port: one line, exit code 1', ({ demo }) => {
  const { port } = new URL(demo.address)
  for (const [given, line] of [
    [port, `port ${port} is in use`],
    ['99999', 'the port must be a number from 0 to 65535'],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, ['demo/dist/server.js', '--port', `${given}`], {
      encoding: 'utf8',
    })
    expect(stderr).toContain(line)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(status).toBe(1)
  }
  const { status, stderr } = spawnSync(process.execPath, ['demo/dist/server.js'], {
    encoding: 'utf8',
    env: { ...process.env, PORT: port },
  })
  expect(stderr).toContain(`port ${port} is in use`)
  expect(status).toBe(1)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends the demo cleanly while a page is open`, async ({ page, console }) => {
    console.expect(UNREACHABLE)
    const demo = await Program.demo()
    await page.goto(demo.address)
    await seesToday(page)
    expect(await demo.end(signal)).toBe(0)
    await expect(page.locator('#badge')).toContainText('reconnecting, attempt')
    await expect(page.locator('#cause')).toContainText('the router is closing')
  })
}
