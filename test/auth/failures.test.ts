/** Every way in which a login fails, message by message: the exact ABORT of a router, and that of a client. */

import { SignJWT } from 'jose'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WampClient } from 'wampy-ts'
import { type ClientAuth, cookie, cryptosign, generateKey, scram, ticket, tls, wampcra } from 'wampy-ts/auth'
import {
  type AuthMethod,
  cookieAuth,
  cryptosignAuth,
  fromProcedure,
  jwtAuth,
  LoginCookies,
  scramAuth,
  ticketAuth,
  tlsAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import { ABORT, AUTHENTICATE, CHALLENGE, HELLO, scriptedRouter, WELCOME } from 'wampy-ts/testing'
import { next, open, type Peer, ROLES } from '../router/support.ts'
import { keys, methodIn, pairs, routerKeys } from './pairs.ts'

afterEach(() => vi.useRealTimers())

const FAILED = 'wamp.error.authentication_failed'
const MISMATCH = 'wamp.error.no_matching_auth_method'
const DENIED = [ABORT, { message: 'the credentials are not valid here' }, FAILED]
const aborted = (reason: string, message: string) => [ABORT, { message }, reason]

/** What the peer receives in return. */
async function said(peer: Peer, message: readonly unknown[]): Promise<unknown[]> {
  const [answer = await next(peer)] = peer.says(message)
  return answer
}

/** HELLO and what follows, as a client with this method says it; returns all answers. */
async function exchange(peer: Peer, auth: ClientAuth): Promise<unknown[][]> {
  const context = { realm: 'realm1', signal: new AbortController().signal, channelBinding: () => undefined }
  const offer = await auth.offer([auth], context)
  const answers = [await said(peer, [HELLO, 'realm1', { roles: ROLES, ...offer.details }])]
  if (answers[0]?.[0] === CHALLENGE) {
    const [, method, extra] = answers[0] as [number, string, Record<string, unknown>]
    const answer = await offer.answer(method, extra)
    answers.push(await said(peer, [AUTHENTICATE, answer.signature, answer.extra]))
  }
  return answers
}

const loginLimits = false

describe.each(Object.entries(pairs))('%s', (name, make) => {
  const method = methodIn(name)

  test('an unknown principal and a wrong secret: the same CHALLENGE but for its random parts, and the same ABORT', async () => {
    const { router, wrong, unknown } = await make()
    const { connect } = open({ auth: [router], loginLimits })
    const challenges: object[] = []
    for (const auth of [wrong, unknown, unknown]) {
      const [challenge, abort, ...more] = await exchange(connect(), auth)
      expect([abort, ...more]).toEqual([DENIED])
      expect(challenge).toEqual([CHALLENGE, method, expect.anything()])
      challenges.push(challenge?.[2] as object)
    }
    // Everything of a fixed value is the same, and a random part has the same length; `salt` differs by principal.
    const shapes = challenges.map((extra) =>
      Object.fromEntries(
        Object.entries(extra).map(([key, value]) => [key, typeof value === 'string' && key !== 'kdf' ? key : value]),
      ),
    )
    expect(shapes[1]).toEqual(shapes[0])
    const salts = challenges.map((extra) => (extra as { salt?: string }).salt)
    expect(salts[2]).toBe(salts[1])
    if (salts[0] !== undefined) {
      expect(salts[1]).not.toBe(salts[0])
      expect(salts[1]).toHaveLength(salts[0].length)
    }
  })

  test('a signature that is not one', async () => {
    const { router, right } = await make()
    const { connect } = open({ auth: [router], loginLimits })
    const begun = await right.offer([right], {
      realm: 'realm1',
      signal: new AbortController().signal,
      channelBinding: () => undefined,
    })
    const details = { roles: ROLES, ...begun.details }
    const signatures = ['', 'x', '%%%', '====', 'AAAA', 'ff'.repeat(96), 'A'.repeat(43), '\u0000', 'x'.repeat(100_000)]
    const extras = [
      {},
      { nonce: 7, channel_binding: [], cbind_data: {} },
      { nonce: null, channel_binding: 'tls-unique' },
    ]
    for (const [at, signature] of signatures.entries()) {
      const peer = connect()
      await said(peer, [HELLO, 'realm1', details])
      expect(await said(peer, [AUTHENTICATE, signature, extras[at % extras.length]])).toEqual(DENIED)
      expect(peer.end).toBe('closed')
    }
  })

  test('no answer in time', async () => {
    const { router, right } = await make()
    const begun = await right.offer([right], {
      realm: 'realm1',
      signal: new AbortController().signal,
      channelBinding: () => undefined,
    })
    const { connect } = open({ auth: [router], limits: { handshake: 500 } })
    const peer = connect()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await said(peer, [HELLO, 'realm1', { roles: ROLES, ...begun.details }])
    vi.advanceTimersByTime(500)
    expect(peer.take()).toEqual([aborted('wamp.error.timeout', 'no session within 500 ms')])
  })
})

test.each(['a salt of text', 'b5ffe5b5ffe5', 'c2FsdHNhbHQ=', btoa('a salt of 32 bytes, as text here')])(
  'wampcra: the salt %s and that of an unknown principal look alike',
  async (salt) => {
    const { connect } = open({ auth: [wampcraAuth({ joe: { secret: 'a', salt } })], loginLimits })
    const [[, , extra] = []] = await exchange(connect(), wampcra('jim', 'a'))
    const decoy = (extra as { salt: string }).salt
    const shape = (text: string) => [text.length, /^[0-9a-f]+$/.test(text), /=*$/.exec(text)?.[0]]
    expect(shape(decoy)).toEqual(shape(salt))
    expect(decoy).not.toBe(salt)
  },
)

describe('AUTHENTICATE that is malformed', () => {
  test.each([
    [[AUTHENTICATE], 'AUTHENTICATE has 3 elements, got 1'],
    [[AUTHENTICATE, 'a'], 'AUTHENTICATE has 3 elements, got 2'],
    [[AUTHENTICATE, 7, {}], 'AUTHENTICATE[1] must be text, got 7'],
    [[AUTHENTICATE, null, {}], 'AUTHENTICATE[1] must be text, got null'],
    [[AUTHENTICATE, 'a', []], 'AUTHENTICATE[2] must be a dictionary, got a list'],
    [[AUTHENTICATE, 'a', null], 'AUTHENTICATE[2] must be a dictionary, got null'],
    [[AUTHENTICATE, 'a', {}, 1], 'AUTHENTICATE has 3 elements, got 4'],
  ])('%j', async (message, text) => {
    const peer = open({ auth: [ticketAuth({ joe: { ticket: 'a' } })] }).connect()
    await said(peer, [HELLO, 'realm1', { roles: ROLES, authid: 'joe', authmethods: ['ticket'] }])
    expect(await said(peer, message)).toEqual(aborted('wamp.error.protocol_violation', text))
  })
})

describe('HELLO that no method accepts', () => {
  const joe = { roles: ROLES, authid: 'joe' }
  const nonce = btoa('sixteen bytes!!!')

  test.each<[string, AuthMethod[], object, reason: string, message: string]>([
    [
      'without a common method',
      [ticketAuth({}), wampcraAuth({})],
      { ...joe, authmethods: ['cryptosign', 'anonymous'] },
      MISMATCH,
      'this router knows the authmethods ticket, wampcra',
    ],
    [
      'without a method',
      [ticketAuth({})],
      joe,
      'wamp.error.authentication_required',
      'this router knows the authmethod ticket alone',
    ],
    [
      'for SCRAM without a nonce',
      [scramAuth({})],
      { ...joe, authmethods: ['wamp-scram'] },
      FAILED,
      'HELLO needs authextra.nonce, base64 of at least 16 random bytes',
    ],
    [
      'for SCRAM with a nonce that is not base64',
      [scramAuth({})],
      { ...joe, authmethods: ['wamp-scram'], authextra: { nonce: '%'.repeat(24) } },
      FAILED,
      'HELLO needs authextra.nonce, base64 of at least 16 random bytes',
    ],
    [
      'for SCRAM with a short nonce',
      [scramAuth({})],
      { ...joe, authmethods: ['wamp-scram'], authextra: { nonce: btoa('fifteen bytes!!') } },
      FAILED,
      'HELLO needs authextra.nonce, base64 of at least 16 random bytes',
    ],
    [
      'for SCRAM bound to a connection without TLS',
      [scramAuth({})],
      { ...joe, authmethods: ['wamp-scram'], authextra: { nonce, channel_binding: 'tls-exporter' } },
      FAILED,
      'this connection cannot be bound by "tls-exporter"',
    ],
    [
      'for SCRAM bound in an unknown way',
      [scramAuth({})],
      { ...joe, authmethods: ['wamp-scram'], authextra: { nonce, channel_binding: ['x'.repeat(1000)] } },
      FAILED,
      'this connection cannot be bound by a list',
    ],
    [
      'for cryptosign without a public key',
      [cryptosignAuth({})],
      { ...joe, authmethods: ['cryptosign'] },
      FAILED,
      'HELLO needs authextra.pubkey, 64 hexadecimal digits',
    ],
    [
      'for cryptosign with a public key that is none',
      [cryptosignAuth({})],
      { ...joe, authmethods: ['cryptosign'], authextra: { pubkey: 'g'.repeat(64) } },
      FAILED,
      'HELLO needs authextra.pubkey, 64 hexadecimal digits',
    ],
    [
      'for cryptosign bound to a connection without TLS',
      [cryptosignAuth({})],
      { ...joe, authmethods: ['cryptosign'], authextra: { pubkey: keys.publicKey, channel_binding: 'tls-unique' } },
      FAILED,
      `this connection cannot be bound by "tls-unique": that needs TLS 1.2, or the dialect 'crossbar', and a client in Node`,
    ],
    [
      'by a cookie, of a connection that has none',
      [cookieAuth({ name: 'sid', principals: {} })],
      { ...joe, authmethods: ['cookie'] },
      MISMATCH,
      'this router knows the authmethod cookie alone',
    ],
    [
      'by a cookie of this library, of a connection that has none',
      [new LoginCookies().auth],
      { ...joe, authmethods: ['cookie'] },
      MISMATCH,
      'this router knows the authmethod cookie alone',
    ],
    [
      'by a client certificate, of a connection that has none',
      [tlsAuth({})],
      { ...joe, authmethods: ['tls'] },
      MISMATCH,
      'this router knows the authmethod tls alone',
    ],
  ])('%s', async (_, auth, details, reason, message) => {
    const peer = open({ auth }).connect()
    expect(await said(peer, [HELLO, 'realm1', details])).toEqual(aborted(reason, message))
    expect(peer.end).toBe('closed')
  })
})

describe('what a connection carries', () => {
  const certificate = { subject: { CN: 'joe' }, issuer: {}, fingerprint: 'AA:BB', serialNumber: '1' }

  test.each<[string, AuthMethod, ClientAuth, object]>([
    ['an unknown cookie', cookieAuth({ name: 'sid', principals: {} }), cookie(), { cookies: { sid: 'x' } }],
    ['a certificate of an unknown subject', tlsAuth({}), tls(), { certificate }],
    ['a certificate of another fingerprint', tlsAuth({ joe: { fingerprints: ['cc'] } }), tls(), { certificate }],
    ['a certificate of a subject without a name', tlsAuth({}), tls(), { certificate: { ...certificate, subject: {} } }],
  ])('%s', async (_, method, auth, facts) => {
    const { connect } = open({ auth: [method] })
    expect(await exchange(connect({ facts }), auth)).toEqual([DENIED])
  })
})

test('a principal of other realms', async () => {
  const { connect } = open({ auth: [ticketAuth({ joe: { ticket: 'a', realms: ['realm2'] } })] })
  const [, abort] = await exchange(connect(), ticket('joe', 'a'))
  expect(abort).toEqual(aborted('wamp.error.no_such_principal', '"joe" may not join "realm1"'))
})

describe('a token', () => {
  const key = new TextEncoder().encode('a shared secret of the issuer...')
  const token = (claims: object, expires: string) =>
    new SignJWT({ iss: 'issuer', aud: 'wamp', sub: 'joe', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(expires)
      .sign(key)

  test.each<[string, () => Promise<string>]>([
    ['that has expired', () => token({}, '-1h')],
    ['that is not yet valid', () => token({ nbf: Date.now() / 1000 + 3600 }, '2h')],
    ['of another subject', () => token({ sub: 'jim' }, '1h')],
    ['that is none', async () => 'swordfish'],
  ])('%s', async (_, make) => {
    const { connect } = open({ auth: [jwtAuth({ issuer: 'issuer', audience: 'wamp', key })], loginLimits })
    expect(await exchange(connect(), ticket('joe', make))).toEqual([[CHALLENGE, 'ticket', {}], DENIED])
  })
})

describe('a dynamic authenticator', () => {
  const AUTHENTICATE_URI = 'com.example.authenticate'
  const source = fromProcedure<never>(AUTHENTICATE_URI)
  const methods: Readonly<Record<string, [AuthMethod, ClientAuth]>> = {
    ticket: [ticketAuth(source), ticket('joe', 'swordfish')],
    wampcra: [wampcraAuth(source), wampcra('joe', 'swordfish')],
    'wamp-scram': [scramAuth(source), scram('joe', 'swordfish')],
    cryptosign: [cryptosignAuth(source), cryptosign({ authid: 'joe', key: keys.privateKey })],
  }
  const answers: Readonly<Record<string, (() => unknown) | undefined>> = {
    'that is absent': undefined,
    'that fails': () => {
      throw new Error('the password of the database is swordfish')
    },
    'that finds nobody': () => null,
    'that answers nonsense': () => 7,
    'that leaves out the secrets': () => ({ role: 'user', authorized_keys: [], ticket: 7 }),
    'that never answers': () => new Promise(() => {}),
  }

  test.each(Object.keys(methods).flatMap((method) => Object.keys(answers).map((fault) => [method, fault] as const)))(
    'of %s %s',
    async (name, fault) => {
      const [method, auth] = methods[name] as [AuthMethod, ClientAuth]
      const { connect, router } = open({ auth: [method], loginLimits, limits: { decision: 10 } })
      const service = new WampClient({ router: router.trusted, reconnect: false })
      await service.start()
      service.on('error', () => {})
      const answer = answers[fault]
      if (answer) await service.register(AUTHENTICATE_URI, answer)
      const exchanged = await exchange(connect(), auth)
      expect(exchanged.at(-1)).toEqual(DENIED)
      // The exchange of a wrong secret.
      expect(exchanged).toHaveLength(2)
      await service.stop()
    },
  )
})

test('too many failed logins lock their address for a growing time', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const limits = { free: 1, delay: 20_000, maxDelay: 0, maxLock: 60_000 }
  const { connect } = open({ auth: [ticketAuth({ joe: { ticket: 'a' } })], loginLimits: limits })
  const from = (address: string, secret: string) => exchange(connect({ facts: { address } }), ticket('joe', secret))
  const challenged = [CHALLENGE, 'ticket', {}]
  const addresses = ['192.0.2.1', '2001:db8::1']
  for (const address of addresses) expect(await from(address, 'wrong')).toEqual([challenged, DENIED])
  for (const seconds of [20, 40, 60, 60]) {
    for (const address of addresses) {
      expect(await from(address, 'wrong')).toEqual([challenged, DENIED])
      // The right secret is refused too, without a look at it.
      const message = `too many failed logins from this address: try again in ${seconds} s`
      expect(await from(address, 'a')).toEqual([aborted(FAILED, message)])
    }
    vi.advanceTimersByTime(1000 * seconds)
  }
  const welcomed = [challenged, [WELCOME, expect.any(Number), expect.anything()]]
  expect(await from('192.0.2.1', 'a')).toEqual(welcomed)
  expect(await from('192.0.2.2', 'a')).toEqual(welcomed)
})

describe('an impostor, to whom the client answers nothing', () => {
  /** What a client says after HELLO to a router that sends a CHALLENGE, if any, and WELCOME; and the error of its start. */
  async function against(auth: ClientAuth, extra: object | undefined, authextra: object = {}, method = auth.method) {
    const heard: (readonly unknown[])[] = []
    const router = scriptedRouter((message, peer) => {
      heard.push(message)
      const [code, , details] = message as [number, unknown, { authextra?: { nonce?: string } }]
      if (code === HELLO && extra) {
        const text = JSON.stringify(extra).replace('NONCE', String(details.authextra?.nonce))
        peer.send([CHALLENGE, method, JSON.parse(text)])
      } else if (code === HELLO || code === AUTHENTICATE) {
        peer.send([WELCOME, 1, { roles: { broker: {}, dealer: {} }, authextra }])
      }
    })
    // Its default is to try again: none of this makes it do so.
    const client = new WampClient({ router, auth: [auth] })
    const error = await client.start().catch((reason: unknown) => reason)
    await client.stop()
    expect(router.peers).toHaveLength(1)
    // The ABORT may still be on its way.
    return { error, heard: () => heard.slice(1) }
  }

  const joe = () => scram('joe', 'b')
  const parts = { nonce: 'NONCEmore', salt: 'c2FsdHNhbHQ=', kdf: 'pbkdf2', iterations: 4096, memory: null }
  const pinned = () => cryptosign({ key: keys.privateKey, routerKey: routerKeys.publicKey })
  const zeros = '00'.repeat(32)
  const refused = (kdf: string, iterations: string, kib: string) =>
    `the router wants the password derived by ${kdf} with ${iterations} iterations and ${kib} KiB, which this client refuses`
  const unproved = (text: string) => `the router did not prove that it knows this client's secret: ${text}`

  test.each<[string, ClientAuth, object, message: string]>([
    ['wampcra: no challenge', wampcra('joe', 'a'), {}, "the router's CHALLENGE for wampcra has no challenge"],
    [
      'wampcra: work without end',
      wampcra('joe', 'a'),
      { challenge: '{}', salt: 'a', iterations: 1e9, keylen: 32 },
      "the router's CHALLENGE for wampcra is refused: iterations must be a whole number from 1 to 10000000",
    ],
    [
      'wampcra: a key of any length',
      wampcra('joe', 'a'),
      { challenge: '{}', salt: 'a', iterations: 1, keylen: 1e9 },
      "the router's CHALLENGE for wampcra is refused: keylen must be a whole number from 1 to 1024",
    ],
    [
      'wamp-scram: a nonce of its own',
      joe(),
      { ...parts, nonce: 'own' },
      unproved('its nonce does not continue that of this client'),
    ],
    [
      'wamp-scram: the nonce of the client alone',
      joe(),
      { ...parts, nonce: 'NONCE' },
      unproved('its nonce does not continue that of this client'),
    ],
    ['wamp-scram: cheap parameters', joe(), { ...parts, iterations: 1 }, refused('"pbkdf2"', '1', 'null')],
    [
      'wamp-scram: dear parameters',
      joe(),
      { ...parts, iterations: 1e12 },
      refused('"pbkdf2"', '1000000000000', 'null'),
    ],
    [
      'wamp-scram: memory without end',
      joe(),
      { ...parts, kdf: 'argon2id13', iterations: 4, memory: 2 ** 40 },
      refused('"argon2id13"', '4', '1099511627776'),
    ],
    ['wamp-scram: an unknown derivation', joe(), { ...parts, kdf: 'md5' }, refused('"md5"', '4096', 'null')],
    ['wamp-scram: no salt', joe(), { ...parts, salt: undefined }, refused('"pbkdf2"', '4096', 'null')],
    [
      'cryptosign: no challenge',
      cryptosign({ key: keys.privateKey }),
      {},
      "the router's CHALLENGE for cryptosign has no challenge of 32 bytes",
    ],
    ['cryptosign: no public key', pinned(), { challenge: zeros }, unproved('its public key is another one')],
    [
      'cryptosign: another public key',
      pinned(),
      { challenge: zeros, pubkey: keys.publicKey, signature: '00'.repeat(96) },
      unproved('its public key is another one'),
    ],
    [
      'cryptosign: no signature',
      pinned(),
      { challenge: zeros, pubkey: routerKeys.publicKey },
      unproved('it did not sign the challenge'),
    ],
    [
      'cryptosign: a signature of something else',
      pinned(),
      { challenge: zeros, pubkey: routerKeys.publicKey, signature: '00'.repeat(96) },
      unproved('it did not sign the challenge'),
    ],
    [
      'cryptosign: a channel binding that was not asked for',
      cryptosign({ key: keys.privateKey }),
      { challenge: zeros, channel_binding: 'tls-unique' },
      'this client asked for the channel binding null, and the router uses "tls-unique"',
    ],
    [
      'cryptosign: none of the channel binding that was asked for',
      cryptosign({ key: keys.privateKey, channelBinding: 'tls-exporter' }),
      { challenge: zeros, channel_binding: null },
      'this client asked for the channel binding "tls-exporter", and the router uses null',
    ],
  ])('%s', async (_, auth, extra, message) => {
    const { error, heard } = await against(auth, extra)
    expect(error).toMatchObject({ uri: FAILED, message })
    await expect.poll(heard, { interval: 2 }).toEqual([aborted(FAILED, 'the client could not answer the CHALLENGE')])
  })

  test('a signature by another key under the right challenge', async () => {
    // Like an impostor that has seen the public key of the router, and signs by a key of its own.
    const own = await generateKey()
    const lying: AuthMethod = {
      name: 'cryptosign',
      async *authenticate(request) {
        const method = cryptosignAuth({ joe: { authorized_keys: [keys.publicKey] } }, { key: own.privateKey })
        const rounds = method.authenticate(request) as AsyncGenerator<{ extra: object }, never, never>
        const { value } = await rounds.next()
        yield { extra: { ...value.extra, pubkey: routerKeys.publicKey } }
        return { authid: 'joe', authrole: 'user' }
      },
    }
    const { connect } = open({ auth: [lying] })
    const peer = connect()
    await expect(exchange(peer, pinned())).rejects.toMatchObject({
      uri: FAILED,
      message: unproved('its signature is wrong'),
    })
  })

  test('a CHALLENGE for a method that was not offered', async () => {
    const heard: (readonly unknown[])[] = []
    for (const auth of [[ticket('joe', 'a')], []]) {
      const router = scriptedRouter((message, peer) => {
        if (message[0] === HELLO) peer.send([CHALLENGE, 'wampcra', { challenge: '{}' }])
        else heard.push(message)
      })
      const client = new WampClient({ router, auth, reconnect: false })
      await expect(client.start()).rejects.toMatchObject({ uri: 'wamp.error.protocol_violation' })
    }
    await expect
      .poll(() => heard, { interval: 2 })
      .toEqual([
        aborted('wamp.error.protocol_violation', 'the client could not answer the CHALLENGE'),
        aborted('wamp.error.protocol_violation', 'CHALLENGE for wampcra, which was not offered'),
      ])
  })

  test.each<[string, ClientAuth, object | undefined, object, message: string]>([
    ['wamp-scram: no verifier', joe(), parts, {}, 'its verifier is wrong'],
    ['wamp-scram: a wrong verifier', joe(), parts, { verifier: 'AAAA' }, 'its verifier is wrong'],
    ['wamp-scram: a verifier that is none', joe(), parts, { verifier: 7 }, 'its verifier is wrong'],
    ['wamp-scram: no CHALLENGE', joe(), undefined, {}, 'it sent no CHALLENGE'],
    ['cryptosign with a pinned key: no CHALLENGE', pinned(), undefined, {}, 'it sent no CHALLENGE'],
  ])('WELCOME without a proof: %s', async (_, auth, extra, authextra, text) => {
    const { error, heard } = await against(auth, extra, authextra)
    expect(error).toMatchObject({ uri: FAILED, message: unproved(text) })
    const answers = extra ? [[AUTHENTICATE, expect.any(String), expect.anything()]] : []
    await expect.poll(heard, { interval: 2 }).toEqual([...answers, aborted(FAILED, unproved(text))])
  })
})
