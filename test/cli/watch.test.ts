/** `wampy-ts run --watch`: edits reach the callers, mistakes do not, and nothing stays behind. */

import { renameSync } from 'node:fs'
import { expect, test } from 'vitest'
import { until } from '../client/support.ts'
import { cli, cliWith, here, listening, type Running, write } from './support.ts'

const service = (answer: string, before = ''): string => `import { WampClient } from 'wampy-ts'
${before}
console.error('process', process.pid)
export class Watched extends WampClient {
  static rpc = ['answer']
  answer() { return ${answer} }
}`

/** The command, a caller of `answer`, and the process of the first version. */
async function watched(file: string, text: string) {
  const at = await listening()
  write(file, text)
  const command = cli('run', `./${file}`, '--watch', '--url', at.url)
  await command.said(/registered answer/)
  const caller = await at.client()
  // While a version takes the place of another there is no procedure.
  const answer = () => expect.poll(() => caller.call('answer').catch(String), { timeout: 15_000 })
  return { ...at, command, answer, pid: pidOf(command) }
}

const pidOf = ({ stderr }: Running): number => Number(/process (\d+)\n(?![\s\S]*process)/.exec(stderr)?.[1])

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('an edit of the module, or of a file that it imports, reaches the callers', async () => {
  write('part.mjs', 'export const part = 1')
  const { command, answer, pid, router } = await watched(
    'whole.mjs',
    service('part', `import { part } from './part.mjs'`),
  )
  await answer().toBe(1)
  write('part.mjs', 'export const part = 2')
  await answer().toBe(2)
  write('whole.mjs', service('part + 40', `import { part } from './part.mjs'`))
  await answer().toBe(42)
  // As many editors save.
  write('new-part.mjs', 'export const part = 3')
  renameSync(here('new-part.mjs'), here('part.mjs'))
  await answer().toBe(43)
  expect(isAlive(pid)).toBe(false)
  expect(router.stats().registrations).toBe(1)

  const last = pidOf(command)
  expect(await command.kill('SIGTERM').ended).toMatchObject({ code: 0 })
  expect(isAlive(last)).toBe(false)
  await until(() => router.stats().sessions === 1)
  expect(router.stats().registrations).toBe(0)
})

test('a version that cannot be loaded is reported, and the last one goes on', async () => {
  const { command, answer, pid } = await watched('mistaken.mjs', service('1'))
  write('mistaken.mjs', service('2 +'))
  await command.said(
    /mistaken\.mjs[\s\S]*the service was not started; the last version goes on; waiting for a change/,
    'stderr',
  )
  await answer().toBe(1)
  expect(isAlive(pid)).toBe(true)
  write('mistaken.mjs', service('2'))
  await answer().toBe(2)
  expect(await command.kill('SIGINT').ended).toMatchObject({ code: 0 })
})

test('a first version that cannot be loaded, and one that ends, wait for a change', async () => {
  const { url, client } = await listening()
  const caller = await client()
  write('late.mjs', service('1 +'))
  const command = cli('run', './late.mjs:Watched', '--watch', '--url', url)
  await command.said(/the service was not started; waiting for a change of .*late\.mjs/, 'stderr')
  write('late.mjs', service('process.exit(7)'))
  await command.said(/registered answer/)
  await expect(caller.call('answer')).rejects.toMatchObject({ uri: expect.any(String) })
  await command.said(/the service has ended; waiting for a change/, 'stderr')
  write('late.mjs', service('7'))
  await expect.poll(() => caller.call('answer').catch(String), { timeout: 15_000 }).toBe(7)
  expect(await command.kill('SIGTERM').ended).toMatchObject({ code: 0 })
})

test('a call in progress is answered by the version that received it', async () => {
  const { command, answer, router, client } = await watched(
    'slow.mjs',
    service('new Promise((resolve) => process.once("disconnect", () => setTimeout(resolve, 300, "first")))'),
  )
  const caller = await client()
  const slow = caller.call('answer')
  await until(() => router.stats().calls > 0)
  write('slow.mjs', service('"second"'))
  expect(await slow).toBe('first')
  await answer().toBe('second')
  expect(await command.kill('SIGTERM').ended).toMatchObject({ code: 0 })
})

test('no version outlives a command that is killed', async () => {
  const { command, pid, router } = await watched('left.mjs', service('1'))
  await command.kill('SIGKILL').ended
  await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false)
  await until(() => router.stats().registrations === 0)
})

test('a module in TypeScript is watched with its loader', async () => {
  const { url, client } = await listening()
  const caller = await client()
  const source = (answer: number) => `import { rpc, WampClient } from 'wampy-ts'
    export class Typed extends WampClient { @rpc answer(): number { return ${answer} } }`
  write('typed.ts', source(1))
  const command = cliWith({ node: ['--import', 'tsx'] }, 'run', './typed.ts', '--watch', '--url', url)
  await command.said(/registered answer/)
  write('typed.ts', source(2))
  await expect.poll(() => caller.call('answer').catch(String), { timeout: 15_000 }).toBe(2)
  expect(await command.kill('SIGTERM').ended).toMatchObject({ code: 0 })
})

test('a module that does not exist is an error', async () => {
  const ended = await cli('run', './nowhere.mjs', '--watch').ended
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no module ./nowhere.mjs') })
})
