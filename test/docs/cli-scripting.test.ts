/** The scripts of the page about scripting run as the page says, against `wampy-ts register` and a router. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { WampClient } from '../../src/index.ts'
import { serve } from '../../src/node.ts'
import { Router } from '../../src/router.ts'
import { type Project, project } from './project.ts'

const run = promisify(execFile)

let here: Project
let router: Router
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  here = await project()
  router = new Router()
  const served = await serve(router, { port: here.port })
  env = {
    ...here.env,
    WAMPY_URL: served.url,
    XDG_CONFIG_HOME: join(here.folder, 'config'),
    NO_COLOR: '1',
    NODE_OPTIONS: '',
  }
  return async () => {
    await router.close()
    await served.close()
    here.remove()
  }
}, 60_000)

const cwd = () => join(here.folder, 'cli-scripting')

async function script(name: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout, stderr } = await run('sh', ['-e', name], { cwd: cwd(), env: { ...env, ...more }, timeout: 60_000 })
  expect(stderr.replaceAll(/^subscribed to .*\n/gm, '')).toBe('')
  return stdout
}

/** Starts a script that registers a procedure; it ends with the test. */
async function registering(name: string): Promise<void> {
  const child: ChildProcess = spawn('sh', ['-e', name], {
    cwd: cwd(),
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    process.kill(-(child.pid as number), 'SIGTERM')
    await ended
  })
  let text = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk
      if (/^registered /m.test(text)) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${text}`)))
  })
}

async function joined(): Promise<WampClient> {
  const client = new WampClient({ router })
  await client.start()
  onTestFinished(() => client.stop())
  return client
}

test('register.sh, call.sh, list.sh and load.sh', async () => {
  await registering('register.sh')
  expect(await script('call.sh')).toBe('6\n')
  expect(await script('list.sh')).toBe('com.example.total\n')
  expect(await script('load.sh')).toMatch(
    /^ok {10}20\nfailed {6}0\nthroughput {2}[\d.]+\/s in [\d.]+ s\nlatency ms {2}min .*\n\{\n {2}"ok": 25,\n {2}"failed": 0\n\}\n$/,
  )
}, 60_000)

test('greet.sh with greet.py', async () => {
  await registering('greet.sh')
  const client = await joined()
  expect(await client.call('com.example.greet', ['Joe'])).toEqual({ greeting: 'Hello, Joe' })
  await expect(client.call('com.example.greet')).rejects.toMatchObject({
    uri: 'wampy.error.command_failed',
    message: 'python3 ended with exit code 1: a name is missing',
    kwargs: { exitCode: 1 },
  })
}, 60_000)

test('values.sh and options.sh', async () => {
  const client = await joined()
  const events: unknown[] = []
  await client.subscribe('com.example', (args, kwargs, { topic }) => void events.push([topic, args, kwargs]), {
    match: 'prefix',
  })
  expect(await script('values.sh')).toBe('')
  await expect
    .poll(() => events)
    .toEqual([
      ['com.example.order', [{ tea: 3 }], {}],
      ['com.example.order', [{ tea: 3 }], { table: 7 }],
      ['com.example.time', [expect.any(Number)], {}],
      ['com.example.mention', ['@joe'], {}],
    ])
  expect(await script('options.sh')).toBe('[\n  "tea"\n]\n')
}, 60_000)

test('errors.sh', async () => {
  expect(await script('errors.sh')).toBe('nobody answers\n')
})

test('contexts.sh', async () => {
  const lines = (await script('contexts.sh', { WAMPY_URL: '' })).split('\n')
  const path = join(here.folder, 'config', 'wampy-ts', 'contexts.json')
  expect(lines.map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
    `added local to ${path}`,
    `added prod to ${path}`,
    `  local  ws://localhost:${here.port}/ws  realm1`,
    '  prod  wss://example.com/ws  shop  ticket  joe',
    'local is used by commands without --context',
    '1',
    '',
  ])
}, 60_000)
