/** A log of what passes over links, as the arrays that a wire would show. */

import type { Message } from '../protocol/messages.ts'
import { layoutOf } from '../protocol/validate.ts'
import type { Link, LinkSink } from '../session/link.ts'

/** A message as JSON has it: `[48, 1, {}, 'com.example.add', [1, 2]]`. */
export type WireMessage = readonly unknown[]

export interface LogEntry {
  /** Whose link. */
  readonly name: string
  /** `sent` by the one who is named, or `received`. */
  readonly way: 'sent' | 'received'
  readonly message: WireMessage
}

/** What passed, oldest first. */
export class WireLog {
  readonly entries: LogEntry[] = []

  /** What `name` sent. */
  sent(name: string): WireMessage[] {
    return this.#of(name, 'sent')
  }

  /** What `name` received. */
  received(name: string): WireMessage[] {
    return this.#of(name, 'received')
  }

  /** The last message that `name` received. */
  last(name: string): WireMessage | undefined {
    return this.received(name).at(-1)
  }

  #of(name: string, way: LogEntry['way']): WireMessage[] {
    return this.entries.filter((entry) => entry.name === name && entry.way === way).map((entry) => entry.message)
  }
}

/** A message with its payload laid out as args and kwargs. */
export function toWireMessage(message: Message): WireMessage {
  const layout = layoutOf(message[0])
  const elements: unknown[] = [...message]
  if (!layout.payload) return elements
  const [payload] = elements.splice(layout.most)
  if (payload === undefined) return elements
  const { args, kwargs } = payload as { args?: unknown; kwargs?: unknown }
  if (args !== undefined) elements.push(args)
  if (kwargs !== undefined) elements.push(kwargs)
  return elements
}

/** The same link, with everything that passes written to the log. */
export function tap(link: Link, name: string, log: WireLog): Link {
  const note = (way: LogEntry['way'], message: Message) =>
    log.entries.push({ name, way, message: toWireMessage(message) })
  return {
    get backlog() {
      return link.backlog
    },
    ...(link.local !== undefined && { local: link.local }),
    ...(link.ping && { ping: (answered: () => void) => link.ping?.(answered) }),
    open: (sink: LinkSink) =>
      link.open({
        message: (message) => {
          note('received', message)
          sink.message(message)
        },
        failed: (error) => sink.failed(error),
        closed: (info) => sink.closed(info),
      }),
    send: (message) => {
      link.send(message)
      note('sent', message)
    },
    close: (code, reason) => link.close(code, reason),
    terminate: () => link.terminate(),
  }
}
