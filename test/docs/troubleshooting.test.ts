/** Every message of this library that the page of troubleshooting explains is one that a mistake produces. */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import { type ClientOptions, RpcClient, rpc, WampClient, WampRouter } from 'wampy-ts'
import { ticket } from 'wampy-ts/auth'
import { cookieAuth, ticketAuth } from 'wampy-ts/auth/router'
import { dial, type Served, type ServeOptions, serve } from 'wampy-ts/node'
import { Router, type RouterOptions } from 'wampy-ts/router'
import { z } from 'zod'
import { cert, key } from '../node/certificate.ts'

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const [ours = '', others = ''] = read('docs/troubleshooting.md').split(/^## Toolchains$/m)

/** The text of each heading, without what stands behind it. */
const headings = (text: string): string[] => [...text.matchAll(/^### (`+) ?(.*?) ?\1/gm)].map(([, , said = '']) => said)

const release: (() => unknown)[] = []
afterAll(async () => {
  for (const each of release.reverse()) await each()
})

async function served(options: ServeOptions = {}, of: RouterOptions = {}): Promise<Served> {
  const router = new Router({ loginLimits: false, ...of })
  const it = await serve(router, { port: 0, ...options })
  release.push(async () => {
    await router.close()
    await it.close()
  })
  return it
}

async function joined(options: ClientOptions): Promise<WampClient> {
  const client = new WampClient({ reconnect: false, ...options })
  release.push(() => client.stop())
  await client.start()
  return client
}

/** An HTTP server that knows nothing of WAMP. */
async function webServer(): Promise<string> {
  const server = createServer((_request, response) => response.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  release.push(() => server.close())
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
}

/** The address of a router that has gone. */
async function nobody(): Promise<string> {
  const { port, close } = await serve(new Router(), { port: 0 })
  await close()
  return `ws://localhost:${port}/ws`
}

/** A realm with a procedure `com.example.price`, which has the given options and endpoint. */
async function shop(
  endpoint: (...given: never[]) => unknown = () => 3,
  options = {},
): Promise<[WampClient, WampClient]> {
  const router = new Router()
  const [caller, callee] = [await joined({ router }), await joined({ router })]
  callee.on('error', () => {})
  await callee.register('com.example.price', endpoint as () => unknown, options)
  return [caller, callee]
}

const never = (): Promise<never> => new Promise(() => {})

class Misspelled extends WampClient {
  static rpc = ['prize']
}

class Stopping extends WampClient {
  static rpc = ['stop']
}

class Checked extends WampClient {
  static prefix = 'com.example'

  @rpc({ args: [z.object({ price: z.number() })] }) total({ price }: { price: number }): number {
    return price
  }
}

class Serving extends RpcClient {
  @rpc price(): number {
    return 3
  }
}

const named = <Class extends new (...given: never[]) => object>(Class: Class): Class =>
  Object.defineProperty(Class, 'name', { value: 'Shop' })
for (const Class of [Misspelled, Stopping, Serving]) named(Class)

const guarded: RouterOptions = {
  auth: [ticketAuth({ joe: { ticket: 'tea', role: 'guest' } })],
  authorize: [{ name: 'guest', permissions: [{ uri: 'com.example.catalog', allow: { call: true } }] }],
}
const joe = ticket('joe', 'tea')

/** What produces each message: it throws, or returns the text. */
const mistakes: Readonly<Record<string, () => unknown>> = {
  'could not connect to ws://localhost:8080/ws: connect ECONNREFUSED ...': async () =>
    joined({ router: await nobody() }),
  '...; Dashboard keeps trying until stop()': async () => {
    const client = new WampClient({ name: 'Dashboard', router: await nobody() })
    release.push(() => client.stop())
    await client.start({ timeout: 100 })
  },
  'could not connect to ...: getaddrinfo ...': () => joined({ router: 'ws://nowhere.invalid/ws' }),
  'could not connect to ...: the server answered 404 Not Found...': async () =>
    joined({ router: (await served()).url.replace('/ws', '/wamp') }),
  'could not connect to ...: the server answered 200 OK...': async () => joined({ router: await webServer() }),
  'could not connect to ...: the server answered 403 Forbidden...': async () => {
    const { url } = await served({ origins: ['https://example.com'] })
    await joined({ router: new WampRouter({ url, dial: dial({ origin: 'https://example.org' }) }) })
  },
  'could not connect to ...: write EPROTO ...wrong version number...': async () =>
    joined({ router: (await served()).url.replace('ws:', 'wss:') }),
  'could not connect to ...: socket hang up...': async () =>
    joined({ router: (await served({ tls: { key, cert } })).url.replace('wss:', 'ws:') }),
  'could not connect to ...: self-signed certificate': async () =>
    joined({ router: (await served({ tls: { key, cert } })).url }),
  '"localhost:8080" is not an address of a router, such as ws://localhost:8080/ws, in a page /ws': () =>
    new WampClient({ router: 'localhost:8080' }),
  'there is no realm "realm2" here': () => joined({ router: new Router(), realm: 'realm2' }),
  'this router knows the authmethod ticket alone': () => joined({ router: new Router(guarded) }),
  'the credentials are not valid here': () =>
    joined({ router: new Router({ ...guarded, loginLimits: false }), auth: [ticket('joe', 'coffee')] }),
  'too many failed logins from this address: try again in ... s': async () => {
    const { url } = await served(
      { trustedProxies: 'loopback' },
      { ...guarded, loginLimits: { free: 1, delay: 1000, maxDelay: 0 } },
    )
    const from = { headers: { 'x-forwarded-for': '192.0.2.7' } }
    const router = new WampRouter({ url, dial: dial(from) })
    const failing = () => joined({ router, auth: [ticket('joe', 'coffee')] })
    for (let n = 0; n < 3; n++) await failing().catch(() => {})
    await failing()
  },
  'Shop has not joined a realm: await start() first': () =>
    new WampClient({ name: 'Shop', router: new Router() }).call('com.example.price'),
  '... has no session at the moment': async () => {
    const router = new Router()
    const client = new WampClient({ router, reconnect: { initial: 10_000 } })
    release.push(() => client.stop())
    await client.start()
    const lost = new Promise((resolve) => client.on('lost', resolve))
    await router.close()
    await lost
    await client.call('com.example.price')
  },
  'WampClient was stopped': async () => {
    const [caller] = await shop(never)
    const calling = caller.call('com.example.price')
    void caller.stop()
    await calling
  },
  'no callee is registered for "com.example.price"': async () =>
    (await joined({ router: new Router() })).call('com.example.price'),
  'no answer within 50 ms to the call of com.example.price': async () => {
    const [caller] = await shop(never)
    await caller.call('com.example.price', [], {}, { timeout: 50 })
  },
  'the callee left before it answered': async () => {
    const [caller, callee] = await shop(() => {
      void callee.stop()
      return never()
    })
    await caller.call('com.example.price')
  },
  '"com.example.price" takes no more calls now': async () => {
    const [caller] = await shop(never, { concurrency: 1 })
    caller.call('com.example.price').catch(() => {})
    await caller.call('com.example.price')
  },
  'this session may not call "com.example.price"': async () =>
    (await joined({ router: new Router(guarded), auth: [joe] })).call('com.example.price'),
  '"com.example." is not a valid URI: it has white space, "#" or an empty component': async () =>
    (await joined({ router: new Router() })).subscribe('com.example.', () => {}),
  '"wamp.mine" belongs to the router': async () =>
    (await joined({ router: new Router() })).register('wamp.mine', () => 1),
  'args must be a list, such as [1, 2], got "tea"': async () =>
    (await shop())[0].call('com.example.price', 'tea' as never),
  "kwargs must be a dictionary, such as { unit: 'cm' }, got a list": async () =>
    (await shop())[0].call('com.example.price', [], [] as never),
  'args[0] is a Map, which cannot be sent': async () => (await shop())[0].call('com.example.price', [new Map()]),
  'args[0] is NaN, which cannot be sent': async () => (await shop())[0].call('com.example.price', [Number.NaN]),
  'args[0]... is nested deeper than 256 levels or a cycle, which cannot be sent': async () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    await (await shop())[0].call('com.example.price', [cycle])
  },
  'args[0].price: Invalid input: expected number, received string': async () => {
    const router = new Router()
    const service = new Checked({ router })
    release.push(() => service.stop())
    await service.start()
    await (await joined({ router })).call('com.example.total', [{ price: 'free' }])
  },
  'the option timeout must be milliseconds, or 0 for no limit, got "5"': async () =>
    (await shop())[0].call('com.example.price', [], {}, { timeout: '5' as never }),
  'a message of ... bytes is too long for the peer, which accepts at most 16777216': async () => {
    const client = await joined({ router: (await served()).url })
    await client.call('com.example.price', ['x'.repeat(2 ** 24)])
  },
  'more than 5 parts of the result of com.example.count wait to be read...': async () => {
    const [caller, callee] = await shop()
    let all = () => {}
    const sent = new Promise<void>((resolve) => {
      all = resolve
    })
    await callee.register('com.example.count', async (_args, _kwargs, _details, invocation) => {
      for (let n = 0; n < 20; n++) await invocation.progress([n])
      all()
      return never()
    })
    const parts = caller.progress('com.example.count', [], {}, { buffer: 5 })
    await sent
    for await (const _ of parts);
  },
  'WampClient has no option "url": write router: \'ws://localhost:8080/ws\'': () =>
    new WampClient({ url: 'ws://localhost:8080/ws' } as never),
  '... has no option "realms": did you mean realm?': () => new WampClient({ realms: ['realm1'] } as never),
  '"com.example.price" is registered already': async () => (await shop())[0].register('com.example.price', () => 4),
  '"com.example.price" is registered already with invoke: roundrobin': async () => {
    const [other] = await shop(() => 3, { invoke: 'roundrobin' })
    await other.register('com.example.price', () => 4, { invoke: 'first' })
  },
  'Shop has no method "prize", which it declares for rpc': () => new Misspelled({ router: new Router() }).start(),
  'Shop declares rpc "stop", which every client has or will have itself...': () =>
    new Stopping({ router: new Router() }).start(),
  'Shop declares procedures or topics, which only a WampClient serves': () => new Serving({ router: new Router() }),
  'an RpcClient registers no procedures: make a WampClient for that': () =>
    (new RpcClient() as unknown as WampClient).register('com.example.price', () => 3),
  boom: async () => {
    const [caller] = await shop(() => {
      throw new Error('boom')
    })
    await caller.call('com.example.price')
  },
  'port 8080 on 127.0.0.1 is in use: stop the process that listens there, or choose another port (0 picks a free one)':
    async () => served({ port: (await served()).port }),
  'port 80 on ... may not be opened by this user: choose one of 1024 or above': () =>
    // Root may open it, so this is the text of the source.
    /`(port .* may not be opened .*)`/.exec(read('src/node/listen.ts'))?.[1]?.replace(/\$\{port\}/, '80'),
  '10.0.0.9 is not an address of this machine: use 127.0.0.1, or 0.0.0.0 for every interface': () =>
    served({ host: '10.0.0.9' }),
  'the router at 0.0.0.0:8080 has no authentication: whoever reaches it may join; ...': async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await served({ host: '0.0.0.0' })
    const text = warn.mock.calls[0]?.[0]
    warn.mockRestore()
    return text
  },
  "origins: '*' would let every page act with the cookies of its visitors: list the origins of your pages": () =>
    served({ origins: '*' }, { auth: [cookieAuth({ name: 'sid', principals: {} })] }),
  'serve expects a Router as its first argument, such as serve(new Router()), got a dictionary': () =>
    serve({} as never, {}),
  'Router has no option "realm": did you mean realms?': () => new Router({ realm: 'realm1' } as never),
}

/** A port of the test stands for 8080. */
const ported = (text: string): string =>
  text
    .replace(/localhost:\d+/, 'localhost:8080')
    .replace(/port \d{4,}/, 'port 8080')
    .replace(/0\.0\.0\.0:\d+/, '0.0.0.0:8080')

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

test('each message of this library has a mistake that produces it', () => {
  expect(headings(ours).sort()).toEqual(Object.keys(mistakes).sort())
})

test.each(Object.entries(mistakes))('%s', async (message, mistake) => {
  const text = await Promise.resolve()
    .then(mistake)
    .catch((error: Error | string) => (typeof error === 'string' ? error : error.message))
  expect(ported(String(text))).toMatch(new RegExp(`^${message.split('...').map(escaped).join('[^]*')}`))
})

test('the messages of toolchains are those that their projects and the packed package produce', () => {
  const tests = ['toolchains/run.mjs', 'toolchains/jest/jsdom.test.js', 'package.test.ts']
  const produced = tests
    .map((name) => read(`test/${name}`))
    .join('')
    .replaceAll('\\', '')
  const [toolchains = ''] = others.split(/^## Browsers$/m)
  const texts = headings(toolchains).map((text) => text.replace(/ imported from$/, ''))
  expect(texts.length).toBeGreaterThan(3)
  expect(texts.filter((text) => !produced.includes(text))).toEqual([])
})
