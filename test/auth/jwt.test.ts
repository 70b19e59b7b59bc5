/** JSON Web Tokens as tickets: what a valid one must have, whom it makes a session, and when that ends. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import type { WampError } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'
import { type JwtOptions, jwtAuth } from 'wampy-ts/auth/router'
import { clientWith, login, refusal, served } from './support.ts'

const issuer = 'https://issuer.example'
const audience = 'wamp'
const { publicKey, privateKey } = await generateKeyPair('ES256')
const others = await generateKeyPair('ES256')

function token(
  claims: JWTPayload = {},
  { key = privateKey, alg = 'ES256', expires = '1h', kid = 'k1' } = {},
): Promise<string> {
  return new SignJWT({ iss: issuer, aud: audience, sub: 'joe', ...claims })
    .setProtectedHeader({ alg, kid })
    .setExpirationTime(expires)
    .sign(key)
}

const router = (options: Partial<JwtOptions> = {}) =>
  served({ auth: [jwtAuth({ issuer, audience, key: publicKey, ...options })], loginLimits: false })

test('a valid token joins as its subject, or as the principal that its claims stand for', async () => {
  const server = await router()
  expect(await login(server, [ticket('joe', () => token())])).toMatchObject({
    authid: 'joe',
    authrole: 'user',
    authmethod: 'ticket',
    authprovider: 'jwt',
  })
  const mapped = await router({ principal: ({ role }) => ({ authid: 'joseph', role: String(role) }) })
  expect(await login(mapped, [ticket('joseph', () => token({ role: 'admin' }))])).toMatchObject({ authrole: 'admin' })
})

test.each<[string, () => Promise<string>, string?]>([
  ['of another issuer', () => token({ iss: 'https://evil.example' })],
  ['for another audience', () => token({ aud: 'mail' })],
  ['that has expired', () => token({}, { expires: '-1h' })],
  ['by another key', () => token({}, { key: others.privateKey })],
  ['of another subject', () => token({ sub: 'jim' })],
  ['without a signature', async () => `${btoa('{"alg":"none"}')}.${(await token()).split('.')[1]}.`],
  ['that is none', async () => 'swordfish'],
])('a token %s is refused, and is not repeated', async (_, secret) => {
  const text = await secret()
  const error = await refusal(await router(), [ticket('joe', text)])
  expect(error).toMatchObject({
    uri: 'wamp.error.authentication_failed',
    message: 'the credentials are not valid here',
  })
})

test('a principal may refuse valid claims', async () => {
  const server = await router({ principal: () => undefined })
  expect(await refusal(server, [ticket('joe', await token())])).toMatchObject({
    uri: 'wamp.error.authentication_failed',
  })
})

test('keys may come from the address of the issuer', async () => {
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] }
  const http = createServer((_, response) => response.end(JSON.stringify(keys))).listen(0, '127.0.0.1')
  onTestFinished(() => void http.close())
  await new Promise((resolve) => http.once('listening', resolve))
  const jwksUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}/jwks.json`
  const server = await served({ auth: [jwtAuth({ issuer, audience, jwksUrl })] })
  expect(await login(server, [ticket('joe', await token())])).toMatchObject({ authid: 'joe' })
  expect(await refusal(server, [ticket('joe', await token({}, { kid: 'k2' }))])).toMatchObject({
    uri: 'wamp.error.authentication_failed',
  })
})

test('the end of a token ends the session, and its client joins again with a fresh one', async () => {
  const { url } = await router()
  let logins = 0
  const fresh = () => token({}, { expires: logins++ === 0 ? '2s' : '1h' })
  const client = clientWith([ticket('joe', fresh)], { router: url, reconnect: () => 1 })
  await client.start()
  const first = client.session.id
  const [cause] = await new Promise<WampError[]>((resolve) => client.once('lost', (...args) => resolve(args)))
  expect(cause).toMatchObject({ uri: 'wampy.close.credentials_expired' })
  await expect.poll(() => client.state).toBe('ready')
  expect(client.session.id).not.toBe(first)
})

test.each([
  {},
  { issuer, audience },
  { issuer, key: publicKey },
  { issuer, audience, key: publicKey, jwksUrl: 'https://a.b' },
])('incomplete options are a usage error: case %#', (options) => {
  expect(() => jwtAuth(options as never)).toThrow(expect.objectContaining({ uri: 'wampy.error.usage' }))
})
