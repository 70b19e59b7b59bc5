/** Support for the browser tests: programs in child processes, pages made by a test, and a check of the console. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test as base, type Page } from '@playwright/test'
import { WampClient } from 'wampy-ts'
import type { RouterStats } from 'wampy-ts/router'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A program that prints the address it listens on. */
export class Program {
  /** What it printed: `http://127.0.0.1:8000/` or `ws://127.0.0.1:8080/ws`. */
  address = ''
  readonly #script: string
  /** The arguments that choose a port. */
  readonly #portArgs: (port: string) => string[]
  readonly #statsProcedure: string
  #child: ChildProcess | undefined
  #client: WampClient | undefined

  private constructor(script: string, portArgs: (port: string) => string[], statsProcedure: string) {
    this.#script = script
    this.#portArgs = portArgs
    this.#statsProcedure = statsProcedure
  }

  /** The demo, as `npm start` runs it. */
  static demo(args?: string[]): Promise<Program> {
    return new Program('demo/dist/server.js', (port) => ['--port', port], 'demo.router.stats').start(args)
  }

  /** Only a router. */
  static router(): Promise<Program> {
    return new Program('e2e/router.mjs', (port) => [port], 'e2e.stats').start()
  }

  /** Where its router is. */
  get url(): string {
    const { host } = new URL(this.address)
    return `ws://${host}/ws`
  }

  /** Starts the program on a free port; the next time on the same port. */
  async start(args = this.#portArgs(this.address ? new URL(this.address).port : '0')): Promise<this> {
    const { PORT: _, ...env } = process.env
    const child = spawn(process.execPath, [this.#script, ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    const line = await Promise.race([
      once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`${this.#script} exited with ${code}`))),
    ])
    this.address = line.slice(line.search(/\w+:\/\//))
    return this
  }

  /** Ends it by a signal; resolves to its exit code, null for a death by that signal. */
  async end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null> {
    const child = this.#child
    if (!child) return null
    const gone = once(child, 'exit')
    child.kill(signal)
    const [code] = await gone
    this.#child = undefined
    return code
  }

  /** A client of it in this process: Node's side of a test. */
  async client(): Promise<WampClient> {
    this.#client ??= new WampClient({ router: this.url, name: 'e2e' })
    await this.#client.start()
    return this.#client
  }

  /** What its router holds, without the client that asks. */
  async holds(): Promise<Pick<RouterStats, 'sessions' | 'subscriptions' | 'registrations' | 'calls'>> {
    const client = await this.client()
    const { sessions, subscriptions, registrations, calls } = await client.call<RouterStats>(
      this.#statsProcedure,
      [],
      {},
      { waitForReady: true, timeout: 5000 },
    )
    return { sessions: sessions - 1, subscriptions, registrations, calls: calls - 1 }
  }

  async dispose(): Promise<void> {
    await this.#client?.stop()
    if (this.#child) await this.end('SIGKILL')
  }
}

/** Pages that a test writes, beside the built script. */
export interface Site {
  /** Serves a text under a path, `/` for an HTML page; resolves to its address. */
  put(path: string, text: string): string
}

/** The messages that a page may print on its console. */
export interface Console {
  /** Complaints that the test brings about. */
  expect(pattern: RegExp): void
}

interface PerTest {
  console: Console
  router: Program
  site: Site
}

interface PerWorker {
  demo: Program
}

const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', mjs: 'text/javascript' }

export const test = base.extend<PerTest, PerWorker>({
  demo: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are used from the pattern
    async ({}, use) => {
      const demo = await Program.demo()
      await use(demo)
      await demo.dispose()
    },
    { scope: 'worker' },
  ],

  // biome-ignore lint/correctness/noEmptyPattern: as above
  router: async ({}, use) => {
    const router = await Program.router()
    await use(router)
    await router.dispose()
  },

  // biome-ignore lint/correctness/noEmptyPattern: as above
  site: async ({}, use) => {
    const texts = new Map<string, string>([['/favicon.ico', '']])
    const server = createServer(async ({ url = '/' }, response) => {
      const built = /^\/(wampy\.(min\.js|mjs))$/.exec(url)?.[1]
      const text = built ? await readFile(`${root}/dist/${built}`, 'utf8') : texts.get(url)
      const type = TYPES[url.split('.').at(-1) ?? ''] ?? 'text/html'
      response.writeHead(text === undefined ? 404 : 200, { 'Content-Type': `${type}; charset=utf-8` })
      response.end(text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await use({
      put: (path, text) => {
        texts.set(path, text)
        return `http://127.0.0.1:${port}${path}`
      },
    })
    server.close()
    server.closeAllConnections()
  },

  console: [
    async ({ context }, use) => {
      const complaints: string[] = []
      const expected: RegExp[] = []
      context.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
      })
      context.on('weberror', (error) => complaints.push(String(error.error())))
      await use({ expect: (pattern) => expected.push(pattern) })
      const unexpected = complaints.filter((text) => !expected.some((pattern) => pattern.test(text)))
      base.expect(unexpected, 'what pages said on their consoles').toEqual([])
    },
    { auto: true },
  ],
})

export { expect } from '@playwright/test'

/** A browser's message about a lost server: it may just have requested the icon. */
export const UNREACHABLE = /WebSocket connection to .* failed|ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE/

/** Today's date, as Node formats it. */
export const today = (): string => new Date().toLocaleDateString('sv')

/** The page shows today's date, as Node formats it. */
export async function seesToday(page: Page): Promise<void> {
  // Asked each time: midnight may come between.
  await base.expect.poll(async () => (await page.locator('#today').textContent()) === today()).toBe(true)
}

/** The text of an element becomes another one. */
export async function changes(page: Page, selector: string): Promise<void> {
  const before = (await page.locator(selector).textContent()) ?? ''
  await base.expect(page.locator(selector)).not.toHaveText(before)
}
