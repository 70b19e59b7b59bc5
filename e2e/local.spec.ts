/** The demo's page without a server: the router inside the page, from http and from the disk. */

import { pathToFileURL } from 'node:url'
import { expect, seesToday, test } from './support.ts'

const onDisk = pathToFileURL('demo/dist/site/local.html').href

for (const from of ['http', 'file']) {
  test(`a router inside the page, opened by ${from}`, async ({ page, demo }) => {
    let sockets = 0
    page.on('websocket', () => sockets++)
    await page.goto(from === 'file' ? onDisk : `${demo.address}local.html`)
    await seesToday(page)
    await expect(page.locator('#badge')).toContainText('ready')
    // The service, the client that calls it, Ada and Bob.
    await expect(page.locator('#sessions')).toHaveText('4')
    await expect(page.locator('#procedures')).toHaveText('1')
    await expect(page.locator('#subscriptions')).toHaveText('1')
    expect(sockets).toBe(0)
  })
}

test('two clients of one page talk', async ({ page }) => {
  await page.goto(onDisk)
  await page.getByRole('textbox', { name: 'Ada says' }).fill('Good morning <b>Bob</b>')
  await page.getByRole('button', { name: 'Publish as Ada' }).click()
  await page.getByRole('textbox', { name: 'Bob says' }).fill('Good morning Ada')
  await page.getByRole('textbox', { name: 'Bob says' }).press('Enter')
  for (const name of ['Ada', 'Bob']) {
    const heard = page.getByRole('log', { name: `What ${name} hears` }).getByRole('listitem')
    await expect(heard).toHaveText(['Ada: Good morning <b>Bob</b>', 'Bob: Good morning Ada'])
  }
})

test('a service inside the page stops and starts again', async ({ page }) => {
  await page.goto(onDisk)
  await seesToday(page)
  await page.getByRole('button', { name: 'Stop the service' }).click()
  await expect(page.locator('#answer')).toContainText('wamp.error.no_such_procedure')
  await expect(page.locator('#procedures')).toHaveText('0')
  await page.getByRole('button', { name: 'Start the service' }).click()
  await expect(page.locator('#answer .result')).toHaveText(/^\d{4}-\d\d-\d\d$/)
  await expect(page.locator('#procedures')).toHaveText('1')
})

test('many calls inside the page', async ({ page }) => {
  await page.goto(onDisk)
  await seesToday(page)
  await page.getByRole('button', { name: 'calls' }).click()
  await expect(page.locator('#rate .result')).toHaveText(/calls a second/)
  await expect(page.locator('#sessions')).toHaveText('4')
})
