/** What one session, and what a realm keeps, may cost the router. */

export interface RouterLimits {
  /** Subscriptions of one session. Default 1,000,000. */
  readonly subscriptions: number
  /** Registrations of one session. Default 1,000,000. */
  readonly registrations: number
  /** Calls of one session that wait for their answer. Default 65,536. */
  readonly calls: number
  /** Bytes of the payloads of calls that wait in the queues of a realm. Default 64 MiB. */
  readonly queuedBytes: number
  /** Characters of a URI that is subscribed to or registered. Default 4,096. */
  readonly uriLength: number
  /**
   * How many different sets of components the wildcard patterns of a realm may leave empty, for each number of
   * components; each costs every lookup of a URI of that length. Default 256.
   */
  readonly wildcardShapes: number
  /**
   * Bytes that a session may be behind in reading; above it, events for it are dropped, and at twice as much it is
   * ended. Default 16 MiB.
   */
  readonly backlog: number
  /**
   * Messages of one session that are held, in order, while a decision about an earlier one is awaited; above a sixteenth
   * of it nothing more is read from a connection that can wait, above all of it the session is ended. Default 65,536.
   */
  readonly held: number
  /** Bytes of what is held of one session, as above. Default 32 MiB. */
  readonly heldBytes: number
  /** Milliseconds that `authorize` may take; then a request is refused with `authorization_failed`. Default 10,000. */
  readonly decision: number
  /** Testaments of one session. Default 1,000. */
  readonly testaments: number
  /** Bytes of the payloads of one session's testaments. Default 16 MiB. */
  readonly testamentBytes: number
  /** Topics of a realm whose last event is retained; above it the oldest is forgotten. Default 10,000. */
  readonly retained: number
  /** Bytes of the payloads that a realm retains. Default 64 MiB. */
  readonly retainedBytes: number
  /** Milliseconds from the connection to WELCOME. Default 10,000. */
  readonly handshake: number
}

export const LIMITS: RouterLimits = {
  subscriptions: 1_000_000,
  registrations: 1_000_000,
  calls: 65_536,
  queuedBytes: 64 * 2 ** 20,
  uriLength: 4096,
  wildcardShapes: 256,
  backlog: 16 * 2 ** 20,
  held: 65_536,
  heldBytes: 32 * 2 ** 20,
  decision: 10_000,
  testaments: 1000,
  testamentBytes: 16 * 2 ** 20,
  retained: 10_000,
  retainedBytes: 64 * 2 ** 20,
  handshake: 10_000,
}
