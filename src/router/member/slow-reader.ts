/**
 * What a slow reader loses. A session may be behind by `limits.backlog` bytes; above that, it loses events, each counted
 * as `dropped.slow`, but no answer and no invocation. Above twice as much it loses its session, counted as
 * `dropped.sessions`: a peer that does not read must not cost more memory than that.
 */

/** True if events for it are dropped. */
export function isBehind(backlog: number, limit: number): boolean {
  return backlog > limit
}

/** True if its session is ended. */
export function isTooFarBehind(backlog: number, limit: number): boolean {
  return backlog > 2 * limit
}
