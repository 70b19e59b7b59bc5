/** Principals in a file: every login follows its present content. */

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { cryptosign, scram, ticket } from 'wampy-ts/auth'
import { cryptosignAuth, generateKey, scramAuth, scramSecret, ticketAuth } from 'wampy-ts/auth/router'
import { principalsFile } from 'wampy-ts/node'
import { login, refusal, served } from './support.ts'

const DENIED = { uri: 'wamp.error.authentication_failed', message: 'the credentials are not valid here' }

/** A new file, and what replaces its content at once. */
async function usersFile(content: unknown) {
  const folder = await mkdtemp(join(tmpdir(), 'wampy-ts-users-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'users.json')
  const replace = async (next: unknown) => {
    await writeFile(`${path}.new`, typeof next === 'string' ? next : JSON.stringify(next))
    await rename(`${path}.new`, path)
  }
  await replace(content)
  return { path, replace }
}

describe('a login follows the file', () => {
  test('when a principal comes, changes its secret and role, and goes; sessions that have joined stay', async () => {
    const { path, replace } = await usersFile({ joe: { ticket: 'pencil', role: 'clerk' } })
    const server = await served({ auth: [ticketAuth(principalsFile(path))], loginLimits: false })
    expect(await login(server, [ticket('joe', 'pencil')])).toMatchObject({ authrole: 'clerk', authprovider: 'static' })
    expect(await refusal(server, [ticket('ann', 'brush')])).toMatchObject(DENIED)

    await replace({ joe: { ticket: 'crayon', role: 'manager' }, ann: { ticket: 'brush' } })
    expect(await login(server, [ticket('ann', 'brush')])).toMatchObject({ authid: 'ann', authrole: 'user' })
    expect(await refusal(server, [ticket('joe', 'pencil')])).toMatchObject(DENIED)
    expect(await login(server, [ticket('joe', 'crayon')])).toMatchObject({ authrole: 'manager' })

    await replace({ ann: { ticket: 'brush' } })
    expect(await refusal(server, [ticket('joe', 'crayon')])).toMatchObject(DENIED)
    expect(server.router.stats().sessions).toBe(3)
  })

  test('of scram and of cryptosign, which is found by its key', async () => {
    const [one, other] = [await generateKey(), await generateKey()]
    const keys = await usersFile({ joe: { authorized_keys: [one.publicKey] } })
    const passwords = await usersFile({ joe: await scramSecret('pencil', { iterations: 4096 }) })
    const auth = [cryptosignAuth(principalsFile(keys.path)), scramAuth(principalsFile(pathToFileURL(passwords.path)))]
    const server = await served({ auth, loginLimits: false })
    expect(await login(server, [cryptosign({ key: one.privateKey })])).toMatchObject({ authid: 'joe' })
    expect(await login(server, [scram('joe', 'pencil')])).toMatchObject({ authid: 'joe' })

    await keys.replace({ ann: { authorized_keys: [one.publicKey] }, joe: { authorized_keys: [other.publicKey] } })
    await passwords.replace({ joe: await scramSecret('crayon', { iterations: 4096 }) })
    expect(await login(server, [cryptosign({ key: one.privateKey })])).toMatchObject({ authid: 'ann' })
    expect(await login(server, [cryptosign({ key: other.privateKey })])).toMatchObject({ authid: 'joe' })
    expect(await refusal(server, [scram('joe', 'pencil')])).toMatchObject(DENIED)
    expect(await login(server, [scram('joe', 'crayon')])).toMatchObject({ authid: 'joe' })
  })
})

describe('a file that cannot be read', () => {
  test.each<[string, (file: Awaited<ReturnType<typeof usersFile>>) => Promise<unknown>, string]>([
    ['because it is not JSON', ({ replace }) => replace('{\n"joe": {\n"ticket": secret'), 'it is not valid JSON'],
    ['because it is a list', ({ replace }) => replace('["secret"]'), 'it must be a dictionary by authid'],
    ['because it has been removed', ({ path }) => rm(path), 'ENOENT'],
  ])('%s, is reported once, without its content; the principals stay', async (_name, spoil, reason) => {
    const file = await usersFile({ joe: { ticket: 'pencil' } })
    const onError = vi.fn()
    const server = await served({ auth: [ticketAuth(principalsFile(file.path, { onError }))], loginLimits: false })
    await spoil(file)
    for (let attempt = 0; attempt < 3; attempt++) await login(server, [ticket('joe', 'pencil')])
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ uri: 'wampy.error.usage' }))
    const [[{ message }]] = onError.mock.calls as [[Error]]
    expect(message).toContain(`the principals in ${file.path} cannot be read: ${reason}`)
    expect(message).not.toContain('secret')

    await file.replace({ joe: { ticket: 'crayon' } })
    await login(server, [ticket('joe', 'crayon')])
    expect(onError).toHaveBeenCalledOnce()
  })

  test('is reported on the console by default', async () => {
    const file = await usersFile({ joe: { ticket: 'pencil' } })
    const principals = principalsFile(file.path)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    await file.replace('nonsense')
    expect(principals.table()).toEqual({ joe: { ticket: 'pencil' } })
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('it is not valid JSON'))
  })

  test.each([
    ['{"joe": 7}', 'the principal "joe" must be a dictionary'],
    ['{"joe": {}', 'it is not valid JSON'],
    ['null', 'it must be a dictionary by authid, such as {"joe": {"role": "user"}}'],
  ])('is a usage error at the beginning: %s', async (content, reason) => {
    const { path } = await usersFile(content)
    expect(() => principalsFile(path)).toThrow(
      expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringContaining(reason) }),
    )
  })

  test('is a usage error if there is none, or for an unknown option', async () => {
    expect(() => principalsFile('/nowhere/users.json')).toThrow(
      'the principals in /nowhere/users.json cannot be read: ENOENT',
    )
    const { path } = await usersFile({})
    expect(() => principalsFile(path, { onerror: () => {} } as never)).toThrow('did you mean onError?')
  })
})

test('a name of every object is no principal of a file', async () => {
  const { path } = await usersFile({ joe: { ticket: 'pencil' } })
  const server = await served({ auth: [ticketAuth(principalsFile(path))], loginLimits: false })
  for (const name of ['constructor', '__proto__', 'toString']) {
    expect(await refusal(server, [ticket(name, 'undefined')])).toMatchObject(DENIED)
  }
})
