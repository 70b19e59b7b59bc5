/** Any W3C WebSocket as a transport: the browser's own, `ws` in Node, or a class from the options. */

import type { BindingSource } from '../auth/contract.ts'
import { unsent, usage } from '../protocol/error.ts'
import { CONNECTION_FAILED } from '../protocol/names.ts'
import { checkRules, FUNCTION, type OptionRules } from '../protocol/option-rules.ts'
import { BROKEN, cutReason, Inbox } from './inbox.ts'
import { type ErrorLike, extrasOf, failureReason, packagedClass, type SocketExtras, socketCreator } from './platform.ts'
import {
  CLOSE_TIMEOUT,
  type CloseInfo,
  type Dial,
  type Frame,
  type Transport,
  type TransportSink,
} from './transport.ts'
import { hideSecrets, toWebSocket, withoutSecrets } from './url.ts'

/** The part of a W3C WebSocket that is used. */
export interface WebSocketLike {
  binaryType: string
  readonly protocol: string
  readonly readyState: number
  readonly bufferedAmount: number
  onopen: ((event: never) => unknown) | null
  onmessage: ((event: never) => unknown) | null
  onerror: ((event: never) => unknown) | null
  onclose: ((event: never) => unknown) | null
  send(data: string | Uint8Array): void
  close(code?: number, reason?: string): void
}

/** A class of WebSockets, such as `globalThis.WebSocket` or the default export of `ws`. */
export type WebSocketClass = new (url: string, protocols?: string | string[]) => WebSocketLike

export interface WebSocketOptions {
  /** The class to use instead of the platform's own. */
  readonly webSocket?: WebSocketClass | undefined
  /** Creates the socket, for classes that need more than an address and protocols. */
  readonly create?: ((url: string, protocols: string[]) => WebSocketLike) | undefined
}

const WEB_SOCKET_RULES: OptionRules<WebSocketOptions> = { webSocket: FUNCTION, create: FUNCTION }

/** A dial over WebSocket, to a `ws(s)://` or `http(s)://` URL. It looks for a WebSocket class only when it dials, so platforms without one can create it. */
export function webSocketDial(options: WebSocketOptions = {}): Dial {
  checkRules('webSocketDial', options, WEB_SOCKET_RULES)
  return async (url, protocols, signal) => {
    const create = options.create ?? socketCreator(options.webSocket ?? platformClass())
    let refusal: unknown = usage('no subprotocol was offered')
    // If the platform does not report the server's choice (React Native), the protocols are offered one at a time.
    for (const offer of [protocols, ...protocols.map((protocol) => [protocol])]) {
      try {
        const transport = await connect(create, toWebSocket(url), offer, signal)
        if (transport) return transport
      } catch (error) {
        refusal = error
        if (offer === protocols || signal.aborted) break
      }
    }
    throw refusal
  }
}

type Create = (url: string, protocols: string[]) => WebSocketLike

const OPEN = 1

function platformClass(): WebSocketClass {
  const found = packagedClass() ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket
  if (found) return found
  throw usage('this platform has no WebSocket; pass a class as the option webSocket')
}

/** Resolves to undefined if several protocols were offered and the platform does not report which was chosen. */
function connect(
  create: Create,
  url: string,
  protocols: readonly string[],
  signal: AbortSignal,
): Promise<Transport | undefined> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const place = withoutSecrets(url)
    const advice = `check that a router listens there, at this path, and speaks ${protocols.join(' or ')}, by wss:// with TLS`
    const failed = (reason: string, cause?: unknown) =>
      unsent(CONNECTION_FAILED, `could not connect to ${place}: ${reason}`, cause)
    let socket: WebSocketLike
    try {
      socket = create(url, [...protocols])
    } catch (error) {
      // What a policy of the page forbids: Firefox throws, others report it as any failure.
      if (/Security|BLOCKED/.test(String((error as Error | null)?.name))) throw failed(failureReason(undefined, advice))
      // What the platform throws may repeat the URL, and so does a cause.
      throw usage(`cannot dial ${place}: ${hideSecrets(String(error))}`)
    }
    socket.binaryType = 'arraybuffer'
    const extras = extrasOf(socket)

    const end = (transport?: Transport): void => {
      signal.removeEventListener('abort', abort)
      if (!transport) drop(socket, extras)
      resolve(transport)
    }
    const fail = (reason: string, cause?: unknown): void => {
      reject(failed(reason, cause))
      end()
    }
    const abort = (): void => {
      reject(signal.reason)
      end()
    }
    signal.addEventListener('abort', abort)

    // Node 22's own WebSocket fires only `error` for a failed connection; others fire both.
    socket.onerror = (event: ErrorLike) => fail(failureReason(event, advice), event?.error)
    socket.onclose = ({ code }: CloseInfo) => fail(`the server closed it at once with code ${code}`)
    socket.onopen = () => {
      const chosen = socket.protocol || (protocols.length === 1 && protocols[0])
      if (!chosen) end()
      else if (protocols.includes(chosen)) end(new WebSocketTransport(socket, chosen, extras))
      else fail(`the server chose the subprotocol ${chosen}, which was not offered (${protocols.join(', ')})`)
    }
  })
}

/** Releases a socket in any state: its later events are ignored. */
function drop(socket: WebSocketLike, extras: SocketExtras | undefined): void {
  socket.onopen = socket.onmessage = socket.onclose = null
  // `ws` emits an error for an abandoned connection, which would end the process without a listener.
  socket.onerror = () => {}
  try {
    if (extras) extras.terminate()
    else socket.close()
  } catch {
    // Some classes refuse to close a socket that is not open yet; it has no listeners any more.
  }
}

class WebSocketTransport implements Transport {
  readonly protocol: string
  readonly ping?: (answered: () => void) => void
  readonly channelBinding: BindingSource | undefined
  readonly #socket: WebSocketLike
  readonly #extras: SocketExtras | undefined
  readonly #inbox = new Inbox()
  #deadline: ReturnType<typeof setTimeout> | undefined

  constructor(socket: WebSocketLike, protocol: string, extras: SocketExtras | undefined) {
    this.protocol = protocol
    this.#socket = socket
    this.#extras = extras
    this.channelBinding = extras?.channelBinding
    socket.onerror = () => {}
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
      this.#inbox.frame(typeof data === 'string' ? data : new Uint8Array(data))
    }
    socket.onclose = ({ code, reason }: CloseInfo) => this.#end({ code: code ?? BROKEN.code, reason: reason ?? '' })
    if (extras?.ping) {
      this.ping = (answered) => {
        if (this.#open) extras.ping?.(answered)
      }
    }
  }

  get backlog(): number {
    return this.#socket.bufferedAmount
  }

  open(sink: TransportSink): void {
    this.#inbox.open(sink)
  }

  get #open(): boolean {
    return !this.#inbox.closed && this.#socket.readyState === OPEN
  }

  send(frame: Frame): void {
    if (!this.#open) return
    this.#extras?.gather()
    this.#socket.send(frame)
  }

  close(code = 1000, reason = ''): void {
    if (this.#inbox.closed) return
    this.#inbox.mute()
    this.#deadline = setTimeout(() => this.terminate(), CLOSE_TIMEOUT)
    try {
      this.#socket.close(closeCode(code), cutReason(reason))
    } catch {
      this.terminate()
    }
  }

  terminate(): void {
    this.#inbox.mute()
    drop(this.#socket, this.#extras)
    this.#end(BROKEN)
  }

  #end(info: CloseInfo): void {
    clearTimeout(this.#deadline)
    this.#inbox.end(info)
  }
}

/** Pages may send only 1000 and 3000 to 4999: other codes of WebSocket (1002) move to the private range (4002). */
function closeCode(code: number): number {
  if (code > 1000 && code < 2000) return code + 3000
  return code >= 3000 && code < 5000 ? code : 1000
}
