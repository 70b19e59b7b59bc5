/** Errors and names do not contain the password, the query or the fragment of a URL. */

import { expect, test } from 'vitest'
import { longPollDial, WampClient, WampRouter } from 'wampy-ts'
import { rawSocketDial } from 'wampy-ts/node'

const SECRET = /s3cret|t0ken/

/** All that a user may see of an error. */
function textOf(error: unknown): string {
  const { message, stack, cause } = error as Error
  return `${message}\n${stack}\n${cause ? textOf(cause) : ''}`
}

async function failure(make: () => WampClient): Promise<string> {
  try {
    const client = make()
    try {
      await client.start()
    } finally {
      await client.stop()
    }
  } catch (error) {
    return textOf(error)
  }
  throw new Error('expected an error')
}

const urls = [
  'ws://bob:s3cret@127.0.0.1:9/ws',
  'ws://127.0.0.1:9/ws?token=t0ken#s3cret',
  'ws://b:s3cret@[bad/ws',
  'b:s3cret@host',
]

test.each(urls)('%s over a WebSocket', async (url) => {
  expect(await failure(() => new WampClient({ router: url, reconnect: false }))).not.toMatch(SECRET)
  const refusing = class {
    constructor(given: string) {
      throw new SyntaxError(`The URL '${given}' is invalid`)
    }
  }
  const webSocket = refusing as never
  expect(
    await failure(() => new WampClient({ router: new WampRouter({ url, webSocket }), reconnect: false })),
  ).not.toMatch(SECRET)
})

test.each([...urls, 'http://bob:s3cret@127.0.0.1:9/lp?t0ken'])('%s by long polls', async (url) => {
  expect(
    await failure(() => new WampClient({ router: new WampRouter({ url, dial: longPollDial() }), reconnect: false })),
  ).not.toMatch(SECRET)
})

test.each(['rs://bob:s3cret@127.0.0.1:9', 'rs://127.0.0.1:9?t0ken'])('%s over RawSocket', async (url) => {
  expect(
    await failure(() => new WampClient({ router: new WampRouter({ url, dial: rawSocketDial() }), reconnect: false })),
  ).not.toMatch(SECRET)
})

test('a router is named without them, and dialled with them', () => {
  const router = new WampRouter({ url: 'wss://bob:s3cret@example.com/ws?token=t0ken' })
  expect([router.name, router.url]).toEqual(['wss://example.com/ws', 'wss://bob:s3cret@example.com/ws?token=t0ken'])
})
