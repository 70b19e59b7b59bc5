/** Autobahn and wampy log in to our router by every method that they have, and then do what their roles may. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import * as wampyCryptosign from 'wampy/cryptosign.js'
import * as wampyCra from 'wampy/wampcra.js'
import { WampClient } from 'wampy-ts'
import {
  anonymousAuth,
  cookieAuth,
  cryptosignAuth,
  deriveCraKey,
  ticketAuth,
  tlsAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import type { ServeOptions } from 'wampy-ts/node'
import type { RouterOptions } from 'wampy-ts/router'
import { cert, key, strangers } from '../node/certificate.ts'
import { FORMATS, type Login } from './peers.ts'
import { Socket } from './socket.ts'
import { openWorld, type World } from './world.ts'

const { default: autobahn } = await import('autobahn')

afterEach(() => {
  Socket.options = {}
  vi.unstubAllGlobals()
})

const FAILED = 'wamp.error.authentication_failed'
const DENIED = 'the credentials are not valid here'
const salt = { salt: 'salt123', iterations: 100, keylen: 16 }
const KEY = '4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510'
const PUBLIC_KEY = '1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d'
const OTHER_KEY = 'd511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd'

const role = 'reckoner'
const auth = async () => [
  ticketAuth({ joe: { ticket: 'secret!!!', role } }),
  wampcraAuth({
    joe: { secret: 'secret1', role },
    salted: { secret: await deriveCraKey('secret2', salt), ...salt, role },
  }),
  cryptosignAuth({ joe: { authorized_keys: [PUBLIC_KEY], role } }),
  cookieAuth({ name: 'sid', principals: new Map([['s3cret', { authid: 'joe', role }]]) }),
  tlsAuth({ localhost: { authid: 'joe', role } }),
  anonymousAuth({ role }),
]
const authorize: RouterOptions['authorize'] = [
  {
    name: role,
    permissions: [
      { uri: 'com.sum', allow: { call: true }, disclose: { caller: true } },
      { uri: 'com.news.', match: 'prefix', allow: { publish: true } },
    ],
  },
]

/** The signers of the libraries. */
const libraries = {
  autobahn: {
    wampcra: (secret: string): NonNullable<Login['answer']> => {
      const { sign, derive_key } = autobahn.auth_cra
      return (_, { challenge, salt, iterations, keylen }) =>
        sign(
          salt === undefined ? secret : derive_key(secret, String(salt), Number(iterations), Number(keylen)),
          String(challenge),
        )
    },
    cryptosign: (seed: string): Pick<Login, 'answer' | 'authextra'> => {
      const { load_private_key, public_key, sign_challenge } = autobahn.auth_cryptosign
      vi.stubGlobal('localStorage', { getItem: () => Buffer.from(seed, 'hex').toString('base64') })
      const pair = load_private_key('key')
      // As its `create_connection` has it.
      const authextra = {
        pubkey: public_key(pair),
        trustroot: null,
        challenge: null,
        channel_binding: null,
        activation_code: undefined,
        request_new_activation_code: undefined,
      }
      return { authextra, answer: (_, extra) => sign_challenge(pair, extra) }
    },
  },
  wampy: {
    wampcra: (secret: string): NonNullable<Login['answer']> => wampyCra.sign(secret) as never,
    cryptosign: (seed: string): Pick<Login, 'answer' | 'authextra'> => ({
      authextra: { pubkey: seed === KEY ? PUBLIC_KEY : OTHER_KEY },
      answer: wampyCryptosign.sign(seed) as never,
    }),
  },
}

interface Case {
  readonly right: Login
  readonly wrong: Login
  readonly authid?: string
  /** What the connection carries. */
  readonly connect?: (right: boolean) => typeof Socket.options
  readonly serving?: ServeOptions
}

const joe = { authid: 'joe' }

const cases = (library: keyof typeof libraries): Readonly<Record<string, () => Case>> => {
  const { wampcra, cryptosign } = libraries[library]
  return {
    ticket: () => ({
      right: { authmethods: ['ticket'], ...joe, answer: () => 'secret!!!' },
      wrong: { authmethods: ['ticket'], ...joe, answer: () => 'secret' },
    }),
    wampcra: () => ({
      right: { authmethods: ['wampcra'], ...joe, answer: wampcra('secret1') },
      wrong: { authmethods: ['wampcra'], ...joe, answer: wampcra('secret2') },
    }),
    'wampcra, salted': () => ({
      right: { authmethods: ['wampcra'], authid: 'salted', answer: wampcra('secret2') },
      wrong: { authmethods: ['wampcra'], authid: 'salted', answer: wampcra('secret1') },
      authid: 'salted',
    }),
    cryptosign: () => ({
      right: { authmethods: ['cryptosign'], ...joe, ...cryptosign(KEY) },
      wrong: { authmethods: ['cryptosign'], ...joe, ...cryptosign(OTHER_KEY) },
    }),
    cookie: () => ({
      right: { authmethods: ['cookie'] },
      wrong: { authmethods: ['cookie'] },
      connect: (right) => ({ headers: { cookie: `sid=${right ? 's3cret' : 'other'}` } }),
    }),
    tls: () => ({
      right: { authmethods: ['tls'], authid: 'localhost' },
      wrong: { authmethods: ['tls'], authid: 'localhost' },
      connect: (right) => ({ ca: cert, ...(right ? { cert, key } : strangers) }),
      serving: { tls: { key, cert, ca: [cert, strangers.cert], requestCert: true } },
    }),
  }
}

/** Joined in the router's own process; it procures the sum, and hears the news. */
async function service(world: World): Promise<{ readonly news: unknown[] } & AsyncDisposable> {
  const client = new WampClient({ router: world.router.trusted })
  await client.start()
  const news: unknown[] = []
  await client.register('com.sum', ([one, other], _, { caller_authid, caller_authrole }) => [
    Number(one) + Number(other),
    caller_authid,
    caller_authrole,
  ])
  await client.subscribe('com.news.', (args) => void news.push(args), { match: 'prefix' })
  return { news, [Symbol.asyncDispose]: () => client.stop() }
}

describe.each(
  (['autobahn', 'wampy'] as const).flatMap((library) =>
    Object.entries(cases(library)).map(([name, make]) => [library, name, make] as const),
  ),
)('%s by %s', (library, name, make) => {
  test('joins in every serializer, and does what its role may', async () => {
    const { right, authid = 'joe', connect = () => ({}), serving } = make()
    await using world = await openWorld({ auth: await auth(), authorize }, serving)
    await using backend = await service(world)
    Socket.options = connect(true)
    for (const format of FORMATS) {
      const peer = await world.join(library, format, right)
      if (format === 'json') {
        expect(peer.socket.heard.at(-1)).toMatchObject([2, {}, { authrole: role, authmethod: name.split(',')[0] }])
      }
      const { args } = await peer.call('com.sum', [2, 3])
      expect(args).toEqual([[5, authid, role]])
      await peer.publish('com.news.today', [format], undefined, { acknowledge: true })
      const refused = { uri: 'wamp.error.not_authorized' }
      await expect(peer.call('com.other')).rejects.toMatchObject(refused)
      await expect(peer.subscribe('com.news.today', () => {})).rejects.toMatchObject(refused)
      await expect(peer.publish('com.other', [1], undefined, { acknowledge: true })).rejects.toMatchObject(refused)
    }
    await expect.poll(() => backend.news).toEqual(FORMATS.map((format) => [format]))
  })

  test('is refused with a wrong secret', async () => {
    const { wrong, connect = () => ({}), serving } = make()
    await using world = await openWorld({ auth: await auth(), loginLimits: false }, serving)
    Socket.options = connect(false)
    for (const format of FORMATS) {
      await expect(world.join(library, format, wrong)).rejects.toMatchObject({ uri: FAILED, args: [DENIED] })
      if (format === 'json') expect(Socket.last?.heard.at(-1)).toEqual([3, { message: DENIED }, FAILED])
    }
  })
})

describe.each(['autobahn', 'wampy'] as const)('%s', (library) => {
  test('joins as anonymous where the router allows that, and is refused where it does not', async () => {
    await using open = await openWorld({ auth: await auth() })
    const welcome = (await open.join(library)).socket.heard[0]
    expect(welcome).toMatchObject([2, {}, { authrole: role, authmethod: 'anonymous', authid: expect.any(String) }])
    await open.join(library, 'cbor', { authmethods: ['anonymous'] })
    await using shut = await openWorld({ auth: [ticketAuth({})] })
    const required = {
      uri: 'wamp.error.authentication_required',
      args: ['this router knows the authmethod ticket alone'],
    }
    await expect(shut.join(library)).rejects.toMatchObject(required)
  })

  test('learns the methods of a router that has none of its own', async () => {
    await using world = await openWorld({ auth: [ticketAuth({}), wampcraAuth({})] })
    const login = { authmethods: ['cryptosign', 'persona'], ...joe, answer: () => '' }
    await expect(world.join(library, 'json', login)).rejects.toMatchObject({
      uri: 'wamp.error.no_matching_auth_method',
      args: ['this router knows the authmethods ticket, wampcra'],
    })
  })
})

test('autobahn is found by its public key alone; wampy always sends an authid', async () => {
  await using world = await openWorld({ auth: await auth() })
  const { socket } = await world.join('autobahn', 'json', {
    authmethods: ['cryptosign'],
    ...libraries.autobahn.cryptosign(KEY),
  })
  expect(socket.said[0]?.[2]).not.toHaveProperty('authid')
  expect(socket.heard.at(-1)).toMatchObject([2, {}, { authid: 'joe', authmethod: 'cryptosign' }])
})
