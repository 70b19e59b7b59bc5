/** The link of a transport and a serializer for a router: a message for many receivers is encoded once. */

import type { Message } from '../protocol/messages.ts'
import type { Serializer } from '../serializer/serializer.ts'
import type { Prepared, Transport } from '../transport/transport.ts'
import { Framed, type Link, type LinkSink } from './link.ts'

/** Makes a link of a transport and the serializer of its frames. */
export function framed(transport: Transport, serializer: Serializer): Link {
  const { framing } = transport
  return framing && transport.prepare && transport.write
    ? new Shared(transport, serializer, framing)
    : new Pausable(transport, serializer)
}

class Pausable extends Framed {
  received = 0
  arriving?: (bytes: number) => void
  readonly pause?: () => void
  readonly resume?: () => void

  constructor(transport: Transport, serializer: Serializer) {
    super(transport, serializer)
    if (!transport.pause || !transport.resume) return
    this.pause = () => transport.pause?.()
    this.resume = () => transport.resume?.()
  }

  override open(sink: LinkSink): void {
    super.open({
      message: (message) => {
        this.received++
        sink.message(message)
      },
      failed: (error) => sink.failed(error),
      closed: (info) => sink.closed(info),
    })
  }
}

class Shared extends Pausable {
  readonly kind: string
  readonly #transport: Transport

  constructor(transport: Transport, serializer: Serializer, framing: string) {
    super(transport, serializer)
    this.kind = `${serializer.name}/${framing}`
    this.#transport = transport
  }

  prepare(message: Message): Prepared {
    return this.#transport.prepare?.(this.serializer.encode(message))
  }

  write(prepared: Prepared): void {
    this.#transport.write?.(prepared)
  }
}
