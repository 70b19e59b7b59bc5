/** The delay before the next attempt. In the long run no delay is shorter than 100 ms, whatever the options. */

export interface Backoff {
  /** Milliseconds before the first new attempt, about. Default 250. */
  readonly initial?: number
  /** Milliseconds that no delay exceeds, 0 for attempts as fast as they may be. Default 30 000. */
  readonly max?: number
  /** The factor between delays, at least 1. Default 2. */
  readonly factor?: number
}

/** The delay in milliseconds before attempt `attempt` (from 1), drawn between half and all of the nominal delay. */
export function backoff(
  attempt: number,
  { initial = 250, max = 30_000, factor = 2 }: Backoff,
  random = Math.random,
): number {
  const due = Math.min(max, initial * factor ** (attempt - 1))
  // Clients that lost a router together must not reconnect together.
  return Math.round(due / 2 + (random() * due) / 2)
}
