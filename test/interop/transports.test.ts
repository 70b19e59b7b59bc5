/** The transports of Autobahn beside WebSocket, through our router, with our client at the other end. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { WampClient } from 'wampy-ts'
import { anonymousAuth, wampcraAuth } from 'wampy-ts/auth/router'
import { serve, serveRawSocket } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { Socket } from './socket.ts'

Object.assign(globalThis, { WebSocket: Socket })
const { default: autobahn } = await import('autobahn')
autobahn.log.warn = () => {}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  vi.unstubAllGlobals()
})

/** The part of a browser's XMLHttpRequest that Autobahn uses; Node has none. */
class Request {
  withCredentials = false
  onreadystatechange: () => void = () => {}
  ontimeout: () => void = () => {}
  readyState = 0
  status = 0
  statusText = ''
  responseText = ''
  timeout = 0
  readonly #headers: Record<string, string> = {}
  #method = ''
  #url = ''

  open(method: string, url: string): void {
    this.#method = method
    this.#url = url
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value
  }

  async send(body?: string): Promise<void> {
    const done = (): void => {
      this.readyState = 4
      this.onreadystatechange()
    }
    try {
      const response = await fetch(this.#url, { method: this.#method, headers: this.#headers, body: body ?? null })
      this.status = response.status
      this.statusText = response.statusText
      this.responseText = await response.text()
    } catch {
      this.status = 0
    }
    done()
  }
}

test.each(['rawsocket on a port', 'rawsocket on a path', 'longpoll'])('logged in, over %s', async (way) => {
  vi.stubGlobal('XMLHttpRequest', Request)
  const router = new Router({ auth: [wampcraAuth({ joe: { secret: 'secret1' } }), anonymousAuth()] })
  const served = await serve(router, { port: 0, longPoll: { hold: 200 } })
  const path = join(tmpdir(), `wampy-ts-autobahn-${process.pid}.sock`)
  const unix = await serveRawSocket(router, { path })
  cleanups.push(
    () => served.close(),
    () => unix.close(),
  )
  const transport = {
    'rawsocket on a port': { type: 'rawsocket', host: '127.0.0.1', port: served.port },
    'rawsocket on a path': { type: 'rawsocket', path },
    longpoll: { type: 'longpoll', url: served.longPollUrl },
  }[way]
  const complaints: unknown[] = []
  const connection = new autobahn.Connection({
    transports: [transport],
    realm: 'realm1',
    max_retries: 0,
    use_es6_promises: true,
    authmethods: ['wampcra'],
    authid: 'joe',
    onchallenge: (_: unknown, __: string, extra: { challenge: string }) =>
      autobahn.auth_cra.sign('secret1', extra.challenge),
    on_internal_error: (error: unknown) => complaints.push(error),
  } as never)
  const closed = new Promise<string>((resolve) => {
    connection.onclose = (reason) => resolve(reason)
  })
  const session = await new Promise<import('autobahn').Session>((resolve) => {
    connection.onopen = resolve
    connection.open()
  })
  expect(await session.call('wamp.session.get', [session.id])).toMatchObject({ authid: 'joe', authmethod: 'wampcra' })
  const ours = new WampClient({ router: served.url, reconnect: false })
  cleanups.push(() => ours.stop())
  await ours.start()

  await session.register('ab.double', (args) => 2 * (args[0] as number))
  await ours.register('our.echo', (args) => args[0])
  expect(await Promise.all(Array.from({ length: 20 }, (_, i) => ours.call('ab.double', [i])))).toEqual(
    Array.from({ length: 20 }, (_, i) => 2 * i),
  )
  for (const value of ['größer 😀', 'x'.repeat(100_000), [{ deep: [null, true] }]]) {
    expect(await session.call('our.echo', [value])).toEqual(value)
  }
  const heard: unknown[] = []
  await session.subscribe('news', (args) => heard.push(args[0]))
  for (let i = 0; i < 20; i++) await ours.publish('news', [i])
  await expect.poll(() => heard).toEqual(Array.from({ length: 20 }, (_, i) => i))

  connection.close()
  await closed
  await expect.poll(() => router.links).toBe(1)
  expect(complaints).toEqual([])
})
