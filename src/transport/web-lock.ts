/** Web Locks as a sign of life: the holder of a lock is alive, and the browser releases the lock when its tab closes. */

interface Locks {
  request(name: string, options: { signal?: AbortSignal }, task: () => Promise<void> | undefined): Promise<unknown>
}

function locks(): Locks | undefined {
  // Insecure pages and older versions of Node have no locks.
  return (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks
}

/** Takes a lock with a unique name; undefined if the platform has no locks. `lost` is called if the browser revokes it. */
export async function holdLock(
  lost: () => void = () => {},
): Promise<{ lock: string | undefined; release: () => void }> {
  const found = locks()
  if (!found) return { lock: undefined, release: () => {} }
  const lock = `wampy-ts ${[...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join('')}`
  return new Promise((resolve) => {
    let granted = false
    found
      .request(
        lock,
        {},
        () =>
          new Promise<void>((release) => {
            granted = true
            resolve({ lock, release })
          }),
      )
      .catch(() => {
        // WebKit revokes the locks of a page that enters the back-forward cache: the peer then takes the page for closed.
        if (granted) lost()
        // Some origins may not take locks (an opaque one, for example).
        else resolve({ lock: undefined, release: () => {} })
      })
  })
}

/**
 * Calls `then` when the lock is released, unless the returned function is called first; returns undefined if the lock
 * cannot be watched. `blind` is called if it can no longer be watched.
 */
export function watchLock(
  lock: string | undefined,
  then: () => void,
  blind: () => void = () => {},
): (() => void) | undefined {
  const found = locks()
  if (!found || lock === undefined) return undefined
  const controller = new AbortController()
  found
    .request(lock, { signal: controller.signal }, () => {
      then()
      return undefined
    })
    .catch(() => {
      if (!controller.signal.aborted) blind()
    })
  return () => controller.abort()
}
