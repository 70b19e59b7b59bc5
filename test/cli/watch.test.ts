/** `wampy-ts run --watch`: edits of a service and of what it imports, versions that do not load, and processes left behind. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WampClient } from 'wampy-ts'
import { cli, cliWith, here, listening, type Running, write } from './support.ts'

const PRICE = 'com.example.price'

/** A service with one procedure, which returns the value of an expression. */
const service = (expression: string, head = '') => `import { WampClient } from 'wampy-ts'
${head}
export class Shop extends WampClient {
  static rpc = { price: '${PRICE}' }
  price() { return ${expression} }
}
`

/** Writes a file again until a call returns the value: the first write may come before the watch knows the file. */
async function edit(write: () => void, client: WampClient, value: unknown): Promise<void> {
  await expect
    .poll(
      async () => {
        write()
        return await answer(client, value)
      },
      { timeout: 30_000, interval: 0 },
    )
    .toBe(value)
}

/** What a call returns within five seconds, or as soon as it is the value. Between two versions no callee is registered. */
async function answer(client: WampClient, value: unknown): Promise<unknown> {
  let last: unknown
  await expect
    .poll(async () => (last = await client.call(PRICE).catch((error: unknown) => error)), {
      timeout: 2000,
      interval: 20,
    })
    .toBe(value)
    .catch(() => {})
  return last
}

/** Starts a watch of a module; returns when its service is ready. */
async function watching(file: string, text: string, node: string[] = [], ...options: string[]) {
  write(file, text)
  const { url, router, client } = await listening()
  const run = cliWith({ node }, 'run', file, '--watch', '--url', url, ...options)
  await run.said(/Shop ready/)
  return { run, router, alice: await client() }
}

const end = async (run: Running): Promise<void> => {
  expect(await run.kill('SIGTERM').ended).toMatchObject({ code: 0 })
}

test('an edit replaces the service, in order', async () => {
  const { run, router, alice } = await watching('edited.mjs', service('1'))
  expect(await alice.call(PRICE)).toBe(1)
  await edit(() => write('edited.mjs', service('2')), alice, 2)
  // Printed about when the procedure answers.
  await run.said(
    /^watching edited\.mjs and the files that it imports\nregistered com\.example\.price\nShop ready .*\n(?:edited\.mjs changed\n)+registered com\.example\.price\nShop ready .*\n/,
  )
  expect(router.stats()).toMatchObject({ sessions: 2, registrations: 1 })
  const { code, stderr } = await run.kill('SIGTERM').ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(router.stats()).toMatchObject({ sessions: 1, registrations: 0 })
})

test('calls in progress are answered by the version that received them', async () => {
  const slow = service(`new Promise((resolve) => { this.resolve = resolve; console.log('waiting') })`).replace(
    'price()',
    `static subscribe = { onNews: 'com.example.news' }\n  onNews(text) { this.resolve?.(text) }\n  price()`,
  )
  const { run, alice, router } = await watching('slow-watched.mjs', slow)
  const call = alice.call(PRICE)
  await run.said(/waiting/)
  write('slow-watched.mjs', service('2'))
  await expect.poll(() => router.stats().registrations, { timeout: 10_000 }).toBe(0)
  await alice.publish('com.example.news', ['done'])
  expect(await call).toBe('done')
  expect(await answer(alice, 2)).toBe(2)
  await end(run)
})

test('a version that does not load is reported in one line, and the old one runs until it is cured', async () => {
  const { run, alice } = await watching('cured.mjs', service('1'))
  write('cured.mjs', service('{{'))
  await run.said(/the previous version keeps running\n/)
  expect(await alice.call(PRICE)).toBe(1)
  await run.said(/\n/, 'stderr')
  expect(run.stderr).toMatch(/^wampy-ts run: cured\.mjs could not be loaded: SyntaxError: .*\n$/)
  write('cured.mjs', service('2').replace('static rpc', `constructor() { throw new Error('no tea') }\n  static rpc`))
  await run.said(/no tea\n/, 'stderr')
  expect(await alice.call(PRICE)).toBe(1)
  await edit(() => write('cured.mjs', service('3')), alice, 3)
  await end(run)
})

test('a first version that does not load waits for its cure, and for a file that is missing', async () => {
  write('ill.mjs', service('price', `import { price } from './ill-price.mjs'`))
  const { url, client } = await listening()
  const run = cli('run', 'ill.mjs', '--watch', '--url', url)
  await run.said(/the service starts when a file changes\n/)
  await run.said(/\n/, 'stderr')
  expect(run.stderr).toMatch(/^wampy-ts run: ill\.mjs could not be loaded: .*ill-price\.mjs.*\n$/)
  await edit(() => write('ill-price.mjs', 'export const price = 5'), await client(), 5)
  await end(run)
})

test('edits of imported files, ES modules and CommonJS, also above the folder of the module', async () => {
  mkdirSync(here('nested/deep'), { recursive: true })
  write('nested/price.cjs', `exports.price = require('./price.json').price`)
  write('nested/price.json', '{ "price": 1 }')
  write('nested/deep/tax.mjs', `export const tax = 10`)
  const { run, alice } = await watching(
    'nested/deep/importing.mjs',
    service('price + tax', `import { tax } from './tax.mjs'\nimport { price } from '../price.cjs'`),
  )
  expect(await alice.call(PRICE)).toBe(11)
  await edit(() => write('nested/deep/tax.mjs', 'export const tax = 20'), alice, 21)
  await edit(() => write('nested/price.json', '{ "price": 2 }'), alice, 22)
  await run.said(/^nested\/price\.json changed\n/m)
  await end(run)
})

test('an editor that replaces files, and a folder that is made again', async () => {
  mkdirSync(here('made'))
  write('made/again.mjs', 'export const price = 1')
  const { run, alice } = await watching('renamed.mjs', service('price', `import { price } from './made/again.mjs'`))
  await edit(
    () => {
      write('renamed.mjs.new', service('price + 1', `import { price } from './made/again.mjs'`))
      renameSync(here('renamed.mjs.new'), here('renamed.mjs'))
    },
    alice,
    2,
  )
  await edit(
    () => {
      rmSync(here('made'), { recursive: true })
      mkdirSync(here('made'))
      write('made/again.mjs', 'export const price = 5')
    },
    alice,
    6,
  )
  await end(run)
})

test('files that the service does not import change nothing', async () => {
  const { run, alice } = await watching(
    'writing.mjs',
    service(`(writeFileSync('writing.log', 'one more'), 1)`, `import { writeFileSync } from 'node:fs'`),
  )
  expect(await alice.call(PRICE)).toBe(1)
  writeFileSync(here('node_modules/wampy-ts/dist/other.js'), '')
  await edit(() => write('writing.mjs', service('2')), alice, 2)
  expect(run.stdout).not.toMatch(/(\.log|other\.js) changed/)
  await end(run)
})

test('TypeScript with a loader', async () => {
  write('typed-price.ts', 'export const price: number = 1')
  const text = service('price', `import { price } from './typed-price.js'`).replace('price()', 'price(): number')
  const { run, alice } = await watching('typed.ts', text, ['--import', 'tsx'])
  await edit(() => write('typed-price.ts', 'export const price: number = 2'), alice, 2)
  await edit(() => write('typed.ts', text.replace('return price', 'return (price as number) + 1')), alice, 3)
  await end(run)
})

test('a service that ends by itself starts again after an edit', async () => {
  const { run, alice } = await watching('ending.mjs', service(`process.exit(3)`))
  await expect(alice.call(PRICE)).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
  await run.said(/^the service has ended \(exit code 3\): it starts again when a file changes\n$/, 'stderr')
  await edit(() => write('ending.mjs', service('2')), alice, 2)
  await end(run)
})

test.each(['SIGKILL', 'SIGHUP'] as const)('%s leaves no process of the service', async (signal) => {
  const { run, router } = await watching(`gone-${signal}.mjs`, service('1'))
  run.kill(signal)
  // The output of the command is closed only when the service has ended as well, which writes there.
  expect(await run.ended).toMatchObject({ code: null })
  await expect.poll(() => router.stats().sessions, { timeout: 10_000 }).toBe(1)
})

test('a signal ends a version that is still being loaded', async () => {
  write('loading.mjs', `console.log('loading')\nsetInterval(() => {}, 1000)\nawait new Promise(() => {})`)
  const run = cli('run', 'loading.mjs', '--watch')
  await run.said(/loading/)
  await end(run)
})

test('a second signal ends a version with calls in progress at once', async () => {
  const text = service(`new Promise(() => { console.log('waiting') })`)
  const { run, alice, router } = await watching('endless.mjs', text, [], '--drain', '60000')
  const call = alice.call(PRICE)
  call.catch(() => {})
  await run.said(/waiting/)
  run.kill('SIGTERM')
  await expect.poll(() => router.stats().registrations, { timeout: 10_000 }).toBe(0)
  expect(await run.kill('SIGINT').ended).toMatchObject({ code: 130 })
  await expect(call).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
})

test('a version that blocks is killed after its time', async () => {
  const text = service(`(console.log('blocking'), Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))`)
  const { run, alice } = await watching('blocking.mjs', text, [], '--drain', '0')
  alice.call(PRICE).catch(() => {})
  await run.said(/blocking/)
  await end(run)
}, 20_000)

test('a service has neither the channel of the watch nor its variables', async () => {
  const { run, alice } = await watching(
    'clean.mjs',
    service(`Object.keys(process.env).filter((name) => /^WATCH_|^WAMPY_RUN/.test(name)).length`),
  )
  expect(await alice.call(PRICE)).toBe(0)
  await end(run)
})

test('with --json every line is JSON', async () => {
  const { url, client } = await listening()
  write('json-watched.mjs', service('1'))
  const run = cli('run', 'json-watched.mjs', '--watch', '--json', '--url', url)
  await run.said(/"ready/)
  await edit(() => write('json-watched.mjs', service('2')), await client(), 2)
  write('json-watched.mjs', service('{{'))
  await run.said(/"running"/)
  const { stdout, stderr } = await run.kill('SIGTERM').ended
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(lines[0]).toEqual({ watching: here('json-watched.mjs') })
  expect(lines).toContainEqual({ changed: here('json-watched.mjs') })
  expect(lines).toContainEqual({ running: true })
  expect(JSON.parse(stderr)).toMatchObject({ error: { message: expect.stringContaining('could not be loaded') } })
})

test('a wrong command line and a missing module end the watch', async () => {
  expect(await cli('run', 'no-such.mjs', '--watch').ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^wampy-ts run: there is no module no-such\.mjs .*\n$/),
  })
  expect(await cli('run', 'no-such.mjs', '--watch', '--realm', 'a b').ended).toMatchObject({ code: 2 })
})
