/** The behaviour required of every engine, in one list. */

import assert from 'node:assert/strict'
import {
  type AuthMethod,
  anonymousAuth,
  cryptosignAuth,
  deriveCraKey,
  generateKey,
  LoginCookies,
  scramAuth,
  scramSecret,
  ticketAuth,
  wampcraAuth,
} from 'wampy-ts/auth/router'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import type { Tab } from './browsers.ts'
import { compiled, type NodeSide, type RouterProcess, type Site, until } from './stage.ts'

export interface Stage {
  readonly engine: string
  readonly router: RouterProcess
  readonly site: Site
  readonly node: NodeSide
  /** Opens a tab at an address, which is closed after the story. */
  open(url: string): Promise<Tab>
}

type Story = (stage: Stage) => Promise<void>

const ready = "while (globalThis.client?.state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 10))"

/** Opens a tab whose page has a global `client` that becomes ready. */
async function joined(stage: Stage, url: string): Promise<Tab> {
  const tab = await stage.open(url)
  await tab.run(ready)
  return tab
}

const SHARED_ROUTER = `importScripts('/wampy.min.js')
  const router = new wampy.Router()
  wampy.acceptPorts(router)
  const inside = new wampy.WampClient({ router })
  inside.register('router.stats', () => router.stats())
  inside.start()`

const dialing = (made: string): string =>
  `new wampy.WampRouter({ name: 'the worker', dial: wampy.portDial(() => ${made}) })`

/** A page whose client registers a procedure, and another page to go to. */
function leavable(stage: Stage, name: string, router: string): { here: string; elsewhere: string } {
  const here = stage.site.page(
    name,
    `globalThis.client = new wampy.WampClient({ router: ${router} })
     client.register('${name}.here', () => 'here')
     globalThis.heard = []
     client.subscribe('${name}.news', ([text]) => heard.push(text))
     client.start()`,
  )
  return { here, elsewhere: stage.site.page(`${name}-elsewhere`, '') }
}

/** Fails unless a page returns as the engine does it: from the back-forward cache, or loaded anew. */
async function returned(tab: Tab, from: 'the cache' | 'the network'): Promise<void> {
  assert.equal(await tab.run("return restored ? 'the cache' : 'the network'"), from, 'the page must come from there')
}

/** Firefox keeps no page that had a connection, a worker or a lock when it was left: it loads the page anew. */
const whenConnected = ({ engine }: Stage) => (engine === 'firefox' ? 'the network' : 'the cache')

/** Leaves a page and returns to it: its session is gone within two seconds, and back with all that it had. */
async function leaveAndReturn(stage: Stage, name: string, router: string): Promise<void> {
  const { node } = stage
  const { here, elsewhere } = leavable(stage, name, router)
  const tab = await joined(stage, here)
  const before = await node.sessions()
  assert.equal(await node.ask(`${name}.here`), 'here')
  await tab.goto(elsewhere)
  await until('the page that was left has no session', async () => (await node.sessions()) === before - 1, 2000)
  await assert.rejects(node.ask(`${name}.here`), { uri: 'wamp.error.no_such_procedure' })
  await tab.back()
  await until('the page that returned answers', () => node.ask(`${name}.here`))
  await node.publish(`${name}.news`, ['welcome back'])
  await until('it hears events', async () => ((await tab.run('return heard')) as string[]).includes('welcome back'))
  assert.equal(await node.sessions(), before)
  await returned(tab, whenConnected(stage))
}

export const STORIES: Readonly<Record<string, Story>> = {
  async 'a script tag: calls, and is called'(stage) {
    const { site, router, node } = stage
    const tab = await joined(
      stage,
      site.page(
        'tag',
        `globalThis.client = new wampy.WampClient({ router: '${router.url}' })
         client.register('tag.double', ([x]) => 2 * x)
         client.start()`,
      ),
    )
    assert.equal(await tab.run('return client.call("node.add", [1, 2])'), 3)
    assert.equal(await node.ask('tag.double', 21), 42)
  },

  async 'a module script that needs no bundler'(stage) {
    const { site, router, node } = stage
    const script = `import { WampClient } from '/wampy.mjs'
      globalThis.client = new WampClient({ router: '${router.url}' })
      await client.start()
      await client.register('module.double', ([x]) => 2 * x)`
    const tab = await joined(stage, site.page('module', script, { type: 'module' }))
    assert.equal(await tab.run('return client.call("node.add", [1, 2])'), 3)
    await until('the page answers', async () => (await node.ask('module.double', 21)) === 42)
  },

  async 'every method of authentication that a page has, with right and wrong secrets'({ site, open }) {
    const keys = await generateKey()
    const wrong = await generateKey()
    const salt = { salt: 'salt123', iterations: 1000, keylen: 32 }
    const argon2 = { kdf: 'argon2id13', iterations: 8, memory: 512 } as const
    const cookies = new LoginCookies()
    const auth: Record<string, readonly AuthMethod[]> = {
      anonymous: [anonymousAuth()],
      ticket: [cookies.auth, ticketAuth({ joe: { ticket: 'right' } })],
      wampcra: [wampcraAuth({ joe: { secret: 'right' } })],
      salted: [wampcraAuth({ joe: { secret: await deriveCraKey('right', salt), ...salt } })],
      scram: [scramAuth({ joe: await scramSecret('pässwörd') })],
      argon2id: [scramAuth({ joe: await scramSecret('right', argon2) })],
      cryptosign: [cryptosignAuth({ joe: { authorized_keys: [keys.publicKey] } })],
    }
    const router = new Router({ realms: Object.keys(auth), auth, loginLimits: false })
    const served = await serve(router, { port: 0, cookies, origins: [site.origin] })
    try {
      const script = `import * as wamp from '/bundle.mjs'
        globalThis.wamp = wamp
        globalThis.login = async (realm, method, end = 'stop') => {
          const url = '${served.url}'
          const client = new wamp.RpcClient({ router: url, realm, auth: [method], reconnect: false })
          const joined = client.start().then(() => client.session.authmethod, ({ uri }) => uri)
          await joined
          await client[end]()
          return joined
        }`
      const tab = await open(site.page('login', script, { type: 'module' }))
      await until('the page has loaded', () => tab.run('return typeof login === "function"'))
      const login = (realm: string, method: string, end = 'stop') =>
        tab.run(`return login('${realm}', wamp.${method}, '${end}')`)
      const refused = 'wamp.error.authentication_failed'
      assert.equal(await login('anonymous', 'anonymous()'), 'anonymous')
      for (const [realm, method, secret] of [
        ['ticket', 'ticket', 'right'],
        ['wampcra', 'wampcra', 'right'],
        ['salted', 'wampcra', 'right'],
        ['scram', 'scram', 'pässwörd'],
        ['argon2id', 'scram', 'right'],
      ] as const) {
        const joined = await login(realm, `${method}('joe', '${secret}')`)
        assert.equal(joined, method === 'scram' ? 'wamp-scram' : method, realm)
        assert.equal(await login(realm, `${method}('joe', 'wrong')`), refused, realm)
      }
      assert.equal(await login('cryptosign', `cryptosign({ key: '${keys.privateKey}', authid: 'joe' })`), 'cryptosign')
      assert.equal(await login('cryptosign', `cryptosign({ key: '${wrong.privateKey}', authid: 'joe' })`), refused)
      // The login by ticket is remembered, until the page logs out.
      assert.equal(await login('ticket', "ticket('joe', 'right')"), 'ticket')
      assert.equal(await login('ticket', 'cookie()'), 'cookie')
      assert.equal(await login('ticket', 'cookie()', 'logout'), 'cookie')
      assert.equal(await login('ticket', 'cookie()'), 'wamp.error.no_matching_auth_method')
    } finally {
      await router.close()
      await served.close()
    }
  },

  async 'a client in a worker'(stage) {
    const { site, router, node } = stage
    site.put(
      '/inside.js',
      `importScripts('/wampy.min.js')
       const client = new wampy.WampClient({ router: '${router.url}' })
       client.register('worker.double', ([x]) => 2 * x)
       client.start().then(() => client.call('node.add', [1, 2])).then(postMessage)`,
    )
    const tab = await stage.open(
      site.page(
        'worker',
        `globalThis.sum = new Promise((resolve) => {
        new Worker('/inside.js').onmessage = ({ data }) => resolve(data)
      })`,
      ),
    )
    assert.equal(await tab.run('return sum'), 3)
    await until('the worker answers', async () => (await node.ask('worker.double', 21)) === 42)
  },

  async 'a router in a worker of the page, which is made again when it died'(stage) {
    const { site } = stage
    site.put('/router.js', SHARED_ROUTER)
    const tab = await joined(
      stage,
      site.page(
        'own-worker',
        `globalThis.client = new wampy.WampClient({ router: ${dialing("(globalThis.made = new Worker('/router.js'))")} })
         client.start()`,
      ),
    )
    assert.equal(await tab.run("return client.call('router.stats').then(({ sessions }) => sessions)"), 2)
    await tab.run('made.terminate()')
    await tab.run("while (client.state === 'ready') await new Promise((resolve) => setTimeout(resolve, 10))")
    await tab.run(ready)
    assert.equal(await tab.run("return client.call('router.stats').then(({ sessions }) => sessions)"), 2)
  },

  async 'a worker whose script cannot be loaded'(stage) {
    const tab = await stage.open(
      stage.site.page(
        'broken-worker',
        `globalThis.client = new wampy.WampClient({ reconnect: false, router: ${dialing("new Worker('/nothing.js')")} })`,
      ),
    )
    assert.equal(
      await tab.run('return client.start().catch(({ message }) => message)'),
      'could not reach the worker: its script could not be loaded, or threw',
    )
  },

  async 'a router in a SharedWorker serves two tabs'(stage) {
    stage.site.put('/shared.js', SHARED_ROUTER)
    const made = dialing("new SharedWorker('/shared.js')")
    const url = stage.site.page('tab', `globalThis.client = new wampy.WampClient({ router: ${made} }); client.start()`)
    const [one, other] = [await joined(stage, url), await joined(stage, url)]
    await one.run("await client.register('tab.square', ([x]) => x * x)")
    assert.equal(await other.run("return client.call('tab.square', [12])"), 144)
    assert.equal(await one.run("return client.call('router.stats').then(({ sessions }) => sessions)"), 3)
    await other.run('await client.stop()')
    await until(
      'the tab has left',
      async () => (await one.run("return client.call('router.stats').then(({ sessions }) => sessions)")) === 2,
    )
  },

  async 'two tabs call each other and hear each other'(stage) {
    const { site, router } = stage
    const url = site.page(
      'pair',
      `globalThis.client = new wampy.WampClient({ router: '${router.url}' }); client.start()`,
    )
    const [one, other] = [await joined(stage, url), await joined(stage, url)]
    await one.run(`globalThis.heard = []
      await client.register('pair.square', ([x]) => x * x)
      await client.subscribe('pair.news', ([text], kwargs) => heard.push([text, kwargs]))`)
    assert.equal(await other.run("return client.call('pair.square', [12])"), 144)
    await other.run("await client.publish('pair.news', ['tea'], { price: 3 }, { acknowledge: true })")
    await until('the event', async () => (await one.run<unknown[]>('return heard')).length === 1)
    assert.deepEqual(await one.run('return heard'), [['tea', { price: 3 }]])
  },

  async 'three serializers, with bytes and exact integers'(stage) {
    const { site, router } = stage
    const script = `import { RpcClient, cbor, json, msgpack } from '/bundle.mjs'
      const told = {}
      for (const serializer of [json, cbor, msgpack]) {
        const client = new RpcClient({ router: '${router.url}', serializers: [serializer] })
        const value = { bytes: new Uint8Array([0, 127, 128, 255]), big: 2n ** 63n - 1n, text: 'Grüße \\u{1F600}', list: [1.5, null] }
        const back = await client.call('node.echo', [value])
        told[serializer.name] = [[...back.bytes], String(back.big), typeof back.big, back.text, back.list]
        await client.stop()
      }
      globalThis.told = told`
    const tab = await stage.open(site.page('serializers', script, { type: 'module' }))
    const told = await tab.run(
      'while (!globalThis.told) await new Promise((resolve) => setTimeout(resolve, 10)); return told',
    )
    const one = [[0, 127, 128, 255], '9223372036854775807', 'bigint', 'Grüße \u{1F600}', [1.5, null]]
    assert.deepEqual(told, { json: one, cbor: one, msgpack: one })
  },

  async 'events in a loop, progress, and a call that is canceled'(stage) {
    const { site, router, node } = stage
    const tab = await joined(
      stage,
      site.page('streams', `globalThis.client = new wampy.RpcClient({ router: '${router.url}' }); client.start()`),
    )
    await tab.run(`globalThis.topics = []
      const events = client.events('streams.', { match: 'prefix' })
      await events.subscription
      ;(async () => { for await (const { topic, args } of events) { topics.push([topic, args]); if (topics.length === 2) break } })()`)
    await node.publish('streams.one', [1])
    await node.publish('streams.two', [2])
    await until('two events', async () => (await tab.run<unknown[]>('return topics')).length === 2)
    const parts = await tab.run(`const parts = []
      const counting = client.stream.node.count(4)
      for await (const n of counting) parts.push(n)
      return [...parts, await counting.result]`)
    assert.deepEqual(parts, [1, 2, 3, 4])
    const before = await node.ask<number>('node.aborted')
    const uri = await tab.run(`const controller = new AbortController()
      const waiting = client.call('node.wait', [], {}, { signal: controller.signal }).catch(({ uri }) => uri)
      setTimeout(() => controller.abort(), 50)
      return waiting`)
    assert.equal(uri, 'wamp.error.canceled')
    await until('the callee was told', async () => (await node.ask<number>('node.aborted')) === before + 1)
  },

  async 'a router that is killed, and started again'(stage) {
    const { site, router, node } = stage
    const tab = await joined(
      stage,
      site.page(
        'survivor',
        `globalThis.client = new wampy.WampClient({ router: '${router.url}', reconnect: { initial: 50, max: 200 } })
         client.register('survivor.here', () => 'here')
         client.start()`,
      ),
    )
    await tab.run("globalThis.waiting = client.call('node.wait').catch(({ uri, sent }) => [uri, sent])")
    await tab.run("await client.call('node.add', [1, 2])")
    await router.kill()
    assert.deepEqual(await tab.run('return waiting'), ['wampy.error.connection_lost', true])
    await router.start()
    await tab.run(ready)
    await until('it answers again', () => node.ask('survivor.here'), 10_000)
  },

  async 'a wire that is frozen'(stage) {
    const { site, router, node } = stage
    const tab = await joined(
      stage,
      site.page(
        'frozen',
        `globalThis.client = new wampy.WampClient({ router: '${router.url}', liveness: { idle: 400, answer: 400 }, reconnect: { initial: 50, max: 200 } })
         client.register('frozen.here', () => 'here')
         client.start()`,
      ),
    )
    router.signal('SIGSTOP')
    try {
      const cause = tab.run("return new Promise((resolve) => client.once('lost', ({ message }) => resolve(message)))")
      assert.match(String(await cause), /no answer within 400 ms/)
    } finally {
      router.signal('SIGCONT')
    }
    await tab.run(ready)
    await until('it answers again', () => node.ask('frozen.here'))
  },

  async 'long polls, in batches and one by one'(stage) {
    const { site, router, node } = stage
    for (const [name, dial] of [
      ['polled', 'wampy.longPollDial()'],
      ['batched', 'wampy.batching(wampy.longPollDial())'],
    ] as const) {
      const tab = await joined(
        stage,
        site.page(
          name,
          `globalThis.client = new wampy.WampClient({ router: new wampy.WampRouter({ url: '${router.longPollUrl}', dial: ${dial} }) })
           client.register('${name}.double', ([x]) => 2 * x)
           client.start()`,
        ),
      )
      assert.deepEqual(
        await tab.run('return Promise.all([1, 2, 3].map((x) => client.call("node.add", [x, x])))'),
        [2, 4, 6],
      )
      assert.equal(await node.ask(`${name}.double`, 21), 42)
    }
  },

  async 'addresses that are relative, and those of http'(stage) {
    const { site, router } = stage
    const host = `127.0.0.1:${router.port}`
    const started = (url: string) => `new wampy.RpcClient({ router: '${url}', reconnect: false }).start()`
    for (const url of [`//${host}/ws`, `http://${host}/ws`]) {
      const name = `address-${url.indexOf('/')}`
      site.put(`/${name}-inside.js`, `importScripts('/wampy.min.js')\n${started(url)}.then(() => postMessage('ready'))`)
      const tab = await stage.open(
        site.page(
          name,
          `globalThis.here = ${started(url)}.then(() => 'ready')
           globalThis.inside = new Promise((resolve) => {
             new Worker('/${name}-inside.js').onmessage = ({ data }) => resolve(data)
           })`,
        ),
      )
      assert.deepEqual(await tab.run('return Promise.all([here, inside])'), ['ready', 'ready'])
    }
    // The page that the router itself shows has its address.
    const own = await stage.open(`http://${host}/`)
    await own.run(`await new Promise((resolve) => {
      const script = document.createElement('script')
      Object.assign(script, { src: '${site.origin}/wampy.min.js', onload: resolve })
      document.head.append(script)
    })`)
    for (const url of ['/ws', 'ws', './ws?x', '../ws']) {
      assert.equal(
        await own.run(`const client = new wampy.RpcClient({ router: '${url}' })
        const sum = await client.call('node.add', [1, 2])
        await client.stop()
        return sum`),
        3,
      )
    }
    const polled = await own.run(`const router = new wampy.WampRouter({ url: '/ws/lp', dial: wampy.longPollDial() })
      const client = new wampy.RpcClient({ router })
      const sum = await client.call('node.add', [1, 2])
      await client.stop()
      return [router.url, sum]`)
    assert.deepEqual(polled, [`http://${host}/ws/lp`, 3])
    // A worker from a blob has an address to which none is relative.
    const blob = await stage.open(
      site.page(
        'blob',
        `const text = "importScripts('${site.origin}/wampy.min.js'); ${started('/ws').replaceAll("'", "\\'")}.catch(({ uri }) => postMessage(uri))".replaceAll("\\'", "'")
         globalThis.failed = new Promise((resolve) => {
           new Worker(URL.createObjectURL(new Blob([text]))).onmessage = ({ data }) => resolve(data)
         })`,
      ),
    )
    assert.equal(await blob.run('return failed'), 'wampy.error.usage')
  },

  'a page that is left and returns, over WebSocket': (stage) =>
    leaveAndReturn(stage, 'left-websocket', `'${stage.router.url}'`),

  'a page that is left and returns, over long polls': (stage) =>
    leaveAndReturn(
      stage,
      'left-longpoll',
      `new wampy.WampRouter({ url: '${stage.router.longPollUrl}', dial: wampy.longPollDial() })`,
    ),

  async 'a page that is left while its router is away'(stage) {
    const { site, router, node } = stage
    const here = site.page(
      'left-waiting',
      `globalThis.client = new wampy.WampClient({ router: '${router.url}', reconnect: () => 1000000 })
       client.register('left-waiting.here', () => 'here')
       client.start()`,
    )
    const tab = await joined(stage, here)
    await tab.run("globalThis.waits = new Promise((resolve) => client.once('retry', () => resolve()))")
    await router.kill()
    await tab.run('return waits')
    await tab.goto(site.page('left-waiting-elsewhere', ''))
    await router.start()
    await tab.back()
    // At once: the delay that the page was in would take a quarter of an hour.
    await until('the page that returned answers', () => node.ask('left-waiting.here'))
    await returned(tab, 'the cache')
  },

  async 'a page that is left and returns, with a router of its own'(stage) {
    const script = `globalThis.client = new wampy.WampClient({ router: new wampy.Router() })
      client.register('here', () => 'here')
      client.start()`
    const tab = await joined(stage, stage.site.page('left-own', script))
    const id = await tab.run('return client.session.id')
    await tab.goto(stage.site.page('left-own-elsewhere', ''))
    await tab.back()
    await until('the page that returned answers', () => tab.run("return client.call('here')"))
    await returned(tab, 'the cache')
    assert.equal(await tab.run('return client.session.id'), id, 'its session was frozen with it')
  },

  async 'a page that is left and returns, at a router in a SharedWorker'(stage) {
    const { site } = stage
    site.put('/left.js', SHARED_ROUTER)
    const made = dialing("new SharedWorker('/left.js')")
    const watching = site.page(
      'watching',
      `globalThis.client = new wampy.WampClient({ router: ${made} }); client.start()`,
    )
    const watcher = await joined(stage, watching)
    const { here, elsewhere } = leavable(stage, 'left-port', made)
    const tab = await joined(stage, here)
    const sessions = () => watcher.run("return client.call('router.stats').then(({ sessions }) => sessions)")
    assert.equal(await sessions(), 3)
    assert.equal(await watcher.run("return client.call('left-port.here')"), 'here')
    await tab.goto(elsewhere)
    await until('the page that was left has no session', async () => (await sessions()) === 2, 2000)
    await tab.back()
    await until('the page that returned answers', () => watcher.run("return client.call('left-port.here')"))
    // It is ready on a port that leads somewhere.
    await tab.run(ready)
    assert.equal(
      await tab.run("return client.call('router.stats', [], {}, { timeout: 1000 }).then(({ sessions }) => sessions)"),
      3,
    )
    await returned(tab, whenConnected(stage))
  },

  async 'a client in a worker of a page that is left'(stage) {
    const { site, router, node } = stage
    // The default is ten times as long, and the bound with it: 50 seconds.
    site.put(
      '/left-inside.js',
      `importScripts('/wampy.min.js')
       const client = new wampy.WampClient({ router: '${router.url}', liveness: { idle: 2000 } })
       client.register('left-worker.here', () => 'here')
       client.start().then(() => postMessage('ready'))`,
    )
    const here = site.page(
      'left-worker',
      `globalThis.started = new Promise((resolve) => {
      new Worker('/left-inside.js').onmessage = resolve
    }).then(() => true)`,
    )
    const tab = await stage.open(here)
    await tab.run('return started')
    const before = await node.sessions()
    await new Promise((resolve) => setTimeout(resolve, 6000))
    assert.equal(await node.sessions(), before, 'a worker that runs keeps its session')
    await tab.goto(site.page('left-worker-elsewhere', ''))
    await until('the worker has no session', async () => (await node.sessions()) === before - 1, 6000)
    await tab.back()
    await until('the worker that runs again answers', () => node.ask('left-worker.here'), 10_000)
    await returned(tab, whenConnected(stage))
  },

  async 'a strict Content-Security-Policy'(stage) {
    const { site, router } = stage
    const allowing = (connect: string) => ({
      'Content-Security-Policy': `default-src 'none'; script-src 'self'; worker-src 'self'; connect-src ${connect}`,
    })
    const script = (url: string) =>
      `globalThis.client = new wampy.WampClient({ router: '${url}', reconnect: false })
       globalThis.failed = client.start().then(() => 'ready', ({ uri, message }) => [uri, message])`
    const tab = await stage.open(
      site.page('strict', script(router.url), { headers: allowing(new URL(router.url).origin) }),
    )
    assert.equal(await tab.run('return failed'), 'ready')
    assert.equal(await tab.run('return client.call("node.add", [1, 2])'), 3)
    const forbidden = await stage.open(site.page('forbidden', script(router.url), { headers: allowing("'self'") }))
    const [uri, message] = await forbidden.run<[string, string]>('return failed')
    assert.equal(uri, 'wampy.error.connection_failed')
    assert.match(message, /Content-Security-Policy/)
    assert.match(message, /connect-src/)
    // The same in a worker, which has the policy of its script.
    site.put(
      '/forbidden-inside.js',
      `importScripts('/wampy.min.js')
      new wampy.WampClient({ router: '${router.url}', reconnect: false }).start().catch(({ uri, message }) => postMessage([uri, message]))`,
      allowing("'self'"),
    )
    const worker = await stage.open(
      site.page(
        'forbidden-worker',
        `globalThis.failed = new Promise((resolve) => {
        new Worker('/forbidden-inside.js').onmessage = ({ data }) => resolve(data)
      })`,
        { headers: allowing("'self'") },
      ),
    )
    assert.deepEqual(await worker.run('return failed'), [uri, message])
    const polled = await stage.open(
      site.page(
        'forbidden-poll',
        `globalThis.failed = new wampy.WampClient({ reconnect: false, router: new wampy.WampRouter({ url: '${router.longPollUrl}', dial: wampy.longPollDial() }) })
        .start().catch(({ uri, message }) => [uri, message])`,
        { headers: allowing("'self'") },
      ),
    )
    const [polledUri, polledMessage] = await polled.run<[string, string]>('return failed')
    assert.equal(polledUri, 'wampy.error.connection_failed')
    assert.match(polledMessage, /Content-Security-Policy/)
  },

  async 'Trusted Types'(stage) {
    const { site, router } = stage
    const headers = { 'Content-Security-Policy': "require-trusted-types-for 'script'; trusted-types app" }
    site.put('/router.js', SHARED_ROUTER)
    const script = `globalThis.client = new wampy.WampClient({ router: '${router.url}' })
      const policy = globalThis.trustedTypes?.createPolicy('app', { createScriptURL: (url) => url }) ?? { createScriptURL: (url) => url }
      const router = ${dialing("new Worker(policy.createScriptURL('/router.js'))")}
      globalThis.own = new wampy.WampClient({ router })
      client.start()
      own.start()`
    const tab = await joined(stage, site.page('trusted', script, { headers }))
    assert.equal(await tab.run('return client.call("node.add", [1, 2])'), 3)
    assert.equal(
      await tab.run(`await own.start(); return own.call('router.stats').then(({ sessions }) => sessions)`),
      2,
    )
  },

  async '`await using`, as tsc compiles it'(stage) {
    const { site, router } = stage
    // README, "Browsers": the one line that an engine without the symbol needs.
    const script = compiled(`
      ;(Symbol as { asyncDispose?: symbol }).asyncDispose ??= Symbol.for('Symbol.asyncDispose')
      const { RpcClient } = wampy
      globalThis.told = (async () => {
        const states: string[] = []
        {
          await using client = new RpcClient({ router: '${router.url}' })
          client.on('state', (state: string) => states.push(state))
          await client.rpc.node.add(1, 2)
        }
        return states
      })()`)
    const tab = await stage.open(site.page('using', script))
    assert.deepEqual(await tab.run('return told'), ['connecting', 'ready', 'stopped'])
  },
}
