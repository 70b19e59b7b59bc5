/** Handlers merged into one dense array by message code: a session's state is the table that is installed. */

import type { Handlers, Message } from '../protocol/messages.ts'

type Handler<Context> = (message: Message, context: Context) => void

export interface Table<Context> {
  readonly handlers: readonly (Handler<Context> | undefined)[]
  /** True if a message without a handler is ignored; otherwise it is a protocol violation. */
  readonly lenient: boolean
}

const GREATEST_CODE = 70

/** Merges the handlers of several parts into one table. */
export function table<Context>(...parts: readonly Handlers<Context>[]): Table<Context> {
  return { handlers: mergeHandlers(parts), lenient: false }
}

/** A table that ignores every message without a handler. */
export function lenient<Context>(...parts: readonly Handlers<Context>[]): Table<Context> {
  return { handlers: mergeHandlers(parts), lenient: true }
}

function mergeHandlers<Context>(parts: readonly Handlers<Context>[]): (Handler<Context> | undefined)[] {
  return Object.assign(new Array(GREATEST_CODE + 1).fill(undefined), ...parts)
}
