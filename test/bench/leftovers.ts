/** What a process still holds: bytes of its heap, and resources such as sockets and timers. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Shared by the router of the soak and its clients. */
export const PASSWORD = 'a password of the soak'
export const SALT = { salt: 'salt of the soak', iterations: 100, keylen: 32 }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export function heapInUse(): number {
  // Finalizers run after the first collection, and free more.
  for (let n = 0; n < 3; n++) collect()
  return process.memoryUsage().heapUsed
}

export function resourcesOf(): string {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
    .map(([name, count]) => `${count} ${name}`)
    .sort()
    .join(', ')
}
