/** Handlers merged into one dense array by code: the tables that are installed as a session's state. */

import type { Code, Handlers, Message } from '../protocol/messages.ts'

type Handler<Context> = (message: Message, context: Context) => void

export interface Table<Context> {
  readonly handlers: readonly (Handler<Context> | undefined)[]
  /** Whether a message without a handler is ignored; else it is a protocol violation. */
  readonly lenient: boolean
}

const GREATEST_CODE = 70

/** A table of what several parts handle. Two parts that handle the same message are a mistake in this library. */
export function table<Context>(...parts: readonly Handlers<Context>[]): Table<Context> {
  return { handlers: merged(parts), lenient: false }
}

/** A table that ignores whatever it does not handle. */
export function lenient<Context>(...parts: readonly Handlers<Context>[]): Table<Context> {
  return { handlers: merged(parts), lenient: true }
}

function merged<Context>(parts: readonly Handlers<Context>[]): (Handler<Context> | undefined)[] {
  const handlers: (Handler<Context> | undefined)[] = new Array(GREATEST_CODE + 1).fill(undefined)
  for (const part of parts) {
    for (const key of Object.keys(part)) {
      const code = Number(key) as Code
      if (handlers[code]) throw new Error(`two handlers for message ${code}`)
      handlers[code] = part[code] as Handler<Context>
    }
  }
  return handlers
}
