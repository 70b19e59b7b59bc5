/** `promtool check metrics` of Prometheus accepts what a router shows. */

import { spawn } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { WampClient } from 'wampy-ts'
import { type MetricsOptions, metrics } from 'wampy-ts/metrics'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'

/** The exit code and everything that promtool says about a text. */
function check(text: string): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const tool = spawn('promtool', ['check', 'metrics'])
    let said = ''
    tool.stdout.on('data', (chunk) => {
      said += chunk
    })
    tool.stderr.on('data', (chunk) => {
      said += chunk
    })
    tool.on('error', (cause) =>
      reject(new Error("promtool is missing: install Debian's package prometheus", { cause })),
    )
    tool.on('close', (code) => resolve({ code, said }))
    tool.stdin.end(text)
  })
}

test.each<[string, MetricsOptions]>([
  ['without procedures', {}],
  ['with registered procedures', { procedures: 'registered' }],
  ['with labels of every kind', { procedures: (uri) => `${uri} "quoted" \\ back\nline \u{1f600} \ud800` }],
])('metrics %s', async (_, options) => {
  const router = new Router({ realms: ['realm1', 'com.example.ändern'] })
  const served = await serve(router, { port: 0, metrics: options, health: true })
  onTestFinished(async () => {
    await router.close()
    await served.close()
  })
  await using client = new WampClient({ router: served.url })
  await client.start()
  await client.register('com.add', ([a, b]) => Number(a) + Number(b))
  await client.subscribe('com.topic', () => {})
  for (let at = 0; at < 5; at++) await client.call('com.add', [at, 1])
  await client.publish('com.topic', [], {}, { acknowledge: true, exclude_me: false })
  await client.call('com.none').catch(() => {})
  const response = await fetch(`http://127.0.0.1:${served.port}/metrics`)
  const text = await response.text()
  expect(text).toContain('wampy_calls_total{realm="realm1",outcome="result"} 5\n')
  expect(await check(text)).toEqual({ code: 0, said: '' })
})

test('metrics of a router that nobody uses', async () => {
  expect(await check(metrics(new Router()).text())).toEqual({ code: 0, said: '' })
})

test('of others it finds the faults', async () => {
  const text = metrics(new Router()).text()
  const { code, said } = await check(text.replace('# HELP wampy_links Connections, with or without a session.\n', ''))
  expect([code, said]).toEqual([3, expect.stringContaining('wampy_links no help text')])
  expect((await check(`${text}wampy_links{ 1\n`)).code).toBe(1)
})
