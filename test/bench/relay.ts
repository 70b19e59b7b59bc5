/**
 * The least that a router on `ws` could do, to measure ours against: it splices JSON text from socket to socket,
 * without parsing, checking, or knowing more than one procedure and one topic.
 */

import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  skipUTF8Validation: true,
  handleProtocols: () => 'wamp.2.json',
})

const subscribers = new Set<WebSocket>()
const calls = new Map<number, { readonly caller: WebSocket; readonly id: string }>()
let callee: WebSocket | undefined
let last = 0

const send = (socket: WebSocket, text: string) => socket.send(Buffer.from(text, 'latin1'), { binary: false })

server.on('connection', (socket) => {
  socket.on('close', () => {
    subscribers.delete(socket)
    if (callee === socket) callee = undefined
  })
  socket.on('message', (data: Buffer) => {
    const text = data.toString('latin1')
    // The driver writes no white space: [48,1,{},"bench.echo",["x"]]
    const first = text.indexOf(',')
    const second = text.indexOf(',', first + 1)
    switch (text.slice(1, first)) {
      case '48': {
        calls.set(++last, { caller: socket, id: text.slice(first + 1, second) })
        if (callee) send(callee, `[68,${last},1,{}${text.slice(text.indexOf(',[', second))}`)
        break
      }
      case '70': {
        const invocation = Number(text.slice(first + 1, second))
        const call = calls.get(invocation)
        calls.delete(invocation)
        if (call) send(call.caller, `[50,${call.id}${text.slice(second)}`)
        break
      }
      case '16': {
        const event = Buffer.from(`[36,1,${++last},{}${text.slice(text.indexOf(',[', second))}`, 'latin1')
        for (const subscriber of subscribers) subscriber.send(event, { binary: false })
        break
      }
      case '1':
        send(socket, `[2,${++last},{"roles":{"broker":{},"dealer":{}}}]`)
        break
      case '32':
        subscribers.add(socket)
        send(socket, `[33,${text.slice(first + 1, second)},1]`)
        break
      case '64':
        callee = socket
        send(socket, `[65,${text.slice(first + 1, second)},1]`)
        break
    }
  })
})

server.on('listening', () => {
  console.log(`relay listening on ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`)
})
