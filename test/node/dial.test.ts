/** What dialing from Node adds: headers, certificates, an agent. */

import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { serve } from '../../src/node/serve.ts'
import { dial } from '../../src/node/websocket-dial.ts'
import { CONNECTION_FAILED } from '../../src/protocol/names.ts'
import { cert, key } from './certificate.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const never = () => new AbortController().signal

test('sends its headers and its origin, by its agent', async () => {
  const server = createServer()
  const webSockets = new WebSocketServer({ server })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  const accepted = once(webSockets, 'connection')
  const agent = new Agent()
  let asked = 0
  const ask = agent.createConnection.bind(agent)
  agent.createConnection = (...args) => {
    asked++
    return ask(...args)
  }
  const dialing = dial({ headers: { cookie: 'a=b' }, origin: 'https://example.com', agent, ca: undefined })
  const transport = await dialing(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, ['wamp.2.json'], never())
  cleanups.push(() => transport.terminate())
  const [, request] = (await accepted) as [unknown, IncomingMessage]
  expect(request.headers).toMatchObject({ cookie: 'a=b', origin: 'https://example.com' })
  expect(request.headers['sec-websocket-extensions']).toBeUndefined()
  expect(asked).toBe(1)
})

test('trusts a certificate that it is given, and no other', async () => {
  const { url, close } = await serve(
    { attach: (link) => link.open({ message() {}, failed() {}, closed() {} }) },
    { port: 0, tls: { key, cert } },
  )
  cleanups.push(close)
  await expect(dial()(url, ['wamp.2.json'], never())).rejects.toMatchObject({
    uri: CONNECTION_FAILED,
    message: expect.stringContaining('self-signed certificate') as string,
    cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  })
  for (const options of [{ ca: cert }, { rejectUnauthorized: false }]) {
    const transport = await dial(options)(url, ['wamp.2.json'], never())
    expect(transport.protocol).toBe('wamp.2.json')
    transport.terminate()
  }
})
