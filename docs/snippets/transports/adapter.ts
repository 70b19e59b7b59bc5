import type { AddressInfo } from 'node:net'
import { WampClient } from 'wampy-ts'
import { framed, json, Router, type TransportSink } from 'wampy-ts/router'
import { WebSocketServer } from 'ws'

const router = new Router()
const handleProtocols = (offers: Set<string>) => offers.has('wamp.2.json') && 'wamp.2.json'
const server = new WebSocketServer({ port: 0, handleProtocols, maxPayload: 16 * 2 ** 20 })

server.on('connection', (socket) => {
  let sink: TransportSink | undefined
  const transport = {
    protocol: 'wamp.2.json', // `cbor` and `msgpack` go with wamp.2.cbor and wamp.2.msgpack
    get backlog() {
      return socket.bufferedAmount // by which a slow reader is noticed
    },
    open: (opened: TransportSink) => {
      sink = opened // before `attach` returns: no frame comes too early
    },
    send: (frame: string | Uint8Array) => socket.send(frame),
    close: (code = 1000, reason = '') => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
  socket.on('message', (data: Buffer, binary) =>
    sink?.frame(binary ? new Uint8Array(data) : data.toString()),
  )
  socket.on('close', (code, reason) => sink?.closed({ code, reason: reason.toString() }))
  socket.on('error', () => {}) // `close` follows
  router.attach(framed(transport, json), { type: 'websocket' })
})

await using client = new WampClient({
  router: `ws://localhost:${(server.address() as AddressInfo).port}/`,
})
await client.start()
console.log(router.stats().sessions) // 1
server.close()
