/** The demo's React and Vue pages. */

import { changes, expect, seesToday, test } from './support.ts'

for (const name of ['react', 'vue']) {
  test(`the ${name} page shows the date and the time, with one session`, async ({ page, demo }) => {
    // The service, the clock and the control; the tab of the test before may not be gone yet.
    const before = { sessions: 3, subscriptions: 0 }
    await expect.poll(() => demo.holds()).toMatchObject(before)
    await page.goto(`${demo.address}${name}/index.html`)
    await seesToday(page)
    await expect(page.locator('.badge')).toHaveText('ready')
    await changes(page, '#clock')
    await expect.poll(() => demo.holds()).toMatchObject({ sessions: 4, subscriptions: 1 })
    await page.getByRole('button', { name: 'Call again' }).click()
    await expect(page.getByText('It is ')).toBeVisible()
    await page.goto('about:blank')
    await expect.poll(() => demo.holds()).toMatchObject(before)
  })
}

test("React's StrictMode starts, stops and starts the client", async ({ page, demo }) => {
  await page.goto(`${demo.address}react/index.html`)
  await expect(page.getByText('StrictMode: 2 starts, one session')).toBeVisible()
  await expect(page.locator('.badge')).toHaveText('ready')
})

test('a service that is stopped shows in the framework pages as well', async ({ page, demo }) => {
  const client = await demo.client()
  await page.goto(`${demo.address}vue/index.html`)
  await seesToday(page)
  await client.call('demo.service.stop')
  await page.getByRole('button', { name: 'Call again' }).click()
  await expect(page.locator('.answer')).toContainText('wamp.error.no_such_procedure')
  await client.call('demo.service.start')
  await page.getByRole('button', { name: 'Call again' }).click()
  await expect(page.locator('.answer')).toContainText('It is ')
})
