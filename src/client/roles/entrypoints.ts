/** The entrypoints of this process: the class and method behind each registration. */

import type { Id } from '../../protocol/messages.ts'

/** `[DateService, 'getTodaysDate']` */
// biome-ignore lint/suspicious/noExplicitAny: any class may be a service, whatever its constructor takes
export type Entrypoint = [service: abstract new (...args: any[]) => unknown, method: string]

// On the global object: two entry points or module formats of this package may be loaded in one process.
const ENTRYPOINTS_KEY = Symbol.for('wampy-ts.entrypoints')

/** The entrypoints of each registration, since services of this process may share one. */
function entrypoints(): Map<Id, Set<Entrypoint>> {
  const home = globalThis as { [ENTRYPOINTS_KEY]?: Map<Id, Set<Entrypoint>> }
  home[ENTRYPOINTS_KEY] ??= new Map()
  return home[ENTRYPOINTS_KEY]
}

/** Adds an entrypoint to a registration. */
export function enter(id: Id, entrypoint: Entrypoint | undefined): void {
  if (entrypoint) entrypoints().set(id, (entrypoints().get(id) ?? new Set()).add(entrypoint))
}

/** Removes an entrypoint; others of the same registration stay. */
export function leave(id: Id, entrypoint: Entrypoint | undefined): void {
  const sharing = entrypoints().get(id)
  if (sharing?.delete(entrypoint as Entrypoint) && !sharing.size) entrypoints().delete(id)
}

/**
 * The procedures that the services of this process have registered now, by registration id:
 * `Map { 347361574427174 => [DateService, 'getTodaysDate'] }`. A copy. For services that share a registration it contains
 * the first one that is still registered.
 */
export function getRegisteredEntrypoints(): Map<Id, Entrypoint> {
  return new Map([...entrypoints()].map(([id, [first]]) => [id, first as Entrypoint]))
}
