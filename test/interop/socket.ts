/** The WebSocket of the foreign clients: `ws`, which records its traffic and can be cut. */

import { type ClientOptions, WebSocket } from 'ws'

export class Socket extends WebSocket {
  /** The most recent one. */
  static last: Socket | undefined
  /** What a browser adds without the page: cookies and certificates. */
  static options: ClientOptions = {}
  readonly sent: (string | Uint8Array)[] = []
  readonly received: unknown[] = []

  // wampy passes null where `ws` has its options.
  constructor(url: string, protocols?: string | string[]) {
    super(url, protocols, Socket.options)
    Socket.last = this
    this.on('message', (data: Buffer, binary) => this.received.push(binary ? data : data.toString()))
  }

  override send(data: string | Uint8Array): void {
    this.sent.push(data)
    super.send(data)
  }

  /** Sent messages, if they were JSON. */
  get said(): unknown[][] {
    return this.sent.filter((frame) => typeof frame === 'string').map((frame) => JSON.parse(frame) as unknown[])
  }

  /** Received messages, if they were JSON. */
  get heard(): unknown[][] {
    return this.received.filter((frame) => typeof frame === 'string').map((frame) => JSON.parse(frame) as unknown[])
  }
}
