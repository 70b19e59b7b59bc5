/** Methods by transports: each joins in every serializer, or the table states the reason that makes it impossible. */

import { request as httpsRequest } from 'node:https'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { type Dial, longPollDial, WampRouter } from 'wampy-ts'
import { anonymous, type ClientAuth, cookie, ticket, tls } from 'wampy-ts/auth'
import { type AuthMethod, anonymousAuth, cookieAuth, jwtAuth, LoginCookies, tlsAuth } from 'wampy-ts/auth/router'
import { type DialOptions, dial, rawSocketDial, type Served, type ServeOptions } from 'wampy-ts/node'
import { json } from 'wampy-ts/router'
import { cert, key } from '../node/certificate.ts'
import { methodIn, pairs, role } from './pairs.ts'
import { clientWith, serializers, served } from './support.ts'

interface Row {
  readonly router: AuthMethod
  readonly right: ClientAuth
  readonly authprovider?: string
  /** What the client's connection carries. */
  readonly cookie?: string
  readonly certificate?: boolean
  readonly serving?: ServeOptions
}

const secret = new TextEncoder().encode('a shared secret of the issuer...')
const claims = { iss: 'issuer', aud: 'wamp', sub: 'joe' }
const token = () => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(secret)

const rows: Readonly<Record<string, () => Row | Promise<Row>>> = {
  anonymous: () => ({ router: anonymousAuth({ role }), right: anonymous() }),
  ...pairs,
  'ticket with a JSON Web Token': () => ({
    router: jwtAuth({ issuer: 'issuer', audience: 'wamp', key: secret, principal: () => ({ role }) }),
    right: ticket('joe', token),
    authprovider: 'jwt',
  }),
  'cookie of the application': () => ({
    router: cookieAuth({ name: 'sid', principals: new Map([['s3cret', { authid: 'joe', role }]]) }),
    right: cookie(),
    cookie: 'sid=s3cret',
  }),
  'cookie of this library': () => {
    const cookies = new LoginCookies()
    const { facts, header } = cookies.issue({}, false)
    facts.remember?.({ authid: 'joe', authrole: role }, 'realm1')
    const [value = ''] = header.split(';')
    return { router: cookies.auth, right: cookie(), cookie: value, authprovider: 'cookie', serving: { cookies } }
  },
  tls: () => ({ router: tlsAuth({ localhost: { authid: 'joe', role } }), right: tls(), certificate: true }),
}

type Way = 'websocket' | 'rawsocket' | 'longpoll'
const columns = ['websocket', 'rawsocket', 'longpoll'].flatMap((way) =>
  [false, true].map((secure) => [`${way}${secure ? ' over TLS' : ''}`, way as Way, secure] as const),
)

/** The only empty cells. */
function impossible(row: string, way: Way, secure: boolean): string | undefined {
  if (row.startsWith('cookie') && way === 'rawsocket') return 'a cookie needs HTTP'
  if (row === 'tls' && !secure) return 'a client certificate needs TLS'
  return undefined
}

/** A `fetch` with the TLS options that the one of Node lacks. */
const fetchWith =
  (options: DialOptions): typeof fetch =>
  (url, { method, headers, body, signal } = {}) =>
    new Promise((resolve, reject) => {
      const sent = httpsRequest(String(url), {
        method,
        headers: Object.fromEntries(new Headers(headers)),
        signal: signal ?? undefined,
        ...options,
      } as never)
      sent.on('error', reject)
      sent.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('error', reject)
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () =>
          resolve(new Response(Buffer.concat(chunks), { status: response.statusCode as number })),
        )
      })
      sent.end(body)
    })

function connectionTo(server: Served, way: Way, secure: boolean, { cookie, certificate }: Row) {
  const options: DialOptions = secure ? { ca: cert, ...(certificate && { cert, key }) } : {}
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie }
  const dials: Record<Way, [url: string | undefined, dial: Dial]> = {
    websocket: [server.url, dial({ headers, ...options })],
    rawsocket: [server.rawSocketUrl, rawSocketDial(options)],
    longpoll: [server.longPollUrl, longPollDial({ headers, ...(secure && { fetch: fetchWith(options) }) })],
  }
  const [url = '', how] = dials[way]
  return new WampRouter({ url, dial: how })
}

const secured = { tls: { key, cert, ca: cert, requestCert: true, rejectUnauthorized: false } }

describe.each(Object.entries(rows))('%s', (name, make) => {
  let made: Row | Promise<Row> | undefined

  test.each(columns)('%s', async (_, way, secure) => {
    made ??= make()
    const row = await made
    const server = await served({ auth: [row.router] }, { ...row.serving, ...(secure && secured) })
    expect(server.url.startsWith('wss:')).toBe(secure)
    const reason = impossible(name, way, secure)
    // TLS carries any bytes alike.
    for (const serializer of secure ? [json] : Object.values(serializers)) {
      const router = connectionTo(server, way, secure, row)
      const client = clientWith([row.right], { router, serializers: [serializer] })
      if (reason !== undefined) {
        await expect(client.start()).rejects.toMatchObject({ uri: 'wamp.error.no_matching_auth_method' })
        continue
      }
      await client.start()
      const { authid, authrole, authmethod, authprovider } = client.session
      expect({ authid, authrole, authmethod, authprovider }).toEqual({
        authid: name === 'anonymous' ? expect.stringMatching(/^[0-9a-z]{16,}$/) : 'joe',
        authrole: role,
        authmethod: methodIn(name),
        authprovider: row.authprovider ?? 'static',
      })
      expect(await client.call('wamp.session.count')).toBe(1)
      await client.stop()
    }
  })
})
