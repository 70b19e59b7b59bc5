/** The entrypoints of this process: which class and method answers which registration. */

import type { Id } from '../../protocol/messages.ts'

/** `[DateService, 'getTodaysDate']` */
// biome-ignore lint/suspicious/noExplicitAny: any class may be a service, whatever its constructor takes
export type Entrypoint = [service: abstract new (...args: any[]) => unknown, method: string]

// On the global object: two doors or two module formats of this package may be loaded, and there is one process.
const KEY = Symbol.for('wampy-ts.entrypoints')

/** All that answer a registration, since services of this process may share one. */
function entrypoints(): Map<Id, Set<Entrypoint>> {
  const home = globalThis as { [KEY]?: Map<Id, Set<Entrypoint>> }
  home[KEY] ??= new Map()
  return home[KEY]
}

/** `entrypoint` answers a registration from now on. */
export function enter(id: Id, entrypoint: Entrypoint | undefined): void {
  if (entrypoint) entrypoints().set(id, (entrypoints().get(id) ?? new Set()).add(entrypoint))
}

/** It does so no more; the others that share the registration do. */
export function leave(id: Id, entrypoint: Entrypoint | undefined): void {
  const sharing = entrypoints().get(id)
  if (sharing?.delete(entrypoint as Entrypoint) && !sharing.size) entrypoints().delete(id)
}

/**
 * The procedures that the services of this process have registered now, by registration id:
 * `Map { 347361574427174 => [DateService, 'getTodaysDate'] }`. A copy. Where services share a registration, it is the
 * first of them that still answers.
 */
export function getRegisteredEntrypoints(): Map<Id, Entrypoint> {
  return new Map([...entrypoints()].map(([id, [first]]) => [id, first as Entrypoint]))
}
