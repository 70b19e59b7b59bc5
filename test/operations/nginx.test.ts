/** A router behind nginx with TLS, as the documentation configures it: logins, limits, long polls, and a reload under load. */

import { Agent } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Dial, longPollDial, WampClient, WampRouter } from 'wampy-ts'
import { type ClientAuth, cookie, ticket } from 'wampy-ts/auth'
import { anonymousAuth, LoginCookies, ticketAuth } from 'wampy-ts/auth/router'
import { dial, type ServeOptions, serve } from 'wampy-ts/node'
import { Router, type RouterOptions } from 'wampy-ts/router'
import WebSocket from 'ws'
import { cert } from '../node/certificate.ts'
import { nginx } from './nginx.ts'

type Headers = Readonly<Record<string, string>>

async function behindNginx(serving: ServeOptions = {}, options: RouterOptions = {}, shutdown?: string) {
  const router = new Router({ auth: [anonymousAuth()], controlOthers: true, ...options })
  const server = await serve(router, { port: 0, longPoll: true, trustedProxies: ['127.0.0.1'], ...serving })
  onTestFinished(async () => {
    await router.close()
    await server.close()
  })
  const proxy = await nginx(server.port, shutdown)
  return { router, direct: server.url, url: `wss://127.0.0.1:${proxy.port}/ws`, ...proxy }
}

function clientOf(url: string, way: Dial, auth?: readonly ClientAuth[], reconnect = false): WampClient {
  const client = new WampClient({ router: new WampRouter({ url, dial: way }), ...(auth && { auth }), reconnect })
  onTestFinished(() => client.stop())
  return client
}

/** Dials as a client with an address of its own, which may send headers. */
const from = (address: string, headers: Headers = {}): Dial =>
  dial({ ca: cert, headers: { 'x-client': address, ...headers } })

async function joined(...args: Parameters<typeof clientOf>): Promise<WampClient> {
  const client = clientOf(...args)
  await client.start()
  return client
}

const peerOf = async (client: WampClient): Promise<unknown> =>
  (await client.call<{ transport: object }>('wamp.session.get', [client.session.id])).transport

/** Long polls through a proxy whose certificate is its own. */
function polling(headers: Headers): Dial {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  onTestFinished(() => void vi.unstubAllEnvs())
  return longPollDial({ headers })
}

const pollUrl = (url: string) => `${url.replace('wss:', 'https:')}/lp`

test('a client has its own address, whatever it writes into the headers itself', async () => {
  const { url } = await behindNginx()
  const spoofed = {
    'x-forwarded-for': '127.0.0.1, 203.0.113.9',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
  }
  const described = { peer: 'tcp4:198.51.100.7', tls: 'proxy' }
  for (const headers of [{}, spoofed]) {
    expect(await peerOf(await joined(url, from('198.51.100.7', headers)))).toMatchObject({
      type: 'websocket',
      ...described,
    })
    const way = polling({ 'x-client': '198.51.100.7', ...headers })
    expect(await peerOf(await joined(pollUrl(url), way))).toMatchObject({ type: 'longpoll', ...described })
  }
})

test('the headers of a peer that is not the proxy change nothing', async () => {
  const { direct } = await behindNginx({ cookies: new LoginCookies() })
  const agent = new Agent({ localAddress: '127.0.0.2' })
  onTestFinished(() => agent.destroy())
  const headers = { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' }
  const client = await joined(direct, dial({ headers, agent }))
  expect(await peerOf(client)).toEqual({
    type: 'websocket',
    protocol: 'wamp.2.json',
    peer: expect.stringMatching(/^tcp4:127\.0\.0\.2:\d+$/),
  })
})

/** Logs in by ticket over a connection of its own, as a page does; returns the cookie that remembers it. */
function loggedIn(url: string, origin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let header = ''
    const socket = new WebSocket(url, ['wamp.2.json'], { ca: cert, origin })
    onTestFinished(() => socket.terminate())
    socket.on('error', reject)
    socket.on('upgrade', ({ headers }) => {
      header = String(headers['set-cookie'])
    })
    socket.on('open', () =>
      socket.send(JSON.stringify([1, 'realm1', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'joe' }])),
    )
    socket.on('message', (data) => {
      const [code] = JSON.parse(String(data))
      if (code === 4) socket.send(JSON.stringify([5, 'secret', {}]))
      else if (code === 2) resolve(header)
      else reject(new Error(String(data)))
    })
  })
}

test('a page logs in by a Secure cookie, over WebSocket and long polls, and pages of other hosts do not', async () => {
  const cookies = new LoginCookies()
  const auth = [cookies.auth, ticketAuth({ joe: { ticket: 'secret' } })]
  const { url, port } = await behindNginx({ cookies }, { auth })
  const origin = `https://127.0.0.1:${port}`
  const header = await loggedIn(url, origin)
  expect(header).toMatch(/^wampy=[0-9a-f]{64}; .*HttpOnly; SameSite=Lax; Secure$/)
  const headers = { cookie: header.split(';')[0] as string }

  const byCookie = await joined(url, dial({ ca: cert, headers, origin }), [cookie()])
  expect(byCookie.session).toMatchObject({ authid: 'joe', authmethod: 'cookie' })
  const byPolls = await joined(pollUrl(url), polling({ ...headers, origin }), [cookie()])
  expect(byPolls.session).toMatchObject({ authid: 'joe', authmethod: 'cookie' })

  for (const other of ['https://evil.example', `https://localhost:${port}`]) {
    const spoofed = { ...headers, 'x-forwarded-host': new URL(other).host }
    const refused = expect.objectContaining({ message: expect.stringContaining('403') })
    await expect(
      clientOf(url, dial({ ca: cert, headers: spoofed, origin: other }), [cookie()]).start(),
    ).rejects.toEqual(refused)
    const way = polling({ ...spoofed, origin: other })
    await expect(clientOf(pollUrl(url), way, [cookie()]).start()).rejects.toEqual(refused)
  }
})

test('connections are limited by the address of the client', async () => {
  const { url, router } = await behindNginx({ maxConnectionsPerAddress: 2 })
  const refused = { message: expect.stringContaining('503') }
  await joined(url, from('198.51.100.7'))
  await joined(pollUrl(url), polling({ 'x-client': '198.51.100.7' }))
  await expect(clientOf(url, from('198.51.100.7')).start()).rejects.toMatchObject(refused)
  await expect(clientOf(url, from('198.51.100.7', { 'x-forwarded-for': '203.0.113.9' })).start()).rejects.toMatchObject(
    refused,
  )
  await joined(url, from('198.51.100.8'))
  expect(router.stats().sessions).toBe(3)
})

test('failed logins lock the address of the client, and nobody else', async () => {
  const auth = [ticketAuth({ joe: { ticket: 'secret' } })]
  const { url } = await behindNginx({}, { auth, loginLimits: { free: 2, delay: 60_000, maxDelay: 0 } })
  const attempt = (secret: string, address: string, headers: Headers = {}) =>
    clientOf(url, from(address, headers), [ticket('joe', secret)])
      .start()
      .then(
        () => 'joined',
        (error: Error) => error.message,
      )
  const locked = expect.stringContaining('too many failed logins from this address')
  for (let n = 0; n < 3; n++) expect(await attempt('wrong', '198.51.100.7')).not.toEqual(locked)
  expect(await attempt('secret', '198.51.100.7')).toEqual(locked)
  expect(await attempt('secret', '198.51.100.7', { 'x-forwarded-for': '203.0.113.9' })).toEqual(locked)
  expect(await attempt('secret', '198.51.100.8')).toBe('joined')
})

/** Publishes with acknowledgement until it is told to stop; returns what was acknowledged. */
function publishing(client: WampClient, source: string) {
  const acknowledged: string[] = []
  let stopped = false
  const done = (async () => {
    for (let n = 0; !stopped; n++) {
      const text = `${source} ${n}`
      await client.publish('com.news', [text], {}, { acknowledge: true }).then(
        () => acknowledged.push(text),
        // Interrupted by the reload: not acknowledged.
        () => new Promise((resolve) => setImmediate(resolve)),
      )
    }
  })()
  const stop = async (): Promise<string[]> => {
    stopped = true
    await done
    return acknowledged
  }
  return { acknowledged, stop }
}

/** Clients that publish through nginx, over both transports, and what a subscriber beside the router has received. */
async function underLoad(shutdown: string) {
  const { router, url, reload } = await behindNginx({}, {}, shutdown)
  const subscriber = new WampClient({ router })
  await subscriber.start()
  onTestFinished(() => subscriber.stop())
  const received = new Set<string>()
  await subscriber.subscribe('com.news', ([text]) => void received.add(String(text)))
  const clients = {
    websocket: await joined(url, from('198.51.100.7'), undefined, true),
    longpoll: await joined(pollUrl(url), polling({ 'x-client': '198.51.100.8' }), undefined, true),
  }
  await clients.websocket.register('com.echo', ([text]) => text as string)
  const sources = Object.entries(clients).map(([name, client]) => publishing(client, name))
  const more = async (): Promise<void> => {
    for (const { acknowledged } of sources) {
      const before = acknowledged.length
      await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(before + 5)
    }
  }
  /** Ends the load; every acknowledged publication has been received. */
  const finish = async (): Promise<void> => {
    const acknowledged = (await Promise.all(sources.map(({ stop }) => stop()))).flat()
    expect(acknowledged.length).toBeGreaterThan(20)
    await expect.poll(() => acknowledged.filter((text) => !received.has(text)), { timeout: 10_000 }).toEqual([])
  }
  return { subscriber, clients, reload, more, finish }
}

test('a reload of nginx keeps the sessions that are open, and loses nothing', async () => {
  const { subscriber, clients, reload, more, finish } = await underLoad('1h')
  await more()
  const before = clients.websocket.session.id
  for (let n = 0; n < 3; n++) {
    await reload()
    await more()
  }
  expect(clients.websocket.session.id).toBe(before)
  expect(await subscriber.call('com.echo', ['still here'])).toBe('still here')
  await finish()
})

test('a reload that cuts the old connections loses nothing acknowledged, and the clients come back', async () => {
  const { subscriber, clients, reload, more, finish } = await underLoad('200ms')
  await more()
  for (let n = 0; n < 3; n++) {
    const before = clients.websocket.session.id
    await reload()
    await expect
      .poll(() => clients.websocket.state === 'ready' && clients.websocket.session.id !== before, { timeout: 20_000 })
      .toBe(true)
    await more()
  }
  // The registration came back with its session.
  expect(await subscriber.call('com.echo', ['back'])).toBe('back')
  await finish()
})
