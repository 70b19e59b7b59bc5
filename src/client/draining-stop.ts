/** A draining stop: no new work, and time for the work in progress. */

import type { ClientCore } from './connection/client-core.ts'
import { retire } from './roles/callee.ts'

/** Ends the run of a client when its work is done, its session has ended, or the time in milliseconds has passed. */
export async function stopDraining(core: ClientCore, time: number): Promise<void> {
  const { run, session } = core
  if (!run) return core.stop()
  const deadline = performance.now() + time
  run.drain()
  if (session) {
    const invocations = retire(session)
    // It looks, because no event covers requests, invocations and bytes, and what their ends begin in turn.
    do await new Promise((resolve) => setTimeout(resolve, 10))
    while (
      session.sendable &&
      performance.now() < deadline &&
      (session.requests.size || session.link.backlog || invocations?.size)
    )
  }
  // Another run may follow it by now.
  run.end()
  await run.done
}
