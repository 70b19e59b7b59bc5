/** The bindings to React and Vue under Vite's development server: pages that are edited, and shared, fast and StrictMode ones. */

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import vue from '@vitejs/plugin-vue'
import { createServer, type ViteDevServer } from 'vite'
import { WampClient } from 'wampy-ts'
import { type Served, serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { expect, test } from './support.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

let folder: string
let vite: ViteDevServer
let origin: string
let router: Router
let served: Served
let service: WampClient

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wampy-hot-reload-'))
  for (const name of ['react', 'vue', 'page', 'address.ts', 'date-service.ts']) {
    cpSync(join(root, 'demo', name), join(folder, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  vite = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    publicDir: 'page',
    cacheDir: join(folder, '.vite'),
    resolve: {
      alias: [
        { find: /^wampy-ts$/, replacement: join(root, 'dist/page/index.js') },
        { find: /^wampy-ts\/(react|vue)$/, replacement: join(root, 'dist/page/$1.js') },
      ],
    },
    plugins: [react(), vue()],
    server: { port: 0, host: '127.0.0.1', fs: { allow: [folder, root] } },
  })
  router = new Router()
  served = await serve(router, { server: vite.httpServer as Server })
  await vite.listen()
  origin = vite.resolvedUrls?.local[0] ?? ''
  service = new WampClient({ router })
  await service.start()
  await service.register('getTodaysDate', () => '2016-05-14')
})

test.afterAll(async () => {
  await service?.stop()
  await router?.close()
  await served?.close()
  await vite?.close()
  if (folder) rmSync(folder, { recursive: true })
})

/** The sessions and subscriptions of pages. */
const held = () => {
  const { sessions, subscriptions } = router.stats()
  return { sessions: sessions - 1, subscriptions }
}

/** Puts a page of one script into the folder; returns its address. */
function put(file: string, text: string): string {
  writeFileSync(join(folder, file), text)
  const html = file.replace(/\.tsx?$/, '.html')
  writeFileSync(
    join(folder, html),
    `<!doctype html><link rel="icon" href="/icon.svg"><title>${file}</title><div id="app"></div><script type="module" src="/${file}"></script>`,
  )
  return `${origin}${html}`
}

for (const { name, file, title } of [
  { name: 'react', file: 'react/app.tsx', title: 'The same date, in React' },
  { name: 'vue', file: 'vue/app.vue', title: 'The same date, in Vue' },
]) {
  test(`the ${name} page is edited: its session goes on, with one subscription after each edit`, async ({ page }) => {
    await expect.poll(held).toEqual({ sessions: 0, subscriptions: 0 })
    let joined = 0
    const stop = router.observe({ joined: () => joined++ })
    await page.goto(`${origin}${name}/index.html`)
    await expect(page.locator('#today')).toHaveText('2016-05-14')
    await page.evaluate(() => Object.assign(globalThis, { loaded: 'once' }))
    const path = join(folder, file)
    const hook = join(folder, name, 'use-today.ts')
    const original = readFileSync(path, 'utf8')
    const originalHook = readFileSync(hook, 'utf8')
    for (const edit of ['Tea', 'Coffee', 'Milk']) {
      // Again, if need be: Vite's watcher may miss what is written within milliseconds of the last change.
      await expect(async () => {
        writeFileSync(path, original.replace(title, edit))
        await expect(page.getByRole('heading', { level: 1 })).toHaveText(edit, { timeout: 1500 })
      }).toPass({ timeout: 15_000 })
      await expect(page.locator('#today')).toHaveText('2016-05-14')
      await expect(page.locator('.badge')).toHaveText('ready')
      await expect.poll(held).toEqual({ sessions: 1, subscriptions: 1 })
      await service.publish('demo.clock.tick', [`12:00:0${edit.length}`])
      await expect(page.locator('#clock')).toHaveText(`12:00:0${edit.length}`)
    }
    // The use of the hooks changes as well, and with it the subscription.
    await expect(async () => {
      writeFileSync(hook, originalHook.replace('demo.clock.tick', 'demo.clock.tock'))
      const lookedUp = () => service.call('wamp.subscription.lookup', ['demo.clock.tock'])
      await expect.poll(lookedUp, { timeout: 1500 }).not.toBeNull()
    }).toPass({ timeout: 15_000 })
    await expect.poll(held).toEqual({ sessions: 1, subscriptions: 1 })
    await service.publish('demo.clock.tock', ['13:00:00'])
    await expect(page.locator('#clock')).toHaveText('13:00:00')
    expect(joined, 'sessions since the page was opened').toBe(1)
    expect(await page.evaluate(() => (globalThis as { loaded?: string }).loaded), 'no full reload').toBe('once')
    stop()
    await page.goto('about:blank')
    await expect.poll(held).toEqual({ sessions: 0, subscriptions: 0 })
  })
}

test('components share the client of their provider, which stops with it', async ({ page }) => {
  for (const address of [
    put(
      'shared-react.tsx',
      `import { useState } from 'react'
       import { createRoot } from 'react-dom/client'
       import { RpcClient } from 'wampy-ts'
       import { useConnection, WampProvider } from 'wampy-ts/react'
       const create = () => new RpcClient({ router: 'ws://' + location.host + '/ws' })
       const One = () => <p>{useConnection().state}</p>
       function App() {
         const [count, setCount] = useState(2)
         return <>
           <button onClick={() => setCount(count - 1)}>fewer</button>
           {count > 0 && <WampProvider create={create}>{Array.from({ length: count }, (_, i) => <One key={i} />)}</WampProvider>}
         </>
       }
       createRoot(document.querySelector('#app')!).render(<App />)`,
    ),
    put(
      'shared-vue.ts',
      `import { createApp, defineComponent, h, ref } from 'vue'
       import { RpcClient } from 'wampy-ts'
       import { useConnection, wamp } from 'wampy-ts/vue'
       const One = defineComponent(() => { const { state } = useConnection(); return () => h('p', state.value) })
       const count = ref(2)
       const fewer = () => { if (--count.value === 0) app.unmount() }
       const App = () => [h('button', { onClick: fewer }, 'fewer'), ...Array.from({ length: count.value }, () => h(One))]
       const app = createApp(App).use(wamp({ create: () => new RpcClient({ router: 'ws://' + location.host + '/ws' }) }))
       app.mount('#app')`,
    ),
  ]) {
    await page.goto(address)
    await expect(page.locator('p')).toHaveText(['ready', 'ready'])
    await expect.poll(held).toMatchObject({ sessions: 1 })
    await page.getByRole('button').click()
    await expect(page.locator('p')).toHaveText(['ready'])
    expect(held()).toMatchObject({ sessions: 1 })
    await page.getByRole('button').click()
    await expect.poll(held).toMatchObject({ sessions: 0 })
  }
})

test('500 events that come one by one over a socket render a page seldom, and none is lost', async ({ page }) => {
  const address = put(
    'burst.tsx',
    `import { createRoot } from 'react-dom/client'
     import { RpcClient } from 'wampy-ts'
     import { useEvents, useSubscription, WampProvider } from 'wampy-ts/react'
     let renders = 0
     let handled = 0
     function App() {
       useSubscription('demo.burst', () => handled++)
       const { events, status } = useEvents('demo.burst', { limit: 1000 })
       renders++
       return <p data-renders={renders} data-handled={handled}>{status} {events.length}</p>
     }
     const create = () => new RpcClient({ router: 'ws://' + location.host + '/ws' })
     createRoot(document.querySelector('#app')!).render(<WampProvider create={create}><App /></WampProvider>)`,
  )
  await page.goto(address)
  await expect(page.locator('p')).toHaveText('active 0')
  const before = Number(await page.locator('p').getAttribute('data-renders'))
  for (let n = 0; n < 500; n++) void service.publish('demo.burst', [n])
  await expect(page.locator('p')).toHaveText('active 500')
  expect(Number(await page.locator('p').getAttribute('data-handled'))).toBe(500)
  expect(Number(await page.locator('p').getAttribute('data-renders')) - before).toBeLessThan(100)
})

test("a client in a component's state works in StrictMode: a call after stop() starts it again", async ({ page }) => {
  writeFileSync(
    join(folder, 'state.tsx'),
    `import { StrictMode, useEffect, useState } from 'react'
     import { createRoot } from 'react-dom/client'
     import { RpcClient } from 'wampy-ts'
     function App() {
       const [client] = useState(() => new RpcClient({ router: 'ws://' + location.host + '/ws' }))
       const [date, setDate] = useState('asking...')
       useEffect(() => {
         client.rpc.getTodaysDate().then(setDate, () => {})
         return () => void client.stop()
       }, [client])
       return <p>{date}</p>
     }
     const root = createRoot(document.querySelector('#app')!)
     root.render(<StrictMode><App /></StrictMode>)
     Object.assign(globalThis, { unmount: () => root.unmount() })`,
  )
  writeFileSync(
    join(folder, 'state.html'),
    `<!doctype html><link rel="icon" href="/icon.svg"><title>state</title><div id="app"></div><script type="module" src="/state.tsx"></script>`,
  )
  await page.goto(`${origin}state.html`)
  await expect(page.locator('p')).toHaveText('2016-05-14')
  await expect.poll(held).toMatchObject({ sessions: 1 })
  await page.evaluate(() => (globalThis as unknown as { unmount(): void }).unmount())
  await expect.poll(held).toMatchObject({ sessions: 0 })
})
