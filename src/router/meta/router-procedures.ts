/** The callee of the router's own procedures: the dealer sends it invocations, as it does to any other destination. */

import { ERROR, INVOCATION, YIELD } from '../../protocol/codes.ts'
import { thrown } from '../../protocol/error.ts'
import { MAX_ARGUMENT_VALUES } from '../../protocol/fixed-limits.ts'
import type { Id, InvocationMessage, Message, Uri } from '../../protocol/messages.ts'
import { LIMIT_EXCEEDED, NO_SUCH_PROCEDURE } from '../../protocol/names.ts'
import type { Dict, List } from '../../protocol/options.ts'
import { payload } from '../../protocol/payload.ts'
import { isEmptyDict } from '../../protocol/plain.ts'
import { formatValue } from '../../protocol/validate.ts'
import type { Destination } from '../member/destination.ts'
import { NO_DETAILS, Refusal } from '../member/refusal.ts'
import { RouterDestination } from '../member/router-destination.ts'
import type { Dealer } from '../rpc/dealer.ts'
import { noSuchSession } from './meta-sessions.ts'

/** The result of a procedure of the router; undefined becomes an empty RESULT. */
export interface Answer {
  readonly args?: List
  readonly kwargs?: Dict
}

/**
 * One of the router's own procedures; asynchronous if it has to ask an external store. A Refusal or a WampError that it
 * throws or rejects with becomes the caller's ERROR. `control`: the caller has that right over this procedure.
 */
export type Provided = (
  args: List,
  kwargs: Dict,
  caller: Destination,
  control: boolean,
) => Answer | undefined | Promise<Answer | undefined>

export class RouterProcedures extends RouterDestination {
  readonly #dealer: Dealer
  readonly #members: ReadonlyMap<Id, Destination>
  readonly #procedures = new Map<Uri, Provided>()

  /** `members` are the sessions that may call. */
  constructor(dealer: Dealer, members: ReadonlyMap<Id, Destination>) {
    super()
    this.#dealer = dealer
    this.#members = members
  }

  /** Serves these procedures, by their URIs under `wamp.`. */
  provide(procedures: Readonly<Record<Uri, Provided>>): void {
    for (const [procedure, serve] of Object.entries(procedures)) {
      this.#procedures.set(procedure, serve)
      this.#dealer.provide(procedure, this)
    }
  }

  override send(message: Message): void {
    if (message[0] === INVOCATION) this.#invoked(message)
  }

  #invoked([, invocation, , { procedure, caller }, data]: InvocationMessage): void {
    const serve = this.#procedures.get(procedure ?? '')
    const from = this.#members.get(caller ?? 0)
    let answer: ReturnType<Provided>
    try {
      if (!serve) throw new Refusal(NO_SUCH_PROCEDURE, `the router does not serve ${formatValue(procedure)}`)
      if (!from) throw noSuchSession(caller ?? 0)
      if ((data?.source?.values ?? 0) > MAX_ARGUMENT_VALUES) {
        throw new Refusal(LIMIT_EXCEEDED, `a procedure of the router takes at most ${MAX_ARGUMENT_VALUES} values`)
      }
      const control = from.trusted || this.rpc?.invocations.get(invocation)?.decision.control === true
      answer = serve(data?.args ?? [], data?.kwargs ?? {}, from, control)
    } catch (error) {
      this.#fail(invocation, error)
      return
    }
    if (!(answer instanceof Promise)) this.#answer(invocation, answer)
    else {
      answer.then(
        (value) => this.#answer(invocation, value),
        (error) => this.#fail(invocation, error),
      )
    }
  }

  #answer(invocation: Id, answer: Answer | undefined): void {
    this.#dealer.handlers[YIELD]?.([YIELD, invocation, NO_DETAILS, payload(answer?.args, answer?.kwargs)], this)
  }

  #fail(invocation: Id, error: unknown): void {
    const { uri, args, kwargs } =
      error instanceof Refusal ? { uri: error.uri, args: [error.text], kwargs: {} } : thrown(error)
    const data = payload(args.length > 0 ? args : undefined, isEmptyDict(kwargs) ? undefined : kwargs)
    this.#dealer.handlers[ERROR]?.([ERROR, INVOCATION, invocation, NO_DETAILS, uri, data], this)
  }
}
