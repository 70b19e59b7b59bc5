/** What one session may cost the router, and the count of what was dropped instead. */

export interface RouterLimits {
  /** Subscriptions of one session. Default 1,000,000. */
  readonly subscriptions: number
  /** Registrations of one session. Default 1,000,000. */
  readonly registrations: number
  /** Calls of one session that wait for their answer. Default 65,536. */
  readonly calls: number
  /** Characters of a URI that is subscribed to or registered. Default 4,096. */
  readonly uriLength: number
  /**
   * Bytes that a session may be behind in reading; above it, events for it are dropped, and at twice as much it is
   * ended. Default 16 MiB.
   */
  readonly backlog: number
  /** Milliseconds from the connection to WELCOME. Default 10,000. */
  readonly handshake: number
}

export const LIMITS: RouterLimits = {
  subscriptions: 1_000_000,
  registrations: 1_000_000,
  calls: 65_536,
  uriLength: 4096,
  backlog: 16 * 2 ** 20,
  handshake: 10_000,
}

/** Counts since the router was made. */
export interface Dropped {
  /** Events for subscribers that were too far behind. */
  slow: number
  /** Events that could not be said in the subscriber's serializer. */
  unsendable: number
  /** Publications without acknowledgement that were refused, of which the publisher heard nothing. */
  publications: number
  /** Answers to invocations whose call was over. */
  late: number
  /** Partial results that the caller had not asked for. */
  partial: number
  /** Cancellations that were not carried out. */
  cancels: number
  /** Sessions that were ended for being twice as far behind as allowed. */
  sessions: number
}

export function nothingDropped(): Dropped {
  return { slow: 0, unsendable: 0, publications: 0, late: 0, partial: 0, cancels: 0, sessions: 0 }
}
