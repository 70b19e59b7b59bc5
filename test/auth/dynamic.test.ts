/** Procedures and functions that find principals and decide: their arguments, their absence, and who may register them. */

import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ClientOptions, WampClient, WampError } from 'wampy-ts'
import { cryptosign, generateKey, scram, ticket, wampcra } from 'wampy-ts/auth'
import {
  anonymousAuth,
  cryptosignAuth,
  deriveCraKey,
  fromProcedure,
  scramAuth,
  scramSecret,
  ticketAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import { Router, type RouterOptions } from 'wampy-ts/router'
import { linked } from '../../src/session/linked.ts'

afterEach(() => vi.restoreAllMocks())

const FAILED = 'wamp.error.authentication_failed'
const DENIED = 'wamp.error.not_authorized'
const AUTHENTICATE = 'com.example.authenticate'
const backend = { backend: { ticket: 'b', role: 'backend' } }

function clientOf(
  router: ClientOptions['router'],
  auth: NonNullable<ClientOptions['auth']>,
  options: ClientOptions = {},
) {
  const client = new WampClient({ router, auth, reconnect: false, ...options } as ClientOptions)
  client.on('error', () => {})
  onTestFinished(() => client.stop())
  return client
}

async function joined(...args: Parameters<typeof clientOf>): Promise<WampClient> {
  const client = clientOf(...args)
  await client.start()
  return client
}

describe('a dynamic authenticator', () => {
  const keys = generateKey()
  const methods = {
    ticket: async () => ({
      router: ticketAuth(fromProcedure(AUTHENTICATE, { realm: 'backends' })),
      client: ticket('joe', 'secret'),
      answer: { role: 'user', ticket: 'secret' },
      credentials: { ticket: 'secret' },
    }),
    wampcra: async () => ({
      router: wampcraAuth(fromProcedure(AUTHENTICATE, { realm: 'backends' })),
      client: wampcra('joe', 'secret'),
      answer: {
        role: 'user',
        secret: await deriveCraKey('secret', { salt: 's', iterations: 10 }),
        salt: 's',
        iterations: 10,
      },
      credentials: {},
    }),
    'wamp-scram': async () => ({
      router: scramAuth(fromProcedure(AUTHENTICATE, { realm: 'backends' })),
      client: scram('joe', 'secret'),
      answer: { role: 'user', ...(await scramSecret('secret', { iterations: 4096 })) },
      credentials: {},
    }),
    cryptosign: async () => ({
      router: cryptosignAuth(fromProcedure(AUTHENTICATE, { realm: 'backends' })),
      client: cryptosign({ authid: 'joe', key: (await keys).privateKey }),
      answer: { role: 'user', authorized_keys: [(await keys).publicKey] },
      credentials: {},
    }),
  }

  test.each(Object.entries(methods))('of %s', async (name, make) => {
    const { router: method, client, answer, credentials } = await make()
    const router = new Router({
      realms: ['realm1', 'backends'],
      auth: { realm1: [method], backends: [ticketAuth(backend)] },
      loginLimits: false,
    })
    // Absent: refused, as a wrong secret is.
    await expect(clientOf(router, [client]).start()).rejects.toMatchObject({ uri: FAILED })
    const service = await joined(router, [ticket('backend', 'b')], { realm: 'backends' })
    const calls: unknown[] = []
    let result: unknown = answer
    await service.register(AUTHENTICATE, (args) => {
      calls.push(args)
      if (result instanceof Error) throw result
      return result
    })
    expect((await joined(router, [client])).session).toMatchObject({
      authid: 'joe',
      authrole: 'user',
      authprovider: 'dynamic',
    })
    expect(calls[0]).toMatchObject(['realm1', 'joe', { authmethod: name, session: expect.any(Number), ...credentials }])
    for (const failing of [new Error('no database'), new WampError('com.example.no'), null, 7]) {
      result = failing
      await expect(clientOf(router, [client]).start()).rejects.toMatchObject({
        uri: FAILED,
        message: 'the credentials are not valid here',
      })
    }
  })

  test('may return the `pubkey` of its principal, as for Crossbar.io: a session with another key is refused', async () => {
    const router = new Router({ auth: [cryptosignAuth(fromProcedure(AUTHENTICATE))] })
    const service = await joined(router.trusted, [])
    const { publicKey, privateKey } = await keys
    let principal: object = { role: 'user', pubkey: publicKey.toUpperCase() }
    await service.register(AUTHENTICATE, () => principal)
    const login = async (key: string) => clientOf(router, [cryptosign({ authid: 'joe', key })]).start()
    await login(privateKey)
    const other = (await generateKey()).privateKey
    for (const given of [principal, { role: 'user', authorized_keys: null }, { role: 'user', authorized_keys: [] }]) {
      principal = given
      await expect(login(other)).rejects.toMatchObject({ uri: FAILED, message: 'the credentials are not valid here' })
    }
  })

  test('may return a `realm`, as for Crossbar.io: a session that asked for another one is refused', async () => {
    const router = new Router({ auth: [ticketAuth(fromProcedure(AUTHENTICATE))] })
    const service = await joined(router.trusted, [])
    let realm = 'realm1'
    await service.register(AUTHENTICATE, () => ({ role: 'user', realm }))
    expect((await joined(router, [ticket('joe', 'a')])).session.realm).toBe('realm1')
    realm = 'realm2'
    await expect(clientOf(router, [ticket('joe', 'a')]).start()).rejects.toMatchObject({
      uri: 'wamp.error.no_such_principal',
      message: '"joe" may not join "realm1"',
    })
  })

  test('may return only a role if it verifies the ticket itself', async () => {
    const router = new Router({ auth: [ticketAuth(fromProcedure(AUTHENTICATE))] })
    const service = await joined(router.trusted, [])
    await service.register(AUTHENTICATE, ([, authid, details]) => {
      if ((details as { ticket: string }).ticket === `${authid}!`) return 'user'
      throw new WampError('com.example.denied')
    })
    expect((await joined(router, [ticket('joe', 'joe!')])).session.authrole).toBe('user')
    await expect(clientOf(router, [ticket('joe', 'joe')]).start()).rejects.toMatchObject({ uri: FAILED })
  })

  test('is registered only by a session with a principal in a table, by no pattern either', async () => {
    const router = new Router({
      auth: [ticketAuth(backend), wampcraAuth(fromProcedure(AUTHENTICATE)), anonymousAuth()],
    })
    const guest = await joined(router, [])
    for (const [uri, match] of [
      [AUTHENTICATE, 'exact'],
      ['com.example', 'prefix'],
      ['', 'prefix'],
      ['com..authenticate', 'wildcard'],
    ] as const) {
      await expect(guest.register(uri, () => 'admin', { match })).rejects.toMatchObject({ uri: DENIED })
    }
    await guest.register('com.example.other', () => 1)
    const service = await joined(router, [ticket('backend', 'b')])
    await service.register(AUTHENTICATE, () => null)
  })

  test('that comes late is awaited by a client whose `reconnect` is a function, which is asked after refusals too', async () => {
    const router = new Router({ auth: [ticketAuth(fromProcedure(AUTHENTICATE))], loginLimits: false })
    const causes: string[] = []
    let service: WampClient | undefined
    const reconnect = (_: number, cause: WampError): number => {
      causes.push(cause.uri)
      if (!service) {
        service = clientOf(router.trusted, [])
        void service.start().then(() => service?.register(AUTHENTICATE, () => 'user'))
      }
      return 1
    }
    const client = await joined(router, [ticket('joe', 'a')], { reconnect })
    expect(client.session.authid).toBe('joe')
    expect(new Set(causes)).toEqual(new Set([FAILED]))
  })

  test('that never answers refuses after the time limit of decisions', async () => {
    const router = new Router({ auth: [ticketAuth(fromProcedure(AUTHENTICATE))], limits: { decision: 20 } })
    const service = await joined(router.trusted, [])
    await service.register(AUTHENTICATE, () => new Promise(() => {}))
    await expect(clientOf(router, [ticket('joe', 'a')]).start()).rejects.toMatchObject({ uri: FAILED })
  })
})

describe('a dynamic authorizer', () => {
  const AUTHORIZE = 'com.example.authorize'
  const people = ticketAuth({ joe: { ticket: 'a', role: 'user' }, ...backend })
  const authorize: RouterOptions['authorize'] = [
    { name: 'user', authorizer: AUTHORIZE },
    { name: 'backend', permissions: [{ uri: '', match: 'prefix', allow: { call: true, register: true } }] },
  ]
  const options = { auth: [people], authorize } satisfies RouterOptions

  test('decides about each action, with the arguments of Crossbar.io', async () => {
    const router = new Router(options)
    const service = await joined(router, [ticket('backend', 'b')])
    const calls: unknown[] = []
    await service.register(AUTHORIZE, (args) => {
      calls.push(args)
      return args[1] === 'com.open'
        ? true
        : { allow: args[2] === 'subscribe', disclose: { caller: true, publisher: false } }
    })
    const joe = await joined(router, [ticket('joe', 'a')])
    await joe.register('com.open', () => 1)
    await joe.subscribe('com.other', () => {})
    await expect(joe.call('com.other')).rejects.toMatchObject({ uri: DENIED })
    expect(calls[0]).toEqual([
      { session: joe.session.id, authid: 'joe', authrole: 'user', authmethod: 'ticket', authprovider: 'static' },
      'com.open',
      'register',
      { match: 'exact' },
    ])
  })

  test('receives the keys of options that WAMP does not define, and sets trust levels and control', async () => {
    const router = new Router(options)
    const service = await joined(router, [ticket('backend', 'b')])
    await service.register(AUTHORIZE, ([, uri, action, given]) => {
      const { _level: trustlevel } = given as { _level?: number }
      return {
        allow: true,
        trustlevel,
        control: uri === 'wamp.session.kill' || (action === 'register' && trustlevel === 9),
      }
    })
    const levels: unknown[] = []
    const note = (_args: unknown, _kwargs: unknown, { trustlevel }: { trustlevel?: number | undefined }): void => {
      levels.push(trustlevel)
    }
    await service.register('com.x', note)
    const joe = await joined(router, [ticket('joe', 'a')])
    await joe.subscribe('com.t', note)
    await joe.call('com.x', [], {}, { _level: 3 } as never)
    await joe.call('com.x')
    await joe.publish('com.t', [], {}, { _level: 5, exclude_me: false, acknowledge: true } as never)
    await joe.call('com.x', [], {}, { _level: 7 } as never)
    expect(levels).toEqual([3, undefined, 5, 7])
    const force = { force_reregister: true, _level: 8 } as never
    await expect(joe.register('com.x', note, force)).rejects.toMatchObject({ uri: DENIED })
    await joe.register('com.x', note, { force_reregister: true, _level: 9 } as never)
    await expect(joe.call('wamp.registration.remove_callee', [1, 1])).rejects.toMatchObject({ uri: DENIED })
    await joe.call('wamp.session.kill', [service.session.id])
    await vi.waitFor(() => expect(service.state).not.toBe('ready'), { interval: 2 })
  })

  test('discloses callers and publishers apart, as in Crossbar.io', async () => {
    const router = new Router(options)
    const service = await joined(router, [ticket('backend', 'b')])
    await service.register(AUTHORIZE, ([, uri]) => ({
      allow: true,
      disclose: { caller: uri === 'com.caller', publisher: uri === 'com.publisher' },
    }))
    const joe = await joined(router, [ticket('joe', 'a')])
    const heard: unknown[] = []
    for (const uri of ['com.caller', 'com.publisher']) {
      await service.register(uri, (_args, _kwargs, { caller_authid }) => void heard.push([uri, caller_authid]))
      await joe.subscribe(uri, (_args, _kwargs, { publisher_authid }) => void heard.push([uri, publisher_authid]))
      await joe.publish(uri, [], {}, { exclude_me: false, acknowledge: true })
      await joe.call(uri)
    }
    expect(heard).toEqual([
      ['com.caller', undefined],
      ['com.caller', 'joe'],
      ['com.publisher', 'joe'],
      ['com.publisher', undefined],
    ])
  })

  test('decides about a pattern as a whole', async () => {
    const router = new Router(options)
    const service = await joined(router.trusted, [])
    await service.register(AUTHORIZE, ([, , , given]) => (given as { match: string }).match === 'prefix')
    const joe = await joined(router, [ticket('joe', 'a')])
    const heard: unknown[] = []
    await joe.subscribe('com.', (args) => void heard.push(...args), { match: 'prefix' })
    await expect(joe.subscribe('com.secret', () => {})).rejects.toMatchObject({ uri: DENIED })
    await service.publish('com.secret', ['heard'], {}, { acknowledge: true })
    await vi.waitFor(() => expect(heard).toEqual(['heard']), { interval: 2 })
  })

  test('that is absent, fails or is unclear refuses with authorization_failed', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const router = new Router(options)
    const joe = await joined(router, [ticket('joe', 'a')])
    await expect(joe.call('com.x')).rejects.toMatchObject({ uri: 'wamp.error.authorization_failed' })
    const service = await joined(router, [ticket('backend', 'b')])
    let answer: unknown
    await service.register(AUTHORIZE, () => {
      if (answer instanceof Error) throw answer
      return answer
    })
    for (const given of [new Error('no database'), 7, 'yes', {}, null]) {
      answer = given
      await expect(joe.call('com.x')).rejects.toMatchObject({ uri: 'wamp.error.authorization_failed' })
    }
  })

  test('with `cache` in its answer is called once, and again after a new registration or forgetDecisions()', async () => {
    const router = new Router(options)
    const service = await joined(router, [ticket('backend', 'b')])
    let asked = 0
    const authorizer = () => {
      asked++
      return { allow: true, cache: true }
    }
    const registration = await service.register(AUTHORIZE, authorizer)
    await service.register('com.x', () => 1)
    const joe = await joined(router, [ticket('joe', 'a')])
    for (let n = 0; n < 3; n++) await joe.call('com.x')
    expect(asked).toBe(1)
    router.forgetDecisions()
    await joe.call('com.x')
    expect(asked).toBe(2)
    await registration.unregister()
    await service.register(AUTHORIZE, authorizer)
    await joe.call('com.x')
    expect(asked).toBe(3)
  })
})

describe('failed logins', () => {
  /** A client at an address. */
  const from = (router: Router, address: string | undefined) => ({
    name: 'here',
    connect: async () => {
      const [ours, theirs] = linked()
      router.attach(ours, { type: 'linked' }, { address })
      return theirs
    },
  })
  const attempt = async (router: Router, address: string | undefined, secret: string, authid = 'joe') =>
    clientOf(from(router, address), [ticket(authid, secret)])
      .start()
      .then(
        () => 'joined',
        (error: WampError) => error.message,
      )
  const limited = (
    loginLimits: NonNullable<RouterOptions['loginLimits']> = { free: 2, delay: 5, maxDelay: 10, maxLock: 60_000 },
  ) => new Router({ auth: [ticketAuth({ joe: { ticket: 'a' } })], loginLimits })

  test('lock only their own address, for a growing time', async () => {
    const router = limited({ free: 2, delay: 60_000, maxDelay: 10, maxLock: 60_000 })
    const wrong = 'the credentials are not valid here'
    for (let n = 0; n < 3; n++) expect(await attempt(router, '192.0.2.1', 'wrong')).toBe(wrong)
    expect(await attempt(router, '192.0.2.1', 'a')).toMatch(
      /^too many failed logins from this address: try again in 60 s$/,
    )
    expect(await attempt(router, '192.0.2.2', 'a')).toBe('joined')
    expect(await attempt(router, undefined, 'a')).toBe('joined')
  })

  test('lock the network of an IPv6 address, all of which its client has', async () => {
    const router = limited({ free: 2, delay: 60_000, maxDelay: 10, maxLock: 60_000 })
    for (let n = 0; n < 3; n++) await attempt(router, `2001:db8::${n}:1`, 'wrong')
    expect(await attempt(router, '2001:db8:0:0:ffff::7', 'a')).toMatch(/^too many failed logins/)
    expect(await attempt(router, '2001:db8:0:1::1', 'a')).toBe('joined')
  })

  test('are counted for unknown principals alike', async () => {
    const router = limited({ free: 2, delay: 60_000, maxDelay: 10, maxLock: 60_000 })
    for (let n = 0; n < 3; n++) await attempt(router, '192.0.2.1', 'a', `jim${n}`)
    expect(await attempt(router, '192.0.2.1', 'a', 'jim')).toMatch(/^too many failed logins/)
  })

  test('delay their refusals on a loopback address without locking it out', async () => {
    const router = limited()
    for (let n = 0; n < 8; n++)
      expect(await attempt(router, '127.0.0.1', 'wrong')).toBe('the credentials are not valid here')
    expect(await attempt(router, '127.0.0.1', 'a')).toBe('joined')
  })

  test('are not delayed if the owner turns that off', async () => {
    const router = limited(false)
    for (let n = 0; n < 20; n++) await attempt(router, '192.0.2.1', 'wrong')
    expect(await attempt(router, '192.0.2.1', 'a')).toBe('joined')
  })
})
