/** Web Locks as a sign of life: whoever holds one lives, and it is released by the browser when its tab is gone. */

interface Locks {
  request(name: string, options: { signal?: AbortSignal }, task: () => Promise<void> | undefined): Promise<unknown>
}

function locks(): Locks | undefined {
  // Pages that are not secure have none, nor have older versions of Node.
  return (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks
}

/** Takes a lock with a name of its own; none where there are no locks. */
export async function held(): Promise<{ lock: string | undefined; release: () => void }> {
  const found = locks()
  if (!found) return { lock: undefined, release: () => {} }
  const lock = `wampy-ts ${[...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join('')}`
  return new Promise((resolve) => {
    const refused = (): void => resolve({ lock: undefined, release: () => {} })
    found
      .request(lock, {}, () => new Promise<void>((release) => resolve({ lock, release })))
      // An origin may not have any (an opaque one, for example).
      .catch(refused)
  })
}

/** Calls `then` when nobody holds the lock any more, unless what comes back is called; undefined where nothing can tell. */
export function released(lock: string | undefined, then: () => void): (() => void) | undefined {
  const found = locks()
  if (!found || lock === undefined) return undefined
  const controller = new AbortController()
  found
    .request(lock, { signal: controller.signal }, () => {
      then()
      return undefined
    })
    .catch(() => {})
  return () => controller.abort()
}
