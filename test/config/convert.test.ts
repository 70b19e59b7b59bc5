/** Configurations of Crossbar.io, written after its documentation: each is translated, and the result runs. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { WampClient, WampRouter } from 'wampy-ts'
import { type ClientAuth, cryptosign, scram, ticket, wampcra } from 'wampy-ts/auth'
import { generateKey, scramSecret } from 'wampy-ts/auth/router'
import { type ConfiguredRouter, dial, rawSocketDial, routerFromConfig } from 'wampy-ts/node'
import { problemText } from '../../src/config/config-problems.ts'
import { convertCrossbar } from '../../src/config/convert.ts'
import type { RouterConfig } from '../../src/config/keys.ts'
import { cert, key } from '../node/certificate.ts'

const keys = await generateKey()
const secret = await scramSecret('pencil', { iterations: 4096, dialect: 'crossbar' })
const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex')
const everything = { call: true, register: true, publish: true, subscribe: true }
const rules = (name: string, allow: object = everything) => ({
  name,
  permissions: [{ uri: '', match: 'prefix', allow, disclose: { caller: false, publisher: false }, cache: true }],
})
const tcp = { type: 'tcp', port: 8080, interface: '127.0.0.1' }
const worker = (realms: object[], transports: object[], more: object = {}) => ({
  version: 2,
  controller: {},
  workers: [{ type: 'router', realms, transports, ...more }],
})

/** What of a login is expected: the role, or the URI of the refusal. */
type Login = readonly [auth: ClientAuth[], expected: string, realm?: string]

interface Case {
  readonly config: object
  readonly leftOut?: readonly string[]
  readonly logins: readonly Login[]
  /** The schemes of the listeners, in order. */
  readonly schemes?: readonly string[]
}

const CASES: Readonly<Record<string, Case>> = {
  'anonymous sessions': {
    config: worker([{ name: 'realm1', roles: [rules('anonymous')] }], [{ type: 'websocket', endpoint: tcp }]),
    leftOut: ['controller has no counterpart'],
    logins: [[[], 'anonymous']],
  },
  'a web transport with a page, an archive and a WebSocket': {
    config: worker(
      [{ name: 'realm1', roles: [rules('anonymous')] }],
      [
        {
          type: 'web',
          endpoint: tcp,
          paths: {
            '/': { type: 'static', directory: '../web' },
            ws: { type: 'websocket', options: { max_message_size: 1048576, auto_ping_interval: 10000, foo: 1 } },
            lp: { type: 'longpoll', options: { request_timeout: 10 } },
            publish: { type: 'publisher', realm: 'realm1', role: 'anonymous' },
          },
        },
      ],
    ),
    leftOut: [
      'controller has no counterpart',
      'workers[0].transports[0].paths."/" is a web service of the type static: serve it by a web server',
      'workers[0].transports[0].paths.ws.options.foo has no counterpart',
      'workers[0].transports[0].paths.publish is a web service of the type publisher: serve it by a web server',
    ],
    logins: [[[], 'anonymous']],
    schemes: ['ws', 'http'],
  },
  tickets: {
    config: worker(
      [{ name: 'realm1', roles: [rules('clerk')] }],
      [
        {
          type: 'websocket',
          endpoint: tcp,
          auth: { ticket: { type: 'static', principals: { joe: { ticket: 'pencil', role: 'clerk' } } } },
        },
      ],
    ),
    leftOut: ['controller has no counterpart'],
    logins: [
      [[ticket('joe', 'pencil')], 'clerk'],
      [[ticket('joe', 'wrong')], 'wamp.error.authentication_failed'],
      [[], 'wamp.error.authentication_required'],
    ],
  },
  'WAMP-CRA, plain, salted, and from the environment': {
    config: worker(
      [{ name: 'realm1', roles: [rules('user')] }],
      [
        {
          type: 'websocket',
          endpoint: tcp,
          auth: {
            wampcra: {
              type: 'static',
              users: {
                joe: { secret: 'pencil', role: 'user' },
                ann: { secret: 'brush', role: 'user', salt: 'salt123', iterations: 100, keylen: 32 },
                ben: { secret: '$WAMPY_TEST_BEN', role: 'user' },
              },
            },
          },
        },
      ],
    ),
    leftOut: ['controller has no counterpart'],
    logins: [
      [[wampcra('joe', 'pencil')], 'user'],
      [[wampcra('ann', 'brush')], 'user'],
      [[wampcra('ben', 'crayon')], 'user'],
      [[wampcra('ann', 'pencil')], 'wamp.error.authentication_failed'],
    ],
  },
  'cryptosign for one realm of two': {
    config: worker(
      [
        { name: 'realm1', roles: [rules('user')] },
        { name: 'realm2', roles: [rules('user'), rules('anonymous', { call: true })] },
      ],
      [
        {
          type: 'websocket',
          endpoint: tcp,
          auth: {
            cryptosign: {
              type: 'static',
              principals: { joe: { realm: 'realm1', role: 'user', authorized_keys: [keys.publicKey] } },
            },
          },
        },
      ],
    ),
    leftOut: ['controller has no counterpart'],
    logins: [
      [[cryptosign({ key: keys.privateKey })], 'user'],
      [[cryptosign({ key: keys.privateKey })], 'wamp.error.no_such_principal', 'realm2'],
    ],
  },
  SCRAM: {
    config: worker(
      [{ name: 'realm1', roles: [rules('user')] }],
      [
        {
          type: 'websocket',
          endpoint: tcp,
          auth: {
            scram: {
              type: 'static',
              principals: {
                joe: {
                  kdf: 'pbkdf2',
                  iterations: 4096,
                  salt: hex(secret.salt),
                  'stored-key': hex(secret.storedKey),
                  'server-key': hex(secret.serverKey),
                  role: 'user',
                },
              },
            },
          },
        },
      ],
    ),
    leftOut: ['controller has no counterpart'],
    logins: [
      [[scram('joe', 'pencil', { dialect: 'crossbar' })], 'user'],
      [[scram('joe', 'wrong', { dialect: 'crossbar' })], 'wamp.error.authentication_failed'],
    ],
  },
  'a dynamic authenticator and a dynamic authorizer': {
    config: worker(
      [{ name: 'realm1', roles: [{ name: 'backend', authorizer: 'com.example.authorize' }, rules('service')] }],
      [
        {
          type: 'websocket',
          endpoint: tcp,
          auth: {
            ticket: { type: 'dynamic', authenticator: 'com.example.authenticate', 'authenticator-realm': 'realm1' },
            wampcra: { type: 'static', users: { service: { secret: 's3cret', role: 'service' } } },
            oauth: { type: 'static' },
          },
        },
      ],
      { components: [{ type: 'class', classname: 'auth.Authenticator' }] },
    ),
    leftOut: [
      'controller has no counterpart',
      'workers[0].components has no counterpart',
      'workers[0].transports[0].auth.oauth is a method without a counterpart',
    ],
    logins: [
      [[wampcra('service', 's3cret')], 'service'],
      [[ticket('joe', 'any')], 'wamp.error.authentication_failed'],
    ],
  },
  'TLS, with origins': {
    config: worker(
      [{ name: 'realm1', roles: [rules('anonymous')] }],
      [
        {
          type: 'websocket',
          endpoint: { ...tcp, tls: { key: 'key.pem', certificate: 'cert.pem', dhparam: 'dh.pem', ciphers: 'ECDHE' } },
          url: 'wss://localhost:8080/ws',
          options: { allowed_origins: ['https://example.com'] },
        },
      ],
    ),
    leftOut: [
      'controller has no counterpart',
      'workers[0].transports[0].endpoint.tls.dhparam has no counterpart',
      'workers[0].transports[0].endpoint.tls.ciphers has no counterpart',
    ],
    logins: [[[], 'anonymous']],
    schemes: ['wss'],
  },
  'RawSocket on a port and on a unix socket': {
    config: worker(
      [{ name: 'realm1', roles: [rules('anonymous')] }],
      [
        { type: 'rawsocket', endpoint: tcp, serializers: ['json', 'msgpack', 'ubjson'], max_message_size: 1048576 },
        { type: 'rawsocket', endpoint: { type: 'unix', path: 'router.sock' } },
        { type: 'mqtt', endpoint: { type: 'tcp', port: 1883 } },
      ],
    ),
    leftOut: [
      'controller has no counterpart',
      'workers[0].transports[0].serializers has others than json, cbor and msgpack',
      'workers[0].transports[2] is a transport of the type mqtt',
    ],
    logins: [[[], 'anonymous']],
    schemes: ['rs', 'unix'],
  },
  'a universal transport, two workers, and a history': {
    config: {
      version: 2,
      workers: [
        {
          type: 'router',
          realms: [
            {
              name: 'realm1',
              roles: [rules('anonymous')],
              store: { type: 'memory', 'event-history': [{ uri: 'com.example.news', match: 'exact', limit: 10 }] },
            },
          ],
          transports: [
            {
              type: 'universal',
              endpoint: tcp,
              rawsocket: { serializers: ['cbor', 'json'] },
              websocket: { ws: { type: 'websocket', serializers: ['cbor', 'json'] } },
              web: { paths: { '/': { type: 'static', directory: '..' }, info: { type: 'nodeinfo' } } },
            },
          ],
        },
        { type: 'container', components: [] },
      ],
    },
    leftOut: [
      'workers[0].transports[0].websocket."/" is a web service of the type static: serve it by a web server',
      'workers[0].transports[0].websocket.info is a web service of the type nodeinfo: serve it by a web server',
      'workers[1] is a worker of the type container: run it beside the router',
    ],
    logins: [[[], 'anonymous']],
    schemes: ['ws'],
  },
}

test.each(Object.entries(CASES))('%s', async (_name, { config, leftOut = [], logins, schemes = ['ws'] }) => {
  process.env['WAMPY_TEST_BEN'] = 'crayon'
  const folder = await mkdtemp(join(tmpdir(), 'wampy-ts-convert-'))
  const cleanups: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })]
  onTestFinished(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup()
  })
  await writeFile(join(folder, 'cert.pem'), cert)
  await writeFile(join(folder, 'key.pem'), key)
  const converted = await convertCrossbar(config)
  expect(converted.leftOut.map(problemText)).toEqual(leftOut)
  // On free ports; everything else as it was translated.
  const listeners = converted.config.listeners?.map((each) => (each.type === 'unix' ? each : { ...each, port: 0 }))
  const running: ConfiguredRouter = await routerFromConfig({ ...converted.config, listeners } as RouterConfig, {
    folder,
  })
  cleanups.push(() => running.close())
  expect(running.urls.map((url) => url.split(':')[0])).toEqual(schemes)
  for (const url of running.urls) {
    if (url.startsWith('http')) continue
    for (const [auth, expected, realm = 'realm1'] of logins) {
      const dialing = /^(rs|unix)/.test(url) ? rawSocketDial() : dial({ rejectUnauthorized: false })
      const router = new WampRouter({ url, dial: dialing })
      const client = new WampClient({ router, realm, auth, reconnect: false })
      cleanups.push(() => client.stop())
      const outcome = await client.start().then(
        () => client.session.authrole,
        (error) => error.uri,
      )
      expect(outcome).toBe(expected)
      if (expected.startsWith('wamp.')) continue
      await client.subscribe('com.example.news', () => {})
    }
  }
})

test.each([null, 7, {}, { workers: [] }, { workers: [{ type: 'container' }] }])(
  '%j is not one of a router',
  async (config) => {
    await expect(convertCrossbar(config)).rejects.toMatchObject({ uri: 'wampy.error.usage' })
  },
)
