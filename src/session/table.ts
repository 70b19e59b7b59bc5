/** Handlers merged into one dense array by code: the tables that are installed as a session's state. */

import type { Handlers, Message } from '../protocol/messages.ts'

type Handler<Context> = (message: Message, context: Context) => void

export interface Table<Context> {
  readonly handlers: readonly (Handler<Context> | undefined)[]
  /** Whether a message without a handler is ignored; else it is a protocol violation. */
  readonly lenient: boolean
}

const GREATEST_CODE = 70

/** A table of what several parts handle. */
export function table<Context>(...parts: readonly Handlers<Context>[]): Table<Context> {
  return { handlers: merged(parts), lenient: false }
}

/** A table that ignores whatever it does not handle. */
export function lenient<Context>(...parts: readonly Handlers<Context>[]): Table<Context> {
  return { handlers: merged(parts), lenient: true }
}

function merged<Context>(parts: readonly Handlers<Context>[]): (Handler<Context> | undefined)[] {
  return Object.assign(new Array(GREATEST_CODE + 1).fill(undefined), ...parts)
}
