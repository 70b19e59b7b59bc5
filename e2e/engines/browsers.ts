/** Three browser engines behind one small interface: Chromium by CDP, Firefox by BiDi, WebKitGTK by plain WebDriver. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { type Browser as Driven, launch, type Page } from 'puppeteer-core'

export interface Tab {
  goto(url: string): Promise<void>
  /** Runs the body of an async function in the page; its result travels as JSON. */
  run<T = unknown>(body: string): Promise<T>
  /** Goes back in the history of the tab, without waiting for anything. */
  back(): Promise<void>
  close(): Promise<void>
}

export interface Browser {
  readonly version: string
  open(): Promise<Tab>
  quit(): Promise<void>
}

export const ENGINES: Readonly<Record<string, () => Promise<Browser>>> = {
  chromium: () =>
    puppeteer('chrome', 'CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']),
  firefox: () => puppeteer('firefox', 'FIREFOX', ['firefox-esr', 'firefox']),
  webkit,
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a program: the one that a variable names, else the first that is installed. */
function find(variable: string, names: readonly string[]): string {
  const given = process.env[variable]
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin']
  const found = given ? [given] : names.flatMap((name) => folders.map((folder) => join(folder, name)))
  const path = found.find(isExecutable)
  if (path) return path
  throw new Error(`${given ?? names.join(' or ')} is not installed: install it, or set ${variable} to its path`)
}

async function puppeteer(browser: 'chrome' | 'firefox', variable: string, names: readonly string[]): Promise<Browser> {
  const driven: Driven = await launch({
    browser,
    executablePath: find(variable, names),
    headless: true,
    // Chromium refuses to run as root inside its sandbox.
    args: browser === 'chrome' && process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    // What people have: Puppeteer turns the back-forward cache off with other features.
    ...(browser === 'chrome' && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
  })
  return {
    version: await driven.version(),
    async open() {
      return puppeteerTab(await driven.newPage())
    },
    quit: () => driven.close(),
  }
}

function puppeteerTab(page: Page): Tab {
  return {
    async goto(url) {
      await page.goto(url, { waitUntil: 'load' })
    },
    run: <T>(body: string) => page.evaluate(`(async () => { ${body} })()`) as Promise<T>,
    async back() {
      // A page out of the cache has no load event to wait for.
      page.goBack({ waitUntil: [], timeout: 5000 }).catch(() => {})
    },
    close: () => page.close(),
  }
}

/** A process that is ended with the tests. */
function start(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  fds: readonly 'pipe'[] = [],
): ChildProcess {
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'ignore', ...fds], env: { ...process.env, ...env } })
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function miniBrowser(): Promise<string> {
  const given = process.env['MINIBROWSER']
  const folders = ['/usr/lib', ...(await readdir('/usr/lib')).map((name) => `/usr/lib/${name}`), '/usr/libexec']
  const paths = given ? [given] : folders.map((folder) => `${folder}/webkit2gtk-4.1/MiniBrowser`)
  const path = paths.find(isExecutable)
  if (path) return path
  throw new Error('MiniBrowser of webkit2gtk-4.1 is not installed: install it, or set MINIBROWSER to its path')
}

async function webkit(): Promise<Browser> {
  const [driver, screen, binary] = [
    find('WEBKITWEBDRIVER', ['WebKitWebDriver']),
    find('XVFB', ['Xvfb']),
    await miniBrowser(),
  ]
  const display = start(screen, ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], {}, ['pipe'])
  const [number] = (await once(display.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer]
  const port = await freePort()
  const env = {
    DISPLAY: `:${String(number).trim()}`,
    GDK_BACKEND: 'x11',
    NO_AT_BRIDGE: '1',
    LIBGL_ALWAYS_SOFTWARE: '1',
  }
  const driving = start(driver, [`--port=${port}`, '--host=127.0.0.1'], env)
  const send = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    })
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } }
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`)
    return value
  }
  for (let left = 100; ; left--) {
    try {
      await send('GET', '/status')
      break
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const { sessionId, capabilities } = await send<{ sessionId: string; capabilities: { browserVersion: string } }>(
    'POST',
    '/session',
    {
      capabilities: {
        alwaysMatch: {
          'webkitgtk:browserOptions': { binary, args: ['--automation'] },
          timeouts: { script: 30_000, pageLoad: 30_000 },
        },
      },
    },
  )
  const session = `/session/${sessionId}`
  // WebDriver has one current window: steps in one tab must not be interleaved with others.
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const done = queue.then(task, task)
    queue = done.catch(() => {})
    return done
  }
  let first: string | undefined = (await send<string[]>('GET', `${session}/window/handles`))[0]
  return {
    version: `WebKitGTK ${capabilities.browserVersion}`,
    async open() {
      const handle =
        first ?? (await inTurn(() => send<{ handle: string }>('POST', `${session}/window/new`, { type: 'tab' }))).handle
      const spare = first !== undefined
      first = undefined
      const within = <T>(task: () => Promise<T>): Promise<T> =>
        inTurn(async () => {
          await send('POST', `${session}/window`, { handle })
          return task()
        })
      return {
        goto: (url) => within(() => send('POST', `${session}/url`, { url })),
        run: <T>(body: string) =>
          within(async () => {
            const script = `const webDriverDone = arguments[arguments.length - 1];
              (async () => { ${body} })().then((value) => webDriverDone([value]), (error) => webDriverDone([undefined, String(error && error.stack || error)]))`
            const [value, error] = await send<[T, string?]>('POST', `${session}/execute/async`, { script, args: [] })
            if (error) throw new Error(error)
            return value
          }),
        back: () => within(() => send('POST', `${session}/back`, {})),
        close: async () => {
          // The last window of a session must stay.
          if (spare) await within(() => send('POST', `${session}/url`, { url: 'about:blank' }))
          else await within(() => send('DELETE', `${session}/window`))
          if (spare) first = handle
        },
      }
    },
    async quit() {
      await inTurn(() => send('DELETE', session)).catch(() => {})
      await end(driving)
      await end(display)
    },
  }
}
