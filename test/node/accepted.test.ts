/** Connections count from their acceptance, and none stays without a session. */

import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { WampClient } from 'wampy-ts'
import { type ServeOptions, serve, serveRawSocket } from 'wampy-ts/node'
import { Router } from 'wampy-ts/router'
import WebSocket from 'ws'
import { cert, key } from './certificate.ts'

async function served(options: ServeOptions = {}) {
  const router = new Router()
  const server = await serve(router, { port: 0, ...options })
  onTestFinished(async () => {
    await router.close()
    await server.close()
  })
  /** The reasons for which connections were turned away. */
  const reasons: string[] = []
  router.observe({ refused: ({ action, text }) => void (action === 'join' && reasons.push(text)) })
  return { router, ...server, url: server.url, port: server.port, reasons }
}

/** A TCP connection that resolves `gone` when the server has ended it. */
function dialed(port: number, secure = false): Promise<{ socket: Socket; gone: Promise<number> }> {
  return new Promise((resolve) => {
    const began = performance.now()
    const socket = secure ? connectSecurely({ port, host: '127.0.0.1', ca: cert }) : connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    socket.resume()
    const gone = new Promise<number>((done) => socket.on('close', () => done(performance.now() - began)))
    socket.on(secure ? 'secureConnect' : 'connect', () => resolve({ socket, gone }))
  })
}

const UPGRADE =
  'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n'

test('silent connections above maxConnections do not stay, and an honest client gets a reason', async () => {
  const { url, port, reasons } = await served({ maxConnections: 5, helloTimeout: 60_000 })
  const silent = await Promise.all(Array.from({ length: 100 }, () => dialed(port)))
  const cut = silent.map(({ gone }) => gone.then(() => 1))
  let ended = 0
  for (const each of cut) each.then(() => ended++)
  await expect.poll(() => ended, { timeout: 5000 }).toBe(95)
  const client = new WampClient({ router: url, reconnect: false })
  await expect(client.start()).rejects.toMatchObject({ message: expect.stringContaining('503 Service Unavailable') })
  expect(reasons).toEqual(Array(96).fill('the limit of 5 connections is reached'))
  for (const { socket } of silent) socket.destroy()
  await expect
    .poll(async () =>
      client.start().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true)
  await client.stop()
})

test.each<[string, (socket: Socket) => void, boolean?]>([
  ['nothing', () => {}],
  ['half a request', (socket) => void socket.write('GET /ws HTTP/1.1\r\nHost: x\r\n')],
  ['half a handshake of RawSocket', (socket) => void socket.write(Buffer.from([0x7f, 0xf1]))],
  ['nothing over TLS', () => {}, true],
])('a connection that sends %s is cut after helloTimeout', async (_, act, secure = false) => {
  const { port, reasons } = await served({ helloTimeout: 100, ...(secure && { tls: { key, cert } }) })
  const { socket, gone } = await dialed(port, secure)
  act(socket)
  expect(await gone).toBeGreaterThanOrEqual(90)
  expect(reasons).toEqual(['no handshake within 100 ms'])
})

test('a client that sends much before it joins is cut, and reported with the reason', async () => {
  const { url, reasons } = await served()
  const socket = new WebSocket(url, 'wamp.2.json')
  await new Promise((resolve) => socket.on('open', resolve))
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.on('error', () => {})
  socket.send(`[1,"realm1",{"roles":{"caller":{}},"authextra":{"big":"${'x'.repeat(400_000)}`)
  await closed
  expect(reasons).toEqual(['more than 131072 bytes before it joined a realm'])
})

test('a byte now and then does not keep a connection', async () => {
  const { port } = await served({ helloTimeout: 200 })
  const { socket, gone } = await dialed(port)
  let at = 0
  const timer = setInterval(() => socket.write(UPGRADE[at++] ?? ''), 20)
  onTestFinished(() => clearInterval(timer))
  expect(await gone).toBeLessThan(5000)
  expect(at).toBeLessThan(UPGRADE.length)
})

test('a RawSocket server has the same limit', async () => {
  const server = await serveRawSocket(new Router(), { port: 0, helloTimeout: 100 })
  onTestFinished(() => server.close())
  expect(await (await dialed(Number(server.port))).gone).toBeGreaterThanOrEqual(90)
})

test('a client that has not joined cannot send a long message', async () => {
  const { url, router } = await served()
  const socket = new WebSocket(url, ['wamp.2.json'])
  await new Promise((resolve) => socket.on('open', resolve))
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.on('error', () => {})
  socket.send(JSON.stringify([1, 'realm1', { roles: { caller: {} }, authextra: { x: 'x'.repeat(200_000) } }]))
  await closed
  expect(router.stats().sessions).toBe(0)
})

test('a client that has joined can', async () => {
  const { url } = await served()
  const client = new WampClient({ router: url })
  onTestFinished(() => client.stop())
  await client.start()
  await client.register('com.length', ([text]) => (text as string).length)
  expect(await client.call('com.length', ['x'.repeat(2_000_000)])).toBe(2_000_000)
})
