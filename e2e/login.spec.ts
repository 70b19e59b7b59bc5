/** The documentation's login forms work unchanged against its router: in StrictMode, under hot reload, on a plain page. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import react from '@vitejs/plugin-react'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { createServer, type ViteDevServer } from 'vite'
import { RpcClient } from 'wampy-ts'
import { scram } from 'wampy-ts/auth'
import { type Project, project, ROOT } from '../test/docs/project.ts'
import { expect, test } from './support.ts'

let here: Project
let router: ChildProcess
let vite: ViteDevServer
let origin: string
let observer: RpcClient

test.beforeAll(async () => {
  here = await project()
  router = spawn(process.execPath, ['--import', 'tsx', 'router/authenticate/login-router.ts'], { cwd: here.folder })
  const listening = new Promise<void>((resolve, reject) => {
    router.stdout?.on('data', (chunk) => /log in at/.test(String(chunk)) && resolve())
    router.once('exit', (code) => reject(new Error(`login-router.ts ended with ${code}`)))
  })
  writeFileSync(
    join(here.folder, 'login-main.tsx'),
    `import { StrictMode } from 'react'
     import { createRoot } from 'react-dom/client'
     import { Login } from './router/authenticate/Login'
     createRoot(document.querySelector('#app')!).render(<StrictMode><Login /></StrictMode>)`,
  )
  mkdirSync(join(here.folder, 'public'))
  writeFileSync(join(here.folder, 'public', 'favicon.ico'), '')
  const body = '<div id="app"></div><script type="module" src="/login-main.tsx"></script>'
  writeFileSync(join(here.folder, 'login-react.html'), `<!doctype html><title>app</title>${body}`)
  vite = await createServer({
    root: here.folder,
    configFile: false,
    logLevel: 'silent',
    plugins: [react()],
    server: { port: here.pagePort, strictPort: true, host: '127.0.0.1', fs: { allow: [here.folder, ROOT] } },
  })
  await vite.listen()
  origin = `http://localhost:${here.pagePort}/`
  await listening
  observer = new RpcClient({ router: `ws://localhost:${here.port}/ws`, auth: [scram('ann', 'brush')] })
  await observer.start()
})

test.afterAll(async () => {
  await observer?.stop()
  await vite?.close()
  router?.kill('SIGKILL')
  here?.remove()
})

/** The ids of the sessions in the realm, without the observer. */
async function sessions(): Promise<number[]> {
  const ids = await observer.call<number[]>('wamp.session.list')
  return ids.filter((id) => id !== observer.session.id)
}

/** Who they are, and by which method. */
async function logins(): Promise<string[]> {
  const described = (await sessions()).map((id) =>
    observer.call<{ authid: string; authmethod: string }>('wamp.session.get', [id]).then(
      ({ authid, authmethod }) => [`${authid} by ${authmethod}`],
      // It has ended meanwhile.
      () => [],
    ),
  )
  return (await Promise.all(described)).flat()
}

async function logIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByPlaceholder('Name').fill(name)
  await page.getByPlaceholder('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

for (const app of ['login-react.html', 'router/authenticate/login.html']) {
  test(`${app}: a wrong password, the right one, a logout, and another user`, async ({ page }) => {
    await page.route('https://unpkg.com/wampy-ts', (route) =>
      route.fulfill({ path: join(ROOT, 'dist', 'wampy.min.js') }),
    )
    await page.goto(`${origin}${app}`)
    await expect(page.getByText('Logged out')).toBeVisible()
    for (const [name, password] of [
      ['joe', 'pen'],
      ['nobody', 'pencil'],
    ] as const) {
      await logIn(page, name, password)
      await expect(page.getByText('Wrong name or password')).toBeVisible()
    }
    expect(await logins()).toEqual([])
    await logIn(page, 'joe', 'pencil')
    await expect(page.getByText('Logged in as joe')).toBeVisible()
    expect(await logins()).toEqual(['joe by wamp-scram'])
    await page.getByRole('button', { name: 'Log out' }).click()
    await expect(page.getByText('Logged out')).toBeVisible()
    expect(await logins()).toEqual([])
    await logIn(page, 'ann', 'brush')
    await expect(page.getByText('Logged in as ann')).toBeVisible()
    expect(await logins()).toEqual(['ann by wamp-scram'])
    await page.goto('about:blank')
    await expect.poll(logins).toEqual([])
  })
}

test('the React page stays logged in when it is reloaded, until it logs out', async ({ page }) => {
  await page.goto(`${origin}login-react.html`)
  await logIn(page, 'joe', 'pencil')
  await expect(page.getByText('Logged in as joe')).toBeVisible()
  await page.reload()
  await expect(page.getByText('Logged in as joe')).toBeVisible()
  await expect.poll(logins).toEqual(['joe by cookie'])
  expect(await page.evaluate(() => document.cookie), 'HttpOnly').toBe('')
  await page.getByRole('button', { name: 'Log out' }).click()
  await expect(page.getByText('Logged out')).toBeVisible()
  await page.reload()
  await expect(page.getByText('Logged out')).toBeVisible()
  expect(await logins()).toEqual([])
})

test('the component can be edited: Vite replaces it, and the login stays', async ({ page }) => {
  await page.goto(`${origin}login-react.html`)
  await logIn(page, 'joe', 'pencil')
  const path = join(here.folder, 'router/authenticate/Login.tsx')
  const original = readFileSync(path, 'utf8')
  try {
    await expect(page.getByText('Logged in as joe')).toBeVisible()
    const before = await sessions()
    expect(before).toHaveLength(1)
    writeFileSync(path, original.replace('Logged in as', 'Welcome,'))
    await expect(page.getByText('Welcome, joe')).toBeVisible()
    expect(await sessions()).toEqual(before)
  } finally {
    writeFileSync(path, original)
  }
  await page.goto('about:blank')
  await expect.poll(logins).toEqual([])
})

test('a server that renders the form opens no session', async () => {
  const { Login } = await vite.ssrLoadModule('/router/authenticate/Login.tsx')
  const joined: unknown[] = []
  const subscription = await observer.subscribe('wamp.session.on_join', ([session]) => joined.push(session))
  expect(renderToString(createElement(Login))).toBe('<p>Logging in...</p>')
  // A client that had been started would have joined before this one, whose connection is younger.
  const last = new RpcClient({ router: `ws://localhost:${here.port}/ws`, auth: [scram('joe', 'pencil')] })
  await last.start()
  await last.stop()
  await expect.poll(() => joined.length).toBe(1)
  await subscription.unsubscribe()
})
