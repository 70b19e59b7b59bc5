/**
 * Builds and runs small projects of other toolchains with the packed package: `npm run test:toolchains [project...]`,
 * after `npm run build`. `node test/toolchains/run.mjs node-24 COMMAND...` runs a command with that Node instead.
 *
 * A project is a folder beside this file with a lock file. It is copied to a cache, where its node_modules stay until
 * the lock file changes. `shared/` is added to the projects with pages and tests.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'wampy-ts/toolchains')

/** The text that a page and a server render show if everything works. */
const WORKS = '3 -3 30 ba7816bf'

// ---- processes ----

const environment = {
  ...process.env,
  CI: '1',
  NO_COLOR: '1',
  NODE_OPTIONS: '',
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  NPM_CONFIG_UPDATE_NOTIFIER: 'false',
}
delete environment.FORCE_COLOR

const nodeFolder = (major) => join(cache, 'runtimes/node_modules', `node-${major}`, 'bin')

/** The environment with another Node before the one that runs this. */
function withNode(major, more = {}) {
  return { ...environment, PATH: `${nodeFolder(major)}${delimiter}${environment.PATH}`, ...more }
}

/** Resolves to the exit code and all output. */
function run(command, args, { cwd, env = environment, timeout = 300_000 } = {}) {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env, timeout, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? 1) : 0, output: stdout + stderr + (error?.killed ? '\n(timed out)' : '') })
    })
  })
}

async function succeeds(command, args, options) {
  const { code, output } = await run(command, args, options)
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}\n${output}`)
  return output
}

/** Fails with a text that a row of the table in docs/toolchains.md quotes. */
async function failsWith(text, command, args, options) {
  const { code, output } = await run(command, args, options)
  const plain = output.replaceAll(/\s+/g, ' ')
  if (code === 0 || !plain.includes(text))
    throw new Error(`expected a failure that says "${text}", got ${code}\n${output}`)
  documented(text)
}

/** @throws if no row of the table in docs/toolchains.md quotes the text */
function documented(text) {
  const rows = readFileSync(join(root, 'docs/toolchains.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
  if (!rows.some((row) => row.replaceAll('`', '').includes(text.replaceAll('`', ''))))
    throw new Error(`no table in docs/toolchains.md quotes "${text}"`)
}

const started = new Set()
process.on('exit', () => {
  for (const child of started) stopGroup(child)
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

function stopGroup(child) {
  started.delete(child)
  try {
    // Its own group: the servers of frameworks start processes of their own.
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** Starts a server and waits for a text in its output; resolves to the match and `stop`. */
function serving(command, args, expected, { cwd, env = environment } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    started.add(child)
    let output = ''
    const timer = setTimeout(() => fail('did not start within 60 s'), 60_000)
    const fail = (why) => {
      clearTimeout(timer)
      stopGroup(child)
      reject(new Error(`${[command, ...args].join(' ')} ${why}\n${output}`))
    }
    const heard = (chunk) => {
      output += chunk
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal
      const match = expected.exec(output.replaceAll(/\u001b\[[0-9;]*m/g, ''))
      if (!match) return
      clearTimeout(timer)
      resolve({ match, output: () => output, stop: () => stopGroup(child) })
    }
    child.stdout.on('data', heard)
    child.stderr.on('data', heard)
    child.on('error', (error) => fail(String(error)))
    child.on('exit', (code) => fail(`ended with ${code}`))
  })
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

// ---- projects ----

let tarball

async function pack() {
  if (!existsSync(join(root, 'dist/index.d.cts'))) throw new Error('dist/ is missing: run `npm run build` first')
  const folder = mkdtempSync(join(tmpdir(), 'wampy-ts-toolchains-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const packed = await succeeds('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
  })
  tarball = join(folder, JSON.parse(packed.slice(packed.indexOf('[')))[0].filename)
}

/** Copies a project to the cache, installs missing packages by its lock file, and unpacks the package into it. */
async function prepare(name, { shared = false, packed = true } = {}) {
  const source = join(here, name)
  const folder = join(cache, name)
  const stamp = join(folder, 'node_modules/.installed')
  const lock = createHash('sha256')
    .update(readFileSync(join(source, 'package-lock.json')))
    .digest('hex')
  mkdirSync(folder, { recursive: true })
  const isInstalled = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock
  for (const file of readdirSync(folder)) {
    if (file !== 'node_modules') rmSync(join(folder, file), { recursive: true, force: true })
  }
  cpSync(source, folder, { recursive: true, filter: (path) => !path.includes('node_modules') })
  if (shared) cpSync(join(here, 'shared'), folder, { recursive: true })
  if (!isInstalled) {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--prefer-offline']
    await succeeds('npm', args, { cwd: folder, timeout: 600_000 })
    writeFileSync(stamp, lock)
  }
  if (packed) await addPackage(folder)
  return folder
}

/** As `npm install` of the tarball and its optional peers, with the versions of the repository's lock file. */
async function addPackage(folder) {
  const modules = join(folder, 'node_modules')
  const installed = join(modules, 'wampy-ts')
  rmSync(installed, { recursive: true, force: true })
  mkdirSync(installed)
  await succeeds('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  const add = (manifest) => {
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
    const peers = manifest === join(installed, 'package.json') ? peerDependencies : {}
    for (const dependency of Object.keys({ ...dependencies, ...peers })) {
      // A framework is the project's own, or absent.
      if (['react', 'vue'].includes(dependency)) continue
      const own = join(root, 'node_modules', dependency)
      if (!existsSync(own)) continue
      if (!existsSync(join(modules, dependency))) cpSync(own, join(modules, dependency), { recursive: true })
      add(join(own, 'package.json'))
    }
  }
  add(join(installed, 'package.json'))
  const { bin = {} } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  if (!bin['wampy-ts']) throw new Error('the package has no command wampy-ts')
}

// ---- a browser ----

let browser

async function chromium() {
  if (browser) return browser
  const { chromium } = await import('@playwright/test')
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin']
  const found = names.flatMap((file) => folders.map((folder) => join(folder, file))).find(existsSync)
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? found, args: ['--no-sandbox'] })
  return browser
}

/** Opens a page and waits for its `#wampy`; throws with the page's errors if it does not appear. */
async function shown(url, { expected = WORKS } = {}) {
  const page = await (await chromium()).newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(`${error.name}: ${error.message}`))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  try {
    await page.goto(url)
    await page.waitForFunction(() => document.querySelector('#wampy')?.textContent, undefined, { timeout: 20_000 })
    const text = await page.textContent('#wampy')
    if (text !== expected) throw new Error(`the page shows "${text}" instead of "${expected}"`)
  } catch (error) {
    throw new Error([error.message, ...errors].join('\n'))
  } finally {
    await page.close()
  }
}

/** Opens a page that fails, and returns its errors. */
async function pageErrors(url) {
  const page = await (await chromium()).newPage()
  const failed = page.waitForEvent('pageerror', { timeout: 20_000 })
  try {
    await page.goto(url)
    const { name, message } = await failed
    return `${name}: ${message}`
  } finally {
    await page.close()
  }
}

/**
 * The live page of a project: a typed call, a live topic, the connection's state and a form that calls, while the service and
 * its router are killed and started again.
 */
async function live(url, restart) {
  const page = await (await chromium()).newPage()
  const shows = (selector, pattern) =>
    page.waitForFunction(
      ([selector, source]) => new RegExp(source).test(document.querySelector(selector)?.textContent ?? ''),
      [selector, pattern.source],
      { timeout: 20_000 },
    )
  const isIn = (state) => page.waitForSelector(`[data-state="${state}"]`, { timeout: 20_000 })
  const submit = async (text) => {
    await page.fill('input[name="text"]', text)
    await page.click('form button')
  }
  const errors = []
  page.on('pageerror', ({ name, message }) => errors.push(`${name}: ${message}`))
  try {
    await page.goto(url)
    await isIn('ready')
    await shows('[data-state]', /\d{4}-\d\d-\d\d/)
    await shows('[data-state]', /Tick [1-9]/)
    await submit('abc')
    await shows('output', /^ba7816bf$/)
    const service = await restart(async () => {
      await isIn('reconnecting')
      await submit('lost')
      await shows('output', /not ready|no session|connect/i)
    })
    try {
      await isIn('ready')
      const seen = await page.textContent('[data-state]')
      await page.waitForFunction((seen) => document.querySelector('[data-state]')?.textContent !== seen, seen, {
        timeout: 20_000,
      })
      await submit('again')
      await shows('output', /^[0-9a-f]{8}$/)
      if (errors.length) throw new Error(errors.join('\n'))
    } finally {
      service.stop()
    }
  } catch (error) {
    const shown = await page.textContent('body').catch(() => '')
    throw new Error([error.message, shown, ...errors].join('\n'))
  } finally {
    await page.close()
  }
}

async function rendered(url) {
  const html = await (await fetch(url)).text()
  const text = html.replaceAll(/<!--.*?-->/gs, '')
  if (!text.includes(WORKS)) throw new Error(`the server rendered no "${WORKS}":\n${text.slice(0, 2000)}`)
}

// ---- steps ----

let passed = 0
let failed = 0

async function step(title, action) {
  const start = performance.now()
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1)
  try {
    const value = await action()
    passed++
    console.log(`  ok ${title} (${seconds()} s)`)
    return value
  } catch (error) {
    failed++
    console.log(`  FAILED ${title} (${seconds()} s)\n${String(error.message).replaceAll(/^/gm, '    ')}`)
    return undefined
  }
}

/** The service of a project in Node itself: without a compiler, by its type stripping. */
async function serviceOf(folder, port = 0) {
  return serving('node', ['server/main.ts', port], /(ws:\/\/\S+)/, { cwd: folder, env: withNode(22) })
}

const withRouter = (url, service) => `${url}?router=${encodeURIComponent(service.match[1])}`

/** The files of the live page of each project, which with the lines that show it are less than 40 lines. */
const LIVE = {
  'vite-react': ['src/Live.tsx'],
  'vite-vue': ['src/Live.vue', 'src/main.ts'],
  next: ['app/live.tsx'],
  nuxt: ['app/components/Live.vue', 'app/plugins/wamp.ts'],
  sveltekit: ['src/Live.svelte'],
}

/** @throws if there are 40 lines or more, with two that show the page */
function linesOf(folder, files) {
  const lines = files.map((file) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').length)
  const sum = lines.reduce((all, each) => all + each, 2)
  if (sum >= 40) throw new Error(`${files.join(' and ')} have ${sum} lines, with the two that show the page`)
  return sum
}

/** Steps of a project with pages: installs, builds and opens it. */
async function page(name, build, start) {
  const folder = await step(`${name}: install`, () => prepare(name, { shared: true }))
  if (!folder) return
  const address = await freePort()
  const service = await step(`${name}: Node runs the service as TypeScript`, () => serviceOf(folder, address))
  if (!service) return
  try {
    await step(`${name}: build`, () => build(folder, service.match[1]))
    await step(`${name}: its page calls, listens and reconnects in ${linesOf(folder, LIVE[name])} lines`, async () => {
      const port = await freePort()
      const server = await start(folder, String(port), service.match[1])
      try {
        if (server.renders) await rendered(`http://localhost:${port}/`)
        await shown(withRouter(`http://localhost:${port}/`, service))
        await live(`http://localhost:${port}/`, async (meanwhile) => {
          service.stop()
          await meanwhile()
          return serviceOf(folder, address)
        })
      } catch (error) {
        throw new Error(`${error.message}\n${server.output()}`)
      } finally {
        server.stop()
      }
    })
    return { folder, service }
  } finally {
    service.stop()
  }
}

const npx = (folder, command) => join(folder, 'node_modules/.bin', command)

async function vite(name, typecheck) {
  const build = async (folder, router) => {
    await succeeds(npx(folder, typecheck), ['-b'], { cwd: folder, env: withNode(22) })
    await succeeds(npx(folder, 'vite'), ['build'], { cwd: folder, env: withNode(22, { VITE_ROUTER: router }) })
  }
  const preview = (folder, port) =>
    serving(npx(folder, 'vite'), ['preview', '--port', port, '--strictPort'], /Local:/, {
      cwd: folder,
      env: withNode(22),
    })
  const made = await page(name, build, preview)
  if (!made) return
  const { folder } = made
  await step(`${name}: its development server`, async () => {
    const service = await serviceOf(folder)
    const port = String(await freePort())
    const server = await serving(npx(folder, 'vite'), ['--port', port, '--strictPort'], /Local:/, {
      cwd: folder,
      env: withNode(22),
    })
    try {
      await shown(withRouter(`http://localhost:${port}/`, service))
    } finally {
      server.stop()
      service.stop()
    }
  })
  await step(`${name}: a type import of the class itself does not compile`, async () => {
    writeFileSync(join(folder, 'src/wrong.ts'), `export type { DateService } from '../server/date-service.ts'\n`)
    await failsWith(
      "Cannot find name 'node:crypto'. Do you need to install type definitions for node?",
      npx(folder, typecheck),
      ['-b'],
      {
        cwd: folder,
        env: withNode(22),
      },
    )
    rmSync(join(folder, 'src/wrong.ts'))
  })
}

const projects = {
  async types() {
    const folder = await step('types: install', () => prepare('types'))
    if (!folder) return
    const { exports } = JSON.parse(readFileSync(join(folder, 'node_modules/wampy-ts/package.json'), 'utf8'))
    // The entry point for Node names types of Node; the others need none.
    const entries = Object.keys(exports).filter((entry) => exports[entry].import?.types && entry !== './node')
    const lines = entries.map((entry, i) => {
      const specifier = `wampy-ts${entry.slice(1)}`
      return `import * as entry${i} from '${specifier}'\nvoid entry${i}`
    })
    const contract = `import { RpcClient } from 'wampy-ts'
interface Contract { publish(text: string): Promise<number>; name(): string }
const client = new RpcClient<Contract>()
export const published: Promise<number> = client.rpc.publish('text')
export const named: Promise<string> = client.rpc.name()
`
    for (const file of ['page.mts', 'page.cts']) writeFileSync(join(folder, file), `${lines.join('\n')}\n${contract}`)
    for (const version of ['5.7', '5.9', '6.0', '7.0']) {
      await step(`types: TypeScript ${version}, libraries checked, without Node's types`, async () => {
        const tsc = join(folder, 'node_modules', `typescript-${version}`, 'bin/tsc')
        for (const config of ['tsconfig.json', 'tsconfig.bundler.json']) {
          await succeeds('node', [tsc, '-p', config], { cwd: folder, env: withNode(22) })
        }
      })
    }
  },

  async bundlers() {
    const folder = await step('bundlers: install', () => prepare('bundlers'))
    if (!folder) return
    const runs = async (file) => {
      // Away from node_modules: the bundle is all there is.
      const place = mkdtempSync(join(tmpdir(), 'wampy-ts-bundle-'))
      try {
        cpSync(join(folder, file), join(place, 'bundle.mjs'))
        const output = await succeeds('node', ['bundle.mjs'], { cwd: place, timeout: 30_000 })
        if (!output.startsWith('sum 3 ')) throw new Error(output)
      } finally {
        rmSync(place, { recursive: true, force: true })
      }
    }
    await step('bundlers: esbuild for Node as ESM', async () => {
      const options = ['--bundle', '--platform=node', '--format=esm', '--outfile=esbuild.mjs']
      await succeeds(npx(folder, 'esbuild'), ['entry.mjs', ...options], { cwd: folder })
      await runs('esbuild.mjs')
    })
    await step('bundlers: rollup with node-resolve alone', async () => {
      const options = ['-p', 'node-resolve={exportConditions:["node"]}', '-f', 'es', '--inlineDynamicImports']
      await succeeds(npx(folder, 'rollup'), ['entry.mjs', ...options, '-o', 'rollup.mjs'], { cwd: folder })
      await runs('rollup.mjs')
    })
  },

  async vitest4() {
    await vitest('vitest4')
  },

  async vitest5() {
    await vitest('vitest5')
  },

  /** The tests of the hooks, with the React before the present one and the packed package. */
  async react18() {
    const folder = await step('react18: install', () => prepare('react18'))
    if (!folder) return
    for (const file of ['react/hooks.test.ts', 'live/stage.ts', 'client/support.ts'])
      cpSync(join(root, 'test', file), join(folder, 'test', file))
    await step('react18: the hooks', () =>
      succeeds(npx(folder, 'vitest'), ['run'], { cwd: folder, env: withNode(22) }),
    )
  },

  /** The recipes of the page about Svelte and Solid. */
  async 'svelte-and-solid'() {
    const folder = await step('svelte-and-solid: install', () => prepare('svelte-and-solid'))
    if (!folder) return
    for (const name of ['svelte-and-solid', 'react'])
      cpSync(join(root, 'docs/snippets', name), join(folder, name), { recursive: true })
    const vitest = (env) => succeeds(npx(folder, 'vitest'), ['run'], { cwd: folder, env: withNode(22, env) })
    await step('svelte-and-solid: in a document', () => vitest({}))
    await step('svelte-and-solid: on a server', () => vitest({ RENDERS: 'server' }))
  },

  async jest() {
    const folder = await step('jest: install', () => prepare('jest', { shared: true }))
    if (!folder) return
    const jest = (config, file = 'adder') => [
      npx(folder, 'jest'),
      ['--config', `${config}.config.js`, file],
      { cwd: folder, env: withNode(22) },
    ]
    await step('jest: babel by default', () =>
      failsWith("Support for the experimental syntax 'decorators' isn't currently enabled", ...jest('babel-plain')),
    )
    for (const config of ['babel-cured', 'babel-legacy'])
      await step(`jest: ${config}`, () => succeeds(...jest(config)))
    await step('jest: swc by default', () => failsWith('Unexpected token `@`. Expected identifier', ...jest('swc-plain')))
    for (const config of ['swc-cured', 'swc-legacy']) await step(`jest: ${config}`, () => succeeds(...jest(config)))
    await step('jest: jsdom', async () => {
      const service = await serviceOf(folder)
      try {
        await succeeds(npx(folder, 'jest'), ['--config', 'babel-plain.config.js', 'jsdom'], {
          cwd: folder,
          env: withNode(22, { ROUTER_URL: service.match[1] }),
        })
      } finally {
        service.stop()
      }
    })
  },

  async runtimes() {
    const folder = join(cache, 'runtimes')
    await addPackage(folder)
    const expected = async (command, args, env) => {
      const output = await succeeds(command, args, { cwd: folder, env, timeout: 60_000 })
      if (!output.includes('sum 3 ')) throw new Error(output)
    }
    await step('runtimes: Bun', () => expected(join(folder, 'node_modules/@oven/bun-linux-x64/bin/bun'), ['smoke.mjs']))
    await step('runtimes: Deno', () =>
      expected(join(folder, 'node_modules/@deno/linux-x64-glibc/deno'), [
        'run',
        '-A',
        '--node-modules-dir=manual',
        'smoke.mjs',
      ]),
    )
    for (const major of [22, 24, 26]) {
      await step(`runtimes: Node ${major}`, () => expected('node', ['smoke.mjs'], withNode(major)))
    }
    for (const major of [22, 24, 26]) {
      await step(`runtimes: Node ${major} on a decorator in TypeScript`, () =>
        failsWith('SyntaxError: Invalid or unexpected token', 'node', ['decorated.ts'], {
          cwd: folder,
          env: withNode(major),
        }),
      )
    }
  },

  async 'vite-react'() {
    await vite('vite-react', 'tsc')
    const folder = join(cache, 'vite-react')
    await step('vite-react: without the plugin', async () => {
      const port = String(await freePort())
      const env = withNode(22, { WITHOUT_DECORATORS: '1' })
      const server = await serving(npx(folder, 'vite'), ['--port', port, '--strictPort'], /Local:/, {
        cwd: folder,
        env,
      })
      try {
        const error = await pageErrors(`http://localhost:${port}/`)
        if (error !== 'SyntaxError: Invalid or unexpected token') throw new Error(error)
        documented(error)
      } finally {
        server.stop()
      }
    })
  },

  async 'vite-vue'() {
    await vite('vite-vue', 'vue-tsc')
  },

  async next() {
    const build = (folder, router) =>
      succeeds(npx(folder, 'next'), ['build'], { cwd: folder, env: withNode(22, { NEXT_PUBLIC_ROUTER: router }) })
    await page('next', build, async (folder, port, router) => {
      const env = withNode(22, { ROUTER_URL: router })
      return {
        ...(await serving(npx(folder, 'next'), ['start', '-p', port], /Ready/, { cwd: folder, env })),
        renders: true,
      }
    })
  },

  async sveltekit() {
    const build = async (folder, router) => {
      await succeeds(npx(folder, 'svelte-kit'), ['sync'], { cwd: folder, env: withNode(22) })
      await succeeds(npx(folder, 'svelte-check'), ['--tsconfig', './tsconfig.json'], { cwd: folder, env: withNode(22) })
      await succeeds(npx(folder, 'vite'), ['build'], { cwd: folder, env: withNode(22, { VITE_ROUTER: router }) })
    }
    await page('sveltekit', build, async (folder, port, router) => {
      const env = withNode(22, { ROUTER_URL: router, PORT: port })
      return { ...(await serving('node', ['build'], /Listening/, { cwd: folder, env })), renders: true }
    })
  },

  async nuxt() {
    const build = async (folder) => {
      await succeeds(npx(folder, 'nuxt'), ['prepare'], { cwd: folder, env: withNode(22) })
      await succeeds(npx(folder, 'nuxt'), ['typecheck'], { cwd: folder, env: withNode(22) })
      await succeeds(npx(folder, 'nuxt'), ['build'], { cwd: folder, env: withNode(22) })
    }
    await page('nuxt', build, async (folder, port, router) => {
      const env = withNode(22, { NUXT_ROUTER_URL: router, NUXT_PUBLIC_ROUTER: router, PORT: port })
      return {
        ...(await serving('node', ['.output/server/index.mjs'], /Listening/, { cwd: folder, env })),
        renders: true,
      }
    })
  },
}

async function vitest(name) {
  const folder = await step(`${name}: install`, () => prepare(name, { shared: true }))
  if (!folder) return
  await step(`${name}: with the plugin`, () =>
    succeeds(npx(folder, 'vitest'), ['run'], { cwd: folder, env: withNode(22) }),
  )
  await step(`${name}: by default`, () =>
    failsWith('SyntaxError: Invalid or unexpected token', npx(folder, 'vitest'), ['run'], {
      cwd: folder,
      env: withNode(22, { WITHOUT_DECORATORS: '1' }),
    }),
  )
}

// ---- the command ----

const given = process.argv.slice(2)
const begin = performance.now()
const other = /^node-(\d+)$/.exec(given[0] ?? '')?.[1]
if (other) {
  await prepare('runtimes', { packed: false })
  const [command = 'node', ...args] = given.slice(1)
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: withNode(other) })
  process.exit(status ?? 1)
}
const unknown = given.filter((name) => !projects[name])
if (unknown.length)
  throw new Error(`there is no project ${unknown.join(', ')}; there are ${Object.keys(projects).join(', ')}`)
await pack()
// The other projects run with its Node.
await step('runtimes: install', () => prepare('runtimes'))
for (const name of given.length ? given : Object.keys(projects)) {
  console.log(name)
  await projects[name]()
}
await browser?.close()
// As Vitest ends a run.
const counts = [failed && `${failed} failed`, `${passed} passed`].filter(Boolean).join(' | ')
console.log(
  `\n      Tests  ${counts} (${passed + failed})\n   Duration  ${((performance.now() - begin) / 1000).toFixed(0)}s`,
)
process.exitCode = failed ? 1 : 0
