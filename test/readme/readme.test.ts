/** The README is correct: every block compiles, and those for Node and the shell run. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cert, key } from '../node/certificate.ts'
import { blocks, type Project, project, ROOT } from './blocks.ts'

const run = promisify(execFile)
const CLI = join(ROOT, 'dist', 'cli.js')
const TSX = ['--import', 'tsx']

let here: Project
const running: ChildProcess[] = []

beforeAll(async () => {
  here = await project()
})

afterAll(async () => {
  await Promise.all(running.map(end))
  here.remove()
})

/** Starts a command that stays, and resolves with its output up to the line that shows it is ready. */
async function background(args: string[], until: RegExp): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, { cwd: here.folder })
  running.push(child)
  let text = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk
      if (until.test(text)) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}: ${text}`)))
  })
  return child
}

function end(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  return ended
}

const node = (...args: string[]) => run(process.execPath, args, { cwd: here.folder, timeout: 60_000 })

test('every block names its file, or is a shell session', () => {
  const bare = blocks().filter(({ file, language }) => !file && language !== 'sh')
  expect(bare).toEqual([])
})

test('every test named in the table of features exists', () => {
  const [, table = ''] =
    /^\| Feature \| Router \| Client \|\n(.*?)\n\n/ms.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? []
  const names = [...new Set([...table.matchAll(/`((?:\w+)\/[\w./-]+)`/g)].map(([, name = '']) => name))]
  expect(names.length).toBeGreaterThan(40)
  const candidates = (name: string) => [`test/${name}.test.ts`, `test/${name}`, name]
  expect(names.filter((name) => !candidates(name).some((path) => existsSync(join(ROOT, path))))).toEqual([])
})

test('every TypeScript block compiles in the strictest settings against the built package', async () => {
  const files = blocks()
    .map(({ file }) => file)
    .filter((file) => /\.tsx?$/.test(file))
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: false,
    jsx: 'react-jsx',
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    lib: ['es2022', 'dom', 'esnext.disposable'],
    types: ['node'],
  }
  writeFileSync(join(here.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const said = await node(tsc, '-p', '.').then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  expect(said).toBe('')
}, 60_000)

describe('with the service of the first block', () => {
  let service: ChildProcess

  beforeAll(async () => {
    service = await background([...TSX, 'service.ts'], /DateService answers on ws:/)
  })

  afterAll(() => end(service))

  test('the caller of the second block gets the date', async () => {
    const { stdout } = await node(...TSX, 'caller.ts')
    expect(stdout.trim()).toBe(new Date().toLocaleDateString('sv'))
  })

  test.each([
    ['calling.ts', /6[\s\S]*number: 1[\s\S]*Good morning, Ada[\s\S]*3[\s\S]*\[ 10, 20 \][\s\S]*3/],
    ['handlers.ts', /^1 2 true\n2 2 true\ncopied 2 to disk\n$/],
    ['pubsub.ts', /fresh tea[\s\S]*\d+ \[[\s\S]*fresh tea[\s\S]*price: 3[\s\S]*com\.example\.news/],
    ['checks.ts', /6[\s\S]*args\[0\]\.price[\s\S]*service: 'Till'[\s\S]*com\.example\.till\.total/],
    ['streams.ts', /1\n2\n3\ndone\ndone\n142\n[\s\S]*the callee was told[\s\S]*/],
    ['events.ts', /com\.example\.weather\.oslo \[ -3 \]/],
    ['history.ts', /^\S+Z \[ 'fresh tea' \]\n\S+Z \[ 'the writer has gone' \]\n\[ 'the writer has gone' \]\n$/],
    ['secret.ts', /ordered tea/],
    ['connection.ts', /connecting[\s\S]*ready[\s\S]*realm1[\s\S]*stopped/],
    ['errors.ts', /com\.example\.nobody/],
    ['adapters.ts', /^$/],
    ['adapter.ts', /^1$/m],
    ['metrics.ts', /^wampy_calls_total\{realm="realm1",outcome="result"\} 1$[\s\S]*\nok\n[\s\S]*\nready\n/m],
    ['log.ts', /^session joined \{"realm":"realm1".*[\s\S]*^request refused \{.*"uri":"com.example.nobody"/m],
    ['router.ts', /ws:\/\/127\.0\.0\.1:\d+\/wamp[\s\S]*sessions: 1/],
    ['world.ts', /3[\s\S]*\[/],
    ['pin.ts', /^joe user pin$/m],
  ])('%s runs, prints the expected output, and exits by itself', async (file, said) => {
    const { stdout, stderr } = await node(...TSX, file)
    expect(stderr).toBe('')
    expect(stdout).toMatch(said)
  })
})

test('every method of authentication logs in, and the protected router starts', async () => {
  // The block reads its certificates from files.
  writeFileSync(join(here.folder, 'key.pem'), key)
  for (const name of ['cert.pem', 'ca.pem']) writeFileSync(join(here.folder, name), cert)
  const said = {
    'auth-anonymous.ts': 'guest',
    'auth-ticket.ts': 'joe user',
    'auth-jwt.ts': 'joe jwt',
    'auth-wampcra.ts': 'joe wampcra',
    'auth-scram.ts': 'joe wamp-scram',
    'auth-cryptosign.ts': 'joe cryptosign',
    'auth-cookie.ts': 'joe cookie',
    'auth-tls.ts': 'joe tls',
    'protected-router.ts': 'the shop is at ws://127.0.0.1',
  }
  const files = blocks().filter(({ file }) => /^(auth-|protected-router)/.test(file))
  expect(files.map(({ file }) => file).sort()).toEqual(Object.keys(said).sort())
  writeFileSync(
    join(here.folder, 'each-method.ts'),
    Object.keys(said)
      .map((file) => `await import('./${file}')\n`)
      .join(''),
  )
  const { stdout, stderr } = await node(...TSX, 'each-method.ts')
  expect(stderr).toBe('')
  const lines = stdout.trim().split('\n')
  expect(lines.map((line) => line.replace(/:\d+\/ws$/, ''))).toEqual(Object.values(said))
})

test('the shell session and the console session run against `wampy-ts router`', async () => {
  const session = blocks().find(({ language, text }) => language === 'sh' && text.includes('wampy-ts router'))
  const lines = (session?.text ?? '').replaceAll('8080', String(here.port)).trim().split('\n')
  const [router, service, call, subscribe, publish, ...more] = lines.map((line) => {
    expect(line).toMatch(/^npx wampy-ts /)
    const words = line.slice('npx wampy-ts '.length).match(/'[^']*'|\S+/g) ?? []
    return [CLI, ...words.map((word) => word.replace(/^'(.*)'$/, '$1'))]
  })
  expect(more).toEqual([])
  await background(router as string[], /listening on ws:/)
  await background(service as string[], /getTime/)
  expect((await node(...(call as string[]))).stdout).toMatch(/^"\d\d:\d\d:\d\d"\n$/)
  const subscriber = await background(subscribe as string[], /subscribed/)
  let event = ''
  subscriber.stdout?.on('data', (chunk) => {
    event += chunk
  })
  const ended = new Promise((resolve) => subscriber.once('exit', resolve))
  await node(...(publish as string[]))
  expect(await ended).toBe(0)
  expect(JSON.parse(event)).toMatchObject({ topic: 'com.example.news', args: ['fresh tea'], kwargs: { price: 3 } })

  const { stdout } = await node(...TSX, 'session.ts')
  expect(stdout).toContain('getTodaysDate')
  expect(stdout).toContain(new Date().toLocaleDateString('sv'))
})
