/** The built site: it is complete without JavaScript errors, its search finds pages, and its programs show their types. */

import { readFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'

const hashmap = JSON.parse(readFileSync(new URL('../.vitepress/dist/hashmap.json', import.meta.url), 'utf8')) as object
/** Every page by its path; the names in the map are those of the Markdown files, with `_` for `/`. */
const pages = Object.keys(hashmap).map((name) => `/${name.replace(/\.md$/, '').replaceAll('_', '/')}`)

test('every page opens without an error, and is no wider than a phone', async ({ page }) => {
  test.setTimeout(180_000)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.message}`))
  page.on('console', (message) => message.type() === 'error' && errors.push(`${page.url()}: ${message.text()}`))
  await page.setViewportSize({ width: 390, height: 800 })
  expect(pages.length).toBeGreaterThan(20)
  for (const path of pages) {
    const response = await page.goto(`${path.replace(/\/index$/, '/')}${path.endsWith('/index') ? '' : '.html'}`)
    expect(response?.status(), path).toBe(200)
    await expect(page.locator('h1').first(), path).toBeVisible()
    const { scroll, width } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      width: document.documentElement.clientWidth,
    }))
    expect(scroll, path).toBeLessThanOrEqual(width)
  }
  expect(errors).toEqual([])
})

test('the search finds a page by a word in it', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('button', { name: 'Search' }).first().click()
  await page.getByRole('searchbox').fill('testament')
  await expect(
    page
      .getByRole('listbox')
      .getByRole('link', { name: /PubSub/ })
      .first(),
  ).toBeVisible()
})

test('a program shows the name of its file, and the type of a name under the pointer', async ({ page }) => {
  await page.goto('/getting-started.html')
  await expect(page.locator('.snippet-name').first()).toHaveText('service.ts')
  await page.locator('.twoslash-hover', { hasText: 'getTodaysDate' }).last().hover()
  await expect(page.locator('.twoslash-floating').filter({ hasText: 'Promise<string>' })).toBeVisible()
})

test('the pages are there as Markdown, with their programs', async ({ request }) => {
  const list = await (await request.get('/llms.txt')).text()
  const links = [...list.matchAll(/\]\((\/[^)]+\.md)\)/g)].map(([, link = '']) => link)
  expect(links.length).toBeGreaterThan(20)
  for (const link of links) expect((await request.get(link)).status(), link).toBe(200)
  const full = await (await request.get('/llms-full.txt')).text()
  expect(full).toContain('```ts service.ts\nimport { rpc, WampClient }')
  expect(full).not.toContain('<<<')
})
