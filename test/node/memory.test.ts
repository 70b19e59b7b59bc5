/** The limit on a router's bytes in a process of Node, with real sockets. */

import { getHeapStatistics } from 'node:v8'
import { afterEach, expect, test } from 'vitest'
import { CALL, HELLO, REGISTER } from 'wampy-ts/testing'
import WebSocket from 'ws'
import { type Served, serve } from '../../src/node/serve.ts'
import type { LeftEvent } from '../../src/router/observe/events.ts'
import { Router, type RouterOptions } from '../../src/router/router.ts'

const served: Served[] = []
afterEach(() => Promise.all(served.splice(0).map((each) => each.close())))

async function serving(options: RouterOptions): Promise<{ router: Router; url: string }> {
  const router = new Router(options)
  const one = await serve(router, { port: 0 })
  served.push(one)
  return { router, url: one.url }
}

test('is a quarter of the heap, unless the option names another', async () => {
  const share = Math.floor(getHeapStatistics().heap_size_limit / 4)
  expect((await serving({})).router.stats().bytes.limit).toBe(share)
  expect((await serving({ limits: { memory: 12_345_678 } })).router.stats().bytes.limit).toBe(12_345_678)
})

test('callers that do not read are ended when their backlogs together exceed it, and a caller that reads is not', async () => {
  const { router, url } = await serving({ limits: { memory: 8 * 2 ** 20 } })
  const ends: LeftEvent[] = []
  router.observe({ left: (event) => ends.push(event) })
  const callee = await joined(url)
  callee.send(JSON.stringify([REGISTER, 1, {}, 'big']))
  const answer = JSON.stringify(['x'.repeat(2 ** 20)])
  callee.on('message', (data) => {
    const [code, invocation] = JSON.parse(String(data)) as [number, number]
    if (code === 68) callee.send(`[70,${invocation},{},${answer}]`)
  })
  const silent = await Promise.all(Array.from({ length: 4 }, () => joined(url)))
  for (const caller of silent) caller.pause()
  const closed = new Set<WebSocket>()
  for (const caller of silent) caller.on('close', () => closed.add(caller))
  const honest = await joined(url)
  let results = 0
  honest.on('message', () => results++)
  let request = 0
  await until(() => {
    request++
    for (const caller of silent)
      if (caller.readyState === WebSocket.OPEN) caller.send(JSON.stringify([CALL, request, {}, 'big']))
    honest.send(JSON.stringify([CALL, request, {}, 'big']))
    return router.stats().dropped.memory > 0
  })
  await until(() => results === request)
  expect(ends.length).toBeGreaterThan(0)
  for (const { reason, text } of ends) {
    expect(reason).toBe('wampy.error.limit_exceeded')
    expect(text).toMatch(/mostly backlogs/)
  }
  expect(router.stats().bytes.total).toBeLessThanOrEqual(9 * 2 ** 20)
  for (const caller of silent) caller.terminate()
})

async function joined(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, ['wamp.2.json'])
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('open', resolve))
  const welcome = new Promise((resolve) => socket.once('message', resolve))
  socket.send(JSON.stringify([HELLO, 'realm1', { roles: { caller: {}, callee: {} } }]))
  await welcome
  return socket
}

async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setTimeout(resolve, 5))
}
