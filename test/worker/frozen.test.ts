/** A client in a worker that is frozen without an event: our router ends its session within 50 seconds. */

import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { expect, onTestFinished, test, vi } from 'vitest'
import { NO_SUCH_PROCEDURE, WampClient } from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

/** A file as one script, because a thread has no loader for TypeScript. */
async function script(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    alias: { 'wampy-ts': fileURLToPath(new URL('../../src/index.ts', import.meta.url)) },
    external: ['bufferutil', 'utf-8-validate'],
    define: { __VERSION__: '"0.0.0"' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

test('by the defaults, while one that speaks stays; it joins again when it is thawed', async () => {
  const router = new Router()
  const served = await serve(router, { port: 0 })
  const caller = new WampClient({ router })
  await caller.start()
  const left: unknown[] = []
  router.observe({ left: ({ reason }) => left.push(reason) })
  // Only the router's clock: the worker has one of its own, and the time of the server's pings is not about to come.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const ice = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(await script('frozen-client.ts'), { eval: true, workerData: { url: served.url, ice } })
  onTestFinished(async () => {
    await worker.terminate()
    vi.useRealTimers()
    await caller.stop()
    await router.close()
    await served.close()
  })
  const told = async (text: string) => {
    const answered = once(worker, 'message')
    worker.postMessage(text)
    expect(await answered).toEqual([text])
  }
  expect(await once(worker, 'message')).toEqual(['ready'])
  expect(await caller.call('com.example.here')).toBe('here')

  for (let i = 0; i < 3; i++) {
    await told('speak')
    vi.advanceTimersByTime(39_000)
  }
  await told('speak')
  await told('freeze')
  vi.advanceTimersByTime(40_000)
  expect(router.stats().sessions).toBe(2)
  vi.advanceTimersByTime(10_000)
  expect([router.stats().sessions, left]).toEqual([1, ['wamp.error.timeout']])
  await expect(caller.call('com.example.here')).rejects.toMatchObject({ uri: NO_SUCH_PROCEDURE })

  Atomics.store(ice, 0, 1)
  Atomics.notify(ice, 0)
  await vi.waitFor(async () => expect(await caller.call('com.example.here')).toBe('here'), 5000)
  await told('stop')
}, 20_000)
