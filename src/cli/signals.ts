/** SIGINT and SIGTERM: the first one stops the command, a second one ends the process at once. */

/** Milliseconds during which a repetition of the same signal is ignored. */
const ECHO = 250

/** The reason of an abort by a signal. */
class SignalReason {
  readonly name: 'SIGINT' | 'SIGTERM'
  readonly exitCode: 130 | 143

  constructor(name: 'SIGINT' | 'SIGTERM') {
    this.name = name
    this.exitCode = name === 'SIGINT' ? 130 : 143
  }
}

/** The signal of the process that aborted; undefined if none did. */
export function stoppedBy({ reason }: AbortSignal): SignalReason | undefined {
  return reason instanceof SignalReason ? reason : undefined
}

/** Returns a controller that the first signal aborts. `abort()` stops the command for another reason. */
export function stopOnSignals(): AbortController {
  const controller = new AbortController()
  let first: { readonly signal: string; readonly at: number } | undefined
  const stop = (signal: 'SIGINT' | 'SIGTERM'): void => {
    // Control-C reaches all processes of a terminal, and npm and npx forward their own as well.
    if (first?.signal === signal && performance.now() - first.at < ECHO) return
    if (first) process.exit(new SignalReason(signal).exitCode)
    first = { signal, at: performance.now() }
    controller.abort(new SignalReason(signal))
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  return controller
}

/** Resolves when a signal aborts, at once if it is already aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
