/** Additions to an HTTP server: RawSocket on the same port, and requests handled before existing handlers. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { OptionRule } from '../protocol/option-rules.ts'
import { MAGIC } from './rawsocket-handshake.ts'

export function pathOf(request: IncomingMessage): string {
  // A request through a proxy may contain the whole address (RFC 9112, 3.2.2).
  const url = (request.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '')
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

/** The origins of pages; `*` for all. */
export type Origins = '*' | readonly string[]

export const ORIGINS: OptionRule = [
  '"*" or a list of origins',
  (value) => value === '*' || (Array.isArray(value) && value.every((origin) => typeof origin === 'string')),
]

/** True without an origin, which only pages send, for a page of the same host, and for a listed origin. */
export function isAllowedOrigin(origin: string | undefined, host: string | undefined, origins: Origins): boolean {
  if (origin === undefined || origins === '*' || origins.includes(origin)) return true
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}

type Listener = (this: Server, ...args: unknown[]) => void

/** Checks the first octet of every connection: RawSocket goes to `raw`, with the bytes read; the rest stays HTTP. */
export function divertRawSocket(server: Server, raw: (socket: Socket, first: Buffer) => void): void {
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection'
  const http = server.rawListeners(event) as Listener[]
  server.removeAllListeners(event)
  server.on(event, (socket: Socket) => {
    const late = (): void => void socket.destroy()
    // Until the protocol is known.
    socket.on('error', late)
    socket.on('end', late)
    socket.setTimeout(server.headersTimeout, late)
    socket.once('data', (chunk: Buffer) => {
      socket.pause()
      socket.setTimeout(0)
      socket.off('timeout', late)
      socket.off('end', late)
      if (chunk[0] === MAGIC) {
        raw(socket, chunk)
        return
      }
      for (const listener of http) listener.call(server, socket)
      socket.off('error', late)
      socket.unshift(chunk)
      socket.resume()
    })
  })
}

/**
 * Handles requests before the existing handlers of a server, which receive only those for which `take` returns false. The
 * returned function restores the handlers, and keeps any that were added meanwhile.
 */
export function handleBefore(
  server: Server,
  take: (request: IncomingMessage, response: ServerResponse) => boolean,
): () => void {
  const others = server.rawListeners('request') as Listener[]
  server.removeAllListeners('request')
  const first = (request: IncomingMessage, response: ServerResponse): void => {
    if (!take(request, response)) for (const listener of others) listener.call(server, request, response)
  }
  server.on('request', first)
  return () => {
    const added = (server.rawListeners('request') as Listener[]).filter((each) => each !== (first as unknown))
    server.removeAllListeners('request')
    for (const listener of [...others, ...added]) server.on('request', listener)
  }
}

/**
 * Reads the body of a request within the room that is left, which several requests may share; resolves to undefined if it
 * is longer, and rejects if it breaks off.
 */
export async function bodyOf(request: IncomingMessage, room: { left: number }): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > room.left) return undefined
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) {
    room.left -= chunk.length
    if (room.left < 0) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function reply(response: ServerResponse, status: number, type?: string, body?: Uint8Array): void {
  if (type !== undefined) response.setHeader('Content-Type', type)
  if (status !== 204) response.setHeader('Content-Length', body?.length ?? 0)
  response.writeHead(status)
  response.end(body)
}

export function fail(response: ServerResponse, status: number, text: string): void {
  // The unread rest of the request must not be parsed as the next one.
  if (!response.req.complete) response.setHeader('Connection', 'close')
  reply(response, status, 'text/plain; charset=utf-8', Buffer.from(`${text}\n`))
}
