/** Work that needs a running client: repeated at the next start of a client that stopped, or had not started yet. */

import type { Client } from '../client/client.ts'
import type { ClientState } from '../client/connection/client-core.ts'
import type { WampError } from '../protocol/error.ts'
import { NOT_JOINED, STOPPED } from '../protocol/names.ts'

/** True if nothing was sent, because the client was not running or was stopped on purpose. */
export const isNotRunning = (error: WampError): boolean =>
  error.sent === false && (error.uri === NOT_JOINED || error.uri === STOPPED)

/**
 * Runs a task now, and again at each later start of the client if it resolved to an error. The returned function aborts
 * its signal.
 */
export function whileStarted(
  client: Client,
  task: (signal: AbortSignal) => Promise<WampError | undefined>,
): () => void {
  const controller = new AbortController()
  const { signal } = controller
  /** Why the task has ended, while it waits for the next start. */
  let ended: WampError | undefined
  /** What the client has done while the task ran. */
  let stopped = false
  let begun = false
  let begunAnew = false
  const run = async () => {
    ended = undefined
    stopped = begun = begunAnew = false
    const error = await task(signal)
    if (!error || signal.aborted) return
    // A client that starts itself has begun for this very task, and is not to begin again after a stop.
    if (error.uri === NOT_JOINED ? begun : begunAnew) void run()
    else ended = error
  }
  const heard = (state: ClientState) => {
    if (state === 'stopped') stopped = true
    else if (ended) {
      // A start that followed a stop at once may be past that state. A refusal is not asked about again after a mere loss.
      if (state === 'connecting' || isNotRunning(ended)) void run()
    } else if (state === 'connecting') {
      begun = true
      begunAnew ||= stopped
    }
  }
  client.on('state', heard)
  void run()
  return () => {
    client.off('state', heard)
    controller.abort()
  }
}

/** Starts a client while it is used, and stops it a microtask after its last user has gone. */
export function startedWhileUsed(client: Client): () => () => void {
  let users = 0
  return () => {
    users++
    // An unhandled rejection is reported by the client.
    void client.start({ timeout: 0 })
    return () => {
      users--
      queueMicrotask(() => {
        if (users === 0) void client.stop()
      })
    }
  }
}
