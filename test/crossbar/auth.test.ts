/** Our client logs in to Crossbar.io by each method that both have. */

import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { json, WampClient, WampError, WampRouter } from 'wampy-ts'
import { anonymous, type ClientAuth, cookie, cryptosign, scram, ticket, tls, wampcra } from 'wampy-ts/auth'
import {
  type AuthMethod,
  cryptosignAuth,
  fromProcedure,
  type ProcedureLookup,
  scramAuth,
  scramSecret,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import { cbor } from 'wampy-ts/cbor'
import { msgpack } from 'wampy-ts/msgpack'
import { type DialOptions, dial } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import WebSocket from 'ws'
import { cert, key, strangers } from '../node/certificate.ts'
import { type Crossbar, PRIVATE_KEY, PUBLIC_KEY, startCrossbar } from './crossbar.ts'

let crossbar: Crossbar
beforeAll(async () => {
  crossbar = await startCrossbar()
})
afterAll(() => crossbar?.[Symbol.asyncDispose]())

interface Place {
  readonly path?: string
  readonly serializer?: typeof json
  /** A port with TLS. */
  readonly tls?: 'secure' | 'certified'
  readonly options?: DialOptions
  readonly reconnect?: boolean
}

async function login(
  auth: readonly ClientAuth[],
  { path = '/auth', serializer = json, tls, options = {}, reconnect = true }: Place = {},
): Promise<WampClient> {
  const url = tls
    ? `wss://${crossbar.host}:${crossbar[tls].port}${path}`
    : `ws://${crossbar.host}:${crossbar.port}${path}`
  const router = new WampRouter({ url, dial: dial({ ca: cert, ...options }) })
  const client = new WampClient({ router, auth, serializers: [serializer], reconnect })
  onTestFinished(() => client.stop())
  await client.start()
  return client
}

/** The error of a login that is refused for good: the client does not try again. */
async function refusal(...args: Parameters<typeof login>): Promise<WampError> {
  const error: unknown = await login(...args).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(WampError)
  return error as WampError
}

const crossbarDialect = { dialect: 'crossbar' } as const
const OTHER_KEY = '00'.repeat(32)
const bound = (key: string) => cryptosign({ key, authid: 'joe', channelBinding: 'tls-unique', dialect: 'crossbar' })

interface Login {
  readonly method: string
  readonly right: ClientAuth
  readonly wrong?: ClientAuth
  readonly authid?: string
  readonly place?: Place
  /** Of the connection that carries the wrong secret. */
  readonly wrongly?: DialOptions
}

const logins: Readonly<Record<string, Login>> = {
  ticket: { method: 'ticket', right: ticket('joe', 'secret!!!'), wrong: ticket('joe', 'secret') },
  'WAMP-CRA': { method: 'wampcra', right: wampcra('joe', 'secret1'), wrong: wampcra('joe', 'secret2') },
  'WAMP-CRA, salted': {
    method: 'wampcra',
    right: wampcra('salted', 'secret2'),
    wrong: wampcra('salted', 'secret1'),
    authid: 'salted',
  },
  'SCRAM by argon2id': {
    method: 'scram',
    right: scram('joe', 'pencil', crossbarDialect),
    wrong: scram('joe', 'pen', crossbarDialect),
  },
  'SCRAM by pbkdf2': {
    method: 'scram',
    right: scram('pbkdf2', 'pencil', crossbarDialect),
    wrong: scram('pbkdf2', 'pen', crossbarDialect),
    authid: 'pbkdf2',
  },
  cryptosign: {
    method: 'cryptosign',
    right: cryptosign({ key: PRIVATE_KEY }),
    wrong: cryptosign({ authid: 'joe', key: OTHER_KEY }),
  },
  'cryptosign with an authid': { method: 'cryptosign', right: cryptosign({ key: PRIVATE_KEY, authid: 'joe' }) },
  'cryptosign, bound by tls-unique': {
    method: 'cryptosign',
    right: bound(PRIVATE_KEY),
    wrong: bound(OTHER_KEY),
    place: { tls: 'secure' },
  },
  'a TLS client certificate': {
    method: 'tls',
    right: tls(),
    wrong: tls(),
    place: { tls: 'certified', options: { cert, key } },
    wrongly: strangers,
  },
}

describe.each(Object.entries(logins))('%s', (_, { method, right, wrong, authid = 'joe', place, wrongly }) => {
  test('joins, in every serializer', async () => {
    for (const serializer of [json, cbor, msgpack]) {
      const client = await login([right], { ...place, serializer })
      expect(client.session).toMatchObject({ authid, authrole: 'user', authmethod: method, authprovider: 'static' })
      expect(await client.call('wamp.session.count')).toBeGreaterThan(0)
      await client.stop()
    }
  })

  if (!wrong) return
  test('a wrong secret is refused for good', async () => {
    const error = await refusal([wrong], { ...place, options: { ...place?.options, ...wrongly } })
    expect(error.uri).toBe('wamp.error.not_authorized')
  })
})

describe('channel binding', () => {
  test('Crossbar.io binds to this connection: the signature for another one is refused', async () => {
    const honest = bound(PRIVATE_KEY)
    const relayed: ClientAuth = {
      ...honest,
      begin: (context) => honest.begin({ ...context, channelBinding: () => new Uint8Array(32).fill(7) }),
    }
    expect(await refusal([relayed], { tls: 'secure' })).toMatchObject({
      message: expect.stringContaining('message signed is bogus'),
    })
  })

  test('it speaks TLS 1.3 alone, for which tls-unique is defined in its dialect only, and has no tls-exporter', async () => {
    const strict = cryptosign({ key: PRIVATE_KEY, channelBinding: 'tls-unique' })
    expect(await refusal([strict], { tls: 'secure' })).toMatchObject({
      message: expect.stringContaining("needs TLS 1.2, or the dialect 'crossbar'"),
    })
    const exporter = cryptosign({ key: PRIVATE_KEY, channelBinding: 'tls-exporter' })
    expect(await refusal([exporter], { tls: 'secure' })).toMatchObject({
      message: 'invalid channel binding type "tls-exporter" requested',
    })
  })
})

test('a login is remembered by the cookie of the upgrade, until the client logs out', async () => {
  const socket = new WebSocket(`ws://${crossbar.host}:${crossbar.port}/cookie`, ['wamp.2.json'])
  const [{ headers }] = await once(socket, 'upgrade')
  socket.on('error', () => {}).terminate()
  const jar = String(headers['set-cookie']).split(';')[0] as string
  expect(jar).toMatch(/^cbtid=/)
  const place = { path: '/cookie', options: { headers: { cookie: jar } } }
  // Not yet remembered.
  expect(await refusal([cookie()], place)).toMatchObject({ uri: 'wamp.error.no_auth_method' })
  const first = await login([cookie(), ticket('joe', 'secret!!!')], place)
  expect(first.session).toMatchObject({ authid: 'joe', authmethod: 'ticket', authprovider: 'static' })
  await first.stop()
  const second = await login([cookie()], place)
  // The method is that of the first login.
  expect(second.session).toMatchObject({ authid: 'joe', authmethod: 'ticket', authprovider: 'cookie' })
  await second.logout()
  expect(await refusal([cookie()], place)).toMatchObject({ uri: 'wamp.error.no_auth_method' })
})

test('the first method that Crossbar.io has is taken', async () => {
  // Not `wamp-scram`: Crossbar.io refuses a HELLO that names a method that it does not know.
  const client = await login([wampcra('joe', 'secret1'), anonymous()])
  expect(client.session.authmethod).toBe('wampcra')
  expect((await login([anonymous()])).session.authmethod).toBe('anonymous')
})

describe('an authenticator of ours decides for Crossbar.io', () => {
  const toHex = (base64: string) => Buffer.from(base64, 'base64').toString('hex')

  interface Dynamic {
    readonly right: ClientAuth
    readonly wrong: ClientAuth
    readonly answer: () => Promise<object>
    /** The same of ours. */
    readonly router: (lookup: ProcedureLookup<never>) => AuthMethod
  }

  const dynamic: Readonly<Record<string, Dynamic>> = {
    wampcra: {
      right: wampcra('jim', 'secret'),
      wrong: wampcra('jim', 'other'),
      answer: async () => ({ role: 'user', secret: 'secret' }),
      router: (lookup) => wampcraAuth(lookup),
    },
    'wampcra, salted': {
      right: wampcra('jim', 'secret'),
      wrong: wampcra('jim', 'other'),
      // It derives the key itself.
      answer: async () => ({ role: 'user', secret: 'secret', salt: 'salt123', iterations: 100, keylen: 32 }),
      router: (lookup) => wampcraAuth(lookup, crossbarDialect),
    },
    scram: {
      right: scram('jim', 'pencil', crossbarDialect),
      wrong: scram('jim', 'pen', crossbarDialect),
      answer: async () => {
        const secret = await scramSecret('pencil', {
          kdf: 'argon2id13',
          iterations: 8,
          memory: 512,
          ...crossbarDialect,
        })
        return {
          role: 'user',
          kdf: 'argon2id-13',
          iterations: secret.iterations,
          memory: secret.memory,
          salt: toHex(secret.salt),
          'stored-key': toHex(secret.storedKey),
          'server-key': toHex(secret.serverKey),
        }
      },
      router: (lookup) => scramAuth(lookup, crossbarDialect),
    },
    cryptosign: {
      right: cryptosign({ authid: 'jim', key: PRIVATE_KEY }),
      wrong: cryptosign({ authid: 'jim', key: OTHER_KEY }),
      answer: async () => ({ role: 'user', pubkey: PUBLIC_KEY }),
      router: (lookup) => cryptosignAuth(lookup),
    },
  }

  test.each(Object.entries(dynamic))('%s', async (name, { right, wrong, answer, router: ours }) => {
    const at = { path: '/dynamic' }
    // It could come at any time, so this is not for good.
    expect(await refusal([right], { ...at, reconnect: false })).toMatchObject({ uri: 'wamp.error.no_such_procedure' })
    const backend = await login([ticket('joe', 'secret!!!')])
    const asked: unknown[] = []
    let result: unknown = await answer()
    await backend.register(`com.example.authenticate.${name.split(',')[0]}`, (args) => {
      asked.push(args)
      if (result instanceof Error) throw result
      return result
    })
    const client = await login([right], at)
    expect(client.session).toMatchObject({ authid: 'jim', authrole: 'user', authprovider: 'dynamic' })
    expect(asked[0]).toMatchObject(['realm1', 'jim', { authmethod: name.split(',')[0], session: client.session.id }])
    expect(await refusal([wrong], at)).toMatchObject({ uri: 'wamp.error.not_authorized' })
    // Our router understands the same answers.
    const router = new Router({ auth: [ours(fromProcedure('com.example.authenticate'))] })
    const service = new WampClient({ router: router.trusted })
    onTestFinished(() => service.stop())
    await service.start()
    await service.register('com.example.authenticate', () => result)
    for (const auth of [right, wrong]) {
      const client = new WampClient({ router, auth: [auth] })
      onTestFinished(() => client.stop())
      if (auth === right) {
        await client.start()
        expect(client.session).toMatchObject({ authid: 'jim', authrole: 'user', authprovider: 'dynamic' })
      } else await expect(client.start()).rejects.toMatchObject({ uri: 'wamp.error.authentication_failed' })
    }
    result = new WampError('com.example.denied', ['no'])
    expect(await refusal([right], { ...at, reconnect: false })).toMatchObject({
      uri: 'com.example.denied',
      message: 'no',
    })
  })

  test('ticket', async () => {
    const backend = await login([ticket('joe', 'secret!!!')])
    const asked: unknown[] = []
    await backend.register('com.example.authenticate.ticket', ([realm, authid, details]) => {
      asked.push([realm, authid])
      if ((details as { ticket: string }).ticket === 'right') return { realm, role: 'user', authid }
      throw new WampError('com.example.denied', ['no'])
    })
    const client = await login([ticket('jim', 'right')], { path: '/dynamic' })
    expect(client.session).toMatchObject({ authid: 'jim', authprovider: 'dynamic' })
    const denied = await refusal([ticket('jim', 'wrong')], { path: '/dynamic', reconnect: false })
    expect(denied).toMatchObject({ uri: 'com.example.denied' })
    expect(asked[0]).toEqual(['realm1', 'jim'])
  })

  test('a TLS client certificate, whose details it receives', async () => {
    const backend = await login([ticket('joe', 'secret!!!')])
    const asked: unknown[][] = []
    await backend.register('com.example.authenticate.tls', (args) => {
      asked.push([...args])
      return { role: 'user', authid: 'jim' }
    })
    const client = await login([tls()], { path: '/dynamic', tls: 'certified', options: { cert, key } })
    expect(client.session).toMatchObject({ authid: 'jim', authmethod: 'tls', authprovider: 'dynamic' })
    expect(asked[0]).toMatchObject(['realm1', null, { transport: { peer_cert: { subject: { cn: 'localhost' } } } }])
  })
})
