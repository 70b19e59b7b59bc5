/** Long work of the router in several turns of the event loop, between which messages are handled. */

/** After so many milliseconds the rest of the work waits for a later turn. */
const LONGEST_TURN = 10

/** So many subscriptions or registrations are removed at once, so that most sessions leave in one step. */
export const FEW = 1000
/** The number of those that are removed in a step. */
export const STEP = 50

interface Work {
  readonly steps: Iterator<void>
  readonly done: () => void
}

/** Work that is not done yet. A Set, whose first item is removed in constant time. */
const unfinished = new Set<Work>()
let scheduled = false

/**
 * Does the steps, as many as fit in this turn at once, but only the first one while other work waits; then calls `done`.
 * Returns true if that was in this turn.
 */
export function workInTurns(steps: Iterator<void>, done: () => void): boolean {
  const ends = scheduled ? 0 : performance.now() + LONGEST_TURN
  do {
    if (!steps.next().done) continue
    done()
    return true
  } while (performance.now() < ends)
  unfinished.add({ steps, done })
  if (!scheduled) setTimeout(workOn, 0)
  scheduled = true
  return false
}

/** One turn for all unfinished work together, step by step in rotation. */
function workOn(): void {
  const ends = performance.now() + LONGEST_TURN
  try {
    for (const work of unfinished) {
      unfinished.delete(work)
      if (work.steps.next().done) work.done()
      // At the end of the set, where the loop arrives again.
      else unfinished.add(work)
      if (performance.now() >= ends) break
    }
  } finally {
    scheduled = unfinished.size > 0
    if (scheduled) setTimeout(workOn, 0)
  }
}
