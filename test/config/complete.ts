/** A configuration with every key. Some exclude one another: only its shapes are right. */

const SECRETS = ['secret', { env: 'NAME' }, { file: 'path' }] as const
const digits = 'a'.repeat(64)
const base = { role: 'user', authid: 'joe', realms: ['realm1'], extra: { any: 1 } }
const found = { procedure: 'com.example.find', realm: 'realm1' }
const connection = {
  serializers: ['json', 'cbor', 'msgpack'],
  maxPayload: 512,
  maxConnections: 1,
  maxConnectionsPerAddress: 1,
  helloTimeout: 0,
  pingInterval: 0,
  pingTimeout: 0,
}
const port = (passphrase: unknown) => ({
  port: 0,
  host: '127.0.0.1',
  tls: { cert: 'cert.pem', key: 'key.pem', passphrase, ca: 'ca.pem', requestCert: true, minVersion: 'TLSv1.3' },
})

/** The nth form of each secret. */
export const completeConfig = (form: 0 | 1 | 2) => ({
  $schema: 'https://unpkg.com/wampy-ts/dist/router.schema.json',
  realms: [
    {
      name: 'realm1',
      auth: {
        anonymous: { role: 'guest' },
        ticket: { users: { joe: { ...base, ticket: SECRETS[form] } }, ...found },
        wampcra: {
          users: { joe: { ...base, secret: SECRETS[form], salt: 'salt', iterations: 1, keylen: 32 } },
          ...found,
        },
        'wamp-scram': {
          users: {
            joe: {
              ...base,
              kdf: 'argon2id13',
              iterations: 1,
              memory: 8,
              salt: 'c2FsdA==',
              storedKey: 'a',
              serverKey: 'b',
            },
          },
          ...found,
        },
        scram: {
          users: {
            joe: {
              ...base,
              kdf: 'argon2id-13',
              iterations: 1,
              memory: 8,
              salt: 'aa',
              'stored-key': 'a',
              'server-key': 'b',
            },
          },
          ...found,
        },
        cryptosign: { users: { joe: { ...base, authorized_keys: [digits] } }, ...found, key: SECRETS[form] },
        tls: { users: { joe: { ...base, fingerprints: [digits] } }, ...found },
        jwt: {
          issuer: 'https://example.com',
          audience: 'wamp',
          jwksUrl: 'https://example.com/jwks.json',
          secret: SECRETS[form],
          algorithms: ['EdDSA'],
          role: 'user',
          roleClaim: 'role',
        },
        cookie: { maxAge: 1, sameSite: 'Strict', secure: true },
      },
      roles: [
        {
          name: 'user',
          permissions: [
            {
              uri: 'com.example.',
              match: 'prefix',
              allow: { call: true, register: true, publish: true, subscribe: true },
              disclose: { caller: true, publisher: true },
              control: true,
              cache: true,
            },
          ],
          authorizer: 'com.example.authorize',
        },
      ],
    },
  ],
  listeners: [
    {
      type: 'websocket',
      ...port(SECRETS[form]),
      path: '/ws',
      origins: ['https://example.com'],
      trustedProxies: ['10.0.0.0/8'],
      rawSocket: true,
      longPoll: { path: '/lp', hold: 1, timeout: 0 },
      compress: true,
      metrics: true,
      health: true,
      ...connection,
    },
    { type: 'rawsocket', ...port(SECRETS[form]), ...connection },
    { type: 'unix', path: 'router.sock', mode: '660', ...connection },
  ],
  strict: true,
  disclose: 'never',
  controlOthers: true,
  forward: ['_traceparent'],
  history: [{ uri: 'com.example.news', match: 'exact', limit: 1, bytes: 1 }],
  callQueue: [{ uri: 'com.example.render', match: 'exact', limit: 1 }],
  rates: [{ role: 'guest', messages: 1, bytes: 1, burst: 1 }],
  limits: {
    subscriptions: 1,
    registrations: 1,
    calls: 1,
    queuedBytes: 1,
    uriLength: 1,
    wildcardShapes: 1,
    backlog: 1,
    stalled: 1,
    held: 1,
    heldBytes: 1,
    decision: 1,
    testaments: 1,
    testamentBytes: 1,
    retained: 1,
    retainedBytes: 1,
    sessionBytes: 1,
    memory: 1,
    hello: 1,
    handshake: 1,
  },
  loginLimits: { free: 1, delay: 0, maxDelay: 0, maxLock: 0 },
  log: { level: 'info', format: 'json' },
  drain: 0,
})
