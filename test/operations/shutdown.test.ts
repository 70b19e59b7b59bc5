/** SIGTERM under load, twenty times: a router ends in time, everybody is told, and the clients are back on the next one. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { WampClient, WampError } from 'wampy-ts'

const ROUNDS = 20
const DRAIN = 2000

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function startRouter(port: number): Promise<ChildProcess> {
  const args = [cli, 'router', '--port', String(port), '--drain', String(DRAIN)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

test('SIGTERM under load', { timeout: 240_000 }, async () => {
  const port = await freePort()
  const router = `ws://127.0.0.1:${port}/ws`
  const reconnect = () => 20
  let child = await startRouter(port)

  const [service, caller] = [new WampClient({ router, reconnect }), new WampClient({ router, reconnect })]
  for (const client of [service, caller]) {
    onTestFinished(() => client.stop())
    await client.start()
  }
  const heard = new Set<unknown>()
  await service.register('a.slow', async ([value]) => {
    await delay(20)
    return value
  })
  await service.subscribe('a.news', ([value]) => void heard.add(value))

  let running = true
  const outcomes = new Map<string, number>()
  const acknowledged: number[] = []
  let number = 0
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  const load = async () => {
    while (running) {
      const value = number++
      try {
        expect(await caller.call('a.slow', [value], {}, { waitForReady: true, timeout: 10_000 })).toBe(value)
        count('answered')
        await caller.publish('a.news', [value], {}, { acknowledge: true })
        acknowledged.push(value)
      } catch (error) {
        if (!WampError.is(error)) throw error
        count(error.uri)
        await delay(5)
      }
    }
  }
  const loads = Array.from({ length: 8 }, load)
  for (let round = 0; round < ROUNDS; round++) {
    await expect.poll(() => caller.state === 'ready' && service.state === 'ready', { timeout: 10_000 }).toBe(true)
    const before = outcomes.get('answered') ?? 0
    await expect.poll(() => (outcomes.get('answered') ?? 0) - before, { timeout: 10_000 }).toBeGreaterThan(20)
    const since = performance.now()
    child.kill('SIGTERM')
    const [code, signal] = await once(child, 'exit')
    expect([code, signal]).toEqual([0, null])
    // The calls take 20 ms; the rest is for clients that do not answer GOODBYE.
    expect(performance.now() - since).toBeLessThan(DRAIN + 8000)
    child = await startRouter(port)
  }
  running = false
  await Promise.all(loads)
  await expect.poll(() => acknowledged.filter((value) => !heard.has(value))).toEqual([])
  // No call was left hanging, and none failed for a reason that its caller could not know.
  const told = [
    'answered',
    'wamp.error.unavailable',
    'wamp.error.canceled',
    'wamp.error.no_such_procedure',
    'wampy.error.connection_lost',
    'wampy.error.not_joined',
  ]
  expect([...outcomes.keys()].filter((outcome) => !told.includes(outcome))).toEqual([])
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})
