/** Features of `ws`, the WebSocket of Node, beyond W3C. The build for pages replaces this file by `page.ts`. */

import isomorphic from 'isomorphic-ws'
import { failureText } from './failure-text.ts'
import { withoutSecrets } from './url.ts'
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

/** The part of an HTTP response that is not the awaited 101. */
interface Refusal {
  readonly statusCode?: number
  readonly statusMessage?: string
  readonly headers: { readonly location?: string }
}

interface NodeWebSocket extends WebSocketLike {
  readonly url: string
  on(event: 'upgrade', listener: (response: { readonly socket?: Corkable }) => void): unknown
  on(event: 'unexpected-response', listener: (request: unknown, response: Refusal) => void): unknown
  emit(event: 'error', error: Error): unknown
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
  // With this listener `ws` emits no error of its own, which would contain only the status.
  socket.on('unexpected-response', (_, response) => socket.emit('error', new RefusedUpgrade(response, socket.url)))
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

/** The server answered the request of a WebSocket by another response. Its body, which may repeat the URL, is not read. */
class RefusedUpgrade extends Error {
  override readonly name = 'RefusedUpgrade'
  /** What to do; undefined if the usual advice applies. */
  readonly advice: string | undefined

  constructor({ statusCode = 0, statusMessage = '', headers: { location } }: Refusal, url: string) {
    const status = `${statusCode} ${statusMessage.replace(/[^ -~]/g, '').slice(0, 60)}`.trim()
    const target = location === undefined ? '' : targetOf(location, url)
    super(`the server answered ${status}${target && ` (Location: ${target})`}`)
    if (target) this.advice = `use ${target.replace(/^http/, 'ws')} if a router listens there`
    else if ([401, 403, 407].includes(statusCode)) {
      this.advice = 'it may want credentials (headers of dial() in wampy-ts/node), or not accept this origin'
    } else if ([429, 502, 503, 504].includes(statusCode)) this.advice = 'it may accept connections later'
  }
}

/** The address that a response names, which may be relative to the one that was dialled. */
function targetOf(location: string, url: string): string {
  try {
    return withoutSecrets(new URL(location, url).href).slice(0, 200)
  } catch {
    return ''
  }
}

/** The reason why no connection was made, with advice if the reason alone does not explain it. */
export function failureReason(event: ErrorLike | undefined, advice: string): string {
  const error = event?.error
  if (error instanceof RefusedUpgrade) return `${error.message}; ${error.advice ?? advice}`
  const text = (failureText(error) || event?.message)?.trim()
  if (!text) return advice
  return /ECONN|ENOTFOUND|EPROTO|hang up/.test(text) ? `${text}; ${advice}` : text
}
