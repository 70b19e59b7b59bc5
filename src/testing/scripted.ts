/** A scripted peer: it sends the messages of a test, valid or not, and keeps the messages it receives. */

import { checkRules, FUNCTION, type OptionRule } from '../protocol/option-rules.ts'
import { json } from '../serializer/json.ts'
import { framed } from '../session/framed.ts'
import type { Attachable, Connector } from '../session/link.ts'
import { wires } from '../transport/memory.ts'
import type { CloseInfo, Frame, Transport } from '../transport/transport.ts'
import type { WireMessage } from './tap.ts'

/** One end of a connection that speaks JSON, without the checks of the library. */
export class Scripted {
  /** All received messages, oldest first. */
  readonly received: WireMessage[] = []
  /** Resolves when the other side has closed. */
  readonly closed: Promise<CloseInfo>
  readonly #transport: Transport
  readonly #waiting: ((message: WireMessage | undefined) => void)[] = []
  #read = 0
  #ended = false

  constructor(transport: Transport, onMessage: (message: WireMessage, peer: Scripted) => void = () => {}) {
    this.#transport = transport
    this.closed = new Promise((resolve) => {
      transport.open({
        frame: (frame) => {
          const message = JSON.parse(frame as string) as WireMessage
          this.received.push(message)
          const reader = this.#waiting.shift()
          if (reader) {
            this.#read++
            reader(message)
          }
          onMessage(message, this)
        },
        closed: (info) => {
          this.#ended = true
          for (const reader of this.#waiting.splice(0)) reader(undefined)
          resolve(info)
        },
      })
    })
  }

  /** Sends messages unchanged. */
  send(...messages: WireMessage[]): void {
    for (const message of messages) this.#transport.send(JSON.stringify(message))
  }

  /** Sends a frame that need not be a message. */
  raw(frame: Frame): void {
    this.#transport.send(frame)
  }

  /** Resolves to the next unread message; undefined once the other side has closed. */
  next(): Promise<WireMessage | undefined> {
    const message = this.received[this.#read]
    if (message) {
      this.#read++
      return Promise.resolve(message)
    }
    if (this.#ended) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Closes this end as a WebSocket does. */
  close(code?: number, reason?: string): void {
    this.#transport.close(code, reason)
  }

  /** Breaks the connection without a close frame. */
  terminate(): void {
    this.#transport.terminate()
  }
}

const ROUTER: OptionRule = ['a Router of this process', (value) => typeof Object(value).attach === 'function']

/**
 * A scripted client of a router in this process.
 *
 * @throws WampError `wampy.error.usage` for anything but a router
 */
export function scripted(router: Attachable): Scripted {
  checkRules('scripted', { router: router ?? null }, { router: ROUTER })
  const { a, b } = wires()
  router.attach(framed(b, json))
  return new Scripted(a)
}

/**
 * A scripted router for clients in this process: `answer` is called for each message that a client sends.
 *
 * @example
 * const router = scriptedRouter(([code, request], peer) => {
 *   if (code === 1) peer.send([2, 1, { roles: { dealer: {} } }])
 *   if (code === 48) peer.send([50, request, {}, ['hello']])
 * })
 * @throws WampError `wampy.error.usage` for an answer that is not a function
 */
export function scriptedRouter(
  answer: (message: WireMessage, peer: Scripted) => void,
): Connector & { readonly peers: Scripted[] } {
  checkRules('scriptedRouter', { answer: answer ?? null }, { answer: FUNCTION })
  const peers: Scripted[] = []
  return {
    name: 'a scripted router',
    peers,
    async connect() {
      const { a, b } = wires()
      peers.push(new Scripted(b, answer))
      return framed(a, json)
    },
  }
}
