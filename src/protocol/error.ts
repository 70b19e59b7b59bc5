/** The one error class, and how an error travels: ERROR message to WampError, and what was thrown to ERROR. */

import type { ErrorMessage, Uri } from './messages.ts'
import { CANCELED, PROTOCOL_VIOLATION, RUNTIME_ERROR, USAGE } from './names.ts'
import type { Dict, List } from './options.ts'

const BRAND = Symbol.for('wampy-ts.WampError')

export interface WampErrorOptions {
  /** What the ERROR message carried as details. */
  readonly details?: Dict | undefined
  readonly cause?: unknown
  /** For a request that got no answer: whether it had left. True means that it may have run. */
  readonly sent?: boolean | undefined
}

/**
 * Whatever fails, here or at a peer, fails with a URI to branch on. `message` is the first argument where that is
 * text, else the URI. A procedure that throws one sends exactly its URI, args and kwargs to the caller.
 *
 * @example
 * throw new WampError('com.example.error.sold_out', ['no seats left'], { next: '2016-05-15' })
 */
export class WampError extends Error {
  override readonly name = 'WampError'
  /** `wamp.error.no_such_procedure`, `wampy.error.connection_lost`, or the application's own. */
  readonly uri: Uri
  readonly args: List
  readonly kwargs: Dict
  readonly details: Dict
  /** For a request that got no answer: false means that it never left, true that it may have run. */
  readonly sent: boolean | undefined

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
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** Whether a value is a WampError, also one made by another copy of this library. */
  static is(value: unknown): value is WampError {
    return typeof value === 'object' && value !== null && BRAND in value
  }
}

/** A peer broke the protocol; says what was expected and what came. */
export function violation(text: string): WampError {
  return new WampError(PROTOCOL_VIOLATION, [text])
}

/** Nothing was sent: what was asked for cannot be, here and now. */
export function unsent(uri: Uri, text: string, cause?: unknown): WampError {
  return new WampError(uri, [text], {}, { sent: false, cause })
}

/** This library was used wrongly; says what was expected. */
export function usage(text: string, cause?: unknown): WampError {
  return unsent(USAGE, text, cause)
}

/** What an ERROR message says, as an error to throw. Its payload starts at `message[5]`. */
export function errorOf(message: ErrorMessage): WampError {
  const [, , , details, uri, payload] = message
  // The specification spells it in two ways.
  return new WampError(uri === 'wamp.error.cancelled' ? CANCELED : uri, payload?.args, payload?.kwargs, {
    details,
    sent: true,
  })
}

/** What was thrown, as an error that can travel: a WampError as it is, anything else as `runtime_error`. */
export function thrown(value: unknown): WampError {
  if (WampError.is(value)) return value
  return new WampError(RUNTIME_ERROR, [thrownText(value)], {}, { cause: value })
}

function thrownText(value: unknown): string {
  try {
    return String(value instanceof Error ? value.message : value)
  } catch {
    // An object without a prototype, for one, has no text.
    return 'what was thrown has no text'
  }
}
