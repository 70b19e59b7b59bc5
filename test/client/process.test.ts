/** Whole processes: an import has no effects, and a script that starts, calls and stops exits by itself. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { WebSocket } from 'ws'

interface Ended {
  readonly code: number | null
  readonly lines: string[]
  readonly errors: string
}

/** Runs a script in a process of its own; one that does not exit by itself is killed and fails. */
async function run(script: string, ...args: string[]): Promise<Ended> {
  return ended(start(script, ...args))
}

function start(script: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const path = fileURLToPath(new URL(`scripts/${script}`, import.meta.url))
  return spawn(process.execPath, ['--import', 'tsx', path, ...args], { cwd: root })
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
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

test('importing every entry point leaves nothing open', async () => {
  const ended = await run('imports.ts')
  expect(ended).toEqual({ code: 0, lines: ['[]'], errors: '' })
}, 20_000)

test('a script that starts, calls and stops exits soon by itself, with nothing open', async () => {
  const { router, url } = await served()
  const ended = await run('session.ts', url)
  expect(ended.errors).toBe('')
  expect(ended.code).toBe(0)
  expect(ended.lines).toEqual(['2016-05-15', 'open: []', expect.stringMatching(/^ended after \d+ ms$/)])
  expect(Number(ended.lines[2]?.match(/\d+/))).toBeLessThan(1000)
  expect(router.links).toBe(0)
}, 20_000)

test('a script whose router is unreachable exits by itself, with the cause', async () => {
  const { code, lines, errors } = await run('nowhere.ts')
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(lines[0]).toMatch(/^wampy\.error\.connection_failed could not connect to ws:\/\/127\.0\.0\.1:1\/ws/)
}, 20_000)

describe.each([
  ['ws', WebSocket],
  ["Node's own WebSocket", globalThis.WebSocket],
] as const)('%s, with a frozen peer,', (name, Class) => {
  // Node has had its own since version 22.
  test.skipIf(!Class).each(['open', 'opening'])(
    'does not keep the process alive after terminate(): %s',
    async (step) => {
      const connections = new Set<Socket>()
      const server = createServer((socket) => {
        connections.add(socket)
        socket.on('error', () => {})
        socket.once('data', (data) => {
          socket.pause()
          if (step === 'opening') child.stdin.write('\n')
          else socket.write(welcomed(String(data)))
        })
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => {
        server.close()
        for (const socket of connections) socket.destroy()
      })
      const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
      const child = start('frozen.ts', name, step, url)
      child.stdin.on('error', () => {})
      const { code, errors, lines } = await ended(child)
      expect({ code, errors }).toEqual({ code: 0, errors: '' })
      expect(Number(/^ended after (\d+) ms$/.exec(lines.join())?.[1])).toBeLessThan(1000)
    },
  )
})

/** The answer to the request of a WebSocket. */
function welcomed(request: string): string {
  const key = /sec-websocket-key: (.*)\r\n/i.exec(request)?.[1]
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const head = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
  return `HTTP/1.1 101 Switching Protocols\r\n${head.join('\r\n')}\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n`
}

test('the console session in plain JavaScript, with the static field', async () => {
  const { port } = await served()
  const ended = await run('console.mjs', port)
  expect(ended.errors).toBe('')
  expect(ended.code).toBe(0)
  expect(ended.lines).toEqual([expect.stringMatching(/^\d+$/), 'number DateService getTodaysDate', '2016-05-15'])
}, 20_000)
