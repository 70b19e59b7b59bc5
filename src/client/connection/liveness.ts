/** Detects dead connections that nothing closed: probes after silence, and when a page wakes up. */

import { CALL } from '../../protocol/codes.ts'
import { LONGEST_TIMER } from '../../protocol/durations.ts'
import type { Link } from '../../session/link.ts'
import type { ClientSession } from '../session/client-session.ts'
import { isWorker, onWake } from './page-lifecycle.ts'

export interface Liveness {
  /** Milliseconds of silence before the router is probed, 0 for never. Default 20 000. */
  readonly idle?: number
  /** Milliseconds for the answer to a probe, 0 for no limit; then the connection counts as lost. Default 10 000. */
  readonly answer?: number
}

const IDLE = 20_000

/**
 * The value of `_speaks_every` in HELLO: a worker of a page sends something at least every so many milliseconds. It is
 * frozen with its page without any event, and a browser may answer pings in its place.
 */
export function speaksEvery(link: Link, liveness: Liveness | false = {}): number | undefined {
  if (liveness === false || liveness.idle === 0 || link.local || !isWorker()) return undefined
  return Math.min(liveness.idle ?? IDLE, LONGEST_TIMER)
}

/** Watches a session until the returned function is called. Links within the process are not watched. */
export function watch(session: ClientSession, liveness: Liveness | false): () => void {
  if (liveness === false || session.link.local) return () => {}
  const { idle = IDLE, answer = 10_000 } = liveness
  if (!idle) return () => {}
  const speaks = isWorker()
  let deadline: ReturnType<typeof setTimeout> | undefined
  let quiet = 0
  const probe = () => {
    if (deadline !== undefined) return
    session.heard = false
    if (answer)
      deadline = setTimeout(
        () => {
          deadline = undefined
          if (!session.heard) session.drop(`no answer within ${answer} ms`)
        },
        Math.min(answer, LONGEST_TIMER),
      )
    if (session.link.ping && !speaks) {
      session.link.ping(() => {
        session.heard = true
      })
    } else {
      // A page cannot ping. Any answer proves life, even a refusal.
      session.requests
        .ask({ code: CALL, message: (id) => [CALL, id, {}, 'wamp.session.count'], settle: () => {} })
        .catch(() => {})
    }
  }
  // Checked four times in that interval, so that silence is detected soon after the limit.
  const timer = setInterval(() => {
    if (session.heard) {
      clearTimeout(deadline)
      deadline = undefined
    }
    quiet = session.heard && !speaks ? 0 : quiet + 1
    session.heard = false
    if (quiet < 4) return
    quiet = 0
    probe()
  }, Math.min(idle, LONGEST_TIMER) / 4)
  const release = onWake(probe)
  return () => {
    clearInterval(timer)
    clearTimeout(deadline)
    release()
  }
}
