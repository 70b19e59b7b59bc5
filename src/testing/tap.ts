/** A log of the messages on links, as the arrays that a wire would carry. */

import type { Message } from '../protocol/messages.ts'
import { checkRules, STRING } from '../protocol/option-rules.ts'
import { layoutOf } from '../protocol/validate.ts'
import type { Link, LinkSink } from '../session/link.ts'

/** A message as in JSON: `[48, 1, {}, 'com.example.add', [1, 2]]`. */
export type WireMessage = readonly unknown[]

export interface LogEntry {
  /** The name of the link's owner. */
  readonly name: string
  /** `sent` or `received` by that owner. */
  readonly way: 'sent' | 'received'
  readonly message: WireMessage
}

/** The logged messages, oldest first. */
export class WireLog {
  readonly entries: LogEntry[] = []

  /** The messages that `name` sent. */
  sent(name: string): WireMessage[] {
    return this.#of(name, 'sent')
  }

  /** The messages that `name` received. */
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

/** Returns a message with its payload as the elements args and kwargs. */
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

const TAP_RULES = {
  link: ['a link', (value: unknown) => typeof Object(value).open === 'function'],
  name: STRING,
  log: ['a WireLog', (value: unknown) => Array.isArray(Object(value).entries)],
} as const

/**
 * Wraps a link so that all its messages are logged.
 *
 * @throws WampError `wampy.error.usage` that names what is missing or of a wrong type
 */
export function tap(link: Link, name: string, log: WireLog): Link {
  checkRules('tap', { link: link ?? null, name: name ?? null, log: log ?? null }, TAP_RULES)
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
