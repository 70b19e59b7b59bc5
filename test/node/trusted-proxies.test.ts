/** Behind a proxy: the headers X-Forwarded-* count from listed proxies only, and change nothing for any other peer. */

import { once } from 'node:events'
import { createServer, request as httpRequest, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { longPollDial, WampClient, WampRouter } from 'wampy-ts'
import { anonymous, ticket, tls } from 'wampy-ts/auth'
import { anonymousAuth, LoginCookies, ticketAuth, tlsAuth } from 'wampy-ts/auth/router'
import { dial, type ServeOptions, serve } from 'wampy-ts/node'
import { Router, type RouterOptions } from 'wampy-ts/router'
import WebSocket from 'ws'
import { cert, key } from './certificate.ts'

async function served(serving: ServeOptions = {}, options: RouterOptions = {}) {
  const router = new Router({ controlOthers: true, auth: [anonymousAuth()], ...options })
  const server = await serve(router, { port: 0, longPoll: true, trustedProxies: 'loopback', ...serving })
  onTestFinished(async () => {
    await router.close()
    await server.close()
  })
  const { url, longPollUrl = '' } = server
  return { router, url, longPollUrl, port: server.port }
}

type Headers = Readonly<Record<string, string>>

/** The description of a connection with these headers, as the session meta API shows it. */
async function transportOf(router: Router, way: WampRouter) {
  const client = new WampClient({ router: way, reconnect: false })
  await client.start()
  const { transport } = await client.call<{ transport: object }>('wamp.session.get', [client.session.id])
  await client.stop()
  expect(router.stats().sessions).toBe(0)
  return transport as { peer?: string; tls?: string }
}

async function peerBehind(forwardedFor: string, trustedProxies?: ServeOptions['trustedProxies']) {
  const { router, url } = await served({ trustedProxies })
  const headers = { 'x-forwarded-for': forwardedFor }
  const { peer } = await transportOf(router, new WampRouter({ url, dial: dial({ headers }) }))
  return peer
}

/** The status of the answer to a handshake, and its cookie. */
function handshake(url: string, headers: Headers, options: object = {}): Promise<{ status?: number; cookie: string }> {
  const socket = new WebSocket(url, ['wamp.2.json'], { headers, ...options }).on('error', () => {})
  onTestFinished(() => socket.terminate())
  return new Promise((resolve) => {
    for (const event of ['upgrade', 'unexpected-response'] as const)
      socket.on(event, (...args: unknown[]) => {
        const { statusCode, headers: answer } = args.at(-1) as { statusCode: number; headers: NodeJS.Dict<string[]> }
        resolve({ status: statusCode, cookie: String(answer['set-cookie']) })
      })
  })
}

const OWN = /^tcp4:127\.0\.0\.1:\d+$/

describe('the address of a client', () => {
  test.each([
    ['198.51.100.7', 'tcp4:198.51.100.7'],
    ['198.51.100.7:5000', 'tcp4:198.51.100.7'],
    ['2001:DB8::7', 'tcp6:[2001:db8::7]'],
    ['[2001:db8::7]:5000', 'tcp6:[2001:db8::7]'],
    ['::ffff:198.51.100.7', 'tcp4:198.51.100.7'],
    // The client wrote the left one itself.
    ['127.0.0.1, 198.51.100.7', 'tcp4:198.51.100.7'],
    ['203.0.113.1,198.51.100.7', 'tcp4:198.51.100.7'],
    ['garbage, 198.51.100.7', 'tcp4:198.51.100.7'],
    // Two proxies.
    ['203.0.113.1, 198.51.100.7, 10.1.2.3', 'tcp4:198.51.100.7'],
    ['198.51.100.7, 10.1.2.3, 2001:db8:1::1', 'tcp4:198.51.100.7'],
    // A client on the machine of a proxy.
    ['10.9.9.9, 127.0.0.1', 'tcp4:10.9.9.9'],
  ])('%s is %s', async (header, peer) => {
    expect(await peerBehind(header, ['loopback', '10.0.0.0/8', '2001:db8:1::/48'])).toBe(peer)
  })

  test.each(['', ',', 'unknown', '_hidden', '198.51.100.7, ', '198.51.100', '999.1.1.1', '198.51.100.7, x, 10.1.2.3'])(
    'in a malformed header (%j) is that of the proxy',
    async (header) => {
      expect(await peerBehind(header, ['127.0.0.1', '10.0.0.0/8'])).toMatch(OWN)
    },
  )

  test.each<[ServeOptions['trustedProxies']]>([[undefined], [['10.0.0.0/8']], [['127.0.0.2', '::/0', '::/64']]])(
    'is that of the peer, if only %j are trusted',
    async (trustedProxies) => {
      expect(await peerBehind('198.51.100.7', trustedProxies)).toMatch(OWN)
    },
  )

  test('over IPv6, from a range', async () => {
    const { router, url } = await served({ host: '::1', trustedProxies: ['::/64'] })
    const headers = { 'x-forwarded-for': '198.51.100.7' }
    const { peer } = await transportOf(router, new WampRouter({ url, dial: dial({ headers }) }))
    expect(peer).toBe('tcp4:198.51.100.7')
  })

  test('by long polls', async () => {
    const { router, longPollUrl } = await served()
    const way = longPollDial({ headers: { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' } })
    expect(await transportOf(router, new WampRouter({ url: longPollUrl, dial: way }))).toMatchObject({
      type: 'longpoll',
      peer: 'tcp4:198.51.100.7',
      tls: 'proxy',
    })
  })

  test('through the socket file of an existing server', async () => {
    const path = join(tmpdir(), `wampy-proxy-${process.pid}.sock`)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    onTestFinished(() => void server.close())
    const { router } = await served({ server })
    const headers = { 'x-forwarded-for': '198.51.100.7' }
    const way = new WampRouter({ url: `ws+unix:${path}:/ws`, dial: dial({ headers }) })
    expect(await transportOf(router, way)).toMatchObject({ peer: 'tcp4:198.51.100.7' })
  })
})

describe('failed logins', () => {
  const options = (): RouterOptions => ({
    auth: [ticketAuth({ joe: { ticket: 'pencil' } }), anonymousAuth()],
    loginLimits: { free: 1, delay: 60_000, maxDelay: 0 },
  })

  /** The text of the refusal of a login with a wrong secret. */
  async function wrongLogin(url: string, forwardedFor: string): Promise<string> {
    const router = new WampRouter({ url, dial: dial({ headers: { 'x-forwarded-for': forwardedFor } }) })
    const client = new WampClient({ router, auth: [ticket('joe', 'wrong')], reconnect: false })
    return client.start().then(
      () => 'joined',
      (error: Error) => error.message,
    )
  }

  test('lock the address that the proxy states, and nobody else behind it', async () => {
    const { url } = await served({}, options())
    const locked = expect.stringContaining('too many failed logins from this address')
    for (let n = 0; n < 2; n++) expect(await wrongLogin(url, '198.51.100.7')).not.toEqual(locked)
    expect(await wrongLogin(url, '198.51.100.7')).toEqual(locked)
    // What a client writes itself stands to the left.
    expect(await wrongLogin(url, '203.0.113.9, 198.51.100.7')).toEqual(locked)
    expect(await wrongLogin(url, '203.0.113.9')).not.toEqual(locked)
  })

  test('of a peer that is not a proxy lock no other address', async () => {
    const { url } = await served({ trustedProxies: undefined }, options())
    const locked = expect.stringContaining('too many failed logins from this address')
    for (let n = 0; n < 4; n++) expect(await wrongLogin(url, '198.51.100.7')).not.toEqual(locked)
  })
})

describe('TLS and the host', () => {
  const cookies = () => new LoginCookies()
  test.each([
    [{ 'x-forwarded-proto': 'https' }, 'loopback', true],
    [{ 'x-forwarded-proto': 'WSS' }, 'loopback', true],
    [{ 'x-forwarded-proto': 'http' }, 'loopback', false],
    [{ 'x-forwarded-proto': 'gopher' }, 'loopback', false],
    [{ 'x-forwarded-proto': 'https' }, ['10.0.0.1'], false],
    // Of two proxies that add to the list, the first one terminates TLS; what the client wrote stands to the left.
    [{ 'x-forwarded-for': '198.51.100.7, 127.0.0.9', 'x-forwarded-proto': 'https, http' }, 'loopback', true],
    [{ 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https, http' }, 'loopback', false],
  ] as const)('%j from %j: Secure cookies are %s', async (headers, trustedProxies, secure) => {
    const { url } = await served({ trustedProxies, cookies: cookies() })
    const { status, cookie } = await handshake(url, headers as Headers)
    expect(status).toBe(101)
    expect(/; Secure$/.test(cookie)).toBe(secure)
  })

  test('a proxy that speaks TLS to the router and not to its client', async () => {
    const { router, url } = await served({ tls: { key, cert } })
    const headers = { 'x-forwarded-proto': 'http' }
    const { tls: version } = await transportOf(
      router,
      new WampRouter({ url, dial: dial({ headers, rejectUnauthorized: false }) }),
    )
    expect(version).toBeUndefined()
  })

  const own = { origin: 'https://shop.example' }
  test.each([
    [{ ...own, 'x-forwarded-host': 'shop.example' }, 'loopback', 101],
    [{ ...own, 'x-forwarded-host': 'Shop.Example' }, 'loopback', 101],
    [{ ...own, 'x-forwarded-host': 'shop.example:443', 'x-forwarded-proto': 'https' }, 'loopback', 101],
    [{ ...own, 'x-forwarded-host': 'shop.example:8443' }, 'loopback', 403],
    [{ ...own, 'x-forwarded-host': 'other.example' }, 'loopback', 403],
    [{ ...own, 'x-forwarded-host': 'other.example', host: 'shop.example' }, 'loopback', 403],
    [{ ...own, 'x-forwarded-host': 'shop.example, inner.example' }, 'loopback', 403],
    [{ ...own, 'x-forwarded-host': 'inner.example, shop.example' }, 'loopback', 101],
    // Malformed: the Host of the request counts.
    [{ ...own, 'x-forwarded-host': 'shop.example/x', host: 'shop.example' }, 'loopback', 101],
    [{ ...own, 'x-forwarded-host': 'user@shop.example' }, 'loopback', 403],
    [{ ...own, 'x-forwarded-host': 'shop.example' }, ['10.0.0.1'], 403],
    [own, 'loopback', 403],
  ] as const)('%j from %j: %s', async (headers, trustedProxies, expected) => {
    const { url, longPollUrl } = await served({ origins: [], trustedProxies })
    expect((await handshake(url, headers as Headers)).status).toBe(expected)
    const polled = await new Promise<number>((resolve) => {
      httpRequest(`${longPollUrl}/open`, { method: 'POST', headers }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      }).end('{"protocols":["wamp.2.json"]}')
    })
    expect(polled).toBe(expected === 101 ? 200 : 403)
  })
})

test('the certificate of a proxy logs none of its clients in', async () => {
  const auth = [tlsAuth({ localhost: { authid: 'proxy', role: 'device' } }), anonymousAuth()]
  const { url } = await served({ tls: { key, cert, ca: cert, requestCert: true, rejectUnauthorized: false } }, { auth })
  const methodBehind = async (headers: Headers) => {
    const router = new WampRouter({ url, dial: dial({ ca: cert, cert, key, headers }) })
    const client = new WampClient({ router, auth: [tls(), anonymous()], reconnect: false })
    onTestFinished(() => client.stop())
    await client.start()
    return client.session.authmethod
  }
  expect(await methodBehind({})).toBe('tls')
  expect(await methodBehind({ 'x-forwarded-for': '198.51.100.7' })).toBe('anonymous')
  expect(await methodBehind({ 'x-forwarded-for': 'malformed' })).toBe('anonymous')
})

test('a router without authentication behind a proxy can be reached: it warns, and refuses pages', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const { url } = await served({}, { auth: undefined })
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^the router at 127\.0\.0\.1:\d+ has no authentication/))
  expect((await handshake(url, { origin: 'https://example.com' })).status).toBe(403)

  const path = join(tmpdir(), `wampy-open-${process.pid}.sock`)
  const server: Server = createServer()
  await once(server.listen(path), 'listening')
  onTestFinished(() => void server.close())
  await served({ server }, { auth: undefined })
  expect(warn).toHaveBeenLastCalledWith(expect.stringContaining(`the router at ${path} has no authentication`))
})

test.each([
  ['10.0.0.1', /^serve: trustedProxies must be "loopback" or a list of addresses and ranges/],
  [[], /^serve: trustedProxies must be "loopback" or a list of addresses and ranges/],
  [['10.0.0.0/33'], /^serve: trustedProxies has "10.0.0.0\/33", which is not an address/],
  [['2001:db8::/129'], /"2001:db8::\/129"/],
  [['10.0.0'], /"10.0.0"/],
  [['::ffff:10.0.0.0/104'], /"::ffff:10.0.0.0\/104"/],
  [['10.0.0.1', 'proxy.example.com'], /"proxy.example.com"/],
  [['10.0.0.1/'], /"10.0.0.1\/"/],
  [[1], /trustedProxies has 1, which/],
])('trustedProxies: %j is a usage error', async (trustedProxies, text) => {
  await expect(serve(new Router(), { port: 0, trustedProxies: trustedProxies as never })).rejects.toMatchObject({
    uri: 'wampy.error.usage',
    message: expect.stringMatching(text),
  })
})
