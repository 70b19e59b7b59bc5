/** The hooks of the demo's React and Vue pages, served by Vite's development server: shared, edited, rendered on a server. */

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import vue from '@vitejs/plugin-vue'
import { createElement } from 'react'
import { renderToString as renderReact } from 'react-dom/server'
import { createServer, type ViteDevServer } from 'vite'
import { createSSRApp } from 'vue'
import { renderToString as renderVue } from 'vue/server-renderer'
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
    resolve: { alias: [{ find: /^wampy-ts$/, replacement: join(root, 'dist/page/index.js') }] },
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

for (const { name, file, title } of [
  { name: 'react', file: 'react/app.tsx', title: 'The same date, in React' },
  { name: 'vue', file: 'vue/app.vue', title: 'The same date, in Vue' },
]) {
  test(`the ${name} page is edited: one session and one subscription after each edit`, async ({ page }) => {
    await expect.poll(held).toEqual({ sessions: 0, subscriptions: 0 })
    await page.goto(`${origin}${name}/index.html`)
    await expect(page.locator('#today')).toHaveText('2016-05-14')
    await page.evaluate(() => Object.assign(globalThis, { loaded: 'once' }))
    const path = join(folder, file)
    const original = readFileSync(path, 'utf8')
    for (const edit of ['Tea', 'Coffee', 'Milk']) {
      // The client is made in this file: the old one must be stopped with the component that used it.
      writeFileSync(path, original.replace(title, edit).replace(`name: '${name}'`, `name: '${edit}'`))
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(edit)
      await expect(page.locator('#today')).toHaveText('2016-05-14')
      await expect(page.locator('.badge')).toHaveText('ready')
      await expect.poll(held).toEqual({ sessions: 1, subscriptions: 1 })
      await service.publish('demo.clock.tick', [`12:00:0${edit.length}`])
      await expect(page.locator('#clock')).toHaveText(`12:00:0${edit.length}`)
    }
    if (name === 'react') {
      expect(await page.evaluate(() => (globalThis as { loaded?: string }).loaded), 'no full reload').toBe('once')
    }
    await page.goto('about:blank')
    await expect.poll(held).toEqual({ sessions: 0, subscriptions: 0 })
  })
}

test('several components share a client: the last one stops it', async ({ page }) => {
  for (const [file, text] of [
    [
      'shared-react.tsx',
      `import { useState } from 'react'
       import { createRoot } from 'react-dom/client'
       import { RpcClient } from 'wampy-ts'
       import { useWamp } from './react/use-wamp.ts'
       const client = new RpcClient({ router: 'ws://' + location.host + '/ws' })
       const One = () => <p>{useWamp(client)}</p>
       function App() {
         const [count, setCount] = useState(2)
         return <><button onClick={() => setCount(count - 1)}>fewer</button>{Array.from({ length: count }, (_, i) => <One key={i} />)}</>
       }
       createRoot(document.querySelector('#app')!).render(<App />)`,
    ],
    [
      'shared-vue.ts',
      `import { createApp, defineComponent, h, ref } from 'vue'
       import { RpcClient } from 'wampy-ts'
       import { useWamp } from './vue/use-wamp.ts'
       const client = new RpcClient({ router: 'ws://' + location.host + '/ws' })
       const One = defineComponent(() => { const state = useWamp(client); return () => h('p', state.value) })
       const count = ref(2)
       const App = () => [h('button', { onClick: () => count.value-- }, 'fewer'), ...Array.from({ length: count.value }, () => h(One))]
       createApp(App).mount('#app')`,
    ],
  ] as const) {
    writeFileSync(join(folder, file), text)
    const html = file.replace(/\.tsx?$/, '.html')
    writeFileSync(
      join(folder, html),
      `<!doctype html><link rel="icon" href="/icon.svg"><title>shared</title><div id="app"></div><script type="module" src="/${file}"></script>`,
    )
    await page.goto(`${origin}${html}`)
    await expect(page.locator('p')).toHaveText(['ready', 'ready'])
    await expect.poll(held).toMatchObject({ sessions: 1 })
    await page.getByRole('button').click()
    await expect(page.locator('p')).toHaveText(['ready'])
    expect(held()).toMatchObject({ sessions: 1 })
    await page.getByRole('button').click()
    await expect.poll(held).toMatchObject({ sessions: 0 })
  }
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

test('a server that renders with the hooks starts no client and leaves no listener', async () => {
  const client = new WampClient({ router })
  const hooks = await vite.ssrLoadModule('/react/use-wamp.ts')
  const composables = await vite.ssrLoadModule('/vue/use-wamp.ts')
  const ReactState = () => createElement('p', null, hooks['useWamp'](client), hooks['useTopic'](client, 'a.b')?.[0])
  const VueState = {
    setup: () => ({ state: composables['useWamp'](client), tick: composables['useTopic'](client, 'a.b') }),
    template: '<p>{{ state }}{{ tick?.[0] }}</p>',
  }
  for (let request = 0; request < 20; request++) {
    expect(renderReact(createElement(ReactState))).toBe('<p>stopped</p>')
    expect(await renderVue(createSSRApp(VueState))).toBe('<p>stopped</p>')
  }
  expect(client.state).toBe('stopped')
  expect(client.subscriptions).toEqual([])
  expect(client.eventNames()).toEqual([])
  expect(held()).toMatchObject({ sessions: 0 })
})
