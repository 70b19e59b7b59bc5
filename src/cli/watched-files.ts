/** Notices changes of files by their times and sizes. */

import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds between two looks at the files. */
const LOOK_EVERY = 150

/**
 * Looks again and again: events of the file system miss a file that an editor replaces, a folder that is made again, a network
 * drive and a volume of a container. The files that a service imports are few.
 */
export class WatchedFiles {
  /** The state of each file when it was last seen; undefined for one that has never existed. */
  readonly #seen = new Map<string, string | undefined>()

  /** The files need not exist: one that is made counts as a change. */
  add(paths: Iterable<string>): void {
    for (const path of paths) if (!this.#seen.has(path)) this.#seen.set(path, stateOf(path))
  }

  /** Forgets all other files. */
  keep(paths: ReadonlySet<string>): void {
    for (const path of this.#seen.keys()) if (!paths.has(path)) this.#seen.delete(path)
  }

  /** Resolves to the path of a file that has changed, as soon as no further one changes; to undefined on an abort. */
  async change(signal: AbortSignal): Promise<string | undefined> {
    let changed: string | undefined
    while (!signal.aborted) {
      const now = this.#look()
      if (changed !== undefined && now === undefined) return changed
      changed = now ?? changed
      await delay(LOOK_EVERY, undefined, { signal }).catch(() => {})
    }
    return undefined
  }

  #look(): string | undefined {
    let changed: string | undefined
    for (const [path, before] of this.#seen) {
      const state = stateOf(path)
      // A file that is gone is about to be replaced, or no longer imported.
      if (state === undefined || state === before) continue
      this.#seen.set(path, state)
      changed ??= path
    }
    return changed
  }
}

function stateOf(path: string): string | undefined {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    // Missing, or not accessible for now.
    return undefined
  }
}
