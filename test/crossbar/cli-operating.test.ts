/** The commands that watch, load and record against Crossbar.io. */

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WampClient } from 'wampy-ts'
import { cli, here } from '../cli/support.ts'
import { type Crossbar, startCrossbar } from './crossbar.ts'

let crossbar: Crossbar
beforeAll(async () => {
  crossbar = await startCrossbar()
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())

const at = (): string[] => ['--url', crossbar.url]

/** A session that does not return after its end. */
async function joined(): Promise<WampClient> {
  const client = new WampClient({ router: crossbar.url, reconnect: false })
  client.on('error', () => {})
  await client.start()
  return client
}

test('sessions lists them, kill ends one, and events reports both', async () => {
  const events = cli('events', '--json', ...at())
  await events.said(/watching/, 'stderr')
  await using one = await joined()
  await using two = await joined()
  const { id } = one.session
  await events.said(new RegExp(String(id)))
  const listed = await cli('sessions', '--json', ...at()).ended
  expect(listed).toMatchObject({ code: 0, stderr: '' })
  expect(listed.stdout).toContain(String(id))
  expect(listed.stdout).toContain(String(two.session.id))

  const ended = new Promise((resolve) => one.once('stopped', resolve))
  expect(await cli('kill', String(id), ...at()).ended).toMatchObject({ code: 0 })
  await ended
  await events.said(/on_leave/)
  expect(two.state).toBe('ready')
  expect(await events.kill('SIGINT').ended).toMatchObject({ code: 0 })
  const missing = await cli('kill', '1', ...at()).ended
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('wamp.error.no_such_session') })
})

test('top prints a picture of the realm', async () => {
  await using one = await joined()
  await one.register('com.top.one', () => 1)
  await one.subscribe('com.top.', () => {}, { match: 'prefix' })
  const { code, stdout, stderr } = await cli('top', '--json', '--count', '1', ...at()).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({
    sessions: expect.arrayContaining([expect.objectContaining({ session: one.session.id })]),
    procedures: expect.arrayContaining([expect.objectContaining({ uri: 'com.top.one', members: 1 })]),
    topics: expect.arrayContaining([expect.objectContaining({ uri: 'com.top.', match: 'prefix', members: 1 })]),
  })
})

test('bench measures calls and events, and an interrupted one prints what it has', async () => {
  for (const kind of ['rpc', 'pubsub']) {
    const quick = ['--count', '50', '--clients', '2', '--warm-up', '0', '--json']
    const { code, stdout, stderr } = await cli('bench', kind, ...quick, ...at()).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ ok: 50, failed: 0, latency: { p50: expect.any(Number) } })
  }
  await using watcher = await joined()
  const echoes: string[] = []
  await watcher.subscribe(
    'wamp.registration.on_create',
    ([, details]) => void echoes.push((details as { uri: string }).uri),
  )
  const endless = cli('bench', 'rpc', '--warm-up', '0', '--duration', '3600', ...at())
  await expect.poll(() => echoes.length).toBeGreaterThan(0)
  // Answered behind calls of the benchmark, some of which have been measured by then.
  for (let call = 0; call < 200; call++) await watcher.call(echoes[0] as string)
  expect(await endless.kill('SIGINT').ended).toMatchObject({ code: 130, stdout: expect.stringMatching(/^ok +\d/m) })
})

test('replay publishes what record has kept', async () => {
  await using publisher = await joined()
  const file = here('kept.jsonl')
  const record = cli('record', 'com.kept', '--match', 'prefix', '-o', file, ...at())
  await record.said(/^recording/, 'stderr')
  await publisher.publish('com.kept.one', [1, 2n ** 60n], { unit: 'cm' }, { acknowledge: true })
  await publisher.publish('com.kept.two', [], {}, { acknowledge: true })
  await expect.poll(() => readFileSync(file, 'utf8').match(/\n/g)?.length).toBe(2)
  expect(await record.kill('SIGINT').ended).toMatchObject({ code: 0 })

  const received: unknown[] = []
  await publisher.subscribe('com.kept', (args, kwargs, { topic }) => received.push([topic, args, kwargs]), {
    match: 'prefix',
  })
  expect(await cli('replay', file, '--fast', ...at()).ended).toMatchObject({ code: 0 })
  await expect
    .poll(() => received)
    .toEqual([
      ['com.kept.one', [1, 2n ** 60n], { unit: 'cm' }],
      ['com.kept.two', [], {}],
    ])
})
