/** Whole processes: an import does nothing, and a script that starts, calls and stops ends by itself. */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

interface Ended {
  readonly code: number | null
  readonly lines: string[]
  readonly errors: string
}

/** Runs a script in a process of its own; one that does not end by itself is killed and fails. */
async function run(script: string, ...args: string[]): Promise<Ended> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const path = fileURLToPath(new URL(`scripts/${script}`, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], { cwd: root })
  const late = setTimeout(() => child.kill('SIGKILL'), 14_000)
  let [output, errors] = ['', '']
  child.stdout.on('data', (data: Buffer) => {
    output += data
  })
  child.stderr.on('data', (data: Buffer) => {
    errors += data
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearTimeout(late)
  return { code, errors, lines: output.trim().split('\n') }
}

async function served(): Promise<{ router: Router; url: string; port: string }> {
  const router = new Router()
  const { url, port, close } = await serve(router, { port: 0 })
  onTestFinished(async () => {
    await router.close()
    await close()
  })
  return { router, url, port: String(port) }
}

test('the import of every entry point leaves nothing open', async () => {
  const ended = await run('imports.ts')
  expect(ended).toEqual({ code: 0, lines: ['[]'], errors: '' })
}, 20_000)

test('a script that starts, calls and stops ends by itself, soon, with nothing open', async () => {
  const { router, url } = await served()
  const ended = await run('session.ts', url)
  expect(ended.errors).toBe('')
  expect(ended.code).toBe(0)
  expect(ended.lines).toEqual(['2016-05-15', 'open: []', expect.stringMatching(/^ended after \d+ ms$/)])
  expect(Number(ended.lines[2]?.match(/\d+/))).toBeLessThan(1000)
  expect(router.links).toBe(0)
}, 20_000)

test('a script whose router is not there ends by itself, with the cause', async () => {
  const { code, lines, errors } = await run('nowhere.ts')
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(lines[0]).toMatch(/^wampy\.error\.connection_failed could not connect to ws:\/\/127\.0\.0\.1:1\/ws/)
}, 20_000)

test('the console session in plain JavaScript, with the static field', async () => {
  const { port } = await served()
  const ended = await run('console.mjs', port)
  expect(ended.errors).toBe('')
  expect(ended.code).toBe(0)
  expect(ended.lines).toEqual([expect.stringMatching(/^\d+$/), 'number DateService getTodaysDate', '2016-05-15'])
}, 20_000)
