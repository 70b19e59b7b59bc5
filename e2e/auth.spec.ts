/**
 * Every method of authentication that works in a page: bundled and by script tag, from localhost, where WebCrypto exists,
 * and over plain http from another host, where `@noble` takes its place.
 */

import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { build } from 'esbuild'
import { SignJWT } from 'jose'
import type { ClientAuth } from 'wampy-ts/auth'
import {
  type AuthMethod,
  anonymousAuth,
  cookieAuth,
  cryptosignAuth,
  deriveCraKey,
  generateKey,
  jwtAuth,
  LoginCookies,
  scramAuth,
  scramSecret,
  ticketAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import { type Served, serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { ROOT } from '../test/docs/project.ts'
import { expect, test } from './support.ts'

/** Resolves to 127.0.0.1 by an option of Chromium in playwright.config.ts; not a secure context. */
const INSECURE_HOST = 'name.test'

type Methods = typeof import('wampy-ts/auth')

/** The global of the pages; that of a script tag has only JSON. */
type Wamp = typeof import('wampy-ts') & Methods & typeof import('wampy-ts/cbor') & typeof import('wampy-ts/msgpack')

/** A method, offered by a page with a secret that the router accepts, and with one that it refuses. */
interface Login {
  readonly router: AuthMethod
  /** Runs in the page. */
  readonly page: (methods: Methods, secret: string) => ClientAuth
  readonly right: string
  readonly wrong?: string
}

const salt = { salt: 'salt123', iterations: 1000, keylen: 32 }
const cost = { kdf: 'pbkdf2', iterations: 4096 } as const
const argon2 = { kdf: 'argon2id13', iterations: 8, memory: 512 } as const
const ISSUER = 'https://issuer.test'
const cookies = new LoginCookies()

/** By realm. */
async function loginsByRealm(): Promise<Record<string, Login>> {
  const [keys, others, routerKeys] = [await generateKey(), await generateKey(), await generateKey()]
  const [signing, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const token = (key: Uint8Array): Promise<string> =>
    new SignJWT()
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(ISSUER)
      .setAudience('wamp')
      .setSubject('joe')
      .setExpirationTime('5m')
      .sign(key)
  return {
    anonymous: { router: anonymousAuth(), page: ({ anonymous }) => anonymous(), right: '' },
    ticket: {
      router: ticketAuth({ joe: { ticket: 'right' } }),
      page: ({ ticket }, secret) => ticket('joe', secret),
      right: 'right',
      wrong: 'wrong',
    },
    token: {
      router: jwtAuth({ issuer: ISSUER, audience: 'wamp', key: signing }),
      page: ({ ticket }, secret) => ticket('joe', async () => secret),
      right: await token(signing),
      wrong: await token(other),
    },
    wampcra: {
      router: wampcraAuth({ joe: { secret: 'right' } }),
      page: ({ wampcra }, secret) => wampcra('joe', secret),
      right: 'right',
      wrong: 'wrong',
    },
    wampcra_salted: {
      router: wampcraAuth({ joe: { secret: await deriveCraKey('right', salt), ...salt } }),
      page: ({ wampcra }, secret) => wampcra('joe', secret),
      right: 'right',
      wrong: 'wrong',
    },
    scram: {
      router: scramAuth({ joe: await scramSecret('pässwörd', cost) }),
      page: ({ scram }, secret) => scram('joe', secret),
      // Not the form that the router has hashed.
      right: 'pässwörd'.normalize('NFD'),
      wrong: 'passwort',
    },
    scram_argon2id: {
      router: scramAuth({ joe: await scramSecret('right', argon2) }),
      page: ({ scram }, secret) => scram('joe', secret),
      right: 'right',
      wrong: 'wrong',
    },
    cryptosign: {
      router: cryptosignAuth({ joe: { authorized_keys: [keys.publicKey] } }),
      page: ({ cryptosign }, secret) => cryptosign({ key: secret, authid: 'joe' }),
      right: keys.privateKey,
      wrong: others.privateKey,
    },
    cryptosign_both: {
      router: cryptosignAuth({ joe: { authorized_keys: [keys.publicKey] } }, { key: routerKeys.privateKey }),
      page: ({ cryptosign }, secret) => {
        const [key, routerKey] = secret.split(' ') as [string, string]
        return cryptosign({ key, authid: 'joe', routerKey })
      },
      right: `${keys.privateKey} ${routerKeys.publicKey}`,
      wrong: `${keys.privateKey} ${others.publicKey}`,
    },
    cookie: {
      router: cookieAuth({ name: 'sid', principals: { right: { authid: 'joe' } } }),
      // An HttpOnly cookie, set by the server's own login.
      page: ({ cookie, clientAuth }, secret) => {
        const begin = async () => {
          await fetch(`/sid/${secret}`)
          return {}
        }
        return clientAuth({ ...cookie(), begin })
      },
      right: 'right',
      wrong: 'wrong',
    },
  }
}

let logins: Record<string, Login>
let server: Server
let router: Router
let served: Served
/** The paths that pages have requested. */
const requested: string[] = []

test.beforeAll(async () => {
  logins = await loginsByRealm()
  const files = await pages()
  server = createServer(({ url = '/' }, response) => {
    requested.push(url)
    const [, sid] = /^\/sid\/(\w+)$/.exec(url) ?? []
    if (sid) response.setHeader('Set-Cookie', `sid=${sid}; Path=/; HttpOnly; SameSite=Strict`)
    const text = files.get(url)
    response.setHeader('Content-Type', url.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8')
    response.writeHead(sid ? 204 : text === undefined ? 404 : 200).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const auth = Object.fromEntries(Object.entries(logins).map(([realm, { router }]) => [realm, [router]]))
  const remembered = [cookies.auth, ticketAuth({ joe: { ticket: 'right' } })]
  router = new Router({
    realms: [...Object.keys(auth), 'remembered'],
    auth: { ...auth, remembered },
    loginLimits: false,
  })
  served = await serve(router, { server, cookies, longPoll: true })
})

test.afterAll(async () => {
  await router?.close()
  await served?.close()
  server?.close()
  server?.closeAllConnections()
})

/** The pages: each has a client's classes and methods as the global `wamp`. */
async function pages(): Promise<Map<string, string>> {
  const contents = `import { json, longPollDial, RpcClient, WampRouter } from 'wampy-ts'
    import * as methods from 'wampy-ts/auth'
    import { cbor } from 'wampy-ts/cbor'
    import { msgpack } from 'wampy-ts/msgpack'
    globalThis.wamp = { RpcClient, WampRouter, longPollDial, json, cbor, msgpack, ...methods }`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT, sourcefile: 'bundled.js' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    entryNames: 'bundled',
    // The names show which packages a page has loaded.
    chunkNames: 'chunk/[name]-[hash]',
    outdir: '/',
    write: false,
    logLevel: 'error',
  })
  const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>'
  const script = '<script src="/wampy.min.js"></script><script>globalThis.wamp = wampy</script>'
  const [map] =
    /<script type="importmap">.*?<\/script>/s.exec(await readFile(join(ROOT, 'docs/router/authenticate.md'), 'utf8')) ??
    []
  return new Map([
    ['/bundled.html', `${head}<script type="module" src="/bundled.js"></script>`],
    ['/script.html', `${head}${script}`],
    ['/mapped.html', `${head}${map}${script}`],
    ['/wampy.min.js', await readFile(join(ROOT, 'dist/wampy.min.js'), 'utf8')],
    ...outputFiles.map(({ path, text }) => [path, text] as const),
  ])
}

async function open(page: Page, host: string, name: string): Promise<void> {
  requested.length = 0
  await page.route('https://unpkg.com/@noble/**', async (route) => {
    const { pathname } = new URL(route.request().url())
    requested.push(pathname)
    const path = join(ROOT, 'node_modules', pathname.replace(/@\d+\//, '/'))
    await route.fulfill({ path, headers: { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/javascript' } })
  })
  await page.goto(`http://${host}:${(server.address() as AddressInfo).port}/${name}.html`)
  await page.waitForFunction(() => 'wamp' in globalThis)
}

/** The packages that pages have loaded since they were opened. */
const packages = (): string[] =>
  [
    ...new Set(requested.flatMap((path) => /\b(hmac|sha2|pbkdf2|argon2|ed25519)\b[^/]*\.js$/.exec(path)?.[1] ?? [])),
  ].sort()

/** How a page connects. */
interface Way {
  readonly transport: 'websocket' | 'longpoll'
  readonly serializer: 'json' | 'cbor' | 'msgpack'
}

/** Logs a page in; resolves to its authid, or to the error. */
async function logIn(
  page: Page,
  realm: string,
  secret: string,
  { transport, serializer }: Way = FIRST,
): Promise<string> {
  const { page: method } = logins[realm] as Login
  return page.evaluate(
    async ([realm, method, secret, transport, serializer]) => {
      const { wamp } = globalThis as unknown as { wamp: Wamp }
      const auth = Function(`return ${method}`)()(wamp, secret) as ClientAuth
      const polled = () => new wamp.WampRouter({ url: `${location.origin}/ws/lp`, dial: wamp.longPollDial() })
      const client = new wamp.RpcClient({
        router: transport === 'longpoll' ? polled() : '/ws',
        serializers: [wamp[serializer]],
        realm,
        auth: [auth],
        reconnect: false,
      })
      try {
        await client.start()
        return client.session.authmethod === 'anonymous' ? 'anonymous' : String(client.session.authid)
      } catch (error) {
        const { uri, message } = error as { uri: string; message: string }
        return `${uri}: ${message}`
      } finally {
        await client.stop()
      }
    },
    [realm, String(method), secret, transport, serializer] as const,
  )
}

const FIRST: Way = { transport: 'websocket', serializer: 'json' }
const WAYS = (['websocket', 'longpoll'] as const).flatMap((transport) =>
  (['json', 'cbor', 'msgpack'] as const).map((serializer): Way => ({ transport, serializer })),
)

/** Logs in by every method, each of these ways, and with a wrong secret. */
async function everyMethod(page: Page, ways: readonly Way[]): Promise<void> {
  for (const [realm, { right, wrong }] of Object.entries(logins)) {
    for (const way of ways) {
      const joined = await logIn(page, realm, right, way)
      expect(joined, `${realm}, ${Object.values(way)}`).toBe(realm === 'anonymous' ? 'anonymous' : 'joe')
    }
    if (wrong === undefined) continue
    expect(await logIn(page, realm, wrong), realm).toContain('wamp.error.authentication_failed: ')
  }
}

test('every method in a bundled page from localhost, by WebCrypto', async ({ page }) => {
  await open(page, 'localhost', 'bundled')
  expect(await page.evaluate(() => [isSecureContext, typeof crypto.subtle])).toEqual([true, 'object'])
  await everyMethod(page, WAYS)
  expect(packages()).toContain('argon2')
  expect(packages()).not.toContain('pbkdf2')
  expect(packages()).not.toContain('ed25519')
})

for (const [name, ways] of [
  ['bundled', [FIRST, { transport: 'longpoll', serializer: 'cbor' }]],
  ['mapped', [FIRST]],
] as const) {
  test(`every method in a ${name} page over plain http, by packages`, async ({ page }) => {
    await open(page, INSECURE_HOST, name)
    expect(await page.evaluate(() => [isSecureContext, typeof crypto.subtle])).toEqual([false, 'undefined'])
    await everyMethod(page, ways)
    expect(packages()).toEqual(['argon2', 'ed25519', 'hmac', 'pbkdf2', 'sha2'])
  })
}

test('a page by script tag needs packages for argon2id alone, if it comes from localhost', async ({ page }) => {
  await open(page, 'localhost', 'script')
  for (const [realm, { right }] of Object.entries(logins)) {
    const answer = await logIn(page, realm, right)
    if (!realm.includes('argon2id')) expect(answer, realm).toMatch(/^(joe|anonymous)$/)
    else expect(answer).toMatch(/^wampy\.error\.usage: argon2id needs the package @noble\/hashes: .* import map/)
  }
})

test('over plain http, the error of a page by script tag states the cure', async ({ page }) => {
  await open(page, INSECURE_HOST, 'script')
  const cure = (what: string, name: string) =>
    `wampy.error.usage: ${what} without WebCrypto (which pages over https or from localhost have) needs the package ` +
    `${name}: npm install ${name}, or name it in the import map of a page without a bundler`
  for (const realm of ['wampcra', 'wampcra_salted', 'scram']) {
    expect(await logIn(page, realm, logins[realm]?.right ?? '')).toContain(cure('authentication', '@noble/hashes'))
  }
  expect(await logIn(page, 'cryptosign', logins['cryptosign']?.right ?? '')).toContain(cure('Ed25519', '@noble/curves'))
  for (const realm of ['anonymous', 'ticket', 'token', 'cookie']) {
    expect(await logIn(page, realm, logins[realm]?.right ?? ''), realm).toMatch(/^(joe|anonymous)$/)
  }
})

for (const host of ['localhost', INSECURE_HOST]) {
  test(`a page from ${host} is remembered by the cookie of the router, until it logs out`, async ({ page }) => {
    await open(page, host, 'bundled')
    const steps = await page.evaluate(async () => {
      const { wamp } = globalThis as unknown as { wamp: Wamp }
      const client = new wamp.RpcClient({ router: '/ws', realm: 'remembered', reconnect: false })
      const steps: unknown[] = []
      for (const auth of [wamp.cookie(), wamp.ticket('joe', 'right'), wamp.cookie(), wamp.cookie()]) {
        client.auth = [auth]
        await client.start().then(
          () => steps.push(client.session.authmethod),
          ({ uri }) => steps.push(uri),
        )
        if (steps.length < 3) await client.stop()
        else await client.logout()
      }
      return [...steps, document.cookie]
    })
    const refused = 'wamp.error.no_matching_auth_method'
    expect(steps).toEqual([refused, 'ticket', 'cookie', refused, ''])
  })
}
