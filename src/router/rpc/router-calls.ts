/** Calls by the router itself, to procedures that authenticate or authorize sessions. */

import { CALL, CANCEL, ERROR, RESULT } from '../../protocol/codes.ts'
import { LONGEST_TIMER } from '../../protocol/durations.ts'
import { errorOf, unsent, WampError } from '../../protocol/error.ts'
import { nextId } from '../../protocol/ids.ts'
import type { Id, Message, Uri } from '../../protocol/messages.ts'
import { CANCELED, TIMEOUT } from '../../protocol/names.ts'
import type { List } from '../../protocol/options.ts'
import { payload } from '../../protocol/payload.ts'
import { plain } from '../../protocol/plain.ts'
import { NO_DETAILS } from '../member/refusal.ts'
import { RouterDestination } from '../member/router-destination.ts'
import type { Dealer } from './dealer.ts'

interface PendingRouterCall {
  settle(value: unknown): void
  fail(error: unknown): void
}

/** The caller of these calls in one realm. */
export class RouterCalls extends RouterDestination {
  readonly #dealer: Dealer
  readonly #waiting = new Map<Id, PendingRouterCall>()
  #last: Id = 0

  constructor(dealer: Dealer) {
    super()
    this.#dealer = dealer
  }

  /**
   * Resolves to the first positional result.
   *
   * @throws WampError what the procedure answered, `wamp.error.timeout`, `wamp.error.canceled`
   */
  call(procedure: Uri, args: List, timeout: number, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#last = nextId(this.#last)
      const id = this.#last
      const release = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#waiting.delete(id)
      }
      const quit = (error: WampError): void => {
        release()
        reject(error)
        this.#dealer.handlers[CANCEL]?.([CANCEL, id, { mode: 'killnowait' }], this)
      }
      const abort = (): void => quit(unsent(CANCELED, 'the session has ended'))
      const timer = setTimeout(
        () => quit(new WampError(TIMEOUT, [`no answer of ${procedure} within ${timeout} ms`])),
        Math.min(timeout, LONGEST_TIMER),
      )
      signal?.addEventListener('abort', abort)
      this.#waiting.set(id, {
        settle: (value) => {
          release()
          resolve(value)
        },
        fail: (error) => {
          release()
          reject(error)
        },
      })
      try {
        this.#dealer.handlers[CALL]?.([CALL, id, NO_DETAILS, procedure, payload(plain(args, 'args') as List)], this)
      } catch (error) {
        release()
        reject(error)
      }
    })
  }

  override send(message: Message): void {
    if (message[0] === RESULT) this.#waiting.get(message[1])?.settle(message[3]?.args?.[0])
    else if (message[0] === ERROR) this.#waiting.get(message[2])?.fail(errorOf(message))
  }
}
