/** The documentation is correct: every snippet compiles, and runs as its page says. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../../src/node.ts'
import { Router } from '../../src/router.ts'
import { blocks, filesBelow, type Project, pages, project, ROOT, snippets } from './project.ts'
import type { Use, Uses } from './use.ts'

const run = promisify(execFile)
const RUNS = join(ROOT, 'test', 'docs', 'runs')

const texts = snippets()
const documents = pages()
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** How each snippet is used, by its path. */
const uses = new Map<string, Use>()
for (const path of filesBelow(RUNS)) {
  const { default: page } = (await import(join(RUNS, path))) as { default: Uses }
  const folder = path.replace(/(\/index)?\.ts$/, '')
  for (const [name, use] of Object.entries(page)) uses.set(`${folder}/${name}`, use)
}

/** The snippets that pages include, with the page. */
const included = [...documents].flatMap(([page, text]) =>
  [...text.matchAll(/^ *<<< (\S[^{#[\n]*)/gm)].map(([, path = '']) => ({ page, path: path.trim() })),
)

/** The snippets that a snippet imports, without those of which it imports only types if `atRunTime`. */
function importsOf(path: string, atRunTime = false): string[] {
  const text = (texts.get(path) ?? '').replace(atRunTime ? /^import type .*$/gm : /$^/, '')
  const names = [...text.matchAll(/(?:from|import\(?) ?'(\.{1,2}\/[^']+)'/g)]
  return names.map(([, name = '']) => {
    const target = join(dirname(path), name).replaceAll('\\', '/')
    const found = ['', '.ts', '.tsx', '.js'].map((ending) => target + ending).find((file) => texts.has(file))
    if (!found) throw new Error(`${path} imports ${name}, which is not a snippet`)
    return found
  })
}

const imported = new Set([...texts.keys()].flatMap((path) => importsOf(path)))

test('every snippet is included by a page, or imported by a snippet', () => {
  const shown = new Set(included.map(({ path }) => path.replace('@/snippets/', '')))
  expect([...texts.keys()].filter((path) => !shown.has(path) && !imported.has(path))).toEqual([])
  expect(included.filter(({ path }) => !texts.has(path.replace('@/snippets/', '')))).toEqual([])
})

test('every program of a page is a snippet', () => {
  const programs = /^(|tsx?|jsx?|mjs|vue|svelte|html|sh|bash|python|py)$/
  const written = [...documents].flatMap(([page, text]) =>
    blocks(text)
      .filter(({ language }) => programs.test(language))
      .map((block) => ({ page, ...block })),
  )
  expect(written).toEqual([])
})

test('every program of the README is a snippet, without a difference', () => {
  const named = blocks(readme).filter(({ file }) => file)
  expect(named.length).toBeGreaterThan(1)
  for (const { file, text } of named) expect(text, file).toBe(texts.get(file))
  expect(blocks(readme).filter(({ file, language }) => !file && language !== 'text')).toEqual([])
})

test('every snippet is used by a test', () => {
  expect([...texts.keys()].filter((path) => !uses.has(path) && !imported.has(path))).toEqual([])
  expect([...uses.keys()].filter((path) => !texts.has(path))).toEqual([])
  const forgotten = [...uses].filter(
    ([path, use]) =>
      'testedBy' in use &&
      !(
        existsSync(join(ROOT, use.testedBy)) && readFileSync(join(ROOT, use.testedBy), 'utf8').includes(basename(path))
      ),
  )
  expect(forgotten).toEqual([])
})

test('every test named in the table of features exists', () => {
  const [, table = ''] =
    /^\| Feature \| Router \| Client \|\n(.*?)\n\n/ms.exec(documents.get('features.md') ?? '') ?? []
  const names = [...new Set([...table.matchAll(/`((?:\w+)\/[\w./-]+)`/g)].map(([, name = '']) => name))]
  expect(names.length).toBeGreaterThan(40)
  const candidates = (name: string) => [`test/${name}.test.ts`, `test/${name}`, name]
  expect(names.filter((name) => !candidates(name).some((path) => existsSync(join(ROOT, path))))).toEqual([])
})

test('every TypeScript snippet compiles in the strictest settings against the built package', async () => {
  const here = await project()
  onTestFinished(here.remove)
  const files = [...texts.keys()].filter((path) => /\.tsx?$/.test(path))
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
  const stdout = await run(process.execPath, [tsc, '-p', '.'], { cwd: here.folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  expect(stdout).toBe('')
}, 120_000)

/** The command and its arguments. */
function commandOf(here: Project, path: string): [string, string[]] {
  const file = join(here.folder, path)
  if (path.endsWith('.sh')) return ['sh', ['-e', file]]
  return [process.execPath, ['--import', 'tsx', file]]
}

/** Starts a snippet that stays, and resolves when its output shows that it is ready. It ends with the test. */
async function background(here: Project, path: string): Promise<void> {
  const use = uses.get(path)
  if (!use || !('serves' in use)) throw new Error(`${path} is not used as a snippet that serves`)
  const [command, args] = commandOf(here, path)
  const child = spawn(command, args, { cwd: dirname(join(here.folder, path)), env: here.env, detached: true })
  onTestFinished(() => end(child))
  let text = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk
      if (use.serves.test(text)) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => reject(new Error(`${path} ended with ${code}: ${text}`)))
  })
}

/** Ends a process and those that it has started. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  process.kill(-(child.pid as number), 'SIGTERM')
  await ended
}

/** A project in which the snippets before it run, and a router if one of them needs it. */
async function prepared(path: string, use: Extract<Use, { prints: RegExp } | { serves: RegExp }>): Promise<Project> {
  const here = await project()
  onTestFinished(here.remove)
  for (const [name, text] of Object.entries(use.files ?? {}))
    writeFileSync(join(here.folder, dirname(path), name), text)
  const all = [path, ...(use.with ?? [])]
  const text = all.flatMap((file) => [file, ...importsOf(file, true)]).reduce((sum, file) => sum + texts.get(file), '')
  if (text.includes('8080') && !/port: 8080|port 8080/.test(text)) {
    const router = new Router()
    const served = await serve(router, { port: here.port })
    onTestFinished(async () => {
      await router.close()
      await served.close()
    })
  }
  for (const file of use.with ?? []) await background(here, file)
  return here
}

const running = [...uses].flatMap(([path, use]) => ('prints' in use ? [{ path, use }] : []))
const serving = [...uses].flatMap(([path, use]) => ('serves' in use ? [{ path, use }] : []))

test.each(running)(
  '$path runs, prints the expected output, and ends by itself',
  async ({ path, use }) => {
    const here = await prepared(path, use)
    const [command, args] = commandOf(here, path)
    const cwd = dirname(join(here.folder, path))
    const { stdout, stderr } = await run(command, args, { cwd, env: here.env, timeout: 60_000 })
    expect(stderr).toBe('')
    expect(stdout).toMatch(use.prints)
  },
  60_000,
)

test.each(serving)(
  '$path serves',
  async ({ path, use }) => {
    await background(await prepared(path, use), path)
  },
  60_000,
)
