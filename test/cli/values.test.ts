/** Values and options of messages on the command line: `@file`, `-`, `--options`, and the mistakes in them. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { WampClient } from '../../src/client/wamp-client.ts'
import { cli, here, type Listening, listening, shell, write } from './support.ts'

async function opened(): Promise<Listening & { alice: WampClient; at: string[] }> {
  const router = await listening()
  const alice = await router.client()
  await alice.register('com.echo', (args, kwargs) => [args, kwargs])
  return { ...router, alice, at: ['--url', router.url] }
}

test('@file is the content of a file, by the rules for standard input; @@ is a literal @', async () => {
  const { at } = await opened()
  write('order.json', '{"tea":[1,18446744073709551615]}\n')
  write('note.txt', 'two words\r\n')
  write('kwargs.json', '{"unit":"cm"}')
  writeFileSync(here('photo.jpg'), new Uint8Array([0xff, 0x00, 0xd8]))
  const { code, stdout, stderr } = await cli(
    ...[
      'call',
      'com.echo',
      '@order.json',
      '@note.txt',
      '@photo.jpg',
      '@@joe',
      '@@@',
      '--kwargs',
      '@kwargs.json',
      ...at,
    ],
  ).ended
  expect(stdout).toBe('[[{"tea":[1,18446744073709551615]},"two words","\\u0000/wDY","@joe","@@"],{"unit":"cm"}]\n')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('publish takes @file, and a file may be a pipe', async () => {
  const { alice, url } = await opened()
  write('event.json', '{"price":3}')
  const events: unknown[] = []
  await alice.subscribe('com.news', (args) => void events.push(args))
  const { code, stderr } = await shell(`
    wampy-ts publish com.news @event.json --url ${url}
    echo '[1]' | wampy-ts publish com.news @/dev/stdin --url ${url}
  `).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  await expect.poll(() => events).toEqual([[{ price: 3 }], [[1]]])
})

test.each<[string[], RegExp]>([
  [['call', 'a.b', '@nowhere.json'], /^wampy-ts call: cannot read nowhere\.json: ENOENT: no such file .*--help\)\n$/],
  [['publish', 'a.b', '@folder'], /^wampy-ts publish: cannot read folder: EISDIR: .*\n$/],
  [['call', 'a.b', '@'], /^wampy-ts call: "@" names no file: write @path .* @@name .*\n$/],
  [['call', 'a.b', '@huge.bin'], /^wampy-ts call: huge\.bin has more than 16777216 bytes, the most that is read.*\n$/],
  [['call', 'a.b', '@/dev/zero'], /^wampy-ts call: \/dev\/zero has more than 16777216 bytes.*\n$/],
  [['call', 'a.b', '--kwargs', '@text.txt'], /--kwargs must be a JSON object, .* got invalid JSON: x{80}\.\.\. \(/],
  [
    ['call', 'a.b', '--options', '[]'],
    /--options must be a JSON object, such as '\{"disclose_me":true\}', got a list /,
  ],
  [['call', 'a.b', '--options', '{"disclose_me":"yes"}'], /--options: disclose_me must be true or false, got "yes" /],
  [
    ['call', 'a.b', '--options', '{"disclos_me":true}'],
    /--options: CALL has no option "disclos_me": did you mean disclose_me\?/,
  ],
  [
    ['call', 'a.b', '--options', '{"progress":true}'],
    /--options: CALL has no option "progress", but receive_progress, timeout, /,
  ],
  [
    ['call', 'a.b', '--options', '{"timeout":5}', '--timeout', '7'],
    /--timeout and "timeout" in --options are the same option: give one of them/,
  ],
  [
    ['call', 'a.b', '--options', '{"receive_progress":true}', '--no-progress'],
    /--no-progress and "receive_progress" in --options are the same option/,
  ],
  [['call', 'a.b', '--progress', '--no-progress'], /--progress and --no-progress contradict each other/],
  [
    ['publish', 'a.b', '--options', '{"acknowledge":false}', '--verbose'],
    /"acknowledge":false in --options contradicts --verbose/,
  ],
  [['publish', 'a.b', '--options', '{"eligible":"joe"}'], /--options: eligible must be a list of ids, got "joe"/],
  [
    ['subscribe', 'a.b', '--options', '{"match":"prefix"}', '--match', 'exact'],
    /--match and "match" in --options are the same option/,
  ],
  [['subscribe', 'a.b', '--options', '{"match":"fuzzy"}'], /--options: match must be exact, prefix.*, got "fuzzy"/],
  [['subscribe', 'a.b', '--options', '{"retain":true}'], /--options: SUBSCRIBE has no option "retain"/],
])('%j is a wrong command line', async (args, expected) => {
  mkdirSync(here('folder'), { recursive: true })
  writeFileSync(here('huge.bin'), new Uint8Array(16 * 1024 * 1024 + 1))
  write('text.txt', 'x'.repeat(100_000))
  const { code, stdout, stderr } = await cli(...args).ended
  expect(stderr).toMatch(expected)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('standard input that does not end is read up to the limit', async () => {
  const { code, stderr } = await shell('yes | wampy-ts call a.b -').ended
  expect(stderr).toMatch(/^wampy-ts call: standard input has more than 16777216 bytes.*\n$/)
  expect(code).toBe(2)
})

test('--options of CALL reach the router', async () => {
  const { router, url, client } = await listening()
  const bob = await client()
  const details: object[] = []
  await bob.register('com.who', (_, __, given) => {
    details.push(given)
    return new Promise(() => {})
  })
  const options = '{"disclose_me":true,"timeout":50,"_tag":"seven"}'
  const { code, stderr } = await cli('call', 'com.who', '--options', options, '--url', url).ended
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^wamp\.error\.timeout: .*50 ms/) })
  expect(details).toEqual([expect.objectContaining({ caller: expect.any(Number), receive_progress: true })])
  expect(router.stats().sessions).toBe(1)
})

test('--options of CALL may ask for no progressive results, and come from a file', async () => {
  const { alice, at } = await opened()
  await alice.register('com.count', async function* () {
    yield 1
    return 2
  })
  write('options.json', '{"receive_progress":false}')
  expect((await cli('call', 'com.count', '--options', '@options.json', ...at).ended).stdout).toBe('2\n')
  expect((await cli('call', 'com.count', '--progress', ...at).ended).stdout).toBe('1\n2\n')
  const json = await cli('call', 'com.count', '--progress', '--json', ...at).ended
  expect(json.stdout.trimEnd().split('\n')).toEqual([
    '{"args":[1],"kwargs":{},"details":{"progress":true}}',
    '{"args":[2],"kwargs":{},"details":{}}',
  ])
})

test('--options of PUBLISH and SUBSCRIBE: a retained event for some roles, and no acknowledgement', async () => {
  const { alice, at } = await opened()
  const events: unknown[] = []
  await alice.subscribe('com.state', (args) => void events.push(args[0]))
  await cli('publish', 'com.state', '1', '--options', '{"eligible_authrole":["nobody"]}', ...at).ended
  const { id } = alice.session
  await cli('publish', 'com.state', '1.5', '--options', `{"eligible":${id},"exclude":[1,${id}]}`, ...at).ended
  const quiet = await cli('publish', 'com.state', '2', '--options', '{"acknowledge":false}', '--json', ...at).ended
  expect(quiet).toEqual({ code: 0, stdout: '{"publication":null}\n', stderr: '' })
  await cli('publish', 'com.state', '3', '--options', '{"retain":true}', ...at).ended
  await expect.poll(() => events).toEqual([2, 3])
  const late = await cli('subscribe', 'com.state', '--count', '1', '--options', '{"get_retained":true}', ...at).ended
  expect(late).toMatchObject({ code: 0, stdout: expect.stringContaining('"args":[3]') })
  const prefix = cli('subscribe', 'com', '--count', '1', '--options', '{"match":"prefix"}', ...at)
  await prefix.said(/subscribed/, 'stderr')
  await cli('publish', 'com.other', '4', ...at).ended
  expect((await prefix.ended).stdout).toContain('"topic":"com.other","args":[4]')
})
