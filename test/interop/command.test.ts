/** autobahn and wampy in all four roles through the command `wampy-ts router`, as built: a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FORMATS, join, LIBRARIES } from './peers.ts'
import { NESTED, UNICODE } from './samples.ts'

const COMMAND = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

let router: ChildProcess
let url: string
beforeAll(async () => {
  if (!existsSync(COMMAND)) throw new Error(`${COMMAND} is not there: run \`npm run build\` first`)
  router = spawn(process.execPath, [COMMAND, 'router', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  url = await new Promise((resolve, reject) => {
    let text = ''
    router.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const found = /^wampy-ts router listening on (ws:\S+)/m.exec(text)
      if (found) resolve(found[1] as string)
    })
    router.on('exit', (code) => reject(new Error(`wampy-ts router ended with code ${code}`)))
  })
})
afterAll(async () => {
  if (!router || router.exitCode !== null) return
  const gone = once(router, 'exit')
  router.kill('SIGTERM')
  expect(await gone).toEqual([0, null])
})

const pairs = FORMATS.flatMap((format) =>
  LIBRARIES.flatMap((one) => LIBRARIES.map((other) => [format, one, other] as const)),
)

describe.each(pairs)('%s: %s and %s', (format, one, other) => {
  test('call and publish', async () => {
    const [first, second] = [await join(one, url, format), await join(other, url, format)]
    const sent = { args: [...NESTED, UNICODE], kwargs: { unicode: UNICODE } }
    await second.register('com.echo', (data) => data)
    expect(await first.call('com.echo', sent.args, sent.kwargs)).toMatchObject(sent)
    const heard = new Promise((resolve) => {
      void second.subscribe('com.news', resolve).then(() => first.publish('com.news', sent.args, sent.kwargs))
    })
    expect(await heard).toEqual(sent)
    await Promise.all([first.leave(), second.leave()])
    expect([...first.complaints, ...second.complaints]).toEqual([])
  })
})

test('SIGTERM sends GOODBYE to each of them', async () => {
  const peers = await Promise.all(LIBRARIES.map((library) => join(library, url)))
  const gone = once(router, 'exit')
  router.kill('SIGTERM')
  const [ours, autobahn, wampy] = await Promise.all(peers.map((peer) => peer.ended))
  expect([ours, autobahn]).toEqual(['wamp.close.system_shutdown', 'wamp.close.system_shutdown'])
  // It does not report the reason.
  expect(wampy).toBeUndefined()
  expect(await gone).toEqual([0, null])
})
