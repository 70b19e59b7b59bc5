/** Our client in Chromium, from the script tag, in all four roles: through Crossbar.io and through our own router. */

import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Result, WampClient, WampError } from 'wampy-ts'
import { serve } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import playwright from '../../playwright.config.ts'
import { NESTED, UNICODE } from '../interop/samples.ts'
import { startCrossbar } from './crossbar.ts'

const SCRIPT = fileURLToPath(new URL('../../dist/wampy.min.js', import.meta.url))

let browser: Browser
let site: Server
let page: string
beforeAll(async () => {
  if (!existsSync(SCRIPT)) throw new Error(`${SCRIPT} is not there: run \`npm run build\` first`)
  browser = await chromium.launch(playwright.projects?.[0]?.use?.launchOptions ?? {})
  site = createServer((request, response) => {
    const script = request.url === '/wampy.min.js'
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(
      script ? readFileSync(SCRIPT) : '<!doctype html><title>wampy</title><script src="/wampy.min.js"></script>',
    )
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  page = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`
})
afterAll(async () => {
  await browser?.close()
  await new Promise((resolve) => (site ? site.close(resolve) : resolve(undefined)))
})

async function ourRouter() {
  const router = new Router()
  const { url, close } = await serve(router, { port: 0 })
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      await router.close()
      await close()
    },
  }
}

describe.each([
  ['Crossbar.io', startCrossbar],
  ['our router', ourRouter],
] as const)('through %s', (_, start) => {
  let router: { readonly url: string } & AsyncDisposable
  beforeAll(async () => {
    router = await start()
  })
  afterAll(() => router?.[Symbol.asyncDispose]())

  test('a page calls, is called, publishes and subscribes', async () => {
    const node = new WampClient({ router: router.url, reconnect: false })
    await node.start()
    const heard: unknown[] = []
    await node.register('com.node.echo', (args, kwargs) => new Result(args, kwargs))
    await node.register('com.node.fail', () => {
      throw new WampError('com.node.error', ['no'], { unicode: UNICODE })
    })
    await node.subscribe('com.page.news', (args, kwargs) => heard.push({ args, kwargs }))

    const tab = await browser.newPage()
    try {
      const errors: unknown[] = []
      tab.on('pageerror', (error) => errors.push(error))
      await tab.goto(page)
      const sent = { args: [...NESTED, UNICODE], kwargs: { unicode: UNICODE, list: [...NESTED] } }
      const called = await tab.evaluate(
        async ({ url, sent }) => {
          const { wampy } = globalThis as unknown as { wampy: typeof import('wampy-ts') }
          const client = new wampy.WampClient({ router: url, name: 'page' })
          const inbox: unknown[] = []
          Object.assign(globalThis, { client, inbox })
          await client.start()
          await client.register('com.page.echo', (args, kwargs) => new wampy.Result(args, kwargs))
          await client.subscribe('com.node.news', (args, kwargs) => inbox.push({ args, kwargs }))
          const { args, kwargs } = await client.callRaw('com.node.echo', sent.args, sent.kwargs)
          const bytes = await client.call('com.node.echo', [new Uint8Array([0, 1, 255])])
          const refused = (await client.call('com.node.fail').catch((error: WampError) => error)) as WampError
          const nobody = (await client.call('com.nobody').catch((error: WampError) => error)) as WampError
          const publication = await client.publish('com.page.news', sent.args, sent.kwargs, { acknowledge: true })
          return {
            echoed: { args, kwargs },
            bytes: bytes instanceof Uint8Array && [...bytes],
            refused: { uri: refused.uri, args: refused.args, kwargs: refused.kwargs },
            nobody: nobody.uri,
            publication,
            session: client.session.id,
          }
        },
        { url: router.url, sent },
      )
      expect(called).toMatchObject({
        echoed: sent,
        bytes: [0, 1, 255],
        refused: { uri: 'com.node.error', args: ['no'], kwargs: { unicode: UNICODE } },
        nobody: 'wamp.error.no_such_procedure',
      })
      expect([called.publication, called.session].every((id) => Number.isInteger(id) && Number(id) >= 1)).toBe(true)
      await expect.poll(() => heard, { interval: 5 }).toEqual([sent])

      expect(await node.callRaw('com.page.echo', sent.args, sent.kwargs)).toMatchObject(sent)
      expect(await node.call('com.page.echo', [new Uint8Array([7, 8])])).toEqual(new Uint8Array([7, 8]))
      await node.publish('com.node.news', sent.args, sent.kwargs)
      const inbox = () => tab.evaluate(() => (globalThis as unknown as { inbox: unknown[] }).inbox)
      await expect.poll(inbox, { interval: 10 }).toEqual([sent])

      await tab.evaluate(() => (globalThis as unknown as { client: WampClient }).client.stop())
      await expect(node.call('com.page.echo')).rejects.toMatchObject({ uri: 'wamp.error.no_such_procedure' })
      expect(errors).toEqual([])
    } finally {
      await tab.close()
      await node.stop()
    }
  })

  test('a page is closed during a call: its caller receives an error', async () => {
    const node = new WampClient({ router: router.url, reconnect: false })
    await node.start()
    const tab = await browser.newPage()
    try {
      await tab.goto(page)
      let invoked: () => void
      const running = new Promise<void>((resolve) => {
        invoked = resolve
      })
      await node.subscribe('com.page.invoked', () => invoked())
      await tab.evaluate(async (url) => {
        const { wampy } = globalThis as unknown as { wampy: typeof import('wampy-ts') }
        const client = new wampy.WampClient({ router: url })
        await client.start()
        await client.register('com.page.never', () => {
          void client.publish('com.page.invoked')
          return new Promise(() => {})
        })
      }, router.url)
      const failed = expect(node.call('com.page.never')).rejects.toMatchObject({ uri: 'wamp.error.canceled' })
      await running
      await tab.close()
      await failed
    } finally {
      await tab.close()
      await node.stop()
    }
  })
})
