/** autobahn for Python, which Crossbar.io brings along, logs in to our router by every method that it has. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { WampClient } from 'wampy-ts'
import {
  anonymousAuth,
  type CryptosignAuthOptions,
  cookieAuth,
  cryptosignAuth,
  deriveCraKey,
  scramAuth,
  scramSecret,
  ticketAuth,
  tlsAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import { type Served, type ServeOptions, serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { cert, key, strangers } from '../node/certificate.ts'
import { findPython, PRIVATE_KEY, PUBLIC_KEY } from './crossbar.ts'

const role = 'reckoner'
const FAILED = 'wamp.error.authentication_failed'
const DENIED = 'the credentials are not valid here'
const OTHER_KEY = 'd511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd'
const dialect = 'crossbar'
const salt = { salt: 'salt123', iterations: 100, keylen: 16 }

/** What `login.py` reads, except for the URL and the serializer. */
interface Login {
  readonly authenticators?: Readonly<Record<string, object>>
  readonly join?: { readonly authmethods: readonly string[]; readonly authid?: string }
  readonly headers?: Readonly<Record<string, string>>
  readonly tls?: { readonly ca: string; readonly version?: '1.2'; readonly cert?: string; readonly key?: string }
}

interface Answer {
  readonly welcome?: object
  readonly sum?: unknown
  readonly denied?: string
  readonly abort?: readonly [reason: string, message: string | null]
  readonly failed?: readonly string[]
}

let python: ChildProcess
let answers: Interface
let log = ''
beforeAll(() => {
  const script = fileURLToPath(new URL('login.py', import.meta.url))
  python = spawn(findPython(), [script])
  answers = createInterface({ input: python.stdout as NonNullable<typeof python.stdout> })
  python.stderr?.on('data', (chunk) => {
    log += chunk
  })
})
afterAll(() => void python?.kill())

function attempt(given: object): Promise<Answer> {
  const request = { realm: 'realm1', serializer: 'json', ...given }
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error(`login.py ended: ${log}`))
    python.once('exit', ended)
    answers.once('line', (line) => {
      python.off('exit', ended)
      resolve(JSON.parse(line) as Answer)
    })
    python.stdin?.write(`${JSON.stringify(request)}\n`)
  })
}

async function router(
  serving: ServeOptions = {},
  cryptosign: CryptosignAuthOptions = {},
): Promise<Served & { readonly news: unknown[] }> {
  const argon2 = { kdf: 'argon2id13', iterations: 64, memory: 512, dialect } as const
  const router = new Router({
    auth: [
      ticketAuth({ joe: { ticket: 'secret!!!', role } }),
      wampcraAuth({
        joe: { secret: 'secret1', role },
        salted: { secret: await deriveCraKey('secret2', salt), ...salt, role },
      }),
      scramAuth(
        {
          joe: { ...(await scramSecret('pencil', argon2)), role },
          pbkdf2: { ...(await scramSecret('pencil', { iterations: 4096, dialect })), role },
        },
        { dialect },
      ),
      cryptosignAuth({ joe: { authorized_keys: [PUBLIC_KEY], role } }, { key: OTHER_KEY, ...cryptosign }),
      cookieAuth({ name: 'sid', principals: new Map([['s3cret', { authid: 'joe', role }]]) }),
      tlsAuth({ localhost: { authid: 'joe', role } }),
      anonymousAuth({ role }),
    ],
    authorize: [
      {
        name: role,
        permissions: [
          { uri: 'com.sum', allow: { call: true }, disclose: { caller: true } },
          { uri: 'com.news.', match: 'prefix', allow: { publish: true } },
        ],
      },
    ],
    loginLimits: false,
  })
  const served = await serve(router, { port: 0, ...serving })
  const service = new WampClient({ router: router.trusted })
  await service.start()
  const news: unknown[] = []
  await service.register('com.sum', ([one, other], _, { caller_authid, caller_authrole }) => [
    Number(one) + Number(other),
    caller_authid,
    caller_authrole,
  ])
  await service.subscribe('com.news.', ([format]) => void news.push(format), { match: 'prefix' })
  onTestFinished(async () => {
    await service.stop()
    await router.close()
    await served.close()
  })
  return Object.assign(Object.create(served) as Served, { news })
}

const tls12 = { ca: cert, version: '1.2' } as const
const asking = { tls: { key, cert, ca: [cert, strangers.cert], requestCert: true } }
const secret = (name: string, authid: string, given: object) => ({ authenticators: { [name]: { authid, ...given } } })

/** A URL is that of WebSocket; RawSocket is tried as well, except for cookies. */
const logins: Readonly<Record<string, readonly [right: Login, wrong: Login, authid?: string, serving?: ServeOptions]>> =
  {
    ticket: [secret('ticket', 'joe', { ticket: 'secret!!!' }), secret('ticket', 'joe', { ticket: 'secret' })],
    wampcra: [secret('wampcra', 'joe', { secret: 'secret1' }), secret('wampcra', 'joe', { secret: 'secret2' })],
    'wampcra, salted': [
      secret('wampcra', 'salted', { secret: 'secret2' }),
      secret('wampcra', 'salted', { secret: 'secret1' }),
      'salted',
    ],
    'scram by argon2id': [secret('scram', 'joe', { password: 'pencil' }), secret('scram', 'joe', { password: 'pen' })],
    cryptosign: [
      secret('cryptosign', 'joe', { privkey: PRIVATE_KEY }),
      secret('cryptosign', 'joe', { privkey: OTHER_KEY }),
    ],
    'cryptosign, found by its key': [
      { authenticators: { cryptosign: { privkey: PRIVATE_KEY } } },
      { authenticators: { cryptosign: { privkey: OTHER_KEY } } },
    ],
    'cryptosign, bound by tls-unique': [
      {
        ...secret('cryptosign', 'joe', { privkey: PRIVATE_KEY, authextra: { channel_binding: 'tls-unique' } }),
        tls: tls12,
      },
      {
        ...secret('cryptosign', 'joe', { privkey: OTHER_KEY, authextra: { channel_binding: 'tls-unique' } }),
        tls: tls12,
      },
      'joe',
      { tls: { key, cert, maxVersion: 'TLSv1.2' } },
    ],
    cookie: [
      { join: { authmethods: ['cookie'] }, headers: { Cookie: 'sid=s3cret' } },
      { join: { authmethods: ['cookie'] }, headers: { Cookie: 'sid=other' } },
    ],
    tls: [
      { join: { authmethods: ['tls'] }, tls: { ca: cert, cert, key } },
      { join: { authmethods: ['tls'] }, tls: { ca: cert, ...strangers } },
      'joe',
      asking,
    ],
  }

const FORMATS = ['json', 'cbor', 'msgpack'] as const

describe.each(Object.entries(logins))('%s', (name, [right, wrong, authid = 'joe', serving]) => {
  const authmethod = name.split(/,| by/)[0]
  const ways = ({ url, rawSocketUrl }: Served) => (name === 'cookie' ? [url] : [url, rawSocketUrl])

  test('joins over each transport and by each serializer, and does what its role may', async () => {
    const server = await router(serving)
    for (const url of ways(server)) {
      for (const serializer of FORMATS) {
        expect(await attempt({ ...right, url, serializer })).toEqual({
          welcome: { authid, authrole: role, authmethod, authprovider: 'static' },
          sum: [5, authid, role],
          denied: 'wamp.error.not_authorized',
        })
        expect(server.news.pop()).toBe(serializer)
      }
    }
  })

  test('is refused with a wrong secret', async () => {
    const server = await router(serving)
    for (const url of ways(server)) {
      const answer = await attempt({ ...wrong, url })
      expect(answer).toEqual({ abort: [FAILED, DENIED], failed: [] })
    }
  })
})

test.each(['ticket', 'wampcra', 'scram', 'cryptosign'])(
  '%s: an unknown authid is refused as a wrong secret is',
  async (method) => {
    const { url } = await router()
    const given = { ticket: { ticket: 'a' }, wampcra: { secret: 'a' }, scram: { password: 'a' } } as const
    const login = secret(method, 'jim', given[method as keyof typeof given] ?? { privkey: PRIVATE_KEY })
    expect(await attempt({ ...login, url })).toEqual({ abort: [FAILED, DENIED], failed: [] })
  },
)

test('without a method, and with the method anonymous, a session is anonymous', async () => {
  const { url } = await router()
  for (const login of [{}, { authenticators: { anonymous: {} } }]) {
    expect(await attempt({ ...login, url })).toMatchObject({
      welcome: { authid: expect.stringMatching(/^[0-9a-z]{16,}$/), authrole: role, authmethod: 'anonymous' },
      denied: 'wamp.error.not_authorized',
    })
  }
})

test('of several methods the router takes the first, and the refusal lists those that it has', async () => {
  const { url } = await router()
  const several = {
    scram: { authid: 'joe', password: 'pencil' },
    cryptosign: { authid: 'joe', privkey: PRIVATE_KEY },
    ticket: { authid: 'joe', ticket: 'secret!!!' },
  }
  expect(await attempt({ authenticators: several, url })).toMatchObject({ welcome: { authmethod: 'scram' } })
  expect(await attempt({ join: { authmethods: ['scram-plus'] }, url })).toEqual({
    abort: [
      'wamp.error.no_matching_auth_method',
      'this router knows the authmethods ticket, wampcra, scram, cryptosign, cookie, tls, anonymous',
    ],
    failed: [],
  })
})

test('cryptosign: the proof of the router, which autobahn does not verify, does not disturb it', async () => {
  const { url } = await router()
  const login = secret('cryptosign', 'joe', { privkey: PRIVATE_KEY, authextra: { challenge: '00'.repeat(32) } })
  expect(await attempt({ ...login, url })).toMatchObject({ welcome: { authmethod: 'cryptosign' } })
})

const bound = (channel_binding: string) => ({
  ...secret('cryptosign', 'joe', { privkey: PRIVATE_KEY, authextra: { channel_binding } }),
  tls: { ca: cert },
})

test('cryptosign, bound by tls-unique on TLS 1.3, for which it is not defined (RFC 9266), needs the dialect', async () => {
  const serving = { tls: { key, cert, minVersion: 'TLSv1.3' } } as const
  const { url } = await router(serving, { dialect })
  expect(await attempt({ ...bound('tls-unique'), url })).toMatchObject({ welcome: { authmethod: 'cryptosign' } })
  const strict = await router(serving)
  expect(await attempt({ ...bound('tls-unique'), url: strict.url })).toEqual({
    abort: [
      FAILED,
      `this connection cannot be bound by "tls-unique": that needs TLS 1.2, or the dialect 'crossbar', and a client in Node`,
    ],
    failed: [],
  })
})

describe('what autobahn for Python cannot do with any router', () => {
  test('SCRAM by pbkdf2: it passes the text of the salt to a function that takes bytes', async () => {
    const { url } = await router()
    expect(await attempt({ ...secret('scram', 'pbkdf2', { password: 'pencil' }), url })).toMatchObject({
      failed: ['Invalid argument types'],
    })
  })

  test('tls-exporter: it knows no channel binding but tls-unique', async () => {
    const { url } = await router({ tls: { key, cert } })
    expect(await attempt({ ...bound('tls-exporter'), url })).toMatchObject({
      failed: ['invalid channel_id_type "tls-exporter"'],
    })
  })
})
