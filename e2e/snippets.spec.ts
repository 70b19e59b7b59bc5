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
import { WampClient, WampError } from 'wampy-ts'
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
     import { App } from './react/App.tsx'
     const root = createRoot(document.querySelector('#app')!)
     root.render(<StrictMode><App /></StrictMode>)`,
  ],
  'react-shop.html': [
    'react-shop.tsx',
    `import { StrictMode } from 'react'
     import { createRoot } from 'react-dom/client'
     import { WampProvider } from 'wampy-ts/react'
     import { Baking } from './react/Baking.tsx'
     import { client } from './react/client.js'
     import { Guarded } from './react/Guarded.tsx'
     import { Orders } from './react/Orders.tsx'
     const root = createRoot(document.querySelector('#app')!)
     root.render(<StrictMode><WampProvider client={client}><Orders /><Baking /><Guarded /></WampProvider></StrictMode>)`,
  ],
  'vue.html': ['vue/main.js', undefined],
  'vue-shop.html': [
    'vue-shop.ts',
    `import { createApp, h, Suspense } from 'vue'
     import { wamp } from 'wampy-ts/vue'
     import { client } from './react/client.js'
     import Orders from './vue/Orders.vue'
     import Waiting from './vue/Waiting.vue'
     createApp({ render: () => [h(Orders), h(Suspense, null, { default: () => h(Waiting), fallback: () => h('p', { id: 'waiting' }, '...') })] })
       .use(wamp({ client }))
       .mount('#app')`,
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
    if (text) writeFileSync(join(here.folder, script), text)
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

/** The components of each page, in the file to edit. */
const PAGES = [
  { app: 'react.html', file: 'react/App.tsx' },
  { app: 'vue.html', file: 'vue/App.vue' },
] as const

for (const { app, file } of PAGES) {
  test(`the components in ${app} show the date and the time, with one session`, async ({ page }) => {
    await expect.poll(sessions).toBe(0)
    const errors = await open(page, app)
    await expect.poll(sessions).toBe(1)
    await expect(page.locator('time')).toHaveClass('ready')
    await expect(async () => {
      await observer.publish('com.example.time', ['12:30'])
      await expect(page.locator('time')).toHaveText('12:30', { timeout: 500 })
    }).toPass()
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
        await expect.poll(sessions).toBe(1)
      }
      // The script of the component as well, not only its markup.
      await saved(original.replace("'asking...'", "'asking again...'"), (limit) =>
        expect(page.locator('#date')).not.toHaveAttribute('title', limit),
      )
      await expect(page.locator('#date')).toHaveText(today())
      await expect.poll(sessions).toBe(1)
    } finally {
      writeFileSync(path, original)
    }
    expect(await page.evaluate(() => (globalThis as { loaded?: string }).loaded), 'no full reload').toBe('once')
    expect(errors).toEqual([])
    await page.goto('about:blank')
    await expect.poll(sessions).toBe(0)
  })
}

for (const framework of ['react', 'vue']) {
  test(`the shop in ${framework}: a form that calls, every event, a gap`, async ({ page }) => {
    let stock = 10
    const registrations = await Promise.all([
      observer.register('com.example.shop.stock', () => stock),
      observer.register('com.example.shop.order', ([article]) => {
        if (stock === 9) throw new WampError('com.example.error.sold_out', [`no more ${article}`])
        return { number: 10 - --stock }
      }),
      observer.register('com.example.shop.bake', async function* ([count]) {
        for (let n = 1; n <= Number(count); n++) yield `cake ${n}`
        return 20
      }),
    ])
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    let cut = () => {}
    await page.routeWebSocket(`ws://localhost:${here.port}/ws`, (socket) => {
      const server = socket.connectToServer()
      cut = () => {
        void server.close()
        void socket.close({ code: 3000 })
      }
    })
    await page.goto(`${origin}${framework}-shop.html`)
    const orders = page.locator('#orders')
    await expect(orders).toHaveAttribute('data-status', 'active', { timeout: 20_000 })
    await expect(orders.locator('p').first()).toHaveText('10 in stock, 0 sold')
    await Promise.all(Array.from({ length: 50 }, () => observer.publish('com.example.shop.sold.tea', [1])))
    await expect(orders.locator('p').first()).toHaveText('10 in stock, 50 sold')
    await orders.getByRole('button').click()
    await expect(orders.getByRole('status')).toHaveText('Your order is number 1.')
    await expect(orders.locator('p').first()).toHaveText('9 in stock, 50 sold')
    await orders.getByRole('button').click()
    await expect(orders.getByRole('status')).toHaveText('no more tea')

    if (framework === 'react') {
      await expect(page.locator('#guarded')).toHaveText('wamp.error.invalid_uri')
      await page.getByRole('button', { name: 'Bake three' }).click()
      await expect(page.locator('#baking')).toHaveAttribute('data-status', 'done')
      await expect(page.locator('#baking p')).toHaveText('cake 1, cake 2, cake 3 in 20 minutes')
    } else {
      await expect(page.locator('#waiting')).toHaveText(/^(10|9) in stock$/)
      await page.locator('select').selectOption('coffee')
      await expect
        .poll(() => observer.call('wamp.subscription.lookup', ['com.example.shop.sold.coffee']))
        .not.toBeNull()
      expect(await observer.call('wamp.subscription.lookup', ['com.example.shop.sold.tea'])).toBeNull()
      // A loss before these answers would end the call, and leave no gap.
      await expect(orders).toHaveAttribute('data-status', 'active')
      await expect(orders.locator('p').first()).toHaveText(/^9 in stock/)
    }

    // The connection is lost and returns: the gap has the stock fetched again.
    stock = 4
    cut()
    await expect(orders.locator('p').first()).toHaveText(/^4 in stock/)

    // An edit of the module with the client.
    await expect.poll(sessions).toBe(1)
    const file = join(here.folder, 'react/client.js')
    const original = readFileSync(file, 'utf8')
    await expect(async () => {
      writeFileSync(file, `${original}\nglobalThis.edited = true\n`)
      await expect.poll(() => page.evaluate(() => 'edited' in globalThis), { timeout: 1500 }).toBe(true)
    }).toPass({ timeout: 15_000 })
    await expect(orders).toHaveAttribute('data-status', 'active')
    await expect.poll(sessions).toBe(1)
    for (const registration of registrations) await registration.unregister()
    expect(errors).toEqual([])
    await page.goto('about:blank')
    await expect.poll(sessions).toBe(0)
    // Not before: the page would reload, and might still do so when it is left.
    writeFileSync(file, original)
  })
}

test('a server that renders the components opens no session', async () => {
  const { App } = await vite.ssrLoadModule('/react/App.tsx')
  const { default: VueApp } = await vite.ssrLoadModule('/vue/App.vue')
  const { wamp } = await vite.ssrLoadModule('wampy-ts/vue')
  const { RpcClient } = await vite.ssrLoadModule('wampy-ts')
  const create = () => new RpcClient({ router: `ws://localhost:${here.port}/ws` })
  let joined = 0
  const subscription = await observer.subscribe('wamp.session.on_join', () => joined++)
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => /TCP(Socket)?Wrap/.test(kind)).length
  const before = sockets()
  for (let request = 0; request < 20; request++) {
    expect(renderReact(createElement(App))).toBe('<p id="date">asking...</p><time class="stopped"></time>')
    const html = await renderVue(createSSRApp(VueApp).use(wamp({ create })))
    expect(html).toContain('<p id="date">asking...</p><time class="stopped"></time>')
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
