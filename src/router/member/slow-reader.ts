/**
 * The losses of a slow reader. A session whose backlog exceeds `limits.backlog` bytes loses events, each counted as
 * `dropped.slow`, but no answers and no invocations. Above twice the limit its session is ended, counted as
 * `dropped.sessions`: a peer that does not read must not cost more memory.
 */

/** True if events for a session with this backlog are dropped. */
export function isBehind(backlog: number, limit: number): boolean {
  return backlog > limit
}

/** True if a session with this backlog is ended. */
export function isTooFarBehind(backlog: number, limit: number): boolean {
  return backlog > 2 * limit
}
