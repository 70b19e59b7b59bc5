/** How long to wait before the next attempt. No delay is shorter than 100 ms in the long run, whatever is asked for. */

export interface Backoff {
  /** Milliseconds before the first new attempt, about. Default 250. */
  readonly initial?: number
  /** Milliseconds that no delay exceeds, 0 for attempts as fast as they may be. Default 30 000. */
  readonly max?: number
  /** What each delay is multiplied with, 1 at least. Default 2. */
  readonly factor?: number
}

/** The delay in milliseconds before attempt `attempt` (from 1), drawn between half and all of what is due. */
export function backoff(
  attempt: number,
  { initial = 250, max = 30_000, factor = 2 }: Backoff,
  random = Math.random,
): number {
  const due = Math.min(max, initial * factor ** (attempt - 1))
  // Clients that one router lost together must not come back together.
  return Math.round(due / 2 + (random() * due) / 2)
}
