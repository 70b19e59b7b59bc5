/** A router that other machines can reach: without authentication it says so, and refuses pages that nobody listed. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { anonymousAuth, ticketAuth } from 'wampy-ts/auth/router'
import { type ServeOptions, serve, serveRawSocket } from 'wampy-ts/node'
import { Router, type RouterOptions } from 'wampy-ts/router'
import WebSocket from 'ws'

const warnings: string[] = []
beforeEach(() => {
  warnings.length = 0
  const warn = vi.spyOn(console, 'warn').mockImplementation((text: string) => void warnings.push(text))
  onTestFinished(() => warn.mockRestore())
})

const WARNING =
  /^the router at (0\.0\.0\.0|\[::\]):\d+ has no authentication: whoever reaches it may join; set its option auth \(to \[anonymousAuth\(\)\] if that is intended\)$/

async function served(options: ServeOptions, routerOptions: RouterOptions = {}) {
  const place = await serve(new Router(routerOptions), { port: 0, ...options })
  onTestFinished(() => place.close())
  return place
}

/** The status of the answer to a page of this origin; undefined for a client outside of pages. */
async function status(url: string, origin?: string): Promise<number> {
  const socket = new WebSocket(url, ['wamp.2.json'], origin === undefined ? {} : { origin }).on('error', () => {})
  onTestFinished(() => socket.terminate())
  return new Promise((resolve) => {
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
  })
}

describe('without authentication', () => {
  test.each(['0.0.0.0', '::'])('on %s: one line, and only listed pages and those of the same host', async (host) => {
    const { url, port } = await served({ host })
    expect(warnings).toEqual([expect.stringMatching(WARNING)])
    expect(await status(url, 'https://example.com')).toBe(403)
    expect(await status(url, `http://${new URL(url).host}`)).toBe(101)
    expect(await status(url)).toBe(101)
    expect(port).toBeGreaterThan(0)
    expect(warnings).toHaveLength(1)
  })

  test('listed pages, and all if the option says so', async () => {
    const listed = await served({ host: '0.0.0.0', origins: ['https://example.com'] })
    expect(await status(listed.url, 'https://example.com')).toBe(101)
    expect(await status(listed.url, 'https://example.org')).toBe(403)
    const all = await served({ host: '0.0.0.0', origins: '*' })
    expect(await status(all.url, 'https://example.com')).toBe(101)
    expect(warnings).toHaveLength(2)
  })

  test('on a server of the user, which begins to listen later', async () => {
    const server = createServer()
    const { url: early } = await served({ server })
    expect(early).toContain(':0/')
    expect(warnings).toEqual([])
    server.listen(0, '0.0.0.0')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    expect(warnings).toEqual([expect.stringMatching(WARNING)])
    const { port } = server.address() as { port: number }
    expect(await status(`ws://127.0.0.1:${port}/ws`, 'https://example.com')).toBe(403)
  })

  test('over RawSocket', async () => {
    const { close } = await serveRawSocket(new Router(), { port: 0, host: '0.0.0.0' })
    onTestFinished(() => close())
    expect(warnings).toEqual([expect.stringMatching(WARNING)])
  })

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('on %s: nothing, and all pages', async (host) => {
    const { url } = await served({ host })
    expect(await status(url, 'https://example.com')).toBe(101)
    expect(warnings).toEqual([])
  })
})

describe('with authentication', () => {
  test.each([
    ['anonymous by choice', [anonymousAuth()]],
    ['by ticket', [ticketAuth({ joe: { ticket: 'pencil' } })]],
  ])('%s: nothing, and all pages', async (_name, auth) => {
    const { url } = await served({ host: '0.0.0.0' }, { auth })
    expect(await status(url, 'https://example.com')).toBe(101)
    expect(warnings).toEqual([])
  })
})
