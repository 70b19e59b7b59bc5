/** SIGINT and SIGTERM: the first one stops the command, a second one ends the process at once. */

import { constants } from 'node:os'

/** Milliseconds during which a repetition of the same signal is ignored. */
const ECHO = 250

/** Returns a controller that the first signal aborts. `abort()` stops the command for another reason. */
export function stopOnSignals(): AbortController {
  const controller = new AbortController()
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined
  const stop = (signal: NodeJS.Signals): void => {
    // Control-C reaches all processes of a terminal, and npm and npx forward their own as well.
    if (first?.signal === signal && performance.now() - first.at < ECHO) return
    if (first) process.exit(128 + constants.signals[signal])
    first = { signal, at: performance.now() }
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller
}

/** Resolves when a signal aborts, at once if it is already aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
