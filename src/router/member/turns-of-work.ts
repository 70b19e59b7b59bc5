/** Long work of the router in several turns of the event loop, between which messages are handled. */

/** After so many milliseconds the rest of the work waits for a later turn. */
const LONGEST_TURN = 10

/** So many subscriptions or registrations are removed at once, so that most sessions leave in one step. */
export const FEW = 1000
/** The number of those that are removed in a step. */
export const STEP = 50

/** Does the steps, as many as fit in this turn at once; then calls `done`. Returns true if that was in this turn. */
export function workInTurns(steps: Iterator<void>, done: () => void): boolean {
  const began = performance.now()
  while (!steps.next().done) {
    if (performance.now() - began < LONGEST_TURN) continue
    setTimeout(workInTurns, 0, steps, done)
    return false
  }
  done()
  return true
}
