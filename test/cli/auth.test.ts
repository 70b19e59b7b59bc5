/** Logging in from the shell: every method, secrets from a file or the environment, key pairs and derived secrets. */

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import {
  cryptosignAuth,
  type ScramPrincipal,
  scramAuth,
  scramSecret,
  ticketAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import { serve } from 'wampy-ts/node'
import { Router, type RouterOptions } from 'wampy-ts/router'
import { cli, cliWith, here, type Running, terminal } from './support.ts'

async function routerWith(auth: RouterOptions['auth']): Promise<string> {
  const router = new Router({ auth })
  const served = await serve(router, { port: 0 })
  onTestFinished(async () => {
    await router.close()
    await served.close()
  })
  return served.url
}

function typed(command: Running, text: string): Running {
  command.child.stdin?.end(text)
  return command
}

const count = ['call', 'wamp.session.count']

test('keygen writes a private key for its owner alone, never over another, and prints the public key', async () => {
  const { code, stdout, stderr } = await cli('keygen', 'joe.key').ended
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/)
  expect(readFileSync(here('joe.key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
  expect(statSync(here('joe.key')).mode & 0o777).toBe(0o600)
  const again = await cli('keygen', 'joe.key').ended
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^wampy-ts keygen: cannot write joe\.key: EEXIST/),
  })

  const url = await routerWith([cryptosignAuth({ joe: { authorized_keys: [stdout.trim()] } })])
  const called = await cli(...count, '--url', url, '--auth', 'cryptosign', '--secret-file', 'joe.key').ended
  expect(called).toEqual({ code: 0, stdout: '1\n', stderr: '' })
})

test.each(['wamp-scram', 'wampcra'])('secret derives the record that a router stores for %s', async (method) => {
  const { code, stdout } = await typed(cli('secret', '--method', method), 'pencil\n').ended
  expect(code).toBe(0)
  const secret = JSON.parse(stdout) as ScramPrincipal & { secret: string }
  const auth = method === 'wampcra' ? wampcraAuth({ joe: secret }) : scramAuth({ joe: secret })
  const url = await routerWith([auth])
  writeFileSync(here('password'), 'pencil\n')
  const args = [...count, '--url', url, '--auth', method, '--authid', 'joe', '--secret-file', 'password']
  expect(await cli(...args).ended).toMatchObject({ code: 0, stdout: '1\n' })
})

test('the environment may name everything; a wrong secret is one line that does not show it', async () => {
  const url = await routerWith([
    ticketAuth({ joe: { ticket: 'swordfish' } }),
    scramAuth({ joe: await scramSecret('pencil', { iterations: 4096 }) }),
  ])
  const env = { WAMPY_URL: url, WAMPY_AUTH: 'ticket', WAMPY_AUTHID: 'joe', WAMPY_SECRET: 'swordfish' }
  expect(await cliWith({ env }, ...count).ended).toMatchObject({ code: 0, stdout: '1\n' })
  const wrong = await cliWith({ env: { ...env, WAMPY_SECRET: 'sardine' } }, ...count).ended
  expect(wrong).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('wamp.error.authentication_failed'),
  })
  expect(wrong.stderr).not.toContain('sardine')
})

test.each([
  [['--auth', 'magic'], /--auth must be ticket, wampcra, wamp-scram, scram, cryptosign, got "magic"/],
  [['--auth', 'ticket'], /the secret is missing/],
  [['--auth', 'ticket', '--secret-file', 'nowhere'], /cannot read nowhere: ENOENT/],
  [['--authid', 'joe'], /name the method too: --auth/],
])('%j is a wrong command line', async (args, expected) => {
  expect(await cli(...count, ...args).ended).toMatchObject({ code: 2, stderr: expect.stringMatching(expected) })
})

test('secret does not show a password that is typed in a terminal', async () => {
  const secret = terminal({}, 'secret', '--method', 'wampcra', '--iterations', '10')
  await secret.said(/Password: /)
  secret.child.stdin?.write('penx\u007fcil\r')
  const { stdout } = await secret.ended
  expect(stdout).not.toMatch(/pen|cil/)
  expect(stdout).toMatch(/"secret":".{44}"/)
})
