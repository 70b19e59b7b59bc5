/** The entrypoints of this process: which class and method answers which registration. */

import type { Id } from '../protocol/messages.ts'

/** `[DateService, 'getTodaysDate']` */
// biome-ignore lint/suspicious/noExplicitAny: any class may be a service, whatever its constructor takes
export type Entrypoint = [service: abstract new (...args: any[]) => unknown, method: string]

// On the global object: two doors or two module formats of this package may be loaded, and there is one process.
const KEY = Symbol.for('wampy-ts.entrypoints')

export function entrypoints(): Map<Id, Entrypoint> {
  const home = globalThis as { [KEY]?: Map<Id, Entrypoint> }
  home[KEY] ??= new Map()
  return home[KEY]
}

/**
 * The procedures that the services of this process have registered now, by registration id:
 * `Map { 347361574427174 => [DateService, 'getTodaysDate'] }`. A copy.
 */
export function getRegisteredEntrypoints(): Map<Id, Entrypoint> {
  return new Map(entrypoints())
}
