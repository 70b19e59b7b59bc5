/** Refusals: one kind of value for every reason, returned or thrown, and the ERROR it becomes. */

import { ERROR } from '../../protocol/codes.ts'
import { thrown } from '../../protocol/error.ts'
import type { Id, Message, RequestCode, Uri } from '../../protocol/messages.ts'
import { LIMIT_EXCEEDED } from '../../protocol/names.ts'
import type { Dict } from '../../protocol/options.ts'
import { payload } from '../../protocol/payload.ts'
import type { Destination } from './destination.ts'

/** Empty details, shared by all messages. */
export const NO_DETAILS: Dict = Object.freeze({})

/**
 * The reason of a refused request: a URI for programs, a text for people. It is not an Error, whose stack costs more than
 * the rest of a refused request. Broker and dealer return it; the router's own procedures throw it. A peer that breaks
 * the protocol is a different case: `violation` is thrown and ends its session.
 */
export class Refusal {
  readonly uri: Uri
  readonly text: string

  constructor(uri: Uri, text: string) {
    this.uri = uri
    this.text = text
  }
}

/** Turns an error of code outside the router into a refusal. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const { uri, message } = thrown(error)
  return new Refusal(uri, message)
}

/** Answers a request with an ERROR. */
export function sendError(to: Destination, type: RequestCode, request: Id, { uri, text }: Refusal): void {
  to.send([ERROR, type, request, NO_DETAILS, uri, payload([text])])
}

/** Forwards a message of another session. Returns a refusal if this receiver, through no fault of its own, cannot receive it. */
export function trySend(to: Destination, message: Message): Refusal | undefined {
  try {
    to.send(message)
    return undefined
  } catch (error) {
    return refusalOf(error)
  }
}

/** The refusal of a request that would make its session cost more than it may. */
export function refuseCost({ account }: Destination, bytes: number): Refusal | undefined {
  if (!account || account.admits(bytes)) return undefined
  return new Refusal(LIMIT_EXCEEDED, `a session may cost at most ${account.limit} bytes`)
}
