/** The keys of a router's configuration, each with its shape, its default and its purpose: the one table of them. */

import { CUSTOM_KEY } from '../router/member/forwarding.ts'
import { LIMITS } from '../router/member/limits.ts'
import {
  anyDict,
  byName,
  choice,
  dict,
  either,
  flag,
  list,
  off,
  optional,
  required,
  type Shape,
  text,
  type ValueOf,
  whole,
} from './shapes.ts'

const URI = text('a URI, such as "com.example.news"')
const MATCH_KEYS = { match: optional(choice('exact', 'prefix', 'wildcard'), 'How `uri` is matched.', 'exact') }
const HEX_KEY = text('64 hexadecimal digits', /^[0-9a-fA-F]{64}$/)
const MILLISECONDS = whole(0)

const SECRET = either(
  'text, or { "env": "NAME" } for an environment variable, or { "file": "path" }',
  text(),
  dict({ env: required(text(), 'The name of an environment variable with the secret.') }),
  dict({ file: required(text(), 'The path of a file with the secret, without a line break behind it.') }),
)

const PRINCIPAL = {
  role: optional(text(), 'The role of its sessions.', '`user`'),
  authid: optional(text(), 'The authid of its sessions.', 'its name in the table'),
  realms: optional(list(text(), 'a list of realms'), 'The realms that it may join.', 'every realm that has the method'),
  extra: optional(anyDict(), 'Sent to the session itself, in `authextra` of its WELCOME.', 'nothing'),
}

/** Users in the configuration, in a file of their own, or found by a procedure. */
function users<T>(principal: Shape<T>) {
  return {
    users: optional(
      either('a dictionary by name, or the path of a JSON file with one', byName('name', principal), text()),
      'The users, or the path of a JSON file with them, which is read again when it changes.',
    ),
    procedure: optional(
      URI,
      'The procedure that finds users instead: a dynamic authenticator, as Crossbar.io has them.',
    ),
    realm: optional(text(), 'The realm of that procedure.', 'the realm that the session joins'),
  }
}

export const TICKET_USER = dict({ ...PRINCIPAL, ticket: required(SECRET, 'The ticket.') })
export const CRA_USER = dict({
  ...PRINCIPAL,
  secret: required(SECRET, 'The secret; with a salt the derived key, as `wampy-ts secret --method wampcra` prints it.'),
  salt: optional(text(), 'The salt of the derived key.', 'none: the secret itself is kept'),
  iterations: optional(whole(1), 'The iterations of the derivation.', '1000'),
  keylen: optional(whole(1), 'The bytes of the derived key.', '32'),
})
const SCRAM_COST = {
  iterations: required(whole(1), 'The iterations of the derivation.'),
  memory: optional(whole(1), 'KiB, for argon2id.'),
  salt: required(text(), 'The salt.'),
}
export const SCRAM_USER = dict({
  ...PRINCIPAL,
  kdf: required(choice('pbkdf2', 'argon2id13'), 'The key derivation.'),
  ...SCRAM_COST,
  storedKey: required(text(), 'The stored key, in Base64, as `wampy-ts secret` prints it.'),
  serverKey: required(text(), 'The server key, in Base64.'),
})
export const CROSSBAR_SCRAM_USER = dict({
  ...PRINCIPAL,
  kdf: required(choice('pbkdf2', 'argon2id-13'), 'The key derivation.'),
  ...SCRAM_COST,
  'stored-key': required(text(), 'The stored key, in hexadecimal digits.'),
  'server-key': required(text(), 'The server key, in hexadecimal digits.'),
})
export const CRYPTOSIGN_USER = dict({
  ...PRINCIPAL,
  authorized_keys: required(
    list(HEX_KEY, 'a list of public keys, each 64 hexadecimal digits'),
    'The public keys of the user.',
  ),
})
export const TLS_USER = dict({
  ...PRINCIPAL,
  fingerprints: optional(
    list(text(), 'a list of fingerprints'),
    'SHA-256 of the accepted certificates.',
    'every certificate with this common name that the `ca` of the listener has signed',
  ),
})

const AUTH_KEYS = {
  anonymous: optional(
    dict({ role: optional(text(), 'The role of these sessions.', '`anonymous`') }),
    'Accepts everybody.',
  ),
  ticket: optional(dict(users(TICKET_USER)), 'Tickets, sent in clear text: use TLS.'),
  wampcra: optional(dict(users(CRA_USER)), 'WAMP-CRA, a challenge and response.'),
  'wamp-scram': optional(dict(users(SCRAM_USER)), 'SCRAM, which never stores or sends a password.'),
  scram: optional(dict(users(CROSSBAR_SCRAM_USER)), 'SCRAM as Crossbar.io speaks it.'),
  cryptosign: optional(
    dict({
      ...users(CRYPTOSIGN_USER),
      key: optional(SECRET, 'The private key of the router, for clients that ask for its proof.', 'none'),
    }),
    'Ed25519 keys.',
  ),
  tls: optional(dict(users(TLS_USER)), 'TLS client certificates, of a listener with `requestCert`.'),
  jwt: optional(
    dict({
      issuer: required(text(), 'The `iss` of valid tokens.'),
      audience: required(text(), 'The `aud` of valid tokens.'),
      jwksUrl: optional(text('an http(s) URL', /^https?:\/\//), 'The key set of the issuer.'),
      secret: optional(SECRET, 'The shared secret of the signatures instead.'),
      algorithms: optional(
        list(text(), 'a list of algorithms, such as ["EdDSA"]'),
        'Accepted algorithms.',
        'those that fit the key',
      ),
      role: optional(text(), 'The role of the sessions.', '`user`'),
      roleClaim: optional(text(), 'The claim of the token that names the role instead.', 'none'),
    }),
    'JSON Web Tokens, presented as a ticket. Needs the package `jose`.',
  ),
  cookie: optional(
    dict({
      maxAge: optional(whole(1), 'Seconds for which a login is remembered.', '604,800, a week'),
      sameSite: optional(choice('Strict', 'Lax', 'None'), 'The attribute of the cookie.', 'Lax'),
      secure: optional(flag(), 'Sent over TLS only.', 'true if the connection came by TLS'),
    }),
    'Remembers logins by the other methods in a cookie.',
  ),
}

const FLAGS = (about: string, ...names: readonly string[]) =>
  dict(Object.fromEntries(names.map((name) => [name, optional(flag(), about, 'false')])))

const PERMISSION_KEYS = dict({
  uri: required(
    text('a URI or a pattern', /^[^\s#]*$/),
    'The topic or procedure, or a pattern. `com.example.*` is a prefix.',
  ),
  ...MATCH_KEYS,
  allow: optional(FLAGS('True allows it.', 'call', 'register', 'publish', 'subscribe'), 'The allowed actions.', 'none'),
  disclose: optional(FLAGS('True discloses it always.', 'caller', 'publisher'), 'Disclosure.', 'the key `disclose`'),
  control: optional(flag(), 'True: the action may affect other sessions, as `wamp.session.kill` does.', 'false'),
  cache: optional(flag(), 'Accepted for pasted configurations; rules need no cache.'),
})

const ROLE_KEYS = dict({
  name: required(text(), 'The name of the role.'),
  permissions: optional(
    list(PERMISSION_KEYS, 'a list of rules'),
    'Its rules; the most specific one decides.',
    'none: it may do nothing',
  ),
  authorizer: optional(URI, 'The procedure of a dynamic authorizer, instead of rules.'),
})

const REALM_KEYS = dict({
  name: required(text('a URI', /^[^\s#]+$/), 'The URI of the realm.'),
  auth: optional(dict(AUTH_KEYS), 'The authentication methods.', 'anonymous sessions'),
  roles: optional(
    list(ROLE_KEYS, 'a list of roles'),
    'What the roles may do. A role that is not listed may do nothing.',
    'every session may do what does not affect others',
  ),
})

const LOADED = {
  history: optional(
    list(
      dict({
        uri: required(text('a URI or a pattern', /^[^\s#]*$/), 'The topic, or a pattern.'),
        ...MATCH_KEYS,
        limit: required(whole(1), 'The number of events to keep.'),
        bytes: optional(whole(1), 'Bytes of payloads to keep.', '67,108,864'),
      }),
      'a list of topics',
    ),
    'Topics whose events are kept, in each realm.',
    'none',
  ),
  callQueue: optional(
    list(
      dict({
        uri: required(
          text('a URI or a pattern', /^[^\s#]*$/),
          'The procedure, or a pattern, as its callees register it.',
        ),
        ...MATCH_KEYS,
        limit: required(whole(1), 'The number of calls that wait.'),
      }),
      'a list of procedures',
    ),
    'Procedures whose calls wait for a free callee, in each realm.',
    'none',
  ),
}

const TLS_KEYS = dict({
  cert: required(text(), 'The path of the certificate chain, in PEM. Read again on SIGHUP.'),
  key: required(text(), 'The path of its private key, in PEM.'),
  passphrase: optional(SECRET, 'The passphrase of the key.', 'none'),
  ca: optional(text(), 'The path of the certificates that sign client certificates.', 'those of Node'),
  requestCert: optional(flag(), 'Asks clients for a certificate, for the method `tls`.', 'false'),
  minVersion: optional(choice('TLSv1.2', 'TLSv1.3'), 'The oldest version.', 'TLSv1.2'),
})

const CONNECTION = {
  serializers: optional(
    list(choice('json', 'cbor', 'msgpack'), 'a list of json, cbor and msgpack'),
    'The serializers.',
    'all three',
  ),
  maxPayload: optional(whole(512), 'Bytes of an incoming message.', '16,777,216'),
  maxConnections: optional(whole(1), 'Connections, from their acceptance.', 'no limit'),
  maxConnectionsPerAddress: optional(
    whole(1),
    'Connections from one address; loopback addresses are exempt.',
    'no limit',
  ),
  helloTimeout: optional(MILLISECONDS, 'Milliseconds for the handshake of the transport.', '5,000'),
  pingInterval: optional(MILLISECONDS, 'Milliseconds of silence until a ping; 0 for never.', '20,000'),
  pingTimeout: optional(MILLISECONDS, 'Milliseconds for its answer; 0 for ever.', '10,000'),
}

const PORT_KEYS = {
  port: optional(whole(0, 65_535), 'The port; 0 picks a free one.', '8080'),
  host: optional(text(), 'The address to listen on; `0.0.0.0` for every interface.', '`127.0.0.1`, this machine only'),
  tls: optional(TLS_KEYS, 'Key and certificate.', 'none: no TLS'),
}

const ORIGIN_LIST = either(
  'a list of origins such as ["https://example.com"], or "*"',
  list(text(), 'a list of origins'),
  choice('*'),
)

export const WEBSOCKET_LISTENER = dict({
  type: required(choice('websocket'), 'WebSocket, and on the same port RawSocket and long polls.'),
  ...PORT_KEYS,
  path: optional(text('a path that begins with a slash', /^\/[^?#]*$/), 'The path of its URL.', '`/ws`'),
  origins: optional(
    ORIGIN_LIST,
    'Pages that may connect, besides those of the same host; `*` for all.',
    'all, or none if a cookie authenticates, or if a router without `auth` can be reached from other machines',
  ),
  trustedProxies: optional(
    either(
      '"loopback", or a list of addresses and ranges such as "10.0.0.0/8"',
      choice('loopback'),
      list(text(), 'a list of addresses and ranges'),
    ),
    'Proxies whose `X-Forwarded-*` headers are believed.',
    'none',
  ),
  rawSocket: optional(flag(), 'Also accepts RawSocket clients.', 'true'),
  longPoll: optional(
    either(
      'true, false, or a dictionary',
      flag(),
      dict({
        path: optional(
          text('a path that begins with a slash', /^\/[^?#]*$/),
          'The base of its paths.',
          'that of the listener and `/lp`',
        ),
        hold: optional(whole(1), 'Milliseconds until a poll is answered without a message.', '10,000'),
        timeout: optional(MILLISECONDS, 'Milliseconds without a poll until a client counts as lost.', '30,000'),
      }),
    ),
    'Also accepts HTTP long polls.',
    'false',
  ),
  compress: optional(flag(), 'Offers permessage-deflate, which costs memory for each connection.', 'false'),
  metrics: optional(flag(), 'Serves Prometheus metrics at `/metrics`.', 'false'),
  health: optional(flag(), 'Serves `/healthz` and `/readyz`.', 'false'),
  ...CONNECTION,
})

export const RAWSOCKET_LISTENER = dict({
  type: required(choice('rawsocket'), 'RawSocket on a port of its own.'),
  ...PORT_KEYS,
  ...CONNECTION,
})

export const UNIX_LISTENER = dict({
  type: required(choice('unix'), 'RawSocket on a unix socket.'),
  path: required(text(), 'The path of the socket.'),
  mode: optional(
    text('an octal number such as "660"', /^0?[0-7]{3}$/),
    'The permissions of the socket.',
    'those of the umask',
  ),
  ...CONNECTION,
})

const LISTENERS: Readonly<Record<string, Shape>> = {
  websocket: WEBSOCKET_LISTENER,
  rawsocket: RAWSOCKET_LISTENER,
  unix: UNIX_LISTENER,
}

export type Listener =
  | (ValueOf<typeof WEBSOCKET_LISTENER> & { readonly type: 'websocket' })
  | (ValueOf<typeof RAWSOCKET_LISTENER> & { readonly type: 'rawsocket' })
  | (ValueOf<typeof UNIX_LISTENER> & { readonly type: 'unix' })

/** A listener has the shape of its type. */
const LISTENER: Shape<Listener> = {
  ...either(
    'a listener: { "type": "websocket" }, "rawsocket" or "unix"',
    WEBSOCKET_LISTENER,
    RAWSOCKET_LISTENER,
    UNIX_LISTENER,
  ),
  within: Object.entries(LISTENERS).flatMap(([type, { within }]) =>
    within.map(([path, key]) => [`(${type})${path}`, key] as const),
  ),
  check(value, at, report) {
    const { type } = Object(value) as { type?: unknown }
    const shape = typeof type === 'string' && Object.hasOwn(LISTENERS, type) ? LISTENERS[type] : undefined
    if (shape) shape.check(value, at, report)
    else choice('websocket', 'rawsocket', 'unix').check(type, [...at, 'type'], report)
  },
} as Shape<Listener>

export const CONFIG = dict({
  $schema: optional(text(), 'The JSON Schema, for editors: `https://unpkg.com/wampy-ts/dist/router.schema.json`.'),
  realms: required(list(REALM_KEYS, 'a list of realms'), 'The realms.'),
  listeners: required(list(LISTENER, 'a list of listeners'), 'Where the router listens.'),
  strict: optional(
    flag(),
    'Requires strict URIs and request ids in sequence, and no workarounds for known libraries.',
    'false',
  ),
  disclose: optional(
    choice('asked', 'always', 'never'),
    'Disclosure of callers and publishers where no rule says otherwise.',
    'asked',
  ),
  controlOthers: optional(flag(), 'Lets every session affect others. For tests.', 'false'),
  forward: optional(
    list(text('a custom key, such as "_traceparent"', CUSTOM_KEY), 'a list of custom keys'),
    'Custom keys of calls and publications that callees and subscribers receive, as texts of at most 512 characters.',
    '`["_traceparent", "_tracestate"]`',
  ),
  ...LOADED,
  rates: optional(
    list(
      dict({
        role: required(text('a role, or "*" for all others'), 'The role.'),
        messages: optional(whole(1), 'Messages per second.', 'no limit'),
        bytes: optional(whole(1), 'Bytes per second.', 'no limit'),
        burst: optional(whole(1), 'Seconds whose messages may come at once.', '1'),
      }),
      'a list of rates by role',
    ),
    'Rates beyond which the connection of a session is not read.',
    'none',
  ),
  limits: optional(
    dict(
      Object.fromEntries(
        Object.entries(LIMITS).map(([name, value]) => [
          name,
          optional(
            whole(1),
            'See "Limits of a router" in docs/router/operate.md.',
            name === 'memory' ? 'a quarter of the heap' : value.toLocaleString('en'),
          ),
        ]),
      ),
    ),
    'The limits of a session and of a realm.',
    'those below',
  ),
  loginLimits: optional(
    either(
      'false, or a dictionary',
      off(),
      dict({
        free: optional(whole(1), 'Failures without a consequence.', '5'),
        delay: optional(MILLISECONDS, 'Milliseconds for the first failure beyond them.', '250'),
        maxDelay: optional(MILLISECONDS, 'The greatest delay in milliseconds.', '5,000'),
        maxLock: optional(MILLISECONDS, 'The longest lock of an address in milliseconds.', '60,000'),
      }),
    ),
    'How failed logins are slowed down.',
    'those below',
  ),
  log: optional(
    dict({
      level: optional(
        choice('debug', 'info', 'warn', 'error'),
        'The least severe lines to print.',
        'nothing is printed',
      ),
      format: optional(
        choice('json', 'pretty'),
        'One JSON object in each line, or text.',
        'pretty on a terminal, otherwise json',
      ),
    }),
    'The log of the command, on standard error. A program uses `logTo` of `wampy-ts/log`.',
    'none',
  ),
  drain: optional(MILLISECONDS, 'Milliseconds for calls in progress when the router closes.', '5,000'),
})

/** The configuration of a router and its listeners, as `router.json` contains it. */
export type RouterConfig = ValueOf<typeof CONFIG>

/** The JSON Schema (draft 7) of a configuration. */
export function configSchema(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'The configuration of a wampy-ts router',
    ...CONFIG.schema,
  }
}
