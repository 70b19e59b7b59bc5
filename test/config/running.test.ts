/** A router made of a configuration: its mistakes, its logins and rules, and what a reload changes and leaves alone. */

import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Dial, WampClient, WampRouter } from 'wampy-ts'
import { type ClientAuth, cookie, cryptosign, scram, ticket, wampcra } from 'wampy-ts/auth'
import { generateKey, scramSecret } from 'wampy-ts/auth/router'
import { checkConfig, dial, type RouterConfig, rawSocketDial, routerFromConfig } from 'wampy-ts/node'
import WebSocket from 'ws'
import { problemText } from '../../src/config/config-problems.ts'
import { cert, key, strangers } from '../node/certificate.ts'

const realm = { name: 'realm1' }
const listener = { type: 'websocket', port: 0 } as const
const ALL = [
  { uri: '', match: 'prefix', allow: { call: true, register: true, publish: true, subscribe: true } },
] as const

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wampy-ts-config-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

async function running(config: RouterConfig, folder?: string) {
  const place = await routerFromConfig(config, { folder })
  onTestFinished(() => place.close())
  return { ...place, url: place.urls[0] as string }
}

async function joined(url: string, auth: ClientAuth[] = [], options: { realm?: string; dial?: Dial } = {}) {
  const router = new WampRouter({ url, ...(options.dial && { dial: options.dial }) })
  const client = new WampClient({ router, auth, reconnect: false, realm: options.realm ?? 'realm1' })
  onTestFinished(() => client.stop())
  await client.start()
  return client
}

describe('mistakes of meaning', () => {
  const users = { joe: { ticket: 'pencil' } }
  test.each<[string, object, string | RegExp]>([
    [
      'no realm',
      { realms: [], listeners: [listener] },
      'realms must have at least one realm, such as { "name": "realm1" }',
    ],
    [
      'no listener',
      { realms: [realm], listeners: [] },
      'listeners must have at least one listener, such as { "type": "websocket" }',
    ],
    [
      'two realms of one name',
      { realms: [realm, realm], listeners: [listener] },
      'realms[1].name is "realm1", as that of an earlier realm: give it another name',
    ],
    [
      'two listeners on one port',
      {
        realms: [realm],
        listeners: [
          { type: 'websocket', port: 9 },
          { type: 'rawsocket', port: 9 },
        ],
      },
      'listeners[1].port is that of an earlier listener: choose another one',
    ],
    [
      'a method without users',
      { realms: [{ ...realm, auth: { ticket: {} } }], listeners: [listener] },
      'realms[0].auth.ticket needs one of the keys users and procedure',
    ],
    [
      'a method with users and a procedure',
      { realms: [{ ...realm, auth: { ticket: { users, procedure: 'a.b' } } }], listeners: [listener] },
      'realms[0].auth.ticket needs one of the keys users and procedure',
    ],
    [
      'no method',
      { realms: [{ ...realm, auth: {} }], listeners: [listener] },
      'realms[0].auth names no method, so that nobody could join: { "anonymous": {} } accepts everybody',
    ],
    [
      'tokens beside tickets',
      {
        realms: [{ ...realm, auth: { ticket: { users }, jwt: { issuer: 'a', audience: 'b', secret: 'c' } } }],
        listeners: [listener],
      },
      'realms[0].auth.jwt cannot be beside ticket: a token is presented as a ticket',
    ],
    [
      'tokens without a key',
      { realms: [{ ...realm, auth: { jwt: { issuer: 'a', audience: 'b' } } }], listeners: [listener] },
      'realms[0].auth.jwt needs one of the keys jwksUrl and secret',
    ],
    [
      'a user with an unknown role',
      { realms: [{ ...realm, auth: { ticket: { users } }, roles: [{ name: 'clerk' }] }], listeners: [listener] },
      'realms[0].auth.ticket.users.joe.role is "user", which is not one of the realm\'s roles: clerk',
    ],
    [
      'an anonymous role that is not listed',
      { realms: [{ ...realm, auth: { anonymous: {} }, roles: [{ name: 'clerk' }] }], listeners: [listener] },
      'realms[0].auth.anonymous.role is "anonymous", which is not one of the realm\'s roles: clerk',
    ],
    [
      'two roles of one name',
      { realms: [{ ...realm, roles: [{ name: 'a' }, { name: 'a' }] }], listeners: [listener] },
      'realms[0].roles[1].name is "a", as that of an earlier role: put their rules into one',
    ],
    [
      'rules and an authorizer',
      { realms: [{ ...realm, roles: [{ name: 'a', permissions: [], authorizer: 'a.b' }] }], listeners: [listener] },
      'realms[0].roles[0] has permissions and an authorizer: keep one of them',
    ],
    [
      'roles in one realm only',
      { realms: [{ ...realm, roles: [] }, { name: 'realm2' }], listeners: [listener] },
      'realms[1] needs the key roles, because realms[0] has it: list what its roles may do',
    ],
    [
      'an environment variable that is not set',
      {
        realms: [{ ...realm, auth: { ticket: { users: { joe: { ticket: { env: 'WAMPY_NO_SUCH' } } } } } }],
        listeners: [listener],
      },
      'realms[0].auth.ticket.users.joe.ticket.env names the environment variable WAMPY_NO_SUCH, which is not set',
    ],
    [
      'a file that is not there',
      {
        realms: [{ ...realm, auth: { ticket: { users: { joe: { ticket: { file: 'none' } } } } } }],
        listeners: [listener],
      },
      /^realms\[0\]\.auth\.ticket\.users\.joe\.ticket\.file names .*none: there is no such file$/,
    ],
    [
      'users in a file that is not there',
      { realms: [{ ...realm, auth: { ticket: { users: 'none.json' } } }], listeners: [listener] },
      /^realms\[0\]\.auth\.ticket\.users cannot be used: the principals in .*none\.json cannot be read: ENOENT$/,
    ],
    [
      'a certificate that is not there',
      { realms: [realm], listeners: [{ ...listener, tls: { cert: 'none.pem', key: 'key.pem' } }] },
      /^listeners\[0\]\.tls\.cert names .*none\.pem: there is no such file$/,
    ],
    [
      'a certificate and the key of another',
      { realms: [realm], listeners: [{ ...listener, tls: { cert: 'cert.pem', key: 'other.pem' } }] },
      /^listeners\[0\]\.tls cannot be used: .*; check that cert and key are PEM files of one pair$/,
    ],
    [
      'client certificates that nobody signs',
      { realms: [realm], listeners: [{ ...listener, tls: { cert: 'cert.pem', key: 'key.pem', requestCert: true } }] },
      'listeners[0].tls needs the key ca with requestCert: the certificates that sign those of clients',
    ],
    [
      'cookies for all pages',
      { realms: [{ ...realm, auth: { cookie: {}, anonymous: {} } }], listeners: [{ ...listener, origins: '*' }] },
      'listeners[0].origins must list the origins of your pages, because a cookie authenticates them',
    ],
    [
      'cookies that differ',
      {
        realms: [
          { ...realm, auth: { cookie: {}, anonymous: {} } },
          { name: 'realm2', auth: { cookie: { maxAge: 5 }, anonymous: {} } },
        ],
        listeners: [listener],
      },
      'realms[1].auth.cookie must be as that of realms[0]: browsers get one cookie for all realms',
    ],
    [
      'a rule with a URI that cannot be',
      {
        realms: [{ ...realm, roles: [{ name: 'a', permissions: [{ uri: 'a..b', allow: { call: true } }] }] }],
        listeners: [listener],
      },
      /^the configuration is not one of a router: .*a\.\.b/,
    ],
  ])('%s', async (_name, config, message) => {
    const folder = await folderWith({ 'cert.pem': cert, 'key.pem': key, 'other.pem': strangers.key })
    const found = checkConfig(config, { folder }).map(problemText)
    expect(found).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)])
    await expect(routerFromConfig(config as RouterConfig, { folder })).rejects.toMatchObject({
      uri: 'wampy.error.usage',
      message: found[0],
    })
  })

  test('of users in a file are reported with the file', async () => {
    const folder = await folderWith({ 'users.json': JSON.stringify({ joe: { tickt: 'pencil' } }) })
    const config = { realms: [{ ...realm, auth: { ticket: { users: 'users.json' } } }], listeners: [listener] }
    expect(checkConfig(config, { folder }).map(problemText)).toEqual([
      `"${join(folder, 'users.json')}".joe.tickt is not a key here: did you mean ticket?`,
      `"${join(folder, 'users.json')}".joe needs the key ticket: text, or { "env": "NAME" } for an environment variable, or { "file": "path" }`,
    ])
  })
})

describe('a running configuration', () => {
  test('logs in by each method with users, in the realms and with the rules that it names', async () => {
    const keys = await generateKey()
    const folder = await folderWith({
      secret: 'from a file\n',
      'users.json': JSON.stringify({ ann: { ticket: 'brush' } }),
    })
    process.env['WAMPY_TEST_SECRET'] = 'from the environment'
    onTestFinished(() => void delete process.env['WAMPY_TEST_SECRET'])
    const { url, urls, router } = await running(
      {
        realms: [
          {
            ...realm,
            auth: {
              wampcra: { users: { joe: { secret: { file: 'secret' } } } },
              'wamp-scram': {
                users: { joe: { ...(await scramSecret('pencil', { iterations: 4096 })), role: 'clerk' } },
              },
              cryptosign: { users: { joe: { authorized_keys: [keys.publicKey] } } },
              ticket: { users: 'users.json' },
              anonymous: { role: 'guest' },
            },
            roles: [
              { name: 'user', permissions: ALL },
              { name: 'clerk', permissions: [{ uri: 'com.shop.', match: 'prefix', allow: { subscribe: true } }] },
              { name: 'guest' },
            ],
          },
          {
            name: 'other',
            auth: { ticket: { users: { joe: { ticket: { env: 'WAMPY_TEST_SECRET' } } } } },
            roles: [{ name: 'user' }],
          },
        ],
        listeners: [
          { ...listener, longPoll: true },
          { type: 'rawsocket', port: 0 },
          { type: 'unix', path: 'r.sock', mode: '600' },
        ],
        limits: { calls: 7 },
      },
      folder,
    )
    expect(urls.map((each) => each.split(':')[0])).toEqual(['ws', 'http', 'rs', 'unix'])
    expect((await joined(url, [wampcra('joe', 'from a file')])).session.authrole).toBe('user')
    expect((await joined(url, [cryptosign({ key: keys.privateKey })])).session.authid).toBe('joe')
    expect((await joined(url, [ticket('ann', 'brush')])).session.authmethod).toBe('ticket')
    const clerk = await joined(url, [scram('joe', 'pencil')])
    await clerk.subscribe('com.shop.news', () => {})
    await expect(clerk.subscribe('com.other', () => {})).rejects.toMatchObject({ uri: 'wamp.error.not_authorized' })
    await expect((await joined(url)).call('a.b')).rejects.toMatchObject({ uri: 'wamp.error.not_authorized' })
    const byEnvironment = ticket('joe', 'from the environment')
    expect((await joined(url, [byEnvironment], { realm: 'other' })).session.authrole).toBe('user')
    for (const address of urls.slice(2)) {
      expect((await joined(address, [ticket('ann', 'brush')], { dial: rawSocketDial() })).session.authid).toBe('ann')
    }
    expect(router.stats('realm1').sessions).toBe(7)
  })

  test('without authentication and roles is a plain router', async () => {
    const { url } = await running({ realms: [realm], listeners: [listener] })
    const client = await joined(url)
    await client.register('a.b', () => 1)
    expect(await client.call('a.b')).toBe(1)
  })

  test('closes what it has opened if one listener fails', async () => {
    const { url } = await running({ realms: [realm], listeners: [listener] })
    const { port } = new URL(url)
    const free = { realms: [realm], listeners: [listener, { type: 'rawsocket', port: Number(port) }] } as const
    await expect(routerFromConfig(free)).rejects.toMatchObject({ uri: 'wampy.error.listen_failed' })
  })
})

describe('a reload', () => {
  const config = (
    users: Record<string, { ticket: string; role?: string }>,
    allow: object = { call: true, register: true },
    more: object = {},
  ): RouterConfig =>
    ({
      realms: [
        {
          ...realm,
          auth: { ticket: { users }, anonymous: { role: 'user' } },
          roles: [
            { name: 'user', permissions: [{ uri: '', match: 'prefix', allow }] },
            { name: 'clerk', permissions: [{ uri: '', match: 'prefix', allow }] },
          ],
        },
      ],
      listeners: [listener],
      ...more,
    }) as RouterConfig

  test('ends the sessions of users that were removed or have another role, and no others', async () => {
    const all = { ann: { ticket: 'a' }, ben: { ticket: 'b' }, cleo: { ticket: 'c' } }
    const { url, reload } = await running(config(all))
    const [ann, ben, cleo] = await Promise.all(
      Object.entries(all).map(([name, { ticket: secret }]) => joined(url, [ticket(name, secret)])),
    )
    const anonymous = await joined(url)
    const reasons: unknown[] = []
    for (const client of [ann, ben, cleo, anonymous])
      client?.on('lost', ({ uri, message }) => void reasons.push([uri, message]))
    expect(reload(config({ ann: { ticket: 'new' }, cleo: { ticket: 'c', role: 'clerk' } }))).toEqual({
      ended: 2,
      needsRestart: [],
    })
    await expect.poll(() => reasons.length).toBe(2)
    expect(reasons).toEqual(Array(2).fill(['wamp.close.killed', 'the user was removed or has another role']))
    expect([ann?.state, anonymous.state]).toEqual(['ready', 'ready'])
    await expect(joined(url, [ticket('ben', 'b')])).rejects.toMatchObject({ uri: 'wamp.error.authentication_failed' })
    await expect(joined(url, [ticket('ann', 'a')])).rejects.toMatchObject({ uri: 'wamp.error.authentication_failed' })
    expect((await joined(url, [ticket('cleo', 'c')])).session.authrole).toBe('clerk')
    expect((await joined(url, [ticket('ann', 'new')])).session.authid).toBe('ann')
  })

  test('changes rules for sessions that stay', async () => {
    const { url, reload } = await running(config({ ann: { ticket: 'a' } }))
    const client = await joined(url, [ticket('ann', 'a')])
    await client.register('a.b', () => 1)
    expect(await client.call('a.b')).toBe(1)
    reload(config({ ann: { ticket: 'a' } }, { register: true }))
    await expect(client.call('a.b')).rejects.toMatchObject({ uri: 'wamp.error.not_authorized' })
    reload(config({ ann: { ticket: 'a' } }))
    expect(await client.call('a.b')).toBe(1)
  })

  test('forgets the cookies of users that were removed', async () => {
    const withCookie = (users: object): RouterConfig =>
      ({ realms: [{ ...realm, auth: { cookie: {}, ticket: { users } } }], listeners: [listener] }) as RouterConfig
    const { url, reload } = await running(withCookie({ ann: { ticket: 'a' }, ben: { ticket: 'b' } }))
    /** Logs in, and returns the client and the cookie that its connection was given. */
    const loggedIn = async (name: string, secret: string) => {
      let jar = ''
      class Watched extends WebSocket {
        constructor(address: string, protocols?: string[]) {
          super(address, protocols)
          this.on('upgrade', ({ headers }) => {
            jar = String(headers['set-cookie']).split(';')[0] as string
          })
        }
      }
      const router = new WampRouter({ url, webSocket: Watched as never })
      const client = new WampClient({ router, auth: [ticket(name, secret)], reconnect: false })
      onTestFinished(() => client.stop())
      await client.start()
      return { client, jar }
    }
    const again = (jar: string) => joined(url, [cookie()], { dial: dial({ headers: { cookie: jar } }) })
    const [ann, ben] = [await loggedIn('ann', 'a'), await loggedIn('ben', 'b')]
    const later = [await again(ann.jar), await again(ben.jar)]
    expect(later.map(({ session }) => session.authid)).toEqual(['ann', 'ben'])
    expect(reload(withCookie({ ann: { ticket: 'a' } }))).toMatchObject({ ended: 2 })
    await expect.poll(() => [ben.client.state, later[1]?.state]).toEqual(['stopped', 'stopped'])
    expect([ann.client.state, later[0]?.state]).toEqual(['ready', 'ready'])
    expect((await again(ann.jar)).session.authid).toBe('ann')
    await expect(again(ben.jar)).rejects.toMatchObject({ uri: 'wamp.error.no_matching_auth_method' })
  })

  test('takes a renewed certificate for new connections', async () => {
    const folder = await folderWith({
      'cert.pem': cert,
      'key.pem': key,
      'next-cert.pem': strangers.cert,
      'next-key.pem': strangers.key,
    })
    const secured = {
      realms: [realm],
      listeners: [{ ...listener, tls: { cert: 'cert.pem', key: 'key.pem' } }],
    } as const
    const { url, reload } = await running(secured, folder)
    const client = await joined(url, [], { dial: dial({ rejectUnauthorized: false }) })
    const fingerprint = () =>
      new Promise((resolve) => {
        const socket = connect(
          { port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false },
          () => {
            resolve(socket.getPeerCertificate().fingerprint256)
            socket.destroy()
          },
        )
      })
    const before = await fingerprint()
    await copyFile(join(folder, 'next-cert.pem'), join(folder, 'cert.pem'))
    await copyFile(join(folder, 'next-key.pem'), join(folder, 'key.pem'))
    expect(reload(secured)).toEqual({ ended: 0, needsRestart: [] })
    expect(await fingerprint()).not.toBe(before)
    await client.publish('a.b', [], {}, { acknowledge: true })
    expect(client.state).toBe('ready')
  })

  test('names what needs a restart, and follows the rest', async () => {
    const { url, reload } = await running(config({ ann: { ticket: 'a' } }))
    const changed = config(
      { ben: { ticket: 'b' } },
      {},
      { drain: 1, limits: { calls: 5 }, listeners: [{ ...listener, path: '/w' }] },
    )
    expect(reload(changed)).toEqual({ ended: 0, needsRestart: ['listeners', 'drain', 'limits'] })
    expect((await joined(url, [ticket('ben', 'b')])).session.authid).toBe('ben')
  })

  test('with a new realm, and without an old one, keeps those that it has', async () => {
    const roles = [{ name: 'anonymous', permissions: ALL }]
    const of = (...names: string[]): RouterConfig => ({
      realms: names.map((name) => ({ name, roles })),
      listeners: [listener],
    })
    const { url, reload } = await running(of('realm1', 'old'))
    const client = await joined(url, [], { realm: 'old' })
    expect(reload(of('realm1', 'new'))).toEqual({ ended: 0, needsRestart: ['realms'] })
    await client.register('a.b', () => 1)
    expect(await client.call('a.b')).toBe(1)
    await expect(joined(url, [], { realm: 'new' })).rejects.toMatchObject({ uri: 'wamp.error.no_such_realm' })
  })

  test('with a mistake changes nothing', async () => {
    const { url, reload } = await running(config({ ann: { ticket: 'a' } }))
    const client = await joined(url, [ticket('ann', 'a')])
    expect(() => reload({ realms: [], listeners: [listener] })).toThrow('realms must have at least one realm')
    expect(() => reload(config({ ben: { ticket: 'b', role: 'nobody' } }))).toThrow("is not one of the realm's roles")
    expect(client.state).toBe('ready')
    expect((await joined(url, [ticket('ann', 'a')])).session.authid).toBe('ann')
  })
})
