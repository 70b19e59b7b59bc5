/** The demo of a custom method: a passkey, over HTTP, results in a cookie that opens the router. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { CDPSession, Page } from '@playwright/test'
import { WampClient, WampRouter } from 'wampy-ts'
import { clientAuth } from 'wampy-ts/auth'
import { dial } from 'wampy-ts/node'
import { expect, test } from './support.ts'

let server: ChildProcess
let origin: string

test.beforeAll(async () => {
  server = spawn(process.execPath, ['--import', 'tsx', 'demo/passkey/server.ts', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(server, 'exit').then(([code]) => Promise.reject(new Error(`the demo exited with ${code}`)))
  const [line] = await Promise.race([once(createInterface(server.stdout!), 'line'), exit])
  origin = new URL(String(line).slice(String(line).indexOf('http'))).origin
})

test.afterAll(() => void server?.kill('SIGKILL'))

/** An authenticator that verifies its user without a person. */
async function authenticator(page: Page): Promise<{ cdp: CDPSession; id: string }> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return { cdp, id: authenticatorId }
}

/** The signatures that the authenticator's only passkey has made. */
async function signatures({ cdp, id }: { cdp: CDPSession; id: string }): Promise<number> {
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: id })
  expect(credentials).toHaveLength(1)
  return credentials[0]!.signCount
}

const says = (page: Page, text: string | RegExp) => expect(page.getByRole('status')).toHaveText(text)

async function register(page: Page, name: string): Promise<void> {
  await page.goto(origin)
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Register a passkey' }).click()
}

const click = (page: Page, name: string) => page.getByRole('button', { name }).click()

/** Joins with the cookies of a page, as whoever has stolen them. */
async function joinWithCookies(page: Page): Promise<string | undefined> {
  const jar = await page.context().cookies()
  const cookie = jar.map(({ name, value }) => `${name}=${value}`).join('; ')
  const router = new WampRouter({ url: `${origin.replace('http', 'ws')}/ws`, dial: dial({ headers: { cookie } }) })
  const auth = [clientAuth({ method: 'passkey', begin: () => ({}) })]
  const client = new WampClient({ router, auth, reconnect: false })
  try {
    await client.start()
    return client.session.authid
  } finally {
    await client.stop()
  }
}

test('registers, logs out, logs in, and stays logged in without another signature', async ({ page }) => {
  const device = await authenticator(page)
  await register(page, 'Joe Doe')
  await says(page, 'Logged in as Joe Doe by passkey')
  const first = await signatures(device)
  expect(await page.evaluate(() => document.cookie), 'HttpOnly').toBe('')
  expect(await joinWithCookies(page)).toBe('Joe Doe')
  await page.reload()
  await says(page, 'Logged in as Joe Doe by passkey')
  expect(await signatures(device)).toBe(first)

  const stolen = await page.context().cookies()
  await click(page, 'Log out')
  await says(page, 'Logged out')
  await page.context().addCookies(stolen)
  await expect(joinWithCookies(page)).rejects.toMatchObject({ uri: 'wamp.error.authentication_failed' })
  await page.reload()
  await says(page, 'Logged out')

  await click(page, 'Log in')
  await says(page, 'Logged in as Joe Doe by passkey')
  expect(await signatures(device)).toBe(first + 1)
})

test('an unverified user, another name and a replayed or forged login are refused', async ({ page, console }) => {
  console.expect(/status of (400|403)/)
  const { cdp, id } = await authenticator(page)
  await register(page, 'ann')
  await says(page, 'Logged in as ann by passkey')
  await click(page, 'Log out')
  await says(page, 'Logged out')

  const [request] = await Promise.all([page.waitForRequest('**/passkey/login'), click(page, 'Log in')])
  await says(page, 'Logged in as ann by passkey')
  await click(page, 'Log out')
  await says(page, 'Logged out')
  /** Posts what the page has posted, or a change of it. */
  const post = async (data: object, from = origin) => {
    const options = { data: JSON.stringify(data), headers: { origin: from } }
    const answer = await page.request.post(`${origin}/passkey/login`, options)
    return `${answer.status()} ${((await answer.json()) as { error?: string }).error}`
  }
  const sent = request.postDataJSON()
  expect(await post(sent)).toBe('400 the challenge is unknown')
  expect(await post(sent, 'https://evil.example')).toBe('403 only for pages of this server')
  expect(await post({ id: 7 })).toBe('400 a credential has an id and a response')

  // The page's next login, with another signature.
  await page.route('**/passkey/login', async (route) => {
    const { response, ...rest } = route.request().postDataJSON()
    await route.continue({
      postData: JSON.stringify({ ...rest, response: { ...response, signature: sent.response.signature } }),
    })
  })
  await click(page, 'Log in')
  await says(page, /passkey failed: the signature is wrong/)
  await page.unroute('**/passkey/login')

  await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: false })
  await click(page, 'Log in')
  await says(page, /passkey failed: The operation/)

  await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: true })
  await register(page, 'ann')
  await says(page, 'the name is taken')
})
