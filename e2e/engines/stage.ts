/** What the stories stand on: a router in a child process, a site with pages of a story's own, and a client in Node. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import ts from 'typescript'
import { WampClient } from 'wampy-ts'
import type { RouterStats } from 'wampy-ts/router'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A router in a process of its own, which keeps its port. */
export class RouterProcess {
  port = 0
  #child: ChildProcess | undefined

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`
  }

  get longPollUrl(): string {
    return `http://127.0.0.1:${this.port}/ws/lp`
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, ['e2e/engines/router.mjs', String(this.port)], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    const [line] = await Promise.race([
      once(createInterface(child.stdout), 'line'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the router exited with ${code}`))),
    ])
    this.port = Number(line)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#child = undefined
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}

const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', mjs: 'text/javascript' }

/** Serves the built scripts, and the files of a story. */
export class Site {
  readonly #texts = new Map<string, { text: string; headers: Record<string, string> }>()
  readonly #server = createServer(async ({ url = '/' }, response) => {
    const path = url.replace(/\?.*/, '')
    const built = /^\/(wampy\.(min\.js|mjs))$/.exec(path)?.[1]
    const found = built ? { text: await readFile(`${root}/dist/${built}`, 'utf8'), headers: {} } : this.#texts.get(path)
    const type = TYPES[path.split('.').at(-1) ?? ''] ?? 'text/html'
    response.writeHead(found ? 200 : 404, { 'Content-Type': `${type}; charset=utf-8`, ...found?.headers })
    response.end(found?.text)
  })

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.put('/favicon.ico', '')
    // All that a page may import, as a bundler makes one module of it.
    const { outputFiles } = await build({
      stdin: {
        contents: ['', '/auth', '/cbor', '/msgpack', '/router']
          .map((name) => `export * from 'wampy-ts${name}'`)
          .join('\n'),
        resolveDir: root,
      },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
      logLevel: 'silent',
    })
    this.put('/bundle.mjs', outputFiles[0]?.text ?? '')
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Serves a text under a path; returns its address. */
  put(path: string, text: string, headers: Record<string, string> = {}): string {
    this.#texts.set(path, { text, headers })
    return `${this.origin}${path}`
  }

  /** A page with a script of its own, which stands in a file as a strict policy wants it; returns its address. */
  page(
    name: string,
    script: string,
    options: { type?: 'module'; headers?: Record<string, string>; library?: boolean } = {},
  ): string {
    const { type, headers, library = type !== 'module' } = options
    this.put(`/${name}.js`, script)
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title>
      <script src="/complaints.js"></script>
      ${library ? '<script src="/wampy.min.js"></script>' : ''}
      <script ${type ? 'type="module" ' : ''}src="/${name}.js"></script>`
    this.put('/complaints.js', COMPLAINTS)
    return this.put(`/${name}.html`, html, headers)
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

const COMPLAINTS = `globalThis.complaints = []
  globalThis.restored = 0
  addEventListener('error', ({ message }) => message && complaints.push(message))
  addEventListener('unhandledrejection', ({ reason }) => complaints.push('unhandled: ' + (reason && reason.message)))
  addEventListener('pageshow', ({ persisted }) => persisted && restored++)`

/** TypeScript as tsc compiles it for pages. */
export function compiled(text: string): string {
  const { ES2022, ESNext } = { ES2022: ts.ScriptTarget.ES2022, ESNext: ts.ModuleKind.ESNext }
  return ts.transpileModule(text, { compilerOptions: { target: ES2022, module: ESNext } }).outputText
}

/** Polls until the condition holds; the error names the condition. */
export async function until(what: string, holds: () => unknown, timeout = 5000): Promise<void> {
  const deadline = performance.now() + timeout
  let last: unknown
  for (;;) {
    try {
      if (await holds()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeout} ms`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** Node's side of a story. */
export class NodeSide extends WampClient {
  ask<T = unknown>(procedure: string, ...args: unknown[]): Promise<T> {
    return this.call<T>(procedure, args, {}, { waitForReady: true, timeout: 5000 })
  }

  /** Sessions of the router but those of this process and its own. */
  async sessions(): Promise<number> {
    return (await this.ask<RouterStats>('node.stats')).sessions - 2
  }
}
