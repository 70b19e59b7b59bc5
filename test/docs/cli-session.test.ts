/** The shell session of the command line's page runs against `wampy-ts router`. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { project, ROOT, snippets } from './project.ts'

const run = promisify(execFile)
const CLI = join(ROOT, 'dist', 'cli.js')

test('every line of session.sh works, with the service of clock.js', async () => {
  const here = await project()
  onTestFinished(here.remove)
  const cwd = join(here.folder, 'cli')
  const running: ChildProcess[] = []
  onTestFinished(async () => {
    await Promise.all(running.map(end))
  })

  /** Starts a command that stays, and resolves when its output shows that it is ready. */
  async function background(args: string[], until: RegExp): Promise<ChildProcess> {
    const child = spawn(process.execPath, args, { cwd })
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
  const node = (args: string[]) => run(process.execPath, args, { cwd, timeout: 60_000 })

  const text = snippets().get('cli/session.sh') ?? ''
  const lines = text.replaceAll('8080', String(here.port)).trim().split('\n')
  const [router, service, call, subscribe, publish, ...more] = lines.map((line) => {
    expect(line).toMatch(/^npx wampy-ts /)
    const words = line.slice('npx wampy-ts '.length).match(/'[^']*'|\S+/g) ?? []
    return [CLI, ...words.map((word) => word.replace(/^'(.*)'$/, '$1'))]
  }) as [string[], string[], string[], string[], string[], ...string[][]]
  expect(more).toEqual([])
  await background(router, /listening on ws:/)
  await background(service, /getTime/)
  expect((await node(call)).stdout).toMatch(/^"\d\d:\d\d:\d\d"\n$/)
  const subscriber = await background(subscribe, /subscribed/)
  let event = ''
  subscriber.stdout?.on('data', (chunk) => {
    event += chunk
  })
  const ended = new Promise((resolve) => subscriber.once('exit', resolve))
  await node(publish)
  expect(await ended).toBe(0)
  expect(JSON.parse(event)).toMatchObject({ topic: 'com.example.news', args: ['fresh tea'], kwargs: { price: 3 } })
}, 60_000)

function end(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  return ended
}
