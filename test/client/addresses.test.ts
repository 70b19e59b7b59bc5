/** Addresses of routers: relative to a page or a worker, and http for WebSocket. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { batching, longPollDial, USAGE, WampClient, WampRouter, webSocketDial } from 'wampy-ts'
import { dial, serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import { clientOf, failure, leavesNothing } from './support.ts'

leavesNothing()
afterEach(() => {
  vi.unstubAllGlobals()
})

/** Simulates a page, or a worker, at this address. */
const at = (href: string) => vi.stubGlobal('location', { href })

/** A router on a port of its own, as `http://127.0.0.1:PORT`. */
async function serving() {
  const router = new Router()
  const served = await serve(router, { port: 0, longPoll: true })
  return {
    origin: `http://127.0.0.1:${served.port}`,
    async [Symbol.asyncDispose]() {
      await router.close()
      await served.close()
    },
  }
}

describe('in a page', () => {
  test.each([
    ['/ws', 'wss://example.com/ws'],
    ['ws', 'wss://example.com/shop/ws'],
    ['./ws', 'wss://example.com/shop/ws'],
    ['../ws', 'wss://example.com/ws'],
    ['?realm=a', 'wss://example.com/shop/page.html?realm=a'],
    ['ws?at=10:30', 'wss://example.com/shop/ws?at=10:30'],
    ['/ws:8080', 'wss://example.com/ws:8080'],
    ['//router.example.com/ws', 'wss://router.example.com/ws'],
    ['//router.example.com:8080', 'wss://router.example.com:8080/'],
    ['ws://elsewhere/ws', 'ws://elsewhere/ws'],
    ['https://elsewhere/ws', 'wss://elsewhere/ws'],
    ['HTTP://elsewhere/ws', 'ws://elsewhere/ws'],
  ])('%s is %s', (url, whole) => {
    at('https://example.com/shop/page.html?q=1#top')
    const router = new WampRouter({ url })
    expect(router.url).toBe(whole)
    expect(router.name).toBe(whole.replace(/\?.*/, ''))
  })

  test('in a page of http it is ws', () => {
    at('http://localhost:5173/')
    expect(new WampRouter({ url: '/ws' }).url).toBe('ws://localhost:5173/ws')
  })

  test('the address is fixed at construction, even if the page changes its own', () => {
    at('http://localhost/one/')
    const router = new WampRouter({ url: 'ws' })
    at('http://localhost/two/')
    expect(router.url).toBe('ws://localhost/one/ws')
  })

  test.each(['', 'localhost:8080', '127.0.0.1:8080/ws', 'example.com:80', 'bob:s3cret@host/ws', 'ftp://x/ws', 'ws://'])(
    '"%s" is refused',
    (url) => {
      at('https://example.com/')
      expect(() => new WampRouter({ url })).toThrow('is not an address of a router, such as ws://localhost:8080/ws')
    },
  )

  // `data:` and `about:` have no hierarchy, files have no host.
  test.each(['file:///home/page.html', 'data:text/html,hello', 'about:srcdoc', 'chrome-extension://abc/page.html'])(
    'an address that is relative to %s is a usage error',
    async (href) => {
      at(href)
      const start = async () => clientOf('/ws', { reconnect: false }).start()
      expect(await failure(start())).toMatchObject({ uri: USAGE })
    },
  )

  test('a client connects, over WebSocket and by long polling', async () => {
    await using here = await serving()
    at(`${here.origin}/page.html`)
    for (const router of [
      '/ws',
      new WampRouter({ url: '/ws', dial: batching(webSocketDial()) }),
      new WampRouter({ url: '/ws', dial: dial() }),
      new WampRouter({ url: '/ws/lp', dial: longPollDial() }),
      new WampRouter({ url: 'ws/lp', dial: batching(longPollDial()) }),
    ]) {
      await using client = new WampClient({ router })
      await client.start()
      expect(client.state).toBe('ready')
    }
  })
})

describe('outside of a page', () => {
  test.each(['/ws', '//example.com/ws'])(
    '%s may be given, as server rendering does, and cannot be dialled',
    async (url) => {
      const client = clientOf(url)
      expect(await failure(client.start())).toMatchObject({
        uri: USAGE,
        message: `"${url}" is not an address of a router, such as ws://localhost:8080/ws, in a page /ws`,
      })
      expect(client.state).toBe('stopped')
    },
  )

  test.each(['http', 'ws'])('%s://, by every dial over WebSocket', async (scheme) => {
    await using here = await serving()
    const url = `${here.origin}/ws`.replace('http', scheme)
    for (const router of [
      url,
      new WampRouter({ url, webSocket: (await import('ws')).WebSocket }),
      new WampRouter({ url, dial: webSocketDial() }),
      new WampRouter({ url, dial: dial() }),
      new WampRouter({ url, dial: batching(webSocketDial()) }),
    ]) {
      await using client = new WampClient({ router })
      await client.start()
      expect(client.state).toBe('ready')
    }
  })
})
