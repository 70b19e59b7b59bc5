/** SIGINT and SIGTERM: the first asks to stop, another one does not ask. */

import { constants } from 'node:os'

/** Milliseconds within which the same signal is the same wish. */
const ECHO = 250

/** Aborted by the first signal; `abort()` stops for another reason. */
export function stopping(): AbortController {
  const controller = new AbortController()
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined
  const stop = (signal: NodeJS.Signals): void => {
    // Control-C reaches all processes of a terminal, and npm and npx hand on theirs as well.
    if (first?.signal === signal && performance.now() - first.at < ECHO) return
    if (first) process.exit(128 + constants.signals[signal])
    first = { signal, at: performance.now() }
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller
}

/** Resolves when a signal aborts, at once if it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
