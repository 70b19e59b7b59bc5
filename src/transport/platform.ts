/** Features of `ws`, the WebSocket of Node, beyond W3C. The build for pages replaces this file by `page.ts`. */

import isomorphic from 'isomorphic-ws'
import type { BindingSource } from '../auth/contract.ts'
import { failureText } from './failure-text.ts'
import { bindingOf, type TlsLike } from './tls-binding.ts'
import { withoutSecrets } from './url.ts'
import type { WebSocketClass, WebSocketLike } from './websocket.ts'

/** Operations that W3C does not define. */
export interface SocketExtras {
  /** Gathers all writes until the end of this turn. */
  gather(): void
  /** Not every class can. */
  ping?(answered: () => void): void
  terminate(): void
  /** What binds an authentication to the connection (RFC 5929, RFC 9266). */
  readonly channelBinding: BindingSource
}

export interface ErrorLike {
  readonly message?: string
  readonly error?: unknown
}

/** The part of an HTTP response that is not the awaited 101. */
interface UpgradeRefusal {
  readonly statusCode?: number
  readonly statusMessage?: string
  readonly headers: { readonly location?: string }
}

interface NodeWebSocket extends WebSocketLike {
  readonly url: string
  on(event: 'upgrade', listener: (response: { readonly socket?: Corkable }) => void): unknown
  on(event: 'unexpected-response', listener: (request: unknown, response: UpgradeRefusal) => void): unknown
  emit(event: 'error', error: Error): unknown
  once(event: 'pong', listener: () => void): unknown
  ping(): void
  terminate(): void
}

interface Corkable extends TlsLike {
  cork(): void
  uncork(): void
}

/** The TCP or TLS connection under a WebSocket, once that is open. */
interface Connection<Raw> {
  raw: Raw | undefined
}

interface Destroyable extends Corkable {
  destroy(): void
}

/** The connections of sockets of Node's own class. */
const ownConnections = new WeakMap<WebSocketLike, Connection<Destroyable>>()

interface Dispatcher {
  dispatch(options: object, handler: object): boolean
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
  if (!isNode(Class.prototype)) return undiciCreator(Class) ?? ((url, protocols) => new Class(url, protocols))
  // Deflating small messages costs more than it saves, and keeps a window of memory for each connection.
  const Node = Class as new (url: string, protocols: string[], options: object) => WebSocketLike
  return (url, protocols) => new Node(url, protocols, { perMessageDeflate: false })
}

/**
 * Node's own WebSocket, that of undici, has no `terminate()`, and keeps its process alive until the peer closes. Its option
 * `dispatcher` sees the connection.
 */
function undiciCreator(Class: WebSocketClass): ReturnType<typeof socketCreator> | undefined {
  const scope = globalThis as { readonly [version: symbol]: Dispatcher | undefined }
  // Undici has no other way to its dispatcher; the number is the version of the interface.
  const dispatcher = [2, 1].map((version) => scope[Symbol.for(`undici.globalDispatcher.${version}`)]).find(Boolean)
  // Its source tells it from classes that would take the options for a subprotocol.
  if (!dispatcher || !String(Class).includes('webidl')) return undefined
  const Undici = Class as new (url: string, options: object) => WebSocketLike
  return (url, protocols) => {
    const connection: Connection<Destroyable> = { raw: undefined }
    const watching: Dispatcher = {
      dispatch: (options, handler) => dispatcher.dispatch(options, seeingUpgrade(handler, connection)),
    }
    const socket = new Undici(url, { protocols, dispatcher: watching })
    ownConnections.set(socket, connection)
    return socket
  }
}

/** The handler of a request, whose method for an upgrade (its name and order of arguments vary) is called with a socket. */
function seeingUpgrade(handler: object, connection: Connection<Destroyable>): object {
  return new Proxy(handler, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (/upgrade/i.test(String(name))) connection.raw = args.find(isConnection)
        return value.apply(target, args)
      }
    },
  })
}

function isConnection(value: unknown): value is Destroyable {
  return ['cork', 'uncork', 'destroy'].every((name) => typeof Object(value)[name] === 'function')
}

export function extrasOf(socket: WebSocketLike): SocketExtras | undefined {
  const own = ownConnections.get(socket)
  if (own) {
    return {
      gather: gatherer(own),
      terminate() {
        // Before it is open, closing it is enough.
        if (own.raw) own.raw.destroy()
        else socket.close()
      },
      channelBinding: (type, dialect) => bindingOf(own.raw, type, dialect),
    }
  }
  if (!isNode(socket)) return undefined
  const connection: Connection<Corkable> = { raw: undefined }
  socket.on('upgrade', (response) => {
    connection.raw = response.socket
  })
  // With this listener `ws` emits no error of its own, which would contain only the status.
  socket.on('unexpected-response', (_, response) => socket.emit('error', new RefusedUpgrade(response, socket.url)))
  return {
    gather: gatherer(connection),
    ping(answered) {
      socket.once('pong', answered)
      socket.ping()
    },
    terminate() {
      socket.terminate()
    },
    channelBinding: (type, dialect) => bindingOf(connection.raw, type, dialect),
  }
}

function gatherer(connection: Connection<Corkable>): () => void {
  let corked = false
  const flush = () => {
    corked = false
    connection.raw?.uncork()
  }
  return () => {
    // One system call for all frames that are sent while an inbound chunk is handled.
    if (!connection.raw || corked) return
    corked = true
    connection.raw.cork()
    queueMicrotask(flush)
  }
}

/** The server answered the request of a WebSocket by another response. Its body, which may repeat the URL, is not read. */
class RefusedUpgrade extends Error {
  override readonly name = 'RefusedUpgrade'
  /** What to do; undefined if the usual advice applies. */
  readonly advice: string | undefined

  constructor({ statusCode = 0, statusMessage = '', headers: { location } }: UpgradeRefusal, url: string) {
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
