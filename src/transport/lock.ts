/** Web Locks as a sign of life: whoever holds one lives, and it is released by the browser when its tab is gone. */

interface Locks {
  request(name: string, options: { signal?: AbortSignal }, task: () => Promise<void> | undefined): Promise<unknown>
}

function locks(): Locks | undefined {
  // Pages that are not secure have none, nor have older versions of Node.
  return (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks
}

/** Takes a lock with a name of its own; none where there are no locks. `lost` is called where the browser takes it back. */
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
        // WebKit takes the locks of a page that enters the back-forward cache: the peer believes that it is gone.
        if (granted) lost()
        // An origin may not have any (an opaque one, for example).
        else resolve({ lock: undefined, release: () => {} })
      })
  })
}

/**
 * Calls `then` when nobody holds the lock any more, unless the returned function is called; undefined where nothing can
 * tell. `blind` is called where nothing can tell from now on.
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
