/** A peer of a router whose wire is two arrays: messages pass through the real serializer. */

import type { ConnectionFacts } from '../../src/auth/contract.ts'
import { GOODBYE_AND_OUT } from '../../src/protocol/names.ts'
import { json } from '../../src/serializer/json.ts'
import type { Serializer } from '../../src/serializer/serializer.ts'
import type { Frame, Transport, TransportSink } from '../../src/transport/transport.ts'

export type Wire = readonly unknown[]

export interface PeerOptions {
  readonly serializer?: Serializer
  /** True if the transport accepts frames that another peer's transport prepared. */
  readonly prepares?: boolean
  /** Does not close its end when asked to, like a peer that hangs. */
  readonly hangs?: boolean
  /** Leaves it to the router to close the connection after GOODBYE. */
  readonly stays?: boolean
  /** The private facts about its connection. */
  readonly facts?: ConnectionFacts
}

export class Peer implements Transport {
  readonly protocol: string
  readonly framing?: string
  /** Frames prepared on this transport, and frames written to it that way. */
  prepared = 0
  written = 0
  backlog = 0
  /** The way in which the router ended the transport. */
  end: 'closed' | 'terminated' | 'lost' | undefined
  id = 0
  /** The authid that the router assigned. */
  authid = ''
  readonly #serializer: Serializer
  readonly #hangs: boolean
  readonly #stays: boolean
  #dismissed = false
  #sink: TransportSink | undefined
  #inbox: unknown[][] = []

  constructor(options: PeerOptions = {}) {
    this.#serializer = options.serializer ?? json
    this.#hangs = options.hangs ?? false
    this.#stays = options.stays ?? false
    this.protocol = `wamp.2.${this.#serializer.name}`
    if (options.prepares) this.framing = 'arrays'
  }

  open(sink: TransportSink): void {
    this.#sink = sink
  }

  send(frame: Frame): void {
    if (this.end) return
    const message = this.#read(frame)
    this.#inbox.push(message)
    this.#dismissed ||= message[2] === GOODBYE_AND_OUT
  }

  prepare(frame: Frame): Frame {
    this.prepared++
    return frame
  }

  write(frame: Frame): void {
    this.written++
    this.send(frame)
  }

  close(): void {
    if (!this.#hangs) this.#ended('closed', 1000)
  }

  terminate(): void {
    this.#ended('terminated', 1006)
  }

  /** The connection breaks. */
  lose(): void {
    this.#ended('lost', 1006)
  }

  /** Messages that arrived and were not taken yet. */
  take(): unknown[][] {
    return this.#inbox.splice(0)
  }

  /** Sends these messages, valid or not, and takes the messages in return. */
  says(...messages: (Wire | Frame)[]): unknown[][] {
    for (const message of messages) {
      if (typeof message === 'string' || message instanceof Uint8Array) this.#sink?.frame(message)
      else
        this.#sink?.frame(
          this.#serializer === json ? JSON.stringify(message) : this.#serializer.encode(message as never),
        )
    }
    // A peer that has left closes the connection.
    if (this.#dismissed && !this.#stays) this.close()
    return this.take()
  }

  #ended(how: 'closed' | 'terminated' | 'lost', code: number): void {
    if (this.end) return
    this.end = how
    this.#sink?.closed({ code, reason: '' })
  }

  #read(frame: Frame): unknown[] {
    if (typeof frame === 'string') return JSON.parse(frame) as unknown[]
    const message = this.#serializer.decode(frame) as unknown[]
    return message.flatMap((item) =>
      typeof item === 'object' && item !== null && 'args' in item
        ? [item.args, ...('kwargs' in item && item.kwargs ? [item.kwargs] : [])]
        : [item],
    )
  }
}
