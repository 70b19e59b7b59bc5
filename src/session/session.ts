/** A session on a link: the messages that are legal now, and the ways in which it ends. */

import { ABORT, GOODBYE } from '../protocol/codes.ts'
import { violation, WampError } from '../protocol/error.ts'
import type { Code, Handlers, Message, Uri } from '../protocol/messages.ts'
import { GOODBYE_AND_OUT, PROTOCOL_VIOLATION } from '../protocol/names.ts'
import type { Dict } from '../protocol/options.ts'
import { payload } from '../protocol/payload.ts'
import { nameOf } from '../protocol/validate.ts'
import { lenient, type Table } from './handler-table.ts'
import type { Link } from './link.ts'

/** How a session ended. */
export interface SessionEnd {
  /** Ended by this side, by GOODBYE or ABORT of the peer, or by the loss of the link. */
  readonly by: 'us' | 'peer' | 'loss'
  /** The reason of the GOODBYE or ABORT; undefined after a loss. */
  readonly reason: Uri | undefined
  /** For people. */
  readonly text: string
}

/** Time for a peer to answer GOODBYE, and then to close, in milliseconds. */
export const LINGER = 2000

/** Part of every established table: GOODBYE and ABORT end the session. */
export const leaving: Handlers<Session> = {
  [GOODBYE]: ([, details, reason], session) => session.left(reason, details),
  [ABORT]: ([, details, reason, data], session) => {
    // Many values take long to build; a text is one.
    session.aborted(reason, details, (data?.source?.values ?? 0) < 1000 ? data?.args?.[0] : undefined)
  },
}

/** Before WELCOME only ABORT is legal: there is no session for a GOODBYE to end. */
export const refusing: Handlers<Session> = { [ABORT]: leaving[ABORT] as NonNullable<(typeof leaving)[typeof ABORT]> }

// After our GOODBYE every message but the peer's GOODBYE is ignored, its ABORT too (Basic Profile, Session Closing).
const SHUTTING_DOWN: Table<Session> = lenient({ [GOODBYE]: (_, session) => session.farewell() })
const CLOSED: Table<Session> = lenient()

/**
 * The base of a client's session and of a router's member. The installed table is the state; `become` is the only
 * transition. `ended` is called exactly once, when the session ends; `closed` exactly once, when the link has closed.
 */
export abstract class Session {
  readonly link: Link
  #table: Table<Session> = CLOSED
  #end: SessionEnd | undefined
  #leaving: SessionEnd | undefined
  #gone = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(link: Link) {
    this.link = link
  }

  /** The session has ended; nothing more is sent or received. */
  protected abstract ended(end: SessionEnd): void
  /** The link has closed. */
  protected closed(): void {}
  /** Inspects a message before it is handled; throws a protocol violation. */
  protected inspect(_message: Message): void {}

  /** Starts to receive, with `table` as its state. */
  protected open<Self extends Session>(this: Self, table: Table<Self>): void {
    this.become(table)
    this.link.open({
      message: (message) => this.receive(message),
      failed: (error) => this.violation(error.message),
      closed: (info) => {
        this.#gone = true
        clearTimeout(this.#timer)
        const text = info.reason ? `${info.code} ${info.reason}` : String(info.code)
        this.#finish(this.#leaving ?? { by: 'loss', reason: undefined, text: `the connection was closed (${text})` })
        this.closed()
      },
    })
  }

  become<Self extends Session>(this: Self, table: Table<Self>): void {
    if (!this.#end) this.#table = table as unknown as Table<Session>
  }

  /** True when the session has ended. */
  get over(): boolean {
    return this.#end !== undefined
  }

  /** True while messages can be sent. */
  get sendable(): boolean {
    return !this.#end && !this.#leaving
  }

  /** Sends a message, unless the session has ended or is ending. Throws `invalid_argument` for a payload that cannot travel. */
  send(message: Message): void {
    if (!this.#end && !this.#leaving) this.link.send(message)
  }

  receive(message: Message): void {
    const handler = this.#table.handlers[message[0]]
    if (!handler) {
      if (!this.#table.lenient) this.violation(`${nameOf(message[0])} is not legal now`)
      return
    }
    try {
      this.inspect(message)
      handler(message, this)
    } catch (error) {
      this.broken(message[0], error)
    }
  }

  /** A handler threw: the session ends. */
  protected broken(code: Code, error: unknown): void {
    const failed = WampError.is(error) ? error : violation(`${nameOf(code)} could not be handled`)
    this.abort(failed.uri, failed.message)
  }

  /** Leaves politely: GOODBYE, a bounded wait for the peer's, and the link is closed. */
  goodbye(reason: Uri, text = '', linger = LINGER): void {
    if (this.#end || this.#leaving) return
    this.send([GOODBYE, text ? { message: text } : {}, reason])
    if (this.over) return
    this.#leaving = { by: 'us', reason, text }
    this.#table = SHUTTING_DOWN
    this.#timer = setTimeout(() => this.farewell(), linger)
  }

  /** Ends at once with ABORT; the peer does not answer. */
  abort(reason: Uri, text: string, details: Dict = {}): void {
    if (this.#end) return
    try {
      this.send([ABORT, { message: text, ...details }, reason, payload()])
    } catch {
      // Even ABORT is too long for the peer; closing the link must do.
    }
    this.#finish({ by: 'us', reason, text })
    this.#shut()
  }

  /** The peer broke the protocol: sends ABORT with the reason and closes the link. */
  violation(text: string): void {
    this.abort(PROTOCOL_VIOLATION, text)
  }

  /** The link is dead: ends without a message to the peer. */
  drop(text: string): void {
    this.#finish({ by: 'loss', reason: undefined, text })
    this.link.terminate()
  }

  /** Ends at once, for a reason of this side that the peer would not read in time. */
  protected sever(reason: Uri, text: string): void {
    this.#finish({ by: 'us', reason, text })
    this.link.terminate()
  }

  /** The peer sent GOODBYE first. */
  left(reason: Uri, details: Dict): void {
    this.send([GOODBYE, {}, GOODBYE_AND_OUT])
    this.#finish({ by: 'peer', reason, text: closingText(details, reason) })
    this.#shut(this.lingerAfterGoodbye)
  }

  /** Milliseconds for a peer that sent GOODBYE to close the link, before this side does. */
  protected get lingerAfterGoodbye(): number {
    return 0
  }

  /** The peer sent ABORT. */
  aborted(reason: Uri, details: Dict, first?: unknown): void {
    this.#finish({ by: 'peer', reason, text: closingText(details, typeof first === 'string' ? first : reason) })
    this.#shut()
  }

  /** The peer answered our GOODBYE, or did not in time. */
  farewell(): void {
    clearTimeout(this.#timer)
    this.#finish(this.#leaving as SessionEnd)
    this.#shut()
  }

  #finish(end: SessionEnd): void {
    if (this.#end) return
    this.#end = end
    this.#table = CLOSED
    this.ended(end)
  }

  // A peer that does not close its end must not keep ours open.
  #shut(wait = 0): void {
    if (this.#gone) return
    clearTimeout(this.#timer)
    if (wait > 0) {
      this.#timer = setTimeout(() => this.#shut(), wait)
      return
    }
    this.#timer = setTimeout(() => this.link.terminate(), LINGER)
    this.link.close()
  }
}

function closingText(details: Dict, otherwise: string): string {
  const { message } = details
  return typeof message === 'string' && message ? message : otherwise
}
