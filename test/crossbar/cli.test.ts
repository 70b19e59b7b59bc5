/** The command against Crossbar.io: options of messages, files, loads, programs as procedures, and contexts. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { WampClient } from 'wampy-ts'
import { cli, cliWith, write } from '../cli/support.ts'
import { type Crossbar, startCrossbar } from './crossbar.ts'

let crossbar: Crossbar
let alice: WampClient
beforeAll(async () => {
  crossbar = await startCrossbar()
  alice = new WampClient({ router: crossbar.url })
  await alice.start()
})
afterAll(async () => {
  await alice?.stop()
  await crossbar?.[Symbol.asyncDispose]()
})

const at = (): string[] => ['--url', crossbar.url]

test('register makes a program a procedure, which drains on SIGTERM', async () => {
  const code = `let input = ''
    process.stdin.on('data', (text) => { input += text }).on('end', () => {
      const { args, kwargs, details } = JSON.parse(input)
      console.error(args[0])
      if (args[0] === 'fail') process.exit(3)
      const print = () => console.log(JSON.stringify([args, kwargs, details.procedure, typeof details.caller]))
      setTimeout(print, args[0] === 'slow' ? 500 : 0)
    })`
  const options = ['--match', 'prefix', '--options', '{"disclose_caller":true}']
  const command = cli('register', 'com.program', ...options, ...at(), '--', process.execPath, '-e', code)
  await command.said(/^registered com\.program\n/)
  const called = await cli('call', 'com.program.one', '1', '"two"', '--kwargs', '{"unit":"cm"}', ...at()).ended
  expect(called).toEqual({ code: 0, stdout: '[[1,"two"],{"unit":"cm"},"com.program.one","number"]\n', stderr: '' })
  const failed = await cli('call', 'com.program.two', 'fail', '--json', ...at()).ended
  expect(JSON.parse(failed.stderr)).toMatchObject({
    error: { uri: 'wampy.error.command_failed', message: expect.stringContaining('fail'), kwargs: { exitCode: 3 } },
  })
  const slow = cli('call', 'com.program.three', 'slow', ...at())
  await command.said(/slow/, 'stderr')
  command.kill('SIGTERM')
  expect((await slow.ended).stdout).toContain('"com.program.three"')
  expect(await command.ended).toMatchObject({ code: 0 })
})

test('a caller that cancels ends the program', async () => {
  const command = cli(
    'register',
    'com.wait',
    ...at(),
    '--',
    process.execPath,
    '-e',
    'console.error(process.pid, "runs"); setInterval(() => {}, 1000)',
  )
  await command.said(/^registered/)
  const controller = new AbortController()
  const call = alice.call('com.wait', [], {}, { signal: controller.signal })
  call.catch(() => {})
  const pid = Number((await command.said(/(\d+) runs/, 'stderr'))[1])
  controller.abort()
  await expect(call).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
  const alive = (): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  await expect.poll(alive, { timeout: 10_000 }).toBe(false)
  expect(await command.kill('SIGTERM').ended).toMatchObject({ code: 0 })
})

test('options of messages, values of files, and progressive results', async () => {
  await using bob = new WampClient({ router: crossbar.url })
  await bob.start()
  const callers: unknown[] = []
  await bob.register('com.count', async function* (args, _, { caller }) {
    callers.push(args[0], caller)
    yield 1
    return 2
  })
  write('order.json', '{"tea":3}')
  const called = await cli('call', 'com.count', '@order.json', '--progress', '--json', ...at()).ended
  expect(called.stdout.match(/"args":\[\d\]/g)).toEqual(['"args":[1]', '"args":[2]'])
  const quiet = await cli('call', 'com.count', '--options', '{"receive_progress":false}', ...at()).ended
  expect(quiet).toMatchObject({ code: 0, stdout: '2\n' })
  expect(callers[0]).toEqual({ tea: 3 })

  const { id } = bob.session
  await cli('publish', 'com.state', '@order.json', '--options', '{"retain":true}', ...at()).ended
  const events: unknown[] = []
  await bob.subscribe('com.state', (args) => void events.push(args))
  await cli('publish', 'com.state', '1', '--options', `{"exclude":[${id}]}`, ...at()).ended
  await cli('publish', 'com.state', '2', '--options', `{"eligible":${id}}`, ...at()).ended
  await expect.poll(() => events).toEqual([[2]])
  const late = await cli('subscribe', 'com.state', '--count', '1', '--options', '{"get_retained":true}', ...at()).ended
  expect(late).toMatchObject({ code: 0, stdout: expect.stringContaining('"args":[{"tea":3}]') })
})

test('--repeat prints a summary, also of an interrupted load', async () => {
  await using bob = new WampClient({ router: crossbar.url })
  await bob.start()
  let calls = 0
  let sixtieth = (): void => {}
  const reached = new Promise<void>((resolve) => {
    sixtieth = resolve
  })
  await bob.register('com.one', () => {
    if (++calls === 60) sixtieth()
  })
  const all = await cli('call', 'com.one', '--repeat', '50', '--concurrency', '5', '--json', ...at()).ended
  expect(JSON.parse(all.stdout)).toMatchObject({ ok: 50, failed: 0, latency: { p50: expect.any(Number) } })
  const endless = cli('call', 'com.one', '--rate', '500/s', ...at())
  await reached
  expect(await endless.kill('SIGINT').ended).toMatchObject({ code: 130, stdout: expect.stringMatching(/^ok +\d+\n/) })
})

test('a context logs in, and a failure is JSON', async () => {
  const url = crossbar.url.replace('/ws', '/auth')
  const login = ['--auth', 'ticket', '--authid', 'joe', '--secret-env', 'CROSSBAR_TICKET']
  expect(await cli('context', 'add', 'bar', '--url', url, ...login).ended).toMatchObject({ code: 0 })
  const call = ['call', 'wamp.session.count', '["user"]', '--context', 'bar', '--json']
  const called = await cliWith({ env: { CROSSBAR_TICKET: 'secret!!!' } }, ...call).ended
  expect(called).toMatchObject({ code: 0, stdout: expect.stringContaining('"args":[1]') })
  const refused = await cliWith({ env: { CROSSBAR_TICKET: 'wrong' } }, ...call).ended
  expect(refused.code).toBe(1)
  expect(JSON.parse(refused.stderr)).toMatchObject({ error: { uri: expect.stringMatching(/^wamp\.error\./) } })
})
