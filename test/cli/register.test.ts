/** `wampy-ts register`: a program as a procedure, its input, output, errors and limits, and its end. */

import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import type { WampClient } from '../../src/client/wamp-client.ts'
import type { WampError } from '../../src/protocol/error.ts'
import { cli, cliWith, here, type Listening, listening, type Running, write } from './support.ts'

const node = process.execPath

beforeAll(() => {
  // Prints its input and its command line.
  write(
    'echo.mjs',
    `let input = ''
    for await (const chunk of process.stdin) input += chunk
    console.log(JSON.stringify({ input, argv: process.argv.slice(2) }))`,
  )
  // Writes its process id and waits; on SIGTERM it ends, or, told so, notes that and stays.
  write(
    'wait.mjs',
    `import { appendFileSync } from 'node:fs'
    import { spawn } from 'node:child_process'
    const [file, stays] = process.argv.slice(2)
    if (stays === 'stays') process.on('SIGTERM', () => appendFileSync(file, 'SIGTERM\\n'))
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    child.on('spawn', () => appendFileSync(file, process.pid + ' ' + child.pid + '\\n'))
    setInterval(() => {}, 1000)`,
  )
})

interface Registered extends Listening {
  readonly alice: WampClient
  readonly command: Running
}

async function registered(args: string[], program: string[], env = {}): Promise<Registered> {
  const router = await listening()
  const command = cliWith({ env }, 'register', 'com.run', ...args, '--url', router.url, '--', ...program)
  onTestFinished(async () => {
    command.kill('SIGKILL')
    await command.ended
  })
  await command.said(/^registered com\.run\n/)
  return { ...router, alice: await router.client(), command }
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The process ids of `wait.mjs` and its child, when they run. */
async function processes(file: string): Promise<number[]> {
  await expect.poll(() => existsSync(here(file)) && readFileSync(here(file), 'utf8'), { timeout: 20_000 }).toMatch(/\n/)
  return (/^(\d+) (\d+)\n/.exec(readFileSync(here(file), 'utf8')) as RegExpExecArray).slice(1, 3).map(Number)
}

const gone = (pids: number[]) => expect.poll(() => pids.filter(alive), { timeout: 10_000 }).toEqual([])

test('the program reads the arguments from standard input, and nothing of them is on its command line', async () => {
  const { alice, command } = await registered([], [node, 'echo.mjs', '$HOME; echo', '--flag'])
  const evil = '"; $(touch hacked) `id` --version'
  const result = await alice.call('com.run', [evil, 1, 2n ** 64n - 1n, new Uint8Array([1])], { unit: 'cm' })
  expect(result).toEqual({
    input: `{"args":[${JSON.stringify(evil)},1,18446744073709551615,"\\u0000AQ=="],"kwargs":{"unit":"cm"},"details":{"procedure":"com.run"}}\n`,
    argv: ['$HOME; echo', '--flag'],
  })
  expect(existsSync(here('hacked'))).toBe(false)
  expect(await command.kill('SIGTERM').ended).toEqual({ code: 0, stdout: 'registered com.run\n', stderr: '' })
})

test.each<[string, string[], unknown]>([
  ['process.stdout.write("[1,18446744073709551615]")', [], [1, 18446744073709551615n]],
  ['console.log("two words")', [], 'two words'],
  ['console.log("1\\n2")', [], '1\n2'],
  ['', [], null],
  ['', ['--text'], ''],
  ['console.log("[1]")', ['--text'], '[1]'],
  ['console.log(JSON.stringify("a"))', ['--text'], '"a"'],
  ['process.stdout.write(Buffer.from([255, 0]))', [], new Uint8Array([255, 0])],
  // It does not read its input, which is longer than a pipe holds.
  ['process.stdin.destroy(); console.log("unread")', [], 'unread'],
])('the output of %j with %j is the result', async (code, args, expected) => {
  const { alice, command } = await registered(args, [node, '-e', code])
  expect(await alice.call('com.run', ['x'.repeat(1_000_000)])).toEqual(expected)
  expect(await command.kill('SIGTERM').ended).toMatchObject({ code: 0, stderr: '' })
})

test('an exit code is an error with the last of stderr, which is printed too', async () => {
  const { alice, command } = await registered(
    [],
    [node, '-e', 'console.error("x".repeat(5000) + "no \\u001b[31mseats"); process.exit(3)'],
  )
  const message = `${node} ended with exit code 3: ${`${'x'.repeat(5000)}no \u001b[31mseats\n`.slice(-1000).trim()}`
  await expect(alice.call('com.run')).rejects.toMatchObject({
    uri: 'wampy.error.command_failed',
    args: [message],
    kwargs: { exitCode: 3 },
  })
  const { code, stderr } = await command.kill('SIGTERM').ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: `${'x'.repeat(5000)}no  [31mseats\n` })
})

test('a program that a signal ends, and one that is removed, are errors', async () => {
  const { alice } = await registered([], [node, '-e', 'process.kill(process.pid, "SIGKILL")'])
  await expect(alice.call('com.run')).rejects.toMatchObject({
    uri: 'wampy.error.command_failed',
    message: `${node} was ended by SIGKILL`,
    kwargs: { signal: 'SIGKILL' },
  })
})

test('an output that is too long ends the program', async () => {
  const { alice } = await registered(['--max-output', '1000'], [node, '-e', 'setInterval(() => console.log("x"), 0)'])
  await expect(alice.call('com.run')).rejects.toMatchObject({
    uri: 'wampy.error.limit_exceeded',
    message: `${node} wrote more than 1000 bytes`,
  })
})

test('a program that runs too long is ended with all its processes', async () => {
  const { alice } = await registered(['--timeout', '1500'], [node, 'wait.mjs', 'timeout.pid'])
  const call = alice.call('com.run')
  call.catch(() => {})
  const pids = await processes('timeout.pid')
  await expect(call).rejects.toMatchObject({ uri: 'wamp.error.timeout', message: `${node} ran for more than 1500 ms` })
  await gone(pids)
})

test('a caller that cancels ends the program, even one that ignores SIGTERM', async () => {
  const { alice, command } = await registered([], [node, 'wait.mjs', 'cancel.pid', 'stays'])
  const controller = new AbortController()
  const call = alice.call('com.run', [], {}, { signal: controller.signal })
  const pids = await processes('cancel.pid')
  controller.abort()
  await expect(call).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
  await gone(pids)
  expect(readFileSync(here('cancel.pid'), 'utf8')).toMatch(/\nSIGTERM\n$/)
  expect(await command.kill('SIGTERM').ended).toMatchObject({ code: 0 })
})

test('a lost connection ends the program, and the procedure comes back', async () => {
  const { alice, command, router, port, close } = await registered([], [node, 'wait.mjs', 'lost.pid'])
  alice.call('com.run').catch(() => {})
  const pids = await processes('lost.pid')
  await router.close()
  await close()
  await gone(pids)
  const bob = await (await listening(port)).client()
  await command.said(/\nready in realm1 at ws:/, 'stderr')
  await expect.poll(async () => (await bob.call('wamp.registration.match', ['com.run'])) !== null).toBe(true)
})

test('a signal lets a program finish, and a second one ends it', async () => {
  const { alice, command, router } = await registered(
    [],
    [node, '-e', 'console.error("begun"); process.stdin.resume(); setTimeout(() => console.log("done"), 1000)'],
  )
  const call = alice.call('com.run')
  await command.said(/begun/, 'stderr')
  command.kill('SIGTERM')
  expect(await call).toBe('done')
  expect(await command.ended).toMatchObject({ code: 0 })
  expect(router.stats()).toMatchObject({ sessions: 1, registrations: 0 })
})

test.each([
  [['--drain', '0'], 'drain.pid', 'SIGTERM', 0],
  [[], 'second.pid', 'SIGINT', 130],
] as const)('%j: no program outlives the command', async (args, file, signal, exitCode) => {
  const { alice, command, router } = await registered([...args], [node, 'wait.mjs', file, 'stays'])
  const call = alice.call('com.run')
  call.catch(() => {})
  const pids = await processes(file)
  command.kill('SIGTERM')
  if (exitCode) {
    await expect.poll(() => router.stats().registrations).toBe(0)
    command.kill(signal)
  }
  expect(await command.ended).toMatchObject({ code: exitCode })
  await expect(call).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
  await gone(pids)
  // Unless the command is in a hurry, the program had time to end by itself.
  if (!exitCode) expect(readFileSync(here(file), 'utf8')).toMatch(/\nSIGTERM\n$/)
})

test('what a program leaves running ends with it, and does not delay the result', async () => {
  const code = `const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
    console.log(child.pid)
    process.exit()`
  const { alice } = await registered([], [node, '-e', code])
  await gone([(await alice.call('com.run')) as number])
})

test('--concurrency bounds the programs at a time; further calls wait, up to a number', async () => {
  const { alice, command } = await registered(['--concurrency', '1'], [node, 'wait.mjs', 'slots.pid'])
  const calls = Array.from({ length: 1002 }, () => {
    const controller = new AbortController()
    const settled = alice.call('com.run', [], {}, { signal: controller.signal }).catch((error: WampError) => error.uri)
    return { controller, settled }
  })
  const first = await processes('slots.pid')
  // One runs, and a thousand wait.
  expect(await calls[1001]?.settled).toBe('wamp.error.no_available_callee')
  // A call that is canceled while it waits is not made.
  for (const { controller } of calls.slice(2)) controller.abort()
  await Promise.all(calls.slice(2).map(({ settled }) => settled))
  // Nor does it take the place of another.
  const late = new AbortController()
  const last = alice.call('com.run', [], {}, { signal: late.signal }).catch((error: WampError) => error.uri)
  calls[0]?.controller.abort()
  await gone(first)
  const lines = () => readFileSync(here('slots.pid'), 'utf8').trimEnd().split('\n')
  await expect.poll(() => lines().length, { timeout: 20_000 }).toBe(2)
  calls[1]?.controller.abort()
  await expect.poll(() => lines().length, { timeout: 20_000 }).toBe(3)
  late.abort()
  expect(await last).toBe('wamp.error.canceled')
  expect(await command.kill('SIGTERM').ended).toMatchObject({ code: 0 })
  expect(lines()).toHaveLength(3)
})

test('the limit of concurrency in --options is that of the router', async () => {
  const { alice } = await registered(['--options', '{"concurrency":1}'], [node, 'wait.mjs', 'router.pid'])
  alice.call('com.run').catch(() => {})
  await processes('router.pid')
  await expect(alice.call('com.run')).rejects.toMatchObject({ uri: 'crossbar.error.max_concurrency_reached' })
})

test('--match, --invoke and --options reach the router', async () => {
  const { url, client } = await registered(
    ['--match', 'prefix', '--invoke', 'last', '--options', '{"disclose_caller":true}'],
    [node, 'echo.mjs'],
  )
  const { stdout } = await cli('list', '--url', url).ended
  expect(stdout).toBe('com.run  prefix  last\n')
  const bob = await client()
  const { input } = (await bob.call('com.run.report.monthly')) as { input: string }
  expect(JSON.parse(input).details).toMatchObject({ procedure: 'com.run.report.monthly', caller: bob.session.id })
})

test('--json prints lines of JSON', async () => {
  const { url, client } = await listening()
  const command = cli(
    'register',
    'com.run',
    '--json',
    '--url',
    url,
    '--',
    node,
    '-e',
    'console.error("no\\nway"); process.exit(1)',
  )
  await command.said(/^\{"registered":"com\.run"\}\n$/)
  await expect((await client()).call('com.run')).rejects.toMatchObject({ uri: 'wampy.error.command_failed' })
  expect((await command.kill('SIGTERM').ended).stderr).toBe('{"stderr":"no\\nway\\n"}\n')
})

test('a procedure that exists is refused: exit code 1', async () => {
  const { url, client } = await listening()
  await (await client()).register('com.run', () => 1)
  const { code, stderr } = await cli('register', 'com.run', '--url', url, '--', 'true').ended
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^wamp\.error\.procedure_already_exists: .*\n$/),
  })
})

test.each<[number, string[], RegExp]>([
  [2, ['com.run'], /^wampy-ts register: <command> is missing \(see wampy-ts register --help\)\n$/],
  [
    1,
    ['com.run', '--', 'no-such-program'],
    /^wampy-ts register: there is no program "no-such-program" in the folders of PATH\n$/,
  ],
  [1, ['com.run', '--', './echo.mjs'], /^wampy-ts register: \.\/echo\.mjs is not a program that can be run\n$/],
  [2, ['com.run', '--match', 'fuzzy', '--', 'true'], /--match must be exact, /],
  [2, ['com.run', '--invoke', 'any', '--', 'true'], /--invoke must be single, /],
  [2, ['com.run', '--concurrency', '0', '--', 'true'], /--concurrency must be a whole number, 1 to 10000/],
  [
    2,
    ['com.run', '--match', 'exact', '--options', '{"match":"exact"}', '--', 'true'],
    /--match and "match" in --options are the same option/,
  ],
  [2, ['com.run', '--max-output', '-1', '--', 'true'], /--max-output must be a whole number/],
])('exit code %s: register %j', async (exitCode, args, expected) => {
  const { code, stdout, stderr } = await cli('register', ...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
})
