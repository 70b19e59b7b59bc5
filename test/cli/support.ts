/** Builds the command into a folder with the installed package, and runs it as a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { WampClient } from '../../src/client/wamp-client.ts'
import { type Served, serve } from '../../src/node/serve.ts'
import { Router, type RouterOptions } from '../../src/router/router.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  dependencies: Record<string, string>
}

let folder = ''
let cliPath = ''

/** The working folder of the commands; modules written there import `wampy-ts` as users do. */
export const here = (...path: string[]): string => join(folder, ...path)

// Built from the sources at each run, as tsup does it: independent of dist, and quick.
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'wampy-cli-')))
  const installed = here('node_modules', 'wampy-ts')
  mkdirSync(installed, { recursive: true })
  writeFileSync(join(installed, 'package.json'), readFileSync(join(root, 'package.json')))
  for (const name of [...Object.keys(manifest.dependencies), 'tsx', 'yaml']) {
    mkdirSync(dirname(here('node_modules', name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), here('node_modules', name), 'junction')
  }
  const entries = { index: 'src/index.ts' }
  const options: BuildOptions = {
    absWorkingDir: root,
    outdir: join(installed, 'dist'),
    bundle: true,
    platform: 'node',
    target: 'es2022',
    define: { __VERSION__: JSON.stringify(manifest.version) },
    external: [...Object.keys(manifest.dependencies), 'yaml'],
    tsconfigRaw: {},
  }
  await Promise.all([
    build({ ...options, format: 'esm', splitting: true, entryPoints: { ...entries, cli: 'src/cli/main.ts' } }),
    build({ ...options, format: 'cjs', outExtension: { '.js': '.cjs' }, entryPoints: entries }),
  ])
  cliPath = join(installed, 'dist', 'cli.js')
})

/** All processes: a concurrent test cannot end its own. */
const started = new Set<Running>()

afterAll(async () => {
  for (const { child } of started) child.kill('SIGKILL')
  await Promise.all([...started].map(({ ended }) => ended))
  rmSync(folder, { recursive: true, force: true })
})

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A process whose output can be awaited. */
export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  #over = false
  #waiting = new Set<() => void>()

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const clean: NodeJS.ProcessEnv = {
      ...process.env,
      NO_COLOR: '1',
      NODE_OPTIONS: '',
      XDG_CONFIG_HOME: here('config'),
    }
    for (const name of Object.keys(clean)) if (name.startsWith('WAMPY_') || name === 'FORCE_COLOR') delete clean[name]
    this.child = spawn(command, args, { cwd: folder, env: { ...clean, ...env } })
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text
        this.#look()
      })
    }
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code) => {
        this.#over = true
        this.#look()
        resolve({ code, stdout: this.stdout, stderr: this.stderr })
      })
    })
    started.add(this)
  }

  /** Resolves to the match of `pattern` in the past or future output. */
  said(pattern: RegExp, where: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this[where])
        if (!found && !this.#over) return
        this.#waiting.delete(look)
        if (found) resolve(found)
        else reject(new Error(`ended without ${pattern}:\n${this.stdout}\n${this.stderr}`))
      }
      this.#waiting.add(look)
      look()
    })
  }

  kill(signal: NodeJS.Signals): this {
    this.child.kill(signal)
    return this
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }
}

/** `wampy-ts ...` */
export const cli = (...args: string[]): Running => new Running(process.execPath, [cliPath, ...args])

/** `wampy-ts ...` with an environment, or with flags of Node. */
export const cliWith = (how: { env?: NodeJS.ProcessEnv; node?: string[] }, ...args: string[]): Running =>
  new Running(process.execPath, [...(how.node ?? []), cliPath, ...args], how.env)

/** `wampy-ts ...` in a terminal, by util-linux's `script`. */
export const terminal = (env: NodeJS.ProcessEnv, ...args: string[]): Running => {
  const line = [process.execPath, cliPath, ...args].map((word) => `'${word}'`).join(' ')
  return new Running('script', ['-qfec', line, '/dev/null'], { TERM: 'xterm', ...env })
}

/** A line of a shell in which `wampy-ts` is the command. */
export const shell = (line: string): Running =>
  new Running('sh', ['-c', `alias wampy-ts="'${process.execPath}' '${cliPath}'"\n${line}`])

export const write = (name: string, text: string): void => writeFileSync(here(name), text)

export interface Listening extends Pick<Served, 'url' | 'port' | 'close'> {
  readonly router: Router
  /** Returns a client that has joined. */
  client(): Promise<WampClient>
}

/** A router in this process that listens on a port; closed after the test. */
export async function listening(
  port = 0,
  realms = ['realm1'],
  options: Omit<RouterOptions, 'realms'> = {},
): Promise<Listening> {
  const router = new Router({ ...options, realms })
  const served = await serve(router, { port })
  onTestFinished(async () => {
    await router.close()
    await served.close()
  })
  const client = async (): Promise<WampClient> => {
    const made = new WampClient({ router, ...(realms[0] ? { realm: realms[0] } : {}) })
    await made.start()
    onTestFinished(() => made.stop())
    return made
  }
  return { router, client, url: served.url, port: served.port, close: () => served.close() }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const served = await serve(new Router(), { port: 0 })
  const { port } = served
  await served.close()
  return port
}
