/** Features of `ws`, the WebSocket of Node, beyond W3C. The build for pages replaces this file by `page.ts`. */

import isomorphic from 'isomorphic-ws'
import { failureText } from './failure-text.ts'
import type { WebSocketClass, WebSocketLike } from './websocket.ts'

/** Operations that W3C does not define. */
export interface SocketExtras {
  /** Gathers all writes until the end of this turn. */
  gather(): void
  ping(answered: () => void): void
  terminate(): void
}

export interface ErrorLike {
  readonly message?: string
  readonly error?: unknown
}

interface NodeWebSocket extends WebSocketLike {
  on(event: 'upgrade', listener: (response: { readonly socket?: Corkable }) => void): unknown
  once(event: 'pong', listener: () => void): unknown
  ping(): void
  terminate(): void
}

interface Corkable {
  cork(): void
  uncork(): void
}

function isNode(socket: object | undefined): socket is NodeWebSocket {
  return ['on', 'ping', 'terminate'].every((name) => typeof (socket as Record<string, unknown>)?.[name] === 'function')
}

/** The class of `ws`; undefined if a bundler or a test runner substituted the browser file of `ws`. */
export function packagedClass(): WebSocketClass | undefined {
  // In a CommonJS bundle for a browser this is the module instead of its default export.
  const found: unknown = (isomorphic as { default?: unknown } | null)?.default ?? isomorphic
  // Jest's jsdom gets the file of `ws` for browsers, a function that only throws.
  const isClass = typeof (found as { prototype?: Partial<WebSocketLike> } | null)?.prototype?.send === 'function'
  return isClass ? (found as WebSocketClass) : undefined
}

export function socketCreator(Class: WebSocketClass): (url: string, protocols: string[]) => WebSocketLike {
  if (!isNode(Class.prototype)) return (url, protocols) => new Class(url, protocols)
  // Deflating small messages costs more than it saves, and keeps a window of memory for each connection.
  const Node = Class as new (url: string, protocols: string[], options: object) => WebSocketLike
  return (url, protocols) => new Node(url, protocols, { perMessageDeflate: false })
}

export function extrasOf(socket: WebSocketLike): SocketExtras | undefined {
  if (!isNode(socket)) return undefined
  let raw: Corkable | undefined
  let corked = false
  socket.on('upgrade', (response) => {
    raw = response.socket
  })
  const flush = () => {
    corked = false
    raw?.uncork()
  }
  return {
    gather() {
      // One system call for all frames that are sent while an inbound chunk is handled.
      if (!raw || corked) return
      corked = true
      raw.cork()
      queueMicrotask(flush)
    },
    ping(answered) {
      socket.once('pong', answered)
      socket.ping()
    },
    terminate() {
      socket.terminate()
    },
  }
}

/** The reason why no connection was made, with advice if the reason alone does not explain it. */
export function failureReason(event: ErrorLike | undefined, advice: string): string {
  const text = (failureText(event?.error) || event?.message)?.trim()
  if (!text) return advice
  return /ECONN|ENOTFOUND|EPROTO|hang up|response: /.test(text) ? `${text}; ${advice}` : text
}
