/** Methods that depend on the connection: channel binding, client certificates and cookies. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { longPollDial, RpcClient, type WampError, WampRouter } from 'wampy-ts'
import {
  anonymous,
  type ClientAuth,
  type ConnectionFacts,
  cookie,
  cryptosign,
  generateKey,
  scram,
  ticket,
  tls,
} from 'wampy-ts/auth'
import {
  anonymousAuth,
  cookieAuth,
  cryptosignAuth,
  LoginCookies,
  scramAuth,
  scramSecret,
  ticketAuth,
  tlsAuth,
} from 'wampy-ts/auth/router'
import { dial, rawSocketDial, type Served, serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import WebSocket from 'ws'
import { cert, key } from '../node/certificate.ts'
import { clientWith, served } from './support.ts'

const FAILED = 'wamp.error.authentication_failed'
const keys = await generateKey()
const routerKeys = await generateKey()

describe('channel binding', () => {
  const methods = async () => [
    cryptosignAuth({ joe: { authorized_keys: [keys.publicKey] } }, { key: routerKeys.privateKey }),
    scramAuth({ joe: await scramSecret('pencil', { iterations: 4096 }) }),
  ]
  const clients: Readonly<Record<string, (binding: 'tls-exporter' | 'tls-unique') => ClientAuth>> = {
    cryptosign: (channelBinding) =>
      cryptosign({ key: keys.privateKey, authid: 'joe', channelBinding, routerKey: routerKeys.publicKey }),
    'wamp-scram': (channelBinding) => scram('joe', 'pencil', { channelBinding }),
  }
  const versions = { 'tls-exporter': 'TLSv1.3', 'tls-unique': 'TLSv1.2' } as const

  test.each(
    Object.keys(clients).flatMap((method) =>
      (['tls-exporter', 'tls-unique'] as const).map((binding) => [method, binding] as const),
    ),
  )('%s by %s over WebSocket and RawSocket', async (method, binding) => {
    const version = versions[binding]
    const { url, rawSocketUrl = '' } = await served(
      { auth: await methods() },
      { tls: { key, cert, minVersion: version, maxVersion: version } },
    )
    for (const router of [
      new WampRouter({ url, dial: dial({ ca: cert }) }),
      new WampRouter({ url: rawSocketUrl, dial: rawSocketDial({ ca: cert }) }),
    ]) {
      const client = clientWith([(clients[method] as (typeof clients)[string])(binding)], { router })
      await client.start()
      expect(client.session).toMatchObject({ authid: 'joe', authmethod: method })
      await client.stop()
    }
  })

  test.each([
    ['without TLS', undefined, 'tls-exporter'],
    ['of TLS 1.3 on TLS 1.2', 'TLSv1.2', 'tls-exporter'],
    ['of TLS 1.2 on TLS 1.3', 'TLSv1.3', 'tls-unique'],
  ] as const)('%s is refused', async (_, version, binding) => {
    const tlsOptions = version && { tls: { key, cert, minVersion: version, maxVersion: version } }
    const { url } = await served({ auth: await methods() }, tlsOptions)
    for (const method of Object.values(clients)) {
      const client = clientWith([method(binding)], { router: new WampRouter({ url, dial: dial({ ca: cert }) }) })
      await expect(client.start()).rejects.toMatchObject({
        uri: FAILED,
        message: expect.stringContaining('connection cannot be bound'),
      })
    }
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('tls-unique of Crossbar.io’s dialect on %s', async (version) => {
    const serving = { tls: { key, cert, minVersion: version, maxVersion: version } }
    const principals = { joe: { authorized_keys: [keys.publicKey] } }
    const { url, rawSocketUrl = '' } = await served(
      { auth: [cryptosignAuth(principals, { dialect: 'crossbar' })] },
      serving,
    )
    const auth = [cryptosign({ key: keys.privateKey, channelBinding: 'tls-unique', dialect: 'crossbar' })]
    for (const router of [
      new WampRouter({ url, dial: dial({ ca: cert }) }),
      new WampRouter({ url: rawSocketUrl, dial: rawSocketDial({ ca: cert }) }),
    ]) {
      const client = clientWith(auth, { router })
      await client.start()
      expect(client.session).toMatchObject({ authid: 'joe', authmethod: 'cryptosign' })
    }
  })

  const channelBinding = 'tls-exporter'
  test.each([
    cryptosign({ key: keys.privateKey, authid: 'joe', channelBinding }),
    scram('joe', 'pencil', { channelBinding }),
  ])('of $method: a proof for another connection is refused', async (honest) => {
    // Like an attacker in between, who relays the client's messages to the router.
    const { url } = await served({ auth: await methods() }, { tls: { key, cert } })
    const relayed: ClientAuth = {
      ...honest,
      begin: (context) => honest.begin({ ...context, channelBinding: () => new Uint8Array(32).fill(7) }),
    }
    const client = clientWith([relayed], { router: new WampRouter({ url, dial: dial({ ca: cert }) }) })
    await expect(client.start()).rejects.toMatchObject({ uri: FAILED, message: 'the credentials are not valid here' })
  })
})

describe('a TLS client certificate', () => {
  const asking = { tls: { key, cert, ca: cert, requestCert: true, rejectUnauthorized: false } }
  const fingerprint = () => {
    const { createHash, X509Certificate } = process.getBuiltinModule('node:crypto')
    return createHash('sha256').update(new X509Certificate(cert).raw).digest('hex')
  }

  test('joins over WebSocket and RawSocket', async () => {
    const auth = [tlsAuth({ localhost: { authid: 'joe', role: 'device', fingerprints: [fingerprint()] } })]
    const { url, rawSocketUrl = '' } = await served({ auth }, asking)
    for (const router of [
      new WampRouter({ url, dial: dial({ ca: cert, cert, key }) }),
      new WampRouter({ url: rawSocketUrl, dial: rawSocketDial({ ca: cert, cert, key }) }),
    ]) {
      const client = clientWith([tls()], { router })
      await client.start()
      expect(client.session).toMatchObject({ authid: 'joe', authrole: 'device', authmethod: 'tls' })
    }
  })

  test('that is missing leaves the next method; another fingerprint is refused', async () => {
    const auth = [tlsAuth({ localhost: { fingerprints: ['00'] } }), anonymousAuth()]
    const { url } = await served({ auth }, asking)
    const without = clientWith([tls(), anonymous()], { router: new WampRouter({ url, dial: dial({ ca: cert }) }) })
    await without.start()
    expect(without.session.authmethod).toBe('anonymous')
    const wrong = clientWith([tls()], { router: new WampRouter({ url, dial: dial({ ca: cert, cert, key }) }) })
    await expect(wrong.start()).rejects.toMatchObject({ uri: FAILED })
  })
})

describe('a cookie', () => {
  test('of the application joins; an unknown one, and none, do not', async () => {
    const sessions = new Map([['s3cret', { authid: 'joe', role: 'shopper' }]])
    const { url, longPollUrl = '' } = await served({
      auth: [cookieAuth({ name: 'sid', principals: (sid) => sessions.get(sid) }), anonymousAuth()],
    })
    const as = async (value: string | undefined, auth = [cookie()]) => {
      const headers = value === undefined ? {} : { cookie: `a=b; sid=${value}; sid=second` }
      const client = clientWith(auth, { router: new WampRouter({ url, dial: dial({ headers }) }) })
      await client.start()
      return client.session
    }
    expect(await as('s3cret')).toMatchObject({ authid: 'joe', authrole: 'shopper', authmethod: 'cookie' })
    await expect(as('other')).rejects.toMatchObject({ uri: FAILED })
    await expect(as(undefined)).rejects.toMatchObject({ uri: 'wamp.error.no_matching_auth_method' })
    expect(await as(undefined, [cookie(), anonymous()])).toMatchObject({ authmethod: 'anonymous' })

    const polling = longPollDial({ headers: { cookie: 'sid=s3cret' } })
    const client = clientWith([cookie()], { router: new WampRouter({ url: longPollUrl, dial: polling }) })
    await client.start()
    expect(client.session.authid).toBe('joe')
  })

  /** The Set-Cookie header of a handshake. */
  const handshake = (url: string, headers: Record<string, string> = {}) =>
    new Promise<string>((resolve, reject) => {
      const socket = new WebSocket(url, ['wamp.2.json'], { headers, ca: cert })
      socket.on('upgrade', ({ headers: answer }) => resolve(String(answer['set-cookie'])))
      socket.on('open', () => socket.close())
      socket.on('error', reject)
    })

  test.each([
    ['', {}, /^wampy=[0-9a-f]{64}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/],
    [' over TLS', { tls: { key, cert } }, /; HttpOnly; SameSite=Lax; Secure$/],
  ])('of this library is set by the handshake%s', async (_, serving, expected) => {
    const cookies = new LoginCookies()
    const { url } = await served({ auth: [cookies.auth, anonymousAuth()] }, { cookies, ...serving })
    expect(await handshake(url)).toMatch(expected)
    // A value that another planted is not adopted.
    expect(await handshake(url, { cookie: `wampy=${'0'.repeat(64)}` })).not.toContain('0'.repeat(64))
  })

  test('of this library remembers a login until the client logs out', async () => {
    const cookies = new LoginCookies()
    const auth = [cookies.auth, ticketAuth({ joe: { ticket: 'a' } })]
    const { url } = await served({ auth }, { cookies })
    const [pair = ''] = (await handshake(url)).split(';')
    let jar = pair
    const join = async (methods: ClientAuth[]) => {
      const client = clientWith(methods, { router: new WampRouter({ url, dial: dial({ headers: { cookie: jar } }) }) })
      await client.start()
      return client
    }
    // Not yet remembered: the handshake issues a new value, as a browser would take it.
    await expect(join([cookie()])).rejects.toMatchObject({ uri: 'wamp.error.no_matching_auth_method' })
    const issued = new Promise<string>((resolve) => {
      const socket = new WebSocket(url, ['wamp.2.json'])
      socket.on('upgrade', ({ headers }) => {
        jar = String(headers['set-cookie']).split(';')[0] as string
      })
      socket.on('open', () =>
        socket.send(JSON.stringify([1, 'realm1', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'joe' }])),
      )
      socket.on('message', (data) => {
        const [code] = JSON.parse(String(data))
        if (code === 4) socket.send(JSON.stringify([5, 'a', {}]))
        if (code === 2) {
          socket.close()
          resolve(jar)
        }
      })
    })
    expect(await issued).toMatch(/^wampy=/)
    const remembered = await join([cookie()])
    expect(remembered.session).toMatchObject({ authid: 'joe', authmethod: 'cookie', authprovider: 'cookie' })
    await remembered.logout()
    await expect(join([cookie()])).rejects.toMatchObject({ uri: 'wamp.error.no_matching_auth_method' })
  })

  test('of this library that was planted in a browser does not share the logins of its user', () => {
    const cookies = new LoginCookies()
    const usable = (connection: ConnectionFacts, realm: string) =>
      cookies.auth.usable?.({ realm, authid: undefined, authextra: {}, connection }) === true
    const mallory = cookies.issue({}, false).facts
    mallory.remember?.({ authid: 'mallory', authrole: 'user' }, 'a')
    const victim = cookies.issue({ cookies: mallory.cookies }, false).facts
    expect(victim.cookies).toEqual(mallory.cookies)

    victim.remember?.({ authid: 'joe', authrole: 'admin' }, 'b')
    expect(usable(mallory, 'b')).toBe(false)
    expect(usable(mallory, 'a')).toBe(true)
    // The page must not be that of mallory when it is loaded again.
    victim.remember?.({ authid: 'joe', authrole: 'admin' }, 'a')
    expect(usable(victim, 'a')).toBe(false)

    const fresh = cookies.issue({ cookies: mallory.cookies }, false).facts
    expect(fresh.cookies).not.toEqual(mallory.cookies)
    fresh.remember?.({ authid: 'joe', authrole: 'admin' }, 'a')
    const again = cookies.issue({ cookies: fresh.cookies }, false).facts
    again.remember?.({ authid: 'joe', authrole: 'admin' }, 'a')
    expect(usable(again, 'a')).toBe(true)
  })

  test('of this library is replaced when its login has expired', () => {
    const cookies = new LoginCookies()
    const { facts } = cookies.issue({}, false)
    facts.remember?.({ authid: 'joe', authrole: 'user', expires: Date.now() }, 'a')
    const later = cookies.issue({ cookies: facts.cookies }, false).facts
    expect(later.cookies).not.toEqual(facts.cookies)
  })

  test('of this library is forgotten by its authid', async () => {
    const cookies = new LoginCookies()
    const { facts } = cookies.issue({}, false)
    facts.remember?.({ authid: 'joe', authrole: 'user' }, 'a')
    expect(cookies.auth.usable?.({ realm: 'a', authid: undefined, authextra: {}, connection: facts })).toBe(true)
    cookies.forget('joe')
    expect(cookies.auth.usable?.({ realm: 'a', authid: undefined, authextra: {}, connection: facts })).toBe(false)
  })

  test('of this library counts in the realm of its login only, and a logout there keeps other logins', () => {
    const cookies = new LoginCookies()
    const { facts } = cookies.issue({}, false)
    const usable = (realm: string) =>
      cookies.auth.usable?.({ realm, authid: undefined, authextra: {}, connection: facts }) === true
    facts.remember?.({ authid: 'joe', authrole: 'admin' }, 'a')
    expect(['a', 'b'].filter(usable)).toEqual(['a'])
    facts.remember?.({ authid: 'joe', authrole: 'guest' }, 'b')
    expect(['a', 'b'].filter(usable)).toEqual(['a', 'b'])
    facts.forget?.('a')
    expect(['a', 'b'].filter(usable)).toEqual(['b'])
    cookies.forgetWhere(({ authrole }, realm) => authrole === 'guest' && realm === 'b')
    expect(['a', 'b'].filter(usable)).toEqual([])
  })

  /** Logs a page in by the cookie of its visitor; resolves to its authid. */
  const visit = async ({ url, longPollUrl = '' }: Served, transport: string, origin: string) => {
    const headers = { cookie: 'sid=1' }
    const router =
      transport === 'websocket'
        ? new WampRouter({ url, dial: dial({ headers, origin }) })
        : new WampRouter({ url: longPollUrl, dial: longPollDial({ headers: { ...headers, origin } }) })
    const client = clientWith([cookie(), anonymous()], { router })
    await client.start()
    return client.session.authmethod
  }
  const byCookie = () => [cookieAuth({ name: 'sid', principals: () => ({ authid: 'joe' }) }), anonymousAuth()]

  describe.each([
    ['websocket', '127.0.0.1'],
    ['websocket', '0.0.0.0'],
    ['longpoll', '127.0.0.1'],
    ['longpoll', '0.0.0.0'],
  ])('over %s at %s', (transport, host) => {
    test.each(['https://evil.example', 'http://localhost.evil.example', 'null', 'https://shop.example:8443'])(
      'a page of %s is refused',
      async (origin) => {
        for (const origins of [undefined, ['https://shop.example']]) {
          const server = await served({ auth: byCookie() }, { host, origins })
          const error = await visit(server, transport, origin).catch((reason: WampError) => reason)
          expect(error).toMatchObject({ uri: 'wampy.error.connection_failed' })
          expect(server.router.stats().sessions).toBe(0)
        }
      },
    )

    test('a page of the same host, or of a listed origin, is not', async () => {
      const server = await served({ auth: byCookie() }, { host, origins: ['https://shop.example'] })
      const own = `http://${new URL(server.url).host}`
      expect(await visit(server, transport, own)).toBe('cookie')
      expect(await visit(server, transport, 'https://shop.example')).toBe('cookie')
    })
  })

  test.each(['websocket', 'longpoll'])(
    'of the visitor of another page is not read where a server accepts all pages, over %s',
    async (transport) => {
      const router = new Router({ auth: byCookie() })
      // Hides that the router authenticates by cookies.
      const hiding = { attach: (...given: Parameters<Router['attach']>) => router.attach(...given) }
      const server = await serve(hiding, { port: 0, origins: '*', longPoll: true, cookies: new LoginCookies() })
      onTestFinished(async () => {
        await router.close()
        await server.close()
      })
      expect(await visit(server, transport, 'https://evil.example')).toBe('anonymous')
      expect(await visit(server, transport, `http://${new URL(server.url).host}`)).toBe('cookie')
      if (transport === 'websocket') {
        expect(await handshake(server.url, { origin: 'https://evil.example' })).toBe('undefined')
      }
    },
  )

  test.each([{ origins: '*' }, { origins: ['*'] }, { longPoll: { origins: '*' } }] as const)(
    'a router with cookie authentication cannot allow every origin by %j',
    async (options) => {
      await expect(serve(new Router({ auth: byCookie() }), { port: 0, ...options })).rejects.toMatchObject({
        uri: 'wampy.error.usage',
        message: expect.stringContaining('list the origins of your pages'),
      })
    },
  )
})

test('an RpcClient logs in by its first call', async () => {
  const { url } = await served({ auth: [ticketAuth({ joe: { ticket: 'a' } })] })
  const client = new RpcClient({ router: url, auth: [ticket('joe', 'a')] })
  onTestFinished(() => client.stop())
  expect(await client.call('wamp.session.count')).toBe(1)
})
