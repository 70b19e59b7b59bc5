/** The page of the documentation about Crossbar.io: its configuration, its program, and the messages of the troubleshooting. */

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, WampClient } from 'wampy-ts'
import { type ClientAuth, scram, ticket } from 'wampy-ts/auth'
import { project } from '../docs/project.ts'
import { type Crossbar, startCrossbar } from './crossbar.ts'

const run = promisify(execFile)
const docs = fileURLToPath(new URL('../../docs/', import.meta.url))

let crossbar: Crossbar
beforeAll(async () => {
  const text = readFileSync(join(docs, 'snippets/crossbar/config.json'), 'utf8')
  crossbar = await startCrossbar(({ port }) => JSON.parse(text.replaceAll('8080', String(port))))
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())

async function joined(options: ClientOptions = {}): Promise<WampClient> {
  const client = new WampClient({ reconnect: false, router: crossbar.url, ...options })
  onTestFinished(() => client.stop())
  await client.start()
  return client
}

test('client.ts runs with config.json', async () => {
  const here = await project({ port: crossbar.port })
  onTestFinished(here.remove)
  const args = ['--import', 'tsx', join(here.folder, 'crossbar', 'client.ts')]
  const { stdout, stderr } = await run(process.execPath, args, { cwd: here.folder, timeout: 60_000 })
  expect(stderr).toBe('')
  expect(stdout).toBe('joe user\n3\nwamp.error.not_authorized\n')
}, 60_000)

const by = (...auth: ClientAuth[]) => joined({ auth })

/** What produces each message. */
const mistakes: Readonly<Record<string, () => Promise<unknown>>> = {
  'no realm "realm2" exists on this router': () => joined({ realm: 'realm2' }),
  'session (session_id=..., authid="...", authrole="anonymous") is not authorized to call procedure "..." on realm "realm1"':
    async () => (await joined()).call('wamp.session.count'),
  "session not authorized to publish to topic '...'": async () =>
    (await joined()).publish('org.news', [], {}, { acknowledge: true }),
  "cannot authenticate [2] using any of the offered authmethods ['scram']": () =>
    by(scram('joe', 'pencil', { dialect: 'crossbar' })),
  'invalid authmethod "wamp-scram"': () => by(scram('joe', 'pencil')),
  'no principal with authid "jim" exists': () => by(ticket('jim', 'tea')),
  'ticket in static WAMP-Ticket authentication is invalid': () => by(ticket('joe', 'coffee')),
  "register for already registered procedure 'com.example.price'": async () => {
    await (await joined()).register('com.example.price', () => 3)
    await (await joined()).register('com.example.price', () => 4)
  },
}

const chapter = readFileSync(join(docs, 'troubleshooting.md'), 'utf8').split(/^## Crossbar\.io$/m)[1] ?? ''

test('each message of the chapter is produced here', () => {
  const headings = [...chapter.matchAll(/^### `(.*)`$/gm)].map(([, text = '']) => text)
  expect(headings.filter((text) => !(text in mistakes))).toEqual([])
  expect(Object.keys(mistakes).filter((text) => !chapter.includes(text))).toEqual([])
})

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

test.each(Object.entries(mistakes))('%s', async (message, mistake) => {
  const error = await mistake().then(
    () => 'it succeeded',
    (error: Error) => error.message,
  )
  expect(error).toMatch(new RegExp(`^${message.split('...').map(escaped).join('.*')}$`))
})
