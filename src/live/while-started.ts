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
  const run = async () => {
    ended = undefined
    ended = await task(signal)
  }
  const heard = (state: ClientState) => {
    if (!ended || state === 'stopped') return
    // A start that followed at once may be past the first state. A refusal is not asked about again after a mere loss.
    if (state === 'connecting' || isNotRunning(ended)) void run()
  }
  client.on('state', heard)
  void run()
  return () => {
    client.off('state', heard)
    controller.abort()
  }
}
