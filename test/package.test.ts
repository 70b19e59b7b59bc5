/** Packs the package, unpacks it as npm would install it, and uses it through every entry point as a stranger does. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { importOf, namesOf } from '../entry-points.ts'
import { checkBuilt } from './built.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  name: string
  version: string
  bin: Record<string, string>
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}

/** The exported names of each entry point, read from the sources. */
const exportsOf: Record<string, string[]> = Object.fromEntries(
  await Promise.all(
    namesOf().map(async (name) => [importOf(name), Object.keys(await import(importOf(name)))] as const),
  ),
)

const pageImports = namesOf({ page: true }).map(importOf)

/**
 * Bytes, minified and gzipped, of a page that calls one procedure by each class of clients. Reconnecting, exact JSON and
 * the texts of the errors are in both; the callee and service declarations in that of a WampClient only.
 */
const pageBudgets = { RpcClient: 22_225, WampClient: 25_150 }

/** The same of everything of a binding that a page has in addition to a client, without its framework. */
const bindingBudgets = { live: 1800, react: 2500, vue: 2700, query: 1600 }

/** Bytes, minified and gzipped, of an interceptor for OpenTelemetry, with the part of the client that it needs and without the API. */
const otelBudget = 3_500

/** Bytes of the tarball. A change that adds an entry point states its share in the CHANGELOG, and may raise this by it. */
const tarballBudget = 980_000

/** A folder whose node_modules holds the unpacked tarball, and beside it only the dependencies in package.json. */
let place: string
let installed: string
let tarball: string

const execFileAsync = promisify(execFile)

async function run(command: string, args: string[], options: { cwd?: string } = {}): Promise<string> {
  const path = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  try {
    const { stdout, stderr } = await execFileAsync(command, args, {
      cwd: place,
      ...options,
      env: { ...process.env, PATH: path, NODE_OPTIONS: '', NO_COLOR: '1' },
      timeout: 120_000,
      maxBuffer: 64 << 20,
    })
    return stdout + stderr
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string }
    throw new Error([message, stdout, stderr].filter(Boolean).join('\n'))
  }
}

const node = (type: 'module' | 'commonjs', code: string) => run('node', [`--input-type=${type}`, '-e', code])

beforeAll(async () => {
  checkBuilt()
  place = await mkdtemp(join(tmpdir(), 'wampy-ts-package-'))
  const packed = await execFileAsync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', place], {
    cwd: root,
  })
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
  tarball = join(place, filename)
  installed = join(place, 'node_modules', manifest.name)
  await mkdir(installed, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const link = join(place, 'node_modules', dependency)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', dependency), link, 'junction')
  }
}, 120_000)

afterAll(async () => {
  if (place) await rm(place, { recursive: true, force: true })
})

describe('Node', () => {
  for (const [module, names] of Object.entries(exportsOf)) {
    test(`${module} as ESM and as CJS`, async () => {
      const check = `for (const name of ${JSON.stringify(names)}) if (api[name] === undefined) throw new Error('no ' + name)
        console.log(Object.keys(api).filter((name) => name !== 'default' && name !== 'module.exports').sort().join())`
      const esm = await node('module', `import * as api from '${module}'; ${check}`)
      const cjs = await node('commonjs', `const api = require('${module}'); ${check}`)
      expect(esm).toBe(cjs)
    })
  }

  test('one WampError for all entry points of a format', async () => {
    const check = `if (!(Object.create(router.WampError.prototype) instanceof client.WampError)) throw new Error('two classes')`
    await node('module', `import * as client from 'wampy-ts'; import * as router from 'wampy-ts/router'; ${check}`)
    await node('commonjs', `const client = require('wampy-ts'), router = require('wampy-ts/router'); ${check}`)
  })

  test('an import prints nothing, adds no global and lets the process exit', async () => {
    const all = JSON.stringify(Object.keys(exportsOf))
    const check = `
      // From 22 on, an import of node:http loads Node's own fetch, which marks the global object.
      const globals = () => Reflect.ownKeys(globalThis).filter((key) => !String(key).startsWith('Symbol(undici.')).length
      let before
      const load = async () => {
        // Vue marks the global object.
        await LOAD('vue')
        before = globals()
        for (const module of ${all}) await LOAD(module)
      }
      load().then(() => {
        if (globals() !== before) throw new Error('a new global')
        const busy = process.getActiveResourcesInfo().filter((kind) => /Timeout|Immediate|TCP|Server/.test(kind))
        if (busy.length) throw new Error('still busy: ' + busy)
      })`
    expect(await node('module', check.replaceAll('LOAD', 'import'))).toBe('')
    expect(await node('commonjs', check.replaceAll('LOAD', 'require'))).toBe('')
  })

  // What a current browser, a worker, jest's jsdom or Node 20 may lack is only looked up when it is used.
  for (const [name, imported, expected, flags] of [
    ['pages', pageImports, '', ['--conditions=browser']],
    // Read by `ws`, which is bundled there.
    ['Node', Object.keys(exportsOf), 'Blob Buffer process', []],
  ] as const) {
    test(`an import of the entry points for ${name} reads no global beyond the language`, async () => {
      const code = `
        const language = new Set(\`Object Function Array Number Boolean String Symbol BigInt Date Promise RegExp Error
          AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError JSON Math Intl ArrayBuffer
          Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array Uint8ClampedArray
          BigUint64Array BigInt64Array DataView Map Set WeakMap WeakSet WeakRef FinalizationRegistry Proxy Reflect
          globalThis undefined NaN Infinity\`.split(/\\s+/))
        const read = new Set()
        const { defineProperty, getOwnPropertyDescriptor } = Object
        const note = (key) => {
          if (new Error().stack.split('\\n')[3]?.includes('/node_modules/wampy-ts/')) read.add(String(key))
        }
        for (const key of Reflect.ownKeys(globalThis)) {
          const descriptor = getOwnPropertyDescriptor(globalThis, key)
          if (!descriptor.configurable || language.has(key)) continue
          defineProperty(globalThis, key, {
            configurable: true,
            get() {
              note(key)
              return descriptor.get ? descriptor.get.call(globalThis) : descriptor.value
            },
            set(value) {
              note('written ' + String(key))
              defineProperty(globalThis, key, { value, configurable: true, writable: true })
            },
          })
        }
        const load = async () => { for (const module of ${JSON.stringify(imported)}) await LOAD(module) }
        load().then(() => console.log([...read].sort().join(' ')))`
      const loaded = (type: string, load: string) =>
        run('node', [...flags, `--input-type=${type}`, '-e', code.replace('LOAD', load)])
      expect(await loaded('module', 'import')).toBe(`${expected}\n`)
      // In CommonJS the package requires `ws`.
      if (name === 'Node') expect(await loaded('commonjs', 'require')).toBe('process\n')
    })
  }

  test('an import works in a worker, which ends by itself', async () => {
    const code = `
      const { Worker } = require('node:worker_threads')
      const source = \`import('wampy-ts').then((api) => require('node:worker_threads').parentPort.postMessage(typeof api.WampClient))\`
      const worker = new Worker(source, { eval: true })
      worker.on('message', (message) => console.log(message))
      worker.on('exit', (code) => console.log('exit', code))`
    expect(await node('commonjs', code)).toBe('function\nexit 0\n')
  })

  test('wampy-ts/e2ee without its optional peer: CommonJS contains it, and the error of an import names it', async () => {
    const peer = join(place, 'node_modules/@noble/ciphers')
    await rm(peer)
    try {
      expect(await node('commonjs', `console.log(typeof require('wampy-ts/e2ee').e2ee)`)).toBe('function\n')
      await expect(node('module', `await import('wampy-ts/e2ee')`)).rejects.toThrow(
        /Cannot find package '@noble\/ciphers'/,
      )
    } finally {
      await symlink(join(root, 'node_modules/@noble/ciphers'), peer, 'junction')
    }
  })

  test('the command starts', async () => {
    // Another package installs a command named `wampy`.
    expect(Object.keys(manifest.bin)).toEqual([manifest.name])
    const file = join(installed, manifest.bin[manifest.name] ?? '')
    const command = readFileSync(file, 'utf8')
    expect(command.startsWith('#!/usr/bin/env node\n')).toBe(true)
    await run('node', ['--check', file])
    expect(await run('node', [file, '--version'])).toContain(manifest.version)
  })
})

describe('the tarball', () => {
  test('keeps its budget', () => {
    expect(statSync(tarball).size).toBeLessThanOrEqual(tarballBudget)
  })

  test('contains every file that a link in its README or its CHANGELOG points to', () => {
    for (const name of ['README.md', 'CHANGELOG.md']) {
      const text = readFileSync(join(installed, name), 'utf8')
      const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => slug(heading))
      const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:href|src)="([^"]+)"/g)].map(([, a, b]) => a ?? b ?? '')
      const broken = links.filter((link) => {
        if (/^\w+:/.test(link)) return false
        const [file = '', anchor] = link.split('#')
        // The documentation is in the repository only.
        if (file) return !existsSync(join(/^docs\//.test(file) ? root : installed, file))
        return !headings.includes(anchor ?? '')
      })
      expect(broken, name).toEqual([])
    }
  })
})

/** The anchor of a heading, as GitHub and npm make it. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

describe('types', () => {
  test('publint reports no problem', async () => {
    expect(await run('publint', ['run', installed, '--strict', '--pack', 'false'])).toContain('All good!')
  })

  test('attw reports no problem', async () => {
    // The script-tag files carry no types.
    const untyped = ['--exclude-entrypoints', 'dist/wampy.min.js', 'dist/wampy.mjs', 'dist/wampy-client.min.js']
    await run('attw', [tarball, '--profile', 'node16', ...untyped])
  })

  // The types of React are in a package of their own.
  const typedImports = pageImports.filter((module) => module !== 'wampy-ts/react')

  // Checks our declarations too: they lean on no @types package, and on nothing that package.json does not declare.
  test('a page without @types compiles, its libraries checked', { timeout: 60_000 }, async () => {
    const lines = typedImports.map((module, i) => `import * as module${i} from '${module}'\nvoid module${i}`).join('\n')
    const compilerOptions = {
      target: 'es2022',
      module: 'node16',
      lib: ['es2022', 'dom', 'esnext.disposable'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    }
    await writeFile(join(place, 'page.mts'), lines)
    await writeFile(join(place, 'page.cts'), lines)
    await writeFile(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['page.mts', 'page.cts'] }))
    expect(await run('tsc', ['-p', '.'])).toBe('')
  })
})

describe('bindings', () => {
  test("the files of wampy-ts/react begin with 'use client', and only they contain it", () => {
    const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
    const text = (file: string) => readFileSync(join(installed, 'dist', file), 'utf8')
    const directed = files.filter((file) => /\.c?js$/.test(file) && /^\s*["']use client["']/m.test(text(file)))
    expect(directed.sort()).toEqual(['page/react.js', 'react.cjs', 'react.js'].map((file) => normalize(file)))
    for (const file of directed) expect(text(file).startsWith('"use client";\n')).toBe(true)
  })

  test('wampy-ts/react compiles with the types of React, its libraries checked', { timeout: 60_000 }, async () => {
    const types = join(place, 'node_modules/@types')
    await mkdir(types, { recursive: true })
    await symlink(join(root, 'node_modules/@types/react'), join(types, 'react'), 'junction')
    onTestFinished(() => rm(types, { recursive: true }))
    const compilerOptions = {
      target: 'es2022',
      module: 'node16',
      lib: ['es2022', 'dom', 'esnext.disposable'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      jsx: 'react-jsx',
      noEmit: true,
    }
    const folder = join(place, 'react')
    await mkdir(folder)
    for (const file of ['page.mts', 'page.cts'])
      await writeFile(join(folder, file), `import * as hooks from 'wampy-ts/react'\nvoid hooks`)
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['.'] }))
    expect(await run('tsc', ['-p', folder])).toBe('')
  })

  // Two copies of a chunk would be two stores for one client.
  test('a client, its stores and its hooks share their code', async () => {
    for (const type of ['module', 'commonjs'] as const) {
      const load = type === 'module' ? 'await import' : 'require'
      const code = `
        const { RpcClient } = ${load}('wampy-ts')
        const { liveConnection } = ${load}('wampy-ts/live')
        const { createElement } = ${load}('react')
        const { renderToString } = ${load}(${JSON.stringify(join(root, 'node_modules/react-dom/server.node.js'))})
        const { WampProvider, useService, useClient } = ${load}('wampy-ts/react')
        const client = new RpcClient()
        const App = () => String([useClient() === client, useService('a') === client.service('a')])
        console.log(renderToString(createElement(WampProvider, { client }, createElement(App))))
        console.log(liveConnection(client).get().state)`
      expect(await node(type, code)).toBe('true,true\nstopped\n')
    }
  })
})

describe('page', () => {
  /** Bundles for a browser as `esbuild --bundle --platform=browser` does: a Node module in reach is an error. */
  async function bundle(contents: string, options: BuildOptions = {}): Promise<{ text: string; metafile: Metafile }> {
    const result = await build({
      stdin: { contents, resolveDir: options.absWorkingDir ?? place },
      bundle: true,
      minify: true,
      platform: 'browser',
      format: 'esm',
      metafile: true,
      write: false,
      logLevel: 'silent',
      ...options,
    })
    return { text: result.outputFiles![0]!.text, metafile: result.metafile! }
  }

  for (const module of pageImports) {
    test(`${module} bundles from both formats, without ws`, async () => {
      const esm = await bundle(`import * as api from '${module}'; console.log(api)`)
      const cjs = await bundle(`console.log(require('${module}'))`)
      for (const { metafile } of [esm, cjs]) {
        const inputs = Object.keys(metafile.inputs)
        expect(inputs.some((input) => input.includes(`node_modules/${manifest.name}/dist/`))).toBe(true)
        expect(inputs.filter((input) => /node_modules\/ws\/|^node:/.test(input))).toEqual([])
        expect(Object.values(metafile.outputs).flatMap((output) => output.imports)).toEqual([])
      }
    })
  }

  test('wampy-ts/auth bundles without the optional packages', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'wampy-ts-alone-'))
    onTestFinished(() => rm(alone, { recursive: true }))
    await mkdir(join(alone, 'node_modules'))
    await symlink(installed, join(alone, 'node_modules', manifest.name), 'junction')
    const code = `import { scram, ticket } from 'wampy-ts/auth'; console.log(scram, ticket)`
    const { metafile } = await bundle(code, { absWorkingDir: alone, preserveSymlinks: true })
    const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
    expect(imports.map(({ path }) => path)).toContain('@noble/hashes/hmac.js')
  })

  const calling = (kind: keyof typeof pageBudgets, call: string) =>
    bundle(`
      import { ${kind}, WampRouter, DEFAULT_REALM, DEFAULT_ROLES } from 'wampy-ts'
      const router = new WampRouter({ name: 'Here', host: 'localhost', port: '8080', realm: DEFAULT_REALM })
      const client = new ${kind}({ name: 'page', router, realm: DEFAULT_REALM, roles: DEFAULT_ROLES })
      ${call}`)

  // The build puts an emitter of its own in the place of eventemitter3 for pages, which has no order of the names.
  test('a client in it emits events as eventemitter3 does', async () => {
    const code = `
      import { EventEmitter } from 'eventemitter3'
      import { RpcClient } from 'wampy-ts'

      function seenBy(emitter) {
        const seen = []
        const note = (name) => function (...args) { seen.push([name, this === emitter ? 'emitter' : this, ...args]) }
        const symbol = Symbol('event')
        const [first, second, third, late] = ['first', 'second', 'third', 'late'].map(note)
        const state = () =>
          seen.push(emitter.eventNames().map(String).sort(), emitter.listenerCount('a'), emitter.listeners('a').indexOf(second))
        const emit = (...args) => seen.push(emitter.emit(...args))
        emit('a')
        emitter.on('a', first)
        for (let count = 0; count < 8; count++) emit('a', ...Array(count).keys())
        emitter.once('a', second, { context: 1 }).addListener('a', third, { context: 2 })
        emitter.once(symbol, first).on('toString', first)
        state()
        for (let count = 0; count < 8; count++) emit('a', ...Array(count).keys())
        emit(symbol, 1)
        emit(symbol, 2)
        emit('toString')
        emit('__proto__')
        state()
        // Changes during an event.
        const once = () => emitter.off('a', once).off('a', third).on('a', late)
        emitter.removeAllListeners('a').on('a', once).on('a', third).on('a', second)
        emit('a', 'changed')
        emit('a', 'after')
        emitter.on('a', second, { context: 3 }).removeListener('a', second, { context: 4 }).off('a', late, undefined, true)
        state()
        emitter.off('a', second).off('b', second)
        emit('a', 'off')
        emitter.on('a', () => { throw new Error('thrown') }).on('a', second)
        try { emit('a') } catch ({ message }) { seen.push(message) }
        try { emitter.on('a', 7) } catch (error) { seen.push(String(error)) }
        state()
        emitter.off('a')
        state()
        emitter.removeAllListeners()
        state()
        return JSON.stringify(seen)
      }

      const [theirs, ours] = [new EventEmitter(), new RpcClient()].map(seenBy)
      if (!(theirs.length > 1000)) throw new Error('nothing was compared')
      if (theirs !== ours) throw new Error(theirs + ' but ' + ours)`
    expect(await run('node', ['--conditions=browser', '--input-type=module', '-e', code])).toBe('')
  })

  test('a page that calls one procedure keeps its budget', async () => {
    const { text } = await calling('RpcClient', 'document.body.textContent = await client.rpc.getTodaysDate()')
    // Functions over the client are included only if imported.
    expect(text).not.toMatch(/get_events|testament|~standard|ppt_scheme must be/)
    // So are the callee and services.
    expect(text).not.toMatch(/is gone|has registered|goes on a public method|which it declares for/)
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(pageBudgets.RpcClient)
  })

  test('a page with a WampClient keeps its budget', async () => {
    const { text } = await calling('WampClient', `await client.start(); await client.call('com.example.add', [1, 2])`)
    expect(text).toMatch(/has registered/)
    // Nor does it contain code for decorators.
    expect(text).not.toMatch(/get_events|testament|~standard|ppt_scheme must be|goes on a public method/)
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(pageBudgets.WampClient)
  })

  test.each(Object.entries(bindingBudgets))('wampy-ts/%s keeps its budget', async (name, budget) => {
    const external = ['react', 'vue']
    const client = `import { RpcClient } from 'wampy-ts'; console.log(new RpcClient().service('a').rpc)`
    const size = async (code: string) =>
      gzipSync((await bundle(`${client}\n${code}`, { external })).text, { level: 9 }).length
    const all = `import * as binding from 'wampy-ts/${name}'; console.log(binding)`
    expect((await size(all)) - (await size(''))).toBeLessThanOrEqual(budget)
  })

  test('tracing keeps its budget, and a page without it has nothing of it', async () => {
    const external = ['@opentelemetry/api']
    const { text } = await bundle(`import { otel } from 'wampy-ts/otel'; globalThis.tracing = otel()`, { external })
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(otelBudget)
    const { text: plain } = await calling('WampClient', 'await client.start()')
    expect(plain).not.toMatch(/opentelemetry|traceparent/)
  })

  test('a client in it needs only the W3C members of a WebSocket', async () => {
    const { text, metafile } = await bundle(`
      import { RpcClient, WampError } from 'wampy-ts'
      import { Router, WampError as theirs } from 'wampy-ts/router'
      export const one = WampError === theirs
      export { RpcClient, Router }`)
    expect(Object.keys(metafile.inputs).filter((input) => input.includes('/dist/'))).toEqual(
      expect.not.arrayContaining([expect.not.stringContaining('/dist/page/')]),
    )
    await writeFile(join(place, 'page.mjs'), text)
    const said = await node(
      'module',
      `import { createRequire } from 'node:module'
      import { WampClient } from 'wampy-ts'
      import { serve } from 'wampy-ts/node'
      const { WebSocket } = createRequire(${JSON.stringify(join(root, 'package.json'))})('ws')
      // What a page has, and no method of Node's.
      globalThis.WebSocket = class {
        constructor(...given) {
          const socket = new WebSocket(...given)
          return new Proxy(socket, {
            get: (_, name) => {
              if (name === 'on' || name === 'ping' || name === 'terminate') throw new Error('no ' + name + ' in a page')
              const value = socket[name]
              return typeof value === 'function' ? value.bind(socket) : value
            },
            set: (_, name, value) => Reflect.set(socket, name, value),
          })
        }
      }
      const { RpcClient, Router, one } = await import('./page.mjs')
      const router = new Router()
      const served = await serve(router, { port: 0 })
      const callee = new WampClient({ router })
      await callee.start()
      await callee.register('add', ([a, b]) => a + b)
      const client = new RpcClient({ router: served.url })
      console.log(one, await client.rpc.add(1, 2))
      await client.stop()
      await callee.stop()
      await served.close()`,
    )
    expect(said).toBe('true 3\n')
  })

  test.each([
    ['dist/wampy.min.js', true],
    ['dist/wampy-client.min.js', false],
  ])('%s defines one global, wampy; with a router: %s', (file, hasRouter) => {
    // Every page and worker has these.
    const page: Record<string, unknown> = { TextEncoder, TextDecoder }
    const before = new Set(['TextEncoder', 'TextDecoder', ...Reflect.ownKeys(runInNewContext('globalThis') as object)])
    runInNewContext(readFileSync(join(installed, file), 'utf8'), page)
    expect(Reflect.ownKeys(page).filter((key) => !before.has(key))).toEqual(['wampy'])
    const wampy = page['wampy'] as Record<string, unknown>
    for (const name of exportsOf['wampy-ts'] ?? []) expect(wampy[name], name).toBeDefined()
    expect('Router' in wampy).toBe(hasRouter)
  })

  test('dist/wampy.mjs needs no other file', async () => {
    const alone = join(place, 'alone.mjs')
    await writeFile(alone, readFileSync(join(installed, 'dist/wampy.mjs')))
    expect(
      await node(
        'module',
        `import { Router, WampClient } from './alone.mjs'; console.log(typeof Router, typeof WampClient)`,
      ),
    ).toBe('function function\n')
  })
})
