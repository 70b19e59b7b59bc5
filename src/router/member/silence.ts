/** Ends a session that is silent for longer than its HELLO allows: a worker that is frozen with its page cannot leave. */

import { LONGEST_TIMER } from '../../protocol/durations.ts'
import { TIMEOUT } from '../../protocol/names.ts'
import type { Member } from './member.ts'

/** The promised span is counted in this many steps; a session is ended after twice as many, and one more. */
const STEPS = 2
/** What is promised more often is not checked more often. */
const LEAST = 1000

/**
 * Watches a member whose HELLO promises `_speaks_every` so many milliseconds; the returned function ends that. Steps are
 * counted and not time: a router that was stopped for a while must read what arrived before it judges anybody.
 */
export function watchSilence(member: Member, every: number): () => void {
  const timer = setInterval(
    () => {
      if (member.holding) member.silent = 0
      else if (++member.silent > 2 * STEPS) member.abort(TIMEOUT, `nothing came within ${2 * every} ms`)
    },
    Math.min(LONGEST_TIMER, Math.max(LEAST, every) / STEPS),
  )
  return () => clearInterval(timer)
}
