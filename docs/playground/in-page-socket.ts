/** A WebSocket whose server runs in another worker of the same page: both ends of a connection over a MessagePort. */

import type { Frame, Transport, TransportSink } from '../../src/transport/transport.ts'

/** A packet of a connection, in both directions. `lost` ends it as a broken network does. */
export type Packet =
  | readonly ['open', protocol: string]
  | readonly ['frame', frame: Frame]
  | readonly ['close', code: number, reason: string]
  | readonly ['lost']

/** A request for a connection, with its port, on the port between a program and the router. */
export interface ConnectRequest {
  readonly url: string
  readonly protocols: readonly string[]
}

type Handler = ((event: Event) => unknown) | null

/** The class that programs find as `WebSocket`. */
export type SocketClass = (new (
  url: string | URL,
  protocols?: string | string[],
) => EventTarget) & {
  /** Ends all connections of the program without a close frame, as a broken network does. Returns their number. */
  cut(): number
}

/** Makes a WebSocket class whose connections all lead to the router at the other end of this port. */
export function socketClass(network: MessagePort): SocketClass {
  const open = new Set<InPageSocket>()

  class InPageSocket extends EventTarget {
    static readonly CONNECTING = 0
    static readonly OPEN = 1
    static readonly CLOSING = 2
    static readonly CLOSED = 3

    static cut(): number {
      const cutNow = [...open]
      for (const socket of cutNow) socket.#lose()
      return cutNow.length
    }

    readonly url: string
    readonly extensions = ''
    readonly bufferedAmount = 0
    binaryType = 'blob'
    protocol = ''
    readyState: number = InPageSocket.CONNECTING
    onopen: Handler = null
    onmessage: Handler = null
    onerror: Handler = null
    onclose: Handler = null
    readonly #port: MessagePort

    constructor(url: string | URL, protocols: string | string[] = []) {
      super()
      this.url = new URL(url).href
      const { port1, port2 } = new MessageChannel()
      this.#port = port1
      port1.onmessage = ({ data }: { data: Packet }) => this.#receive(data)
      network.postMessage({ url: this.url, protocols: [protocols].flat() } satisfies ConnectRequest, [port2])
      open.add(this)
    }

    send(data: string | ArrayBuffer | Uint8Array): void {
      if (this.readyState === InPageSocket.CONNECTING) throw new DOMException('not open yet', 'InvalidStateError')
      if (this.readyState !== InPageSocket.OPEN) return
      this.#post(['frame', typeof data === 'string' ? data : new Uint8Array(data)])
    }

    close(code = 1000, reason = ''): void {
      if (this.readyState >= InPageSocket.CLOSING) return
      this.readyState = InPageSocket.CLOSING
      this.#post(['close', code, reason])
    }

    #post(packet: Packet): void {
      this.#port.postMessage(packet)
    }

    #receive(packet: Packet): void {
      if (this.readyState === InPageSocket.CLOSED) return
      if (packet[0] === 'open') {
        this.protocol = packet[1]
        this.readyState = InPageSocket.OPEN
        this.#fire('open', {})
      } else if (packet[0] === 'frame') {
        const frame = packet[1]
        this.#fire('message', { data: typeof frame === 'string' ? frame : new Uint8Array(frame).buffer })
      } else if (packet[0] === 'close') {
        this.#end(packet[1], packet[2])
      } else {
        this.#end(1006, '')
      }
    }

    #lose(): void {
      this.#post(['lost'])
      this.#end(1006, '')
    }

    #end(code: number, reason: string): void {
      const failed = this.readyState === InPageSocket.CONNECTING
      this.readyState = InPageSocket.CLOSED
      open.delete(this)
      // A packet that was posted in this turn is still delivered.
      setTimeout(() => this.#port.close())
      if (failed) this.#fire('error', {})
      this.#fire('close', { code, reason, wasClean: code !== 1006 })
    }

    #fire(type: 'open' | 'message' | 'error' | 'close', properties: object): void {
      const event = Object.assign(new Event(type), properties)
      this[`on${type}`]?.(event)
      this.dispatchEvent(event)
    }
  }

  return InPageSocket
}

/** What the router's end reports. */
export interface TransportWatcher {
  arrived(frame: Frame): void
  left(frame: Frame): void
  ended(code: number, reason: string): void
}

/** The router's end of a connection. */
export class InPageTransport implements Transport {
  readonly protocol: string
  readonly backlog = 0
  readonly #port: MessagePort
  readonly #watcher: TransportWatcher
  #sink: TransportSink | undefined
  #held: Frame[] = []
  #ended = false

  constructor(port: MessagePort, protocol: string, watcher: TransportWatcher) {
    this.#port = port
    this.protocol = protocol
    this.#watcher = watcher
    port.onmessage = ({ data }: { data: Packet }) => this.#receive(data)
    this.#post(['open', protocol])
  }

  open(sink: TransportSink): void {
    this.#sink = sink
    for (const frame of this.#held.splice(0)) sink.frame(frame)
  }

  send(frame: Frame): void {
    if (this.#ended) return
    this.#watcher.left(frame)
    this.#post(['frame', frame])
  }

  close(code = 1000, reason = ''): void {
    this.#end(['close', code, reason], code, reason)
  }

  terminate(): void {
    this.#end(['lost'], 1006, '')
  }

  #post(packet: Packet): void {
    this.#port.postMessage(packet)
  }

  #receive(packet: Packet): void {
    if (this.#ended) return
    if (packet[0] === 'frame') {
      this.#watcher.arrived(packet[1])
      if (this.#sink) this.#sink.frame(packet[1])
      else this.#held.push(packet[1])
    } else if (packet[0] === 'close') {
      this.#end(packet, packet[1], packet[2])
    } else {
      this.terminate()
    }
  }

  #end(last: Packet, code: number, reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#post(last)
    this.#watcher.ended(code, reason)
    // Never within `send`, as the contract of a transport demands.
    setTimeout(() => {
      this.#port.close()
      this.#sink?.closed({ code, reason })
    })
  }
}
