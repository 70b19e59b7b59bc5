/** The table of unanswered requests: all kinds share one sequence of ids (Basic Profile, IDs). */

import { CALL, ERROR, INVOCATION } from '../../protocol/codes.ts'
import { errorOf, unsent, violation, WampError } from '../../protocol/error.ts'
import { nextId } from '../../protocol/ids.ts'
import type {
  Handlers,
  Id,
  Message,
  PublishedMessage,
  RegisteredMessage,
  RequestCode,
  SubscribedMessage,
  UnregisteredMessage,
  UnsubscribedMessage,
  Uri,
} from '../../protocol/messages.ts'
import { CONNECTION_LOST, TIMEOUT } from '../../protocol/names.ts'
import { nameOf } from '../../protocol/validate.ts'
import { canceled, limit, type Waiting } from '../base/waiting.ts'
import type { ClientSession } from './client-session.ts'

interface Pending {
  readonly asked: Ask<unknown, never>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  /** Its timeout, which starts again with every progressive result. */
  readonly timeout: number | undefined
  /** The promise of the user, if that is the one that `ask` returned. */
  promise: Promise<unknown> | undefined
  /** True once nobody waits for the answer, which is still due. */
  quit: boolean
  deaf: (() => void) | undefined
  untimed: (() => void) | undefined
}

export interface Ask<T, Reply extends Message> {
  readonly code: RequestCode
  /** The procedure of a call, which its errors name. */
  readonly procedure?: Uri
  readonly message: (id: Id) => Message
  /** Runs inside the reply, before anything else is read; its value resolves the promise. */
  readonly settle: (reply: Reply) => T
  /** Called with a progressive result. */
  readonly part?: ((reply: Reply) => void) | undefined
  /** Called when nobody waits any longer. Returns true if the peer's answer is still awaited. */
  readonly quit?: (id: Id, error: unknown) => boolean
  /** Called when the request is settled. */
  readonly over?: (() => void) | undefined
}

export class Requests {
  readonly #session: ClientSession
  readonly #pending = new Map<Id, Pending>()
  #last: Id = 0

  constructor(session: ClientSession) {
    this.#session = session
  }

  /** The number of unanswered requests. */
  get size(): number {
    return this.#pending.size
  }

  #next(): Id {
    do this.#last = nextId(this.#last)
    while (this.#pending.has(this.#last))
    return this.#last
  }

  /** Sends a request without an answer. Throws for a payload that cannot travel, which uses no id. */
  tell(message: (id: Id) => Message): Id {
    if (!this.#session.sendable) throw unsent(CONNECTION_LOST, 'the session is over')
    const before = this.#last
    const id = this.#next()
    try {
      this.#session.send(message(id))
    } catch (error) {
      this.#last = before
      // With the caller's frame in place of the many of a serializer. Firefox before version 138 lacks the function.
      if (WampError.is(error)) Error.captureStackTrace?.(error)
      throw error
    }
    return id
  }

  /** Sends a request and waits for its answer. Rejects for a payload that cannot travel, which uses no id. */
  ask<T, Reply extends Message>(asked: Ask<T, Reply>, waiting: Waiting = {}): Promise<T> {
    let pending: Pending | undefined
    const promise = new Promise<T>((resolve, reject) => {
      const { signal, timeout } = waiting
      if (signal?.aborted) throw canceled(signal, false)
      const id = this.tell(asked.message)
      pending = {
        asked,
        resolve: resolve as (value: unknown) => void,
        reject,
        timeout,
        promise: undefined,
        quit: false,
        deaf: undefined,
        untimed: undefined,
      }
      this.#pending.set(id, pending)
      if (signal) pending.deaf = limit({ signal }, true, (error) => this.quit(id, error))
      if (timeout) this.#time(id, pending)
    })
    if (pending) pending.promise = promise
    return promise
  }

  #time(id: Id, pending: Pending): void {
    pending.untimed?.()
    pending.untimed = limit({ timeout: pending.timeout }, true, (error) => this.quit(id, error))
  }

  /** True if a request is unanswered. */
  has(id: Id): boolean {
    return this.#pending.has(id)
  }

  /** Abandons a request: its promise rejects, and a later answer is ignored. */
  quit(id: Id, error: unknown): void {
    const pending = this.#pending.get(id)
    if (!pending || pending.asked.quit?.(id, error)) return
    release(pending)
    // A CALL may never be answered. Any other request is, and its answer must not look like a violation.
    if (pending.asked.code === CALL) this.#pending.delete(id)
    reject(pending, error, true)
    pending.quit = true
  }

  /** Handles a progressive result; false if nobody waits for it. */
  part(code: RequestCode, id: Id, reply: Message): boolean {
    const pending = this.#pending.get(id)
    if (pending?.asked.code !== code) return false
    if (pending.timeout) this.#time(id, pending)
    pending.asked.part?.(reply as never)
    return pending.asked.part !== undefined
  }

  /** Handles a positive answer; false if nobody waits for it. */
  settle(code: RequestCode, id: Id, reply: Message): boolean {
    const pending = this.#pending.get(id)
    if (pending?.asked.code !== code) return false
    // If this throws, the session ends and rejects the rest of the table.
    const value = pending.asked.settle(reply as never)
    this.#end(id, pending)
    pending.resolve(value)
    return true
  }

  /** Handles an ERROR; false if nobody waits for it. */
  refuse(code: RequestCode, id: Id, error: WampError): boolean {
    const pending = this.#pending.get(id)
    if (pending?.asked.code !== code) return false
    this.#end(id, pending)
    reject(pending, error)
    return true
  }

  #end(id: Id, pending: Pending): void {
    this.#pending.delete(id)
    release(pending)
  }

  /** Rejects all requests when the session ends; `quietly` if the user ended it and need not handle the rejections. */
  fail(error: WampError, quietly = false): void {
    for (const pending of this.#pending.values()) {
      release(pending)
      reject(pending, error, false, quietly)
    }
    this.#pending.clear()
  }
}

/** Rejects a request, unless nobody waits any more. `quietly` if nobody need handle it, `ours` if it ended here. */
function reject(pending: Pending, error: unknown, ours = false, quietly = false): void {
  if (!pending.quit) pending.resolve(failed(pending, error, ours, quietly))
}

async function failed({ asked, promise }: Pending, error: unknown, ours: boolean, quietly: boolean): Promise<never> {
  const own = await ownError(error, asked.procedure, ours)
  // Not before: with a second reaction to the promise, the engine knows no more.
  if (quietly) promise?.catch(() => {})
  throw own
}

/**
 * A copy of an error for one request: requests that one loss ends share it. That of a call names its procedure; `ours` if
 * the call ended here. The stack of the copy has the functions that wait for the caller's promise: the engine knows them
 * where it resumes an async function, by way of one reaction to each promise between.
 */
export async function ownError(error: unknown, procedure: Uri | undefined, ours = true): Promise<unknown> {
  // The caller's promise follows the one that will be rejected two turns after they were made.
  await undefined
  await undefined
  if (!WampError.is(error)) return error
  const { message, uri, args, kwargs, details, cause, sent } = error
  const said = uri === TIMEOUT && ours && procedure ? [`${message} to the call of ${procedure}`] : args
  return new WampError(uri, said, kwargs, { details, cause, sent, procedure })
}

function release(pending: Pending): void {
  pending.deaf?.()
  pending.untimed?.()
  pending.asked.over?.()
}

/** A positive answer, which only a request of ours can cause: without one it is a violation. */
export function granted(
  message: PublishedMessage | SubscribedMessage | UnsubscribedMessage | RegisteredMessage | UnregisteredMessage,
  session: ClientSession,
): void {
  const [code, id] = message
  // In WAMP the code of the answer follows that of the request.
  if (session.requests.settle((code - 1) as RequestCode, id, message)) return
  throw violation(`${nameOf(code)} for request ${id}, which is not waiting for it`)
}

/** ERROR settles requests of all kinds. */
export const refusals: Handlers<ClientSession> = {
  [ERROR]: (message, session) => {
    if (message[1] === INVOCATION) throw violation('ERROR for INVOCATION, which this side answers')
    if (!session.requests.refuse(message[1], message[2], errorOf(message))) session.dropped.answers++
  },
}
