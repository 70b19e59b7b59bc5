/** The README's page, its React components and its Vue component work in a browser as they stand. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import react from '@vitejs/plugin-react'
import vue from '@vitejs/plugin-vue'
import { createServer, type ViteDevServer } from 'vite'
import { type Project, project, ROOT } from '../test/readme/blocks.ts'

let here: Project
let service: ChildProcess
let vite: ViteDevServer
let origin: string

const APPS = {
  'react.html': [
    'react.tsx',
    `import { StrictMode } from 'react'
     import { createRoot } from 'react-dom/client'
     import { Clock } from './Clock'
     import { Today } from './Today'
     const root = createRoot(document.querySelector('#app')!)
     root.render(<StrictMode><Today /><Clock /></StrictMode>)`,
  ],
  'vue.html': [
    'vue.ts',
    `import { createApp } from 'vue'
     import Today from './Today.vue'
     createApp(Today).mount('#app')`,
  ],
} as const

test.beforeAll(async () => {
  here = await project()
  service = spawn(process.execPath, ['--import', 'tsx', 'service.ts'], { cwd: here.folder })
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
})

test.afterAll(async () => {
  await vite?.close()
  service?.kill('SIGKILL')
  here?.remove()
})

test('the plain page shows the date, with the script tag that it has', async ({ page }) => {
  await page.route('https://unpkg.com/wampy-ts', (route) => route.fulfill({ path: join(ROOT, 'dist', 'wampy.min.js') }))
  await page.goto(`${origin}page.html`)
  await expect(page.locator('#date')).toHaveText(new Date().toLocaleDateString('sv'))
})

for (const app of Object.keys(APPS)) {
  test(`the components in ${app} show the date`, async ({ page }) => {
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`${origin}${app}`)
    await expect(page.locator('#date')).toHaveText(new Date().toLocaleDateString('sv'), { timeout: 20_000 })
    expect(errors).toEqual([])
  })
}
