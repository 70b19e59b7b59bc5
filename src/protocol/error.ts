/** The one error class, and the conversion between errors and ERROR messages. */

import type { ErrorMessage, Uri } from './messages.ts'
import { CANCELED, PROTOCOL_VIOLATION, RUNTIME_ERROR, USAGE } from './names.ts'
import type { Dict, List } from './options.ts'

const BRAND = Symbol.for('wampy-ts.WampError')

export interface WampErrorOptions {
  /** The details of the ERROR message. */
  readonly details?: Dict | undefined
  readonly cause?: unknown
  /** For an unanswered request: true if it was sent, and so may have run. */
  readonly sent?: boolean | undefined
  /** The procedure that was called, if a call failed. */
  readonly procedure?: Uri | undefined
}

/**
 * Every failure, local or remote, has a URI to branch on. `message` is the first argument if that is a string, otherwise
 * the URI. A procedure that throws a WampError sends its URI, args and kwargs to the caller unchanged.
 *
 * @example
 * throw new WampError('com.example.error.sold_out', ['no seats left'], { next: '2016-05-15' })
 */
export class WampError extends Error {
  override readonly name = 'WampError'
  /** `wamp.error.no_such_procedure`, `wampy.error.connection_lost`, or a URI of the application. */
  readonly uri: Uri
  readonly args: List
  readonly kwargs: Dict
  readonly details: Dict
  /** For an unanswered request: false if it was never sent, true if it was, and so may have run. */
  readonly sent: boolean | undefined
  /** The procedure that was called, if a call failed. */
  declare readonly procedure?: Uri

  constructor(uri: Uri, args: List = [], kwargs: Dict = {}, options: WampErrorOptions = {}) {
    super(
      typeof args[0] === 'string' ? args[0] : uri,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.uri = uri
    this.args = args
    this.kwargs = kwargs
    this.details = options.details ?? {}
    this.sent = options.sent
    if (options.procedure !== undefined) this.procedure = options.procedure
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** True if a value is a WampError, including one of another copy of this library. */
  static is(value: unknown): value is WampError {
    try {
      return typeof value === 'object' && value !== null && BRAND in value
    } catch {
      // A proxy that was revoked, or whose trap throws.
      return false
    }
  }
}

/** The error for a peer that broke the protocol. `text` names what was expected and what arrived. */
export function violation(text: string): WampError {
  return new WampError(PROTOCOL_VIOLATION, [text])
}

/** The error for a request that cannot be sent now; nothing was sent. */
export function unsent(uri: Uri, text: string, cause?: unknown): WampError {
  return new WampError(uri, [text], {}, { sent: false, cause })
}

/** The error for misuse of this library. `text` names what was expected. */
export function usage(text: string, cause?: unknown): WampError {
  return unsent(USAGE, text, cause)
}

/** Turns an ERROR message into an error to throw. Its payload starts at `message[5]`. */
export function errorOf(message: ErrorMessage): WampError {
  const [, , , details, uri, payload] = message
  // The specification spells the URI in two ways.
  return new WampError(uri === 'wamp.error.cancelled' ? CANCELED : uri, payload?.args, payload?.kwargs, {
    details,
    sent: true,
  })
}

/** Turns a thrown value into an error that can travel: a WampError unchanged, anything else as `runtime_error`. */
export function thrown(value: unknown): WampError {
  if (WampError.is(value)) return value
  return new WampError(RUNTIME_ERROR, [thrownText(value)], {}, { cause: value })
}

function thrownText(value: unknown): string {
  try {
    const { message } = Object(value) as { readonly message?: unknown }
    return typeof message === 'string' ? message : String(value)
  } catch {
    // Some objects cannot be converted to text: one without a prototype, for example.
    return 'what was thrown has no text'
  }
}
