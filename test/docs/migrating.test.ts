/** The programs of the pages for migrants do the same before and after, and those that speak WAMP in any combination. */

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serve } from '../../src/node.ts'
import { Router } from '../../src/router.ts'
import { type Project, project } from './project.ts'

let here: Project
beforeAll(async () => {
  here = await project()
  // Node 20 has no WebSocket, which tRPC's client expects.
  writeFileSync(
    join(here.folder, 'platform.mjs'),
    `import { WebSocket } from 'ws'\nglobalThis.WebSocket ??= WebSocket\n`,
  )
})
afterAll(() => here.remove())

interface Running extends AsyncDisposable {
  /** Resolves when the output contains the text. */
  prints(text: string): Promise<void>
  /** What it has printed when it ends by itself. */
  readonly output: Promise<string>
}

function start(page: string, name: string): Running {
  const cwd = join(here.folder, 'migrating', page)
  const child = spawn(process.execPath, ['--import', 'tsx', '--import', '../../platform.mjs', name], { cwd })
  let said = ''
  let complaints = ''
  let wake = () => {}
  child.stdout.on('data', (chunk) => {
    said += chunk
    wake()
  })
  // autobahn reports every connection that closes, and every error of a procedure.
  child.stderr.on('data', (chunk) => {
    complaints += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const failed = (code: number | null) => new Error(`${page}/${name} ended with ${code}: ${said}${complaints}`)
  return {
    output: ended.then((code) => (code === 0 ? said : Promise.reject(failed(code)))),
    prints: async (text) => {
      while (!said.includes(text)) {
        const more = new Promise<void>((resolve) => {
          wake = resolve
        })
        await Promise.race([more, ended.then((code) => Promise.reject(failed(code)))])
      }
    },
    [Symbol.asyncDispose]: () => end(child, ended),
  }
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL')
  await ended
}

/** Runs two programs, of which the second ends by itself; resolves to its output. */
async function together(page: string, serving: string, asking: string, heard?: string): Promise<string> {
  await using service = start(page, serving)
  service.output.catch(() => {})
  await service.prints('ready')
  await using caller = start(page, asking)
  const said = await caller.output
  if (heard !== undefined) await service.prints(heard)
  return said
}

const services = ['before-service.mjs', 'service.ts']
const callers = ['before-caller.mjs', 'caller.ts']
const combinations = ['autobahn-js', 'wampy-js'].flatMap((page) =>
  services.flatMap((service) => callers.map((caller) => ({ page, service, caller }))),
)

test.each(combinations)(
  '$page: $caller calls $service',
  async ({ page, service, caller }) => {
    const router = new Router()
    const served = await serve(router, { port: here.port })
    try {
      const said = await together(page, service, caller, 'fresh tea')
      expect(said).toBe('6\ncom.example.error.unknown_article no gold here\n')
    } finally {
      await router.close()
      await served.close()
    }
  },
  60_000,
)

test.each([
  ['before-server.mjs', 'before-page.mjs'],
  ['server.ts', 'page.ts'],
])(
  'socket-io: %s and %s',
  async (server, page) => {
    expect(await together('socket-io', server, page)).toBe('6\nhello\n')
  },
  60_000,
)

test.each([
  ['before-server.ts', 'before-client.ts', 'NOT_FOUND'],
  ['server.ts', 'client.ts', 'com.example.error.not_found'],
])(
  'trpc: %s and %s',
  async (server, client, code) => {
    expect(await together('trpc', server, client)).toBe(`6\n${code} no gold here\n1\n2\n3\n`)
  },
  60_000,
)
