/**
 * The limits on the costs of sessions and realms. The comment of each limit states what it bounds, its default, what
 * happens beyond it, and where that is visible; the table in docs/router/operate.md is made of these comments.
 */

export interface RouterLimits {
  /** Subscriptions of one session, which take 25 ms to remove when it leaves. Default: 20,000. Beyond: refused. Visible: `refused`. */
  readonly subscriptions: number
  /** Registrations of one session. Default: 20,000. Beyond: refused. Visible: `refused`. */
  readonly registrations: number
  /** Unanswered calls of one session. Default: 65,536. Beyond: refused. Visible: `calls`, `refused`. */
  readonly calls: number
  /** Bytes of the queued calls of a realm. Default: 64 MiB. Beyond: refused as if no callee were free. Visible: `bytes.queues`, `refused`. */
  readonly queuedBytes: number
  /**
   * Characters of a URI in any message, and of a text in the options of one. Default: 4,096. Beyond: a URI is refused with
   * `wamp.error.invalid_uri`, a text ends the session. Visible: `refused`, `left`.
   */
  readonly uriLength: number
  /**
   * Wildcard shapes of a realm (sets of empty components) for each number of components, of which every lookup tries each.
   * Default: 256. Beyond: refused. Visible: `refused`.
   */
  readonly wildcardShapes: number
  /**
   * Bytes that wait for a session that reads slowly. Default: 16 MiB. Beyond: its events are dropped, and above twice the
   * limit the session is ended. Visible: `bytes.backlogs`, `dropped.slow`, `dropped.sessions`.
   */
  readonly backlog: number
  /**
   * Milliseconds for which the backlog of a session may exceed its limit without becoming shorter. Default: 60,000. Beyond:
   * the session is ended, even if its peer keeps sending. Visible: `bytes.backlogs`, `dropped.sessions`.
   */
  readonly stalled: number
  /**
   * Messages of one session that are held while a decision is awaited; from a sixteenth on its connection is not read.
   * Default: 65,536. Beyond: the session is ended. Visible: `dropped.held`, `dropped.sessions`.
   */
  readonly held: number
  /** Bytes of these messages. Default: 32 MiB. Beyond: the session is ended. Visible: `bytes.held`, `dropped.held`, `dropped.sessions`. */
  readonly heldBytes: number
  /**
   * Milliseconds for an answer of `authorize`. Default: 10,000. Beyond: refused with `wamp.error.authorization_failed`.
   * Visible: `refused`.
   */
  readonly decision: number
  /** Testaments of one session. Default: 1,000. Beyond: refused. Visible: `testaments`, `refused`. */
  readonly testaments: number
  /** Bytes of the testaments of one session. Default: 16 MiB. Beyond: refused. Visible: `bytes.testaments`, `refused`. */
  readonly testamentBytes: number
  /** Topics of a realm with a retained event. Default: 10,000. Beyond: the oldest is discarded. Visible: `retained`. */
  readonly retained: number
  /**
   * Bytes of the retained events of a realm. Default: 32 MiB. Beyond: the oldest are discarded; one event that is larger is
   * refused. Visible: `bytes.retained`, `refused`.
   */
  readonly retainedBytes: number
  /**
   * Bytes that one session costs: its backlog, calls, subscriptions, registrations, testaments and held messages. Default:
   * 64 MiB. Beyond: requests that cost more are refused. Visible: `refused`.
   */
  readonly sessionBytes: number
  /**
   * Bytes that all sessions, retained events and histories in memory cost together. Default: a quarter of the heap in Node,
   * otherwise 256 MiB. Beyond: the sessions that cost the most are ended and the oldest events of the largest stores are
   * discarded, until an eighth is free. Visible: `bytes.total`, `bytes.limit`, `dropped.memory`, `left`.
   */
  readonly memory: number
  /** Milliseconds from the connection to HELLO. Default: 5,000. Beyond: the connection is closed. Visible: `refused`. */
  readonly hello: number
  /**
   * Milliseconds from HELLO to WELCOME, in which the session authenticates. Default: 30,000. Beyond: the connection is
   * closed. Visible: `refused`.
   */
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
  retainedBytes: 32 * 2 ** 20,
  sessionBytes: 64 * 2 ** 20,
  // Without a server that reports its heap.
  memory: 256 * 2 ** 20,
  hello: 5000,
  handshake: 30_000,
}
