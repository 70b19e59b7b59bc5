/** Ends a session that is silent for longer than its HELLO allows: a worker frozen with its page cannot leave by itself. */

import { LONGEST_TIMER } from '../../protocol/durations.ts'
import { TIMEOUT } from '../../protocol/names.ts'
import type { Member } from './member.ts'

/** The promised interval is divided into this many steps; a session is ended after twice as many, plus one. */
const STEPS = 2
/** The shortest interval that is checked; a shorter promise is not checked more often. */
const LEAST = 1000

/**
 * Watches a member whose HELLO promises a message every `_speaks_every` milliseconds; the returned function stops this.
 * It counts steps, not time: a router that was suspended must read what arrived before it ends a session.
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
