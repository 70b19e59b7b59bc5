/** `wampy-ts top`: a live table on a terminal, pictures for a pipe, and a terminal as it was. */

import { expect, onTestFinished, test } from 'vitest'
import { WampClient } from '../../src/client/wamp-client.ts'
import { until } from '../client/support.ts'
import { cli, type Listening, listening, type Running, terminal } from './support.ts'

/** A realm with sessions over WebSocket, and one procedure and one topic. */
async function world(sessions = 2): Promise<Listening & { members: WampClient[] }> {
  const at = await listening()
  const join = async (): Promise<WampClient> => {
    const client = new WampClient({ router: at.url, reconnect: false })
    client.on('error', () => {})
    await client.start()
    onTestFinished(() => client.stop())
    return client
  }
  const members = await Promise.all(Array.from({ length: sessions }, join))
  await members[0]?.register('com.example.shop', () => 1, { invoke: 'roundrobin' })
  await members[1]?.register('com.example.shop', () => 2, { invoke: 'roundrobin' })
  await members[0]?.subscribe('com.example.', () => {}, { match: 'prefix' })
  return { ...at, members }
}

/** The lines of the last picture. */
const screen = ({ stdout }: Running): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: of the terminal
  (stdout.split('\u001b[H').at(-1) ?? '').replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')

const shows = (top: Running, pattern: RegExp) => expect.poll(() => screen(top), { timeout: 10_000 }).toMatch(pattern)

test('a terminal shows sessions, procedures and topics, and what changes', async () => {
  const { url, members, router } = await world()
  const top = terminal({}, 'top', '--interval', '50', '--url', url)
  await shows(top, /^realm1 at ws:.* {2}ready {2}.*joins\/s[\s\S]*\[Sessions 2\][\s\S]*SESSION[\s\S]*anonymous/)
  for (const { session } of members) expect(screen(top)).toContain(String(session.id))

  top.child.stdin?.write('\t')
  await shows(top, /\[Procedures 1\][\s\S]*2 {2}com\.example\.shop +exact roundrobin/)
  await members[1]?.stop()
  await shows(top, /Sessions 1 [\s\S]* 1 {2}com\.example\.shop/)
  await members[0]?.register('com.example.till', () => 1)
  await shows(top, /\[Procedures 2\][\s\S]*com\.example\.till/)

  top.child.stdin?.write('\t')
  await shows(top, /\[Topics 2\][\s\S]*1 {2}com\.example\. +prefix/)
  top.child.stdin?.write('q')
  expect(await top.ended).toMatchObject({ code: 0 })
  // The screen as it was, and the cursor.
  expect(top.stdout).toContain('\u001b[?1049h\u001b[?25l')
  expect(top.stdout.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
  await until(() => router.stats().sessions === 1)
})

test('keys scroll through more rows than the screen has', async () => {
  const { url } = await world(40)
  const top = terminal({}, 'top', '--interval', '50', '--url', url)
  await shows(top, /1 to 20 of 40/)
  top.child.stdin?.write('\u001b[B')
  await shows(top, /2 to 21 of 40/)
  top.child.stdin?.write('\u001b[6~\u001b[6~')
  await shows(top, /21 to 40 of 40/)
  top.child.stdin?.write('\u001b[5~\u001b[A')
  await shows(top, / 1 to 20 of 40|^1 to 20 of 40/m)
  top.child.stdin?.write('\u0003')
  expect(await top.ended).toMatchObject({ code: 0 })
})

test('the screen shows a loss, and the realm after it', async () => {
  const { url, port, router, close } = await world()
  const top = terminal({}, 'top', '--interval', '50', '--url', url)
  await shows(top, /ready[\s\S]*\[Sessions 2\]/)
  await close()
  await shows(top, /reconnecting/)
  const { serve } = await import('wampy-ts/node')
  const again = await serve(router, { port })
  onTestFinished(() => again.close())
  await shows(top, / ready [\s\S]*\[Sessions 0\]/)
  top.child.kill('SIGTERM')
  await top.ended
})

test('a pipe receives one picture as text, and lines of JSON with --json', async () => {
  const { url, members } = await world()
  const once = await cli('top', '--url', url).ended
  expect(once).toMatchObject({ code: 0, stderr: '' })
  expect(once.stdout).toMatch(
    /^ +SESSION[\s\S]*\n\nCALLEES[\s\S]*2 {2}com\.example\.shop[\s\S]*\n\nSUBSCRIBERS[\s\S]*com\.example\./,
  )
  const lines = await cli('top', '--json', '--interval', '50', '--count', '2', '--url', url).ended
  const pictures = lines.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(pictures).toHaveLength(2)
  expect(pictures[1]).toMatchObject({
    sessions: members.map(({ session }) => ({ session: session.id })),
    procedures: [{ uri: 'com.example.shop', members: 2 }],
    topics: expect.arrayContaining([expect.objectContaining({ uri: 'com.example.', match: 'prefix', members: 1 })]),
  })
})

test('an endless run ends by a signal with what it has printed', async () => {
  const { url } = await world()
  const endless = cli('top', '--json', '--interval', '50', '--url', url)
  await endless.said(/\n[\s\S]*\n/)
  expect(await endless.kill('SIGINT').ended).toMatchObject({ code: 0, stderr: '' })
})

test('a realm of 3,000 records is completed in pages', async () => {
  const { url, members } = await world()
  for (let n = 0; n < 3000; n++) void members[0]?.register(`com.many.p${n}`, () => n)
  await members[0]?.register('com.many.last', () => 1)
  const { stdout } = await cli('top', '--json', '--count', '1', '--url', url).ended
  expect(JSON.parse(stdout).procedures).toHaveLength(3002)
  expect(JSON.parse(stdout).procedures.every(({ uri }: { uri: unknown }) => typeof uri === 'string')).toBe(true)
})

test('wrong options, and a router without a session for it, are errors', async () => {
  expect(await cli('top', '--interval', '1').ended).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--interval must be a whole number, 50 to 3600000, got "1"'),
  })
  const at = await listening(0, ['realm1'], { authorize: ({ uri }) => !uri.startsWith('wamp.') })
  const refused = await cli('top', '--url', at.url).ended
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('wamp.error.not_authorized') })
})
