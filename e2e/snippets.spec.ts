/** The pages and components of the documentation work unchanged: in StrictMode, under hot reload and in server rendering. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import react from '@vitejs/plugin-react'
import vue from '@vitejs/plugin-vue'
import { createElement } from 'react'
import { renderToString as renderReact } from 'react-dom/server'
import { createServer, type ViteDevServer } from 'vite'
import { createSSRApp } from 'vue'
import { renderToString as renderVue } from 'vue/server-renderer'
import { WampClient } from 'wampy-ts'
import { type Project, project, ROOT } from '../test/docs/project.ts'

let here: Project
let service: ChildProcess
let vite: ViteDevServer
let origin: string
let observer: WampClient

const APPS = {
  'react.html': [
    'react.tsx',
    `import { StrictMode } from 'react'
     import { createRoot } from 'react-dom/client'
     import { Clock } from './react/Clock'
     import { Today } from './react/Today'
     const root = createRoot(document.querySelector('#app')!)
     root.render(<StrictMode><Today /><Clock /></StrictMode>)`,
  ],
  'vue.html': [
    'vue.ts',
    `import { createApp, h } from 'vue'
     import Today from './vue/Today.vue'
     createApp({ render: () => h(Today) }).mount('#app')`,
  ],
} as const

test.beforeAll(async () => {
  here = await project()
  service = spawn(process.execPath, ['--import', 'tsx', 'getting-started/service.ts'], { cwd: here.folder })
  await new Promise<void>((resolve, reject) => {
    service.stdout?.on('data', (chunk) => /answers on/.test(String(chunk)) && resolve())
    service.once('exit', (code) => reject(new Error(`service.ts ended with ${code}`)))
  })
  mkdirSync(join(here.folder, 'public'))
  for (const [page, [script, text]] of Object.entries(APPS)) {
    writeFileSync(join(here.folder, script), text)
    const body = `<div id="app"></div><script type="module" src="/${script}"></script>`
    writeFileSync(join(here.folder, page), `<!doctype html><title>app</title>${body}`)
  }
  vite = await createServer({
    root: here.folder,
    configFile: false,
    logLevel: 'silent',
    plugins: [react(), vue()],
    server: { port: 0, host: '127.0.0.1', fs: { allow: [here.folder, ROOT] } },
  })
  await vite.listen()
  origin = vite.resolvedUrls?.local[0] ?? ''
  observer = new WampClient({ router: `ws://localhost:${here.port}/ws` })
  await observer.start()
})

/** The sessions of the realm, without the service and the observer. */
const sessions = async (): Promise<number> => (await observer.call<number>('wamp.session.count')) - 2

const today = (): string => new Date().toLocaleDateString('sv')

async function open(page: Page, app: string): Promise<string[]> {
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(`${origin}${app}`)
  await expect(page.locator('#date')).toHaveText(today(), { timeout: 20_000 })
  return errors
}

test.afterAll(async () => {
  await observer?.stop()
  await vite?.close()
  service?.kill('SIGKILL')
  here?.remove()
})

test('the plain page shows the date, with the script tag that it has', async ({ page }) => {
  await page.route('https://unpkg.com/wampy-ts', (route) => route.fulfill({ path: join(ROOT, 'dist', 'wampy.min.js') }))
  await page.goto(`${origin}getting-started/page.html`)
  await expect(page.locator('#date')).toHaveText(new Date().toLocaleDateString('sv'))
})

/** The components of each page: the file to edit, and the sessions that the page has. */
const PAGES = [
  { app: 'react.html', file: 'react/Today.tsx', open: 2 },
  { app: 'vue.html', file: 'vue/Today.vue', open: 1 },
] as const

for (const { app, file, open: expected } of PAGES) {
  test(`the components in ${app} show the date, with one session each`, async ({ page }) => {
    await expect.poll(sessions).toBe(0)
    const errors = await open(page, app)
    await expect.poll(sessions).toBe(expected)
    expect(errors).toEqual([])
    await page.goto('about:blank')
    await expect.poll(sessions).toBe(0)
  })

  test(`${file} can be edited: Vite replaces it, and no session is left behind`, async ({ page }) => {
    await expect.poll(sessions).toBe(0)
    const errors = await open(page, app)
    await page.evaluate(() => Object.assign(globalThis, { loaded: 'once' }))
    const path = join(here.folder, file)
    const original = readFileSync(path, 'utf8')
    // Again, if need be: Vite's watcher may miss what is written within milliseconds of the last change.
    const saved = (text: string, seen: (limit: { timeout: number }) => Promise<void>) =>
      expect(async () => {
        writeFileSync(path, text)
        await seen({ timeout: 1500 })
      }).toPass({ timeout: 15_000 })
    try {
      for (const edit of ['first', 'second', 'third']) {
        await saved(original.replace('<p id="date"', `<p id="date" title="${edit}"`), (limit) =>
          expect(page.locator('#date')).toHaveAttribute('title', edit, limit),
        )
        await expect(page.locator('#date')).toHaveText(today())
        await expect.poll(sessions).toBe(expected)
      }
      // The script of the component as well, not only its markup.
      await saved(original.replace("'asking...'", "'asking again...'"), (limit) =>
        expect(page.locator('#date')).not.toHaveAttribute('title', limit),
      )
      await expect(page.locator('#date')).toHaveText(today())
      await expect.poll(sessions).toBe(expected)
    } finally {
      writeFileSync(path, original)
    }
    expect(await page.evaluate(() => (globalThis as { loaded?: string }).loaded), 'no full reload').toBe('once')
    expect(errors).toEqual([])
    await page.goto('about:blank')
    await expect.poll(sessions).toBe(0)
  })
}

test('a server that renders the components opens no session', async () => {
  const { Today } = await vite.ssrLoadModule('/react/Today.tsx')
  const { Clock } = await vite.ssrLoadModule('/react/Clock.tsx')
  const { default: VueToday } = await vite.ssrLoadModule('/vue/Today.vue')
  let joined = 0
  const subscription = await observer.subscribe('wamp.session.on_join', () => joined++)
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => /TCP(Socket)?Wrap/.test(kind)).length
  const before = sockets()
  for (let request = 0; request < 20; request++) {
    expect(renderReact(createElement(Today))).toBe('<p id="date">asking...</p>')
    expect(renderReact(createElement(Clock))).toBe('<time></time>')
    expect(await renderVue(createSSRApp(VueToday))).toBe('<p id="date">asking...</p>')
  }
  // A client that had been started would have joined before this one, whose connection is younger.
  const last = new WampClient({ router: `ws://localhost:${here.port}/ws` })
  await last.start()
  await last.stop()
  await expect.poll(() => joined).toBe(1)
  expect(await sessions()).toBe(0)
  expect(sockets()).toBe(before)
  await subscription.unsubscribe()
})
