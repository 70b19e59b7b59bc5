/** The limits on the costs of one session and of a realm. */

export interface RouterLimits {
  /** Subscriptions of one session. Default 20,000: they take 25 ms to remove when it leaves, and 20 MB. */
  readonly subscriptions: number
  /** Registrations of one session. Default 20,000, for the same reasons. */
  readonly registrations: number
  /** Unanswered calls of one session. Default 65,536. */
  readonly calls: number
  /** Bytes of the payloads of queued calls in a realm. Default 64 MiB. */
  readonly queuedBytes: number
  /** Characters of a URI in any message, and of a text in the options of one. Default 4,096. */
  readonly uriLength: number
  /**
   * Wildcard shapes of a realm (sets of empty components) for each number of components; each one adds to the cost of
   * every lookup of a URI of that length. Default 256.
   */
  readonly wildcardShapes: number
  /**
   * Bytes of backlog of a session. Above this limit its events are dropped; above twice the limit the session is ended.
   * Default 16 MiB.
   */
  readonly backlog: number
  /**
   * Milliseconds for which the backlog of a session may exceed its limit without becoming shorter; then the session is
   * ended, even if its peer keeps sending. Default 60,000.
   */
  readonly stalled: number
  /**
   * Messages of one session that are held, in order, while a decision is awaited. At a sixteenth of the limit its
   * connection is paused, if the transport supports that; above the limit the session is ended. Default 65,536.
   */
  readonly held: number
  /** Bytes of the held messages of one session, with the same rules. Default 32 MiB. */
  readonly heldBytes: number
  /** Milliseconds for an answer of `authorize`; then the request is refused with `authorization_failed`. Default 10,000. */
  readonly decision: number
  /** Testaments of one session. Default 1,000. */
  readonly testaments: number
  /** Bytes of the payloads of one session's testaments. Default 16 MiB. */
  readonly testamentBytes: number
  /** Retained events of a realm; above this limit the oldest is discarded. Default 10,000. */
  readonly retained: number
  /** Bytes of the payloads of a realm's retained events. Default 64 MiB. */
  readonly retainedBytes: number
  /**
   * Bytes that one session may cost: its backlog, calls, subscriptions, registrations, testaments and held messages; a
   * request that would cost more is refused. Default 64 MiB.
   */
  readonly sessionBytes: number
  /**
   * Bytes that all sessions, retained events and histories may cost together, in all realms; above this limit those that
   * cost the most are ended or discarded, until an eighth of it is free. Default: a quarter of the heap of the process
   * that serves the router, as reported by Node; otherwise 256 MiB.
   */
  readonly memory: number
  /** Milliseconds from the connection to HELLO. Default 5,000. */
  readonly hello: number
  /** Milliseconds from HELLO to WELCOME, in which the session authenticates. Default 30,000. */
  readonly handshake: number
}

export const LIMITS: RouterLimits = {
  subscriptions: 20_000,
  registrations: 20_000,
  calls: 65_536,
  queuedBytes: 64 * 2 ** 20,
  uriLength: 4096,
  wildcardShapes: 256,
  backlog: 16 * 2 ** 20,
  stalled: 60_000,
  held: 65_536,
  heldBytes: 32 * 2 ** 20,
  decision: 10_000,
  testaments: 1000,
  testamentBytes: 16 * 2 ** 20,
  retained: 10_000,
  retainedBytes: 64 * 2 ** 20,
  sessionBytes: 64 * 2 ** 20,
  memory: 256 * 2 ** 20,
  hello: 5000,
  handshake: 30_000,
}
