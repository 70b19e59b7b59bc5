/** Our client logs in to Crossbar.io by each method that both have. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { json, WampClient, WampError, WampRouter } from 'wampy-ts'
import { anonymous, type ClientAuth, cryptosign, scram, ticket, wampcra } from 'wampy-ts/auth'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { type Crossbar, PRIVATE_KEY, startCrossbar } from './crossbar.ts'

let crossbar: Crossbar
beforeAll(async () => {
  crossbar = await startCrossbar()
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())

async function login(auth: readonly ClientAuth[], { path = '/auth', serializer = json } = {}): Promise<WampClient> {
  const router = new WampRouter({ url: `ws://${crossbar.host}:${crossbar.port}${path}` })
  const client = new WampClient({ router, auth, serializers: [serializer], reconnect: false })
  onTestFinished(() => client.stop())
  await client.start()
  return client
}

const crossbarScram = { dialect: 'crossbar' } as const

const logins: Readonly<
  Record<string, readonly [method: string, right: ClientAuth, wrong: ClientAuth | undefined, authid?: string]>
> = {
  ticket: ['ticket', ticket('joe', 'secret!!!'), ticket('joe', 'secret')],
  'WAMP-CRA': ['wampcra', wampcra('joe', 'secret1'), wampcra('joe', 'secret2')],
  'WAMP-CRA, salted': ['wampcra', wampcra('salted', 'secret2'), wampcra('salted', 'secret1'), 'salted'],
  'SCRAM by argon2id': ['scram', scram('joe', 'pencil', crossbarScram), scram('joe', 'pen', crossbarScram)],
  'SCRAM by pbkdf2': [
    'scram',
    scram('pbkdf2', 'pencil', crossbarScram),
    scram('pbkdf2', 'pen', crossbarScram),
    'pbkdf2',
  ],
  cryptosign: ['cryptosign', cryptosign({ key: PRIVATE_KEY }), cryptosign({ authid: 'joe', key: '00'.repeat(32) })],
  'cryptosign with an authid': ['cryptosign', cryptosign({ key: PRIVATE_KEY, authid: 'joe' }), undefined],
}

describe.each(Object.entries(logins))('%s', (_, [method, right, wrong, authid = 'joe']) => {
  test('joins, in every serializer', async () => {
    for (const serializer of [json, cbor, msgpack]) {
      const client = await login([right], { serializer })
      expect(client.session).toMatchObject({ authid, authrole: 'user', authmethod: method, authprovider: 'static' })
      expect(await client.call('wamp.session.count')).toBeGreaterThan(0)
      await client.stop()
    }
  })

  if (!wrong) return
  test('a wrong secret is refused for good', async () => {
    const error = await login([wrong]).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(WampError)
    expect((error as WampError).uri).toMatch(
      /^wamp\.error\.(authentication_failed|authentication_denied|not_authorized|no_such_principal)$/,
    )
  })
})

test('the first method that Crossbar.io has is taken', async () => {
  // Not `wamp-scram`: Crossbar.io refuses a HELLO that names a method that it does not know.
  const client = await login([wampcra('joe', 'secret1'), anonymous()])
  expect(client.session.authmethod).toBe('wampcra')
  expect((await login([anonymous()])).session.authmethod).toBe('anonymous')
})

test('an authenticator of ours decides about tickets for Crossbar.io', async () => {
  const backend = await login([ticket('joe', 'secret!!!')])
  const asked: unknown[] = []
  await backend.register('com.example.authenticate', ([realm, authid, details]) => {
    asked.push([realm, authid])
    if ((details as { ticket: string }).ticket === 'right') return { realm, role: 'user', authid }
    throw new WampError('com.example.denied', ['no'])
  })
  const client = await login([ticket('jim', 'right')], { path: '/dynamic' })
  expect(client.session).toMatchObject({ authid: 'jim', authprovider: 'dynamic' })
  await expect(login([ticket('jim', 'wrong')], { path: '/dynamic' })).rejects.toBeInstanceOf(WampError)
  expect(asked[0]).toEqual(['realm1', 'jim'])
})
