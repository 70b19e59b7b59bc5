/** The playground of the built site: its examples, its sandbox, its state in the URL, its keys, and its width on a phone. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, type Page, test } from '@playwright/test'
import { expected, hasInOrder } from '../../test/docs/playground-expected.ts'
import { examples } from '../playground/examples.ts'
import { PROGRAMS, type Program } from '../playground/messages.ts'

const run = (page: Page) => page.getByRole('button', { name: 'Run' }).click()
const editor = (page: Page, program: Program) => page.getByRole('textbox', { name: `Code of ${program}.js` })
const status = (page: Page) => page.getByRole('status')

/** The lines of a console, of a hidden one too. */
const lines = (page: Page, program: Program) =>
  page.locator(`#panel-${program} [role=log] .entry pre`).allTextContents()

/** The messages on the wire as `caller > CALL` and `service < INVOCATION`. */
const messages = (page: Page) =>
  page.locator('.wire-log summary').evaluateAll((rows) =>
    rows.map((row) => {
      const [from = '', to = ''] = (row.querySelector('.visually-hidden')?.textContent ?? '').split(' to ')
      const side = `${from} ${to}`.includes('service') ? 'service' : 'caller'
      return `${side} ${to === 'router' ? '>' : '<'} ${row.querySelector('.type')?.textContent}`
    }),
  )

async function open(page: Page, hash = ''): Promise<void> {
  await page.goto(`/playground${hash}`)
  // Until the page is alive: the tabs of its width are shown.
  await expect(page.locator('.playground[data-ready]')).toBeVisible()
}

for (const { id, title } of examples) {
  test(`runs the example ${id}`, async ({ page }) => {
    const { consoles, wire } = expected[id] ?? { consoles: {}, wire: [] }
    await open(page)
    await page.getByLabel('Example').selectOption(title)
    await run(page)
    for (const program of PROGRAMS) {
      const wanted = consoles[program] ?? []
      await expect.poll(async () => (await lines(page, program)).length).toBe(wanted.length)
      const shown = await lines(page, program)
      wanted.forEach((line, index) => {
        if (typeof line === 'string') expect(shown[index]).toBe(line)
        else expect(shown[index]).toMatch(line)
      })
    }
    await expect.poll(async () => hasInOrder(await messages(page), wire)).toBe(true)
    expect(new URL(page.url()).hash).toBe(id === examples[0]?.id ? '#example=first-call' : `#example=${id}`)
  })
}

/** Replaces the caller of the first example, and runs it. */
async function runCaller(page: Page, code: string): Promise<void> {
  await editor(page, 'caller').fill(code)
  await run(page)
}

test.describe('user code', () => {
  test('reaches neither the page nor a network', async ({ page }) => {
    const reached: string[] = []
    const server = createServer((request, response) => {
      reached.push(String(request.url))
      response.writeHead(200, { 'access-control-allow-origin': '*', 'content-type': 'text/javascript' }).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await open(page)
    const outcome = (expression: string) =>
      `try { console.log('reached', await ${expression}) } catch (error) { console.log(error.name) }`
    await runCaller(
      page,
      `${[
        'parent.document.title',
        'self.document.title',
        `fetch('${url}/fetch')`,
        `import('${url}/import')`,
        `new Promise((_, failed) => { new EventSource('${url}/events').onerror = () => failed(new TypeError('no')) })`,
        `new Promise((_, failed) => { new Worker('${url}/worker').onerror = () => failed(new TypeError('no')) })`,
        `importScripts('${url}/script')`,
      ]
        .map(outcome)
        .join('\n')}\nconsole.log(self.origin)`,
    )
    await expect
      .poll(() => lines(page, 'caller'))
      .toEqual([
        'ReferenceError',
        ...Array(4).fill('TypeError'),
        expect.stringMatching(/SecurityError|TypeError/),
        expect.stringMatching(/NetworkError|TypeError/),
        'null',
      ])
    // The page itself, unlike them, reaches the server.
    await page.evaluate((address) => fetch(address).then(() => {}), `${url}/page`)
    server.close()
    expect(reached).toEqual(['/page'])
  })

  test('runs in a frame that cannot reach the page either', async ({ page }) => {
    await open(page)
    await run(page)
    await expect.poll(() => lines(page, 'caller')).toHaveLength(2)
    const frame = page.frames().find((each) => each !== page.mainFrame())
    const outcomes = await frame?.evaluate(async () => {
      const tried = async (what: () => unknown) => {
        try {
          return `reached ${await what()}`
        } catch (error) {
          return (error as Error).name
        }
      }
      return [
        self.origin,
        await tried(() => parent.document.title),
        await tried(() => localStorage.length),
        await tried(() => fetch('https://example.com/')),
      ]
    })
    expect(outcomes).toEqual(['null', 'SecurityError', 'SecurityError', 'TypeError'])
  })

  test('may loop without end: the page stays usable, and the program is ended', async ({ page }) => {
    await open(page)
    await runCaller(page, "console.log('begin')\nwhile (true) {}")
    await expect.poll(() => lines(page, 'caller')).toEqual(['begin'])
    // While it loops.
    await page.getByRole('tab', { name: 'router.js' }).click()
    await expect(editor(page, 'router')).toBeVisible()
    await expect(status(page)).toHaveText('Error in caller.js', { timeout: 15_000 })
    expect((await lines(page, 'caller')).at(-1)).toContain('endless loop')
    // The router lost its connections, and the next run has others.
    await page.getByRole('button', { name: 'Reset' }).click()
    await run(page)
    await expect.poll(() => lines(page, 'caller')).toEqual(['6', '[ 3, 30 ]'])
  })

  test('may print and send without end: the page shows a bounded number of rows', async ({ page }) => {
    await open(page)
    await editor(page, 'service').fill("for (let n = 0; ; n++) console.log('line', n)")
    await runCaller(
      page,
      `import { WampClient } from 'wampy-ts'
      const client = new WampClient({ router: 'ws://localhost:8080/ws' })
      await client.start()
      for (;;) await client.call('wamp.session.count')`,
    )
    await expect(page.getByText(/older messages are not shown/)).toBeVisible({ timeout: 15_000 })
    expect(await page.locator('.wire-log li').count()).toBeLessThanOrEqual(500)
    await expect(page.getByText(/lines came too fast/).first()).toBeAttached()
    expect((await lines(page, 'service')).length).toBeLessThanOrEqual(300)
    await page.getByRole('button', { name: 'Stop' }).click()
    await expect(status(page)).toHaveText('Stopped')
  })

  test('shows its errors at their lines', async ({ page }) => {
    await open(page)
    const wrong = page.locator('#panel-caller .row.wrong')
    await runCaller(page, 'const a = 1\nconst b = ]\n')
    await expect(wrong).toHaveText(/^2const b = \]SyntaxError: Unexpected token '\]'/)
    await expect(status(page)).toHaveText('Error in caller.js')
    expect(await lines(page, 'service')).toEqual([])

    await runCaller(page, "await 0\nthrow new TypeError('not today')\n")
    await expect(wrong).toHaveText(/^2throw .*Uncaught TypeError: not today/)
    await page.locator('#panel-caller').getByRole('button', { name: 'line 2' }).click()
    await expect(editor(page, 'caller')).toBeFocused()

    await runCaller(page, "\nimport { RpcClient } from './service.js'")
    await expect(wrong).toHaveText(/^2import .*import wampy-ts, .*, but not \.\/service\.js/)

    await runCaller(page, "import { Nothing } from 'wampy-ts'")
    await expect
      .poll(() => lines(page, 'caller'))
      .toEqual([expect.stringContaining("'wampy-ts' does not provide an export named 'Nothing'")])
  })
})

test.describe('the wire', () => {
  test('can be filtered, paused, cleared and opened', async ({ page }) => {
    await open(page, '#example=gap')
    await run(page)
    await expect.poll(() => lines(page, 'caller')).toContain('(stopped)')
    const rows = page.locator('.wire-log summary')
    await page.getByLabel('Connections of').selectOption('caller')
    await page.getByLabel('Filter by type or text').fill('"com.example.news"')
    await expect(rows).toHaveText([/caller 1 to router.*SUBSCRIBE/, /caller 2 to router.*SUBSCRIBE/])
    await rows.first().click()
    await expect(page.locator('.wire-log dl')).toHaveText(/request\s*1.*topic\s*"com\.example\.news"/s)

    await page.getByLabel('Filter by type or text').fill('')
    await page.getByLabel('Connections of').selectOption('')
    await page.getByRole('button', { name: 'Pause' }).click()
    const count = await rows.count()
    await expect(page.getByRole('button', { name: /Continue \([1-9]\d* new\)/ })).toBeVisible()
    expect(await rows.count()).toBe(count)
    await page.getByRole('button', { name: 'Continue' }).click()
    await expect.poll(() => rows.count()).toBeGreaterThan(count)
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect(rows).toHaveCount(0)
  })

  test('can be cut: the clients connect again', async ({ page }) => {
    await open(page)
    await run(page)
    await expect.poll(() => lines(page, 'caller')).toHaveLength(2)
    await page.getByRole('button', { name: 'Cut connections' }).click()
    await expect
      .poll(() => page.locator('.wire-log .connection .note').allTextContents())
      .toEqual(
        expect.arrayContaining([expect.stringContaining('connection lost'), expect.stringContaining('(service 2)')]),
      )
    await expect.poll(async () => (await messages(page)).filter((each) => each === 'service > REGISTER').length).toBe(2)
  })
})

test.describe('the URL', () => {
  test('keeps the example and the edited code, and Back returns to them', async ({ page, context }) => {
    await open(page, '#example=patterns')
    await expect(page.getByLabel('Example')).toHaveValue('patterns')
    await editor(page, 'caller').fill("console.log('my own ☕')\n")
    await expect.poll(() => new URL(page.url()).hash).toMatch(/^#example=patterns&code=[\w-]+$/)
    const url = page.url()

    const other = await context.newPage()
    await other.goto(url)
    await expect(editor(other, 'caller')).toHaveValue("console.log('my own ☕')\n")
    await expect(other.getByLabel('Example')).toHaveValue('patterns')
    await run(other)
    await expect.poll(() => lines(other, 'caller')).toEqual(['my own ☕'])
    await other.reload()
    await expect(editor(other, 'caller')).toHaveValue("console.log('my own ☕')\n")

    await page.getByLabel('Example').selectOption('streams')
    await expect.poll(() => new URL(page.url()).hash).toBe('#example=streams')
    await page.goBack()
    await expect(editor(page, 'caller')).toHaveValue("console.log('my own ☕')\n")
    await page.goForward()
    await expect(page.getByLabel('Example')).toHaveValue('streams')
    await page.goBack()
    await page.getByRole('button', { name: 'Reset' }).click()
    await expect.poll(() => new URL(page.url()).hash).toBe('#example=patterns')
  })

  test('may be damaged, or name another example: the first one is shown', async ({ page }) => {
    for (const hash of [
      '#example=patterns&code=AAAA',
      '#example=nothing',
      '#what-runs-here',
      `#example=patterns&code=${'A'.repeat(40_000)}`,
    ]) {
      await page.goto('about:blank')
      await open(page, hash)
      await expect(page.getByLabel('Example')).toHaveValue('first-call')
    }
  })

  test('is left alone by code that is too long for it', async ({ page }) => {
    await open(page)
    const random = Array.from(crypto.getRandomValues(new Uint8Array(40_000)), (byte) => byte.toString(36)).join('')
    await editor(page, 'caller').fill(`// ${random}`)
    await page.getByRole('button', { name: 'Share' }).click()
    await expect(status(page)).toHaveText('Too long for a link')
    expect(new URL(page.url()).hash).not.toContain('code')
  })
})

test('works with the keyboard alone', async ({ page }) => {
  await open(page)
  await editor(page, 'service').focus()
  await page.keyboard.press('Control+Home')
  await page.keyboard.type("console.log('typed')")
  await page.keyboard.press('Enter')
  await page.keyboard.press('Control+Enter')
  await expect.poll(() => lines(page, 'service')).toContain('typed')
  // Tab leaves the editor for the console; arrows move between tabs.
  await page.keyboard.press('Tab')
  await expect(page.getByRole('log', { name: 'Console of service.js' })).toBeFocused()
  await page.getByRole('tab', { name: 'service.js' }).focus()
  await page.keyboard.press('ArrowRight')
  await expect(page.getByRole('tab', { name: 'router.js' })).toBeFocused()
  await expect(editor(page, 'router')).toBeVisible()
  await expect(editor(page, 'service')).toBeHidden()
  // A row of the wire opens.
  const row = page.locator('.wire-log summary').first()
  await row.focus()
  await page.keyboard.press('Enter')
  await expect(page.locator('.wire-log dl').first()).toBeVisible()
})

test('works on a phone, without scrolling sideways', async ({ browser, baseURL }) => {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    baseURL: baseURL ?? '',
  })
  const page = await context.newPage()
  await open(page, '#example=shared')
  await page.getByRole('button', { name: 'Run' }).tap()
  for (const tab of ['service.js', 'caller.js', 'router.js', 'wire']) {
    await page.getByRole('tab', { name: tab }).tap()
    await expect(page.getByRole('tabpanel')).toHaveCount(1)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  }
  await expect(page.locator('.wire-log summary').first()).toBeVisible()
  await page.getByRole('tab', { name: 'caller.js' }).tap()
  await expect.poll(() => lines(page, 'caller')).toContain('Cleo did job 6')
  await context.close()
})
