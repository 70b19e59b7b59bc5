/** Metrics and health over HTTP: on a port of their own, beside an existing server, and while the router closes. */

import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type RequestOptions, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { longPollDial, RpcClient, WampClient, WampRouter } from 'wampy-ts'
import { metrics } from 'wampy-ts/metrics'
import { rawSocketDial, type Served, type ServeOptions, serve, serveRawSocket } from 'wampy-ts/node'
import { Router, type RouterObserver } from 'wampy-ts/router'
import { cert, key } from './certificate.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

async function ask(port: number, path: string, options: RequestOptions = {}): Promise<Answer> {
  const request = httpRequest({ port, path, host: '127.0.0.1', agent: false, ...options })
  request.end(options.method === 'POST' ? 'a body' : undefined)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, headers: response.headers, text }
}

const statusOf = async (...args: Parameters<typeof ask>) => (await ask(...args)).status

/** A router that counts its observers. */
class Observed extends Router {
  observers = 0

  override observe(observer: RouterObserver): () => void {
    this.observers++
    const stop = super.observe(observer)
    return () => {
      this.observers--
      stop()
    }
  }
}

async function serving(options: ServeOptions = {}, router = new Observed()): Promise<Served & { router: Observed }> {
  const served = await serve(router, { port: 0, ...options })
  onTestFinished(async () => {
    await router.close()
    await served.close()
  })
  return Object.assign(Object.create(served) as Served, { router })
}

async function existing(): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => response.end('of the program'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

const polling = ({ longPollUrl: url = '' }: Served) => new WampRouter({ url, dial: longPollDial() })

test('are off by default', async () => {
  const { port, router } = await serving()
  for (const path of ['/metrics', '/healthz', '/readyz']) expect(await statusOf(port, path)).toBe(404)
  expect(router.observers).toBe(0)
})

test('are shown on a port of their own, as metrics() shows them', async () => {
  const { port, url, router } = await serving({ metrics: true, health: true })
  await using client = new RpcClient({ router: url })
  await client.call('wamp.session.count')
  const { status, headers, text } = await ask(port, '/metrics')
  expect([status, headers['content-type'], headers['cache-control']]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
    'no-store',
  ])
  expect(Number(headers['content-length'])).toBe(Buffer.byteLength(text))
  expect(text).toMatch(/^# HELP wampy_build_info .*\n# TYPE wampy_build_info gauge\n/)
  expect(text).toMatch(/\nwampy_calls_total\{realm="realm1",outcome="result"\} 1\n/)
  expect(text).toMatch(/\nwampy_joins_total\{realm="realm1",authmethod="anonymous"\} 1\n/)
  expect(await ask(port, '/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
  expect(await ask(port, '/readyz')).toMatchObject({ status: 200, text: 'ready\n' })
  expect(router.observers).toBe(1)
})

test.each(['/metrics', '/healthz', '/readyz'])('%s can only be read', async (path) => {
  const { port } = await serving({ metrics: true, health: true })
  const whole = await ask(port, path)
  const head = await ask(port, path, { method: 'HEAD' })
  expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-type': whole.headers['content-type'] } })
  expect(Number(head.headers['content-length'])).toBeGreaterThan(0)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect(await ask(port, path, { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  }
  for (const same of [`${path}?a=b`, `http://127.0.0.1:${port}${path}`]) expect(await statusOf(port, same)).toBe(200)
  for (const other of [`${path}/`, `/${path}`, `${path}x`, path.toUpperCase()]) {
    expect(await statusOf(port, other)).toBe(404)
  }
})

test('may be one of the two', async () => {
  const measured = await serving({ metrics: true, health: false })
  expect(await Promise.all(['/metrics', '/healthz'].map((path) => statusOf(measured.port, path)))).toEqual([200, 404])
  const watched = await serving({ health: true })
  expect(await Promise.all(['/metrics', '/healthz'].map((path) => statusOf(watched.port, path)))).toEqual([404, 200])
})

test('are answered at other paths, with the options of metrics', async () => {
  const { port, url } = await serving({
    metrics: { path: '/internal/metrics', procedures: 'registered' },
    health: { live: '/live', ready: '/ready' },
  })
  await using client = new RpcClient({ router: url })
  await client.call('wamp.session.count')
  expect((await ask(port, '/internal/metrics')).text).toContain('procedure="wamp.session.count"')
  expect(await Promise.all(['/live', '/ready', '/metrics', '/healthz'].map((path) => statusOf(port, path)))).toEqual([
    200, 200, 404, 404,
  ])
})

test('stand beside the handlers of an existing server and the long polls, until the router is served no more', async () => {
  const { server, port } = await existing()
  const router = new Observed()
  const served = await serve(router, { server, metrics: true, health: true, longPoll: true })
  await using client = new RpcClient({ router: polling(served), reconnect: false })
  await client.call('wamp.session.count')
  expect((await ask(port, '/metrics')).text).toContain('outcome="result"} 1\n')
  expect((await ask(port, '/readyz')).text).toBe('ready\n')
  expect((await ask(port, '/other')).text).toBe('of the program')
  await client.stop()
  await served.close()
  expect((await ask(port, '/metrics')).text).toBe('of the program')
  expect(router.observers).toBe(0)
  await router.close()
})

test('stand beside an existing server without long polls', async () => {
  const { server, port } = await existing()
  await serving({ server, health: true })
  expect(await Promise.all(['/healthz', '/other'].map(async (path) => (await ask(port, path)).text))).toEqual([
    'ok\n',
    'of the program',
  ])
})

test('work over TLS', async () => {
  const { port } = await serving({ tls: { key, cert }, health: true })
  const { request } = await import('node:https')
  const sent = request({ port, path: '/readyz', host: '127.0.0.1', ca: cert, agent: false }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  response.destroy()
})

test('/readyz fails from the moment the router closes, while calls in progress get their time', async () => {
  const { port, url, router } = await serving({ metrics: true, health: true })
  await using callee = new WampClient({ router: url })
  let answer = (): void => {}
  const called = new Promise<void>((began) => {
    void callee.register('com.slow', () => {
      began()
      return new Promise<string>((resolve) => {
        answer = () => resolve('done')
      })
    })
  })
  await callee.start()
  await using caller = new RpcClient({ router: url, reconnect: false })
  const result = caller.call('com.slow')
  await called
  const closing = router.close({ drain: 20_000 })
  expect(await ask(port, '/readyz')).toMatchObject({ status: 503, text: 'the router is closing\n' })
  expect(await statusOf(port, '/readyz', { method: 'HEAD' })).toBe(503)
  expect(await statusOf(port, '/healthz')).toBe(200)
  expect((await ask(port, '/metrics')).text).toContain('wampy_pending_calls{realm="realm1"} 1\n')
  answer()
  expect(await result).toBe('done')
  await closing
  expect(await statusOf(port, '/readyz')).toBe(503)
})

test('are released when the server closes, and if it cannot listen', async () => {
  const { port, router, close } = await serving({ metrics: true })
  const other = new Observed()
  await expect(serve(other, { port, metrics: true })).rejects.toThrow(/in use/)
  expect([router.observers, other.observers]).toEqual([1, 0])
  await close()
  expect(router.observers).toBe(0)
})

test('show metrics of the program, which several servers may share and which may fail', async () => {
  const router = new Observed()
  const numbers = metrics(router)
  const source = { text: () => `${numbers.text()}# TYPE mine gauge\nmine 1\n` }
  const [one, two] = [
    await serving({ metrics: { source } }, router),
    await serving({ metrics: { source: { text: () => (undefined as never as string).slice() } } }, router),
  ]
  expect((await ask(one.port, '/metrics')).text).toMatch(/^# HELP wampy_build_info [\s\S]*\nmine 1\n$/)
  expect(await ask(two.port, '/metrics')).toMatchObject({ status: 500, text: 'the metrics could not be read\n' })
  expect(router.observers).toBe(1)
})

test('count connections of every transport', async () => {
  const served = await serving({ metrics: true, longPoll: true })
  const { port, router } = served
  const raw = await serveRawSocket(router, { port: 0 })
  onTestFinished(() => raw.close())
  await using one = new RpcClient({ router: new WampRouter({ url: raw.url, dial: rawSocketDial() }) })
  await using two = new RpcClient({ router: polling(served) })
  await Promise.all([one.call('wamp.session.count'), two.call('wamp.session.count')])
  const { text } = await ask(port, '/metrics')
  expect(text).toContain('wampy_links 2\n')
  expect(text).toContain('wampy_messages_total{direction="received",type="CALL"} 2\n')
})

test.each<[object, RegExp]>([
  [{ metrics: 1 }, /serve: metrics must be true, false or its options, got 1/],
  [{ metrics: { path: 'metrics' } }, /metrics\.path must be a path such as "\/status", got "metrics"/],
  [{ metrics: { path: '/a?b' } }, /metrics\.path must be a path/],
  [{ metrics: { paths: '/a' } }, /metrics has no option "paths": did you mean path\?/],
  [{ metrics: { procedures: 'all' } }, /metrics\.procedures must be "none", "registered" or a function/],
  [{ metrics: { source: {} } }, /metrics\.source must be metrics of wampy-ts\/metrics/],
  [{ health: 'yes' }, /serve: health must be true, false or its paths, got "yes"/],
  [{ health: { ready: 1 } }, /health\.ready must be a path/],
  [{ health: { live: '/same', ready: '/same' } }, /must have different paths, got \/same twice/],
  [{ metrics: { path: '/healthz' }, health: true }, /must have different paths, got \/healthz twice/],
])('%j is an error', async (options, text) => {
  const router = new Observed()
  await expect(serve(router, { port: 0, ...options } as ServeOptions)).rejects.toThrow(
    expect.objectContaining({ uri: 'wampy.error.usage', message: expect.stringMatching(text) }),
  )
  expect(router.observers).toBe(0)
})

test('of an object around a router, metrics need a source', async () => {
  const router = new Observed()
  const around = { attach: router.attach.bind(router) }
  await expect(serve(around, { port: 0, metrics: true })).rejects.toThrow(
    /pass metrics: \{ source: metrics\(router\) \}/,
  )
  const served = await serve(around, { port: 0, metrics: { source: metrics(router) }, health: true })
  onTestFinished(() => served.close())
  expect(await statusOf(served.port, '/metrics')).toBe(200)
  expect(await statusOf(served.port, '/readyz')).toBe(200)
})
